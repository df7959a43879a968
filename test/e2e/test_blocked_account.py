"""The CA blocks the account: it is told by its text, the operator hears of it once, and not a word goes to the CA until the operator says
that the block is lifted."""

import pytest

from fake_ca import FakeCa
from servers import until
from world import World

SAID = "Account blocked :: too many certificates that nobody uses; write to https://ca.example/support"
ORDERS = ("new-order", "order", "authz", "challenge", "finalize", "certificate", "account", "new-account", "key-change", "revoke-cert")


@pytest.fixture
def world():
    made = World(
        life=3600,
        make_ca=lambda w: FakeCa(w.folder / "fake", address=w.address, http_port=w.nginx.http_port, dns=w.dns.forwarder),
    )
    try:
        yield made
    finally:
        made.stop()


def the_ca(world):
    return world.koshin.json("ca", "list")["cas"][0]


def asked_under_the_account(world):
    return sum(line["endpoint"] in ORDERS for line in world.ca.log())


def test_nothing_is_sent_until_a_person_says_so(world):
    well = world.site("mae.jp").add()
    well.until_served()
    assert world.koshin.run("ca", "unblock", the_ca(world)["name"], status=None).returncode != 0, "it is not blocked"

    world.ca.say(f"refuse new-order 403 unauthorized '{SAID}'")
    first = world.site("saisho.jp").add()
    finding = first.until_finding("ca.account.blocked")
    assert finding["who"] == "host" and SAID in "".join(finding["evidence"])
    blocked = until("the CA is held", lambda: the_ca(world) if the_ca(world)["blocked_since"] else None)
    assert blocked["not_before"] is None and SAID in blocked["error"] and not blocked["unblock_asked"]
    said = world.koshin.run("ca", "list", "--lang", "en").stdout
    assert "has blocked the account" in said and SAID in said

    asked = asked_under_the_account(world)
    second = world.site("tsugi.jp").add()
    second.until_finding("ca.account.blocked")
    world.koshin.stop()
    world.koshin.start()
    third = world.site("saigo.jp").add()
    third.until_finding("ca.account.blocked")
    # The block is lifted, but nobody has said so.
    world.ca.say("refuse new-order none")
    assert asked_under_the_account(world) == asked
    assert [site.count("ordered") for site in (second, third)] == [0, 0]
    assert first.letters() == second.letters() == []

    world.koshin.run("ca", "unblock", blocked["name"])
    for site in (first, second, third):
        site.until_served(seconds=120)  # those that come after the one that finds out may wait a minute for it
    assert the_ca(world)["blocked_since"] is None and the_ca(world)["breaker"] == "closed"
    assert first.findings() == set()


def test_said_too_early_it_begins_anew(world):
    world.ca.say(f"refuse new-order 403 unauthorized '{SAID}'")
    site = world.site("hayai.jp").add()
    site.until_finding("ca.account.blocked")
    held = until("the CA is held", lambda: the_ca(world) if the_ca(world)["blocked_since"] else None)
    asked = asked_under_the_account(world)
    world.koshin.run("ca", "unblock", the_ca(world)["name"])
    until("one order found out", lambda: asked_under_the_account(world) > asked)
    until("it is held again", lambda: the_ca(world)["failures"] > held["failures"] and the_ca(world)["blocked_since"])
    assert asked_under_the_account(world) == asked + 1
