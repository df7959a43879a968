/* Which of several engines on one store acts: the decision, the row, and two real engines on one store. */
#include "core/lease.h"
#include "ports/store/lease.h"
#include "sim/world.h"
#include "test/unit/store_try.h"

enum { LENGTH_MS = 30000, LENGTH_S = 30 };

/* --- the decision --- */

static void
test_looks(void **state)
{
	static const struct {
		int line;
		int64_t fence, until_ms; /* own */
		const char *holder;	 /* the row */
		int64_t row_fence, ends_ms;
		int64_t wall_ms, mono_ms;
		bool is_dead;
		enum lease_do want;
	} rows[] = {
		/* Of nobody, never held, ended, of a dead one. */
		{ __LINE__, 0, 0, "", 0, 0, 5000, 100, false, LEASE_TAKE },
		{ __LINE__, 0, 0, "b", 4, 5001, 5000, 100, false, LEASE_STAND_BY },
		{ __LINE__, 0, 0, "b", 4, 5000, 5000, 100, false, LEASE_TAKE },
		{ __LINE__, 0, 0, "b", 4, 90000, 5000, 100, true, LEASE_TAKE },
		/* Its own: fresh, a third over, over and nobody took it, taken. */
		{ __LINE__, 4, 30100, "a", 4, 35000, 5000, 100, false, LEASE_ACT },
		{ __LINE__, 4, 30100, "a", 4, 35000, 5000, 10099, false, LEASE_ACT },
		{ __LINE__, 4, 30100, "a", 4, 35000, 5000, 10100, false, LEASE_KEEP },
		{ __LINE__, 4, 30100, "a", 4, 35000, 5000, 30099, false, LEASE_KEEP },
		{ __LINE__, 4, 30100, "a", 4, 35000, 5000, 30100, false, LEASE_TAKE },
		{ __LINE__, 4, 30100, "b", 5, 35000, 5000, 100, false, LEASE_LOST },
		{ __LINE__, 4, 30100, "", 5, 0, 5000, 100, false, LEASE_LOST },
		/* Its wall clock is no matter to who holds it. */
		{ __LINE__, 4, 30100, "a", 4, 35000, 999999, 100, false, LEASE_ACT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct lease l = { .length_ms = LENGTH_MS, .fence = rows[i].fence, .until = { rows[i].until_ms } };
		const struct lease_row row = { str_of(rows[i].holder), rows[i].row_fence, rows[i].ends_ms };
		const struct lease_now at = { rows[i].wall_ms, { rows[i].mono_ms }, rows[i].is_dead };
		enum lease_do got = lease_look(&l, &row, &at);

		if (got != rows[i].want)
			fail_msg("%s:%d: got %d", __FILE__, rows[i].line, got);
	}
}

/* A wall clock that went back by hours would keep a dead holder alive: the row stands still, and that is seen. */
static void
test_a_row_that_stands_still(void **state)
{
	struct lease l = { .length_ms = LENGTH_MS };
	struct lease_row row = { STR("b"), 7, 100000000 };
	struct lease_now at = { .wall_ms = 1000 };

	(void)state;
	for (int64_t ms = 0; ms < 5 * LENGTH_MS; ms += 1000) {
		at.mono.ms = ms;
		row.ends_ms += ms % 10000 == 0; /* it is kept */
		assert_int_equal(lease_look(&l, &row, &at), LEASE_STAND_BY);
	}
	int64_t last_ms = 5 * LENGTH_MS - 10000;
	at.mono.ms = last_ms + LENGTH_MS - 1;
	assert_int_equal(lease_look(&l, &row, &at), LEASE_STAND_BY);
	at.mono.ms++;
	assert_int_equal(lease_look(&l, &row, &at), LEASE_TAKE);
}

static void
test_next(void **state)
{
	struct lease l = { .length_ms = 0 };

	(void)state;
	assert_int_equal(lease_next_ms(&l, (struct mono){ 5 }), INT64_MAX);
	assert_true(lease_may_act(&l, (struct mono){ 5 }));
	l.length_ms = LENGTH_MS;
	assert_false(lease_may_act(&l, (struct mono){ 5 }));
	assert_int_equal(lease_next_ms(&l, (struct mono){ 5 }), 5000);
	l.length_ms = 3000;
	assert_int_equal(lease_next_ms(&l, (struct mono){ 5 }), 1000);
	lease_held(&l, 1, (struct mono){ 500 });
	assert_int_equal(lease_next_ms(&l, (struct mono){ 500 }), 1000);
	assert_int_equal(lease_next_ms(&l, (struct mono){ 5000 }), 0);
	assert_true(lease_may_act(&l, (struct mono){ 3499 }));
	assert_false(lease_may_act(&l, (struct mono){ 3500 }));
}

/* --- the row --- */

static void
test_row(void **state)
{
	AUTO_ARENA a = { .max = 1 << 20 };
	struct store *s = new_store();
	struct lease_row row;
	int64_t fence = 0;

	(void)state;
	OK(s, store_lease(s, &a, &row));
	SAME(row.holder.n, 0);
	SAME(row.fence, 0);
	OK(s, store_lease_take(s, STR("a"), row.fence, 1000, &fence));
	SAME(fence, 1);
	/* Who read the row before it was taken comes too late. */
	FAILS(store_lease_take(s, STR("b"), 0, 9000, &fence), ERR_CONFLICT);
	OK(s, store_lease_keep(s, 1, 2000));
	OK(s, store_lease(s, &a, &row));
	SAME_STR(row.holder, STR("a"));
	SAME(row.ends_ms, 2000);
	OK(s, store_lease_take(s, STR("b"), 1, 9000, &fence));
	SAME(fence, 2);
	FAILS(store_lease_keep(s, 1, 99999), ERR_CONFLICT);
	FAILS(store_lease_give(s, 1), ERR_CONFLICT);
	OK(s, store_lease_give(s, 2));
	OK(s, store_lease(s, &a, &row));
	SAME(row.holder.n, 0);
	/* The number does not begin anew. */
	SAME(row.fence, 2);
	store_close(&s);
}

/* --- two engines --- */

struct two {
	struct sim *sim;
	struct engine *other;
	struct arena arena;
};

static void
begin(struct two *t)
{
	*t = (struct two){ .arena = { .max = 1 << 20 } };
	assert_int_equal(sim_new((struct when){ 1796083200 }, 5, NULL, &t->sim), ERR_OK);
	t->sim->lease = SPAN_S(LENGTH_S);
	t->sim->holder = STR("first");
	assert_int_equal(sim_crash(t->sim), ERR_OK);
	assert_int_equal(sim_pass(t->sim, SPAN_MIN(5), NULL), ERR_OK);
	t->sim->holder = STR("second");
	assert_int_equal(sim_engine(t->sim, &t->other), ERR_OK);
}

static void
end(struct two *t)
{
	engine_free(&t->other);
	sim_free(&t->sim);
	arena_fini(&t->arena);
}

static struct lease_row
row_of(struct two *t)
{
	struct lease_row row;

	OK(t->sim->store, store_lease(t->sim->store, &t->arena, &row));
	return row;
}

static enum err
turn(struct engine *e)
{
	int64_t next_ms = -1;
	struct why why = { "" };
	enum err err = engine_turn(e, &why, &next_ms);

	if (err == ERR_OK)
		assert_in_range(next_ms, 0, LENGTH_MS);
	return err;
}

/* The second does nothing while the first is there, takes over when it sleeps, and what the first then decides is refused. */
static void
test_one_acts(void **state)
{
	struct two t;

	(void)state;
	begin(&t);
	int64_t fence = row_of(&t).fence;
	SAME_STR(row_of(&t).holder, STR("first"));
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(turn(t.other), ERR_OK);
		assert_false(engine_acts(t.other));
		assert_int_equal(sim_pass(t.sim, SPAN_S(7), NULL), ERR_OK);
		assert_true(engine_acts(t.sim->engine));
		SAME(row_of(&t).fence, fence);
	}
	t.sim->now_ms += LENGTH_MS / 2;
	assert_int_equal(turn(t.other), ERR_OK);
	assert_false(engine_acts(t.other));
	/* Asleep until a second after its end at the latest. */
	t.sim->now_ms += LENGTH_MS / 2 + 1000;
	assert_false(engine_acts(t.sim->engine));
	assert_int_equal(turn(t.other), ERR_OK);
	assert_true(engine_acts(t.other));
	SAME_STR(row_of(&t).holder, STR("second"));
	SAME(row_of(&t).fence, fence + 1);
	assert_string_equal(err_name(turn(t.sim->engine)), "CONFLICT");
	SAME_STR(row_of(&t).holder, STR("second"));
	/* The second goes on alone, in the same world. */
	struct engine *first = t.sim->engine;
	t.sim->engine = t.other;
	t.other = first;
	assert_int_equal(sim_pass(t.sim, SPAN_H(1), NULL), ERR_OK);
	SAME(row_of(&t).fence, fence + 1);
	SAME(t.sim->crashes, 0);
	end(&t);
}

