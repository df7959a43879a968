"""koshin's own engine on real sockets at a CA that does everything wrong: every site ends with a certificate, and the CA's own
log has not one request that came before its Retry-After.

Two worlds side by side, because both consist of waiting: one in a storm of failing answers, one with a CA that is merely
strange. What fails is tried again after a minute by koshin's own plan; nobody presses a button.
"""

import collections
import concurrent.futures
import time

import pytest

import fake_ca
import servers
from world import World

DOMAIN = "weather.jp"
OUTAGE_S = 4
STORM = (
    "seed 20261126",
    "fault bad-nonce 50%",
    "fault limited at new-order 1x 3s", "fault limited-date at new-order 1x 3s",
    "fault busy 3% 2s", "fault busy-date 3% 2s",
    "fault reset 2%", "fault reset-after 2%", "fault half 2%", "fault cut 2%", "fault internal 1%", "fault page 1%",
    "fault slow 2% 400s", "fault silent at order 1x",
)  # fmt: skip
# Only what the CA says is odd, not that it answers.
STRANGE = (
    "profile classic life 40s reuse 1s", "fault processing 2x", "fault already-replaced at new-order 2x", "poll-after 1s",
    'retry-after authz "-5"', 'retry-after order "1000000000000"', 'retry-after finalize "soon"', "renewal poll 1s",
    'retry-after renewal-info "0"',
)  # fmt: skip
WINDOWS = ("inverted", "past", "ahead", "2107", "rubbish", "sane")


class Weather:
    def __init__(self, *words, processing_max="60 s"):
        def make_ca(world):
            return fake_ca.FakeCa(world.folder, *words, address=world.address, http_port=world.nginx.http_port, dns=world.dns.forwarder)

        self.world = World(make_ca=make_ca, acme={"timeout": "4 s", "processing_max": processing_max})
        self.ca, self.koshin = self.world.ca, self.world.koshin
        self.world.dns.add_zone(DOMAIN)
        self.world.dns.set(f"*.{DOMAIN}", "A", self.world.address)
        self.names = []

    def add(self, n):
        for _ in range(n):
            name = f"s{len(self.names)}.{DOMAIN}"
            root = self.world.folder / "www" / name
            root.mkdir(parents=True)
            for folder in (root.parent, root):
                folder.chmod(0o755)
            self.koshin.add(name, owner=f"owner@{DOMAIN}", root=root, coverage="single")
            self.names.append(name)

    def shown(self, name):
        return servers.handshake(name, self.world.address, self.world.nginx.https_port, self.ca.roots)

    def is_served(self, name):
        try:
            return self.shown(name).is_valid
        except OSError:
            return False  # nothing is served under this name yet

    def until_all_served(self, seconds):
        waiting = list(self.names)

        def look():
            waiting[:] = [name for name in waiting if not self.is_served(name)]
            return not waiting

        try:
            servers.until("every site is served with its certificate", look, seconds, 0.3)
        except servers.Failed as error:
            causes = {name: [f["cause"] for n in self.koshin.show(name)["names"] for f in n["findings"]] for name in waiting}
            print(self.koshin.json("ca", "list"), *(self.koshin.history(name) for name in waiting), sep="\n")
            rows = [row for row in self.ca.log() if row["fault"] != "bad-nonce"][-40:]
            raise servers.Failed(f"{error}: {causes}: {self.ca.status()}: {rows}") from None

    def faults(self):
        return collections.Counter(row["fault"] for row in self.ca.log() if row["fault"])

    def check_nobody_came_early(self):
        early = [row for row in self.ca.log() if row["early"]]
        subjects = {row["subject"] for row in early}
        assert not early, f"{len(early)} requests before their Retry-After: {[r for r in self.ca.log() if r['subject'] in subjects]}"
        assert any(row["retry_after"] for row in self.ca.log())
        self.koshin.doctor()


def storm():
    weather = Weather(*STORM)
    try:
        weather.add(6)
        servers.until("a certificate in the storm", lambda: weather.ca.status()["issued"] > 0, 60)
        # Switched off with orders under way, while more sites are added; then on again.
        weather.ca.say("stop")
        weather.add(3)
        back = time.monotonic() + OUTAGE_S
        servers.until("the outage is over", lambda: time.monotonic() > back, OUTAGE_S + 1)
        weather.ca.say("start")
        weather.until_all_served(1000)  # what failed twice waits for ten minutes and up to a quarter more
        weather.check_nobody_came_early()
        faults = weather.faults()
        assert faults["bad-nonce"] > 20 and len(faults) >= 8, faults
        return faults
    except BaseException:
        print(weather.world.logs())
        raise
    finally:
        weather.world.stop()


def strange():
    weather = Weather(*STRANGE, processing_max="10 s")
    try:
        # Two orders never get further: they are given up, and there is another try a minute later.
        weather.add(2)
        servers.until("two orders are processing", lambda: weather.ca.status()["orders_by_status"]["processing"] == 2, 30)
        # Each certificate's first look at its renewal information meets another absurdity.
        for window in WINDOWS:
            weather.ca.say(f"window {window}")
            weather.add(1)
            servers.until(f"renewal information, {window}", lambda: any(
                row["endpoint"] == "renewal-info" and row["subject"] == weather.names[-1] for row in weather.ca.log()), 40, 0.1)  # fmt: skip
        weather.until_all_served(100)
        # Right after a reload a worker of before may still answer.
        first = {name: servers.until(name, lambda: weather.shown(name)).fingerprint for name in weather.names}
        for name in weather.names:
            servers.until(f"{name} is renewed", lambda: (s := weather.shown(name)).is_valid and s.fingerprint != first[name], 90, 0.2)
        faults = weather.faults()
        weather.check_nobody_came_early()
        assert weather.ca.status()["orders_by_status"]["processing"] == 2 and faults["already-replaced"] > 0, faults
        return faults
    except BaseException:
        print(weather.world.logs())
        raise
    finally:
        weather.world.stop()


@pytest.fixture(scope="module")
def played():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        yield {play: pool.submit(play) for play in (storm, strange)}


@pytest.mark.parametrize("play", (storm, strange), ids=("storm", "strange"))
def test_every_site_ends_with_a_certificate(played, play):
    print(played[play].result())
