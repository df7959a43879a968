/* What the ACME port reads and writes, without a server: bodies, problems, headers, payloads. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/limits.h"
#include "ports/acme/inside.h"
#include "ports/acme/parse.h"
#include "ports/acme/payload.h"

static const struct when now = { 1800000000 }; /* 2027-01-15T08:00:00Z */

/* clang-format off */
static const struct {
	int line;
	const char *value;
	int64_t wanted; /* INT64_MIN: unknown */
} retry_rows[] = {
	{ __LINE__, "0", 1800000000 },
	{ __LINE__, "120", 1800000121 },
	{ __LINE__, "  120 ", 1800000121 },
	{ __LINE__, "Fri, 15 Jan 2027 09:00:00 GMT", 1800003600 },
	{ __LINE__, "Friday, 15-Jan-27 09:00:00 GMT", 1800003600 },
	{ __LINE__, "Fri Jan 15 09:00:00 2027", 1800003600 },
	{ __LINE__, "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
	{ __LINE__, "99999999999", 1800000000 + 366 * 86400 },
	{ __LINE__, "9223372036854775807", 1800000000 + 366 * 86400 },
	{ __LINE__, "Fri, 15 Jan 2077 09:00:00 GMT", 1800000000 + 366 * 86400 },
	{ __LINE__, "-5", INT64_MIN },
	{ __LINE__, "", INT64_MIN },
	{ __LINE__, "soon", INT64_MIN },
	{ __LINE__, "12x", INT64_MIN },
	{ __LINE__, "99999999999999999999999999", INT64_MIN },
	{ __LINE__, "Fri, 99 Jan 2027 09:00:00 GMT", INT64_MIN },
	{ __LINE__, "Fri, 15 Jan 2027 09:00:00 GMT and so on and so on and so on and so on", INT64_MIN },
};
static const struct {
	int line;
	const char *value, *wanted;
} link_rows[] = {
	{ __LINE__, "<https://ca.example/alt/1>;rel=\"alternate\"", "https://ca.example/alt/1" },
	{ __LINE__, "<https://ca.example/alt/1>; rel=alternate", "https://ca.example/alt/1" },
	{ __LINE__, "<https://ca.example/dir>;rel=\"index\", <https://ca.example/alt/1>;rel=\"alternate\"", "https://ca.example/alt/1" },
	{ __LINE__, "<https://ca.example/a,b;c>; title=\"x, <y>; rel=index\"; REL=\"up Alternate\"", "https://ca.example/a,b;c" },
	{ __LINE__, "<https://ca.example/dir>;rel=\"index\"", "" },
	{ __LINE__, "<https://ca.example/alt/1>", "" },
	{ __LINE__, "<https://ca.example/alt/1;rel=alternate", "" },
	{ __LINE__, "https://ca.example/alt/1;rel=alternate", "" },
	{ __LINE__, "<a>;rel=\"alternate", "a" },
	{ __LINE__, "<a>;;;rel", "" },
	{ __LINE__, "<a>;rel=", "" },
	{ __LINE__, "", "" },
	{ __LINE__, "<", "" },
	{ __LINE__, ",,,", "" },
};
static const struct {
	int line;
	const char *url;
	bool is_plain_allowed, wanted;
} url_rows[] = {
	{ __LINE__, "https://ca.example/x", false, true },
	{ __LINE__, "https://[::1]:14000/x?y=z", false, true },
	{ __LINE__, "http://ca.example/x", false, false },
	{ __LINE__, "http://ca.example/x", true, true },
	{ __LINE__, "file:///etc/passwd", true, false },
	{ __LINE__, "ftp://ca.example/x", true, false },
	{ __LINE__, "https://", false, false },
	{ __LINE__, "https:///x", false, false },
	{ __LINE__, "https://?x", false, false },
	{ __LINE__, "https://ca.example/x y", false, false },
	{ __LINE__, "https://ca.example/x\r\nHost: y", false, false },
	{ __LINE__, "https://ca.example/\xe3\x81\x82", false, false },
	{ __LINE__, "HTTPS://ca.example/x", false, false },
	{ __LINE__, "", true, false },
};

#define ORDER(status, rest) "{\"status\":\"" status "\",\"authorizations\":[\"https://c/a1\",\"https://c/a2\"],\"finalize\":\"https://c/f\"" rest "}"
#define AUTHZ(status, rest) "{\"status\":\"" status "\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"}," rest "}"
#define HTTP01(rest) "{\"type\":\"http-01\",\"url\":\"https://c/ch\",\"token\":\"tok\"" rest "}"
/* Bodies that are read, or refused with PEER. */
static const struct {
	int line;
	enum acme_verb verb;
	const char *body;
	bool is_good;
} body_rows[] = {
	{ __LINE__, ACME_NEW_ORDER, ORDER("pending", ""), true },
	{ __LINE__, ACME_GET_ORDER, ORDER("valid", ",\"certificate\":\"https://c/cert\""), true },
	{ __LINE__, ACME_GET_ORDER, ORDER("invalid", ",\"error\":{\"type\":\"urn:ietf:params:acme:error:dns\",\"detail\":\"d\"}"), true },
	{ __LINE__, ACME_GET_ORDER, ORDER("invalid", ",\"error\":7"), true },
	{ __LINE__, ACME_GET_ORDER, ORDER("splendid", ""), false },
	{ __LINE__, ACME_GET_ORDER, "{\"status\":\"pending\",\"authorizations\":[],\"finalize\":\"https://c/f\"}", false },
	{ __LINE__, ACME_GET_ORDER, "{\"status\":\"pending\",\"authorizations\":\"https://c/a\",\"finalize\":\"https://c/f\"}", false },
	{ __LINE__, ACME_GET_ORDER, "{\"status\":\"pending\",\"authorizations\":[7],\"finalize\":\"https://c/f\"}", false },
	{ __LINE__, ACME_GET_ORDER, "{\"status\":\"pending\",\"authorizations\":[\"https://c/a\\r\\nX: y\"],\"finalize\":\"https://c/f\"}", false },
	{ __LINE__, ACME_GET_ORDER, "{\"status\":\"pending\",\"authorizations\":[\"https://c/a\"]}", false },
	{ __LINE__, ACME_GET_ORDER, "{\"status\":[\"pending\"]}", false },
	{ __LINE__, ACME_GET_AUTHZ, AUTHZ("pending", "\"challenges\":[{\"type\":\"dns-01\"}," HTTP01(",\"status\":\"pending\"") "]"), true },
	{ __LINE__, ACME_GET_AUTHZ, AUTHZ("pending", "\"challenges\":[]"), true },
	{ __LINE__, ACME_GET_AUTHZ, AUTHZ("pending", "\"challenges\":[null,7,[],{}]"), true },
	{ __LINE__, ACME_GET_AUTHZ, AUTHZ("pending", "\"challenges\":{}"), false },
	{ __LINE__, ACME_GET_AUTHZ, "{\"status\":\"pending\",\"challenges\":[]}", false },
	{ __LINE__, ACME_GET_AUTHZ, "{\"status\":\"pending\",\"identifier\":\"a.example\",\"challenges\":[]}", false },
	{ __LINE__, ACME_CHALLENGE, HTTP01(",\"status\":\"processing\""), true },
	{ __LINE__, ACME_CHALLENGE, HTTP01(""), false },
	{ __LINE__, ACME_GET_ORDER, "", false },
	{ __LINE__, ACME_GET_ORDER, "null", false },
	{ __LINE__, ACME_GET_ORDER, "[]", false },
	{ __LINE__, ACME_GET_ORDER, "{", false },
	{ __LINE__, ACME_GET_ORDER, "<html>", false },
	{ __LINE__, ACME_GET_ORDER, ORDER("pending", "") "x", false },
	{ __LINE__, ACME_GET_ORDER, "{\"status\":\"pending\\u0000\"}", false },
	{ __LINE__, ACME_GET_ORDER, "{\"status\":\"\xff\"}", false },
};
/* clang-format on */

static void
test_retry_after(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof retry_rows / sizeof *retry_rows; i++) {
		struct when got = parse_retry_after(str_of(retry_rows[i].value), STR_NONE, now);

		if (got.s != retry_rows[i].wanted)
			fail_msg(
			    "%s:%d: got %lld", __FILE__, retry_rows[i].line, (long long)got.s);
	}
}

