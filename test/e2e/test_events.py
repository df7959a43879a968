"""Server-sent events: what happens is told while it happens, and a reader that comes back misses nothing and hears nothing twice."""

import http.client
import json
import socket
import threading
import time

import pytest

from servers import until
from world import World


class Reader:
    """Reads a stream in a thread of its own; events as (id, name, data)."""

    def __init__(self, world, path, last=None):
        self.events, self.comments, self.is_over = [], 0, False
        self.connection = http.client.HTTPConnection("koshin", timeout=60)
        self.connection.sock = socket.socket(socket.AF_UNIX)
        self.connection.sock.settimeout(60)
        self.connection.sock.connect(str(world.koshin.state / "run" / "api.sock"))
        headers = {"Accept": "text/event-stream", **({} if last is None else {"Last-Event-ID": str(last)})}
        self.connection.request("GET", f"/api/v1{path}", headers=headers)
        self.answer = self.connection.getresponse()
        if self.answer.status == 200:
            self.thread = threading.Thread(target=self._read, daemon=True)
            self.thread.start()

    def _read(self):
        event = {}
        for line in self.answer:
            key, _, value = line.decode().rstrip("\n").partition(": ")
            if line == b"\n" and "data" in event:
                self.events.append((event.get("id"), event.get("event"), json.loads(event["data"])))
            if line == b"\n":
                event = {}
            elif line.startswith(b":"):
                self.comments += 1
            else:
                event[key] = value
        self.is_over = True

    def lines(self):
        return [data for _, name, data in list(self.events) if name == "history"]

    def kinds(self):
        return [line["kind"] for line in self.lines()]

    def sites(self):
        return [data for _, name, data in list(self.events) if name == "site"]

    def close(self):
        self.connection.sock.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def world():
    made = World(life=3600)
    yield made
    made.stop()


def test_live_steps(world):
    """From the press of the button to the certificate, each step as it is taken."""
    site = world.site("kome.jp")
    everything = Reader(world, "/events")
    site.add()
    reader = Reader(world, "/sites/kome.jp/events?since=0")
    assert reader.answer.getheader("Content-Type") == "text/event-stream"
    until("the certificate is proven", lambda: "proven" in reader.kinds(), 60)
    assert reader.kinds()[0] == "added" and reader.kinds().index("ordered") < reader.kinds().index("issued")
    doing = [one["doing"] for one in reader.sites()]
    assert {"order", "deploy"} <= set(doing), doing
    until("the last word is that it is served", lambda: reader.sites()[-1]["state"] == "ok")
    assert all(identity == str(data["id"]) for identity, name, data in reader.events if name == "history")
    until("the operator sees the same", lambda: everything.kinds() == reader.kinds())
    assert {line["site"] for line in everything.lines()} == {"kome.jp"}
    reader.close(), everything.close()


def test_nothing_is_missed_and_nothing_comes_twice(world):
    first = Reader(world, "/sites/kome.jp/events?since=0")
    until("the history is there", lambda: len(first.lines()) >= 4)
    first.close()
    known = first.lines()[1]["id"]
    world.koshin.run("site", "set", "kome.jp", "--draft", "--redirect", "on")  # while nobody listens
    again = Reader(world, "/sites/kome.jp/events", last=known)
    until("the draft is told", lambda: "draft-begun" in again.kinds())
    numbers = [line["id"] for line in again.lines()]
    assert numbers == sorted(set(numbers)) and numbers[0] > known
    assert [line["id"] for line in first.lines() if line["id"] > known] == numbers[: len(first.lines()) - 2]
    again.close()


def test_from_now_on(world):
    reader = Reader(world, "/sites/kome.jp/events")
    until("the site is told", lambda: reader.sites())
    assert reader.lines() == []
    begun = time.monotonic()
    world.koshin.run("site", "set", "kome.jp", "--discard-draft")
    until("it is told", lambda: "draft-discarded" in reader.kinds())
    assert time.monotonic() - begun < 2
    reader.close()


def test_the_server_ends(world):
    """A web process that dies, and one that is ended: the reader comes again, and goes on."""
    reader = Reader(world, "/sites/kome.jp/events?since=0")
    until("the history is there", lambda: len(reader.lines()) >= 4)
    last = reader.lines()[-1]["id"]
    world.koshin.kill("web")
    until("the stream has ended", lambda: not reader.thread.is_alive())

    def come_again():
        try:
            return Reader(world, "/sites/kome.jp/events", last=last)
        except OSError:
            return None

    again = until("there is a web process again", come_again)
    world.koshin.run("site", "set", "kome.jp", "--draft", "--hsts", "off")
    until("it goes on", lambda: again.kinds() == ["draft-begun"])
    again.close()


def test_what_is_refused(world):
    assert Reader(world, "/sites/kome.jp/events", last="x").answer.status == 422
    assert Reader(world, "/sites/kome.jp/events", last="-1").answer.status == 422
    assert Reader(world, "/sites/nobody.jp/events").answer.status == 404


def test_there_is_an_end_of_readers(world):
    """Readers that are gone are noticed within 15 s, when nothing else is told; until then they keep their place."""
    readers = [Reader(world, "/sites/kome.jp/events") for _ in range(201)]
    statuses = [reader.answer.status for reader in readers]
    assert set(statuses) == {200, 429} and statuses[-1] == 429 and statuses.index(429) > 190, statuses
    for reader in readers:
        reader.connection.close() if reader.answer.status != 200 else reader.close()

    def is_free():
        reader = Reader(world, "/sites/kome.jp/events")
        reader.close() if reader.answer.status == 200 else reader.connection.close()
        return reader.answer.status == 200

    until("places are free again", is_free, 40)
