"""The account page and the ways back in: what a person does there, before a real browser, with letters by real mail."""

import base64
import hashlib
import hmac
import itertools
import re
import struct
import time

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browser import Browser
from screen import PASSWORD, SIZES, Screen, read_words
from servers import until
from test_api import DESCRIPTION

VIEWS = list(itertools.product(("ja", "en"), SIZES))
LINK = r"http://localhost:\d+(/login#link=[\w-]{43}&to=password)"


def code_of(secret):
    mac = hmac.digest(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1)
    at = mac[19] & 15
    return f"{(int.from_bytes(mac[at:at + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"


def fill(screen, key, value):
    """Types into the field of this label."""
    label = screen.word(key)
    field = until(f"there is the field {label!r}", lambda: next((e for e in screen.driver.find_elements(By.CSS_SELECTOR, "input") if e.accessible_name == label), None), 20, 0.1)
    field.clear()
    field.send_keys(value)
    return field


def was_refused(screen, status):
    """The browser's log tells of answers that were meant to be refusals."""
    lines = [line["message"] for line in screen.driver.get_log("browser") if line["level"] == "SEVERE"]
    assert lines and all(f"status of {status}" in line or "status of 401" in line for line in lines), lines


def link_in(letter):
    return re.search(LINK, letter.text)[1]


def at_account(screen, mail):
    screen.sign_in(mail, PASSWORD)
    screen.open("/account").until_key("account.sessions").until_key("account.this")
    return screen


@pytest.mark.parametrize("lang, size", VIEWS)
def test_codes(panel, lang, size):
    """Two steps are set up with what the screen shows, recovery codes are seen once, and signing in asks for a code from then on."""
    mail = panel.person(f"kodo-{lang}-{size}@host.example", "support", lang)
    with Screen(panel.port, lang, size) as screen:
        at_account(screen, mail).judge()
        screen.press(screen.word("codes.begin")).until_key("account.password-again")
        screen.press(screen.word("codes.begin-go")).until_key("login.password-wrong").judge()
        fill(screen, "account.password-again", PASSWORD).send_keys(Keys.ENTER)
        screen.until_key("codes.step-scan").judge()
        shown = screen.driver.find_element(By.CSS_SELECTOR, "img.qr")
        assert screen.run("return arguments[0].naturalWidth > 0", shown), "the pattern is drawn"
        secret = screen.driver.find_element(By.CSS_SELECTOR, ".todo code").text.replace(" ", "")
        fill(screen, "login.code", "000000" if code_of(secret) != "000000" else "000001").send_keys(Keys.ENTER)
        until("a wrong code is refused", lambda: screen.driver.find_elements(By.CSS_SELECTOR, ".todo .notice.is-bad"), 20, 0.1)
        was_refused(screen, 403)
        fill(screen, "login.code", code_of(secret)).send_keys(Keys.ENTER)
        screen.until_key("codes.keep").judge()
        recovery = [e.text for e in screen.driver.find_elements(By.CSS_SELECTOR, ".codes code")]
        assert len(set(recovery)) == 10
        screen.press(screen.word("codes.kept")).until_key("codes.on").until_key("codes.left", 10).judge()
        assert recovery[0] not in screen.driver.page_source, "they are gone from the page"
        # The next time one is asked for.
        screen.press(screen.word("frame.sign-out")).until_key("login.begin")
        screen.open("/login").until_key("login.mail")
        fill(screen, "login.mail", mail)
        fill(screen, "login.password", PASSWORD).send_keys(Keys.ENTER)
        screen.until_key("login.code-hint")
        was_refused(screen, 403)
        screen.judge()
        screen.keys(recovery[0], Keys.ENTER)
        screen.until_key("frame.sign-out").open("/account").until_key("codes.left", 9)
        screen.press(screen.word("codes.end")).until_key("codes.end-more").judge()
        fill(screen, "login.code", recovery[1]).send_keys(Keys.ENTER)
        screen.until_key("codes.begin")


