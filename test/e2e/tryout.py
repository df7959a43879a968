"""What ./try runs once koshin is built: the story by itself (--once), or a small world to look at."""

import pathlib
import signal
import sys
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "story")]

import player  # noqa: E402
from world import World  # noqa: E402

SHOW_LIFE = 240  # seconds: long enough to read a page, short enough to see renewals


def once():
    """The story to its end. The exit status."""
    print(
        f"The story of koshin, on real servers: a CA (pebble), nginx, a name server (Knot) and a mail server.\n"
        f"Certificates live {player.LIFE} seconds here instead of {player.LIFE} days. The chapters go on side by side.\n"
    )
    lock = threading.Lock()

    def tell(story, at, text):
        with lock:
            print(f"{at:6.1f} s  {int(story.number):2d}  {text}")

    play = player.Player(player.chapters(), tell)
    play.launch()
    failed = []
    for name, story in play.stories.items():
        try:
            play.wait(name)
        except BaseException as error:  # whatever it was, the other chapters are told of all the same
            failed.append((story, error))
    try:
        play.finish()
    except BaseException as error:
        failed.append((None, error))
    print()
    bad = {id(story) for story, _ in failed}
    for story in play.stories.values():
        print(f"  {'FAILED' if id(story) in bad else 'well  '}  {int(story.number):2d}  {story.title}")
    for story, error in failed:
        print(f"\n{story.title if story else 'at the end'}:")
        traceback.print_exception(error, file=sys.stdout)
    seconds = time.monotonic() - play.begun
    told = len(play.stories)
    print(f"\n{told - len(bad - {id(None)})} of {told} chapters went as told, in {seconds:.0f} s")
    return 1 if failed else 0


def build_show(world):
    """Sites in different states."""
    good = world.site("hajime.jp", "www.hajime.jp").add()
    world.site("日本語.jp", "www.日本語.jp").add()
    world.site("hitotsu.jp", "www.hitotsu.jp", records=["hitotsu.jp"]).add()
    lost = world.site("wasure.jp", "www.wasure.jp").add()
    draft = world.site("sitagaki.jp", "www.sitagaki.jp").add()
    redirected = world.site("tensou.jp", "www.tensou.jp").add()
    for site in (good, lost, draft, redirected):
        site.until_served()
    for name in lost.names:
        lost.point_elsewhere(name)
    world.koshin.run("site", "set", draft.name, "--draft", "--coverage", "single")
    world.koshin.run("site", "set", redirected.name, "--redirect", "on")


def write_commands(world):
    """Short commands for a person: k runs koshin on this world, dns changes a record."""
    k = world.folder / "k"
    k.write_text(f'#!/bin/sh\nexec {world.koshin.binary} "$@" -c {world.koshin.config_file}\n')
    k.chmod(0o755)
    return k


def show():
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    world = World(life=SHOW_LIFE, draft={"tell_after": "60 s", "discard_after": "600 s"})
    try:
        build_show(world)
        k = write_commands(world)
        print(
            f"""
koshin runs, with six sites. Certificates live {SHOW_LIFE // 60} minutes here: renewals are seen within two.

  look at       {k} site list
                {k} site show wasure.jp          its DNS leads elsewhere now: the next look names it, within half a minute
                {k} site show hitotsu.jp         www has no record: the certificate came all the same
                {k} site show sitagaki.jp        a draft was begun and left
                {k} site history hajime.jp
                {k} check www.hitotsu.jp         the diagnosis
                {k} doctor                       the promises, checked on this store
                {k} causes --lang ja             everything that can be wrong, in plain words
  letters       {world.mail.page}   what the owners get, as they get it
  metrics       http://{world.address}:{world.koshin.web_port}/metrics
  as a visitor  openssl s_client -connect {world.address}:{world.nginx.https_port} -servername hajime.jp -CAfile {world.ca.roots} </dev/null
  try           {k} site set hajime.jp --redirect on
                echo rubbish >>{world.nginx.extra}      then: {k} renew hajime.jp --wait
                kill -9 any of these: {' '.join(str(pid) for pid in world.koshin.children().values())}
  logs          {world.folder}/koshin/koshin-1.log

Ctrl-C ends it and takes everything away.
"""
        )
        while not stop.wait(1):
            if not world.koshin.process.alive():
                print(world.koshin.logs())
                print("koshin serve has ended by itself")
                return 1
        print("\nending")
        return 0
    finally:
        world.stop()


def main():
    sys.stdout.reconfigure(encoding="utf-8", line_buffering=True)
    if sys.argv[1:] == ["--once"]:
        return once()
    return show()


if __name__ == "__main__":
    sys.exit(main())
