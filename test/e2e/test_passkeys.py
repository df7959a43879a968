"""Passkeys against an authenticator of our own, which signs whatever it is told: each rule is broken alone, everything else being right."""

import base64
import hashlib
import json
import os
import struct

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from browser import Browser
from servers import free_port
from test_access import in_store
from test_api import OPERATIONS, Api
from world import World, world_with_panel

MAIL, OTHER, PASSWORD = "hana@host.example", "kaze@host.example", "hana no iro wa"
PRESENT, VERIFIED, HAS_KEY = 1, 4, 0x40


def encoded(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def cbor(value):
    """RFC 8949, as much as a key needs."""

    def head(kind, n):
        return bytes([kind << 5 | n]) if n < 24 else bytes([kind << 5 | 24, n]) if n < 256 else bytes([kind << 5 | 25]) + struct.pack(">H", n)

    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


class Es256:
    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        n = self.key.public_key().public_numbers()
        self.cose = {1: 2, 3: -7, -1: 1, -2: n.x.to_bytes(32, "big"), -3: n.y.to_bytes(32, "big")}

    def sign(self, data):
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))


class EdDsa:
    def __init__(self):
        self.key = ed25519.Ed25519PrivateKey.generate()
        self.cose = {1: 1, 3: -8, -1: 6, -2: self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)}

    def sign(self, data):
        return self.key.sign(data)


class Rs256:
    def __init__(self):
        self.key = rsa.generate_private_key(65537, 2048)
        n = self.key.public_key().public_numbers()
        self.cose = {1: 3, 3: -257, -1: n.n.to_bytes(256, "big"), -2: n.e.to_bytes(3, "big")}

    def sign(self, data):
        return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())


