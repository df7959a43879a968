/* Who stands in front of a site or answers in its place, by address and by page, and what is made of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/classify.h"
#include "core/front.h"
#include "ports/probe/net.h"

#define NOW 1800000000
#define DAY 86400
#define THUMBPRINT43 "9jg46WB3rR-AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"

static void
test_ranges(void **state)
{
	static const struct {
		const char *ip, *front;
	} rows[] = {
		{ "104.16.0.0", "Cloudflare" }, { "104.23.255.255", "Cloudflare" }, { "104.27.255.255", "Cloudflare" }, { "104.28.0.1", "" }, { "104.15.255.255", "" },
		{ "104.32.0.0", "" }, { "172.64.0.1", "Cloudflare" }, { "172.72.0.1", "" }, { "131.0.75.255", "Cloudflare" }, { "131.0.76.0", "" },
		{ "162.159.1.1", "Cloudflare" }, { "162.160.1.1", "" }, { "2606:4700::1", "Cloudflare" }, { "2606:4701::1", "" },
		{ "2a06:98c7:ffff::1", "Cloudflare" }, { "2a06:98c8::1", "" }, { "151.101.1.1", "Fastly" }, { "203.0.113.10", "" },
		{ "::1", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct address a;

		assert_int_equal(address_read(str_of(rows[i].ip), &a), ERR_OK);
		struct str front = front_of(&a);
		if (!str_eq(front, str_of(rows[i].front)))
			fail_msg("%s: %.*s", rows[i].ip, STR_ARG(front));
	}
}

static void
test_configured_fronts(void **state)
{
	static const struct {
		const char *text, *name;
	} rows[] = { { "203.0.113.0/24 Example CDN", "Example CDN" }, { "2001:db8::/32  当社の中継", "当社の中継" }, { "203.0.113.0/24", NULL },
		{ "203.0.113.0/24 ", NULL }, { "203.0.113.0/33 x", NULL }, { "Example CDN", NULL }, { "", NULL }, { "203.0.113.0/24 a\nb", NULL } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct probe_front f = { .name = "untouched" };
		enum err err = probe_front_read(str_of(rows[i].text), &f);

		assert_int_equal(err, rows[i].name != NULL ? ERR_OK : ERR_INVALID);
		assert_string_equal(f.name, rows[i].name != NULL ? rows[i].name : "untouched");
	}
}

static void
test_configured_services(void **state)
{
	static const struct {
		const char *text;
		uint16_t port; /* 0: refused */
		enum service_opening opening;
	} rows[] = { { "993", 993, SERVICE_TLS }, { "587 smtp", 587, SERVICE_SMTP }, { "143  imap ", 143, SERVICE_IMAP }, { "110 pop3", 110, SERVICE_POP3 },
		{ "21 ftp", 21, SERVICE_FTP }, { "65536", 0, SERVICE_TLS }, { "smtp", 0, SERVICE_TLS }, { "25 SMTP", 0, SERVICE_TLS }, { "", 0, SERVICE_TLS } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct probe_service s = { .port = 0 };
		enum err err = probe_service_read(str_of(rows[i].text), &s);

		assert_int_equal(err, rows[i].port != 0 ? ERR_OK : ERR_INVALID);
		assert_int_equal(s.port, rows[i].port);
		assert_int_equal(s.opening, rows[i].opening);
	}
}

