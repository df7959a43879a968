"""A name without an address in a zone of the provider's own: koshin adds it (RFC 2136), and what a person has entered stays."""

import base64
import json
import os
import re
import socket
import threading
import time

import dns.message
import dns.name
import dns.rcode
import pytest

from servers import until
from test_cli import Local
from world import EVERY, World

KEY = "koshin"


def secret():
    return base64.b64encode(os.urandom(32)).decode()


OPERATOR = "operator@host.example"


@pytest.fixture
def world():
    made = World(life=120, watch={"operator": OPERATOR, "every": "1 s"}, start=False)
    try:
        yield made
    finally:
        made.stop()


def give_zone(world, zone, held=None, algorithm="hmac-sha256", server=None, **rights):
    """The zone is ours to change; koshin has the key's secret, or this other one. What must stand in no log."""
    right = secret()
    world.dns.take_updates(KEY, right, algorithm, **rights)
    held = held or right
    file = world.folder / "zone.key"
    file.write_text(held + "\n")
    file.chmod(0o600)
    world.koshin.config["dns"]["updates"] = [
        {
            "zone": zone,
            "server": server or world.dns.forwarder,
            "key": KEY,
            "algorithm": algorithm,
            "secret_file": str(file),
            "ttl": 1,
        }
    ]
    write_config(world)
    return held


def alarm(world, is_end=False):
    def choose(letter):
        return letter.to == OPERATOR and "(own.zone.unwritable)" in letter.text and ("解消" in letter.subject) == is_end

    return world.mail.wait_for("a letter about own.zone.unwritable", choose, 40)


def refused(world, site, said, meaning):
    """The operator reads zone, server, key, code and what it means; the owner has nothing to do, and the next try has a date."""
    finding = site.until_finding("own.zone.unwritable")
    wanted = rf"zone {re.escape(site.name)}, server {re.escape(world.koshin.config['dns']['updates'][0]['server'])}, key {KEY}: {said}: .*{meaning}.*"
    assert re.fullmatch(wanted, finding["seen"]), finding
    assert finding["who"] == "host" and finding["next_look"] > finding["last_seen"], finding
    missing = site.until_finding("dns.address.missing")
    assert missing["who"] == "host" and missing["mended_at"]
    assert re.search(wanted, re.sub(r"\s*\n\s*", " ", alarm(world).text))
    assert world.dns.get(site.name, "A") == []


def healed(world, site):
    """Nobody does anything in koshin: the address is added, the alarm is over, the certificate is there, and the owner has heard nothing of it."""
    site.until_kind("record-added")
    site.until_served()
    until("it is no finding any more", lambda: not any(cause == "own.zone.unwritable" for cause, _ in site.findings()), 30, EVERY)
    alarm(world, is_end=True)
    assert world.dns.get(site.name, "A") == [world.address]
    assert all("接続先" not in letter.subject for letter in site.letters())


def write_config(world):
    world.koshin.config_file.write_text(json.dumps(world.koshin.config))


def test_a_missing_address_is_added_and_the_order_runs(world):
    held = give_zone(world, "kyaku.jp")
    world.koshin.start()
    site = world.site("kyaku.jp", "www.kyaku.jp", records=[]).add()
    lines = site.until_kind("record-added", at_least=2)
    assert {line["detail"] for line in lines if line["kind"] == "record-added"} == set(site.names)
    assert all(world.dns.get(name, "A") == [world.address] for name in site.names)
    site.until_served()
    until("nothing is wrong any more", lambda: not site.findings(), 30, EVERY)
    site.until_kind("proven")
    # The owner had nothing to do with it.
    assert all("接続先" not in letter.subject for letter in site.letters())
    assert held not in world.logs()


def test_what_a_person_has_entered_stays(world):
    give_zone(world, "hito.jp")
    world.koshin.start()
    site = world.site("hito.jp", records=[])
    site.point_elsewhere()
    site.add()
    site.until_finding("dns.a.elsewhere")
    world.koshin.run("check", site.name, status=None)
    assert world.dns.get(site.name, "A") == [world.elsewhere.address]
    assert not {"record-added", "record-refused"} & set(site.kinds())


def test_a_wrong_key_is_ours_to_mend(world):
    held = give_zone(world, "kagi.jp", held=secret())
    world.koshin.start()
    site = world.site("kagi.jp", records=[]).add()
    refused(world, site, "NOTAUTH BADSIG", "secret of this key is another one")
    assert "record-refused" in site.kinds() and site.letters() == []
    world.dns.take_updates(KEY, held)
    healed(world, site)
    assert held not in world.logs()


def test_a_key_that_may_change_nothing(world):
    held = give_zone(world, "kisoku.jp", allowed=False)
    world.koshin.start()
    site = world.site("kisoku.jp", records=[]).add()
    refused(world, site, "NOTAUTH BADKEY", "lets it change nothing here")
    world.dns.take_updates(KEY, held)
    healed(world, site)


class Server(threading.Thread):
    """Gives each message of DNS over TCP that comes in at a listening socket the answer of a function; None: nothing, until the other side
    has had enough."""

    def __init__(self, listener, answer):
        super().__init__()
        self.listener, self.answer = listener, answer

    def __enter__(self):
        self.listener.listen()
        self.start()

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.join()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, client.makefile("rb") as stream:
                message = stream.read(int.from_bytes(stream.read(2), "big"))
                answer = self.answer(message)
                if answer is None:
                    stream.read(1)
                    continue
                client.sendall(len(answer).to_bytes(2, "big") + answer)


