/* Links between processes: answers find their requests, and the death of either side loses nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/wire.h"
#include "ports/link/link.h"
#include "ports/link/message.h"

static struct clock the_clock;
static struct loop *loop;
static int ends[2]; /* client, server */

static int
set_up(void **state)
{
	(void)state;
	the_clock = clock_real(SPAN_S(0));
	if (loop_new(&the_clock, &loop) != ERR_OK || link_pair(ends) != ERR_OK)
		return -1;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	loop_free(&loop);
	close(ends[0]);
	if (ends[1] >= 0)
		close(ends[1]);
	return 0;
}

static struct link *
open_link(size_t waiting_max)
{
	struct link *l = NULL;
	struct link_options options = { loop, &the_clock, ends[0], waiting_max };

	assert_int_equal(link_new(&options, &l), ERR_OK);
	return l;
}

struct heard {
	int n;
	enum err err;
	char text[32];
	size_t size;
};

static void
hear(void *arg, enum err err, struct str body)
{
	struct heard *heard = arg;

	heard->n++;
	heard->err = err;
	heard->size = body.n;
	snprintf(heard->text, sizeof heard->text, "%.*s", (int)(body.n < 31 ? body.n : 31),
	    body.n > 0 ? body.p : "");
}

/* What the server side of these tests reads and sends by hand. */
static enum err
take_request(struct message *ret)
{
	static char in[LIMIT_MESSAGE_BYTES];
	struct str bytes;
	enum err e = message_receive(ends[1], in, sizeof in, &bytes);

	return e != ERR_OK ? e : message_read(bytes, ret);
}

static void
send_message(enum message_kind kind, uint64_t id, struct str body)
{
	char out[256];

	message_put_head(out, kind, id);
	if (body.n > 0)
		memcpy(out + LINK_HEAD_BYTES, body.p, body.n);
	assert_int_equal(
	    send(ends[1], out, LINK_HEAD_BYTES + body.n, 0), LINK_HEAD_BYTES + body.n);
}

static void
rounds(int n)
{
	for (int i = 0; i < n; i++)
		assert_int_equal(loop_round(loop, 0), ERR_OK);
}

static void
answers_find_their_requests(void **state)
{
	(void)state;
	struct link *l = open_link(10);
	struct heard one = { 0 }, two = { 0 };
	struct message m1, m2;

	assert_int_equal(link_ask(l, STR("first"), hear, &one), ERR_OK);
	assert_int_equal(link_ask(l, STR_NONE, hear, &two), ERR_OK);
	assert_int_equal(take_request(&m1), ERR_OK);
	assert_int_equal(m1.kind, MESSAGE_REQUEST);
	assert_true(str_eq(m1.body, STR("first")));
	uint64_t id1 = m1.id;
	assert_int_equal(take_request(&m2), ERR_OK);
	assert_int_equal(m2.body.n, 0);
	assert_true(m2.id == id1 + 1);
	send_message(MESSAGE_ANSWER, m2.id, STR("two"));
	send_message(MESSAGE_ANSWER, m2.id, STR("two again"));
	send_message(MESSAGE_ANSWER, id1 - 1, STR("of a predecessor"));
	rounds(3);
	assert_int_equal(one.n, 0);
	assert_int_equal(two.n, 1);
	assert_string_equal(two.text, "two");
	send_message(MESSAGE_ANSWER, id1, STR_NONE);
	rounds(2);
	assert_int_equal(one.n, 1);
	assert_int_equal(one.err, ERR_OK);
	assert_int_equal(one.size, 0);
	assert_true(link_counts(l).unknown == 2);
	assert_true(link_counts(l).answered == 2);
	link_free(&l);
	assert_null(l);
}

static void
ids_differ_between_incarnations(void **state)
{
	(void)state;
	struct heard heard = { 0 };
	struct message m;
	struct link *l = open_link(10);

	assert_int_equal(link_ask(l, STR("old"), hear, &heard), ERR_OK);
	assert_int_equal(take_request(&m), ERR_OK);
	uint64_t old = m.id;
	link_free(&l);
	l = open_link(10);
	assert_int_equal(link_ask(l, STR("new"), hear, &heard), ERR_OK);
	assert_int_equal(take_request(&m), ERR_OK);
	send_message(MESSAGE_ANSWER, old, STR("stale"));
	rounds(2);
	assert_int_equal(heard.n, 0);
	assert_true(link_counts(l).unknown == 1);
	link_free(&l);
}

