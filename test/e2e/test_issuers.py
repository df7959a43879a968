"""A bought certificate whose intermediate is not in the file: koshin asks where the certificate says that its issuer's is, over real HTTP."""

import concurrent.futures
import contextlib
import http.server
import json
import threading
import time

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs7, pkcs12

from servers import free_port, new_address, until
from test_api import Api
from test_cert_check import certificate, key_pem, pem
from test_own import DAY, Seller, digest, now, put
from world import Watch, World

INCOMPLETE = "own.certificate.chain-incomplete"
BODY_MAX = 64 * 1024
SEARCHES_MAX = 16  # ports/probe/issuers.c


def der(pair):
    return pair[1].public_bytes(Encoding.DER)


def p7c(*pairs):
    return pkcs7.serialize_certificates([c for _, c in pairs], Encoding.DER)


class Place:
    """Where issuers publish their certificates: a web server on an address of its own. A page is bytes, a status, a URL to go on to, or a function
    that answers by itself."""

    def __init__(self, address, port):
        place = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                place.asked.append(self.path)
                page = place.pages.get(self.path, 404)
                if callable(page):
                    page(self)
                elif isinstance(page, bytes):
                    self.begin(200, ("Content-Type", "application/pkix-cert"), ("Content-Length", str(len(page))))
                    self.wfile.write(page)
                elif isinstance(page, str):
                    self.begin(302, ("Location", page), ("Content-Length", "0"))
                else:
                    self.begin(page, ("Content-Length", "0"))

            def begin(self, status, *headers):
                self.send_response(status)
                for key, value in headers:
                    self.send_header(key, value)
                self.end_headers()

            def log_message(self, *words):
                pass

        self.pages, self.asked = {}, []
        self.server = http.server.ThreadingHTTPServer((address, port), Handler)
        self.server.daemon_threads = True
        self.base = f"http://{address}:{port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, path, page):
        self.pages[path] = page
        return self.base + path

    def count(self, path):
        return self.asked.count(path)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Drip:
    """A body that never ends; how much of it was taken before the reader went."""

    def __init__(self, piece, pause):
        self.piece, self.pause = piece, pause
        self.begun, self.left, self.stop = threading.Event(), threading.Event(), threading.Event()
        self.sent = 0

    def __call__(self, handler):
        handler.begin(200, ("Content-Type", "application/pkix-cert"))
        with contextlib.suppress(OSError):
            while not self.stop.wait(self.pause):
                handler.wfile.write(self.piece)
                self.sent += len(self.piece)
                self.begun.set()
        self.left.set()


class Small:
    """World, seller, and three places: one to be asked, one that is in a network of the provider's own."""

    def __init__(self):
        there, inside = new_address(), new_address()
        self.seller = Seller()
        self.world = World(life=3600, start=False, check={"allow": [f"{there}/32"]})
        self.places = []
        try:
            port = self.world.nginx.http_port
            self.place, self.inside = self._place(there, port), self._place(inside, port)
            self.other_port = self._place(there, free_port(there))
            with open(self.world.ca.roots, "ab") as roots:
                roots.write(b"\n" + pem(self.seller.root))
            self.world.koshin.start()
            self.site = self.world.site("bought.jp").add()
            self.site.until_served()
        except BaseException:
            self.stop()
            raise
        self.intermediates = 0

    def _place(self, address, port):
        self.places.append(Place(address, port))
        return self.places[-1]

    def stop(self):
        for place in self.places:
            place.close()
        self.world.stop()

    def middle(self, issuer=None, **more):
        """An intermediate that nobody has seen yet."""
        self.intermediates += 1
        return certificate(f"Seller Issuing {self.intermediates}", issuer or self.seller.root, ca=True, end=now() + 1000 * DAY, **more)

    def leaf(self, issuer, *urls, name="bought.jp", **dates):
        return certificate(name, issuer, names=[name], issuer_at=urls, **dates)

    def check(self, leaf):
        """What the daemon says of the leaf and its key alone: (usable, completed, causes)."""
        file = put(self.world, "leaf.pem", key_pem(leaf) + pem(leaf))
        done = self.world.koshin.run("cert", "import", self.site.name, file, "--check", "--json", status=None)
        verdict = json.loads(done.stdout)
        assert done.returncode == (0 if verdict["usable"] else 1)
        return verdict["usable"], verdict["completed"], [(f["cause"], f["seen"]) for f in verdict["findings"]]

    def check_alone(self, leaf, *more):
        """The same without the daemon."""
        file = put(self.world, "alone.pem", pem(leaf))
        done = self.world.koshin.run("cert", "check", file, "--for", self.site.name, "--json", *more, status=None)
        verdict = json.loads(done.stdout)
        assert done.returncode == (0 if verdict["ok"] else 1)
        return verdict["ok"], verdict["completed"], [(f["cause"], f["seen"]) for f in verdict["findings"]]

    def is_left_to_its_owner(self, leaf):
        """The finding is what it is without any place, here and there, and nothing was taken."""
        found = False, False, [(INCOMPLETE, leaf[1].issuer.rfc4514_string().removeprefix("CN="))]
        before = self.site.shown().fingerprint
        assert self.check(leaf) == found and self.check_alone(leaf) == found
        file = put(self.world, "refused.pem", key_pem(leaf) + pem(leaf))
        assert "中間証明書" in self.world.koshin.run("cert", "import", self.site.name, file, "--lang", "ja", status=1).stdout
        assert self.site.shown().fingerprint == before


