/*
 * Sends letters through the real mail port, for tests: settings as one JSON object on the command line
 * ({"server", "user", "password_file", "tls", "bundle", "timeout_ms"}), one letter for each line of standard input
 * ({"tag", "from", "to", "message"}), one JSON object for each answer on standard output. Ends when the input has
 * ended and all answers are out.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ports/mail/smtp.h"

enum { LINE_BYTES_MAX = 262144 };

static struct {
	struct loop *loop;
	struct mail port;
	char line[LINE_BYTES_MAX];
	size_t line_n;
	unsigned open;
	bool is_ended;
} driver;

static _Noreturn void
stop(const char *words)
{
	fprintf(stderr, "mail_driver: %s\n", words);
	exit(2);
}

static const char *
text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static void
print(json_t *tag, enum err e, struct str words)
{
	static const char *const classes[] = { "none", "transient", "limit", "input", "denied",
		"local", "bug" };
	json_t *o = json_pack("{s:o, s:s, s:s, s:s%}", "tag", tag, "err", err_name(e), "class",
	    classes[err_class_of(e)], "words", words.n > 0 ? words.p : "", words.n);

	if (o == NULL)
		stop("an answer that is no text");
	(void)json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(o);
}

static void
on_done(void *arg, const struct mail_answer *a)
{
	driver.open--;
	print(arg, a->err, a->words);
}

static void
take_line(const char *line)
{
	json_t *o = json_loads(line, 0, NULL);

	if (o == NULL)
		stop("a line that is no JSON");
	struct mail_job job = { str_of(text(o, "from")), str_of(text(o, "to")),
		str_of(text(o, "message")) };
	json_t *tag = json_string(text(o, "tag"));
	enum err e = driver.port.submit(driver.port.ctx, &job, on_done, tag);
	if (e == ERR_OK)
		driver.open++;
	else
		print(tag, e, STR("not taken"));
	json_decref(o);
}

static void
on_input(void *arg, int fd, int events)
{
	ssize_t n =
	    read(fd, driver.line + driver.line_n, sizeof driver.line - driver.line_n - 1);

	(void)arg;
	(void)events;
	if (n <= 0) {
		loop_unwatch(driver.loop, fd);
		driver.is_ended = true;
		return;
	}
	driver.line_n += (size_t)n;
	for (char *end; (end = memchr(driver.line, '\n', driver.line_n)) != NULL;) {
		*end = '\0';
		take_line(driver.line);
		driver.line_n -= (size_t)(end + 1 - driver.line);
		memmove(driver.line, end + 1, driver.line_n);
	}
	if (driver.line_n + 1 == sizeof driver.line)
		stop("a line that is too long");
}

int
main(int argc, char **argv)
{
	json_t *o = argc == 2 ? json_loads(argv[1], 0, NULL) : NULL;
	struct clock clock = clock_real(SPAN_S(0));
	struct why why = { "" };
	char *password = NULL;
	struct smtp *smtp;

	if (o == NULL)
		stop("usage: mail_driver '{\"server\": …}' < letters");
	if (*text(o, "password_file") != '\0' &&
	    smtp_read_password(text(o, "password_file"), &why, &password) != ERR_OK)
		stop(why.text);
	struct smtp_options options = { .server = text(o, "server"),
		.user = text(o, "user"),
		.password = password,
		.tls = json_is_true(json_object_get(o, "tls")),
		.bundle = text(o, "bundle"),
		.timeout_ms = json_integer_value(json_object_get(o, "timeout_ms")),
		.letters_max =
		    (unsigned)json_integer_value(json_object_get(o, "letters_max")) };
	if (loop_new(&clock, &driver.loop) != ERR_OK ||
	    smtp_new(driver.loop, &options, &why, &smtp) != ERR_OK)
		stop(why.text);
	free(password);
	json_decref(o); /* the port has copies of all it needs */
	driver.port = smtp_port(smtp);
	if (loop_watch(driver.loop, 0, LOOP_READ, on_input, NULL) != ERR_OK)
		stop("cannot read the input");
	while (!driver.is_ended || driver.open > 0)
		if (loop_round(driver.loop, -1) != ERR_OK)
			stop("the loop failed");
	smtp_free(&smtp);
	loop_free(&driver.loop);
	return 0;
}
