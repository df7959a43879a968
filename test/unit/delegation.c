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

/* example.jp with no server yet; our resolver says ok, nx, servfail, or an address. */
static void
begin(struct fixture *f, struct str resolver)
{
	*f = (struct fixture){ .name = { .name = STR("example.jp"), .registered_domain = STR("example.jp"), .a_status = DNS_OK, .aaaa_status = DNS_OK,
				   .caa_status = DNS_OK, .ttl_s = 300, .addresses = f->shown } };
	f->name.delegation = (struct delegation_evidence){ .is_asked = true, .servers = f->servers, .zone = STR("example.jp") };
	if (address_read(resolver, &f->shown[0].ip) == ERR_OK) {
		f->name.addresses_n = 1;
		f->shown[0].is_ours = str_eq(resolver, STR(OURS));
		f->shown[0].http = (struct http_evidence){ .result = HTTP_ANSWERED, .status = 200, .is_ours = f->shown[0].is_ours };
	} else {
		f->name.a_status = f->name.aaaa_status = str_eq(resolver, STR("nx"))	   ? DNS_NXDOMAIN
							 : str_eq(resolver, STR("servfail")) ? DNS_SERVFAIL
											     : DNS_OK;
	}
}

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
		struct fixture f;
		struct evidence e = { .at = { NOW }, .has_dns = true, .has_http = true, .resolver_works = true, .names = &f.name, .names_n = 1 };
		struct finding room[16];
		struct finding_list out = { .at = room, .cap = 16 };
		struct str words = str_of(rows[i].servers);

		begin(&f, str_of(rows[i].resolver));
		while (words.n > 0)
			put_server(&f, str_cut(&words, ' '));
		classify(&e, NULL, &p, &a, &out);
		for (size_t k = 0; k < out.n; k++)
			if (cause_row(out.at[k].cause)->layer == LAYER_DNS)
				buf_putf(&got, "%s%s", got.n > 0 ? " " : "", cause_row(out.at[k].cause)->id);
		if (!str_eq(buf_str(&got), str_of(rows[i].causes)) || (got.n > 0 && !str_eq(out.at[0].seen, str_of(rows[i].seen))))
			fail_msg("line %d: %.*s, seen %.*s", rows[i].line, STR_ARG(buf_str(&got)), STR_ARG(got.n > 0 ? out.at[0].seen : STR("")));
	}
}

/* What resolvers of the public still say while all servers of the zone are right: who, what, how long; and when it is looked at again. */
static void
test_publics(void **state)
{
	enum { LOOK_MIN = 30, LOOK_MAX = 900 };
	static const struct {
		int line;
		const char *servers, *resolver;
		const char *publics[2]; /* as a server, or none */
		uint32_t left_s[2];
		const char *seen; /* of dns.answer.still-cached; NULL: it is not found */
		int64_t after_s;  /* its next look */
	} rows[] = {
		{ __LINE__, "ok=" OURS, OURS, { "ok=" OTHER }, { 240 }, "8.8.4.4: " OTHER " (240 s)", 240 },
		{ __LINE__, "ok=" OURS, OURS, { "ok=" OTHER, "ok=" OURS }, { 240, 10 }, "8.8.4.4: " OTHER " (240 s)", 240 },
		{ __LINE__, "ok=" OURS, OURS, { "ok=" OTHER, "nx" }, { 40, 70 }, "8.8.4.4: " OTHER " (40 s); 9.9.9.10: - (70 s)", 70 },
		{ __LINE__, "ok=" OURS, OURS, { "ok=" OURS "+" OTHER }, { 50 }, "8.8.4.4: " OURS ", " OTHER " (50 s)", 50 },
		{ __LINE__, "ok=" OURS, OURS, { "ok" }, { 5 }, "8.8.4.4: - (5 s)", LOOK_MIN },
		{ __LINE__, "ok=" OURS, OURS, { "ok=" OTHER }, { 86400 }, "8.8.4.4: " OTHER " (86400 s)", LOOK_MAX },
		/* Ours is late too: what it says decides over the order, and its time over the next look. */
		{ __LINE__, "ok=" OURS, OTHER, { "ok=" OTHER }, { 240 }, OTHER "; 8.8.4.4: " OTHER " (240 s)", 300 },
		{ __LINE__, "ok=" OURS, "nx", { "nx" }, { 240 }, "8.8.4.4: - (240 s)", 300 },
		/* Silence, an answer that is not kept, a right one: nothing is remembered. */
		{ __LINE__, "ok=" OURS, OURS, { "ok=" OURS, "silent" }, { 240, 0 }, NULL, 0 },
		{ __LINE__, "ok=" OURS, OURS, { "nx", "refused" }, { 0, 0 }, NULL, 0 },
		{ __LINE__, "ok=" OURS, OURS, { "servfail" }, { 30 }, NULL, 0 },
		/* The zone itself is not right, or not of one mind: that is what is told. */
		{ __LINE__, "ok=" OTHER, OTHER, { "ok=" OTHER }, { 240 }, NULL, 0 },
		{ __LINE__, "ok=" OURS " ok=" OTHER, OURS, { "ok=" OTHER }, { 240 }, NULL, 0 },
	};
	static const char *const names[] = { "8.8.4.4", "9.9.9.10" };
	static struct str ours[] = { { OURS, sizeof OURS - 1 } };
	const struct policy p = { .addresses = ours, .addresses_n = 1, .poll_min = { LOOK_MIN }, .poll_max = { LOOK_MAX }, .look_every = { 86400 } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_ARENA a = { .max = 1024 * 1024 };
		struct fixture f, told[2];
		struct public_evidence publics[2];
		struct evidence e = { .at = { NOW }, .has_dns = true, .has_http = true, .resolver_works = true, .names = &f.name, .names_n = 1 };
		struct finding room[16];
		struct finding_list out = { .at = room, .cap = 16 };
		const struct finding *found = NULL;
		struct str words = str_of(rows[i].servers);

		begin(&f, str_of(rows[i].resolver));
		while (words.n > 0)
			put_server(&f, str_cut(&words, ' '));
		f.name.delegation.publics = publics;
		for (size_t k = 0; k < 2 && rows[i].publics[k] != NULL; k++) {
			told[k].name.delegation = (struct delegation_evidence){ 0 };
			put_server(&told[k], str_of(rows[i].publics[k]));
			publics[k] = (struct public_evidence){ .said = told[k].servers[0], .left_s = rows[i].left_s[k] };
			publics[k].said.name = str_of(names[k]);
			publics[k].said.is_authoritative = false;
			f.name.delegation.publics_n++;
		}
		classify(&e, NULL, &p, &a, &out);
		for (size_t k = 0; k < out.n; k++)
			if (out.at[k].cause == CAUSE_DNS_ANSWER_STILL_CACHED)
				found = &out.at[k];
		if ((found != NULL) != (rows[i].seen != NULL))
			fail_msg("line %d: %s", rows[i].line, found != NULL ? "found" : "not found");
		if (found != NULL && (!str_eq(found->seen, str_of(rows[i].seen)) || found->next_look.s != NOW + rows[i].after_s))
			fail_msg("line %d: %.*s, again after %d s", rows[i].line, STR_ARG(found->seen), (int)(found->next_look.s - NOW));
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
