"""The watchdog beside real servers: what stands still, is late or untrue reaches the operator by a way of its own."""

import json
import os
import shutil
import signal
import subprocess

import pytest

from daemon import program
from servers import Process, key_pem, make_certificate, new_folder, pem, until
from world import World

OPERATOR = "operator@host.example"
WATCH = {"operator": OPERATOR, "every": "1 s", "dead_after": "6 s", "late_after": "5 s"}


@pytest.fixture
def world(request):
    world = World(**{"life": 600, "watch": WATCH, **getattr(request, "param", {})})
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
    # A second watchdog stands by: nothing is told twice.
    second = Process("second", [program(), "watch", "-c", world.koshin.config_file], world.folder)
    second.wait_until(lambda: "stands by" in second.text())
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
    assert world.koshin.json("watch", "--once")["ok"]
    letters = world.mail.letters(to=OPERATOR)
    assert len(letters) == 2, letters
    world.koshin.process.child.kill()  # and everything with it: the second takes over
    second.wait_until(lambda: "alarm own.process.stopped" in second.text())
    assert second.stop() == 0


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


@pytest.mark.parametrize("world", [{"life": 100, "acme": {"timeout": "2 s"}}], indirect=True)
def test_no_ca_then_no_resolver(world):
    """Neither the CA nor our name server answers: each has its own name, and the owner hears of neither."""
    site = world.site("shizuka.jp").add()
    site.until_served()
    site.until_letter(1)
    servers = [world.ca.process.pid, world.dns.process.pid]
    os.kill(servers[0], signal.SIGSTOP)
    try:
        alarm(world, "own.outbound.blocked")
        os.kill(servers[1], signal.SIGSTOP)
        site.until_finding("own.resolver.unavailable")
        alarm(world, "own.resolver.unavailable")
    finally:
        for pid in servers:
            os.kill(pid, signal.SIGCONT)
    alarm(world, "own.outbound.blocked", is_end=True)
    alarm(world, "own.resolver.unavailable", is_end=True)
    until("all is well", lambda: site.findings() == set(), 30, 0.5)
    assert len(site.letters()) == 1


def test_no_route(tmp_path):
    """In a network without a way out: the check and the watchdog both say so, and blame no domain."""
    state = tmp_path / "state"
    config = tmp_path / "koshin.yaml"
    config.write_text(
        json.dumps(
            {
                "server": {"addresses": ["192.0.2.10"]},
                "cas": [{"directory": "https://ca.example/directory"}],
                "state_folder": str(state),
                "dns": {"forwarders": ["192.0.2.53@53"]},
                "check": {"timeout": "500 ms", "deadline": "2 s"},
                "watch": {"every": "1 s"},
            }
        )
    )

    def alone(*words):
        argv = ["unshare", "--net", program(), *words, "-c", config]
        return subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=60)

    checked = json.loads(alone("check", "example.jp", "--json").stdout)
    assert [f["cause"] for n in checked["names"] for f in n["findings"]] == ["own.network.down"], checked
    looked = alone("watch", "--once", "--json")
    assert looked.returncode == 1 and "own.network.down" in looked.stdout, looked
    state.mkdir()
    watchdog = Process("watchdog", ["unshare", "--net", program(), "watch", "-c", config], tmp_path)
    try:
        watchdog.wait_until(lambda: "alarm own.network.down" in watchdog.text())
        assert "own.outbound" not in watchdog.text()
        until("the watchdog keeps what it told", lambda: "own.network.down open" in (state / "watch.state").read_text())
    finally:
        assert watchdog.stop() == 0


def test_disk_of_the_store():
    """The disk under the store fills up, later it is read-only: a name each, nothing lost, no word to the owner."""
    folder = new_folder()
    state = folder / "small"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m,mode=0755", "koshin-watch", state], check=True)
    world = None
    try:
        world = World(life=60, watch=WATCH, state_folder=str(state / "state"))
        world.koshin.state = state / "state"
        site = world.site("afureru.jp").add()
        first = site.until_served()
        site.until_letter(1)
        with open(state / "filler", "wb", buffering=0) as filler:
            try:
                while filler.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        alarm(world, "own.disk.full")
        (state / "filler").unlink()
        alarm(world, "own.disk.full", is_end=True)
        site.until_served(other_than=first.fingerprint, seconds=100)
        assert len(site.letters()) == 1
        world.koshin.doctor()
        assert world.koshin.stop() == 0
        subprocess.run(["mount", "-o", "remount,ro", state], check=True)
        watchdog = Process("watchdog", [program(), "watch", "-c", world.koshin.config_file], world.folder)
        try:
            alarm(world, "own.disk.unwritable")
        finally:
            watchdog.stop()
    except BaseException:
        if world:
            print(world.logs())
        raise
    finally:
        if world:
            world.stop()
        subprocess.run(["umount", state], check=False)
        shutil.rmtree(folder)
