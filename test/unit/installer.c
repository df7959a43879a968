/*
 * The installer with a web server of paper: a test that refuses what says "bad" and whatever the file `broken` stands
 * for, and a reload that notes what would be served from now on. Whatever fails, and wherever the process is ended:
 * what is loaded passed the test, and a site is as before or as wanted.
 */
#include "installer/command.c"
static enum err paper_command_run(const struct command *c, struct buf *output);
#define command_run \
	paper_command_run /* the sweeps answer in this process: they ask a thousand times */
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

static void
write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
at_home(char ret[PATH_MAX], const char *name)
{
	assert_int_equal(files_path(ret, "%s/%s", home, name), ERR_OK);
}

static int
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

static void
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

static int
teardown(void **state)
{
	(void)state;
	remove_all(home);
	return 0;
}

static bool is_in_process;

/* All bytes of the files of a folder whose path ends so, in no certain order. */
static void
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
static enum err
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
static void
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

static struct config_target
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

static void
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

static struct work *
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

static int
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

static bool
file_has(const char *name, const char *words)
{
	char path[PATH_MAX];
	AUTO_BUF b = { .max = 0 };

	buf_init(&b, 1 << 20);
	at_home(path, name);
	return files_read(path, &b) == ERR_OK &&
	       str_find(buf_str(&b), str_of(words)) != SIZE_MAX;
}

static void
apply_all(struct target *t, int from, int n)
{
	struct work works[SITES];

	for (int i = 0; i < n; i++)
		works[i] = sites[from + i].work;
	target_apply(t, works, (size_t)n);
	for (int i = 0; i < n; i++)
		sites[from + i].work = works[i];
}

static void
forget(int from, int n)
{
	for (int i = from; i < from + n; i++)
		work_fini(&sites[i].work);
}

static void
wanted(int line, int i, enum err e, enum cause cause, const char *words)
{
	const struct work *w = &sites[i].work;

	if (w->err != e || w->cause != cause ||
	    (words != NULL && str_find(buf_str(&w->words), str_of(words)) == SIZE_MAX))
		fail_msg("%s:%d: site %d: %s, %s, \"%.*s\"", __FILE__, line, i,
		    err_name(w->err), w->cause == CAUSE_NONE ? "" : cause_row(w->cause)->id,
		    STR_ARG(buf_str(&w->words)));
}

static void
test_one_test_one_reload(void **state)
{
	struct config_target c = config_of(TARGET_NGINX);
	struct target t;

	(void)state;
	open_target(&t, &c, files_real());
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < SITES; i++)
			(void)prepare(i, 0);
		apply_all(&t, 0, SITES);
		for (int i = 0; i < SITES; i++)
			wanted(__LINE__, i, ERR_OK, CAUSE_NONE, NULL);
		forget(0, SITES);
		/* The second time everything is there: nothing is written, tested or reloaded. */
		assert_int_equal(lines("tests"), 1);
		assert_int_equal(lines("reloads"), 1);
		assert_false(journal_exists(&t.journal));
	}
	assert_true(file_has("loaded", "key of site 11, 0"));
	assert_true(
	    file_has("conf/koshin-4-site3.jp.conf", "server_name site3.jp www.site3.jp;"));
	target_fini(&t);
}

static void
test_culprit_alone_is_refused(void **state)
{
	struct config_target c = config_of(TARGET_NGINX);
	struct target t;

	(void)state;
	open_target(&t, &c, files_real());
	for (int i = 0; i < SITES; i++)
		(void)prepare(i, 0);
	sites[5].job.root = STR("/srv/bad");
	apply_all(&t, 0, SITES);
	for (int i = 0; i < SITES; i++)
		wanted(__LINE__, i, i == 5 ? ERR_COMMAND : ERR_OK,
		    i == 5 ? CAUSE_OWN_UNCLASSIFIED : CAUSE_NONE, i == 5 ? "a bad site" : NULL);
	forget(0, SITES);
	assert_int_equal(lines("reloads"), 1);
	assert_true(lines("tests") <= 10);
	assert_true(file_has("loaded", "key of site 11, 0"));
	assert_false(file_has("loaded", "site5.jp"));
	assert_false(file_has("conf/koshin-6-site5.jp.conf", "server"));
	target_fini(&t);
}

