"""An ACME client that can break every rule: each part of a request can be replaced. Shares nothing with koshin's own."""

import base64
import http.client
import http.server
import json
import ssl
import threading
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

PREFIX = "urn:ietf:params:acme:error:"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Key:
    def __init__(self):
        self.private = ec.generate_private_key(ec.SECP256R1())
        n = self.private.public_key().public_numbers()
        self.jwk = {"crv": "P-256", "kty": "EC", "x": b64(n.x.to_bytes(32, "big")), "y": b64(n.y.to_bytes(32, "big"))}
        digest = hashes.Hash(hashes.SHA256())
        digest.update(json.dumps(self.jwk, separators=(",", ":"), sort_keys=True).encode())
        self.thumbprint = b64(digest.finalize())

    def sign(self, data):
        r, s = utils.decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def jws(key, header, payload):
    """Flattened; payload None: POST-as-GET."""
    protected = b64(json.dumps(header).encode())
    body = "" if payload is None else b64(payload if isinstance(payload, bytes) else json.dumps(payload).encode())
    return {"protected": protected, "payload": body, "signature": b64(key.sign(f"{protected}.{body}".encode()))}


def binding(key, url, kid, secret):
    header = b64(json.dumps({"alg": "HS256", "kid": kid, "url": url}).encode())
    payload = b64(json.dumps(key.jwk).encode())
    mac = hmac.HMAC(unb64(secret), hashes.SHA256())
    mac.update(f"{header}.{payload}".encode())
    return {"protected": header, "payload": payload, "signature": b64(mac.finalize())}


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def type(self):
        """Of the problem document, without the prefix."""
        assert self.headers["Content-Type"].startswith("application/problem+json"), (self.status, self.body)
        return self.json["type"].removeprefix(PREFIX)

    @property
    def nonce(self):
        return self.headers["Replay-Nonce"]

    def links(self, relation):
        return [link[1 : link.index(">")] for link in self.headers.get_all("Link", []) if f'rel="{relation}"' in link]

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Client:
    def __init__(self, directory, bundle):
        self.context = ssl.create_default_context(cafile=str(bundle))
        self.nonces = []
        self._connection = None
        self.directory = self.fetch("GET", directory).json

    def fetch(self, method, url, body=None, headers=None):
        parts = urllib.parse.urlsplit(url)
        for again in (False, True):
            if self._connection is None:
                self._connection = http.client.HTTPSConnection(parts.hostname, parts.port, context=self.context, timeout=30)
            try:
                self._connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, headers or {})
                answer = Answer(self._connection.getresponse())
                break
            except ConnectionError:
                self._connection = None  # an idle connection may have been closed
                if again:
                    raise
        if answer.nonce:
            self.nonces.append(answer.nonce)
        return answer

    def nonce(self):
        return self.nonces.pop() if self.nonces else self.fetch("HEAD", self.directory["newNonce"]).nonce

    def raw(self, url, body, type_="application/jose+json"):
        return self.fetch("POST", url, body if isinstance(body, bytes) else json.dumps(body), {"Content-Type": type_})

    def post(self, url, payload, key, kid=None, type_="application/jose+json", header=()):
        """`header` replaces members of the protected header; None takes one away."""
        header = dict(header)
        protected = {"alg": "ES256", "nonce": self.nonce(), "url": url, **({"kid": kid} if kid else {"jwk": key.jwk}), **header}
        for tries in range(20):
            answer = self.raw(url, jws(key, {k: v for k, v in protected.items() if v is not None}, payload), type_)
            # A CA may refuse a good nonce at any time (6.5): the next one is at hand.
            if answer.status != 400 or "nonce" in header or b"badNonce" not in answer.body:
                return answer
            protected["nonce"] = self.nonce()
        return answer


class Account:
    def __init__(self, client, key=None, **payload):
        self.client, self.key = client, key or Key()
        self.answer = client.post(client.directory["newAccount"], {"termsOfServiceAgreed": True, **payload}, self.key)
        self.url = self.answer.headers["Location"]

    def post(self, url, payload=None, **more):
        return self.client.post(url, payload, self.key, self.url, **more)

    def get(self, url):
        return self.post(url)

    def order(self, *names, **more):
        return self.post(self.client.directory["newOrder"], {"identifiers": [{"type": "dns", "value": n} for n in names], **more})


class Responder:
    """Answers HTTP-01 for one account key; names that begin with "wrong" get something else."""

    def __init__(self, address, port):
        responder = self
        self.thumbprints = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                token = self.path.rsplit("/", 1)[-1]
                wrong = self.headers["Host"].startswith("wrong")
                body = b"nothing to do with it" if wrong else f"{token}.{responder.thumbprints.get(token, '')}".encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def csr(names, key=None):
    key = key or ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    request = request.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False).sign(key, hashes.SHA256())
    return b64(request.public_bytes(serialization.Encoding.DER))
