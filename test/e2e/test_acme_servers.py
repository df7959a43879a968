"""One suite for every CA that tests stand on: what RFC 8555 and RFC 9773 demand of a server, a section for each case.

A CA is run through each case that its declared abilities allow. What the directory can say of an ability, it has to say:
an ability that is declared and not there, or there and not declared, is a failure. Where a CA is known to do other than
the RFC says, that is declared too, and the case has to fail. Nothing is skipped.
"""

import base64
import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

import acme_raw
import caddy
import fake_ca
import pebble
from acme_raw import Account, Key, b64
from servers import until

# Abilities beyond the core: the first line, PROFILES and TERMS stand in the directory.
KEY_CHANGE, RENEWAL_INFO, PROFILES, REVOKE = "keyChange", "renewalInfo", "profiles", "revokeCert"
ALTERNATES, SUBPROBLEMS, REVOKE_BY_KEY, ORDERS, TERMS = "alternates", "subproblems", "revoke-by-key", "orders", "terms"
DEACTIVATE_AUTHZ = "deactivate-authz"
REASONS, CONTACTS, NO_DATES = "reasons", "contacts", "no-dates"
FAILS_AT_ONCE = "fails-at-once"  # a wrong answer ends the authorization; else the client may try again (8.2)

NAMES = [f"{word}{n}.example" for word in ("good", "wrong", "www.good") for n in range(60)]


class Fake:
    abilities = {
        KEY_CHANGE, RENEWAL_INFO, PROFILES, REVOKE, FAILS_AT_ONCE, ALTERNATES, SUBPROBLEMS, REVOKE_BY_KEY, ORDERS, TERMS,
        DEACTIVATE_AUTHZ, REASONS, CONTACTS, NO_DATES,
    }  # fmt: skip

    def start(self, folder):
        return fake_ca.FakeCa(folder)


class Pebble:
    abilities = {
        KEY_CHANGE, REVOKE, FAILS_AT_ONCE, REVOKE_BY_KEY, ORDERS, TERMS, DEACTIVATE_AUTHZ, ALTERNATES, REASONS, CONTACTS,
    }  # fmt: skip

    def start(self, folder):
        return pebble.Pebble(folder, env={"PEBBLE_ALTERNATE_ROOTS": "1", "PEBBLE_WFE_ORDERS_PER_PAGE": "1000"})


class Caddy:
    abilities = {KEY_CHANGE, REVOKE, REVOKE_BY_KEY, REASONS}

    def start(self, folder):
        return caddy.Caddy(folder, NAMES)


CAS = {"fake": Fake(), "pebble": Pebble(), "caddy": Caddy()}
CASES = []


def case(section, *needs):
    def put(function):
        CASES.append((section, set(needs), function))
        return function

    return put


class Ground:
    """A CA that runs, one client, one account, and whoever answers challenges."""

    def __init__(self, name, folder):
        self.abilities = CAS[name].abilities
        self.ca = CAS[name].start(folder)
        self.responder = acme_raw.Responder(self.ca.address if name == "caddy" else "127.0.0.1", self.ca.http_port)
        self.client = acme_raw.Client(self.ca.directory, self.ca.bundle)
        self.directory = self.client.directory
        self.account = Account(self.client, contact=["mailto:someone@host.example"])
        self._n = 0

    def name(self, word="good"):
        self._n += 1
        return f"{word}{self._n}.example"

    def stop(self):
        self.responder.stop()
        self.ca.stop()

    def challenge(self, account, authz_url, kind="http-01"):
        authz = account.get(authz_url).json
        found = [c for c in authz["challenges"] if c["type"] == kind]
        self.responder.thumbprints[found[0]["token"]] = account.key.thumbprint
        return found[0]

    def settle(self, account, order):
        """Answers every challenge and waits until the order is no longer pending."""
        url = order.headers["Location"]
        for authz in order.json["authorizations"]:
            if account.get(authz).json["status"] == "pending":
                answer = account.post(self.challenge(account, authz)["url"], {})
                assert answer.status == 200, answer
        return until("the order is settled", lambda: (o := account.get(url)).json["status"] != "pending" and o, 20, 0.05)

    def finalize(self, account, order, csr):
        answer = account.post(order.json["finalize"], {"csr": csr})
        if answer.status != 200 or answer.json["status"] == "valid":
            return answer
        url = order.headers["Location"]
        return until("the certificate", lambda: (o := account.get(url)).json["status"] == "valid" and o, 20, 0.05)

    def issue(self, account=None, names=None, key=None, **more):
        """(order, chain as it came)."""
        account, names = account or self.account, names or [self.name()]
        order = account.order(*names, **more)
        assert order.status == 201, order
        ready = self.settle(account, order)
        assert ready.json["status"] == "ready", ready
        done = self.finalize(account, order, acme_raw.csr(names, key))
        return order, account.get(done.json["certificate"])


