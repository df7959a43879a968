"""The owner's own certificate, from the request to what visitors get: a CA that is made here plays the seller."""

import base64
import datetime
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from test_api import Api, described
from test_cert_check import certificate, key_pem, pem
from world import Watch, World

DAY = datetime.timedelta(days=1)


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)


class Seller:
    """Root, intermediate, and what it sells."""

    def __init__(self):
        self.root = certificate("Seller Root", None, ca=True, end=now() + 3650 * DAY)
        self.middle = certificate("Seller Issuing", self.root, ca=True, end=now() + 1000 * DAY)

    def issue_by(self, issuer):
        """From now on it signs with an intermediate that nobody has seen."""
        self.middle = certificate(issuer, self.root, ca=True, end=now() + 1000 * DAY)

    def answer(self, csr_pem):
        """The certificate for a request."""
        csr = x509.load_pem_x509_csr(csr_pem)
        assert csr.is_signature_valid
        builder = (
            x509.CertificateBuilder()
            .subject_name(csr.subject)
            .issuer_name(self.middle[1].subject)
            .public_key(csr.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now() - DAY)
            .not_valid_after(now() + 364 * DAY)
            .add_extension(csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value, critical=False)
        )
        return builder.sign(self.middle[0], hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def sell(self, *names, **dates):
        return certificate(names[0], self.middle, names=list(names), **dates)


@pytest.fixture(scope="module")
def seller():
    return Seller()


@pytest.fixture(scope="module")
def world(seller):
    w = World(life=3600, start=False)
    try:
        # Browsers know the seller as well as our own CA.
        with open(w.ca.roots, "ab") as roots:
            roots.write(b"\n" + pem(seller.root))
        w.koshin.start()
        yield w
        w.koshin.doctor()
    finally:
        w.stop()


def put(world, name, content):
    path = world.folder / name
    path.write_bytes(content)
    return path


def ids(world, name, *files, status=1, more=()):
    document = world.koshin.json("cert", "import", name, *files, "--check", *more, status=status)
    return [f["cause"] for f in document["findings"]]


def digest(pem_text):
    return x509.load_pem_x509_certificate(pem_text).fingerprint(hashes.SHA256()).hex()


def test_from_the_request_to_the_visitors(world, seller):
    site = world.site("bought.jp", "www.bought.jp").add()
    site.until_served()
    one, two = world.folder / "one.csr", world.folder / "two.csr"
    world.koshin.run("cert", "request", site.name, "--organization", "株式会社例", "--country", "JP", "--out", one)
    world.koshin.run("cert", "request", site.name, "--key-type", "p256", "--out", two)
    shown = subprocess.run(
        ["openssl", "req", "-in", one, "-noout", "-text", "-verify", "-nameopt", "utf8,sep_comma_plus"], capture_output=True, text=True, check=True
    ).stdout
    assert "O=株式会社例" in shown and "C=JP" in shown and "2048 bit" in shown
    assert "DNS:bought.jp, DNS:www.bought.jp" in shown
    assert [c["key_type"] for c in world.koshin.json("cert", "request", site.name, "--list")["csrs"]] == ["p256", "rsa2048"]
    # It is kept as a draft that changes nothing, and is never discarded by itself.
    assert site.show()["draft"]["has_csr"] and site.show()["setting"]["source"] == "free"
    leaf = seller.answer(one.read_bytes())
    middle = pem(seller.middle)

    # Each mistake is named, and nothing has changed.
    before = site.shown().fingerprint
    assert ids(world, site.name, put(world, "a.crt", leaf)) == ["own.certificate.chain-incomplete"]
    stranger = seller.sell("bought.jp", "www.bought.jp")
    assert ids(world, site.name, put(world, "b.crt", pem(stranger) + middle)) == ["own.certificate.key-missing"]
    assert ids(world, site.name, put(world, "c.crt", pem(stranger) + key_pem(seller.root) + middle)) == ["own.certificate.key-missing"]
    other = seller.sell("other.jp")
    assert ids(world, site.name, put(world, "d.crt", pem(other) + key_pem(other) + middle)) == ["own.certificate.name-missing"] * 2
    old = seller.sell("bought.jp", "www.bought.jp", begin=now() - 9 * DAY, end=now() - 2 * DAY)
    assert ids(world, site.name, put(world, "e.crt", pem(old) + key_pem(old) + middle)) == ["own.certificate.expired"]
    nobody = certificate("bought.jp", None, names=["bought.jp", "www.bought.jp"])
    assert ids(world, site.name, put(world, "f.crt", pem(nobody) + key_pem(nobody))) == ["own.certificate.untrusted"]
    assert ids(world, site.name, put(world, "g.crt", b"what is this")) == ["own.certificate.unreadable"]
    refused = world.koshin.run("cert", "import", site.name, world.folder / "f.crt", status=1)
    assert "Seller" not in refused.stdout and "bought.jp" in refused.stdout
    assert site.shown().fingerprint == before and site.show()["setting"]["source"] == "free"

    # In the wrong order, in two files, with rubbish around: put right, and proven by a handshake.
    mixed = put(world, "middle.crt", b"Bag Attributes\n" + middle), put(world, "leaf.crt", leaf)
    with Watch(site):
        world.koshin.run("cert", "import", site.name, *mixed, "--wait")
    shown = site.until_served()
    assert shown.fingerprint == digest(leaf)
    document = site.show()
    assert document["certificate"]["own"] and document["certificate"]["live"] and document["state"] == "ok"
    assert document["setting"]["source"] == "own" and document["draft"] is None and document["renewal"] is None
    kinds = site.kinds()
    assert kinds.count("csr-made") == 2 and kinds.index("imported") > kinds.index("csr-made") and kinds[-1] == "proven"
    answered = [c["answered"] is not None for c in world.koshin.json("cert", "request", site.name, "--list")["csrs"]]
    assert answered == [False, True]
    # koshin does not renew it, and says what can be done instead.
    world.koshin.run("renew", site.name, status=1)
    world.koshin.run("site", "start-over", site.name, status=1)
    world.koshin.run("site", "set", site.name, "--names", "bought.jp,shop.bought.jp", status=1)

    # The seller makes it anew for the same request: the key is still here, and the chain is known now.
    again = seller.answer(one.read_bytes())
    world.koshin.run("cert", "import", site.name, put(world, "again.crt", again), "--wait")
    assert site.until_served(other_than=shown.fingerprint).fingerprint == digest(again)
    assert site.secure()[0] == 200

    # What is not needed any more goes, with its key.
    left = world.koshin.json("cert", "request", site.name, "--discard", "2")["csrs"]
    assert [c["id"] for c in left] == [1]
    unanswered = seller.answer(two.read_bytes())
    assert ids(world, site.name, put(world, "late.crt", unanswered + middle)) == ["own.certificate.key-missing"]


def test_a_key_that_was_made_elsewhere_and_back_to_free(world, seller):
    site = world.site("brought.jp").add()
    free = site.until_served().fingerprint
    bought = seller.sell("brought.jp")
    p12 = put(
        world,
        "bought.p12",
        pkcs12.serialize_key_and_certificates(
            b"x", bought[0], bought[1], [seller.middle[1]], serialization.BestAvailableEncryption(b"himitsu")
        ),
    )
    password, wrong = put(world, "password", b"himitsu\n"), put(world, "wrong", b"another\n")
    assert ids(world, site.name, p12, more=["--password-file", wrong]) == ["own.certificate.unreadable"]
    locked = bought[0].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"himitsu")
    )
    files = put(world, "bought.crt", pem(bought, seller.middle)), put(world, "bought.key", locked)
    assert ids(world, site.name, *files, more=["--password-file", wrong]) == ["own.certificate.unreadable"]
    assert ids(world, site.name, *files, status=0, more=["--password-file", password]) == []
    old_form = bought[0].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.BestAvailableEncryption(b"himitsu")
    )
    assert ids(world, site.name, files[0], put(world, "old.key", old_form), status=0, more=["--password-file", password]) == []
    world.koshin.run("cert", "import", site.name, p12, "--password-file", password, "--wait")
    assert site.until_served(other_than=free).fingerprint == digest(pem(bought))
    # Visitors see no warning while free SSL takes its place again.
    with Watch(site):
        world.koshin.run("site", "set", site.name, "--source", "free")
        site.until_served(other_than=digest(pem(bought)))
    assert not site.show()["certificate"]["own"] and site.show()["next_renewal"] is not None


