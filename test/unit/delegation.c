/*
 * What the servers of a zone said one by one, and what is made of it. A server is written as one word:
 * STATUS[,flag …][=ADDRESS+ADDRESS …], with STATUS ok nx refused servfail silent local foreign (not authoritative) gone (no
 * address) unasked, and flags plain, tcp, case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/classify.h"
#include "ports/probe/net.h"

#define NOW 1800000000

enum { SERVERS_MAX = 4, ADDRESSES_MAX = 4 };

struct fixture {
	struct nameserver_evidence servers[SERVERS_MAX];
	struct address given[SERVERS_MAX][ADDRESSES_MAX];
	struct name_evidence name;
	struct address_evidence shown[ADDRESSES_MAX];
};

static void
put_status(struct nameserver_evidence *s, struct str word)
{
	static const struct {
		const char *word;
		enum dns_status status;
		int rcode;
	} table[] = { { "ok", DNS_OK, 0 }, { "nx", DNS_NXDOMAIN, 3 }, { "refused", DNS_BROKEN, 5 }, { "servfail", DNS_SERVFAIL, 2 },
		{ "silent", DNS_TIMEOUT, -1 }, { "local", DNS_LOCAL, -1 }, { "foreign", DNS_OK, 0 }, { "gone", DNS_NOT_ASKED, -1 },
		{ "unasked", DNS_NOT_ASKED, -1 } };

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (str_eq(word, str_of(table[i].word))) {
			s->status = table[i].status;
			s->rcode = table[i].rcode;
			s->is_authoritative = table[i].rcode >= 0 && !str_eq(word, STR("foreign"));
			if (!str_eq(word, STR("gone")))
				s->ip = (struct address){ 4, { 198, 51, 100, 1 } };
			return;
		}
	fail_msg("no such status: %.*s", STR_ARG(word));
}

static void
put_server(struct fixture *f, struct str word)
{
	static const char *const names[SERVERS_MAX] = { "ns1.dns.example", "ns2.dns.example", "ns3.dns.example", "ns4.dns.example" };
	size_t i = f->name.delegation.servers_n++;
	struct nameserver_evidence *s = &f->servers[i];
	struct str addresses = word, flags = str_cut(&addresses, '=');

	assert_true(i < SERVERS_MAX);
	*s = (struct nameserver_evidence){ .name = str_of(names[i]), .addresses = f->given[i], .caa_status = DNS_OK };
	put_status(s, str_cut(&flags, ','));
	while (flags.n > 0) {
		struct str flag = str_cut(&flags, ',');

		s->is_plain_only |= str_eq(flag, STR("plain"));
		s->is_tcp_silent |= str_eq(flag, STR("tcp"));
		s->is_case_lost |= str_eq(flag, STR("case"));
	}
	while (addresses.n > 0)
		assert_int_equal(address_read(str_cut(&addresses, '+'), &f->given[i][s->addresses_n++]), ERR_OK);
}

#define OURS "203.0.113.10"
#define OTHER "192.0.2.99"

static void
test_servers(void **state)
{
	static const struct {
		int line;
		const char *servers;
		const char *resolver; /* ok, nx, servfail, or an address */
		const char *causes;   /* ids, blank between */
		const char *seen;     /* of the first */
	} rows[] = {
		{ __LINE__, "ok=" OURS " ok=" OURS, OURS, "", "" },
		{ __LINE__, "ok=" OURS " ok=" OTHER, OTHER, "dns.ns.inconsistent", "ns1.dns.example: " OURS "; ns2.dns.example: " OTHER },
		{ __LINE__, "ok=" OURS " ok=" OTHER, OURS, "dns.ns.inconsistent", "ns1.dns.example: " OURS "; ns2.dns.example: " OTHER },
		{ __LINE__, "ok=" OURS " nx", "nx", "dns.ns.inconsistent", "ns1.dns.example: " OURS "; ns2.dns.example: -" },
		{ __LINE__, "ok ok=" OURS, "ok", "dns.ns.inconsistent", "ns1.dns.example: -; ns2.dns.example: " OURS },
		/* Two strangers who disagree are a service that rotates; the address is the news. */
		{ __LINE__, "ok=192.0.2.98 ok=" OTHER, OTHER, "dns.a.elsewhere", OTHER },
		{ __LINE__, "ok ok", "ok", "dns.address.missing", "" },
		/* One server with both is not a disagreement between servers. */
		{ __LINE__, "ok=" OURS "+" OTHER " ok=" OTHER "+" OURS, OTHER, "dns.a.elsewhere", OTHER },
		/* All lead to us, the resolver is late. */
		{ __LINE__, "ok=" OURS " ok=" OURS, OTHER, "dns.answer.still-cached", OTHER },
		{ __LINE__, "ok=" OURS, "nx", "dns.answer.still-cached", "" },
		{ __LINE__, "ok=" OURS, "servfail", "dns.lookup.servfail", "SERVFAIL" },
		/* One of several is away. */
		{ __LINE__, "ok=" OURS " silent", OURS, "dns.delegation.lame", "ns2.dns.example" },
		{ __LINE__, "refused ok=" OURS " servfail", OURS, "dns.delegation.lame", "ns1.dns.example, ns3.dns.example" },
		{ __LINE__, "ok=" OURS " foreign", OURS, "dns.delegation.lame", "ns2.dns.example" },
		{ __LINE__, "ok=" OURS " gone", OURS, "dns.delegation.lame", "ns2.dns.example" },
		{ __LINE__, "ok=" OURS " silent", "servfail", "dns.delegation.lame dns.lookup.servfail", "ns2.dns.example" },
		/* What we could not ask says nothing, and where nobody answered, it may be our own route. */
		{ __LINE__, "ok=" OURS " local", OURS, "", "" },
		{ __LINE__, "ok=" OURS " unasked", OURS, "", "" },
		{ __LINE__, "silent silent", "servfail", "dns.lookup.servfail", "SERVFAIL" },
		/* Old habits matter where the answer does not come. */
		{ __LINE__, "ok,plain=" OURS, OURS, "", "" },
		{ __LINE__, "ok,plain=" OURS, "servfail", "dns.ns.noncompliant", "ns1.dns.example" },
		{ __LINE__, "ok,tcp=" OURS " ok=" OURS, "servfail", "dns.ns.noncompliant", "ns1.dns.example" },
		{ __LINE__, "ok,case=" OURS, "servfail", "dns.ns.noncompliant", "ns1.dns.example" },
		/* The only one: it said over UDP that there is more, and nothing over TCP. */
		{ __LINE__, "silent,tcp", "servfail", "dns.ns.noncompliant", "ns1.dns.example" },
		{ __LINE__, "", OURS, "", "" },
	};
	static struct str ours[] = { { OURS, sizeof OURS - 1 } };
	const struct policy p = { .addresses = ours, .addresses_n = 1, .poll_min = { 30 }, .poll_max = { 900 }, .look_every = { 86400 } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_ARENA a = { .max = 1024 * 1024 };
		AUTO_BUF got = { .max = 1024 };
		struct fixture f = { .name = { .name = STR("example.jp"), .registered_domain = STR("example.jp"), .a_status = DNS_OK,
					 .aaaa_status = DNS_OK, .caa_status = DNS_OK, .ttl_s = 300 } };
		struct evidence e = { .at = { NOW }, .has_dns = true, .has_http = true, .resolver_works = true, .names = &f.name, .names_n = 1 };
		struct finding room[16];
		struct finding_list out = { .at = room, .cap = 16 };
		struct str words = str_of(rows[i].servers), resolver = str_of(rows[i].resolver);

		f.name.delegation = (struct delegation_evidence){ .is_asked = true, .servers = f.servers, .zone = STR("example.jp") };
		while (words.n > 0)
			put_server(&f, str_cut(&words, ' '));
		f.name.addresses = f.shown;
		if (address_read(resolver, &f.shown[0].ip) == ERR_OK) {
			f.name.addresses_n = 1;
			f.shown[0].is_ours = str_eq(resolver, STR(OURS));
			f.shown[0].http = (struct http_evidence){ .result = HTTP_ANSWERED, .status = 200, .is_ours = f.shown[0].is_ours };
		} else {
			f.name.a_status = f.name.aaaa_status = str_eq(resolver, STR("nx"))	     ? DNS_NXDOMAIN
							       : str_eq(resolver, STR("servfail")) ? DNS_SERVFAIL
												   : DNS_OK;
		}
		classify(&e, NULL, &p, &a, &out);
		for (size_t k = 0; k < out.n; k++)
			if (cause_row(out.at[k].cause)->layer == LAYER_DNS)
				buf_putf(&got, "%s%s", got.n > 0 ? " " : "", cause_row(out.at[k].cause)->id);
		if (!str_eq(buf_str(&got), str_of(rows[i].causes)) || (got.n > 0 && !str_eq(out.at[0].seen, str_of(rows[i].seen))))
			fail_msg("line %d: %.*s, seen %.*s", rows[i].line, STR_ARG(buf_str(&got)), STR_ARG(got.n > 0 ? out.at[0].seen : STR("")));
	}
}

