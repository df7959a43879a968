"""Chapters of the story in which a certificate ends, as people live through them: lives of a hundred seconds, everything else as it is. The sites of all
chapters live at the same time; each is seen in Japanese on a phone and in English on a desktop."""

import re

import pytest

from panel_world import PanelWorld
from screen import PASSWORD, WORDS, Screen, said
from servers import key_pem, make_certificate, pem, until
from world import now

LIFE = 100  # seconds
VIEWS = (("ja", "phone"), ("en", "desktop"))
IN_USE = {"ja": "使用中|利用中|使っています", "en": "in use"}
PATIENCE = 60


class Lived:
    """The sites of one language, each with an owner of its own, and a browser for them."""

    def __init__(self, panel, lang, size):
        self.panel, self.lang, self.size = panel, lang, size
        self.ignored, self.second = self.site("wasure"), f"futari@{lang}.example.jp"
        self.ended = self.site("kireta")
        self.sent_on = self.site("tensou")
        panel.person(self.second, "owner", lang, "--owner", self.ignored.owner)
        panel.person(f"shien@{lang}.host.example", "support", lang)
        self.screen = Screen(panel.port, lang, size)

    def site(self, label):
        name = f"{label}-{self.lang}.jp"
        site, _ = self.panel.owner(name, f"www.{name}", lang=self.lang, coverage="multi")
        self.panel.world.koshin.run("site", "set", name, "--source", "free")
        return site

    def sign_in(self, mail):
        return self.screen.forget().sign_in(mail, PASSWORD)

    def page(self, site):
        return self.panel.api.ask("site_page", site.name)[1]


@pytest.fixture(scope="module")
def panel():
    # An answer of DNS that is lost on a busy machine would be taken for a cure.
    made = PanelWorld(life=LIFE, check={"timeout": "8 s", "deadline": "20 s"})
    try:
        yield made
    finally:
        made.world.stop()


@pytest.fixture(scope="module")
def lived(panel):
    """All sites have their first certificate; then DNS of some sends most visitors elsewhere."""
    made = {}
    try:
        for lang, size in VIEWS:
            made[lang] = Lived(panel, lang, size)
        for one in made.values():
            for site in (one.ignored, one.ended, one.sent_on):
                site.first = site.until_served(seconds=PATIENCE)
            for site in (one.ignored, one.ended):
                lead_astray(site)
        yield made
    finally:
        for one in made.values():
            one.screen.close()


@pytest.fixture(params=[lang for lang, _ in VIEWS])
def owner(lived, request):
    return lived[request.param]


def lead_astray(site):
    for name in site.names:
        site.world.dns.set(name, "AAAA", "::1")


def bring_back(site):
    for name in site.names:
        site.world.dns.remove(name, "AAAA")


def six_things(owner, site):
    """What the page says of the six things, each seen on the screen: {row: text}."""

    def look():
        lines = owner.page(site)["lines"]
        shown = owner.screen.run("return [...document.querySelectorAll('.band dl > div')].map(d => [d.querySelector('dt').innerText, d.querySelector('dd').innerText])")
        wanted = [[line["label"][owner.lang], line["text"][owner.lang]] for line in lines]
        return {line["row"]: line["text"][owner.lang] for line in lines} if shown == wanted else None

    things = until("the page says what the API says", look, 20, 0.2)
    assert list(things) == ["seen", "until", "cause", "do", "next_look", "help"] and all(things.values()), things
    return things


def assert_letter(letter, owner, site, *values):
    """A letter that says the six things, with the value to enter, and leads to the page of the site."""
    text = letter.text.replace("\r\n", "\n")
    for rows in (("seen",), ("until", "since"), ("cause",), ("do",), ("next_look",), ("help",)):
        assert any(re.search(f"^{said(f'page.label.{row}', owner.lang)}: *\\S|^{said(f'page.label.{row}', owner.lang)}:\n.+\\S", text, re.M) for row in rows), (rows, text)
    for value in (*values, f"{owner.screen.base}/sites/{site.name}"):
        assert value in text, (value, text)
    assert site.name in letter.subject


def buttons(screen):
    """The primary buttons that are to be seen."""
    return screen.run("return [...document.querySelectorAll('main button.first')].filter(b => b.checkVisibility()).map(b => b.innerText)")


