"""Starts the laboratory: every server that a row of table.py stands on, once; a CA; and one koshin with an account there."""

import concurrent.futures
import contextlib
import datetime
import json
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import acme_raw
import daemon
import servers
from fake_ca import FakeCa
from lab import names, webs
from mailbox_server import Mailbox
from registry import Registry
from vantage_point import Vantage

CHECKS_AT_ONCE = 8
CAA_IDENTITY = "ca.laboratory.example"

# Machines by their place: the last number of their address. What the host calls its own stands in OURS.
PLACES = {
    "resolver": 10, "ca_resolver": 11, "pebble": 12, "fake_ca": 14, "registry": 13, "everybody": 15,
    "above": 20, "first": 21, "second": 22, "nobody": 23, "deaf": 24, "odd": 25,
    "ours": 30, "apache": 31, "haproxy": 32, "closed": 33, "full": 34, "cutting": 35, "oldtls": 36, "twin": 37,
    "elsewhere": 40, "router": 41, "cdn": 50, "cdn_closed": 51, "cdn_odd": 52, "nat": 60,
    "inland": 61, "some": 62, "here": 70, "tokyo": 71, "oregon": 72,
}  # fmt: skip
OURS = ("ours", "twin", "oldtls", "apache", "haproxy", "closed", "full", "cutting", "nowhere", "inland", "some")
# To an address of a group no connection leads, whatever the routes of the machine are.
NOWHERE = "224.0.0.1"
# Where koshin looks from is `here`; its vantage points have addresses of their own, and the CAs that of the machine.
VANTAGES = ("tokyo", "oregon")
# Addresses of ours behind a filter: who is not let in there.
CAS = "127.0.0.1"
FILTERS = {"inland": (CAS, "tokyo", "oregon"), "some": ("oregon",)}
CDN = ("cdn", "cdn_closed", "cdn_odd")