@pytest.fixture(scope="module")
def grounds(tmp_path_factory):
    running = {}

    def get(name):
        if name not in running:
            running[name] = Ground(name, tmp_path_factory.mktemp(name))
        return running[name]

    yield get
    for ground in running.values():
        ground.stop()


def chain_of(answer):
    assert answer.headers["Content-Type"].startswith("application/pem-certificate-chain"), answer.headers
    parts = answer.body.split(b"-----BEGIN CERTIFICATE-----")[1:]
    return [x509.load_pem_x509_certificate(b"-----BEGIN CERTIFICATE-----" + part) for part in parts]


def der(certificate):
    return b64(certificate.public_bytes(serialization.Encoding.DER))


def refused(answer, type_, *statuses):
    assert answer.status in (statuses or range(400, 500)) and answer.type == type_, answer


# --- RFC 8555 6: messages ---


@case("8555 7.1.1")
def directory_names_its_resources(g):
    for field in ("newNonce", "newAccount", "newOrder"):
        assert g.directory[field].startswith("https://"), field


@case("8555 7.1")
def every_answer_leads_to_the_directory(g):
    assert g.account.order(g.name()).links("index") == [g.ca.directory]


@case("8555 7.2")
def new_nonce_by_head_and_get(g):
    for method, status in (("HEAD", 200), ("GET", 204)):
        answer = g.client.fetch(method, g.directory["newNonce"])
        assert answer.status == status and answer.nonce and "no-store" in answer.headers["Cache-Control"], answer.headers


@case("8555 6.5")
def a_nonce_is_good_once(g):
    nonce = g.client.nonce()
    url = g.directory["newOrder"]
    assert g.account.order(g.name()).status == 201
    body = {"identifiers": [{"type": "dns", "value": g.name()}]}
    assert g.client.post(url, body, g.account.key, g.account.url, header={"nonce": nonce}).status == 201
    again = g.client.post(url, body, g.account.key, g.account.url, header={"nonce": nonce})
    refused(again, "badNonce", 400)
    # The refusal brings a nonce with which to try again.
    assert again.nonce and g.client.post(url, body, g.account.key, g.account.url, header={"nonce": again.nonce}).status == 201


@case("8555 6.5.2")
def invented_and_missing_nonces_are_refused(g):
    refused(g.account.post(g.directory["newOrder"], {}, header={"nonce": "QUJDREVGRw"}), "badNonce", 400)
    refused(g.account.post(g.directory["newOrder"], {}, header={"nonce": None}), "badNonce", 400)


@case("8555 6.5.1")
def every_post_brings_a_nonce(g):
    seen = {g.account.order(g.name()).nonce, g.account.post(g.directory["newOrder"], {}).nonce, g.account.get(g.account.url).nonce}
    assert None not in seen and len(seen) == 3


@case("8555 6.4")
def the_url_is_part_of_what_is_signed(g):
    answer = g.account.post(g.directory["newOrder"], {}, header={"url": g.directory["newAccount"]})
    assert answer.status in (400, 401, 403), answer


