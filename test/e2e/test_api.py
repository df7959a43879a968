"""Server and description agree: every operation of doc/openapi.yaml with every status that it describes, and every body by its schema."""

import concurrent.futures
import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import xml.dom.minidom

import jsonschema
import pytest
import yaml

from daemon import ROOT
from servers import until
from world import World

DESCRIPTION = yaml.safe_load((ROOT / "doc" / "openapi.yaml").read_text())
METHODS = ("get", "post", "put", "patch", "delete")
OPERATIONS = {
    operation["operationId"]: {"method": method.upper(), "path": path, **operation}
    for path, item in DESCRIPTION["paths"].items()
    for method, operation in item.items()
    if method in METHODS and not operation.get("x-agreed")
}
SITE, OTHER, GONE, RESTS = "kome.jp", "mugi.jp", "hie.jp", "awa.jp"  # RESTS has no free SSL: the engine leaves it alone
TOO_LONG = {"profile": "x" * 300_000}
NEW_CA = {"name": "second", "directory": "https://ca2.example/dir", "contact": "ca@host.example"}
BOUND = {**NEW_CA, "name": "bound", "eab_kid": "k", "eab_hmac": "0123456789abcdef"}

# (operation, status): (name in the path, query, body), asked in this order.
ASKED = {
    ("sites_list", 200): (None, "limit=1&search=kome&show=fine", None),
    ("sites_list", 422): (None, "limit=many", None),
    ("sites_add", 201): (None, "", {"names": [OTHER], "owner": "b@example.jp", "root": "/srv"}),
    ("sites_add", 409): (None, "", {"names": [OTHER], "owner": "b@example.jp", "root": "/srv"}),
    ("sites_add", 413): (None, "", TOO_LONG),
    ("sites_add", 422): (None, "", {"names": []}),
    ("site_show", 200): (SITE, "", None),
    ("site_show", 404): ("nobody.jp", "", None),
    ("site_show", 422): ("a b", "", None),
    ("site_page", 200): (SITE, "", None),
    ("site_page", 404): ("nobody.jp", "", None),
    ("site_page", 422): ("a b", "", None),
    ("site_change", 200): (OTHER, "", {"redirect": True}),
    ("site_change", 404): ("nobody.jp", "", {"redirect": True}),
    ("site_change", 409): (OTHER, "", {"names": [SITE]}),
    ("site_change", 412): (OTHER, "", {"redirect": True}),
    ("site_change", 413): (OTHER, "", TOO_LONG),
    ("site_change", 422): (OTHER, "", {"redirect": 1}),
    ("site_check_again", 202): (SITE, "", None),
    ("site_check_again", 404): ("nobody.jp", "", None),
    ("site_check_again", 422): (SITE, "now=1", None),
    ("check_name", 200): (None, "", {"name": SITE}),
    ("check_name", 413): (None, "", {"name": SITE, "visitor": "x" * 300_000}),
    ("check_name", 422): (None, "", {"name": "a b"}),
    ("site_renew", 202): (OTHER, "", None),
    ("site_renew", 404): ("nobody.jp", "", None),
    ("site_renew", 422): (SITE, "", {"now": True}),
    ("removal_show", 200): (OTHER, "", None),
    ("removal_show", 404): ("nobody.jp", "", None),
    ("removal_show", 422): ("a b", "", None),
    ("removal_undo", 409): (OTHER, "", None),
    ("removal_undo", 404): ("nobody.jp", "", None),
    ("removal_undo", 422): ("a b", "", None),
    ("removal_begin", 202): (OTHER, "", None),
    ("removal_begin", 409): (OTHER, "", None),
    ("removal_begin", 404): ("nobody.jp", "", None),
    ("removal_begin", 412): (SITE, "", None),
    ("removal_begin", 422): (OTHER, "form=ssl", None),
    ("removal_undo", 202): (OTHER, "", None),
    ("revocation_show", 200): (SITE, "", None),
    ("revocation_show", 404): ("nobody.jp", "", None),
    ("revocation_show", 422): ("a b", "", None),
    ("revocation_begin", 404): ("nobody.jp", "", {"reason": "cessation", "understood": True}),
    ("revocation_begin", 409): (OTHER, "", {"reason": "cessation", "understood": True}),
    ("revocation_begin", 412): (SITE, "", {"reason": "cessation", "understood": True}),
    ("revocation_begin", 413): (SITE, "", TOO_LONG),
    ("revocation_begin", 422): (SITE, "", {"reason": "cessation", "understood": False}),
    ("site_start_over", 202): (SITE, "", {"new_certificate": False}),
    ("site_start_over", 404): ("nobody.jp", "", {}),
    ("site_start_over", 413): (SITE, "", TOO_LONG),
    ("site_start_over", 422): (SITE, "", {"new_certificate": 1}),
    ("site_resume", 202): (RESTS, "", None),
    ("site_resume", 404): ("nobody.jp", "", None),
    ("site_resume", 409): (OTHER, "", None),
    ("site_resume", 422): ("a b", "", None),
    ("site_history_list", 200): (SITE, "limit=2", None),
    ("site_history_list", 404): ("nobody.jp", "", None),
    ("site_history_list", 422): (SITE, "before=-1", None),
    ("site_letters_list", 200): (SITE, "", None),
    ("site_letters_list", 404): ("nobody.jp", "", None),
    ("site_letters_list", 422): ("a b", "", None),
    ("draft_put", 200): (SITE, "", {"redirect": True}),
    ("draft_put", 404): ("nobody.jp", "", {}),
    ("draft_put", 412): (SITE, "", {}),
    ("draft_put", 413): (SITE, "", TOO_LONG),
    ("draft_put", 422): (SITE, "", {"owner": "a@b.jp"}),
    ("draft_apply", 412): (SITE, "", None),
    ("draft_apply", 200): (SITE, "", None),
    ("draft_apply", 404): (SITE, "", None),
    ("draft_apply", 422): (SITE, "", {"a": 1}),
    ("draft_discard", 404): (SITE, "", None),
    ("draft_discard", 200): (OTHER, "", None),
    ("draft_discard", 422): ("a b", "", None),
    ("draft_discard", 412): (OTHER, "", None),
    ("site_certificate", 200): (SITE, "", None),
    ("site_certificate", 404): (OTHER, "", None),
    ("site_certificate", 422): ("a b", "", None),
    ("site_key", 200): (SITE, "", None),
    ("site_key", 404): (OTHER, "", None),
    ("site_key", 422): ("a b", "", None),
    ("site_events", 200): (SITE, "", None),
    ("events_all", 200): (None, "since=0", None),
    ("events_all", 422): (None, "since=x", None),
    ("site_events", 404): ("nobody.jp", "", None),
    ("site_events", 422): (SITE, "since=x", None),
    ("question_ask", 201): (SITE, "", {"text": "Is it well?\nReally?"}),
    ("question_ask", 404): ("nobody.jp", "", {"text": "x"}),
    ("question_ask", 409): (SITE, "", {"text": "Once?"}),
    ("question_ask", 413): (SITE, "", {"text": "x" * 300_000}),
    ("question_ask", 422): (SITE, "", {"text": "a bell: \a"}),
    ("questions_list", 200): (SITE, "", None),
    ("questions_list", 404): ("nobody.jp", "", None),
    ("questions_list", 422): (SITE, "after=x", None),
    ("mail_take", 200): (None, "", {"kind": "answer", "from": "a@b.jp", "text": "Hello", "message_id": "1@b.jp"}),
    ("mail_take", 413): (None, "", {"kind": "answer", "text": "x" * 300_000}),
    ("mail_take", 422): (None, "", {"kind": "answer", "from": "nobody"}),
    ("questions_inbox", 200): (None, "state=all&limit=1", None),
    ("questions_inbox", 422): (None, "state=new", None),
    ("question_show", 200): ("1", "", None),
    ("question_show", 404): ("99", "", None),
    ("question_show", 422): ("0", "", None),
    ("question_answer", 200): ("1", "", {"text": "It is.", "by": "Suzuki"}),
    ("question_answer", 409): ("1", "", {"text": "Once."}),
    ("question_answer", 404): ("99", "", {"text": "It is."}),
    ("question_answer", 412): ("1", "", {"text": "And I say.", "seen": 1}),
    ("question_answer", 413): ("1", "", {"text": "x" * 300_000}),
    ("question_answer", 422): ("1", "", {"text": " "}),
    ("question_close", 200): ("2", "", None),
    ("question_close", 404): ("99", "", None),
    ("question_close", 422): ("one", "", None),
    ("cas_list", 200): (None, "", None),
    ("ca_add", 201): (None, "", NEW_CA),
    ("ca_add", 409): (None, "", NEW_CA),
    ("ca_add", 413): (None, "", TOO_LONG),
    ("ca_add", 422): (None, "", {"name": "x"}),
    ("ca_rollover", 404): ("nothing", "", None),
    ("ca_rollover", 422): ("x" * 65, "", None),
    ("ca_rollover", 202): ("pebble", "", None),
    ("ca_unblock", 404): ("nothing", "", None),
    ("ca_unblock", 422): ("x" * 65, "", None),
    ("ca_unblock", 409): ("pebble", "", None),
    ("ca_unblock", 202): ("pebble", "", None),
    ("limits_list", 200): (None, "", None),
    ("unclassified_list", 200): (None, "", None),
    ("unclassified_list", 422): (None, "limit=501", None),
    ("doctor_report", 200): (None, "", None),
    ("overview_show", 200): (None, "", None),
    ("alarms_list", 200): (None, "", None),
    ("letters_trouble", 200): (None, "limit=1", None),
    ("letters_trouble", 422): (None, "before=x", None),
    ("status_show", 200): (None, "", None),
    ("status_feed", 200): (None, "lang=en", None),
    ("status_feed", 422): (None, "lang=fr", None),
    ("revocation_begin", 202): (GONE, "", {"reason": "cessation", "understood": True}),
    ("site_remove", 404): ("nobody.jp", "", None),
    ("site_remove", 422): ("a b", "", None),
    ("site_remove", 202): (GONE, "", None),
}
# While the keeper stands still, and while the engine does.
KEEPER = {("site_key", 503): (SITE, "", None), ("ca_add", 503): (None, "", BOUND)}
ENGINE = {("ca_rollover", 409): ("second", "", None)}