/* A date is as far away as the CA sees it, by the Date of its answer; ours may be wrong by whatever it is. */
static void
test_retry_after_by_the_clock_of_the_ca(void **state)
{
	static const struct {
		int line;
		const char *value, *date;
		int64_t after_s;
	} rows[] = {
		{ __LINE__, "Fri, 27 Nov 2026 12:10:00 GMT", "Fri, 27 Nov 2026 12:00:00 GMT", 601 },
		{ __LINE__, "Wed, 27 Nov 2126 12:10:00 GMT", "Wed, 27 Nov 2126 12:00:00 GMT", 601 },
		{ __LINE__, "Tue, 27 Nov 1990 12:10:00 GMT", " Tue, 27 Nov 1990 12:00:00 GMT ", 601 },
		{ __LINE__, "Fri, 27 Nov 2026 12:00:00 GMT", "Fri, 27 Nov 2026 12:00:00 GMT", 0 },
		{ __LINE__, "Fri, 27 Nov 2026 11:00:00 GMT", "Fri, 27 Nov 2026 12:00:00 GMT", 0 },
		{ __LINE__, "Fri, 27 Nov 2026 12:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", 366 * 86400 },
		{ __LINE__, "120", "Thu, 01 Jan 1970 00:00:00 GMT", 121 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct when got = parse_retry_after(str_of(rows[i].value), str_of(rows[i].date), now);

		if (got.s != now.s + rows[i].after_s)
			fail_msg("%s:%d: got %lld", __FILE__, rows[i].line, (long long)(got.s - now.s));
	}
	assert_false(when_is_known(parse_retry_after(STR("soon"), STR("Fri, 27 Nov 2026 12:00:00 GMT"), now)));
	/* Without a date that can be read, by ours. */
	assert_int_equal(parse_retry_after(STR("Fri, 27 Nov 2026 12:00:00 GMT"), STR("today"), (struct when){ 1795780000 }).s, 1795780800);
}

static void
test_links(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof link_rows / sizeof *link_rows; i++) {
		struct str got = parse_link(str_of(link_rows[i].value), STR("alternate"));

		if (!str_eq(got, str_of(link_rows[i].wanted)))
			fail_msg(
			    "%s:%d: got \"%.*s\"", __FILE__, link_rows[i].line, STR_ARG(got));
	}
}

