"""The lying flag

Somebody puts an expired certificate back into the web server by hand: seen by the next handshake, said at once, the
right one restored, no order spent.
"""

import datetime

from servers import key_pem, pem, make_certificate, until


def files_of(site):
    """The chain and the key that nginx reads for this site."""
    folder = site.world.koshin.live / "live"
    (link,) = [path for path in folder.iterdir() if path.name in (site.name, str(site.show().get("id")))]
    files = [path for path in link.resolve().iterdir() if path.is_file()]
    chain = [p for p in files if b"BEGIN CERTIFICATE" in p.read_bytes()]
    keys = [p for p in files if b"PRIVATE KEY" in p.read_bytes()]
    return chain, keys


def play(story):
    world = story.world
    site = world.site("usotsuki.jp").add()
    right = site.until_served()
    site.until_kind("proven")
    orders = site.count("ordered")
    ended = datetime.datetime.utcnow() - datetime.timedelta(days=1)
    key, old = make_certificate(
        "expired", None, None, ["usotsuki.jp"], ended - datetime.timedelta(days=90), ended
    )
    chains, keys = files_of(site)
    assert chains and keys
    for path in chains:
        path.write_bytes(pem(old) + (key_pem(key) if path in keys else b""))
    for path in keys:
        if path not in chains:
            path.write_bytes(key_pem(key))
    world.nginx.reload()
    until("the expired one", lambda: not site.shown().is_valid, 10)
    story.say("somebody puts an expired certificate of usotsuki.jp back by hand; the files still bear the right names")
    site.until_kind("found", seconds=30)
    story.say("the next handshake sees it, and it is said")
    until("the right one", lambda: site.shown().fingerprint == right.fingerprint, 40)
    assert "restored" in site.kinds()
    assert site.count("ordered") == orders, "no order spent"
    site.until_state("ok")
    story.say("the right one is restored, and no order was spent")


def test_lying_flag(played):
    played()
