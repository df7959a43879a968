"""Chapters of the story in which something is wrong with a name, as an owner lives through them: real DNS, CA and web server. Each chapter happens once
for an owner of each language, who looks at it on a phone and on a desktop."""

import re

import pytest

from screen import PASSWORD, SIZES, Screen
from servers import until

PATIENCE = 150  # an order that met the web server while it was being reloaded is tried again after a minute


class Owner:
    """Somebody with a site for each chapter."""

    def __init__(self, panel, lang):
        self.panel, self.lang, self.mail = panel, lang, f"tanaka@{lang}.example.jp"
        self.no_www = self.add("nashi", "www.nashi", records=[self.name("nashi")])
        self.elsewhere = self.add("yoso", "www.yoso")
        panel.person(self.mail, "owner", lang, "--owner", self.mail)
        panel.add(f"betsu-{lang}.jp", owner=f"betsu@{lang}.example.jp", lang=lang, source="none", coverage="single")
        panel.person(f"betsu@{lang}.example.jp", "owner", lang, "--owner", f"betsu@{lang}.example.jp")

    def name(self, label):
        return f"{label}-{self.lang}.jp"

    def add(self, *labels, **options):
        return self.panel.add(*map(self.name, labels), owner=self.mail, lang=self.lang, **options)


@pytest.fixture(scope="module")
def owners(panel):
    made = {lang: Owner(panel, lang) for lang in ("ja", "en")}
    for owner in made.values():
        owner.elsewhere.until_served(seconds=PATIENCE)
        for name in owner.elsewhere.names:
            owner.elsewhere.point_elsewhere(name)
        panel.world.koshin.run("site", "start-over", owner.elsewhere.name)
    return made


@pytest.fixture(scope="module", params=("ja", "en"))
def owner(request, owners):
    """Signed in, before a browser."""
    made = owners[request.param]
    with Screen(made.panel.port, made.lang) as screen:
        made.screen = screen.sign_in(made.mail, PASSWORD)
        yield made


def seen_on_both(owner, path, look):
    """look(screen) on a phone and on a desktop; each is held against what holds on every page."""
    for size in SIZES:
        owner.screen.resize(size).open(path)
        look(owner.screen)
        owner.screen.judge()


def page_of(owner, site):
    return owner.panel.api.ask("site_page", site.name)[1]


def test_4_www_has_no_record(owner):
    """example.jp is fine and says so, www has its own cause with the record to add; the record appears, and www is added without anybody asking."""
    site = owner.no_www
    www = site.names[1]
    site.until_served(names=[site.name], seconds=PATIENCE)
    site.until_finding("dns.address.partly-missing", www)

    def look(screen):
        cause = page_of(owner, site)["site"]["cause"]
        screen.until_text(cause["title"][owner.lang]).until_there()
        assert www in cause["title"][owner.lang] and owner.panel.world.address in screen.text()
        assert screen.word("todo.no-delete") in screen.text()

    seen_on_both(owner, f"/sites/{site.name}", look)
    site.point_here(www)
    # Nobody reloads: the page tells by itself.
    owner.screen.until_key("headline.ok", site.name, seconds=PATIENCE)
    site.until_served(seconds=5)


def test_9_points_elsewhere(owner):
    """The page shows what DNS answers, what it should answer, and when it is looked at again."""
    site = owner.elsewhere
    finding = site.until_finding("dns.a.elsewhere", seconds=60)
    assert owner.panel.world.elsewhere.address in finding["seen"]

    def look(screen):
        cause = page_of(owner, site)["site"]["cause"]
        screen.until_text(cause["title"][owner.lang]).until_there()
        text = screen.text()
        assert owner.panel.world.elsewhere.address in text and owner.panel.world.address in text
        assert any(line["row"] == "next_look" and line["label"][owner.lang] in text for line in page_of(owner, site)["lines"])

    seen_on_both(owner, f"/sites/{site.name}", look)
    for name in site.names:
        site.point_here(name)
    owner.screen.until_key("headline.ok", site.name, seconds=PATIENCE)


def test_21_www_as_a_second_domain(owner):
    """Whoever looks for www.example.jp, or opens its address, comes to the site that has it; it is not added a second time."""
    site = owner.no_www
    www = site.names[1]
    seen_on_both(owner, f"/sites?search={www}", lambda screen: screen.until_text(site.name))
    seen_on_both(owner, f"/sites/{www}", lambda screen: screen.until_text(page_of(owner, site)["site"]["headline"][owner.lang]))
    status, document = owner.panel.api.ask("sites_add", body={"names": [www], "owner": owner.mail, "root": "/srv"})
    assert status == 409 and document["site"] == site.name


def test_22_somebody_elses_name(owner):
    """Another owner sees nothing of the site, by any address of it; the words are those for a name that nobody has."""
    site = owner.no_www
    with Screen(owner.panel.port, owner.lang, "phone") as other:
        other.sign_in(f"betsu@{owner.lang}.example.jp", PASSWORD).until_text(f"betsu-{owner.lang}.jp")
        words = set()
        for name in (site.name, site.names[1], "nobody-has.jp"):
            other.open(f"/sites/{name}")
            until("it is refused", lambda: other.run("return document.querySelector('[role=alert]') !== null"), 20, 0.1)
            words.add(re.sub(r"\S+\.jp", "NAME", other.run("return document.querySelector('main').innerText")))
        assert len(words) == 1, words
        other.open(f"/sites?search={site.name}").until_key("sites.none-found")
        assert owner.mail not in other.text()
