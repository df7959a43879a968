"""The ignored letter, and the end

A DNS record that points elsewhere is added: the CA goes there, most visitors do not. The renewal waits, letters come, nobody
reads them, the certificate ends. Then the record is taken away: all is well within seconds, and a letter says so.
"""

from servers import until
from world import now


def play(story):
    world = story.world
    site = world.site("wasure.jp", "www.wasure.jp").add()
    first = site.until_served()
    site.until_letter(1)
    ordered = site.count("ordered")
    for name in site.names:
        world.dns.set(name, "AAAA", "::1")
    story.say(f"wasure.jp has a certificate until {first.not_after:%H:%M:%S}; then an AAAA record that leads elsewhere is added")

    finding = site.until_finding("dns.aaaa.elsewhere", seconds=40)
    assert "::1" in finding["seen"] and finding["who"] == "domain-company"
    act = until("the letter that asks to act", lambda: site.letters()[1:], 60)[0]
    assert "::1" in act.text and "AAAA" in act.text and "wasure.jp" in act.subject
    assert now() < first.not_after
    story.say(f"one letter says what to do: {act.subject}")

    until("the end of the certificate", lambda: now() > first.not_after, world.life, 0.2)
    site.until_state("expired", seconds=20)
    letters = until("the letter at the end", lambda: site.letters()[3:] and site.letters(), 20)
    subjects = [letter.subject for letter in letters]
    assert len(set(letter.message_id for letter in letters)) == len(letters)
    assert site.count("letter") <= 7
    # One story is one thread.
    assert all(act.message_id in letter.references for letter in letters[2:]), [x.references for x in letters]
    told = "; ".join(subjects[2:])
    story.say(f"nobody acts; reminders, and one at the end: {told}")
    said = site.show()
    assert said["state"] == "expired" and not said.get("until")
    story.say("the certificate has ended, and koshin says so; nothing says that it is in use")
    before = len(letters)
    spent = site.count("ordered") - ordered
    # In the last sixth of its life an order is tried against the check, with a growing pause between.
    assert spent <= 4, f"{spent} orders against a failing check"

    for name in site.names:
        world.dns.remove(name, "AAAA")
    back = now()
    story.say("the record is taken away; nobody presses anything")
    cured = site.until_served(other_than=first.fingerprint, seconds=40)
    story.say(f"a new certificate {(now() - back).total_seconds():.0f} s later, until {cured.not_after:%H:%M:%S}")
    resolved = site.until_letter(before + 1)[before]
    story.say(f"and a letter: {resolved.subject}")
    site.until_state("ok")
    assert site.findings() == set()


def test_ignored_letter(played):
    played()
