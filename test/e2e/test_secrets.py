"""Nothing secret is in any log, error text, core file, process list or file that everybody may read: koshin runs with keys
and passwords that are known here, is made to fail in every way, and whatever it left is searched for them in every form."""

import base64
import contextlib
import ctypes
import ctypes.util
import json
import os
import pathlib
import pwd
import re
import resource
import signal
import sqlite3
import stat
import subprocess
import threading

import pytest
from cryptography.hazmat.primitives import serialization

from browser import Browser, site_path
from servers import Process, free_port, new_address, new_folder, until
from test_cert_check import certificate, key_pem, pem
from test_codes import App
from test_mail import Smtp
from world import World

PASSWORD = "correct-horse-Battery-9f3c1b"
PERSON, PERSON_PASSWORD, NEXT_PASSWORD = "sato@himitsu.jp", "momo-mo-sumomo-mo-momo-no-uchi", "tonari-no-kyaku-wa-yoku-kaki-kuu"
EAB_KID = "kid-of-koshin"
EAB_WRONG, EAB_RIGHT = (base64.urlsafe_b64encode(os.urandom(48)).decode() for _ in range(2))
USER = "nobody"  # whom engine, keeper and web become when the tests run as root


# --- the forms of a secret ---


def forms(secret):
    """Bytes by which this secret could be recognised: raw, hexadecimal, and base64 wherever in a text it begins."""
    found = {secret, secret.hex().encode(), secret.hex().upper().encode(), b":".join(b"%02x" % byte for byte in secret)}
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + secret)
        # What depends on the neighbours is cut off at both ends.
        middle = encoded[(0, 2, 3)[shift] :].rstrip(b"=")[: -1 if (shift + len(secret)) % 3 else None]
        found |= {middle, middle.replace(b"+", b"-").replace(b"/", b"_")}
    return found


