"""100,000 sites of which none is due: what a turn, a start and the memory cost. bench/idle.c measures."""

import pathlib
import tempfile

from figures import Goal, line, program, run

SITES, FEW = 100_000, 100

TURN = Goal(1.0, "a wish wakes the engine: ten a second must stay under 1 % of a core, however many sites there are")
START = Goal(1000.0, "a crash is a restart: nobody who looks at a page in between should notice")
MEMORY = Goal(64.0, "the smallest machines on sale have 512 MiB; koshin takes an eighth of that at most")


def measure():
    with tempfile.TemporaryDirectory(prefix="koshin-idle-") as folder:
        few = run(program("idle"), FEW, pathlib.Path(folder) / "few.db")
        many = run(program("idle"), SITES, pathlib.Path(folder) / "many.db")
    against = f"with {FEW} sites"
    yield line("idle.turn", many["turn_us"] / 1e3, "ms CPU", against, few["turn_us"] / 1e3, TURN)
    yield line("idle.start", many["start_ms"], "ms", against, few["start_ms"], START)
    yield line("idle.memory", many["rss_kib"] / 1024, "MiB", against, few["rss_kib"] / 1024, MEMORY)
    yield line("idle.fill", many["fill_s"], "s", against, few["fill_s"], None)
