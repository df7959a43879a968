"""The command and the API, against a daemon in a world of real servers: what is printed, what is refused, exit statuses."""

import http.client
import json
import os
import pathlib
import re
import socket
import sqlite3
import stat
import subprocess
import unicodedata

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from daemon import ROOT, program
from servers import http_get, until
from world import World

COMMANDS = (
    "serve", "site add", "site list", "site show", "site history", "site set", "site remove", "renew", "check", "causes",
    "cert show", "cert check", "cert export", "ca list", "ca add", "ca rollover", "ca resume", "ca unblock", "ca test", "doctor", "watch", "config check", "simulate",
)  # fmt: skip


@pytest.fixture(scope="module")
def world():
    made = World(life=3600)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def site(world):
    """One site that was waited for; its output is kept."""
    one = world.site("kome.jp", "www.kome.jp")
    done = world.koshin.run("site", "add", "kome.jp,www.kome.jp", "--owner", one.owner, "--root", one.root, "--wait")
    one.waited = done.stdout
    one.until_served(seconds=5)  # right after a reload a worker of before may still answer once
    return one


def alone(*words, lang="en", config="/nonexistent.yaml"):
    env = {**os.environ, "LC_ALL": "ja_JP.UTF-8" if lang == "ja" else "C.UTF-8", "KOSHIN_CONFIG": config}
    return subprocess.run([program(), *words], capture_output=True, text=True, env=env, timeout=60)


# --- without a daemon ---


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("lang", ("ja", "en"))
def test_help(command, lang):
    done = alone(*command.split(), "--help", lang=lang)
    assert done.returncode == 0 and done.stderr == ""
    example = "例:" if lang == "ja" else "Examples:"
    head, examples = done.stdout.split(f"{example}\n")
    assert head.startswith(f"koshin {command}")
    assert all(line.startswith(f"  koshin {command}") for line in examples.splitlines()) and examples
    assert re.search("[ぁ-ん]", head) if lang == "ja" else head.isascii()


def test_help_of_all():
    done = alone("--help")
    assert done.returncode == 0
    assert [c for c in COMMANDS if not re.search(rf"^  {c} ", done.stdout, re.M)] == []
    assert alone().returncode == 2
    assert "使い方" in alone("--lang", "ja", "--help").stdout, "an option of all commands may stand in front"


@pytest.mark.parametrize(
    "words, said",
    [
        (["frobnicate"], "frobnicate"),
        (["site"], "site"),
        (["site", "frobnicate"], "site"),
        (["site", "show"], "NAME"),
        (["site", "show", "a.jp", "b.jp"], "b.jp"),
        (["site", "show", "a.jp", "--frobnicate"], "--frobnicate"),
        (["site", "show", "a.jp", "--json=1"], "--json=1"),
        (["site", "show", "a.jp", "--lang", "fr"], "fr"),
        (["site", "show", "a.jp", "-c"], "-c"),
        (["site", "add", "a.jp"], "--owner"),
        (["site", "set", "a.jp"], "a.jp"),
        (["site", "set", "a.jp", "--redirect", "maybe"], "maybe"),
        (["site", "set", "a.jp", "--apply-draft", "--root", "/x"], "a.jp"),
        (["site", "remove", "a.jp"], "--yes"),
        (["renew"], "--due"),
        (["renew", "a.jp", "--due"], "--due"),
    ],
)
def test_misused(words, said):
    done = alone(*words)
    assert done.returncode == 2 and done.stdout == "" and said in done.stderr and "--help" in done.stderr, done


def test_configuration_is_refused(tmp_path):
    file = tmp_path / "k.yaml"
    file.write_text("server:\n  addresses: [203.0.113.1]\ncas:\n  - directory: https://ca.example/d\nlanguag: ja\n")
    for words in (["config", "check"], ["site", "list"], ["doctor"], ["check", "a.jp"], ["serve"]):
        done = alone(*words, "-c", str(file))
        assert done.returncode == 1 and f"{file}:5: languag:" in done.stderr and "language" in done.stderr, done
    file.write_text(file.read_text().replace("languag:", "language:"))
    assert alone("config", "check", "-c", str(file)).returncode == 0
    assert json.loads(alone("config", "check", "-c", str(file), "--json").stdout) == {"ok": True}
    assert alone("config", "check", config=str(file)).returncode == 0, "by the environment"


