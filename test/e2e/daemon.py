"""koshin itself in a world of real servers: the daemon with a configuration file of its own, and its commands."""

import json
import os
import pathlib
import signal
import subprocess

from servers import Failed, Process, copy_program, free_port, until

ROOT = pathlib.Path(__file__).resolve().parents[2]


def program(build="build"):
    """The binary under test: $KOSHIN, or what make built."""
    return pathlib.Path(os.environ.get("KOSHIN", ROOT / build / "koshin"))


class Koshin:
    """`koshin serve` and everything that one types. Needs a name server, a CA, a web server and a mail server."""

    def __init__(self, folder, address, names, ca, nginx, mail, binary=None, **changes):
        self.folder = pathlib.Path(folder) / "koshin"
        self.folder.mkdir()
        self.folder.chmod(0o755)
        self.state = self.folder / "state"
        self.live = pathlib.Path(changes.pop("live", self.folder / "live"))
        self.binary = copy_program(binary or program(), self.folder)
        self.config_file = self.folder / "koshin.yaml"
        self.web_port = free_port(address)  # /healthz and /metrics
        self.process = None
        self._starts = 0
        self.target = "nginx"
        config = {
            "server": {"addresses": [address]},
            "cas": [
                {"name": "pebble", "directory": ca.directory, "contact": "ca@host.example", "bundle": str(ca.bundle)}
            ],
            "targets": [
                {
                    "name": self.target,
                    "kind": "nginx",
                    "folder": str(self.live),
                    "config_folder": str(nginx.config_folder),
                    "test": [absolute(nginx.test_argv[0]), *nginx.test_argv[1:]],
                    "reload": [absolute(nginx.reload_argv[0]), *nginx.reload_argv[1:]],
                    "listen_http": [f"{address}:{nginx.http_port}"],
                    "listen_https": [f"{address}:{nginx.https_port}"],
                }
            ],
            "state_folder": str(self.state),
            "dns": {"forwarders": [names.forwarder]},
            "check": {
                "http_port": nginx.http_port,
                "https_port": nginx.https_port,
                "allow": ["127.0.0.0/8", "::1/128"],
                "roots": str(ca.roots),
                "rdap": "off",
                "timeout": "3 s",
                "deadline": "10 s",
                "poll_min": "1 s",
                "poll_max": "3 s",
            },
            "web": {"listen": [f"{address}:{self.web_port}"]},
            "mail": {"server": mail.url, "from": "koshin@host.example", "reply_to": "support@host.example"},
            "watch": {"outside": [names.forwarder]},
            "language": "ja",
            "panel_url": "https://panel.host.example",
            "log_level": "debug",
        }
        for key, value in changes.items():
            if isinstance(value, dict):
                config.setdefault(key, {}).update(value)
            else:
                config[key] = value
        self.config = config
        # JSON is YAML: nothing to quote by hand.
        self.config_file.write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n")
        self.config_file.chmod(0o644)

    # --- the daemon ---

    def start(self, env=None):
        self._starts += 1
        self.process = Process(
            f"koshin-{self._starts}", [self.binary, "serve", "-c", self.config_file], self.folder, env=env
        )
        self.process.wait_until(lambda: "koshin: ready" in self.process.text())
        return self

    def stop(self):
        """The exit status: 0 for a clean end."""
        return self.process.stop() if self.process else None

    def children(self):
        """Process ids of the daemon's parts by name: engine, keeper, installer, web, watch."""
        found = {}
        for folder in pathlib.Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                stat = (folder / "stat").read_text()
            except OSError:
                continue
            comm, rest = stat[stat.index("(") + 1 :].rsplit(")", 1)
            state, parent = rest.split()[:2]
            if int(parent) == self.process.pid and state != "Z":
                for part in ("engine", "keeper", "installer", "web", "watch"):
                    if comm in (part, f"koshin-{part}"[:15]):
                        found[part] = int(folder.name)
        return found

    def kill(self, part):
        """kill -9 of one part; the id that died."""
        pid = until(f"{part} runs", lambda: self.children().get(part))
        os.kill(pid, signal.SIGKILL)
        return pid

    # --- the commands ---

    def run(self, *words, status=0, stdin=None):
        """What a person types; the exit status must be this one (None: any)."""
        done = subprocess.run(
            [str(self.binary), *map(str, words), "-c", str(self.config_file)],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if status is not None and done.returncode != status:
            raise AssertionError(
                f"koshin {' '.join(map(str, words))}: status {done.returncode}, not {status}\n{done.stdout}{done.stderr}"
            )
        return done

    def json(self, *words, status=0):
        done = self.run(*words, "--json", status=status)
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            raise AssertionError(f"koshin {' '.join(map(str, words))} --json: not JSON: {done.stdout!r}") from None

    def add(self, *names, owner, **options):
        words = ["site", "add", ",".join(names), "--owner", owner]
        for key, value in options.items():
            words += [f"--{key.replace('_', '-')}"] + ([] if value is True else [str(value)])
        return self.run(*words)

    def show(self, name):
        return self.json("site", "show", name)

    def history(self, name):
        """Lines of a site's history, oldest first: dicts with kind, subject, detail, at."""
        return list(reversed(rows_of(self.json("site", "history", name, "--limit", "500"))))

    def kinds(self, name):
        return [line["kind"] for line in self.history(name)]

    def doctor(self):
        """The promises, checked on this store: fails with what is broken."""
        done = self.run("doctor", status=None)
        if done.returncode != 0:
            raise AssertionError(f"koshin doctor: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def logs(self):
        return "\n".join(f"--- {path}\n{tail(path)}" for path in sorted(self.folder.glob("koshin-*.log")))


def rows_of(answer):
    """The rows of a listing, whatever the envelope is called."""
    if isinstance(answer, list):
        return answer
    for value in answer.values():
        if isinstance(value, list):
            return value
    raise Failed(f"no rows in {answer!r}")


def absolute(command):
    for folder in ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"):
        if os.access(f"{folder}/{command}", os.X_OK):
            return f"{folder}/{command}"
    raise Failed(f"{command} is not installed")


def tail(path, lines=60):
    return "\n".join(pathlib.Path(path).read_text(errors="replace").splitlines()[-lines:])
