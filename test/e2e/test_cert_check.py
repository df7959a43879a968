"""koshin cert check: files as issuers hand them out, whole and broken, in every form. What is found is asserted by its id."""

import datetime
import json
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from daemon import program

NOW = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
DAY = datetime.timedelta(days=1)
CONFIG = """server:
  addresses: [192.0.2.10]
cas:
  - name: test
    directory: https://127.0.0.1:1/dir
check:
  roots: {roots}
"""


def certificate(subject, issuer, *, names=(), ca=False, begin=NOW - DAY, end=NOW + 90 * DAY, issuer_at=(), key=None):
    """(key, certificate), signed by an earlier pair, or by itself; issuer_at: URLs at which it says that its issuer's certificate is."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer[1].subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
    if issuer_at:
        places = [x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(url)) for url in issuer_at]
        builder = builder.add_extension(x509.AuthorityInformationAccess(places), critical=False)
    return key, builder.sign(issuer[0] if issuer else key, hashes.SHA256())


def pem(*pairs):
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for _, c in pairs)


def key_pem(pair):
    return pair[0].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class World:
    def __init__(self, folder):
        self.folder = folder
        self.root = certificate("root", None, ca=True)
        self.middle = certificate("middle", self.root, ca=True)
        self.leaf = certificate("x", self.middle, names=["example.jp", "www.example.jp"])
        (folder / "roots.pem").write_bytes(pem(self.root))
        (folder / "password").write_text("himitsu\n")
        (folder / "koshin.yaml").write_text(CONFIG.format(roots=folder / "roots.pem"))

    def check(self, content, *more, names="example.jp,www.example.jp"):
        """(exit status, ids, document) of a file with this content."""
        file = self.folder / "file"
        file.write_bytes(content)
        done = subprocess.run(
            [program(), "-c", str(self.folder / "koshin.yaml"), "cert", "check", str(file), "--for", names, "--json", *more],
            capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        assert done.stderr == "", done.stderr
        document = json.loads(done.stdout)
        assert document["ok"] == (document["findings"] == [])
        return done.returncode, [f["cause"] for f in document["findings"]], document

    def p12(self, password=b"himitsu", chain=True):
        encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        return pkcs12.serialize_key_and_certificates(
            b"example.jp", self.leaf[0], self.leaf[1], [self.middle[1]] if chain else None, encryption
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("own"))


def test_a_file_that_is_whole(world):
    der = world.leaf[1].public_bytes(serialization.Encoding.DER)
    whole = pem(world.leaf, world.middle)
    assert world.check(whole)[:2] == (0, [])
    assert world.check(pem(world.leaf, world.middle, world.root))[:2] == (0, [])
    assert world.check(key_pem(world.leaf) + whole)[:2] == (0, [])
    assert world.check(b"Bag Attributes\n" + whole.replace(b"\n", b"\r\n"))[:2] == (0, [])
    assert world.check(world.p12(), "--password-file", str(world.folder / "password"))[:2] == (0, [])
    assert world.check(world.p12(password=None))[:2] == (0, [])
    assert world.check(der)[1] == ["own.certificate.chain-incomplete"]


def test_the_order_is_put_right(world):
    out = world.folder / "chain.pem"
    for mixed in (
        pem(world.middle, world.leaf),
        pem(world.root, world.middle, world.leaf),
        pem(world.leaf, certificate("somebody", None, ca=True), world.middle),
        pem(world.leaf, world.leaf, world.middle),
    ):
        status, ids, document = world.check(mixed, "--out", str(out))
        assert (status, ids) == (0, ["own.certificate.chain-unordered"])
        assert document["findings"][0]["who"] == "host"
        assert out.read_bytes() == pem(world.leaf, world.middle)
        out.unlink()


def test_the_intermediate_is_missing(world):
    out = world.folder / "none.pem"
    status, ids, document = world.check(pem(world.leaf), "--out", str(out))
    assert (status, ids) == (1, ["own.certificate.chain-incomplete"])
    assert document["findings"][0]["seen"] == "middle"
    assert document["findings"][0]["who"] == "owner"
    assert not out.exists()
    assert world.check(world.p12(chain=False), "--password-file", str(world.folder / "password"))[1] == ids
    other = certificate("middle", certificate("root", None, ca=True), ca=True)
    # A namesake of the issuer is not the issuer.
    assert world.check(pem(world.leaf, other))[1] == ["own.certificate.chain-incomplete", "own.certificate.chain-unordered"]


def test_dates(world):
    past = certificate("x", world.middle, names=["example.jp"], begin=NOW - 9 * DAY, end=NOW - 2 * DAY)
    future = certificate("x", world.middle, names=["example.jp"], begin=NOW + 2 * DAY)
    for leaf, date in ((past, NOW - 2 * DAY), (future, NOW + 2 * DAY)):
        status, ids, document = world.check(pem(leaf, world.middle), names="example.jp")
        assert (status, ids) == (1, ["own.certificate.expired"])
        assert document["findings"][0]["seen"] == date.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_names(world):
    status, ids, document = world.check(pem(world.leaf, world.middle), names="example.jp,shop.example.jp")
    assert (status, ids) == (1, ["own.certificate.name-missing"])
    assert document["findings"][0]["subject"] == "shop.example.jp"
    assert document["findings"][0]["seen"] == "example.jp, www.example.jp"
    wild = certificate("x", world.middle, names=["*.example.jp"])
    assert world.check(pem(wild, world.middle), names="shop.example.jp")[1] == []
    assert world.check(pem(wild, world.middle), names="example.jp")[1] == ["own.certificate.name-missing"]


def test_what_cannot_be_read(world):
    whole = pem(world.leaf, world.middle)
    wrong = world.folder / "wrong"
    wrong.write_text("another\n")
    cases = [
        (b"", "the file is empty"),
        (b"\0" * 100, "it is neither PEM, DER nor PKCS#12"),
        (key_pem(world.leaf), "there is no certificate in it"),
        (whole[:300], "the PEM text is damaged"),
        (whole.replace(b"MII", b"MIJ", 1), "a certificate in it is damaged"),
        (world.p12(), "the password is wrong"),
        (world.p12()[:-40], "it is neither PEM, DER nor PKCS#12"),
        (pem(certificate("no names", world.middle), world.middle), None),
    ]
    for content, why in cases:
        status, ids, document = world.check(content)
        assert (status, ids) == (1, ["own.certificate.unreadable"]), why
        assert why is None or document["findings"][0]["seen"] == why
    status, ids, document = world.check(world.p12(), "--password-file", str(wrong))
    assert ids == ["own.certificate.unreadable"] and document["findings"][0]["seen"] == "the password is wrong"


def test_several_faults_at_once(world):
    old = certificate("x", world.middle, names=["other.jp"], begin=NOW - 9 * DAY, end=NOW - 2 * DAY)
    assert world.check(pem(old), names="example.jp")[1] == [
        "own.certificate.chain-incomplete", "own.certificate.expired", "own.certificate.name-missing",
    ]  # fmt: skip


def test_words_for_people(world):
    (world.folder / "file").write_bytes(pem(world.leaf))
    for lang, words in (("ja", "中間証明書"), ("en", "intermediate certificate")):
        done = subprocess.run(
            [program(), "-c", str(world.folder / "koshin.yaml"), "--lang", lang, "cert", "check", str(world.folder / "file"), "--for", "example.jp"],
            capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        assert done.returncode == 1 and words in done.stdout and "{" not in done.stdout