class Secrets:
    """What must not be found, by name."""

    def __init__(self):
        self.needles = {}

    def plant(self, name, secret):
        for form in forms(secret):
            assert len(form) >= 16
            self.needles.setdefault(form, name)

    def plant_pair(self, name, der):
        """A private key: the whole, and the number in it."""
        key = serialization.load_der_private_key(der, None)
        self.plant(name, der)
        numbers = key.private_numbers()
        for number in (numbers.p, numbers.q, numbers.d) if hasattr(numbers, "p") else (numbers.private_value,):
            self.plant(name, number.to_bytes((number.bit_length() + 7) // 8, "big"))

    def in_bytes(self, data):
        """The names of those that are in there; line ends within base64, as they are and as JSON has them, are passed over."""
        joined = re.sub(rb"\\r|\\n|[\r\n]", b"", data)
        return {name for needle, name in self.needles.items() if needle in data or needle in joined}


def test_every_form_is_recognised():
    secrets, key = Secrets(), os.urandom(32)
    secrets.plant("key", key)
    pem = base64.encodebytes(b"01" + key + b"after")
    for text in (key, key.hex().encode(), pem, pem.replace(b"\n", b"\\n"), base64.urlsafe_b64encode(b"x" + key), b"a" + key + b"b"):
        assert secrets.in_bytes(b"before " + text + b" after") == {"key"}, text
    assert secrets.in_bytes(b"before " + os.urandom(64)) == set()


# --- the sealed things, opened ---


def unseal(master, purpose, sealed):
    """ports/keys/seal.h: 'K', version, purpose, nonce, ciphertext and tag."""
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    words = f"koshin sealed 1: {purpose}".encode()
    clear, length = ctypes.create_string_buffer(len(sealed)), ctypes.c_ulonglong()
    done = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
        clear, ctypes.byref(length), None, sealed[27:], ctypes.c_ulonglong(len(sealed) - 27), words,
        ctypes.c_ulonglong(len(words)), sealed[3:27], master,
    )  # fmt: skip
    assert sealed[:2] == b"K\x01" and done == 0, "what is stored is not sealed with the master key"
    return clear.raw[: length.value]


# --- the world ---


class Place:
    """A world whose CA wants a bound account and whose mail server wants a login over TLS; all output is kept."""

    def __init__(self):
        self.folder = new_folder()
        self.secrets, self.said, self.listed = Secrets(), [], set()
        self.mail = Smtp(self.folder, new_address(), login=("koshin", PASSWORD))
        self.eab_file, self.password_file = self._file("eab.key", EAB_WRONG), self._file("mail.password", PASSWORD)
        self.world = World(life=3600, folder=self.folder, start=False, eab={EAB_KID: EAB_RIGHT})
        self.koshin = self.world.koshin
        self.port = free_port("127.0.0.1")
        page = self.folder / "panel"
        page.mkdir()
        page.chmod(0o755)
        (page / "index.html").write_bytes(b"<!doctype html><title>koshin</title>")
        config = self.koshin.config
        config["panel"] = {"listen": [f"127.0.0.1:{self.port}"], "folder": str(page)}
        config["cas"][0].update(eab_kid=EAB_KID, eab_hmac_file=str(self.eab_file))
        config["mail"].update(
            server=self.mail.url, bundle=str(self.mail.bundle), user="koshin", password_file=str(self.password_file), tls=True
        )
        if os.geteuid() == 0:
            config["user"] = USER
        self.koshin.config_file.write_text(json.dumps(config))
        for name, text in (("EAB", EAB_WRONG), ("EAB", EAB_RIGHT)):
            self.secrets.plant(name, text.encode())
            self.secrets.plant(name, base64.urlsafe_b64decode(text))
        self.secrets.plant("password", PASSWORD.encode())
        self._end = threading.Event()
        self._lister = threading.Thread(target=self._list, daemon=True)
        self._lister.start()

    def _file(self, name, text):
        path = self.folder / name
        path.touch(0o600)
        path.write_text(text + "\n")
        if os.geteuid() == 0:
            os.chown(path, pwd.getpwnam(USER).pw_uid, -1)
        return path

    def _list(self):
        """What everybody sees of processes, many times a second."""
        while not self._end.wait(0.02):
            for path in pathlib.Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        text = (path / name).read_bytes()
                    except OSError:
                        continue
                    self.listed.update((name, leak) for leak in self.secrets.in_bytes(text))

    def run(self, *words):
        done = self.koshin.run(*words, status=None)
        self.said.append((words, (done.stdout + done.stderr).encode()))
        return done

    def plant_stored(self):
        """The master key, and with it every key that is in the store."""
        words = (self.koshin.state / "master.key").read_text().split()
        master = base64.urlsafe_b64decode(words[1] + "=")
        self.secrets.plant("master key", master)
        store = sqlite3.connect(f"file:{self.koshin.state / 'koshin.db'}?mode=ro", uri=True)
        for name, purpose, query in (
            ("account key", "account", "SELECT sealed_key FROM ca"),
            ("site key", "site", "SELECT sealed_key FROM certificate"),
            ("key of a request", "site", "SELECT sealed_key FROM csr"),
        ):
            rows = store.execute(query).fetchall()
            assert rows
            for (sealed,) in rows:
                self.secrets.plant_pair(name, unseal(master, purpose, sealed))
        (sealed,) = store.execute("SELECT eab_sealed_hmac FROM ca").fetchone()
        assert unseal(master, "secret", sealed) in (EAB_RIGHT.encode(), base64.urlsafe_b64decode(EAB_RIGHT))
        store.close()

    def found(self):
        """(where, what) of every secret that got out."""
        leaks = {("/proc/*/" + name, leak) for name, leak in self.listed}
        for words, text in self.said:
            leaks |= {("koshin " + " ".join(map(str, words)), leak) for leak in self.secrets.in_bytes(text)}
        for path in self.folder.rglob("*"):
            if not path.is_file() or path.is_symlink():
                continue
            # Logs and the store whatever their rights, for somebody will copy them; the rest if everybody may read it.
            if path.suffix == ".log" or path.name.startswith("koshin.db") or path.stat().st_mode & stat.S_IROTH:
                leaks |= {(path.name, leak) for leak in self.secrets.in_bytes(path.read_bytes())}
        return leaks

    def stop(self):
        self._end.set()
        self._lister.join(10)
        self.world.stop()
        self.mail.stop()


@pytest.fixture
def place():
    made = Place()
    yield made
    print(made.world.logs())
    made.stop()


def people(place, site):
    """Somebody signs in, rightly and wrongly, with passwords, codes, links and tokens; every secret of that is planted."""
    koshin, plant = place.koshin, place.secrets.plant
    place.run("user", "add", PERSON, "--role", "owner", "--owner", site.owner)
    koshin.run("user", "password", PERSON, stdin=PERSON_PASSWORD + "\n")
    for password in (PERSON_PASSWORD, NEXT_PASSWORD):
        plant("password of a person", password.encode())
    browser = Browser(place.port)
    for wrong in (PERSON_PASSWORD + "x", PERSON_PASSWORD[::-1]):
        assert browser.sign_in(PERSON, wrong).status == 403
    plant("password that was mistyped", PERSON_PASSWORD[::-1].encode())
    assert browser.sign_in(PERSON, PERSON_PASSWORD).status == 201
    assert browser.ask("PUT", "/password", {"old_password": PERSON_PASSWORD, "password": NEXT_PASSWORD}).status == 200
    plant("session", browser.cookies["__Host-koshin"].encode())
    plant("CSRF token", browser.csrf.encode())
    token = browser.ask("POST", "/tokens", {"name": "backup", "scopes": ["sites.read"]}).json["token"]
    plant("token", token.removeprefix("koshin_").encode())
    stranger = Browser(place.port)
    assert stranger.ask("GET", "/sites", Authorization=f"Bearer {token}").status == 200
    assert stranger.ask("POST", site_path(site.name, "/check"), Authorization=f"Bearer {token}").status == 403
    assert stranger.ask("GET", "/sites", Authorization=f"Bearer {token}x").status == 401
    made = browser.ask("POST", "/codes", {"password": NEXT_PASSWORD}).json
    app = App(place.world, made["secret"])
    plant("secret of one-time codes", made["secret"].encode())
    plant("secret of one-time codes", app.key)
    assert browser.ask("PUT", "/codes", {"code": "000000"}).status == 403
    for code in browser.ask("PUT", "/codes", {"code": app.code()}).json["recovery_codes"]:
        plant("recovery code", code.encode() if len(code) >= 16 else (code + code).encode())
    link = re.search(r"link=([\w-]+)", koshin.run("user", "login-link", PERSON).stdout)[1]
    plant("link that signs in", link.encode())
    # The file with the key leaves for its owner alone.
    refused = browser.ask("POST", site_path(site.name, "/export"), {"format": "pem", "password": PERSON_PASSWORD})
    assert refused.status == 403
    assert b"PRIVATE KEY" in browser.ask("POST", site_path(site.name, "/export"), {"format": "pem", "password": NEXT_PASSWORD}).body


def bought(place):
    """A request whose key stays here, and a key that its owner brings, in a file that is right and in files that are not."""
    site = place.world.site("katta.jp").add()
    site.until_served()
    place.run("cert", "request", site.name, "--out", place.folder / "katta.csr")
    root = certificate("Seller Root", None, ca=True)
    pair = certificate(site.name, root, names=[site.name])
    key = pair[0].private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    place.secrets.plant_pair("key that its owner brought", key)
    text = key_pem(pair)
    for name, content in (("whole", text + pem(pair, root)), ("cut", text[:-40] + pem(pair, root)), ("alone", text), ("other", text + pem(root))):
        file = place.folder / f"{name}.pem"
        file.touch(0o600)
        file.write_bytes(content)
        place.run("cert", "import", site.name, file, "--check")
        place.run("cert", "import", site.name, file)


def core_limit(pid):
    """Soft and hard, as the kernel tells them."""
    (line,) = (at for at in pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines() if at.startswith("Max core file"))
    return line.split()[4:6]


UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def cores(place):
    return [path for path in place.folder.rglob("core*") if path.is_file()]


def abort_each(place):
    """Every process ends as by a failed assertion and leaves no core file; nor does another process of its user see into it."""
    koshin = place.koshin
    assert core_limit(koshin.process.pid) == ["0", "0"]
    for part in ("keeper", "engine", "web", "installer"):
        pid = until(f"{part} runs", lambda: koshin.children().get(part))
        assert core_limit(pid) == ["0", "0"], part
        # Where this test may, it lifts the limit: the process itself forbids it as well.
        with contextlib.suppress(PermissionError):
            resource.prlimit(pid, resource.RLIMIT_CORE, UNLIMITED)
        if os.geteuid() == 0 and part != "installer":
            look = subprocess.run(
                ["cat", f"/proc/{pid}/environ"], user=USER, group=pwd.getpwnam(USER).pw_gid, extra_groups=[], capture_output=True
            )
            assert look.returncode != 0 and b"Permission denied" in look.stderr, part
        os.kill(pid, signal.SIGABRT)
        until(f"another {part} runs", lambda: koshin.children().get(part, pid) != pid)
    assert cores(place) == []


def log_has(place, words, seconds=20):
    until(f"the log says {words}", lambda: words in "".join(p.read_text() for p in place.folder.glob("koshin/koshin-*.log")), seconds)


def test_nothing_secret_gets_out(place):
    koshin, world = place.koshin, place.world
    # A binding that the CA refuses, and the right one after a restart.
    koshin.start()
    log_has(place, "account at pebble")
    koshin.stop()
    place.eab_file.write_text(EAB_RIGHT + "\n")
    koshin.start()

    # Issued, told by letter, renewed, exported.
    site = world.site("himitsu.jp", "www.himitsu.jp")
    place.run("site", "add", ",".join(site.names), "--owner", site.owner, "--root", site.root, "--wait")
    first = site.until_served()
    until("the letter is taken", lambda: place.mail.letters)
    assert place.mail.logins[0] == ("koshin", PASSWORD), "the password was used"
    place.run("renew", site.name, "--wait")
    site.until_served(other_than=first.fingerprint)
    people(place, site)
    bought(place)
    exported = place.folder / "exported.pem"
    koshin.run("cert", "export", site.name, "--key", "--out", exported)
    place.plant_stored()
    key = serialization.load_pem_private_key(exported.read_bytes(), None)
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    assert place.secrets.in_bytes(der) == {"site key"}, "what was planted is the key in use"

    # Everything that fails: the mail server's login, the web server's configuration, the CA, and each process.
    place.mail.login = ("koshin", "another")
    place.mail.hang_up()
    other = world.site("hoka.jp")
    place.run("site", "add", other.name, "--owner", other.owner, "--root", other.root, "--wait")
    log_has(place, "letter ")
    broken = world.nginx.config_folder / "zz-broken.conf"
    broken.write_text("server {\n")
    place.run("site", "set", other.name, "--redirect", "on")
    other.until_finding("own.deploy.config-broken")
    broken.unlink()
    abort_each(place)
    world.ca.stop()
    place.run("renew", site.name)
    place.run("ca", "test")
    place.run("check", site.name, "--json")
    for words in (("site", "show", site.name), ("site", "history", site.name), ("cert", "show", site.name), ("ca", "list"), ("site", "list")):
        place.run(*words, "--json")
    place.run("doctor", "--json")
    koshin.stop()

    # A store with another site's key, a master key with a wrong letter, and secrets where the configuration wants a path.
    store = sqlite3.connect(koshin.state / "koshin.db")
    with store:
        store.execute("UPDATE certificate SET sealed_key = (SELECT sealed_key FROM certificate WHERE id = 1)")
    store.close()
    doctor = place.run("doctor", "--json")
    assert doctor.returncode == 1 and "P8" in doctor.stdout + doctor.stderr or "key" in doctor.stdout
    master = koshin.state / "master.key"
    whole = master.read_text()
    master.write_text(whole[:30] + ("A" if whole[30] != "A" else "B") + whole[31:])
    assert place.run("serve").returncode == 1
    master.write_text(whole)
    text = koshin.config_file.read_text()
    for change in (
        lambda c: c["mail"].update(password=PASSWORD),
        lambda c: c["mail"].update(password_file=PASSWORD),
        lambda c: c["mail"].update(password_file=[PASSWORD]),
        lambda c: c["mail"].update(password_file="/" + PASSWORD),
        lambda c: c["cas"][0].update(eab_hmac=EAB_RIGHT),
        lambda c: c["cas"][0].update(eab_hmac_file=EAB_RIGHT),
        lambda c: c.update(master_key_file=whole.split()[1]),
    ):
        config = json.loads(text)
        change(config)
        koshin.config_file.write_text(json.dumps(config, indent=1))
        koshin.config_file.chmod(0o600)
        assert place.run("config", "check").returncode == 1
    koshin.config_file.write_text(text)
    for secret in (PASSWORD + "\x07", PASSWORD * 100):
        place.password_file.write_text(secret)
        refused = Process("koshin-refused", [koshin.binary, "serve", "-c", koshin.config_file], koshin.folder)
        try:
            refused.wait_until(lambda: "mail.password" in refused.text())
        finally:
            refused.stop()

    assert place.found() == set()
    print(f"searched for {len(place.secrets.needles)} forms of secrets in {len(place.said)} answers, and every file")
