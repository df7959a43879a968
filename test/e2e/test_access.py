"""People at the panel's address: signing in, what each may do, whose sites each sees, and what is written down of it."""

import re
import sqlite3
import subprocess

import pytest

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from browser import Browser, site_path
from servers import until
from test_cli import Local
from test_api import DESCRIPTION, OPERATIONS, Api
from world import world_with_panel

PASSWORDS = {"sato@example.jp": "hana no iro wa", "suzuki@example.jp": "utsurinikeri na", "shien@host.example": "itazura ni waga", "un@host.example": "mi yo ni furu", "kato@example.jp": "kimi ga tame haru"}
A, B, NOWHERE = "asa.jp", "yoru.jp", "hiru.jp"
# Bodies without which an operation is not even looked at.
LEAST = {"question_ask": {"text": "?"}, "site_export": {"format": "pem", "password": "x"}, "revocation_begin": {"reason": "cessation", "understood": True}}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = world_with_panel(tmp_path_factory)
    try:
        for name, owner in ((A, "sato@example.jp"), (B, "suzuki@example.jp")):
            site = made.site(name)
            made.koshin.run("site", "add", name, "--owner", owner, "--root", site.root)
            made.koshin.run("user", "add", owner, "--role", "owner", "--owner", owner)
        made.koshin.run("user", "add", "kato@example.jp", "--role", "owner", "--owner", "sato@example.jp")
        made.koshin.run("user", "add", "shien@host.example", "--role", "support", "--name", "Shien")
        made.koshin.run("user", "add", "un@host.example", "--role", "operator")
        for mail, password in PASSWORDS.items():
            made.koshin.run("user", "password", mail, stdin=password + "\n")
        yield made
    finally:
        made.stop()


def signed_in(world, mail, address="192.0.2.1"):
    browser = Browser(world.port, address)
    answer = browser.sign_in(mail, PASSWORDS[mail])
    assert answer.status == 201, answer.body
    Api.judge("session_begin", 201, answer.headers["Content-Type"], answer.json)
    return browser


def in_store(world, statement):
    store = sqlite3.connect(f"file:{world.koshin.state / 'koshin.db'}?mode=ro", uri=True, timeout=30)
    try:
        return store.execute(statement).fetchall()
    finally:
        store.close()


def test_nobody_is_told_so(world):
    browser = Browser(world.port)
    for path in ("/sites", site_path(A), site_path(NOWHERE), "/session", "/doctor", "/audit"):
        answer = browser.ask("GET", path)
        assert answer.status == 401 and answer.json["error"] == "SIGNED_OUT", path
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="koshin"'
    browser.cookies["__Host-koshin"] = "x" * 43
    assert browser.ask("GET", "/session").status == 401
    assert browser.ask("GET", "/session", Authorization="Bearer koshin_" + "x" * 43).status == 401
    assert browser.ask("GET", "/session", Authorization="Basic c2F0bzpoYW5h").status == 401


def test_session(world):
    browser = signed_in(world, "sato@example.jp")
    answer = browser.ask("GET", "/session")
    Api.judge("session_show", 200, answer.headers["Content-Type"], answer.json)
    assert answer.json["person"]["mail"] == "sato@example.jp" and answer.json["csrf"] == browser.csrf
    other = signed_in(world, "sato@example.jp", "192.0.2.9")
    sessions = browser.ask("GET", "/sessions")
    Api.judge("sessions_list", 200, sessions.headers["Content-Type"], sessions.json)
    lines = sessions.json["sessions"]
    assert [s["is_this"] for s in lines].count(True) == 1 and {"192.0.2.1", "192.0.2.9"} <= {s["address"] for s in lines}
    (that,) = [s for s in lines if s["address"] == "192.0.2.9"]
    assert browser.ask("DELETE", f"/sessions/{that['id']}").status == 200
    assert other.ask("GET", "/session").status == 401
    assert browser.ask("DELETE", f"/sessions/{that['id']}").status == 404
    # Somebody else's session is none of one's own.
    stranger = signed_in(world, "suzuki@example.jp")
    (theirs,) = [s["id"] for s in stranger.ask("GET", "/sessions").json["sessions"] if s["is_this"]]
    assert browser.ask("DELETE", f"/sessions/{theirs}").status == 404 and stranger.ask("GET", "/session").status == 200
    ended = browser.ask("DELETE", "/session")
    Api.judge("session_end", 200, ended.headers["Content-Type"], ended.json)
    assert "__Host-koshin" not in browser.cookies and browser.ask("GET", "/session").status == 401