static void
test_broken_by_somebody_else(void **state)
{
	struct config_target c = config_of(TARGET_NGINX);
	char broken[PATH_MAX];
	struct target t;

	(void)state;
	at_home(broken, "broken");
	open_target(&t, &c, files_real());
	(void)prepare(0, 0);
	apply_all(&t, 0, 1);
	forget(0, 1);
	write_text(broken, "");
	(void)prepare(0, 1);
	(void)prepare(1, 0);
	apply_all(&t, 0, 2);
	wanted(__LINE__, 0, ERR_COMMAND, CAUSE_OWN_DEPLOY_CONFIG_BROKEN,
	    "unexpected end in other.conf");
	wanted(__LINE__, 1, ERR_COMMAND, CAUSE_OWN_DEPLOY_CONFIG_BROKEN,
	    "unexpected end in other.conf");
	forget(0, 2);
	assert_int_equal(lines("reloads"), 1);
	assert_true(file_has("live/live/site0.jp/privkey.pem", "key of site 0, 0"));
	assert_false(file_has("conf/koshin-2-site1.jp.conf", "server"));
	assert_int_equal(unlink(broken), 0);
	(void)prepare(0, 1);
	(void)prepare(1, 0);
	apply_all(&t, 0, 2);
	wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
	wanted(__LINE__, 1, ERR_OK, CAUSE_NONE, NULL);
	forget(0, 2);
	assert_true(file_has("loaded", "key of site 0, 1"));
	target_fini(&t);
}

/* A web server that is not running: told, and the reload is made up for later, by another process too. */
static void
test_reload_fails(void **state)
{
	struct config_target c = config_of(TARGET_NGINX);
	char stopped[PATH_MAX];
	struct target t;

	(void)state;
	at_home(stopped, "stopped");
	write_text(stopped, "");
	open_target(&t, &c, files_real());
	for (int round = 0; round < 2; round++) {
		(void)prepare(0, 0);
		apply_all(&t, 0, 1);
		wanted(__LINE__, 0, ERR_COMMAND, CAUSE_OWN_DEPLOY_NOT_SERVED, "no master");
		forget(0, 1);
		target_fini(&t);
		open_target(&t, &c, files_real());
	}
	assert_int_equal(unlink(stopped), 0);
	(void)prepare(0, 0);
	apply_all(&t, 0, 1);
	wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
	forget(0, 1);
	assert_true(file_has("loaded", "key of site 0, 0"));
	assert_int_equal(lines("reloads"), 1);
	target_fini(&t);
}

static void
test_leaves_and_changes_its_name(void **state)
{
	struct config_target c = config_of(TARGET_NGINX);
	struct target t;

	(void)state;
	open_target(&t, &c, files_real());
	(void)prepare(0, 0);
	(void)prepare(1, 0);
	apply_all(&t, 0, 2);
	forget(0, 2);
	/* The second name comes first now, and the certificate goes. */
	(void)prepare(0, 0);
	sites[0].names[0] = str_of(sites[0].www);
	sites[0].job.names_n = 1;
	sites[0].job.set = STR_NONE;
	sites[0].work.bytes = NULL;
	apply_all(&t, 0, 1);
	wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
	forget(0, 1);
	assert_false(file_has("conf/koshin-1-site0.jp.conf", "server"));
	assert_true(file_has("conf/koshin-1-www.site0.jp.conf", "server_name www.site0.jp;"));
	assert_false(file_has("conf/koshin-1-www.site0.jp.conf", "ssl"));
	assert_false(file_has("live/live/site0.jp/privkey.pem", ""));
	(void)prepare(1, 0);
	sites[1].job = (struct deploy_job){ .verb = DEPLOY_REMOVE, .site_id = 2 };
	sites[1].work.bytes = NULL;
	apply_all(&t, 1, 1);
	wanted(__LINE__, 1, ERR_OK, CAUSE_NONE, NULL);
	forget(1, 1);
	assert_false(file_has("loaded", "site1.jp"));
	char path[PATH_MAX];
	at_home(path, "live/sets/2");
	assert_int_not_equal(access(path, F_OK), 0);
	target_fini(&t);
}

