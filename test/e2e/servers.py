"""Real servers for end-to-end tests and for ./try: each is started by hand on free loopback ports in a temporary
folder, waited for until it answers, and ended by its process id.

Every world lives on a loopback address of its own (127.x.y.z), so that ports of two worlds cannot meet.
"""

import contextlib
import datetime
import ipaddress
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.request

import dns.exception
import dns.message
import dns.query
import dns.rcode
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_poll = threading.Event()  # is never set: waiting on it is a pause that a signal can interrupt


class Failed(AssertionError):
    """Something that was waited for did not come."""


def until(what, condition, seconds=30.0, every=0.05):
    """The first true value of condition(); fails with `what` when there is none in time. Poll, do not sleep."""
    end = time.monotonic() + seconds
    last = None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = value
        except (OSError, ssl.SSLError, dns.exception.DNSException, AssertionError, KeyError) as error:
            last = error
        if time.monotonic() >= end:
            raise Failed(f"{what}: not within {seconds:g} s; last: {last!r}")
        _poll.wait(every)


def new_address():
    """A loopback address that nobody else uses, in all likelihood."""
    return f"127.{random.randint(1, 250)}.{random.randint(0, 250)}.{random.randint(2, 250)}"


_given = set()
_given_lock = threading.Lock()


def free_port(address):
    """A port that is free for TCP and UDP on this address; never given twice by this process."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, socket.socket(
            socket.AF_INET, socket.SOCK_DGRAM
        ) as udp:
            tcp.bind((address, 0))
            port = tcp.getsockname()[1]
            try:
                udp.bind((address, port))
            except OSError:
                continue
        with _given_lock:
            if (address, port) not in _given:
                _given.add((address, port))
                return port


def answers(address, port):
    with socket.create_connection((address, port), timeout=2):
        return True


def new_folder(prefix="koshin-"):
    """A temporary folder that processes which gave up root can pass through."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o711)
    return folder


class Process:
    """A child with its output in a file. Ends by its own id; what it wrote can be read afterwards."""

    def __init__(self, name, argv, folder, env=None, cwd=None):
        self.name = name
        self.log = pathlib.Path(folder) / f"{name}.log"
        self._out = open(self.log, "ab")
        self.child = subprocess.Popen(
            [str(a) for a in argv],
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            cwd=cwd or folder,
            start_new_session=True,
        )

    @property
    def pid(self):
        return self.child.pid

    def alive(self):
        return self.child.poll() is None

    def text(self):
        return self.log.read_text(errors="replace")

    def wait_until(self, condition, seconds=30.0):
        """condition(), while the process lives."""

        def check():
            if not self.alive():
                raise RuntimeError(f"{self.name} ended with {self.child.returncode}:\n{self.tail()}")
            return condition()

        try:
            return until(f"{self.name} answers", check, seconds)
        except Failed as error:
            raise Failed(f"{error}\n{self.tail()}") from None

    def tail(self, lines=40):
        return "\n".join(self.text().splitlines()[-lines:])

    def stop(self, seconds=10.0):
        """Asks, then insists. Returns the exit status."""
        if self.alive():
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        self._out.close()
        return self.child.returncode


