"""The lying flag

Somebody puts an expired certificate back into the web server by hand: seen by the next handshake, said at once, the
right one restored, no order spent.
"""

import datetime

from servers import key_pem, pem, make_certificate, until


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
    live = world.koshin.live / "live" / site.name
    (live / "fullchain.pem").write_bytes(pem(old))
    (live / "privkey.pem").write_bytes(key_pem(key))
    world.nginx.reload()
    until("the expired one", lambda: not site.shown().is_valid, 10)
    story.say("somebody puts an expired certificate of usotsuki.jp back by hand; the files still bear the right names")
    site.until_kind("found", seconds=30)
    story.say("the next handshake sees it, and it is said")
    until("the right one", lambda: site.shown().fingerprint == right.fingerprint, 40)
    site.until_kind("restored")
    assert site.count("ordered") == orders, "no order spent"
    site.until_state("ok")
    story.say("the right one is restored, and no order was spent")


def test_lying_flag(played):
    played()
