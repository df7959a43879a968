"""POST /checks: a look at any name, told step by step. It is the look of the command; nothing of somebody else's site is in its answer, it goes to
no address where nobody may send it, and who asks often waits."""

import json
import re
import socket
import sqlite3

import jsonschema
import pytest

from browser import Browser
from servers import http_get, key_pem, make_certificate, new_address, pem, until
from test_access import in_store, signed_in, PASSWORDS
from test_api import DESCRIPTION, Api
from test_cli import Local
from world import world_with_panel

A, B, FREE, SHARED = "asa.jp", "yoru.jp", "hiru.jp", "yuu.jp"
LOOKS_MAX = 16


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = world_with_panel(tmp_path_factory)
    try:
        for name, owner in ((A, "sato@example.jp"), (B, "suzuki@example.jp")):
            site = made.site(name)
            made.koshin.run("site", "add", name, "--owner", owner, "--root", site.root, "--wait")
            made.koshin.run("user", "add", owner, "--role", "owner", "--owner", owner)
        made.koshin.run("user", "add", "shien@host.example", "--role", "support")
        for mail in ("sato@example.jp", "suzuki@example.jp", "shien@host.example"):
            made.koshin.run("user", "password", mail, stdin=PASSWORDS[mail] + "\n")
        for name in (FREE, SHARED):
            made.dns.add_zone(name)
            made.dns.set(name, "A", made.address)
        yield made
    finally:
        made.stop()


@pytest.fixture(autouse=True)
def nobody_has_asked(world):
    """Each test begins with nobody made to wait."""
    forget_tries(world)


def valid(kind, document):
    schema = {"$ref": f"#/components/schemas/{kind}", "components": DESCRIPTION["components"]}
    assert [f"{e.json_path}: {e.message}" for e in jsonschema.Draft202012Validator(schema).iter_errors(document)] == []
    return document


def events_of(text):
    """(name, data) of each event."""
    found = re.findall(r"^event: (\w+)\ndata: (.*)\n$", text, re.MULTILINE)
    return [(name, json.loads(data)) for name, data in found]


def look(browser, name, **more):
    """(steps, outcome): each as the description has it."""
    answer = browser.ask("POST", "/checks", {"name": name, **more})
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/event-stream", answer.body
    *steps, last = events_of(answer.body.decode())
    assert last[0] == "check" and {name for name, _ in steps} <= {"step"}
    return [valid("CheckStep", data) for _, data in steps], valid("Check", last[1])


def causes(document):
    return [f["cause"] for n in document["names"] for f in n["findings"]]


def test_steps_and_outcome(world):
    steps, document = look(signed_in(world, "sato@example.jp"), A)
    assert {step["step"] for step in steps} == {"addresses", "http", "tls"} and all(step["answered"] for step in steps)
    assert [step["ms"] for step in steps] == sorted(step["ms"] for step in steps)
    assert document["ok"] and document["site"] == A and document["state"] == "ok"
    by_command = world.koshin.json("check", A)
    for one in (document, by_command):  # two looks, a moment apart
        del one["at"], one["served"]["at"], one["names"][0]["served"]["at"]
    assert document == by_command


def test_a_visitors_words(world):
    _, document = look(signed_in(world, "shien@host.example"), A, visitor="NET::ERR_CERT_DATE_INVALID")
    assert causes(document) == ["served.client.outdated"] and document["names"][0]["findings"][0]["seen"] == "NET::ERR_CERT_DATE_INVALID"


def test_nothing_of_another_owners_site(world):
    """What is stored of it stays there, also what would be told of it to its owner; staff see it."""
    with sqlite3.connect(world.koshin.state / "koshin.db", timeout=30) as store:
        store.execute(
            "INSERT INTO finding (site_id, subject, cause, position, seen, wanted, copy, company, evidence, acts, first_seen, last_seen, next_look, "
            "times_seen, is_from_order) SELECT site_id, name, 'ca.unclassified', 99, 'secret words', '', '', '', 'secret evidence', 'host', "
            f"unixepoch(), unixepoch(), unixepoch() + 86400, 1, 1 FROM name WHERE name = '{B}'"
        )
    _, theirs = look(signed_in(world, "shien@host.example"), B)
    assert theirs["site"] == B and "secret words" in json.dumps(theirs)
    _, document = look(signed_in(world, "sato@example.jp"), B)
    text = json.dumps(document)
    assert document["site"] is None and document["state"] is None and not document["names"][0]["held"]
    for word in ("secret", "suzuki", "ca.unclassified"):
        assert word not in text, word
    # But for what visitors are shown, it is like a name that nobody has.
    _, nobodys = look(signed_in(world, "sato@example.jp"), FREE)
    assert document.keys() == nobodys.keys() and nobodys["site"] is None and document["names"][0].keys() == nobodys["names"][0].keys()


