"""One-time codes: an app of our own (RFC 6238, written down here once more) beside the panel's address."""

import base64
import hashlib
import hmac
import os
import re
import signal
import sqlite3
import struct
import subprocess
import time
import urllib.parse
import xml.etree.ElementTree

import pytest

from browser import Browser
from servers import until
from test_access import in_store
from test_api import OPERATIONS, Api
from world import world_with_panel

MAIL, PASSWORD = "hana@host.example", "hana no iro wa"
OTHER, OTHER_PASSWORD = "kaze@host.example", "kaze soyogu nara"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = world_with_panel(tmp_path_factory)
    try:
        for mail, password, role in ((MAIL, PASSWORD, "support"), (OTHER, OTHER_PASSWORD, "operator")):
            made.koshin.run("user", "add", mail, "--role", role)
            made.koshin.run("user", "password", mail, stdin=password + "\n")
        yield made
    finally:
        made.stop()


class App:
    def __init__(self, world, secret):
        self.world = world
        self.key = base64.b32decode(secret)

    def at(self, step):
        mac = hmac.digest(self.key, struct.pack(">Q", step), hashlib.sha1)
        at = mac[19] & 15
        return f"{(int.from_bytes(mac[at:at + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"

    def code(self):
        """The one of now. Half a minute passes beforehand, by making the store forget that it was taken."""
        with sqlite3.connect(self.world.koshin.state / "koshin.db", timeout=30) as store:
            store.execute("UPDATE code SET step = 0")
        store.close()
        return self.at(now_step())


def now_step():
    return int(time.time()) // 30


def judged(operation, answer, status):
    assert answer.status == status, (operation, answer.status, answer.body)
    Api.judge(operation, status, answer.headers["Content-Type"], answer.json)
    return answer.json


@pytest.fixture(scope="module")
def app(world):
    """A person who has codes; the recovery codes stand in app.recovery."""
    browser = Browser(world.port)
    assert browser.sign_in(MAIL, PASSWORD).status == 201
    assert judged("codes_show", browser.ask("GET", "/codes"), 200) == {"is_on": False, "since": None, "recovery_left": 0}
    judged("codes_confirm", browser.ask("PUT", "/codes", {"code": "123456"}), 404)
    judged("recovery_renew", browser.ask("POST", "/codes/recovery", {"code": "123456"}), 404)
    judged("codes_end", browser.ask("POST", "/codes/removal", {"code": "123456"}), 404)
    judged("codes_begin", browser.ask("POST", "/codes", {"password": "not the password"}), 403)
    judged("codes_begin", browser.ask("POST", "/codes", {}), 403)
    judged("codes_begin", browser.ask("POST", "/codes", {"password": 1}), 422)
    judged("codes_begin", browser.ask("POST", "/codes", {"password": "x" * 300_000}), 413)
    first = App(world, judged("codes_begin", browser.ask("POST", "/codes", {"password": PASSWORD}), 201)["secret"])
    made = judged("codes_begin", browser.ask("POST", "/codes", {"password": PASSWORD}), 201)
    uri = urllib.parse.urlsplit(made["uri"])
    assert (uri.scheme, uri.netloc, urllib.parse.unquote(uri.path)) == ("otpauth", "totp", f"/ssl.host.example:{MAIL}")
    assert dict(urllib.parse.parse_qsl(uri.query)) == {"secret": made["secret"], "issuer": "ssl.host.example"}
    assert xml.etree.ElementTree.fromstring(made["qr"]).tag == "{http://www.w3.org/2000/svg}svg"
    # Not confirmed: nobody is asked for a code.
    assert Browser(world.port).sign_in(MAIL, PASSWORD).status == 201
    judged("codes_confirm", browser.ask("PUT", "/codes", {"code": first.code()}), 403)
    app = App(world, made["secret"])
    app.secret = made["secret"]
    app.recovery = judged("codes_confirm", browser.ask("PUT", "/codes", {"code": app.code()}), 200)["recovery_codes"]
    assert len(set(app.recovery)) == 10 and all(re.fullmatch(r"([a-z2-7]{4}-){3}[a-z2-7]{4}", code) for code in app.recovery)
    judged("codes_confirm", browser.ask("PUT", "/codes", {"code": "123456"}), 409)
    judged("codes_begin", browser.ask("POST", "/codes", {"password": PASSWORD}), 409)
    state = judged("codes_show", browser.ask("GET", "/codes"), 200)
    assert state["is_on"] and state["since"] and state["recovery_left"] == 10
    app.browser = browser
    return app


def test_second_step(world, app):
    browser = Browser(world.port)
    for code in (None, ""):
        answer = browser.sign_in(MAIL, PASSWORD, code=code)
        assert judged("session_begin", answer, 403)["error"] == "CODE_NEEDED" and not browser.cookies
    # Who does not know the password learns nothing of it.
    assert browser.sign_in(MAIL, "not the password").json["error"] == "DENIED"
    assert browser.sign_in(MAIL, "not the password", code=app.code()).json["error"] == "DENIED"
    wrong = next(f"{n:06}" for n in range(1000) if all(f"{n:06}" != app.at(now_step() + i) for i in range(-2, 6)))
    assert browser.sign_in(MAIL, PASSWORD, code=wrong).json["error"] == "DENIED" and not browser.cookies
    code = app.code()
    assert browser.sign_in(MAIL, PASSWORD, code=f"{code[:3]} {code[3:]}").status == 201
    # Seen over a shoulder, it is worth nothing any more.
    assert Browser(world.port).sign_in(MAIL, PASSWORD, code=code).status == 403
    assert browser.ask("GET", "/session").json["person"]["has_codes"]


