"""Two `koshin serve` on one store: one engine acts, the other takes over when the first is killed, or sleeps for longer than its lease."""

import contextlib
import copy
import json
import os
import signal
import sqlite3
import time

import pytest

from daemon import Koshin
from servers import Process, free_port, new_address, until
from world import World

LEASE = 4


class Second(Koshin):
    """The same store and servers, with sockets and addresses of its own."""

    def __init__(self, first, word, **changes):
        self.folder = first.folder / word
        self.folder.mkdir()
        self.folder.chmod(0o755)
        self.state, self.live, self.binary = first.state, first.live, first.binary
        self.config = copy.deepcopy(first.config)
        address = new_address()
        self.web_port = free_port(address)
        self.config["web"] = {"listen": [f"{address}:{self.web_port}"]}
        self.config["run_folder"] = str(self.folder / "run")
        self.config.update(changes)
        self.config_file = self.folder / "koshin.yaml"
        self.config_file.write_text(json.dumps(self.config, ensure_ascii=False))
        self.config_file.chmod(0o644)
        self.process = None
        self._starts = 0


@pytest.fixture(scope="module")
def world():
    made = World(life=600, lease=f"{LEASE} s")
    # The tests exchange the two: whichever is which at the end, both are stopped.
    second = Second(made.koshin, "other")
    try:
        made.other = second.start()
        yield made
    finally:
        second.stop()
        made.stop()


def lease(world):
    with sqlite3.connect(f"file:{world.koshin.state}/koshin.db?mode=ro", uri=True, timeout=10) as store:
        holder, fence = store.execute("SELECT holder, fence FROM lease").fetchone()
    return int(holder.rsplit("/", 1)[1]) if holder else 0, fence


def engine(koshin):
    return until("the engine runs", lambda: koshin.children().get("engine"))


def until_it_acts(world, koshin, seconds):
    """So long it took."""
    begun = time.monotonic()
    until("its engine acts", lambda: lease(world)[0] == engine(koshin), seconds)
    return time.monotonic() - begun


def test_one_acts(world):
    world.site("hitotsu.jp").add().until_served()
    assert lease(world)[0] == engine(world.koshin)
    assert "acts from now on" not in world.other.process.text()
    # What is asked of the one that stands by reaches the one that acts.
    assert "hitotsu.jp" in world.other.run("site", "list").stdout
    site = world.site("futari.jp")
    world.other.add(site.name, owner=site.owner, root=site.root)
    site.until_served()
    assert lease(world)[0] == engine(world.koshin)


def test_the_other_takes_over_when_the_first_is_killed(world):
    fence = lease(world)[1]
    os.kill(world.koshin.process.pid, signal.SIGKILL)
    assert until_it_acts(world, world.other, LEASE + 2) <= LEASE + 2
    assert lease(world)[1] == fence + 1
    world.koshin, world.other = world.other, world.koshin
    world.site("mittsu.jp").add().until_served()
    # It comes back, and stands by.
    world.other.start()
    world.site("yottsu.jp").add().until_served()
    assert lease(world) == (engine(world.koshin), fence + 1)


def test_an_engine_that_dies_is_followed_at_once(world):
    pid = world.koshin.kill("engine")
    until("another engine acts", lambda: lease(world)[0] not in (0, pid), LEASE + 2)
    world.site("itsutsu.jp").add().until_served()


def put_to_sleep(world, pid):
    """Between two of its transactions: a process that is stopped within one keeps the file of the store locked for as long as it sleeps."""

    def sleeps():
        os.kill(pid, signal.SIGSTOP)
        with contextlib.closing(sqlite3.connect(world.koshin.state / "koshin.db", timeout=1, isolation_level=None)) as store:
            try:
                store.execute("BEGIN IMMEDIATE")
                store.execute("ROLLBACK")
                return True
            except sqlite3.OperationalError:
                os.kill(pid, signal.SIGCONT)
                return False

    until("it sleeps, and the store is free", sleeps, 20)


def test_one_that_sleeps_loses_it_and_stands_by(world):
    acts = world.koshin if lease(world)[0] == engine(world.koshin) else world.other
    stands_by = world.other if acts is world.koshin else world.koshin
    pid, fence = lease(world)
    put_to_sleep(world, pid)
    try:
        assert until_it_acts(world, stands_by, 2 * LEASE + 4) >= LEASE / 3
    finally:
        os.kill(pid, signal.SIGCONT)
    acts.process.wait_until(lambda: f"lease {fence} was taken by" in acts.process.text())
    until("it is started anew", lambda: acts.children().get("engine") not in (None, pid))
    world.site("muttsu.jp").add().until_served()
    assert lease(world) == (engine(stands_by), fence + 1)
    world.koshin.doctor()


def test_one_that_knows_of_no_lease_is_refused(world):
    alone = Second(world.koshin, "alone")
    del alone.config["lease"]
    alone.config_file.write_text(json.dumps(alone.config))
    refused = Process("alone", [alone.binary, "serve", "-c", alone.config_file], alone.folder)
    until("it ends", lambda: not refused.alive())
    assert "another koshin serve runs already in" in refused.text()


def test_who_leaves_lets_the_other_act_at_once(world):
    acts = world.koshin if lease(world)[0] == engine(world.koshin) else world.other
    stands_by = world.other if acts is world.koshin else world.koshin
    acts.stop()
    assert until_it_acts(world, stands_by, LEASE) < LEASE
    world.koshin, world.other = stands_by, acts
