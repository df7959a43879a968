"""Pages of support and of the operator, and those for everybody: real data in them, in both languages, on a phone and a desktop, light and dark."""

import itertools
import urllib.request
import xml.etree.ElementTree as ElementTree

import pytest
from selenium.webdriver.common.keys import Keys

from screen import PASSWORD, SIZES, Screen
from servers import until
from test_api import in_store

ATOM = "{http://www.w3.org/2005/Atom}"
VIEWS = list(itertools.product(("ja", "en"), SIZES))


@pytest.fixture(scope="module")
def fleet(panel):
    """A site that its owner has to mend, one that is fine, a letter that came back, a question, an incident; an operator and support."""
    world = panel.world
    elsewhere = world.site("yoso.jp")
    elsewhere.point_elsewhere()
    elsewhere.add(coverage="single")
    fine = world.site("bunan.jp").add(coverage="single")
    for lang in ("ja", "en"):
        panel.person(f"unei-{lang}@host.example", "operator", lang)
        panel.person(f"shien-{lang}@host.example", "support", lang)
    fine.until_served(seconds=150)
    elsewhere.until_finding("dns.a.elsewhere")
    panel.api.ask("question_ask", "yoso.jp", "", {"text": "なぜ止まっていますか。\nWhy does it stand still?"})
    in_store(
        world,
        "INSERT INTO letter (site_id, kind, key, message_id, \"to\", subject, body, message, created, next_try, sent_at, tries, error, bounced_at, bounce) "
        "SELECT site_id, 'act', 'staff/1', 'staff-1@host.example', 'nai@yoso.jp', 'yoso.jp', '', '', unixepoch() - 60, NULL, unixepoch() - 50, 1, '', "
        "unixepoch(), '550 5.1.1 no such mailbox' FROM name WHERE name = 'yoso.jp'",
        "INSERT INTO incident (cause, began, seen, ended) VALUES ('dns.lookup.servfail', unixepoch() - 90000, unixepoch() - 80000, unixepoch() - 80000)",
        "INSERT INTO incident (cause, began, seen) VALUES ('dns.lookup.timeout', unixepoch() - 600, unixepoch() + 864000)",
    )
    until("the watchdog has looked", lambda: panel.api.ask("alarms_list")[1]["looked_at"], 90)
    # Certificates here live for an hour: what is to be renewed is so today, or tomorrow, or is on its way.
    until("renewals are counted", lambda: (lambda of: of["at"] and of["due"] + sum(day["n"] for day in of["days"]))(panel.api.ask("overview_show")[1]["forecast"]), 90)
    return world


@pytest.fixture(scope="module")
def screens(panel):
    """One browser for each language; the size is changed."""
    made = {lang: Screen(panel.port, lang) for lang in ("ja", "en")}
    yield made
    for one in made.values():
        one.close()


def forecast_is_told(panel, screen):
    """What comes due is in the words and, day by day, in the table, which is opened by the keyboard; beside it what the CA takes a day."""
    forecast = panel.api.ask("overview_show")[1]["forecast"]
    text = screen.text()
    assert screen.word("forecast.title") in text
    for limit in forecast["limits"]:
        assert screen.word("forecast.no-limit", limit["ca"]) in text and limit["new_orders"] is None
    if not forecast["days"]:
        assert screen.word("forecast.none") in text
        return
    screen.tab_to(screen.word("forecast.table"))
    screen.keys(Keys.ENTER)
    rows = screen.run("return [...document.querySelectorAll('section[aria-labelledby=forecast] tbody tr')].map(r => [r.cells[0].innerText, r.cells[1].innerText])")
    assert len(rows) >= 1 and all(day and int(n) > 0 for day, n in rows)
    assert any(screen.word("forecast.busiest", day, n) in text for day, n in rows)


@pytest.mark.parametrize("lang, size", VIEWS)
def test_operator(panel, fleet, screens, lang, size):
    """What needs a person stands first; then the fleet, causes with an example, CAs with their limits, letters that came back; and who did what."""
    screen = screens[lang].forget().resize(size).sign_in(f"unei-{lang}@host.example", PASSWORD)
    screen.until_key("operator.title").until_there().until_key("clusters.title").until_text("dns.a.elsewhere").until_text("550 5.1.1")
    text = screen.text()
    assert screen.word("overview.ended") in text and screen.word("operator.cas") in text and "pebble" in text
    assert screen.run("return document.querySelectorAll('svg.chart rect').length") >= 1
    forecast_is_told(panel, screen)
    screen.judge_twice(is_one_language=False)
    # From a cause to the sites that have it.
    screen.run("[...document.querySelectorAll('a')].find(a => a.getAttribute('href') === '/sites?cause=dns.a.elsewhere').click()")
    screen.until_text("yoso.jp").judge()
    assert "bunan.jp" not in screen.text()
    # The audit says that this person came in, and what else was done to the site is found by its name.
    screen.press(screen.word("menu.audit")).until_key("audit.title").until_key("did.session_begin").until_text(f"unei-{lang}@host.example")
    screen.judge_twice(is_one_language=False)
    screen.open("/audit?object=yoso.jp").until_text(screen.word("did.question_ask"))
    assert screen.word("did.session_begin") not in screen.text()


@pytest.mark.parametrize("lang, size", VIEWS)
def test_support(fleet, screens, lang, size):
    """The inbox has the question with its cause, and an answer that is drafted; support sees the site, and nothing that it may not do."""
    screen = screens[lang].forget().resize(size).sign_in(f"shien-{lang}@host.example", PASSWORD)
    screen.until_key("inbox.title").until_text("yoso.jp").judge_twice(is_one_language=False)
    # Other stories may have asked, too.
    screen.run("[...document.querySelectorAll('a')].find(a => /^.questions.[0-9]/.test(a.getAttribute('href')) && a.closest('li').innerText.includes('yoso.jp')).click()")
    screen.until_key("inbox.drafted").until_text("なぜ止まっていますか").judge_twice(is_one_language=False)
    screen.open("/sites/yoso.jp").until_there().judge(is_one_language=False)
    assert screen.word("start-over.title") not in screen.text()
    screen.open("/operator").until_key("not-here.title").judge()


@pytest.mark.parametrize("lang, size", VIEWS)
def test_status_help_and_gallery(fleet, screens, lang, size):
    """For everybody: one notice for what many have at once, without a name of a customer; help by cause; the components."""
    screen = screens[lang].forget().resize(size)
    screen.open("/status").until_key("incident.dns").until_key("status.past")
    assert "yoso" not in screen.text() and "bunan" not in screen.text()
    screen.judge_twice()
    with urllib.request.urlopen(f"{screen.base}/api/v1/status/feed?lang={lang}") as answer:
        assert answer.headers["Content-Type"].startswith("application/atom+xml")
        feed = ElementTree.fromstring(answer.read())
    assert [entry.findtext(f"{ATOM}title") for entry in feed.findall(f"{ATOM}entry")] == [screen.word("incident.dns")] * 2
    screen.open("/help").until_key("help.intro").judge_twice()
    screen.open("/help/dns.a.elsewhere").until_key("help.action").judge_twice()
    screen.open("/gallery").until_key("gallery.title").judge_twice(is_one_language=False)
