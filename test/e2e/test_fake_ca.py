"""What only the fake CA can do: limits, pauses, CAA, faults, and a log that knows who came too early. doc/fake-ca.md."""

import datetime
import email.utils
import http.client
import subprocess
import time
import urllib.error

import pytest
from cryptography import x509

import acme_raw
import daemon
import fake_ca
import servers
from acme_raw import Account
from test_acme_servers import certificate_id, chain_of, refused

UTC = datetime.timezone.utc


class Ground:
    def __init__(self, folder, *words, **options):
        self.ca = fake_ca.FakeCa(folder, *words, **options)
        self.client = acme_raw.Client(self.ca.directory, self.ca.bundle)
        self.account = Account(self.client, contact=["mailto:someone@host.example"])
        self.responder = None

    def order_of(self, *names, **more):
        """An order whose challenges have been told to the CA."""
        order = self.account.order(*names, **more)
        assert order.status == 201, order
        for url in order.json["authorizations"]:
            for challenge in self.account.get(url).json["challenges"]:
                if challenge["type"] == "http-01" and challenge["status"] == "pending":
                    if self.responder:
                        self.responder.thumbprints[challenge["token"]] = self.account.key.thumbprint
                    assert self.account.post(challenge["url"], {}).status == 200
        return order

    def settled(self, order):
        url = order.headers["Location"]
        return servers.until("settled", lambda: (o := self.account.get(url)).json["status"] not in ("pending", "processing") and o, 20, 0.02)

    def issue(self, *names, **more):
        order = self.order_of(*names, **more)
        assert self.settled(order).json["status"] == "ready"
        self.account.post(order.json["finalize"], {"csr": acme_raw.csr(names)})
        return self.account.get(self.settled(order).json["certificate"])

    def renewal(self, leaf):
        return self.client.fetch("GET", f"{self.client.directory['renewalInfo']}/{certificate_id(leaf)}")

    def authz_error(self, order):
        authz = self.account.get(order.json["authorizations"][0]).json
        return [c["error"] for c in authz["challenges"] if "error" in c][0]


@pytest.fixture
def ground(tmp_path):
    grounds = []

    def start(*words, **options):
        grounds.append(Ground(tmp_path, *words, **options))
        return grounds[-1]

    yield start
    for g in grounds:
        if g.responder:
            g.responder.stop()
        assert g.ca.stop() == 0, g.ca.process.tail()


def test_limits_and_who_is_exempt(ground):
    g = ground("validation skip", "limit new-orders 3 per 30s", "limit domain 2 per 60s", "limit exact-set 2 per 60s")
    first = chain_of(g.issue("a.example.jp"))[0]
    g.issue("b.example.jp")
    # The domain's tokens are used up; the date is that of the limit which resets last.
    answer = g.account.order("c.example.jp")
    refused(answer, "rateLimited", 429)
    assert 'too many certificates (2) already issued for "example.jp" in the last 0h1m0s' in answer.json["detail"]
    assert 25 <= int(answer.headers["Retry-After"]) <= 31
    # The same set again needs no token of domain or orders, only one of the set; after that it is over.
    g.issue("a.example.jp")
    refused(g.account.order("a.example.jp"), "rateLimited", 429)
    # The third order of the account goes to another domain, the fourth is refused.
    g.issue("other.example.com")
    answer = g.account.order("more.example.net")
    refused(answer, "rateLimited", 429)
    assert "too many new orders (3) from this account" in answer.json["detail"]
    # A renewal that is asked for within its window is exempt from all.
    assert g.account.order("a.example.jp", replaces=certificate_id(first)).status == 429
    g.ca.say("profile classic life 20d", "override on", "limit exact-set 0 per 1s")
    soon = chain_of(g.issue("soon.example.org"))[0]
    g.ca.say("override off", "limit exact-set 1 per 60s")
    assert g.account.order("soon.example.org", replaces=certificate_id(soon)).status == 201  # the bucket of the set is new
    g.ca.say("limits off", "override on")
    assert g.account.order("more.example.net").status == 201


