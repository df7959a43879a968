"""What is dropped on its way without a word. One cable between two networks: koshin, its CA and its resolver at one end; web servers and
name servers at the other, each row's at addresses of its own, behind a packet filter. Each row's cause comes out, in time; the CA is
asked too."""

import concurrent.futures
import contextlib
import dataclasses
import json
import shutil
import sqlite3
import subprocess
import time

import dns.exception
import dns.flags
import dns.message
import dns.query
import pytest

import acme_raw
import daemon
import networks
import servers
from lab import judge, names, webs
from lab.table import BY_CHANCE, FAILS, PASSES
from mailbox_server import Mailbox
from vantage_point import Vantage

MACHINE, HERE, TOKYO, OREGON = "10.77.0.1", "10.77.0.2", "10.77.0.3", "10.77.0.4"  # the CA's, koshin's, and those of its vantage points
HERE_6 = "fd77::2"
LOCAL = "127.77.0.1"
ABOVE = "127.77.0.2"
DEADLINE_S = 10
AT_ONCE = 6
WEB_PORT, TLS_PORT, DNS_PORT = 8080, 8443, 5353
BLOCKS = {row["id"]: row["blocks"] for row in json.loads(subprocess.run([daemon.program(), "causes", "--json"], capture_output=True, check=True).stdout)}
A_OURS = "{name}. 3600 IN A 10.77.1.1"
NO_FALLBACK = "pebble does not try IPv4 after IPv6"
# More CAs than a small answer can hold: asked for over UDP, it is cut, and has to be asked for over TCP.
MANY_CAA = tuple(f'@ CAA 0 issue "ca-{n:02}.{"long-name-" * 4}example"' for n in range(24)) + ('@ CAA 0 issue "letsencrypt.org"',)


PIECES = ("back", "ip saddr {ns} ip frag-off & 0x3fff != 0")  # a fragment, the first or a later one


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    built: str
    drops: tuple = ()  # (where, rule): "in" or "out" at the servers' end, "back" at ours; {web}, {web6} its web server, {ns} its first name server
    cause: str | None = None
    who: str | None = None
    copy: str | None = None
    _: dataclasses.KW_ONLY
    seen: str | None = None
    is_site: bool = False  # it has a certificate, from before anything was dropped
    six: str | None = None  # its AAAA record leads to a server of "ours", or to an "other" one
    records: tuple = ()
    has_own_dns: bool = False
    is_half: bool = False  # a second name server has the zone too, and nothing is dropped there
    otherwise: str | None = None  # why pebble does not say what koshin says; BY_CHANCE: it may, as it waits two seconds for DNS, and no longer


