"""What a stranger, or a customer who means harm, can send to the panel's address. Each kind is a row of the table that the run prints at its end."""

import re
import socket

import pytest

from browser import Browser, site_path
from servers import until
from test_access import A, B, LEAST, in_store, signed_in, world  # noqa: F401, the same people and sites
from test_api import OPERATIONS

SLOW = 40  # connections that trickle

HOSTILE = {
    "a script": "<script>alert(1)</script><img src=x onerror=alert(2)>\"'",
    "a header of a letter": "x\r\nBcc: evil@example.com\r\n\r\n<script>",
    "a line of the log": "x\nkoshin-engine: forged",
    "a terminal's escape": "\x1b]0;owned\x07\x1b[2J",
    "a format": "%s%n%n%n%x",
    "SQL": "x'); DROP TABLE site; --",
    "a path": "../../../../etc/passwd",
    "letters that turn the line around": "a\u202etxt.exe",
    "a NUL": "a\0b",
}
BODIES = [b"", b"{", b"[]", b'"x"', b"null", b"1e999", b'{"\x00":1}', b'{"no such key":1}', b'{"name":"a","name":"b"}', b'{"a":"\xff\xfe"}', b'{"a":"\\ud800"}',
          b"[" * 50_000, b'{"a":' * 50_000, b"\x00" * 100, b"<xml/>", b"a=b&c=d"]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def trickle(world):
    return [half_a_request(world.port, n) for n in range(SLOW)]


def half_a_request(port, n):
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    whole = b"POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    connection.sendall(whole[: 10 + n * len(whole) // SLOW])
    return connection


@pytest.fixture(scope="module")
def owner(world):
    return signed_in(world, "sato@example.jp")


@pytest.fixture(scope="module")
def stranger(world):
    return signed_in(world, "suzuki@example.jp")


@pytest.fixture(scope="module")
def operator(world):
    return signed_in(world, "un@host.example")


def path_of(o, site=A, number="1", mail="suzuki@example.jp"):
    return o["path"].replace("{name}", site).replace("{id}", number).replace("{mail}", mail)


def everyone(o):
    return o["x-who"] == ["everybody"]


def is_refused(answer):
    """A problem that says what was wrong (RFC 9457); to whom may not, not even that."""
    assert 400 <= answer.status < 500, (answer.status, answer.body[:200])
    assert answer.headers["Content-Type"] == "application/problem+json" and (answer.json.get("detail") or answer.status == 403), answer.body[:200]


def all_is_as_before(world, browser):
    assert browser.ask("GET", site_path(A)).json["name"] == A
    assert {(A,), (B,)} <= set(in_store(world, "SELECT name FROM name WHERE is_taken"))


def test_what_belongs_to_another_owner(world, owner, attack):
    letters = "SELECT l.id FROM letter l JOIN owner o ON o.id = l.owner_id WHERE o.mail = 'suzuki@example.jp'"
    ((letter,), *_) = until("a letter of the other owner", lambda: in_store(world, letters), 60)
    tries = 0
    for name, o in OPERATIONS.items():
        if everyone(o) or "{" not in o["path"]:
            continue
        number = "987654321" if "sessions" in o["path"] or "tokens" in o["path"] else str(letter) if name == "letter_read" else "1"
        answer = owner.ask(o["method"], path_of(o, B, number), LEAST.get(name, {}) if "requestBody" in o else None)
        assert answer.status in (403, 404) or (answer.status == 422 and "{name}" not in o["path"]), (name, answer.status, answer.body)
        tries += 1
    assert tries > 40
    attack("another owner's things, on every route and verb", tries)


def test_changes_from_another_page(world, operator, stranger, attack):
    tries = 0
    for name, o in OPERATIONS.items():
        if o["method"] == "GET" or everyone(o):
            continue
        body = {} if "requestBody" in o else None
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}, {"X_CSRF_Token": ""},
                        {"X_CSRF_Token": "x" * 43}, {"X_CSRF_Token": stranger.csrf}):  # fmt: skip
            answer = operator.ask(o["method"], path_of(o), body, **headers)
            assert answer.status == 403, (name, headers, answer.status, answer.body)
            tries += 1
    assert tries > 200
    attack("a change from another site's page, or without the session's tag", tries)