def test_check_with_the_words_of_one_visitor(world, site):
    """All is well, so it is that device; the words reach output and evidence as text, whatever they are."""
    words = "NET::ERR_CERT_DATE_INVALID \x1b[2J"
    done = world.koshin.run("check", "www.kome.jp", "--visitor", words, "--json", status=1)
    found = {n["ascii"]: n["findings"] for n in json.loads(done.stdout)["names"]}
    assert [f["cause"] for f in found["www.kome.jp"]] == ["served.client.outdated"]
    assert found["kome.jp"] == []
    assert found["www.kome.jp"][0]["who"] == "nobody"
    shown = world.koshin.run("check", "www.kome.jp", "--visitor", words, "--lang", "en", status=1).stdout
    assert "NET::ERR_CERT_DATE_INVALID" in shown and "\x1b" not in shown


def test_no_daemon(tmp_path):
    file = tmp_path / "k.yaml"
    file.write_text(
        json.dumps(
            {
                "server": {"addresses": ["203.0.113.1"]},
                "cas": [{"directory": "https://ca.example/d"}],
                "state_folder": str(tmp_path),
            }
        )
    )
    for words in (["site", "list"], ["site", "show", "a.jp"], ["renew", "a.jp"], ["cert", "show", "a.jp"], ["ca", "list"]):
        done = alone(*words, "-c", str(file))
        assert done.returncode == 3 and "daemon" in done.stderr and "api.sock" in done.stderr, done
    assert "起動" in alone("site", "list", "-c", str(file), lang="ja").stderr


def test_causes():
    rows = json.loads(alone("causes", "--json").stdout)
    assert len(rows) > 70
    for row in rows:
        assert {"id", "layer", "severity", "scope", "blocks", "acts", "heals", "mends", "texts"} <= row.keys()
        for lang in ("ja", "en"):
            assert all(row["texts"][lang][key] for key in ("title", "visitors", "cause", "action", "next")), row
    one = alone("causes", "dns.a.elsewhere", "--lang", "ja")
    assert "dns.a.elsewhere" in one.stdout and re.search("[ぁ-ん]", one.stdout)
    assert alone("causes", "dns.nothing").returncode == 1
    table = alone("causes").stdout.splitlines()
    assert len(table) == len(rows) + 1


def options_of(command):
    """The options of one command, as its --help lists them, without those of all commands."""
    text = alone(*command.split(), "--help").stdout
    return set(re.findall(r"^  (--[a-z0-9-]+)", text, re.M)) - {"--config", "--json", "--lang", "--verbose", "--help"}


@pytest.mark.parametrize("command", COMMANDS)
def test_manual_and_completion(command):
    """Each command and option is in a page of the manual, and bash completes it."""
    first, *second = command.split()
    own = ROOT / f"doc/man/koshin-{first}.8"
    page = (own if own.exists() else ROOT / "doc/man/koshin.8").read_text()
    assert command in page or f"Cm {command}" in page or (f"koshin {first}" in page and second and second[0] in page)
    for option in options_of(command):
        assert f"Fl -{option[2:]}" in page.replace("\\-", "-"), option
    completed = complete("koshin", *command.split(), "--")
    assert options_of(command) <= completed, options_of(command) - completed
    if second:
        assert second[0] in complete("koshin", first, "")
    assert first in complete("koshin", "")


def complete(*words):
    """What bash offers for the last word."""
    script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _koshin; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "-c", script, "bash", ROOT / "etc/completion.bash", *words], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0 and done.stderr == "", done
    return set(done.stdout.split())


def test_manual_has_every_key():
    page = (ROOT / "doc/man/koshin.yaml.5").read_text()
    group, missing = "", []
    for line in (ROOT / "etc/koshin.yaml").read_text().splitlines():
        found = re.match(r"( *)#?(?:- )?([a-z_]+):(.*)$", line)
        if not found:
            continue
        indent, key, value = found.groups()
        if not indent:
            group = "" if value.strip() else key
        is_of_list = len(indent) > 2  # those of an item stand below the list's own key, by their last word
        wanted = key if not group or group in ("cas", "targets", "vantages") or key == group or is_of_list else f"{group}.{key}"
        if not (indent == "" and not value.strip() and key not in ("cas", "targets", "vantages")) and not re.search(
            rf"[ ,]{re.escape(wanted)}\b", page
        ):
            missing.append(wanted)
    assert missing == []


# --- with one ---


def columns(line):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def test_add_and_wait(world, site):
    lines = site.waited.splitlines()
    steps = [line for line in lines if re.match(r" *\d+\.\d s  ", line)]
    assert len(steps) >= 2 and "lock" in lines[-1], site.waited
    times = [float(line.split()[0]) for line in steps]
    assert times == sorted(times)
    assert "\r" not in site.waited and "\033" not in site.waited, "no terminal, no drawing"
    assert site.shown().is_valid