static void
test_urls(void **state)
{
	char *longest = calloc(1, LIMIT_URL_BYTES + 2);

	(void)state;
	for (size_t i = 0; i < sizeof url_rows / sizeof *url_rows; i++)
		if (parse_url_is_good(str_of(url_rows[i].url), url_rows[i].is_plain_allowed) !=
		    url_rows[i].wanted)
			fail_msg("%s:%d", __FILE__, url_rows[i].line);
	assert_non_null(longest);
	memset(longest, 'a', LIMIT_URL_BYTES + 1);
	memcpy(longest, "https://", 8);
	assert_true(parse_url_is_good((struct str){ longest, LIMIT_URL_BYTES }, false));
	assert_false(parse_url_is_good((struct str){ longest, LIMIT_URL_BYTES + 1 }, false));
	free(longest);
}

static struct acme_answer *
answer_for(enum acme_verb verb)
{
	struct acme_answer *an = acme_answer_new();

	assert_non_null(an);
	an->verb = verb;
	return an;
}

static void
test_bodies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof body_rows / sizeof *body_rows; i++) {
		struct acme_answer *an = answer_for(body_rows[i].verb);
		struct why why = { .text = "" };
		enum err e = parse_answer(str_of(body_rows[i].body), &why, an);

		if (e != (body_rows[i].is_good ? ERR_OK : ERR_PEER) ||
		    (e != ERR_OK && why.text[0] == '\0'))
			fail_msg("%s:%d: got %s, \"%s\"", __FILE__, body_rows[i].line,
			    err_name(e), why.text);
		/* Untouched unless it is good. */
		if (e != ERR_OK)
			assert_true(an->status == ACME_UNKNOWN && an->authz_n == 0 &&
				    !an->has_challenge);
		acme_answer_free(&an);
		assert_null(an);
	}
}