def test_certificates_of_a_shared_server(world):
    """It shows one customer the certificate of another: an owner is told that it is another's, not whose. Staff are."""
    key, leaf = make_certificate(B, None, None, ["neighbour.example", f"www.{SHARED}"])
    for end, content in (("key", key_pem(key)), ("pem", pem(leaf))):
        (world.folder / f"shared.{end}").write_bytes(content)
    world.nginx.extra.write_text(
        f"server {{ listen {world.address}:{world.nginx.https_port} ssl; server_name {SHARED}; return 204;\n"
        f"ssl_certificate {world.folder}/shared.pem; ssl_certificate_key {world.folder}/shared.key; }}\n"
        f"server {{ listen {world.address}:{world.nginx.http_port}; server_name {SHARED}; return 204; }}\n"
    )
    world.nginx.reload()
    until("nginx has its new text", lambda: http_get(SHARED, world.address, world.nginx.http_port)[0] == 204)
    support, owner = signed_in(world, "shien@host.example"), signed_in(world, "sato@example.jp")
    until("a handshake shows it", lambda: "neighbour.example" in json.dumps(look_again(world, support, SHARED)))
    document = look_again(world, owner, SHARED)
    assert {"served.name.missing", "served.certificate.wrong"} & set(causes(document)), causes(document)
    text = json.dumps(document)
    assert "neighbour.example" not in text and f"www.{SHARED}" in text


def look_again(world, browser, name):
    forget_tries(world)
    return look(browser, name)[1]


INSIDE = {"ten": "10.0.0.1", "metadata": "169.254.169.254", "this": "0.0.0.0", "office": "192.168.1.1", "shared": "100.64.0.1",
          "unique": "fc00::1", "link": "fe80::1", "mapped": "::ffff:10.0.0.1", "translated": "64:ff9b::a00:1"}  # fmt: skip


def test_no_way_inside(world, attack):
    """A name of anybody's that leads into a network of ours: no connection is made, whoever asks."""
    world.dns.add_zone("inside.jp")
    for label, address in INSIDE.items():
        world.dns.set(f"{label}.inside.jp", "AAAA" if ":" in address else "A", address)
    browser = signed_in(world, "sato@example.jp")
    for label in INSIDE:
        document = look_again(world, browser, f"{label}.inside.jp")
        (name,) = document["names"]
        assert [(a["http_status"], a["certificate"]) for a in name["addresses"]] == [(None, None)], name
        assert causes(document)[0] == "dns.address.reserved", (label, causes(document))
        assert any("not tried: an address for inside networks" in line for line in name["findings"][0]["evidence"]), name["findings"][0]["evidence"]
    for name in ("127.0.0.1", "[::1]", "localhost", "a b.jp", "http://asa.jp/", "asa.jp:22", "x" * 254, "-.jp", "*.*.jp", ""):
        answer = browser.ask("POST", "/checks", {"name": name})
        assert answer.status == 422, (name, answer.body)
        Api.judge("check_name", 422, answer.headers["Content-Type"], answer.json)
    attack("a look into a network of ours", len(INSIDE))


def test_a_page_leads_nowhere_inside(world):
    """A server that forwards the look into a network of ours."""
    world.dns.add_zone("leads.jp")
    world.dns.set("leads.jp", "A", world.address)
    world.nginx.extra.write_text(
        f"server {{ listen {world.address}:{world.nginx.http_port}; server_name leads.jp; return 302 http://169.254.169.254/latest/meta-data/; }}\n"
    )
    world.nginx.reload()
    until("nginx has its new text", lambda: http_get("leads.jp", world.address, world.nginx.http_port)[0] == 302)
    document = look_again(world, signed_in(world, "sato@example.jp"), "leads.jp")
    evidence = "\n".join(document["names"][0]["findings"][0]["evidence"])
    assert "not tried: an address for inside networks" in evidence, evidence


