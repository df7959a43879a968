"""The fake CA (`koshin simulate --serve-ca`) as one more server of a test: settings at the start, words while it runs, its log."""

import json
import pathlib
import urllib.request

import daemon
import servers


class FakeCa:
    """`words`: lines of settings (doc/fake-ca.md). `http_port`: where challenges are answered, at `validate_at` unless DNS is given."""

    def __init__(self, folder, *words, address=None, http_port=None, dns=None, validate_at="127.0.0.1", binary=None):
        self.folder = pathlib.Path(folder) / "fake-ca"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.address = address or servers.new_address()
        self.port = servers.free_port(self.address)
        self.http_port = http_port or servers.free_port("0.0.0.0")
        self.control_port = servers.free_port(self.address)
        self.binary = binary or daemon.program()
        where = f"validate port {self.http_port}\ndns {dns}" if dns else f"validate at {validate_at}:{self.http_port}"
        (self.folder / "words").write_text("\n".join([where, *words]) + "\n")
        self.bundle = self.folder / "tls-root.pem"
        self.roots = self.folder / "roots.pem"
        self.process = None
        self._starts = 0
        self.start()

    def start(self):
        self._starts += 1
        self.process = servers.Process(
            f"ca-{self._starts}",
            [
                self.binary, "simulate", "--serve-ca", self.folder / "words", "--listen", f"{self.address}:{self.port}",
                "--control", f"{self.address}:{self.control_port}", "--folder", self.folder,
            ],
            self.folder,
        )
        self.process.wait_until(lambda: "ready" in self.process.text())

    @property
    def directory(self):
        return f"https://{self.address}:{self.port}/directory"

    def _ask(self, path, body=None):
        url = f"http://{self.address}:{self.control_port}{path}"
        with urllib.request.urlopen(url, body.encode() if body is not None else None, timeout=30) as answer:
            return answer.read().decode()

    def say(self, *lines):
        self._ask("/control", "\n".join(lines))

    def status(self):
        return json.loads(self._ask("/status"))

    def log(self, after=0):
        return [json.loads(line) for line in self._ask(f"/log?after={after}").splitlines()]

    def stop(self):
        return self.process.stop()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        status = self.stop()
        if error[0] is None and status != 0:
            raise servers.Failed(f"the fake CA ended with {status}:\n{self.process.tail()}")
