"""Every form of the panel meets a dead connection, a server that starts anew, then an answer that is lost on its way, another press and a reload:
what was typed stays, what was wanted is done once, and the screen ends with the truth. Beside it the same form stands filled in in another tab, which has heard
of nothing since: what it sends then is refused with words, or is as harmless as if it had been sent first. The forms are those of the panel's source."""

import re
import urllib.request

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By

from browser import Browser
from forms import forms
from screen import DEAF, PASSWORD, Screen
from servers import until
from test_cert_check import pem
from test_panel_account import code_of, fill
from test_panel_own import fill as paste
from test_panel_passkeys import register, with_authenticator

RETRIED_S = 150  # an order that met the web server while it was being reloaded is tried again after a minute
NEW_PASSWORD = "itsu mo onaji hana"
# kind "dead": nothing gets through to that path; "lost": once, what is wanted there is done, and its answer does not come.
BREAK = """
const [kind, path, isReading] = arguments;
if (!window.whole) window.whole = window.fetch;
window.broken = 0;
window.fetch = async (url, options) => {
	const isMeant = (isReading || !["GET", undefined].includes(options?.method)) && new RegExp(`^/api/v1${path}$`).test(url);
	if (!isMeant || (kind === "lost" && window.broken > 0)) return window.whole(url, options);
	window.broken++;
	if (kind === "lost") await window.whole(url, options);
	throw new TypeError("the connection is away");
};
"""
MEND = "window.fetch = window.whole"
TOLD = "return [...document.querySelectorAll('main .notice.is-bad, main [role=alert], main .wrong')].map(e => e.innerText.trim())"
TYPED = "return [...document.querySelectorAll('main input:not([type=hidden], [type=file]), main textarea, main select')].map(e => e.type === 'radio' || e.type === 'checkbox' ? e.checked : e.value)"


