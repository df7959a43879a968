"""Passkeys with Chromium's own authenticator: registered, used alone and as the second step, taken away; and what is refused."""

import base64
import itertools
import json
import sqlite3

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.common.virtual_authenticator import Protocol, Transport, VirtualAuthenticatorOptions

from browser import Browser
from screen import PASSWORD, SIZES, Screen
from servers import until
from test_panel_account import at_account, code_of, fill, was_refused

VIEWS = list(itertools.product(("ja", "en"), SIZES))


def with_authenticator(screen, knows_person=True):
    """A phone that asks for a finger, as Chromium plays one."""
    options = VirtualAuthenticatorOptions()
    options.protocol, options.transport = Protocol.CTAP2, Transport.INTERNAL
    options.has_resident_key = options.has_user_verification = True
    options.is_user_verified = knows_person
    screen.driver.add_virtual_authenticator(options)


def register(screen, name="watashi no keitai"):
    screen.press(screen.word("passkeys.new"))
    fill(screen, "passkeys.name", name)
    fill(screen, "account.password-again", PASSWORD).send_keys(Keys.ENTER)
    return screen.until_text(name).until_key("tokens.unused")


def sign_out(screen):
    screen.press(screen.word("frame.sign-out")).until_key("login.begin")
    return screen.open("/login").until_key("login.passkey")


def in_store(panel, statement, *values):
    store = sqlite3.connect(panel.world.koshin.state / "koshin.db", timeout=30)
    with store:
        rows = store.execute(statement, values).fetchall()
    store.close()
    return rows


@pytest.mark.parametrize("lang, size", VIEWS)
def test_passkey(panel, lang, size):
    mail = panel.person(f"kagi-{lang}-{size}@host.example", "support", lang)
    with Screen(panel.port, lang, size) as screen:
        with_authenticator(screen)
        at_account(screen, mail)
        screen.press(screen.word("passkeys.new")).until_key("passkeys.make")
        screen.press(screen.word("passkeys.make")).until_key("passkeys.name-missing").judge()
        screen.press(screen.word("button.cancel"))
        register(screen).judge()
        # The same device is not registered twice.
        screen.press(screen.word("passkeys.new"))
        fill(screen, "passkeys.name", "again")
        fill(screen, "account.password-again", PASSWORD).send_keys(Keys.ENTER)
        screen.until_key("passkeys.left").judge()
        # Alone, without mail address and password.
        sign_out(screen).judge()
        screen.press(screen.word("login.passkey")).until_key("frame.sign-out")
        screen.open("/account").until_text(mail).until_text("watashi no keitai").until_there()
        assert in_store(panel, "SELECT count FROM passkey p JOIN person ON person.id = person_id WHERE mail = ? AND used IS NOT NULL", mail)[0][0] >= 1
        screen.press(screen.word("passkeys.end")).until_key("passkeys.end-more", "watashi no keitai").judge()
        fill(screen, "account.password-again", PASSWORD).send_keys(Keys.ENTER)
        screen.until_key("passkeys.new")
        sign_out(screen)
        screen.press(screen.word("login.passkey"))
        until("it is worth nothing any more", lambda: screen.driver.find_elements(By.CSS_SELECTOR, ".notice.is-bad"), 20, 0.1)
        was_refused(screen, 403)


def test_second_step(panel):
    """Where codes are on, a passkey does instead of one; it is its person's alone."""
    mail, other = (panel.person(f"futae-{n}@host.example", "support", "en") for n in "ab")
    with Screen(panel.port, "en", "desktop") as screen:
        with_authenticator(screen)
        at_account(screen, mail)
        register(screen)
        screen.press(screen.word("codes.begin"))
        fill(screen, "account.password-again", PASSWORD).send_keys(Keys.ENTER)
        screen.until_key("codes.step-scan")
        secret = screen.driver.find_element(By.CSS_SELECTOR, ".todo code").text.replace(" ", "")
        fill(screen, "login.code", code_of(secret)).send_keys(Keys.ENTER)
        screen.until_key("codes.keep").press(screen.word("codes.kept")).until_key("codes.on")
        sign_out(screen)
        fill(screen, "login.mail", mail)
        fill(screen, "login.password", PASSWORD).send_keys(Keys.ENTER)
        screen.until_key("login.passkey-second")
        screen.press(screen.word("login.passkey-second")).until_key("frame.sign-out")
        sign_out(screen)
        # Another person's password beside it opens nothing.
        in_store(panel, "INSERT INTO code (person_id, sealed, begun, confirmed, step) SELECT id, x'00', 1, 1, 0 FROM person WHERE mail = ?", other)
        fill(screen, "login.mail", other)
        fill(screen, "login.password", PASSWORD).send_keys(Keys.ENTER)
        screen.until_key("login.passkey-second").press(screen.word("login.passkey-second"))
        until("it is refused", lambda: screen.driver.find_elements(By.CSS_SELECTOR, ".notice.is-bad"), 20, 0.1)


