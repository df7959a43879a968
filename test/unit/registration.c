/* The registry's word about a domain: the documents of RDAP, and what is made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/classify.h"
#include "ports/rdap/parse.h"

#define NOW 1800000000 /* 2027-01-15T08:00:00Z */
#define DAY 86400

/* ---- a domain object ---- */

#define ABOUT "\"objectClassName\":\"domain\",\"ldhName\":\"example.jp\""
#define EXPIRES(date) "\"events\":[{\"eventAction\":\"expiration\",\"eventDate\":\"" date "\"}]"

static void
test_domain(void **state)
{
	static const struct {
		int line;
		const char *json;
		enum err err;
		bool is_on_hold, is_redeemable, is_being_deleted;
		int64_t expires; /* 0: unknown */
		const char *registrar, *words;
	} rows[] = {
		{ __LINE__, "{" ABOUT "}", ERR_OK, false, false, false, 0, "", "" },
		{ __LINE__, "{" ABOUT ",\"status\":[\"active\",\"client hold\"]," EXPIRES("2027-01-15T08:00:00Z") "}", ERR_OK, true, false,
		    false, NOW, "", "active, client hold" },
		{ __LINE__, "{" ABOUT ",\"status\":[\"Server Hold\"]}", ERR_OK, true, false, false, 0, "", "Server Hold" },
		{ __LINE__, "{" ABOUT ",\"status\":[\"redemption period\",\"pending delete\"]}", ERR_OK, false, true, true, 0, "",
		    "redemption period, pending delete" },
		{ __LINE__, "{" ABOUT ",\"status\":[\"client transfer prohibited\"]}", ERR_OK, false, false, false, 0, "",
		    "client transfer prohibited" },
		/* RFC 3339 in its forms. */
		{ __LINE__, "{" ABOUT "," EXPIRES("2027-01-15T17:00:00+09:00") "}", ERR_OK, false, false, false, NOW, "", "" },
		{ __LINE__, "{" ABOUT "," EXPIRES("2027-01-15T03:30:00-04:30") "}", ERR_OK, false, false, false, NOW, "", "" },
		{ __LINE__, "{" ABOUT "," EXPIRES("2027-01-15t08:00:00.123456z") "}", ERR_OK, false, false, false, NOW, "", "" },
		{ __LINE__, "{" ABOUT "," EXPIRES("2027-01-15") "}", ERR_OK, false, false, false, 0, "", "" },
		{ __LINE__, "{" ABOUT "," EXPIRES("2027-13-15T08:00:00Z") "}", ERR_OK, false, false, false, 0, "", "" },
		{ __LINE__, "{" ABOUT "," EXPIRES("99999999999999") "}", ERR_OK, false, false, false, 0, "", "" },
		{ __LINE__, "{" ABOUT "," EXPIRES("2027-01-15T08:00:00Zx") "}", ERR_OK, false, false, false, 0, "", "" },
		/* The registrar's own date is not the registry's. */
		{ __LINE__,
		    "{" ABOUT
		    ",\"events\":[{\"eventAction\":\"registrar expiration\",\"eventDate\":\"2027-01-15T08:00:00Z\"}]}",
		    ERR_OK, false, false, false, 0, "", "" },
		{ __LINE__,
		    "{" ABOUT ",\"entities\":[{\"roles\":[\"abuse\"],\"vcardArray\":[\"vcard\",[[\"fn\",{},\"text\",\"Nobody\"]]]},"
			      "{\"roles\":[\"registrar\"],\"vcardArray\":[\"vcard\",[[\"version\",{},\"text\",\"4.0\"],"
			      "[\"fn\",{},\"text\",\"お名前.example\"]]]}]}",
		    ERR_OK, false, false, false, 0, "お名前.example", "" },
		{ __LINE__, "{" ABOUT ",\"entities\":[{\"roles\":[\"registrar\"],\"vcardArray\":[\"vcard\",[[\"fn\",{},\"text\",\"a\\r\\nb\"]]]}]}",
		    ERR_OK, false, false, false, 0, "", "" },
		/* Oddities of type are passed over. */
		{ __LINE__, "{" ABOUT ",\"status\":7,\"events\":\"no\",\"entities\":[[[]],null,{\"roles\":{}}]}", ERR_OK, false, false,
		    false, 0, "", "" },
		{ __LINE__, "{" ABOUT ",\"status\":[null,{},\"\",\"client hold\"]}", ERR_OK, true, false, false, 0, "", "client hold" },
		/* Not this domain, or no document at all. */
		{ __LINE__, "{\"objectClassName\":\"domain\",\"ldhName\":\"EXAMPLE.JP.\"}", ERR_OK, false, false, false, 0, "", "" },
		{ __LINE__, "{\"objectClassName\":\"domain\",\"ldhName\":\"other.jp\"}", ERR_INVALID, 0, 0, 0, 0, "", "" },
		{ __LINE__, "{\"objectClassName\":\"ip network\",\"ldhName\":\"example.jp\"}", ERR_INVALID, 0, 0, 0, 0, "", "" },
		{ __LINE__, "{\"ldhName\":[\"example.jp\"]}", ERR_INVALID, 0, 0, 0, 0, "", "" },
		{ __LINE__, "{" ABOUT "," ABOUT "}", ERR_INVALID, 0, 0, 0, 0, "", "" },
		{ __LINE__, "{" ABOUT ",\"status\":[", ERR_INVALID, 0, 0, 0, 0, "", "" },
		{ __LINE__, "[]", ERR_INVALID, 0, 0, 0, 0, "", "" },
		{ __LINE__, "<html>", ERR_INVALID, 0, 0, 0, 0, "", "" },
		{ __LINE__, "", ERR_INVALID, 0, 0, 0, 0, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_ARENA a = { .max = 65536 };
		struct registration r = { .status = REGISTRATION_NOT_ASKED };
		enum err err = rdap_parse_domain(str_of(rows[i].json), STR("example.jp"), &a, &r);
		struct when wanted = rows[i].expires != 0 ? (struct when){ rows[i].expires } : WHEN_UNKNOWN;

		if (err != rows[i].err)
			fail_msg("line %d: %s", rows[i].line, err_name(err));
		if (err != ERR_OK) {
			assert_int_equal(r.status, REGISTRATION_NOT_ASKED);
			continue;
		}
		if (r.status != REGISTRATION_FOUND || r.is_on_hold != rows[i].is_on_hold || r.is_redeemable != rows[i].is_redeemable ||
		    r.is_being_deleted != rows[i].is_being_deleted || r.expires.s != wanted.s ||
		    !str_eq(r.registrar, str_of(rows[i].registrar)) || !str_eq(r.words, str_of(rows[i].words)))
			fail_msg("line %d: hold %d, redeemable %d, deleted %d, expires %lld, registrar %.*s, words %.*s", rows[i].line,
			    r.is_on_hold, r.is_redeemable, r.is_being_deleted, (long long)r.expires.s, STR_ARG(r.registrar),
			    STR_ARG(r.words));
	}
}

/* ---- the bootstrap ---- */

static void
test_bootstrap(void **state)
{
	static const struct {
		const char *domain, *url;
	} rows[] = {
		{ "example.jp", "https://jp.example/" }, { "example.co.jp", "https://co.example/rdap/" },
		{ "example.com", "https://secure.example/" }, { "example.net", "http://plain.example/" }, { "example.org", "" },
		{ "jp", "https://jp.example/" }, { "", "" }, { "example.dev", "" },
	};
	const char *json = "{\"version\":\"1.0\",\"services\":[[[\"jp\"],[\"https://jp.example/\"]],[[\"co.jp\"],[\"https://co.example/rdap/\"]],"
			   "[[\"com\"],[\"http://plain.example/\",\"https://secure.example/\"]],[[\"net\",7],[\"http://plain.example/\"]],"
			   "[[\"dev\"],[\"ftp://a.example/\",\"https://no-slash.example\",\"https://two.example/\\r\\n/\"]],7,[[],[]]]}";
	struct rdap_bootstrap *b = NULL;

	(void)state;
	assert_int_equal(rdap_bootstrap_read(str_of(json), &b), ERR_OK);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str url = rdap_bootstrap_url(b, str_of(rows[i].domain));

		if (!str_eq(url, str_of(rows[i].url)))
			fail_msg("%s: %.*s", rows[i].domain, STR_ARG(url));
	}
	rdap_bootstrap_free(&b);
	assert_null(b);
	static const char *const refused[] = { "", "[]", "{}", "{\"services\":[]}", "{\"services\":{}}", "{\"services\":[[[\"jp\"],[]]]}" };
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		assert_int_equal(rdap_bootstrap_read(str_of(refused[i]), &b), ERR_INVALID);
}