@case("8555 6.2")
def the_type_of_a_post_is_jose(g):
    answer = g.account.post(g.directory["newOrder"], {}, type_="application/json")
    refused(answer, "malformed", 415)


@case("8555 6.2")
def none_and_mac_are_no_signatures(g):
    for alg in ("none", "HS256"):
        answer = g.account.post(g.directory["newOrder"], {}, header={"alg": alg})
        assert 400 <= answer.status < 500 and answer.status != 201, answer


@case("8555 6.2")
def an_algorithm_that_is_not_offered_is_named(g):
    refused(g.account.post(g.directory["newOrder"], {}, header={"alg": "ES512"}), "badSignatureAlgorithm", 400)


@case("8555 6.2")
def key_and_key_id_exclude_each_other(g):
    refused(g.account.post(g.directory["newOrder"], {}, header={"jwk": g.account.key.jwk}), "malformed", 400)
    refused(g.account.post(g.directory["newOrder"], {}, header={"kid": None, "jwk": g.account.key.jwk}), "malformed", 400)


@case("8555 6.2")
def a_header_outside_of_the_signature_is_refused(g):
    url = g.directory["newOrder"]
    body = acme_raw.jws(g.account.key, {"alg": "ES256", "nonce": g.client.nonce(), "url": url, "kid": g.account.url}, {})
    answer = g.client.raw(url, {**body, "header": {"kid": g.account.url}})
    assert 400 <= answer.status < 500, answer


@case("8555 6.2")
def a_broken_signature_is_refused(g):
    url = g.directory["newOrder"]
    body = acme_raw.jws(g.account.key, {"alg": "ES256", "nonce": g.client.nonce(), "url": url, "kid": g.account.url}, {})
    other = acme_raw.jws(Key(), {"alg": "ES256"}, {})
    assert 400 <= g.client.raw(url, {**body, "signature": other["signature"]}).status < 500
    assert 400 <= g.client.raw(url, b"{ this is no JSON").status < 500


@case("8555 6.3")
def objects_are_not_had_by_get(g):
    order = g.account.order(g.name())
    assert g.client.fetch("GET", order.headers["Location"]).status in (404, 405)


@case("8555 6.3")
def post_as_get_has_no_payload(g):
    order = g.account.order(g.name())
    assert g.account.get(order.headers["Location"]).status == 200
    assert g.account.get(order.json["authorizations"][0]).status == 200


@case("8555 6.7")
def problems_are_problem_documents(g):
    answer = g.account.post(g.directory["newOrder"], {})
    assert answer.json["type"].startswith(acme_raw.PREFIX) and answer.json["detail"], answer


# --- accounts ---


@case("8555 7.3")
def an_account_is_made_and_found_again(g):
    a = Account(g.client, contact=["mailto:first@host.example"])
    assert a.answer.status == 201 and a.answer.json["status"] == "valid" and a.url.startswith("https://")
    again = Account(g.client, a.key)
    assert again.answer.status == 200 and again.url == a.url


@case("8555 7.3.1")
def only_an_existing_account_is_returned(g):
    unknown = Account(g.client, onlyReturnExisting=True)
    refused(unknown.answer, "accountDoesNotExist", 400)
    known = Account(g.client, g.account.key, onlyReturnExisting=True)
    assert known.answer.status == 200 and known.url == g.account.url


@case("8555 7.3", TERMS)
def terms_are_to_be_agreed_to(g):
    assert g.directory["meta"]["termsOfService"]
    assert Account(g.client, termsOfServiceAgreed=False).answer.status in (400, 403)


@case("8555 7.3.2")
def contacts_are_changed(g):
    a = Account(g.client, contact=["mailto:first@host.example"])
    answer = a.post(a.url, {"contact": ["mailto:second@host.example"]})
    assert answer.status == 200 and answer.json["contact"] == ["mailto:second@host.example"], answer
    assert a.get(a.url).json["contact"] == ["mailto:second@host.example"]


