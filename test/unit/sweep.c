#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "sim/scenario.h"

/*
 * The fault sweep in the simulator: the Nth statement of the store that writes fails, for N = 1, 2, … until a run passes
 * untouched. Each time the engine ends and is started anew from the store, and the story has to come out the same: the
 * site is served, each letter is sent once, at most one order is an orphan.
 */

static const char story[] = "scenario \"a first certificate, a renewal, a fault of the owner's and its cure\"\n"
			    "clock 2026-12-01T00:00Z seed 31\n"
			    "web 192.0.2.10\n"
			    "dns { example.jp A 192.0.2.10 }\n"
			    "ca { life 160h }\n"
			    "site h1 { names example.jp,www.example.jp ; redirect on }\n"
			    "pass 2h\n"
			    "expect served example.jp == ok\n"
			    "dns { www.example.jp A 192.0.2.10 }\n"
			    "pass 5d\n"
			    "expect served www.example.jp == ok\n"
			    "expect h1 state == ok\n"
			    "expect h1 names == 2\n"
			    "expect h1 findings == 0\n"
			    "expect letters h1 issued == 1\n"
			    "expect letters h1 act == 1\n"
			    "expect letters h1 resolved == 1\n"
			    "expect orders <= 4\n";

struct sweep {
	struct sim *sim;
	size_t left; /* the fault comes when this has gone down to nothing */
	enum err err;
	bool has_come;
	unsigned restarts;
};

static enum err
fault(void *arg, const char *verb)
{
	struct sweep *w = arg;

	(void)verb;
	if (!w->sim->is_in_turn || w->left == 0 || --w->left > 0)
		return ERR_OK;
	w->has_come = true;
	return w->err;
}

static void
before(struct sim *s, void *arg)
{
	struct sweep *w = arg;

	w->sim = s;
	store_set_fault(s->store, fault, w);
}

static void
after(struct sim *s, void *arg)
{
	struct sweep *w = arg;

	store_set_fault(s->store, NULL, NULL);
	w->restarts = s->crashes;
}

static size_t
sweep_with(enum err err, size_t stride)
{
	size_t n = 1;

	for (;; n += stride) {
		struct sweep w = { .left = n, .err = err };
		const struct scenario_hooks hooks = { before, after, &w };
		AUTO_BUF words = { .max = 1024 };
		struct why why = { "" };

		if (scenario_play_with(str_of(story), "sweep", &hooks, &why, &words) != ERR_OK)
			fail_msg("%s at statement %zu: %s", err_name(err), n, why.text);
		if (!w.has_come)
			return n;
		/* The engine noticed, once. */
		assert_int_equal(w.restarts, 1);
	}
}

static void
test_statements(void **state)
{
	(void)state;
	/* ./check takes every statement; the quick run one in eleven. */
	bool is_full = getenv("KOSHIN_SWEEP") != NULL;
	size_t stride = is_full ? 1 : 11, points = sweep_with(ERR_DISK_FULL, stride);

	printf("# a full disk at %s of %zu writing statements\n", is_full ? "each" : "one in eleven", points - 1);
	assert_true(points > 100);
	/* Other errors take the same way; a part of the statements is enough to see that. */
	(void)sweep_with(ERR_UNWRITABLE, 41);
	(void)sweep_with(ERR_CORRUPT, 41);
	(void)sweep_with(ERR_BUSY, 41);
}

/* The engine is killed after each virtual second of the same story. */
static void
test_kills(void **state)
{
	(void)state;
	for (int second = 1; second <= 30; second++) {
		AUTO_BUF text = { .max = 8192 }, words = { .max = 1024 };
		struct why why = { "" };
		const char *at = strstr(story, "pass 2h\n");

		buf_put(&text, story, (size_t)(at - story));
		buf_putf(&text, "pass %ds\ncrash\n%s", second, at);
		if (scenario_play(buf_str(&text), "sweep", &why, &words) != ERR_OK)
			fail_msg("killed after %d s: %s", second, why.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statements),
		cmocka_unit_test(test_kills),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