def test_tokens_reach_no_further(world, operator, attack):
    scopes = sorted({o["x-scope"] for o in OPERATIONS.values() if "x-scope" in o})
    tries = 0
    for scope in scopes:
        token = operator.ask("POST", "/tokens", {"name": scope, "scopes": [scope]}).json["token"]
        program = Browser(world.port)
        for name, o in OPERATIONS.items():
            if everyone(o) or o.get("x-scope") == scope:
                continue
            answer = program.ask(o["method"], path_of(o), {} if "requestBody" in o else None, Authorization=f"Bearer {token}")
            assert answer.status == 403, (scope, name, answer.status, answer.body)
            tries += 1
    assert tries > 500
    attack("a token beyond its scope", tries)


def test_bodies_that_are_rubbish(world, operator, attack):
    tries = 0
    for name, o in OPERATIONS.items():
        if "requestBody" not in o:
            continue
        for body in BODIES + [b'{"name":"' + b"x" * 300_000 + b'"}']:
            if body == b"" and not o["requestBody"].get("required"):
                continue
            answer = operator.ask(o["method"], path_of(o), data=body)
            is_refused(answer)
            assert answer.status == 413 or len(body) < 300_000, (name, answer.status)
            tries += 1
    all_is_as_before(world, operator)
    attack("a body that is rubbish, or too long", tries)


# Text that people write, and where it is read: (operation, the rest of the body).
WRITTEN = [
    ("question_ask", "text", {}), ("question_ask", "subject", {"text": "Is it well?"}), ("question_answer", "text", {}),
    ("question_answer", "by", {"text": "It is."}), ("person_own_change", "name", {}), ("token_make", "name", {"scopes": ["sites.read"]}),
    ("invitation_send", "name", {"mail": "friend@example.jp", "role": "owner", "owner": "sato@example.jp"}),
    ("invitation_send", "mail", {"role": "owner", "owner": "sato@example.jp"}), ("person_add", "name", {"mail": "new@example.jp", "role": "support"}),
    ("person_add", "mail", {"role": "support"}), ("sites_add", "owner", {"names": ["new.jp"], "root": "/srv"}),
    ("sites_add", "root", {"names": ["new.jp"], "owner": "a@b.jp"}), ("sites_add", "proxy", {"names": ["new.jp"], "owner": "a@b.jp"}),
    ("sites_add", "profile", {"names": ["new.jp"], "owner": "a@b.jp", "root": "/srv"}), ("draft_put", "root", {}), ("draft_put", "proxy", {}),
    ("check_name", "name", {}), ("check_name", "visitor", {"name": A}), ("csr_make", "organization", {}), ("csr_make", "locality", {}),
    ("ca_add", "name", {"directory": "https://ca2.example/dir", "contact": "a@b.jp"}),
    ("ca_add", "contact", {"name": "second", "directory": "https://ca2.example/dir"}), ("ca_add", "directory", {"name": "second", "contact": "a@b.jp"}),
    ("mail_take", "from", {"kind": "answer", "text": "Hello"}), ("mail_take", "subject", {"kind": "answer", "from": "a@b.jp", "text": "Hello"}),
    ("mail_take", "text", {"kind": "answer", "from": "a@b.jp"}), ("password_forgotten", "mail", {}), ("session_begin", "mail", {"password": "x"}),
]  # fmt: skip


def test_texts_that_mean_harm(world, owner, operator, attack):
    assert owner.ask("POST", site_path(A, "/questions"), {"text": "The first."}).status == 201
    tries = taken = 0
    for operation, field, rest in WRITTEN:
        o = OPERATIONS[operation]
        asker = operator if "operator" in o["x-who"] or everyone(o) else owner
        for kind, text in HOSTILE.items():
            answer = asker.ask(o["method"], path_of(o), {**rest, field: text}, Idempotency_Key=f"{operation}-{field}-{tries}")
            tries += 1
            if answer.status >= 400:
                is_refused(answer)
            else:
                taken += 1
                assert kind not in ("a NUL", "a terminal's escape"), (operation, field, answer.body)
    assert taken > 10, "some of it is text like any other"
    operator.ask("DELETE", site_path("new.jp"))
    all_is_as_before(world, operator)
    # What was taken is read again as it was written, and is nothing but text wherever it is shown.
    until("a letter with what was written", lambda: world.mail.letters(about="alert(1)"))
    for letter in world.mail.letters():
        assert not {"bcc", "x-evil"} & letter.headers.keys(), letter
        for part in re.findall(rb"Content-Type: text/html.*?(?=\r\n--|\Z)", letter.raw, re.S):
            assert b"<script" not in part and b"<img src=3Dx" not in part and b"<img src=x" not in part, part[:400]
    for path in ("/sites", site_path(A, "/questions"), "/questions?state=all", "/people", "/tokens", "/audit"):
        answer = operator.ask("GET", path)
        assert answer.headers["Content-Type"] == "application/json" and answer.headers["X-Content-Type-Options"] == "nosniff"
    feed = Browser(world.port).ask("GET", "/status/feed")
    assert b"<script" not in feed.body
    log = world.koshin.logs()
    assert "\x1b" not in log and not re.search(r"^koshin-engine: forged", log, re.M)
    attack("a text that means harm, in each field that people write", tries)


