"""Passwords that were forgotten, people who are invited, and what is changed of a person: with letters by real mail."""

import re
import sqlite3
import subprocess

import pytest

from browser import Browser
from servers import until
from test_access import in_store
from test_api import Api
from world import world_with_panel

A, B = "asa.jp", "yoru.jp"
SATO, SUZUKI, UN = "sato@example.jp", "suzuki@example.jp", "un@host.example"
PASSWORDS = {SATO: "hana no iro wa", SUZUKI: "utsurinikeri na", UN: "mi yo ni furu"}
LINK = r"https://ssl\.host\.example/login#link=([\w-]{43})&to=password"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = world_with_panel(tmp_path_factory)
    try:
        for name, owner in ((A, SATO), (B, SUZUKI)):
            site = made.site(name)
            made.koshin.run("site", "add", name, "--owner", owner, "--root", site.root)
            made.koshin.run("user", "add", owner, "--role", "owner", "--owner", owner)
        made.koshin.run("user", "add", UN, "--role", "operator", "--user-lang", "en")
        for mail, password in PASSWORDS.items():
            made.koshin.run("user", "password", mail, stdin=password + "\n")
        yield made
    finally:
        made.stop()


def signed_in(world, mail, address="192.0.2.1"):
    browser = Browser(world.port, address)
    assert browser.sign_in(mail, PASSWORDS[mail]).status == 201
    return browser


def judged(operation, answer, status):
    assert answer.status == status, (operation, answer.status, answer.body)
    Api.judge(operation, status, answer.headers["Content-Type"], answer.json)
    return answer.json


def link_to(world, mail, count=1):
    letters = until(f"{count} letters to {mail}", lambda: len(found := world.mail.letters(to=mail, about="login#link=")) >= count and found)
    return letters[-1], re.search(LINK, letters[-1].text)


def forget_tries(world):
    """A day passes, as far as tries are counted."""
    with sqlite3.connect(world.koshin.state / "koshin.db", timeout=30) as store:
        store.execute("DELETE FROM attempt")
    store.close()


def test_forgotten(world):
    elsewhere, nobody = signed_in(world, SATO), Browser(world.port, "192.0.2.40")
    known = nobody.ask("POST", "/password/forgotten", {"mail": SATO})
    unknown = nobody.ask("POST", "/password/forgotten", {"mail": "nobody@example.jp"})
    assert judged("password_forgotten", known, 202) == judged("password_forgotten", unknown, 202) == {"is_taken": True}
    letter, link = link_to(world, SATO)
    assert "パスワード" in letter.subject and letter.headers["content-type"].startswith("multipart/alternative")
    # Seen by whoever reads the store: neither before the letter is sent, nor after, is the link there.
    found = subprocess.run(["grep", "-rlaF", "--", link[1], world.koshin.state, *world.folder.glob("koshin/*.log")], capture_output=True, text=True)
    assert found.returncode == 1, found.stdout
    browser = Browser(world.port, "192.0.2.41")
    answer = judged("session_begin", browser.sign_in(None, link=link[1]), 201)
    assert answer["may_set_password"]
    assert Browser(world.port).sign_in(None, link=link[1]).status == 403, "once"
    PASSWORDS[SATO] = "nagame seshi ma ni"
    assert browser.ask("PUT", "/password", {"password": PASSWORDS[SATO]}).status == 200
    assert elsewhere.ask("GET", "/session").status == 401, "whoever was signed in elsewhere is out"
    for body, status in (({}, 422), ({"mail": "x"}, 422), ({"mail": "no address"}, 422), ({"mail": "a@b.jp\r\nBcc: c@d.jp"}, 422), ({"mail": "x" * 300_000}, 413)):
        judged("password_forgotten", nobody.ask("POST", "/password/forgotten", body), status)
    assert not world.mail.letters(to="nobody@example.jp")
    assert nobody.ask("POST", "/password/forgotten", {"mail": SATO}, Origin="https://evil.example").status == 403


def test_letters_are_few(world):
    """Nobody's box is filled: after some letters the answer is the same, and none is sent; who asks too often waits."""
    forget_tries(world)
    for n in range(6):
        judged("password_forgotten", Browser(world.port, f"192.0.2.{100 + n}").ask("POST", "/password/forgotten", {"mail": SUZUKI.upper() if n == 1 else SUZUKI}), 202)
    judged("password_forgotten", Browser(world.port, "192.0.2.150").ask("POST", "/password/forgotten", {"mail": UN}), 202)
    link_to(world, UN)  # whose letter was asked for last
    assert len(world.mail.letters(to=SUZUKI, about="login#link=")) == 3, "however the address is typed"
    attacker = Browser(world.port, "198.51.100.7")
    seen = [attacker.ask("POST", "/password/forgotten", {"mail": f"n{n}@example.jp"}) for n in range(24)]
    assert [a.status for a in seen[:20]] == [202] * 20 and seen[-1].status == 429 and int(seen[-1].headers["Retry-After"]) > 0
    judged("password_forgotten", seen[-1], 429)
    forget_tries(world)


