"""Nothing blocks: 500 orders in flight at a CA that takes 30 s for a validation, and a site is added.

The CA is the fake one (doc/fake-ca.md), because pebble 2.4.0 may stop answering for good while so many orders come and go on.
"""

import dataclasses
import re
import time
import urllib.request

import fake_ca
import servers
from figures import Goal, line
from ground import Ground, resident_mib

SITES = 500
SLOW = ("limits off", "delay validation 30s")

PLACED = Goal(1.0, "an owner who has just added a site looks at the page and should see that something happens")
MEMORY = Goal(64.0, "the smallest machines on sale have 512 MiB; no process takes more than an eighth of that")


@dataclasses.dataclass
class Load:
    in_flight: int
    alone_s: float  # until the order of a site was placed while nothing else was to do
    placed_s: float  # … and under load
    filled_s: float  # until so many orders were in flight
    resident: dict  # peak MiB by process


def orders_open(ground):
    url = f"http://{ground.address}:{ground.http_port}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return int(re.search(r"^koshin_orders_open (\d+)", answer.read().decode(), re.M).group(1))


def make_ca(ground):
    return fake_ca.FakeCa(ground.folder, *SLOW, address=ground.address, http_port=ground.http_port, dns=None, validate_at=ground.address)


def place(ground, n):
    """Seconds from the wish to the order at the CA: it is one more there, and the site's history says so."""
    begun, before = time.monotonic(), ground.ca.status()["orders"]
    name = ground.add(n)
    servers.until(f"the order of {name}", lambda: "ordered" in ground.kinds(name) and ground.ca.status()["orders"] > before, 60, 0.02)
    return time.monotonic() - begun


def load():
    with Ground({}, kind="folder", make_ca=make_ca, acme={"orders_open_max": 2000}) as ground:
        servers.until("the account", lambda: ground.ca.status()["accounts"] == 1)
        alone_s = place(ground, SITES + 1)
        begun = time.monotonic()
        for n in range(SITES):
            ground.add(n)
        servers.until(f"{SITES} orders in flight", lambda: ground.ca.status()["orders"] > SITES, 120, 0.1)
        filled_s = time.monotonic() - begun
        in_flight = orders_open(ground)
        placed_s = place(ground, SITES + 2)
        resident = {name: resident_mib(pid) for name, pid in ground.processes().items()}
        return Load(in_flight, alone_s, placed_s, filled_s, resident)


def measure():
    now = load()
    yield line("inflight.orders", now.in_flight, "orders", "wanted", SITES, None)
    yield line("inflight.filled", now.filled_s, "s", "one order alone", now.alone_s, None)
    yield line("inflight.placed", now.placed_s, "s", "with nothing in flight", now.alone_s, PLACED)
    for name, mib in now.resident.items():
        yield line(f"inflight.memory.{name}", mib, "MiB", "all processes", sum(now.resident.values()), MEMORY)
