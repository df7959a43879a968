"""Somebody broke the web server's configuration, and a full disk

The test fails before the reload: the old certificate stays, the operator reads the test's own words, and the same
certificate is put to work when the test passes, without a new order. A full disk under the live sets alike.
"""

import os
import subprocess

from servers import new_folder, until
from world import Watch, World, is_root

WORLD = {"life": 60}


def broken(story):
    world = story.world
    site = world.site("kowashita.jp").add()
    first = site.until_served()
    site.until_letter(1)
    site.until_kind("proven")
    world.nginx.extra.write_text("this is not nginx;\n")
    story.say("somebody writes rubbish into nginx's configuration; the old certificate is served on")
    with Watch(site):
        finding = site.until_finding("own.deploy.config-broken", seconds=world.life)
        assert 'unknown directive "this"' in str(finding["evidence"]) + finding["seen"], finding
        assert finding["who"] == "host"
        issued = site.until_kind("issued", at_least=2)
        orders = [line["kind"] for line in issued].count("ordered")
        assert site.shown().fingerprint == first.fingerprint
        story.say('the renewed certificate waits; nginx\'s own words are in the finding: unknown directive "this"')
        world.nginx.extra.write_text("# nothing\n")
        story.say("the rubbish is taken away")
        site.until_served(other_than=first.fingerprint, seconds=30)
    site.until_kind("proven", at_least=2)
    assert site.count("ordered") == orders == 2, "the same certificate, no new order"
    until("all is well", lambda: site.findings() == set(), 30, 0.5)
    assert len(site.letters()) == 1, "a fault of ours is no letter to the owner"
    story.say("the certificate that waited is served: no new order, no letter")


def full_disk(story):
    """Live sets on a small file system of their own, filled to the last byte."""
    folder = new_folder()
    live = folder / "live"
    live.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0711", "koshin-story", live], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        story.say(f"the full disk is left out: no file system may be mounted here ({mounted.stderr.strip()})")
        live.rmdir()
        folder.rmdir()
        return
    world = None
    try:
        world = World(life=60, live=live)
        site = world.site("ippai.jp").add()
        first = site.until_served()
        site.until_kind("proven")
        with open(live / "filler", "wb", buffering=0) as filler:
            try:
                while filler.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        story.say("the disk under the live sets is full to the last byte")
        with Watch(site):
            site.until_finding("own.disk.full", seconds=world.life)
            assert site.shown().fingerprint == first.fingerprint
            orders = site.count("ordered")
            story.say("the renewal is held; it has a name, the old certificate is served on")
            os.unlink(live / "filler")
            site.until_served(other_than=first.fingerprint, seconds=40)
        assert site.count("ordered") == orders == 2
        story.say("there is room again: the certificate that waited is served, no new order")
        world.koshin.doctor()
    except BaseException:
        if world:
            print(world.logs())
        raise
    finally:
        if world:
            world.stop()
        subprocess.run(["umount", live], check=False)
        live.rmdir()
        folder.rmdir()


def play(story):
    broken(story)
    if is_root():
        full_disk(story)
    story.world.koshin.doctor()


def test_broken_configuration(played):
    played()
