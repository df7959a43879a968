"""The key is destroyed and the certificate revoked: afterwards the CA says so, and the key is nowhere on the disk, whichever process died meanwhile."""

import contextlib
import re
import sqlite3
import time

import pytest
from cryptography.hazmat.primitives import serialization

from daemon import program
from servers import until
from test_secrets import forms
from world import World

# Those before the first ones are passed while it starts; the 30th is the last that was ever met.
POINTS = {"engine": range(2, 30, 3), "installer": range(2, 12, 3)}


@pytest.fixture(scope="module")
def world():
    made = World(life=3600, binary=program("build-broken"), start=False)
    made.point = made.folder / "point"
    try:
        made.koshin.start(env={"KOSHIN_POINT_FILE": str(made.point)})
        yield made
        made.koshin.doctor()
    except BaseException:
        print(made.logs())
        raise
    finally:
        made.stop()


def rows(world, query, *values):
    store = sqlite3.connect(f"file:{world.koshin.state / 'koshin.db'}?mode=ro", uri=True)
    try:
        return store.execute(query, values).fetchall()
    finally:
        store.close()


def serial_of(site):
    (row,) = rows(site.world, "SELECT c.serial FROM certificate c JOIN site s ON s.held_id = c.id JOIN name n ON n.site_id = s.id WHERE n.name = ?", site.name)
    return row[0]


def needles(world, *sites):
    """The keys of the sites in every form in which they could be recognised, and the bytes that seal them in the store."""
    found = []
    for site in sites:
        pem = world.koshin.run("cert", "export", site.name, "--key").stdout.encode()
        key = serialization.load_pem_private_key(pem, None)
        found += forms(key.private_numbers().private_value.to_bytes(32, "big"))
        query = "SELECT sealed_key FROM certificate c JOIN name n ON n.site_id = c.site_id WHERE n.name = ?"
        found += [row[0] for row in rows(world, query, site.name)]
    assert all(len(needle) > 16 for needle in found)
    return found


def is_nowhere(world, found):
    """For until(): what it waits for in vain is told."""
    left = files_with(world, found)
    assert not left, left
    return True


def files_with(world, found):
    """The files that have one of them; line ends within base64 are passed over."""
    leaks = []
    for path in world.folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue
            joined = re.sub(rb"[\r\n]", b"", data)
            if any(needle in data or needle in joined for needle in found):
                leaks.append(path.relative_to(world.folder))
    return leaks


def is_served(site):
    try:
        return site.shown().fingerprint is not None
    except OSError:
        return False


def test_everything_goes_and_comes_back_new(world):
    koshin = world.koshin
    site = world.site("yameru.jp", "www.yameru.jp").add(redirect=True)
    neighbour = world.site("nokoru.jp").add()
    before = site.until_served()
    beside = neighbour.until_served()
    until("the redirect is on", lambda: site.plain()[0] == 307)
    koshin.run("renew", site.name, "--wait")
    site.until_served(other_than=before.fingerprint)
    serials = [row[0] for row in rows(world, "SELECT serial FROM certificate c JOIN name n ON n.site_id = c.site_id WHERE n.name = ? ORDER BY c.id", site.name)]
    assert len(serials) == 2
    found = needles(world, site)
    assert {path.name for path in files_with(world, found)} >= {"privkey.pem"}, "what is looked for can be found"

    # It says what it does, and does nothing.
    said = koshin.run("cert", "revoke", site.name).stdout
    assert site.name in said and "--yes" in said and "…" not in said and "they work nowhere" in said
    assert site.shown().is_valid and world.ca.status(serials[-1])["Status"] == "Valid"
    assert koshin.run("cert", "revoke", site.name, "--yes", "--reason", "superseded", status=None).returncode != 0

    koshin.run("cert", "revoke", site.name, "--yes", "--reason", "key-compromise")
    site.until_kind("revoked")
    for serial in serials:
        said = world.ca.status(serial)
        assert said["Status"] == "Revoked" and said["Reason"] == 1, said
    until("HTTPS has ended", lambda: not is_served(site))
    assert site.plain()[0] == 200, "what is at http:// is as before"
    until("no file has the key", lambda: is_nowhere(world, found), 40)
    order = ["revoke-asked", "redirect-off", "destroyed", "revoked"]
    assert [line["kind"] for line in sorted(koshin.history(site.name), key=lambda line: line["id"]) if line["kind"] in order] == order
    shown = site.show()
    assert shown["next_look"] is None and shown["state"] == "off" and "取り消し済み" in shown["pill"]["ja"] and shown["certificate"] is None
    letter = until("the letter", lambda: [one for one in site.letters() if "取り消しました" in one.subject])[-1]
    assert "http:// で始まるアドレスで、いままでどおり" in letter.text and site.name in letter.subject
    again = koshin.run("cert", "revoke", site.name, "--yes", status=1)
    assert "has no certificate" in again.stderr
    # Its neighbour has noticed nothing.
    assert neighbour.shown().fingerprint == beside.fingerprint
    koshin.doctor()

    # The way back is a new certificate with a new key, and the redirect as it was.
    koshin.run("site", "resume", site.name)
    new = site.until_served(other_than=before.fingerprint)
    until("the redirect is on again", lambda: site.plain()[0] == 307)
    assert serial_of(site) not in serials and new.is_valid
    assert files_with(world, found) == []
    assert site.state() == "ok"