ROWS = (
    Row("well.jp", "everything is let through", is_site=True, six="ours", has_own_dns=True),
    Row("shut.jp", "port 80 is dropped", (("in", "ip daddr {web} tcp dport 8080"),), "transport.port80.closed", "host", seen="{web}"),
    Row("dark.jp", "port 443 is dropped", (("in", "ip daddr {web} tcp dport 8443"),), "served.unreachable", "host", seen="{web}", is_site=True),
    Row("inland.jp", "the country filter drops all who come from abroad", (("in", f"ip daddr {{web}} tcp dport 8080 ip saddr {{{{ {MACHINE}, {TOKYO}, {OREGON} }}}}"),),
        "transport.connect.geo-blocked", "host", "", seen="tokyo, oregon"),
    Row("someplaces.jp", "one network abroad is dropped", (("in", f"ip daddr {{web}} tcp dport 8080 ip saddr {OREGON}"),),
        "transport.secondary-validation.timeout", "host", "", seen="oregon", otherwise="pebble looks from one place"),
    Row("sixless.jp", "our IPv6 is dropped, IPv4 let through", (("in", "ip6 daddr {web6} tcp dport {{ 8080, 8443 }}"),),
        "served.unreachable", "host", seen="{web6}", is_site=True, six="ours", otherwise=NO_FALLBACK),
    Row("oldsix.jp", "IPv6 of another server is dropped, our IPv4 let through", (("in", "ip6 daddr {web6} tcp dport {{ 8080, 8443 }}"),),
        "dns.aaaa.unreachable", "domain-company", "{name}. 3600 IN AAAA {web6}", seen="{web6}", six="other", otherwise=NO_FALLBACK),
    Row("noudp.jp", "questions over UDP are dropped, over TCP let through", (("in", "ip daddr {ns} udp dport 5353"),), "dns.lookup.timeout", "nobody", has_own_dns=True),
    Row("notcp.jp", "questions over TCP are dropped, over UDP let through", (("in", "ip daddr {ns} tcp dport 5353"),), None, has_own_dns=True),
    Row("half.jp", "one of two name servers is behind the filter", (("in", "ip daddr {ns} udp dport 5353"), ("in", "ip daddr {ns} tcp dport 5353")),
        "dns.delegation.lame", "domain-company", A_OURS, seen="ns1.half.jp", has_own_dns=True, is_half=True, otherwise=BY_CHANCE),
    Row("pieces.jp", "answers in several pieces are dropped: small ones and TCP do", (PIECES,), None, has_own_dns=True, records=MANY_CAA),
    Row("stump.jp", "answers in several pieces are dropped, and TCP", (PIECES, ("in", "ip daddr {ns} tcp dport 5353")),
        "dns.ns.noncompliant", "domain-company", A_OURS, seen="ns1.stump.jp", otherwise="pebble does not look at CAA", has_own_dns=True, records=MANY_CAA),
    Row("narrow.jp", "packets of full size are dropped: the handshake hangs after the first words", (("out", "ip saddr {web} tcp sport 8443 ip length > 576"),),
        "served.unreachable", "host", seen="{web}", is_site=True),
)  # fmt: skip


