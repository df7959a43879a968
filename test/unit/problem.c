/* What the texts of CAs become: CAUSES 5.2 and 5.3 as rows, and the texts of pebble, smallstep and Google. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "core/classify.h"

enum kind { CH, RQ }; /* a challenge's error, or a refused request */
struct row {
	int line;
	enum kind kind;
	const char *type, *text, *address, *cause;
	const char *seen, *copy; /* NULL: not looked at */
};
#define OURS "203.0.113.10"
#define OURS6 "2001:db8::10"
#define ELSE "198.51.100.5"
#define CHK(file) "http://shop.example/.well-known/acme-challenge/" file

/* clang-format off */
static const struct row rows[] = {
	/* the same text, by where the CA went */
	{ __LINE__, CH, "connection", OURS ": Fetching " CHK("x") ": Timeout during connect (likely firewall problem)", OURS, "transport.connect.geo-blocked", NULL, NULL },
	{ __LINE__, CH, "connection", ELSE ": Fetching " CHK("x") ": Timeout during connect (likely firewall problem)", "", "dns.a.elsewhere", ELSE, OURS },
	{ __LINE__, CH, "connection", "2001:db8::bad: Fetching " CHK("x") ": Timeout during connect (likely firewall problem)", "", "dns.aaaa.elsewhere", "2001:db8::bad", OURS6 },
	{ __LINE__, CH, "connection", OURS6 ": Fetching " CHK("x") ": Timeout during connect (likely firewall problem)", "", "dns.aaaa.unreachable", NULL, NULL },
	{ __LINE__, CH, "connection", "Fetching " CHK("x") ": Timeout during connect (likely firewall problem)", "", "transport.unclassified", NULL, NULL },
	{ __LINE__, CH, "connection", "During secondary validation: " OURS ": Fetching " CHK("x") ": Timeout during connect (likely firewall problem)", "", "transport.secondary-validation.timeout", NULL, NULL },
	{ __LINE__, CH, "connection", "During secondary validation: Fetching " CHK("x") ": Timeout during connect (likely firewall problem)", "", "transport.secondary-validation.timeout", NULL, NULL },
	/* the first of the CA's places came to us, another one was sent elsewhere by DNS */
	{ __LINE__, CH, "connection", "During secondary validation: " ELSE ": Fetching " CHK("x") ": Timeout during connect (likely firewall problem)", OURS, "dns.view.split", ELSE, OURS },
	{ __LINE__, CH, "unauthorized", "During secondary validation: " ELSE ": Invalid response from " CHK("x") ": 404", OURS, "dns.view.split", ELSE, OURS },
	{ __LINE__, CH, "unauthorized", "During secondary validation: 2001:db8::bad: Invalid response from " CHK("x") ": 404", OURS6, "dns.view.split", "2001:db8::bad", OURS6 },
	{ __LINE__, CH, "unauthorized", "During secondary validation: " OURS ": Invalid response from " CHK("x") ": 403", OURS, "http.challenge.forbidden", NULL, NULL },
	{ __LINE__, CH, "dns", "During secondary validation: DNS problem: SERVFAIL looking up A for shop.example - the domain's nameservers may be malfunctioning", OURS, "dns.lookup.servfail", NULL, NULL },
	{ __LINE__, CH, "connection", OURS ": Fetching " CHK("x") ": Timeout during read (your server may be slow or overloaded)", "", "transport.read.timeout", NULL, NULL },
	{ __LINE__, CH, "connection", OURS ": Fetching " CHK("x") ": Timeout after connect (your server may be slow or overloaded)", "", "transport.read.timeout", NULL, NULL },
	{ __LINE__, CH, "connection", OURS ": Fetching " CHK("x") ": Connection refused", "", "transport.unclassified", NULL, NULL },
	{ __LINE__, CH, "connection", ELSE ": Fetching " CHK("x") ": Connection refused", "", "dns.a.elsewhere", ELSE, OURS },
	{ __LINE__, CH, "connection", OURS ": Fetching " CHK("x") ": Network unreachable", "", "transport.connect.unreachable", NULL, NULL },
	{ __LINE__, CH, "connection", OURS ": Fetching " CHK("x") ": Connection reset by peer", "", "transport.connect.reset", NULL, NULL },
	{ __LINE__, CH, "connection", OURS ": Fetching " CHK("x") ": Server is speaking HTTP/2 over HTTP", "", "transport.protocol.mismatch", NULL, NULL },
	{ __LINE__, CH, "connection", OURS ": Fetching " CHK("x") ": Error getting validation data", "", "transport.unclassified", NULL, NULL },
	{ __LINE__, CH, "connection", OURS ": Fetching " CHK("x") ": Too many redirects", "", "http.redirect.loop", NULL, NULL },
	{ __LINE__, CH, "connection", OURS ": Fetching " CHK("x") ": Redirect loop detected", "", "http.redirect.loop", NULL, NULL },
	{ __LINE__, CH, "connection", OURS ": Fetching " CHK("x") ": received disallowed redirect status code", "", "http.redirect.disallowed", NULL, NULL },
	{ __LINE__, CH, "connection", OURS ": Fetching " CHK("x") ": Invalid protocol scheme in redirect target. Only \"http\" and \"https\" protocol schemes are supported, not \"ftp\"", "", "http.redirect.disallowed", "\"ftp\"", NULL },
	{ __LINE__, CH, "connection", OURS ": Fetching " CHK("x") ": Invalid port in redirect target. Only ports 80 and 443 are supported, not 8080", "", "http.redirect.disallowed", "8080", NULL },
	{ __LINE__, CH, "connection", OURS ": Fetching " CHK("x") ": Invalid empty host in redirect target", "", "http.redirect.disallowed", NULL, NULL },
	{ __LINE__, CH, "connection", OURS ": Fetching " CHK("x") ": Invalid host in redirect target \"shop.example.well-known\". Check webserver config for missing '/' in redirect target.", "", "http.redirect.slash-missing", "shop.example", NULL },
	{ __LINE__, CH, "connection", OURS ": Fetching " CHK("x") ": Invalid host in redirect target, must end in IANA registered TLD", "", "http.redirect.disallowed", NULL, NULL },
	{ __LINE__, CH, "connection", OURS ": Fetching " CHK("x") ": Redirect target too long", "", "http.redirect.disallowed", NULL, NULL },
	{ __LINE__, CH, "connection", OURS ": Fetching https://x/: validation attempt was redirected to an HTTPS server that doesn't support TLSv1.2 or better. See https://y", "", "transport.tls.handshake-failed", NULL, NULL },
	{ __LINE__, CH, "unauthorized", OURS ": Invalid response from " CHK("x") ": 401", "", "http.challenge.unauthorized", NULL, NULL },
	{ __LINE__, CH, "unauthorized", OURS ": Invalid response from " CHK("x") ": 403", "", "http.challenge.forbidden", NULL, NULL },
	{ __LINE__, CH, "unauthorized", OURS ": Invalid response from " CHK("x") ": 404", "", "own.challenge.not-served", NULL, NULL },
	{ __LINE__, CH, "unauthorized", ELSE ": Invalid response from " CHK("x") ": 404", "", "dns.a.elsewhere", ELSE, OURS },
	{ __LINE__, CH, "unauthorized", "Invalid response from " CHK("x") ": 404", "", "http.unclassified", NULL, NULL },
	{ __LINE__, CH, "unauthorized", OURS ": Invalid response from " CHK("x") ": 503", "", "http.server.error", NULL, NULL },
	{ __LINE__, CH, "unauthorized", OURS ": Invalid response from " CHK("x") ": \"<!DOCTYPE html>\\n<title>404: 503</title>\"", "", "http.rewrite.intercepts", NULL, NULL },
	{ __LINE__, CH, "unauthorized", OURS ": Error reading HTTP response body: unexpected EOF", "", "transport.connect.reset", "unexpected EOF", NULL },
	{ __LINE__, CH, "unauthorized", "The key authorization file from the server did not match this challenge. Expected \"tok.thumb\" (got \"hello world\")", OURS, "http.rewrite.intercepts", "hello world", NULL },
	{ __LINE__, CH, "unauthorized", "The key authorization file from the server did not match this challenge. Expected \"tok.thumb\" (got \"\\ufefftok.thumb\")", OURS, "http.body.altered", NULL, NULL },
	{ __LINE__, CH, "unauthorized", "The key authorization file from the server did not match this challenge. Expected \"tok.thumb\" (got \"LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI\")", OURS, "http.key-authorization.foreign", NULL, NULL },
	{ __LINE__, CH, "unauthorized", "No TXT record found at _acme-challenge.shop.example", "", "dns.txt.missing", NULL, NULL },
	{ __LINE__, CH, "unauthorized", "Incorrect TXT record \"x\" (and 1 more) found at _acme-challenge.shop.example", "", "dns.txt.wrong", "x", NULL },
	{ __LINE__, CH, "unauthorized", "words that nobody knows", "", "http.unclassified", NULL, NULL },
	{ __LINE__, CH, "incorrectResponse", "words that nobody knows", "", "http.unclassified", NULL, NULL },
	/* DNS */
	{ __LINE__, CH, "dns", "no valid A records found for shop.example; no valid AAAA records found for shop.example", "", "dns.address.missing", NULL, OURS },
	{ __LINE__, CH, "dns", "DNS problem: NXDOMAIN looking up A for shop.example - check that a DNS record exists for this domain; DNS problem: NXDOMAIN looking up AAAA for shop.example - check that a DNS record exists for this domain", "", "dns.address.missing", NULL, OURS },
	{ __LINE__, CH, "dns", "DNS problem: SERVFAIL looking up A for shop.example - the domain's nameservers may be malfunctioning", "", "dns.lookup.servfail", NULL, NULL },
	{ __LINE__, CH, "dns", "DNS problem: looking up A for shop.example: Blocked: by policy", "", "dns.answer.filtered", NULL, NULL },
	{ __LINE__, CH, "dns", "DNS problem: SERVFAIL looking up A for shop.example: Filtered", "", "dns.answer.filtered", NULL, NULL },
	{ __LINE__, CH, "dns", "DNS problem: NXDOMAIN looking up TXT for _acme-challenge.shop.example - check that a DNS record exists for this domain", "", "dns.txt.missing", NULL, NULL },
	{ __LINE__, CH, "dns", "DNS problem: SERVFAIL looking up CAA for shop.example - the domain's nameservers may be malfunctioning", "", "dns.caa.lookup-failed", NULL, NULL },
	{ __LINE__, CH, "dns", "During secondary validation: While processing CAA for shop.example: DNS problem: query timed out looking up CAA for shop.example", "", "dns.caa.lookup-failed", NULL, NULL },
	{ __LINE__, CH, "dns", "DNS problem: query timed out looking up A for shop.example", "", "dns.lookup.timeout", NULL, NULL },
	{ __LINE__, CH, "dns", "DNS problem: server failure at resolver looking up A for shop.example", "", "ca.service.internal-error", NULL, NULL },
	{ __LINE__, CH, "dns", "DNS problem: networking error looking up A for shop.example", "", "ca.service.internal-error", NULL, NULL },
	{ __LINE__, CH, "dns", "DNS problem: response was truncated looking up CAA for shop.example", "", "dns.caa.lookup-failed", NULL, NULL },
	{ __LINE__, CH, "dns", "DNS problem: REFUSED looking up A for shop.example", "", "dns.lookup.servfail", NULL, NULL },
	{ __LINE__, CH, "dns", "DNS problem: looking up A for shop.example: DNSSEC: Bogus", "", "dns.dnssec.unverifiable", "Bogus", NULL },
	{ __LINE__, CH, "dns", "DNS problem: looking up A for shop.example: DNSSEC: DNSKEY Missing: no keys", "", "dns.dnssec.ds-mismatch", NULL, NULL },
	{ __LINE__, CH, "dns", "DNS problem: looking up A for shop.example: DNSSEC: Signature Expired: sig", "", "dns.dnssec.rrsig-out-of-date", NULL, NULL },
	{ __LINE__, CH, "dns", "DNS problem: looking up A for shop.example: DNSSEC: Signature Not Yet Valid", "", "dns.dnssec.rrsig-out-of-date", NULL, NULL },
	{ __LINE__, CH, "dns", "DNS problem: looking up A for shop.example: No Reachable Authority: at delegation", "", "dns.lookup.timeout", NULL, NULL },
	{ __LINE__, CH, "dns", "words that nobody knows", "", "dns.unclassified", NULL, NULL },
	/* CAA */
	{ __LINE__, CH, "caa", "While processing CAA for www.shop.example: CAA record for shop.example prevents issuance", "", "dns.caa.forbids", "shop.example", "shop.example. CAA 0 issue \"ca.example\"" },
	{ __LINE__, CH, "caa", "words that nobody knows", "", "dns.caa.forbids", "shop.example", "shop.example. CAA 0 issue \"ca.example\"" },
	{ __LINE__, RQ, "caa", "Error finalizing order :: rechecking caa: shop.example", "", "ca.caa.recheck-failed", NULL, NULL },
	{ __LINE__, RQ, "caa", "Error finalizing order :: Rechecking CAA for \"shop.example\" and 1 more identifiers failed. Refer to sub-problems for more information", "", "ca.caa.recheck-failed", NULL, NULL },
	{ __LINE__, CH, "tls", "remote error: tls: handshake failure", OURS, "transport.tls.handshake-failed", "handshake failure", NULL },
	{ __LINE__, CH, "malformed", "Server only speaks HTTP, not TLS", OURS, "transport.protocol.mismatch", NULL, NULL },
	{ __LINE__, CH, "malformed", "Unable to contact \"shop.example\" at \"2001:db8::10\", no IPv4 addresses to try as fallback", OURS6, "dns.aaaa.unreachable", NULL, NULL },
	{ __LINE__, CH, "malformed", "No IP addresses found for \"shop.example\"", "", "dns.address.missing", NULL, OURS },
	/* orders, CSR, account */
	{ __LINE__, RQ, "unauthorized", "Error finalizing order :: authorizations for these identifiers not found: shop.example", "", "ca.order.unusable", NULL, NULL },
	{ __LINE__, RQ, "unauthorized", "Error finalizing order :: authorizations for these domains not valid: shop.example", "", "ca.order.unusable", NULL, NULL },
	{ __LINE__, RQ, "malformed", "Unable to update challenge :: authorization must be pending", "", "ca.order.unusable", NULL, NULL },
	{ __LINE__, RQ, "malformed", "Order 12 is expired", "", "ca.order.unusable", NULL, NULL },
	{ __LINE__, RQ, "orderNotReady", "Order's status (\"pending\") is not acceptable for finalization", "", "ca.order.unusable", NULL, NULL },
	{ __LINE__, RQ, "unauthorized", "CSR does not specify same identifiers as Order", "", "ca.csr.rejected", NULL, NULL },
	{ __LINE__, RQ, "unauthorized", "OCSP must-staple extension is no longer available: see https://x", "", "ca.csr.rejected", NULL, NULL },
	{ __LINE__, RQ, "badCSR", "Error finalizing order :: invalid public key in CSR", "", "ca.csr.rejected", NULL, NULL },
	{ __LINE__, RQ, "unauthorized", "Account is not valid, has status \"deactivated\"", "", "own.acme-account.unusable", "\"deactivated\"", NULL },
	{ __LINE__, RQ, "unauthorized", "User account ID doesn't match account ID in authorization", "", "own.acme-account.unusable", NULL, NULL },
	{ __LINE__, RQ, "accountDoesNotExist", "Account \"https://x/1\" not found", "", "own.acme-account.unusable", NULL, NULL },
	{ __LINE__, RQ, "malformed", "must agree to terms of service", "", "ca.terms.not-agreed", NULL, NULL },
	{ __LINE__, RQ, "userActionRequired", "Terms of service have changed", "", "ca.terms.not-agreed", NULL, NULL },
	{ __LINE__, RQ, "externalAccountRequired", "x", "", "ca.eab.invalid", NULL, NULL },
	{ __LINE__, RQ, "unauthorized", "Unknown external account binding (EAB) key. This may be due to the EAB key expiring which occurs 7 days after creation", "", "ca.eab.invalid", NULL, NULL },
	{ __LINE__, RQ, "malformed", "Account blocked :: abuse", "", "ca.account.blocked", NULL, NULL },
	{ __LINE__, RQ, "badNonce", "JWS has an invalid anti-replay nonce: \"x\"", "", "ca.nonce.rejected", NULL, NULL },
	{ __LINE__, RQ, "malformed", "NewOrder request did not specify any identifiers", "", "ca.request.rejected", NULL, NULL },
	{ __LINE__, RQ, "badPublicKey", "x", "", "ca.request.rejected", NULL, NULL },
	{ __LINE__, RQ, "badSignatureAlgorithm", "x", "", "ca.request.rejected", NULL, NULL },
	{ __LINE__, RQ, "badRevocationReason", "x", "", "ca.request.rejected", NULL, NULL },
	/* names */
	{ __LINE__, RQ, "rejectedIdentifier", "Error creating new order :: Cannot issue for \"shop.invalidtld\": Domain name does not end with a valid public suffix (TLD)", "", "registration.name.invalid", "Domain name does not end with a valid public suffix (TLD)", NULL },
	{ __LINE__, RQ, "malformed", "Error creating new order :: Cannot issue for \"a..b\": Domain name can not have two dots in a row", "", "registration.name.invalid", NULL, NULL },
	{ __LINE__, RQ, "rejectedIdentifier", "Error creating new order :: Cannot issue for \"shop.example\": The ACME server refuses to issue a certificate for this domain name, because it is forbidden by policy", "", "registration.name.forbidden", NULL, NULL },
	{ __LINE__, RQ, "rejectedIdentifier", "Error creating new order :: Cannot issue for \"www.www.www.shop.example\": domain name contains too many subdomain labels indicative of recursive on-demand issuance", "", "registration.name.recursive", NULL, NULL },
	{ __LINE__, RQ, "rejectedIdentifier", "words that nobody knows", "", "registration.name.forbidden", NULL, NULL },
	{ __LINE__, RQ, "unsupportedIdentifier", "x", "", "registration.name.invalid", NULL, NULL },
	/* limits */
	{ __LINE__, RQ, "rateLimited", "Error creating new order :: too many certificates (5) already issued for this exact set of domains in the last 168h0m0s: x", "", "ca.limit.exact-set", NULL, NULL },
	{ __LINE__, RQ, "rateLimited", "too many certificates (50) already issued for \"example.jp\" in the last 168h0m0s, retry after 2027-01-01 00:00:00 UTC", "", "ca.limit.registered-domain", "example.jp", NULL },
	{ __LINE__, RQ, "rateLimited", "too many failed authorizations (5) for \"shop.example\" in the last 1h0m0s, retry after 2027-01-01 00:00:00 UTC", "", "ca.limit.failed-authorizations", NULL, NULL },
	{ __LINE__, RQ, "rateLimited", "too many new orders (300) from this account in the last 3h0m0s, retry after 2027-01-01 00:00:00 UTC", "", "ca.limit.new-orders", NULL, NULL },
	{ __LINE__, RQ, "rateLimited", "too many new registrations (10) from this IP address in the last 3h0m0s", "", "ca.limit.new-accounts", NULL, NULL },
	{ __LINE__, RQ, "rateLimited", "Your account is temporarily prevented from requesting certificates for shop.example and possibly others. Please visit: https://portal.example/unpause?jwt=SECRET", "", "ca.name.paused", NULL, "https://portal.example/unpause?jwt=SECRET" },
	{ __LINE__, RQ, "rateLimited", "Service busy; retry later.", "", "ca.service.busy", NULL, NULL },
	{ __LINE__, RQ, "rateLimited", "words that nobody knows", "", "ca.limit.other", NULL, NULL },
	/* the CA's own */
	{ __LINE__, RQ, "serverInternal", "Error finalizing order :: Unable to meet CA SCT embedding requirements", "", "ca.service.internal-error", NULL, NULL },
	{ __LINE__, CH, "serverInternal", "During secondary validation: Secondary validation RPC failed", "", "ca.service.internal-error", NULL, NULL },
	{ __LINE__, RQ, "serverInternal", "The service is down for maintenance or had an internal error. Check https://letsencrypt.status.io/ for more details.", "", "ca.service.down", NULL, NULL },
	{ __LINE__, RQ, "somethingNew", "words that nobody knows", "", "ca.unclassified", NULL, NULL },
	{ __LINE__, RQ, "unauthorized", "words that nobody knows", "", "ca.unclassified", NULL, NULL },
	/* pebble */
	{ __LINE__, CH, "connection", "Get \"" CHK("x") "\": dial tcp " OURS ":80: connect: connection refused", "", "transport.unclassified", NULL, NULL },
	{ __LINE__, CH, "connection", "Get \"" CHK("x") "\": dial tcp " ELSE ":80: connect: connection refused", "", "dns.a.elsewhere", ELSE, OURS },
	{ __LINE__, CH, "connection", "Get \"" CHK("x") "\": dial tcp [2001:db8::bad]:80: connect: connection refused", "", "dns.aaaa.elsewhere", "2001:db8::bad", OURS6 },
	{ __LINE__, CH, "connection", "Get \"" CHK("x") "\": dial tcp " OURS ":80: i/o timeout", "", "transport.connect.geo-blocked", NULL, NULL },
	{ __LINE__, CH, "connection", "Get \"" CHK("x") "\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)", "", "transport.read.timeout", NULL, NULL },
	{ __LINE__, CH, "connection", "Get \"" CHK("x") "\": EOF", "", "transport.connect.reset", NULL, NULL },
	{ __LINE__, CH, "connection", "Get \"/\": stopped after 10 redirects", "", "http.redirect.loop", NULL, NULL },
	{ __LINE__, CH, "connection", "Get \"http://x/\": could not resolve URL \"gone.example\"", "", "dns.address.missing", NULL, NULL },
	{ __LINE__, CH, "malformed", "Could not resolve URL \"" CHK("x") "\"", "", "dns.address.missing", NULL, OURS },
	{ __LINE__, CH, "malformed", "Error occurred while resolving URL \"" CHK("x") "\": \"no such host\"", "", "dns.address.missing", NULL, OURS },
	{ __LINE__, CH, "unauthorized", "Non-200 status code from HTTP: " CHK("x") " returned 403", "", "http.challenge.forbidden", NULL, NULL },
	{ __LINE__, CH, "unauthorized", "Non-200 status code from HTTP: " CHK("x") " returned 404", OURS, "own.challenge.not-served", NULL, NULL },
	{ __LINE__, CH, "unauthorized", "Non-200 status code from HTTP: " CHK("x") " returned 502", "", "http.server.error", NULL, NULL },
	{ __LINE__, CH, "unauthorized", "The key authorization file from the server did not match this challenge \"tok.thumb\" != \"<html>\"", "", "http.rewrite.intercepts", "<html>", NULL },
	{ __LINE__, RQ, "malformed", "Cannot update challenge with status valid, only status pending", "", "ca.order.unusable", NULL, NULL },
	{ __LINE__, RQ, "externalAccountRequired", "ACME server policy requires newAccount requests must include a value for the 'externalAccountBinding' field", "", "ca.eab.invalid", NULL, NULL },
	{ __LINE__, RQ, "unauthorized", "the field 'kid' references a key that is not known to the ACME server", "", "ca.eab.invalid", NULL, NULL },
	{ __LINE__, RQ, "rejectedIdentifier", "Order included an identifier for which issuance is forbidden by policy: \"x\"", "", "registration.name.forbidden", NULL, NULL },
	{ __LINE__, RQ, "alreadyReplaced", "cannot indicate an order replaces certificate with serial \"03ab\", which already has a replacement order", "", "ca.replaces.rejected", NULL, NULL },
	{ __LINE__, RQ, "malformed", "cannot indicate an order replaces certificate with serial \"03ab\", which already has a replacement order", "", "ca.replaces.rejected", NULL, NULL },
	{ __LINE__, RQ, "serverInternal", "Could not validate ARI 'replaces' field", "", "ca.replaces.rejected", NULL, NULL },
	{ __LINE__, RQ, "invalidProfile", "The profile is not recognized", "", "ca.profile.rejected", NULL, NULL },
	{ __LINE__, RQ, "badCSR", "CSR is missing Order domain \"x\"", "", "ca.csr.rejected", NULL, NULL },
	/* smallstep */
	{ __LINE__, CH, "connection", "The server could not connect to validation target", "", "transport.unclassified", NULL, NULL },
	{ __LINE__, CH, "rejectedIdentifier", "The server will not issue certificates for the identifier", "", "http.unclassified", NULL, NULL },
	{ __LINE__, RQ, "rejectedIdentifier", "The server will not issue certificates for the identifier", "", "registration.name.forbidden", NULL, NULL },
	{ __LINE__, CH, "dns", "There was a problem with a DNS query during identifier validation", "", "dns.unclassified", NULL, NULL },
	{ __LINE__, RQ, "rateLimited", "The request exceeds a rate limit", "", "ca.limit.other", NULL, NULL },
	{ __LINE__, RQ, "serverInternal", "The server experienced an internal error", "", "ca.service.internal-error", NULL, NULL },
	/* prefixes alone, and nothing */
	{ __LINE__, CH, "connection", "During secondary validation: ", "", "transport.unclassified", NULL, NULL },
	{ __LINE__, CH, "", "", "", "ca.unclassified", NULL, NULL },
	{ __LINE__, CH, "", ": : : ", "", "ca.unclassified", NULL, NULL },
};
/* clang-format on */

