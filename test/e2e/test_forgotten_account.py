"""A CA that has lost its accounts (pebble keeps nothing when it ends): koshin opens its own again, and renews."""

import pytest

from servers import until
from world import World

LIFE = 3600


@pytest.fixture(scope="module")
def world():
    made = World(life=LIFE)
    try:
        yield made
    finally:
        made.stop()


def ca(world):
    (row,) = world.koshin.json("ca", "list")["cas"]
    return row


def test_the_account_is_opened_again_with_the_same_key(world):
    site = world.site("wasure.jp").add()
    before = site.until_served()
    old, issued = ca(world), world.ca.issued()
    world.ca.stop()
    world.ca._start()
    world.koshin.run("renew", "wasure.jp")
    new = until("another account, and the CA is well", lambda: (row := ca(world))["account"] != old["account"] and row["ready"] and row, 30)
    assert new["thumbprint"] == old["thumbprint"], "web servers answer as before"
    # Asked for once more: the first try met the account that was gone.
    world.koshin.run("renew", "wasure.jp")
    until("the new CA has issued", lambda: world.ca.issued() > issued, 120)
    site.until_served(other_than=before.fingerprint)
    assert ca(world)["breaker"] == "closed"
    assert "act" not in "".join(site.kinds()) and len(site.letters()) == 1, "no owner hears of it"
