"""The CA has blocked the account: the operator reads its words, and says on the same page that the block is lifted."""

import pytest

from fake_ca import FakeCa
from panel_world import PanelWorld
from screen import PASSWORD, Screen
from servers import until
from test_blocked_account import SAID


class BlockedWorld(PanelWorld):
    def _ca(self, world):
        return FakeCa(world.folder / "fake", address=world.address, http_port=world.nginx.http_port, dns=world.dns.forwarder)


@pytest.fixture(scope="module")
def held():
    made = BlockedWorld(watch={"every": "1 s"})
    try:
        made.world.site("mae.jp").add(coverage="single").until_served()
        yield made
    finally:
        made.world.stop()


def the_ca(panel):
    return panel.api.ask("cas_list")[1]["cas"][0]


def is_alarmed(panel):
    return any(row["alarm"] == "ca.account.blocked" for row in panel.api.ask("alarms_list")[1]["open"])


@pytest.mark.parametrize("lang, size", [("ja", "phone"), ("en", "desktop")])
def test_the_operator_says_that_it_is_lifted(held, lang, size):
    """Its words and what to do stand there; after the press the page says that one order finds out, and soon that all is well. Sites go on."""
    operator = held.person(f"unei-{lang}@host.example", "operator", lang)
    held.world.ca.say(f"refuse new-order 403 unauthorized '{SAID}'")
    site = held.world.site(f"matsu-{lang}.jp").add(coverage="single")
    site.until_finding("ca.account.blocked")
    until("the CA is held", lambda: the_ca(held)["blocked_since"])
    until("the alarm is raised", lambda: is_alarmed(held), 90)
    screen = Screen(held.port, lang)
    try:
        screen.resize(size).sign_in(operator, PASSWORD).until_key("operator.title").until_text(SAID).until_key("operator.ca-blocked-todo")
        screen.until_key("alarm.ca.account.blocked").judge_twice(is_one_language=False)
        # Too early: the block begins anew, and the page does not say that it is over.
        screen.press(screen.word("operator.unblock"))
        until("one order found out", lambda: the_ca(held)["blocked_since"] and the_ca(held)["failures"] > 1)
        screen.open("/operator").until_key("operator.ca-blocked-todo")
        held.world.ca.say("refuse new-order none")
        screen.press(screen.word("operator.unblock"))
        site.until_served(seconds=120)
        until("the CA is well", lambda: the_ca(held)["breaker"] == "closed" and not is_alarmed(held), 90)
        screen.open("/operator").until_key("operator.title").until_key("operator.ca-well")
        text = screen.text()
        assert SAID not in text and screen.word("operator.ca-blocked-todo") not in text and screen.word("alarm.ca.account.blocked") not in text
        screen.judge(is_one_language=False)
    finally:
        screen.close()