@case("8555 7.3", CONTACTS)
def contacts_that_cannot_be_used_are_refused(g):
    refused(Account(g.client, contact=["tel:+81355555555"]).answer, "unsupportedContact", 400)
    answer = Account(g.client, contact=["mailto:no mail address"]).answer
    assert answer.status == 400 and answer.type in ("invalidContact", "unsupportedContact", "malformed"), answer


@case("8555 7.3.6")
def a_deactivated_account_can_do_nothing(g):
    a = Account(g.client)
    assert a.post(a.url, {"status": "deactivated"}).json["status"] == "deactivated"
    answer = a.order(g.name())
    refused(answer, "unauthorized", 401, 403)


@case("8555 6.2")
def an_account_that_is_not_known(g):
    answer = g.client.post(g.directory["newOrder"], {}, Key(), g.account.url[:-4] + "0000")
    assert answer.status in (400, 401, 403), answer


@case("8555 7.3.5", KEY_CHANGE)
def the_key_of_an_account_is_changed(g):
    a, new, url = Account(g.client), Key(), g.directory["keyChange"]

    def inner(key, account, old):
        return acme_raw.jws(key, {"alg": "ES256", "jwk": key.jwk, "url": url}, {"account": account, "oldKey": old.jwk})

    assert a.post(url, inner(new, g.account.url, a.key)).status in (400, 401, 403)  # another's account
    assert a.post(url, inner(new, a.url, Key())).status in (400, 401, 403)  # not its present key
    assert a.post(url, inner(new, a.url, a.key)).status == 200
    assert a.order(g.name()).status in (400, 401, 403)  # by the old key
    a.key = new
    assert a.order(g.name()).status == 201
    assert Account(g.client, new, onlyReturnExisting=True).url == a.url


@case("8555 7.3.5", KEY_CHANGE)
def a_key_that_is_in_use_is_refused(g):
    a, url = Account(g.client), g.directory["keyChange"]
    body = {"account": a.url, "oldKey": a.key.jwk}
    taken = a.post(url, acme_raw.jws(g.account.key, {"alg": "ES256", "jwk": g.account.key.jwk, "url": url}, body))
    assert taken.status == 409 and taken.headers["Location"] == g.account.url, taken


@case("8555 7.1.2.1", ORDERS)
def an_account_lists_its_orders(g):
    a = Account(g.client)
    order = a.order(g.name())
    answer = a.get(a.get(a.url).json["orders"])
    assert order.headers["Location"] in answer.json["orders"], answer


# --- orders and authorizations ---


@case("8555 7.4")
def an_order_says_what_is_to_be_done(g):
    names = [g.name(), "www." + g.name()]
    order = g.account.order(*names)
    assert order.status == 201 and order.headers["Location"].startswith("https://")
    o = order.json
    assert o["status"] == "pending" and sorted(i["value"] for i in o["identifiers"]) == sorted(names)
    assert len(o["authorizations"]) == 2 and o["finalize"].startswith("https://") and "certificate" not in o
    assert datetime.datetime.fromisoformat(o["expires"].replace("Z", "+00:00")) > datetime.datetime.now(datetime.timezone.utc)


@case("8555 7.4")
def identifiers_that_cannot_be_had(g):
    refused(g.account.post(g.directory["newOrder"], {"identifiers": []}), "malformed", 400)
    answer = g.account.order("a_b.example")
    assert answer.status == 400 and answer.type in ("rejectedIdentifier", "malformed"), answer
    answer = g.account.post(g.directory["newOrder"], {"identifiers": [{"type": "mail", "value": "a@b.example"}]})
    assert answer.status == 400 and answer.type in ("unsupportedIdentifier", "malformed"), answer


@case("8555 6.7.1", SUBPROBLEMS)
def each_bad_name_has_its_own_problem(g):
    answer = g.account.order("a_b.example", "good.example", "c d.example")
    refused(answer, "rejectedIdentifier", 400)
    sub = answer.json["subproblems"]
    assert [s["identifier"]["value"] for s in sub] == ["a_b.example", "c d.example"] and all(s["detail"] for s in sub)