@pytest.fixture(scope="module")
def small():
    s = Small()
    try:
        yield s
        s.world.koshin.doctor()
    finally:
        s.stop()


FOUND = True, True, []


def test_one_certificate(small):
    middle = small.middle()
    url = small.place.put("/one.cer", der(middle))
    bought = small.leaf(middle, "ldap://ca.example/cn=one", "https://ca.example/one.cer", url)
    out = small.world.folder / "whole.pem"
    assert small.check_alone(bought, "--out", out) == FOUND
    assert out.read_bytes() == pem(bought, middle)
    assert small.check(bought) == FOUND
    file = put(small.world, "bought.pem", key_pem(bought) + pem(bought))
    asked = small.place.count("/one.cer")
    with Watch(small.site):
        said = small.world.koshin.run("cert", "import", small.site.name, file, "--wait", "--lang", "ja").stdout
        assert small.site.until_served().fingerprint == digest(pem(bought))  # by a browser that was given no intermediate
    assert "koshin が補いました" in said
    # What was got for the look is there for the use.
    assert small.place.count("/one.cer") == asked == 2
    small.site.until_state("ok")
    assert small.site.findings() == set() and small.site.count("chain-completed") == 1
    # From then on its issuer is known: nobody is asked, wherever it says that it is.
    again = small.leaf(middle, small.place.base + "/nowhere.cer")
    assert small.check(again) == FOUND and small.place.count("/nowhere.cer") == 0


def test_words_for_people(small):
    middle = small.middle()
    leaf = small.leaf(middle, small.place.put("/words.cer", der(middle)))
    file = put(small.world, "words.pem", key_pem(leaf) + pem(leaf))
    for lang, words in (("ja", "中間証明書"), ("en", "intermediate certificate")):
        for command in (["cert", "check", file, "--for", small.site.name], ["cert", "import", small.site.name, file, "--check"]):
            said = small.world.koshin.run(*command, "--lang", lang).stdout
            assert said.count("koshin") == 1 and words in said and "{" not in said, said


def test_several_in_pkcs7(small):
    """One answer has all of the way, the root too, which nobody is sent."""
    upper = small.middle()
    lower = small.middle(upper)
    bought = small.leaf(lower, small.place.put("/all.p7c", p7c(small.seller.root, upper, lower)))
    out = small.world.folder / "all.pem"
    assert small.check_alone(bought, "--out", out) == FOUND
    assert out.read_bytes() == pem(bought, lower, upper)
    # From a file with a password and a key.
    p12 = pkcs12.serialize_key_and_certificates(b"x", bought[0], bought[1], None, BestAvailableEncryption(b"himitsu"))
    files = put(small.world, "bought.p12", p12), "--password-file", put(small.world, "password", b"himitsu\n")
    before = small.site.shown().fingerprint
    small.world.koshin.run("cert", "import", small.site.name, *files, "--wait")
    assert small.site.until_served(other_than=before).fingerprint == digest(pem(bought))


