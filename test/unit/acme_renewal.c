/* The real ACME port asks a server of its own about renewals: what it sends, and what it makes of every kind of answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "ports/acme/http.h"
#include "ports/acme/parse.h"

enum { WAIT_MS = 10000 };

/* --- bodies, without a server --- */

#define WINDOW(start, end) "{\"suggestedWindow\":{\"start\":" start ",\"end\":" end "}"
#define GOOD_START "\"2027-01-15T08:00:00Z\""
#define GOOD_END "\"2027-01-16T08:00:00Z\""
static const struct {
	int line;
	const char *body;
	enum err wanted;
	bool has_start, has_end;
	const char *explanation;
} body_rows[] = {
	{ __LINE__, WINDOW(GOOD_START, GOOD_END) "}", ERR_OK, true, true, "" },
	{ __LINE__, WINDOW(GOOD_START, GOOD_END) ",\"explanationURL\":\"https://ca.example/why\"}", ERR_OK, true, true, "https://ca.example/why" },
	{ __LINE__, WINDOW(GOOD_START, GOOD_END) ",\"explanationURL\":\"javascript:alert(1)\"}", ERR_OK, true, true, "" },
	{ __LINE__, WINDOW(GOOD_START, GOOD_END) ",\"explanationURL\":\"https://ca.example/a b\"}", ERR_OK, true, true, "" },
	{ __LINE__, WINDOW(GOOD_START, GOOD_END) ",\"explanationURL\":7}", ERR_OK, true, true, "" },
	{ __LINE__, WINDOW("1800000000", GOOD_END) "}", ERR_OK, false, true, "" },
	{ __LINE__, WINDOW(GOOD_START, "null") "}", ERR_OK, true, false, "" },
	{ __LINE__, "{\"suggestedWindow\":[]}", ERR_OK, false, false, "" },
	{ __LINE__, "{}", ERR_OK, false, false, "" },
	{ __LINE__, "[]", ERR_PEER, false, false, "" },
	{ __LINE__, "{\"suggestedWindow\":{\"start\":", ERR_PEER, false, false, "" },
	{ __LINE__, "<html>", ERR_PEER, false, false, "" },
	{ __LINE__, "", ERR_PEER, false, false, "" },
};

static void
bodies_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof body_rows / sizeof *body_rows; i++) {
		AUTO_ARENA a = { .max = 1 << 16 };
		struct renewal_told told = { .explanation = STR_NONE };
		struct why why = { "" };
		enum err e = parse_renewal(str_of(body_rows[i].body), &a, &why, &told);

		if (e != body_rows[i].wanted || (e == ERR_OK && (when_is_known(told.start) != body_rows[i].has_start ||
		    when_is_known(told.end) != body_rows[i].has_end || !str_eq(told.explanation, str_of(body_rows[i].explanation)))))
			fail_msg("%s:%d: %s: %s", __FILE__, body_rows[i].line, err_name(e), why.text);
	}
}

/* --- against a server --- */

static int port;
static pid_t server;

static void
say(int fd, const char *status, const char *headers, const char *body)
{
	char text[4096];
	int n = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n%s", status,
	    strlen(body), headers, body);

	if (write(fd, text, (size_t)n) != n)
		_exit(1);
}

/* The id that is asked for chooses the answer. Anything but a GET without a body is a mistake of ours. */
static void
answer(int fd, const char *request)
{
	char directory[512];

	(void)snprintf(directory, sizeof directory,
	    "{\"newNonce\":\"http://127.0.0.1:%d/n\",\"newAccount\":\"http://127.0.0.1:%d/a\",\"newOrder\":\"http://127.0.0.1:%d/o\","
	    "\"renewalInfo\":\"http://127.0.0.1:%d/ari\"}", port, port, port, port);
	if (strncmp(request, "GET ", 4) != 0)
		say(fd, "405 No", "", "{}");
	else if (strncmp(request, "GET /directory ", 15) == 0)
		say(fd, "200 OK", "", directory);
	else if (strncmp(request, "GET /ari/good.AQ ", 17) == 0)
		say(fd, "200 OK", "Retry-After: 21600\r\n", WINDOW(GOOD_START, GOOD_END) ",\"explanationURL\":\"https://ca.example/why\"}");
	else if (strncmp(request, "GET /ari/busy.AQ ", 17) == 0)
		say(fd, "429 Slow", "Retry-After: 7200\r\n",
		    "{\"type\":\"urn:ietf:params:acme:error:rateLimited\",\"detail\":\"slow down\"}");
	else if (strncmp(request, "GET /ari/half.AQ ", 17) == 0)
		say(fd, "200 OK", "Retry-After: -5\r\n", "{\"suggestedWindow\":{\"sta");
	else if (strncmp(request, "GET /ari/dead.AQ ", 17) == 0)
		(void)0;
	else
		say(fd, "404 Not Found", "", "{\"type\":\"urn:ietf:params:acme:error:malformed\",\"detail\":\"unknown certificate\"}");
	(void)close(fd);
}

static void
serve(int listener)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		char request[8192] = "";
		size_t n = 0;

		while (fd >= 0 && n + 1 < sizeof request && strstr(request, "\r\n\r\n") == NULL) {
			ssize_t got = read(fd, request + n, sizeof request - 1 - n);

			if (got <= 0)
				break;
			n += (size_t)got;
			request[n] = '\0';
		}
		if (fd >= 0)
			answer(fd, request);
	}
}

