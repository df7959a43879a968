#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ports/acme/pace.h"

/* Requests on a virtual clock, to a front end that counts as Let's Encrypt publishes it. */

enum { SENT_MAX = 200000 };
struct world {
	int64_t ms;
	struct loop *loop;
	struct pace *pace;
	struct {
		int64_t ms;
		enum endpoint e;
	} *sent;
	size_t sent_n, answered, patience;
	int64_t retry_s;
	enum err fail;
};

static struct when
world_now(void *ctx)
{
	const struct world *w = ctx;

	return (struct when){ 1800000000 + w->ms / 1000 };
}

static struct mono
world_mono(void *ctx)
{
	const struct world *w = ctx;

	return (struct mono){ w->ms };
}

static void
world_random(void *ctx, void *p, size_t n)
{
	(void)ctx;
	memset(p, 0, n);
}

static enum endpoint
endpoint_of_url(const char *url)
{
	for (enum endpoint e = 0; e < ENDPOINT_COUNT; e++)
		if (strcmp(url, endpoint_name(e)) == 0)
			return e;
	fail_msg("%s", url);
	return ENDPOINT_COUNT;
}

static enum err
world_send(void *ctx, enum courier_method method, const char *url, struct str body, courier_done *done, void *arg)
{
	struct world *w = ctx;

	(void)done;
	(void)arg;
	if (w->fail != ERR_OK)
		return w->fail;
	assert_int_equal(method, COURIER_POST);
	assert_true(str_eq(body, str_of(url)));
	assert_true(w->sent_n < SENT_MAX);
	w->sent[w->sent_n].ms = w->ms;
	w->sent[w->sent_n++].e = endpoint_of_url(url);
	return ERR_OK;
}

static void
done(void *arg, const struct courier_answer *an)
{
	struct world *w = arg;

	w->answered++;
	if (an->status != 503)
		return;
	w->patience++;
	assert_true(str_to_int(an->retry_after, &w->retry_s));
}

static void
init(struct world *w, const char *profile)
{
	const struct budget_profile *p = budget_profile_of_name(str_of(profile));
	struct clock clock = { w, world_now, world_mono, world_random };
	const struct pace_out out = { w, world_send };

	*w = (struct world){ .sent = calloc(SENT_MAX, sizeof *w->sent) };
	assert_non_null(w->sent);
	assert_int_equal(loop_new(&clock, &w->loop), ERR_OK);
	assert_int_equal(pace_new(w->loop, &clock, &out, p->endpoints, &w->pace), ERR_OK);
}

static void
fini(struct world *w)
{
	pace_free(&w->pace);
	loop_free(&w->loop);
	free(w->sent);
}

static void
pass(struct world *w, int64_t ms)
{
	for (int64_t i = 0; i < ms; i++) {
		w->ms++;
		assert_int_equal(loop_round(w->loop, 0), ERR_OK);
	}
}

static enum err
ask(struct world *w, enum endpoint e)
{
	const char *url = endpoint_name(e);

	return pace_send(w->pace, e, COURIER_POST, url, str_of(url), done, w);
}

static uint64_t
next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15U;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

/* In no stretch of time more than the burst and what the rate gives in it: every stretch that ends with a request, by counting
 * tokens that come back. */
static void
check_rate(const struct world *w, enum endpoint e, struct rate r)
{
	double left = (double)rate_burst(r), per_ms = (double)r.count / ((double)r.per.s * 1000.0);
	int64_t last = 0;

	for (size_t i = 0; i < w->sent_n; i++) {
		if (w->sent[i].e != e)
			continue;
		left += (double)(w->sent[i].ms - last) * per_ms;
		left = left > (double)rate_burst(r) ? (double)rate_burst(r) : left;
		last = w->sent[i].ms;
		if (left < 1.0 - 1e-6)
			fail_msg("%s at %lld ms: %.3f of a request were left", endpoint_name(e), (long long)last, left);
		left -= 1.0;
	}
}

static void
test_never_over(void **state)
{
	const struct budget_profile *p = budget_profile_of_name(STR("letsencrypt"));
	struct world w;
	uint64_t seed = 20261126;
	size_t asked = 0;

	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	init(&w, "letsencrypt");
	for (size_t round = 0; round < 600; round++) {
		/* Floods, a trickle, and silence. */
		uint64_t kind = next(&seed) % 10, n = kind < 2 ? next(&seed) % 400 : kind < 8 ? next(&seed) % 6 : 0;

		for (uint64_t i = 0; i < n; i++)
			asked += ask(&w, (enum endpoint)(next(&seed) % ENDPOINT_COUNT)) == ERR_OK;
		pass(&w, (int64_t)(next(&seed) % 200));
	}
	pass(&w, 600000);
	assert_int_equal(pace_waiting(w.pace), 0);
	assert_int_equal(w.sent_n, asked);
	for (enum endpoint e = 0; e < ENDPOINT_COUNT; e++)
		check_rate(&w, e, p->endpoints[e]);
	fini(&w);
}