@case("8555 7.4", NO_DATES)
def dates_of_the_clients_own_are_refused(g):
    refused(g.account.order(g.name(), notAfter="2027-01-01T00:00:00Z"), "malformed", 400)


@case("8555 7.1.3")
def an_order_is_shown_to_its_account_alone(g):
    order = g.account.order(g.name())
    other = Account(g.client)
    assert other.get(order.headers["Location"]).status in (401, 403, 404)
    assert other.get(order.json["authorizations"][0]).status in (401, 403, 404)


@case("8555 7.4")
def an_order_that_is_not_known(g):
    url = g.account.order(g.name()).headers["Location"]
    answer = g.account.get(url[: url.rindex("/") + 1] + "0" * 8)
    assert 400 <= answer.status < 500, answer


@case("8555 7.5")
def an_authorization_offers_challenges(g):
    name = g.name()
    authz = g.account.get(g.account.order(name).json["authorizations"][0]).json
    assert authz["status"] == "pending" and authz["identifier"] == {"type": "dns", "value": name}
    challenge = [c for c in authz["challenges"] if c["type"] == "http-01"][0]
    # 8.3: at least 128 bits, base64url.
    assert challenge["status"] == "pending" and len(challenge["token"]) >= 22 and set(challenge["token"]).isdisjoint("+/=")


@case("8555 7.1.4")
def a_wildcard_is_proven_by_dns_alone(g):
    name = g.name()
    order = g.account.order("*." + name)
    authz = g.account.get(order.json["authorizations"][0]).json
    assert authz["identifier"]["value"] == name and authz["wildcard"] is True
    assert "http-01" not in [c["type"] for c in authz["challenges"]]


@case("8555 7.4")
def finalizing_too_early_is_refused(g):
    name = g.name()
    order = g.account.order(name)
    refused(g.account.post(order.json["finalize"], {"csr": acme_raw.csr([name])}), "orderNotReady", 403)


@case("8555 7.4.2")
def a_certificate_comes_of_it(g):
    names = [g.name(), g.name("www.good")]
    key = ec.generate_private_key(ec.SECP256R1())
    _, answer = g.issue(names=names, key=key)
    chain = chain_of(answer)
    leaf = chain[0]
    assert sorted(leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)) == sorted(names)
    assert leaf.public_key().public_numbers() == key.public_key().public_numbers() and len(chain) >= 2
    for below, above in zip(chain, chain[1:]):
        assert below.issuer == above.subject
        padded = [padding.PKCS1v15()] if isinstance(above.public_key(), rsa.RSAPublicKey) else []
        how = [*padded, below.signature_hash_algorithm] if padded else [ec.ECDSA(below.signature_hash_algorithm)]
        above.public_key().verify(below.signature, below.tbs_certificate_bytes, *how)


@case("8555 7.4.2", ALTERNATES)
def other_chains_are_offered(g):
    _, answer = g.issue()
    alternates = answer.links("alternate")
    assert alternates
    for url in alternates:
        other = chain_of(g.account.get(url))
        assert other[0] == chain_of(answer)[0] and other[-1].issuer != chain_of(answer)[-1].issuer


@case("8555 7.1.6")
def a_wrong_answer_ends_the_order(g):
    name = g.name("wrong")
    order = g.account.order(name)
    if FAILS_AT_ONCE in g.abilities:
        assert g.settle(g.account, order).json["status"] == "invalid"
        assert g.account.get(order.json["authorizations"][0]).json["status"] == "invalid"
    else:
        g.account.post(g.challenge(g.account, order.json["authorizations"][0])["url"], {})
    authz = g.account.get(order.json["authorizations"][0]).json
    challenge = [c for c in authz["challenges"] if c["type"] == "http-01"][0]
    assert challenge["error"]["type"].startswith(acme_raw.PREFIX) and challenge["error"]["detail"], challenge


