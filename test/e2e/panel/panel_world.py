"""A world with a panel, and people who can sign in."""

from screen import PANEL, PASSWORD, folder_for
from servers import Pebble, free_port, new_folder
from test_api import Api
from test_cert_check import pem
from test_own import Seller
from world import World


class PanelWorld:
    def __init__(self, life=3600, **changes):
        self.life = life
        self.seller = Seller()
        self.port = free_port("127.0.0.1")
        assert (PANEL / "index.html").exists(), "make has built no panel"
        folder = new_folder()
        self.world = World(folder=folder, life=life, make_ca=self._ca, panel={"listen": [f"127.0.0.1:{self.port}"], "folder": str(folder_for(folder))}, panel_url=f"http://localhost:{self.port}", **changes)

    @property
    def api(self):
        return Api(self.world.koshin.state / "run" / "api.sock")

    def _ca(self, world):
        """One that takes seconds to look, as they do: steps are there to be watched, and a web server that was just told of a site has begun with it."""
        env = {"PEBBLE_VA_SLEEPTIME": "6", "PEBBLE_AUTHZREUSE": "0"}
        made = Pebble(world.folder, world.address, world.dns.endpoint, world.nginx.http_port, world.nginx.https_port, self.life, env=env)
        # Browsers know a company that sells certificates, too.
        with open(made.roots, "ab") as roots:
            roots.write(b"\n" + pem(self.seller.root))
        return made

    def add(self, *names, owner, lang, **options):
        """One of several sites of an owner, with free SSL wanted. Options beside the setting are those of a site."""
        site = self.world.site(*names, owner=owner, records=options.pop("records", None))
        status, document = self.api.ask("sites_add", body={"names": list(names), "owner": owner, "owner_lang": lang, "root": str(site.root), **options})
        assert status == 201, document
        return site

    def owner(self, *names, lang, role="owner", **more):
        """A person with a site that has no SSL yet. (site, mail)"""
        site = self.world.site(*names)
        body = {"names": list(names), "owner": site.owner, "owner_lang": lang, "root": str(site.root), "source": "none", **more}
        status, _ = self.api.ask("sites_add", body=body)
        assert status == 201
        self.person(site.owner, role, lang, "--owner", site.owner)
        return site, site.owner

    def person(self, mail, role, lang, *more):
        self.world.koshin.run("user", "add", mail, "--role", role, "--user-lang", lang, *more)
        self.world.koshin.run("user", "password", mail, stdin=PASSWORD + "\n")
        return mail