/* It waits no longer than it has to: a flood of orders goes at nine tenths of the rate. */
static void
test_is_no_slower(void **state)
{
	struct world w;

	(void)state;
	init(&w, "letsencrypt");
	for (size_t i = 0; i < 3000; i++)
		assert_int_equal(ask(&w, ENDPOINT_NEW_ORDER), ERR_OK);
	pass(&w, 10000);
	assert_true(w.sent_n >= 180 + 2650 && w.sent_n <= 180 + 2705);
	/* The others do not wait for them. */
	size_t before = w.sent_n;
	assert_int_equal(ask(&w, ENDPOINT_DIRECTORY), ERR_OK);
	assert_int_equal(w.sent_n, before + 1);
	fini(&w);
	/* A CA that publishes nothing: as they come. */
	init(&w, "none");
	for (size_t i = 0; i < 3000; i++)
		assert_int_equal(ask(&w, ENDPOINT_NEW_ORDER), ERR_OK);
	assert_int_equal(w.sent_n, 3000);
	fini(&w);
}

static void
test_retry_after(void **state)
{
	struct world w;
	const struct courier_answer busy = { .status = 503, .retry_after = STR("20") }, long_busy = { .status = 503, .retry_after = STR("3600") },
				    limited = { .status = 429, .retry_after = STR("7200") }, odd = { .status = 503, .retry_after = STR("-7") };

	(void)state;
	init(&w, "none");
	/* Short: it waits, and not one request goes before. */
	pace_told(w.pace, ENDPOINT_NEW_ORDER, &busy);
	assert_int_equal(ask(&w, ENDPOINT_NEW_ORDER), ERR_OK);
	assert_int_equal(ask(&w, ENDPOINT_OTHER), ERR_OK);
	assert_int_equal(w.sent_n, 1);
	pass(&w, 20999); /* the second that has begun counts for nothing */
	assert_int_equal(w.sent_n, 1);
	pass(&w, 2);
	assert_int_equal(w.sent_n, 2);
	/* A limit of one account or domain is no word about the endpoint; nor is rubbish. */
	pace_told(w.pace, ENDPOINT_NEW_ORDER, &limited);
	pace_told(w.pace, ENDPOINT_NEW_ORDER, &odd);
	assert_int_equal(ask(&w, ENDPOINT_NEW_ORDER), ERR_OK);
	assert_int_equal(w.sent_n, 3);
	/* Held by whoever knows that it is the account's. */
	pace_hold(w.pace, ENDPOINT_NEW_ORDER, when_plus(world_now(&w), SPAN_S(5)));
	pace_hold(w.pace, ENDPOINT_NEW_ORDER, WHEN_UNKNOWN);
	assert_int_equal(ask(&w, ENDPOINT_NEW_ORDER), ERR_OK);
	assert_int_equal(w.sent_n, 3);
	pass(&w, 5001);
	assert_int_equal(w.sent_n, 4);
	/* Long: answered in the front end's place, those that wait already as well. */
	pace_told(w.pace, ENDPOINT_NEW_ORDER, &busy);
	assert_int_equal(ask(&w, ENDPOINT_NEW_ORDER), ERR_OK);
	pace_told(w.pace, ENDPOINT_NEW_ORDER, &long_busy);
	assert_int_equal(ask(&w, ENDPOINT_NEW_ORDER), ERR_OK);
	assert_int_equal(w.patience, 0);
	pass(&w, 1);
	assert_int_equal(w.patience, 2);
	assert_true(w.retry_s >= 3599 && w.retry_s <= 3601);
	assert_int_equal(w.sent_n, 4);
	assert_int_equal(pace_waiting(w.pace), 0);
	fini(&w);
}

static void
test_full_and_failing(void **state)
{
	struct world w;
	size_t n = 0;

	(void)state;
	init(&w, "letsencrypt");
	while (ask(&w, ENDPOINT_NEW_NONCE) == ERR_OK)
		n++;
	assert_int_equal(n, PACE_WAITING_MAX + 1);
	assert_int_equal(ask(&w, ENDPOINT_NEW_NONCE), ERR_FULL);
	/* What cannot be sent later is answered, once. */
	w.fail = ERR_MEMORY;
	pass(&w, 1000);
	assert_true(w.answered >= 17 && w.answered <= 20);
	assert_int_equal(w.answered + pace_waiting(w.pace), PACE_WAITING_MAX);
	/* What waits when the port is gone is dropped. */
	fini(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never_over),
		cmocka_unit_test(test_is_no_slower),
		cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_full_and_failing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
