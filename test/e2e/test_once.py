"""Requests with an Idempotency-Key: what was asked twice because no answer came is done once. And questions that their owner reads."""

import json
import sqlite3
import subprocess

import pytest

from browser import Browser, site_path
from test_access import in_store
from test_api import DESCRIPTION, OPERATIONS, Api
from world import world_with_panel

A, B = "asa.jp", "yoru.jp"
SATO, SUZUKI, UN, SHIEN = "sato@example.jp", "suzuki@example.jp", "un@host.example", "shien@host.example"
PASSWORD = "hana no iro wa"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = world_with_panel(tmp_path_factory)
    try:
        for name, owner in ((A, SATO), (B, SUZUKI)):
            site = made.site(name)
            made.koshin.run("site", "add", name, "--owner", owner, "--root", site.root)
            made.koshin.run("user", "add", owner, "--role", "owner", "--owner", owner)
        made.koshin.run("user", "add", UN, "--role", "operator")
        made.koshin.run("user", "add", SHIEN, "--role", "support")
        for mail in (SATO, SUZUKI, UN, SHIEN):
            made.koshin.run("user", "password", mail, stdin=PASSWORD + "\n")
        yield made
    finally:
        made.stop()


def signed_in(world, mail):
    browser = Browser(world.port)
    assert browser.sign_in(mail, PASSWORD).status == 201
    return browser


def judged(operation, answer, status):
    assert answer.status == status, (operation, answer.status, answer.body)
    Api.judge(operation, status, answer.headers["Content-Type"], answer.json)
    return answer.json


def count(world, table):
    return in_store(world, f"SELECT count(*) FROM {table}")[0][0]


def takes_key(o):
    return any(p.get("$ref", "").endswith("/idempotency_key") for p in o.get("parameters", ()))


def test_what_makes_something_takes_a_key():
    """Every POST that answers 201, but where it is done once by its nature: a session, a secret that replaces the one before, a challenge that is answered once."""
    by_nature = {"session_begin", "codes_begin", "passkey_add"}
    made = {name for name, o in OPERATIONS.items() if o["method"] == "POST" and "201" in o["responses"]}
    assert made - by_nature <= {name for name, o in OPERATIONS.items() if takes_key(o)}
    for name, o in OPERATIONS.items():
        assert not takes_key(o) or {"409", "422"} <= o["responses"].keys(), name


def test_once(world):
    browser = signed_in(world, SATO)
    path, body = site_path(A, "/questions"), {"text": "Is it well?", "subject": "a question"}
    first = browser.ask("POST", path, body, Idempotency_Key="k1")
    question = judged("question_ask", first, 201)
    assert first.headers["Idempotency-Replayed"] is None
    again = browser.ask("POST", path, body, Idempotency_Key="k1")
    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (201, first.body, "true")
    assert count(world, "question") == 1
    # Another request by the same key is a mistake; another key is another wish; somebody else's key is his own.
    other = browser.ask("POST", path, {**body, "text": "Really?"}, Idempotency_Key="k1")
    assert "Idempotency-Key" in judged("question_ask", other, 422)["detail"]
    assert judged("question_ask", browser.ask("POST", path, body, Idempotency_Key="k2"), 201)["id"] != question["id"]
    assert signed_in(world, SUZUKI).ask("POST", site_path(B, "/questions"), body, Idempotency_Key="k1").status == 201
    assert signed_in(world, SUZUKI).ask("POST", path, body, Idempotency_Key="k2").status == 404, "not even with the owner's key"
    assert count(world, "question") == 3
    # What was refused is not kept: put right, it is carried out.
    assert browser.ask("POST", path, {"text": " "}, Idempotency_Key="k3").status == 422
    assert browser.ask("POST", path, body, Idempotency_Key="k3").status == 201
    for key in ("x" * 129, "a b", "é"):
        judged("question_ask", browser.ask("POST", path, body, Idempotency_Key=key), 422)
    assert browser.ask("POST", path, body, Idempotency_Key="x" * 128).status == 201
    # It needs what the first one needed.
    assert browser.ask("POST", path, body, Idempotency_Key="k1", X_CSRF_Token="x").status == 403
    assert Browser(world.port).ask("POST", path, body, Idempotency_Key="k1").status == 401


def test_secrets_are_not_kept(world):
    browser = signed_in(world, SATO)
    body = {"name": "once", "scopes": ["me.read"]}
    token = judged("token_make", browser.ask("POST", "/tokens", body, Idempotency_Key="t1"), 201)["token"]
    judged("token_make", browser.ask("POST", "/tokens", body, Idempotency_Key="t1"), 409)
    assert len(browser.ask("GET", "/tokens").json["tokens"]) == 1
    found = subprocess.run(["grep", "-rlaF", "--", token.removeprefix("koshin_"), world.koshin.state], capture_output=True, text=True)
    assert found.returncode == 1, found.stdout
    operator = signed_in(world, UN)
    judged("person_link", operator.ask("POST", f"/people/{SATO}/login-link", Idempotency_Key="l1"), 201)
    judged("person_link", operator.ask("POST", f"/people/{SATO}/login-link", Idempotency_Key="l1"), 409)
    judged("person_token_make", operator.ask("POST", f"/people/{SATO}/tokens", body, Idempotency_Key="p1"), 201)
    judged("person_token_make", operator.ask("POST", f"/people/{SATO}/tokens", body, Idempotency_Key="p1"), 409)
    added = operator.ask("POST", "/people", {"mail": "x@host.example", "role": "support"}, Idempotency_Key="a1")
    assert operator.ask("POST", "/people", {"mail": "x@host.example", "role": "support"}, Idempotency_Key="a1").body == added.body
    judged("person_add", operator.ask("POST", "/people", {"mail": "x@host.example", "role": "support"}), 409)
    invited = operator.ask("POST", "/invitations", {"mail": "y@host.example", "role": "support"}, Idempotency_Key="i1")
    assert invited.status == 201 and operator.ask("POST", "/invitations", {"mail": "y@host.example", "role": "support"}, Idempotency_Key="i1").body == invited.body
    assert count(world, "letter WHERE kind = 'invitation'") == 1, "one letter"