static void
test_fields(void **state)
{
	struct acme_answer *an = answer_for(ACME_GET_ORDER);

	(void)state;
	assert_int_equal(
	    parse_answer(
		str_of(ORDER("valid", ",\"certificate\":\"https://c/cert\"")), NULL, an),
	    ERR_OK);
	assert_int_equal(an->status, ACME_VALID);
	assert_int_equal(an->authz_n, 2);
	assert_true(str_eq(an->authz_urls[1], STR("https://c/a2")));
	assert_true(str_eq(an->finalize_url, STR("https://c/f")));
	assert_true(str_eq(an->certificate_url, STR("https://c/cert")));
	acme_answer_free(&an);

	an = answer_for(ACME_GET_AUTHZ);
	assert_int_equal(
	    parse_answer(
		str_of(AUTHZ("invalid",
		    "\"wildcard\":true,\"challenges\":[{\"type\":\"dns-01\",\"url\":\"https://"
		    "c/no\"}," HTTP01(",\"status\":\"invalid\",\"error\":{\"type\":\"urn:ietf:"
				      "params:acme:error:connection\",\"detail\":\"refused\"},"
				      "\"validationRecord\":[{\"addressUsed\":\"192.0.2.1\"},{"
				      "\"addressUsed\":\"192.0.2.2\"}]") "]")),
		NULL, an),
	    ERR_OK);
	assert_true(an->has_challenge && an->is_wildcard);
	assert_true(str_eq(an->identifier, STR("a.example")));
	assert_true(str_eq(an->challenge_url, STR("https://c/ch")));
	assert_true(str_eq(an->token, STR("tok")));
	assert_int_equal(an->challenge_status, ACME_INVALID);
	assert_true(str_eq(an->challenge_error.type, STR("connection")));
	assert_true(str_eq(an->challenge_error.detail, STR("refused")));
	assert_true(str_starts(an->challenge_error.raw, STR("{\"")));
	assert_true(str_eq(an->address_used, STR("192.0.2.2")));
	acme_answer_free(&an);
}

static void
test_problems(void **state)
{
	struct problem p;

	(void)state;
	AUTO_ARENA a = { .max = 0 };
	arena_init(&a, 1 << 20);
	assert_true(
	    parse_problem(STR("{\"type\":\"urn:ietf:params:acme:error:caa\",\"detail\":\"no\","
			      "\"status\":403,\"subproblems\":["
			      "{\"type\":\"urn:ietf:params:acme:error:dns\",\"detail\":\"d\","
			      "\"identifier\":{\"type\":\"dns\",\"value\":\"x.example\"}},"
			      "7,{\"identifier\":[]}]}"),
		&a, &p));
	assert_true(str_eq(p.type, STR("caa")));
	assert_int_equal(p.sub_n, 2);
	assert_true(str_eq(p.sub[0].identifier, STR("x.example")));
	assert_int_equal(p.sub[1].identifier.n, 0);
	assert_true(str_starts(p.raw, STR("{\"type\"")));

	/* Other namespaces stay whole; "about:blank" and nothing are no type of ours. */
	assert_true(parse_problem(STR("{\"type\":\"https://x/y\",\"title\":\"t\"}"), &a, &p));
	assert_true(str_eq(p.type, STR("https://x/y")) && str_eq(p.detail, STR("t")));
	assert_true(parse_problem(STR("{}"), &a, &p));
	assert_int_equal(p.type.n + p.detail.n + p.sub_n, 0);
	assert_false(parse_problem(STR("<html>"), &a, &p));
	assert_false(parse_problem(STR_NONE, &a, &p));
}

static void
test_long_texts_are_cut_between_characters(void **state)
{
	struct buf b;
	struct problem p;

	(void)state;
	AUTO_ARENA a = { .max = 0 };
	arena_init(&a, 1 << 20);
	buf_init(&b, LIMIT_BODY_BYTES);
	buf_put_str(&b, STR("{\"detail\":\"x"));
	for (unsigned i = 0; i < PARSE_TEXT_BYTES; i++)
		buf_put_str(&b, STR("\xe3\x81\x82"));
	buf_put_str(&b, STR("\"}"));
	assert_true(parse_problem(buf_str(&b), &a, &p));
	assert_in_range(p.detail.n, PARSE_TEXT_BYTES - 3, PARSE_TEXT_BYTES);
	assert_true(str_is_utf8(p.detail));
	assert_int_equal(p.raw.n, LIMIT_EVIDENCE_BYTES);
	buf_fini(&b);
}

