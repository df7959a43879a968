"""koshin among real servers for benchmarks: a name server whose every name leads here, pebble, nginx, and the API."""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import socket
import types

import servers
from daemon import Koshin
from mailbox_server import Mailbox

DOMAIN = "bench.jp"
LIFE_S = 90 * 86400
TTL_S = 300  # of the records of sites; the second of the tests' zones is no owner's
CHECK = {"poll_min": "30 s", "poll_max": "15 min"}  # as a hoster has it; the tests' seconds would be looks that nobody pays for


class Api(http.client.HTTPConnection):
    """The API on the Unix socket, one connection for all calls."""

    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def call(self, method, path, body=None):
        self.request(method, "/api/v1/" + path, json.dumps(body) if body is not None else None)
        answer = self.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise servers.Failed(f"{method} {path}: {answer.status} {text.decode(errors='replace')}")
        return json.loads(text) if text else None


class Ground:
    """`kind` nginx: sites are served by it. `kind` folder: koshin's own web process answers the CA, nothing is served."""

    def __init__(self, ca_env, kind="nginx", make_ca=None, **changes):
        """make_ca(ground): another CA than pebble; address, name server and http_port are there already."""
        self.folder = servers.new_folder("koshin-bench-")
        self.address = servers.new_address()
        self._ends = contextlib.ExitStack()
        self._ends.callback(shutil.rmtree, self.folder, ignore_errors=True)
        try:
            self._start(ca_env, kind, make_ca, changes)
        except BaseException:
            print(self.logs())
            self._ends.close()
            raise

    def _start(self, ca_env, kind, make_ca, changes):
        self.nginx = self._keep(servers.Nginx(self.folder, self.address)) if kind == "nginx" else None
        web = self.nginx or types.SimpleNamespace(
            http_port=servers.free_port(self.address), https_port=servers.free_port(self.address),
            config_folder=self.folder, test_argv=["true"], reload_argv=["true"],
        )
        self.http_port = web.http_port
        self.dns = self._keep(servers.Dns(self.folder, self.address))
        self.dns.TTL = TTL_S
        self.dns.add_zone(DOMAIN)
        self.dns.set(f"*.{DOMAIN}", "A", self.address)
        self.ca = self._keep(make_ca(self) if make_ca else self._pebble(web, ca_env))
        self.root = self.folder / "www"
        self.root.mkdir(mode=0o755)
        self.mail = self._keep(Mailbox(self.folder, self.address))  # each owner gets the letter that a real one gets
        self.koshin = self._keep(
            Koshin(self.folder, self.address, self.dns, self.ca, web, self.mail, log_level="info", check=CHECK, **changes)
        )
        config = self.koshin.config
        if kind == "folder":
            config["targets"] = [{"name": "files", "kind": "folder", "folder": str(self.koshin.live)}]
            config["web"] = {"listen": [f"{self.address}:{web.http_port}"]}
        self.koshin.config_file.write_text(json.dumps(config))
        self.koshin.start()
        self.api = Api(self.koshin.state / "run" / "api.sock")

    def _pebble(self, web, env):
        return servers.Pebble(self.folder, self.address, self.dns.endpoint, web.http_port, web.https_port, LIFE_S, env=env)

    def _keep(self, server):
        self._ends.callback(server.stop)
        return server

    @staticmethod
    def name(n):
        return f"site{n}.{DOMAIN}"

    def add(self, n):
        name = self.name(n)
        self.api.call("POST", "sites", {"names": [name, f"www.{name}"], "owner": f"owner{n}@example.jp", "root": str(self.root)})
        return name

    def kinds(self, name):
        return [row["kind"] for row in self.api.call("GET", f"sites/{name}/history?limit=50")["history"]]

    def requests(self):
        """Requests that the CA has logged; each is one line."""
        return self.ca.process.text().count("-> calling handler()")

    def processes(self):
        """Ids by name; `serve` is the supervisor."""
        return {"serve": self.koshin.process.pid, **self.koshin.children()}

    def logs(self):
        return "\n".join(f"--- {path}\n" + path.read_text(errors="replace")[-3000:] for path in sorted(self.folder.rglob("*.log")))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if error[0] is not None:
            print(self.logs())
        self._ends.close()


def cpu_ms(pid):
    """Of the process itself, its threads included, and of the children that it has waited for."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    own, waited = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
    tick = 1000 / os.sysconf("SC_CLK_TCK")
    return own * tick, waited * tick


def resident_mib(pid, field="VmHWM"):
    for row in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if row.startswith(field + ":"):
            return int(row.split()[1]) / 1024
    return 0.0
