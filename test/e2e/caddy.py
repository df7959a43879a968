"""Caddy's acme_server as a CA. It asks for challenges on port 80 and takes addresses from the system: it lives in a mount
namespace of its own, whose /etc/hosts leads every name of the tests to one loopback address."""

import json
import pathlib

import servers


class Caddy:
    def __init__(self, folder, names):
        self.folder = pathlib.Path(folder)
        self.address = servers.new_address()
        self.http_port = 80
        self.port = servers.free_port(self.address)
        self.bundle = self.folder / "tls-root.pem"
        root_key, root = servers.make_certificate("koshin test root", None, None, [])
        key, leaf = servers.make_certificate("test CA", root_key, root, [self.address])
        self.bundle.write_bytes(servers.pem(root))
        (self.folder / "tls.pem").write_bytes(servers.pem(leaf))
        (self.folder / "tls.key").write_bytes(servers.key_pem(key))
        (self.folder / "hosts").write_text("".join(f"{self.address} {name}\n" for name in ["localhost", *names]))
        route = {"handle": [{"handler": "acme_server", "ca": "local", "host": f"{self.address}:{self.port}"}]}
        config = {
            "admin": {"disabled": True},
            "storage": {"module": "file_system", "root": str(self.folder / "storage")},
            "logging": {"logs": {"default": {"level": "ERROR"}}},
            "apps": {
                "pki": {"certificate_authorities": {"local": {"install_trust": False}}},
                "http": {
                    "servers": {
                        "ca": {
                            "listen": [f"{self.address}:{self.port}"],
                            "automatic_https": {"disable": True},
                            "tls_connection_policies": [{}],
                            "routes": [route],
                        }
                    }
                },
                "tls": {"certificates": {"load_files": [{"certificate": str(self.folder / "tls.pem"), "key": str(self.folder / "tls.key")}]}},
            },
        }
        (self.folder / "caddy.json").write_text(json.dumps(config))
        hosts = self.folder / "hosts"
        script = f"mount --bind {hosts} /etc/hosts && exec caddy run --config {self.folder / 'caddy.json'}"
        self.process = servers.Process(
            "caddy", ["unshare", "-m", "--propagation", "private", "sh", "-c", script], self.folder,
            env={"HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)},
        )
        self.process.wait_until(lambda: servers.answers(self.address, self.port))

    @property
    def directory(self):
        return f"https://{self.address}:{self.port}/acme/local/directory"

    def stop(self):
        self.process.stop()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stop()