class Laboratory:
    def __init__(self, rows):
        self.rows = rows
        self._nginx_turns = 0
        self.folder = servers.new_folder("koshin-lab-")
        self._stops = contextlib.ExitStack()
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self):
        self._stops.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _keep(self, server):
        self._stops.callback(server.stop)
        return server

    @property
    def filters(self):
        return {place: [self.at.get(who, who) for who in kept_out] for place, kept_out in FILTERS.items()}

    # --- what a row may speak of ---

    def fill(self, text, row):
        """{ours} and the other places by their addresses, {name}, {http_port} …; braces of a configuration are written twice."""
        return text.format(
            **self.at, name=row.name, http_port=self.http_port, https_port=self.https_port, other_port=self.other_port, mail_port=self.mail_port, ca=CAA_IDENTITY, other=self.foreign.thumbprint,
            well_known=webs.WELL_KNOWN, ds=self.ds.get(row.name, ""), folder=self.folder,
        )  # fmt: skip

    def certificate(self, row, kind):
        """The nginx lines for a certificate of this kind under the row's name."""
        if kind == "held":
            folder = re.search(rf'ssl_certificate "([^"]+)/fullchain.pem";\n', self._text_of_koshin(row)).group(1)
            return f'ssl_certificate "{folder}/fullchain.pem"; ssl_certificate_key "{folder}/privkey.pem";'
        if kind == "none":
            return "ssl_reject_handshake on;"
        key, chain = self.authority.make(row.name, kind)
        for end, content in (("key", servers.key_pem(key)), ("pem", b"".join(servers.pem(c) for c in chain))):
            (self.folder / f"{row.name}.{end}").write_bytes(content)
        old = "ssl_protocols TLSv1; ssl_ciphers DEFAULT@SECLEVEL=0;" if kind == "tls 1.0" else ""
        return f"ssl_certificate {self.folder}/{row.name}.pem; ssl_certificate_key {self.folder}/{row.name}.key; {old} {webs.RIGHT} {self.fill(row.https, row)}"

    def _text_of_koshin(self, row):
        """What koshin has written into nginx's folder for the row's site."""
        folder = pathlib.Path(self.koshin.config["targets"][0]["config_folder"])
        return next(text for text in (f.read_text() for f in folder.iterdir() if f.is_file()) if f" {row.name};" in text or f" {row.name} " in text)

    # --- starting ---

    def _start(self):
        base = servers.new_address().rsplit(".", 1)[0]
        self.at = {place: f"{base}.{n}" for place, n in PLACES.items()} | {"v6": "::1", "nowhere": NOWHERE}
        self.allowed = [f"{base}.0/24", "::1/128"]
        self.http_port, self.https_port, self.dns_port, self.other_port, self.mail_port = (free_everywhere() for _ in range(5))
        self.authority = Authority(f"http://{self.at['ours']}:{self.http_port}/lists/", self.folder / "lists")
        self.foreign = acme_raw.Key()
        self._start_names()
        self.nginx = self._keep(servers.Nginx(self.folder, self.at["ours"], self.http_port, self.https_port))
        self.pebble = self._keep(
            servers.Pebble(self.folder, self.at["pebble"], self.ca_resolver.endpoint, self.http_port, self.https_port, 90 * 86400)
        )
        # The CA of the installation: pebble 2.4 knows no CAA, and has no name to be allowed by.
        self.ca = self._keep(
            FakeCa(self.folder, f"identity {CAA_IDENTITY}", address=self.at["fake_ca"], http_port=self.http_port, dns=self.ca_resolver.forwarder)
        )
        self.registry = self._keep(Registry(self.at["registry"]))
        for row in self.rows:
            if row.registered:
                self.registry.put(row.name, *row.registered["states"], expires=row.registered["expires"])
        self.account = acme_raw.Account(acme_raw.Client(self.pebble.directory, self.pebble.bundle))
        self.koshin = self._make_koshin()
        self.thumbprint = self._open_account()
        self.koshin.config["vantages"] = [self._make_vantage(place).entry for place in VANTAGES]
        self._write_nginx([row for row in self.rows if row.is_early], is_issuing=True)
        self._keep(webs.Haproxy(self))
        self._keep(webs.Apache(self))
        self._keep(webs.Speaker(self.at["cdn_odd"], self.http_port, webs.greet))
        self._keep(webs.Speaker(self.at["cutting"], self.http_port, webs.cut))
        self._keep(webs.Full(self.at["full"], self.http_port))
        self._change_names()
        self._issue_sites()
        self._write_nginx(self.rows)

    def _start_names(self):
        """Knot above, two below, the odd ones; every zone as its row has it."""
        zones = {"first": {}, "second": {}}
        odd = {}
        self.ds = {}
        self.keys = {row.name: names.Key(row.sign.days) for row in self.rows if row.sign}
        above = ["@ NS a.dns.jp.", f"a.dns A {self.at['above']}"]
        stubs = {".": [self.at["above"]], "jp.": [self.at["above"]]}
        for row in self.rows:
            if not row.is_registered:
                continue
            zone = f"{row.domain}."
            above += self._delegation(row)
            stubs[zone] = [self.at[place] for place in row.ns]
            for i, place in enumerate(row.ns):
                if place in zones and place not in row.lame:
                    zones[place][zone] = self._zone(row, row.zone if i == 0 or row.second == () else row.second)
                elif place == "odd":
                    odd[zone] = (row.manner, row.name, self.at["ours"])
        key = names.Key()
        root = names.zone_text(".", ["@ NS a.dns.jp.", "jp. NS a.dns.jp.", f"a.dns.jp. A {self.at['above']}"])
        anchor = self.folder / "anchor"
        anchor.write_text(names.anchor_text("jp.", key))
        self._keep(names.Knot(self.folder, "above", self.at["above"], self.dns_port, {".": root, "jp.": names.zone_text("jp.", above, key)}))
        self.knots = {p: self._keep(names.Knot(self.folder, p, self.at[p], self.dns_port, zones[p])) for p in zones}
        self._keep(names.Odd(self.at["odd"], self.dns_port, odd))
        self._keep(Deaf(self.at["deaf"], self.dns_port))
        self.anchor = anchor
        abroad = [f"{row.name}. {self.fill(line, row)}" for row in self.rows for line in row.abroad]
        self.resolver = self._keep(
            names.Resolver(self.folder, "resolver", self.at["resolver"], self.dns_port, anchor, stubs, view=(self.at["oregon"], abroad))
        )
        self.ca_resolver = self._keep(names.Resolver(self.folder, "ca_resolver", self.at["ca_resolver"], self.dns_port, anchor, stubs))
        self.everybody = self._keep(names.Resolver(self.folder, "everybody", self.at["everybody"], self.dns_port, anchor, stubs))

    def _delegation(self, row):
        lines = []
        for i, place in enumerate(row.ns, 1):
            lines += [f"{row.domain}. NS ns{i}.{row.domain}.", f"ns{i}.{row.domain}. A {self.at[place]}"]
        if row.sign and row.sign.ds:
            key = names.Key() if row.sign.ds == "other" else self.keys[row.name]
            lines.append(f"{row.domain}. DS {key.ds(row.domain + '.')}")
            self.ds[row.name] = key.tag
        return lines

    def _zone(self, row, lines, serial=names.SERIAL):
        if lines is None:
            return None
        own = [f"@ NS ns{n}.{row.domain}." for n in range(1, len(row.ns) + 1)]
        own += [f"ns{n}.{row.domain}. A {self.at[place]}" for n, place in enumerate(row.ns, 1)]
        sign = row.sign
        key = self.keys[row.name] if sign and sign.is_signed else None
        without = sign.without if sign else ()
        return names.zone_text(f"{row.domain}.", [*own, *(self.fill(line, row) for line in lines)], key, serial, without)

    def _change_names(self):
        """What was changed a moment ago: one resolver has seen the old answer and keeps it, that of the host or that of the visitors; the CA's has not."""
        for row in self.rows:
            if row.changed is None:
                continue
            keeper = {"host": self.resolver, "visitors": self.everybody}[row.remembered_by]
            keeper.ask(f"{row.domain}.", "A")
            keeper.ask(f"{row.domain}.", "AAAA")
            for knot in self.knots.values():
                knot.replace(f"{row.domain}.", self._zone(row, row.changed, serial=names.SERIAL + 1), names.SERIAL + 1)

    def _make_koshin(self):
        roots = self.folder / "roots.pem"
        roots.write_bytes(self.ca.roots.read_bytes() + servers.pem(self.authority.root))
        bootstrap = self.folder / "bootstrap.json"
        bootstrap.write_text(json.dumps(self.registry.bootstrap))
        mail = self._keep(Mailbox(self.folder, self.at["ours"]))
        koshin = self._keep(
            daemon.Koshin(
                self.folder, self.at["ours"], self.resolver, self.ca, self.nginx, mail,
                server={"addresses": [self.at[place] for place in OURS]},
                dns={"forwarders": [self.resolver.forwarder], "public_resolvers": [self.everybody.forwarder], "trust_anchor_file": str(self.anchor), "port": self.dns_port},
                check={
                    "allow": self.allowed, "roots": str(roots), "rdap": str(bootstrap),
                    "services": [str(self.mail_port)], "from": [self.at["here"]],
                    "fronts": [f"{self.at[place]}/32 Cloudflare" for place in CDN], "timeout": "10 s", "deadline": "60 s",
                },
            )
        )  # fmt: skip
        target = koshin.config["targets"][0]
        target["listen_http"].append(f"{self.at['twin']}:{self.http_port}")
        target["listen_https"].append(f"{self.at['twin']}:{self.https_port}")
        koshin.config_file.write_text(json.dumps(koshin.config))
        return koshin

    def _make_vantage(self, place):
        same = ("allow", "http_port", "https_port", "timeout", "deadline")
        return self._keep(
            Vantage(
                self.folder, place, self.at[place], [self.koshin.run("vantage", "key").stdout.strip()],
                dns={key: value for key, value in self.koshin.config["dns"].items() if key != "public_resolvers"}, check={"from": [self.at[place]], **{key: self.koshin.config["check"][key] for key in same}},
            )
        )  # fmt: skip

    def _open_account(self):
        """The daemon opens its account, and is not needed any more: what is checked from here on, is checked by the command."""
        self.koshin.start()

        def thumbprint():
            with contextlib.closing(sqlite3.connect(f"file:{self.koshin.state}/koshin.db?mode=ro", uri=True)) as store:
                row = store.execute("SELECT thumbprint FROM ca WHERE account_url <> ''").fetchone()
            return row and row[0]

        return servers.until("koshin has an account", thumbprint)

    def _write_nginx(self, rows, is_issuing=False):
        """The right answer for every name, and what these rows have of their own; returns when it is what visitors meet."""
        self._nginx_turns += 1
        self.nginx.extra.write_text(webs.nginx_text(self, rows, self._nginx_turns, is_issuing))
        subprocess.run(self.nginx.test_argv, check=True, capture_output=True)
        self.nginx.reload()
        here = self.at["ours"], self.http_port, "/turn"
        # More often than there are workers: those of before may still answer once.
        servers.until("nginx has its new text", lambda: all(servers.http_get("turn.jp", *here)[2] == b"%d" % self._nginx_turns for _ in range(8)))

    def _issue_sites(self):
        """Rows with a site get their certificate, as the owner's pages are well; then the daemon rests, and what goes wrong stays wrong."""
        rows = [row for row in self.rows if row.site]
        root = self.folder / "www"
        root.mkdir()
        root.chmod(0o755)
        with concurrent.futures.ThreadPoolExecutor(CHECKS_AT_ONCE) as pool:
            list(pool.map(lambda row: self.koshin.add(*row.site, owner=f"owner@{row.domain}", root=root, **row.options), rows))

        def is_issued(row):
            site = self.koshin.show(row.site[0])
            has_redirect = "redirect" not in row.options or "redirect-on" in self.koshin.kinds(row.site[0])
            return site["certificate"] is not None and site["doing"] == "nothing" and has_redirect

        for row in rows:
            servers.until(f"{row.name} has its certificate", lambda row=row: is_issued(row), 60, 0.2)
            if row.draft:
                self.koshin.run("site", "set", row.site[0], *row.draft, "--draft")
        assert self.koshin.stop() == 0

    # --- asking ---

    def account_at(self, ca):
        """The laboratory's own account with another CA: the same key, so that the web servers answer for it too."""
        return acme_raw.Account(acme_raw.Client(ca.directory, ca.bundle), self.account.key)

    def check(self, row):
        """What `koshin check NAME --json` says: now, or as much later as the row wants."""
        config = self.folder / f"{row.name}.yaml"
        patience = {"timeout": "3 s", "deadline": "10 s"} if row.is_hasty else {}
        settings = {**self.koshin.config, "clock_offset": row.later, "check": {**self.koshin.config["check"], **patience}}
        config.write_text(json.dumps(settings))
        words = ["--visitor", row.visitor] if row.visitor else []
        done = subprocess.run(
            [self.koshin.binary, "check", row.name, "--json", *words, "-c", config], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode in (0, 1) and done.stderr == "", (row.name, done.returncode, done.stderr)
        return json.loads(done.stdout)

    def check_all(self, rows):
        with concurrent.futures.ThreadPoolExecutor(CHECKS_AT_ONCE) as pool:
            return dict(zip((row.name for row in rows), pool.map(self.check, rows)))


class Deaf:
    """Has the port open and hears nothing."""

    def __init__(self, address, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, port))

    def stop(self):
        self.socket.close()


