"""Chapter 13 as a person lives through it: the request, a company that sells, mistakes that are named, and the way back to free SSL."""

import contextlib
import itertools
import threading

import pytest
from selenium.webdriver.common.by import By

from screen import PASSWORD, SIZES, Screen
from servers import new_address, until
from test_cert_check import certificate, key_pem, pem
from test_issuers import Place, der
from test_own import DAY, digest, now
from world import Watch

VIEWS = list(itertools.product(("ja", "en"), SIZES))
RETRIED_S = 150


def fill(screen, label, text):
    """What is pasted comes at once, as from a clipboard; the page hears of it as of typing."""
    field = screen.driver.find_element(By.XPATH, f"//label[normalize-space(.)={label!r}]/following-sibling::*[1]")
    screen.run(
        "const f = arguments[0], p = f.tagName === 'TEXTAREA' ? HTMLTextAreaElement : HTMLInputElement;"
        "Object.getOwnPropertyDescriptor(p.prototype, 'value').set.call(f, arguments[1]); f.dispatchEvent(new Event('input', {bubbles: true}))",
        field, text,
    )  # fmt: skip


@pytest.mark.parametrize("lang, size", VIEWS)
def test_13_own_certificate(panel, lang, size):
    name = f"kaimono-{lang}-{size}.jp"
    panel.seller.issue_by(f"Issuing for {lang} {size}")
    site, mail = panel.owner(name, f"www.{name}", lang=lang, coverage="multi")
    panel.world.koshin.run("site", "set", name, "--source", "free")
    free = site.until_served(seconds=RETRIED_S)
    site.until_state("ok")
    with Screen(panel.port, lang, size) as screen, Watch(site):
        screen.sign_in(mail, PASSWORD)
        screen.until_key("headline.ok", name)
        screen.press(screen.word("own.title")).until_key("own.csr-title").judge()
        fill(screen, screen.word("own.organization"), "株式会社例" if lang == "ja" else "Example K.K.")
        screen.press(screen.word("own.csr-make")).until_text("-----BEGIN CERTIFICATE REQUEST-----")
        request = screen.driver.find_element(By.CSS_SELECTOR, "details[open] li pre").text
        screen.judge()
        leaf = panel.seller.answer(request.encode() + b"\n").decode()

        # The company sent its own file alone: what is missing is said beside the field, and nothing changes.
        fill(screen, screen.word("own.text"), leaf)
        until("the mistake is named", lambda: screen.driver.find_elements(By.CSS_SELECTOR, "details[open] .notice.is-act"), 20, 0.1)
        assert screen.word("own.usable") not in screen.text()
        screen.judge()
        assert site.shown().fingerprint == free.fingerprint

        # Everything that came, in any order.
        fill(screen, screen.word("own.text"), pem(panel.seller.middle).decode() + leaf)
        screen.until_key("own.usable").judge()
        screen.press(screen.word("own.take")).until_key("headline.ok-own", name, seconds=60)
        assert site.until_served(other_than=free.fingerprint).fingerprint == digest(leaf.encode())
        screen.until_key("history.imported").judge()
        assert site.show()["setting"]["takeover"] is True

        # And back: visitors never see a warning.
        screen.press(screen.word("own.to-free")).until_key("headline.ok", name, seconds=RETRIED_S)
        site.until_served(other_than=digest(leaf.encode()))
        screen.judge()
    assert site.show()["setting"]["source"] == "free"


@pytest.mark.parametrize("lang, size", VIEWS)
def test_13_the_intermediate_that_nobody_sent(panel, lang, size):
    """It is got where the certificate says that it is: the owner is told, and has nothing to do."""
    name = f"chukan-{lang}-{size}.jp"
    site, mail = panel.owner(name, lang=lang)
    place = Place(new_address(), panel.world.nginx.http_port)
    middle = certificate(f"Issuing elsewhere {lang} {size}", panel.seller.root, ca=True, end=now() + 1000 * DAY)
    bought = certificate(name, middle, names=[name], issuer_at=[place.base + "/middle.cer"])
    go_on = threading.Event()

    def answer(handler):
        go_on.wait(3)
        handler.begin(200, ("Content-Length", str(len(der(middle)))))
        handler.wfile.write(der(middle))

    place.put("/middle.cer", answer)
    with contextlib.closing(place), Screen(panel.port, lang, size) as screen:
        screen.sign_in(mail, PASSWORD)
        screen.press(screen.word("own.title")).until_key("own.csr-title")
        fill(screen, screen.word("own.text"), (key_pem(bought) + pem(bought)).decode())
        screen.until_key("own.judging").judge()
        go_on.set()
        screen.until_key("own.usable").until_key("own.completed").judge()
        assert screen.word("own.judging") not in screen.text()
        screen.press(screen.word("own.take")).until_key("own.taken").until_key("own.completed")
        screen.until_key("headline.ok-own", name, seconds=60).until_key("history.chain-completed").judge()
        assert site.until_served().fingerprint == digest(pem(bought))
    assert place.count("/middle.cer") == 1