/* It leaves, or is known to be dead: nobody waits. */
static bool
is_first_gone(struct str holder)
{
	return str_eq(holder, STR("first"));
}

static void
test_nobody_waits(void **state)
{
	struct two t;

	(void)state;
	begin(&t);
	assert_int_equal(turn(t.other), ERR_OK);
	assert_false(engine_acts(t.other));
	assert_int_equal(engine_leave(t.sim->engine), ERR_OK);
	assert_int_equal(turn(t.other), ERR_OK);
	assert_true(engine_acts(t.other));
	end(&t);

	begin(&t);
	engine_free(&t.other);
	t.sim->is_gone = is_first_gone;
	assert_int_equal(sim_engine(t.sim, &t.other), ERR_OK);
	assert_int_equal(turn(t.other), ERR_OK);
	assert_true(engine_acts(t.other));
	assert_string_equal(err_name(turn(t.sim->engine)), "CONFLICT");
	end(&t);
}

/* The clock of one is off by hours, either way: they change places at worst, and never act at once. */
static void
test_clocks_that_differ(void **state)
{
	static const int64_t by_s[] = { 7200, -7200 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct two t;

		begin(&t);
		int64_t fence = row_of(&t).fence;
		t.sim->clock_step_s += by_s[i];
		assert_int_equal(turn(t.other), ERR_OK);
		assert_int_equal(engine_acts(t.other), by_s[i] > 0);
		t.sim->clock_step_s -= by_s[i];
		assert_int_equal(row_of(&t).fence - fence, by_s[i] > 0);
		assert_string_equal(err_name(turn(t.sim->engine)), by_s[i] > 0 ? "CONFLICT" : "OK");
		/* Behind, and the first is dead: its row stands still. */
		t.sim->clock_step_s += by_s[i];
		for (int64_t ms = 0; ms <= LENGTH_MS && !engine_acts(t.other); ms += 5000) {
			assert_int_equal(turn(t.other), ERR_OK);
			t.sim->now_ms += 5000;
		}
		assert_int_equal(turn(t.other), ERR_OK);
		assert_true(engine_acts(t.other));
		end(&t);
	}
}

