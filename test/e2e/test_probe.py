"""The real probe against real servers: Knot for DNS, small HTTP and TLS servers on loopback addresses of their own.
What the probe saw is printed as JSON by test/peer/probe_driver.c."""

import datetime
import http.server
import json
import pathlib
import socket
import ssl
import subprocess
import threading
import time

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from servers import Dns, Process, free_port, key_pem, make_certificate, new_address, pem, until

ROOT = pathlib.Path(__file__).resolve().parents[2]
THUMBPRINT = "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
CHALLENGE = "/.well-known/acme-challenge/"


# ---- name servers ----


class SignedDns(Dns):
    """Long-lived records, so that only a fresh question sees a change; and signed zones."""

    TTL = 3600

    def __init__(self, folder, address):
        self.signed = {}  # zone -> (key that signs, start and end of the signatures)
        self.keys = {}
        super().__init__(folder, address)

    def add_signed_zone(self, domain, days=(-1, 10), address="127.0.0.1"):
        zone = domain + "."
        key = ec.generate_private_key(ec.SECP256R1())
        self.keys[zone] = dns.dnssec.make_dnskey(key.public_key(), "ECDSAP256SHA256", flags=257)
        self.signed[zone] = (key, days, address)
        self.add_zone(domain)
        return self.keys[zone]

    def _write_zone(self, zone):
        if zone not in self.signed:
            super()._write_zone(zone)
            return
        key, days, address = self.signed[zone]
        dnskey = self.keys[zone]
        sets = {
            (zone, "SOA"): f"ns.example. hostmaster.example. {self._serial} 3600 600 86400 60",
            (zone, "NS"): "ns.example.",
            (zone, "A"): address,
            (zone, "DNSKEY"): dnskey.to_text(),
            (zone, "NSEC"): f"www.{zone} A NS SOA RRSIG NSEC DNSKEY",
            (f"www.{zone}", "A"): address,
            (f"www.{zone}", "NSEC"): f"{zone} A RRSIG NSEC",
        }
        now = time.time()
        lines = []
        for (owner, rtype), value in sets.items():
            rrset = dns.rrset.from_text(owner, 3600, "IN", rtype, value)
            signature = dns.dnssec.sign(
                rrset, key, dns.name.from_text(zone), dnskey, now + days[0] * 86400, now + days[1] * 86400
            )
            lines += [rrset.to_text(), f"{owner} 3600 IN RRSIG {signature.to_text()}"]
        (self.folder / (zone + "zone")).write_text("\n".join(lines) + "\n")


# ---- web servers ----