/* ---- what is made of it ---- */

enum shown { ABSENT, OURS, FOREIGN };

static void
test_classified(void **state)
{
	static const struct {
		int line;
		struct registration r;
		enum shown shown;
		int64_t held_to; /* 0: no certificate */
		enum cause first, second;
	} rows[] = {
		{ __LINE__, { .status = REGISTRATION_FOUND, .is_redeemable = true, .expires = { NOW - 40 * DAY } }, ABSENT, 0,
		    CAUSE_REGISTRATION_DOMAIN_EXPIRED, CAUSE_NONE },
		{ __LINE__, { .status = REGISTRATION_FOUND, .expires = { NOW - 1 } }, ABSENT, 0, CAUSE_REGISTRATION_DOMAIN_EXPIRED, CAUSE_NONE },
		{ __LINE__, { .status = REGISTRATION_FOUND, .is_being_deleted = true, .expires = { INT64_MIN } }, ABSENT, 0,
		    CAUSE_REGISTRATION_DOMAIN_EXPIRED, CAUSE_NONE },
		/* The registrar leads what has ended to a page of its own: the domain is the cause. */
		{ __LINE__, { .status = REGISTRATION_FOUND, .expires = { NOW - DAY } }, FOREIGN, 0, CAUSE_REGISTRATION_DOMAIN_EXPIRED, CAUSE_NONE },
		/* Past its date and still working: most registrars renew a little late. */
		{ __LINE__, { .status = REGISTRATION_FOUND, .expires = { NOW - DAY } }, OURS, 0, CAUSE_REGISTRATION_DOMAIN_EXPIRING, CAUSE_NONE },
		{ __LINE__, { .status = REGISTRATION_FOUND, .expires = { NOW + 29 * DAY } }, OURS, 0, CAUSE_REGISTRATION_DOMAIN_EXPIRING, CAUSE_NONE },
		{ __LINE__, { .status = REGISTRATION_FOUND, .expires = { NOW + 31 * DAY } }, OURS, 0, CAUSE_NONE, CAUSE_NONE },
		{ __LINE__, { .status = REGISTRATION_FOUND, .expires = { NOW + 29 * DAY } }, OURS, NOW + 40 * DAY, CAUSE_REGISTRATION_DOMAIN_EXPIRING,
		    CAUSE_NONE },
		{ __LINE__, { .status = REGISTRATION_FOUND, .expires = { NOW + 29 * DAY } }, OURS, NOW + 20 * DAY, CAUSE_NONE, CAUSE_NONE },
		{ __LINE__, { .status = REGISTRATION_FOUND, .expires = { NOW + 31 * DAY } }, OURS, NOW + 40 * DAY, CAUSE_NONE, CAUSE_NONE },
		{ __LINE__, { .status = REGISTRATION_FOUND, .is_on_hold = true, .expires = { NOW + 90 * DAY } }, ABSENT, 0,
		    CAUSE_REGISTRATION_DOMAIN_ON_HOLD, CAUSE_NONE },
		{ __LINE__, { .status = REGISTRATION_FOUND, .is_on_hold = true, .expires = { NOW + 90 * DAY } }, OURS, 0,
		    CAUSE_REGISTRATION_DOMAIN_ON_HOLD, CAUSE_NONE },
		/* Well registered: DNS speaks. */
		{ __LINE__, { .status = REGISTRATION_FOUND, .expires = { NOW + 90 * DAY } }, ABSENT, 0, CAUSE_DNS_ADDRESS_MISSING, CAUSE_NONE },
		{ __LINE__, { .status = REGISTRATION_FOUND, .expires = { INT64_MIN } }, FOREIGN, 0, CAUSE_DNS_A_ELSEWHERE, CAUSE_NONE },
		/* Silence proves nothing, and a zero date of one who was not asked even less. */
		{ __LINE__, { .status = REGISTRATION_UNKNOWN, .is_on_hold = true }, ABSENT, 0, CAUSE_DNS_ADDRESS_MISSING, CAUSE_NONE },
		{ __LINE__, { .status = REGISTRATION_NOT_ASKED }, OURS, 0, CAUSE_NONE, CAUSE_NONE },
	};
	static struct str ours[] = { { "203.0.113.10", 12 } };
	const struct policy p = { .addresses = ours, .addresses_n = 1, .poll_min = { 30 }, .poll_max = { 900 }, .look_every = { DAY } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_ARENA a = { .max = 1024 * 1024 };
		struct address_evidence address = { .ip = { 4, { 203, 0, 113, rows[i].shown == OURS ? 10 : 99 } },
			.is_ours = rows[i].shown == OURS,
			.http = { .result = HTTP_ANSWERED, .status = rows[i].shown == OURS ? 200 : 404, .is_ours = rows[i].shown == OURS } };
		struct name_evidence name = { .name = STR("example.jp"), .registered_domain = STR("example.jp"), .a_status = DNS_OK,
			.aaaa_status = DNS_OK, .caa_status = DNS_OK, .registration = rows[i].r, .addresses = &address,
			.addresses_n = rows[i].shown != ABSENT, .ttl_s = 300 };
		struct evidence e = { .at = { NOW }, .has_dns = true, .has_http = true, .resolver_works = true, .names = &name, .names_n = 1 };
		struct site site = { .held = { .id = rows[i].held_to != 0, .life = { { NOW - DAY }, { rows[i].held_to } } } };
		struct finding room[16];
		struct finding_list out = { .at = room, .cap = 16 };

		name.registration.registrar = STR("Example Registrar");
		classify(&e, rows[i].held_to != 0 ? &site : NULL, &p, &a, &out);
		enum cause first = out.n > 0 ? out.at[0].cause : CAUSE_NONE, second = rows[i].shown == ABSENT && out.n > 1 ? out.at[1].cause : CAUSE_NONE;
		if (first != rows[i].first || second != rows[i].second)
			fail_msg("line %d: %s", rows[i].line, first != CAUSE_NONE ? cause_row(first)->id : "nothing");
		if (first != CAUSE_NONE && cause_row(first)->layer == LAYER_REGISTRATION) {
			assert_true(str_eq(out.at[0].copy, STR("example.jp")));
			assert_true(str_eq(out.at[0].company, STR("Example Registrar")));
			assert_true(str_find(out.at[0].evidence, STR("registrar Example Registrar")) != SIZE_MAX);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_domain),
		cmocka_unit_test(test_bootstrap),
		cmocka_unit_test(test_classified),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
