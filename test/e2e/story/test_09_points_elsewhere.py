"""Points elsewhere

The A record names another company's server: no order is spent, the owner reads what DNS answers and what it should. When
it is changed, the certificate comes by itself.
"""


def play(story):
    world = story.world
    site = world.site("yoso.jp", "www.yoso.jp", records=[])
    for name in site.names:
        site.point_elsewhere(name)
    site.add()
    finding = site.until_finding("dns.a.elsewhere")
    assert world.elsewhere.address in finding["seen"] and world.address in finding["wanted"]
    assert world.address in finding["action"]["copy"]
    assert finding["who"] == "domain-company" and finding["next_look"]
    letter = site.until_letter(1)[0]
    assert world.address in letter.text and world.elsewhere.address in letter.text
    assert "ordered" not in site.kinds(), "no order against a failing check"
    story.say(f"yoso.jp points to another server: no order, and a letter with both addresses: {letter.subject}")

    for name in site.names:
        site.point_here(name)
    site.until_served(seconds=40)
    site.until_state("ok")
    # One record may be seen before the other: then the first name does not wait for the second.
    assert site.findings() == set() and site.count("ordered") <= 2 and site.count("order-failed") == 0
    story.say("the record is changed: the certificate came by itself")


def test_points_elsewhere(played):
    played()
