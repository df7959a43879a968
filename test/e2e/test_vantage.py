"""Vantage points: real `koshin vantage` processes that look from addresses of their own. Whom a filter keeps out is told by who gets in; a place
that is dead or broken is told to the operator and to nobody else; and what strangers send to one is refused by name."""

import base64
import contextlib
import json
import os
import pathlib
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from servers import Process, answers, free_port, new_address, until
from test_checks import events_of, valid
from test_cli import Local
from vantage_point import Vantage
from world import World

SITE, WELL, PRIVATE, LURING = "tana.jp", "hoshi.jp", "uchi.jp", "sasoi.jp"
CAS = "127.0.0.1"  # where connections of the CA come from
QUESTION_S = 10  # a connection has so long for its question


class Filter:
    """HAProxy before the web server, at an address that is the site's: who is kept out gets no connection that lives."""

    def __init__(self, world):
        self.world, self.address = world, new_address()
        self.folder = world.folder / "filter"
        self.folder.mkdir()
        self.process = None
        self.keep_out()

    def keep_out(self, *addresses):
        self.stop()
        text = "global\n    maxconn 200\ndefaults\n    mode tcp\n    timeout connect 5s\n    timeout client 30s\n    timeout server 30s\n"
        for port in (self.world.nginx.http_port, self.world.nginx.https_port):
            rule = f"    tcp-request connection reject if {{ src {' '.join(addresses)} }}\n" if addresses else ""
            text += f"listen at{port}\n    bind {self.address}:{port}\n{rule}    server ours {self.world.address}:{port}\n"
        (self.folder / "haproxy.cfg").write_text(text)
        self.process = Process("filter", ["haproxy", "-db", "-f", self.folder / "haproxy.cfg"], self.folder)
        self.process.wait_until(lambda: answers(self.address, self.world.nginx.http_port))

    def stop(self):
        if self.process:
            self.process.stop()


class Asker:
    """Asks by itself: a key, and questions that are as wrong as one wants."""

    def __init__(self):
        self.private = ed25519.Ed25519PrivateKey.generate()
        self.key = b64(self.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw))

    def question(self, place, names=(), header=None, **payload):
        payload = {
            "aud": place.name, "iat": int(time.time()), "jti": b64(os.urandom(16)), "names": list(names), "thumbprint": "", "wait_ms": 5000, **payload,
        }  # fmt: skip
        header = {"alg": "EdDSA", "kid": self.key, "typ": "koshin-question+json", **(header or {})}
        parts = [b64(json.dumps(part).encode()) for part in (header, payload)]
        signature = self.private.sign(".".join(parts).encode())
        return {"protected": parts[0], "payload": parts[1], "signature": b64(signature)}

    def ask(self, place, names=(), **more):
        return post(place, json.dumps(self.question(place, names, **more)))


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def post(place, body, path="/look"):
    """(status, document)"""
    data = body.encode() if isinstance(body, str) else body
    context = ssl.create_default_context(cafile=place.bundle)
    try:
        with urllib.request.urlopen(urllib.request.Request(place.url + path, data), timeout=20, context=context) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def refusal(answer):
    status, document = answer
    assert document["status"] == status
    return document["type"].removeprefix("urn:koshin:vantage:")


@pytest.fixture(scope="module")
def stops():
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def asker():
    return Asker()


@pytest.fixture(scope="module")
def world(stops):
    # A short life: the dates of orders that fail are a part of what is left of it.
    made = World(life=30, start=False, check={"from": [new_address()], "look_every": "1 d"})
    stops.callback(made.stop)
    made.filter = Filter(made)
    stops.callback(made.filter.stop)
    made.koshin.config["server"]["addresses"] = [made.filter.address]
    save(made)
    made.koshin.start()
    return made


def save(world):
    world.koshin.config_file.write_text(json.dumps(world.koshin.config))


@pytest.fixture(scope="module")
def places(world, stops, asker):
    """Two that koshin asks; tokyo lets in the tests' own asker too."""
    mine = world.koshin.run("vantage", "key").stdout.strip()
    both = []
    for name, others in (("tokyo", [f"test {asker.key}"]), ("oregon", [])):
        address = new_address()
        config = world.koshin.config["check"]
        place = Vantage(
            world.folder, name, address, [mine, *others], binary=world.koshin.binary, dns=world.koshin.config["dns"],
            check={"from": [address], "allow": [f"{world.filter.address}/32"], **{k: config[k] for k in ("http_port", "https_port", "timeout", "deadline")}},
        )  # fmt: skip
        stops.callback(place.stop)
        both.append(place)
    assert world.koshin.stop() == 0
    world.koshin.config["vantages"] = [place.entry for place in both]
    save(world)
    world.koshin.start()
    return both