static void
hello_repeats_what_has_no_answer(void **state)
{
	(void)state;
	struct link *l = open_link(10);
	struct heard one = { 0 }, two = { 0 };
	struct message m;

	assert_int_equal(link_ask(l, STR("one"), hear, &one), ERR_OK);
	assert_int_equal(link_ask(l, STR("two"), hear, &two), ERR_OK);
	assert_int_equal(take_request(&m), ERR_OK);
	send_message(MESSAGE_ANSWER, m.id, STR("done"));
	assert_int_equal(take_request(&m), ERR_OK); /* and dies with it */
	uint64_t id = m.id;
	send_message(MESSAGE_HELLO, 0, STR_NONE);
	rounds(2);
	assert_int_equal(one.n, 1);
	assert_int_equal(take_request(&m), ERR_OK);
	assert_true(m.id == id);
	assert_true(str_eq(m.body, STR("two")));
	assert_int_equal(take_request(&m), ERR_BUSY);
	assert_true(link_counts(l).repeated == 1);
	send_message(MESSAGE_ANSWER, id, STR("late"));
	rounds(2);
	assert_int_equal(two.n, 1);
	link_free(&l);
}

static void
request_that_kills_its_server_is_given_up(void **state)
{
	(void)state;
	struct link *l = open_link(10);
	struct heard poison = { 0 }, behind = { 0 };

	assert_int_equal(link_ask(l, STR("poison"), hear, &poison), ERR_OK);
	assert_int_equal(link_ask(l, STR("behind"), hear, &behind), ERR_OK);
	for (int deaths = 1; deaths <= LINK_DEATHS_MAX; deaths++) {
		send_message(MESSAGE_HELLO, 0, STR_NONE);
		rounds(2);
		assert_int_equal(poison.n, 0);
	}
	send_message(MESSAGE_HELLO, 0, STR_NONE);
	rounds(2);
	assert_int_equal(poison.n, 1);
	assert_int_equal(poison.err, ERR_BUG);
	assert_int_equal(behind.n, 0);
	link_free(&l);
}

static void
full_socket_waits_for_room(void **state)
{
	(void)state;
	enum { N = 64 };
	struct link *l = open_link(N);
	struct heard heard[N] = { 0 };
	struct message m;
	char *big = calloc(1, LINK_BODY_BYTES + 1);
	int got = 0;

	assert_non_null(big);
	for (int i = 0; i < N; i++)
		assert_int_equal(
		    link_ask(l, (struct str){ big, LINK_BODY_BYTES }, hear, &heard[i]), ERR_OK);
	assert_int_equal(link_ask(l, STR("x"), hear, &heard[0]), ERR_FULL);
	assert_int_equal(link_ask(l, (struct str){ big, LINK_BODY_BYTES + 1 }, hear, &heard[0]),
	    ERR_TOO_LONG);
	while (got < N) {
		enum err e = take_request(&m);

		if (e == ERR_BUSY) {
			assert_int_equal(loop_round(loop, 1000), ERR_OK);
			continue;
		}
		assert_int_equal(e, ERR_OK);
		assert_int_equal(m.body.n, LINK_BODY_BYTES);
		send_message(MESSAGE_ANSWER, m.id, STR("ok"));
		got++;
	}
	rounds(4);
	for (int i = 0; i < N; i++)
		assert_int_equal(heard[i].n, 1);
	free(big);
	link_free(&l);
}

static void
rubbish_is_dropped(void **state)
{
	(void)state;
	const struct row {
		const char *name;
		int line;
		struct str bytes;
	} rows[] = {
		{ "empty", __LINE__, STR("") },
		{ "short", __LINE__, STR("\1\3\0\0") },
		{ "another version", __LINE__, STR("\2\3\0\0\0\0\0\0\0\0") },
		{ "another kind", __LINE__, STR("\1\5\0\0\0\0\0\0\0\0") },
		{ "kind 0", __LINE__, STR("\1\0\0\0\0\0\0\0\0\0") },
		{ "a request", __LINE__, STR("\1\2\0\0\0\0\0\0\0\0") },
		{ "quit", __LINE__, STR("\1\4\0\0\0\0\0\0\0\0") },
		{ "hello with a body", __LINE__, STR("\1\1\0\0\0\0\0\0\0\0x") },
	};
	struct link *l = open_link(10);
	struct heard heard = { 0 };
	uint64_t n = 0;

	assert_int_equal(link_ask(l, STR("x"), hear, &heard), ERR_OK);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(
		    send(ends[1], rows[i].bytes.p, rows[i].bytes.n, 0), rows[i].bytes.n);
		rounds(1);
		if (link_counts(l).malformed != ++n)
			fail_msg(
			    "%s:%d: %s: was not counted", __FILE__, rows[i].line, rows[i].name);
	}
	assert_int_equal(heard.n, 0);
	link_free(&l);
}

static void
other_end_gone_for_good(void **state)
{
	(void)state;
	struct link *l = open_link(10);
	struct heard heard = { 0 };

	assert_int_equal(link_ask(l, STR("x"), hear, &heard), ERR_OK);
	close(ends[1]);
	ends[1] = -1;
	rounds(3);
	assert_int_equal(heard.n, 1);
	assert_int_equal(heard.err, ERR_CLOSED);
	assert_int_equal(link_ask(l, STR("x"), hear, &heard), ERR_CLOSED);
	link_free(&l);
}

