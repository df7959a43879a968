import os
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "story")]
os.environ.setdefault("LC_ALL", "C.UTF-8")

# These take long, so they begin first where several files are tried at once.
LONGEST_FIRST = ("panel/", "story/test_02", "story/test_08", "story/test_05", "story/test_12", "story/test_03")


def pytest_collection_modifyitems(items):
    def place(item):
        path = str(item.path.relative_to(HERE))
        return next((i for i, start in enumerate(LONGEST_FIRST) if path.startswith(start)), len(LONGEST_FIRST))

    items.sort(key=place)  # the order within a file stays


@pytest.fixture
def tell(record_property):
    """tell(line): a line that stands in the summary of the whole run, whichever process the test ran in."""
    return lambda line: record_property("tell", line)


@pytest.fixture
def attack(tell):
    """attack(kind, tries): a row of the table of what was tried against koshin, none of which got through."""
    return lambda kind, tries: tell(f"attack: {tries:5} tries, none got through: {kind}")


def pytest_terminal_summary(terminalreporter):
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call":
                for key, line in report.user_properties:
                    if key == "tell":
                        terminalreporter.write_line(line)