class Authority:
    """Signs what web servers of the laboratory show: a root that visitors trust, an intermediate, and leaves of every kind."""

    def __init__(self, lists_url, lists):
        """lists: the folder of its lists of revoked certificates, lists_url: where it is published."""
        self.lists_url, self.lists = lists_url, lists
        lists.mkdir()
        lists.chmod(0o755)
        self.now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        self.root_key, self.root = servers.make_certificate("laboratory root", None, None, [])
        self.middle_key, self.middle = self._intermediate()

    def _intermediate(self):
        key, plain = servers.make_certificate("laboratory middle", self.root_key, self.root, [])
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "laboratory middle")]))
            .issuer_name(self.root.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(plain.not_valid_before)
            .not_valid_after(plain.not_valid_after)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self.root_key, hashes.SHA256())
        )
        return key, made

    def make(self, name, kind):
        """(key, chain) of a leaf: right, expired, not yet, without the intermediate …"""
        day = datetime.timedelta(days=1)
        dates = {"expired": (self.now - 90 * day, self.now - day), "early": (self.now + 5 * day, self.now + 95 * day),
                 "before": (self.now - 80 * day, self.now + 10 * day)}
        others = {"other name": ["shop.example.com"], "www only": [f"www.{name}"]}
        if kind == "self-signed":
            key, leaf = servers.make_certificate("router.local", None, None, [name])
            return key, [leaf]
        if kind in ("revoked", "on no list", "on a forged list", "on a list inside"):
            return self._listed(name, kind)
        key, leaf = servers.make_certificate(name, self.middle_key, self.middle, others.get(kind, [name]), *dates.get(kind, (None, None)))
        return key, [leaf] if kind == "no chain" else [leaf, self.middle]


    def _listed(self, name, kind):
        """A leaf that names a list, and that list; it has one that is not the leaf's beside it."""
        day, key = datetime.timedelta(days=1), ec.generate_private_key(ec.SECP256R1())
        url = "http://10.0.0.1/list.crl" if kind == "on a list inside" else f"{self.lists_url}{name}.crl"
        place = x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
        leaf = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self.middle.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - day)
            .not_valid_after(self.now + 60 * day)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.CRLDistributionPoints([place]), critical=False)
            .sign(self.middle_key, hashes.SHA256())
        )
        crl = x509.CertificateRevocationListBuilder().issuer_name(self.middle.subject).last_update(self.now - day).next_update(self.now + day)
        for serial in [x509.random_serial_number()] + ([] if kind == "on no list" else [leaf.serial_number]):
            crl = crl.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(self.now - day).build())
        signer = ec.generate_private_key(ec.SECP256R1()) if kind == "on a forged list" else self.middle_key
        (self.lists / f"{name}.crl").write_bytes(crl.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.DER))
        return key, [leaf, self.middle]


def free_everywhere():
    """A port that is free on all loopback addresses, of both families."""
    while True:
        port = servers.free_port("0.0.0.0")
        with socket.socket(socket.AF_INET6) as six, contextlib.suppress(OSError):
            six.bind(("::1", port))
            return port
