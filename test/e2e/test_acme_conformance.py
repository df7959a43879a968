"""The ACME port and the order machine against pebble, the fake CA, Caddy, and a server that answers with rubbish.

What those CAs themselves do is held against the RFCs in test_acme_servers.py.

The program is test/peer/acme_conformance (`make build/test/peer/acme_conformance`); KOSHIN_BUILD names another build
folder. Rubbish is always read under the sanitizers: a byte read too far is a failure, not a matter of luck.
"""

import concurrent.futures
import functools
import os
import pathlib
import subprocess

import pytest

import caddy
import fake_ca
import pebble
import rubbish

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = os.environ.get("KOSHIN_BUILD", "build")


@functools.cache
def program(folder):
    flavour = "asan" if folder.endswith("asan") else "release"
    path = ROOT / folder / "test/peer/acme_conformance"
    if not path.exists():
        subprocess.run(["make", "-s", f"BUILD={folder}", f"FLAVOUR={flavour}", path.relative_to(ROOT)], cwd=ROOT, check=True)
    return path


def run(directory, bundle, port, *cases, folder=BUILD):
    """Lines of the program; every line that begins with FAIL fails the test, and so does a crash or a hang."""
    done = subprocess.run(
        [program(folder), directory, bundle, str(port), *cases],
        env={**os.environ, "EAB_KID": pebble.EAB_KID, "EAB_HMAC": pebble.EAB_HMAC},
        capture_output=True,
        text=True,
        timeout=240,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and not [line for line in lines if line.startswith("FAIL")], done.stdout + done.stderr
    return [line for line in lines if line.startswith("ok ")]


# RFC 8555 7.3.1 account; 7.4 and 7.4.2 issue; 8.3 wrong; 7.4 unknown-order and finalize-twice; 7.6 revoke.
WHOLE_LIFE = ("account", "issue", "wrong", "unknown-order", "finalize-twice", "revoke")
ORDERED = [
    "one.example", "two.example", "www.two.example", "five.example", "revoke.example",
    *[f"{letter}.five.example" for letter in "abcd"],
]  # fmt: skip


def test_whole_life_of_certificates(tmp_path):
    with pebble.Pebble(tmp_path) as ca:
        lines = run(ca.directory, ca.bundle, ca.http_port, *WHOLE_LIFE)
    assert len(lines) == 10


def test_whole_life_at_the_fake_ca(tmp_path):
    with fake_ca.FakeCa(tmp_path) as ca:
        lines = run(ca.directory, ca.bundle, ca.http_port, *WHOLE_LIFE, "many")
        assert len(lines) == 11 and ca.status()["early"] == 0


def test_whole_life_at_caddy(tmp_path):
    """Caddy lets a failed challenge be tried again, finalizes twice, and has no words for an order that it does not know."""
    with caddy.Caddy(tmp_path, ORDERED) as ca:
        lines = run(ca.directory, ca.bundle, f"{ca.address}:{ca.http_port}", "account", "issue", "revoke")
    assert len(lines) == 7


def test_hundred_orders_at_once(tmp_path):
    with pebble.Pebble(tmp_path) as ca:
        run(ca.directory, ca.bundle, ca.http_port, "many")


def test_every_other_nonce_is_refused(tmp_path):
    with pebble.Pebble(tmp_path, env={"PEBBLE_WFE_NONCEREJECT": "50"}) as ca:
        run(ca.directory, ca.bundle, ca.http_port, "account", "issue", "finalize-twice", "revoke", "many")


def test_authorizations_are_reused(tmp_path):
    with pebble.Pebble(tmp_path, env={"PEBBLE_AUTHZREUSE": "100"}) as ca:
        run(ca.directory, ca.bundle, ca.http_port, "issue", "issue")


def test_ca_that_takes_its_time(tmp_path):
    with pebble.Pebble(tmp_path, env={"PEBBLE_VA_NOSLEEP": "", "PEBBLE_VA_SLEEPTIME": "3"}) as ca:
        run(ca.directory, ca.bundle, ca.http_port, "issue-slow")


def test_external_account_binding(tmp_path):
    with pebble.Pebble(tmp_path, eab=True) as ca:
        assert len(run(ca.directory, ca.bundle, ca.http_port, "eab")) == 3


def test_front_end_that_is_busy(tmp_path):
    """Retry-After of a 503 speaks for an endpoint, not for one order: nothing else is sent there meanwhile."""
    words = "fault busy 3% 4x 1s", "fault busy-date 2% 3x 2s", "fault bad-nonce 30%"
    with fake_ca.FakeCa(tmp_path, *words) as ca:
        run(ca.directory, ca.bundle, ca.http_port, "many")
        faults = [row["fault"] for row in ca.log()]
        assert ca.status()["early"] == 0 and faults.count("busy") + faults.count("busy-date") == 7


def test_port_that_goes_away_in_the_middle(tmp_path):
    with pebble.Pebble(tmp_path) as ca:
        run(ca.directory, ca.bundle, ca.http_port, "gone")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """All faults at the same time: each order spends most of its life waiting before it tries again."""

    def play(fault, folder):
        with rubbish.Server(folder, fault) as ca:
            case = "fail" if fault.cause else "survive"
            return run(ca.directory, ca.bundle, ca.http_port, case, folder="build-asan"), ca.requests

    program("build-asan")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        return {fault: pool.submit(play, fault, tmp_path_factory.mktemp("rubbish")) for fault in rubbish.FAULTS}


@pytest.mark.parametrize("fault", rubbish.FAULTS, ids=str)
def test_rubbish_ends_with_a_finding(outcomes, fault):
    lines, requests = outcomes[fault].result()
    assert requests > 0
    if fault.cause == "":
        assert lines[-1].startswith("ok order gets through"), lines
        return
    assert len(lines) == 1, lines
    if fault.stage not in ("directory", "nonce"):
        assert lines[0].startswith("ok order fails"), lines
    assert fault.cause in lines[0], lines