/* A server process for the rest: it answers with the request turned round, and dies when it is told "die". */
static volatile sig_atomic_t quit;

static void
on_term(int number)
{
	(void)number;
	quit = 1;
}

static void
reverse(void *arg, struct str body, struct buf *answer)
{
	(void)arg;
	if (str_eq(body, STR("die")))
		_exit(9);
	for (size_t i = body.n; i > 0; i--)
		buf_putc(answer, body.p[i - 1]);
}

static void
count_dropped(void *arg, const char *words)
{
	(void)words;
	(void)!write(*(int *)arg, "d", 1);
}

static pid_t
start_server(int second, int dropped_to)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	sigset_t block, unblocked;
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &unblocked);
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_term }, NULL);
	struct link_end served[2] = { { ends[1], reverse, &dropped_to, count_dropped },
		{ second, reverse, &dropped_to, count_dropped } };
	enum err e = link_serve(served, second >= 0 ? 2 : 1, &quit, &unblocked);
	_exit(e == ERR_OK ? 0 : 1);
}

static void
until(const int *n, int wanted)
{
	struct mono begun = clock_mono(&the_clock);

	while (*n < wanted) {
		assert_int_equal(loop_round(loop, 100), ERR_OK);
		assert_true(clock_mono(&the_clock).ms - begun.ms < 10000);
	}
}

static void
server_dies_and_returns(void **state)
{
	(void)state;
	struct link *l = open_link(10);
	struct heard one = { 0 }, dead = { 0 }, two = { 0 };
	int status;
	pid_t pid = start_server(-1, -1);

	assert_int_equal(link_ask(l, STR("abc"), hear, &one), ERR_OK);
	until(&one.n, 1);
	assert_string_equal(one.text, "cba");
	assert_int_equal(link_ask(l, STR("die"), hear, &dead), ERR_OK);
	assert_int_equal(link_ask(l, STR("xyz"), hear, &two), ERR_OK);
	for (int deaths = 1; deaths <= 1 + LINK_DEATHS_MAX; deaths++) {
		int hellos = (int)link_counts(l).hellos;

		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(WEXITSTATUS(status), 9);
		pid = start_server(-1, -1);
		while ((int)link_counts(l).hellos == hellos)
			assert_int_equal(loop_round(loop, 10000), ERR_OK);
	}
	until(&two.n, 1);
	assert_int_equal(dead.n, 1);
	assert_int_equal(dead.err, ERR_BUG);
	assert_string_equal(two.text, "zyx");
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	link_free(&l);
}

static void
server_outlives_rubbish_and_a_client_that_does_not_read(void **state)
{
	(void)state;
	int other[2], dropped[2], status;
	struct heard heard = { 0 };
	char request[LINK_HEAD_BYTES + 60000] = { 0 };

	assert_int_equal(link_pair(other), ERR_OK);
	assert_int_equal(pipe(dropped), 0);
	pid_t pid = start_server(other[1], dropped[1]);
	close(other[1]);
	struct pollfd hello = { .fd = other[0], .events = POLLIN };
	assert_int_equal(poll(&hello, 1, 10000), 1);
	assert_int_equal(recv(other[0], request, sizeof request, 0), LINK_HEAD_BYTES);
	assert_int_equal(request[1], MESSAGE_HELLO);
	assert_int_equal(send(other[0], "", 0, 0), 0);
	assert_int_equal(send(other[0], "rubbish", 7, 0), 7);
	char got[2];
	assert_int_equal(read(dropped[0], got, 1), 1);
	assert_int_equal(read(dropped[0], got, 1), 1);
	/* Asks until nothing more fits in either direction, and reads nothing. */
	message_put_head(request, MESSAGE_REQUEST, 1);
	for (struct pollfd room = { .fd = other[0], .events = POLLOUT };
	     poll(&room, 1, 200) == 1;)
		if (send(other[0], request, sizeof request, MSG_DONTWAIT) < 0)
			break;
	struct link *l = open_link(10);
	assert_int_equal(link_ask(l, STR("abc"), hear, &heard), ERR_OK);
	until(&heard.n, 1);
	assert_string_equal(heard.text, "cba");
	/* And then shuts its link down: that is its own loss. */
	assert_int_equal(shutdown(other[0], SHUT_RDWR), 0);
	assert_int_equal(link_ask(l, STR("abc"), hear, &heard), ERR_OK);
	until(&heard.n, 2);
	assert_int_equal(link_quit(ends[0]), ERR_OK);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	link_free(&l);
	close(other[0]);
	close(dropped[0]);
	close(dropped[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers_find_their_requests, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    ids_differ_between_incarnations, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    hello_repeats_what_has_no_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    request_that_kills_its_server_is_given_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(full_socket_waits_for_room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rubbish_is_dropped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_end_gone_for_good, set_up, tear_down),
		cmocka_unit_test_setup_teardown(server_dies_and_returns, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    server_outlives_rubbish_and_a_client_that_does_not_read, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