static struct str addresses[] = { { OURS, sizeof OURS - 1 }, { OURS6, sizeof OURS6 - 1 } };
static const struct policy policy = { .poll_max = { 900 },
	.addresses = addresses,
	.addresses_n = 2,
	.ca_issuer = { "ca.example", 10 } };
static const struct when now = { 1764000000 };

static struct finding space[8];

static struct finding_list
classify_answer(const struct acme_answer *an, struct arena *a)
{
	struct finding_list l = { .at = space, .cap = 8 };

	classify_problem(an, STR("shop.example"), &policy, now, a, &l);
	return l;
}

static void
test_rows(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		AUTO_ARENA a = { .max = 0 };
		arena_init(&a, 1 << 20);
		struct problem p = { .type = str_of(r->type),
			.detail = str_of(r->text),
			.raw = str_of(r->text) };
		struct acme_answer an = { .verb = ACME_GET_AUTHZ, .retry_after = WHEN_UNKNOWN };
		if (r->kind == CH) {
			an.challenge_error = p;
			an.address_used = str_of(r->address);
		} else {
			an.verb = ACME_NEW_ORDER;
			an.err = ERR_REFUSED;
			an.problem = p;
		}
		struct finding_list l = classify_answer(&an, &a);
		const struct finding *f = &l.at[0];
		if (l.n != 1 || strcmp(cause_row(f->cause)->id, r->cause) != 0 ||
		    (r->seen != NULL && !str_eq(f->seen, str_of(r->seen))) ||
		    (r->copy != NULL && !str_eq(f->copy, str_of(r->copy))) ||
		    f->next_look.s <= now.s || f->next_look.s == INT64_MAX ||
		    f->subject.n == 0 || !f->is_from_order) {
			print_error("%s:%d: got %s, seen \"%.*s\", copy \"%.*s\"\n", __FILE__,
			    r->line, cause_row(f->cause)->id, STR_ARG(f->seen),
			    STR_ARG(f->copy));
			failed++;
		}
		/* The key to undo a pause is not shown to everybody. */
		if (str_find(f->evidence, STR("SECRET")) != SIZE_MAX)
			failed++;
	}
	assert_int_equal(failed, 0);
}