/* What resolvers of the public remember, while all name servers and our own resolver have the new answer. */
static void
test_publics(void **state)
{
	static struct address ours_ip = { 4, { 203, 0, 113, 10 } }, other_ip = { 4, { 192, 0, 2, 99 } };
	static const struct {
		int line;
		const char *servers;
		struct public_evidence publics[2];
		const char *seen; /* NULL: no finding */
		int64_t after_s;
	} rows[] = {
		{ __LINE__, "ok=" OURS, { { { "9.9.9.9", 7 }, DNS_OK, 300, &ours_ip, 1 } }, NULL, 0 },
		{ __LINE__, "ok=" OURS, { { { "9.9.9.9", 7 }, DNS_OK, 7200, &other_ip, 1 } }, OTHER, 7200 },
		/* The last one counts, whatever the order. */
		{ __LINE__, "ok=" OURS, { { { "9.9.9.9", 7 }, DNS_OK, 40, &other_ip, 1 }, { { "1.1.1.1", 7 }, DNS_OK, 7200, &other_ip, 1 } }, OTHER, 7200 },
		{ __LINE__, "ok=" OURS, { { { "9.9.9.9", 7 }, DNS_OK, 7200, &other_ip, 1 }, { { "1.1.1.1", 7 }, DNS_OK, 9000, &ours_ip, 1 } }, OTHER, 7200 },
		/* That there was nothing is remembered too. */
		{ __LINE__, "ok=" OURS, { { { "9.9.9.9", 7 }, DNS_NXDOMAIN, 900, NULL, 0 } }, "", 900 },
		/* Not sooner and not later than any look. */
		{ __LINE__, "ok=" OURS, { { { "9.9.9.9", 7 }, DNS_OK, 1, &other_ip, 1 } }, OTHER, 30 },
		{ __LINE__, "ok=" OURS, { { { "9.9.9.9", 7 }, DNS_OK, 604800, &other_ip, 1 } }, OTHER, 86400 },
		/* One that does not answer says nothing, and where a name server has the old answer, that is the news. */
		{ __LINE__, "ok=" OURS, { { { "9.9.9.9", 7 }, DNS_SERVFAIL, 0, NULL, 0 }, { { "1.1.1.1", 7 }, DNS_TIMEOUT, 0, NULL, 0 } }, NULL, 0 },
		{ __LINE__, "ok=" OTHER, { { { "9.9.9.9", 7 }, DNS_OK, 300, &other_ip, 1 } }, NULL, 0 },
		{ __LINE__, "ok=" OURS "+198.51.100.7", { { { "9.9.9.9", 7 }, DNS_OK, 300, &other_ip, 1 } }, NULL, 0 },
	};
	static struct str ours[] = { { OURS, sizeof OURS - 1 } };
	const struct policy p = { .addresses = ours, .addresses_n = 1, .poll_min = { 30 }, .poll_max = { 900 }, .look_every = { 86400 } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_ARENA a = { .max = 1024 * 1024 };
		struct public_evidence publics[2] = { rows[i].publics[0], rows[i].publics[1] };
		struct fixture f = { .name = { .name = STR("example.jp"), .registered_domain = STR("example.jp"), .a_status = DNS_OK,
					 .aaaa_status = DNS_OK, .caa_status = DNS_OK, .ttl_s = 300, .addresses_n = 1, .publics = publics,
					 .publics_n = publics[1].server.n > 0 ? 2 : 1 } };
		struct evidence e = { .at = { NOW }, .has_dns = true, .has_http = true, .resolver_works = true, .names = &f.name, .names_n = 1 };
		struct finding room[16], *cached = NULL;
		struct finding_list out = { .at = room, .cap = 16 };
		struct str words = str_of(rows[i].servers);

		f.name.delegation = (struct delegation_evidence){ .is_asked = true, .servers = f.servers, .zone = STR("example.jp") };
		while (words.n > 0)
			put_server(&f, str_cut(&words, ' '));
		f.name.addresses = f.shown;
		f.shown[0] = (struct address_evidence){ .ip = ours_ip, .is_ours = true,
			.http = { .result = HTTP_ANSWERED, .status = 200, .is_ours = true } };
		classify(&e, NULL, &p, &a, &out);
		for (size_t k = 0; k < out.n; k++)
			if (out.at[k].cause == CAUSE_DNS_ANSWER_STILL_CACHED)
				cached = &out.at[k];
		if ((cached != NULL) != (rows[i].seen != NULL))
			fail_msg("line %d: %s", rows[i].line, cached != NULL ? "a finding" : "no finding");
		if (cached == NULL)
			continue;
		if (!str_eq(cached->seen, str_of(rows[i].seen)) || cached->next_look.s != NOW + rows[i].after_s || finding_blocks(cached))
			fail_msg("line %d: seen %.*s, after %lld s", rows[i].line, STR_ARG(cached->seen), (long long)(cached->next_look.s - NOW));
		assert_true(str_find(cached->evidence, STR("9.9.9.9 (for everybody): ")) != SIZE_MAX);
	}
}