class Silence:
    def __init__(self):
        self.folder = servers.new_folder("koshin-silence-")
        self._stops = contextlib.ExitStack()
        self._stops.callback(shutil.rmtree, self.folder, ignore_errors=True)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self):
        self._stops.close()

    def _keep(self, server):
        self._stops.callback(server.stop)
        return server

    def at(self, row):
        n = ROWS.index(row) + 1
        return {"name": row.name, "web": f"10.77.1.{n}", "web6": f"fd77::{2 if row.six == 'other' else 1}:{n}", "ns": f"10.77.2.{n if row.has_own_dns else 1}", "second": "10.77.2.1"}

    def ours(self):
        return [a for row in ROWS for a in (self.at(row)["web"], *([self.at(row)["web6"]] if row.six == "ours" else []))]

    def _start(self):
        self.here, self.there = networks.Network(), networks.Network()
        for network in (self.here, self.there):
            self._stops.callback(network.close)
        self.here.join(self.there)
        self.here.add(*(f"{a}/16" for a in (MACHINE, HERE, TOKYO, OREGON)), "fd77::1/64", f"{HERE_6}/64")
        self.there.add(*(f"10.77.{net}.{n}/16" for net in (1, 2) for n in range(1, len(ROWS) + 1)), *(f"{self.at(row)['web6']}/64" for row in ROWS))
        self.here.may_bind_to_any()
        with self.there.inside():
            self._start_zones()
            self.nginx = self._keep(servers.Nginx(self.folder, "10.77.1.1", WEB_PORT, TLS_PORT))
        self._stops.enter_context(self.here.inside())  # from here on this thread, and what it starts, is at this end
        self._start_names_above()
        self.pebble = self._keep(servers.Pebble(self.folder, LOCAL, self.resolver.endpoint, WEB_PORT, TLS_PORT, 90 * 86400))
        self.account = acme_raw.Account(acme_raw.Client(self.pebble.directory, self.pebble.bundle))
        self._start_koshin()
        self._issue()
        rules = [(where, rule.format(**self.at(row))) for row in ROWS for where, rule in row.drops]
        self.there.drop([(where, rule) for where, rule in rules if where != "back"])
        self.here.drop([("in", rule) for where, rule in rules if where == "back"])

    def _start_zones(self):
        zones = {}
        for row in ROWS:
            at = self.at(row)
            text = [f"@ NS ns1.{row.name}.", f"ns1.{row.name}. A {at['ns']}", f"@ A {at['web']}", *row.records]
            text += [f"@ AAAA {at['web6']}"] if row.six else []
            text += [f"@ NS ns2.{row.name}.", f"ns2.{row.name}. A {at['second']}"] if row.is_half else []
            for place in {at["ns"], at["second"] if row.is_half else at["ns"]}:
                zones.setdefault(place, {})[f"{row.name}."] = names.zone_text(f"{row.name}.", text)
        for place, of_it in zones.items():
            self._keep(names.Knot(self.folder, f"ns-{place}", place, DNS_PORT, of_it, payload=4096))

    def _start_names_above(self):
        key = names.Key()
        above, stubs = ["@ NS a.dns.jp.", f"a.dns A {ABOVE}"], {".": [ABOVE], "jp.": [ABOVE]}
        for row in ROWS:
            at = self.at(row)
            places = [at["ns"], at["second"]] if row.is_half else [at["ns"]]
            for i, place in enumerate(places, 1):
                above += [f"{row.name}. NS ns{i}.{row.name}.", f"ns{i}.{row.name}. A {place}"]
            stubs[f"{row.name}."] = places
        self.anchor = self.folder / "anchor"
        self.anchor.write_text(names.anchor_text("jp.", key))
        root = names.zone_text(".", ["@ NS a.dns.jp.", "jp. NS a.dns.jp.", f"a.dns.jp. A {ABOVE}"])
        self._keep(names.Knot(self.folder, "above", ABOVE, DNS_PORT, {".": root, "jp.": names.zone_text("jp.", above, key)}))
        self.resolver = self._keep(names.Resolver(self.folder, "resolver", MACHINE, DNS_PORT, self.anchor, stubs, allow="10.77.0.0/16"))

    def _start_koshin(self):
        mail = self._keep(Mailbox(self.folder, LOCAL))
        look = {"allow": ["10.77.0.0/16", "fd77::/64", "127.0.0.0/8"], "timeout": "3 s", "deadline": f"{DEADLINE_S} s"}
        ports = {"http_port": WEB_PORT, "https_port": TLS_PORT}
        dns_settings = {"forwarders": [self.resolver.forwarder], "trust_anchor_file": str(self.anchor), "port": DNS_PORT}
        addresses = self.ours()
        self.koshin = self._keep(
            daemon.Koshin(self.folder, LOCAL, self.resolver, self.pebble, self.nginx, mail, server={"addresses": addresses}, dns=dns_settings, check={**look, "from": [HERE, HERE_6]})
        )
        target = self.koshin.config["targets"][0]
        hosts = [f"[{a}]" if ":" in a else a for a in addresses]
        target["listen_http"], target["listen_https"] = ([f"{host}:{port}" for host in hosts] for port in (WEB_PORT, TLS_PORT))
        self.koshin.config_file.write_text(json.dumps(self.koshin.config))
        self.koshin.start()
        asker = self.koshin.run("vantage", "key").stdout.strip()
        places = (("tokyo", TOKYO), ("oregon", OREGON))
        self.koshin.config["vantages"] = [
            self._keep(Vantage(self.folder, name, address, [asker], dns=dns_settings, check={**look, **ports, "from": [address]})).entry for name, address in places
        ]
        self.koshin.config_file.write_text(json.dumps(self.koshin.config))  # for the command: the daemon only orders

    def _issue(self):
        """Sites get their certificate; then the daemon rests, and the judge's account is answered for as well."""
        root = self.folder / "www"
        root.mkdir()
        root.chmod(0o755)
        (root / "index.html").write_text("Welcome.\n")
        sites = [row.name for row in ROWS if row.is_site]
        for name in sites:
            self.koshin.add(name, owner=f"owner@{name}", root=root)
        for name in sites:
            servers.until(f"{name} has its certificate", lambda name=name: self.koshin.show(name)["certificate"] and "proven" in self.koshin.kinds(name), 60, 0.3)
        assert self.koshin.stop() == 0
        with contextlib.closing(sqlite3.connect(f"file:{self.koshin.state}/koshin.db?mode=ro", uri=True)) as store:
            (ours,) = store.execute("SELECT thumbprint FROM ca WHERE account_url <> ''").fetchone()
        hosts = [f"[{a}]" if ":" in a else a for a in self.ours()]
        listens = "".join(f"    listen {host}:{WEB_PORT};\n" for host in hosts)
        others = "".join(f"    listen {host}:{TLS_PORT} ssl default_server;\n" for host in hosts if host != self.nginx.address)
        self.nginx.extra.write_text(
            f'map $uri $thumbprint {{\n    "~^{webs.WELL_KNOWN}{webs.CA_TOKEN}$" {self.account.key.thumbprint};\n    default {ours};\n}}\n'
            f"server {{\n{listens}    server_name .jp {' '.join(row.name for row in ROWS)};\n    {webs.RIGHT}\n    location = / {{ root {root}; }}\n}}\n"
            f"server {{\n{others}    ssl_reject_handshake on;\n}}\n"
        )
        self.nginx.reload()
        token = "x" * 43
        path = webs.WELL_KNOWN + token
        wanted = f"{token}.{self.account.key.thumbprint}".encode()
        servers.until("nginx answers for the judge", lambda: all(servers.http_get(ROWS[0].name, "10.77.1.1", WEB_PORT, path)[2] == wanted for _ in range(8)))

    def check(self, row):
        """(what koshin says, how long it took)."""
        begun = time.monotonic()
        done = subprocess.run([self.koshin.binary, "check", row.name, "--json", "-c", self.koshin.config_file], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        took = time.monotonic() - begun
        assert done.returncode in (0, 1) and done.stderr == "", (row.name, done.returncode, done.stderr)
        return json.loads(done.stdout), took


@pytest.fixture(scope="module")
def silence():
    made = Silence()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def documents(silence):
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:  # threads stay in the network of the one that began them
        return dict(zip((row.name for row in ROWS), pool.map(silence.check, ROWS)))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_first_cause(silence, documents, row):
    document, took = documents[row.name]
    findings = [f for n in document["names"] for f in n["findings"]]
    # The program's own beginning and end are not the check's.
    assert took < DEADLINE_S + 2, took
    if row.cause is None:
        assert findings == []
        return
    first = findings[0]
    assert (first["cause"], first["who"]) == (row.cause, row.who), findings
    if row.copy is not None:
        assert first["action"]["copy"] == row.copy.format(**silence.at(row))
    if row.seen is not None:
        assert first["seen"] == row.seen.format(**silence.at(row))
    assert first["next_look"]


def test_nothing_is_said(silence):
    """What is dropped is dropped without a word, and it is what the row says."""
    shut, dark, pieces = (silence.at(row) for row in ROWS if row.name in ("shut.jp", "dark.jp", "pieces.jp"))
    for address, closed, open_port in ((shut["web"], WEB_PORT, TLS_PORT), (dark["web"], TLS_PORT, WEB_PORT)):
        assert servers.answers(address, open_port)
        with pytest.raises(TimeoutError):
            servers.answers(address, closed)

    def ask(payload):
        return dns.query.udp(dns.message.make_query("pieces.jp", "CAA", use_edns=0, payload=payload), pieces["ns"], 2, DNS_PORT)

    assert ask(1232).flags & dns.flags.TC
    with pytest.raises(dns.exception.Timeout):
        ask(4096)


def test_the_judge_agrees(silence, documents, tell):
    """pebble looks from the machine's own address, through the same filter."""
    judged = judge.Judge(silence.pebble, silence.account)
    with concurrent.futures.ThreadPoolExecutor(len(ROWS)) as pool:
        verdicts = list(pool.map(judged.ask, (row.name for row in ROWS)))
    wrong = []
    for row, verdict in zip(ROWS, verdicts):
        document, took = documents[row.name]
        koshin = FAILS if any(BLOCKS[f["cause"]] for n in document["names"] for f in n["findings"]) else PASSES
        got = PASSES if verdict.has_passed else FAILS
        tell(f"{row.name:14} {row.cause or 'healthy':40} koshin {koshin:7} pebble {got:7} {took:5.1f} s  {row.built}{'; ' + row.otherwise if row.otherwise else ''}")
        if row.otherwise != BY_CHANCE and (got != koshin) != bool(row.otherwise):
            wrong.append(f"{row.name}: koshin {koshin}, pebble {got}: {verdict.words}")
    assert not wrong, "\n".join(wrong)
