"""What koshin mends by itself, with real servers: what does not show or answer what was put there is told again, and the site says so."""

import json

import pytest

import servers
from servers import handshake, http_get, until
from world import EVERY, World

LIFE = 120  # seconds: looked at every 12


@pytest.fixture
def world():
    made = World(life=LIFE, start=False)
    try:
        yield made
    finally:
        made.stop()


def configure(world, **changes):
    config = world.koshin.config
    for key, value in changes.items():
        config[key].update(value) if isinstance(config[key], dict) else config[key].extend(value)
    world.koshin.config_file.write_text(json.dumps(config))


class Mail:
    """A program that shows certificates on a port of its own (as a mail server does), and the command by which it is told of new ones.
    Deaf: the command is run, says that all is well, and nothing comes of it."""

    def __init__(self, world, name):
        self.world, self.name = world, name
        folder = world.folder / "mail-tls"
        folder.mkdir()
        folder.chmod(0o755)
        self.live, self.deaf, self.told = (folder / n for n in ("live", "deaf", "told"))
        self.server = servers.Nginx(folder, world.address)
        command = folder / "tell"
        command.write_text(f'#!/bin/sh\necho "$KOSHIN_VERB" >>{self.told}\n[ -e {self.deaf} ] || exec {" ".join(self.server.reload_argv)}\n')
        command.chmod(0o755)
        configure(world, targets=[{"name": "mail", "kind": "folder", "folder": str(self.live), "reload": [str(command)]}],
                  check={"services": [str(self.server.https_port)]})

    def show_certificates(self):
        """From now on, since there is one."""
        files = self.live / "live" / self.name
        self.server.extra.write_text(
            f"server {{ listen {self.world.address}:{self.server.https_port} ssl; server_name {self.name}; "
            f"ssl_certificate {files}/fullchain.pem; ssl_certificate_key {files}/privkey.pem; }}\n"
        )
        self.server.reload()
        until("mail shows a certificate", self.shown)

    def shown(self):
        return handshake(self.name, self.world.address, self.server.https_port, self.world.ca.roots).fingerprint

    def times_told(self):
        return len(self.told.read_text().splitlines())


def test_a_mail_server_that_did_not_hear_is_told_again(world):
    mail = Mail(world, "tegami.jp")
    try:
        world.koshin.start()
        site = world.site("tegami.jp").add()
        first = site.until_served()
        site.until_kind("proven")
        mail.show_certificates()
        mail.deaf.touch()
        world.koshin.run("renew", site.name)
        second = site.until_served(other_than=first.fingerprint)
        look_now(site)
        finding = site.until_finding("own.deploy.partly-served")
        assert finding["who"] == "host" and finding["seen"] == str(mail.server.https_port)
        # Told again by itself, and that is said; while nothing comes of it, ever more rarely.
        site.until_kind("deployed-again", at_least=2)
        finding = site.until_finding("own.deploy.partly-served")
        assert finding["mended_at"] and "We put it in place on the server again" in finding["next"]["en"]
        assert finding["mends"] >= 2
        # Of each of the two certificates once, and twice again.
        until("told twice again", lambda: mail.times_told() >= 4, 20)
        assert mail.shown() == first.fingerprint
        mail.deaf.unlink()
        until("mail shows what the web shows", lambda: mail.shown() == site.shown().fingerprint, 60, EVERY)
        until("nothing is wrong any more", lambda: not site.findings(), 30, EVERY)
        line = next(h for h in world.koshin.history(site.name) if h["kind"] == "deployed-again")
        assert line["subject"] == "own.deploy.partly-served", line
        assert second.fingerprint != first.fingerprint
    finally:
        mail.server.stop()


def test_what_the_server_has_is_mended_in_place(world):
    """A stale answer to challenges, and a chain that lost its half, each by somebody's hand."""
    world.koshin.start()
    site = world.site("naosu.jp").add()
    site.until_served()
    site.until_kind("proven")
    # The answer to challenges is that of an account of before.
    files = [f for f in (*world.nginx.config_folder.rglob("*"), *world.koshin.live.rglob("*")) if f.is_file()]
    thumbprint = answer(world, site).partition(".")[2]
    stale = [f for f in files if thumbprint in f.read_text(errors="replace")]
    assert stale, files
    for file in stale:
        file.write_text(file.read_text().replace(thumbprint, "x" * len(thumbprint)))
    world.nginx.reload()
    until("a stale answer", lambda: answer(world, site).partition(".")[2] != thumbprint, 10)
    look_now(site)
    site.until_kind("deployed-again")
    until("the right answer", lambda: answer(world, site).partition(".")[2] == thumbprint, 20)
    until("nothing is wrong any more", lambda: not site.findings(), 30, EVERY)
    # Half of the chain is gone from the file, and the web server has read it so.
    chain = world.koshin.live / "live" / site.name / "fullchain.pem"
    whole = chain.read_text()
    chain.write_text(whole[: whole.index("-----END CERTIFICATE-----")] + "-----END CERTIFICATE-----\n")
    world.nginx.reload()
    until("a part of the chain is missing", lambda: not site.shown().is_valid, 10)
    look_now(site)
    site.until_kind("deployed-again", at_least=2)
    until("the chain is whole", lambda: site.shown().is_valid, 20)
    until("nothing is wrong any more", lambda: not site.findings(), 30, EVERY)
    causes = [h["subject"] for h in world.koshin.history(site.name) if h["kind"] == "deployed-again"]
    assert causes == ["http.key-authorization.foreign", "served.chain.incomplete"]
    world.koshin.doctor()


def look_now(site):
    """A setting that is written is a reason to look; the same setting changes nothing else."""
    site.world.koshin.run("site", "set", site.name, "--redirect", "off")


def answer(world, site):
    return http_get(site.name, world.address, world.nginx.http_port, "/.well-known/acme-challenge/" + "t" * 43)[2].decode()


def test_a_reload_that_was_lost(world):
    """The new set is in its place, the configuration's test passes, and the web server never heard of it."""
    command = world.folder / "reload"
    lost = world.folder / "lost"
    command.write_text(f'#!/bin/sh\n[ -e {lost} ] && exec rm {lost}\nexec {" ".join(world.nginx.reload_argv)}\n')
    command.chmod(0o755)
    world.koshin.config["targets"][0]["reload"] = [str(command)]
    configure(world)
    world.koshin.start()
    site = world.site("kikazu.jp").add()
    first = site.until_served()
    site.until_kind("proven")
    lost.touch()
    world.koshin.run("renew", site.name)
    site.until_served(other_than=first.fingerprint)
    assert not lost.exists()
    site.until_kind("proven", at_least=2)
    until("nothing is wrong any more", lambda: not site.findings(), 30, EVERY)