def test_a_link_needs_a_code_too(world, app):
    link = re.search(r"#link=([\w-]{43})", world.koshin.run("user", "login-link", MAIL).stdout)[1]
    browser = Browser(world.port, "192.0.2.7")
    assert browser.sign_in(None, link=link).json["error"] == "CODE_NEEDED"
    assert browser.sign_in(None, link=link, code=app.code()).status == 201, "the link was not used up"
    assert browser.sign_in(None, link=link, code=app.code()).status == 403, "and now it is"


def test_recovery(world, app):
    first, second = app.recovery[0], app.recovery[1].replace("-", "").upper()
    for code in (first, second):
        browser = Browser(world.port)
        assert browser.sign_in(MAIL, PASSWORD, code=code).status == 201
        assert Browser(world.port).sign_in(MAIL, PASSWORD, code=code).status == 403, "once"
    assert browser.ask("GET", "/codes").json["recovery_left"] == 8
    new = judged("recovery_renew", browser.ask("POST", "/codes/recovery", {"code": app.code()}), 200)["recovery_codes"]
    assert Browser(world.port).sign_in(MAIL, PASSWORD, code=app.recovery[2]).status == 403, "the old ones are worth nothing"
    assert Browser(world.port).sign_in(MAIL, PASSWORD, code=new[0]).status == 201
    app.recovery = new


def test_nobody_guesses(world, app):
    """Six digits, and somebody who has the password: five tries, then a wait; the person's own browser is not concerned."""
    thief = Browser(world.port, "198.51.100.9")
    seen = [thief.sign_in(MAIL, PASSWORD, code="xxxxxx") for _ in range(8)]
    limited = [answer for answer in seen if answer.status == 429]
    assert limited and {answer.status for answer in seen} == {403, 429}
    assert judged("session_begin", limited[-1], 429) and int(limited[-1].headers["Retry-After"]) >= 1
    own = app.browser
    for operation, status in (("codes_confirm", 409), ("recovery_renew", 200)):
        o = OPERATIONS[operation]
        judged(operation, own.ask(o["method"], o["path"], {"code": app.code()}), status)
    for operation in ("recovery_renew", "codes_end"):
        o = OPERATIONS[operation]
        for body, status in (({"code": ""}, 422), ({}, 422), ({"code": "x" * 300_000}, 413), ({"code": "12345"}, 403)):
            judged(operation, own.ask(o["method"], o["path"], body), status)


def test_keeper_stands_still(world, app):
    """Then there is no code to be judged: it is said so, and nobody comes in."""
    keeper = until("the keeper runs", lambda: world.koshin.children().get("keeper"))
    os.kill(keeper, signal.SIGSTOP)
    try:
        browser = Browser(world.port, "192.0.2.8")
        browser.cookies = {"__Host-koshin-device": app.browser.cookies["__Host-koshin-device"]}
        assert browser.sign_in(MAIL, PASSWORD, code=app.code()).status == 503 and "__Host-koshin" not in browser.cookies
    finally:
        os.kill(keeper, signal.SIGCONT)


def test_nothing_secret_is_stored_or_logged(world, app):
    secrets = [app.secret, *app.recovery, *(code.replace("-", "") for code in app.recovery)]
    for secret in secrets:
        found = subprocess.run(["grep", "-rlaF", "--", secret, world.koshin.state, *world.folder.glob("koshin/*.log")], capture_output=True, text=True)
        assert found.returncode == 1 and not found.stdout, found.stdout
    raw = app.key
    assert not any(raw in path.read_bytes() for path in world.koshin.state.glob("koshin.db*"))
    assert ("code_refused",) in in_store(world, "SELECT DISTINCT action FROM audit")


def test_the_end(world, app):
    # Lost app and recovery codes: the operator lets the person in.
    operator = Browser(world.port)
    assert operator.sign_in(OTHER, OTHER_PASSWORD).status == 201
    judged("person_codes_end", operator.ask("DELETE", f"/people/nobody@host.example/codes"), 404)
    judged("person_codes_end", operator.ask("DELETE", f"/people/{'x' * 300}/codes"), 422)
    assert app.browser.ask("DELETE", f"/people/{OTHER}/codes").status == 403, "support cannot"
    state = judged("codes_end", app.browser.ask("POST", "/codes/removal", {"code": app.code()}), 200)
    assert state == {"is_on": False, "since": None, "recovery_left": 0}
    assert Browser(world.port).sign_in(MAIL, PASSWORD).status == 201
    made = app.browser.ask("POST", "/codes", {"password": PASSWORD}).json
    again = App(world, made["secret"])
    judged("codes_confirm", app.browser.ask("PUT", "/codes", {"code": again.code()}), 200)
    assert Browser(world.port).sign_in(MAIL, PASSWORD).json["error"] == "CODE_NEEDED"
    world.koshin.run("user", "reset-codes", MAIL)
    assert Browser(world.port).sign_in(MAIL, PASSWORD).status == 201
    assert not judged("person_codes_end", operator.ask("DELETE", f"/people/{MAIL}/codes"), 200)["has_codes"]
    assert ("person_codes_end", "command") in in_store(world, "SELECT action, who FROM audit")
    store = sqlite3.connect(world.koshin.state / "koshin.db", timeout=30)
    assert store.execute("SELECT count(*) FROM recovery_code").fetchone() == (0,)
    store.close()