def test_renewals_alone_are_stopped(world):
    site = world.site("koushin-dake.jp").add(redirect=True)
    first = site.until_served()
    until("the redirect is on", lambda: site.plain()[0] == 307)
    world.koshin.run("site", "suspend", site.name, "--renewals-only")
    site.until_kind("given-up")
    # A worker of before the reload that brought the redirect may still answer for a moment.
    until("the redirect is on still", lambda: site.plain()[0] == 307, 10)
    assert site.shown().fingerprint == first.fingerprint and site.show()["redirect"] == 307
    # And the next step is still there.
    world.koshin.run("site", "suspend", site.name)
    until("the redirect has let go", lambda: site.plain()[0] == 200)
    assert site.shown().fingerprint == first.fingerprint
    world.koshin.run("site", "resume", site.name)
    until("the redirect is on again", lambda: site.plain()[0] == 307)


def test_somebody_reads_meanwhile(world):
    """A reader of the store still has the key before it: it is gone soon after that one has ended, without anything else that happens."""
    site = world.site("yomikake.jp").add()
    site.until_served()
    found = needles(world, site)
    with contextlib.closing(sqlite3.connect(f"file:{world.koshin.state / 'koshin.db'}?mode=ro", uri=True, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM certificate").fetchone()[0] > 0
        world.koshin.run("cert", "revoke", site.name, "--yes")
        site.until_kind("revoked")
        assert files_with(world, found), "what was read is there as long as it is read"
    until("no file has the key", lambda: is_nowhere(world, found), 25)


@pytest.mark.parametrize("part", POINTS)
def test_a_process_dies(world, part, tell):
    """At one of the points that it passes while a key is destroyed: the key is gone all the same, and the CA has been told."""
    koshin, begun = world.koshin, time.monotonic()
    sites = [world.site(f"{part}{n}.jp").add(redirect=True) for n in POINTS[part]]
    for site in sites:
        site.until_served()
        until("the redirect is on", lambda: site.plain()[0] == 307)
    for n, site in zip(POINTS[part], sites):
        serial, found = serial_of(site), needles(world, site)
        koshin.stop()
        world.point.write_text(f"{part} {n}\n")
        koshin.start(env={"KOSHIN_POINT_FILE": str(world.point)})
        koshin.run("cert", "revoke", site.name, "--yes")
        site.until_kind("revoked", seconds=60)
        assert world.ca.status(serial)["Status"] == "Revoked"
        until("no file has the key", lambda: is_nowhere(world, found), 60)
        until("HTTPS has ended", lambda: not is_served(site))
        assert site.count("destroyed") == 1
        letters = until("the letter", lambda: [one for one in site.letters() if "取り消しました" in one.subject])
        assert len({one.message_id for one in letters}) == 1
        assert not world.point.exists(), f"{part} did not pass {n} points"
    tell(f"{part} died at {len(sites)} points while a key was destroyed, in {time.monotonic() - begun:.0f} s")
