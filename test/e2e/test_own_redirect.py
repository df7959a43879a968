"""The site's own redirect to HTTPS: a program behind the web server sends everybody there by itself. It is seen, never taken for ours nor ours for
it, named to whoever wants to give SSL up, and forgotten when it is gone."""

import pytest

from servers import free_port, until
from test_api import Api
from world import World


class Program:
    """What runs a site behind koshin's web server, as WordPress would: an nginx of its own port, which sees by X-Forwarded-Proto how the visitor came."""

    FORWARDS = "if ($http_x_forwarded_proto = http) {{ return 301 https://$host:{https_port}$request_uri; }} "
    BACK = "if ($http_x_forwarded_proto = https) {{ return 302 http://$host:{http_port}$request_uri; }} "

    def __init__(self, world, does=""):
        self.world = world
        self.port = free_port(world.address)
        self.does(does)

    def does(self, rules):
        nginx = self.world.nginx
        rules = rules.format(https_port=nginx.https_port, http_port=nginx.http_port)
        nginx.extra.write_text(
            f"server {{ listen {self.world.address}:{self.port}; location / {{ {rules}default_type text/html; return 200 'The program.'; }} }}\n"
        )
        nginx.reload()

    @property
    def url(self):
        return f"http://{self.world.address}:{self.port}"


def add(world, program, *names):
    """A site that the program runs, with free SSL."""
    site = world.site(*names)
    world.koshin.add(*names, owner=site.owner, proxy=program.url)
    return site


@pytest.fixture
def world():
    made = World(life=600)
    yield made
    made.stop()


def ask(world, site, question, status=200):
    got, document = Api(world.koshin.state / "run" / "api.sock").ask(question, site.name)
    assert got == status, document
    return document


def removal(world, site, question="removal_show"):
    return ask(world, site, question)


def looked(world, site):
    """Somebody asks for a check, and one ends after that. Dates are of whole seconds, so that the first may not be seen to end."""
    before = site.show()["checked_at"]

    def look():
        ask(world, site, "site_check_again", 202)
        return site.show()["checked_at"] not in (None, before)

    until("it was looked at", look, 30, 0.4)


def until_said(world, site, to):
    """After a look: where the site leads, or None."""
    looked(world, site)

    def look():
        document = removal(world, site)
        return ((document["own_redirect"] or {}).get("to") == to) and document

    return until(f"it is said to lead to {to}", look, 20, 0.2)


def test_named_when_ssl_is_given_up(world):
    program = Program(world, Program.FORWARDS)
    site = add(world, program, "jibun.jp", "www.jibun.jp")
    site.until_served()
    site.until_state("ok")
    to = f"https://jibun.jp:{world.nginx.https_port}/"
    until("the program forwards", lambda: site.plain()[0] == 301, 10)
    shown = until_said(world, site, to)
    assert to in shown["own_redirect"]["words"]["ja"] and "WordPress" in shown["own_redirect"]["words"]["en"], shown
    # What is known need not be supposed.
    assert ".htaccess" not in shown["after"]["en"] and ".htaccess" not in shown["after_stop"]["en"], shown
    at_once = removal(world, site, "revocation_show")["own_redirect"]
    assert at_once["to"] == to and at_once["words"] != shown["own_redirect"]["words"], at_once
    assert to in world.koshin.run("cert", "revoke", site.name, "--lang", "en").stderr
    # Ours stands before it: what the program does is not known any more, and nothing is said.
    world.koshin.run("site", "set", site.name, "--redirect", "on")
    until("ours", lambda: site.plain()[0] == 307, 30, 0.1)
    until("it is known that it is ours", lambda: removal(world, site)["own_redirect"] is None, 10, 0.1)
    looked(world, site)
    shown = removal(world, site)
    assert shown["own_redirect"] is None and ".htaccess" in shown["after"]["en"], shown
    # Given up, ours lets go, and the program's is found without anybody asking.
    said = world.koshin.run("site", "suspend", site.name, "--lang", "ja")
    assert site.name in said.stdout and not said.stderr, said
    until("the program's again", lambda: site.plain()[0] == 301, 30, 0.1)
    shown = until("it is named", lambda: (document := removal(world, site))["own_redirect"] and document, 30, 0.2)
    assert shown["is_given_up"] and shown["own_redirect"]["to"] == to, shown
    # Said to whoever asks for the same in other words.
    world.koshin.run("site", "resume", site.name)
    world.koshin.run("site", "set", site.name, "--redirect", "off")
    until("ours is off", lambda: site.plain()[0] == 301, 30, 0.1)
    until_said(world, site, to)
    said = world.koshin.run("site", "set", site.name, "--source", "none", "--lang", "en")
    assert to in said.stderr and "WordPress" in said.stderr, said
    # The owner has changed it.
    program.does("")
    until("the page", lambda: site.plain()[0] == 200, 10)
    until_said(world, site, None)
    program.does(Program.FORWARDS)
    until("the program's again", lambda: site.plain()[0] == 301, 10)
    until_said(world, site, to)
    assert to in world.koshin.run("site", "remove", site.name, "--yes", "--lang", "en").stderr


def test_other_places_are_no_matter(world):
    """Where it leads to a name whose certificate is none of this site, and where it leads to http."""
    program = Program(world, "return 301 https://elsewhere.example:{https_port}/; ")
    site = add(world, program, "yoso.jp")
    site.until_served()
    looked(world, site)
    assert removal(world, site)["own_redirect"] is None
    program.does("if ($host = yoso.jp) {{ return 301 http://www.yoso.jp:{http_port}/; }} ")
    until("the program", lambda: "http://www" in site.plain()[1].get("location", ""), 10)
    looked(world, site)
    assert removal(world, site)["own_redirect"] is None


def test_circle_of_the_site(world):
    """The program leads whoever comes by https back to http, and our redirect is on: nobody gets in, and it is the program's to change. Without
    ours the page opens."""
    program = Program(world)
    site = add(world, program, "wa.jp")
    site.until_served()
    site.until_state("ok")
    world.koshin.run("site", "set", site.name, "--redirect", "on")
    until("ours", lambda: site.plain()[0] == 307, 30, 0.1)
    looked(world, site)
    assert site.findings() == set()
    program.does(Program.BACK)
    until("the program leads back", lambda: site.secure()[0] == 302, 10)
    looked(world, site)
    found = site.until_finding("http.home.redirect-loop")
    assert found["who"] == "web-owner" and f":{world.nginx.https_port}/" in found["seen"], found
    world.koshin.run("site", "set", site.name, "--redirect", "off")
    until("ours is off", lambda: site.plain()[0] == 200, 30, 0.1)
    looked(world, site)
    until("it is over", lambda: site.findings() == set(), 30, 0.2)
