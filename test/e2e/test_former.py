"""What only the past explains: an address that was ours, a zone that was not copied whole, a certificate that nothing follows."""

import json
import re
import time

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


def seen_whole(world, site):
    """It was looked at with all that belongs to it, and that is what is remembered. Dates are of whole seconds: the next one begins first."""
    before = site.show()["names"][0]["passed_at"]
    until("another second", lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) > before, 5)
    check(world, site)
    until("it was seen whole", lambda: site.show()["names"][0]["passed_at"] > before, 40, EVERY)


def names(site, cause):
    """Those of its names that have it."""
    return [name for found, name in site.findings() if found == cause]


@pytest.mark.parametrize("world", [600], indirect=True)
def test_an_address_that_was_ours(world):
    """The machine has got another address, somebody else has the old one now, and the record was not changed."""
    site = world.site("hikkoshi.jp").add()
    site.until_served()
    site.until_kind("proven")
    seen_whole(world, site)
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
        until("it is over", lambda: not names(site, "own.address.moved"), 40, EVERY)
    finally:
        stranger.stop()


@pytest.mark.parametrize("world", [600], indirect=True)
def test_a_zone_that_was_not_copied_whole(world):
    """The domain has changed to another company's name servers, and one record was left behind; a neighbour that has changed with all of its
    records has nothing to do."""
    site, beside = world.site("utsushi.jp", "www.utsushi.jp"), world.site("soba.jp", "www.soba.jp")
    for one in (site, beside):
        world.dns.name_servers(one.name, "ns1.before.example")
        one.add()
    for one in (site, beside):
        one.until_served()
        one.until_kind("proven")
        seen_whole(world, one)
    world.dns.remove("www.utsushi.jp", "A")
    for one in (site, beside):
        world.dns.name_servers(one.name, "ns1.after.example", "ns2.after.example")
        seen_whole(world, one)
    finding = site.until_finding("dns.zone.not-copied", "www.utsushi.jp")
    assert (finding["who"], finding["seen"], finding["wanted"]) == ("domain-company", "ns1.after.example, ns2.after.example", world.address), finding
    assert re.fullmatch(rf"www\.utsushi\.jp\. \d+ IN A {re.escape(world.address)}", finding["action"]["copy"]), finding
    assert site.findings() == {("dns.zone.not-copied", "www.utsushi.jp")} and beside.findings() == set()
    site.point_here("www.utsushi.jp")
    check(world, site)
    until("it is over", lambda: not site.findings(), 40, EVERY)


@pytest.mark.parametrize("world", [60], indirect=True)
def test_what_was_given_up_nears_its_end(world):
    """Nothing is said while there is time; then its owner is told that nothing follows, and one click takes it back."""
    site = world.site("owari.jp").add()
    first = site.until_served()
    site.until_kind("proven")
    world.koshin.run("site", "set", site.name, "--source", "none")
    assert not names(site, "own.renewal.off")
    finding = site.until_finding("own.renewal.off", seconds=70)
    assert finding["who"] == "owner"
    world.koshin.run("site", "set", site.name, "--source", "free")
    site.until_served(other_than=first.fingerprint)
    until("it is over", lambda: not names(site, "own.renewal.off"), 40, EVERY)
