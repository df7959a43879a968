"""A reload, the way back, two tabs, a dead connection, a server that starts anew: in the middle of a form or of a live step each ends with the truth
on the screen, with nothing typed for nothing and nothing done twice."""

import pytest
from selenium.webdriver.common.by import By

from browser import Browser
from screen import DEAF, PASSWORD, Screen
from servers import until
from test_panel_account import fill

VIEWS = (("ja", "phone"), ("en", "desktop"))
RETRIED_S = 150  # an order that met the web server while it was being reloaded is tried again after a minute
NEW_PASSWORD = "itsu mo onaji hana"
# The first thing that is wanted after this is done, and its answer never comes.
LOSE_ONE = """
const ask = window.fetch;
let isLost = false;
window.fetch = async (url, options) => {
	const answer = await ask(url, options);
	if (isLost || !options?.method || options.method === "GET") return answer;
	isLost = true;
	throw new TypeError("the connection is away");
};
"""


class Tabs:
    """Pages of one person, each in a tab of its own, by a name."""

    def __init__(self, screen):
        self.screen = screen
        self.handles = {}

    def new(self, name, path):
        self.screen.driver.switch_to.new_window("tab")
        self.handles[name] = self.screen.driver.current_window_handle
        return self.screen.open(path)

    def to(self, name):
        self.screen.driver.switch_to.window(self.handles[name])
        return self.screen


def summary(screen, key):
    screen.press(screen.word(key))
    return screen


def of(screen, css):
    return until(f"there is {css}", lambda: screen.driver.find_elements(By.CSS_SELECTOR, css), 20, 0.1)[0]


def redirect_button(screen, is_on):
    return screen.word("settings.turn-off" if is_on else "settings.turn-on", screen.word("settings.redirect"))


@pytest.mark.parametrize("lang, size", VIEWS)
def test_live_steps(panel, lang, size):
    """While the first certificate is on its way the page is loaded again, opened once more beside, left and come back to, and the server behind it dies:
    the steps go on where they are, and every tab ends with the lock. One order was placed."""
    name = f"nokoru-{lang}.jp"
    site, mail = panel.owner(name, f"www.{name}", lang=lang, coverage="multi")
    with Screen(panel.port, lang, size) as screen:
        screen.sign_in(mail, PASSWORD).until_key("set-up.title")
        screen.press(screen.word("set-up.begin")).until_key("progress.title")
        tabs = Tabs(screen)
        tabs.handles["first"] = screen.driver.current_window_handle
        screen.driver.refresh()
        screen.until_key("progress.title")
        tabs.new("second", f"/sites/{name}").until_key("progress.title")
        tabs.to("first").open("/help").until_there()
        screen.driver.back()
        screen.until_key("progress.title")
        assert screen.word("set-up.begin") not in screen.text()
        panel.world.koshin.kill("web")
        for tab in ("first", "second"):
            tabs.to(tab).until_key("headline.ok", name, seconds=RETRIED_S)
        assert site.until_served().is_valid
        assert site.count("ordered") == 1 + site.count("order-failed")
        # The way back leads to a page that was: it says what is.
        screen.open("/help").until_there()
        screen.driver.back()
        screen.until_key("headline.ok", name).until_there()
        assert screen.word("set-up.begin") not in screen.text() and screen.word("progress.title") not in screen.text()


@pytest.mark.parametrize("lang, size", VIEWS)
def test_forms_and_a_server_that_is_away(panel, lang, size):
    """Forms stand filled in, each in a tab, when the server goes: each says that nobody answered and keeps what was typed; sent again, each is done, once."""
    name, guest = f"nokoru-yoshi-{lang}.jp", f"nokoru-{lang}@example.com"
    site, mail = panel.owner(name, f"www.{name}", lang=lang, coverage="multi")
    panel.world.koshin.run("site", "set", name, "--source", "free")
    site.until_served(seconds=RETRIED_S)
    site.until_state("ok")
    with Screen(panel.port, lang, size) as screen:
        screen.sign_in(mail, PASSWORD)
        tabs = Tabs(screen)
        tabs.new("question", f"/sites/{name}").until_key("ask.title").until_there()
        of(screen, "#ask textarea").send_keys("kore wa nokorimasu ka?")
        tabs.new("setting", f"/sites/{name}").until_key("settings.title").until_there()
        summary(screen, "settings.title")
        tabs.new("invitation", "/account").until_key("people.title").until_there()
        screen.press(screen.word("people.invite"))
        fill(screen, "people.mail", guest)
        tabs.new("token", "/account").until_key("people.title").until_there()
        screen.press(screen.word("tokens.new"))
        fill(screen, "tokens.name", "nokoru fuda")
        tabs.new("password", "/account").until_key("people.title").until_there()
        screen.press(screen.word("account.change"))
        fill(screen, "account.old", PASSWORD)
        fill(screen, "account.new", NEW_PASSWORD)
        sends = {
            "question": screen.word("ask.send"),
            "setting": redirect_button(screen, False),
            "invitation": screen.word("people.send"),
            "token": screen.word("tokens.make"),
            "password": screen.word("account.change"),
        }
        typed = "return [...document.querySelectorAll('input:not([type=checkbox], [type=radio]), textarea')].map(e => e.value)"

        assert panel.world.koshin.stop() == 0
        for tab, send in sends.items():
            before = tabs.to(tab).run(typed)
            screen.press(send).until_key("failure.offline")
            assert screen.run(typed) == before, tab
        panel.world.koshin.start()

        tabs.to("question").press(sends["question"]).until_key("ask.sent")
        assert len(panel.api.ask("questions_list", name)[1]["questions"]) == 1
        tabs.to("setting").press(sends["setting"])
        until("it redirects", lambda: site.show()["setting"]["redirect"], 20, 0.2)
        until("the page says so", lambda: redirect_button(screen, True) in screen.text(), 20, 0.1)
        assert site.show()["draft"] is None
        tabs.to("invitation").press(sends["invitation"]).until_key("people.sent", guest)
        panel.world.mail.wait_for("an invitation", lambda letter: letter.to == guest)
        tabs.to("token").press(sends["token"]).until_key("tokens.once")
        tabs.to("password").press(sends["password"]).until_key("account.password-done")
        assert Browser(panel.port).sign_in(mail, NEW_PASSWORD).status == 201
        # The other tabs are still this person's, whatever became of the session meanwhile.
        tabs.to("question").driver.refresh()
        screen.until_key("ask.title").until_key("ask.open")
        tabs.to("token").driver.refresh()
        screen.until_text("nokoru fuda").until_there()
        assert screen.text().count("nokoru fuda") == 1
        assert len(panel.world.mail.letters(to=guest)) == 1