class Authenticator:
    """Holds one passkey for the panel; what it signs can differ in one thing from what is right."""

    def __init__(self, world, kind=Es256):
        self.origin, self.rp_id = f"http://localhost:{world.port}", "localhost"
        self.signer, self.id, self.count = kind(), os.urandom(32), 0

    def _client(self, type, challenge, changes):
        data = {"type": type, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(data | changes.get("client", {})).encode()

    def _data(self, flags, changes):
        self.count += 1
        rp = hashlib.sha256(changes.get("rp_id", self.rp_id).encode()).digest()
        return rp + bytes([changes.get("flags", flags)]) + struct.pack(">I", changes.get("count", self.count))

    def make(self, challenge, **changes):
        key = cbor(changes.get("cose", self.signer.cose))
        data = self._data(PRESENT | VERIFIED | HAS_KEY, changes) + bytes(16) + struct.pack(">H", len(self.id)) + self.id + key
        return {"name": "key", "client_data": encoded(self._client("webauthn.create", challenge, changes)), "authenticator_data": encoded(data)}

    def sign(self, challenge, **changes):
        client, data = self._client("webauthn.get", challenge, changes), self._data(PRESENT | VERIFIED, changes)
        signature = self.signer.sign(data + hashlib.sha256(client).digest())
        return {"credential": encoded(self.id), "client_data": encoded(client), "authenticator_data": encoded(data), "signature": encoded(signature)}


def judged(operation, answer, status):
    assert answer.status == status, (operation, answer.status, answer.body)
    Api.judge(operation, status, answer.headers["Content-Type"], answer.json)
    return answer.json


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = world_with_panel(tmp_path_factory, "http://localhost:{port}/")
    try:
        for mail in (MAIL, OTHER):
            made.koshin.run("user", "add", mail, "--role", "support")
            made.koshin.run("user", "password", mail, stdin=PASSWORD + "\n")
        yield made
    finally:
        made.stop()


@pytest.fixture
def browser(world):
    made = Browser(world.port)
    assert made.sign_in(MAIL, PASSWORD).status == 201
    return made


def options(browser):
    return judged("passkey_begin", browser.ask("POST", "/passkeys/options", {"password": PASSWORD}), 200)["challenge"]


def challenge(world, address="192.0.2.1"):
    return judged("session_challenge", Browser(world.port, address).ask("POST", "/session/challenge"), 200)["challenge"]


def begin(world, body, address="192.0.2.1"):
    return Browser(world.port, address).ask("POST", "/session", body)


@pytest.mark.parametrize("kind", (Es256, EdDsa, Rs256))
def test_each_algorithm(world, browser, kind):
    key = Authenticator(world, kind)
    made = judged("passkey_add", browser.ask("POST", "/passkeys", key.make(options(browser))), 201)
    assert made["is_possible"] and made["passkeys"][-1]["used_at"] is None
    answer = judged("session_begin", begin(world, key.sign(challenge(world))), 201)
    assert answer["person"]["mail"] == MAIL and not answer["may_set_password"]
    assert judged("passkeys_list", browser.ask("GET", "/passkeys"), 200)["passkeys"][-1]["used_at"]
    id = made["passkeys"][-1]["id"]
    for body, status in (({"password": "not the password"}, 403), ({"password": 1}, 422), ({"password": "x" * 300_000}, 413)):
        judged("passkey_end", browser.ask("POST", f"/passkeys/{id}/removal", body), status)
    judged("passkey_end", browser.ask("POST", f"/passkeys/{id}/removal", {"password": PASSWORD}), 200)
    judged("passkey_end", browser.ask("POST", f"/passkeys/{id}/removal", {"password": PASSWORD}), 404)
    assert begin(world, key.sign(challenge(world))).status == 403


def test_logins_that_are_refused(world, browser):
    key = Authenticator(world)
    assert browser.ask("POST", "/passkeys", key.make(options(browser))).status == 201
    used = key.sign(challenge(world))
    assert begin(world, used).status == 201
    other = Authenticator(world)
    other.id = key.id
    registration = options(browser)
    rows = {
        "the same answer again": used,
        "a challenge that nobody gave": key.sign(encoded(os.urandom(32))),
        "a challenge for registering": key.sign(registration),
        "another origin": key.sign(challenge(world), client={"origin": "https://evil.example"}),
        "the same host at another port": key.sign(challenge(world), client={"origin": "http://localhost:1"}),
        "a frame of another page": key.sign(challenge(world), client={"crossOrigin": True}),
        "a registration": key.sign(challenge(world), client={"type": "webauthn.create"}),
        "another RP ID": key.sign(challenge(world), rp_id="evil.example"),
        "nobody was there": key.sign(challenge(world), flags=VERIFIED),
        "the device did not ask who it is": key.sign(challenge(world), flags=PRESENT),
        "a counter that stands still": key.sign(challenge(world), count=1),
        "a counter that went back to nothing": key.sign(challenge(world), count=0),
        "another's key": other.sign(challenge(world)),
        "a credential that nobody has": {**key.sign(challenge(world)), "credential": encoded(b"x" * 32)},
        "a credential that is too long": {**key.sign(challenge(world)), "credential": "A" * 1399},
        "not base64url": {**key.sign(challenge(world)), "signature": "+/+="},
        "client data that are no JSON": {**used, "client_data": encoded(b"{")},
        "client data with a key twice": {**used, "client_data": encoded(b'{"challenge":"a","challenge":"b"}')},
        "authenticator data cut short": {**key.sign(challenge(world)), "authenticator_data": encoded(b"x" * 36)},
    }
    print()
    for n, (what, body) in enumerate(rows.items()):
        answer = begin(world, body, f"192.0.2.{10 + n}")
        print(f"passkey, signing in: {what:45} {answer.status} {answer.json['error']}")
        judged("session_begin", answer, 403)
        assert answer.headers["Set-Cookie"] is None, what
    assert begin(world, key.sign(challenge(world), count=100)).status == 201, "and the right one is taken still"
    # From another page, or without the fields that belong together.
    assert Browser(world.port).ask("POST", "/session", key.sign(challenge(world)), Origin="https://evil.example").status == 403
    assert begin(world, {"client_data": "e30"}).status == 422
    assert begin(world, {**used, "credential": "A" * 1500}).status == 422


def test_registrations_that_are_refused(world, browser):
    stranger = Browser(world.port)
    assert stranger.sign_in(OTHER, PASSWORD).status == 201
    key = Authenticator(world)
    made = key.make(options(browser))
    assert browser.ask("POST", "/passkeys", made).status == 201
    rows = {
        "the same again": (browser, made),
        "a challenge of another session": (stranger, key.make(options(browser))),
        "a challenge for signing in": (browser, key.make(challenge(world))),
        "another origin": (browser, key.make(options(browser), client={"origin": "https://evil.example"})),
        "a login": (browser, key.make(options(browser), client={"type": "webauthn.get"})),
        "another RP ID": (browser, key.make(options(browser), rp_id="evil.example")),
        "nobody was there": (browser, key.make(options(browser), flags=VERIFIED | HAS_KEY)),
        "the device did not ask who it is": (browser, key.make(options(browser), flags=PRESENT | HAS_KEY)),
        "no key": (browser, key.make(options(browser), flags=PRESENT | VERIFIED)),
        "an algorithm that was not offered": (browser, key.make(options(browser), cose={**key.signer.cose, 3: -35})),
        "a key that is none": (browser, key.make(options(browser), cose={1: 2, 3: -7})),
    }
    print()
    for what, (who, body) in rows.items():
        answer = who.ask("POST", "/passkeys", body)
        print(f"passkey, registering: {what:44} {answer.status} {answer.json['error']}")
        judged("passkey_add", answer, 403)
    judged("passkey_add", stranger.ask("POST", "/passkeys", key.make(options(stranger))), 409)
    for body, status in (({}, 422), ({**made, "name": ""}, 422), ({**made, "name": "a\nb"}, 422), ({**made, "client_data": 1}, 422), ({**made, "name": "x" * 300_000}, 413)):
        judged("passkey_add", browser.ask("POST", "/passkeys", body), status)
    for body, status in (({}, 403), ({"password": "wrong"}, 403), ({"password": 1}, 422), ({"password": "x" * 300_000}, 413)):
        judged("passkey_begin", browser.ask("POST", "/passkeys/options", body), status)
    assert browser.ask("POST", "/passkeys", key.make(options(browser)), X_CSRF_Token="x").status == 403
    for method, path in (("GET", "/passkeys"), ("POST", "/passkeys"), ("POST", "/passkeys/options"), ("POST", "/passkeys/1/removal")):
        body = {"password": PASSWORD} if method == "POST" else None
        assert Browser(world.port).ask(method, path, body).status == 401, path
    # Twenty are the most.
    for _ in range(25):
        begun = browser.ask("POST", "/passkeys/options", {"password": PASSWORD})
        if begun.status != 200:
            break
        assert browser.ask("POST", "/passkeys", Authenticator(world).make(begun.json["challenge"])).status == 201
    judged("passkey_begin", begun, 409)
    assert in_store(world, "SELECT max(n) FROM (SELECT count(*) AS n FROM passkey GROUP BY person_id)") == [(20,)]


def test_challenges_are_not_handed_out_without_end(world):
    asked = [Browser(world.port, "198.51.100.8").ask("POST", "/session/challenge") for _ in range(24)]
    assert [a.status for a in asked[:20]] == [200] * 20
    judged("session_challenge", asked[-1], 429)


def test_passkeys_need_a_name(world):
    """At an address of the panel that browsers take no passkeys for, the API says so."""
    assert str(409) in OPERATIONS["session_challenge"]["responses"]
    folder = world.koshin.config["panel"]["folder"]
    port = free_port("127.0.0.1")
    made = World(life=3600, panel={"listen": [f"127.0.0.1:{port}"], "folder": folder}, panel_url=f"http://127.0.0.1:{port}")
    try:
        made.koshin.run("user", "add", MAIL, "--role", "support")
        made.koshin.run("user", "password", MAIL, stdin=PASSWORD + "\n")
        browser = Browser(port)
        assert browser.sign_in(MAIL, PASSWORD).status == 201
        assert browser.ask("GET", "/passkeys").json == {"passkeys": [], "is_possible": False}
        judged("session_challenge", browser.ask("POST", "/session/challenge"), 409)
        judged("passkey_begin", browser.ask("POST", "/passkeys/options", {"password": PASSWORD}), 409)
    finally:
        made.stop()
