"""Moved away

The domain leaves for another company. It is noticed and said once; then only its DNS is looked at, now and then, and nothing is
ordered. When it comes back, the renewal goes on by itself.
"""

from servers import until

WORLD = {"life": 45}  # thirty of its forty-five parts are a move, seven are a week


def play(story):
    world = story.world
    site = world.site("hikkoshi.jp", "www.hikkoshi.jp").add()
    first = site.until_served()
    site.until_letter(1)
    for name in site.names:
        site.point_elsewhere(name)
    story.say("hikkoshi.jp now leads to another company's server")
    site.until_finding("dns.a.elsewhere")
    finding = site.until_finding("registration.domain.moved-away", seconds=60)
    assert world.elsewhere.address in finding["seen"] and world.address in finding["action"]["copy"]
    assert site.state() == "moved"
    told = until("the letter", lambda: [x for x in site.letters() if "別の会社のサーバー" in x.subject], 20)
    assert len(told) == 1 and "何もする必要はありません" in told[0].text, told[0].text
    story.say(f"after as long as a month of its life it is said once: {told[0].subject}")

    orders = site.count("ordered")
    letters = len(site.letters())
    dates = set()
    until("three looks", lambda: dates.add(site.show()["next_look"]) or len(dates) >= 3, 60, 0.5)
    assert site.count("ordered") == orders and len(site.letters()) == letters and site.state() == "moved"
    story.say("it is looked at in DNS now and then; nothing is ordered, nothing more is said, also when the certificate ends")

    for name in site.names:
        site.point_here(name)
    site.until_served(other_than=first.fingerprint, seconds=40)
    resolved = site.until_letter(letters + 1)[letters]
    site.until_state("ok")
    assert site.findings() == set()
    story.say(f"it is back: a new certificate by itself, and a letter: {resolved.subject}")


def test_moved_away(played):
    played()