def test_8_the_redirect(owner):
    """A switch that says what it does before it is pressed. It answers 307 until two renewals have gone well, and HSTS cannot be had before."""
    site, screen = owner.sent_on, owner.sign_in(owner.sent_on.owner)
    screen.until_key("headline.ok", site.name, seconds=PATIENCE)
    screen.press(screen.word("settings.title")).until_key("settings.redirect-off").judge()
    assert site.plain()[0] == 200
    screen.press(screen.word("settings.turn-on", screen.word("settings.redirect"))).until_key("settings.redirect-307")
    until("the redirect", lambda: site.plain()[0] == 307, 20, 0.1)
    hsts = screen.word("settings.turn-on", screen.word("settings.hsts"))
    screen.until_key("settings.hsts-not-yet").judge()
    screen.press(hsts)
    assert screen.run("return [...document.querySelectorAll('button[aria-disabled=true]')].map(b => b.innerText)") == [hsts]
    assert site.show()["setting"]["hsts"] is False
    until("it is everywhere", lambda: site.plain("/a?b=c")[1].get("location", "").endswith("/a?b=c"), 5, 0.1)
    assert site.plain("/.well-known/acme-challenge/token")[0] == 200


def test_5_the_first_letter(owner):
    """The page and one letter say what only the owner can do; the letter leads to the page."""
    site, screen = owner.ignored, owner.sign_in(owner.ignored.owner)
    act = until("the letter that asks to act", lambda: site.letters()[1:], PATIENCE)[0]
    assert_letter(act, owner, site, "AAAA", "::1")
    # It is not read on the day on which it comes, and not at the desk of whom it was sent to.
    site.world.mail.refuse(site.owner)
    link = re.search(r"http://localhost:\d+/\S+", act.text)[0]
    screen.driver.get(link)
    screen.until_key("headline.act", site.name, seconds=PATIENCE).until_there()
    things = six_things(owner, site)
    assert "::1" in screen.text() and "AAAA" in screen.text()
    assert owner.page(site)["site"]["cause"]["title"][owner.lang] in act.subject
    assert things["until"].startswith(said("page.until.safe", owner.lang, "").strip()[:4]) or owner.lang == "ja", things
    assert buttons(screen) == [screen.word("page.button.check")]
    screen.judge()
    assert now() < site.first.not_after


def test_6_expired(owner):
    """The page opens with what visitors see, since when, why, and the one record to mend. Nothing says that anything is in use."""
    site, screen = owner.ended, owner.sign_in(owner.ended.owner)
    # Nobody reloads: the page tells by itself.
    screen.until_key("headline.expired", site.name, seconds=LIFE + PATIENCE).until_there()
    assert now() >= site.first.not_after and not site.shown().is_valid
    things = six_things(owner, site)
    assert site.name in things["seen"] and screen.word("page.label.since") in screen.text()
    drawn = screen.run("return document.querySelector('figure.warned').innerText")
    assert site.name in drawn and screen.word("warned.title") in drawn
    assert "::1" in screen.text() and "AAAA" in screen.text()
    assert buttons(screen) == [screen.word("page.button.check")]
    assert not re.search(IN_USE[owner.lang], screen.text()), screen.text()
    screen.judge_twice()
    told = until("the letter at the end", lambda: [x for x in site.letters() if said("state.expired", owner.lang) in x.subject or re.search("since|から警告", x.subject)], PATIENCE)[-1]
    assert_letter(told, owner, site, "AAAA", "::1")

    # The history names what it speaks of.
    title = owner.page(site)["site"]["cause"]["title"][owner.lang]
    found = f"{said('history.found', owner.lang)}: {title}"
    assert found in [event["text"][owner.lang] for event in owner.page(site)["timeline"]]
    assert f"{said('history.letter', owner.lang)}: {site.owner}" in screen.text()
    # Pressed too early it does no harm, and says so.
    asked = site.count("asked")
    assert screen.word("todo.no-harm") in screen.text() or screen.word("todo.asked") in screen.text()
    screen.press(screen.word("page.button.check"))
    site.until_kind("asked", at_least=asked + 1)
    screen.until_key("headline.expired", site.name)
    before = len(site.letters())
    bring_back(site)
    screen.until_key("headline.ok", site.name, seconds=PATIENCE)
    site.until_served(other_than=site.first.fingerprint)
    assert screen.run("return document.querySelector('figure.warned')") is None
    six_things(owner, site)
    screen.judge()
    well = site.until_letter(before + 1)[before]
    assert_letter(well, owner, site)
    assert site.findings() == set()


