/* Zones that are ours to change: which files their secrets may come from, and which names are theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ports/dnsapi/update.h"

static char file[] = "/tmp/koshin-dnsapi-XXXXXX";
static const char good[] = "c2VjcmV0IG9mIGEga2V5Lg==";

static void
write_secret(const char *text, mode_t mode)
{
	int fd = open(file, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void
ignore(void *arg, const struct dnsapi_answer *answer)
{
	(void)arg;
	(void)answer;
}

static void
test_secrets(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		enum err err;
	} rows[] = { { good, 0600, ERR_OK }, { good, 0644, ERR_DENIED }, { good, 0640, ERR_DENIED }, { "", 0600, ERR_CONFIG },
		{ "not base64!\n", 0600, ERR_CONFIG } };
	struct clock clock = clock_real(SPAN_S(0));
	struct loop *loop = NULL;

	(void)state;
	assert_int_equal(loop_new(&clock, &loop), ERR_OK);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct config_update zone = { .zone = (char[]){ "host.example" }, .server = (char[]){ "127.0.0.1@1" }, .key = (char[]){ "k" }, .secret_file = file };
		struct config config = { .dns = { .updates = &zone, .updates_n = 1 } };
		struct updates *u = NULL;
		struct why why = { "" };

		write_secret(rows[i].text, rows[i].mode);
		assert_int_equal(updates_new(loop, &clock, &config, &why, &u), rows[i].err);
		assert_int_equal(strstr(why.text, file) != NULL, rows[i].err != ERR_OK);
		assert_true(*rows[i].text == '\0' || strstr(why.text, rows[i].text) == NULL);
		updates_free(&u);
		assert_null(u);
	}
	loop_free(&loop);
}

static void
test_names(void **state)
{
	static const struct {
		struct str name;
		bool is_ours;
	} rows[] = { { { "host.example", 12 }, true }, { { "www.host.example", 16 }, true }, { { "a.b.host.example", 16 }, true },
		{ { "yhost.example", 13 }, false }, { { "example", 7 }, false }, { { "host.example.jp", 15 }, false } };
	struct clock clock = clock_real(SPAN_S(0));
	struct config_update zone = { .zone = (char[]){ "host.example" }, .server = (char[]){ "127.0.0.1@1" }, .key = (char[]){ "k" }, .secret_file = file, .ttl = 60 };
	struct config config = { .dns = { .updates = &zone, .updates_n = 1 } };
	const struct str addresses[] = { STR("192.0.2.10"), STR("2001:db8::10") };
	struct loop *loop = NULL;
	struct updates *u = NULL;

	(void)state;
	write_secret(good, 0600);
	assert_int_equal(loop_new(&clock, &loop), ERR_OK);
	assert_int_equal(updates_new(loop, &clock, &config, NULL, &u), ERR_OK);
	const struct dnsapi port = updates_port(u);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct dnsapi_job job = { rows[i].name, addresses, 2 };

		assert_int_equal(port.submit(port.ctx, &job, ignore, NULL), rows[i].is_ours ? ERR_OK : ERR_NOT_FOUND);
	}
	/* Those that are open are given up with it. */
	updates_free(&u);
	loop_free(&loop);
}

struct said {
	enum err err;
	char words[512];
};

static void
keep(void *arg, const struct dnsapi_answer *answer)
{
	struct said *said = arg;

	said->err = answer->err;
	(void)snprintf(said->words, sizeof said->words, "%.*s", STR_ARG(answer->words));
}

/* Nobody listens: the operator reads which zone, at which server, by which key, and what to look at. */
static void
test_words(void **state)
{
	struct clock clock = clock_real(SPAN_S(0));
	struct config_update zone = { .zone = (char[]){ "host.example" }, .server = (char[]){ "127.0.0.1@1" }, .key = (char[]){ "k" }, .secret_file = file, .ttl = 60 };
	struct config config = { .dns = { .updates = &zone, .updates_n = 1 } };
	const struct str address = STR("192.0.2.10");
	const struct dnsapi_job job = { STR("www.host.example"), &address, 1 };
	struct said said = { ERR_OK, "" };
	struct loop *loop = NULL;
	struct updates *u = NULL;

	(void)state;
	write_secret(good, 0600);
	assert_int_equal(loop_new(&clock, &loop), ERR_OK);
	assert_int_equal(updates_new(loop, &clock, &config, NULL, &u), ERR_OK);
	const struct dnsapi port = updates_port(u);
	assert_int_equal(port.submit(port.ctx, &job, keep, &said), ERR_OK);
	while (said.words[0] == '\0')
		assert_int_equal(loop_round(loop, -1), ERR_OK);
	assert_int_equal(said.err, ERR_CONNECT);
	assert_string_equal(said.words,
	    "zone host.example, server 127.0.0.1@1, key k: no connection: does it run, and does it take TCP from here?");
	updates_free(&u);
	loop_free(&loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_secrets), cmocka_unit_test(test_names), cmocka_unit_test(test_words) };
	int fd = mkstemp(file);

	if (fd < 0 || close(fd) != 0)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(file);
	return failed;
}
