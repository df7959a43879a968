#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "sim/acme/tokens.h"

/* The rate limits of the simulated CA: figures of CA-FACTS, the bucket's arithmetic, the words of a refusal. */

#define HOUR_MS ((int64_t)3600 * 1000)

/* A full bucket gives its capacity at once, then one token for each part of its period. */
static const struct {
	const char *name;
	enum token_limit which;
	uint32_t capacity;
	int64_t refill_s;
} rows[] = {
	{ "new-accounts", TOKENS_NEW_ACCOUNTS, 10, 18 * 60 },
	{ "new-orders", TOKENS_NEW_ORDERS, 300, 36 },
	{ "domain", TOKENS_DOMAIN, 50, 7 * 86400 / 50 },
	{ "exact-set", TOKENS_EXACT_SET, 5, 7 * 86400 / 5 },
	{ "failures", TOKENS_FAILURES, 5, 12 * 60 },
	{ "failures-in-a-row", TOKENS_FAILURES_IN_A_ROW, 1152, 86400 },
};

static void
test_lets_encrypt(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct tokens l;
		int64_t now = 1000000, refill = rows[i].refill_s * 1000;

		tokens_init(&l);
		assert_int_equal(tokens_spend(&l, rows[i].which, STR("key"), now), 0); /* none yet */
		tokens_as_lets_encrypt(&l);
		for (uint32_t n = 0; n < rows[i].capacity; n++) {
			assert_int_equal(tokens_left(&l, rows[i].which, STR("key"), now), rows[i].capacity - n);
			if (tokens_spend(&l, rows[i].which, STR("key"), now) != 0)
				fail_msg("%s: token %u is missing", rows[i].name, n);
		}
		assert_int_equal(tokens_left(&l, rows[i].which, STR("key"), now), 0);
		assert_int_equal(tokens_spend(&l, rows[i].which, STR("key"), now), refill);
		/* The refusal took nothing; looking takes nothing either. */
		assert_int_equal(tokens_wait_ms(&l, rows[i].which, STR("key"), now), refill);
		assert_int_equal(tokens_wait_ms(&l, rows[i].which, STR("key"), now + refill - 1), 1);
		assert_int_equal(tokens_spend(&l, rows[i].which, STR("key"), now + refill), 0);
		assert_true(tokens_spend(&l, rows[i].which, STR("key"), now + refill) > 0);
		/* Other keys and limits have their own buckets. */
		assert_int_equal(tokens_spend(&l, rows[i].which, STR("other"), now), 0);
		tokens_reset(&l, rows[i].which, STR("key"));
		assert_int_equal(tokens_left(&l, rows[i].which, STR("key"), now), rows[i].capacity);
		assert_int_equal(token_limit_of_name(str_of(rows[i].name)), rows[i].which);
		tokens_fini(&l);
	}
	assert_int_equal(token_limit_of_name(STR("speed")), TOKENS_COUNT);
}

/* However requests come, never more than capacity and what came back meanwhile; and that much can be had. */
static void
test_never_more_than_it_holds(void **state)
{
	struct tokens l;
	struct token_rule rule = { 7, 70000 };
	uint64_t dice = 88172645463325252U;
	int64_t now = 0, spent = 0;

	(void)state;
	tokens_init(&l);
	for (int i = 0; i < 20000; i++) {
		dice ^= dice << 13;
		dice ^= dice >> 7;
		dice ^= dice << 17;
		now += (int64_t)(dice % 9000);
		spent += tokens_spend_by(&l, TOKENS_ENDPOINT, &rule, STR("k"), now) == 0;
		assert_true(spent <= 7 + now / 10000);
	}
	int64_t rest = now;
	while (tokens_spend_by(&l, TOKENS_ENDPOINT, &rule, STR("k"), rest) > 0)
		rest += 100;
	assert_true(rest - now <= 10000);
	tokens_fini(&l);
}

static void
test_many_buckets(void **state)
{
	struct tokens l;
	char key[32];

	(void)state;
	tokens_init(&l);
	l.rules[TOKENS_EXACT_SET] = (struct token_rule){ 1, HOUR_MS };
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 5000; i++) {
			(void)snprintf(key, sizeof key, "set %d", i);
			int64_t wait = tokens_spend(&l, TOKENS_EXACT_SET, str_of(key), 0);

			assert_int_equal(wait, round == 0 ? 0 : HOUR_MS);
		}
	tokens_fini(&l);
}

static void
test_words(void **state)
{
	struct tokens l;
	AUTO_BUF b = { .max = 4096 };

	(void)state;
	tokens_init(&l);
	tokens_as_lets_encrypt(&l);
	tokens_words(&l, TOKENS_DOMAIN, STR("example.jp"), (struct when){ 1800000000 }, &b);
	assert_string_equal(b.p,
	    "too many certificates (50) already issued for \"example.jp\" in the last 168h0m0s, retry after 2027-01-15 08:00:00 UTC: see "
	    "https://letsencrypt.org/docs/rate-limits/#new-certificates-per-registered-domain");
	buf_clear(&b);
	tokens_words(&l, TOKENS_NEW_ORDERS, STR_NONE, (struct when){ 1800000000 }, &b);
	assert_string_equal(b.p,
	    "too many new orders (300) from this account in the last 3h0m0s, retry after 2027-01-15 08:00:00 UTC: see "
	    "https://letsencrypt.org/docs/rate-limits/#new-orders-per-account");
	tokens_fini(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lets_encrypt),
		cmocka_unit_test(test_never_more_than_it_holds),
		cmocka_unit_test(test_many_buckets),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