static void
test_sub_problems_name_their_identifiers(void **state)
{
	struct problem sub[] = {
		{ .type = STR("caa"),
		    .detail = STR(
			"Error finalizing order :: CAA record for a.example prevents issuance"),
		    .identifier = STR("a.example") },
		{ .type = STR("dns"),
		    .detail = STR("DNS problem: SERVFAIL looking up CAA for b.example - x"),
		    .identifier = STR("b.example") },
	};
	struct acme_answer an = { .verb = ACME_FINALIZE,
		.err = ERR_REFUSED,
		.http_status = 403,
		.retry_after = WHEN_UNKNOWN,
		.problem = { .type = STR("caa"),
		    .detail =
			STR("Rechecking CAA for \"a.example\" and 1 more identifiers failed"),
		    .sub = sub,
		    .sub_n = 2 } };

	(void)state;
	AUTO_ARENA a = { .max = 0 };
	arena_init(&a, 1 << 20);
	struct finding_list l = classify_answer(&an, &a);
	assert_int_equal(l.n, 2);
	assert_true(str_eq(l.at[0].subject, STR("a.example")) &&
		    l.at[0].cause == CAUSE_DNS_CAA_FORBIDS);
	assert_true(str_eq(l.at[1].subject, STR("b.example")) &&
		    l.at[1].cause == CAUSE_DNS_CAA_LOOKUP_FAILED);
}

