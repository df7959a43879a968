"""The DNS of the laboratory: a root, `jp`, and a zone for each row, on Knot servers; servers with the habits that no real one can
be made to have; and the validating resolvers through which the host and the CA see it all. Every server has an address of its own,
all have one port."""

import base64
import multiprocessing
import os
import pathlib
import signal
import socket
import threading
import time

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from cryptography.hazmat.primitives.asymmetric import ec

import servers

TTL = 3600
DAY = 86400
SERIAL = 1
SLOW_S = 0.3


class Key:
    """Signs a zone: a key, and the time in which its signatures hold, in days from now."""

    def __init__(self, days=(-1, 30)):
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.dnskey = dns.dnssec.make_dnskey(self.private.public_key(), "ECDSAP256SHA256", flags=257)
        self.days = days

    @property
    def tag(self):
        return dns.dnssec.key_id(self.dnskey)

    def ds(self, zone):
        return dns.dnssec.make_ds(zone, self.dnskey, "SHA256").to_text()

    def signed(self, zone, rrset):
        now = time.time()
        signature = dns.dnssec.sign(
            rrset, self.private, dns.name.from_text(zone), self.dnskey, now + self.days[0] * DAY, now + self.days[1] * DAY
        )
        return f"{rrset.name} {rrset.ttl} IN RRSIG {signature.to_text()}"


def zone_text(zone, lines, key=None, serial=SERIAL, without=()):
    """A zone file of lines "OWNER TYPE VALUE" (@: the zone itself, a name without final dot is below it); signed if there is a key,
    `without` some types of what signing adds."""
    sets = {}

    def put(owner, rtype, value):
        sets.setdefault((dns.name.from_text(owner), rtype), []).append(value)

    put(zone, "SOA", f"ns1.{zone.lstrip('.')} hostmaster.{zone.lstrip('.')} {serial} 3600 600 86400 60")
    for line in lines:
        owner, rtype, value = line.split(None, 2)
        put(zone if owner == "@" else owner if owner.endswith(".") else f"{owner}.{zone}", rtype, value)
    if key:
        put(zone, "DNSKEY", key.dnskey.to_text())
        add_denials(dns.name.from_text(zone), sets)
    text = []
    for (owner, rtype), values in sets.items():
        rrset = dns.rrset.from_text_list(owner, TTL, "IN", rtype, values)
        text.append(rrset.to_text())
        if key and rtype not in without and not is_below_cut(dns.name.from_text(zone), owner, rtype, sets):
            text.append(key.signed(zone, rrset))
    return "\n".join(text) + "\n"


def is_below_cut(apex, owner, rtype, sets):
    """Names of a zone below, and where it begins, are not this zone's to sign (RFC 4035 2.2)."""
    while owner != apex:
        if (owner, "NS") in sets:
            return rtype not in ("DS", "NSEC")
        owner, rtype = owner.parent(), "A"
    return False


def add_denials(apex, sets):
    owners = sorted({owner for owner, _ in sets if not is_below_cut(apex, owner, "NSEC", sets)})
    for owner, after in zip(owners, owners[1:] + owners[:1]):
        types = sorted({rtype for name, rtype in sets if name == owner} | {"RRSIG", "NSEC"}, key=dns.rdatatype.from_text)
        sets[(owner, "NSEC")] = [f"{after} {' '.join(types)}"]