class Dns:
    """Knot as the name server of the whole small world: the root, and one zone for each registered domain.

    Records are changed live: the zone file is written anew with the next serial, and the change is waited for.
    """

    TTL = 1

    def __init__(self, folder, address):
        self.folder = pathlib.Path(folder) / "dns"
        self.folder.mkdir()
        self.address = address
        self.port = free_port(address)
        self._lock = threading.RLock()
        self._serial = 1
        self._update_key = None  # (name, secret): who may change zones by RFC 2136
        self._zones = {".": {}}  # zone -> {(name, type): [values]}
        self._hosts = {}  # zone -> the names of its name servers, where it has others than all have
        # The public suffixes exist, so that a walk up the tree meets no NXDOMAIN.
        for suffix in ("jp.", "co.jp.", "com.", "net.", "example."):
            self._zones["."][(suffix, "TXT")] = ['"a public suffix"']
        self._write_config()
        self._write_zone(".")
        self.process = Process("knotd", ["knotd", "-c", self.folder / "knot.conf"], self.folder)
        self.process.wait_until(lambda: self._serial_of(".") == self._serial)

    @property
    def endpoint(self):
        return f"{self.address}:{self.port}"

    @property
    def forwarder(self):
        return f"{self.address}@{self.port}"

    def add_zone(self, domain):
        """A registered domain with no record but its own SOA and NS."""
        zone = _fqdn(domain)
        with self._lock:
            if zone in self._zones:
                return
            self._serial += 1
            self._zones[zone] = {}
            self._write_zone(zone)
            self._write_config()
            self._knotc("reload")
            until(f"zone {zone}", lambda: self._serial_of(zone) == self._serial)

    def set(self, name, rtype, *values):
        """Makes the record set exactly these values; none: takes it away."""
        owner = _fqdn(name)
        with self._lock:
            zone = self._zone_of(owner)
            if values:
                self._zones[zone][(owner, rtype)] = list(values)
            else:
                self._zones[zone].pop((owner, rtype), None)
            self._serial += 1
            self._write_zone(zone)
            self._knotc("zone-reload", zone)
            until(f"{name} {rtype} in DNS", lambda: self._serial_of(zone) == self._serial)

    def name_servers(self, domain, *hosts):
        """The zone is served by these from now on, which are new names of this one server."""
        with self._lock:
            for host in hosts:
                self.set(host, "A", self.address)
            self._hosts[_fqdn(domain)] = hosts
            self.set(domain, "NS")

    def remove(self, name, rtype):
        self.set(name, rtype)

    def take_updates(self, key, secret, algorithm="hmac-sha256", allowed=True):
        """Whoever has this TSIG key (its secret in base64) may change zones from now on; or the key is known, and may do nothing."""
        self._update_key = key, secret, algorithm, allowed
        self._write_config()
        self._knotc("reload")

    def get(self, name, rtype):
        """What is in the zone now, whoever has put it there."""
        query = dns.message.make_query(_fqdn(name), rtype)
        answer = dns.query.udp(query, self.address, port=self.port, timeout=2)
        return sorted(record.to_text() for rrset in answer.answer for record in rrset)

    def stop(self):
        self.process.stop()

    def _zone_of(self, owner):
        for zone in sorted(self._zones, key=len, reverse=True):
            if zone == "." or owner == zone or owner.endswith("." + zone):
                return zone
        raise KeyError(owner)

    def _write_config(self):
        zones = "".join(f'  - domain: "{zone}"\n    file: "{self._file(zone)}"\n' for zone in self._zones)
        key, acl = "", ""
        if self._update_key:
            name, secret, algorithm, allowed = self._update_key
            key = (
                f"key:\n  - id: {name}\n    algorithm: {algorithm}\n    secret: {secret}\n"
                f"acl:\n  - id: updates\n    key: {name}\n    action: {'update' if allowed else 'transfer'}\n"
            )
            acl = "    acl: updates\n"
        text = (
            f"server:\n  listen: {self.address}@{self.port}\n  rundir: {self.folder}\n"
            f"  pidfile: {self.folder}/knot.pid\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n"
            f"log:\n  - target: stderr\n    any: warning\n"
            f"control:\n  listen: {self.folder}/knot.sock\n"
            f"database:\n  storage: {self.folder}\n"
            f"{key}template:\n  - id: default\n    storage: {self.folder}\n    zonefile-load: whole\n"
            f"    zonefile-sync: -1\n    journal-content: none\n    semantic-checks: off\n{acl}"
            f"zone:\n{zones}"
        )
        _write(self.folder / "knot.conf", text)

    def _file(self, zone):
        return "root.zone" if zone == "." else zone + "zone"

    def _write_zone(self, zone):
        lines = [
            f"{zone} {self.TTL} SOA ns.example. hostmaster.example. {self._serial} 3600 600 86400 {self.TTL}",
            *(f"{zone} {self.TTL} NS {_fqdn(host)}" for host in self._hosts.get(zone, ["ns.example"])),
        ]
        if zone == ".":
            lines.append(f"ns.example. {self.TTL} A {self.address}")
        for (owner, rtype), values in self._zones[zone].items():
            lines += [f"{owner} {self.TTL} {rtype} {value}" for value in values]
        _write(self.folder / self._file(zone), "\n".join(lines) + "\n")

    def _knotc(self, *words):
        result = subprocess.run(
            ["knotc", "-s", self.folder / "knot.sock", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
        )
        if result.returncode != 0:
            raise RuntimeError(f"knotc {' '.join(words)}: {result.stdout}{result.stderr}")

    def _serial_of(self, zone):
        query = dns.message.make_query(zone, "SOA")
        answer = dns.query.udp(query, self.address, port=self.port, timeout=2)
        for rrset in answer.answer:
            for record in rrset:
                return record.serial
        return None


def _fqdn(name):
    if name == ".":
        return name
    ascii_name = name.encode("idna").decode() if not name.isascii() else name
    return ascii_name.rstrip(".").lower() + "."


def _write(path, text):
    new = pathlib.Path(str(path) + ".new")
    new.write_text(text)
    new.rename(path)


class Pebble:
    """The CA. Certificates live for `life` seconds; its own TLS certificate comes from a root made here."""

    def __init__(self, folder, address, dns_endpoint, http_port, https_port, life, env=None, eab=None):
        """eab: keys by their ids, base64url; an account must then be bound to one of them."""
        # Each order is validated anew: an old answer would hide that the CA is led elsewhere.
        self.env = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0"} if env is None else env
        self.folder = pathlib.Path(folder) / "ca"
        self.folder.mkdir()
        self.folder.chmod(0o711)
        self.address = address
        self.dns_endpoint = dns_endpoint
        self.life = life
        self.port = free_port(address)
        self.management_port = free_port(address)
        self.bundle = self.folder / "tls-root.pem"  # trusted for the CA's own TLS
        self.roots = self.folder / "roots.pem"  # trusted by visitors
        self._make_tls()
        config = {
            "pebble": {
                "listenAddress": f"{address}:{self.port}",
                "managementListenAddress": f"{address}:{self.management_port}",
                "certificate": str(self.folder / "tls.pem"),
                "privateKey": str(self.folder / "tls.key"),
                "httpPort": http_port,
                "tlsPort": https_port,
                "ocspResponderURL": "",
                "externalAccountBindingRequired": eab is not None,
                "externalAccountMACKeys": eab or {},
                "certificateValidityPeriod": life,
            }
        }
        (self.folder / "pebble.json").touch(0o600)
        (self.folder / "pebble.json").write_text(json.dumps(config))
        self._start()

    @property
    def directory(self):
        return f"https://{self.address}:{self.port}/dir"

    def _start(self):
        self.process = Process(
            "pebble",
            ["pebble", "-config", self.folder / "pebble.json", "-dnsserver", self.dns_endpoint],
            self.folder,
            env=self.env,
        )
        self.process.wait_until(lambda: answers(self.address, self.port))
        root = self.process.wait_until(lambda: self._get("/roots/0"))
        _write(self.roots, root.decode())
        self.roots.chmod(0o644)

    def issued(self):
        """How many certificates it has given out, in all its lives."""
        return self.process.text().count("Issued certificate serial")

    def status(self, serial):
        """What the CA says of a certificate: {"Status": "Valid" or "Revoked", "Reason": …}."""
        return json.loads(self._get(f"/cert-status-by-serial/{serial}"))

    def stop(self):
        self.process.stop()

    def _get(self, path):
        context = ssl.create_default_context(cafile=self.bundle)
        url = f"https://{self.address}:{self.management_port}{path}"
        with urllib.request.urlopen(url, timeout=5, context=context) as answer:
            return answer.read()

    def _make_tls(self):
        root_key, root = make_certificate("koshin test root", None, None, [])
        key, leaf = make_certificate("test CA", root_key, root, [self.address])
        self.bundle.write_bytes(pem(root))
        self.bundle.chmod(0o644)
        (self.folder / "tls.pem").write_bytes(pem(leaf) + pem(root))
        (self.folder / "tls.key").write_bytes(key_pem(key))


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def make_certificate(common_name, issuer_key, issuer, names, not_before=None, not_after=None):
    """A key and a certificate for names or addresses; without an issuer a root of its own."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before or now - datetime.timedelta(hours=1))
        .not_valid_after(not_after or now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    alternatives = []
    for name in names:
        try:
            alternatives.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            alternatives.append(x509.DNSName(name))
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return key, builder.sign(issuer_key or key, hashes.SHA256())


class Nginx:
    """The web server of the sites, with a main file of its own that includes the folder into which koshin writes."""

    def __init__(self, folder, address, http_port=None, https_port=None):
        self.folder = pathlib.Path(folder) / "nginx"
        self.folder.mkdir()
        self.folder.chmod(0o711)
        self.address = address
        self.http_port = http_port or free_port(address)
        self.https_port = https_port or free_port(address)
        self.config_folder = self.folder / "sites"
        self.config_folder.mkdir()
        self.extra = self.folder / "extra.conf"  # what "somebody else" writes
        self.extra.write_text("# nothing\n")
        self.error_log = self.folder / "error.log"
        self.config = self.folder / "nginx.conf"
        user = "user www-data;\n" if os.geteuid() == 0 else ""
        temporary = "".join(
            f"    {kind}_temp_path {self.folder}/tmp-{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        self.config.write_text(
            f"{user}worker_processes 1;\npid {self.folder}/nginx.pid;\nerror_log {self.error_log} notice;\n"
            f"events {{ worker_connections 4096; }}\n"
            f"http {{\n    access_log off;\n    server_names_hash_bucket_size 128;\n{temporary}"
            f"    include {self.extra};\n"
            f"    include {self.config_folder}/*.conf;\n"
            f"    server {{\n        listen {address}:{self.http_port} default_server;\n        return 404;\n    }}\n"
            f"    server {{\n        listen {address}:{self.https_port} ssl default_server;\n"
            f"        ssl_reject_handshake on;\n    }}\n}}\n"
        )
        self._start()

    def _start(self):
        self.process = Process("nginx", [*self.argv, "-g", "daemon off;"], self.folder)
        self.process.wait_until(lambda: answers(self.address, self.http_port))

    @property
    def argv(self):
        return ["nginx", "-p", str(self.folder), "-e", str(self.error_log), "-c", str(self.config)]

    @property
    def test_argv(self):
        return [*self.argv, "-t"]

    @property
    def reload_argv(self):
        return [*self.argv, "-s", "reload"]

    def reload(self):
        subprocess.run(self.reload_argv, stdin=subprocess.DEVNULL, check=True, capture_output=True, timeout=30)

    def stop(self):
        self.process.stop()


class Elsewhere:
    """Another company's web server, on an address that is not ours, or no longer: answers 404 to everything over HTTP."""

    def __init__(self, folder, http_port, address=None):
        self.address = address or new_address()
        self._stop = threading.Event()
        self._listener = socket.create_server((self.address, http_port))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), connection:
                connection.settimeout(2)
                connection.recv(4096)
                connection.sendall(
                    b"HTTP/1.1 404 Not Found\r\nServer: another-company\r\nContent-Length: 9\r\n"
                    b"Connection: close\r\n\r\nnot here\n"
                )

    def stop(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


class Shown:
    """What a visitor is handed: the leaf of one handshake, and whether a browser would be content."""

    def __init__(self, der, error):
        self.error = error  # None: valid
        self.certificate = x509.load_der_x509_certificate(der)
        self.fingerprint = self.certificate.fingerprint(hashes.SHA256()).hex()
        self.not_before = self.certificate.not_valid_before.replace(tzinfo=datetime.timezone.utc)
        self.not_after = self.certificate.not_valid_after.replace(tzinfo=datetime.timezone.utc)
        try:
            extension = self.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            self.names = sorted(extension.value.get_values_for_type(x509.DNSName))
        except x509.ExtensionNotFound:
            self.names = []

    @property
    def is_valid(self):
        return self.error is None


def handshake(name, address, port, roots):
    """One handshake with SNI, as a browser makes it. OSError when there is none at all."""
    server_name = name if name.isascii() else name.encode("idna").decode()
    error = None
    context = ssl.create_default_context(cafile=roots)
    try:
        with socket.create_connection((address, port), timeout=5) as raw:
            with context.wrap_socket(raw, server_hostname=server_name) as tls:
                return Shown(tls.getpeercert(True), None)
    except ssl.SSLCertVerificationError as refused:
        error = refused.verify_message
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection((address, port), timeout=5) as raw:
        with context.wrap_socket(raw, server_hostname=server_name) as tls:
            return Shown(tls.getpeercert(True), error)


def http_get(name, address, port, path="/", tls_roots=None):
    """One request as a visitor makes it, no redirect followed: (status, headers in lower case, body)."""
    host = name if name.isascii() else name.encode("idna").decode()
    with contextlib.ExitStack() as stack:
        link = stack.enter_context(socket.create_connection((address, port), timeout=5))
        if tls_roots:
            link = stack.enter_context(
                ssl.create_default_context(cafile=tls_roots).wrap_socket(link, server_hostname=host)
            )
        link.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        data = b""
        while chunk := link.recv(65536):
            data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    return int(status.split()[1]), headers, body


def copy_program(source, folder):
    """A copy that every user may run, whatever the rights of the folder that it was built in."""
    target = pathlib.Path(folder) / "bin"
    target.mkdir(exist_ok=True)
    target.chmod(0o755)
    program = target / "koshin"
    shutil.copyfile(source, program)
    program.chmod(0o755)
    return program
