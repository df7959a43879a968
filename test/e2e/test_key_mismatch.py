"""A certificate whose stored key is of another one: what koshin and its keeper do about it, with a real CA and real handshakes."""

import sqlite3

from test_own import digest, key_pem, pem, put, seller, world  # noqa: F401, the same world, and a seller that its browsers know
from world import Watch

MISMATCH, MISSING = "own.certificate.key-mismatch", "own.certificate.key-missing"


def lose_key(world, site, of):
    """The newest certificate of the one gets the key of the other's."""
    newest = "SELECT max(c.id) FROM certificate c JOIN name n ON n.site_id = c.site_id WHERE n.name = ?"
    store = sqlite3.connect(world.koshin.state / "koshin.db", timeout=30)
    with store:
        changed = store.execute(
            f"UPDATE certificate SET sealed_key = (SELECT sealed_key FROM certificate WHERE id = ({newest})) WHERE id = ({newest})", (of.name, site.name)
        )
        assert changed.rowcount == 1
    store.close()


def test_another_is_ordered_with_a_new_key(world):
    site, other = world.site("lost-key.jp").add(), world.site("fine-key.jp").add()
    before, beside = site.until_served(), other.until_served()
    lose_key(world, site, other)
    with Watch(site), Watch(other):
        world.koshin.run("site", "set", site.name, "--redirect", "on")
        site.until_served(other_than=before.fingerprint)
        site.until_state("ok")
    kinds = site.kinds()
    assert kinds.count("deploy-failed") == 1 and kinds.count("ordered") == 2
    assert site.findings() == set() and other.findings() == set()
    assert other.shown().fingerprint == beside.fingerprint and other.count("ordered") == 1


def test_of_an_own_certificate_the_owner_has_the_key(world, seller):
    site, other = world.site("bought-key.jp").add(), world.site("neighbour.jp").add()
    site.until_served(), other.until_served()
    bought = seller.sell("bought-key.jp")
    file = put(world, "bought-key.pem", key_pem(bought) + pem(bought, seller.middle))
    world.koshin.run("cert", "import", site.name, file, "--wait")
    assert site.until_served().fingerprint == digest(pem(bought))
    orders = site.count("ordered")
    lose_key(world, site, other)
    with Watch(site):
        world.koshin.run("site", "set", site.name, "--redirect", "on")
        site.until_finding(MISSING)
        [finding] = [f for n in site.show()["names"] for f in n["findings"]]
        assert finding["who"] == "owner" and "of another certificate" in finding["seen"]
        assert other.findings() == set()
        # The file with its key, once more: all is well.
        world.koshin.run("cert", "import", site.name, file, "--wait")
        site.until_state("ok")
    assert site.findings() == set() and site.count("ordered") == orders and site.shown().fingerprint == digest(pem(bought))
    # Who has agreed to it is followed by free SSL at once.
    world.koshin.run("cert", "import", site.name, file, "--takeover", "--wait")
    lose_key(world, site, other)
    with Watch(site):
        world.koshin.run("site", "set", site.name, "--redirect", "off")
        site.until_kind("taken-over")
        site.until_served(other_than=digest(pem(bought)))
    site.until_state("ok")
    assert not site.show()["certificate"]["own"]
