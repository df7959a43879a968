"""What a browser gets from the panel's address: files, headers, and nothing that is not there."""

import gzip
import http.client

import pytest

from servers import free_port
from world import World

FILES = {
    "index.html": b"<!doctype html><title>koshin</title>",
    "favicon.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "assets/app-1a2b3c.js": b"export {};\n" * 100,
    ".secret.txt": b"hidden",
    "notes.exe": b"unknown kind",
    "empty.txt": b"",
}
CSP = {"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"}


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("panel")
    (folder / "assets").mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    (folder / "assets" / "app-1a2b3c.js.gz").write_bytes(gzip.compress(FILES["assets/app-1a2b3c.js"]))
    (folder / "assets" / "app-1a2b3c.js.br").write_bytes(b"as if brotli had made it")
    (folder / "passwd.txt").symlink_to("/etc/passwd")
    for one in (folder, *folder.parents[:3]):
        one.chmod(0o755)
    port = free_port("127.0.0.1")
    world = World(life=3600, panel={"listen": [f"127.0.0.1:{port}"], "folder": str(folder)})
    yield port
    world.stop()


def ask(port, path, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_pages_are_the_index(panel):
    for path in ("/", "/index.html", "/sites/example.jp", "/help/dns.a.elsewhere", "/sites/%E6%97%A5%E6%9C%AC.jp?x=1"):
        answer, body = ask(panel, path)
        assert (answer.status, body) == (200, FILES["index.html"]), path
        assert answer.getheader("Content-Type") == "text/html; charset=utf-8"
        assert answer.getheader("Cache-Control") == "no-cache"
    answer, body = ask(panel, "/", "HEAD")
    assert (answer.status, body) == (200, b"") and answer.getheader("Content-Length") == str(len(FILES["index.html"]))


def test_headers(panel):
    for path in ("/", "/assets/app-1a2b3c.js", "/api/v1/nothing", "/assets/none.js"):
        answer, _ = ask(panel, path)
        policy = set(answer.getheader("Content-Security-Policy").split("; "))
        assert CSP <= policy and not any("unsafe" in part or "*" in part or "http" in part for part in policy), path
        assert answer.getheader("X-Content-Type-Options") == "nosniff"
        assert answer.getheader("Referrer-Policy") == "same-origin"
        assert answer.getheader("Cross-Origin-Opener-Policy") == "same-origin"
        assert len(answer.msg.get_all("Cache-Control")) == 1


@pytest.mark.parametrize(
    "accepted, encoding",
    [
        (None, None),
        ("", None),
        ("identity", None),
        ("gzip", "gzip"),
        ("gzip, deflate, br", "br"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("br; q=0.000, GZIP", "gzip"),
        ("brotli", None),
    ],
)
def test_assets(panel, accepted, encoding):
    answer, body = ask(panel, "/assets/app-1a2b3c.js", **({} if accepted is None else {"Accept_Encoding": accepted}))
    assert answer.status == 200 and answer.getheader("Content-Encoding") == encoding
    assert answer.getheader("Cache-Control") == "public, max-age=31536000, immutable"
    assert answer.getheader("Vary") == "Accept-Encoding"
    assert answer.getheader("Content-Type") == "text/javascript; charset=utf-8"
    plain = {None: lambda b: b, "gzip": gzip.decompress, "br": lambda b: FILES["assets/app-1a2b3c.js"]}[encoding](body)
    assert plain == FILES["assets/app-1a2b3c.js"]


def test_nothing_else(panel):
    hidden = ("/.secret.txt", "/notes.exe", "/passwd.txt", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/index.html%00.js")
    for path in hidden:
        answer, body = ask(panel, path)
        assert body in (FILES["index.html"], b"") or answer.status >= 400, path
        assert b"root:" not in body and body not in (FILES[".secret.txt"], FILES["notes.exe"])
    for path in ("/assets/", "/assets/app-0.js", "/assets/../index.html", "/assets/app-1a2b3c.js.gz"):
        assert ask(panel, path)[0].status == 404, path
    answer, body = ask(panel, "/empty.txt")
    assert (answer.status, body) == (200, b"")
    answer, _ = ask(panel, "/", "POST")
    assert answer.status == 405 and answer.getheader("Allow") == "GET, HEAD"


def test_the_api_knows_nobody(panel):
    """Without a session there is nothing to see, and nothing to do."""
    for method, path in (("GET", "/api/v1/sites"), ("DELETE", "/api/v1/sites/example.jp"), ("GET", "/api/v1/sites/example.jp/key")):
        answer, body = ask(panel, path, method)
        assert answer.status == 401 and answer.getheader("Content-Type") == "application/problem+json", body
        assert answer.getheader("Cache-Control") == "no-store"
    assert ask(panel, "/metrics")[1] == FILES["index.html"] and ask(panel, "/healthz")[1] == FILES["index.html"]