def test_failures_pause_a_name(ground):
    g = ground("limit failures-in-a-row 3 per 3d")
    for _ in range(3):
        order = g.order_of("broken.example.jp")  # nobody answers on that port
        assert g.settled(order).json["status"] == "invalid"
        error = g.authz_error(order)
        assert error["type"].endswith(":connection") and "Connection refused" in error["detail"]
    answer = g.account.order("broken.example.jp", "www.example.jp")
    refused(answer, "rateLimited", 429)
    detail = answer.json["detail"]
    assert "temporarily prevented from requesting certificates for broken.example.jp" in detail
    assert answer.headers["Retry-After"] is None  # as at Let's Encrypt: only the words tell
    assert g.client.fetch("GET", detail[detail.index("https://") :]).status == 200
    assert g.account.order("broken.example.jp").status == 201


def test_ceilings_of_the_front_end(ground):
    g = ground("limits letsencrypt")
    answers = [g.client.fetch("HEAD", g.client.directory["newNonce"]) for _ in range(60)]
    busy = [a for a in answers if a.status == 503]
    # 20 at once, and 20 a second come back.
    assert len(busy) > 20 and all(a.headers["Retry-After"] == "1" for a in busy) and not busy[0].nonce
    g.ca.say("limits off")
    assert g.client.fetch("HEAD", g.client.directory["newNonce"]).status == 200


def test_dns_caa_and_both_challenges(ground, tmp_path):
    address = servers.new_address()
    port = servers.free_port(address)
    dns = servers.Dns(tmp_path, address)
    g = ground("profile classic reuse 1s", dns=dns.forwarder, http_port=port)
    try:
        g.responder = acme_raw.Responder(address, port)
        dns.add_zone("example.jp")
        dns.set("example.jp", "A", address)
        dns.set("www.example.jp", "CNAME", "example.jp.")
        chain_of(g.issue("example.jp", "www.example.jp"))

        def failure(name):
            order = g.order_of(name)
            assert g.settled(order).json["status"] == "invalid"
            return g.authz_error(order)

        error = failure("nowhere.example.jp")
        assert error["type"].endswith(":dns") and "NXDOMAIN looking up A for nowhere.example.jp" in error["detail"]
        dns.set("example.jp", "CAA", '0 issue "other-ca.example"')
        dns.set("sub.example.jp", "A", address)
        error = failure("sub.example.jp")
        assert error["type"].endswith(":caa") and "CAA record for example.jp prevents issuance" in error["detail"]
        # RFC 8657: the account and the method are part of what is allowed.
        uri = g.account.url
        dns.set("sub.example.jp", "CAA", f'0 issue "fake-ca.example; accounturi={uri}x"')
        assert failure("sub.example.jp")["type"].endswith(":caa")
        dns.set("sub.example.jp", "CAA", '0 issue "fake-ca.example; validationmethods=dns-01"')
        assert failure("sub.example.jp")["type"].endswith(":caa")
        dns.set("sub.example.jp", "CAA", '128 tbs "unknown"', '0 issue "fake-ca.example"')
        assert "critical" in failure("sub.example.jp")["detail"]
        dns.set("sub.example.jp", "CAA", f'0 issue "fake-ca.example; accounturi={uri}; validationmethods=http-01"')
        g.issue("sub.example.jp")

        # A wildcard, by DNS-01; `issuewild` is what counts for it.
        dns.set("example.jp", "CAA", '0 issue ";"', '0 issuewild "fake-ca.example"')
        order = g.account.order("*.example.jp")
        challenge = g.account.get(order.json["authorizations"][0]).json["challenges"][0]
        digest = acme_raw.hashes.Hash(acme_raw.hashes.SHA256())
        digest.update(f"{challenge['token']}.{g.account.key.thumbprint}".encode())
        dns.set("_acme-challenge.example.jp", "TXT", f'"{acme_raw.b64(digest.finalize())}"')
        g.account.post(challenge["url"], {})
        assert g.settled(order).json["status"] == "ready", g.account.get(order.json["authorizations"][0])
    finally:
        dns.stop()


