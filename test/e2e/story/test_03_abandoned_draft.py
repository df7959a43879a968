"""The abandoned draft

A new setting was begun and left lying. Renewal does not look at it; the owner is told once, then it is discarded.
"""

from servers import until


def play(story):
    world = story.world
    site = world.site("sitagaki.jp", "www.sitagaki.jp").add()
    first = site.until_served()
    site.until_letter(1)
    world.koshin.run("site", "set", site.name, "--draft", "--coverage", "single")
    assert site.show()["draft"], "the draft is shown"
    story.say("the owner begins a new setting for sitagaki.jp (without www), and leaves it lying")

    letters = site.until_letter(2, seconds=40)
    assert len(letters) == 2
    story.say(f"after a while one friendly letter: {letters[1].subject}")

    second = site.until_served(other_than=first.fingerprint, seconds=world.life)
    assert second.names == ["sitagaki.jp", "www.sitagaki.jp"]
    story.say("the renewal came all the same, with both names: it did not even look at the draft")

    until("the draft is discarded", lambda: not site.show()["draft"], world.life, 0.5)
    kinds = site.kinds()
    assert "draft-begun" in kinds and "draft-discarded" in kinds
    site.until_state("ok")
    assert len(site.letters()) == 2
    story.say("nobody came back to it: discarded, and the history says so")


def test_abandoned_draft(played):
    played()
