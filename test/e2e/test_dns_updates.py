"""A name without an address in a zone of the provider's own: koshin adds it (RFC 2136), and what a person has entered stays."""

import base64
import json
import os
import re
import socket

import pytest

from servers import until
from world import EVERY, World

KEY = "koshin"


def secret():
    return base64.b64encode(os.urandom(32)).decode()


@pytest.fixture
def world():
    made = World(life=120, start=False)
    try:
        yield made
    finally:
        made.stop()


def give_zone(world, zone, good=True):
    """The zone is ours to change; koshin has the key's secret, or another one. What must stand in no log."""
    right = secret()
    world.dns.take_updates(KEY, right)
    held = right if good else secret()
    file = world.folder / "zone.key"
    file.write_text(held + "\n")
    file.chmod(0o600)
    world.koshin.config["dns"]["updates"] = [
        {"zone": zone, "server": world.dns.forwarder, "key": KEY, "algorithm": "hmac-sha256", "secret_file": str(file), "ttl": 1}
    ]
    write_config(world)
    return held


def write_config(world):
    world.koshin.config_file.write_text(json.dumps(world.koshin.config))


def test_a_missing_address_is_added_and_the_order_runs(world):
    held = give_zone(world, "kyaku.jp")
    world.koshin.start()
    site = world.site("kyaku.jp", "www.kyaku.jp", records=[]).add()
    lines = site.until_kind("record-added", at_least=2)
    assert {line["detail"] for line in lines if line["kind"] == "record-added"} == set(site.names)
    assert all(world.dns.get(name, "A") == [world.address] for name in site.names)
    site.until_served()
    until("nothing is wrong any more", lambda: not site.findings(), 30, EVERY)
    site.until_kind("proven")
    # The owner had nothing to do with it.
    assert all("接続先" not in letter.subject for letter in site.letters())
    assert held not in world.logs()


def test_what_a_person_has_entered_stays(world):
    give_zone(world, "hito.jp")
    world.koshin.start()
    site = world.site("hito.jp", records=[])
    site.point_elsewhere()
    site.add()
    site.until_finding("dns.a.elsewhere")
    world.koshin.run("check", site.name, status=None)
    assert world.dns.get(site.name, "A") == [world.elsewhere.address]
    assert not {"record-added", "record-refused"} & set(site.kinds())


def test_a_wrong_key_is_ours_to_mend(world):
    held = give_zone(world, "kagi.jp", good=False)
    world.koshin.start()
    site = world.site("kagi.jp", records=[]).add()
    lines = site.until_kind("record-refused")
    assert re.search("BADSIG|BADKEY", next(line["detail"] for line in lines if line["kind"] == "record-refused"))
    finding = site.until_finding("dns.address.missing")
    assert finding["who"] == "host" and finding["mended_at"]
    assert world.dns.get(site.name, "A") == []
    assert site.letters() == [] and held not in world.logs()


def test_killed_before_it_was_done_it_is_added_after_the_restart(world):
    """What was decided and committed reaches nobody: the server takes the connection and says nothing."""
    give_zone(world, "tochu.jp")
    zone = world.koshin.config["dns"]["updates"][0]
    good = zone["server"]
    with socket.socket() as silent:
        silent.bind((world.address, 0))
        silent.listen()
        zone["server"] = f"{world.address}@{silent.getsockname()[1]}"
        write_config(world)
        world.koshin.start()
        site = world.site("tochu.jp", records=[]).add()
        until("it is under way", lambda: site.until_finding("dns.address.missing")["mends"] > 0, 30, EVERY)
        world.koshin.kill("engine")
        world.koshin.stop()
    zone["server"] = good
    write_config(world)
    world.koshin.start()
    site.until_served()
    assert world.dns.get(site.name, "A") == [world.address]
