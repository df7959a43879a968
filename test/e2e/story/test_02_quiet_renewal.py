"""The quiet renewal

Renewed by itself, proven by a handshake, without a letter; a visitor who looks all the time never sees a warning.
"""

from world import Watch, now


def play(story):
    site = story.world.site("shizuka.jp", "www.shizuka.jp").add()
    first = site.until_served()
    story.say(f"shizuka.jp has a certificate until {first.not_after:%H:%M:%S}; nobody touches it from here on")
    with Watch(site) as visitor:
        second = site.until_served(other_than=first.fingerprint, seconds=story.world.life)
        used = (now() - first.not_before) / (first.not_after - first.not_before)
        assert 0.4 < used < 0.75, f"renewed at {used:.0%} of its life"
        story.say(f"renewed by itself at {used:.0%} of its life, until {second.not_after:%H:%M:%S}")
        third = site.until_served(other_than=second.fingerprint, seconds=story.world.life)
        story.say(f"and again, until {third.not_after:%H:%M:%S}")
    assert visitor.looks > 100
    lines = site.until_kind("proven", at_least=3)
    assert [line["kind"] for line in lines].count("ordered") == 3
    assert len(site.letters()) == 1, "one letter at the first certificate, none since"
    story.say(f"a visitor looked {visitor.looks} times meanwhile and saw no warning; the owner got no letter")


def test_quiet_renewal(played):
    played()
