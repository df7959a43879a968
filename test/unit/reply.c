/* What is read of the message in which libunbound answers. A message is written as lines: rcode, question, records of the answer, and
 * after "--" those of the authority section; ldns makes the bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ports/dns/exchange.h"
#include "ports/dns/reply.h"

enum { LINES_MAX = 12 };

struct row {
	const char *what;
	int rcode, type;
	const char *question;
	const char *lines[LINES_MAX]; /* of records; "--" once */
	enum dns_status status;
	const char *canonical;
	uint32_t ttl_s;
	const char *data[LINES_MAX]; /* in hexadecimal */
};

static const struct row rows[] = {
	{ "an address", 0, DNS_A, "a.jp.", { "a.jp. 300 IN A 192.0.2.1", "a.jp. 300 IN A 192.0.2.2" }, DNS_OK, "", 300,
	    { "c0000201", "c0000202" } },
	{ "an alias holds as long as the shortest of its records", 0, DNS_A, "www.a.jp.",
	    { "www.a.jp. 60 IN CNAME edge.example.", "edge.example. 3600 IN CNAME e7.example.", "e7.example. 20 IN A 192.0.2.9" }, DNS_OK,
	    "e7.example", 20, { "c0000209" } },
	{ "the order of records says nothing", 0, DNS_A, "www.a.jp.",
	    { "edge.example. 30 IN A 192.0.2.9", "www.a.jp. 60 IN CNAME EDGE.example." }, DNS_OK, "edge.example", 30, { "c0000209" } },
	{ "records that were turned round", 0, DNS_NS, "a.jp.", { "a.jp. 300 IN NS ns2.a.jp.", "a.jp. 300 IN NS ns1.a.jp." }, DNS_OK, "", 300,
	    { "036e73310161026a7000", "036e73320161026a7000" } },
	{ "an alias that was asked for is not followed", 0, DNS_CNAME, "www.a.jp.", { "www.a.jp. 60 IN CNAME edge.example." }, DNS_OK, "", 60,
	    { "0465646765076578616d706c6500" } },
	{ "aliases that go round", 0, DNS_A, "a.jp.", { "a.jp. 60 IN CNAME b.jp.", "b.jp. 60 IN CNAME a.jp." }, DNS_OK, "", 60, { NULL } },
	{ "records of other names and types are none of ours", 0, DNS_A, "a.jp.",
	    { "a.jp. 300 IN A 192.0.2.1", "b.jp. 300 IN A 192.0.2.2", "a.jp. 300 IN TXT \"x\"" }, DNS_OK, "", 300, { "c0000201" } },
	{ "letters of any case", 0, DNS_A, "A.jP.", { "a.Jp. 300 IN A 192.0.2.1" }, DNS_OK, "", 300, { "c0000201" } },
	{ "names in data are whole", 0, DNS_NS, "a.jp.", { "a.jp. 300 IN NS ns1.a.jp." }, DNS_OK, "", 300, { "036e73310161026a7000" } },
	{ "CAA", 0, DNS_CAA, "a.jp.", { "a.jp. 300 IN CAA 0 issue \"ca.example\"" }, DNS_OK, "", 300, { "0005697373756563612e6578616d706c65" } },
	{ "nothing of this type: the SOA's minimum", 0, DNS_AAAA, "a.jp.",
	    { "--", "a.jp. 3600 IN SOA ns.a.jp. h.a.jp. 1 3600 600 86400 60" }, DNS_OK, "", 60, { NULL } },
	{ "no such name: the SOA's own TTL is the shorter one", 3, DNS_A, "no.a.jp.",
	    { "--", "a.jp. 30 IN SOA ns.a.jp. h.a.jp. 1 3600 600 86400 900" }, DNS_NXDOMAIN, "", 30, { NULL } },
	{ "an alias of nothing", 3, DNS_A, "www.a.jp.",
	    { "www.a.jp. 10 IN CNAME gone.jp.", "--", "jp. 900 IN SOA ns.jp. h.jp. 1 3600 600 86400 900" }, DNS_NXDOMAIN, "gone.jp", 10, { NULL } },
	{ "no SOA: nobody knows", 0, DNS_A, "a.jp.", { NULL }, DNS_OK, "", 0, { NULL } },
	{ "SERVFAIL", 2, DNS_A, "a.jp.", { NULL }, DNS_SERVFAIL, "", 0, { NULL } },
	{ "REFUSED", 5, DNS_A, "a.jp.", { NULL }, DNS_BROKEN, "", 0, { NULL } },
};

static ldns_rr *
record(const char *line)
{
	ldns_rr *rr = NULL;

	assert_int_equal(ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL), LDNS_STATUS_OK);
	return rr;
}

/* Owned by the caller, who frees its pointer. */
static struct str
message(const struct row *row)
{
	ldns_rdf *name = ldns_dname_new_frm_str(row->question);
	ldns_pkt *p = ldns_pkt_query_new(name, (ldns_rr_type)row->type, LDNS_RR_CLASS_IN, LDNS_QR | LDNS_RD | LDNS_RA);
	ldns_pkt_section section = LDNS_SECTION_ANSWER;
	uint8_t *wire = NULL;
	size_t n = 0;

	ldns_pkt_set_rcode(p, (uint8_t)row->rcode);
	for (size_t i = 0; i < LINES_MAX && row->lines[i] != NULL; i++)
		if (strcmp(row->lines[i], "--") == 0)
			section = LDNS_SECTION_AUTHORITY;
		else
			assert_true(ldns_pkt_push_rr(p, section, record(row->lines[i])));
	assert_int_equal(ldns_pkt2wire(&wire, p, &n), LDNS_STATUS_OK);
	ldns_pkt_free(p);
	return (struct str){ (const char *)wire, n };
}

static void
assert_hex(struct str data, const char *hex)
{
	char text[256] = "";

	for (size_t i = 0; i < data.n && i < sizeof text / 2 - 1; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", (unsigned)(uint8_t)data.p[i]);
	assert_string_equal(text, hex);
}

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *row = &rows[i];
		AUTO_ARENA a = { .max = 1 << 16 };
		struct dns_answer answer = { .status = DNS_NOT_ASKED };
		struct str wire = message(row);
		size_t n = 0;

		print_message("# %s\n", row->what);
		reply_read(wire, row->type, &a, &answer);
		assert_int_equal(answer.status, row->status);
		assert_int_equal(answer.ttl_s, row->ttl_s);
		assert_true(str_eq(answer.canonical, str_of(row->canonical)));
		for (; n < LINES_MAX && row->data[n] != NULL; n++) {
			assert_true(n < answer.data_n);
			assert_hex(answer.data[n], row->data[n]);
		}
		assert_int_equal(answer.data_n, n);
		free((char *)(uintptr_t)wire.p);
	}
}

static void
test_no_message(void **state)
{
	AUTO_ARENA a = { .max = 1 << 16 };
	struct dns_answer answer = { .status = DNS_NOT_ASKED };
	struct str wire = message(&rows[0]);

	(void)state;
	for (size_t n = 0; n < wire.n; n++) {
		reply_read((struct str){ wire.p, n }, DNS_A, &a, &answer);
		assert_int_equal(answer.status, DNS_BROKEN);
		assert_int_equal(answer.data_n, 0);
	}
	free((char *)(uintptr_t)wire.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_no_message) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
