"""What a CA says becomes the cause that it means: each problem document comes over the wire from the fake CA, at the place where a CA says
it, and the finding of the site says so. The texts are Boulder's."""

import json

import pytest

from fake_ca import FakeCa
from world import World

AGAIN = "in the last 168h0m0s, retry after 2099-01-01 00:00:00 UTC: see https://letsencrypt.org/docs/rate-limits/"

# Where it is said, with which status and type, in which words, and what that is.
ROWS = (
    ("new-order", 400, "rejectedIdentifier", 'Cannot issue for "{name}": The ACME server refuses to issue a certificate for this domain name, because it is forbidden by policy',
     "registration.name.forbidden", "host"),
    ("new-order", 400, "rejectedIdentifier", 'Cannot issue for "{name}": domain name contains too many subdomain labels indicative of recursive on-demand issuance',
     "registration.name.recursive", "host"),
    ("new-order", 400, "malformed", 'Cannot issue for "{name}": Domain name has more than 10 labels (parts)', "registration.name.invalid", "owner"),
    ("new-order", 429, "rateLimited", f"too many certificates (5) already issued for this exact set of identifiers {AGAIN}", "ca.limit.exact-set", "nobody"),
    ("new-order", 429, "rateLimited", f'too many certificates (50) already issued for "{{name}}" {AGAIN}', "ca.limit.registered-domain", "nobody"),
    ("new-order", 429, "rateLimited", f'too many failed authorizations (5) for "{{name}}" {AGAIN}', "ca.limit.failed-authorizations", "nobody"),
    ("new-order", 429, "rateLimited", "a limit of a new kind was reached", "ca.limit.other", "nobody"),
    ("new-order", 400, "malformed", "NewOrder request included invalid fields", "ca.request.rejected", "host"),
    ("finalize", 400, "badCSR", "invalid public key in CSR: key is on the list of compromised ones", "ca.csr.rejected", "host"),
    ("finalize", 403, "caa", 'Rechecking CAA for "{name}" and 1 more identifiers failed. Refer to sub-problems for more information', "ca.caa.recheck-failed",
     "domain-company"),
    ("challenge", 400, "dns", "DNS problem: SERVFAIL looking up A for {name}: Blocked", "dns.answer.filtered", "host"),
    ("challenge", 400, "dns", "a failure of a new kind", "dns.unclassified", "host"),
    ("challenge", 400, "connection", "Error getting validation data", "transport.unclassified", "host"),
    ("challenge", 400, "connection", "During secondary validation: {address}: Fetching http://{name}/: Timeout during connect (likely firewall problem)",
     "transport.secondary-validation.timeout", "host"),
    ("challenge", 400, "connection", "During secondary validation: 192.0.2.1: Fetching http://{name}/: Timeout during connect (likely firewall problem)",
     "dns.view.split", "domain-company"),
    ("challenge", 400, "connection", "{address}: Fetching http://{name}/: Timeout during connect (likely firewall problem)", "transport.connect.geo-blocked", "host"),
    ("challenge", 403, "unauthorized", "a refusal of a new kind", "http.unclassified", "host"),
    ("challenge", 403, "unauthorized", "No TXT record found at _acme-challenge.{name}", "dns.txt.missing", "domain-company"),
    ("challenge", 403, "unauthorized", 'Incorrect TXT record "left over" found at _acme-challenge.{name}', "dns.txt.wrong", "host"),
    ("finalize", 403, "orderNotReady", "Order's status (pending) is not acceptable for finalization", "ca.order.unusable", "host"),
    ("challenge", 500, "serverInternal", "During secondary validation: Secondary validation RPC failed", "ca.service.internal-error", "nobody"),
)  # fmt: skip
# What is said to one and meant for all: after it this CA is asked for nothing for a while, so each has a world of its own.
FOR_ALL = (
    ("new-order", 429, "rateLimited", f"too many new orders (300) from this account {AGAIN}", "ca.limit.new-orders", "host"),
    ("new-order", 429, "rateLimited", "Service busy; retry later.", "ca.service.busy", "nobody"),
    ("new-order", 500, "serverInternal", "The service is down for maintenance or had an internal error. Check https://letsencrypt.status.io/ for more details.",
     "ca.service.down", "nobody"),
    ("new-order", 403, "malformed", "Account blocked :: abuse", "ca.account.blocked", "host"),
    ("new-order", 403, "userActionRequired", "Terms of service have changed", "ca.terms.not-agreed", "host"),
    ("new-order", 403, "externalAccountRequired", "no external account", "ca.eab.invalid", "host"),
    ("new-order", 403, "unauthorized", 'Account is not valid, has status "deactivated"', "own.acme-account.unusable", "host"),
)  # fmt: skip


def make_world():
    return World(
        life=3600,
        make_ca=lambda w: FakeCa(w.folder / "fake", address=w.address, http_port=w.nginx.http_port, dns=w.dns.forwarder),
    )


@pytest.fixture(scope="module")
def world():
    made = make_world()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def fresh():
    made = make_world()
    try:
        yield made
    finally:
        made.stop()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[4])
def test_what_is_said_is_what_is_found(world, row):
    found(world, f"n{ROWS.index(row)}.jp", row)


@pytest.mark.parametrize("row", FOR_ALL, ids=lambda row: row[4])
def test_what_is_said_to_one_is_meant_for_all(fresh, row):
    found(fresh, "minna.jp", row)


def found(world, name, row):
    at, status, kind, text, cause, who = row
    site = world.site(name)
    said = text.format(name=site.name, address=world.address)
    quote = '"' if "'" in said else "'"
    world.ca.say(f"refuse {at} {status} {kind} {quote}{said}{quote}")
    try:
        site.add()
        finding = site.until_finding(cause)
    finally:
        world.ca.say(f"refuse {at} none")
    assert finding["who"] == who
    # Raw, as it came.
    assert any(json.dumps(said)[1:-1] in line for line in finding["evidence"]), finding["evidence"]
    assert all(both["ja"] and both["en"] for both in (finding["title"], finding["explanation"], finding["action"], finding["next"]))