def test_a_session_is_never_taken_over(world, attack):
    """What a browser brings before it signs in is no session afterwards."""
    browser = Browser(world.port)
    browser.cookies["__Host-koshin"] = planted = "A" * 43
    assert browser.sign_in("sato@example.jp", PASSWORDS["sato@example.jp"]).status == 201
    assert browser.cookies["__Host-koshin"] != planted
    thief = Browser(world.port)
    thief.cookies["__Host-koshin"] = planted
    assert thief.ask("GET", "/session").status == 401
    attack("a session that was planted beforehand", 1)


def test_changes_from_elsewhere_are_refused(world):
    browser = signed_in(world, "sato@example.jp")
    path = site_path(A, "/check")
    assert browser.ask("POST", path, Origin="https://evil.example").status == 403
    assert browser.ask("POST", path, Origin="null").status == 403
    assert browser.ask("POST", path, Sec_Fetch_Site="cross-site").status == 403
    for tag in ("", "x", "x" * 43, signed_in(world, "suzuki@example.jp").csrf):
        answer = browser.ask("POST", path, X_CSRF_Token=tag)
        assert answer.status == 403 and "X-CSRF-Token" in answer.json["detail"], tag
    assert browser.ask("POST", path).status == 202
    # Nor can somebody be signed in as somebody else from another page.
    stranger = Browser(world.port)
    body = {"mail": "sato@example.jp", "password": PASSWORDS["sato@example.jp"]}
    assert stranger.ask("POST", "/session", body, Origin="https://evil.example").status == 403
    assert not stranger.cookies


def operations_of_a_site():
    return [(name, o) for name, o in OPERATIONS.items() if "/sites/{name}" in o["path"]]


def test_another_owners_site_is_not_there(world):
    """Each operation of a site, for an owner, at another owner's site: word for word what a name without a site gets."""
    browser = signed_in(world, "sato@example.jp")
    assert len(operations_of_a_site()) > 15
    for name, o in operations_of_a_site():
        body = LEAST.get(name, {}) if "requestBody" in o else None
        got = {}
        for site in (B, NOWHERE):
            answer = browser.ask(o["method"], o["path"].replace("{name}", site), body)
            text = answer.body.decode().replace(site, "X")
            got[site] = (answer.status, re.sub(r'"at":"[^"]*"', "", text))
        assert got[B] == got[NOWHERE], name
        assert got[B][0] == (404 if "owner" in o["x-who"] else 403), (name, got)
    assert browser.ask("GET", site_path(A)).status == 200
    assert [s["name"] for s in browser.ask("GET", "/sites").json["sites"]] == [A]
    for query in ("?owner=suzuki@example.jp", "?search=yoru", "?search=suzuki", "?owner=nobody@example.jp"):
        assert browser.ask("GET", "/sites" + query).json["sites"] == [], query
    assert browser.ask("GET", "/sites?owner=sato@example.jp").json["sites"] != []


def test_roles(world):
    support, operator = signed_in(world, "shien@host.example"), signed_in(world, "un@host.example")
    for site in (A, B):
        assert support.ask("GET", site_path(site)).status == 200
    assert support.ask("POST", site_path(A, "/renew")).status == 403
    assert support.ask("GET", "/people").status == 403 and support.ask("GET", "/audit").status == 403
    assert operator.ask("GET", "/doctor").status == 200
    people = operator.ask("GET", "/people?limit=2")
    Api.judge("people_list", 200, people.headers["Content-Type"], people.json)
    more = operator.ask("GET", f"/people?limit=2&after={people.json['after']}")
    assert len({p["mail"] for p in people.json["people"] + more.json["people"]}) == 4
    assert operator.ask("GET", "/people?after=x").status == 422
    # Whoever did it stands in the history: an owner reads "support", not a colleague's address.
    assert support.ask("POST", site_path(A, "/check")).status == 202
    assert "shien@host.example" not in signed_in(world, "sato@example.jp").ask("GET", site_path(A, "/history")).body.decode()


