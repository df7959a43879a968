/*
 * Runs the real installer under the real deploy port, for tests: targets as one JSON object on the command line, one
 * job for each line of standard input, one JSON object for each answer on standard output. An installer that dies is
 * started anew, as the supervisor does it. Ends when the input has ended and all answers are out.
 *
 * {"verb": "apply" | "remove" | "challenge", "tag": any text, "site": 1, "names": […], "chain": FILE, "key": FILE,
 *  "fingerprint": hexadecimal, "root": …, "proxy": …, "redirect": 307, "hsts": 300, "thumbprint": …}
 * {"verb": "kill"} ends the installer with SIGKILL; {"verb": "pid"} prints its process id.
 */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/limits.h"
#include "installer/installer.h"
#include "ports/deploy/remote.h"
#include "ports/keys/set.h"
#include "ports/link/link.h"

enum {
	LINE_BYTES_MAX = 65536,
	NAMES_MAX = 100,
	LIST_MAX = 32,
	TARGETS_MAX = 4,
	FILE_BYTES_MAX = 65536
};

static const uint8_t transport_key[32] = "only the two of us know this key";

static struct {
	struct clock clock;
	struct loop *loop;
	struct deploy_remote *remote;
	struct config_target targets[TARGETS_MAX];
	size_t targets_n;
	int ends[2];
	pid_t installer;
	int installer_fd;
	char line[LINE_BYTES_MAX];
	size_t line_n;
	unsigned open;
	bool is_ended;
} driver;

static _Noreturn void
stop(const char *words)
{
	fprintf(stderr, "deploy_driver: %s\n", words);
	exit(2);
}

static const char *
text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static void start_installer(void);

static void
on_end(void *arg, int fd, int events)
{
	(void)arg;
	(void)events;
	loop_unwatch(driver.loop, fd);
	close(fd);
	(void)waitpid(driver.installer, NULL, 0);
	driver.installer_fd = -1;
	start_installer();
}

static void
start_installer(void)
{
	driver.installer = fork();
	if (driver.installer < 0)
		stop("cannot fork");
	if (driver.installer == 0) {
		struct why why = { "" };
		struct installer_options o = { .fd = driver.ends[1],
			.targets = driver.targets,
			.targets_n = driver.targets_n,
			.transport_key = transport_key,
			.clock = &driver.clock };
		enum err e = installer_run(&o, &why);

		if (e != ERR_OK)
			fprintf(stderr, "deploy_driver: the installer: %s: %s\n", err_words(e),
			    why.text);
		_exit(e == ERR_OK ? 0 : 1);
	}
	driver.installer_fd = pidfd_open(driver.installer, 0);
	if (driver.installer_fd < 0 ||
	    loop_watch(driver.loop, driver.installer_fd, LOOP_READ, on_end, NULL) != ERR_OK)
		stop("cannot watch the installer");
}

static void
read_file(const char *path, struct buf *b)
{
	char piece[4096];
	size_t n;

	if (*path == '\0')
		return;
	FILE *f = fopen(path, "re");
	if (f == NULL)
		stop(path);
	while ((n = fread(piece, 1, sizeof piece, f)) > 0)
		buf_put(b, piece, n);
	fclose(f);
}

static void
on_done(void *arg, const struct deploy_answer *a)
{
	json_t *tag = arg;
	json_t *o = json_pack("{s:o, s:s, s:s, s:s%, s:s%}", "tag", tag, "err",
	    err_name(a->err), "cause", a->cause == CAUSE_NONE ? "" : cause_row(a->cause)->id,
	    "words", a->words.n > 0 ? a->words.p : "", a->words.n, "target",
	    a->target.n > 0 ? a->target.p : "", a->target.n);

	driver.open--;
	if (o == NULL)
		stop("an answer that is no text");
	(void)json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(o);
}

static enum deploy_verb
verb_of(const char *word)
{
	if (strcmp(word, "apply") == 0)
		return DEPLOY_APPLY;
	if (strcmp(word, "remove") == 0)
		return DEPLOY_REMOVE;
	if (strcmp(word, "challenge") != 0)
		stop("an unknown verb");
	return DEPLOY_CHALLENGE;
}