class Knot:
    """One knotd. zones: name -> text of the zone file; None: a zone whose file is not there, which it answers with SERVFAIL. payload: how
    long an answer over UDP it gives to those who ask for more."""

    def __init__(self, folder, name, address, port, zones, payload=1232):
        self.folder, self.address, self.port = pathlib.Path(folder) / name, address, port
        self.folder.mkdir()
        text = (
            f"server:\n  udp-max-payload: {payload}\n  listen: {address}@{port}\n  rundir: {self.folder}\n  pidfile: {self.folder}/knot.pid\n"
            f"  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\nlog:\n  - target: stderr\n    any: warning\n"
            f"control:\n  listen: {self.folder}/knot.sock\ndatabase:\n  storage: {self.folder}\n"
            f"template:\n  - id: default\n    storage: {self.folder}\n    zonefile-load: whole\n    zonefile-sync: -1\n"
            f"    journal-content: none\n    semantic-checks: off\nzone:\n"
        )
        for zone, content in zones.items():
            text += f'  - domain: "{zone}"\n    file: "{self._file(zone)}"\n'
            if content is not None:
                (self.folder / self._file(zone)).write_text(content)
        (self.folder / "knot.conf").write_text(text)
        self.process = servers.Process(f"knotd-{name}", ["knotd", "-c", self.folder / "knot.conf"], self.folder)
        self.process.wait_until(lambda: self.serial(next(iter(zones))))

    @staticmethod
    def _file(zone):
        return "root.zone" if zone == "." else f"{zone}zone"

    def serial(self, zone):
        query = dns.message.make_query(zone, "SOA")
        for rrset in dns.query.udp(query, self.address, 2, self.port).answer:
            return rrset[0].serial
        return None

    def replace(self, zone, text, serial):
        """Another content of a zone; returns when it is given out."""
        (self.folder / self._file(zone)).write_text(text)
        os.kill(self.process.pid, signal.SIGHUP)
        servers.until(f"{zone} is new", lambda: self.serial(zone) == serial)

    def stop(self):
        self.process.stop()


class Odd:
    """A name server whose manners are those of the zone that is asked for: zones maps a zone to (manner, its one name, the address of that)."""

    def __init__(self, address, port, zones):
        self.zones = {dns.name.from_text(zone): (manner, dns.name.from_text(name), address) for zone, (manner, name, address) in zones.items()}
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((address, port))
        # A process of its own: the threads of the test would make it wait.
        self.process = multiprocessing.get_context("fork").Process(target=self._serve, daemon=True)
        self.process.start()

    def _serve(self):
        while True:
            wire, who = self.udp.recvfrom(4096)
            try:
                answer = self._answer(dns.message.from_wire(wire))
            except dns.exception.DNSException:
                continue
            if answer is not None and self._is_slow(wire):
                threading.Timer(SLOW_S, self.udp.sendto, (answer, who)).start()
            elif answer is not None:
                self.udp.sendto(answer, who)

    def _answer(self, question):
        asked = question.question[0]
        zone = next((z for z in self.zones if asked.name.is_subdomain(z)), None)
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.AA
        if zone is None:
            answer.set_rcode(dns.rcode.REFUSED)
            return answer.to_wire()
        manner, name, address = self.zones[zone]
        self._fill(answer, asked, zone, name, address)
        return MANNERS[manner](question, answer)

    def _is_slow(self, wire):
        name = dns.message.from_wire(wire).question[0].name
        return any(how[0] == "slow" and name.is_subdomain(zone) for zone, how in self.zones.items())

    @staticmethod
    def _fill(answer, asked, zone, name, address):
        def one(section, owner, rtype, value):
            section.append(dns.rrset.from_text(owner, TTL, "IN", rtype, value))

        soa = f"ns1.{zone} hostmaster.{zone} {SERIAL} 3600 600 86400 60"
        if asked.name == name and asked.rdtype == dns.rdatatype.A:
            one(answer.answer, asked.name, "A", address)
        elif asked.name == zone and asked.rdtype == dns.rdatatype.NS:
            one(answer.answer, zone, "NS", f"ns1.{zone}")
        elif asked.name == zone and asked.rdtype == dns.rdatatype.SOA:
            one(answer.answer, zone, "SOA", soa)
        else:
            if not name.is_subdomain(asked.name):
                answer.set_rcode(dns.rcode.NXDOMAIN)
            one(answer.authority, zone, "SOA", soa)

    def stop(self):
        self.process.terminate()
        self.process.join()
        self.udp.close()


def only_small_letters(question, answer):
    """Gives the name back in small letters, whatever letters it was asked with."""
    for rrset in answer.question:
        rrset.name = dns.name.from_text(rrset.name.to_text().lower())
    return answer.to_wire()


def cut_short(question, answer):
    """Says that the answer does not fit, and takes no connection over TCP."""
    answer.answer.clear()
    answer.flags |= dns.flags.TC
    return answer.to_wire()


