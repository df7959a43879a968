"""The registry of a domain, asked over HTTP (RDAP): a registry of our own on loopback, Knot for DNS, the real probe and
the real command."""

import http.server
import json
import subprocess
import threading

import pytest

from servers import Dns, free_port, new_address
from test_probe import ROOT, THUMBPRINT, Driver, program  # noqa: F401


class Registry:
    """Answers as RFC 9083 has it; `bootstrap` is the document of RFC 9224 that leads to it."""

    def __init__(self, address):
        self.domains = {}  # name -> domain object; a number -> that status
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.asked.append(self.path)
                name = self.path.rsplit("/", 1)[-1]
                answer = outer.domains.get(name, 404)
                if self.path == "/dns.json":
                    answer = outer.bootstrap
                elif self.path.startswith("/old/"):
                    answer = 302
                self.send_response(answer if isinstance(answer, int) else 200)
                body = b"" if isinstance(answer, int) else answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                if answer == 302:
                    self.send_header("Location", f"{outer.url}new/domain/{name}")
                if answer == 429:
                    self.send_header("Retry-After", "7200")
                self.send_header("Content-Type", "application/rdap+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://{address}:{self.server.server_port}/"
        self.bootstrap = {
            "version": "1.0",
            "publication": "2026-01-01T00:00:00Z",
            "services": [[["jp"], [self.url]], [["example"], [self.url + "old/"]]],
        }
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, name, *states, expires="2036-01-01T00:00:00Z", registrar="Kaisha"):
        self.domains[name] = {
            "objectClassName": "domain",
            "ldhName": name.upper(),
            "status": list(states),
            "events": [{"eventAction": "expiration", "eventDate": expires}],
            "entities": [
                {"roles": ["registrar"], "vcardArray": ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", registrar]]]}
            ],
        }

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("registry")
    address = new_address()

    class World:
        registry = Registry(address)
        names = Dns(folder, address)

    World.address = address
    World.names.add_zone("works.jp")
    World.names.set("works.jp", "A", address)
    yield World
    World.registry.stop()
    World.names.stop()


def driver(program, world, bootstrap):  # noqa: F811
    return Driver(
        program, "--forwarder", world.names.forwarder, "--allow", "127.0.0.0/8", "--thumbprint", THUMBPRINT,
        "--rdap", bootstrap, "--http", free_port(world.address), "--https", free_port(world.address),
    )  # fmt: skip


def registration(answer):
    return answer["names"][0]["registration"]


def test_asked_where_dns_has_no_answer(world, program):  # noqa: F811
    r = world.registry
    r.put("gone.jp", "redemption period", expires="2020-01-01T00:00:00Z", registrar="お名前")
    r.put("held.jp", "client hold")
    r.put("works.jp", "active")
    r.put("moved.example", "server hold")
    r.domains["rubbish.jp"] = b"<html>busy</html>"
    r.domains["busy.jp"] = 429
    d = driver(program, world, r.url + "dns.json")
    jobs = {n: d.start("dns", n) for n in ("gone.jp", "www.held.jp", "free.jp", "moved.example", "rubbish.jp", "busy.jp", "a.org")}
    got = d.answers(len(jobs))
    got = {n: registration(got[job]) for n, job in jobs.items()}
    assert (got["gone.jp"]["status"], got["gone.jp"]["is_redeemable"], got["gone.jp"]["registrar"]) == ("FOUND", True, "お名前")
    assert got["gone.jp"]["expires"] == 1577836800
    assert (got["www.held.jp"]["status"], got["www.held.jp"]["is_on_hold"]) == ("FOUND", True)
    assert got["free.jp"]["status"] == "NONE"
    assert got["moved.example"]["is_on_hold"] and "/new/domain/moved.example" in r.asked
    assert {got[n]["status"] for n in ("rubbish.jp", "busy.jp", "a.org")} == {"UNKNOWN"}
    # One that works does not wait for its registry; whoever looks later finds the answer. Nobody is asked twice.
    assert registration(d.one("dns", "works.jp"))["status"] in ("NOT_ASKED", "FOUND")
    assert registration(d.one("dns,registration", "works.jp"))["status"] == "FOUND"
    assert registration(d.one("dns", "works.jp"))["status"] == "FOUND"
    assert registration(d.one("dns", "busy.jp"))["status"] == "UNKNOWN"
    assert registration(d.one("dns", "gone.jp"))["status"] == "FOUND"
    asked = [path for path in r.asked if path != "/dns.json"]
    assert len(asked) == len(set(asked)) and r.asked.count("/dns.json") == 1
    d.stop()


def test_registry_that_is_away(world, program):  # noqa: F811
    silent = driver(program, world, f"http://{world.address}:{free_port(world.address)}/dns.json")
    assert registration(silent.one("dns", "gone.jp"))["status"] == "UNKNOWN"
    silent.stop()


def test_the_command_names_the_cause(world, tmp_path):
    world.registry.put("ended.jp", "redemption period", expires="2026-11-01T00:00:00Z", registrar="Kaisha")
    (tmp_path / "bootstrap.json").write_text(json.dumps(world.registry.bootstrap))
    config = tmp_path / "koshin.yaml"
    config.write_text(
        json.dumps(
            {
                "state_folder": str(tmp_path / "state"),
                "server": {"addresses": [world.address]},
                "cas": [{"name": "c", "directory": "https://ca.example/dir"}],
                "dns": {"forwarders": [world.names.forwarder]},
                "check": {"allow": ["127.0.0.0/8"], "rdap": str(tmp_path / "bootstrap.json")},
            }
        )
    )
    run = subprocess.run(
        [ROOT / "build" / "koshin", "check", "ended.jp", "-c", config, "--json"], capture_output=True, text=True
    )
    assert run.returncode == 1, run.stdout + run.stderr
    finding = json.loads(run.stdout)["names"][0]["findings"][0]
    assert finding["cause"] == "registration.domain.expired"
    assert finding["seen"] == "2026-11-01" and "Kaisha" in finding["action"]["ja"] and finding["action"]["copy"] == "ended.jp"