static void
test_variable_needs_no_reload(void **state)
{
	struct config_target c = config_of(TARGET_NGINX_VARIABLE);
	struct target t;

	(void)state;
	open_target(&t, &c, files_real());
	for (int generation = 0; generation < 2; generation++) {
		(void)prepare(0, generation);
		sites[0].job.redirect = generation == 0 ? 307 : 308;
		sites[0].job.hsts_age_s = 90000;
		apply_all(&t, 0, 1);
		wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
		forget(0, 1);
		/* The first time the challenge answer is new: that is the one reload. */
		assert_int_equal(lines("reloads"), 1);
	}
	assert_true(file_has("live/live/www.site0.jp/privkey.pem", "key of site 0, 1"));
	assert_true(file_has("live/redirect/308/site0.jp", ""));
	assert_false(file_has("live/redirect/307/site0.jp", ""));
	assert_true(file_has("live/hsts/86400/site0.jp", ""));
	assert_false(file_has("live/hsts/300/site0.jp", ""));
	/* A wildcard is known to a map, which nginx has to read. */
	(void)prepare(0, 1);
	sites[0].names[1] = STR("*.site0.jp");
	apply_all(&t, 0, 1);
	wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
	forget(0, 1);
	assert_int_equal(lines("reloads"), 2);
	assert_true(file_has("live/maps/names/1.conf", "*.site0.jp _.site0.jp;"));
	assert_true(file_has("live/live/_.site0.jp/privkey.pem", "key of site 0, 1"));
	assert_false(file_has("live/redirect/308/www.site0.jp", ""));
	target_fini(&t);
}

static void
test_folder_and_command(void **state)
{
	struct config_target c = config_of(TARGET_FOLDER);
	static char text[2 * PATH_MAX];
	struct target t;

	(void)state;
	(void)snprintf(text, sizeof text,
	    "cd %s\nenv | grep KOSHIN_ | sort > env\necho r >> reloads\n[ -e stopped ] && { "
	    "echo 'postfix: no'; exit 3; }\nexit 0\n",
	    home);
	write_text(reload_script, text);
	c.test_n = 0;
	open_target(&t, &c, files_real());
	for (int round = 0; round < 2; round++) {
		(void)prepare(0, 0);
		apply_all(&t, 0, 1);
		wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
		forget(0, 1);
		assert_int_equal(lines("reloads"), 1);
	}
	assert_true(file_has("env", "KOSHIN_FINGERPRINT=0000000000\n"));
	assert_true(file_has("env", "KOSHIN_NAME=site0.jp\n"));
	assert_true(file_has("env", "/live/live/site0.jp\n"));
	/* A command that fails: the link goes back. */
	char stopped[PATH_MAX];
	at_home(stopped, "stopped");
	write_text(stopped, "");
	(void)prepare(0, 1);
	apply_all(&t, 0, 1);
	wanted(__LINE__, 0, ERR_COMMAND, CAUSE_OWN_DEPLOY_NOT_SERVED, "postfix: no");
	forget(0, 1);
	assert_true(file_has("live/live/site0.jp/privkey.pem", "key of site 0, 0"));
	assert_int_equal(unlink(stopped), 0);
	(void)prepare(0, 1);
	apply_all(&t, 0, 1);
	wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
	forget(0, 1);
	assert_true(file_has("live/live/site0.jp/privkey.pem", "key of site 0, 1"));
	target_fini(&t);
}

/* The real operations, of which the Nth fails or ends the process. */
static int ops_left;
static int ops_errno; /* 0: the process ends */

static bool
op_fails(void)
{
	if (ops_left < 0 || --ops_left >= 0)
		return false;
	if (ops_errno == 0)
		(void)raise(SIGKILL);
	errno = ops_errno;
	return true;
}

