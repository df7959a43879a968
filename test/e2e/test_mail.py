"""The mail port against a mail server that can be told what to answer: TLS both ways, logins, refusals, and a server that
breaks off. Letters go through test/peer/mail_driver.c."""

import base64
import contextlib
import json
import os
import pathlib
import socket
import ssl
import subprocess
import threading

import pytest

from servers import free_port, key_pem, make_certificate, new_address, pem

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = os.environ.get("KOSHIN_BUILD", "build")
DRIVER = ROOT / BUILD / "test/peer/mail_driver"
MESSAGE = "From: a@koshin.jp\r\nTo: b@example.jp\r\nSubject: hello\r\n\r\nA line.\r\n.hidden\r\n.\r\nThe end.\r\n"


@pytest.fixture(scope="session", autouse=True)
def driver_is_built():
    flavour = {"build-asan": "asan", "build-broken": "broken"}.get(BUILD, "release")
    subprocess.run(
        ["make", "-s", f"BUILD={BUILD}", f"FLAVOUR={flavour}", str(DRIVER.relative_to(ROOT))], cwd=ROOT, check=True
    )


class Smtp:
    """RFC 5321 with STARTTLS (3207) and AUTH (4954), a thread for each connection."""

    def __init__(self, folder, address, starttls=True, smtps=False, login=None, names=None):
        self.address, self.port = address, free_port(address)
        self.starttls, self.smtps, self.login = starttls, smtps, login
        self.answers = {}  # of an address or of a command's word; None: the connection is closed
        self.silent_after = None  # a command that gets no answer
        self.connections, self.logins, self.letters = 0, [], []
        key, root = make_certificate("mail root", None, None, [])
        self.bundle = folder / "mail-roots.pem"
        self.bundle.write_bytes(pem(root))
        leaf_key, leaf = make_certificate("mail", key, root, names or [address])
        (folder / "mail.pem").write_bytes(pem(leaf) + key_pem(leaf_key))
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(folder / "mail.pem")
        self._listener = socket.create_server((address, self.port))
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"{'smtps' if self.smtps else 'smtp'}://{self.address}:{self.port}"

    def stop(self):
        self._listener.shutdown(socket.SHUT_RDWR)  # close() alone would not wake the thread that accepts
        self._listener.close()
        self.hang_up()

    def hang_up(self):
        """Whoever is connected has to come, and log in, again."""
        for link in self._open:
            self._close(link)
        self._open = []

    def _accept(self):
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(link)
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link):
        try:
            if self.smtps:
                link = self._tls.wrap_socket(link, server_side=True)
            self._talk(link, self.smtps)
        except (OSError, EOFError):
            pass
        finally:
            self._close(link)

    def _close(self, link):
        with contextlib.suppress(OSError):
            link.shutdown(socket.SHUT_RDWR)  # the file on it would keep it open
        link.close()

    def _talk(self, link, is_secure):
        lines = link.makefile("rb")
        say = lambda text: link.sendall(text.encode() + b"\r\n")
        is_known = self.login is None
        say("220 mail.test ready")
        to = None
        while line := lines.readline().decode().strip():
            word = line.split(" ")[0].upper()
            if word == self.silent_after:
                lines.read()
                return
            key = word if word in self.answers else line.partition("<")[2].partition(">")[0]
            if key in self.answers:
                answer = self.answers[key]
                if answer is None:
                    return
                say(answer)
            elif word == "EHLO":
                offers = ["mail.test", "SIZE 100000"]
                if self.starttls and not is_secure:
                    offers.append("STARTTLS")
                if self.login and is_secure or self.login and not self.starttls:
                    offers.append("AUTH PLAIN LOGIN")
                say("\r\n".join(f"250{'-' if o is not offers[-1] else ' '}{o}" for o in offers))
            elif word == "STARTTLS" and self.starttls:
                say("220 go ahead")
                link = self._tls.wrap_socket(link, server_side=True)
                self._open.append(link)
                return self._talk_secure(link)
            elif word == "AUTH":
                is_known = self._login(line, lines, say)
            elif word == "MAIL" and not is_known:
                say("530 5.7.0 who are you?")
            elif word == "RCPT":
                to = line.partition("<")[2].partition(">")[0]
                say("250 ok")
            elif word == "DATA":
                say("354 go on")
                body = b""
                while (piece := lines.readline()) != b".\r\n":
                    body += piece[1:] if piece.startswith(b".") else piece
                answer = self.answers.get("after DATA", "250 2.0.0 queued as 17")
                if answer is None:
                    return
                if answer.startswith("2"):
                    self.letters.append((to, body.decode()))
                say(answer)
            elif word == "QUIT":
                say("221 bye")
                return
            else:
                say("250 ok")

    def _talk_secure(self, link):
        # After STARTTLS the client begins anew, without a greeting (RFC 3207 4.2).
        class Quiet:
            greeted = False

            def __getattr__(_, name):
                return getattr(link, name)

            def sendall(me, data):
                if me.greeted:
                    link.sendall(data)
                me.greeted = True

        try:
            self._talk(Quiet(), True)
        finally:
            self._close(link)

    def _login(self, line, lines, say):
        words = line.split(" ")
        if words[1].upper() == "PLAIN":
            if len(words) < 3:
                say("334 ")
                words.append(lines.readline().decode().strip())
            _, user, password = base64.b64decode(words[2]).decode().split("\0")
        else:
            say("334 VXNlcm5hbWU6")
            user = base64.b64decode(lines.readline()).decode()
            say("334 UGFzc3dvcmQ6")
            password = base64.b64decode(lines.readline()).decode()
        self.logins.append((user, password))
        is_known = (user, password) == self.login
        say("235 welcome" if is_known else "535 5.7.8 wrong password")
        return is_known


