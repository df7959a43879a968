"""Plays chapters of the story, all at once: those that break nothing share one world, the others have one each.

A chapter is a module with play(story); its docstring's first line is its title. WORLD, if it has one, holds what its own
world needs beside the ordinary.
"""

import importlib.util
import pathlib
import sys
import threading
import time

from world import World

FOLDER = pathlib.Path(__file__).resolve().parent
LIFE = 90  # seconds that a certificate of the story lives


class Story:
    """What a chapter gets: a world, and a way to say what happens."""

    def __init__(self, player, number, title):
        self.player = player
        self.number = number
        self.title = title
        self.world = None
        self.steps = []
        self.error = None
        self.done = threading.Event()

    def say(self, text):
        at = time.monotonic() - self.player.begun
        self.steps.append((at, text))
        self.player.tell(self, at, text)


class Player:
    def __init__(self, modules, tell=lambda story, at, text: None):
        self.tell = tell
        self.begun = time.monotonic()
        self.modules = modules
        self.stories = {}
        self._shared = None
        self._shared_error = None
        self._shared_ready = threading.Event()
        self._threads = []

    def launch(self):
        for module in self.modules:
            title = module.__doc__.splitlines()[0]
            number = module.__name__.split("_")[1]
            self.stories[module.__name__] = Story(self, number, title)
        if any(not hasattr(module, "WORLD") for module in self.modules):
            self._go(self._make_shared)
        for module in self.modules:
            self._go(self._play, module)

    def _go(self, work, *args):
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _make_shared(self):
        try:
            self._shared = World(life=LIFE, **SHARED)
        except BaseException as error:
            self._shared_error = error
        self._shared_ready.set()

    def _play(self, module):
        story = self.stories[module.__name__]
        own = None
        try:
            if hasattr(module, "WORLD"):
                own = story.world = World(**{"life": LIFE, **module.WORLD})
            else:
                self._shared_ready.wait()
                if self._shared_error:
                    raise self._shared_error
                story.world = self._shared
            module.play(story)
        except BaseException as error:
            story.error = error
            story.logs = story.world.logs() if story.world else ""
        finally:
            if own:
                own.stop()
            story.done.set()

    def wait(self, name):
        """The story, when it has been played; its failure is raised here."""
        story = self.stories[name]
        story.done.wait()
        if story.error:
            print("\n".join(f"{at:6.1f} s  {text}" for at, text in story.steps))
            print(story.logs)
            raise story.error
        return story

    def finish(self):
        """Waits for all, then ends the shared world; the world's last words are checked before."""
        for thread in self._threads:
            thread.join()
        try:
            if self._shared:
                self._shared.koshin.doctor()
                if self._shared.koshin.stop() != 0:
                    raise AssertionError(f"koshin serve did not end cleanly:\n{self._shared.koshin.logs()}")
        finally:
            if self._shared:
                self._shared.stop()


# The shared world: a draft of seconds is old here.
SHARED = {"draft": {"tell_after": "10 s", "discard_after": "70 s"}}


def chapters():
    """All chapters of this folder, in the order of their numbers."""
    found = []
    for path in sorted(FOLDER.glob("test_[0-9]*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules.setdefault(path.stem, module)
        spec.loader.exec_module(module)
        found.append(module)
    return found
