"""Two pebbles: the second steps in while the first is silent, the first takes over again; a key rollover; a CA that is added."""

import json
import os
import pathlib
import signal

import pytest

from fake_ca import FakeCa
from servers import Pebble, free_port, new_address, until
from world import World

LIFE = 96 # from half of it on: an order that meets silence is given up after 18 to 36 s, and with a quarter left the second steps in
EAB_KID, EAB_HMAC = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


def another_pebble(world, word, **more):
    folder = world.folder / word
    folder.mkdir()
    folder.chmod(0o755)
    return world._keep(
        Pebble(folder, new_address(), world.dns.endpoint, world.nginx.http_port, world.nginx.https_port, LIFE, **more)
    )


def trust_both(world):
    """Visitors do, and koshin."""
    roots = world.folder / "both-roots.pem"
    roots.write_text(world.ca.roots.read_text() + world.second.roots.read_text())
    roots.chmod(0o644)
    world.ca.roots = roots
    world.koshin.config["check"]["roots"] = str(roots)


@pytest.fixture(scope="module")
def world():
    made = World(life=LIFE, start=False, acme={"timeout": "2 s", "reserve_after": "3 s", "canary": "canary.jp", "canary_every": "35 s"})
    try:
        made.second = another_pebble(made, "second")
        trust_both(made)
        config = made.koshin.config
        config["cas"].append({"name": "second", "directory": made.second.directory, "bundle": str(made.second.bundle)})
        made.koshin.config_file.write_text(json.dumps(config, ensure_ascii=False))
        made.koshin.start()
        made.site("canary.jp").add().until_served()
        yield made
    finally:
        made.stop()


def ca(world, name):
    return next(row for row in world.koshin.json("ca", "list")["cas"] if row["name"] == name)


def test_the_second_steps_in_and_the_first_comes_back(world):
    site = world.site("futatsu.jp", "www.futatsu.jp").add()
    first = site.until_served()
    until("both accounts are open", lambda: ca(world, "pebble")["ready"] and ca(world, "second")["ready"], 20)
    assert ca(world, "pebble")["thumbprint"] == ca(world, "second")["thumbprint"], "one key for the installation"
    os.kill(world.ca.process.pid, signal.SIGSTOP)
    issued = world.second.issued()
    try:
        second = site.until_served(other_than=first.fingerprint, seconds=LIFE)
    finally:
        os.kill(world.ca.process.pid, signal.SIGCONT)
    assert world.second.issued() > issued
    assert second.is_valid and site.count("ca-changed") >= 1
    assert "act" not in "".join(site.kinds()) and len(site.letters()) == 1, "nobody is mailed while a CA is ill"
    issued = world.ca.issued()
    third = site.until_served(other_than=second.fingerprint, seconds=2 * LIFE)  # one order at the second may still come first
    assert third.is_valid and world.ca.issued() > issued, "back at the first"
    assert ca(world, "pebble")["breaker"] == "closed"
    assert until("the second was rehearsed", lambda: ca(world, "second")["rehearsal"]["last_ok"], 20)
    assert ca(world, "pebble")["rehearsal"]["at"] is None, "the first is rehearsed by every order"


def test_the_key_is_rolled_over_and_challenges_are_answered(world):
    site = world.site("kagi.jp").add()
    before_roll = site.until_served()
    old = ca(world, "pebble")
    said = world.koshin.run("ca", "rollover", "pebble", "--lang", "en").stdout
    assert "has its new key" in said
    new = ca(world, "pebble")
    assert new["thumbprint"] != old["thumbprint"] and new["account"] == old["account"] and new["rollover"] == "none"
    assert ca(world, "second")["thumbprint"] == old["thumbprint"]
    # The server answers for the first account whatever the token; tokens of the second are in the table.
    status, _, body = site.plain("/.well-known/acme-challenge/abcDEF-_123")
    assert (status, body.decode()) == (200, f"abcDEF-_123.{new['thumbprint']}")
    issued = world.ca.issued()
    world.koshin.run("renew", "kagi.jp", "--wait")
    assert world.ca.issued() > issued  # other sites of this world are renewed meanwhile
    after_roll = site.until_served(other_than=before_roll.fingerprint)
    assert after_roll.is_valid
    # The second, which still knows the old key, is answered too.
    done = ca(world, "second")["rehearsal"]["at"]
    again = until("the second is rehearsed again", lambda: ca(world, "second")["rehearsal"]["at"] != done and ca(world, "second")["rehearsal"], 90)
    assert again["ok"], again
    # The web process is gone: the account of the first CA is answered by nginx itself.
    web = world.koshin.kill("web")
    status, _, body = site.plain("/.well-known/acme-challenge/abcDEF-_456")
    assert (status, body.decode()) == (200, f"abcDEF-_456.{new['thumbprint']}")
    until("another web process", lambda: world.koshin.children().get("web", web) != web, 20)
    assert world.koshin.doctor()


