"""www has no record

The site gets its certificate without www at once; when the record appears, www is added without anybody asking.
"""


def play(story):
    world = story.world
    site = world.site("hitotsu.jp", "www.hitotsu.jp", records=["hitotsu.jp"]).add()
    first = site.until_served(names=["hitotsu.jp"])
    story.say("www.hitotsu.jp is not in DNS: the certificate for hitotsu.jp came all the same")

    finding = site.until_finding("dns.address.partly-missing", "www.hitotsu.jp")
    assert world.address in finding["action"]["copy"]
    assert finding["who"] == "domain-company" and finding["next_look"]
    assert ("dns.address.partly-missing", "hitotsu.jp") not in site.findings()
    story.say(f"www has a cause of its own, with the record to add: {finding['action']['copy']}")
    letters = site.until_letter(1)
    assert "www.hitotsu.jp" in letters[-1].text and world.address in letters[-1].text
    story.say(f"the owner reads it: {letters[-1].subject}")

    site.point_here("www.hitotsu.jp")
    story.say("the owner adds the record, and presses nothing")
    both = site.until_served(seconds=40)
    assert both.fingerprint != first.fingerprint
    site.until_state("ok")
    assert site.findings() == set()
    assert "name-added" in site.kinds()
    story.say("www.hitotsu.jp is in the certificate")


def test_www_has_no_record(played):
    played()