static void
submit(const json_t *o)
{
	struct deploy port = deploy_remote_port(driver.remote);
	const json_t *list = json_object_get(o, "names");
	struct str names[NAMES_MAX];
	AUTO_BUF chain, key, set;

	buf_init(&chain, FILE_BYTES_MAX);
	buf_init(&key, FILE_BYTES_MAX);
	buf_init(&set, LIMIT_MESSAGE_BYTES);
	struct deploy_job job = { .verb = verb_of(text(o, "verb")),
		.site_id = json_integer_value(json_object_get(o, "site")),
		.names = names,
		.fingerprint = str_of(text(o, "fingerprint")),
		.root = str_of(text(o, "root")),
		.proxy = str_of(text(o, "proxy")),
		.redirect = (uint16_t)json_integer_value(json_object_get(o, "redirect")),
		.hsts_age_s = (uint32_t)json_integer_value(json_object_get(o, "hsts")),
		.thumbprint = str_of(text(o, "thumbprint")) };
	for (; job.names_n < json_array_size(list) && job.names_n < NAMES_MAX; job.names_n++)
		names[job.names_n] =
		    str_of(json_string_value(json_array_get(list, job.names_n)));
	read_file(text(o, "chain"), &chain);
	read_file(text(o, "key"), &key);
	if (chain.n > 0) {
		if (keys_set_seal(transport_key, buf_str(&chain), buf_str(&key), &set) !=
		    ERR_OK)
			stop("cannot seal a set");
		job.set = buf_str(&set);
	}
	json_t *tag = json_string(text(o, "tag"));
	if (tag == NULL || port.submit(port.ctx, &job, on_done, tag) != ERR_OK)
		stop("cannot submit");
	driver.open++;
}

static void
take_line(char *line)
{
	json_t *o = json_loads(line, 0, NULL);

	if (o == NULL)
		stop("a line that is no JSON");
	if (strcmp(text(o, "verb"), "kill") == 0) {
		(void)kill(driver.installer, SIGKILL);
	} else if (strcmp(text(o, "verb"), "pid") == 0) {
		printf("{\"tag\":\"%s\",\"pid\":%d}\n", text(o, "tag"), (int)driver.installer);
		fflush(stdout);
	} else {
		submit(o);
	}
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

/* The strings of the list, which are never given up. */
static char **
list_of(const json_t *o, const char *key, size_t *ret_n)
{
	const json_t *list = json_object_get(o, key);
	char **at = calloc(LIST_MAX, sizeof *at);

	for (*ret_n = 0; at != NULL && *ret_n < json_array_size(list) && *ret_n < LIST_MAX;
	     ++*ret_n)
		at[*ret_n] = strdup(json_string_value(json_array_get(list, *ret_n)));
	return at;
}

static void
read_target(const json_t *o, struct config_target *t)
{
	const char *kind = text(o, "kind");

	t->name = strdup(text(o, "name"));
	t->kind = strcmp(kind, "nginx") == 0		? TARGET_NGINX
		  : strcmp(kind, "nginx-variable") == 0 ? TARGET_NGINX_VARIABLE
							: TARGET_FOLDER;
	t->folder = strdup(text(o, "folder"));
	t->config_folder = strdup(text(o, "config_folder"));
	t->group = strdup(text(o, "group"));
	t->test = list_of(o, "test", &t->test_n);
	t->reload = list_of(o, "reload", &t->reload_n);
	t->listen_http = list_of(o, "listen_http", &t->listen_http_n);
	t->listen_https = list_of(o, "listen_https", &t->listen_https_n);
}

int
main(int argc, char **argv)
{
	json_t *all = argc == 2 ? json_loads(argv[1], 0, NULL) : NULL;

	if (all == NULL)
		stop("usage: deploy_driver '[{\"name\": …, \"kind\": …}]' < jobs");
	for (; driver.targets_n < json_array_size(all) && driver.targets_n < TARGETS_MAX;
	     driver.targets_n++)
		read_target(
		    json_array_get(all, driver.targets_n), &driver.targets[driver.targets_n]);
	json_decref(all);
	driver.clock = clock_real(SPAN_S(0));
	if (loop_new(&driver.clock, &driver.loop) != ERR_OK ||
	    link_pair(driver.ends) != ERR_OK ||
	    deploy_remote_new(driver.loop, &driver.clock, driver.ends[0], &driver.remote) !=
		ERR_OK)
		stop("cannot start");
	start_installer();
	if (loop_watch(driver.loop, 0, LOOP_READ, on_input, NULL) != ERR_OK)
		stop("cannot read the input");
	while (!driver.is_ended || driver.open > 0)
		if (loop_round(driver.loop, -1) != ERR_OK)
			stop("the loop failed");
	loop_unwatch(driver.loop, driver.installer_fd);
	if (link_quit(driver.ends[0]) == ERR_OK)
		(void)waitpid(driver.installer, NULL, 0);
	deploy_remote_free(&driver.remote);
	loop_free(&driver.loop);
	return 0;
}