@pytest.fixture(scope="module")
def slow(places, stops):
    """Somebody begins a question, and sends a byte of it now and then: begun first, looked at last."""
    place = places[0]
    context = ssl.create_default_context(cafile=place.bundle)
    connection = context.wrap_socket(socket.create_connection((place.address, place.port)), server_hostname=place.address)
    stops.callback(connection.close)
    connection.sendall(b"POST /look HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n")
    ended = threading.Event()
    begun = time.monotonic()

    def trickle():
        with contextlib.suppress(OSError):
            while not ended.wait(0.2):
                connection.sendall(b"{")
        ended.lasted = time.monotonic() - begun
        ended.set()

    threading.Thread(target=trickle, daemon=True).start()
    return ended


@pytest.fixture(scope="module")
def names(world, slow):
    """Names without a site: one that is well, one whose address is private, one that forwards there."""
    listener = socket.create_server((new_address(), world.nginx.http_port))
    inside = listener.getsockname()[0]
    with contextlib.closing(sqlite3.connect(f"file:{world.koshin.state}/koshin.db?mode=ro", uri=True)) as store:
        (thumbprint,) = until("koshin has an account", lambda: store.execute("SELECT thumbprint FROM ca WHERE account_url <> ''").fetchone())
    world.nginx.extra.write_text(
        f"server {{ listen {world.address}:{world.nginx.http_port}; server_name {WELL};\n"
        f"location ~ ^/.well-known/acme-challenge/(?<token>[A-Za-z0-9_-]+)$ {{ return 200 $token.{thumbprint}; }} }}\n"
        f"server {{ listen {world.address}:{world.nginx.http_port}; server_name {LURING}; return 302 http://{inside}:{world.nginx.http_port}/; }}\n"
    )
    world.nginx.reload()
    for name, address in ((WELL, world.filter.address), (PRIVATE, inside), (LURING, world.filter.address)):
        world.dns.add_zone(name)
        world.dns.set(name, "A", address)
    with listener:
        yield listener


def check(world, name, *words, status=0):
    return json.loads(world.koshin.run("check", name, "--json", *words, status=status).stdout)


def causes(document):
    return [f["cause"] for n in document["names"] for f in n["findings"]]


# --- who is kept out ---


def add(world, name):
    root = world.folder / "www" / name
    root.mkdir(parents=True)
    for folder in (root.parent, root):
        folder.chmod(0o755)
    world.dns.add_zone(name)
    world.dns.set(name, "A", world.filter.address)
    world.koshin.add(name, owner=f"owner@{name}", root=root)


def findings(world, name):
    return [f for n in world.koshin.show(name)["names"] for f in n["findings"]]


def test_the_ca_alone_is_kept_out(world, places, names):
    """The CA is refused again and again, all others get in: it is said so, once that is known, and ends with the ban."""
    add(world, SITE)
    until("it has its certificate", lambda: world.koshin.show(SITE)["certificate"], 30, 0.2)
    places[1].stop()
    world.filter.keep_out(CAS)
    world.koshin.run("renew", SITE)
    first = until("the CA was refused", lambda: findings(world, SITE), 30, 0.2)[0]
    assert first["cause"].startswith("transport.") and first["cause"] != "transport.validator.banned", "one failure is not enough"
    # One place is dead meanwhile: no news of the site, but of the operator's.
    until("the log tells of it", lambda: "vantage point oregon does not answer: " in world.koshin.process.text(), 30, 0.1)
    places[1].start()
    found = until("the CA alone is kept out, as all places know", lambda: [f for f in findings(world, SITE) if f["cause"] == "transport.validator.banned" and f["seen"] == "tokyo, oregon"], 40, 0.3)[0]
    assert "vantage point oregon answers again" in world.koshin.process.text()
    assert (found["who"], found["seen"], found["action"]["copy"]) == ("host", "tokyo, oregon", "")
    evidence = "\n".join(found["evidence"])
    assert "from tokyo: A NOERROR" in evidence and "from oregon: A NOERROR" in evidence and evidence.count("our answer") >= 3, evidence
    # The command, which needs no daemon, says the same; a name beside it that no CA was asked about is well.
    assert causes(check(world, SITE, status=1))[0] == "transport.validator.banned"
    assert causes(check(world, WELL)) == []
    before = world.koshin.show(SITE)["certificate"]["fingerprint"]
    world.filter.keep_out()
    until("another certificate, and nothing is found", lambda: world.koshin.show(SITE)["certificate"]["fingerprint"] != before and findings(world, SITE) == [], 30, 0.3)
    world.koshin.run("site", "remove", SITE, "--yes")