def test_passwords_that_are_tried(world, attack):
    """Many tries from one address: it waits, and its victim does not."""
    victim = signed_in(world, "kato@example.jp", "192.0.2.50")
    attacker = Browser(world.port, "198.51.100.66")
    seen = []
    for n in range(14):
        answer = attacker.sign_in("kato@example.jp" if n % 2 else "Kato@Example.jp", "not the password")
        seen.append(answer.status)
        if answer.status == 403:
            Api.judge("session_begin", 403, answer.headers["Content-Type"], answer.json)
    assert seen[:10] == [403] * 10 and 429 in seen, seen
    answer = attacker.sign_in("kato@example.jp", PASSWORDS["kato@example.jp"])
    assert answer.status == 429 and 0 < int(answer.headers["Retry-After"]) <= 30, "also the right one waits"
    attack("a password that is guessed", len(seen) + 1)
    Api.judge("session_begin", 429, answer.headers["Content-Type"], answer.json)
    # The browser in which the victim has been before is not concerned.
    victim.ask("DELETE", "/session")
    assert victim.sign_in("kato@example.jp", PASSWORDS["kato@example.jp"]).status == 201
    # One who is not there gets the same answer in the same words.
    unknown = Browser(world.port, "203.0.113.5").sign_in("nobody@example.jp", "not the password")
    wrong = Browser(world.port, "203.0.113.6").sign_in("suzuki@example.jp", "not the password")
    assert (unknown.status, unknown.body) == (wrong.status, wrong.body) == (403, wrong.body)
    for body in ({}, {"mail": "kato@example.jp"}, {"mail": 1, "password": "x"}, {"mail": "a", "password": "b", "more": 1}):
        assert victim.ask("POST", "/session", body).status == 422, body
    assert victim.ask("POST", "/session", {"mail": "x" * 300_000}).status == 413


def test_looks_that_are_asked_for(world):
    """Each looks at servers that may be somebody else's: who asks too often waits, for one site and for all of an owner's; the machine itself does not."""
    owner, support = signed_in(world, "suzuki@example.jp"), signed_in(world, "shien@host.example")
    look = site_path(B, "/check")
    before = set(in_store(world, "SELECT subject FROM attempt"))
    assert owner.ask("POST", look).status == 202 and support.ask("POST", look).status == 202
    counts = {row[0]: row[1] for row in in_store(world, "SELECT subject, failures FROM attempt") if row[:1] not in before}
    assert sorted(counts.values()) == [1, 2], "one look of the owner's, two at the site"
    of_owner = min(counts, key=counts.get)
    store = sqlite3.connect(world.koshin.state / "koshin.db", timeout=30)
    with store:
        store.execute("UPDATE attempt SET failures = 60, failed_at = failed_at + 86400 WHERE subject = ?", (of_owner,))
    store.close()
    refused = owner.ask("POST", look)
    assert refused.status == 429 and 0 < int(refused.headers["Retry-After"]) <= 10
    Api.judge("site_check_again", 429, refused.headers["Content-Type"], refused.json)
    assert "check" in refused.json["detail"] or "確認" in refused.json["detail"], refused.json
    assert [support.ask("POST", look).status for _ in range(4)] == [202, 202, 202, 429]
    refused = signed_in(world, "un@host.example").ask("POST", look)
    assert refused.status == 429 and 0 < int(refused.headers["Retry-After"]) <= 60, "whoever it is"
    assert support.ask("POST", site_path(A, "/check")).status == 202, "another site is not concerned"
    assert Local(world).ask("POST", "/api/v1/sites/yoru.jp/check")[0] == 202