/* RFC 8020: what is denied has nothing below it. A server that says otherwise is told of, and the name goes on. */
static void
test_denied_parent(void **state)
{
	AUTO_ARENA a = { .max = 1024 * 1024 };
	static struct str ours[] = { { OURS, sizeof OURS - 1 } };
	const struct policy p = { .addresses = ours, .addresses_n = 1, .poll_min = { 30 }, .poll_max = { 900 }, .look_every = { 86400 } };
	struct fixture f = { .name = { .name = STR("a.b.example.jp"), .registered_domain = STR("example.jp"), .a_status = DNS_OK,
				 .aaaa_status = DNS_OK, .caa_status = DNS_OK } };
	struct evidence e = { .at = { NOW }, .has_dns = true, .has_http = true, .resolver_works = true, .names = &f.name, .names_n = 1 };
	struct finding room[16];
	struct finding_list out = { .at = room, .cap = 16 };

	(void)state;
	f.name.delegation = (struct delegation_evidence){ .is_asked = true, .servers = f.servers, .denied_parent = STR("b.example.jp") };
	put_server(&f, STR("ok=" OURS));
	f.name.addresses = f.shown;
	f.name.addresses_n = 1;
	f.shown[0] = (struct address_evidence){ .is_ours = true, .http = { .result = HTTP_ANSWERED, .status = 200, .is_ours = true } };
	assert_int_equal(address_read(STR(OURS), &f.shown[0].ip), ERR_OK);
	classify(&e, NULL, &p, &a, &out);
	assert_int_equal(out.n, 1);
	assert_int_equal(out.at[0].cause, CAUSE_DNS_PARENT_NXDOMAIN);
	assert_false(finding_blocks(&out.at[0]));
	assert_true(str_eq(out.at[0].seen, STR("b.example.jp")));
	assert_true(str_find(out.at[0].evidence, STR("b.example.jp: NXDOMAIN")) != SIZE_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_publics),
		cmocka_unit_test(test_denied_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