/* Without a problem document the error itself has to do. */
static void
test_every_error_alone(void **state)
{
	(void)state;
	for (enum err e = ERR_OK; e < ERR_COUNT; e++)
		for (int http = 0; http < 600; http += 1) {
			AUTO_ARENA a = { .max = 0 };
			arena_init(&a, 1 << 20);
			struct acme_answer an = { .verb = ACME_GET_ORDER,
				.err = e,
				.http_status = http,
				.retry_after = WHEN_UNKNOWN };
			struct finding_list l = classify_answer(&an, &a);
			assert_int_equal(l.n, 1);
			if (http == 429 || e == ERR_LIMITED)
				assert_int_equal(l.at[0].cause, CAUSE_CA_LIMIT_OTHER);
			else if (http == 404)
				assert_int_equal(l.at[0].cause, CAUSE_CA_ORDER_UNUSABLE);
			else if (http == 0 &&
				 (e == ERR_CONNECT || e == ERR_TIMEOUT || e == ERR_PEER))
				assert_int_equal(l.at[0].cause, CAUSE_CA_SERVICE_DOWN);
		}
}

static void
test_ca_that_cannot_be_reached(void **state)
{
	static const enum err all[] = { ERR_RESOLVE, ERR_CONNECT, ERR_TLS, ERR_TIMEOUT,
		ERR_CLOSED, ERR_PEER };

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		AUTO_ARENA a = { .max = 0 };
		arena_init(&a, 1 << 20);
		struct acme_answer an = { .verb = ACME_NEW_ORDER,
			.err = all[i],
			.retry_after = WHEN_UNKNOWN,
			.detail = STR("words of the library") };
		struct finding f = classify_answer(&an, &a).at[0];

		assert_int_equal(f.cause, CAUSE_CA_SERVICE_DOWN);
		assert_true(str_eq(f.evidence, STR("words of the library")));
	}
}