@case("8555 7.5.2", DEACTIVATE_AUTHZ)
def an_authorization_is_given_back(g):
    order = g.account.order(g.name())
    url = order.json["authorizations"][0]
    assert g.account.post(url, {"status": "deactivated"}).json["status"] == "deactivated"
    assert g.account.get(order.headers["Location"]).json["status"] == "invalid"


@case("8555 7.4")
def a_request_for_other_names_is_refused(g):
    name = g.name()
    order = g.account.order(name)
    g.settle(g.account, order)
    refused(g.account.post(order.json["finalize"], {"csr": acme_raw.csr([name, g.name()])}), "badCSR")
    answer = g.account.post(order.json["finalize"], {"csr": "bm8gY3Ny"})
    assert 400 <= answer.status < 500, answer


# --- revocation ---


@case("8555 7.6", REVOKE)
def an_account_revokes_what_it_has(g):
    _, answer = g.issue()
    body = {"certificate": der(chain_of(answer)[0]), "reason": 4}
    url = g.directory["revokeCert"]
    assert Account(g.client).post(url, body).status in (401, 403)
    assert g.account.post(url, body).status == 200
    refused(g.account.post(url, body), "alreadyRevoked", 400)


@case("8555 7.6", REVOKE_BY_KEY)
def the_key_of_a_certificate_revokes_it(g):
    key = Key()
    name = g.name()
    _, answer = g.issue(names=[name], key=key.private)
    url = g.directory["revokeCert"]
    body = {"certificate": der(chain_of(answer)[0])}
    assert g.client.post(url, body, Key()).status in (401, 403)
    assert g.client.post(url, body, key).status == 200


@case("8555 7.6", REASONS)
def a_reason_that_there_is_not(g):
    _, answer = g.issue()
    answer = g.account.post(g.directory["revokeCert"], {"certificate": der(chain_of(answer)[0]), "reason": 77})
    refused(answer, "badRevocationReason", 400)


# --- RFC 9773 ---


