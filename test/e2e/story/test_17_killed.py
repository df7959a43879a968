"""kill -9 at any time

Engine, keeper, installer and web are killed again and again while certificates are issued and renewed: nothing is lost,
nothing is told twice, and the promises hold.
"""

import itertools
import time

from servers import until
from world import Watch

WORLD = {"life": 60}
PARTS = ("engine", "keeper", "installer", "web")


def play(story):
    world = story.world
    sites = [world.site(f"tsuyoi{n}.jp", f"www.tsuyoi{n}.jp").add() for n in range(4)]
    kills = {part: 0 for part in PARTS}
    end = time.monotonic() + 25
    for part in itertools.cycle(PARTS):
        if time.monotonic() > end:
            break
        world.koshin.kill(part)
        kills[part] += 1
        # The next one dies as soon as this one is back: at a different place each time.
        until(f"{part} is back", lambda part=part: part in world.koshin.children(), 20)
    story.say("killed while four certificates were issued: " + ", ".join(f"{p} {n} times" for p, n in kills.items()))
    assert min(kills.values()) >= 2, kills

    firsts = [site.until_served(seconds=60) for site in sites]
    story.say("left alone, all four have their certificate")
    with Watch(sites[0]):
        for part in PARTS:
            world.koshin.kill(part)
        seconds = [
            site.until_served(other_than=first.fingerprint, seconds=world.life) for site, first in zip(sites, firsts)
        ]
        assert len({shown.fingerprint for shown in seconds}) == 4
    story.say("and their renewals came in time")

    for site in sites:
        letters = site.until_letter(1)
        assert len({letter.message_id for letter in letters}) == 1, "repeated at most with the same Message-ID"
        # Each kill of the engine may cost an order that the CA has made and we have not seen.
        assert site.count("ordered") <= 2 + kills["engine"] + 1
    world.koshin.doctor()
    story.say("each owner got one letter, and the promises hold (koshin doctor)")

    world.koshin.process.child.kill()
    world.koshin.process.child.wait()
    world.koshin.start()
    assert world.koshin.stop() == 0
    world.koshin.start()
    sites[0].until_served(seconds=30)
    story.say("the whole daemon was killed and started again, then ended and started: it goes on")


def test_killed(played):
    played()