def test_a_ca_is_added_while_the_daemon_runs(world, tmp_path):
    third = another_pebble(world, "third", eab={EAB_KID: EAB_HMAC})
    hmac = tmp_path / "hmac"
    hmac.write_text(EAB_HMAC + "\n")
    add = ["ca", "add", "third", "--lang", "en"]
    url, root = ["--directory", third.directory], ["--root", third.bundle]
    refused = {
        "--directory is needed": [*add],
        "cannot be used": [*add, "--directory", f"https://127.0.0.1:{free_port('127.0.0.1')}/dir"],
        "no ACME directory": [*add, "--directory", third.directory.replace("/dir", "/nonce-plz/../root"), *root],
        "key id": [*add, *url, *root],
        "--eab-kid and --eab-hmac-file": [*add, *url, *root, "--eab-kid", EAB_KID],
        "already": ["ca", "add", "second", "--lang", "en", "--directory", world.second.directory, "--root", world.second.bundle],
        "short word": ["ca", "add", "a b", "--lang", "en", "--directory", world.second.directory, "--root", world.second.bundle],
    }
    for words, command in refused.items():
        done = world.koshin.run(*command, status=None)
        assert done.returncode in (1, 2), (words, done.stderr)
        assert words in done.stderr or words == "no ACME directory", (words, done.stderr)
    assert [row["name"] for row in world.koshin.json("ca", "list")["cas"]] == ["pebble", "second"]
    done = world.koshin.run(*add, *url, *root, "--eab-kid", EAB_KID, "--eab-hmac-file", hmac)
    assert "third was added" in done.stdout and third.directory.split("/dir")[0] in done.stdout
    row = ca(world, "third")
    assert row["origin"] == "added" and row["ready"] and row["eab_required"] and row["position"] == 3
    assert EAB_HMAC.encode() not in b"".join(p.read_bytes() for p in pathlib.Path(world.koshin.state).glob("koshin.db*"))
    listed = world.koshin.run("ca", "list", "--lang", "en").stdout
    assert "added" in listed and "EAB" in listed and "config" in listed
    # It is still there after a restart.
    world.koshin.stop()
    world.koshin.start()
    until("the added CA is open again", lambda: ca(world, "third")["ready"] and ca(world, "third")["position"] == 3, 20)


def test_caa_keeps_the_reserve_out(tmp_path):
    """The first CA is off, the second could help, and a CAA record of the domain lets only the first in: that is told, with
    the record that lets the second in."""

    def fake(made, word):
        return FakeCa(made.folder / word, f"identity {word}.example", address=made.address, http_port=made.nginx.http_port, dns=made.dns.forwarder)

    made = World(life=3600, start=False, make_ca=lambda w: fake(w, "first"), acme={"timeout": "2 s", "reserve_after": "2 s"})
    try:
        made.second = made._keep(fake(made, "second"))
        trust_both(made)
        made.koshin.config["cas"].append({"name": "second", "directory": made.second.directory, "bundle": str(made.second.bundle)})
        made.koshin.config_file.write_text(json.dumps(made.koshin.config))
        made.koshin.start()
        until("both accounts are open", lambda: all(row["ready"] for row in made.koshin.json("ca", "list")["cas"]), 20)
        made.ca.say("stop")
        for n in range(6):  # failures enough to know that it is ill
            made.site(f"muryou{n}.jp").add()
        until("the first is known to be ill", lambda: ca(made, "pebble")["breaker"] != "closed", 60)
        site = made.site("tojita.jp")
        made.dns.set(site.name, "CAA", '0 issue "first.example"')
        site.add()
        finding = site.until_finding("dns.caa.reserve", seconds=60)
        assert (finding["who"], finding["seen"]) == ("domain-company", "second")
        assert finding["action"]["copy"] == f'{site.name}. CAA 0 issue "second.example"'
        assert site.show()["certificate"] is None
        # The record that is told lets the second in, at once.
        made.dns.set(site.name, "CAA", '0 issue "first.example"', finding["action"]["copy"].partition(" CAA ")[2])
        made.koshin.run("renew", site.name)
        site.until_served(seconds=60)
        assert ("dns.caa.reserve", site.name) not in site.findings()
    finally:
        made.stop()