# --- what has to be so before one of them is asked ---


def in_store(world, *statements):
    with sqlite3.connect(world.koshin.state / "koshin.db", timeout=10) as store:
        for statement in statements:
            store.execute(statement)


def name_is_paused(world, _):
    """Only a large CA pauses names; what koshin would have stored of it."""
    in_store(
        world,
        "INSERT INTO finding (site_id, subject, cause, position, seen, wanted, copy, company, evidence, acts, first_seen, last_seen, "
        "next_look, times_seen, is_from_order) SELECT site_id, name, 'ca.name.paused', 99, '', '', '', '', '', 'host', "
        f"unixepoch(), unixepoch(), unixepoch() + 86400, 1, 1 FROM name WHERE name = '{RESTS}'",
    )


def account_is_blocked(world, _):
    """No CA of the tests blocks accounts; what koshin would have stored of it."""
    in_store(world, "UPDATE ca SET failures = 1, ill_since = unixepoch(), not_before = unixepoch() + 3600, blocked_at = unixepoch()")


def was_carried_out(operation):
    """With the same key, and no answer was kept: koshin ended right after."""

    def prepare(world, api):
        name, query, body = ASKED[operation, 409]
        assert api.ask(operation, name, query, body, key=operation)[0] in (200, 201)
        in_store(world, f"UPDATE request SET status = NULL, answer = NULL WHERE key = '{operation}'")

    return prepare


