"""What only the past explains: an address that was ours, a certificate that nothing follows."""

import json

import pytest

from servers import Elsewhere, new_address, until
from test_cli import Local
from world import EVERY, World


@pytest.fixture
def world(request):
    made = World(life=request.param)
    try:
        yield made
    finally:
        made.stop()


def check(world, site):
    assert Local(world).ask("POST", f"/api/v1/sites/{site.name}/check")[0] == 202


@pytest.mark.parametrize("world", [600], indirect=True)
def test_an_address_that_was_ours(world):
    """The machine has got another address, somebody else has the old one now, and the record was not changed."""
    site = world.site("hikkoshi.jp").add()
    site.until_served()
    site.until_kind("proven")
    before = site.show()["names"][0]["passed_at"]
    check(world, site)
    until("it was seen whole", lambda: site.show()["names"][0]["passed_at"] > before, 40, EVERY)
    world.koshin.stop()
    world.nginx.stop()
    now = new_address()
    world.koshin.config["server"]["addresses"] = [now]
    world.koshin.config_file.write_text(json.dumps(world.koshin.config))
    stranger = Elsewhere(world.folder, world.nginx.http_port, world.address)
    try:
        world.koshin.start()
        check(world, site)
        finding = site.until_finding("own.address.moved")
        assert (finding["seen"], finding["wanted"], finding["who"]) == (world.address, now, "domain-company"), finding
        assert finding["action"]["copy"].endswith(f" IN A {now}")
        world.dns.set(site.name, "A", now)
        until("it is over", lambda: "own.address.moved" not in site.findings(), 40, EVERY)
    finally:
        stranger.stop()


@pytest.mark.parametrize("world", [60], indirect=True)
def test_what_was_given_up_nears_its_end(world):
    """Nothing is said while there is time; then its owner is told that nothing follows, and one click takes it back."""
    site = world.site("owari.jp").add()
    first = site.until_served()
    site.until_kind("proven")
    world.koshin.run("site", "set", site.name, "--source", "none")
    assert "own.renewal.off" not in site.findings()
    finding = site.until_finding("own.renewal.off", seconds=70)
    assert finding["who"] == "owner"
    world.koshin.run("site", "set", site.name, "--source", "free")
    site.until_served(other_than=first.fingerprint)
    until("it is over", lambda: "own.renewal.off" not in site.findings(), 40, EVERY)