def test_a_day(world):
    """After a day the key is free; until then it holds through a restart."""
    browser = signed_in(world, SATO)
    body = {"text": "after a day"}
    first = browser.ask("POST", site_path(A, "/questions"), body, Idempotency_Key="d1")
    assert world.koshin.stop() == 0
    with sqlite3.connect(world.koshin.state / "koshin.db") as store:
        store.execute("UPDATE request SET created = created - 86300 WHERE key = 'd1'")
    store.close()
    world.koshin.start()
    assert browser.ask("POST", site_path(A, "/questions"), body, Idempotency_Key="d1").body == first.body
    with sqlite3.connect(world.koshin.state / "koshin.db", timeout=30) as store:
        store.execute("UPDATE request SET created = created - 200 WHERE key = 'd1'")
    store.close()
    assert browser.ask("POST", site_path(A, "/questions"), body, Idempotency_Key="d1").json["id"] != first.json["id"]


def test_owner_reads_the_answer(world):
    owner, stranger, support = signed_in(world, SATO), signed_in(world, SUZUKI), signed_in(world, SHIEN)
    id = owner.ask("POST", site_path(A, "/questions"), {"text": "When does it end?"}).json["id"]
    assert support.ask("POST", f"/questions/{id}/answer", {"text": "It does not.", "by": "Suzuki"}).status == 200
    read = judged("question_show", owner.ask("GET", f"/questions/{id}"), 200)
    assert [m["text"] for m in read["messages"]] == ["When does it end?", "It does not."] and read["drafted"] == ""
    theirs, none = stranger.ask("GET", f"/questions/{id}"), stranger.ask("GET", "/questions/99999")
    assert theirs.status == none.status == 404 and theirs.body.replace(str(id).encode(), b"N") == none.body.replace(b"99999", b"N")
    assert owner.ask("POST", f"/questions/{id}/answer", {"text": "No."}).status == 403
    assert owner.ask("GET", "/questions").status == 403
    # A mail about no site is nobody's.
    with sqlite3.connect(world.koshin.state / "koshin.db", timeout=30) as store:
        store.execute("UPDATE question SET owner_id = NULL, site_id = NULL WHERE id = ?", (id,))
    store.close()
    assert owner.ask("GET", f"/questions/{id}").status == 404 and support.ask("GET", f"/questions/{id}").status == 200


def test_an_owner_may_press_each_button(world):
    """What the page of a site names as its one action, its owner may call."""
    owner = signed_in(world, SATO)
    enums = [v["properties"]["action"].get("enum", []) for v in DESCRIPTION["components"]["schemas"].values() if "action" in v.get("properties", {})]
    (words,) = [enum for enum in enums if "site_renew" in enum]
    assert all("owner" in OPERATIONS[word]["x-who"] for word in words), words
    assert owner.ask("PUT", site_path(A, "/draft"), {"source": "none"}).status == 200


def test_people_by_command(world):
    run = world.koshin.run
    assert "en" in run("user", "set", SUZUKI, "--user-lang", "en", "--json").stdout
    for wrong in ((), ("--role", "king"), ("--role", "support", "--owner", SATO), ("--mail", "nothing")):
        assert run("user", "set", SUZUKI, *wrong, status=None).returncode != 0, wrong
    run("user", "set", SUZUKI, "--mail", "suzuki2@example.jp", "--name", "Suzuki")
    assert "suzuki2@example.jp" in run("user", "list").stdout
    run("user", "set", "suzuki2@example.jp", "--mail", SUZUKI)
    made = run("user", "token", SUZUKI, "--add", "backup", "--scopes", "sites.read,me.read", "--days", "3").stdout
    token = made.split()[-1]
    program = Browser(world.port)
    assert [s["name"] for s in program.ask("GET", "/sites", Authorization=f"Bearer {token}").json["sites"]] == [B]
    listed = run("user", "token", SUZUKI).stdout
    assert "backup" in listed and "sites.read me.read" in listed and token not in listed
    for wrong in (("--add", "x"), ("--add", "x", "--scopes", "all"), ("--add", "x", "--scopes", "me.read", "--days", "0"), ("--revoke", "x"), ("--revoke", "99"), ("--scopes", "me.read")):
        assert run("user", "token", SUZUKI, *wrong, status=None).returncode != 0, wrong
    number = run("user", "token", SUZUKI, "--json").stdout
    id = json.loads(number)["tokens"][0]["id"]
    run("user", "token", SUZUKI, "--revoke", str(id))
    assert program.ask("GET", "/sites", Authorization=f"Bearer {token}").status == 401
    run("user", "invite", "z@host.example", "--role", "support", "--user-lang", "en")
    letter = world.mail.wait_for("an invitation", lambda x: x.to == "z@host.example")
    assert "koshin" in letter.subject
    assert run("user", "invite", "z@host.example", status=None).returncode == 2