def test_show(world, site):
    en = world.koshin.run("site", "show", "www.kome.jp", "--lang", "en").stdout
    labels = [line.split("  ")[0] for line in en.splitlines()[3:]]
    assert labels[0] == "What visitors see" and "Safe until" in labels and "To do" in labels
    assert "kome.jp: opens with the lock" in en and "No action is needed." in en
    ja = world.koshin.run("site", "show", "kome.jp", "--lang", "ja").stdout
    assert "いま見えるもの" in ja and "操作は不要です" in ja
    said = world.koshin.show("kome.jp")
    assert said["state"] == "ok" and said["acts"] == "nobody" and said["until"].endswith("Z")
    assert said["setting"]["coverage"] == "multi" and said["draft"] is None
    gone = world.koshin.run("site", "show", "nai.jp", status=1)
    assert "nai.jp" in gone.stderr and gone.stdout == ""
    assert world.koshin.json("site", "show", "nai.jp", status=1)["status"] == 404


def test_list(world, site):
    other = world.site("お米.jp").add()
    other.until_served()
    lines = world.koshin.run("site", "list", "--lang", "en").stdout.splitlines()
    assert lines[0].startswith("NAME")
    at = lines[0].index("STATE")
    for line in lines[1:]:
        # The second column stands where its head stands, counted in places of a terminal.
        name = line.split()[0]
        assert columns(line[: line.index(line.split()[1])]) == at, (name, lines)
    first = world.koshin.json("site", "list", "--limit", "1")
    assert len(first["sites"]) == 1 and first["after"]
    rest = world.koshin.json("site", "list", "--after", first["after"])
    assert len(rest["sites"]) == 1 and rest["after"] is None
    assert "--after" in world.koshin.run("site", "list", "--limit", "1").stdout
    assert [s["name"] for s in world.koshin.json("site", "list", "kome")["sites"]] == ["kome.jp"]
    world.koshin.run("site", "remove", "お米.jp", "--yes")
    until("it is gone", lambda: world.koshin.run("site", "show", "お米.jp", status=None).returncode == 1, 20)


@pytest.mark.parametrize(
    "words, said",
    [
        (["kome.jp", "--owner", "x@y.jp", "--root", "/srv"], "kome.jp"),
        (["a b.jp", "--owner", "x@y.jp", "--root", "/srv"], "names"),
        (["neu.jp", "--owner", "nobody", "--root", "/srv"], "owner"),
        (["neu.jp", "--owner", "x@y.jp", "--root", "srv"], "root"),
        (["neu.jp", "--owner", "x@y.jp"], "root"),
        (["neu.jp", "--owner", "x@y.jp", "--proxy", "ftp://x:1"], "proxy"),
        (["neu.jp", "--owner", "x@y.jp", "--root", "/srv", "--coverage", "everything"], "coverage"),
        (["neu.jp", "--owner", "x@y.jp", "--root", "/srv", "--key-type", "dsa"], "key_type"),
    ],
)
def test_add_is_refused(world, site, words, said):
    done = world.koshin.run("site", "add", *words, status=1)
    assert said in done.stderr and done.stdout == ""


# What a person may type for a name, and a word of the reason that it is refused for.
NO_NAMES = {
    "": "empty", " ": "empty", ".": "dot", ".a.jp": "dot", "a.jp.": "dot", "a..jp": "dots", "a" * 64 + ".jp": "63",
    ".".join(["a" * 50] * 5) + ".jp": "253", "a.b.c.d.e.f.g.h.i.j.jp": "parts", "my_shop.jp": "'_'", "my shop.jp": "space",
    "a.jp b.jp": "space", "a\tb.jp": "control", "a.jp\nX-Header: 1": "control", "a\x7fb.jp": "control", 'a"b.jp': "'\"'",
    "$(reboot).jp": "'$'", "a%6d.jp": "'%'", "-a.jp": "-a.jp", "a-.jp": "hyphen", "203.0.113.10": "IP", "2001:db8::5": "IP",
    "https://a.jp/": "URL", "a.jp:8080": "port", "me@a.jp": "mail", "example": "dot", "localhost": "dot", "co.jp": "registered",
    "github.io": "registered", "a.nosuchtld": "ending", "printer.local": "ending", "xn--a.jp": "punycode", "ab--cd.jp": "reserved",
    "*.a.jp": "wildcard", "*": "'*'", "www.*.a.jp": "'*'", "a\u2028.jp": "international", os.fsdecode(b"a\xff.jp"): "UTF-8",
}  # fmt: skip


