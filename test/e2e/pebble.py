"""Pebble with every knob that the conformance tests turn, on free ports, with a name server that sends every name to 127.0.0.1."""

import json
import pathlib

import servers

# The key that the binding is checked with, base64url.
EAB_KID, EAB_HMAC = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


class Pebble:
    def __init__(self, folder, env=None, eab=False):
        self.folder = pathlib.Path(folder)
        self.address = servers.new_address()
        self.port, self.http_port = servers.free_port(self.address), servers.free_port("0.0.0.0")
        dns_port = servers.free_port(self.address)
        self.bundle = self.folder / "tls-root.pem"
        root_key, root = servers.make_certificate("koshin test root", None, None, [])
        key, leaf = servers.make_certificate("test CA", root_key, root, [self.address])
        self.bundle.write_bytes(servers.pem(root))
        (self.folder / "tls.pem").write_bytes(servers.pem(leaf))
        (self.folder / "tls.key").write_bytes(servers.key_pem(key))
        config = {
            "listenAddress": f"{self.address}:{self.port}",
            "managementListenAddress": "",
            "certificate": str(self.folder / "tls.pem"),
            "privateKey": str(self.folder / "tls.key"),
            "httpPort": self.http_port,
            "tlsPort": servers.free_port(self.address),
            "ocspResponderURL": "",
            "externalAccountBindingRequired": eab,
            "externalAccountMACKeys": {EAB_KID: EAB_HMAC} if eab else {},
            "certificateValidityPeriod": 86400,
        }
        (self.folder / "pebble.json").write_text(json.dumps({"pebble": config}))
        self.dns = servers.Process(
            "challtestsrv",
            [
                "pebble-challtestsrv", "-dns01", f"{self.address}:{dns_port}", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "",
                "-http01", "", "-https01", "", "-tlsalpn01", "", "-management", f"{self.address}:{servers.free_port(self.address)}",
            ],
            self.folder,
        )
        self.process = servers.Process(
            "pebble",
            ["pebble", "-config", self.folder / "pebble.json", "-dnsserver", f"{self.address}:{dns_port}"],
            self.folder,
            env={"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0", **(env or {})},
        )
        try:
            self.dns.wait_until(lambda: servers.answers(self.address, dns_port))
            self.process.wait_until(lambda: servers.answers(self.address, self.port))
        except BaseException:
            self.stop()
            raise

    @property
    def directory(self):
        return f"https://{self.address}:{self.port}/dir"

    def stop(self):
        self.process.stop()
        self.dns.stop()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stop()