def test_as_text(small):
    """PEM is not what RFC 5280 asks for, but what some sellers' servers give and browsers read."""
    upper = small.middle()
    lower = small.middle(upper)
    bought = small.leaf(lower, small.place.put("/text.crt", b"Subject: CN=lower\n" + pem(lower, upper)))
    out = small.world.folder / "text.pem"
    assert small.check_alone(bought, "--out", out) == FOUND
    assert out.read_bytes() == pem(bought, lower, upper)


def test_step_by_step(small):
    """Each says where the next one is; the first place of one is dead, and another goes on elsewhere. Three are asked, and no more."""
    upper = small.middle()
    lower = small.middle(upper, issuer_at=[small.place.put("/upper", small.place.put("/upper.cer", der(upper)))])
    place = small.place.put("/lower.cer", der(lower))
    assert small.check(small.leaf(lower, small.place.put("/dead.cer", 404), place)) == FOUND
    assert [small.place.count(path) for path in ("/dead.cer", "/lower.cer", "/upper", "/upper.cer")] == [1, 1, 1, 1]
    high = small.middle()
    for name in ("/3.cer", "/2.cer", "/1.cer"):
        high = small.middle(high, issuer_at=[small.place.put(name, der(high))])
    small.is_left_to_its_owner(small.leaf(high, small.place.put("/0.cer", der(high))))
    assert small.place.count("/2.cer") == 2 and small.place.count("/3.cer") == 0


def answers(small):
    """What places answer that helps nobody: (name, pages by path, the first of which is named)."""
    middle, root = small.middle(), small.seller.root
    strange = certificate("Seller Root", None, ca=True)
    other = certificate(middle[1].subject.rfc4514_string().removeprefix("CN="), root, ca=True)

    def sorry(handler):
        handler.begin(404, ("Content-Length", str(len(der(middle)))))
        handler.wfile.write(der(middle))

    return middle, [
        ("gone", 404), ("it, but gone", sorry), ("broken", 500), ("empty", b""), ("a page", b"<html>not here</html>"), ("as text", b"\n" + pem(middle)[:200]),
        ("cut", der(middle)[:-1]), ("a namesake", der(other)), ("somebody else", der(strange)), ("the leaf's root", der(root)),
        ("none in it", p7c(other, strange)), ("too large", der(middle) + b"\0" * BODY_MAX),
        ("to a file", "file:///etc/passwd"), ("to another port", f"{small.other_port.base}/good.cer"),
        ("inside", f"{small.inside.base}/good.cer"),
    ]  # fmt: skip


def test_what_helps_nobody(small):
    middle, rows = answers(small)
    for place in (small.inside, small.other_port):
        place.put("/good.cer", der(middle))
    for name, page in rows:
        path = "/" + name.replace(" ", "-").replace("'", "")
        small.is_left_to_its_owner(small.leaf(middle, small.place.put(path, page)))
        assert small.place.count(path) >= 2, name
    # Nor is a place asked that must not be, or that is none.
    schemes = [u + "/good.cer" for u in ("https://ca.example", "ldap://ca.example", "ftp://ca.example", "file:///etc", "http://who@ca.example")]
    for url in (*schemes, f"{small.inside.base}/good.cer", f"{small.other_port.base}/good.cer", "http://nobody.example/good.cer"):
        small.is_left_to_its_owner(small.leaf(middle, url))
    assert small.inside.asked == [] and small.other_port.asked == []


def test_who_signed_each_other(small):
    """Two intermediates, each issued by the other, each saying where the other is."""
    one, two = small.place.base + "/one-of-two.cer", small.place.base + "/two-of-two.cer"
    first = certificate("Ouroboros", small.seller.root, ca=True)
    second = certificate("Tail", first, ca=True, issuer_at=[one])
    # The first once more, of the same key, issued by the second.
    again = certificate("Ouroboros", second, ca=True, issuer_at=[two], key=first[0])
    small.place.put("/one-of-two.cer", der(again))
    small.place.put("/two-of-two.cer", der(second))
    begun = time.monotonic()
    small.is_left_to_its_owner(small.leaf(again, one))
    assert time.monotonic() - begun < 30
    # The daemon once, and the command that asks by itself once.
    assert small.place.count("/one-of-two.cer") == small.place.count("/two-of-two.cer") == 2