static void
test_deep_and_long_documents(void **state)
{
	struct acme_answer *an = answer_for(ACME_GET_ORDER);
	struct buf b;

	(void)state;
	buf_init(&b, LIMIT_BODY_BYTES * 2);
	for (unsigned i = 0; i < 100000; i++)
		buf_put_str(&b, STR("{\"a\":"));
	assert_int_equal(parse_answer(buf_str(&b), NULL, an), ERR_PEER);
	buf_clear(&b);
	/* Brackets in texts do not count. */
	buf_put_str(
	    &b, STR("{\"status\":\"pending\",\"x\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"{{{{{\","
		    "\"authorizations\":[\"https://c/a\"],\"finalize\":\"https://c/f\"}"));
	assert_int_equal(parse_answer(buf_str(&b), NULL, an), ERR_OK);
	acme_answer_free(&an);
	buf_fini(&b);

	an = answer_for(ACME_GET_ORDER);
	buf_init(&b, LIMIT_BODY_BYTES);
	buf_put_str(&b,
	    STR("{\"status\":\"pending\",\"finalize\":\"https://c/f\",\"authorizations\":["));
	for (unsigned i = 0; i <= LIMIT_SITE_NAMES; i++)
		buf_putf(&b, "%s\"https://c/a\"", i > 0 ? "," : "");
	buf_put_str(&b, STR("]}"));
	assert_int_equal(parse_answer(buf_str(&b), NULL, an), ERR_PEER);
	acme_answer_free(&an);
	buf_fini(&b);
}

static void
test_directory(void **state)
{
	struct parse_directory d;
	struct why why = { .text = "" };

	(void)state;
	AUTO_ARENA a = { .max = 0 };
	arena_init(&a, 1 << 20);
	assert_int_equal(
	    parse_directory(
		STR("{\"newNonce\":\"https://c/n\",\"newAccount\":\"https://c/"
		    "a\",\"newOrder\":\"https://c/o\",\"revokeCert\":\"https://c/r\","
		    "\"renewalInfo\":\"https://c/i\",\"meta\":{\"termsOfService\":\"https://c/"
		    "t\",\"caaIdentities\":[\"ca.example\",7],"
		    "\"externalAccountRequired\":true,\"profiles\":{\"classic\":\"x\","
		    "\"short\":\"y\"}}}"),
		&a, &why, &d),
	    ERR_OK);
	assert_true(str_eq(d.new_order, STR("https://c/o")) &&
		    str_eq(d.revoke_cert, STR("https://c/r")));
	assert_true(d.about.eab_required && d.about.has_renewal_info);
	assert_int_equal(d.about.caa_identities_n, 1);
	assert_int_equal(d.about.profiles_n, 2);
	assert_int_equal(
	    parse_directory(STR("{\"newNonce\":\"https://c/n\"}"), &a, &why, &d), ERR_PEER);
	assert_non_null(strstr(why.text, "directory"));
	assert_int_equal(
	    parse_directory(STR("{\"newNonce\":7,\"meta\":[]}"), &a, &why, &d), ERR_PEER);
}

static void
test_payloads(void **state)
{
	struct str names[] = { STR("a.example"), STR("*.b.example") };
	struct str bad[] = { STR("a\"},{\"x"), STR("A.example"), STR("a b"), STR(""),
		STR("a\\u0022"), STR("a\n") };
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	struct acme_request r = { .verb = ACME_NEW_ORDER,
		.names = names,
		.names_n = 2,
		.replaces = STR("aki.serial"),
		.profile = STR("classic") };
	assert_int_equal(payload_put(&b, &r), ERR_OK);
	assert_string_equal(b.p, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"},"
				 "{\"type\":\"dns\",\"value\":\"*.b.example\"}],"
				 "\"replaces\":\"aki.serial\",\"profile\":\"classic\"}");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		r = (struct acme_request){
			.verb = ACME_NEW_ORDER, .names = &bad[i], .names_n = 1
		};
		assert_int_equal(payload_put(&b, &r), ERR_INVALID);
	}
	r = (struct acme_request){
		.verb = ACME_NEW_ORDER, .names = names, .names_n = 1, .profile = STR("x\"y")
	};
	assert_int_equal(payload_put(&b, &r), ERR_INVALID);
	buf_clear(&b);
	r = (struct acme_request){ .verb = ACME_FINALIZE, .csr_der = STR("\xfb\xff\xfe?") };
	assert_int_equal(payload_put(&b, &r), ERR_OK);
	assert_string_equal(b.p, "{\"csr\":\"-__-Pw\"}");
	buf_clear(&b);
	r = (struct acme_request){
		.verb = ACME_REVOKE,
		.chain_pem = STR("text before\n-----BEGIN CERTIFICATE-----\n-\n"),
		.reason = 4
	};
	/* The first certificate of the chain alone; and nothing that is no certificate. */
	assert_int_equal(payload_put(&b, &r), ERR_INVALID);
	buf_clear(&b);
	r.chain_pem = STR("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n");
	assert_int_equal(payload_put(&b, &r), ERR_INVALID);
	buf_clear(&b);
	r.chain_pem = STR("-----BEGIN CERTIFICATE-----\nYW\"j\n-----END CERTIFICATE-----\n");
	assert_int_equal(payload_put(&b, &r), ERR_INVALID);
	buf_clear(&b);
	r.chain_pem = STR("-----BEGIN CERTIFICATE-----\nYW+j/w==");
	assert_int_equal(payload_put(&b, &r), ERR_INVALID);
	buf_clear(&b);
	r.chain_pem = STR("text before\n-----BEGIN CERTIFICATE-----\r\nYW+j\r\n/w==\r\n-----END CERTIFICATE-----\n"
			  "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	assert_int_equal(payload_put(&b, &r), ERR_OK);
	assert_string_equal(b.p, "{\"certificate\":\"YW-j_w\",\"reason\":4}");
	buf_clear(&b);
	r = (struct acme_request){ .verb = ACME_GET_ORDER };
	assert_int_equal(payload_put(&b, &r), ERR_OK);
	assert_int_equal(b.n, 0);
	payload_put_account(&b, STR("x\"y@example.jp"), STR("{\"e\":1}"));
	assert_string_equal(b.p, "{\"termsOfServiceAgreed\":true,\"contact\":[\"mailto:x\\\"y@"
				 "example.jp\"],\"externalAccountBinding\":{\"e\":1}}");
	buf_fini(&b);
}

/* Good bodies with bytes changed, cut off, doubled: read or refused, never more. The seed is fixed. */
static void
test_mutations(void **state)
{
	uint32_t seed = 8555;

	(void)state;
	for (unsigned round = 0; round < 40000; round++) {
		size_t row = round % (sizeof body_rows / sizeof *body_rows);
		struct str good = str_of(body_rows[row].body);
		char body[1024];
		size_t n = good.n < sizeof body ? good.n : sizeof body;

		memcpy(body, good.p, n);
		for (unsigned k = 0; k < 1 + round % 4 && n > 0; k++) {
			seed = seed * 1664525 + 1013904223;
			size_t at = (seed >> 8) % n;
			static const char bytes[] = "{}[]\",:\\0\xff\x00untrue";

			if (seed % 5 == 0)
				n = at;
			else
				body[at] = bytes[(seed >> 4) % sizeof bytes];
		}
		struct acme_answer *an = answer_for(body_rows[row].verb);
		struct problem p;
		enum err e = parse_answer((struct str){ body, n }, NULL, an);

		assert_true(e == ERR_OK || e == ERR_PEER);
		(void)parse_problem((struct str){ body, n }, &an->arena, &p);
		(void)parse_link((struct str){ body, n }, STR("alternate"));
		(void)parse_retry_after((struct str){ body, n }, (struct str){ body, n }, now);
		acme_answer_free(&an);
	}
}

/* Each amount of memory: an error, no crash; with enough it is read. */
static void
test_no_memory(void **state)
{
	bool was_read = false;

	(void)state;
	for (size_t max = 0; max < 2000 && !was_read; max += 8) {
		struct acme_answer *an = answer_for(ACME_GET_ORDER);

		an->arena.max = max;
		enum err e = parse_answer(
		    str_of(ORDER("invalid", ",\"error\":{\"type\":\"x\",\"detail\":\"y\","
					    "\"subproblems\":[{\"type\":\"z\"}]}")),
		    NULL, an);
		assert_true(e == ERR_OK || e == ERR_MEMORY || e == ERR_PEER);
		was_read = e == ERR_OK;
		acme_answer_free(&an);
	}
	assert_true(was_read);
}

/* Signs nothing: writes down what it is asked to sign, in this order. */
static char asked[256];

static enum err
note_job(void *ctx, const struct keys_job *job, keys_done *done, void *arg)
{
	(void)ctx;
	(void)done;
	(void)arg;
	size_t n = strlen(asked);
	(void)snprintf(asked + n, sizeof asked - n, "%.*s ", STR_ARG(job->url));
	return ERR_OK;
}

static void
nobody(void *arg, struct acme_answer *answer)
{
	(void)arg;
	acme_answer_free(&answer);
}

/* With a nonce for one request at a time: what takes orders further, in the order of its coming, polls between it, and the new order keeps nobody up,
 * but is not kept up for ever. */
static void
test_who_goes_first(void **state)
{
	struct clock clock = clock_real((struct span){ 0 });
	struct loop *loop;
	struct keys keys = { NULL, note_job };
	struct acme_http *a;
	static const struct acme_request requests[] = {
		{ .verb = ACME_GET_ORDER, .order_id = 1, .url = { "https://c/poll1", 15 } },
		{ .verb = ACME_CHALLENGE, .order_id = 2, .url = { "https://c/step2", 15 } },
		{ .verb = ACME_GET_ORDER, .order_id = 3, .url = { "https://c/poll3", 15 } },
		{ .verb = ACME_GET_AUTHZ, .order_id = 4, .url = { "https://c/step4", 15 } },
		{ .verb = ACME_NEW_ORDER, .order_id = 5 },
		{ .verb = ACME_CHALLENGE, .order_id = 6, .url = { "https://c/step6", 15 } },
	};
	struct str name = STR("a.example");

	(void)state;
	asked[0] = '\0';
	assert_int_equal(loop_new(&clock, &loop), ERR_OK);
	assert_int_equal(
	    acme_http_new(loop, &clock, &keys, &(struct acme_http_options){ 0 }, &a), ERR_OK);
	a->is_open = true;
	a->directory.new_order = STR("https://c/order");
	a->directory_at = clock_now(&clock);
	struct acme port = acme_http_port(a);
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		struct acme_request r = requests[i];

		if (r.verb == ACME_NEW_ORDER) {
			r.names = &name;
			r.names_n = 1;
		}
		assert_int_equal(port.submit(port.ctx, &r, nobody, NULL), ERR_OK);
	}
	assert_string_equal(asked, "");
	port.forget(port.ctx, 6);
	for (int i = 0; i < 6; i++) {
		http_put_nonce(a, STR("nonce"));
		http_pump(a);
	}
	assert_string_equal(asked, "https://c/step2 https://c/poll1 https://c/step4 "
				   "https://c/order https://c/poll3 ");
	for (struct job *j = a->active.first; j != NULL; j = j->next)
		j->state = JOB_ON_WIRE; /* nobody will answer: freed with the port */
	acme_http_free(&a);
	loop_free(&loop);
}

/* --- new orders that the CA's front end holds up --- */

enum { HELD_ORDERS = 100 };
static struct {
	keys_done *done;
	void *arg;
} signed_later[HELD_ORDERS + 1];
static size_t signed_n;

static enum err
sign_later(void *ctx, const struct keys_job *job, keys_done *done, void *arg)
{
	(void)ctx;
	(void)job;
	assert_true(signed_n < HELD_ORDERS + 1);
	signed_later[signed_n].done = done;
	signed_later[signed_n++].arg = arg;
	return ERR_OK;
}

/* Signs and sends as much as goes; how much. */
static size_t
sign_all(struct acme_http *a)
{
	size_t n = 0;

	for (http_pump(a); signed_n > 0; n++) {
		const struct keys_answer answer = { .err = ERR_OK, .json = STR("{}") };

		http_put_nonce(a, STR("nonce"));
		signed_n--;
		signed_later[signed_n].done(signed_later[signed_n].arg, &answer);
		http_pump(a);
	}
	return n;
}

/* A hundred new orders may not be sent for half a minute; a step of another order is not held up by them. */
static void
test_held_orders_hold_up_nobody_else(void **state)
{
	struct clock clock = clock_real((struct span){ 0 });
	struct keys keys = { NULL, sign_later };
	struct loop *loop;
	struct acme_http *a;
	struct str name = STR("a.example");
	const struct acme_request order = { .verb = ACME_NEW_ORDER, .order_id = 1, .names = &name, .names_n = 1 },
				  step = { .verb = ACME_CHALLENGE, .order_id = 2, .url = STR("https://127.0.0.1:9/step") };

	(void)state;
	assert_int_equal(loop_new(&clock, &loop), ERR_OK);
	assert_int_equal(acme_http_new(loop, &clock, &keys, &(struct acme_http_options){ 0 }, &a), ERR_OK);
	a->is_open = true;
	a->directory.new_order = STR("https://127.0.0.1:9/order");
	a->directory_at = clock_now(&clock);
	pace_hold(a->pace, ENDPOINT_NEW_ORDER, when_plus(clock_now(&clock), SPAN_S(30)));
	struct acme port = acme_http_port(a);
	for (size_t i = 0; i < HELD_ORDERS; i++)
		assert_int_equal(port.submit(port.ctx, &order, nobody, NULL), ERR_OK);
	http_put_nonce(a, STR("nonce"));
	assert_int_equal(sign_all(a), PACED_MAX);
	assert_int_equal(pace_waiting(a->pace), PACED_MAX);
	uint64_t sent = acme_http_requests(a);
	assert_int_equal(port.submit(port.ctx, &step, nobody, NULL), ERR_OK);
	assert_int_equal(sign_all(a), 1);
	assert_int_equal(acme_http_requests(a), sent + 1);
	acme_http_free(&a);
	loop_free(&loop);
}

/* --- a CA that takes connections and says nothing --- */

struct silence {
	struct acme port;
	size_t told;
	enum err last;
};

static void
count_told(void *arg, struct acme_answer *answer)
{
	struct silence *s = arg;

	s->told++;
	s->last = answer->err;
	acme_answer_free(&answer);
}

static void
ask_silent(void *arg)
{
	static const struct acme_request r = { .verb = ACME_CHALLENGE, .order_id = 1, .url = { "https://c/step", 14 } };
	struct silence *s = arg;

	assert_int_equal(s->port.submit(s->port.ctx, &r, count_told, s), ERR_OK);
}

/* Its nonces are waited for by two that came one after the other: neither waits for ever for the other's. */
static void
test_silence_has_an_end(void **state)
{
	enum { TIMEOUT_MS = 400, PATIENCE_MS = 20000 };
	struct clock clock = clock_real((struct span){ 0 });
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t at_n = sizeof at;
	struct keys keys = { NULL, note_job };
	struct silence s = { .told = 0 };
	struct acme_http *a;
	struct loop *loop;
	char url[64];

	(void)state;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &at_n), 0);
	(void)snprintf(url, sizeof url, "https://127.0.0.1:%u/nonce", ntohs(at.sin_port));
	assert_int_equal(loop_new(&clock, &loop), ERR_OK);
	assert_int_equal(
	    acme_http_new(loop, &clock, &keys, &(struct acme_http_options){ .timeout_ms = TIMEOUT_MS }, &a), ERR_OK);
	a->is_open = true;
	a->directory.new_nonce = str_of(url);
	a->directory_at = clock_now(&clock);
	s.port = acme_http_port(a);
	ask_silent(&s);
	assert_non_null(loop_after(loop, TIMEOUT_MS / 2, ask_silent, &s));
	for (int64_t end = clock_mono(&clock).ms + PATIENCE_MS; s.told < 2 && clock_mono(&clock).ms < end;)
		assert_int_equal(loop_round(loop, 100), ERR_OK);
	assert_int_equal(s.told, 2);
	assert_int_not_equal(s.last, ERR_OK);
	acme_http_free(&a);
	loop_free(&loop);
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_retry_after), cmocka_unit_test(test_retry_after_by_the_clock_of_the_ca),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_long_texts_are_cut_between_characters),
		cmocka_unit_test(test_deep_and_long_documents),
		cmocka_unit_test(test_directory),
		cmocka_unit_test(test_payloads),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_who_goes_first),
		cmocka_unit_test(test_held_orders_hold_up_nobody_else),
		cmocka_unit_test(test_silence_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
