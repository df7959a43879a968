"""One world for all stories before the panel: each has a site and an owner of its own."""

import pathlib
import sys

import pytest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent)]

from panel_world import PanelWorld  # noqa: E402


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """What the world has to say of a failure stands in the report."""
    outcome = yield
    report = outcome.get_result()
    made = item.funcargs.get("panel") if report.failed else None
    if made is not None:
        report.sections.append(("the world", made.world.logs()))


@pytest.fixture(scope="session")
def panel():
    made = PanelWorld()
    try:
        yield made
    finally:
        made.world.stop()