static int
o_open(void *ctx, const char *path, int flags, mode_t mode)
{
	return op_fails() ? -1 : files_real()->open(ctx, path, flags, mode);
}

static ssize_t
o_write(void *ctx, int fd, const void *p, size_t n)
{
	return op_fails() ? -1 : files_real()->write(ctx, fd, p, n);
}

static int
o_fsync(void *ctx, int fd)
{
	(void)
	    ctx; /* not carried out: the sweep would take minutes, and nobody cuts the power */
	return op_fails() || fd < 0 ? -1 : 0;
}

static int
o_close(void *ctx, int fd)
{
	int r = files_real()->close(ctx, fd);

	return op_fails() ? -1 : r;
}

static int
o_rename(void *ctx, const char *from, const char *to)
{
	return op_fails() ? -1 : files_real()->rename(ctx, from, to);
}

static int
o_symlink(void *ctx, const char *target, const char *path)
{
	return op_fails() ? -1 : files_real()->symlink(ctx, target, path);
}

static int
o_unlink(void *ctx, const char *path)
{
	return op_fails() ? -1 : files_real()->unlink(ctx, path);
}

static int
o_mkdir(void *ctx, const char *path, mode_t mode)
{
	return op_fails() ? -1 : files_real()->mkdir(ctx, path, mode);
}

static struct files
ops(void)
{
	struct files f = *files_real();

	f.open = o_open;
	f.write = o_write;
	f.fsync = o_fsync;
	f.close = o_close;
	f.rename = o_rename;
	f.symlink = o_symlink;
	f.unlink = o_unlink;
	f.mkdir = o_mkdir;
	return f;
}

/* Generation 1 for site 0, a first one for site 1; site 2 breaks the configuration if is_bad. */
static void
second_batch(struct target *t, bool is_bad)
{
	(void)prepare(0, 1);
	(void)prepare(1, 0);
	(void)prepare(2, 0);
	if (is_bad)
		sites[2].job.root = STR("/srv/bad");
	apply_all(t, 0, 3);
}

/* What is on the disk passes the test, and what is loaded is what is on the disk. */
static void
check_sound(int line, int n)
{
	char path[PATH_MAX];
	AUTO_BUF words = { .max = 0 };
	struct command test = { test_argv, 2, NULL, 0, 20000, &the_clock };

	buf_init(&words, 10000);
	if (paper_command_run(&test, &words) != ERR_OK)
		fail_msg("%s:%d: operation %d: the test fails: %.*s", __FILE__, line, n,
		    STR_ARG(buf_str(&words)));
	bool is_old = file_has("live/live/site0.jp/privkey.pem", "key of site 0, 0\n");
	bool is_new = file_has("live/live/site0.jp/privkey.pem", "key of site 0, 1\n");
	if (is_old == is_new ||
	    !file_has("loaded", is_old ? "key of site 0, 0\n" : "key of site 0, 1\n"))
		fail_msg("%s:%d: operation %d: on the disk: %s, loaded: something else",
		    __FILE__, line, n,
		    is_old   ? "old"
		    : is_new ? "new"
			     : "neither");
	at_home(path, "live/journal");
	if (access(path, F_OK) == 0)
		fail_msg("%s:%d: operation %d: a journal was left", __FILE__, line, n);
}

static void
first_batch(const struct config_target *c)
{
	struct target t;

	struct files f = ops();

	start_over();
	open_target(&t, c, &f);
	(void)prepare(0, 0);
	apply_all(&t, 0, 1);
	wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
	forget(0, 1);
	target_fini(&t);
}