def wrong_number(question, answer):
    answer.id ^= 1
    return answer.to_wire()


def with_code(code, *types):
    def manner(question, answer):
        if not types or dns.rdatatype.to_text(question.question[0].rdtype) in types:
            answer.answer.clear()
            answer.authority.clear()
            answer.set_rcode(code)
        return answer.to_wire()

    return manner


def deny_between(question, answer):
    """Denies names that have no records of their own, although there are names below them."""
    name = question.question[0].name.to_text().lower()
    if name.startswith("b."):
        answer.answer.clear()
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer.to_wire()


MANNERS = {
    "plain": lambda question, answer: answer.to_wire(),
    "slow": lambda question, answer: answer.to_wire(),
    "silent": lambda question, answer: None,
    "silent to EDNS": lambda question, answer: None if question.edns >= 0 else answer.to_wire(),
    "silent to CAA": lambda question, answer: None if question.question[0].rdtype == dns.rdatatype.CAA else answer.to_wire(),
    "small letters": only_small_letters,
    "cut": cut_short,
    "wrong number": wrong_number,
    "REFUSED": with_code(dns.rcode.REFUSED),
    "SERVFAIL": with_code(dns.rcode.SERVFAIL),
    "CAA NOTIMP": with_code(dns.rcode.NOTIMP, "CAA"),
    "CAA SERVFAIL": with_code(dns.rcode.SERVFAIL, "CAA"),
    "denies between": deny_between,
}  # fmt: skip


class Resolver:
    """Unbound, set as a CA sets it: DNSSEC, questions no longer than needed, mixed letters, small answers."""

    def __init__(self, folder, name, address, port, anchor, stubs, view=None, allow="127.0.0.0/8"):
        """stubs: zone -> addresses of its servers, all on this port. view: (an address that asks, records "OWNER TYPE VALUE" that it is given). allow: who may ask."""
        self.folder, self.address, self.port = pathlib.Path(folder) / name, address, port
        self.folder.mkdir()
        text = (
            f'server:\n  interface: {address}\n  port: {port}\n  username: ""\n  chroot: ""\n  directory: "{self.folder}"\n'
            f'  pidfile: "{self.folder}/unbound.pid"\n  use-syslog: no\n  logfile: ""\n  verbosity: 1\n  num-threads: 1\n'
            f"  access-control: {allow} allow\n  do-not-query-localhost: no\n  do-ip6: no\n"
            f'  module-config: "validator iterator"\n  trust-anchor-file: "{anchor}"\n  qname-minimisation: yes\n'
            f"  use-caps-for-id: yes\n  edns-buffer-size: 1232\n  target-fetch-policy: \"0 0 0 0 0\"\n"
            f"remote-control:\n  control-enable: no\n"
        )
        for zone, addresses in stubs.items():
            text += f'stub-zone:\n  name: "{zone}"\n' + "".join(f"  stub-addr: {a}@{port}\n" for a in addresses)
        if view:
            asker, records = view
            # Other types of the name are answered as to everybody.
            zones = "".join(f'  local-zone: "{owner}" typetransparent\n' for owner in dict.fromkeys(r.split()[0] for r in records))
            text += f'server:\n  access-control-view: {asker}/32 abroad\nview:\n  name: "abroad"\n  view-first: yes\n{zones}'
            text += "".join(f"  local-data: '{record}'\n" for record in records)
        (self.folder / "unbound.conf").write_text(text)
        self.process = servers.Process(name, ["unbound", "-d", "-c", self.folder / "unbound.conf"], self.folder)
        self.process.wait_until(lambda: self.ask("jp.", "SOA").answer)

    @property
    def forwarder(self):
        return f"{self.address}@{self.port}"

    @property
    def endpoint(self):
        return f"{self.address}:{self.port}"

    def ask(self, name, rtype):
        return dns.query.udp(dns.message.make_query(name, rtype), self.address, 2, self.port)

    def stop(self):
        self.process.stop()


def anchor_text(zone, key):
    return f"{zone} 3600 IN DNSKEY 257 3 13 {base64.b64encode(key.dnskey.key).decode()}\n"