class Person:
    """One before the panel, and what the server says of what is done."""

    def __init__(self, panel, screen):
        self.panel, self.screen, self.done = panel, screen, set()

    def ask(self, path):
        return self.screen.run("return (window.whole ?? window.fetch)('/api/v1' + arguments[0]).then(r => r.json())", path)

    def field(self, key, value):
        paste(self.screen, self.screen.word(key), value)

    def is_in(self):
        return int(self.screen.run("return (window.whole ?? window.fetch)('/api/v1/session').then(r => r.ok)"))

    def sign_out(self):
        self.screen.press(self.screen.word("frame.sign-out")).until_key("login.begin")

    def form(self, form, fill_in, path, send, n, once, times=1, older="refused"):
        """fill_in(): opens it and fills it in. path: a pattern of where it is sent to; send: its button's words; n(): how often it is done, None for one that
        only looks; once: what the screen says when it is, after a reload; times: how often it is done by two presses; older: what comes of a press in a tab
        that was opened before: "refused" with words, "again" done once more, "same" nothing that would be seen."""
        screen = self.screen
        here = screen.driver.current_window_handle
        screen.driver.switch_to.new_window("tab")
        other = screen.driver.current_window_handle
        screen.before_each_page(DEAF)
        fill_in()
        screen.run("window.isDeaf = true")
        screen.driver.switch_to.window(here)
        fill_in()
        assert n is None or n() == 0, f"{form}: done before it was sent"
        before = screen.run(TYPED)
        died = self.panel.world.koshin.kill("web")
        is_reading = n is None and "?" in path
        screen.run(BREAK, "dead", path, is_reading)
        assert self._press(send), f"{form}: no button {screen.word(send)!r}"
        screen.until_key("failure.offline")
        assert screen.run(TYPED) == before, f"{form}: what was typed is gone"
        self._until_back(died)
        if is_reading:
            screen.run(MEND)
            screen.press(screen.word("failure.again"))
        else:
            assert n is None or n() == 0, form
            screen.run(BREAK, "lost", path, False)
            assert self._press(send), form
            until(f"{form}: the answer is lost", lambda: screen.run("return window.broken") == 1, 20, 0.1)
            self._idle()
            if n is not None:
                until(f"{form}: it is done", lambda: n() >= 1, 20, 0.1)
            # Whoever is told that nobody answered presses again, where there is still something to press.
            if self._press(send):
                self._idle()
            if n is not None:
                until(f"{form}: done {times} times", lambda: n() == times, 20, 0.1)
        screen.driver.refresh()
        self._until_said(form, once)
        screen.driver.switch_to.window(other)
        self._of_before(form, send, n, once, times, older)
        screen.driver.close()
        screen.driver.switch_to.window(here)
        self.done.add(form)

    def _of_before(self, form, send, n, once, times, older):
        screen = self.screen
        if self._press(send):
            self._idle()
        if older == "refused":
            words = until(f"{form}: the tab of before is told", lambda: screen.run(TOLD), 20, 0.1)
            assert all(words), f"{form}: {words}"
        if n is not None:
            until(f"{form}: {older} in the tab of before; {n()} times", lambda: n() == times + (older == "again"), 20, 0.1)
        screen.driver.refresh()
        self._until_said(form, once)

    def _until_said(self, form, once):
        until(f"{form}: the screen says {once!r}", lambda: re.search(once, self.screen.text()), 30, 0.1)

    def _until_back(self, died):
        """Another web process answers."""
        until("another web process", lambda: self.panel.world.koshin.children().get("web") not in (None, died), 20, 0.05)
        until("it answers", self._is_there, 20, 0.05)

    def _is_there(self):
        try:
            with urllib.request.urlopen(f"{self.screen.base}/api/v1/status", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def _idle(self):
        until("nothing is under way", lambda: self.screen.word("button.busy") not in self.screen.text(), 20, 0.1)

    def _press(self, send):
        """The form's own button: others may have the same words. A page that is drawn anew meanwhile has another one."""
        while True:
            try:
                return self._press_shown(send)
            except StaleElementReferenceException:
                continue

    def _press_shown(self, send):
        for button in self.screen.driver.find_elements(By.CSS_SELECTOR, "main form button:not([type=button])"):
            if button.text == self.screen.word(send):
                button.click()
                return True
        return False


@pytest.fixture(scope="module")
def ground(panel):
    class Ground:
        name, other = "ikutabi.jp", "ikutabi-ato.jp"

    site, Ground.owner = panel.owner(Ground.name, f"www.{Ground.name}", lang="ja", coverage="multi")
    panel.add(Ground.other, owner=Ground.owner, lang="ja", source="none", coverage="single")
    panel.world.koshin.run("site", "set", Ground.name, "--source", "free")
    Ground.support = panel.person("ikutabi@host.example", "support", "ja")
    Ground.operator = panel.person("ikutabi-op@host.example", "operator", "ja")
    status, asked = panel.api.ask("question_ask", Ground.name, body={"text": "itsu made?"})
    assert status == 201, asked
    Ground.question = asked["id"]
    site.until_served(seconds=RETRIED_S)
    site.until_state("ok")
    Ground.site = site
    return Ground


class Counts:
    """How often something was done since this was made."""

    def __init__(self, look):
        self.look, self.before = look, look()

    def __call__(self):
        return self.look() - self.before


def audited(panel, action, who):
    return Counts(lambda: sum(line["action"] == action for line in panel.api.ask("audit_list", query=f"limit=200&who={who.replace('@', '%40')}")[1]["audit"]))


def at_the_door(panel, person, ground):
    screen = person.screen

    def forgotten():
        screen.open("/forgotten").until_key("forgotten.more")
        person.field("login.mail", ground.support)

    def login():
        screen.open("/login").until_key("login.mail")
        person.field("login.mail", ground.owner)
        person.field("login.password", PASSWORD)

    # Nobody is signed in by whom one request could be told from another: a link that did not come is sent again.
    letters = Counts(lambda: len(panel.world.mail.letters(to=ground.support)))
    person.form("forgotten ForgottenPage", forgotten, "/password/forgotten", "forgotten.send", letters, screen.word("forgotten.more"), times=2, older="again")
    person.form("login LoginPage", login, "/session", "login.begin", person.is_in, screen.word("frame.sign-out"), older="same")


def on_the_site(panel, person, ground):
    screen, site, path = person.screen, ground.site, f"/sites/{ground.name}"

    def opened(key):
        screen.open(path).until_key("ask.title").until_there().press(screen.word(key))

    def search():
        screen.open("/sites").until_key("sites.search").until_there()
        person.field("sites.search", ground.other)

    def ask():
        screen.open(path).until_key("ask.title").until_there()
        person.field("ask.text", "kore wa nokorimasu ka?")

    def export():
        opened("export.title")
        person.field("export.password", PASSWORD)

    def give_up():
        opened("giving-up.title")
        screen.press(screen.word("giving-up.off")).press(screen.word("giving-up.read"))

    def request():
        opened("own.title")
        screen.until_key("own.csr-title").until_there()
        person.field("own.organization", "株式会社例")

    def bring():
        opened("own.title")
        screen.until_key("own.file-title")
        person.field("own.text", bought)
        screen.until_key("own.usable")

    def destroy():
        opened("giving-up.title")
        screen.press(screen.word("giving-up.read"))

    person.form("sites SitesPage", search, "/sites[?].*search=.*", "sites.search-now", None, re.escape(ground.other), older="same")
    questions = Counts(lambda: len(panel.api.ask("questions_list", ground.name)[1]["questions"]))
    person.form("site_support Ask", ask, "/sites/.*/questions", "ask.send", questions, screen.word("ask.open"), older="again")
    # A file that did not come is asked for again.
    person.form("site_giving_up Export", export, "/sites/.*/export", "export.begin", audited(panel, "site_export", ground.owner), screen.word("export.title"), times=2, older="again")
    person.form("site_giving_up GivingUp", give_up, "/sites/.*/removal.*", "giving-up.begin", Counts(lambda: site.count("given-up")), screen.word("giving-up.back"))
    screen.press(screen.word("giving-up.back")).until_key("headline.ok", ground.name, seconds=RETRIED_S)
    csrs = Counts(lambda: len(panel.api.ask("csrs_list", ground.name)[1]["csrs"]))
    person.form("site_own Requests", request, "/sites/.*/csr", "own.csr-make", csrs, screen.word("own.title"), older="again")
    asked = panel.api.ask("csrs_list", ground.name)[1]["csrs"][0]["pem"]
    bought = panel.seller.answer(asked.encode()).decode() + pem(panel.seller.middle).decode()
    person.form("site_own Import", bring, "/sites/.*/own", "own.take", Counts(lambda: site.count("imported")), re.escape(screen.word("headline.ok-own", ground.name)))
    revoked = re.escape(screen.word("headline.revoked", ground.name))
    person.form("site_giving_up GivingUp", destroy, "/sites/.*/revocation", "giving-up.begin-destroy", Counts(lambda: site.count("revoke-asked")), revoked)


def on_the_account(panel, person, ground):
    screen = person.screen
    guest = f"kyaku@{ground.other}"
    to = lambda key: screen.open("/account").until_key("people.title").until_there().press(screen.word(key))  # noqa: E731
    mine = lambda path, kind: Counts(lambda: len(person.ask(path)[kind]))  # noqa: E731

    def invite():
        to("people.invite")
        person.field("people.mail", guest)

    def token():
        to("tokens.new")
        person.field("tokens.name", "nokoru fuda")

    def passkey():
        to("passkeys.new")
        with_authenticator(screen)
        person.field("passkeys.name", "nokoru kagi")
        person.field("account.password-again", PASSWORD)

    def no_passkey():
        to("passkeys.end").until_key("passkeys.end-more", "nokoru kagi")
        person.field("account.password-again", PASSWORD)

    def begin_codes():
        to("codes.begin")
        person.field("account.password-again", PASSWORD)

    def confirm_codes():
        begin_codes()
        screen.press(screen.word("codes.begin-go")).until_key("codes.step-scan")
        secret = screen.driver.find_element(By.CSS_SELECTOR, ".todo code").text.replace(" ", "")
        person.field("login.code", code_of(secret))

    def password():
        to("account.change")
        person.field("account.old", PASSWORD)
        person.field("account.new", NEW_PASSWORD)

    person.form("account/people Invite", invite, "/invitations", "people.send", mine("/invitations", "invitations"), re.escape(guest), older="same")
    person.form("account/tokens NewToken", token, "/tokens", "tokens.make", mine("/tokens", "tokens"), "nokoru fuda", older="again")
    passkeys = mine("/passkeys", "passkeys")
    person.form("account/passkeys New", passkey, "/passkeys", "passkeys.make", passkeys, "nokoru kagi", older="again")
    left = mine("/passkeys", "passkeys")
    person.form("account/passkeys End", no_passkey, "/passkeys/.*/removal", "passkeys.end", lambda: -left(), screen.word("passkeys.new"))
    person.form("account/codes Begin", begin_codes, "/codes", "codes.begin-go", None, screen.word("codes.begin"), older="same")
    is_on = lambda: int(person.ask("/codes")["is_on"])  # noqa: E731
    person.form("account/codes WithCode", confirm_codes, "/codes", "codes.confirm", is_on, re.escape(screen.word("codes.left", 10)))
    is_new = lambda: int(Browser(panel.port).sign_in(ground.owner, PASSWORD).json["error"] != "CODE_NEEDED")  # noqa: E731
    person.form("account/password Password", password, "/password", "account.change", is_new, screen.word("account.password"))


def with_codes(panel, mail):
    """Recovery codes of somebody who has just set two steps up."""
    browser = Browser(panel.port)
    assert browser.sign_in(mail, PASSWORD).status == 201
    secret = browser.ask("POST", "/codes", {"password": PASSWORD}).json["secret"]
    return browser.ask("PUT", "/codes", {"code": code_of(secret)}).json["recovery_codes"]


def of_support(panel, person, ground):
    screen = person.screen
    recovery = with_codes(panel, ground.support)

    def code():
        screen.open("/login").until_key("login.mail")
        fill(screen, "login.mail", ground.support)
        fill(screen, "login.password", PASSWORD).submit()
        screen.until_key("login.code-hint")
        person.field("login.code", recovery[0])

    def answer():
        screen.open(f"/questions/{ground.question}").until_key("inbox.answer").until_there()
        person.field("inbox.answer", "mousugu desu.")

    person.form("login CodeForm", code, "/session", "login.begin", person.is_in, screen.word("frame.sign-out"))
    answers = Counts(lambda: len(panel.api.ask("question_show", str(ground.question))[1]["messages"]))
    person.form("inbox QuestionPage", answer, "/questions/.*/answer", "inbox.send", answers, "mousugu desu")


def of_the_operator(panel, person, ground):
    screen = person.screen.sign_in(ground.operator, PASSWORD)

    def look():
        screen.open("/audit").until_key("audit.look").until_there()
        person.field("audit.who", ground.owner)

    person.form("audit Filter", look, "/audit[?].*who=.*", "audit.look", None, re.escape(ground.owner), older="same")


def test_every_form(panel, ground):
    with Screen(panel.port, "ja", "phone") as screen:
        person = Person(panel, screen)
        for act in (at_the_door, on_the_site, on_the_account):
            act(panel, person, ground)
        person.sign_out()
        of_support(panel, person, ground)
        person.sign_out()
        of_the_operator(panel, person, ground)
        assert person.done == forms(), "a form that nobody has tried, or one that is there no more"
