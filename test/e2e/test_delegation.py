"""The name servers of a domain, each asked by itself: a zone above, two Knot servers that need not agree, one address where
nobody listens, and a server with the habits of another age. What `koshin check` makes of them."""

import json
import pathlib
import socket
import subprocess
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from servers import Process, free_port, new_address

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Knot:
    def __init__(self, folder, name, address, port, zones):
        """zones: name -> lines of the zone file; None: a zone whose file is not there (SERVFAIL)."""
        self.folder = folder / name
        self.folder.mkdir()
        text = (
            f"server:\n  listen: {address}@{port}\n  rundir: {self.folder}\n  pidfile: {self.folder}/knot.pid\n"
            f"  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\nlog:\n  - target: stderr\n    any: warning\n"
            f"control:\n  listen: {self.folder}/knot.sock\ndatabase:\n  storage: {self.folder}\n"
            f"template:\n  - id: default\n    storage: {self.folder}\n    zonefile-load: whole\n    zonefile-sync: -1\n"
            f"    journal-content: none\n    semantic-checks: off\nzone:\n"
        )
        for zone, lines in zones.items():
            text += f'  - domain: "{zone}"\n    file: "{zone}.zone"\n'
            if lines is not None:
                soa = "@ 60 SOA ns1 hostmaster 1 3600 600 86400 60"
                (self.folder / f"{zone}.zone").write_text("\n".join([f"$ORIGIN {zone}", soa, *lines]) + "\n")
        (self.folder / "knot.conf").write_text(text)
        self.process = Process(f"knotd-{name}", ["knotd", "-c", self.folder / "knot.conf"], self.folder)
        self.process.wait_until(lambda: self.answers(address, port, next(iter(zones))))

    @staticmethod
    def answers(address, port, zone):
        import dns.query

        try:
            return dns.query.udp(dns.message.make_query(zone, "SOA"), address, 0.5, port).answer
        except (OSError, dns.exception.Timeout):
            return False

    def stop(self):
        self.process.stop()


class OldServer:
    """Knows no EDNS: such questions it does not hear. And it denies a name that has names below it."""

    def __init__(self, address, port, ours):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        self.ours = ours
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                wire, who = self.socket.recvfrom(4096)
            except OSError:
                return
            question = dns.message.from_wire(wire)
            name = str(question.question[0].name).lower()
            if question.edns >= 0 and name.endswith("old.jp."):
                continue
            answer = dns.message.make_response(question)
            answer.flags |= dns.flags.AA
            if name == "b.between.jp.":
                answer.set_rcode(dns.rcode.NXDOMAIN)
            elif question.question[0].rdtype == 1:
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", self.ours))
            self.socket.sendto(answer.to_wire(), who)

    def stop(self):
        self.socket.close()


def domain(*lines):
    return ["@ 60 NS ns1", "@ 60 NS ns2", *lines]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("delegation")
    base = new_address().rsplit(".", 1)[0]
    resolver, above, first, second, nobody, old, ours, other = (f"{base}.{n}" for n in (10, 20, 21, 22, 23, 24, 30, 40))
    port = free_port(above)
    servers = {  # domain -> addresses of ns1 and ns2
        "good.jp.": (first, second),
        "split.jp.": (first, second),
        "silent.jp.": (first, nobody),
        "refused.jp.": (first, second),
        "cached.jp.": (first, second),
        "old.jp.": (old, nobody),
        "between.jp.": (old,),
    }
    jp = ["@ 60 NS a.dns", f"a.dns 60 A {above}"]
    for name, addresses in servers.items():
        label = name.removesuffix(".jp.")
        for i, address in enumerate(addresses, 1):
            jp += [f"{label} 60 NS ns{i}.{label}", f"ns{i}.{label} 60 A {address}"]
    jp.append("good 60 DS 12345 13 2 " + "00" * 32)
    at_ours, at_other = domain(f"@ 60 A {ours}"), domain(f"@ 60 A {other}")
    running = [
        Knot(folder, "above", above, port, {"jp.": jp}),
        Knot(folder, "first", first, port, dict.fromkeys(["good.jp.", "split.jp.", "silent.jp.", "refused.jp.", "cached.jp."], at_ours)),
        Knot(folder, "second", second, port, {"good.jp.": at_ours, "split.jp.": at_other, "cached.jp.": at_ours}),
        Knot(
            folder,
            "resolver",
            resolver,
            port,
            {
                "jp.": ["@ 60 NS a.dns", f"a.dns 60 A {above}"],
                "good.jp.": at_ours,
                "split.jp.": at_other,
                "silent.jp.": at_ours,
                "refused.jp.": at_ours,
                "cached.jp.": at_other,
                "old.jp.": None,
                "between.jp.": [f"a.b 60 A {ours}"],
            },
        ),
        OldServer(old, port, ours),
    ]
    config = folder / "koshin.yaml"
    config.write_text(
        json.dumps(
            {
                "state_folder": str(folder / "state"),
                "server": {"addresses": [ours]},
                "cas": [{"name": "c", "directory": "https://ca.example/dir"}],
                "dns": {"forwarders": [f"{resolver}@{port}"], "port": port},
                "check": {"allow": ["127.0.0.0/8"], "rdap": "off", "timeout": "2 s", "deadline": "12 s"},
            }
        )
    )

    class World:
        pass

    World.config, World.ours, World.other = config, ours, other
    yield World
    for server in running:
        server.stop()


def check(world, name):
    run = subprocess.run(
        [ROOT / "build" / "koshin", "check", name, "-c", world.config, "--json"], capture_output=True, text=True
    )
    assert run.returncode in (0, 1), run.stdout + run.stderr
    return [f for f in json.loads(run.stdout)["names"][0]["findings"] if f["cause"].startswith("dns.")]


@pytest.mark.parametrize(
    "name, cause, seen",
    [
        ("split.jp", "dns.ns.inconsistent", "ns1.split.jp: {ours}; ns2.split.jp: {other}"),
        ("silent.jp", "dns.delegation.lame", "ns2.silent.jp"),
        ("refused.jp", "dns.delegation.lame", "ns2.refused.jp"),
        ("cached.jp", "dns.answer.still-cached", "{other}"),
        ("a.b.between.jp", "dns.parent.nxdomain", "b.between.jp"),
    ],
)
def test_the_one_server_is_named(world, name, cause, seen):
    findings = check(world, name)
    assert [f["cause"] for f in findings] == [cause]
    assert findings[0]["seen"] == seen.format(ours=world.ours, other=world.other)


def test_a_server_of_another_age(world):
    findings = check(world, "old.jp")
    causes = [f["cause"] for f in findings]
    assert causes[0] == "dns.delegation.lame" and "dns.ns.noncompliant" in causes
    assert next(f for f in findings if f["cause"] == "dns.ns.noncompliant")["seen"] == "ns1.old.jp"
    assert any("only without EDNS" in line for line in findings[0]["evidence"])


def test_servers_that_agree_are_no_news(world):
    assert check(world, "good.jp") == []