static void
test_pages(void **state)
{
	static const struct {
		const char *body, *server;
		enum page_kind kind;
		const char *who;
	} rows[] = {
		{ "<html><body>Access blocked by WordFence", "", PAGE_PLUGIN, "Wordfence" },
		{ "<TITLE>Just a moment...</TITLE>", "cloudflare", PAGE_BOT_FILTER, "Cloudflare" },
		{ "<script src=\"/aes.js\"></script>slowAES.decrypt(c)", "", PAGE_BOT_FILTER, "nginx testcookie" },
		{ "<h1>Welcome to nginx!</h1>", "nginx", PAGE_PARKED, "an nginx without a site" },
		{ "ただいまメンテナンス中です", "", PAGE_PLUGIN, "a maintenance page" },
		{ "", "RomPager/4.07 UPnP/1.0", PAGE_ROUTER, "a router (RomPager)" },
		/* A marker of the header is not looked for in the body, nor the other way round. */
		{ "RomPager", "", PAGE_NONE, "" },
		{ "", "wordfence", PAGE_NONE, "" },
		{ "wordfenc", "", PAGE_NONE, "" },
		{ "", "", PAGE_NONE, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct http_evidence h = { .body = str_of(rows[i].body), .server = str_of(rows[i].server) };
		struct page p = page_of(&h);

		if (p.kind != rows[i].kind || !str_eq(p.who, str_of(rows[i].who)))
			fail_msg("%s: %d, %.*s", rows[i].body, (int)p.kind, STR_ARG(p.who));
	}
}

/* Where: at an address of ours, at a known service, or at somebody's. */
enum where { OURS, FRONT, STRANGER };

static void
test_classified(void **state)
{
	static const struct {
		int line;
		enum where where;
		struct http_evidence h;
		enum cause first, second;
		const char *seen;
		enum actor acts;
	} rows[] = {
		{ __LINE__, FRONT, { .result = HTTP_ANSWERED, .status = 200, .is_ours = true }, CAUSE_NONE, CAUSE_NONE, "", ACTOR_NOBODY },
		{ __LINE__, FRONT, { .result = HTTP_ANSWERED, .status = 403, .server = { "cloudflare", 10 } }, CAUSE_HTTP_CDN_BLOCKS, CAUSE_NONE,
		    "403, cloudflare", ACTOR_DOMAIN_COMPANY },
		{ __LINE__, FRONT, { .result = HTTP_ANSWERED, .status = 503, .is_mitigated = true }, CAUSE_HTTP_CDN_BLOCKS, CAUSE_NONE, "503",
		    ACTOR_DOMAIN_COMPANY },
		{ __LINE__, FRONT, { .result = HTTP_ANSWERED, .status = 503 }, CAUSE_HTTP_SERVER_FOREIGN, CAUSE_NONE, "503", ACTOR_DOMAIN_COMPANY },
		{ __LINE__, FRONT, { .result = HTTP_ANSWERED, .status = 520 }, CAUSE_HTTP_CDN_ORIGIN_FAILED, CAUSE_NONE, "520", ACTOR_DOMAIN_COMPANY },
		{ __LINE__, FRONT, { .result = HTTP_ANSWERED, .status = 526 }, CAUSE_HTTP_CDN_ORIGIN_FAILED, CAUSE_NONE, "526", ACTOR_DOMAIN_COMPANY },
		{ __LINE__, FRONT, { .result = HTTP_ANSWERED, .status = 527 }, CAUSE_HTTP_SERVER_FOREIGN, CAUSE_NONE, "527", ACTOR_DOMAIN_COMPANY },
		{ __LINE__, FRONT, { .result = HTTP_ANSWERED, .status = 404 }, CAUSE_HTTP_SERVER_FOREIGN, CAUSE_NONE, "404", ACTOR_DOMAIN_COMPANY },
		{ __LINE__, FRONT, { .result = HTTP_ANSWERED, .status = 404, .is_from_cache = true }, CAUSE_HTTP_CACHE_STALE, CAUSE_NONE, "404",
		    ACTOR_WEB_OWNER },
		{ __LINE__, FRONT, { .result = HTTP_ANSWERED, .status = 200, .body = { "buy this domain", 15 } }, CAUSE_HTTP_PAGE_PARKED, CAUSE_NONE,
		    "a parking page", ACTOR_DOMAIN_COMPANY },
		{ __LINE__, FRONT, { .result = HTTP_REFUSED }, CAUSE_TRANSPORT_PORT80_CLOSED_ELSEWHERE, CAUSE_NONE, "104.16.1.1", ACTOR_DOMAIN_COMPANY },
		{ __LINE__, FRONT, { .result = HTTP_TIMEOUT_CONNECT }, CAUSE_TRANSPORT_PORT80_CLOSED_ELSEWHERE, CAUSE_NONE, "104.16.1.1",
		    ACTOR_DOMAIN_COMPANY },
		{ __LINE__, FRONT, { .result = HTTP_REDIRECT_LOOP, .hops = 10 }, CAUSE_HTTP_REDIRECT_LOOP, CAUSE_NONE, "104.16.1.1", ACTOR_WEB_OWNER },
		/* Asked several times, with answers that differ. */
		{ __LINE__, FRONT, { .result = HTTP_ANSWERED, .status = 200, .is_ours = true, .tries = 5, .ours_n = 3 }, CAUSE_HTTP_SERVER_INCONSISTENT,
		    CAUSE_NONE, "200", ACTOR_DOMAIN_COMPANY },
		{ __LINE__, FRONT, { .result = HTTP_ANSWERED, .status = 404, .tries = 5, .ours_n = 1 }, CAUSE_HTTP_SERVER_INCONSISTENT, CAUSE_NONE,
		    "404", ACTOR_DOMAIN_COMPANY },
		{ __LINE__, OURS, { .result = HTTP_ANSWERED, .status = 404, .tries = 5, .ours_n = 4 }, CAUSE_OWN_CHALLENGE_PARTLY_SERVED, CAUSE_NONE,
		    "404", ACTOR_HOST },
		{ __LINE__, OURS, { .result = HTTP_ANSWERED, .status = 404, .tries = 5, .ours_n = 0 }, CAUSE_OWN_CHALLENGE_NOT_SERVED, CAUSE_NONE, "404",
		    ACTOR_HOST },
		{ __LINE__, FRONT, { .result = HTTP_NOT_TRIED }, CAUSE_OWN_UNCLASSIFIED, CAUSE_NONE, "", ACTOR_HOST },
		/* At our own address. */
		{ __LINE__, OURS, { .result = HTTP_ANSWERED, .status = 200, .body = { "SiteGuard", 9 } }, CAUSE_HTTP_PLUGIN_INTERCEPTS, CAUSE_NONE,
		    "SiteGuard", ACTOR_HOST },
		{ __LINE__, OURS, { .result = HTTP_ANSWERED, .status = 503, .body = { "Coming Soon", 11 } }, CAUSE_HTTP_PLUGIN_INTERCEPTS, CAUSE_NONE,
		    "a coming-soon page", ACTOR_HOST },
		{ __LINE__, OURS, { .result = HTTP_ANSWERED, .status = 200, .body = { "<html>hello", 11 } }, CAUSE_HTTP_REWRITE_INTERCEPTS, CAUSE_NONE,
		    "200", ACTOR_HOST },
		{ __LINE__, OURS, { .result = HTTP_ANSWERED, .status = 200, .body = { "testcookie", 10 } }, CAUSE_HTTP_BOT_FILTER_BLOCKS, CAUSE_NONE,
		    "nginx testcookie", ACTOR_WEB_OWNER },
		{ __LINE__, OURS, { .result = HTTP_ANSWERED, .status = 404, .is_from_cache = true }, CAUSE_HTTP_CACHE_STALE, CAUSE_NONE, "404",
		    ACTOR_WEB_OWNER },
		{ __LINE__, OURS, { .result = HTTP_ANSWERED, .status = 404 }, CAUSE_OWN_CHALLENGE_NOT_SERVED, CAUSE_NONE, "404", ACTOR_HOST },
		{ __LINE__, OURS, { .result = HTTP_ANSWERED, .status = 200, .is_from_cache = true, .body = { "tokentokentokentok." THUMBPRINT43, 62 } },
		    CAUSE_HTTP_CACHE_STALE, CAUSE_NONE, "200", ACTOR_WEB_OWNER },
		{ __LINE__, OURS, { .result = HTTP_ANSWERED, .status = 200, .body = { "tokentokentokentok." THUMBPRINT43, 62 } },
		    CAUSE_HTTP_KEY_AUTHORIZATION_FOREIGN, CAUSE_NONE, "200", ACTOR_WEB_OWNER },
		{ __LINE__, OURS, { .result = HTTP_REDIRECT_UNRESOLVABLE, .hops = 1, .location = { "https://gone.example.jp/x", 25 } },
		    CAUSE_HTTP_REDIRECT_UNRESOLVABLE, CAUSE_NONE, "https://gone.example.jp/x", ACTOR_WEB_OWNER },
		{ __LINE__, OURS,
		    { .result = HTTP_REDIRECT_UNRESOLVABLE, .hops = 1, .location = { "https://example.jp.well-known/acme-challenge/t", 46 } },
		    CAUSE_HTTP_REDIRECT_SLASH_MISSING, CAUSE_NONE, "https://example.jp.well-known/acme-challenge/t", ACTOR_WEB_OWNER },
		{ __LINE__, OURS, { .result = HTTP_REDIRECT_DISALLOWED, .hops = 1, .location = { "http://example.jp.well-known:80/t", 33 } },
		    CAUSE_HTTP_REDIRECT_SLASH_MISSING, CAUSE_NONE, "http://example.jp.well-known:80/t", ACTOR_WEB_OWNER },
		{ __LINE__, OURS, { .result = HTTP_ANSWERED, .status = 404, .hops = 1, .location = { "https://example.jp.well-known/t", 31 } },
		    CAUSE_HTTP_REDIRECT_SLASH_MISSING, CAUSE_NONE, "https://example.jp.well-known/t", ACTOR_WEB_OWNER },
		/* Somebody else's server: DNS is the cause, who it is was noticed. */
		{ __LINE__, STRANGER, { .result = HTTP_ANSWERED, .status = 200, .body = { "sedoparking", 11 } }, CAUSE_DNS_A_ELSEWHERE,
		    CAUSE_HTTP_PAGE_PARKED, "192.0.2.99", ACTOR_DOMAIN_COMPANY },
		{ __LINE__, STRANGER, { .result = HTTP_ANSWERED, .status = 401, .server = { "micro_httpd", 11 } }, CAUSE_DNS_A_ELSEWHERE,
		    CAUSE_TRANSPORT_ROUTER_ANSWERS, "192.0.2.99", ACTOR_DOMAIN_COMPANY },
		{ __LINE__, STRANGER, { .result = HTTP_ANSWERED, .status = 200, .body = { "<html>hello", 11 } }, CAUSE_DNS_A_ELSEWHERE, CAUSE_NONE,
		    "192.0.2.99", ACTOR_DOMAIN_COMPANY },
	};
	static const char *const ips[] = { "203.0.113.10", "104.16.1.1", "192.0.2.99" };
	static struct str ours[] = { { "203.0.113.10", 12 } };
	const struct policy p = { .addresses = ours, .addresses_n = 1, .poll_min = { 30 }, .poll_max = { 900 }, .look_every = { DAY } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_ARENA a = { .max = 1024 * 1024 };
		struct address_evidence address = { .is_ours = rows[i].where == OURS, .http = rows[i].h };
		struct name_evidence name = { .name = STR("example.jp"), .registered_domain = STR("example.jp"), .a_status = DNS_OK,
			.aaaa_status = DNS_OK, .caa_status = DNS_OK, .addresses = &address, .addresses_n = 1, .ttl_s = 300 };
		struct evidence e = { .at = { NOW }, .has_dns = true, .has_http = true, .resolver_works = true, .names = &name, .names_n = 1 };
		struct finding room[16];
		struct finding_list out = { .at = room, .cap = 16 };

		assert_int_equal(address_read(str_of(ips[rows[i].where]), &address.ip), ERR_OK);
		address.front = front_of(&address.ip);
		assert_true((address.front.n > 0) == (rows[i].where == FRONT));
		classify(&e, NULL, &p, &a, &out);
		enum cause first = out.n > 0 ? out.at[0].cause : CAUSE_NONE, second = out.n > 1 ? out.at[1].cause : CAUSE_NONE;
		if (first != rows[i].first || second != rows[i].second || out.n > 2)
			fail_msg("line %d: %s, %s", rows[i].line, first != CAUSE_NONE ? cause_row(first)->id : "nothing",
			    second != CAUSE_NONE ? cause_row(second)->id : "nothing");
		if (first != CAUSE_NONE && (!str_eq(out.at[0].seen, str_of(rows[i].seen)) || out.at[0].acts != rows[i].acts))
			fail_msg("line %d: seen %.*s, %s", rows[i].line, STR_ARG(out.at[0].seen), actor_name(out.at[0].acts));
	}
}

/* Behind a service that comes to us over HTTP, our own redirect never ends; and its certificate is as it should be. */
static void
test_site_behind_a_front(void **state)
{
	static struct str ours[] = { { "203.0.113.10", 12 } };
	const struct policy p = { .addresses = ours, .addresses_n = 1, .poll_min = { 30 }, .poll_max = { 900 }, .look_every = { DAY } };

	(void)state;
	for (int is_loop = 0; is_loop < 2; is_loop++) {
		AUTO_ARENA a = { .max = 1024 * 1024 };
		struct str leaf = STR("example.jp");
		struct address_evidence address = { .ip = { 4, { 104, 16, 1, 1 } }, .front = STR("Cloudflare"),
			.http = { .result = is_loop ? HTTP_REDIRECT_LOOP : HTTP_ANSWERED, .status = 200, .is_ours = !is_loop },
			.tls = { .result = TLS_SHOWN, .chain_ok = true,
			    .leaf = { .not_before = { NOW - DAY }, .not_after = { NOW + 60 * DAY }, .issuer = STR("WE1"), .names = &leaf,
				.names_n = 1, .fingerprint = { 7 } } } };
		struct name_evidence name = { .name = leaf, .registered_domain = leaf, .a_status = DNS_OK, .aaaa_status = DNS_OK,
			.caa_status = DNS_OK, .addresses = &address, .addresses_n = 1 };
		struct evidence e = { .at = { NOW }, .has_dns = true, .has_http = true, .has_tls = true, .resolver_works = true, .names = &name,
			.names_n = 1 };
		struct site_name names[] = { { .id = 1, .name = leaf, .is_wanted = true, .is_held = true } };
		struct site site = { .names = names, .names_n = 1, .held = { .id = 3, .life = { { NOW - 9 * DAY }, { NOW + 60 * DAY } } },
			.applied = { .digest = 1, .redirect = 307 } };
		struct finding room[16];
		struct finding_list out = { .at = room, .cap = 16 };

		classify(&e, &site, &p, &a, &out);
		assert_int_equal(out.n, is_loop ? 2 : 1);
		assert_int_equal(out.at[0].cause, is_loop ? CAUSE_HTTP_CDN_REDIRECT_LOOP : CAUSE_SERVED_CERTIFICATE_FROM_CDN);
		assert_false(finding_blocks(&out.at[0]));
		assert_int_equal(out.at[out.n - 1].cause, CAUSE_SERVED_CERTIFICATE_FROM_CDN);
		assert_true(str_eq(out.at[out.n - 1].seen, STR("Cloudflare")));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_configured_fronts),
		cmocka_unit_test(test_configured_services),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_classified),
		cmocka_unit_test(test_site_behind_a_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
