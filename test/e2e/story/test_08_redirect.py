"""The redirect

HTTP to HTTPS is a switch: 307 at first, 308 after two good renewals, and it lets go by itself while HTTPS is broken.
"""

from servers import key_pem, pem, make_certificate, until


def play(story):
    world = story.world
    site = world.site("tensou.jp", "www.tensou.jp").add()
    first = site.until_served()
    status, _, body = site.plain()
    assert (status, body) == (200, b"This is tensou.jp.\n")
    world.koshin.run("site", "set", site.name, "--redirect", "on")
    until("the redirect", lambda: site.plain()[0] == 307, 30, 0.1)
    # Right after a reload a worker of before may still answer.
    _, headers, _ = until("it is everywhere", lambda: (answer := site.plain("/a?b=c"))[0] == 307 and answer, 5)
    assert headers["location"] == f"https://tensou.jp:{world.nginx.https_port}/a?b=c", headers
    assert site.plain("/.well-known/acme-challenge/token")[0] == 200, "the challenge is answered before the redirect"
    story.say("the redirect of tensou.jp is on: 307, so that no browser remembers it for ever")

    second = site.until_served(other_than=first.fingerprint, seconds=world.life)
    assert site.plain()[0] == 307
    site.until_served(other_than=second.fingerprint, seconds=world.life)
    until("the lasting redirect", lambda: site.plain()[0] == 308, world.life, 0.1)
    story.say("two renewals have gone well: 308")

    key, leaf = make_certificate("somebody else", None, None, list(site.names))
    (world.folder / "foreign.pem").write_bytes(pem(leaf))
    (world.folder / "foreign.key").write_bytes(key_pem(key))
    world.nginx.extra.write_text(
        f"server {{ listen {world.address}:{world.nginx.https_port} ssl; server_name tensou.jp www.tensou.jp;"
        f" ssl_certificate {world.folder}/foreign.pem; ssl_certificate_key {world.folder}/foreign.key; }}\n"
    )
    world.nginx.reload()
    until("the wrong certificate", lambda: not site.shown().is_valid, 10)
    story.say("somebody puts another server block before ours: HTTPS is broken")
    until("HTTP answers by itself", lambda: site.plain()[0] == 200, 40, 0.1)
    assert site.state() in ("broken", "expired")
    assert "redirect-off" in site.kinds()
    story.say("the redirect has let go: the page can be reached over HTTP")

    world.nginx.extra.write_text("# nothing\n")
    world.nginx.reload()
    until("the redirect is back", lambda: site.plain()[0] in (307, 308), 40, 0.1)
    site.until_state("ok")
    story.say("the block is taken away again: the redirect is back by itself")


def test_redirect(played):
    played()
