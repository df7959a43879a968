/* The same cause on many unrelated sites: when it is a burst, and what it is then called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "core/mass.h"

static void
test_table(void **state)
{
	static const struct {
		const char *name;
		int64_t sites;
		struct mass_burst bursts[3];
		size_t n;
		enum cause ours, dns; /* the largest that is told */
		size_t mass;
	} rows[] = {
		{ "nothing", 1000, { { CAUSE_NONE, 0 } }, 0, CAUSE_NONE, CAUSE_NONE, 0 },
		{ "nineteen owners", 1000, { { CAUSE_DNS_A_ELSEWHERE, 19 } }, 1, CAUSE_NONE, CAUSE_NONE, 0 },
		{ "twenty", 1000, { { CAUSE_DNS_CAA_LOOKUP_FAILED, 20 } }, 1, CAUSE_NONE, CAUSE_DNS_CAA_LOOKUP_FAILED, 1 },
		{ "twenty among a million", 1000000, { { CAUSE_DNS_CAA_LOOKUP_FAILED, 20 } }, 1, CAUSE_NONE, CAUSE_NONE, 0 },
		{ "ten thousand among a million", 1000000, { { CAUSE_DNS_LOOKUP_TIMEOUT, 10000 } }, 1, CAUSE_NONE, CAUSE_DNS_LOOKUP_TIMEOUT, 1 },
		{ "a server of ours", 1000, { { CAUSE_SERVED_UNREACHABLE, 400 }, { CAUSE_HTTP_SERVER_ERROR, 900 } }, 2,
		    CAUSE_HTTP_SERVER_ERROR, CAUSE_NONE, 2 },
		{ "both", 1000, { { CAUSE_SERVED_UNREACHABLE, 30 }, { CAUSE_DNS_LOOKUP_SERVFAIL, 40 }, { CAUSE_DNS_ADDRESS_MISSING, 25 } }, 3,
		    CAUSE_SERVED_UNREACHABLE, CAUSE_DNS_LOOKUP_SERVFAIL, 3 },
		{ "the CA has its own way", 1000, { { CAUSE_CA_SERVICE_DOWN, 900 }, { CAUSE_CA_LIMIT_EXACT_SET, 900 } }, 2, CAUSE_NONE, CAUSE_NONE, 0 },
		{ "so has what is an alarm by itself", 1000, { { CAUSE_OWN_RESOLVER_UNAVAILABLE, 900 }, { CAUSE_OWN_NETWORK_DOWN, 900 } }, 2,
		    CAUSE_NONE, CAUSE_NONE, 0 },
		{ "what is no trouble", 1000, { { CAUSE_OWN_DRAFT_ABANDONED, 900 } }, 1, CAUSE_NONE, CAUSE_NONE, 0 },
		{ "those who moved away", 1000, { { CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY, 900 } }, 1, CAUSE_NONE, CAUSE_NONE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mass f;
		size_t mass = 0;

		mass_judge(rows[i].bursts, rows[i].n, rows[i].sites, &f);
		for (enum cause c = 0; c < CAUSE_COUNT; c++)
			mass += f.is_mass[c];
		if (f.ours.cause != rows[i].ours || f.dns.cause != rows[i].dns || mass != rows[i].mass)
			fail_msg("%s: ours %d, dns %d, %zu held back", rows[i].name, (int)f.ours.cause, (int)f.dns.cause, mass);
	}
}

/* What is told of a burst is itself in the table, and pages the operator: own.fleet.failing and dns.provider.down. */
static void
test_rows(void **state)
{
	(void)state;
	assert_int_equal(cause_row(CAUSE_OWN_FLEET_FAILING)->severity, SEVERITY_ALARM);
	assert_int_equal(cause_row(CAUSE_DNS_PROVIDER_DOWN)->severity, SEVERITY_ALARM);
	assert_int_equal(mass_threshold(0), MASS_LEAST);
	assert_int_equal(mass_threshold(1000000), 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
