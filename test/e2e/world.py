"""A small world: one address with a web server, a name server, a CA, a mail server and koshin, and sites in it."""

import datetime
import os
import shutil
import ssl
import threading

from daemon import Koshin, tail
from mailbox_server import Mailbox
from servers import Dns, Elsewhere, Failed, Nginx, Pebble, free_port, handshake, http_get, new_address, new_folder, until

EVERY = 0.4  # seconds between two looks by a command: each is a process of its own


def now():
    return datetime.datetime.now(datetime.timezone.utc)


class World:
    """Everything that a story needs; `life` is that of certificates in seconds."""

    def __init__(self, life=90, binary=None, start=True, folder=None, eab=None, make_ca=None, **changes):
        """make_ca(world): another CA than pebble; web server and name server are there already."""
        self.folder = folder or new_folder()
        self.address = new_address()
        self.life = life
        self._stops = []
        self._lock = threading.Lock()
        try:
            self.nginx = self._keep(Nginx(self.folder, self.address))
            self.dns = self._keep(Dns(self.folder, self.address))
            self.ca = self._keep(make_ca(self) if make_ca else self._pebble(eab))
            self.mail = self._keep(Mailbox(self.folder, self.address))
            self.elsewhere = self._keep(Elsewhere(self.folder, self.nginx.http_port))
            self.koshin = self._keep(
                Koshin(
                    self.folder, self.address, self.dns, self.ca, self.nginx, self.mail, binary=binary, **changes
                )
            )
            if start:
                self.koshin.start()
        except BaseException:
            print(self.logs())
            self.stop()
            raise

    def _pebble(self, eab):
        ports = self.nginx.http_port, self.nginx.https_port
        return Pebble(self.folder, self.address, self.dns.endpoint, *ports, self.life, eab=eab)

    def _keep(self, server):
        self._stops.append(server)
        return server

    def stop(self, keep_folder=False):
        while self._stops:
            self._stops.pop().stop()
        if not keep_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def logs(self):
        """The ends of all logs, for a failure."""
        parts = [f"=== the world in {self.folder}"]
        for path in sorted(self.folder.rglob("*.log")):
            if path.stat().st_size > 0:
                parts.append(f"--- {path.relative_to(self.folder)}\n{tail(path)}")
        if getattr(self, "mail", None):
            parts.append(f"--- letters\n{self.mail.letters()}")
        return "\n".join(parts)

    def site(self, *names, owner=None, records=None, **options):
        """A site with a page of its own, DNS that points here (records: for these names only), and an owner."""
        return Site(self, names, owner or f"owner@{ascii_of(names[0])}", records, options)


def ascii_of(name):
    return name if name.isascii() else name.encode("idna").decode()


