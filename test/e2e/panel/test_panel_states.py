"""The page of a site in each of its states: nothing is cut off, nothing lies on something else, nothing is left in the other language, axe finds
nothing. The same pages are drawn into one picture by tool/contact-sheet."""

import pytest

from screen import PASSWORD, SIZES, Screen
from states_world import StatesWorld, pages, until_ready


@pytest.fixture(scope="module")
def states():
    made = StatesWorld()
    yield made
    made.stop()


@pytest.mark.parametrize("lang", ("ja", "en"))
def test_every_state(states, lang):
    with Screen(states.port, lang) as screen:
        screen.sign_in(f"{lang}@example.jp", PASSWORD)
        for name, path in pages():
            until_ready(screen.open(path), name)
            for size in SIZES:  # by style alone: what is loaded is the same on all
                screen.resize(size).judge(is_one_language=name != "gallery")
            screen.darken().judge(is_one_language=name != "gallery").darken(False)
