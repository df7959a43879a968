"""The kill sweep: a process dies at its first point, at its second, … until a run passes untouched.

Each run issues, renews and writes a letter with a koshin of its own. Afterwards nothing is lost: the site is served with a
valid certificate, the promises hold, at most one order was orphaned, and a letter is repeated only with the same
Message-ID. The points are before and after each commit and each effect (base/point.h).
"""

import collections
import os
import shutil
import threading
import time

import pytest

from daemon import Koshin, program
from mailbox_server import Mailbox
from servers import Dns, Nginx, Pebble, free_port, handshake, new_address, new_folder, until

PARTS = ("engine", "keeper", "installer")
AT_ONCE = 6
PATIENCE = 150  # seconds; a CA's refusal is not repeated before a minute, however it came about
BUDGET = 2400  # seconds for the whole; more means that something waits for ever
POINTS_MAX = 1000


class Ground:
    """What all runs share: names, CA and mail. Web server and koshin are each run's own, on its own address."""

    def __init__(self):
        self.folder = new_folder("koshin-sweep-")
        self.address = new_address()
        self.http_port = free_port(self.address)
        self.https_port = free_port(self.address)
        self.dns = Dns(self.folder, self.address)
        self.dns.add_zone("sweep.jp")
        self.ca = Pebble(self.folder, self.address, self.dns.endpoint, self.http_port, self.https_port, 3600)
        self.mail = Mailbox(self.folder, self.address)

    def stop(self):
        for server in (self.mail, self.ca, self.dns):
            server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def run_one(ground, part, n):
    """One life: True if the point was met. Raises when something was lost."""
    folder = ground.folder / f"{part}-{n}"
    folder.mkdir()
    folder.chmod(0o711)
    address = new_address()
    name = f"{part}{n}.sweep.jp"
    owner = f"owner@{name}"
    point = folder / "point"
    point.write_text(f"{part} {n}\n")
    ground.dns.set(name, "A", address)
    nginx = Nginx(folder, address, ground.http_port, ground.https_port)
    koshin = Koshin(folder, address, ground.dns, ground.ca, nginx, ground.mail, binary=program("build-broken"))

    def served(other_than=None):
        shown = handshake(name, address, ground.https_port, ground.ca.roots)
        return shown if shown.is_valid and shown.fingerprint != other_than else None

    try:
        koshin.start(env={"KOSHIN_POINT_FILE": str(point)})
        koshin.add(name, owner=owner, coverage="single", root=str(folder))
        first = until(f"{name} is served", served, PATIENCE, 0.1)
        koshin.run("renew", name)
        until(f"{name} is renewed", lambda: served(first.fingerprint), PATIENCE, 0.1)
        until("all is well", lambda: koshin.show(name)["state"] == "ok", 30, 0.3)
        letters = until("the letter", lambda: ground.mail.letters(to=owner), 30, 0.1)
        touched = not point.exists()
        # After a last reload a worker of before may answer for a moment.
        until("the renewed certificate is served on", lambda: served(first.fingerprint), 10, 0.1)
        assert koshin.kinds(name).count("ordered") <= (3 if touched else 2), "more than one orphan order"
        assert len({letter.message_id for letter in letters}) == 1, letters
        assert len(letters) <= (2 if touched else 1), letters
        koshin.doctor()
        assert koshin.stop() == 0
        return touched
    except BaseException:
        print(f"=== {part} {n}: {'died' if not point.exists() else 'was not touched'}\n{koshin.logs()}\n{nginx.process.tail()}")
        raise
    finally:
        koshin.stop()
        nginx.stop()
        shutil.rmtree(folder, ignore_errors=True)


class Sweep:
    """Hands out (part, n) to the workers until every part has had a run that was not touched."""

    def __init__(self, ground, parts):
        self.ground = ground
        self.next = collections.OrderedDict((part, 1) for part in parts)
        self.untouched = {}  # part -> least n of a run that was not touched
        self.met = collections.Counter()
        self.failures = []
        self.lock = threading.Lock()
        self.end = time.monotonic() + BUDGET

    def take(self):
        with self.lock:
            open_parts = [part for part in self.next if part not in self.untouched]
            if not open_parts or self.failures or time.monotonic() > self.end:
                return None
            part = min(open_parts, key=lambda p: self.next[p])
            n = self.next[part]
            self.next[part] += 1
            return part, n

    def work(self):
        while job := self.take():
            part, n = job
            try:
                touched = run_one(self.ground, part, n)
            except BaseException as error:
                with self.lock:
                    self.failures.append((part, n, error))
                return
            with self.lock:
                if touched:
                    self.met[part] += 1
                    if n > POINTS_MAX:
                        self.failures.append((part, n, AssertionError("there is no end of points")))
                else:
                    self.untouched[part] = min(n, self.untouched.get(part, n))

    def go(self):
        workers = [threading.Thread(target=self.work) for _ in range(AT_ONCE)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()


@pytest.fixture(scope="module")
def ground():
    assert os.access(program("build-broken"), os.X_OK), "make broken"
    ground = Ground()
    yield ground
    ground.stop()


def test_kill_sweep(ground, tell):
    sweep = Sweep(ground, PARTS)
    begun = time.monotonic()
    sweep.go()
    for part, n, error in sweep.failures:
        print(f"{part} {n}: {type(error).__name__}: {error}")
    assert not sweep.failures
    assert set(sweep.untouched) == set(PARTS), f"not at the end after {BUDGET} s: {sweep.next}"
    total = sum(sweep.met.values())
    for part in PARTS:
        assert sweep.met[part] >= 2, f"{part} has hardly any points: {sweep.met}"
    runs = sum(sweep.next.values()) - len(PARTS)
    # Two certificates a run; a kill may cost one more.
    assert ground.ca.issued() <= 3 * runs
    words = ", ".join(f"{part} {sweep.met[part]}" for part in PARTS)
    tell(f"kill sweep: {total} points ({words}), {runs} runs, {time.monotonic() - begun:.0f} s")
