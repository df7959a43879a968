"""Whole fleets in the simulator (bench/fleet.c): speed, a CA that is down for three days, a mass replacement, calendars that change."""

import json
import subprocess
import sys

from figures import CannotMeasure, Goal, line, program

SPEED = Goal(60.0, "a million site-years is a fleet of 100,000 for ten years: while an operator waits for it")
BYTES = Goal(1024.0, "ten million sites, the largest host that there is, fit into the memory of one machine")
NOBODY = Goal(0.0, "a CA that is down is nothing that an owner can mend, and nothing expires for it")
ALLOWED = Goal(1.1, "the longest wait of a site after an ill CA, and the backlog at the pace that the CA's front end takes")
DAY = Goal(24.0, "the CA wants it within a day")
MINUTE = Goal(60.0, "whoever adds a site then waits for it")
CEILING = Goal(875.0, "300 new orders and 250 other requests a second, and bursts of 200 and 125 (CA-FACTS)")
HERD = Goal(1.5, "a change of the calendar must not bring a fleet together on one day")

DOWN_DAYS, BACK_DAY = 3, 13
WAIT_S = 3600 * 1.25  # core/site.c: an order that met an ill CA waits an hour at most, and a quarter more by chance
PACE = 250.0


def run(*argv):
    done = subprocess.run([str(a) for a in (program("fleet"), *argv)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1200)
    if done.returncode != 0:
        raise CannotMeasure(done.stderr)
    return json.loads(done.stdout)


def backlog(seen):
    """Seconds after the CA's return until orders are at the ordinary rate again, and what arithmetic allows."""
    bins, size = seen["issued_in"], seen["bin_s"]
    back = BACK_DAY * 86400 // size
    ordinary = sum(bins[: (BACK_DAY - DOWN_DAYS) * 86400 // size]) / ((BACK_DAY - DOWN_DAYS) * 86400 // size)
    day = 86400 // size
    last = max(i for i in range(day) if bins[back + i] > 2 * ordinary + 10)
    late = sum(bins[back : back + last + 1])
    return (last + 1) * size, WAIT_S + late * seen["requests"] / seen["issued"] / PACE, bins[back - 3 : back + 12]


def phases(seen):
    """The busiest hour of each calendar against its mean."""
    hours = seen["issued_in"]
    for n, life in enumerate(("90 d", "64 d", "45 d", "160 h")):
        # The fleet begins with certificates of every age, those that are just due among them: the first days are not its own.
        part = hours[n * 60 * 24 + (72 if n == 0 else 0) : (n + 1) * 60 * 24]
        yield life, max(part), sum(part) / len(part)


def curve(values):
    most = max(values) or 1
    return "".join(" ▁▂▃▄▅▆▇█"[round(8 * v / most)] for v in values)


def measure():
    quiet = run("quiet", 2000, 50)
    per_million = quiet["cpu_s"] * 1e6 / quiet["site_years"]
    yield line("fleets.quiet", per_million, "s CPU", "a million site-years, from", quiet["site_years"], SPEED)
    yield line("fleets.memory", quiet["bytes_per_site"], "bytes", "a site", 1, BYTES)
    seen = run("outage", 100_000)
    took, allowed, after = backlog(seen)
    yield line("fleets.outage.expired", seen["expired"], "certificates", "of", seen["sites"], NOBODY)
    yield line("fleets.outage.owners", seen["owners_asked"], "letters", "to", seen["sites"], NOBODY)
    yield line("fleets.outage.backlog", took / allowed, "of what is allowed", "s", allowed, ALLOWED)
    print(f"fleets.outage: certificates in each ten minutes from half an hour before the return on: {curve(after)} {after}", file=sys.stderr)
    seen = run("replacement", 1_000_000)
    yield line("fleets.replacement", seen["replaced_h"], "h", "certificates", seen["replaced"], DAY)
    yield line("fleets.replacement.newcomer", seen["newcomer_worst_s"], "s", "of new sites", 24, MINUTE)
    yield line("fleets.replacement.peak", seen["requests_peak"], "requests/s", "in all", seen["requests"], CEILING)
    seen = run("calendar", 100_000)
    for life, most, mean in phases(seen):
        yield line(f"fleets.calendar.{life.replace(' ', '')}", most / mean, "of the mean", "orders an hour", mean, HERD)