static int
start_server(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof a;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	if (listener < 0 || bind(listener, (struct sockaddr *)&a, n) != 0 || listen(listener, 64) != 0 ||
	    getsockname(listener, (struct sockaddr *)&a, &n) != 0)
		return -1;
	port = ntohs(a.sin_port);
	server = fork();
	if (server == 0)
		serve(listener);
	(void)close(listener);
	return server < 0 ? -1 : 0;
}

static int
stop_server(void **state)
{
	(void)state;
	(void)kill(server, SIGKILL);
	return waitpid(server, NULL, 0) == server ? 0 : -1;
}

static enum err
refuse_keys(void *ctx, const struct keys_job *job, keys_done *done, void *arg)
{
	(void)ctx;
	(void)job;
	(void)done;
	(void)arg;
	fail_msg("a question for renewal information was to be signed");
	return ERR_BUG;
}

static void
on_registered(void *arg, const struct acme_registration *r)
{
	assert_int_equal(r->err, ERR_OK);
	assert_true(r->directory.has_renewal_info);
	*(bool *)arg = true;
}

static void
on_answer(void *arg, struct acme_answer *an)
{
	*(struct acme_answer **)arg = an;
}

static void
answers_are_told_apart(void **state)
{
	static const struct {
		int line;
		const char *id;
		enum err wanted;
		int http;
		int64_t retry_after_s; /* -1: none */
	} rows[] = {
		{ __LINE__, "good.AQ", ERR_OK, 200, 21601 }, /* the second that has begun counts for nothing */
		{ __LINE__, "busy.AQ", ERR_LIMITED, 429, 7201 },
		{ __LINE__, "half.AQ", ERR_PEER, 200, -1 },
		{ __LINE__, "none.AQ", ERR_NOT_FOUND, 404, -1 },
		{ __LINE__, "dead.AQ", ERR_CLOSED, 0, -1 },
		{ __LINE__, "../newOrder", ERR_INVALID, 0, -1 },
		{ __LINE__, "a b.c", ERR_INVALID, 0, -1 },
		{ __LINE__, "", ERR_INVALID, 0, -1 },
	};
	struct clock clock = clock_real(SPAN_S(0));
	struct keys keys = { NULL, refuse_keys };
	const struct acme_http_options o = { .user_agent = "koshin", .timeout_ms = WAIT_MS, .connections_max = 4 };
	char directory[64];
	struct loop *loop;
	struct acme_http *http;
	bool is_open = false;

	(void)state;
	(void)snprintf(directory, sizeof directory, "http://127.0.0.1:%d/directory", port);
	assert_int_equal(loop_new(&clock, &loop), ERR_OK);
	assert_int_equal(acme_http_new(loop, &clock, &keys, &o, &http), ERR_OK);
	struct acme acme = acme_http_port(http);
	const struct acme_account account = { .directory = str_of(directory), .sealed_key = STR("sealed"), .url = STR("http://x/acct/1") };
	assert_int_equal(acme.open_account(acme.ctx, &account, on_registered, &is_open), ERR_OK);
	while (!is_open)
		assert_int_equal(loop_round(loop, WAIT_MS), ERR_OK);
	/* All at one time: each has its own answer. */
	struct acme_answer *got[sizeof rows / sizeof *rows] = { NULL };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct acme_request r = { .verb = ACME_RENEWAL_INFO, .ari_id = str_of(rows[i].id) };

		assert_int_equal(acme.submit(acme.ctx, &r, on_answer, &got[i]), ERR_OK);
		assert_null(got[i]);
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		while (got[i] == NULL)
			assert_int_equal(loop_round(loop, WAIT_MS), ERR_OK);
		int64_t wait = when_is_known(got[i]->retry_after) ? when_between(clock_now(&clock), got[i]->retry_after).s : -1;

		if (got[i]->err != rows[i].wanted || got[i]->http_status != rows[i].http || wait > rows[i].retry_after_s ||
		    wait < rows[i].retry_after_s - 10 || (wait < 0) != (rows[i].retry_after_s < 0))
			fail_msg("%s:%d: %s: %s, HTTP %d, Retry-After %lld, %.*s", __FILE__, rows[i].line, rows[i].id, err_name(got[i]->err),
			    got[i]->http_status, (long long)wait, STR_ARG(got[i]->detail));
	}
	assert_int_equal(got[0]->renewal.start.s, 1800000000);
	assert_int_equal(got[0]->renewal.end.s, 1800086400);
	assert_true(str_eq(got[0]->renewal.explanation, STR("https://ca.example/why")));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		acme_answer_free(&got[i]);
	/* One that is still on the wire when the port goes is forgotten. */
	const struct acme_request last = { .verb = ACME_RENEWAL_INFO, .ari_id = STR("good.AQ") };
	assert_int_equal(acme.submit(acme.ctx, &last, on_answer, &got[0]), ERR_OK);
	acme_http_free(&http);
	loop_free(&loop);
	assert_null(got[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_are_read),
		cmocka_unit_test_setup_teardown(answers_are_told_apart, start_server, stop_server),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
