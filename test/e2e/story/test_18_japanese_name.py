"""日本語.jp

Names that are not ASCII work everywhere that a person types or reads them.
"""


def play(story):
    world = story.world
    site = world.site("日本語.jp", "www.日本語.jp").add()
    shown = site.until_served()
    assert shown.names == ["www.xn--wgv71a119e.jp", "xn--wgv71a119e.jp"]
    story.say("日本語.jp is typed as it is, and has its certificate (xn--wgv71a119e.jp)")
    said = site.show()
    assert said["name"] == "日本語.jp"
    assert world.koshin.show("xn--wgv71a119e.jp")["name"] == "日本語.jp", "either form finds it"
    (letter,) = site.until_letter(1)
    assert "日本語.jp" in letter.subject and "日本語.jp" in letter.text
    assert "xn--" not in letter.subject
    story.say(f"the letter reads as people do: {letter.subject}")
    assert "日本語.jp" in world.koshin.run("site", "list").stdout
    assert site.secure()[0] == 200


def test_japanese_name(played):
    played()