class Web:
    """One address whose answers depend on the host name: the first label says what to do."""

    def __init__(self, address, port, secure_port):
        self.address, self.port, self.secure_port = address, port, secure_port
        self.asked = []  # (host, path, headers)
        self.turns = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.asked.append((self.headers["Host"], self.path, dict(self.headers)))
                outer.answer(self, self.headers["Host"].split(".")[0], self.path)

            def log_message(self, *words):
                pass

        family = socket.AF_INET6 if ":" in address else socket.AF_INET

        class Server(http.server.ThreadingHTTPServer):
            address_family = family
            daemon_threads = True
            request_queue_size = 512

        self.server = Server((address, port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request, kind, path):
        token = path.rsplit("/", 1)[-1]
        key_authorization = f"{token}.{THUMBPRINT}".encode()
        host = request.headers["Host"]
        here = f"http://{host}"
        if kind == "bom":
            reply(request, 200, b"\xef\xbb\xbf" + key_authorization)
        elif kind == "newline":
            reply(request, 200, key_authorization + b"\r\n\n ")
        elif kind == "page":
            reply(request, 200, b"<html>" + b"welcome " * 10000)
        elif kind in ("401", "403", "404", "503"):
            reply(request, int(kind), b"no", Server="Apache/2.4")
        elif kind == "toroot":  # one hop within the host
            reply(request, 301, b"", Location="/moved" + path) if "/moved" not in path else reply(
                request, 200, key_authorization
            )
        elif kind == "tohttps":
            reply(request, 308, b"", Location=f"https://{host.split(':')[0]}:{self.secure_port}{path}")
        elif kind == "loop":
            reply(request, 302, b"", Location="/b" if path == "/a" else "/a")
        elif kind == "long":
            reply(request, 302, b"", Location=f"/{int(path[1:]) + 1 if path[1:].isdigit() else 0}")
        elif kind == "seeother":
            reply(request, 303, b"", Location="/elsewhere")
        elif kind == "ftp":
            reply(request, 301, b"", Location="ftp://good.example.jp/")
        elif kind == "badport":
            reply(request, 301, b"", Location="http://good.example.jp:22/")
        elif kind == "private":
            reply(request, 307, b"", Location=f"http://10.0.0.1:{self.port}/")
        elif kind == "metadata":
            reply(request, 307, b"", Location=f"http://[::ffff:169.254.169.254]:{self.port}/")
        elif kind == "internal":  # a public name whose address is private
            reply(request, 301, b"", Location=f"http://nat.example.jp:{self.port}/")
        elif kind == "noslash":
            reply(request, 301, b"", Location=f"http://noslash.example.jp.well-known:{self.port}/")
        elif kind == "dead":
            reply(request, 301, b"", Location=f"http://nothing.example.jp:{self.port}/")
        elif kind == "nolocation":
            reply(request, 301, b"")
        elif kind == "turn":  # two machines behind one address
            self.turns += 1
            reply(request, *((200, key_authorization) if self.turns % 2 else (404, b"no")))
        else:
            reply(request, 200, key_authorization, Server="koshin")

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def reply(request, status, body, **headers):
    request.send_response_only(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    try:
        request.wfile.write(body)
    except OSError:
        pass  # the probe has seen enough


class Raw:
    """Takes connections and gives each to `serve` in a thread of its own."""

    def __init__(self, address, port, serve):
        self.socket = socket.create_server((address, port), backlog=512)
        self.serve = serve
        self.kept = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.kept.append(connection)
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection):
        try:
            self.serve(connection)
        except (OSError, ssl.SSLError):
            pass

    def stop(self):
        self.socket.close()
        for connection in self.kept:
            connection.close()


def reset(connection):
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def garbage(connection):
    connection.recv(100)
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    connection.close()


def silence(connection):
    threading.Event().wait(60)


PICTURE = b"<html><img src='http://pictures.example.jp/a.png?x'></html>"
# Home pages over TLS, by the first label of the name: port, head of the request -> status, header lines, body.
HOMES = {
    "plain": lambda port, head: (200, ["Content-Type: text/html"], b"<html><a href='http://plain.example.jp/'>us</a></html>"),
    "mixed": lambda port, head: (200, ["Content-Type: text/html; charset=utf-8"], PICTURE),
    "text": lambda port, head: (200, ["Content-Type: text/plain"], PICTURE),
    "upgraded": lambda port, head: (200, ["Content-Type: text/html", "Content-Security-Policy: upgrade-insecure-requests"], PICTURE),
    "long": lambda port, head: (200, ["Content-Type: text/html"], PICTURE + b" " * 200000),
    "circle": lambda port, head: (301, [f"Location: https://circle.home.example.jp:{port}/"], b""),
    "seeother": lambda port, head: (303, ["Location: /next"], b"") if head.startswith(b"GET / ") else (200, ["Content-Type: text/html"], PICTURE),
    "cookie": lambda port, head: (200, [], b"") if b"seen=1" in head else (302, ["Set-Cookie: seen=1", "Location: /"], b""),
    "promise": lambda port, head: (200, ['strict-transport-security: Max-Age="300" ; includeSubDomains'], b""),
    "unpromise": lambda port, head: (200, ["Strict-Transport-Security: max-age=0"], b""),
    "private": lambda port, head: (302, [f"Location: https://10.0.0.1:{port}/"], b""),
    "metadata": lambda port, head: (302, ["Location: http://169.254.169.254/latest/meta-data/"], b""),
    "internal": lambda port, head: (302, [f"Location: https://nat.example.jp:{port}/"], b""),
    "badport": lambda port, head: (302, ["Location: https://good.example.jp:22/"], b""),
}


class Tls(Raw):
    """Hands out the certificate of the name that was asked for; refuses names that it does not have."""

    def __init__(self, address, port, chains):
        self.contexts = {}
        for name, file in chains.items():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(file)
            self.contexts[name] = context
        self.port, self.asked = port, []
        super().__init__(address, port, self.shake)

    def shake(self, connection):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

        def choose(tls, name, _):
            if name not in self.contexts:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            tls.context = self.contexts[name]

        context.sni_callback = choose
        with context.wrap_socket(connection, server_side=True) as tls:
            request = tls.recv(4096)
            host = request.partition(b"Host: ")[2].partition(b":")[0].decode()
            kind, _, zone = host.partition(".")
            if zone == "home.example.jp":
                self.asked.append(kind)
                status, lines, body = HOMES[kind](self.port, request)
                head = "\r\n".join([f"HTTP/1.1 {status} x", *lines, f"Content-Length: {len(body)}", "", ""])
                tls.sendall(head.encode() + body)
            elif request.startswith(b"GET "):
                token = request.split()[1].rsplit(b"/", 1)[-1]
                body = token + b"." + THUMBPRINT.encode()
                tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def make_chains(folder):
    """Files of certificates: whole, without the intermediate, of an unknown root, expired, without any name."""
    root_key, root = make_certificate("test root", None, None, [])
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    middle_key, middle = make_certificate("test middle", root_key, root, [])
    # make_certificate gives leaves only; an intermediate needs the right to sign.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID

    middle = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test middle")]))
        .issuer_name(root.subject)
        .public_key(middle_key.public_key())
        .serial_number(7)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=99))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    stranger_key, stranger = make_certificate("a stranger", None, None, [])
    (folder / "roots.pem").write_bytes(pem(root))
    files = {}

    def put(name, key, *certificates):
        files[name] = folder / f"{name}.pem"
        files[name].write_bytes(key_pem(key) + b"".join(pem(c) for c in certificates))

    key, leaf = make_certificate("good", middle_key, middle, ["good.example.jp", "tohttps.example.jp"])
    put("good.example.jp", key, leaf, middle)
    put("tohttps.example.jp", key, leaf, middle)
    key, leaf = make_certificate("homes", middle_key, middle, ["*.home.example.jp"])
    for kind in HOMES:
        put(f"{kind}.home.example.jp", key, leaf, middle)
    put("noslash.example.jp", key, leaf)
    key, leaf = make_certificate("x", stranger_key, stranger, ["404.example.jp"])
    put("404.example.jp", key, leaf, stranger)
    key, leaf = make_certificate(
        "old", middle_key, middle, ["403.example.jp"], now - datetime.timedelta(days=9), now - datetime.timedelta(days=1)
    )
    put("403.example.jp", key, leaf, middle)
    key, leaf = make_certificate("a router", None, None, [])
    put("401.example.jp", key, leaf)
    return files


