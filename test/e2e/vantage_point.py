"""A vantage point: a real `koshin vantage` that looks from an address of its own."""

import json
import pathlib

import daemon
import servers


class Vantage:
    """`askers` are lines of `koshin vantage key`; `changes` go into its configuration."""

    def __init__(self, folder, name, address, askers, binary=None, **changes):
        self.folder = pathlib.Path(folder) / f"vantage-{name}"
        self.folder.mkdir()
        self.name, self.address, self.port = name, address, servers.free_port(address)
        self.binary = binary or daemon.program()
        self.bundle, self.key_file = self.folder / "tls.pem", self.folder / "tls.key"
        key, certificate = servers.make_certificate(name, None, None, [address])
        self.bundle.write_bytes(servers.pem(certificate))
        self.key_file.touch(0o600)
        self.key_file.write_bytes(servers.key_pem(key))
        self.config = {
            "vantage": {
                "name": name,
                "listen": [f"{address}:{self.port}"],
                "certificate": str(self.bundle),
                "key": str(self.key_file),
                "askers": askers,
                "questions_a_minute": 600,
                **changes.pop("vantage", {}),
            },
            **changes,
        }
        self.config_file = self.folder / "vantage.yaml"
        self.process = None
        self.start()

    @property
    def url(self):
        return f"https://{self.address}:{self.port}"

    @property
    def entry(self):
        """What stands in the asker's configuration."""
        return {"name": self.name, "url": self.url, "bundle": str(self.bundle), "timeout": "8 s"}

    def start(self):
        self.config_file.write_text(json.dumps(self.config))
        self.process = servers.Process(f"vantage-{self.name}", [self.binary, "vantage", "-c", self.config_file], self.folder)
        self.process.wait_until(lambda: servers.answers(self.address, self.port))

    def stop(self):
        return self.process.stop()
