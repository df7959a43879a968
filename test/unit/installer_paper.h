#ifndef KOSHIN_TEST_UNIT_INSTALLER_PAPER_H
#define KOSHIN_TEST_UNIT_INSTALLER_PAPER_H
/*
 * The installer with a web server of paper: a test that refuses what says "bad" and whatever the file `broken` stands
 * for, and a reload that notes what would be served from now on.
 */
#include "installer/command.c"
static enum err paper_command_run(const struct command *c, struct buf *output);
#define command_run paper_command_run
#include "installer/target.c"
#undef command_run
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

static char home[PATH_MAX], folder[PATH_MAX], configs[PATH_MAX], test_script[PATH_MAX],
    reload_script[PATH_MAX];
static char *test_argv[2], *reload_argv[2];
static struct clock the_clock;

static inline void
write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static inline void
at_home(char ret[PATH_MAX], const char *name)
{
	assert_int_equal(files_path(ret, "%s/%s", home, name), ERR_OK);
}

static inline int
setup(void **state)
{
	static char text[3 * PATH_MAX];
	const char *tmp = getenv("TMPDIR");

	(void)state;
	the_clock = clock_real(SPAN_S(0));
	(void)snprintf(home, sizeof home, "%s/koshin-installer-XXXXXX",
	    tmp != NULL			    ? tmp
	    : access("/dev/shm", W_OK) == 0 ? "/dev/shm"
					    : "/tmp"); /* the sweeps write much */
	if (mkdtemp(home) == NULL)
		return -1;
	at_home(folder, "live");
	at_home(configs, "conf");
	at_home(test_script, "test.sh");
	at_home(reload_script, "reload.sh");
	(void)snprintf(text, sizeof text,
	    "cd %s || exit 1\necho t >> tests\n"
	    "[ -e broken ] && { echo 'unexpected end in other.conf'; exit 1; }\n"
	    "set -- conf/*.conf\n[ -e \"$1\" ] || exit 0\n"
	    "exec awk '/\\/bad/ { print \"a bad site\"; exit 1 }\n"
	    "$1 == \"ssl_certificate_key\" { gsub(/[\";]/, \"\", $2);\n"
	    "if ((getline line < $2) <= 0) { print \"no key \" $2; exit 1 } }' \"$@\"\n",
	    home);
	write_text(test_script, text);
	(void)snprintf(text, sizeof text,
	    "cd %s || exit 1\n[ -e stopped ] && { echo 'no master'; exit 1; }\necho r >> "
	    "reloads\n"
	    "cat conf/*.conf live/sets/*/current/privkey.pem > loaded 2>&1\nexit 0\n",
	    home);
	write_text(reload_script, text);
	test_argv[0] = reload_argv[0] = unconst("/bin/sh");
	test_argv[1] = test_script;
	reload_argv[1] = reload_script;
	return 0;
}

static inline void
remove_all(const char *path)
{
	char entry[PATH_MAX];
	DIR *d = opendir(path);

	for (struct dirent *at; d != NULL && (at = readdir(d)) != NULL;) {
		if (strcmp(at->d_name, ".") == 0 || strcmp(at->d_name, "..") == 0)
			continue;
		assert_int_equal(files_path(entry, "%s/%s", path, at->d_name), ERR_OK);
		if (unlink(entry) != 0)
			remove_all(entry);
	}
	if (d != NULL)
		closedir(d);
	(void)rmdir(path);
}

static inline int
teardown(void **state)
{
	(void)state;
	remove_all(home);
	return 0;
}

static bool is_in_process; /* the web server is a function, not a script: for those who ask a thousand times */

/* All bytes of the files of a folder whose path ends so, in no certain order. */
static inline void
gather_files(const char *path, const char *end, struct buf *b)
{
	char entry[PATH_MAX];
	struct stat st;
	DIR *d = opendir(path);

	for (struct dirent *at; d != NULL && (at = readdir(d)) != NULL;) {
		if (at->d_name[0] == '.' || strcmp(at->d_name, "previous") == 0)
			continue;
		assert_int_equal(files_path(entry, "%s/%s", path, at->d_name), ERR_OK);
		if (stat(entry, &st) == 0 && S_ISDIR(st.st_mode) && strcmp(end, ".conf") != 0)
			gather_files(entry, end, b);
		else if (str_ends(str_of(entry), str_of(end)))
			assert_int_equal(files_read(entry, b), ERR_OK);
	}
	if (d != NULL)
		closedir(d);
}

/* What test.sh and reload.sh do. */
static inline enum err
paper_command_run(const struct command *c, struct buf *output)
{
	char path[PATH_MAX];
	AUTO_BUF b = { .max = 0 };

	buf_init(&b, 1 << 20);
	if (!is_in_process)
		return command_run(c, output);
	gather_files(configs, ".conf", &b);
	if (c->argv[1] == reload_argv[1]) {
		at_home(path, "live/sets");
		gather_files(path, "/current/privkey.pem", &b);
		at_home(path, "loaded");
		write_text(path, b.n > 0 ? b.p : "");
		return ERR_OK;
	}
	if (str_find(buf_str(&b), STR("/bad")) != SIZE_MAX) {
		buf_putf(output, "a bad site");
		return ERR_COMMAND;
	}
	for (struct str rest = buf_str(&b); rest.n > 0;) {
		struct str line = str_trim(str_cut(&rest, '\n'));

		if (!str_starts(line, STR("ssl_certificate_key \"")))
			continue;
		assert_int_equal(
		    files_path(path, "%.*s", (int)line.n - 23, line.p + 21), ERR_OK);
		if (access(path, R_OK) != 0) {
			buf_putf(output, "no key %s", path);
			return ERR_COMMAND;
		}
	}
	return ERR_OK;
}