@pytest.mark.parametrize("lang, size", VIEWS)
def test_answers_that_were_lost(panel, lang, size):
    """What was wanted was done, and its answer got lost: the page says that nobody answered; wanted again it is not done again, and the screen has the
    truth."""
    name, guest = f"todokanu-{lang}.jp", f"todokanu-{lang}@example.com"
    site, mail = panel.owner(name, f"www.{name}", lang=lang, coverage="multi")
    panel.world.koshin.run("site", "set", name, "--source", "free")
    site.until_served(seconds=RETRIED_S)
    site.until_state("ok")
    with Screen(panel.port, lang, size) as screen:
        screen.sign_in(mail, PASSWORD).until_there()
        # A setting: its draft was begun and not applied. The page is told of the draft, and a press makes it live.
        screen.run(LOSE_ONE)
        summary(screen, "settings.title")
        screen.press(redirect_button(screen, False)).until_key("draft.show")
        screen.press(screen.word("draft.show")).press(screen.word("draft.apply"))
        until("it redirects", lambda: site.show()["setting"]["redirect"] and site.show()["draft"] is None, 20, 0.2)
        until("the draft is gone from the page", lambda: screen.word("draft.show") not in screen.text(), 20, 0.1)
        screen.open("/account").until_key("people.title").until_there()
        screen.run(LOSE_ONE)
        screen.press(screen.word("people.invite"))
        fill(screen, "people.mail", guest)
        screen.press(screen.word("people.send")).until_key("failure.offline")
        screen.press(screen.word("people.send")).until_key("people.sent", guest)
        screen.open("/account").until_key("people.title").until_there()
        screen.run(LOSE_ONE)
        screen.press(screen.word("tokens.new"))
        fill(screen, "tokens.name", "todokanu fuda")
        screen.press(screen.word("tokens.make")).until_key("failure.offline")
        # Its secret was shown to nobody, and is shown to nobody: it stands in the list, to be revoked.
        screen.until_key("tokens.revoke")
        screen.press(screen.word("tokens.make")).until_key("api.key-done")
        screen.driver.refresh()
        screen.until_text("todokanu fuda").until_there()
        assert screen.text().count("todokanu fuda") == 1 and screen.text().count(guest) == 1
        panel.world.mail.wait_for("an invitation", lambda letter: letter.to == guest)
        assert len(panel.world.mail.letters(to=guest)) == 1


@pytest.mark.parametrize("lang, size", VIEWS)
def test_two_tabs(panel, lang, size):
    """What is done in one tab is what the other one shows; what is pressed there although it is over ends with the truth; and after signing out in one,
    the other leads to the door and back."""
    name = f"futatsu-{lang}.jp"
    site, mail = panel.owner(name, f"www.{name}", lang=lang, coverage="multi")
    panel.world.koshin.run("site", "set", name, "--source", "free")
    site.until_served(seconds=RETRIED_S)
    site.until_state("ok")
    panel.world.koshin.run("site", "set", name, "--draft", "--redirect", "on")
    with Screen(panel.port, lang, size) as screen:
        screen.sign_in(mail, PASSWORD)
        tabs = Tabs(screen)
        for tab in ("left", "right"):
            tabs.new(tab, f"/sites/{name}").until_key("draft.show").until_there()
        screen.press(screen.word("draft.discard"))
        until("the draft is gone from the right tab", lambda: screen.word("draft.show") not in screen.text(), 20, 0.1)
        # The left one was not looked at. Its button comes too late, or is gone before it is pressed.
        tabs.to("left")
        until("the draft is gone from the left tab", lambda: screen.word("draft.show") not in screen.text(), 20, 0.1)
        assert site.show()["draft"] is None and site.show()["setting"]["redirect"] is False
        # A tab that has heard of nothing since: what somebody else has begun is not made live with what is pressed there, and nothing is written over it.
        tabs.new("deaf", "/help").until_there()
        screen.before_each_page(DEAF).open(f"/sites/{name}").until_key("settings.title").until_there()
        screen.run("window.isDeaf = true")
        panel.world.koshin.run("site", "set", name, "--draft", "--coverage", "single")
        summary(screen, "settings.title")
        screen.press(redirect_button(screen, False)).until_key("api.conflict")
        assert site.show()["setting"]["redirect"] is False and site.show()["draft"]["setting"]["redirect"] is False
        assert site.show()["setting"]["coverage"] == "multi"
        panel.api.ask("draft_discard", name)
        tabs.to("left")
        screen.press(screen.word("frame.sign-out")).until_key("login.begin")
        tabs.to("right").until_key("login.mail")
        fill(screen, "login.mail", mail)
        fill(screen, "login.password", PASSWORD).submit()
        screen.until_key("headline.ok", name)
        assert screen.run("return location.pathname") == f"/sites/{name}"
