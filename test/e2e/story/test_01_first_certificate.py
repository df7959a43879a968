"""The first certificate

The owner picks a domain, sees at once whether it can work, asks once, and gets a lock, a letter and a history.
"""

from datetime import timedelta


def play(story):
    world = story.world
    site = world.site("hajime.jp", "www.hajime.jp")
    report = world.koshin.json("check", site.name, status=None)
    blocked = [f["cause"] for n in report["names"] for f in n["findings"] if not f["cause"].startswith(("own.", "served."))]
    assert blocked == [], report
    story.say("hajime.jp is looked at before anything is asked of the CA: nothing stands in the way")

    site.add()
    story.say("the owner asks for a certificate")
    shown = site.until_served()
    assert shown.not_after - shown.not_before <= timedelta(seconds=world.life)
    for name in site.names:
        status, _, body = site.secure(name=name)
        assert (status, body) == (200, b"This is hajime.jp.\n")
    story.say(f"visitors see the lock on both names, until {shown.not_after:%H:%M:%S} UTC")

    (letter,) = site.until_letter(1)
    assert "hajime.jp" in letter.subject and letter.headers["auto-submitted"] == "auto-generated"
    story.say(f"the owner gets one letter: {letter.subject}")

    kinds = [line["kind"] for line in site.until_kind("proven")]
    assert [k for k in kinds if k in ("added", "ordered", "issued", "proven")] == ["added", "ordered", "issued", "proven"]
    site.until_state("ok")
    said = site.show()
    assert {n["name"]: n["visitors"] for n in said["names"]} == {name: "lock" for name in site.names}
    story.say("koshin says the same as the visitors see, and its history has every step")

    again = world.koshin.run("site", "add", site.name, "--owner", "other@example.com", "--root", site.root, status=None)
    assert again.returncode == 1 and "hajime.jp" in again.stdout + again.stderr
    story.say("adding the name once more is refused with the site that has it")


def test_first_certificate(played):
    played()