@pytest.fixture
def server(tmp_path, request):
    it = Smtp(tmp_path, new_address(), **getattr(request, "param", {}))
    yield it
    it.stop()


def with_server(**options):
    return pytest.mark.parametrize("server", [options], indirect=True)


def send(where, *to, sender="koshin@example.jp", message=MESSAGE, **settings):
    """All letters at once; their answers in order."""
    settings = {"server": where.url, "timeout_ms": 20000, "bundle": str(where.bundle), **settings}
    lines = "".join(
        json.dumps({"tag": str(i), "from": sender, "to": one, "message": message}) + "\n" for i, one in enumerate(to)
    )
    done = subprocess.run([DRIVER, json.dumps(settings)], input=lines, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    answers = sorted((json.loads(line) for line in done.stdout.splitlines()), key=lambda a: int(a.pop("tag")))
    assert len(answers) == len(to)
    return answers


def refused_settings(**settings):
    done = subprocess.run(
        [DRIVER, json.dumps({"timeout_ms": 1000, **settings})], input="", capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    return done.stderr


def test_taken_whole(server):
    (answer,) = send(server, "b@example.jp", tls=True)
    assert (answer["err"], answer["words"]) == ("OK", "250 2.0.0 queued as 17")
    assert server.letters == [("b@example.jp", MESSAGE)]


def test_one_connection_for_several_letters(server):
    answers = send(server, *(f"n{i}@example.jp" for i in range(20)), tls=True)
    assert [a["err"] for a in answers] == ["OK"] * 20
    assert [to for to, _ in server.letters] == [f"n{i}@example.jp" for i in range(20)]
    assert server.connections == 1


def test_each_letter_has_its_own_answer(server):
    server.answers["full@example.jp"] = "451 4.3.0 try again later"
    server.answers["nobody@example.jp"] = "550-5.1.1 no such mailbox\r\n550 5.1.1 see https://mail.test/x"
    answers = send(server, "a@example.jp", "full@example.jp", "nobody@example.jp", "b@example.jp", tls=True)
    assert [(a["err"], a["class"]) for a in answers] == [
        ("OK", "none"),
        ("BUSY", "transient"),
        ("REFUSED", "denied"),
        ("OK", "none"),
    ]
    assert answers[1]["words"] == "451 4.3.0 try again later"
    assert answers[2]["words"] == "550-5.1.1 no such mailbox\n550 5.1.1 see https://mail.test/x"
    assert [to for to, _ in server.letters] == ["a@example.jp", "b@example.jp"]


@pytest.mark.parametrize(
    "after, answer, wanted",
    [
        ("MAIL", "421 4.3.2 closing", "transient"),
        ("MAIL", "552 5.3.4 too big", "denied"),
        ("after DATA", "452 4.3.1 no room", "transient"),
        ("after DATA", "554 5.7.1 looks like spam", "denied"),
        ("DATA", "451 4.7.1 greylisted", "transient"),
    ],
)
def test_refused_at_each_step(server, after, answer, wanted):
    server.answers[after] = answer
    (a,) = send(server, "b@example.jp", tls=True)
    assert (a["class"], a["words"]) == (wanted, answer)
    assert not server.letters


@pytest.mark.parametrize("after", ["EHLO", "MAIL", "RCPT", "DATA", "after DATA"])
def test_server_breaks_off(server, after):
    server.answers[after] = None
    answers = send(server, "b@example.jp", "c@example.jp", tls=False)
    assert [a["class"] for a in answers] == ["transient"] * 2 and all(a["words"] for a in answers)


@pytest.mark.parametrize("after", ["EHLO", "RCPT"])
def test_server_says_nothing(server, after):
    server.silent_after = after
    (answer,) = send(server, "b@example.jp", timeout_ms=500)
    assert answer["err"] == "TIMEOUT" and answer["words"]


def test_nobody_listens(server):
    nobody = free_port(server.address)
    (answer,) = send(server, "b@example.jp", server=f"smtp://{server.address}:{nobody}")
    assert (answer["err"], answer["class"]) == ("CONNECT", "transient") and answer["words"]


@with_server(starttls=False)
def test_tls_demanded_but_not_offered(server):
    (answer,) = send(server, "b@example.jp", tls=True)
    assert (answer["err"], answer["class"]) == ("TLS", "transient") and answer["words"]
    assert not server.letters
    (answer,) = send(server, "b@example.jp", tls=False)
    assert answer["err"] == "OK"


@with_server(names=["somebody.else.jp"])
def test_certificate_of_somebody_else(server):
    (answer,) = send(server, "b@example.jp", tls=True)
    assert answer["err"] == "TLS" and not server.letters


def test_certificate_of_an_unknown_root(server, tmp_path):
    _, other = make_certificate("other root", None, None, [])
    (tmp_path / "other.pem").write_bytes(pem(other))
    (answer,) = send(server, "b@example.jp", tls=True, bundle=str(tmp_path / "other.pem"))
    assert answer["err"] == "TLS" and not server.letters


@with_server(smtps=True)
def test_tls_from_the_start(server):
    (answer,) = send(server, "b@example.jp")
    assert answer["err"] == "OK" and server.letters == [("b@example.jp", MESSAGE)]


@with_server(login=("koshin", "pass word 日本"))
def test_login(server, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("pass word 日本\n")
    answers = send(server, "b@example.jp", "c@example.jp", tls=True, user="koshin", password_file=str(secret))
    assert [a["err"] for a in answers] == ["OK"] * 2
    assert server.logins == [("koshin", "pass word 日本")]
    # A refused login is our fault: the letter is not given up.
    secret.write_text("wrong\n")
    (answer,) = send(server, "b@example.jp", tls=True, user="koshin", password_file=str(secret))
    assert (answer["err"], answer["class"]) == ("CONFIG", "local") and "535 5.7.8 wrong password" in answer["words"]
    (answer,) = send(server, "b@example.jp", tls=True)
    assert (answer["err"], answer["class"]) == ("CONFIG", "local") and "530 5.7.0" in answer["words"]


@pytest.mark.parametrize(
    "sender, to",
    [
        ("koshin@example.jp", "b@example.jp>\r\nRCPT TO:<c@example.jp"),
        ("koshin@example.jp", "b@example.jp\n"),
        ("koshin@example.jp", "<b@example.jp>"),
        ("koshin@example.jp", "b@example.jp SIZE=1"),
        ("koshin@example.jp", "nobody"),
        ("koshin@example.jp", "@example.jp"),
        ("koshin@example.jp", ""),
        ("a\r\nDATA@example.jp", "b@example.jp"),
    ],
)
def test_addresses_that_would_break_out(server, sender, to):
    (answer,) = send(server, to, sender=sender)
    assert (answer["err"], answer["words"]) == ("INVALID", "not taken")
    assert server.connections == 0


def test_too_many_and_too_long(server):
    answers = send(server, *["b@example.jp"] * 5, letters_max=3, tls=True)
    assert [a["err"] for a in answers] == ["OK"] * 3 + ["FULL"] * 2
    (answer,) = send(server, "b@example.jp", message="x" * 70000)
    assert answer["err"] == "TOO_LONG"


def test_settings(server, tmp_path):
    assert "smtp://" in refused_settings(server="http://127.0.0.1")
    assert "smtp://" in refused_settings(server="")
    assert "host" in refused_settings(server="smtp://user@127.0.0.1")
    assert "host" in refused_settings(server="smtp://127.0.0.1/x")
    assert "this machine" in refused_settings(server="smtp://192.0.2.1:25", user="u")
    assert "this machine" in refused_settings(server="smtp://127.0.0.1.example.jp", user="u")
    assert "cannot read" in refused_settings(server="smtp://127.0.0.1", bundle=str(tmp_path / "none"))
    (tmp_path / "empty").write_text("\n")
    assert "password" in refused_settings(server="smtp://127.0.0.1", password_file=str(tmp_path / "empty"))
