"""An ACME server that behaves until one place, and there answers with rubbish: see FAULTS."""

import base64
import dataclasses
import http.server
import json
import pathlib
import ssl
import threading

import servers
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

JSON, PEM = "application/json", "application/pem-certificate-chain"


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    stage: str  # directory, nonce, account, order, authz, challenge, poll, finalize, certificate
    cause: str  # the id that has to be in what the program says; "": the order gets through all the same

    def __str__(self):
        return f"{self.name}@{self.stage}"


DOWN, UNKNOWN, KEY = "ca.service.down", "ca.unclassified", "own.certificate.key-mismatch"
FAULTS = (
    [Fault(n, "directory", DOWN) for n in ("html", "empty", "cut-off", "endless", "noise", "deep", "array", "no-urls", "plain-urls", "close", "silent")]
    + [Fault("status-404", "directory", UNKNOWN), Fault("redirect", "directory", DOWN)]
    + [Fault(n, "order", DOWN) for n in ("html", "empty", "cut-off", "endless", "noise", "deep", "array", "no-status", "no-location", "big-header", "wrong-type", "close", "silent", "reset", "redirect")]
    + [Fault(n, "order", DOWN) for n in ("bad-urls", "file-urls", "many-authz")]
    + [Fault(n, "authz", DOWN) for n in ("html", "empty", "cut-off", "endless", "no-status", "no-identifier", "wrong-type")]
    + [Fault(n, "poll", DOWN) for n in ("html", "cut-off", "no-status", "close")]
    # The CSR was taken, and only the answer is lost: a poll finds out.
    + [Fault(n, "finalize", "") for n in ("html", "cut-off", "close", "html-503")]
    + [Fault(n, "finalize-lost", DOWN) for n in ("html", "cut-off", "close")]
    + [Fault(n, "certificate", DOWN) for n in ("html", "cut-off", "endless", "wrong-type")]
    + [Fault("other-names", "certificate", UNKNOWN), Fault("other-key", "certificate", KEY), Fault("broken-chain", "certificate", UNKNOWN)]
    + [Fault("ended", "certificate", UNKNOWN), Fault("not-pem", "certificate", UNKNOWN)]
    + [Fault("no-nonce", "nonce", DOWN), Fault("bad-nonce-always", "order", "ca.nonce.rejected"), Fault("html-429", "order", "ca.limit.other")]
    + [Fault("half-problem", "order", DOWN), Fault("half-problem", "poll", DOWN)]
    + [Fault("html-500", "order", DOWN), Fault("html-400", "order", UNKNOWN), Fault("html-503", "finalize-lost", "ca.service.busy")]
)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (ConnectionError, ssl.SSLError, OSError):
            self.close_connection = True

    def do_GET(self):
        self.server.owner.requests += 1
        self.server.owner.answer(self, "directory", b"")

    def do_HEAD(self):
        self.server.owner.requests += 1
        self.server.owner.answer(self, "nonce", b"")

    def do_POST(self):
        self.server.owner.requests += 1
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        payload = body["payload"]
        payload = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        self.server.owner.answer(self, self.path.rsplit("/", 1)[-1], payload)