@pytest.mark.parametrize(
    ("kept_out", "cause", "seen"),
    [
        (("tokyo", "oregon"), "transport.connect.geo-blocked", "tokyo, oregon"),
        (("oregon",), "transport.secondary-validation.timeout", "oregon"),
        ((), None, None),
    ],
)
def test_places_that_are_kept_out(world, places, names, kept_out, cause, seen):
    world.filter.keep_out(*(place.address for place in places if place.name in kept_out))
    document = check(world, WELL, status=1 if cause else 0)
    found = [f for n in document["names"] for f in n["findings"]]
    assert [(f["cause"], f["who"], f["seen"]) for f in found] == ([(cause, "host", seen)] if cause else [])
    views = {v["vantage"]: v for v in document["names"][0]["vantages"]}
    assert {name: [a["passes"] for a in v["addresses"]] for name, v in views.items()} == {n: [n not in kept_out] for n in ("tokyo", "oregon")}
    assert all(v["result"] == "seen" for v in views.values())


def test_each_place_has_a_line(world, places, names):
    text = world.koshin.run("check", WELL, "-v", "--lang", "en").stdout
    for place in places:
        assert any(line.split()[:1] == [place.name] and WELL in line and "answered 200" in line for line in text.splitlines()), text
    assert world.koshin.run("vantage", "test", "--lang", "en").stdout.count(": answers (") == 2


def test_the_stream_tells_of_each(world, places, names):
    connection = Local(world)
    connection.request("POST", "/api/v1/checks", json.dumps({"name": WELL}))
    *steps, (kind, outcome) = events_of(connection.getresponse().read().decode())
    told = [valid("CheckStep", data) for _, data in steps if data["step"] == "vantage"]
    assert sorted(s["vantage"] for s in told) == ["oregon", "tokyo"] and all(s["answered"] for s in told)
    assert kind == "check" and [v["result"] for v in valid("Check", outcome)["names"][0]["vantages"]] == ["seen", "seen"]


# --- places that are no help ---


@contextlib.contextmanager
def only(world, *entries):
    """These vantage points instead, for commands."""
    before = world.koshin.config["vantages"]
    world.koshin.config["vantages"] = list(entries)
    save(world)
    try:
        yield
    finally:
        world.koshin.config["vantages"] = before
        save(world)


def test_a_place_that_does_not_answer_is_no_news_of_a_site(world, places, names, asker):
    tokyo = places[0]
    deaf = socket.create_server((tokyo.address, 0), backlog=1)
    closed = free_port(tokyo.address)
    strange = Asker()
    stranger = Vantage(world.folder, "strange", new_address(), [f"x {strange.key}"], binary=world.koshin.binary)
    entries = [
        {**tokyo.entry, "name": "deaf", "url": f"https://{tokyo.address}:{deaf.getsockname()[1]}", "timeout": "1 s"},
        {**tokyo.entry, "name": "closed", "url": f"https://{tokyo.address}:{closed}"},
        {**tokyo.entry, "name": "untrusted", "bundle": str(world.ca.bundle)},
        {**tokyo.entry, "name": "misnamed"},
        stranger.entry,
    ]
    with deaf, contextlib.closing(Closing(stranger)), only(world, *entries):
        begun = time.monotonic()
        document = check(world, WELL)
        assert time.monotonic() - begun < 5 and causes(document) == []
        views = {v["vantage"]: (v["result"], v["detail"]) for v in document["names"][0]["vantages"]}
        assert {name: result for name, (result, _) in views.items()} == {
            "deaf": "silent", "closed": "silent", "untrusted": "silent", "misnamed": "refused", "strange": "refused",
        }  # fmt: skip
        assert views["misnamed"][1].startswith("other-place:") and views["strange"][1].startswith("unknown-key:")
        doctor = world.koshin.run("doctor", "--lang", "en", status=1).stdout
        assert all(f"vantage: {name} does not answer: " in doctor for name in views), doctor
        test = json.loads(world.koshin.run("vantage", "test", "--json", status=1).stdout)
        assert {t["vantage"]: t["answered"] for t in test} == {name: False for name in views}
    assert "vantage: " not in world.koshin.run("doctor", status=None).stdout


