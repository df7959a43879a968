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
)  # fmt: skip


@pytest.fixture(scope="module")
def world():
    made = World(
        life=3600,
        make_ca=lambda w: FakeCa(w.folder / "fake", address=w.address, http_port=w.nginx.http_port, dns=w.dns.forwarder),
    )
    try:
        yield made
    finally:
        made.stop()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[4])
def test_what_is_said_is_what_is_found(world, row):
    at, status, kind, text, cause, who = row
    site = world.site(f"n{ROWS.index(row)}.jp")
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