/* --- it stops for longer than its lease, between any two looks at the clock --- */

static struct {
	struct clock real;
	unsigned looks, stops_at; /* 0: it does not */
	struct two *two;
	bool was_taken;
} stop;

static struct mono
stopping_mono(void *ctx)
{
	if (stop.stops_at > 0 && ++stop.looks == stop.stops_at)
		stop.two->sim->now_ms += LENGTH_MS + 2000;
	return stop.real.mono(ctx);
}

static void
put_stop(struct sim *s, struct engine_ports *ports, void *arg)
{
	(void)s;
	(void)arg;
	stop.real = ports->clock;
	ports->clock.mono = stopping_mono;
}

static void
test_it_stops_anywhere(void **state)
{
	unsigned refused = 0, fine = 0;

	(void)state;
	for (unsigned at = 1; at < 12; at++) {
		struct two t;
		const struct str names[] = { STR("shop.example") };
		const struct setting setting = { .source = SOURCE_FREE, .coverage = COVERAGE_SINGLE };
		struct site site;
		int64_t id;

		begin(&t);
		stop.two = &t;
		stop.looks = stop.stops_at = 0;
		t.sim->wrap_ports = put_stop;
		t.sim->holder = STR("third");
		assert_int_equal(engine_leave(t.sim->engine), ERR_OK);
		assert_int_equal(sim_crash(t.sim), ERR_OK);
		assert_int_equal(sim_pass(t.sim, SPAN_MIN(1), NULL), ERR_OK);
		assert_int_equal(sim_site_add(t.sim, STR("owner@example.jp"), &setting, names, 1, &id), ERR_OK);
		int64_t fence = row_of(&t).fence;
		stop.stops_at = at;
		enum err err = turn(t.sim->engine);
		stop.stops_at = 0;
		bool has_stopped = stop.looks >= at;
		OK(t.sim->store, store_site_load(t.sim->store, id, &t.arena, &site));
		/* Refused: nothing is in the store, and the other begins where it was; or it was committed in time, and not acted on. Taken
		 * anew at the beginning: under another number. */
		if (err == ERR_OK)
			fine++;
		else
			refused++;
		assert_true(err == ERR_OK || err == ERR_CONFLICT);
		if (has_stopped && err == ERR_OK)
			assert_true(row_of(&t).fence > fence || !engine_acts(t.sim->engine) || site.doing == DOING_CHECK);
		t.sim->now_ms += LENGTH_MS + 2000;
		assert_int_equal(turn(t.other), ERR_OK);
		assert_true(engine_acts(t.other));
		assert_string_equal(err_name(turn(t.sim->engine)), "CONFLICT");
		end(&t);
	}
	assert_true(refused > 0 && fine > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_looks),
		cmocka_unit_test(test_a_row_that_stands_still),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_row),
		cmocka_unit_test(test_one_acts),
		cmocka_unit_test(test_nobody_waits),
		cmocka_unit_test(test_clocks_that_differ),
		cmocka_unit_test(test_it_stops_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