def told_in_store(world, words):
    """In which tables one of these words stands; and how many sites and owners there are."""
    store = sqlite3.connect(f"file:{world.koshin.state / 'koshin.db'}?mode=ro", uri=True)
    tables = [name for (name,) in store.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    rows = {t: "\n".join(map(str, store.execute(f'SELECT * FROM "{t}"'))) for t in tables}
    counts = [store.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("site", "owner")]
    store.close()
    return [t for t in tables if any(word in rows[t] for word in words)], counts


def test_names_are_refused(world, site):
    assert len(NO_NAMES) >= 30
    before = told_in_store(world, ("good.jp", "nobody@y.jp"))
    assert before[0] == [] and told_in_store(world, ("kome.jp",))[0] != []
    for name, why in NO_NAMES.items():
        for names in (name, f"good.jp,{name}"):
            done = world.koshin.run("site", "add", names, "--owner", "nobody@y.jp", "--root", "/srv", status=None)
            assert done.returncode in (1, 2) and done.stdout == "" and why in done.stderr, (name, done)
    assert told_in_store(world, ("good.jp", "nobody@y.jp")) == before


def test_newer_store_is_refused_and_untouched(world, site, tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    copy = sqlite3.connect(state / "koshin.db")
    with sqlite3.connect(f"file:{world.koshin.state / 'koshin.db'}?mode=ro", uri=True) as store:
        store.backup(copy)
    copy.execute("PRAGMA user_version = 999")
    copy.execute("PRAGMA journal_mode = delete")
    copy.close()
    (state / "master.key").write_text((world.koshin.state / "master.key").read_text())
    (state / "master.key").chmod(0o600)
    config = {**world.koshin.config, "state_folder": str(state), "run_folder": str(tmp_path / "run")}
    file = tmp_path / "k.yaml"
    file.write_text(json.dumps(config))
    before = (state / "koshin.db").read_bytes()
    done = alone("doctor", "-c", str(file))
    assert done.returncode == 1 and "newer version" in done.stderr, done
    assert alone("check", "kome.jp", "-c", str(file)).returncode == 0, "a diagnosis needs no store"
    with open(tmp_path / "serve.log", "wb") as log:
        serve = subprocess.Popen([program(), "serve", "-c", file], stdout=log, stderr=log, start_new_session=True)
    try:
        until("serve refuses it", lambda: b"newer version" in (tmp_path / "serve.log").read_bytes(), 20)
    finally:
        serve.terminate()
        serve.wait(20)
    assert (state / "koshin.db").read_bytes() == before
    assert not [p for p in state.iterdir() if p.name.startswith("koshin.db-")]


def test_draft(world, site):
    run = world.koshin.run
    run("site", "set", "kome.jp", "--discard-draft", status=1)
    run("site", "set", "kome.jp", "--draft", "--key-type", "p384")
    assert world.koshin.show("kome.jp")["draft"]["setting"]["key_type"] == "p384"
    assert world.koshin.show("kome.jp")["setting"]["key_type"] == "p256"
    run("site", "set", "kome.jp", "--discard-draft")
    assert world.koshin.show("kome.jp")["draft"] is None
    run("site", "set", "kome.jp", "--draft", "--redirect", "on")
    run("site", "set", "kome.jp", "--apply-draft")
    said = world.koshin.show("kome.jp")
    assert said["setting"]["redirect"] and said["draft"] is None
    until("the redirect is on", lambda: world.koshin.show("kome.jp")["redirect"] == 307, 20)
    run("site", "set", "kome.jp", "--redirect", "off")


def test_renew_and_wait(world, site):
    before = site.shown().fingerprint
    done = world.koshin.run("renew", "kome.jp", "--wait", "--lang", "en")
    assert "Done" in done.stdout
    # A worker of nginx from before the reload may still take a connection for a moment.
    site.until_served(other_than=before, seconds=5)
    assert world.koshin.run("renew", "--due", "--lang", "en").stdout == "No site is due.\n"
    world.koshin.run("renew", "nai.jp", status=1)


def test_list_is_filtered(world, site):
    def listed(*words):
        return [one["name"] for one in world.koshin.json("site", "list", *words)["sites"]]

    assert listed("kome") == listed("--show", "fine", "kome") == listed("--owner", site.owner) == ["kome.jp"]
    assert listed(site.owner[:5]) == ["kome.jp"]
    assert listed("--show", "owner", "kome") == listed("--cause", "dns.a.elsewhere", "kome") == []
    assert listed("--owner", "nobody@example.jp") == []
    for words, said in ((["--show", "all"], "owner, progress, fine or urgent"), (["--cause", "x"], "dns.a.elsewhere"), (["--limit", "x"], "number")):
        assert said in world.koshin.run("site", "list", *words, "--lang", "en", status=1).stderr


def test_wait_ends_with_the_cause(world):
    lost = world.site("mayoi.jp")
    lost.point_elsewhere()
    done = world.koshin.run(
        "site", "add", "mayoi.jp", "--owner", lost.owner, "--root", lost.root, "--wait", "--lang", "en", status=1
    )
    assert world.elsewhere.address in done.stdout and world.address in done.stdout
    assert "It stopped" in done.stderr
    found = world.koshin.json("check", "mayoi.jp", status=1)
    assert found["names"][0]["findings"][0]["cause"] == "dns.a.elsewhere" and not found["ok"]
    world.koshin.run("site", "remove", "mayoi.jp", "--yes")


def test_check(world, site):
    found = world.koshin.json("check", "www.kome.jp")
    assert found["ok"] and found["site"] == "kome.jp" and found["served"]["ok"]
    assert {n["name"]: n["visitors"] for n in found["names"]} == {"kome.jp": "lock", "www.kome.jp": "lock"}
    assert {a["address"] for n in found["names"] for a in n["addresses"]} == {world.address}
    said = world.koshin.run("check", "kome.jp", "--lang", "en").stdout.splitlines()
    assert said[0].startswith("What visitors see") and "opens with the lock" in said[0]
    assert any(line.startswith("Safe until") for line in said) and "No action is needed." in "\n".join(said)
    verbose = world.koshin.run("check", "kome.jp", "-v", "--lang", "en").stdout
    assert "ADDRESS" in verbose and world.address in verbose
    # A name that is nobody's site, and has no record.
    world.dns.add_zone("dare.jp")
    found = world.koshin.json("check", "dare.jp", status=1)
    assert found["site"] is None and found["names"][0]["findings"][0]["cause"] == "dns.address.missing"
    action = found["names"][0]["findings"][0]["action"]
    assert world.address in action["copy"] and action["ja"] and action["en"]
    said = world.koshin.run("check", "dare.jp", "--lang", "en", status=1).stdout
    assert world.address in said and "Being set up" not in said
    assert world.koshin.run("check", "not a name", status=1).stderr


def on_a_terminal(koshin, *words):
    """What a person sees who types it: all that comes to a terminal, until the command lets go of it."""
    master, slave = os.openpty()
    command = [str(koshin.binary), *words, "-c", str(koshin.config_file)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave) as process:
        os.close(slave)
        said = b""
        try:
            while chunk := os.read(master, 4096):
                said += chunk
        except OSError:  # EIO: nobody has it open any more
            pass
        os.close(master)
    return process.returncode, said.decode()


def test_check_tells_each_answer_as_it_comes(world, site):
    status, said = on_a_terminal(world.koshin, "check", "kome.jp", "--lang", "en")
    steps = re.findall(r"(?m)^(\d+\.\d\d) s  (\S+): (.*?)\r?$", said)
    told = {(name, what) for _, name, what in steps}
    here = world.address
    for name in ("kome.jp", "www.kome.jp"):
        assert {(name, f"leads to {here} (DNS)"), (name, f"{here} answered over http://"), (name, f"{here} showed a certificate")} <= told
    assert [float(s) for s, _, _ in steps] == sorted(float(s) for s, _, _ in steps)
    assert status == 0 and said.index(" s  ") < said.index("What visitors see")
    # Elsewhere, and for programs, the outcome alone.
    assert "answered over" not in world.koshin.run("check", "kome.jp", "--lang", "en").stdout
    assert json.loads(on_a_terminal(world.koshin, "check", "kome.jp", "--json")[1])["ok"]
    # What does not answer is told too.
    world.dns.add_zone("nai.jp")
    status, said = on_a_terminal(world.koshin, "check", "nai.jp", "--lang", "en")
    assert status == 1 and "nai.jp: no address was found" in said and "over http://" not in said


def test_what_changed_since_all_was_well(world):
    """The last good check is kept; whoever asks later reads what differs from it, here the address."""
    one = world.site("utsuri.jp").add(coverage="single")
    one.until_served()

    def remembered():
        with sqlite3.connect(f"file:{world.koshin.state / 'koshin.db'}?mode=ro", uri=True, timeout=30) as store:
            return store.execute("SELECT addresses, ours, nameservers, issuer FROM sighting JOIN name n ON n.id = name_id "
                                 "WHERE n.name = 'utsuri.jp' AND is_good = 1").fetchone()

    local = Local(world)
    assert local.ask("POST", "/api/v1/sites/utsuri.jp/check")[0] == 202
    seen = until("a good check", remembered)
    assert seen[0] == seen[1] == world.address and seen[3] == "koshin"
    assert world.koshin.json("check", "utsuri.jp")["names"][0]["changed"] == []
    one.point_elsewhere()
    found = world.koshin.json("check", "utsuri.jp", status=1)["names"][0]
    changed = {c["what"]: c for c in found["changed"]}
    assert (changed["addresses"]["before"], changed["addresses"]["now"]) == (world.address, world.elsewhere.address)
    said = world.koshin.run("check", "utsuri.jp", "--lang", "en", status=1).stdout
    assert "Changed" in said and f"from {world.address} to {world.elsewhere.address}" in said
    # The engine's own check says the same to whoever looks at the site, and forgets it once all is well.
    assert local.ask("POST", "/api/v1/sites/utsuri.jp/check")[0] == 202
    one.until_finding("dns.a.elsewhere")
    page = local.ask("GET", "/api/v1/sites/utsuri.jp/page")[2]
    (cause,) = [line["text"] for line in page["lines"] if line["row"] == "cause"]
    assert f"{world.address} から {world.elsewhere.address} に変わりました" in cause["ja"]
    one.point_here()
    one.until_state("ok")
    assert world.koshin.json("site", "show", "utsuri.jp")["names"][0]["changed"] == []


def public_bytes(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def test_certificate(world, site, tmp_path):
    said = world.koshin.json("cert", "show", "kome.jp")
    assert said["names"] == ["kome.jp", "www.kome.jp"] and said["live"]
    chain = world.koshin.run("cert", "export", "kome.jp").stdout
    leaf = x509.load_pem_x509_certificate(chain.encode())
    key_file = tmp_path / "key.pem"
    world.koshin.run("cert", "export", "kome.jp", "--key", "--out", key_file)
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    assert public_bytes(key.public_key()) == public_bytes(leaf.public_key())
    again = world.koshin.run("cert", "export", "kome.jp", "--key", "--out", key_file, status=1)
    assert str(key_file) in again.stderr, "a file that is there is not written into"
    assert world.koshin.kinds("kome.jp").count("key-exported") == 2


def test_certificate_as_pkcs12(world, site, tmp_path):
    password, p12 = tmp_path / "password", tmp_path / "kome.p12"
    password.write_text("鍵の-password\n")
    before = world.koshin.kinds("kome.jp").count("key-exported")
    world.koshin.run("cert", "export", "kome.jp", "--p12", "--password-file", password, "--out", p12)
    assert stat.S_IMODE(p12.stat().st_mode) == 0o600
    read = ["openssl", "pkcs12", "-in", p12, "-nodes", "-passin"]
    opened = subprocess.run([*read, f"file:{password}"], capture_output=True, text=True)
    assert opened.returncode == 0, opened.stderr
    chain = world.koshin.json("cert", "show", "kome.jp")["chain"]
    assert opened.stdout.count("BEGIN CERTIFICATE") == chain.count("BEGIN CERTIFICATE") >= 2
    key = serialization.load_pem_private_key(opened.stdout[opened.stdout.index("-----BEGIN PRIVATE KEY") :].encode(), None)
    assert public_bytes(key.public_key()) == public_bytes(x509.load_pem_x509_certificate(chain.encode()).public_key())
    assert subprocess.run([*read, "pass:wrong"], capture_output=True).returncode != 0
    assert world.koshin.kinds("kome.jp").count("key-exported") == before + 1
    # No password: nothing is written. It is never an argument.
    none = world.koshin.run("cert", "export", "kome.jp", "--p12", "--out", tmp_path / "none.p12", status=2)
    assert "--password-file" in none.stderr and not (tmp_path / "none.p12").exists()
    assert world.koshin.run("cert", "export", "kome.jp", "--p12", "--key", status=2).stderr


def test_install_and_uninstall(tmp_path):
    root = pathlib.Path(__file__).resolve().parents[2]
    make = ["make", "-s", "-C", root, f"DESTDIR={tmp_path}", "PREFIX=/usr/local"]
    subprocess.run([*make, "install"], check=True, stdout=subprocess.DEVNULL)
    share = tmp_path / "usr/local/share"
    installed = {str(p.relative_to(tmp_path / "usr/local")) for p in tmp_path.rglob("*") if p.is_file()}
    wanted = {"sbin/koshin", "share/koshin/koshin.yaml", "share/bash-completion/completions/koshin"}
    wanted |= {f"share/koshin/nginx/{p.name}" for p in (root / "etc/nginx").iterdir()}
    wanted |= {f"share/man/man{p.suffix[1:]}/{p.name}" for p in (root / "doc/man").iterdir()}
    panel = root / "build/panel"
    wanted |= {f"share/koshin/panel/{p.relative_to(panel)}" for p in panel.rglob("*") if p.is_file()}
    assert installed == wanted and "share/koshin/panel/index.html" in wanted
    said = subprocess.run([tmp_path / "usr/local/sbin/koshin", "--help"], capture_output=True, text=True)
    assert said.returncode == 0 and "cert export" in said.stdout
    (share / "man/man8/other.8").write_text("somebody else's\n")
    subprocess.run([*make, "uninstall"], check=True)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["other.8"] and not (share / "koshin").exists()



def test_ca(world, site):
    (row,) = world.koshin.json("ca", "list")["cas"]
    assert row["name"] == "pebble" and row["ready"]
    assert "pebble" in world.koshin.run("ca", "list").stdout
    (tested,) = world.koshin.json("ca", "test")
    assert tested["ok"] and tested["directory"]["newOrder"].startswith("https://")
    world.koshin.run("ca", "test", "pebble")
    assert "other" in world.koshin.run("ca", "test", "other", status=1).stderr


def test_history_and_letters(world, site):
    kinds = world.koshin.kinds("kome.jp")
    assert kinds[0] == "added" and "proven" in kinds
    text = world.koshin.run("site", "history", "kome.jp", "--lang", "en").stdout
    assert text.splitlines()[0].startswith("WHEN") and "The site was added" in text
    site.until_letter(1)
    letters = until(
        "the letter is sent",
        lambda: [x for x in world.koshin.json("site", "history", "kome.jp", "--letters")["letters"] if x["state"] == "sent"],
    )
    assert letters[0]["to"] == site.owner and "kome.jp" in letters[0]["subject"]
    shown = world.koshin.run("site", "history", "kome.jp", "--letters", "-v").stdout
    assert letters[0]["subject"] in shown and letters[0]["body"].splitlines()[0] in shown


def test_doctor(world, site):
    assert "All promises hold" in world.koshin.run("doctor", "--lang", "en").stdout
    assert world.koshin.json("doctor")["ok"]
    key = world.koshin.state / "master.key"
    mode = stat.S_IMODE(key.stat().st_mode)
    key.chmod(0o644)
    try:
        said = world.koshin.json("doctor", status=1)
        assert [line for line in said["broken"] if line.startswith("P8: ") and "master.key" in line]
        assert "P8" in world.koshin.run("doctor", status=1).stdout
    finally:
        key.chmod(mode)


# --- the web process itself ---


class Local(http.client.HTTPConnection):
    """The API over its Unix socket."""

    def __init__(self, world):
        super().__init__("koshin")
        self.path = str(world.koshin.state / "run" / "api.sock")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def ask(self, method, path, body=None, **headers):
        self.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        answer = self.getresponse()
        text = answer.read()
        return answer.status, answer.headers, json.loads(text) if text else None


def test_socket_is_the_operators(world):
    mode = (world.koshin.state / "run" / "api.sock").stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600


def test_api(world, site):
    local = Local(world)
    status, headers, document = local.ask("GET", "/api/v1/sites/kome.jp")
    assert status == 200 and headers["content-type"] == "application/json" and headers["cache-control"] == "no-store"
    assert document["name"] == "kome.jp"
    status, headers, problem = local.ask("GET", "/api/v1/sites/nai.jp", accept_language="ja-JP,ja;q=0.9")
    assert status == 404 and headers["content-type"] == "application/problem+json"
    assert problem["error"] == "NOT_FOUND" and "nai.jp" in problem["detail"] and re.search("[ぁ-ん]", problem["title"])
    status, _, problem = local.ask("POST", "/api/v1/sites", b"x" * (300 * 1024))
    assert status == 413 and problem["error"] == "TOO_LONG"
    assert local.ask("POST", "/api/v1/sites", b"{}")[0] == 422
    assert local.ask("PUT", "/api/v1/sites")[0] == 405
    assert local.ask("GET", "/api/v1/sites/%E3%81%82")[0] == 422
    assert local.ask("GET", "/api/v1/sites/a.jp%00b")[0] in (404, 422)
    # News that are there come at once; those who wait hold up nobody.
    _, _, news = local.ask("GET", "/api/v1/sites/kome.jp/events")
    waiting = Local(world)
    waiting.request("GET", f"/api/v1/sites/kome.jp/events?since={news['last']}&mark={news['mark']}")
    assert local.ask("GET", "/api/v1/sites")[0] == 200
    assert local.ask("POST", "/api/v1/sites/kome.jp/check")[0] == 202
    more = json.loads(waiting.getresponse().read())
    assert more["mark"] != news["mark"] or more["events"]


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\0\xff\xfe",
        b"GET",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /api/v1/sites HTTP/1.1\r\nHost: k\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST /api/v1/sites HTTP/1.1\r\nHost: k\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: k\r\n\r\n",
        b"GET /api/v1/sites?limit=%00&after=%ff HTTP/1.1\r\nHost: k\r\n\r\n",
    ],
)
def test_rubbish(world, rubbish):
    web = world.koshin.children()["web"]
    for where in ("tcp", "unix"):
        if where == "tcp":
            one = socket.create_connection((world.address, world.koshin.web_port))
        else:
            one = socket.socket(socket.AF_UNIX)
            one.connect(Local(world).path)
        with one:
            one.settimeout(1)
            try:
                one.sendall(rubbish)
                one.shutdown(socket.SHUT_WR)
                while one.recv(65536):
                    pass
            except OSError:
                pass  # it hung up at once, or waits for the rest until its own time limit
    assert Local(world).ask("GET", "/api/v1/sites")[0] == 200
    assert world.koshin.children()["web"] == web, "the process is the same"


def test_public(world, site):
    port = world.koshin.web_port
    thumbprint = world.koshin.json("ca", "list")["cas"][0]["thumbprint"]

    def get(path):
        return http_get("koshin", world.address, port, path)

    status, _, body = get("/.well-known/acme-challenge/abcDEF-_123")
    assert (status, body.decode()) == (200, f"abcDEF-_123.{thumbprint}")
    for path in ("", "a.b", "a%0d%0ab", "a/b", "x" * 200, "%3Cscript%3E"):
        assert get(f"/.well-known/acme-challenge/{path}")[0] == 404, path
    for path in ("/", "/api/v1/sites", "/api/v1/sites/kome.jp/key"):
        assert get(path)[0] == 404, path
    status, _, body = get("/healthz")
    assert status == 200 and json.loads(body)["ok"], body
    status, _, body = get("/metrics")
    assert status == 200
    samples = dict(line.rsplit(" ", 1) for line in body.decode().splitlines() if not line.startswith("#"))
    held = len(world.koshin.json("site", "list")["sites"])  # whatever this world has by now; each of them was issued for
    assert held >= 1 and samples["koshin_sites"] == samples["koshin_certificates_held"] == str(held)
    assert 0 <= int(samples['koshin_heartbeat_age_seconds{process="engine"}']) < 120
    assert samples['koshin_certificates_ending{within_days="0"}'] == "0"


def test_what_the_operators_page_says(world, site):
    """Overview, alarms, letters and status: the same as the panel's, as a table and as JSON."""
    said = world.koshin.run("overview", "--lang", "en").stdout
    document = world.koshin.json("overview")
    assert f"{document['sites']['all']}" in next(line for line in said.splitlines() if line.startswith("Sites"))
    assert all(one["day"] in said for one in document["endings"] if one["n"] > 0)
    assert all(one["cause"] in said and one["title"]["en"] in said for one in document["causes"])
    assert "サイト" in world.koshin.run("overview", "--lang", "ja").stdout

    alarms = world.koshin.json("alarms", status=None)["open"]
    told = world.koshin.run("alarms", "--lang", "en", status=1 if alarms else 0).stdout
    assert all(one["title"]["en"] in told and one["todo"]["en"].split()[0] in told for one in alarms)
    assert alarms or told.startswith("There is no alarm.")

    letters = world.koshin.json("letters", "--limit", "3")["letters"]
    told = world.koshin.run("letters", "--limit", "3", "--lang", "en").stdout
    assert all(one["to"] in told for one in letters) and (letters or told == "No letter failed to arrive.\n")
    assert "abc" in world.koshin.run("letters", "--before", "abc", "--lang", "en", status=2).stderr

    status = world.koshin.json("status")
    told = world.koshin.run("status", "--lang", "en").stdout
    assert ("All is well." in told) == (status["state"] == "well") and all(one["title"]["en"] in told for one in status["incidents"])