class Closing:
    def __init__(self, server):
        self.close = server.stop


def test_a_place_that_hangs_costs_its_timeout(world, places, names):
    """Stopped in the middle, it answers nobody; and after it was killed and started anew, it does."""
    tokyo = places[0]
    os.kill(tokyo.process.pid, signal.SIGSTOP)
    try:
        with only(world, {**tokyo.entry, "timeout": "1 s"}, places[1].entry):
            begun = time.monotonic()
            document = check(world, WELL)
            assert time.monotonic() - begun < 5 and causes(document) == []
            assert {v["vantage"]: v["result"] for v in document["names"][0]["vantages"]} == {"tokyo": "silent", "oregon": "seen"}
    finally:
        os.kill(tokyo.process.pid, signal.SIGCONT)
    oregon = places[1]
    os.kill(oregon.process.pid, signal.SIGKILL)
    oregon.process.stop()
    oregon.start()
    assert {v["result"] for v in check(world, WELL)["names"][0]["vantages"]} == {"seen"}


def test_who_may_not_read_the_master_key_looks_alone(world, places, names):
    key = world.koshin.state / "master.key"
    hidden = key.with_suffix(".hidden")
    key.rename(hidden)
    try:
        done = world.koshin.run("check", WELL, "-v", "--lang", "en")
        assert "the vantage points cannot be asked: " in done.stderr
        assert check(world, WELL)["names"][0]["vantages"] == []
        assert world.koshin.run("vantage", "key", status=1).stderr and world.koshin.run("vantage", "test", status=1).stderr
    finally:
        hidden.rename(key)


# --- what strangers send ---


def test_a_question_is_answered_once(places, names, asker):
    question = json.dumps(asker.question(places[0], [WELL]))
    status, document = post(places[0], question)
    assert status == 200 and document["names"][0]["name"] == WELL and document["jti"] == json.loads(decoded(question))["jti"]
    assert refusal(post(places[0], question)) == "replayed"
    assert refusal(post(places[1], question)) == "unknown-key"


def decoded(question):
    payload = json.loads(question)["payload"]
    return base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))


def changed(question, **parts):
    return json.dumps({**question, **parts})