def test_changing_a_password(world):
    mail, old, new = "suzuki@example.jp", PASSWORDS["suzuki@example.jp"], "nagame seshi ma ni"
    browser, other = signed_in(world, mail), signed_in(world, mail, "192.0.2.77")
    for password in ("short", "aaaaaaaaaaaaaa", mail):
        answer = browser.ask("PUT", "/password", {"password": password, "old_password": old})
        assert answer.status == 422 and answer.json["detail"], password
    assert browser.ask("PUT", "/password", {"password": new, "old_password": "not the old one"}).status == 403
    assert browser.ask("PUT", "/password", {"password": new}).status == 403
    answer = browser.ask("PUT", "/password", {"password": new, "old_password": old})
    Api.judge("password_change", 200, answer.headers["Content-Type"], answer.json)
    assert browser.ask("GET", "/session").status == 200 and other.ask("GET", "/session").status == 401
    assert Browser(world.port).sign_in(mail, old).status == 403
    PASSWORDS[mail] = new
    signed_in(world, mail)


def test_links(world):
    said = world.koshin.run("user", "login-link", "sato@example.jp").stdout
    link = re.search(r"https://ssl\.host\.example/login#link=([\w-]{43})", said)[1]
    browser = Browser(world.port)
    answer = browser.sign_in(None, link=link)
    assert answer.status == 201 and answer.json["may_set_password"]
    assert browser.ask("PUT", "/password", {"password": "ware te wo kazashi"}).status == 200, "without the old one"
    PASSWORDS["sato@example.jp"] = "ware te wo kazashi"
    for spent in (link, "x" * 43):
        assert Browser(world.port).sign_in(None, link=spent).status == 403, "a link works once"
    operator = signed_in(world, "un@host.example")
    made = operator.ask("POST", "/people/sato@example.jp/login-link")
    Api.judge("person_link", 201, made.headers["Content-Type"], made.json)
    assert operator.ask("POST", "/people/nobody@example.jp/login-link").status == 404
    assert operator.ask("POST", f"/people/{'x' * 300}/login-link").status == 422


def test_tokens(world):
    browser = signed_in(world, "sato@example.jp")
    body = {"name": "backup", "scopes": ["sites.read", "operator.read", "me.read"], "days": 2}
    answer = browser.ask("POST", "/tokens", body)
    Api.judge("token_make", 201, answer.headers["Content-Type"], answer.json)
    program = Browser(world.port)
    bearer = {"Authorization": f"Bearer {answer.json['token']}"}
    assert [s["name"] for s in program.ask("GET", "/sites", **bearer).json["sites"]] == [A]
    assert program.ask("GET", site_path(B), **bearer).status == 404
    assert program.ask("GET", "/session", **bearer).json["csrf"] is None
    assert program.ask("POST", site_path(A, "/renew"), **bearer).status == 403, "not among its scopes"
    assert program.ask("GET", "/doctor", **bearer).status == 403, "a scope opens nothing that its person may not"
    assert program.ask("GET", "/tokens", **bearer).status == 403, "no token makes or sees tokens"
    tokens = browser.ask("GET", "/tokens")
    Api.judge("tokens_list", 200, tokens.headers["Content-Type"], tokens.json)
    assert answer.json["token"] not in tokens.body.decode()
    for wrong in ({"name": "x", "scopes": ["all"]}, {"name": "x", "scopes": []}, {"name": "", "scopes": ["me.read"]}, {"name": "x\ny", "scopes": ["me.read"]}):
        assert browser.ask("POST", "/tokens", wrong).status == 422, wrong
    assert signed_in(world, "suzuki@example.jp").ask("DELETE", f"/tokens/{answer.json['id']}").status == 404
    revoked = browser.ask("DELETE", f"/tokens/{answer.json['id']}")
    Api.judge("token_revoke", 200, revoked.headers["Content-Type"], revoked.json)
    assert program.ask("GET", "/sites", **bearer).status == 401