def test_invitation(world):
    owner, stranger = signed_in(world, SATO), signed_in(world, SUZUKI)
    made = judged("invitation_send", owner.ask("POST", "/invitations", {"mail": "kyaku@example.com", "name": "Kyaku", "lang": "en"}), 201)
    assert (made["owner"], made["role"], made["by"]) == (SATO, "owner", SATO)
    assert [i["mail"] for i in judged("invitations_list", owner.ask("GET", "/invitations"), 200)["invitations"]] == ["kyaku@example.com"]
    # Another owner neither sees nor ends it, nor the people of this one.
    assert stranger.ask("GET", "/invitations").json["invitations"] == []
    judged("invitation_withdraw", stranger.ask("DELETE", f"/invitations/{made['id']}"), 404)
    assert [p["mail"] for p in judged("people_list", stranger.ask("GET", "/people"), 200)["people"]] == [SUZUKI]
    theirs, none = stranger.ask("DELETE", f"/people/{SATO}"), stranger.ask("DELETE", "/people/nobody@example.jp")
    assert judged("person_remove", theirs, 404) == judged("person_remove", none, 404)
    letter, link = link_to(world, "kyaku@example.com")
    assert letter.subject.startswith(SATO) and "look after" in letter.text
    guest = Browser(world.port, "192.0.2.60")
    judged("session_begin", guest.sign_in(None, link=link[1]), 201)
    assert [s["name"] for s in guest.ask("GET", "/sites").json["sites"]] == [A]
    assert guest.ask("PUT", "/password", {"password": "chigiriki na kata"}).status == 200
    assert Browser(world.port).sign_in(None, link=link[1]).status == 403, "once"
    assert {p["mail"] for p in owner.ask("GET", "/people").json["people"]} == {SATO, "kyaku@example.com"}
    # Nobody removes himself; the other one goes with all sessions.
    judged("person_remove", owner.ask("DELETE", f"/people/{SATO}"), 409)
    judged("person_remove", owner.ask("DELETE", "/people/kyaku@example.com"), 200)
    assert guest.ask("GET", "/session").status == 401


def test_who_has_an_account_is_told_to_nobody(world):
    """An invitation to somebody who is known: the same answer, and the same list; only the letter differs."""
    owner = signed_in(world, SATO)
    known = judged("invitation_send", owner.ask("POST", "/invitations", {"mail": UN}), 201)
    fresh = judged("invitation_send", owner.ask("POST", "/invitations", {"mail": "fresh@example.com"}), 201)
    assert known.keys() == fresh.keys()
    letter = world.mail.wait_for("word of an invitation", lambda x: x.to == UN and SATO in x.subject)
    assert "#link=" not in letter.text and "https://ssl.host.example" in letter.text
    _, link = link_to(world, "fresh@example.com")  # before it is withdrawn: a letter that is on its way then does not go out any more
    for id in (known["id"], fresh["id"]):
        judged("invitation_withdraw", owner.ask("DELETE", f"/invitations/{id}"), 200)
    assert Browser(world.port).sign_in(None, link=link[1]).status == 403, "taken back"


def test_invitations_are_bounded(world):
    owner = signed_in(world, SATO)
    for body in ({}, {"mail": "x"}, {"mail": "no address"}, {"mail": "a@b.jp", "role": "operator"}, {"mail": "a@b.jp", "owner": SUZUKI}, {"mail": "a@b.jp", "name": "x\ny"}, {"mail": "a@b.jp", "lang": "fr"}):
        judged("invitation_send", owner.ask("POST", "/invitations", body), 422)
    judged("invitation_send", owner.ask("POST", "/invitations", {"mail": "x" * 300_000}), 413)
    judged("invitation_withdraw", owner.ask("DELETE", "/invitations/x"), 422)
    again = [owner.ask("POST", "/invitations", {"mail": "again@example.com"}) for _ in range(4)]
    assert [a.status for a in again] == [201, 201, 201, 429] and len({a.json.get("id") for a in again[:3]}) == 1
    judged("invitation_send", again[-1], 429)
    for n in range(19):
        assert owner.ask("POST", "/invitations", {"mail": f"g{n}@example.com"}).status == 201
    judged("invitation_send", owner.ask("POST", "/invitations", {"mail": "one-more@example.com"}), 409)
    assert owner.ask("POST", "/invitations", {"mail": "a@b.jp"}, X_CSRF_Token="x").status == 403


