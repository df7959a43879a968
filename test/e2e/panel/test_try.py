"""The page of ./try before a real browser: everybody can sign in from it, and every button does to the world what it says."""

import pytest
from selenium.webdriver.common.by import By

import tryout
from screen import Screen, folder_for
from servers import new_folder, until


@pytest.fixture(scope="module")
def tried():
    with tryout.opened(folder_for(new_folder())) as (show, stage):
        yield show, stage
        print(show.world.logs())


@pytest.mark.parametrize("lang, size", (("ja", "phone"), ("en", "desktop")))
def test_everybody_can_sign_in(tried, lang, size):
    show, stage = tried
    with Screen(stage.port, lang, size) as screen:
        screen.open("/" if lang == "ja" else "/en").until_text(stage.people[0][1])
        wide = screen.run("return [document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1], wide
        first = screen.driver.current_window_handle
        for number, (_, mail, _) in enumerate(stage.people):
            before = set(screen.driver.window_handles)
            screen.driver.find_elements(By.CSS_SELECTOR, "button[name=person]")[number].click()
            new = until("a tab for this person", lambda: set(screen.driver.window_handles) - before, 20, 0.1)
            screen.driver.switch_to.window(new.pop())
            screen.until_key("frame.sign-out")
            if number > 0:
                screen.press(screen.word("whose-link.follow"))
            until("the page of this person", lambda: mail in screen.open_at(stage.panel + "account").until_there().text(), 20, 0.5)
            screen.driver.close()
            screen.driver.switch_to.window(first)


def test_every_button(tried):
    """Chapter by chapter: what is pressed, and what koshin says of the site afterwards."""
    show, stage = tried
    koshin, presses = show.world.koshin, iter(range(len(stage.buttons)))
    issued = show.well.count("issued")

    def cause(site):
        return {finding for finding, _ in site.findings()}

    def is_ok(site):
        return site.state() == "ok"

    def press():
        number = next(presses)
        screen.driver.find_elements(By.CSS_SELECTOR, "button[name=button]")[number].click()
        screen.until_text(stage.buttons[number].expect[1])

    with Screen(stage.port, "en") as screen:
        screen.open("/en")
        press()  # show me the renewal
        until("it is renewed", lambda: show.well.count("issued") > issued and is_ok(show.well), 150, 0.5)
        press()  # add the record of www
        until("www is safe too", lambda: is_ok(show.alone), 150, 0.5)
        until("what stands against the renewal is found", lambda: show.ends.state() == "act", 150, 0.5)
        press()  # mend it
        until("it is mended", lambda: is_ok(show.ends), 150, 0.5)
        press()  # let it expire
        until("the record is found", lambda: show.ends.state() == "act", 150, 0.5)
        issued = show.well.count("issued")
        shown = show.well.shown()
        press()  # start over
        show.well.until_state("ok")
        assert show.well.shown().is_valid and shown.is_valid
        until("it redirects", lambda: show.redirected.show()["redirect"] in (307, 308), 60, 0.5)
        press()  # put another certificate there
        until("the redirect lets go", lambda: show.redirected.show()["redirect"] == 0, 150, 0.5)
        press()  # mend it
        until("it redirects again", lambda: show.redirected.show()["redirect"] in (307, 308), 150, 0.5)
        until("it is seen where the names lead", lambda: cause(show.away), 150, 0.5)
        press()  # mend it
        until("they lead here", lambda: is_ok(show.away), 150, 0.5)
        press()  # break the DNS
        until("they lead elsewhere", lambda: cause(show.away), 150, 0.5)
        press()  # break the configuration
        until("the operator has an alarm", lambda: "own.deploy.config-broken" in koshin.run("doctor", status=None).stdout, 150, 0.5)
        press()  # mend it
        until("it is put in place", lambda: is_ok(show.well), 150, 0.5)
        until("visitors see a warning, and it is known", lambda: not is_ok(show.foreign), 150, 0.5)
        press()  # mend it
        until("the page is green", lambda: is_ok(show.foreign), 150, 0.5)
        assert next(presses, None) is None, "a button was not pressed"