def test_export(world):
    """Key, certificate and chain in one file, for the owner who has given the password again."""
    browser = signed_in(world, "sato@example.jp")
    until("a certificate", lambda: browser.ask("GET", site_path(A)).json["certificate"], 60)
    wanted = {"format": "pem", "password": PASSWORDS["sato@example.jp"]}
    pem = browser.ask("POST", site_path(A, "/export"), wanted)
    assert pem.status == 200 and pem.headers["Content-Type"] == "application/x-pem-file", pem.body
    assert pem.headers["Content-Disposition"] == f'attachment; filename="{A}.pem"'
    key = serialization.load_pem_private_key(pem.body[: pem.body.index(b"-----BEGIN CERT")], None)
    (leaf, *chain) = [x509.load_pem_x509_certificate(part + b"-----END CERTIFICATE-----\n") for part in pem.body.split(b"-----END CERTIFICATE-----\n")[:-1]]
    assert leaf.public_key().public_numbers() == key.public_key().public_numbers() and chain
    p12 = browser.ask("POST", site_path(A, "/export"), {**wanted, "format": "p12", "file_password": "himitsu"})
    assert p12.headers["Content-Type"] == "application/x-pkcs12"
    assert pkcs12.load_key_and_certificates(p12.body, b"himitsu")[1] == leaf
    for body, status in (
        ({**wanted, "password": "not the password"}, 403), ({**wanted, "format": "p12"}, 422), ({**wanted, "format": "jks"}, 422),
        ({"format": "pem"}, 422), ({**wanted, "password": "x" * 300_000}, 413),
    ):  # fmt: skip
        assert browser.ask("POST", site_path(A, "/export"), body).status == status, body
    assert browser.ask("POST", site_path(NOWHERE, "/export"), wanted).status == 404
    assert signed_in(world, "un@host.example").ask("POST", site_path(A, "/export"), wanted).status == 403
    kinds = [line["kind"] for line in browser.ask("GET", site_path(A, "/history")).json["history"]]
    assert kinds.count("key-exported") == 2


def test_people_by_command(world):
    run = world.koshin.run
    assert "sato@example.jp" in run("user", "list").stdout
    for wrong in (
        ("new@host.example",), ("new@host.example", "--role", "king"), ("not an address", "--role", "support"),
        ("new@host.example", "--role", "owner"), ("new@host.example", "--role", "owner", "--owner", "nobody@example.jp"),
        ("un@host.example", "--role", "operator"),
    ):  # fmt: skip
        assert run("user", "add", *wrong, status=None).returncode != 0, wrong
    run("user", "add", "new@host.example", "--role", "support", "--user-lang", "en")
    assert run("user", "password", "new@host.example", stdin="short\n", status=None).returncode == 1
    run("user", "password", "new@host.example", stdin="iroha ni hoheto\n")
    browser = Browser(world.port)
    assert browser.sign_in("NEW@host.example", "iroha ni hoheto").status == 201, "an address has no case"
    run("user", "remove", "new@host.example")
    assert browser.ask("GET", "/session").status == 401
    assert run("user", "remove", "new@host.example", status=None).returncode == 1


def test_audit(world):
    operator = signed_in(world, "un@host.example", "192.0.2.33")
    owner = signed_in(world, "sato@example.jp")
    owner.ask("PUT", site_path(A, "/draft"), {"redirect": True})
    owner.ask("DELETE", site_path(A, "/draft"))
    refused = len(operator.ask("GET", "/audit?limit=500").json["audit"])
    owner.ask("DELETE", site_path(B, "/draft"))
    answer = operator.ask("GET", "/audit?limit=500")
    Api.judge("audit_list", 200, answer.headers["Content-Type"], answer.json)
    lines = answer.json["audit"]
    assert len(lines) == refused, "what was not done has no line"
    by = {(line["action"], line["who"]): line for line in reversed(lines)}
    assert by["session_begin", "un@host.example"]["address"] == "192.0.2.33"
    assert by["draft_put", "sato@example.jp"]["detail"] == '{"redirect":true}' and by["draft_put", "sato@example.jp"]["object"] == A
    assert ("draft_discard", "sato@example.jp") in by and ("session_refused", "kato@example.jp") in by
    assert by["person_add", "command"]["role"] == "operator" and ("token_make", "sato@example.jp") in by
    assert operator.ask("GET", "/audit?before=x").status == 422
    writable = sqlite3.connect(world.koshin.state / "koshin.db", timeout=30)
    for statement in ("DELETE FROM audit", "UPDATE audit SET who = 'nobody'"):
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            writable.execute(statement)
        writable.rollback()
    writable.close()


