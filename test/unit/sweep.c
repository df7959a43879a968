#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "sim/scenario.h"
#include "test/unit/like.h"
#include "test/unit/sweep_story.h"

/*
 * The fault sweep in the simulator: the Nth statement of the store that writes fails, for N = 1, 2, … until a run passes
 * untouched. Each time the engine ends and is started anew from the store, and the story has to come out the same: the
 * site is served, each letter is sent once, at most one order is an orphan.
 */

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

/* Returns the number of statements that an untouched run has. */
static size_t
sweep_with(enum err err, const char *words, size_t stride)
{
	size_t n = 1, points = 0;

	for (;; n += stride) {
		struct sweep w = { .left = n, .err = err };
		const struct scenario_hooks hooks = { before, after, &w, like };
		AUTO_BUF title = { .max = 1024 };
		struct why why = { "" };

		if (scenario_play_with(str_of(story), "sweep", &hooks, &why, &title) != ERR_OK)
			fail_msg("%s at statement %zu: %s", err_name(err), n, why.text);
		if (!w.has_come) {
			printf("statements with %s: %zu passed, 0 failed\n", words, points);
			return n - 1;
		}
		points++;
		/* The engine noticed, once. */
		assert_int_equal(w.restarts, 1);
	}
}

static void
test_statements(void **state)
{
	(void)state;
	/* ./check takes every statement; the quick run one in 61. */
	bool is_full = getenv("KOSHIN_SWEEP") != NULL;

	assert_true(sweep_with(ERR_DISK_FULL, "a full disk", is_full ? 1 : 61) > 1000);
	/* Other errors take the same way; a part of the statements is enough to see that. */
	(void)sweep_with(ERR_UNWRITABLE, "a disk that cannot be written", is_full ? 41 : 201);
	(void)sweep_with(ERR_CORRUPT, "damaged pages", is_full ? 41 : 201);
	(void)sweep_with(ERR_BUSY, "a busy store", is_full ? 41 : 201);
}

/* The engine is killed after each virtual second of the same story; in the quick run after each fifth. */
static void
test_kills(void **state)
{
	(void)state;
	const struct scenario_hooks hooks = { .like = like };

	for (int second = 1; second <= 30; second += getenv("KOSHIN_SWEEP") != NULL ? 1 : 5) {
		AUTO_BUF text = { .max = 8192 }, words = { .max = 1024 };
		struct why why = { "" };
		const char *at = strstr(story, "pass 2h\n");

		buf_put(&text, story, (size_t)(at - story));
		buf_putf(&text, "pass %ds\ncrash\n%s", second, at);
		if (scenario_play_with(buf_str(&text), "sweep", &hooks, &why, &words) != ERR_OK)
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

	return cmocka_run_group_tests(tests, like_open, like_close);
}