def certificate_id(leaf):
    """4.1, from the certificate alone."""
    key = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    serial = leaf.serial_number
    return b64(key) + "." + b64(serial.to_bytes(serial.bit_length() // 8 + 1, "big"))


def _date(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


@case("9773 4.2", RENEWAL_INFO)
def a_window_is_suggested(g):
    _, answer = g.issue()
    leaf = chain_of(answer)[0]
    answer = g.client.fetch("GET", f"{g.directory['renewalInfo']}/{certificate_id(leaf)}")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("application/json")
    window = answer.json["suggestedWindow"]
    utc = datetime.timezone.utc
    assert leaf.not_valid_before.replace(tzinfo=utc) < _date(window["start"]) < _date(window["end"]) < leaf.not_valid_after.replace(tzinfo=utc)
    # 4.3: the server tells how often to come.
    assert int(answer.headers["Retry-After"]) > 0


@case("9773 4.1", RENEWAL_INFO)
def of_a_certificate_that_is_not_known(g):
    _, answer = g.issue()
    leaf = chain_of(answer)[0]
    for wrong in (certificate_id(leaf).split(".")[0] + ".AQIDBA", "AAAA.AQIDBA", "rubbish"):
        assert g.client.fetch("GET", f"{g.directory['renewalInfo']}/{wrong}").status in (400, 404), wrong


@case("9773 5", RENEWAL_INFO)
def an_order_replaces_a_certificate_once(g):
    name = g.name()
    _, answer = g.issue(names=[name])
    replaces = certificate_id(chain_of(answer)[0])
    other = Account(g.client)
    assert other.order(name, replaces=replaces).status in (400, 403, 404)
    assert g.account.order(g.name(), replaces=replaces).status == 400  # no name in common
    first = g.account.order(name, replaces=replaces)
    assert first.status == 201 and first.json["replaces"] == replaces
    refused(g.account.order(name, replaces=replaces), "alreadyReplaced", 409)
    assert g.account.order(g.name(), replaces="AAAA.AAAA").status in (400, 404)


# --- draft-ietf-acme-profiles ---


@case("profiles 4", PROFILES)
def a_profile_sets_the_life(g):
    assert {"classic", "tlsserver", "shortlived"} <= g.directory["meta"]["profiles"].keys()
    _, answer = g.issue(profile="shortlived")
    leaf = chain_of(answer)[0]
    assert leaf.not_valid_after - leaf.not_valid_before == datetime.timedelta(hours=160)
    refused(g.account.order(g.name(), profile="gold"), "invalidProfile", 400)


@pytest.mark.parametrize("name", CAS)
def test_directory_and_declaration_agree(grounds, name):
    g = grounds(name)
    for field in (KEY_CHANGE, RENEWAL_INFO, REVOKE):
        assert (field in g.directory) == (field in g.abilities), field
    assert (PROFILES in g.directory["meta"]) == (PROFILES in g.abilities)
    assert ("termsOfService" in g.directory["meta"]) == (TERMS in g.abilities)


ROWS = [(name, *row) for name, ca in CAS.items() for row in CASES if row[1] <= ca.abilities]


# (CA, case): what it does where the RFC says otherwise.
DIVERGENCES = {
    ("pebble", "new_nonce_by_head_and_get"): "no-cache, and not no-store",
    ("pebble", "an_algorithm_that_is_not_offered_is_named"): "malformed",
    ("pebble", "a_key_that_is_in_use_is_refused"): "500 serverInternal",
    ("pebble", "an_authorization_is_given_back"): "the order becomes deactivated, a status that orders have not",
    ("pebble", "a_request_for_other_names_is_refused"): "unauthorized",
    ("caddy", "the_type_of_a_post_is_jose"): "400",
    ("caddy", "an_algorithm_that_is_not_offered_is_named"): "malformed",
    ("caddy", "an_account_that_is_not_known"): "500 without a problem",
    ("caddy", "the_key_of_an_account_is_changed"): "501: the directory names it, but it is not there",
    ("caddy", "a_key_that_is_in_use_is_refused"): "501",
    ("caddy", "identifiers_that_cannot_be_had"): "takes an underscore",
    ("caddy", "finalizing_too_early_is_refused"): "400",
}


@pytest.mark.parametrize("name, section, needs, play", ROWS, ids=[f"{r[0]}-{r[1].replace(' ', '-')}-{r[3].__name__}" for r in ROWS])
def test_server(grounds, name, section, needs, play):
    if (name, play.__name__) not in DIVERGENCES:
        play(grounds(name))
        return
    with pytest.raises(AssertionError):
        play(grounds(name))


def test_external_account_binding(tmp_path):
    """8555 7.3.4, against both that have it."""
    cas = {
        "pebble": lambda folder: pebble.Pebble(folder, eab=True),
        "fake": lambda folder: fake_ca.FakeCa(folder, f"eab {pebble.EAB_KID} {pebble.EAB_HMAC}"),
    }
    for name, start in cas.items():
        (tmp_path / name).mkdir()
        with start(tmp_path / name) as ca:
            client = acme_raw.Client(ca.directory, ca.bundle)
            assert client.directory["meta"]["externalAccountRequired"] is True
            refused(Account(client).answer, "externalAccountRequired")

            def bound(kid, secret, of=None, url=None):
                key = Key()
                body = acme_raw.binding(of or key, url or client.directory["newAccount"], kid, secret)
                return Account(client, key, externalAccountBinding=body).answer

            other = base64.urlsafe_b64encode(b"another secret of 32 bytes length").decode().rstrip("=")
            for bad in (
                bound("nobody", pebble.EAB_HMAC), bound(pebble.EAB_KID, other), bound(pebble.EAB_KID, pebble.EAB_HMAC, of=Key()),
                bound(pebble.EAB_KID, pebble.EAB_HMAC, url=client.directory["newOrder"]),
            ):  # fmt: skip
                assert 400 <= bad.status < 500, (name, bad)
            assert bound(pebble.EAB_KID, pebble.EAB_HMAC).status == 201, name