def test_free_ssl_takes_over_as_agreed(world, seller):
    """The bought one has 25 seconds left of five minutes: the letter comes at once, free SSL with a fifteenth left."""
    site = world.site("ends.jp").add()
    site.until_served()
    end = now() + datetime.timedelta(seconds=40)
    bought = seller.sell("ends.jp", begin=end - datetime.timedelta(seconds=450), end=end)
    file = put(world, "ends.pem", key_pem(bought) + pem(bought, seller.middle))
    with Watch(site):
        world.koshin.run("cert", "import", site.name, file, "--takeover")
        site.until_kind("taken-over", seconds=40)
        shown = site.until_served(other_than=digest(pem(bought)))
    assert shown.not_after > datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=10)
    assert world.mail.letters(to=site.owner, about="お持ちの証明書")
    assert not site.show()["certificate"]["own"]


def test_what_is_weak(world, seller):
    site = world.site("weak.jp").add()
    site.until_served()
    short = rsa.generate_private_key(65537, 1024)
    builder = (
        x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(seller.middle[1].subject).public_key(short.public_key())
        .serial_number(7).not_valid_before(now() - DAY).not_valid_after(now() + 90 * DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("weak.jp")]), critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )  # fmt: skip
    pair = short, builder.sign(seller.middle[0], hashes.SHA256())
    content = pem(pair) + key_pem(pair) + pem(seller.middle)
    document = world.koshin.json("cert", "import", site.name, put(world, "weak.pem", content), "--check", status=1)
    assert [(f["cause"], f["seen"]) for f in document["findings"]] == [
        ("own.certificate.untrusted", "its key is too short: RSA, 1024 bits")
    ]


