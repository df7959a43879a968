/* The event loop: order of timers, work put off, descriptors that come and go inside callbacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "ports/loop/loop.h"

static int64_t fake_ms;

static struct mono
fake_mono(void *ctx)
{
	(void)ctx;
	return (struct mono){ fake_ms };
}

static struct when
fake_now(void *ctx)
{
	(void)ctx;
	return (struct when){ fake_ms / 1000 };
}

static void
fake_random(void *ctx, void *ret, size_t n)
{
	(void)ctx;
	memset(ret, 4, n);
}

static const struct clock fake = { NULL, fake_now, fake_mono, fake_random };

static struct loop *
open_loop(const struct clock *clock)
{
	struct loop *l = NULL;

	assert_int_equal(loop_new(clock, &l), ERR_OK);
	return l;
}

static char trace[64];

static void
note(void *arg)
{
	strcat(trace, arg);
}

static char a[] = "a", b[] = "b", c[] = "c", d[] = "d";

static void
timers_fire_in_order(void **state)
{
	(void)state;
	struct loop *l = open_loop(&fake);

	fake_ms = 1000;
	trace[0] = '\0';
	assert_non_null(loop_after(l, 30, note, d));
	assert_non_null(loop_after(l, 10, note, a));
	assert_non_null(loop_after(l, 20, note, b));
	assert_non_null(loop_after(l, 20, note, c));
	assert_int_equal(loop_round(l, 0), ERR_OK);
	assert_string_equal(trace, "");
	fake_ms += 20;
	assert_int_equal(loop_round(l, 0), ERR_OK);
	assert_string_equal(trace, "abc");
	fake_ms += 10;
	assert_int_equal(loop_round(l, -1), ERR_OK);
	assert_string_equal(trace, "abcd");
	loop_free(&l);
	assert_null(l);
}

static void
cancelled_timer_is_silent(void **state)
{
	(void)state;
	struct loop *l = open_loop(&fake);
	struct loop_timer *t = NULL;

	loop_cancel(l, &t);
	trace[0] = '\0';
	t = loop_after(l, 0, note, a);
	assert_non_null(loop_after(l, 0, note, b));
	loop_cancel(l, &t);
	assert_null(t);
	assert_int_equal(loop_round(l, 0), ERR_OK);
	assert_string_equal(trace, "b");
	loop_free(&l);
}

/* A heap of many timers, some taken back: they must come out sorted whatever the order in which they went in. */
enum { MANY = 2000 };
static int64_t fired_last, fired_n;
static int64_t dues[MANY];

static void
fired(void *arg)
{
	int64_t due = *(int64_t *)arg;

	assert_true(due >= fired_last);
	assert_true(due <= fake_ms);
	fired_last = due;
	fired_n++;
}

static void
many_timers_stay_sorted(void **state)
{
	(void)state;
	struct loop *l = open_loop(&fake);
	struct loop_timer *timers[MANY];
	uint32_t seed = 12345;
	int64_t cancelled = 0;

	fake_ms = 0;
	fired_last = fired_n = 0;
	for (size_t i = 0; i < MANY; i++) {
		seed = seed * 1103515245 + 12345;
		dues[i] = seed >> 16 & 1023;
		timers[i] = loop_after(l, dues[i], fired, &dues[i]);
		assert_non_null(timers[i]);
	}
	for (size_t i = 0; i < MANY; i += 3, cancelled++)
		loop_cancel(l, &timers[i]);
	for (; fake_ms < 1024 + 7; fake_ms += 7)
		assert_int_equal(loop_round(l, 0), ERR_OK);
	assert_int_equal(fired_n, MANY - cancelled);
	loop_free(&l);
}

struct again {
	struct loop *loop;
	int n;
};

static void
put_off(void *arg)
{
	struct again *again = arg;

	again->n++;
	assert_non_null(loop_after(again->loop, 0, put_off, again));
}

