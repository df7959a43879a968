"""The live laboratory: one koshin looks at every fixture of lab/table.py, on real servers; each row's cause, who acts and the value to
copy come out, and its healthy neighbours have no finding. Then the CA is asked too."""

import dataclasses
import datetime
import json
import pathlib
import re
import subprocess

import pytest

import daemon
from lab import judge, laboratory, names, table

TESTS = pathlib.Path(__file__).resolve().parents[1]
BLOCKS = {row["id"]: row["blocks"] for row in json.loads(subprocess.run([daemon.program(), "causes", "--json"], capture_output=True, check=True).stdout)}


@pytest.fixture(scope="module")
def lab():
    lab = laboratory.Laboratory(table.ROWS)
    yield lab
    lab.stop()


@pytest.fixture(scope="module")
def documents(lab):
    return lab.check_all(table.ROWS)


def found(document):
    return [f for n in document["names"] for f in n["findings"]]


@pytest.mark.parametrize("row", table.ROWS, ids=lambda row: row.name)
def test_the_first_cause(lab, documents, row):
    findings = found(documents[row.name])
    if row.cause is None:
        assert findings == []
        return
    first = findings[0]
    assert (first["cause"], first["who"]) == (row.cause, row.who), first["evidence"]
    if row.copy is not None:
        assert first["action"]["copy"] == lab.fill(row.copy, row)
    if row.seen is not None:
        assert first["seen"] == lab.fill(row.seen, row)
    assert first["next_look"]
    assert set(row.also) <= {f["cause"] for f in findings}
    for cause, (who, copy) in row.told.items():
        beside = next(f for f in findings if f["cause"] == cause)
        assert (beside["who"], beside["action"]["copy"]) == (who, copy and lab.fill(copy, row)), beside["evidence"]


@pytest.mark.parametrize(("name", "is_believed"), [("unlisted.jp", True), ("forged.jp", False), ("inward.jp", False)])
def test_lists_of_revoked_certificates(lab, name, is_believed):
    """A list counts when the issuer has signed it; one in a network of ours is not asked for. What was read stands in the evidence."""
    row = next(row for row in table.ROWS if row.name == name)
    (finding,) = found(lab.check(dataclasses.replace(row, visitor="a visitor's words")))
    evidence = "\n".join(finding["evidence"])
    assert ("not revoked by http" in evidence) == is_believed and "; revoked" not in evidence, evidence


def test_until_when_visitors_have_the_old_answer(lab, documents):
    """The next look is when the resolver that many visitors use has forgotten it: by its own word, an hour at most, and some of it is over."""
    document = documents["spread.jp"]
    (finding,) = found(document)
    left = next(int(m[1]) for line in finding["evidence"] if (m := re.fullmatch(rf"{lab.at['everybody']} \(for everybody\): .*{lab.at['elsewhere']}, for (\d+) s", line)))
    at, look = (datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) for text in (document["at"], finding["next_look"]))
    assert names.TTL - 900 < left <= names.TTL
    assert abs((look - at).total_seconds() - left) <= 1


def test_each_broken_one_has_a_healthy_neighbour():
    """On every web server and every pair of name servers that a broken row stands on, a healthy one stands too."""
    def places(row):
        return {*row.nginx, *row.haproxy, *row.tls, *(["apache"] if row.htaccess else [])}

    healthy = {place for row in table.ROWS if row.cause is None for line in row.zone for place in laboratory.PLACES if f"{{{place}}}" in line}
    broken = {place for row in table.ROWS if row.cause is not None for place in places(row)}
    assert broken - healthy - {"v6"} <= {"router", "elsewhere", "oldtls"}  # no places of ours, or none that anybody can be well at
    assert {row.ns for row in table.ROWS if row.cause is None} >= {("first", "second"), ("odd",)}


def test_enough_fixtures():
    assert sum(row.cause is not None for row in table.ROWS) >= 60
    assert len({row.name for row in table.ROWS}) == len({row.domain for row in table.ROWS}) == len(table.ROWS)


def named_in(files):
    """Causes that are named in these files, by id or by symbol: id -> names of the files."""
    symbols = {f"CAUSE_{re.sub('[.-]', '_', cause).upper()}": cause for cause in BLOCKS}
    named = {}
    for file in files:
        for word in set(re.findall(r"[A-Za-z0-9_.-]+", file.read_text())):
            word = word.strip(".")
            cause = symbols.get(word, word)
            if cause in BLOCKS:
                named.setdefault(cause, set()).add(file.name)
    return named


def test_every_cause_is_proven(tell):
    """Each id by a fixture of the laboratory, by another test with real servers, by a CA's text or by evidence from a table."""
    e2e = [f for f in (TESTS / "e2e").glob("**/*.py") if f.name.startswith("test_") and f.name != "test_lab.py"]
    texts = [TESTS / "unit" / "problem.c"]
    fixtures = {}
    for row in table.ROWS:
        for cause in (row.cause, *row.also):
            fixtures.setdefault(cause, set()).add(row.name)
    proofs = {
        "live fixture": fixtures,
        "real servers": named_in(e2e),
        "a CA's text": named_in(texts),
        "evidence": named_in(f for f in (TESTS / "unit").glob("*.c") if f not in texts and f.name not in ("words.c", "finding.c")),
    }
    for cause in BLOCKS:
        by = [f"{kind}: {' '.join(sorted(found[cause])[:4])}" for kind, found in proofs.items() if cause in found]
        tell(f"{cause:42} {'; '.join(by)}")
    tell(", ".join(f"{kind} {len(set(found) & set(BLOCKS))}" for kind, found in proofs.items()) + f" of {len(BLOCKS)}")
    unproven = [cause for cause in BLOCKS if not any(cause in found for found in proofs.values())]
    assert unproven == []
    assert len(set(fixtures) & set(BLOCKS)) >= 60


def says(row, document):
    """What koshin says an order for this one name would come to."""
    mine = next(n for n in document["names"] if n["ascii"] == row.name)
    return table.FAILS if any(BLOCKS[f["cause"]] for f in mine["findings"]) else table.PASSES


def expected(row, who, koshin):
    """(What the judge has to say, why that is not what koshin says)."""
    if who == "pebble" and row.cause and row.cause.startswith("dns.caa."):
        return table.PASSES, "pebble does not look at CAA"
    return row.verdict.get(who, (koshin, ""))


def test_the_judges_agree(lab, documents, tell):
    """Where koshin says that an order will pass, the CA lets it pass; where it says that it is blocked, the CA refuses."""
    verdicts = judge.ask_all(lab, table.ROWS, {row.name for row in table.ROWS if says(row, documents[row.name]) == table.PASSES})
    lines, disagreements, reasons = [], [], 0
    for row in table.ROWS:
        koshin = says(row, documents[row.name])
        line, whys = f"{row.name:18} {row.cause or 'healthy':40} koshin {koshin:7}", []
        for who, verdict in verdicts[row.name].items():
            got = table.PASSES if verdict.has_passed else table.FAILS
            wanted, why = expected(row, who, koshin)
            line += f" {who} {got:7}"
            whys += [why] if got != koshin else []
            if wanted not in (got, table.BY_CHANCE):
                disagreements.append(f"{row.name}: koshin {koshin}, {who} {got}: {verdict.words}")
        reasons += whys != []
        lines.append(f"{line} {'; '.join(dict.fromkeys(whys))}".rstrip())
    for line in lines:
        tell(line)
    tell(f"agreement: {len(lines)} names, {len(disagreements)} disagree, {reasons} differ with a reason")
    assert not disagreements, "\n".join(disagreements)