@pytest.mark.parametrize("lang, size", VIEWS)
def test_tokens(panel, lang, size):
    """A token is made, seen once, works for what was ticked, and is worth nothing when it was revoked."""
    mail = panel.person(f"fuda-{lang}-{size}@host.example", "support", lang)
    with Screen(panel.port, lang, size) as screen:
        at_account(screen, mail)
        screen.press(screen.word("tokens.new")).until_key("tokens.scopes").judge()
        screen.press(screen.word("tokens.make")).until_key("tokens.name-missing")
        fill(screen, "tokens.name", "ichiran").send_keys(Keys.ENTER)
        screen.until_key("tokens.once").judge()
        token = screen.driver.find_element(By.CSS_SELECTOR, ".notice code").text
        program = Browser(panel.port)
        assert program.ask("GET", "/sites", Authorization=f"Bearer {token}").status == 200
        assert program.ask("GET", "/questions", Authorization=f"Bearer {token}").status == 403
        screen.press(screen.word("codes.kept"))
        screen.open("/account").until_text("ichiran").until_key("scope.sites.read").until_there()
        assert token not in screen.driver.page_source
        screen.press(screen.word("tokens.revoke")).until_key("tokens.revoke-more").judge()
        screen.press(screen.word("tokens.revoke"))
        until("the token is gone", lambda: "ichiran" not in screen.text(), 20, 0.1)
        assert program.ask("GET", "/sites", Authorization=f"Bearer {token}").status == 401


def test_scopes_have_words():
    """What the page offers is what the description knows, and nothing else."""
    known = {o["x-scope"] for item in DESCRIPTION["paths"].values() for o in item.values() if isinstance(o, dict) and "x-scope" in o}
    assert known == {key.removeprefix("scope.") for key in read_words() if key.startswith("scope.")}


@pytest.mark.parametrize("lang, size", VIEWS)
def test_invitation(panel, lang, size):
    """An owner invites somebody, who follows the letter's link, chooses a password and sees the sites; and is removed again."""
    name = f"maneku-{lang}-{size}.jp"
    _, mail = panel.owner(name, lang=lang)
    guest = f"kyaku-{lang}-{size}@example.com"
    with Screen(panel.port, lang, size) as screen:
        at_account(screen, mail).until_key("people.title")
        screen.press(screen.word("people.invite"))
        fill(screen, "people.mail", "nobody")
        screen.press(screen.word("people.send")).until_key("field.mail-at").judge()
        fill(screen, "people.mail", guest).send_keys(Keys.ENTER)
        screen.until_key("people.sent", guest).until_key("people.withdraw").judge()
        letter = panel.world.mail.wait_for("an invitation", lambda x: x.to == guest)
        assert mail in letter.subject and mail in letter.text
        screen.press(screen.word("frame.sign-out")).until_key("login.begin")
        screen.open("/help").open(link_in(letter)).until_key("account.password-none").judge()
        fill(screen, "account.new", PASSWORD).send_keys(Keys.ENTER)
        screen.until_key("account.password-done")
        screen.open("/sites").until_text(name)
        # The link was good once.
        other = Browser(panel.port)
        assert other.sign_in(None, link=re.search("link=([^&]+)", link_in(letter))[1]).status == 403
        assert other.sign_in(guest, PASSWORD).status == 201
        # And whoever invited can end it.
        screen.press(screen.word("frame.sign-out")).until_key("login.begin")
        at_account(screen, mail).until_text(guest)
        screen.press(screen.word("people.remove")).until_key("people.remove-more", guest).judge()
        screen.press(screen.word("people.remove"))
        until("the guest is gone", lambda: guest not in screen.text(), 20, 0.1)
        assert other.ask("GET", "/session").status == 401