static void
kill_sweep(bool is_bad)
{
	struct config_target c = config_of(TARGET_NGINX);
	struct files f = ops();
	int n = 0;

	is_in_process = true;
	for (bool was_killed = true; was_killed; n++) {
		int status;
		AUTO_BUF words = { .max = 0 };
		struct target t;

		buf_init(&words, 10000);
		first_batch(&c);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			ops_left = n;
			ops_errno = 0;
			open_target(&t, &c, &f);
			second_batch(&t, is_bad);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		was_killed = WIFSIGNALED(status);
		ops_left = -1;
		/* The next one starts, ... */
		open_target(&t, &c, &f);
		assert_int_equal(target_recover(&t, &words), ERR_OK);
		check_sound(__LINE__, n);
		/* ... and is asked again. */
		second_batch(&t, is_bad);
		wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
		wanted(__LINE__, 1, ERR_OK, CAUSE_NONE, NULL);
		wanted(__LINE__, 2, is_bad ? ERR_COMMAND : ERR_OK,
		    is_bad ? CAUSE_OWN_UNCLASSIFIED : CAUSE_NONE, NULL);
		forget(0, 3);
		check_sound(__LINE__, n);
		assert_true(file_has("loaded", "key of site 0, 1\n"));
		assert_true(file_has("loaded", "key of site 1, 0\n"));
		target_fini(&t);
	}
	is_in_process = false;
	assert_true(n > 60);
}

static void
test_killed_anywhere(void **state)
{
	(void)state;
	kill_sweep(false);
}

static void
test_killed_anywhere_with_a_culprit(void **state)
{
	(void)state;
	kill_sweep(true);
}

static void
fault_sweep(int errno_value, enum cause cause)
{
	struct config_target c = config_of(TARGET_NGINX);
	struct files f = ops();
	int n = 0, failed = 0;

	is_in_process = true;
	for (bool was_hit = true; was_hit; n++) {
		struct target t;

		first_batch(&c);
		ops_left = n;
		ops_errno = errno_value;
		open_target(&t, &c, &f);
		second_batch(&t, false);
		was_hit = ops_left < 0;
		for (int i = 0; i < 3; i++) {
			if (sites[i].work.err == ERR_OK)
				continue;
			failed++;
			wanted(__LINE__, i, sites[i].work.err,
			    sites[i].work.cause == CAUSE_OWN_DEPLOY_NOT_SERVED
				? CAUSE_OWN_DEPLOY_NOT_SERVED
				: cause,
			    " ");
		}
		forget(0, 3);
		ops_left = -1;
		second_batch(&t, false);
		for (int i = 0; i < 3; i++)
			wanted(__LINE__, i, ERR_OK, CAUSE_NONE, NULL);
		forget(0, 3);
		target_fini(&t);
		/* A start finds nothing, or a journal that could not be removed. */
		AUTO_BUF words = { .max = 0 };
		buf_init(&words, 10000);
		open_target(&t, &c, &f);
		assert_int_equal(target_recover(&t, &words), ERR_OK);
		check_sound(__LINE__, n);
		assert_true(file_has("loaded", "key of site 0, 1\n"));
		target_fini(&t);
	}
	is_in_process = false;
	assert_true(n > 60 && failed > 60);
}

static void
test_disk_full_anywhere(void **state)
{
	(void)state;
	fault_sweep(ENOSPC, CAUSE_OWN_DISK_FULL);
}

static void
test_read_only_anywhere(void **state)
{
	(void)state;
	fault_sweep(EROFS, CAUSE_OWN_DISK_UNWRITABLE);
}