class Site:
    def __init__(self, world, names, owner, records, options):
        self.world = world
        self.name = names[0]
        self.names = names
        self.owner = owner
        self.options = options
        self._returned = set()  # fingerprints of what until_served has returned
        self.root = world.folder / "www" / ascii_of(self.name)
        self.root.mkdir(parents=True)
        for folder in (self.root.parent, self.root):
            folder.chmod(0o755)
        (self.root / "index.html").write_text(f"This is {self.name}.\n")
        world.dns.add_zone(self.name)
        for name in records if records is not None else names:
            self.point_here(name)

    def add(self, **more):
        """The owner asks for a certificate."""
        self.world.koshin.add(*self.names, owner=self.owner, root=self.root, **self.options, **more)
        return self

    def point_here(self, name=None):
        self.world.dns.set(name or self.name, "A", self.world.address)

    def point_elsewhere(self, name=None):
        self.world.dns.set(name or self.name, "A", self.world.elsewhere.address)

    # --- what a visitor sees ---

    def shown(self, name=None):
        return handshake(name or self.name, self.world.address, self.world.nginx.https_port, self.world.ca.roots)

    def until_served(self, names=None, other_than=None, seconds=60):
        """A certificate that a browser is content with, for exactly these names. With other_than a new one: neither this nor any that was
        returned here before, since a web server's worker of two reloads ago may still answer once."""
        wanted = sorted(ascii_of(name) for name in names or self.names)
        old = self._returned | {other_than} if other_than else set()

        def look():
            shown = self.shown()
            if shown.is_valid and shown.names == wanted and shown.fingerprint not in old:
                self._returned.add(shown.fingerprint)
                return shown
            return None

        return until(f"{self.name} is served with {wanted}", look, seconds, 0.1)

    def plain(self, path="/", name=None):
        """One request over HTTP: (status, headers, body)."""
        return http_get(name or self.name, self.world.address, self.world.nginx.http_port, path)

    def secure(self, path="/", name=None):
        """One request over HTTPS, as a browser that checks. Right after a reload a worker of before may still
        answer, for a moment."""
        def once():
            try:
                return http_get(
                    name or self.name, self.world.address, self.world.nginx.https_port, path, self.world.ca.roots
                )
            except (ssl.SSLError, ConnectionError):
                return None
        return until(f"{name or self.name} answers over HTTPS", once, 3)

    # --- what koshin says ---

    def show(self):
        return self.world.koshin.show(self.name)

    def state(self):
        return self.show()["state"]

    def kinds(self):
        return self.world.koshin.kinds(self.name)

    def count(self, kind):
        return self.kinds().count(kind)

    def until_kind(self, kind, at_least=1, seconds=30):
        """Until the history has this kind of line so many times; all its lines then."""

        def look():
            lines = self.world.koshin.history(self.name)
            return lines if sum(line["kind"] == kind for line in lines) >= at_least else None

        return until(f"{self.name}: {at_least} x {kind} in its history", look, seconds, EVERY)

    def until_state(self, state, seconds=30):
        return until(f"{self.name} is {state}", lambda: self.state() == state, seconds, EVERY)

    def findings(self):
        """(cause, subject) of what is open."""
        return {(f["cause"], f["subject"]) for n in self.show()["names"] for f in n["findings"]}

    def until_finding(self, cause, name=None, seconds=30):
        def look():
            for n in self.show()["names"]:
                for finding in n["findings"]:
                    # One about a target is told with the site's own name.
                    about = (ascii_of(name or self.name), self.world.koshin.target)
                    if finding["cause"] == cause and finding["subject"] in about:
                        return finding
            return None

        return until(f"{self.name}: {cause} of {name or self.name} is found", look, seconds, EVERY)

    def letters(self):
        return self.world.mail.letters(to=self.owner)

    def until_letter(self, count, seconds=30):
        """Until the owner has got so many letters; all of them."""
        until(f"{self.owner} has {count} letters", lambda: len(self.letters()) >= count, seconds, 0.1)
        return self.letters()


class Watch:
    """A visitor who looks several times a second while something else goes on, and remembers every warning."""

    def __init__(self, site):
        self.site = site
        self.warnings = []
        self.looks = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self._end.wait(0.2):
            try:
                shown = self.site.shown()
                if not shown.is_valid:
                    self.warnings.append(f"{now():%H:%M:%S} {shown.error}")
            except OSError as error:
                self.warnings.append(f"{now():%H:%M:%S} {error}")
            self.looks += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self._end.set()
        self._thread.join(30)
        if kind is None and self.warnings:
            raise Failed(f"visitors of {self.site.name} saw: {self.warnings[:5]} ({len(self.warnings)} times)")


def is_root():
    return os.geteuid() == 0


def world_with_panel(tmp_path_factory, panel_url="https://ssl.host.example"):
    """A world whose panel is one empty page: for tests that speak with the API as browsers do. `{port}` in the address is filled in."""
    folder = tmp_path_factory.mktemp("panel")
    for one in (folder, *folder.parents[:3]):
        one.chmod(0o755)
    (folder / "index.html").write_bytes(b"<!doctype html><title>koshin</title>")
    port = free_port("127.0.0.1")
    made = World(life=3600, panel={"listen": [f"127.0.0.1:{port}"], "folder": str(folder)}, panel_url=panel_url.format(port=port))
    made.port = port
    return made
