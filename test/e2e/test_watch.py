"""The watchdog beside real servers: what stands still, is late or untrue reaches the operator by a way of its own."""

import os
import signal

import pytest

from servers import key_pem, make_certificate, pem, until
from world import World

OPERATOR = "operator@host.example"
WATCH = {"operator": OPERATOR, "every": "1 s", "dead_after": "6 s", "late_after": "5 s"}


@pytest.fixture
def world(request):
    changes = getattr(request, "param", {})
    world = World(life=600, watch=WATCH, **changes)
    try:
        yield world
    except BaseException:
        print(world.logs())
        raise
    finally:
        world.stop()


def alarm(world, word, is_end=False):
    def choose(letter):
        return letter.to == OPERATOR and f"({word})" in letter.text and ("解消" in letter.subject) == is_end

    return world.mail.wait_for(f"a letter about {word}", choose, 40)


def metric(world, line):
    def look():
        from urllib.request import urlopen

        with urlopen(f"http://{world.address}:{world.koshin.web_port}/metrics", timeout=5) as answer:
            return line in answer.read().decode().splitlines()

    until(f"/metrics says {line}", look, 20, 0.2)


def test_engine_stands_still(world):
    """kill -STOP: the alarm, its gauge and the doctor's line; SIGCONT: it is over, and each was told once."""
    site = world.site("tomaru.jp").add()
    site.until_served()
    site.until_kind("proven")
    metric(world, 'koshin_certificate_days_left{le="1"} 1')
    engine = world.koshin.children()["engine"]
    os.kill(engine, signal.SIGSTOP)
    try:
        letter = alarm(world, "own.process.stopped")
        assert letter.message_id.startswith("<alarm.own.process.stopped.") and "更新エンジン" in letter.subject, letter
        assert "0日以上1日未満: 1件" in letter.text, letter.text
        metric(world, 'koshin_alarm_open{alarm="own.process.stopped"} 1')
        done = world.koshin.run("doctor", status=1)
        assert "own.process.stopped" in done.stdout, done.stdout
    finally:
        os.kill(engine, signal.SIGCONT)
    end = alarm(world, "own.process.stopped", is_end=True)
    assert end.references == letter.message_id
    metric(world, 'koshin_alarm_open{alarm="own.process.stopped"} 0')
    world.koshin.doctor()
    letters = world.mail.letters(to=OPERATOR)
    assert len(letters) == 2, letters
    assert world.koshin.json("watch", "--once")["ok"]


def test_store_is_gone(world):
    """The file is taken away and comes back: a name, a letter, nothing lost, and no word to the owner."""
    site = world.site("kieta.jp").add()
    shown = site.until_served()
    site.until_letter(1)
    store = world.koshin.state / "koshin.db"
    away = world.koshin.state / "koshin.db.away"
    # The engine holds the file open and goes on in it: renamed, it is the same file when it comes back.
    store.rename(away)
    try:
        alarm(world, "own.store.unavailable")
        metric(world, 'koshin_alarm_open{alarm="own.store.unavailable"} 1')
        assert "own.store.unavailable" in world.koshin.run("doctor", status=1).stderr
    finally:
        away.rename(store)
    alarm(world, "own.store.unavailable", is_end=True)
    assert site.shown().fingerprint == shown.fingerprint
    assert len(site.letters()) == 1
    world.koshin.doctor()


def test_another_certificate_is_handed_out(world):
    """Somebody puts another certificate into the web server: the watchdog's own handshake sees it before the engine's next look."""
    site = world.site("chigau.jp").add()
    right = site.until_served()
    site.until_kind("proven")
    key, other = make_certificate("other", None, None, ["chigau.jp"])
    live = world.koshin.live / "live" / site.name
    files = {live / "fullchain.pem": pem(other), live / "privkey.pem": key_pem(key)}
    kept = {path: path.read_bytes() for path in files}
    for path, text in files.items():
        path.write_bytes(text)
    world.nginx.reload()
    until("the other one", lambda: site.shown().fingerprint != right.fingerprint, 10)
    assert "chigau.jp" in alarm(world, "served.differs").text
    for path, text in kept.items():
        path.write_bytes(text)
    world.nginx.reload()
    alarm(world, "served.differs", is_end=True)
    assert site.count("ordered") == 1