ATTACKS = {
    "nothing": (lambda a, p: "", "malformed"),
    "rubbish": (lambda a, p: os.urandom(2000), "malformed"),
    "deep": (lambda a, p: "[" * 10000, "malformed"),
    "huge": (lambda a, p: b" " * 5_000_000, "too-long"),
    "unsigned": (lambda a, p: decoded(json.dumps(a.question(p, [WELL]))), "unsigned"),
    "without signature": (lambda a, p: changed(a.question(p, [WELL]), signature=""), "unsigned"),
    "none": (lambda a, p: json.dumps(a.question(p, [WELL], header={"alg": "none"})), "unsigned"),
    "another algorithm": (lambda a, p: json.dumps(a.question(p, [WELL], header={"alg": "HS256"})), "malformed"),
    "another type": (lambda a, p: json.dumps(a.question(p, [WELL], header={"typ": "JWT"})), "malformed"),
    "a key that is not listed": (lambda a, p: json.dumps(Asker().question(p, [WELL])), "unknown-key"),
    "a listed key, signed by another": (lambda a, p: json.dumps(Asker().question(p, [WELL], header={"kid": a.key})), "bad-signature"),
    "another payload": (lambda a, p: changed(a.question(p, [WELL]), payload=a.question(p, [PRIVATE])["payload"]), "bad-signature"),
    "another place": (lambda a, p: json.dumps(a.question(p, [WELL], aud="oregon")), "other-place"),
    "old": (lambda a, p: json.dumps(a.question(p, [WELL], iat=int(time.time()) - 70)), "expired"),
    "of tomorrow": (lambda a, p: json.dumps(a.question(p, [WELL], iat=int(time.time()) + 70)), "early"),
    "an address": (lambda a, p: json.dumps(a.question(p, ["127.0.0.1"])), "malformed"),
    "a bare label": (lambda a, p: json.dumps(a.question(p, ["localhost"])), "malformed"),
    "many names": (lambda a, p: json.dumps(a.question(p, [f"a{n}.jp" for n in range(21)])), "malformed"),
    "a patience without end": (lambda a, p: json.dumps(a.question(p, [WELL], wait_ms=10**9)), "malformed"),
    "more than is known": (lambda a, p: json.dumps(a.question(p, [WELL], port=22)), "malformed"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_are_refused_by_name(places, names, asker, attack):
    make, wanted = ATTACKS[attack]
    assert refusal(post(places[0], make(asker, places[0]))) == wanted
    assert asker.ask(places[0])[0] == 200, "the next question is answered"


def test_there_is_nothing_else(places):
    assert refusal(post(places[0], "{}", "/")) == "no-such" and refusal(post(places[0], "{}", "/look/../etc/passwd" + "x" * 3000)) == "no-such"


def test_no_way_into_networks_inside(places, names, asker):
    """Not by a name that leads there, and not by forwarding: nobody comes to the listener."""
    status, document = asker.ask(places[0], [PRIVATE, LURING], thumbprint="A" * 43)
    assert status == 200
    private, luring = (name["addresses"][0] for name in document["names"])
    assert private["result"] == "forbidden-address" and (luring["result"], luring["hops"]) == ("forbidden-address", 1)
    names.setblocking(False)
    with pytest.raises(BlockingIOError):
        names.accept()


def test_a_peer_has_a_few_connections(places, names):
    """Of forty that one address opens at one time most are closed at once; others are served meanwhile."""
    place = places[0]
    context = ssl.create_default_context(cafile=place.bundle)
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.create_connection((place.address, place.port), source_address=("127.0.0.9", 0))) for _ in range(40)]

        def closed():
            count = 0
            for connection in held:
                connection.setblocking(False)
                with contextlib.suppress(BlockingIOError, ConnectionResetError):
                    count += connection.recv(1) == b""
            return count >= 20

        until("most of them are closed", closed, 5)
        with context.wrap_socket(socket.create_connection((place.address, place.port)), server_hostname=place.address) as other:
            other.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert b" 404 " in other.recv(100)


def test_who_trickles_is_let_go(slow):
    """Began with the first test: ten seconds are for a whole question, not for each byte of it."""
    assert slow.wait(QUESTION_S + 8)
    assert slow.lasted < QUESTION_S + 5


def run_vantage(world, file):
    done = subprocess.run([world.koshin.binary, "vantage", "-c", file], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1, done
    return done.stderr


def test_wrong_configurations_are_told(world, places, tmp_path):
    place = places[0]

    def tell(**changes):
        file = tmp_path / "wrong.yaml"
        file.write_text(json.dumps({**place.config, "vantage": {**place.config["vantage"], **changes}}))
        return run_vantage(world, file)

    readable = tmp_path / "readable.key"
    readable.write_bytes(pathlib.Path(place.key_file).read_bytes())
    readable.chmod(0o644)
    assert "expected mode 0600" in tell(key=str(readable))
    assert "cannot be used for TLS" in tell(certificate=str(place.key_file), listen=[f"{place.address}:{free_port(place.address)}"])
    assert str(place.port) in tell()


def test_a_place_ends_in_order(world, places, names, asker):
    """Told to end while it looks and while others hold connections, it ends with 0."""
    place = places[0]
    silent = socket.create_server((new_address(), world.nginx.http_port))
    name = "damaru.jp"
    world.dns.add_zone(name)
    world.dns.set(name, "A", silent.getsockname()[0])
    place.config["check"]["allow"].append(f"{silent.getsockname()[0]}/32")
    place.stop()
    place.start()
    told = []

    def ask():
        with contextlib.suppress(OSError, ValueError):
            told.append(asker.ask(place, [name], thumbprint="A" * 43, wait_ms=60000))

    with silent, socket.create_connection((place.address, place.port)):
        waiting = threading.Thread(target=ask)
        waiting.start()
        # Its look is at the silent server by now.
        silent.settimeout(10)
        held, _ = silent.accept()
        with held:
            assert place.stop() == 0
        waiting.join(10)
        assert not waiting.is_alive()
    place.start()
    assert asker.ask(place)[0] == 200