def test_who_may(world):
    body = {"name": A}
    assert Browser(world.port).ask("POST", "/checks", body).status == 401
    browser = signed_in(world, "sato@example.jp")
    assert browser.ask("POST", "/checks", body, Origin="https://evil.example").status == 403
    assert browser.ask("POST", "/checks", body, X_CSRF_Token="x" * 43).status == 403
    tokens = {}
    for scope in ("sites.read", "sites.check"):
        made = browser.ask("POST", "/tokens", {"name": scope, "scopes": [scope], "days": 1})
        assert made.status == 201, made.body
        tokens[scope] = {"Authorization": f"Bearer {made.json['token']}"}
    assert Browser(world.port).ask("POST", "/checks", body, **tokens["sites.read"]).status == 403
    program = Browser(world.port)
    answer = program.ask("POST", "/checks", body, **tokens["sites.check"])
    assert answer.status == 200 and events_of(answer.body.decode())[-1][1]["site"] == A
    for wrong in ({}, {"name": 1}, {"name": A, "more": 1}, {"name": A, "visitor": "a\nb"}, {"name": A, "visitor": ""}):
        assert browser.ask("POST", "/checks", wrong).status == 422, wrong


def forget_tries(world):
    with sqlite3.connect(world.koshin.state / "koshin.db", timeout=30) as store:
        store.execute("DELETE FROM attempt")


def test_who_asks_often_waits(world):
    """For names of one registered domain, whoever asks; and for all that one owner asks for. At koshin's own socket nobody waits."""
    owner, support = signed_in(world, "suzuki@example.jp"), signed_in(world, "shien@host.example")
    forget_tries(world)
    for browser, name in ((owner, FREE), (support, f"www.{FREE}")):
        assert browser.ask("POST", "/checks", {"name": name}).status == 200
    counts = dict(in_store(world, "SELECT subject, failures FROM attempt"))
    assert sorted(counts.values()) == [1, 2], "one look of the owner's, two at the domain"
    at_owner = min(counts, key=counts.get)
    with sqlite3.connect(world.koshin.state / "koshin.db", timeout=30) as store:
        store.execute("UPDATE attempt SET failures = 60, failed_at = failed_at + 86400 WHERE subject = ?", (at_owner,))
    refused = owner.ask("POST", "/checks", {"name": "nobody-has-asked.jp"})
    assert refused.status == 429 and 0 < int(refused.headers["Retry-After"]) <= 10
    Api.judge("check_name", 429, refused.headers["Content-Type"], refused.json)
    assert "check" in refused.json["detail"] and "minute" in refused.json["detail"]
    assert support.ask("POST", "/checks", {"name": "nobody-has-asked.jp"}).status == 200
    assert [support.ask("POST", "/checks", {"name": f"a{n}.{FREE}"}).status for n in range(4)] == [200, 200, 200, 429]
    assert support.ask("POST", "/checks", {"name": A}).status == 200, "another domain is not concerned"
    assert events_at_socket(world, FREE)[-1][0] == "check"


def events_at_socket(world, name):
    connection = Local(world)
    connection.request("POST", "/api/v1/checks", json.dumps({"name": name}))
    answer = connection.getresponse()
    assert answer.status == 200
    return events_of(answer.read().decode())


def test_so_many_at_one_time(world):
    """More are refused, with words; a reader who leaves makes no room before his look has ended."""
    address = new_address()
    world.dns.add_zone("mute.jp")
    world.dns.set("mute.jp", "A", address)
    with socket.create_server((address, world.nginx.http_port), backlog=64):  # takes connections and says nothing
        begun = []
        for _ in range(LOOKS_MAX):
            connection = Local(world)
            connection.request("POST", "/api/v1/checks", json.dumps({"name": "mute.jp"}))
            answer = connection.getresponse()
            assert answer.status == 200
            begun.append((connection, answer))
        status, headers, document = Local(world).ask("POST", "/api/v1/checks", json.dumps({"name": A}))
        assert status == 503, document
        Api.judge("check_name", 503, headers["Content-Type"], document)
        for connection, _ in begun[:4]:
            connection.sock.shutdown(socket.SHUT_RDWR)
        assert Local(world).ask("POST", "/api/v1/checks", json.dumps({"name": A}))[0] == 503
        for _, answer in begun[4:]:
            assert events_of(answer.read().decode())[-1][0] == "check"
    until("there is room again", lambda: look_status(world, A) == 200)


def look_status(world, name):
    connection = Local(world)
    connection.request("POST", "/api/v1/checks", json.dumps({"name": name}))
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_the_end_of_the_process_ends_looks(world):
    """koshin is told to end while looks are under way: it ends at once and well."""
    address = new_address()
    with socket.create_server((address, world.nginx.http_port), backlog=64):
        connection = Local(world)
        connection.request("POST", "/api/v1/checks", json.dumps({"name": "mute.jp"}))
        answer = connection.getresponse()
        assert answer.status == 200
        assert world.koshin.stop() == 0
    world.koshin.start()
    assert events_of(answer.read().decode())[-1:] != [("check", None)]
