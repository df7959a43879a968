"""Chapters of the story as people live through them: real API, store, CA, web server, DNS and mail, before a real browser."""

import itertools

import pytest
from selenium.webdriver.common.keys import Keys

from screen import PASSWORD, SIZES, Screen, said
from servers import until
from test_own_redirect import Program, until_said
from world import Watch

VIEWS = list(itertools.product(("ja", "en"), SIZES))
RETRIED_S = 150  # an order that met the web server while it was being reloaded is tried again after a minute
STEPS = ["check", "order", "validate", "receive", "deploy", "verify"]
REMEMBER_STEPS = """
window.seen = [];
new MutationObserver(() => {
	const step = document.querySelector("[aria-current=step] > span:nth-child(2)")?.firstChild?.textContent;
	if (step && seen[seen.length - 1] !== step) seen.push(step);
}).observe(document.body, { subtree: true, childList: true, attributes: true });
"""


@pytest.mark.parametrize("lang, size", VIEWS)
def test_1_first_certificate(panel, lang, size):
    """The owner signs in, sees that the site is not encrypted, presses one button, watches the steps, sees the lock and gets a letter; without a
    pointer."""
    name = f"hajime-{lang}-{size}.jp"
    site, mail = panel.owner(name, f"www.{name}", lang=lang, coverage="multi")
    with Screen(panel.port, lang, size) as screen:
        screen.open("/").until_key("login.mail").judge()
        screen.sign_in(mail, PASSWORD)
        # There is one site only: it is the home page.
        screen.until_key("headline.off", name).until_key("set-up.title").judge()
        assert screen.run("return location.pathname") == f"/sites/{name}"
        screen.run(REMEMBER_STEPS)
        screen.tab_to(screen.word("coverage.multi"))
        screen.tab_to(screen.word("set-up.begin")).keys(Keys.ENTER)
        # Nobody reloads: the page tells by itself.
        screen.until_key("headline.ok", name, seconds=RETRIED_S)
        assert site.until_served().is_valid
        steps = screen.run("return seen")
        order = [screen.word(f"progress.{step}") for step in STEPS]
        places = [order.index(step) for step in steps]
        # They follow each other. An order that the CA refused begins again, and what visitors do not receive yet is put on the server once more.
        back = [(a, b) for a, b in itertools.pairwise(places) if b < a and (a, b) != (5, 4)]
        assert len(places) >= 3 and len(back) <= site.count("order-failed"), steps
        screen.judge()
        letter = site.until_letter(1)[0]
        screen.tab_to(screen.word("letters.title")).keys(Keys.ENTER)
        screen.until_text(letter.subject)
        # What is on the screen is the truth, also after a reload.
        screen.open(f"/sites/{name}").until_key("headline.ok", name).judge()
        assert screen.word("set-up.begin") not in screen.text()


@pytest.mark.parametrize("lang, size", VIEWS)
def test_3_abandoned_draft(panel, lang, size):
    """A draft was begun and left: the page says that nothing changes by it, what would differ, and it goes by one press; the certificate stays."""
    name = f"sitagaki-{lang}-{size}.jp"
    site, mail = panel.owner(name, f"www.{name}", lang=lang, coverage="multi")
    panel.world.koshin.run("site", "set", name, "--source", "free")
    shown = site.until_served(seconds=RETRIED_S)
    panel.world.koshin.run("site", "set", name, "--draft", "--coverage", "single")
    with Screen(panel.port, lang, size) as screen:
        screen.sign_in(mail, PASSWORD)
        screen.until_key("headline.ok", name, seconds=30).until_key("draft.show").judge()
        screen.press(screen.word("draft.show")).until_key("draft.coverage", screen.word("coverage.word.multi"), screen.word("coverage.word.single"))
        screen.judge()
        screen.press(screen.word("draft.discard"))
        until("the draft is gone from the page", lambda: screen.word("draft.show") not in screen.text(), 20, 0.1)
        screen.until_key("history.draft-discarded").until_key("headline.ok", name).judge()
        assert site.show()["draft"] is None and site.shown().fingerprint == shown.fingerprint


@pytest.mark.parametrize("lang, size", (VIEWS[0], VIEWS[-1]))
def test_7_folk_cure(panel, lang, size):
    """Free SSL is given up and taken back, and the site is started over: visitors are served throughout, with the same certificate, and the CA
    hears nothing."""
    name = f"yarinaoshi-{lang}-{size}.jp"
    site, mail = panel.owner(name, f"www.{name}", lang=lang, coverage="multi")
    panel.world.koshin.run("site", "set", name, "--source", "free")
    shown = site.until_served(seconds=RETRIED_S)
    site.until_state("ok")
    orders, changes = site.count("ordered"), site.count("changed")
    with Screen(panel.port, lang, size) as screen, Watch(site):
        screen.sign_in(mail, PASSWORD)
        screen.until_key("headline.ok", name)
        screen.press(screen.word("giving-up.title")).until_key("giving-up.read")
        screen.tab_to(screen.word("giving-up.read")).keys(Keys.TAB)
        screen.keys(Keys.ENTER)
        screen.until_key("giving-up.not-read").judge()
        assert screen.word("giving-up.read") in screen.focused(), "what is wrong has the focus"
        screen.keys(Keys.SPACE)
        screen.keys(Keys.TAB)
        screen.keys(Keys.ENTER)
        screen.until_key("headline.ok-ending", name).until_key("giving-up.is").until_key("history.given-up").judge()
        assert site.shown().fingerprint == shown.fingerprint
        screen.press(screen.word("giving-up.back"))
        screen.until_key("headline.ok", name).until_key("history.taken-back").judge()
        screen.press(screen.word("start-over.title")).until_key("start-over.what")
        screen.keys(Keys.TAB)
        screen.keys(Keys.ENTER)
        until("it was started over", lambda: site.count("changed") == changes + 3, 20, 0.2)
        site.until_state("ok")
        assert site.shown().fingerprint == shown.fingerprint and site.count("ordered") == orders