static void
test_gates(void **state)
{
	static const struct {
		int line;
		bool (*gate)(struct str);
		const char *value;
		bool is_safe;
	} rows[] = {
		{ __LINE__, nginx_root_is_safe, "/srv/www/example.jp", true },
		{ __LINE__, nginx_root_is_safe, "/srv/my site", true },
		{ __LINE__, nginx_root_is_safe, "/srv/\xe6\x97\xa5", true },
		{ __LINE__, nginx_root_is_safe, "", false },
		{ __LINE__, nginx_root_is_safe, "/", false },
		{ __LINE__, nginx_root_is_safe, "srv", false },
		{ __LINE__, nginx_root_is_safe, "/srv/../etc", false },
		{ __LINE__, nginx_root_is_safe, "/srv/..", false },
		{ __LINE__, nginx_root_is_safe, "/srv/..a", true },
		{ __LINE__, nginx_root_is_safe, "/srv/a;b", false },
		{ __LINE__, nginx_root_is_safe, "/srv/a\"b", false },
		{ __LINE__, nginx_root_is_safe, "/srv/a'b", false },
		{ __LINE__, nginx_root_is_safe, "/srv/$host", false },
		{ __LINE__, nginx_root_is_safe, "/srv/a\\b", false },
		{ __LINE__, nginx_root_is_safe, "/srv/{a}", false },
		{ __LINE__, nginx_root_is_safe, "/srv/a\nb", false },
		{ __LINE__, nginx_root_is_safe, "/srv/a\rb", false },
		{ __LINE__, nginx_root_is_safe, "/srv/\xff", false },
		{ __LINE__, nginx_proxy_is_safe, "http://127.0.0.1:8080", true },
		{ __LINE__, nginx_proxy_is_safe, "https://app.example.jp", true },
		{ __LINE__, nginx_proxy_is_safe, "http://[::1]:3000", true },
		{ __LINE__, nginx_proxy_is_safe, "http://[fe80::1]", true },
		{ __LINE__, nginx_proxy_is_safe, "http://", false },
		{ __LINE__, nginx_proxy_is_safe, "ftp://a.jp", false },
		{ __LINE__, nginx_proxy_is_safe, "http://a.jp/", false },
		{ __LINE__, nginx_proxy_is_safe, "http://a.jp:0", false },
		{ __LINE__, nginx_proxy_is_safe, "http://a.jp:99999", false },
		{ __LINE__, nginx_proxy_is_safe, "http://a.jp:80;", false },
		{ __LINE__, nginx_proxy_is_safe, "http://$host", false },
		{ __LINE__, nginx_proxy_is_safe, "http://u@a.jp", false },
		{ __LINE__, nginx_proxy_is_safe, "http://unix:/run/x", false },
		{ __LINE__, nginx_proxy_is_safe, "http://[::1", false },
		{ __LINE__, nginx_proxy_is_safe, "http://[::1]x", false },
		{ __LINE__, nginx_listen_is_safe, "80", true },
		{ __LINE__, nginx_listen_is_safe, "[::]:443 ipv6only=on", true },
		{ __LINE__, nginx_listen_is_safe, "80; x", false },
		{ __LINE__, nginx_listen_is_safe, "80\n", false },
		{ __LINE__, nginx_listen_is_safe, "", false },
		{ __LINE__, nginx_thumbprint_is_safe,
		    "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI", true },
		{ __LINE__, nginx_thumbprint_is_safe, "a\"b", false },
		{ __LINE__, nginx_thumbprint_is_safe, "$a", false },
		{ __LINE__, nginx_thumbprint_is_safe, "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].gate(str_of(rows[i].value)) != rows[i].is_safe)
			fail_msg("%s:%d: \"%s\"", __FILE__, rows[i].line, rows[i].value);
	assert_false(nginx_root_is_safe((struct str){ "/srv\0x", 6 }));
}

static void
test_server_blocks(void **state)
{
	static const struct {
		int line;
		const char *root, *proxy;
		uint16_t redirect;
		uint32_t hsts;
		bool has_set;
		const char *has, *has_not;
	} rows[] = {
		{ __LINE__, "/srv/a", "", 0, 0, false, "root \"/srv/a\";", "443" },
		{ __LINE__, "/srv/a", "", 307, 0, false, "root \"/srv/a\";", "return 307" },
		{ __LINE__, "/srv/a", "", 307, 0, true, "return 307 https://$host$request_uri;",
		    "Strict" },
		{ __LINE__, "/srv/a", "", 308, 300, true,
		    "return 308 https://$host$request_uri;", "return 307" },
		{ __LINE__, "/srv/a", "", 0, 300, true, "\"max-age=300\" always;",
		    "return 30" },
		{ __LINE__, "", "http://127.0.0.1:81", 0, 0, true,
		    "proxy_pass http://127.0.0.1:81;", "root" },
		{ __LINE__, "", "", 0, 0, true, "/current/fullchain.pem\";", "root" },
		{ __LINE__, "/srv/a", "", 0, 0, true, "listen 443 ssl http2;", "proxy_pass" },
	};
	struct config_target c = config_of(TARGET_NGINX);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_BUF b = { .max = 0 };

		buf_init(&b, 100000);
		(void)prepare(0, 0);
		sites[0].job.root = str_of(rows[i].root);
		sites[0].job.proxy = str_of(rows[i].proxy);
		sites[0].job.redirect = rows[i].redirect;
		sites[0].job.hsts_age_s = rows[i].hsts;
		assert_int_equal(
		    nginx_render_site(&c, &sites[0].job, rows[i].has_set, &b), ERR_OK);
		if (str_find(buf_str(&b), str_of(rows[i].has)) == SIZE_MAX ||
		    str_find(buf_str(&b), str_of(rows[i].has_not)) != SIZE_MAX ||
		    str_find(buf_str(&b), STR("challenge.conf")) == SIZE_MAX)
			fail_msg("%s:%d:\n%.*s", __FILE__, rows[i].line, STR_ARG(buf_str(&b)));
		forget(0, 1);
	}
}

static void
test_command(void **state)
{
	static const struct {
		int line;
		const char *script;
		enum err err;
		const char *words;
		int64_t timeout_ms;
	} rows[] = {
		{ __LINE__, "exit 0", ERR_OK, "", 20000 },
		{ __LINE__, "echo no >&2; exit 1", ERR_COMMAND, "no\n", 20000 },
		{ __LINE__, "exit 7", ERR_COMMAND, "status 7", 20000 },
		{ __LINE__, "kill -9 $$", ERR_COMMAND, "signal 9", 20000 },
		{ __LINE__, "sleep 60", ERR_TIMEOUT, "did not end", 50 },
		{ __LINE__, "sleep 60 & echo started", ERR_OK, "started", 20000 },
		{ __LINE__, "test -z \"$HOME\" && test \"$X\" = y", ERR_OK, "", 20000 },
		{ __LINE__,
		    "i=0; while [ $i -lt 3000 ]; do echo 0123456789; i=$((i+1)); done; exit 1",
		    ERR_COMMAND, "012", 20000 },
	};
	static const char *const env[] = { "X=y" };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *argv[] = { unconst("/bin/sh"), unconst("-c"), unconst(rows[i].script) };
		struct command c = { argv, 3, env, 1, rows[i].timeout_ms, &the_clock };
		AUTO_BUF b = { .max = 0 };

		buf_init(&b, LIMIT_COMMAND_OUTPUT_BYTES + 100);
		enum err e = command_run(&c, &b);
		if (e != rows[i].err || b.err != ERR_OK ||
		    str_find(buf_str(&b), str_of(rows[i].words)) == SIZE_MAX ||
		    b.n > LIMIT_COMMAND_OUTPUT_BYTES)
			fail_msg("%s:%d: %s, \"%.*s\"", __FILE__, rows[i].line, err_name(e),
			    STR_ARG(buf_str(&b)));
	}
	char *nowhere[] = { unconst("/nonexistent/nginx") };
	struct command c = { nowhere, 1, NULL, 0, 1000, &the_clock };
	AUTO_BUF b = { .max = 0 };
	buf_init(&b, LIMIT_COMMAND_OUTPUT_BYTES);
	assert_int_equal(command_run(&c, &b), ERR_COMMAND);
	assert_true(str_find(buf_str(&b), STR("cannot start /nonexistent/nginx")) != SIZE_MAX);
}

#define ROOM(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM(test_gates),
		ROOM(test_server_blocks),
		ROOM(test_command),
		ROOM(test_one_test_one_reload),
		ROOM(test_culprit_alone_is_refused),
		ROOM(test_broken_by_somebody_else),
		ROOM(test_reload_fails),
		ROOM(test_leaves_and_changes_its_name),
		ROOM(test_variable_needs_no_reload),
		ROOM(test_folder_and_command),
		ROOM(test_killed_anywhere),
		ROOM(test_killed_anywhere_with_a_culprit),
		ROOM(test_disk_full_anywhere),
		ROOM(test_read_only_anywhere),
	};

	ops_left = -1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