def test_lives_profiles_and_renewal(ground):
    g = ground("validation skip", "profile tiny life 90s reuse 1s", "renewal poll 7s")
    leaf = chain_of(g.issue("a.example.jp", profile="tiny"))[0]
    life = leaf.not_valid_after - leaf.not_valid_before
    assert life == datetime.timedelta(seconds=90)
    answer = g.renewal(leaf)
    start = datetime.datetime.fromisoformat(answer.json["suggestedWindow"]["start"].replace("Z", "+00:00"))
    assert abs((start - leaf.not_valid_before.replace(tzinfo=UTC)).total_seconds() - 45) <= 1  # half of a short life
    assert answer.headers["Retry-After"] == "7" and "explanationURL" not in answer.json

    def window(word):
        g.ca.say(f"window {word}")
        w = g.renewal(leaf).json["suggestedWindow"]
        return w["start"], w["end"]

    start, end = window("inverted")
    assert start > end
    assert window("past")[0].startswith("1970") and window("2107")[0].startswith("2107") and window("ahead")[0] > "2030"
    assert window("rubbish") == ("soon", 17)
    g.ca.say("clear", "incident on")
    answer = g.renewal(leaf).json
    now = datetime.datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert answer["suggestedWindow"]["end"] < now and answer["explanationURL"].startswith("https://")
    for text in ("0", "-5", "1000000000000", "soon"):
        g.ca.say(f'retry-after renewal-info "{text}"')
        assert g.renewal(leaf).headers["Retry-After"] == text


def test_certificates_that_do_not_fit(ground):
    g = ground("validation skip", "reuse orders off")
    good = chain_of(g.issue("a.example.jp"))
    for kind in ("wrong-names", "wrong-key", "wrong-chain", "far-dates"):
        g.ca.say(f"fault {kind} 1x")
        chain = chain_of(g.issue("a.example.jp"))
        names = chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
        assert (names != ["a.example.jp"]) == (kind == "wrong-names")
        assert (chain[0].not_valid_after.year >= 2107) == (kind == "far-dates")
        how = acme_raw.ec.ECDSA(chain[0].signature_hash_algorithm)
        try:
            good[1].public_key().verify(chain[0].signature, chain[0].tbs_certificate_bytes, how)
            assert kind != "wrong-chain"
        except Exception as error:
            assert kind == "wrong-chain", error


def test_faults_of_answers(ground):
    g = ground("validation skip")

    def hit(kind, rest=""):
        g.ca.say(f"fault {kind} at new-order 1x {rest}")
        return g.client.post(g.client.directory["newOrder"], {"identifiers": [{"type": "dns", "value": "a.example.jp"}]},
                             g.account.key, g.account.url, header={"nonce": g.client.nonce()})  # fmt: skip

    refused(hit("bad-nonce"), "badNonce", 400)
    refused(hit("internal"), "serverInternal", 500)
    answer = hit("limited", "9s")
    refused(answer, "rateLimited", 429)
    assert answer.headers["Retry-After"] == "9"
    for kind, status in (("limited-date", 429), ("busy-date", 503)):
        answer = hit(kind, "9s")
        date = email.utils.parsedate_to_datetime(answer.headers["Retry-After"])
        assert answer.status == status and 7 <= (date - datetime.datetime.now(UTC)).total_seconds() <= 9
    answer = hit("busy", "9s")
    assert answer.status == 503 and answer.headers["Retry-After"] == "9" and answer.nonce is None
    answer = hit("page")
    assert answer.status == 502 and answer.body.startswith(b"<html>")
    refused(hit("paused"), "rateLimited", 429)
    answer = hit("cut")
    assert answer.status == 201
    with pytest.raises(ValueError):
        answer.json
    with pytest.raises(http.client.IncompleteRead):
        hit("half")
    g.client._connection = None
    # The client asks again when the connection was reset: with the nonce that was lost, or not.
    for kind, status in (("reset", 201), ("reset-after", 400)):
        answer = hit(kind)
        assert answer.status == status, (kind, answer)
    begun = time.monotonic()
    assert hit("slow", "2000s").status == 201
    assert time.monotonic() - begun > 0.2
    assert g.ca.status()["orders"] == 1  # the same names: one order, however often its URL was lost


def test_the_log_knows_who_came_too_early(ground):
    g = ground("validation skip", "fault busy at order 1x 2s", "grace 100ms")
    order = g.account.order("a.example.jp")
    url = order.headers["Location"]
    assert g.account.get(url).status == 503
    servers.until("the grace is over", lambda: g.account.get(url).status == 200 and g.ca.status()["early"] > 0, 2, 0.02)
    rows = g.ca.log()
    early = [row for row in rows if row["early"]]
    assert early and all(row["endpoint"] in ("order", "authz") for row in early) and early[0]["early_by_ms"] < 2000
    asked = [row for row in rows if row["retry_after"] == "2"]
    assert len(asked) == 1 and asked[0]["fault"] == "busy" and asked[0]["status"] == 503
    assert g.ca.log(len(rows) - 1)[0]["n"] == len(rows) - 1
    g.ca.say("log clear")
    servers.until("not early any more", lambda: g.account.get(url) and not g.ca.log()[-1]["early"], 5, 0.05)
    # A date of a limit holds for what the limit counts.
    g.ca.say("grace 0ms", "limit exact-set 1 per 4s", "log clear")
    g.issue("b.example.jp")
    assert g.account.order("b.example.jp").status == 429
    servers.until("early", lambda: g.account.order("b.example.jp").status == 429 and g.ca.log()[-1]["early"], 2, 0.02)
    assert g.account.order("c.example.jp").status == 201 and not g.ca.log()[-1]["early"]


