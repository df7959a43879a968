"""A site in each state that a page can have, with the real web process on them and nobody who renews them (test/peer/states.c)."""

import shutil
import subprocess

from screen import PASSWORD, ROOT, folder_for
from servers import free_port, new_folder
from test_api import Api

STATES = ("expired", "broken", "issuing", "act", "ours", "partial", "own-ends", "moved", "ok", "off", "revoked", "given-up")
PROGRAM = ROOT / "build/test/peer/states"


class StatesWorld:
    def __init__(self):
        subprocess.run(["make", "-s", str(PROGRAM.relative_to(ROOT))], cwd=ROOT, check=True)
        self.folder = new_folder()
        self.port = free_port("127.0.0.1")
        self.program = subprocess.Popen(
            [PROGRAM, self.folder, str(self.port), folder_for(self.folder), str(free_port("127.0.0.1"))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            assert self.program.stdout.readline() == "ready\n", "the sites could not be made"
            api = Api(self.folder / "api.sock")
            for lang in ("ja", "en"):
                body = {"mail": f"{lang}@example.jp", "lang": lang, "role": "owner", "owner": "tanaka@example.jp"}
                assert api.ask("person_add", body=body)[0] == 201
                assert api.ask("person_password", f"{lang}@example.jp", body={"password": PASSWORD})[0] in (200, 204)
        except BaseException:
            self.stop()
            raise

    def stop(self):
        self.program.stdin.close()
        self.program.stdout.close()
        self.program.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)


def pages():
    """(name, path) of what is looked at: the page of each state, then the components."""
    return [*((state, f"/sites/{state}.example.jp") for state in STATES), ("gallery", "/gallery")]


def until_ready(screen, name):
    """The components have one among them that waits for ever."""
    return screen.until_key("gallery.title") if name == "gallery" else screen.until_text(f"{name}.example.jp").until_there()
