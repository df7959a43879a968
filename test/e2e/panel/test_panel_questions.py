"""Chapter 14 as people live through it: an owner who asks on the page of a site, one who answers a letter, and support with an answer that is drafted."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from screen import PASSWORD, Screen
from servers import until
from test_questions import mail as answer_to, receive

PATIENCE = 150  # an order that met the web server while it was being reloaded is tried again after a minute
ASKS = {"ja": "どの画面で直せばいいですか?", "en": "On which page do I mend this?"}
MORE = {"ja": "追伸: 画面の写真をお送りします。", "en": "PS: I send you a picture of that page."}
AGAIN = {"ja": "スマートフォンからでもできますか?", "en": "Can I do that on my phone?"}


@pytest.fixture(scope="module")
def sites(panel):
    """www has no record: its owner got a letter that says so."""
    made = {}
    for lang in ("ja", "en"):
        name = f"kiku-{lang}.jp"
        owner = f"owner@{name}"
        made[lang] = panel.add(name, f"www.{name}", owner=owner, lang=lang, records=[name])
        panel.person(owner, "owner", lang, "--owner", owner)
        panel.person(f"toiawase-{lang}@host.example", "support", lang)
    for site in made.values():
        site.until_served(names=[site.name], seconds=PATIENCE)
        site.until_finding("dns.address.partly-missing", site.names[1], seconds=PATIENCE)
        site.until_letter(1)
    return made


def open_question(screen, site):
    """From the inbox, by the site's name."""
    screen.open("/questions").until_key("inbox.title").until_text(site.name)
    row = until("the question stands in the inbox", lambda: [li for li in screen.driver.find_elements(By.CSS_SELECTOR, "ul.sites > li") if site.owner in li.text and "/questions/" in li.get_attribute("innerHTML")], 20)[0]
    row.find_element(By.CSS_SELECTOR, "a.name").click()
    return screen.until_key("inbox.drafted").until_there()


def drafted(screen):
    return screen.run("return document.querySelector('main textarea').value")


@pytest.mark.parametrize("lang, size", (("ja", "phone"), ("en", "desktop")))
def test_14_a_question(panel, sites, lang, size):
    site = sites[lang]
    www = site.names[1]
    cause = panel.api.ask("site_page", site.name)[1]["site"]["cause"]
    with Screen(panel.port, lang, size) as owner, Screen(panel.port, lang, "desktop" if size == "phone" else "phone") as support:
        # The answer stands there before the question is sent; one press sends it, with what we know.
        owner.sign_in(site.owner, PASSWORD).until_text(cause["title"][lang]).until_there()
        ask = owner.driver.find_element(By.ID, "ask")
        assert cause["title"][lang] in ask.text and owner.word("ask.above") in ask.text and panel.world.address in owner.text()
        owner.tab_to(owner.word("ask.text")).keys(ASKS[lang])
        owner.keys(Keys.TAB, Keys.ENTER)
        owner.until_key("ask.sent").until_key("ask.open").judge()

        # Support reads it with the cause and with an answer, point by point, and adds a line.
        support.sign_in(f"toiawase-{lang}@host.example", PASSWORD)
        open_question(support, site).judge_twice(is_one_language=False)
        text = drafted(support)
        assert support.word("inbox.then") in support.text() and cause["title"][lang] in support.text() and ASKS[lang] in support.text()
        for point in (cause["explanation"][lang], cause["action"][lang], www, panel.world.address):
            assert point in text, (point, text)
        support.run("const f = document.querySelector('main textarea'); f.focus(); f.setSelectionRange(f.value.length, f.value.length)")
        support.keys(Keys.ENTER, MORE[lang])
        before = len(site.letters())
        support.press(support.word("inbox.send")).until_text(MORE[lang])
        until("it waits no more", lambda: support.word("inbox.close") not in support.text(), 20, 0.1)

        # It is on the owner's page without a reload, and in the mail.
        owner.until_key("ask.answered")
        owner.press(f"{owner.word('ask.question')} {owner.word('ask.answered')}").until_text(MORE[lang]).until_key("ask.from-support").judge()
        letter = site.until_letter(before + 1)[before]
        assert MORE[lang] in letter.text and panel.world.address in letter.text

        # The owner goes on by simply answering the mail: the same question is open again, and on the page as well.
        receive(panel.world, answer_to(site.owner, letter, AGAIN[lang]))
        owner.until_text(AGAIN[lang]).until_key("ask.open")
        open_question(support, site).until_text(AGAIN[lang]).until_text(ASKS[lang])
        support.press(support.word("inbox.close"))
        until("it waits no more", lambda: support.word("inbox.close") not in support.text(), 20, 0.1)

        # And an answer to the letter that we wrote first becomes a question of its own, of this site.
        first = site.letters()[0]
        receive(panel.world, answer_to(site.owner, first, f"{AGAIN[lang]} (2)"))
        open_question(support, site).until_text(f"{AGAIN[lang]} (2)").until_text("Re: ")
        assert www in drafted(support)
        support.press(support.word("inbox.close"))
        until("it waits no more", lambda: support.word("inbox.close") not in support.text(), 20, 0.1)