@pytest.mark.parametrize("lang, size", VIEWS)
def test_forgotten(panel, lang, size):
    """Somebody who forgot the password gets a link by mail, sets another one, and is signed out everywhere else."""
    mail = panel.person(f"wasure-{lang}-{size}@host.example", "support", lang)
    elsewhere = Browser(panel.port)
    assert elsewhere.sign_in(mail, PASSWORD).status == 201
    with Screen(panel.port, lang, size) as screen:
        screen.open("/login").until_key("login.mail")
        screen.press(screen.word("login.forgotten")).until_key("forgotten.more").judge()
        screen.keys("nobody", Keys.ENTER)
        screen.until_key("field.mail-at")
        fill(screen, "login.mail", mail).send_keys(Keys.ENTER)
        screen.until_key("forgotten.sent-more", mail).judge()
        letter = panel.world.mail.wait_for("a link", lambda x: x.to == mail)
        screen.open("/help").open(link_in(letter)).until_key("account.password-free").judge()
        assert "link=" not in screen.driver.current_url
        fill(screen, "account.new", "wasurezu no mori").send_keys(Keys.ENTER)
        screen.until_key("account.password-done").judge()
        assert elsewhere.ask("GET", "/session").status == 401
        assert elsewhere.sign_in(mail, PASSWORD).status == 403
        assert elsewhere.sign_in(mail, "wasurezu no mori").status == 201


@pytest.mark.parametrize("lang, size", (VIEWS[0], VIEWS[-1]))
def test_link_of_somebody_else(panel, lang, size):
    """Who opens a link while signed in is asked first; nobody is put into another's place unasked, and the session of before ends."""
    mail = panel.person(f"saki-{lang}-{size}@host.example", "support", lang)
    other = panel.person(f"ato-{lang}-{size}@host.example", "support", lang)
    link = panel.world.koshin.run("user", "login-link", other).stdout.split()[-1]
    with Screen(panel.port, lang, size) as screen:
        at_account(screen, mail)
        before = Browser(panel.port)
        before.cookies = {cookie["name"]: cookie["value"] for cookie in screen.driver.get_cookies()}
        assert before.ask("GET", "/session").status == 200
        screen.open("/help").open_at(link).until_key("whose-link.who", mail).judge()
        screen.press(screen.word("whose-link.stay", mail)).until_key("frame.sign-out")
        screen.open("/account").until_text(mail).until_there()
        # The link was not used up by that.
        screen.open("/help").open_at(link).until_key("whose-link.who", mail)
        screen.press(screen.word("whose-link.follow"))
        until("the other one is at home", lambda: screen.run("return location.pathname") == "/questions", 20, 0.1)
        screen.open("/account").until_text(other).until_there()
        assert mail not in screen.text()
        assert before.ask("GET", "/session").status == 401


LOSE_ONE = """
const ask = window.fetch;
let isLost = false;
window.fetch = async (url, options) => {
	const answer = await ask(url, options);
	if (isLost || options?.method !== "POST" || !url.endsWith("/questions")) return answer;
	isLost = true;
	throw new TypeError("the connection is away");
};
"""


@pytest.mark.parametrize("lang, size", (VIEWS[0], VIEWS[-1]))
def test_question(panel, lang, size):
    """The connection breaks while a question is sent; sent again, it is one question. Its answer is read on the site's page."""
    name = f"toi-{lang}-{size}.jp"
    _, mail = panel.owner(name, lang=lang)
    with Screen(panel.port, lang, size) as screen:
        screen.sign_in(mail, PASSWORD).until_key("ask.title").until_there()
        screen.run(LOSE_ONE)
        screen.driver.find_element(By.CSS_SELECTOR, "#ask textarea").send_keys("itsu made?")
        screen.press(screen.word("ask.send")).until_key("failure.offline")
        screen.press(screen.word("ask.send")).until_key("ask.sent").judge()
        asked = panel.api.ask("questions_list", name)[1]["questions"]
        assert len(asked) == 1
        assert panel.api.ask("question_answer", str(asked[0]["id"]), "", {"text": "zutto desu.", "by": "Shien"})[0] == 200
        screen.open(f"/sites/{name}").until_key("ask.answered").until_there()
        thread = until("there is the question", lambda: screen.driver.find_elements(By.CSS_SELECTOR, "#ask details summary"), 20, 0.1)[0]
        thread.click()
        screen.until_text("zutto desu.").until_text("itsu made?").until_key("ask.from-support").judge()