def test_delays_and_validation_that_stands_still(ground):
    g = ground("validation stop", "poll-after 1s")
    order = g.account.order("a.example.jp")
    authz = order.json["authorizations"][0]
    challenge = g.account.get(authz).json["challenges"][0]
    assert g.account.post(challenge["url"], {}).json["status"] == "processing"
    answer = g.account.get(authz)
    assert answer.json["status"] == "pending" and answer.headers["Retry-After"] == "1"
    g.ca.say("validation skip", "delay issue 300ms", "fault processing 1x")
    assert g.settled(order).json["status"] == "ready"
    body = {"csr": acme_raw.csr(["a.example.jp"])}
    begun = time.monotonic()
    assert g.account.post(order.json["finalize"], body).json["status"] == "processing"
    refused(g.account.post(order.json["finalize"], body), "orderNotReady", 403)
    order = g.order_of("b.example.jp")
    assert g.settled(order).json["status"] == "ready"
    g.account.post(order.json["finalize"], {"csr": acme_raw.csr(["b.example.jp"])})
    chain_of(g.account.get(g.settled(order).json["certificate"])) if g.settled(order).json["status"] == "valid" else None
    assert time.monotonic() - begun >= 0.3
    # One of the two got the fault, and stays as it is.
    assert servers.until("one is valid", lambda: g.ca.status()["orders_by_status"]["valid"] == 1, 5)
    assert g.ca.status()["orders_by_status"]["processing"] == 1


def test_switched_off_and_on(ground, tmp_path):
    g = ground("validation skip")
    leaf = chain_of(g.issue("a.example.jp"))[0]
    g.ca.say("stop")
    g.client._connection = None
    with pytest.raises(ConnectionError):
        g.client.fetch("GET", g.ca.directory)
    assert g.ca.status()["down"] is True
    g.ca.say("start")
    assert g.renewal(leaf).status == 200 and g.account.order("a.example.jp").status == 201
    # A process that begins anew is the same CA by its keys, and remembers nothing else.
    roots = g.ca.roots.read_bytes()
    g.ca.stop()
    g.ca.start()
    g.client._connection = None
    assert g.renewal(leaf).status == 404
    chain = chain_of(Ground.issue(_again(g), "a.example.jp"))
    loaded = [x509.load_pem_x509_certificate(b"-----BEGIN" + part) for part in roots.split(b"-----BEGIN")[1:]]
    how = acme_raw.ec.ECDSA(chain[1].signature_hash_algorithm)
    loaded[0].public_key().verify(chain[1].signature, chain[1].tbs_certificate_bytes, how)


def _again(g):
    """The client of a CA that has forgotten everything."""
    g.client.nonces.clear()
    refused(g.account.order("a.example.jp"), "accountDoesNotExist", 400)
    g.account = Account(g.client)
    return g


def test_mistakes_are_told(tmp_path, ground):
    g = ground()
    with pytest.raises(urllib.error.HTTPError) as error:
        g.ca.say("life 10d", "fault busy 500%")
    assert error.value.code == 400 and error.value.read().decode().startswith("line 2: expected: fault KIND")
    (tmp_path / "bad").write_text("# fine\n\nlief 3d\n")

    def run(*words):
        return subprocess.run([daemon.program(), "simulate", "--serve-ca", *map(str, words)], capture_output=True, text=True, timeout=30)

    done = run(tmp_path / "bad")
    assert done.returncode == 1 and f'{tmp_path / "bad"}: line 3: "lief"' in done.stderr
    done = run("--listen", f"{g.ca.address}:{g.ca.port}")
    assert done.returncode == 1 and "Address already in use" in done.stderr
    done = run("--listen", "nonsense")
    assert done.returncode == 1 and "expected address:port" in done.stderr
    done = run(tmp_path / "is-not-there")
    assert done.returncode == 1 and done.stderr