def answers_https(site):
    try:
        return site.shown().is_valid
    except OSError:
        return False


@pytest.mark.parametrize("lang, size", (VIEWS[0], VIEWS[-1]))
def test_7_destroyed(panel, lang, size):
    """The key is destroyed and the certificate revoked: what that does stands before it, one tick, one button; the page says what is so, and the way
    back is a new certificate."""
    name = f"torikeshi-{lang}-{size}.jp"
    site, mail = panel.owner(name, f"www.{name}", lang=lang, coverage="multi")
    panel.world.koshin.run("site", "set", name, "--source", "free", "--redirect", "on")
    before = site.until_served(seconds=RETRIED_S)
    until("the redirect is on", lambda: site.plain()[0] == 307)
    with Screen(panel.port, lang, size) as screen:
        screen.sign_in(mail, PASSWORD)
        screen.until_key("headline.ok", name)
        screen.press(screen.word("giving-up.title")).until_key("giving-up.which")
        screen.press(screen.word("giving-up.stop")).until_key("giving-up.begin-stop")
        screen.press(screen.word("giving-up.destroy")).until_key("giving-up.download").judge()
        screen.press(screen.word("giving-up.reason-key-compromise"))
        # Without the tick nothing happens, and what was chosen stays.
        screen.press(screen.word("giving-up.begin-destroy")).until_key("giving-up.not-read").judge()
        assert site.shown().fingerprint == before.fingerprint
        screen.keys(Keys.SPACE)  # what is wrong has the focus
        screen.press(screen.word("giving-up.begin-destroy"))
        screen.until_key("headline.revoked", name).until_key("history.revoked").until_key("page.do.revoked").judge()
        until("HTTPS has ended", lambda: not answers_https(site))
        assert site.plain()[0] == 200
        letter = until("the letter", lambda: [one for one in site.letters() if name in one.subject and one.text.count("http://")])[-1]
        assert letter.text
        screen.open(f"/sites/{name}").until_key("headline.revoked", name).judge()
        screen.press(screen.word("set-up.begin"))
        screen.until_key("headline.ok", name, seconds=RETRIED_S).judge()
        assert site.until_served().fingerprint != before.fingerprint




@pytest.mark.parametrize("lang, size", (VIEWS[0], VIEWS[-1]))
def test_7_own_redirect(panel, lang, size):
    """The program of the site sends everybody to https by itself: who is about to give SSL up reads what becomes of visitors, in each of the three
    ways, and afterwards until it is changed."""
    name = f"jibun-{lang}-{size}.jp"
    program = Program(panel.world, Program.FORWARDS)
    site, mail = panel.owner(name, lang=lang, root="", proxy=program.url)
    try:
        panel.world.koshin.run("site", "set", name, "--source", "free")
        site.until_served(seconds=RETRIED_S)
        until("the program forwards", lambda: site.plain()[0] == 301, 10)
        to = f"https://{name}:{panel.world.nginx.https_port}/"
        until_said(panel.world, site, to)
        with Screen(panel.port, lang, size) as screen:
            screen.sign_in(mail, PASSWORD)
            screen.until_key("headline.ok", name)
            screen.press(screen.word("giving-up.title")).until_key("giving-up.own-redirect").until_text(to).judge_twice()
            for form, words in (("stop", "api.own-redirect"), ("destroy", "api.own-redirect-at-once"), ("off", "api.own-redirect")):
                screen.press(screen.word(f"giving-up.{form}")).until_text(said(words, lang, name, "", to)[-16:]).judge()
            screen.tab_to(screen.word("giving-up.read")).keys(Keys.SPACE)
            screen.keys(Keys.TAB)
            screen.keys(Keys.ENTER)
            screen.until_key("giving-up.is").until_key("giving-up.own-redirect").until_text(to).judge_twice()
            program.does("")
            until("the program shows its page", lambda: site.plain()[0] == 200, 10)
            screen.press(screen.word("giving-up.own-redirect-look"))
            until("it is not said any more", lambda: screen.word("giving-up.own-redirect") not in screen.text(), 30, 0.2)
            screen.until_key("giving-up.is").judge()
    finally:
        panel.world.nginx.extra.write_text("# nothing\n")
        panel.world.nginx.reload()