static void
test_certificate_that_does_not_fit(void **state)
{
	struct acme_answer an = { .verb = ACME_CERTIFICATE,
		.err = ERR_MISMATCH,
		.http_status = 200,
		.retry_after = WHEN_UNKNOWN };

	(void)state;
	AUTO_ARENA a = { .max = 0 };
	arena_init(&a, 1 << 20);
	an.detail = STR("the certificate is for another key than the one of the request");
	assert_int_equal(
	    classify_answer(&an, &a).at[0].cause, CAUSE_OWN_CERTIFICATE_KEY_MISMATCH);
	an.detail = STR("the certificate lacks the name monkey.example");
	assert_int_equal(classify_answer(&an, &a).at[0].cause, CAUSE_CA_UNCLASSIFIED);
}

/* Bytes of every kind, from a printed seed: always a finding, never a crash. */
static void
test_rubbish(void **state)
{
	static const char *const bits[] = { "DNS problem: ", "looking up ", ": ",
		" :: ", "dial tcp ", "[", "]", "retry after ", "2027-01-01 00:00:00", "\"",
		"Invalid response from ", "\xff\xfe", "https://", "CAA record for ",
		" prevents issuance", "During secondary validation: ", "*", "" };
	static const char *const types[] = { "", "dns", "caa", "rateLimited", "connection",
		"unauthorized", "x" };
	uint32_t seed = 20261124;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		AUTO_ARENA a = { .max = 0 };
		char text[512];
		size_t n = 0;

		arena_init(&a, 1 << 20);
		for (;;) {
			seed = seed * 1664525 + 1013904223;
			const char *bit = bits[(seed >> 16) % (sizeof bits / sizeof *bits)];

			if (*bit == '\0' || n + strlen(bit) > sizeof text)
				break;
			memcpy(text + n, bit, strlen(bit));
			n += strlen(bit);
		}
		struct acme_answer an = { .verb = ACME_GET_AUTHZ,
			.err = round % 2 ? ERR_OK : ERR_REFUSED,
			.retry_after = WHEN_UNKNOWN };
		an.problem = an.challenge_error =
		    (struct problem){ .type = str_of(types[round % 7]),
			    .detail = { text, n },
			    .raw = { text, n } };
		if (classify_answer(&an, &a).n != 1)
			fail_msg("%s:%d: round %u", __FILE__, __LINE__, round);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_sub_problems_name_their_identifiers),
		cmocka_unit_test(test_every_error_alone),
		cmocka_unit_test(test_ca_that_cannot_be_reached),
		cmocka_unit_test(test_certificate_that_does_not_fit),
		cmocka_unit_test(test_rubbish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
