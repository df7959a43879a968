"""The registry of a domain, asked over HTTP (RDAP): a registry of our own on loopback, Knot for DNS, the real probe and
the real command."""

import json
import subprocess

import pytest

from registry import Registry
from servers import Dns, free_port, new_address
from test_probe import ROOT, THUMBPRINT, Driver, program  # noqa: F401


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
