"""A figure and its goal. Each is one line: name value unit | against what, its value | ratio | goal | met or short."""

import dataclasses
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]


class CannotMeasure(Exception):
    """Something that the benchmark stands on is missing or failed: no figure, and exit status 1."""


@dataclasses.dataclass(frozen=True)
class Goal:
    """At most (at_least: at least) this much of the figure itself, or (is_ratio) of it divided by what it is set against."""

    bound: float
    why: str
    is_ratio: bool = False
    at_least: bool = False

    def is_met(self, value):
        return value >= self.bound if self.at_least else value <= self.bound


def number(x):
    return f"{x:.0f}" if x >= 1000 else f"{x:.3g}"


def line(name, value, unit, against, base, goal):
    """The line of one figure. Without a goal it is there to be known."""
    ratio = value / base if base else None
    if goal is None:
        wanted, verdict = "-", "-"
    else:
        measured = ratio if goal.is_ratio else value
        wanted = f"{'>=' if goal.at_least else '<='} {number(goal.bound)} {'x' if goal.is_ratio else unit}"
        verdict = "met" if measured is not None and goal.is_met(measured) else "short"
    return (
        f"{name} {number(value)} {unit} | {against}, {number(base) if base is not None else '-'} {unit}"
        f" | {number(ratio) + ' x' if ratio is not None else '-'} | {wanted} | {verdict}"
    )


def program(name):
    """A program of bench/, which bench/run has built."""
    path = ROOT / "build" / "bench" / name
    if not path.exists():
        raise CannotMeasure(f"{path} is not there; run: make bench")
    return path


def run(*argv, timeout=600):
    """What a program of ours prints, as {key: number}."""
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
    if done.returncode != 0:
        raise CannotMeasure(f"{argv[0]}: status {done.returncode}\n{done.stderr}")
    return {key: float(value) for key, value in (row.split() for row in done.stdout.splitlines())}