def test_no_key_is_in_any_log_or_in_the_store(world, seller):
    """The whole of a key that came in, in each form in which it could be written."""
    site = world.site("kept.jp").add()
    site.until_served()
    pair = certificate("kept.jp", seller.middle, names=["kept.jp"])
    text = key_pem(pair)
    world.koshin.run("cert", "import", site.name, put(world, "secret.pem", text + pem(pair, seller.middle)), "--wait")
    der = pair[0].private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    number = pair[0].private_numbers().private_value.to_bytes(32, "big")
    line = text.splitlines()[1]
    looked_at = 0
    for path in [*world.folder.rglob("*.log"), *world.folder.rglob("koshin.db*")]:
        content = path.read_bytes()
        looked_at += 1
        for part in (line, der, number, number.hex().encode(), base64.b64encode(number)[:40]):
            assert part not in content, path
    assert looked_at >= 3


def test_every_status_of_the_api(world, seller):
    """What is described is brought about, and every answer has the shape that is described: test_api.py does it for the rest."""
    api = Api(world.koshin.state / "run" / "api.sock")
    site = world.site("asked.jp").add()
    site.until_served()
    pair = seller.sell("asked.jp")
    whole = {"text": (key_pem(pair) + pem(pair, seller.middle)).decode()}
    der = {**whole, "text": key_pem(pair).decode() + pem(seller.middle).decode()}
    der["binary"] = base64.b64encode(pair[1].public_bytes(serialization.Encoding.DER)).decode()
    asked = [
        ("csr_make", 201, {}), ("csr_make", 404, {}), ("csr_make", 413, {"state": "x" * 300_000}), ("csr_make", 422, {"country": "jp"}),
        *[("csr_make", 201, {"key_type": "p256"})] * 9, ("csr_make", 409, {}),
        ("csrs_list", 200, None), ("csrs_list", 404, None), ("csrs_list", 422, None),
        ("csr_discard", 404, "id=999"), ("csr_discard", 422, "id=0"),
        ("own_check", 200, whole), ("own_check", 200, der), ("own_check", 200, {}), ("own_check", 404, {}),
        ("own_check", 413, {"text": "x" * 300_000}), ("own_check", 422, {"text": "x" * 70_000}), ("own_check", 422, {"binary": "*"}),
        ("own_end", 409, None), ("own_end", 404, None), ("own_end", 422, None),
        ("own_import", 404, {}), ("own_import", 413, {"text": "x" * 300_000}), ("own_import", 422, {}), ("own_import", 412, whole), ("own_import", 202, whole),
        ("site_renew", 409, None), ("site_start_over", 409, {}), ("own_end", 202, None),
    ]  # fmt: skip
    for operation, status, body in asked:
        query = body if isinstance(body, str) else ""
        name = "nobody.jp" if status == 404 and not query else "a b" if status == 422 and body is None else site.name
        got, document = api.ask(operation, name, query, None if query else body, '"of-another-time"' if status == 412 else None)
        assert got == status, (operation, status, got, document)
    number = api.ask("csrs_list", site.name)[1]["csrs"][0]["id"]
    assert api.ask("csr_discard", site.name, f"id={number}")[0] == 200
    mine = {(o, s) for o, s, _ in asked} | {("csr_discard", 200), ("own_import", 409)}  # 409: test/unit/api.c
    wanted = {(o, s) for o, s in described() if o.startswith(("own_", "csr"))}
    assert mine - {("site_renew", 409), ("site_start_over", 409)} == wanted


def test_who_was_stopped_by_the_provider(world, seller):
    """An own certificate is no way around it; the owner has to speak with the provider first."""
    site = world.site("stopped.jp").add()
    site.until_served()
    world.koshin.run("site", "suspend", site.name)
    pair = seller.sell("stopped.jp")
    file = put(world, "stopped.pem", key_pem(pair) + pem(pair, seller.middle))
    # The operator may; the owner is refused in test/unit/api.c, where who asks is a row of a table.
    world.koshin.run("cert", "import", site.name, file, "--wait")
    assert site.until_served().fingerprint == digest(pem(pair))