# ---- the driver ----


class Driver:
    def __init__(self, program, *options):
        self.child = subprocess.Popen(
            [str(program), *map(str, options)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.number = 0

    def start(self, plan, *names):
        self.child.stdin.write(f"{plan} {' '.join(names)}\n")
        self.number += 1
        return self.number - 1

    def answers(self, n):
        got = {}
        for _ in range(n):
            answer = json.loads(self.child.stdout.readline())
            got[answer["job"]] = answer
        return got

    def one(self, plan, *names):
        job = self.start(plan, *names)
        return self.answers(1)[job]

    def stop(self):
        self.child.stdin.close()
        assert self.child.wait(30) == 0


@pytest.fixture(scope="module")
def program():
    file = ROOT / "build" / "test" / "peer" / "probe_driver"
    if not file.exists():
        subprocess.run(["make", "-s", "build/test/peer/probe_driver"], cwd=ROOT, check=True)
    return file


class World:
    pass


HTTP_KINDS = (
    "good www bom newline page 401 403 404 503 toroot tohttps loop long seeother ftp badport private metadata "
    "internal noslash dead nolocation turn"
).split()


@pytest.fixture(scope="module")
def world(tmp_path_factory, program):
    w = World()
    folder = tmp_path_factory.mktemp("probe")
    base = new_address().rsplit(".", 1)[0]
    w.here, w.other, w.reset, w.garbage, w.silent, w.nobody = (f"{base}.{n}" for n in (11, 12, 13, 14, 15, 16))
    w.dns = SignedDns(folder, f"{base}.10")
    w.http, w.https = free_port(w.here), free_port(w.other)
    w.files = make_chains(folder)
    servers = [
        Web(w.here, w.http, w.https),
        Raw(w.reset, w.http, reset),
        Raw(w.garbage, w.http, garbage),
        Raw(w.silent, w.http, silence),
        Tls(w.here, w.https, w.files),
        Raw(w.reset, w.https, reset),
        Raw(w.garbage, w.https, garbage),
        Raw(w.silent, w.https, silence),
    ]
    w.web, w.tls = servers[0], servers[4]
    fill_dns(w)
    w.options = [
        *("--ours", w.here, "--allow", "127.0.0.0/8", "--forwarder", w.dns.forwarder, "--http", w.http),
        *("--https", w.https, "--thumbprint", THUMBPRINT, "--roots", folder / "roots.pem"),
        *("--anchor", w.anchor, "--timeout", 1500, "--deadline", 8000),
    ]
    w.driver = Driver(program, *w.options)
    yield w
    w.driver.stop()
    for server in servers:
        server.stop()
    w.dns.stop()


def fill_dns(w):
    d = w.dns
    d.add_zone("example.jp")
    records = {(kind, "A"): [w.here] for kind in HTTP_KINDS}
    records |= {
        ("reset", "A"): [w.reset],
        ("garbage", "A"): [w.garbage],
        ("silent", "A"): [w.silent],
        ("nobody", "A"): [w.nobody],
        ("two", "A"): [w.here, w.nobody],
        ("nat", "A"): ["10.0.0.1"],
        ("mapped", "AAAA"): ["::ffff:10.0.0.1"],
        ("alias", "CNAME"): ["good.example.jp."],
        ("gone", "CNAME"): ["nothing.example.jp."],
        ("round", "CNAME"): ["about.example.jp."],
        ("about", "CNAME"): ["round.example.jp."],
        ("closed", "CAA"): ['0 issue ";"'],
        ("closed", "A"): [w.here],
        ("text", "TXT"): ['"no address"'],
        ("*.many", "A"): [w.here],
        ("*.home", "A"): [w.here],
    }
    for (label, rtype), values in records.items():
        d._zones["example.jp."][(f"{label}.example.jp.", rtype)] = values
    d.set("example.jp", "A", w.here)
    d.set("example.jp", "CAA", '0 issue "letsencrypt.org"', '128 tbs "unknown"')
    signed = d.add_signed_zone("signed.jp", address=w.here)
    d.add_signed_zone("stale.jp", days=(-20, -2), address=w.here)
    d.add_signed_zone("mismatch.jp", address=w.here)
    other = dns.dnssec.make_dnskey(ec.generate_private_key(ec.SECP256R1()).public_key(), "ECDSAP256SHA256", flags=257)
    stale = d.keys["stale.jp."]
    w.anchor = d.folder / "anchors"
    w.anchor.write_text(
        f"signed.jp. IN DNSKEY {signed.to_text()}\nstale.jp. IN DNSKEY {stale.to_text()}\n"
        f"mismatch.jp. IN DS {dns.dnssec.make_ds('mismatch.jp.', other, 'SHA256').to_text()}\n"
    )


# ---- DNS ----


def test_names_of_a_domain_share_its_name_servers(world):
    names = "good.example.jp text.example.jp www.signed.jp example.jp signed.jp".split()
    got = {n["name"]: n["nameservers"] for n in world.driver.one("dns,thorough", *names)["names"]}
    assert got == {name: ["ns.example"] for name in names}


def test_dns_facts(world):
    names = "example.jp good.example.jp alias.example.jp gone.example.jp closed.example.jp text.example.jp".split()
    got = {n["name"]: n for n in world.driver.one("dns", *names)["names"]}
    apex = got["example.jp"]
    assert (apex["a"], apex["aaaa"], apex["caa_status"], apex["ttl"]) == ("OK", "OK", "OK", 3600)
    assert [a["ip"] for a in apex["addresses"]] == [world.here] and apex["addresses"][0]["is_ours"]
    assert apex["caa_at"] == "example.jp"
    caa = {(c["flags"], c["tag"], c["value"]) for c in apex["caa"]}
    assert caa == {(0, "issue", "letsencrypt.org"), (128, "tbs", "unknown")}
    assert got["good.example.jp"]["caa_at"] == "example.jp"  # found by climbing
    assert got["closed.example.jp"]["caa_at"] == "closed.example.jp"
    assert got["alias.example.jp"]["cname_target"] == "good.example.jp"
    assert [a["ip"] for a in got["alias.example.jp"]["addresses"]] == [world.here]
    assert got["gone.example.jp"]["a"] == "NXDOMAIN" and got["gone.example.jp"]["cname_target"] == "nothing.example.jp"
    text = got["text.example.jp"]
    assert (text["a"], text["aaaa"], text["addresses"], text["registered_status"]) == ("OK", "OK", [], "NOT_ASKED")
    # Without HTTP and TLS in the plan nothing is connected to.
    assert all(a["http"]["result"] == a["tls"]["result"] == "NOT_TRIED" for n in got.values() for a in n["addresses"])


def test_a_name_that_is_missing_and_a_domain_that_is(world):
    got = {n["name"]: n for n in world.driver.one("dns", "nothing.example.jp", "www.unregistered.jp")["names"]}
    assert got["nothing.example.jp"]["a"] == "NXDOMAIN"
    assert got["nothing.example.jp"]["registered_status"] == "OK"
    assert got["www.unregistered.jp"]["registered_status"] == "NXDOMAIN"


def test_alias_loop(world):
    (name,) = world.driver.one("dns", "round.example.jp")["names"]
    assert name["is_cname_loop"] and name["addresses"] == []
    assert name["cname_target"] in ("round.example.jp", "about.example.jp")


def test_dnssec(world):
    jobs = [world.driver.start("dns", *names) for names in (
        ["signed.jp", "www.signed.jp"], ["stale.jp", "www.stale.jp"], ["mismatch.jp", "www.mismatch.jp"],
    )]
    signed, stale, mismatch = (world.driver.answers(1) for _ in jobs)
    got = {n["name"]: n for answers in (signed, stale, mismatch) for job in answers.values() for n in job["names"]}
    for name in ("signed.jp", "www.signed.jp"):
        assert (got[name]["a"], got[name]["aaaa"], got[name]["caa_status"]) == ("OK", "OK", "OK"), got[name]
    for name in ("stale.jp", "www.stale.jp"):
        assert got[name]["a"] == "BOGUS" and "expired" in got[name]["why_bogus"], got[name]["why_bogus"]
    for name in ("mismatch.jp", "www.mismatch.jp"):
        assert got[name]["a"] == "BOGUS" and "DS" in got[name]["why_bogus"], got[name]["why_bogus"]


def test_a_change_is_seen_at_once(world):
    assert world.driver.one("dns", "www.example.jp")["names"][0]["addresses"][0]["ip"] == world.here
    world.dns.set("www.example.jp", "A", world.other)  # the old answer would live for an hour
    assert world.driver.one("dns", "www.example.jp")["names"][0]["addresses"][0]["ip"] == world.other
    world.dns.set("www.example.jp", "A", world.here)
    assert world.driver.one("dns", "www.example.jp")["names"][0]["addresses"][0]["ip"] == world.here


def test_resolver_that_is_dead(program):
    address = new_address()
    driver = Driver(program, "--forwarder", f"{address}@{free_port(address)}", "--timeout", 500, "--deadline", 3000)
    answer = driver.one("dns,http,tls", "example.jp", "www.example.jp")
    driver.stop()
    assert not answer["resolver_works"] and answer["ms"] < 3000
    assert all(n["addresses"] == [] for n in answer["names"])


LINE = 16, 100  # jobs and names of each: six times as many questions as the resolver has open at one time


def ask_more_than_fits(driver):
    """What was answered for A, AAAA and CAA of each name."""
    jobs, names = LINE
    for j in range(jobs):
        driver.start("dns", *[f"s{j}-{n}.example.jp" for n in range(names)])
    got = [n for answer in driver.answers(jobs).values() for n in answer["names"]]
    assert len(got) == jobs * names
    return {n[key] for n in got for key in ("a", "aaaa", "caa_status")}


def test_more_questions_than_are_open_at_one_time(world):
    assert ask_more_than_fits(world.driver) == {"NXDOMAIN", "OK"}  # the names, and CAA at the levels above them


def test_silence_says_nothing_of_what_waits_in_line(program):
    address = new_address()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind((address, 0))
        driver = Driver(program, "--forwarder", f"{address}@{deaf.getsockname()[1]}", "--timeout", 1000, "--deadline", 3000)
        seen = ask_more_than_fits(driver)
        driver.stop()
    assert seen == {"TIMEOUT", "LOCAL"}, seen


# ---- HTTP ----


def http_of(answer):
    return {n["name"].split(".")[0]: n["addresses"][0]["http"] for n in answer["names"]}


def test_http_answers(world):
    got = http_of(world.driver.one("dns,http", *[f"{kind}.example.jp" for kind in HTTP_KINDS]))
    for kind in ("good", "www", "newline", "toroot"):
        assert got[kind]["result"] == "ANSWERED" and got[kind]["is_ours"], (kind, got[kind])
    assert got["good"]["server"] == "koshin" and got["good"]["hops"] == 0
    assert got["toroot"]["hops"] == 1 and "/moved/" in got["toroot"]["location"]
    assert not got["bom"]["is_ours"] and got["bom"]["is_ours_altered"]
    assert got["page"]["status"] == 200 and not got["page"]["is_ours"] and len(got["page"]["body"]) == 512
    for kind in ("401", "403", "404", "503"):
        assert (got[kind]["status"], got[kind]["server"], got[kind]["body"]) == (int(kind), "Apache/2.4", "no")
    for kind in ("loop", "long"):
        assert got[kind]["result"] == "REDIRECT_LOOP", got[kind]
    assert got["long"]["hops"] == 10
    for kind in ("seeother", "ftp", "badport", "noslash", "nolocation"):
        assert got[kind]["result"] == "REDIRECT_DISALLOWED", (kind, got[kind])
    assert ".well-known" in got["noslash"]["location"]
    for kind in ("private", "metadata", "internal"):
        assert got[kind]["result"] == "FORBIDDEN_ADDRESS" and got[kind]["hops"] == 1, (kind, got[kind])
    assert got["dead"]["result"] == "REDIRECT_UNRESOLVABLE" and "nothing.example.jp" in got["dead"]["location"]
    assert got["tohttps"]["is_ours"] and got["tohttps"]["hops"] == 1, got["tohttps"]


def test_answers_that_differ(world):
    """Asked several times where somebody wants to know, or where the first answer was not ours."""
    world.web.turns = 0
    turn = http_of(world.driver.one("dns,http", "turn.example.jp"))["turn"]
    assert turn["is_ours"] and (turn["tries"], turn["ours_n"]) == (1, 1)
    turn = http_of(world.driver.one("dns,http", "turn.example.jp"))["turn"]
    assert not turn["is_ours"] and (turn["tries"], turn["ours_n"]) == (5, 2)
    got = http_of(world.driver.one("dns,http,thorough", "turn.example.jp", "good.example.jp", "404.example.jp"))
    assert got["turn"]["tries"] == 5 and 0 < got["turn"]["ours_n"] < 5
    assert (got["good"]["ours_n"], got["404"]["ours_n"]) == (5, 0)


def test_http_request_is_a_validators(world):
    world.web.asked.clear()
    world.driver.one("http", "good.example.jp")
    ((host, path, headers),) = world.web.asked
    assert host == f"good.example.jp:{world.http}"
    assert path.startswith(CHALLENGE) and len(path) > len(CHALLENGE) + 20
    assert headers["Accept"] == "*/*" and "koshin" in headers["User-Agent"]


def test_http_connections(world):
    names = "reset garbage silent nobody nat mapped two".split()
    answer = world.driver.one("dns,http,tls", *[f"{n}.example.jp" for n in names])
    got = http_of(answer)
    assert got["reset"]["result"] == "RESET", got["reset"]
    assert got["garbage"]["result"] == "NOT_HTTP", got["garbage"]
    assert got["silent"]["result"] == "TIMEOUT_READ"
    assert got["nobody"]["result"] == "REFUSED"
    assert got["nat"]["result"] == got["mapped"]["result"] == "FORBIDDEN_ADDRESS"
    tls = {n["name"].split(".")[0]: n["addresses"][0]["tls"] for n in answer["names"]}
    assert tls["reset"]["result"] == "RESET" and tls["garbage"]["result"] == "ALERT", (tls["reset"], tls["garbage"])
    assert tls["silent"]["result"] == "TIMEOUT" and tls["nobody"]["result"] == "REFUSED"
    assert tls["nat"]["result"] == "FORBIDDEN_ADDRESS"
    two = {a["ip"]: a for a in answer["names"][-1]["addresses"]}
    assert two[world.here]["http"]["is_ours"] and two[world.nobody]["http"]["result"] == "REFUSED"
    assert two[world.here]["is_ours"] and not two[world.nobody]["is_ours"]


def test_connection_without_an_answer(world):
    """A listener whose line is full drops what comes: silence, as from a firewall."""
    with socket.socket() as full:
        full.bind((world.other, world.http))
        full.listen(0)
        fillers = [socket.socket() for _ in range(3)]
        for s in fillers:
            s.setblocking(False)
            s.connect_ex((world.other, world.http))
        world.dns.set("full.example.jp", "A", world.other)
        (name,) = world.driver.one("http", "full.example.jp")["names"]
        for s in fillers:
            s.close()
    assert name["addresses"][0]["http"]["result"] == "TIMEOUT_CONNECT"


# ---- TLS ----


def test_tls(world):
    kinds = ["good", "noslash", "404", "403", "401", "www"]
    answer = world.driver.one("tls", *[f"{kind}.example.jp" for kind in kinds])
    got = {n["name"].split(".")[0]: n["addresses"][0]["tls"] for n in answer["names"]}
    good = got["good"]
    assert good["result"] == "SHOWN" and good["chain_ok"] and not good["chain_is_incomplete"], good
    assert "good.example.jp" in good["names"] and good["not_after"] > time.time()
    assert got["noslash"]["chain_is_incomplete"] and not got["noslash"]["chain_ok"], got["noslash"]
    assert not got["404"]["chain_ok"] and not got["404"]["chain_is_incomplete"], got["404"]
    assert got["403"]["chain_ok"] and got["403"]["not_after"] < time.time(), got["403"]
    assert got["401"]["result"] == "SHOWN" and got["401"]["names"] == [] and got["401"]["fingerprint"] != "0" * 64
    assert got["www"]["result"] == "ALERT"
    # No other question than for addresses.
    assert all(n["caa_status"] == "NOT_ASKED" for n in answer["names"])


# ---- the home page ----


def test_home_pages(world):
    world.tls.asked.clear()
    answer = world.driver.one("dns,http,tls", *[f"{kind}.home.example.jp" for kind in HOMES])
    got = {n["name"].split(".")[0]: n["addresses"][0]["home"] for n in answer["names"]}
    for kind in ("plain", "text", "upgraded"):
        assert got[kind]["http"]["status"] == 200 and got[kind]["insecure_n"] == 0, (kind, got[kind])
    for kind in ("mixed", "long", "seeother"):
        assert (got[kind]["insecure"], got[kind]["insecure_n"]) == ("http://pictures.example.jp/a.png", 1), (kind, got[kind])
    assert got["circle"]["http"]["result"] == "REDIRECT_LOOP", got["circle"]
    # A browser comes again with its cookie, and so does the probe.
    assert got["cookie"]["http"]["result"] == "ANSWERED" and got["cookie"]["http"]["status"] == 200, got["cookie"]
    assert [kind for kind in got if got[kind]["has_hsts"]] == ["promise"]
    # No page leads the probe where nobody may lead it.
    for kind in ("private", "metadata", "internal"):
        assert got[kind]["http"]["result"] == "FORBIDDEN_ADDRESS", (kind, got[kind])
    assert got["badport"]["http"]["result"] == "REDIRECT_DISALLOWED", got["badport"]
    assert world.tls.asked.count("circle") == 2 and world.tls.asked.count("cookie") == 2 and world.tls.asked.count("plain") == 1


def test_home_page_is_left_alone(world):
    """Where nobody answers over TLS, and in a look at the certificate alone."""
    (name,) = world.driver.one("dns,http,tls,thorough", "nobody.example.jp")["names"]
    assert name["addresses"][0]["home"]["http"]["result"] == "NOT_TRIED"
    (name,) = world.driver.one("tls", "mixed.home.example.jp")["names"]
    assert name["addresses"][0]["home"]["http"]["result"] == "NOT_TRIED"


def test_home_page_over_http(world):
    """Followed as a browser does, and not into HTTPS: where that is, is all that is wanted."""
    kinds = "good tohttps toroot loop seeother badport private silent".split()
    world.web.asked.clear()
    answer = world.driver.one("dns,http,tls", *[f"{kind}.example.jp" for kind in kinds])
    got = {n["name"].split(".")[0]: n["addresses"][0]["plain"] for n in answer["names"]}
    assert (got["good"]["result"], got["good"]["status"], got["good"]["hops"], got["good"]["location"]) == ("ANSWERED", 200, 0, ""), got["good"]
    to = f"https://tohttps.example.jp:{world.https}/"
    assert (got["tohttps"]["result"], got["tohttps"]["status"], got["tohttps"]["location"]) == ("ANSWERED", 308, to), got["tohttps"]
    assert [path for host, path, _ in world.web.asked if host.startswith("tohttps") and "acme" not in path] == ["/"]
    assert (got["toroot"]["result"], got["toroot"]["status"], got["toroot"]["hops"]) == ("ANSWERED", 200, 1), got["toroot"]
    # A browser follows 303, and comes twice to where it was.
    for kind in ("loop", "seeother"):
        assert got[kind]["result"] == "REDIRECT_LOOP", (kind, got[kind])
    assert got["badport"]["result"] == "REDIRECT_DISALLOWED", got["badport"]
    assert got["private"]["result"] == "FORBIDDEN_ADDRESS", got["private"]
    # At addresses of ours alone, and not in a look at the certificate.
    assert got["silent"]["result"] == "NOT_TRIED", got["silent"]
    (name,) = world.driver.one("dns,tls", "tohttps.example.jp")["names"]
    assert name["addresses"][0]["plain"]["result"] == "NOT_TRIED", name


# ---- services beside the web ----

# Protocol of the configuration, what the server says, and each time it was said something: by what the handshake comes to.
SERVICES = {
    "at once": ("", [], "SHOWN"),
    "smtp": ("smtp", ["220-hello\r\n220 mail\r\n", "250-mail\r\n250-STARTTLS\r\n250 OK\r\n", "220 go\r\n"], "SHOWN"),
    "imap": ("imap", ["* OK ready\r\n", "* CAPABILITY IMAP4\r\na OK go\r\n"], "SHOWN"),
    "pop3": ("pop3", ["+OK ready\r\n", "+OK go\r\n"], "SHOWN"),
    "ftp": ("ftp", ["220-Welcome\r\n230 is not what this line says\r\n220 ftp\r\n", "234 go\r\n"], "SHOWN"),
    "has no TLS": ("smtp", ["220 mail\r\n", "250 OK\r\n", "454 no\r\n"], "ALERT"),
    "somebody in between": ("smtp", ["220 mail\r\n", "250 OK\r\n", "220 go\r\n250 OK\r\n"], "ALERT"),
    "another protocol": ("imap", ["220 mail\r\n"], "ALERT"),
    "without end": ("smtp", ["220-" + "x" * 5000], "ALERT"),
    "hangs up": ("pop3", [], "RESET"),
}


class Service(Tls):
    """Says its lines, each but the first after it was said one; then it has TLS, or hangs up."""

    def __init__(self, address, port, chains, lines, has_tls):
        self.lines, self.has_tls, self.heard = lines, has_tls, []
        super().__init__(address, port, chains)

    def shake(self, connection):
        for i, line in enumerate(self.lines):
            if i > 0:
                self.heard.append(connection.recv(200).decode())
            connection.sendall(line.encode())
        if self.has_tls:
            super().shake(connection)
        else:
            connection.close()


def test_services(world, program):
    made = {}
    for kind, (protocol, lines, result) in SERVICES.items():
        port = free_port(world.here)
        made[kind] = port, Service(world.here, port, world.files, lines, result == "SHOWN")
    options = [word for kind, (port, _) in made.items() for word in ("--service", f"{port} {SERVICES[kind][0]}".strip())]
    driver = Driver(program, *world.options, *options)
    answer = driver.one("dns,http,tls", "good.example.jp", "nobody.example.jp")
    quick = driver.one("tls", "good.example.jp")
    driver.stop()
    for _, service in made.values():
        service.stop()
    good, nobody = (name["addresses"][0]["services"] for name in answer["names"])
    assert nobody == {}, "at addresses of ours alone"
    assert quick["names"][0]["addresses"][0]["services"] == {}, "and not in a look at the certificate alone"
    for kind, (port, service) in made.items():
        got = good[str(port)]
        assert got["result"] == SERVICES[kind][2], (kind, got)
        if got["result"] == "SHOWN":
            assert "good.example.jp" in got["names"] and got["chain_ok"], (kind, got)
    assert made["smtp"][1].heard == ["EHLO koshin.invalid\r\n", "STARTTLS\r\n"]
    assert made["imap"][1].heard == ["a STARTTLS\r\n"] and made["ftp"][1].heard == ["AUTH TLS\r\n"] and made["pop3"][1].heard == ["STLS\r\n"]


# ---- many at once, and too late ----


def test_hundreds_at_once(world, program):
    """The small servers here are slower than the probe: they get more time than usual."""
    options = list(world.options)
    options[options.index("--timeout") + 1] = 20000
    options[options.index("--deadline") + 1] = 60000
    driver = Driver(program, *options)
    for i in range(300):
        driver.start("dns,http", f"{('good', 'newline', '404')[i % 3]}.{i}.many.example.jp")
    got = driver.answers(300)
    driver.stop()
    assert len(got) == 300
    for answer in got.values():
        (name,) = answer["names"]
        http = name["addresses"][0]["http"]
        assert http["status"] == (404 if name["name"].startswith("404") else 200), answer


def test_deadline_ends_everything(world, program):
    options = list(world.options)
    options[options.index("--timeout") + 1] = 60000
    options[options.index("--deadline") + 1] = 700
    driver = Driver(program, *options)
    answer = driver.one("dns,http,tls", "silent.example.jp")
    driver.stop()
    (name,) = answer["names"]
    assert 600 <= answer["ms"] < 3000
    assert name["addresses"][0]["http"]["result"] == "TIMEOUT_READ"
    assert name["addresses"][0]["tls"]["result"] == "TIMEOUT"


def test_too_many_names_are_refused(world):
    job = world.driver.start("dns", *["good.example.jp"] * 101)
    # The driver gives at most a hundred; a name that cannot be one is refused whole.
    assert len(world.driver.answers(1)[job]["names"]) == 100
    job = world.driver.start("dns", "x" * 300)
    assert world.driver.answers(1)[job]["refused"] == "INVALID"