def test_its_root_is_no_browsers(small):
    """The way is whole, but leads to a root of nobody's: nothing is put in, and the owner is asked as ever."""
    private = certificate("Private Root", None, ca=True)
    middle = small.middle(private, issuer_at=[small.place.put("/private-root.cer", der(private))])
    small.is_left_to_its_owner(small.leaf(middle, small.place.put("/private.cer", der(middle))))
    assert small.place.count("/private-root.cer") >= 1


def test_by_the_api(small):
    """A request that names itself is carried out once, whatever was asked for in between."""
    api = Api(small.world.koshin.state / "run" / "api.sock")
    middle = small.middle()
    bought = small.leaf(middle, small.place.put("/api.cer", der(middle)))
    body = {"text": (key_pem(bought) + pem(bought)).decode()}
    imported = small.site.count("imported")
    for _ in range(2):
        assert api.ask("own_import", small.site.name, body=body, key="intermediate-1")[0] == 202
    until("it is served", lambda: small.site.shown().fingerprint == digest(pem(bought)))
    assert small.site.count("imported") == small.site.count("chain-completed") == imported + 1 and small.place.count("/api.cer") == 1
    refused = small.leaf(small.middle(), small.place.put("/api-gone.cer", 404))
    status, problem = api.ask("own_import", small.site.name, body={"text": (key_pem(refused) + pem(refused)).decode()})
    assert status == 422 and "intermediate" in problem["detail"]


def test_too_many_at_once(small):
    """Whoever comes when no more can be asked for has today's finding at once, and can come again."""
    api = Api(small.world.koshin.state / "run" / "api.sock")
    middle = small.middle()
    slow = Drip(b"x", 0.05)
    url = small.place.put("/crowd", slow)
    leaves = [small.leaf(middle, f"{url}?{i}") for i in range(SEARCHES_MAX)]
    one_more = small.leaf(middle, small.place.put("/one-more.cer", der(middle)))

    def check(leaf):
        document = api.ask("own_check", small.site.name, body={"text": (key_pem(leaf) + pem(leaf)).decode()})[1]
        return [f["cause"] for f in document["findings"]]

    for i in range(SEARCHES_MAX):
        small.place.pages[f"/crowd?{i}"] = slow
    with concurrent.futures.ThreadPoolExecutor(SEARCHES_MAX) as crowd:
        waiting = [crowd.submit(check, leaf) for leaf in leaves]
        until("all of them wait", lambda: sum(path.startswith("/crowd?") for path in small.place.asked) == SEARCHES_MAX, 10)
        assert check(one_more) == [INCOMPLETE] and small.place.count("/one-more.cer") == 0
        assert all(not one.done() for one in waiting)
        assert [one.result(60) for one in waiting] == [[INCOMPLETE]] * SEARCHES_MAX
    assert check(one_more) == [] and small.place.count("/one-more.cer") == 1


def test_a_body_without_end(small):
    """Fast or slow, it is cut; meanwhile everybody else is answered, and whoever asks may have to be let go at the end."""
    middle = small.middle()
    fast, slow = Drip(b"x" * 65536, 0), Drip(b"x", 0.05)
    small.is_left_to_its_owner(small.leaf(middle, small.place.put("/fast", fast)))
    assert fast.left.wait(10) and fast.sent < 64 * 1024 * 1024
    leaf = small.leaf(middle, small.place.put("/slow", slow))
    said = []
    begun = time.monotonic()
    asking = threading.Thread(target=lambda: said.append(small.check(leaf)))
    asking.start()
    assert slow.begun.wait(30)
    answered = time.monotonic()
    small.site.show()
    assert asking.is_alive() and time.monotonic() - answered < 4
    asking.join(60)
    assert said == [(False, False, [(INCOMPLETE, middle[1].subject.rfc4514_string().removeprefix("CN="))])]
    assert time.monotonic() - begun < 20 and slow.left.wait(10)
    # The daemon ends while it asks.
    slow.begun.clear()
    leaf = small.leaf(middle, small.place.put("/slow-2", slow))
    file = put(small.world, "slow.pem", key_pem(leaf) + pem(leaf))
    asking = threading.Thread(target=lambda: small.world.koshin.run("cert", "import", small.site.name, file, "--check", status=None))
    asking.start()
    assert slow.begun.wait(30)
    assert small.world.koshin.stop() == 0
    asking.join(60)
    small.world.koshin.start()
    until("the daemon answers", lambda: small.site.show()["name"] == small.site.name)