def test_nothing_secret_is_stored_or_logged(world):
    """Passwords, and what opens a session, are nowhere in clear: neither in the store with its log, nor in any other file of the world."""
    browser = signed_in(world, "sato@example.jp")
    token = browser.ask("POST", "/tokens", {"name": "t", "scopes": ["me.read"]}).json["token"]
    secrets = [*PASSWORDS.values(), *browser.cookies.values(), browser.csrf, token.removeprefix("koshin_")]
    in_store(world, "SELECT count(*) FROM session")
    for secret in secrets:
        found = subprocess.run(["grep", "-rlaF", "--", secret, world.koshin.state, *world.folder.glob("koshin/*.log")], capture_output=True, text=True)
        assert found.returncode == 1 and not found.stdout, found.stdout
    assert all(row[0].startswith("$argon2id$") for row in in_store(world, "SELECT password FROM person WHERE password <> ''"))


def test_everything_is_described():
    """Who may call, and the session's cookie, are said of each operation."""
    assert DESCRIPTION["components"]["securitySchemes"]["session"]["name"] == "__Host-koshin"
    assert all(o["x-who"] for o in OPERATIONS.values())


def test_what_the_provider_stopped_only_the_provider_lets_go_on(world):
    """An owner takes back what an owner gave up; a suspension is a matter of the contract."""
    owner = signed_in(world, "sato@example.jp")
    path = site_path(A, "/removal")
    until("a certificate, without which nothing would end", lambda: owner.ask("GET", site_path(A)).json["certificate"])
    try:
        assert owner.ask("POST", path).status == 202
        assert owner.ask("GET", path).json["is_suspended"] is False
        assert owner.ask("DELETE", path).status == 202
        world.koshin.run("site", "suspend", A)
        told = owner.ask("GET", path)
        Api.judge("removal_show", 200, told.headers["Content-Type"], told.json)
        assert told.json["is_suspended"] and "契約" in told.json["after"]["ja"] and "元に戻" not in told.json["after"]["ja"], told.json
        refused = owner.ask("DELETE", path)
        Api.judge("removal_undo", 409, refused.headers["Content-Type"], refused.json)
        assert "contract" in refused.json["detail"] or "契約" in refused.json["detail"]
        assert owner.ask("POST", site_path(A, "/start-over"), {}).status == 409, "nor by starting over"
        until("the finding", lambda: "own.contract.suspended" in [
            f["cause"] for n in owner.ask("GET", site_path(A)).json["names"] for f in n["findings"]])
    finally:
        world.koshin.run("site", "resume", A, status=None)
    assert not in_store(world, "SELECT * FROM given_up")