static void
work_put_off_waits_for_the_next_round(void **state)
{
	(void)state;
	struct loop *l = open_loop(&fake);
	struct again again = { l, 0 };

	put_off(&again);
	for (int i = 2; i < 10; i++) {
		assert_int_equal(loop_round(l, 0), ERR_OK);
		assert_int_equal(again.n, i);
	}
	loop_free(&l); /* with a timer pending: it must not leak */
}

struct seen {
	struct loop *loop;
	int calls, events, other;
};

static void
read_one(void *arg, int fd, int events)
{
	struct seen *seen = arg;
	char byte;

	seen->calls++;
	seen->events = events;
	(void)!read(fd, &byte, 1);
}

static void
descriptor_events(void **state)
{
	(void)state;
	struct loop *l = open_loop(&fake);
	struct seen seen = { .loop = l };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(loop_watch(l, pair[0], LOOP_READ, read_one, &seen), ERR_OK);
	assert_int_equal(loop_round(l, 0), ERR_OK);
	assert_int_equal(seen.calls, 0);
	assert_int_equal(write(pair[1], "xy", 2), 2);
	assert_int_equal(loop_round(l, -1), ERR_OK);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(seen.events, LOOP_READ);
	assert_int_equal(
	    loop_round(l, -1), ERR_OK); /* level-triggered: the second byte is not lost */
	assert_int_equal(seen.calls, 2);
	assert_int_equal(loop_watch(l, pair[0], LOOP_WRITE, read_one, &seen), ERR_OK);
	assert_int_equal(loop_round(l, -1), ERR_OK);
	assert_int_equal(seen.events, LOOP_WRITE);
	assert_int_equal(loop_watch(l, pair[0], LOOP_READ, read_one, &seen), ERR_OK);
	close(pair[1]);
	assert_int_equal(loop_round(l, -1), ERR_OK);
	assert_int_equal(seen.events, LOOP_READ | LOOP_WRITE);
	seen.calls = 0;
	loop_unwatch(l, pair[0]);
	loop_unwatch(l, pair[0]);
	assert_int_equal(loop_round(l, 0), ERR_OK);
	assert_int_equal(seen.calls, 0);
	close(pair[0]);
	loop_free(&l);
}

/* Both descriptors are ready; whoever is called first closes the other and makes a new one of the same number. */
static void
replace_other(void *arg, int fd, int events)
{
	struct seen *seen = arg;

	(void)events;
	seen->calls++;
	if (seen->other < 0)
		return;
	int other = fd == seen->other ? fd : seen->other, none[2];
	seen->other = -1;
	loop_unwatch(seen->loop, other);
	close(other);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, none), 0);
	if (none[0] != other) {
		assert_int_equal(dup2(none[0], other), other);
		close(none[0]);
	}
	assert_int_equal(loop_watch(seen->loop, other, LOOP_READ, read_one, seen), ERR_OK);
}

static void
event_of_a_former_owner_is_dropped(void **state)
{
	(void)state;
	struct loop *l = open_loop(&fake);
	struct seen seen = { .loop = l };
	int one[2], two[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, one), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, two), 0);
	assert_int_equal(loop_watch(l, one[0], LOOP_READ, replace_other, &seen), ERR_OK);
	assert_int_equal(loop_watch(l, two[0], LOOP_READ, replace_other, &seen), ERR_OK);
	seen.other = two[0];
	assert_int_equal(write(one[1], "x", 1), 1);
	assert_int_equal(write(two[1], "x", 1), 1);
	assert_int_equal(loop_round(l, 0), ERR_OK);
	assert_int_equal(seen.calls, 1);
	loop_free(&l);
}