def test_5_the_ignored_letters(owner):
    """The last letter is shorter than the first; what came back goes to the second contact, and is said at the next login until it is read. Support
    sees the site by itself. The cause goes away, and nobody has to press anything."""
    site = owner.ignored
    until("the letter that asks to act", lambda: site.letters()[1:], PATIENCE)
    site.world.mail.refuse(site.owner)
    until("the end of the certificate", lambda: now() > site.first.not_after, LIFE, 0.2)
    second = lambda: site.world.mail.letters(to=owner.second)
    passed_on = until("the letter at the end", lambda: (got := second()) and re.search("since|から警告", got[-1].subject) and got, PATIENCE)
    for letter in passed_on:
        assert_letter(letter, owner, site, "AAAA", "::1")
    assert len({letter.message_id for letter in passed_on}) == len(passed_on)
    # The last is the plainest; that each is shorter than the one before where nothing else has changed is test/unit/words_letter.c's.
    assert len(passed_on) < 2 or len(passed_on[-1].text) < len(passed_on[0].text), [letter.text for letter in passed_on]

    screen = owner.sign_in(f"shien@{owner.lang}.host.example")
    screen.until_key("late.title").until_text(site.name).judge(is_one_language=False)

    screen = owner.sign_in(site.owner)
    screen.until_key("headline.expired", site.name, seconds=PATIENCE).until_key("undelivered.title").until_text(passed_on[-1].subject).until_there().judge()
    read = "const b = [...document.querySelectorAll('.notice button')].find(b => b.innerText.startsWith(arguments[0])); b?.click(); return b === undefined"
    until("all are read", lambda: screen.run(read, screen.word("undelivered.read")), 20, 0.3)
    screen.open(f"/sites/{site.name}").until_key("headline.expired", site.name).until_there()
    assert screen.word("undelivered.title") not in screen.text()

    before = len(second())
    bring_back(site)
    screen.until_key("headline.ok", site.name, seconds=PATIENCE)
    site.until_served(other_than=site.first.fingerprint)
    well = until("the letter that all is well", lambda: second()[before:], PATIENCE)[0]
    assert_letter(well, owner, site)


def test_8_for_good(owner):
    """Two renewals have gone well: 308, and HSTS for less than the certificate has left. HTTPS breaks: the redirect lets go, and the page can be reached."""
    site, world, screen = owner.sent_on, owner.panel.world, owner.sign_in(owner.sent_on.owner)
    screen.until_key("headline.ok", site.name).press(screen.word("settings.title"))
    screen.until_key("settings.redirect-308", seconds=3 * LIFE)
    until("the lasting redirect", lambda: site.plain()[0] == 308, 20, 0.1)
    screen.press(screen.word("settings.turn-on", screen.word("settings.hsts"))).until_key("settings.hsts-on").judge()
    header = until("the promise", lambda: site.secure()[1].get("strict-transport-security"), 20, 0.1)
    left = (site.shown().not_after - now()).total_seconds()
    assert 0 < int(re.search(r"max-age=(\d+)", header)[1]) <= left, (header, left)
    screen.press(screen.word("settings.turn-off", screen.word("settings.hsts")))

    key, leaf = make_certificate("somebody else", None, None, list(site.names))
    (world.folder / f"{site.name}.pem").write_bytes(pem(leaf))
    (world.folder / f"{site.name}.key").write_bytes(key_pem(key))
    world.nginx.extra.write_text(
        f"server {{ listen {world.address}:{world.nginx.https_port} ssl; server_name {' '.join(site.names)};"
        f" ssl_certificate {world.folder}/{site.name}.pem; ssl_certificate_key {world.folder}/{site.name}.key; }}\n"
    )
    world.nginx.reload()
    try:
        until("HTTP answers by itself", lambda: site.plain()[0] == 200, 40, 0.1)
        screen.until_key("headline.broken-all", site.name).until_key("settings.redirect-waits")
        things = six_things(owner, site)
        assert site.name in things["seen"] and screen.word("page.label.since") in screen.text()
        assert screen.run("return document.querySelector('figure.warned')") is not None
        screen.judge()
        # We have to mend it, and it stands first all the same where support looks.
        assert things["do"] == said("who.host", owner.lang)
        owner.sign_in(f"shien@{owner.lang}.host.example").open("/sites").until_text(site.name)
        rows = "return [...document.querySelectorAll('.sites > li')].map(li => [li.querySelector('.name').innerText, li.querySelector('.pill.is-bad') !== null])"

        def stands_first():
            warned = [is_warned for _, is_warned in screen.run(rows)]
            return [site.name, True] in screen.run(rows) and warned == sorted(warned, reverse=True) and not warned[-1]

        until("it stands among the first, and the others behind", stands_first, 20, 0.2)
        screen.judge(is_one_language=False)
    finally:
        world.nginx.extra.write_text("# nothing\n")
        world.nginx.reload()
    until("the redirect is back", lambda: site.plain()[0] in (307, 308), 40, 0.1)
    owner.sign_in(site.owner).until_key("headline.ok", site.name, seconds=PATIENCE)
    screen.judge()