def test_attacks_on_what_belongs_to_people(world):
    """Each operation about people and signing in: without a session, from another page, without the session's tag, by a token that has every scope."""
    operator = signed_in(world, "un@host.example")
    scopes = sorted({o["x-scope"] for o in OPERATIONS.values() if "x-scope" in o})
    token = operator.ask("POST", "/tokens", {"name": "every scope", "scopes": scopes}).json["token"]
    owner = signed_in(world, "sato@example.jp")
    own_token = owner.ask("POST", "/tokens", {"name": "every scope", "scopes": scopes}).json["token"]
    tried = 0
    print()
    for name, o in sorted(OPERATIONS.items()):
        if o["tags"] != ["people"]:
            continue
        path, everybody = re.sub(r"\{id\}", "1", o["path"]).replace("{mail}", "un@host.example"), o["x-who"] == ["everybody"]
        body, changes = {} if "requestBody" in o else None, o["method"] != "GET"
        attacks = {}
        if not everybody:
            attacks["nobody is signed in"] = (Browser(world.port).ask(o["method"], path, body), 401)
            attacks["a session that was made up"] = (Browser(world.port).ask(o["method"], path, body, Cookie="__Host-koshin=" + "A" * 43), 401)
        if changes:
            attacks["from another origin"] = (operator.ask(o["method"], path, body, Origin="https://evil.example"), 403)
            attacks["from another site's page"] = (operator.ask(o["method"], path, body, Sec_Fetch_Site="cross-site"), 403)
        if changes and not everybody:
            attacks["without the session's tag"] = (operator.ask(o["method"], path, body, X_CSRF_Token=""), 403)
            attacks["with another session's tag"] = (operator.ask(o["method"], path, body, X_CSRF_Token=owner.csrf), 403)
        if not everybody and "x-scope" not in o:
            attacks["a token with every scope"] = (Browser(world.port).ask(o["method"], path, body, Authorization=f"Bearer {token}"), 403)
        if not everybody and "owner" not in o["x-who"]:
            attacks["an owner"] = (owner.ask(o["method"], path, body), 403)
            attacks["an owner's token with every scope"] = (Browser(world.port).ask(o["method"], path, body, Authorization=f"Bearer {own_token}"), 403)
        for attack, (answer, wanted) in attacks.items():
            print(f"{name:24} {attack:36} {answer.status}")
            assert answer.status == wanted, (name, attack, answer.status, answer.body)
            tried += 1
    print(f"{tried} tries, none got through")
    assert tried > 150
    assert operator.ask("GET", "/session").status == 200 and owner.ask("GET", "/session").status == 200


def test_letters_that_do_not_arrive(world):
    """The next person of the owner gets a copy; whoever signs in for that owner is told until it was read, and nobody else is."""
    name, owner = "todokanai.jp", "sato@example.jp"
    world.mail.refuse(owner)
    site = world.site(name, owner=owner)
    world.koshin.run("site", "add", name, "--owner", owner, "--root", site.root)
    (copy,) = until("it goes to the second person", lambda: [x for x in world.mail.letters(to="kato@example.jp") if name in x.subject], 90)
    browser = signed_in(world, owner)
    answer = browser.ask("GET", "/letters/lost")
    Api.judge("letters_lost", 200, answer.headers["Content-Type"], answer.json)
    (row,) = [letter for letter in answer.json["letters"] if name in letter["subject"]]
    assert (row["to"], row["state"], row["subject"]) == (owner, "given-up", copy.subject) and "550" in row["error"]
    assert copy.message_id.strip("<>") == f"second.{row['message_id']}" and row["message_id"] in copy.references
    read = f"/letters/{row['id']}/read"
    stranger = signed_in(world, "suzuki@example.jp")
    assert stranger.ask("GET", "/letters/lost").json["letters"] == []
    for who, path, status in ((stranger, read, 404), (browser, "/letters/999999/read", 404), (browser, "/letters/0/read", 422), (signed_in(world, "shien@host.example"), read, 403)):
        refused = who.ask("POST", path)
        assert refused.status == status, (path, refused.body)
        if status != 403:
            Api.judge("letter_read", status, refused.headers["Content-Type"], refused.json)
    assert signed_in(world, "kato@example.jp").ask("GET", "/letters/lost").json["letters"] == answer.json["letters"]
    answer = browser.ask("POST", read)
    Api.judge("letter_read", 200, answer.headers["Content-Type"], answer.json)
    assert row["id"] not in [letter["id"] for letter in browser.ask("GET", "/letters/lost").json["letters"]]
    assert sum(name in line for line in world.koshin.run("letters", "--lang", "en").stdout.splitlines()) == 1