static void
number_used_again_without_unwatch(void **state)
{
	(void)state;
	struct loop *l = open_loop(&fake);
	struct seen seen = { .loop = l };
	int one[2], two[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, one), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, two), 0);
	assert_int_equal(loop_watch(l, one[0], LOOP_READ, read_one, &seen), ERR_OK);
	close(one[0]);
	assert_int_equal(dup2(two[0], one[0]), one[0]);
	assert_int_equal(loop_watch(l, one[0], LOOP_READ, read_one, &seen), ERR_OK);
	assert_int_equal(write(two[1], "x", 1), 1);
	assert_int_equal(loop_round(l, -1), ERR_OK);
	assert_int_equal(seen.calls, 1);
	int bad = open("/dev/null", O_RDONLY);
	close(bad);
	assert_int_not_equal(loop_watch(l, bad, LOOP_READ, read_one, &seen), ERR_OK);
	loop_free(&l);
}

/* Bytes are called out by their first letter; each comes with so many descriptors that one take from the kernel is not enough. */
enum { CROWD = 150 };
static char order[2 * CROWD + 8];
static size_t order_n;

static void
call_out(void *arg, int fd, int events)
{
	char byte;

	(void)events;
	assert_int_equal(read(fd, &byte, 1), 1);
	order[order_n++] = *(char *)arg;
}

static void
call_out_timer(void *arg)
{
	order[order_n++] = *(char *)arg;
}

static void
write_to(int (*pairs)[2], size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(write(pairs[i][1], "x", 1), 1);
}

/* What came before the timer was due is given out before it, however much; and those that go first go before each part of the rest. */
static void
much_that_is_ready(void **state)
{
	(void)state;
	struct loop *l = open_loop(&fake);
	int crowd[CROWD][2], one[1][2];

	fake_ms = 0;
	order_n = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, one[0]), 0);
	for (size_t i = 0; i < CROWD; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, crowd[i]), 0);
		assert_int_equal(loop_watch(l, crowd[i][0], LOOP_READ, call_out, c), ERR_OK);
	}
	assert_int_equal(loop_watch(l, one[0][0], LOOP_FIRST | LOOP_READ, call_out, a), ERR_OK);
	write_to(crowd, CROWD);
	write_to(one, 1);
	assert_non_null(loop_after(l, 10, call_out_timer, d));
	fake_ms = 10;
	assert_int_equal(loop_round(l, -1), ERR_OK);
	assert_int_equal(order_n, CROWD + 2);
	assert_int_equal(order[0], 'a');
	assert_int_equal(order[CROWD + 1], 'd');
	/* Alone it wakes the loop as well. */
	write_to(one, 1);
	assert_int_equal(loop_round(l, -1), ERR_OK);
	assert_int_equal(order[CROWD + 2], 'a');
	loop_unwatch(l, one[0][0]);
	write_to(one, 1);
	assert_int_equal(loop_round(l, 0), ERR_OK);
	assert_int_equal(order_n, CROWD + 3);
	loop_free(&l);
	for (size_t i = 0; i < CROWD; i++) {
		close(crowd[i][0]);
		close(crowd[i][1]);
	}
	close(one[0][0]);
	close(one[0][1]);
}

static void
real_clock_waits_for_the_timer(void **state)
{
	(void)state;
	struct clock real = clock_real(SPAN_S(0));
	struct loop *l = open_loop(&real);
	int64_t begun = clock_mono(&real).ms;

	trace[0] = '\0';
	assert_non_null(loop_after(l, 15, note, a));
	assert_non_null(loop_after(l, INT64_MAX, note, b));
	while (trace[0] == '\0')
		assert_int_equal(loop_round(l, -1), ERR_OK);
	assert_true(clock_mono(&real).ms - begun >= 15);
	assert_string_equal(trace, "a");
	loop_free(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_in_order),
		cmocka_unit_test(cancelled_timer_is_silent),
		cmocka_unit_test(many_timers_stay_sorted),
		cmocka_unit_test(work_put_off_waits_for_the_next_round),
		cmocka_unit_test(descriptor_events),
		cmocka_unit_test(event_of_a_former_owner_is_dropped),
		cmocka_unit_test(number_used_again_without_unwatch),
		cmocka_unit_test(much_that_is_ready),
		cmocka_unit_test(real_clock_waits_for_the_timer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