def test_changing_a_person(world):
    operator, owner = signed_in(world, UN), signed_in(world, SATO)
    assert judged("person_own_change", owner.ask("PATCH", "/person", {"lang": "en", "name": " Hanako "}), 200)["name"] == "Hanako"
    assert owner.ask("GET", "/session").json["person"]["lang"] == "en"
    for body, status in (({"lang": "fr"}, 422), ({"mail": "other@example.jp"}, 422), ({"role": "operator"}, 422), ({"name": "a\nb"}, 422), ({"name": "x" * 300_000}, 413)):
        judged("person_own_change", owner.ask("PATCH", "/person", body), status)
    assert owner.ask("PATCH", f"/people/{SATO}", {"role": "operator"}).status == 403
    changed = judged("person_change", operator.ask("PATCH", f"/people/{SATO}", {"lang": "ja"}), 200)
    assert (changed["lang"], changed["name"], changed["owner"]) == ("ja", "Hanako", SATO)
    assert owner.ask("GET", "/session").status == 200
    for body, status in (({"mail": SUZUKI}, 409), ({"mail": "nothing"}, 422), ({"role": "support", "owner": SUZUKI}, 422), ({"owner": "nobody@example.jp"}, 422), ({"lang": "x" * 300_000}, 413)):
        judged("person_change", operator.ask("PATCH", f"/people/{SATO}", body), status)
    judged("person_change", operator.ask("PATCH", "/people/nobody@example.jp", {"lang": "ja"}), 404)
    # Another role: whoever is signed in is out, and sees no more of the owner's sites than that role does.
    assert judged("person_change", operator.ask("PATCH", f"/people/{SATO}", {"role": "support"}), 200)["owner"] is None
    assert owner.ask("GET", "/session").status == 401
    assert judged("person_change", operator.ask("PATCH", f"/people/{SATO}", {"role": "owner", "owner": SATO}), 200)["owner"] == SATO
    moved = judged("person_change", operator.ask("PATCH", f"/people/{SATO}", {"mail": "sato2@example.jp"}), 200)
    assert moved["mail"] == "sato2@example.jp" and Browser(world.port).sign_in("sato2@example.jp", PASSWORDS[SATO]).status == 201
    judged("person_change", operator.ask("PATCH", "/people/sato2@example.jp", {"mail": SATO}), 200)


def test_tokens_of_a_person(world):
    operator, owner = signed_in(world, UN), signed_in(world, SATO)
    path = f"/people/{SATO}/tokens"
    made = judged("person_token_make", operator.ask("POST", path, {"name": "list", "scopes": ["sites.read", "operator.read"]}), 201)
    bearer = {"Authorization": f"Bearer {made['token']}"}
    program = Browser(world.port)
    assert [s["name"] for s in program.ask("GET", "/sites", **bearer).json["sites"]] == [A]
    assert program.ask("GET", "/doctor", **bearer).status == 403, "never more than its person"
    assert [t["id"] for t in judged("person_tokens", operator.ask("GET", path), 200)["tokens"]] == [made["id"]]
    for body, status in (({}, 422), ({"name": "x", "scopes": ["all"]}, 422), ({"name": "x" * 300_000, "scopes": []}, 413)):
        judged("person_token_make", operator.ask("POST", path, body), status)
    for method, where, operation in (("GET", "/people/nobody@example.jp/tokens", "person_tokens"), ("DELETE", f"{path}/999999", "person_token_revoke"), ("DELETE", f"/people/{SUZUKI}/tokens/{made['id']}", "person_token_revoke")):
        judged(operation, operator.ask(method, where), 404)
    judged("person_token_make", operator.ask("POST", "/people/nobody@example.jp/tokens", {"name": "x", "scopes": ["me.read"]}), 404)
    judged("person_tokens", operator.ask("GET", f"/people/{'x' * 300}/tokens"), 422)
    judged("person_token_revoke", operator.ask("DELETE", f"{path}/x"), 422)
    judged("person_token_revoke", operator.ask("DELETE", f"/people/{'x' * 300}/tokens/1"), 422)
    assert owner.ask("GET", path).status == 403 and owner.ask("DELETE", f"{path}/{made['id']}").status == 403
    assert judged("person_token_revoke", operator.ask("DELETE", f"{path}/{made['id']}"), 200)["tokens"] == []
    assert program.ask("GET", "/sites", **bearer).status == 401


def test_audit_knows(world):
    actions = {row[0] for row in in_store(world, "SELECT action FROM audit")}
    assert {"password_forgotten", "invitation_send", "invitation_accepted", "invitation_withdraw", "person_change", "person_own_change", "person_token_make", "person_token_revoke"} <= actions
