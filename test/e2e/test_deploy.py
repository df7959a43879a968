"""The real installer and a real nginx: sites, renewals, broken configurations, a full disk, redirects, and the server with
variables. Jobs go through test/peer/deploy_driver.c, which is the engine's side of the link."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from servers import Nginx, handshake, http_get, key_pem, make_certificate, new_address, new_folder, pem, until

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = os.environ.get("KOSHIN_BUILD", "build")
DRIVER = ROOT / BUILD / "test/peer/deploy_driver"
THUMBPRINT = "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
CHALLENGE = "/.well-known/acme-challenge/"


@pytest.fixture(scope="session", autouse=True)
def driver_is_built():
    flavour = {"build-asan": "asan", "build-broken": "broken"}.get(BUILD, "release")
    subprocess.run(
        ["make", "-s", f"BUILD={BUILD}", f"FLAVOUR={flavour}", str(DRIVER.relative_to(ROOT))], cwd=ROOT, check=True
    )


class Driver:
    """The engine's side: asks for many things at once, and gets each answer by its tag."""

    def __init__(self, *targets, environment=None):
        self.child = subprocess.Popen(
            [DRIVER, json.dumps(targets)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        self._answers = {}
        self._came = threading.Condition()
        self._tags = 0
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.child.stdout:
            answer = json.loads(line)
            with self._came:
                self._answers[answer.pop("tag")] = answer
                self._came.notify_all()
        with self._came:
            self._ended = True
            self._came.notify_all()

    def ask(self, **job):
        self._tags += 1
        tag = str(self._tags)
        self.child.stdin.write(json.dumps({"tag": tag, **job}) + "\n")
        self.child.stdin.flush()
        return tag

    def answer(self, tag, seconds=60):
        with self._came:
            assert self._came.wait_for(lambda: tag in self._answers or self._ended, seconds), "no answer in time"
            return self._answers.pop(tag)

    def do(self, **job):
        answer = self.answer(self.ask(**job))
        assert answer == {"err": "OK", "cause": "", "words": "", "target": ""}, answer

    def fail(self, **job):
        answer = self.answer(self.ask(**job))
        assert answer["err"] != "OK"
        return answer

    def pid(self):
        return self.answer(self.ask(verb="pid"))["pid"]

    def kill(self):
        self.child.stdin.write('{"verb": "kill"}\n')
        self.child.stdin.flush()

    def stop(self):
        self.child.stdin.close()
        try:
            assert self.child.wait(30) == 0
        finally:
            self.child.kill()
            self.child.wait()
            self._reader.join()


class Ca:
    def __init__(self, folder):
        self.folder = folder
        self.key, self.root = make_certificate("test root", None, None, [])
        self.roots = folder / "roots.pem"
        self.roots.write_bytes(pem(self.root))
        self._number = 0

    def issue(self, *names):
        """The part of a job that is about the certificate."""
        self._number += 1
        key, leaf = make_certificate(names[0].lstrip("*."), self.key, self.root, names)
        chain_file, key_file = self.folder / f"{self._number}.pem", self.folder / f"{self._number}.key"
        chain_file.write_bytes(pem(leaf) + pem(self.root))
        key_file.write_bytes(key_pem(key))
        return {
            "chain": str(chain_file),
            "key": str(key_file),
            "fingerprint": leaf.fingerprint(hashes.SHA256()).hex(),
        }


class Room:
    """A CA, a web server, and an installer for it."""

    def __init__(self, folder, live=None, **changes):
        self.folder = folder
        self.address = new_address()
        (folder / "ca").mkdir()
        self.ca = Ca(folder / "ca")
        self.web = Nginx(folder, self.address)
        self.live = live or folder / "live"
        self.target = {
            "name": "web",
            "kind": "nginx",
            "folder": str(self.live),
            "config_folder": str(self.web.config_folder),
            "test": self.web.test_argv,
            "reload": self.web.reload_argv,
            "listen_http": [f"{self.address}:{self.web.http_port}"],
            "listen_https": [f"{self.address}:{self.web.https_port}"],
            **changes,
        }
        self.driver = None

    def start(self, **options):
        self.driver = Driver(self.target, **options)
        return self.driver

    def site(self, number, *names, certificate=None, **job):
        root = self.folder / f"www{number}"
        if not root.exists():
            root.mkdir()
            (root / "index.html").write_text(f"this is site {number}")
            root.chmod(0o755)
        job = {"root": str(root), "thumbprint": THUMBPRINT, **job}
        return {"verb": "apply", "site": number, "names": names, **(certificate or {}), **job}

    def get(self, name, path="/"):
        return http_get(name, self.address, self.web.http_port, path)

    def get_tls(self, name, path="/"):
        return http_get(name, self.address, self.web.https_port, path, str(self.ca.roots))

    def shown(self, name):
        return handshake(name, self.address, self.web.https_port, str(self.ca.roots))

    def until_shown(self, name, certificate):
        def check():
            shown = self.shown(name)
            return shown.is_valid and shown.fingerprint == certificate["fingerprint"]

        self.until(f"{name} shows {certificate['fingerprint'][:8]}", check)

    def workers(self):
        master = self.web.process.pid
        return sorted(pathlib.Path(f"/proc/{master}/task/{master}/children").read_text().split())

    def until(self, what, condition):
        """The condition, and no worker of before the reload that could still answer otherwise."""
        until(what, condition, 20)
        until("one worker", lambda: len(self.workers()) == 1, 20)

    def reloads(self):
        return self.web.error_log.read_text().count(": reconfiguring\n")

    def stop(self):
        if self.driver:
            self.driver.stop()
        self.web.stop()


@contextlib.contextmanager
def a_room(folder, **changes):
    room = Room(folder, **changes)
    try:
        yield room
    finally:
        room.stop()


@pytest.fixture
def folder():
    path = new_folder()
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def room(folder):
    with a_room(folder) as it:
        it.start()
        yield it


def test_http_then_https_then_renewal(room):
    names = ("example.jp", "www.example.jp")
    room.driver.do(**room.site(1, *names))
    room.until("the site", lambda: room.get("www.example.jp")[0] == 200)
    status, headers, body = room.get("example.jp", CHALLENGE + "a-Token_1")
    assert (status, headers["content-type"], body) == (200, "text/plain", f"a-Token_1.{THUMBPRINT}".encode())
    assert room.get("example.jp", CHALLENGE + "a%20b")[0] == 404
    assert room.get("example.jp", CHALLENGE)[0] == 404
    with pytest.raises(OSError):
        room.shown("example.jp")
    first = room.ca.issue(*names)
    room.driver.do(**room.site(1, *names, certificate=first))
    room.until_shown("example.jp", first)
    assert room.get_tls("www.example.jp")[2] == b"this is site 1"
    assert room.get_tls("example.jp", CHALLENGE + "t")[2] == f"t.{THUMBPRINT}".encode()
    second = room.ca.issue(*names)
    room.driver.do(**room.site(1, *names, certificate=second))
    room.until_shown("www.example.jp", second)
    # The same once more: nothing is written, nothing is reloaded.
    reloads = room.reloads()
    room.driver.do(**room.site(1, *names, certificate=second))
    assert room.reloads() == reloads
    live = room.live / "live" / "example.jp"
    assert (live / "privkey.pem").read_text() == pathlib.Path(second["key"]).read_text()
    assert (live / "privkey.pem").stat().st_mode & 0o777 == 0o600
    leaf, chain = (live / "cert.pem").read_bytes(), (live / "chain.pem").read_bytes()
    assert (live / "fullchain.pem").read_bytes() == leaf + chain
    assert x509.load_pem_x509_certificate(leaf).fingerprint(hashes.SHA256()).hex() == second["fingerprint"]
    room.driver.do(verb="remove", site=1)
    room.until("the site is gone", lambda: room.get("example.jp")[0] == 404)
    assert not list(room.web.config_folder.iterdir())
    assert not list((room.live / "sets").iterdir()) and not list((room.live / "live").iterdir())


def test_challenge_answer_changes_for_all(room):
    room.driver.do(**room.site(1, "a.jp"))
    room.driver.do(**room.site(2, "b.jp"))
    room.driver.do(verb="challenge", thumbprint="another-Thumb_print")
    for name in ("a.jp", "b.jp"):
        room.until("the new answer", lambda: room.get(name, CHALLENGE + "x")[2] == b"x.another-Thumb_print")


def test_somebody_breaks_the_configuration(room):
    first, second, other = room.ca.issue("a.jp"), room.ca.issue("a.jp"), room.ca.issue("b.jp")
    room.driver.do(**room.site(1, "a.jp", certificate=first))
    room.until_shown("a.jp", first)
    before = {path: path.read_bytes() for path in room.web.config_folder.iterdir()}
    room.web.extra.write_text("this is not nginx;\n")
    for job in (room.site(1, "a.jp", certificate=second), room.site(2, "b.jp", certificate=other)):
        answer = room.driver.fail(**job)
        assert answer["cause"] == "own.deploy.config-broken" and answer["target"] == "web"
        assert 'unknown directive "this"' in answer["words"]
    room.until_shown("a.jp", first)
    assert before == {path: path.read_bytes() for path in room.web.config_folder.iterdir()}
    assert (room.live / "live/a.jp/privkey.pem").read_text() == pathlib.Path(first["key"]).read_text()
    room.web.extra.write_text("# nothing\n")
    room.driver.do(**room.site(1, "a.jp", certificate=second))
    room.driver.do(**room.site(2, "b.jp", certificate=other))
    room.until_shown("a.jp", second)
    room.until_shown("b.jp", other)


def test_one_site_breaks_it_the_others_go_through(room):
    """A key that does not fit (nginx's own test sees it), among nine good ones, asked for at once."""
    certificates = [room.ca.issue(f"site{i}.jp") for i in range(10)]
    good_key = certificates[4]["key"]
    certificates[4]["key"] = certificates[5]["key"]
    tags = [
        room.driver.ask(**room.site(i + 1, f"site{i}.jp", certificate=certificates[i])) for i in range(10)
    ]
    answers = [room.driver.answer(tag) for tag in tags]
    assert [answer["err"] for answer in answers] == ["COMMAND" if i == 4 else "OK" for i in range(10)]
    assert answers[4]["cause"] == "own.unclassified" and "key values mismatch" in answers[4]["words"]
    for i in (0, 3, 5, 9):
        room.until_shown(f"site{i}.jp", certificates[i])
    assert not (room.live / "live/site4.jp").exists()
    certificates[4]["key"] = good_key
    room.driver.do(**room.site(5, "site4.jp", certificate=certificates[4]))
    room.until_shown("site4.jp", certificates[4])


def test_fifty_sites_at_once(room):
    certificates = [room.ca.issue(f"n{i}.jp") for i in range(50)]
    tags = [room.driver.ask(**room.site(i + 1, f"n{i}.jp", certificate=certificates[i])) for i in range(50)]
    assert [room.driver.answer(tag)["err"] for tag in tags] == ["OK"] * 50
    for i in (0, 24, 49):
        room.until_shown(f"n{i}.jp", certificates[i])
    assert room.reloads() <= 3


def test_redirect_and_hsts(room):
    certificate = room.ca.issue("a.jp")
    port = room.web.https_port
    for redirect, hsts in ((307, 0), (308, 86400), (0, 300)):
        room.driver.do(**room.site(1, "a.jp", certificate=certificate, redirect=redirect, hsts=hsts))
        room.until("the redirect", lambda: room.get("a.jp")[0] == (redirect or 200))
        status, headers, _ = room.get("a.jp", "/a?b=c")
        if redirect:
            assert (status, headers["location"]) == (redirect, f"https://a.jp:{port}/a?b=c")
        assert room.get("a.jp", CHALLENGE + "t")[2] == f"t.{THUMBPRINT}".encode()
        wanted = f"max-age={hsts}" if hsts else None
        room.until("HSTS", lambda: room.get_tls("a.jp")[1].get("strict-transport-security") == wanted)
        assert "strict-transport-security" not in room.get("a.jp")[1], "not over HTTP (RFC 6797 7.2)"
    # Without a certificate there is no redirect, whatever is asked for.
    room.driver.do(**room.site(1, "a.jp", redirect=308))
    room.until("no redirect", lambda: room.get("a.jp")[0] == 200)


def test_forwarding(room):
    room.driver.do(**room.site(1, "behind.jp"))
    upstream = f"http://{room.address}:{room.web.http_port}"
    room.driver.do(**room.site(2, "front.jp", root="", proxy=upstream))
    # The upstream is this very server, which knows no other name than the visitor's: a loop, which it ends itself.
    room.until("forwarding", lambda: room.get("front.jp")[0] in (400, 500, 502))
    assert room.get("front.jp", CHALLENGE + "t")[2] == f"t.{THUMBPRINT}".encode()


@pytest.mark.parametrize(
    "change",
    [
        {"root": "/srv/a;b"},
        {"root": '/srv/a"; return 200 "x'},
        {"root": "/srv/../etc"},
        {"root": "/srv/$host"},
        {"root": "", "proxy": "http://a.jp/; x"},
        {"names": ["../../etc"]},
        {"names": ["a.jp; x"]},
        {"names": []},
        {"site": 0},
        {"site": -1},
        {"redirect": 301},
        {"thumbprint": 'x";'},
    ],
)
def test_refuses_what_would_break_out(room, change):
    answer = room.driver.fail(**{**room.site(1, "a.jp"), **change})
    assert answer["err"] == "INVALID" and answer["words"]
    assert not list(room.web.config_folder.iterdir())
    room.driver.do(**room.site(1, "a.jp"))


def test_a_path_with_spaces_and_other_letters(room):
    root = room.folder / "my site 日本"
    root.mkdir(mode=0o755)
    (root / "index.html").write_text("hello")
    room.driver.do(**room.site(1, "a.jp", root=str(root)))
    room.until("the page", lambda: room.get("a.jp")[2] == b"hello")


def test_set_of_another_key_and_damaged_fingerprint(room):
    certificate = room.ca.issue("a.jp")
    answer = room.driver.fail(**room.site(1, "a.jp", certificate={**certificate, "fingerprint": "../../x"}))
    assert answer["err"] == "INVALID"


def test_nginx_is_not_running(room):
    certificate = room.ca.issue("a.jp")
    room.driver.do(**room.site(1, "a.jp"))
    room.web.stop()
    answer = room.driver.fail(**room.site(1, "a.jp", certificate=certificate))
    assert answer["cause"] == "own.deploy.not-served" and "nginx" in answer["words"]
    # It is not forgotten: not by the next request, not by the next installer.
    assert room.driver.fail(**room.site(1, "a.jp", certificate=certificate))["cause"] == "own.deploy.not-served"
    room.driver.kill()
    assert room.driver.fail(**room.site(1, "a.jp", certificate=certificate))["cause"] == "own.deploy.not-served"
    room.web._start()
    room.driver.do(**room.site(1, "a.jp", certificate=certificate))
    room.until_shown("a.jp", certificate)


def test_installer_is_killed_and_asked_again(room):
    pid = room.driver.pid()
    os.kill(pid, signal.SIGSTOP)  # so that the requests are there, read or not, when it dies
    certificates = [room.ca.issue(f"n{i}.jp") for i in range(5)]
    tags = [room.driver.ask(**room.site(i + 1, f"n{i}.jp", certificate=certificates[i])) for i in range(5)]
    room.driver.kill()
    assert [room.driver.answer(tag)["err"] for tag in tags] == ["OK"] * 5
    assert room.driver.pid() != pid
    for i in range(5):
        room.until_shown(f"n{i}.jp", certificates[i])


def test_somebody_writes_over_the_live_files(room):
    right = room.ca.issue("a.jp")
    room.driver.do(**room.site(1, "a.jp", certificate=right))
    wrong = room.ca.issue("a.jp")
    live = room.live / "live/a.jp"
    (live / "fullchain.pem").write_bytes(pathlib.Path(wrong["chain"]).read_bytes())
    (live / "privkey.pem").write_bytes(pathlib.Path(wrong["key"]).read_bytes())
    room.web.reload()
    room.until_shown("a.jp", wrong)
    room.driver.do(**room.site(1, "a.jp", certificate=right))
    room.until_shown("a.jp", right)


def test_disk_full(folder):
    live = folder / "live"
    live.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=755", "koshin-test", live], check=True)
    try:
        with a_room(folder, live=live) as room:
            room.start()
            first, second = room.ca.issue("a.jp"), room.ca.issue("a.jp")
            room.driver.do(**room.site(1, "a.jp", certificate=first))
            filler = live / "filler"
            with open(filler, "wb", buffering=0) as f:
                with contextlib.suppress(OSError):
                    while True:
                        f.write(b"x" * 1024)
            answer = room.driver.fail(**room.site(1, "a.jp", certificate=second))
            assert answer["cause"] == "own.disk.full" and "No space left" in answer["words"]
            room.web.reload()
            room.until_shown("a.jp", first)
            filler.unlink()
            room.driver.do(**room.site(1, "a.jp", certificate=second))
            room.until_shown("a.jp", second)
            subprocess.run(["mount", "-o", "remount,ro", live], check=True)
            answer = room.driver.fail(**room.site(1, "a.jp", certificate=first))
            assert answer["cause"] == "own.disk.unwritable", answer
            room.driver.do(**room.site(1, "a.jp", certificate=second))
            subprocess.run(["mount", "-o", "remount,rw", live], check=True)
            room.driver.do(**room.site(1, "a.jp", certificate=first))
            room.until_shown("a.jp", first)
    finally:
        subprocess.run(["umount", live], check=True)


class VariableNginx(Nginx):
    """The example file of the distribution, with this room's folder and ports."""

    def __init__(self, folder, address):
        super().__init__(folder, address)
        self.stop()
        text = (ROOT / "etc/nginx/koshin-variable.conf").read_text()
        text = text.replace("/var/lib/koshin/live/nginx-variable", str(folder / "live"))
        text = "\n".join(line for line in text.splitlines() if "listen [::]" not in line)
        text = text.replace("listen 80 ", f"listen {address}:{self.http_port} ")
        text = text.replace("listen 443 ", f"listen {address}:{self.https_port} ")
        main = self.config.read_text()
        first_server = main.index("    server {")
        self.config.write_text(main[:first_server] + text + "\n}\n")
        self._start()


@pytest.fixture
def variable(folder, monkeypatch):
    monkeypatch.setattr("test_deploy.Nginx", VariableNginx)
    group = "www-data" if os.geteuid() == 0 else ""
    with a_room(folder, kind="nginx-variable", group=group) as it:
        it.start()
        yield it


def test_variable_needs_no_reload(variable):
    room = variable
    room.driver.do(verb="challenge", thumbprint=THUMBPRINT)  # the one reload
    room.until("the reload", lambda: room.get("nobody.jp", CHALLENGE + "t")[2] == f"t.{THUMBPRINT}".encode())
    workers = room.workers()
    first, second = room.ca.issue("a.jp", "www.a.jp"), room.ca.issue("a.jp", "www.a.jp")
    names = ("a.jp", "www.a.jp")
    room.driver.do(**room.site(1, *names))
    assert room.get("www.a.jp")[::2] == (200, b"this is site 1")
    with pytest.raises(OSError):
        room.shown("a.jp")
    room.driver.do(**room.site(1, *names, certificate=first))
    assert room.shown("a.jp").fingerprint == first["fingerprint"]
    room.driver.do(**room.site(1, *names, certificate=second, redirect=307, hsts=100000))
    assert room.shown("www.a.jp").fingerprint == second["fingerprint"] and room.shown("a.jp").is_valid
    status, headers, _ = room.get("a.jp", "/x?y")
    assert (status, headers["location"]) == (307, "https://a.jp/x?y")
    assert room.get_tls("a.jp")[1]["strict-transport-security"] == "max-age=86400"
    room.driver.do(**room.site(1, *names, certificate=second, redirect=308))
    assert room.get("www.a.jp")[0] == 308
    assert "strict-transport-security" not in room.get_tls("a.jp")[1]
    room.driver.do(**room.site(1, *names, certificate=second))
    assert room.get("a.jp")[0] == 200
    assert room.get("a.jp", CHALLENGE + "t")[2] == f"t.{THUMBPRINT}".encode()
    key = room.live / "live/a.jp/privkey.pem"
    if os.geteuid() == 0:
        assert key.stat().st_mode & 0o777 == 0o640
    # Names that would leave the folder get no set.
    for name in ("..", "a.jp/../a.jp"):
        with pytest.raises((OSError, ValueError)):
            room.shown(name)
    # One name leaves.
    room.driver.do(**room.site(1, "a.jp", certificate=second))
    assert room.get("www.a.jp")[0] == 404
    room.driver.do(verb="remove", site=1)
    assert room.get("a.jp")[0] == 404
    with pytest.raises(OSError):
        room.shown("a.jp")
    assert room.workers() == workers and room.reloads() == 1


def test_variable_wildcard_and_forwarding(variable):
    room = variable
    wild = room.ca.issue("*.w.jp", "w.jp")
    room.driver.do(**room.site(1, "w.jp", "*.w.jp", certificate=wild))
    room.until_shown("anything.w.jp", wild)
    room.until("the page", lambda: room.get_tls("anything.w.jp")[2] == b"this is site 1")
    # A name of its own below the wildcard is somebody else's.
    own = room.ca.issue("shop.w.jp")
    room.driver.do(**room.site(2, "shop.w.jp", certificate=own))
    room.until_shown("shop.w.jp", own)
    room.until("its own page", lambda: room.get_tls("shop.w.jp")[2] == b"this is site 2")
    room.until_shown("other.w.jp", wild)
    proxied = room.ca.issue("front.jp")
    upstream = f"http://{room.address}:{room.web.http_port}"
    room.driver.do(**room.site(3, "front.jp", certificate=proxied, root="", proxy=upstream))
    room.until_shown("front.jp", proxied)
    room.until("forwarding", lambda: room.get_tls("front.jp")[0] in (400, 500, 502))


def test_example_for_written_server_blocks(room):
    text = (ROOT / "etc/nginx/koshin.conf").read_text()
    text = "\n".join(line for line in text.splitlines() if "listen [::]" not in line)
    text = text.replace("listen 80 ", f"listen {room.address}:{room.web.http_port} ")
    text = text.replace("listen 443 ", f"listen {room.address}:{room.web.https_port} ")
    main = room.web.config.read_text().replace("server_names_hash_bucket_size 128;", text)
    room.web.config.write_text(main[: main.rindex("    server {", 0, main.rindex("    server {"))] + "}\n")
    label = "a" * 63
    names = [f"{label}.{label}.{label}.example.jp"]
    certificate = room.ca.issue("a.jp", *names)
    room.driver.do(**room.site(1, "a.jp", *names, certificate=certificate))
    room.until_shown(names[0], certificate)
    with pytest.raises(OSError):
        room.shown("nobody.jp")


def test_folder_with_a_command(folder):
    notes = folder / "notes"
    script = folder / "command.sh"
    script.write_text(f'echo "$KOSHIN_VERB $KOSHIN_SITE $KOSHIN_NAME $KOSHIN_FINGERPRINT $KOSHIN_FOLDER" >> {notes}\n')
    (folder / "ca").mkdir()
    ca = Ca(folder / "ca")
    live = folder / "live"
    target = {"name": "mail", "kind": "folder", "folder": str(live), "reload": ["/bin/sh", str(script)]}
    driver = Driver(target)
    try:
        certificate = ca.issue("mx.jp")
        job = {"verb": "apply", "site": 7, "names": ["mx.jp"], **certificate}
        driver.do(**job)
        driver.do(**job)
        assert notes.read_text() == f"apply 7 mx.jp {certificate['fingerprint']} {live}/live/mx.jp\n"
        assert (live / "live/mx.jp/privkey.pem").read_text() == pathlib.Path(certificate["key"]).read_text()
        script.write_text("echo postfix is unhappy; exit 1\n")
        answer = driver.fail(**{**job, **ca.issue("mx.jp")})
        assert answer["cause"] == "own.deploy.not-served" and "unhappy" in answer["words"]
        assert (live / "live/mx.jp/privkey.pem").read_text() == pathlib.Path(certificate["key"]).read_text()
    finally:
        driver.stop()
