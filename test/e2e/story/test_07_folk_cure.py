"""The folk cure

The owner has read that one deletes everything and sets it up again. Both are harmless: visitors are served throughout, the stored
certificate is back at once, and the CA hears nothing of it.
"""

from servers import until
from world import Watch


def play(story):
    world = story.world
    site = world.site("yarinaoshi.jp", "www.yarinaoshi.jp").add()
    world.koshin.run("site", "set", site.name, "--redirect", "on")
    first = site.until_served()
    until("the redirect", lambda: site.plain()[0] == 307, 30, 0.1)
    site.until_state("ok")
    orders = site.count("ordered")
    with Watch(site):
        world.koshin.run("site", "set", site.name, "--key-type", "p384", "--draft")
        said = world.koshin.run("site", "suspend", site.name)
        assert site.name in said.stdout
        until("our redirect lets go first", lambda: site.plain()[0] == 200, 20, 0.1)
        assert site.shown().fingerprint == first.fingerprint, "HTTPS answers with what is stored"
        world.koshin.run("site", "suspend", site.name, status=1)
        story.say("free SSL of yarinaoshi.jp is given up: the redirect is off, HTTPS answers as before")

        world.koshin.run("site", "start-over", site.name)
        until("the redirect is back", lambda: site.plain()[0] == 307, 20, 0.1)
        assert site.shown().fingerprint == first.fingerprint
        site.until_state("ok")
        assert not site.show()["draft"], "what lay about is cleared away"
        assert site.count("ordered") == orders, f"the CA heard nothing: {site.kinds()}"
        assert {"given-up", "taken-back", "draft-discarded"} <= set(site.kinds())
        world.koshin.run("site", "resume", site.name, status=1)
        story.say("it is set up again from the beginning: the same certificate, at once, without the CA")

        world.koshin.run("site", "start-over", site.name, "--new-certificate")
        site.until_served(other_than=first.fingerprint)
        story.say("a new certificate was wanted: it came beside the old one, and visitors noticed nothing")


def test_folk_cure(played):
    played()