def test_a_server_that_does_not_run_and_then_cannot(world):
    """No port is open there; then it answers with codes that a real one gives in its own trouble; then it is the real one."""
    says = {}

    def answer(message):
        if not says:
            with socket.create_connection((world.address, world.dns.port), 5) as real, real.makefile("rb") as stream:
                real.sendall(len(message).to_bytes(2, "big") + message)
                return stream.read(int.from_bytes(stream.read(2), "big"))
        # The header alone, of an answer: opcode UPDATE, nobody's signature.
        return message[:2] + bytes([0xA8, says["code"]]) + bytes(8)

    def seen(words):
        until(words, lambda: words in site.until_finding("own.zone.unwritable")["seen"], 40, EVERY)

    with socket.socket() as reserved:
        reserved.bind((world.address, 0))
        give_zone(world, "tomari.jp", server=f"{world.address}@{reserved.getsockname()[1]}")
        world.koshin.start()
        site = world.site("tomari.jp", records=[]).add()
        refused(world, site, "no connection", "does it run")
        assert site.letters() == []
        says["code"] = 2
        with Server(reserved, answer):
            seen("SERVFAIL: it could not do it; its log may say why")
            # Somebody on the way who says that all is well.
            says["code"] = 0
            seen("the answer is not signed")
            assert world.dns.get(site.name, "A") == []
            says.clear()
            healed(world, site)


def tsig_error(message, held, error, other=b""):
    """As RFC 8945 5.2.3 and 5.2.4 want it: NOTAUTH, signed, with the code, and what goes with it, in the signature's record."""
    asked = dns.message.from_wire(message, keyring={dns.name.from_text(KEY): base64.b64decode(held)})
    answer = dns.message.make_response(asked)
    answer.set_rcode(dns.rcode.NOTAUTH)
    answer.use_tsig(asked.keyring, asked.keyname, 300, None, error, other, asked.keyalgorithm)
    answer.request_mac = asked.mac
    return answer.to_wire()


def test_a_server_that_is_silent_and_then_of_another_time(world):
    """No answer; then a clock that is wrong, and a signature that is too short for it. By itself koshin would try again in an hour: it does when
    somebody asks for a check."""
    says = {"answer": lambda message: None}

    def ask():
        assert Local(world).ask("POST", f"/api/v1/sites/{site.name}/check")[0] == 202

    def seen(words):
        ask()
        until(words, lambda: words in site.until_finding("own.zone.unwritable")["seen"], 20, EVERY)

    def real(message):
        with socket.create_connection((world.address, world.dns.port), 5) as server, server.makefile("rb") as stream:
            server.sendall(len(message).to_bytes(2, "big") + message)
            return stream.read(int.from_bytes(stream.read(2), "big"))

    with socket.socket() as listener:
        listener.bind((world.address, 0))
        held = give_zone(world, "tokei.jp", server=f"{world.address}@{listener.getsockname()[1]}")
        world.koshin.config["check"].update(poll_max="1 h")
        write_config(world)
        with Server(listener, lambda message: says["answer"](message)):
            world.koshin.start()
            site = world.site("tokei.jp", records=[]).add()
            refused(world, site, "no answer in time", "does it run, and does it take TCP from here")
            ten_minutes_ago = (int(time.time()) - 600).to_bytes(6, "big")
            says["answer"] = lambda message: tsig_error(message, held, dns.rcode.BADTIME, ten_minutes_ago)
            seen("NOTAUTH BADTIME: its clock and ours are more than five minutes apart")
            says["answer"] = lambda message: tsig_error(message, held, dns.rcode.BADTRUNC)
            seen("NOTAUTH BADTRUNC: it wants longer signatures")
            assert world.dns.get(site.name, "A") == [] and site.letters() == []
            says["answer"] = real
            ask()
            healed(world, site)
    assert held not in world.logs()


def test_rules_that_refuse(world):
    """As BIND says it."""
    with socket.socket() as reserved:
        reserved.bind((world.address, 0))
        give_zone(world, "kotowari.jp", server=f"{world.address}@{reserved.getsockname()[1]}")
        with Server(reserved, lambda message: message[:2] + b"\xa8\x05" + bytes(8)):
            world.koshin.start()
            site = world.site("kotowari.jp", records=[]).add()
            refused(world, site, "REFUSED", "rules do not let this key change the zone")


def test_a_longer_signature_and_both_kinds_of_addresses(world):
    """hmac-sha512, and an IPv6 address beside the IPv4 one: both are added in one update."""
    give_zone(world, "nagai.jp", algorithm="hmac-sha512")
    world.koshin.config["server"]["addresses"] = [world.address, "2001:db8::10"]
    write_config(world)
    world.koshin.start()
    site = world.site("nagai.jp", records=[]).add()
    site.until_kind("record-added")
    assert world.dns.get(site.name, "A") == [world.address]
    assert world.dns.get(site.name, "AAAA") == ["2001:db8::10"]


def test_killed_before_it_was_done_it_is_added_after_the_restart(world):
    """What was decided and committed reaches nobody: the server takes the connection and says nothing."""
    give_zone(world, "tochu.jp")
    zone = world.koshin.config["dns"]["updates"][0]
    good = zone["server"]
    with socket.socket() as silent:
        silent.bind((world.address, 0))
        silent.listen()
        zone["server"] = f"{world.address}@{silent.getsockname()[1]}"
        write_config(world)
        world.koshin.start()
        site = world.site("tochu.jp", records=[]).add()
        until("it is under way", lambda: site.until_finding("dns.address.missing")["mends"] > 0, 30, EVERY)
        world.koshin.kill("engine")
        world.koshin.stop()
    zone["server"] = good
    write_config(world)
    world.koshin.start()
    site.until_served()
    assert world.dns.get(site.name, "A") == [world.address]