class Server:
    def __init__(self, folder, fault):
        self.folder, self.fault, self.requests, self.nonce = pathlib.Path(folder), fault, 0, 0
        self.address = servers.new_address()
        self.port, self.http_port = servers.free_port(self.address), servers.free_port("0.0.0.0")
        self.bundle = self.folder / "tls-root.pem"
        self.root_key, self.root = servers.make_certificate("koshin test root", None, None, [])
        key, leaf = servers.make_certificate("test CA", self.root_key, self.root, [self.address])
        self.bundle.write_bytes(servers.pem(self.root))
        (self.folder / "tls.pem").write_bytes(servers.pem(leaf))
        (self.folder / "tls.key").write_bytes(servers.key_pem(key))
        self.is_answered = self.is_finalized = False
        self.csr = None
        self.http = http.server.ThreadingHTTPServer((self.address, self.port), Handler)
        self.http.daemon_threads = True
        self.http.owner = self
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "tls.pem", self.folder / "tls.key")
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    @property
    def base(self):
        return f"https://{self.address}:{self.port}"

    @property
    def directory(self):
        return self.base + "/directory"

    # --- what a good CA says ---

    def status(self):
        return "valid" if self.is_finalized else "ready" if self.is_answered else "pending"

    def good(self, stage, payload):
        """status, headers, type, body"""
        base = self.base
        if stage == "directory":
            urls = {"newNonce": "/nonce", "newAccount": "/account", "newOrder": "/order", "revokeCert": "/revoke"}
            return 200, {}, JSON, {name: base + path for name, path in urls.items()}
        if stage == "nonce":
            return 200, {}, None, None
        if stage == "account":
            return 201, {"Location": base + "/acct"}, JSON, {"status": "valid"}
        if stage == "authz":
            challenge = {"type": "http-01", "url": base + "/challenge", "token": "t", "status": "pending"}
            status = "valid" if self.is_answered else "pending"
            return 200, {}, JSON, {"status": status, "identifier": {"type": "dns", "value": "bad.example"}, "challenges": [challenge]}
        if stage == "challenge":
            self.is_answered = True
            return 200, {}, JSON, {"type": "http-01", "url": base + "/challenge", "token": "t", "status": "processing"}
        if stage == "certificate":
            return 200, {}, PEM, self.chain()
        if stage == "finalize" and self.fault.stage != "finalize-lost":
            self.csr = x509.load_der_x509_csr(self.csr_of(payload))
            self.is_finalized = True
        order = {"status": self.status(), "authorizations": [base + "/authz"], "finalize": base + "/finalize"}
        if self.is_finalized:
            order["certificate"] = base + "/certificate"
        if stage == "order":
            return 201, {"Location": base + "/poll"}, JSON, order
        return 200, {}, JSON, order

    @staticmethod
    def csr_of(payload):
        text = json.loads(payload)["csr"]
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    def chain(self, key=None, names=("bad.example",), days=30):
        now = servers.datetime.datetime.now(servers.datetime.timezone.utc).replace(tzinfo=None)
        leaf = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self.root.subject)
            .public_key(key or self.csr.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - servers.datetime.timedelta(days=40))
            .not_valid_after(now + servers.datetime.timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=True)
            .sign(self.root_key, servers.hashes.SHA256())
        )
        return leaf.public_bytes(Encoding.PEM) + servers.pem(self.root)

    # --- and what this one says ---

    def answer(self, request, stage, payload):
        status, headers, kind, body = self.good(stage, payload)
        body = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        self.nonce += 1
        if stage != "directory":
            headers["Replay-Nonce"] = f"nonce{self.nonce}"
        if stage == self.fault.stage.removesuffix("-lost"):
            status, headers, kind, body = self.spoil(request, self.fault.name, status, headers, kind, body)
        if status is None:
            return
        self.send(request, status, headers, kind, body)

    @staticmethod
    def send(request, status, headers, kind, body, length=None):
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        if kind:
            request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body or b"") if length is None else length))
        request.end_headers()
        if body and request.command != "HEAD":
            request.wfile.write(body)
        if length is not None:
            request.close_connection = True

    def spoil(self, request, name, status, headers, kind, body):
        html = b"<!DOCTYPE html><html><body>Welcome to your new server</body></html>"
        change = {
            "html": lambda: (200, headers, "text/html", html),
            "html-400": lambda: (400, headers, "text/html", html),
            "html-429": lambda: (429, headers, "text/html", html),
            "html-500": lambda: (500, headers, "text/html", html),
            "html-503": lambda: (503, headers, "text/html", html),
            "empty": lambda: (status, headers, kind, b""),
            "noise": lambda: (status, headers, kind, bytes(range(256)) * 16),
            "deep": lambda: (status, headers, kind, b"[" * 100000),
            "array": lambda: (status, headers, kind, b"[1, 2, 3]"),
            "wrong-type": lambda: (status, headers, "text/plain", body),
            "status-404": lambda: (404, headers, "text/plain", b"no such page"),
            "redirect": lambda: (301, {**headers, "Location": self.base + "/poll"}, kind, b""),
            "no-urls": lambda: (status, headers, kind, b"{}"),
            "plain-urls": lambda: (status, headers, kind, body.replace(b"https://", b"http://")),
            "no-status": lambda: (status, headers, kind, json.dumps({**json.loads(body), "status": "splendid"}).encode()),
            "no-location": lambda: (status, {"Replay-Nonce": headers["Replay-Nonce"]}, kind, body),
            "no-identifier": lambda: (status, headers, kind, json.dumps({**json.loads(body), "identifier": 7}).encode()),
            "bad-urls": lambda: (status, headers, kind, json.dumps({**json.loads(body), "authorizations": [7, None]}).encode()),
            "file-urls": lambda: (status, headers, kind, json.dumps({**json.loads(body), "authorizations": ["file:///etc/passwd"]}).encode()),
            "many-authz": lambda: (status, headers, kind, json.dumps({**json.loads(body), "authorizations": [self.base + "/authz"] * 5000}).encode()),
            "big-header": lambda: (status, {**headers, **{f"X-{i}": "x" * 8000 for i in range(40)}}, kind, body),
            "no-nonce": lambda: (status, {}, kind, body),
            "bad-nonce-always": lambda: (400, headers, "application/problem+json", b'{"type":"urn:ietf:params:acme:error:badNonce","detail":"no"}'),
            "half-problem": lambda: (400, headers, "application/problem+json", b'{"type":"urn:ietf:params:acme:err'),
            "other-names": lambda: (status, headers, kind, self.chain(names=["other.example"])),
            "other-key": lambda: (status, headers, kind, self.chain(key=self.root_key.public_key())),
            "ended": lambda: (status, headers, kind, self.chain(days=-1)),
            "broken-chain": lambda: (status, headers, kind, self.chain().split(b"-----END CERTIFICATE-----")[0] + b"-----END CERTIFICATE-----\n" + (self.folder / "tls.pem").read_bytes()),
            "not-pem": lambda: (status, headers, kind, b"this is not a certificate"),
        }
        if name in change:
            return change[name]()
        if name == "close":
            request.close_connection = True
        elif name == "silent":
            request.connection.settimeout(20)
            request.connection.recv(1)  # until the other side has had enough
            request.close_connection = True
        elif name == "reset":
            request.connection.setsockopt(servers.socket.SOL_SOCKET, servers.socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            request.connection.shutdown(servers.socket.SHUT_RDWR)
            request.close_connection = True
        elif name == "cut-off":
            self.send(request, status, headers, kind, body[: len(body) // 2], length=len(body))
        elif name == "endless":
            self.send(request, status, headers, kind, b'{"x":"', length=1 << 40)
            while True:
                request.wfile.write(b"x" * 65536)
        return None, None, None, None
