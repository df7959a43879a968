"""Other ACME clients, each made to get certificates with a P-256 key from the same pebble in the same run.

Their challenges are answered from a web root of the same nginx; Caddy answers its own, forwarded by that nginx.
"""

import json
import os
import pathlib
import shutil
import subprocess

import servers
from figures import CannotMeasure
from ground import DOMAIN, cpu_ms

MAIL = "peer@example.jp"


class Peers:
    def __init__(self, ground):
        self.ground = ground
        self.folder = ground.folder / "peers"
        self.webroot = self.folder / "www"
        (self.webroot / ".well-known" / "acme-challenge").mkdir(parents=True)
        for folder in (self.folder, self.webroot, self.webroot / ".well-known", self.webroot / ".well-known" / "acme-challenge"):
            folder.chmod(0o755)
        self.caddy_port = servers.free_port(ground.address)
        listen = f"listen {ground.address}:{ground.http_port};"
        ground.nginx.extra.write_text(
            f"server {{ {listen} server_name *.peer.{DOMAIN}; root {self.webroot}; }}\n"
            f"server {{ {listen} server_name *.caddy.{DOMAIN};"
            f" location / {{ proxy_pass http://{ground.address}:{self.caddy_port}; proxy_set_header Host $host; }} }}\n"
        )
        ground.nginx.reload()
        self.ground.dns.set(f"*.peer.{DOMAIN}", "A", ground.address)
        self.ground.dns.set(f"*.caddy.{DOMAIN}", "A", ground.address)

    def names(self, kind, n):
        # One label below the zone, so that the wildcard of the web server's name fits both.
        return [f"{kind}{n}.peer.{DOMAIN}", f"www.{kind}{n}.peer.{DOMAIN}"]

    def certbot(self, n):
        """One run for each certificate, as its timer makes them for new sites; the account is there already."""
        base = ["certbot", "--config-dir", self.folder / "certbot", "--work-dir", self.folder / "certbot-work",
                "--logs-dir", self.folder / "certbot-log", "--server", self.ground.ca.directory, "-n"]  # fmt: skip
        env = {"REQUESTS_CA_BUNDLE": str(self.ground.ca.bundle)}
        self._run("certbot", [*base, "register", "--agree-tos", "-m", MAIL, "--no-eff-email"], env)
        return self._count(n, lambda i: self._run(
            "certbot",
            [*base, "certonly", "--webroot", "-w", self.webroot, "--key-type", "ecdsa", "--elliptic-curve", "secp256r1",
             "--cert-name", f"certbot{i}", *self._d(self.names("certbot", i))],
            env,
        ))  # fmt: skip

    def lego(self, n):
        base = ["lego", "--server", self.ground.ca.directory, "--email", MAIL, "--accept-tos", "--path", self.folder / "lego",
                "--http", "--http.webroot", self.webroot, "--key-type", "ec256"]  # fmt: skip
        env = {"LEGO_CA_CERTIFICATES": str(self.ground.ca.bundle)}
        self._run("lego", [*base, *self._d(self.names("lego", n)), "run"], env)  # the account, with one certificate
        return self._count(n, lambda i: self._run("lego", [*base, *self._d(self.names("lego", i)), "run"], env))

    def uacme(self, n):
        """Its libcurl trusts the system's file alone: it runs where that file is the CA's, in a mount namespace of its own."""
        hook = self.folder / "hook"
        hook.write_text(
            '#!/bin/sh\n[ "$2" = http-01 ] || exit 1\n'
            f'file={self.webroot}/.well-known/acme-challenge/$4\n'
            'case $1 in begin) printf %s "$5" >"$file" ;; *) rm -f "$file" ;; esac\n'
        )
        hook.chmod(0o755)
        base = f"uacme -a {self.ground.ca.directory} -c {self.folder}/uacme -t EC -b 256 -y"
        self._run("uacme", self._inside(f"{base} new {MAIL}"))
        issue = "\n".join(f"{base} -h {hook} issue {' '.join(self.names('uacme', i))} || exit" for i in range(n))
        script = self.folder / "uacme.sh"
        script.write_text(issue + "\n")
        ms, requests = self._count(1, lambda _: self._run("uacme", self._inside(f". {script}")))
        return ms / n, requests / n

    def caddy(self, n):
        """One process for all; one name for each certificate, as it asks for no other kind."""
        self._run_caddy([f"first.caddy.{DOMAIN}"])  # the account: begun with several names, it makes several and mixes them up
        requests = self.requests()
        own = self._run_caddy([f"caddy{i}.caddy.{DOMAIN}" for i in range(n)])
        return own / n, (self.requests() - requests) / n

    def _run_caddy(self, names):
        """CPU in ms until it has a certificate for each."""
        issuer = {"module": "acme", "ca": self.ground.ca.directory, "email": MAIL,
                  "trusted_roots_pem_files": [str(self.ground.ca.bundle)],
                  "challenges": {"tls-alpn": {"disabled": True}}}  # fmt: skip
        config = {
            "admin": {"disabled": True},
            "storage": {"module": "file_system", "root": str(self.folder / "caddy")},
            "apps": {
                "http": {"http_port": self.caddy_port, "https_port": servers.free_port(self.ground.address),
                         "servers": {"s": {"listen": [f"{self.ground.address}:{self.caddy_port}"], "routes": []}}},
                "tls": {"certificates": {"automate": names},
                        "automation": {"policies": [{"issuers": [issuer], "key_type": "p256"}]}},
            },
        }  # fmt: skip
        file = self.folder / "caddy.json"
        file.write_text(json.dumps(config))
        issued, n = self.ground.ca.issued(), len(names)
        home = {"HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)}
        process = servers.Process("caddy", ["caddy", "run", "--config", file], self.folder, env=home)
        try:
            # Caddy begins ten orders in ten seconds at most.
            process.wait_until(lambda: self.ground.ca.issued() - issued >= n, 30 + 3 * n)
            own, _ = cpu_ms(process.pid)
        finally:
            process.stop()
        return own

    # --- what all have in common ---

    def requests(self):
        return self.ground.requests()

    def measure(self, name, n):
        """CPU in ms and requests for one certificate."""
        if shutil.which(name) is None:
            raise CannotMeasure(f"{name} is not installed; run: tool/install-packages bench")
        return getattr(self, name)(n)

    @staticmethod
    def _d(names):
        return [word for name in names for word in ("-d", name)]

    def _inside(self, command):
        unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
        return [*unshare, "sh", "-c", f"mount --bind {self.ground.ca.bundle} /etc/ssl/certs/ca-certificates.crt && {command}"]

    def _run(self, name, argv, env=None):
        """CPU in ms of the command and all that it waited for."""
        log = self.folder / f"{name}.out"
        with open(log, "ab") as out:
            child = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env={**os.environ, **(env or {})})
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise CannotMeasure(f"{name}: status {child.returncode}: {pathlib.Path(log).read_text(errors='replace')[-1500:]}")
        return (usage.ru_utime + usage.ru_stime) * 1e3

    def _count(self, n, once):
        requests = self.requests()
        ms = sum(once(i) for i in range(n))
        return ms / n, (self.requests() - requests) / n
