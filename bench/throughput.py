"""Certificates per second on real sockets: 2,000 new sites at the fake CA, and what each costs koshin and the CA.

The sites are added over the API, one after the other, while the engine stands still; then it goes on, and the time begins. koshin does
all that it does for a new site but the handshakes with a web server: check, order, durable store, files on the disk. The CA validates
over HTTP (at koshin's own web process), has no limits, and runs on the same two cores; its cost is told apart. The same once more with
sites that are added while the first ones are ordered already: there the time begins with the first call of the API.
"""

import dataclasses
import os
import signal
import time

import fake_ca
import servers
from figures import Goal, line
from ground import Ground, cpu_ms

SITES = 2000
ACME = {"orders_open_max": 2000, "connections_max": 32}  # the CA has no HTTP/2: a request at a time on each connection
SLOW = ("delay validation 5s", "delay issue 5s")  # an order takes ten seconds

QUICK_RATE = Goal(300, "a change of all of a hoster's 100,000 sites in six minutes, if the CA had no limits", at_least=True)
SLOW_RATE = Goal(50, "twice what Let's Encrypt's front end lets through for one address: slow orders must not be in the way of others", at_least=True)
CPU = Goal(6.7, "two cores, less the CA's part, for 300 a second")


@dataclasses.dataclass
class Run:
    rate: float  # a second, to the last certificate
    steady: float  # … between the first tenth and the last
    ms: dict  # CPU for each certificate, by process
    ca_ms: float
    requests: float


def issued_at(ca, shares, begun):
    """Seconds until so many were issued, for each share of all."""
    times = []
    for share in shares:
        servers.until(f"{share:.0%} of {SITES}", lambda: ca.status()["issued"] >= SITES * share, 300, 0.05)
        times.append(time.monotonic() - begun)
    return times


def play(*words, is_added_before=True):
    def make_ca(ground):
        return fake_ca.FakeCa(ground.folder, "limits off", *words, address=ground.address, http_port=ground.http_port, dns=None,
                              validate_at=ground.address)  # fmt: skip

    with Ground({}, kind="folder", make_ca=make_ca, acme=ACME) as ground:
        servers.until("the account", lambda: ground.ca.status()["accounts"] == 1)
        before, ca_before = {name: cpu_ms(pid)[0] for name, pid in ground.processes().items()}, ground.ca.status()
        engine = ground.processes()["engine"]
        if is_added_before:
            os.kill(engine, signal.SIGSTOP)
        begun = time.monotonic()
        for n in range(SITES):
            ground.add(n)
        if is_added_before:
            os.kill(engine, signal.SIGCONT)
            begun = time.monotonic()
        tenth, most, all_s = issued_at(ground.ca, (0.1, 0.9, 1), begun)
        live = ground.koshin.live
        servers.until("all are on the disk", lambda: sum(1 for _ in live.glob("sets/*/current")) >= SITES, 120, 0.1)
        ms = {name: (cpu_ms(pid)[0] - before[name]) / SITES for name, pid in ground.processes().items()}
        after = ground.ca.status()
        return Run(
            SITES / all_s, SITES * 0.8 / (most - tenth), ms, (after["cpu_us"] - ca_before["cpu_us"]) / 1e3 / SITES,
            (after["requests"] - ca_before["requests"]) / SITES,
        )  # fmt: skip


def measure():
    quick, slow, added = play(), play(*SLOW), play(is_added_before=False)
    yield line("throughput.rate", quick.rate, "certificates/s", "between first and last tenth", quick.steady, QUICK_RATE)
    yield line("throughput.rate.slow", slow.rate, "certificates/s", "with a CA of no latency", quick.rate, SLOW_RATE)
    yield line("throughput.rate.added", added.rate, "certificates/s", "with sites that are there before", quick.rate, None)
    total = sum(quick.ms.values())
    yield line("throughput.cpu", total, "ms CPU", "with orders of 10 s", sum(slow.ms.values()), CPU)
    for name, value in quick.ms.items():
        yield line(f"throughput.cpu.{name}", value, "ms CPU", "all of koshin", total, None)
    yield line("throughput.cpu.ca", quick.ca_ms, "ms CPU", "all of koshin", total, None)
    yield line("throughput.requests", quick.requests, "requests", "with orders of 10 s", slow.requests, None)