/* Everything that is loaded or of a site goes; the scripts stay. */
static inline void
start_over(void)
{
	static const char *const gone[] = { "tests", "reloads", "loaded", "broken", "stopped",
		"env" };
	char path[PATH_MAX];

	remove_all(folder);
	remove_all(configs);
	for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
		at_home(path, gone[i]);
		(void)unlink(path);
	}
}

static inline struct config_target
config_of(enum target_kind kind)
{
	static char http4[] = "80", http6[] = "[::]:80", tls4[] = "443";
	static char *http[] = { http4, http6 }, *https[] = { tls4 };
	struct config_target c = { .kind = kind, .folder = folder, .config_folder = configs };

	static char name[] = "web"; /* outlives the call */
	c.name = name;
	c.test = test_argv;
	c.reload = reload_argv;
	c.test_n = c.reload_n = 2;
	c.listen_http = http;
	c.listen_http_n = 2;
	c.listen_https = https;
	c.listen_https_n = 1;
	return c;
}

static inline void
open_target(struct target *t, const struct config_target *c, const struct files *f)
{
	struct why why = { "" };

	assert_int_equal(target_init(t, c, &the_clock, f, &why), ERR_OK);
	t->command_ms = 20000;
}

/* One site, and its set of a generation; names and roots are made of the number. */
enum { SITES = 12 };
struct a_site {
	char name[32], www[40], root[64], chain[200], key[64], fingerprint[32];
	struct str names[2];
	struct deploy_job job;
	struct liveset_bytes bytes;
	struct work work;
};
static struct a_site sites[SITES];

static inline struct work *
prepare(int i, int generation)
{
	struct a_site *s = &sites[i];

	(void)snprintf(s->name, sizeof s->name, "site%d.jp", i);
	(void)snprintf(s->www, sizeof s->www, "www.site%d.jp", i);
	(void)snprintf(s->root, sizeof s->root, "/srv/site%d", i);
	(void)snprintf(s->chain, sizeof s->chain,
	    "-----BEGIN CERTIFICATE-----\nsite %d of %d\n-----END CERTIFICATE-----\n", i,
	    generation);
	(void)snprintf(s->key, sizeof s->key, "key of site %d, %d\n", i, generation);
	(void)snprintf(s->fingerprint, sizeof s->fingerprint, "%08x%02x", (unsigned)i,
	    (unsigned)generation);
	s->names[0] = str_of(s->name);
	s->names[1] = str_of(s->www);
	s->bytes =
	    (struct liveset_bytes){ str_of(s->fingerprint), str_of(s->chain), str_of(s->key) };
	s->job = (struct deploy_job){ .verb = DEPLOY_APPLY,
		.site_id = i + 1,
		.names = s->names,
		.names_n = 2,
		.set = STR("sealed"),
		.fingerprint = s->bytes.fingerprint,
		.root = str_of(s->root),
		.thumbprint = STR("thumb-print_1") };
	work_init(&s->work, &s->job, &s->bytes);
	return &s->work;
}

static inline int
lines(const char *name)
{
	char path[PATH_MAX];
	int n = 0, c;

	at_home(path, name);
	FILE *f = fopen(path, "r");
	while (f != NULL && (c = getc(f)) != EOF)
		n += c == '\n';
	if (f != NULL)
		assert_int_equal(fclose(f), 0);
	return n;
}

static inline bool
file_has(const char *name, const char *words)
{
	char path[PATH_MAX];
	AUTO_BUF b = { .max = 0 };

	buf_init(&b, 1 << 20);
	at_home(path, name);
	return files_read(path, &b) == ERR_OK &&
	       str_find(buf_str(&b), str_of(words)) != SIZE_MAX;
}

static inline void
apply_all(struct target *t, int from, int n)
{
	struct work works[SITES];

	for (int i = 0; i < n; i++)
		works[i] = sites[from + i].work;
	target_apply(t, works, (size_t)n);
	for (int i = 0; i < n; i++)
		sites[from + i].work = works[i];
}

static inline void
forget(int from, int n)
{
	for (int i = from; i < from + n; i++)
		work_fini(&sites[i].work);
}

static inline void
wanted(int line, int i, enum err e, enum cause cause, const char *words)
{
	const struct work *w = &sites[i].work;

	if (w->err != e || w->cause != cause ||
	    (words != NULL && str_find(buf_str(&w->words), str_of(words)) == SIZE_MAX))
		fail_msg("%s:%d: site %d: %s, %s, \"%.*s\"", __FILE__, line, i,
		    err_name(w->err), w->cause == CAUSE_NONE ? "" : cause_row(w->cause)->id,
		    STR_ARG(buf_str(&w->words)));
}

#define ROOM(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#endif