KEEP = """
window.kept = [];
const ask = window.fetch;
window.fetch = (url, options) => {
	if (options?.body && /session$|passkeys$/.test(url)) window.kept.push(options.body);
	return ask(url, options);
};
"""


def test_what_is_refused(panel):
    """What a passkey has signed is good once, in its place, and as it was."""
    mail = panel.person("kagi-no-kage@host.example", "support", "en")
    with Screen(panel.port, "en", "desktop") as screen:
        with_authenticator(screen)
        at_account(screen, mail)
        screen.run(KEEP)
        register(screen)
        made = json.loads(screen.run("return kept.at(-1)"))
        screen.press(screen.word("frame.sign-out")).until_key("login.passkey")
        screen.press(screen.word("login.passkey")).until_key("frame.sign-out")
        used = json.loads(screen.run("return kept.at(-1)"))
    thief, own = Browser(panel.port), Browser(panel.port)
    assert own.sign_in(mail, PASSWORD).status == 201

    def decoded(text):
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    def encoded(data):
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    def fresh(browser=thief):
        return browser.ask("POST", "/session/challenge").json["challenge"]

    def claiming(**changes):
        data = {**json.loads(decoded(used["client_data"])), **changes}
        return {**used, "client_data": encoded(json.dumps(data).encode())}

    tries = {
        "the same answer again": used,
        "the signature for another challenge": claiming(challenge=fresh()),
        "a challenge that was never given": claiming(challenge=encoded(b"x" * 32)),
        "signed for another origin": claiming(challenge=fresh(), origin="https://evil.example"),
        "made in a frame of another page": claiming(challenge=fresh(), crossOrigin=True),
        "a registration as a login": claiming(challenge=fresh(), type="webauthn.create"),
        "another's credential": {**claiming(challenge=fresh()), "credential": encoded(b"y" * 16)},
        "not base64url": {**used, "signature": "!!!"},
        "client data that are no JSON": {**used, "client_data": encoded(b"{")},
        "authenticator data cut short": {**claiming(challenge=fresh()), "authenticator_data": encoded(b"\x00" * 10)},
        "another RP ID": {**claiming(challenge=fresh()), "authenticator_data": encoded(b"\x00" * 32 + decoded(used["authenticator_data"])[32:])},
        "nobody was there": {**claiming(challenge=fresh()), "authenticator_data": encoded(decoded(used["authenticator_data"])[:32] + b"\x00" + decoded(used["authenticator_data"])[33:])},
    }
    print()
    for what, body in tries.items():
        answer = thief.ask("POST", "/session", body)
        print(f"{what:45} {answer.status} {answer.json['error']}")
        assert answer.status == 403 and not thief.cookies, what
    # A registration: with the challenge of another session, without a password, twice.
    options = own.ask("POST", "/passkeys/options", {"password": PASSWORD})
    assert options.status == 200 and len(options.json["known"]) == 1
    assert own.ask("POST", "/passkeys/options", {"password": "not the password"}).status == 403
    assert own.ask("POST", "/passkeys/options", {}).status == 403
    data = {**json.loads(decoded(made["client_data"])), "challenge": options.json["challenge"]}
    again = {**made, "client_data": encoded(json.dumps(data).encode())}
    stranger = Browser(panel.port)
    assert stranger.sign_in(panel.person("yoso@host.example", "support", "en"), PASSWORD).status == 201
    assert stranger.ask("POST", "/passkeys", again).status == 403, "the challenge is another session's"
    assert own.ask("POST", "/passkeys", made).status == 403, "its challenge was answered"
    assert own.ask("POST", "/passkeys", again).status == 409, "it is there already"
    ((key,),) = in_store(panel, "SELECT passkey.id FROM passkey JOIN person ON person.id = person_id WHERE mail = ?", mail)
    assert stranger.ask("POST", f"/passkeys/{key}/removal", {"password": PASSWORD}).status == 404
    assert own.ask("POST", f"/passkeys/{key}/removal", {}).status == 403
    assert own.ask("POST", "/passkeys/x/removal", {}).status == 422
    # A copy of the key: its counter stands still.
    in_store(panel, "UPDATE passkey SET count = 4000000000")
    with Screen(panel.port, "en", "desktop") as screen:
        with_authenticator(screen)
        at_account(screen, panel.person("utsushi@host.example", "support", "en"))
        register(screen)
        in_store(panel, "UPDATE passkey SET count = 4000000000")
        sign_out(screen)
        screen.press(screen.word("login.passkey"))
        until("the copy is refused", lambda: screen.driver.find_elements(By.CSS_SELECTOR, ".notice.is-bad"), 20, 0.1)
