"""Renewal information, `replaces` and profiles between koshin and the fake CA over real sockets."""

import datetime
import json
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

import daemon
import servers
import world
from fake_ca import FakeCa

LIFE = 100  # seconds: its window of renewal is two seconds wide, fifty seconds after the issue


class FakeWorld(world.World):
    """The small world with the fake CA in the place of pebble."""

    def __init__(self, *words, **changes):
        self.words = words
        super().__init__(start=False, **changes)

    def _keep(self, server):
        if isinstance(server, world.Pebble):
            server.stop()
            server = FakeCa(
                self.folder / "fake", *self.words, address=self.address, http_port=self.nginx.http_port, dns=self.dns.forwarder
            )
        return super()._keep(server)


@pytest.fixture
def small(request):
    made = FakeWorld(f"life {LIFE}s", "renewal poll 5s", *request.param)
    try:
        yield made
    finally:
        if request.node.stash.get(FAILED, False):
            print(made.logs())
        made.stop()


FAILED = pytest.StashKey()


def asked(ca, endpoint):
    return [line for line in ca.log() if line["endpoint"] == endpoint]


@pytest.mark.parametrize("small", [["profile brief life 101s"]], indirect=True)
def test_the_ca_names_the_date_and_the_order_names_its_predecessor(small):
    small.koshin.config["cas"][0]["profile"] = "brief"
    small.koshin.config_file.write_text(json.dumps(small.koshin.config))
    small.koshin.start()
    # A profile of the configuration is looked for at the CA before it is needed.
    assert "brief" in small.koshin.run("ca", "test").stdout
    site = small.site("example.jp").add()
    shown = site.until_served()
    # The order takes the place of the one before, and is accepted so.
    small.koshin.run("renew", "example.jp")
    shown = site.until_served(other_than=shown.fingerprint)
    assert [line["status"] for line in asked(small.ca, "new-order")] == [201, 201]
    # A CA that takes no replacement is asked once more without, at once.
    small.ca.say("fault already-replaced")
    small.koshin.run("renew", "example.jp")
    shown = site.until_served(other_than=shown.fingerprint)
    assert [line["status"] for line in asked(small.ca, "new-order")] == [201, 201, 409, 201]
    small.ca.say("clear already-replaced")

    def told():
        site_now = site.show()
        return site_now if site_now["renewal"]["why"] == "ca" else None

    page = servers.until("the CA's date", told, 20, every=world.EVERY)
    renewal = page["renewal"]
    assert renewal["window"]["start"] <= renewal["at"] <= renewal["window"]["end"]
    assert renewal["at"] == page["next_renewal"]
    assert "the time that the issuer asks for" in small.koshin.run("site", "show", "example.jp", "--lang", "en").stdout
    # By itself, at that date; and each certificate was asked about without an account.
    shown = site.until_served(other_than=shown.fingerprint)
    began = shown.not_before.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert renewal["at"] <= began, (renewal, began)
    assert asked(small.ca, "new-order")[-1]["status"] == 201
    assert asked(small.ca, "renewal-info")
    assert all(line["method"] == "GET" and not line["account"] for line in asked(small.ca, "renewal-info"))
    assert not site.findings()
    assert [line for line in small.ca.log() if line["early"]] == []


@pytest.mark.parametrize("small", [["window inverted"]], indirect=True)
def test_a_window_that_is_none_is_the_operators_to_know(small):
    small.koshin.start()
    site = small.site("example.jp").add()
    site.until_served()
    servers.until("the poll", lambda: site.show()["renewal"]["next_poll"], 20, every=world.EVERY)
    servers.until("the answer", lambda: asked(small.ca, "renewal-info"), 20, every=world.EVERY)

    def noted():
        return "the window ends before it begins" in small.koshin.run("causes", "--unknown", "--lang", "en").stdout

    servers.until("a note for the operator", noted, 20, every=world.EVERY)
    page = site.show()
    assert page["renewal"]["why"] == "life" and page["renewal"]["window"] is None
    assert not site.findings()


class List:
    """The list of revoked certificates of the fake CA, as its intermediate signs it; published where the sites are."""

    def __init__(self, world):
        self.ca = world.ca
        folder = world.folder / "lists"
        folder.mkdir()
        folder.chmod(0o755)
        self.file = folder / "ca.crl"
        address = f"{world.address}:{world.nginx.http_port}"
        self.url = f"http://{address}/lists/ca.crl"
        self.write()
        world.nginx.extra.write_text(f"server {{ listen {address}; server_name {world.address}; location /lists/ {{ alias {folder}/; }} }}\n")
        world.nginx.reload()

    def write(self, *serials):
        keys = [part + "-----END PRIVATE KEY-----\n" for part in (self.ca.folder / "keys.pem").read_text().split("-----END PRIVATE KEY-----\n")]
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        day = datetime.timedelta(days=1)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "koshin fake intermediate")])
        crl = x509.CertificateRevocationListBuilder().issuer_name(name).last_update(now - day).next_update(now + day)
        for serial in serials:
            crl = crl.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build())
        signed = crl.sign(serialization.load_pem_private_key(keys[2].encode(), None), hashes.SHA256())
        self.file.write_bytes(signed.public_bytes(serialization.Encoding.DER))


@pytest.mark.parametrize("small", [["life 1h"]], indirect=True)
def test_a_certificate_that_its_issuer_took_back_is_renewed_at_once(small):
    published = List(small)
    small.ca.say(f"list {published.url}")
    small.koshin.start()
    site = small.site("torikeshi.jp").add()
    first = site.until_served()
    site.until_kind("proven")
    neighbour = small.site("tonari.jp").add()
    kept = neighbour.until_served()
    published.write(first.certificate.serial_number)
    # A list is kept for a while; an engine that is started anew has none.
    small.koshin.kill("engine")
    small.koshin.run("site", "set", site.name, "--redirect", "off")
    small.koshin.run("site", "set", neighbour.name, "--redirect", "off")
    second = site.until_served(other_than=first.fingerprint)
    found = site.until_kind("gone")
    assert [line["subject"] for line in found if line["kind"] in ("found", "gone")] == ["served.revoked"] * 2
    assert not site.findings() and site.count("ordered") == 2 and second.is_valid
    # Nobody else's is touched, and the new one is not taken for the old one.
    assert neighbour.shown().fingerprint == kept.fingerprint and neighbour.count("ordered") == 1
    assert site.show()["renewal"]["why"] in ("life", "ca")  # and not "ca-early"
    by_hand = small.koshin.json("check", site.name)
    assert by_hand["ok"], by_hand


def test_a_profile_that_the_ca_does_not_have(tmp_path):
    with FakeCa(tmp_path) as ca:
        config = {
            "server": {"addresses": ["127.0.0.1"]},
            "cas": [{"name": "fake", "directory": ca.directory, "bundle": str(ca.bundle), "profile": "nonesuch"}],
        }
        file = tmp_path / "koshin.yaml"
        file.write_text(json.dumps(config))
        got = subprocess.run(
            [daemon.program(), "ca", "test", "-c", file, "--lang", "en"], capture_output=True, text=True, timeout=60
        )
    assert got.returncode == 1
    assert 'profile: "nonesuch" is not offered; expected classic, tlsserver, shortlived' in got.stderr