def raw(world, requests):
    """What comes back for each of them; all are sent before the first answer is waited for."""
    connections = []
    for request in requests:
        connection = socket.create_connection(("127.0.0.1", world.port), timeout=90)
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has heard enough
        connections.append(connection)
    return [to_the_end(connection) for connection in connections]


def to_the_end(connection):
    got = b""
    with connection:
        try:
            while part := connection.recv(65536):
                got += part
        except ConnectionResetError:
            pass
    return got


def test_paths_that_lead_outside(world, attack):
    paths = ["/../../../../etc/passwd", "/..%2f..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/index.html/../../../etc/passwd",
             "/..\\..\\..\\etc\\passwd", "/%00/etc/passwd", "/index.html%00.js", "/assets/..%252f..%252fetc/passwd", "/./././../etc/passwd", "file:///etc/passwd",
             "/api/v1/../../../../etc/passwd", "/api/v1/sites/..%2f..%2f..%2fetc%2fpasswd", "/koshin.db", "/../state/koshin.db", "/../state/master.key"]  # fmt: skip
    requests = [b"GET " + path.encode() + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n" for path in paths]
    for path, got in zip(paths, raw(world, requests)):
        assert got.startswith(b"HTTP/1.1 "), (path, got[:100])
        assert b"root:" not in got and b"SQLite format" not in got and b"koshin-master" not in got, path
    attack("a path that leads outside", len(paths))


def test_requests_that_are_none(world, owner, attack):
    host = b"Host: 127.0.0.1\r\n"
    requests = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 1000, b"\x00" * 10_000,
        b"GET / HTTP/1.1\r\n" + host + b"A: " + b"x" * 200_000 + b"\r\n\r\n", b"GET / HTTP/1.1\r\n" + host + b"A: x\r\n" * 20_000 + b"\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n" + host + b"\r\n", b"TRACE / HTTP/1.1\r\n" + host + b"\r\n", b"CONNECT a.example:443 HTTP/1.1\r\n" + host + b"\r\n",
        b"POST /api/v1/session HTTP/1.1\r\n" + host + b"Content-Length: -1\r\n\r\n", b"POST /api/v1/session HTTP/1.1\r\n" + host + b"Content-Length: 99999999999999999999\r\n\r\n{}",
        b"POST /api/v1/session HTTP/1.1\r\n" + host + b"Content-Length: 2\r\nContent-Length: 50\r\n\r\n{}GET /api/v1/doctor HTTP/1.1\r\n" + host + b"\r\n",
        b"POST /api/v1/session HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\nGET /api/v1/doctor HTTP/1.1\r\n" + host + b"\r\n",
        b"POST /api/v1/session HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nx",
    ]  # fmt: skip
    for request, got in zip(requests, raw(world, requests)):
        assert not re.search(rb"^HTTP/1\.[01] 2", got) or request.startswith((b"GET / ", b"GET\r\n")), (request[:80], got[:200])
        assert b'"promises"' not in got, "what was hidden in a body is no request"
    assert owner.ask("GET", site_path(A)).status == 200
    attack("a request that is none, or two in one", len(requests))


def test_the_slow_are_let_go(owner, trickle, attack):
    """They have been there since the beginning; everybody else was served all the while."""
    assert owner.ask("GET", "/sites").status == 200
    for connection in trickle:
        to_the_end(connection)
    attack("a request that never ends", SLOW)