PREPARED = {
    ("revocation_begin", 202): lambda _, api: until("a certificate", lambda: api.ask("site_show", GONE)[1]["certificate"]),
    **{(operation, 409): was_carried_out(operation) for operation in ("question_ask", "question_answer")},
    ("site_resume", 202): name_is_paused,
    ("ca_unblock", 202): account_is_blocked,
    ("draft_discard", 412): lambda _, api: api.ask("draft_put", OTHER, "", {"hsts": False}),
    ("draft_discard", 200): lambda _, api: api.ask("draft_put", OTHER, "", {"hsts": False}),
}


class Api:
    """Asks over the Unix socket and holds every answer against the description."""

    def __init__(self, path):
        self.path = str(path)

    def ask(self, operation, name=None, query="", body=None, version=None, key=None):
        o = OPERATIONS[operation]
        path = re.sub(r"\{\w+\}", (name or "").replace(" ", "%20"), o["path"])
        connection = http.client.HTTPConnection("koshin", timeout=60)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(60)
        connection.sock.connect(self.path)
        text = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        if version:
            headers["If-Match"] = version
        if operation == "events_all":
            headers["Accept"] = "text/event-stream"
        connection.request(o["method"], f"/api/v1{path}{'?' if query else ''}{query}", text, headers)
        answer = connection.getresponse()
        if answer.getheader("Content-Type") == "text/event-stream":  # test_events.py reads them
            connection.close()
            assert "text/event-stream" in o["responses"]["200"]["content"], operation
            return answer.status, None
        got = answer.read()
        connection.close()
        if answer.getheader("Content-Type") == "application/atom+xml":
            assert "application/atom+xml" in o["responses"]["200"]["content"], operation
            xml.dom.minidom.parseString(got)
            return answer.status, None
        self.judge(operation, answer.status, answer.getheader("Content-Type"), json.loads(got))
        return answer.status, json.loads(got)

    @staticmethod
    def judge(operation, status, media, document):
        """The status is described, with this type, and the body has the schema of it."""
        described = OPERATIONS[operation]["responses"]
        assert str(status) in described, (operation, status, document)
        answer = described[str(status)]
        if "$ref" in answer:
            answer = DESCRIPTION["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
        assert media in answer["content"], (operation, status, media)
        schema = {**answer["content"][media]["schema"], "components": DESCRIPTION["components"]}
        checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
        assert [f"{e.json_path}: {e.message}" for e in checker.iter_errors(document)] == [], (operation, status)
        if status >= 400:
            assert media == "application/problem+json" and document["status"] == status


def described():
    return {(name, int(status)) for name, o in OPERATIONS.items() for status in o["responses"]}


@pytest.fixture(scope="module")
def world():
    made = World(life=3600)
    site = made.site(SITE)
    made.koshin.run("site", "add", SITE, "--owner", site.owner, "--root", site.root, "--wait")
    gone = made.site(GONE)
    made.koshin.add(GONE, owner=gone.owner, root=gone.root)
    made.koshin.add(RESTS, owner=gone.owner, root=gone.root)
    made.koshin.run("site", "set", RESTS, "--source", "none")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def api(world):
    return Api(world.koshin.state / "run" / "api.sock")


def test_nothing_is_left_out():
    """A status that nobody here brings about is described for nothing. People have a test of their own: test_access.py."""
    people = {name for name, o in OPERATIONS.items() if o["tags"] == ["people"]} | {"site_export", "letters_lost", "letter_read"}
    own = {(name, status) for name, status in described() if name.startswith(("own_", "csr"))}  # test_own.py, like these:
    own |= {("site_renew", 409), ("site_start_over", 409)}
    people_wait = {("site_check_again", 429), ("check_name", 429)}  # at koshin's own socket nobody does: test_access.py, test_checks.py
    people_wait |= {("check_name", 503)}  # too many at one time: test_checks.py
    assert {(name, status) for name, status in described() if name not in people} - own - people_wait == ASKED.keys() | KEEPER.keys() | ENGINE.keys()


def test_every_status(world, api):
    made = []
    for (operation, status), (name, query, body) in ASKED.items():
        prepare = PREPARED.get((operation, status))
        if prepare:
            prepare(world, api)
        key = operation if prepare and status == 409 and operation.startswith("question") else None
        got, document = api.ask(operation, name, query, body, '"of-another-time"' if status == 412 else None, key)
        made.append((operation, got))
        assert got == status, (operation, status, got, document)
        if got == 422 and document.get("detail") is None:
            raise AssertionError((operation, document))
    print(f"{len(made)} answers as described")


def test_keeper_stands_still(world, api):
    keeper = until("the keeper runs", lambda: world.koshin.children().get("keeper"))
    os.kill(keeper, signal.SIGSTOP)
    try:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            asked = {key: pool.submit(api.ask, key[0], *what) for key, what in KEEPER.items()}
            for (operation, status), answer in asked.items():
                assert answer.result()[0] == status, operation
    finally:
        os.kill(keeper, signal.SIGCONT)


def test_engine_stands_still(world, api):
    """A CA whose directory was read, and has no key change. The engine, which cannot reach it, would say otherwise before long."""
    engine = until("the engine runs", lambda: world.koshin.children().get("engine"))
    store = sqlite3.connect(world.koshin.state / "koshin.db", timeout=10, isolation_level=None)
    store.execute("BEGIN IMMEDIATE")  # so that it is not stopped in the middle of a transaction
    os.kill(engine, signal.SIGSTOP)
    try:
        store.execute("UPDATE ca SET directory_at = 1, key_change = '' WHERE name = 'second'")
        store.execute("COMMIT")
        for (operation, status), what in ENGINE.items():
            assert api.ask(operation, *what)[0] == status, operation
    finally:
        os.kill(engine, signal.SIGCONT)
        store.close()


def test_sites_after_what_happened(world, api):
    """The shapes that only a life brings about: a certificate, a draft, findings, letters."""
    status, site = api.ask("site_show", SITE)
    assert status == 200 and site["certificate"]["live"] and site["renewal"]["why"] == "life"
    until("the other site has a finding", lambda: api.ask("site_show", OTHER)[1]["cause"])
    api.ask("draft_put", SITE, "", {"hsts": False})
    assert api.ask("site_show", SITE)[1]["draft"]["begun_by"] == "command"
    assert api.ask("site_letters_list", SITE)[1]["letters"]
