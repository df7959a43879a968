/* own.draft.abandoned: a setting that was begun and left is noticed, and explains nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "core/classify.h"
#include "core/site_letters.h"
#include "core/site_plan.h"

static const struct when now = { 1800000000 };

static void
test_vectors(void **state)
{
	static const struct {
		const char *name;
		bool exists, has_csr, is_dns_only, is_elsewhere;
		int days;
		size_t wanted;
		enum cause first; /* what the name's trouble is called */
	} rows[] = {
		{ "none", false, false, false, false, 30, 0, CAUSE_NONE },
		{ "begun yesterday", true, false, false, false, 1, 0, CAUSE_NONE },
		{ "a week old", true, false, false, false, 7, 1, CAUSE_OWN_DRAFT_ABANDONED },
		{ "waits for a bought certificate", true, true, false, false, 90, 1, CAUSE_OWN_DRAFT_ABANDONED },
		{ "beside a fault of the owner's", true, false, false, true, 9, 2, CAUSE_DNS_A_ELSEWHERE },
		{ "a look at DNS alone", true, false, true, false, 9, 0, CAUSE_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_ARENA a = { .max = 1 << 20 };
		struct str ours = STR("192.0.2.10");
		struct policy p = { .poll_min = SPAN_S(30), .poll_max = SPAN_MIN(15), .look_every = SPAN_D(1),
			.draft_tell_after = SPAN_D(7), .addresses = &ours, .addresses_n = 1 };
		struct site_name n = { .id = 1, .name = STR("example.jp"), .is_wanted = true, .passed_at = now };
		struct finding room[8];
		struct finding_list found = { .at = room, .cap = 8 };
		struct address_evidence at = { .ip = { 4, { 192, 0, 2, rows[i].is_elsewhere ? 99 : 10 } }, .is_ours = !rows[i].is_elsewhere };
		struct name_evidence e_name = { .name = n.name, .ttl_s = 300, .a_status = DNS_OK, .aaaa_status = DNS_OK,
			.caa_status = DNS_OK, .registered_domain = n.name, .registered_status = DNS_OK, .addresses = &at, .addresses_n = 1 };
		struct evidence e = { .at = now, .has_dns = true, .has_http = !rows[i].is_dns_only, .resolver_works = true,
			.names = &e_name, .names_n = 1 };
		struct site s = { .id = 1, .setting = { .source = SOURCE_FREE }, .names = &n, .names_n = 1,
			.draft = { .exists = rows[i].exists, .has_csr = rows[i].has_csr, .begun_at = when_minus(now, SPAN_D(rows[i].days)), .begun_by = STR("hana@a.example") } };

		at.http = (struct http_evidence){ .result = HTTP_ANSWERED, .status = 200, .is_ours = !rows[i].is_elsewhere };
		classify(&e, &s, &p, &a, &found);
		finding_sort(&found);
		if (found.n != rows[i].wanted || (found.n > 0 && found.at[0].cause != rows[i].first))
			fail_msg("%s: %zu findings, first %s", rows[i].name, found.n, found.n > 0 ? cause_row(found.at[0].cause)->id : "-");
		s.findings = found;
		/* It neither blocks an order nor keeps a letter back. */
		assert_int_equal(plan_passes(&s, &n, now), !rows[i].is_elsewhere);
		assert_int_equal(site_owner_finding(&s) != NULL, rows[i].is_elsewhere);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_vectors) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
