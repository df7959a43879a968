"""What a certificate costs: CPU and requests of koshin beside other clients, and beside the signatures alone.

P-256, two names, HTTP-01, pebble without its sleeps. koshin's CPU is that of all its processes and of all that it
does for a new site: the check before, the order, the deploy, the handshakes that prove it. The others only order; so the
same is measured once more with a folder as the target, where there is no web server to change and nothing to prove.
"""

import contextlib
import time

import servers
from figures import Goal, line, program, run
from ground import Ground, cpu_ms
from peers import Peers

SITES, PEER_SITES = 100, 20
WITHIN_S = 40  # they take two or three
PEERS = ("certbot", "lego", "uacme", "caddy")
CA_ENV = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}

BEST_PEER = Goal(0.2, "ten million sites renew every 60 days: two a second, for which a tenth of one core must do", True)
FLOOR = Goal(5.0, "signatures cannot be saved; four times as much again is what TLS, JSON, SQLite and proof may cost", True)
REQUESTS = Goal(9.0, "order, two challenges, two or three polls, finalize, the certificate; CAs count requests")
WALL = Goal(1.0, "koshin keeps the CA busy: the run lasts no longer than the CA computes", True)


class Total:
    """CPU of koshin's processes from now on."""

    def __init__(self, ground):
        self.ground = ground
        self.begun = self._now()

    def _now(self):
        return {name: cpu_ms(pid) for name, pid in self.ground.processes().items()}

    def spent(self):
        now = self._now()
        own = {name: now[name][0] - self.begun[name][0] for name in now}
        # What the installer waited for is nginx's test of its configuration and its reload.
        return own, sum(now[name][1] - self.begun[name][1] for name in now)


def issue_all(ground, last="proven"):
    """(CPU by process, nginx's, CA's, requests, seconds until issued, until `last` is in the history of each)."""
    servers.until("the account", lambda: "/sign-me-up" in ground.ca.process.text())
    total, requests, ca = Total(ground), ground.requests(), cpu_ms(ground.ca.process.pid)[0]
    begun = time.monotonic()
    names = [ground.add(i) for i in range(SITES)]
    servers.until(f"{SITES} certificates", lambda: ground.ca.issued() >= SITES, WITHIN_S, 0.02)
    issued_s, ca_ms = time.monotonic() - begun, cpu_ms(ground.ca.process.pid)[0] - ca
    for name in names:  # one after the other: looking is work of koshin's web process
        servers.until(f"{name} is {last}", lambda: last in ground.kinds(name), WITHIN_S, 0.2)
    own, waited = total.spent()
    return own, waited, ca_ms, ground.requests() - requests, issued_s, time.monotonic() - begun


@contextlib.contextmanager
def all_issued(last="proven", **ground_is):
    """The ground on which all were issued, and what issue_all says of it. A pebble that has stopped answering (doc/benchmarks.md) is given
    up for another one, twice."""
    for attempt in range(3):
        with contextlib.ExitStack() as ends:
            ground = ends.enter_context(Ground(CA_ENV, **ground_is))
            try:
                found = issue_all(ground, last)
            except servers.Failed:
                if attempt == 2:
                    raise
                continue
            yield ground, found
            return


def least(ground, requests, name):
    """CPU ms by part of one process that does for one certificate, once each, what a CA asks for and what koshin promises, and nothing else."""
    parts = run(program("least"), 200, requests, ground.ca.directory, ground.ca.bundle, ground.address, ground.dns.port, ground.http_port,
                ground.nginx.https_port, ground.ca.roots, name)  # fmt: skip
    return {part.removesuffix("_us"): us / 1e3 for part, us in parts.items()}


def measure():
    with all_issued() as (ground, (own, waited, ca_ms, requests, issued_s, proven_s)):
        signatures = round(requests / SITES)
        floor = run(program("floor"), signatures, 500)["floor_us"] / 1e3
        ms = sum(own.values()) / SITES
        yield line("issue.requests", requests / SITES, "requests", "the least that ACME allows", 7, REQUESTS)
        yield line("issue.cpu.floor", ms, "ms CPU", f"a key and {signatures + 1} signatures", floor, FLOOR)
        parts = least(ground, signatures, ground.name(0))
        for part, value in parts.items():
            yield line(f"issue.least.{part}", value, "ms CPU", f"a key and {signatures + 1} signatures", floor, None)
        all_parts = f"a key, {signatures + 1} signatures, and once each: requests, questions to DNS, pages, handshakes"
        yield line("issue.cpu.least", ms, "ms CPU", all_parts, floor + sum(parts.values()), None)
        with all_issued("issued", kind="folder") as (_, (bare, *_)):
            pass
        bare = sum(bare.values()) / SITES
        yield line("issue.cpu.folder", bare, "ms CPU", "all of koshin, with nginx and proof", ms, None)
        for name, value in own.items():
            yield line(f"issue.cpu.{name}", value / SITES, "ms CPU", "all of koshin", ms, None)
        yield line("issue.cpu.nginx", waited / SITES, "ms CPU", "all of koshin", ms, None)
        yield line("issue.wall", issued_s, "s", f"pebble's own CPU for {SITES}", ca_ms / 1e3, WALL)
        yield line("issue.wall.proven", proven_s, "s", f"pebble's own CPU for {SITES}", ca_ms / 1e3, None)
        peers = Peers(ground)
        best = None
        for peer in PEERS:
            peer_ms, peer_requests = peers.measure(peer, PEER_SITES)
            best = min(best or (peer_ms, peer), (peer_ms, peer))
            yield line(f"issue.cpu.{peer}", ms, "ms CPU", peer, peer_ms, None)
            yield line(f"issue.requests.{peer}", requests / SITES, "requests", peer, peer_requests, None)
        yield line("issue.cpu", ms, "ms CPU", f"the best of them, {best[1]}", best[0], BEST_PEER)
