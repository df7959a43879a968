/*
 * The sweeps over the installer: the Nth operation on a file fails, or the process is ended there, for N = 0, 1, … until a
 * run passes untouched. Whatever fails, and wherever: what is loaded passed the test, and a site is as before or as wanted.
 */
#include "test/unit/installer_paper.h"

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
o_syncfs(void *ctx, int fd)
{
	return o_fsync(ctx, fd);
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
	f.syncfs = o_syncfs;
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
	printf("installers killed: %d passed, 0 failed\n", n - 1);
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
	printf("operations of a batch: %d passed, 0 failed\n", n - 1);
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

/* --- everything that an installer is asked for, on every kind of target --- */

enum { STEPS = 6 };

/* The challenge answer, a first set, its successor with a redirect, a new first name without a certificate, back, gone. */
static void
take_step(struct target *t, int step)
{
	struct deploy_job *job = &sites[0].job;

	(void)prepare(0, step > 1);
	job->redirect = step == 2 ? 308 : 0;
	job->hsts_age_s = step == 2 ? 300 : 0;
	if (step == 0)
		*job = (struct deploy_job){ .verb = DEPLOY_CHALLENGE, .thumbprint = STR("thumb-print_1") };
	if (step == 3) {
		sites[0].names[0] = str_of(sites[0].www);
		job->names_n = 1;
		job->set = STR_NONE;
	}
	if (step == 5)
		*job = (struct deploy_job){ .verb = DEPLOY_REMOVE, .site_id = 1 };
	if (step == 0 || step == 3 || step == 5)
		sites[0].work.bytes = NULL;
	apply_all(t, 0, 1);
}

/* Each file of a folder with what is in it, and each link with where it leads; of the sets, which are not served from,
 * only the link to the present one unless everything is wanted. */
static void
tell_folder(const char *path, bool is_everything, struct buf *b)
{
	char entry[PATH_MAX], to[PATH_MAX];
	struct dirent **at;
	int n = scandir(path, &at, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		assert_int_equal(files_path(entry, "%s/%s", path, at[i]->d_name), ERR_OK);
		ssize_t length = readlink(entry, to, sizeof to);

		if (strcmp(at[i]->d_name, ".") == 0 || strcmp(at[i]->d_name, "..") == 0) {
			free(at[i]);
			continue;
		}
		bool is_told = is_everything || strstr(entry, "/sets/") == NULL || strcmp(at[i]->d_name, "current") == 0;
		size_t begin = b->n;
		buf_putf(b, "%s: ", entry);
		if (length >= 0)
			buf_putf(b, "-> %.*s\n", (int)length, to);
		else if (files_read(entry, b) == ERR_OK)
			buf_putf(b, "\n");
		else
			is_told = false;
		if (!is_told)
			b->n = begin;
		if (length < 0 && !is_told)
			tell_folder(entry, is_everything, b);
		free(at[i]);
	}
	if (n >= 0)
		free(at);
}

static void
tell(bool is_everything, struct buf *b)
{
	buf_clear(b);
	tell_folder(folder, is_everything, b);
	tell_folder(configs, is_everything, b);
	assert_int_equal(b->err, ERR_OK);
}

/* One step, in which the Nth operation fails: an installer that was started anew finds what is served as before or as
 * wanted. Then the same step again. */
static bool
fail_once(const struct config_target *c, int step, int n, struct buf *ret, struct buf *ret_served)
{
	struct files f = ops();
	struct target t;
	AUTO_BUF words = { .max = 10000 }, before = { .max = 1 << 20 }, after = { .max = 1 << 20 };

	start_over();
	open_target(&t, c, &f);
	for (int i = 0; i < step; i++) {
		take_step(&t, i);
		wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
		forget(0, 1);
	}
	tell(false, &before);
	ops_left = n;
	ops_errno = ENOSPC;
	take_step(&t, step);
	bool was_hit = n >= 0 && ops_left < 0;
	ops_left = -1;
	if (sites[0].work.err != ERR_OK)
		wanted(__LINE__, 0, sites[0].work.err, sites[0].work.cause, " ");
	forget(0, 1);
	target_fini(&t);
	open_target(&t, c, &f);
	assert_int_equal(target_recover(&t, &words), ERR_OK);
	tell(false, &after);
	if (n >= 0 && !str_eq(buf_str(&after), buf_str(&before)) && !str_eq(buf_str(&after), buf_str(ret_served)))
		fail_msg("step %d, operation %d leaves\n%.*s\nwhich is neither what was before nor what is wanted", step, n,
		    STR_ARG(buf_str(&after)));
	if (n < 0)
		tell(false, ret_served);
	if (c->test_n > 0) {
		const struct command test = { test_argv, 2, NULL, 0, 20000, &the_clock };

		assert_int_equal(paper_command_run(&test, &words), ERR_OK);
	}
	take_step(&t, step);
	wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
	forget(0, 1);
	target_fini(&t);
	tell(true, ret);
	return was_hit;
}

static void
test_every_verb(void **state)
{
	static const enum target_kind kinds[] = { TARGET_NGINX, TARGET_NGINX_VARIABLE, TARGET_FOLDER };
	/* ./check takes every operation; the quick run one in eleven. */
	int stride = getenv("KOSHIN_SWEEP") != NULL ? 1 : 11, points = 0;

	(void)state;
	is_in_process = true;
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		struct config_target c = config_of(kinds[k]);

		if (kinds[k] == TARGET_FOLDER)
			c.test_n = 0;
		for (int step = 0; step < STEPS; step++) {
			AUTO_BUF untouched = { .max = 1 << 20 }, got = { .max = 1 << 20 };
			AUTO_BUF served = { .max = 1 << 20 };
			int n = 0;

			(void)fail_once(&c, step, -1, &untouched, &served);
			for (; fail_once(&c, step, n, &got, &served); n += stride, points++)
				if (!str_eq(buf_str(&got), buf_str(&untouched)))
					fail_msg("target %zu, step %d, operation %d leaves\n%.*s\nand not\n%.*s", k, step, n,
					    STR_ARG(buf_str(&got)), STR_ARG(buf_str(&untouched)));
			assert_true(n > 0);
		}
	}
	is_in_process = false;
	printf("operations of every verb: %d passed, 0 failed\n", points);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM(test_killed_anywhere),
		ROOM(test_killed_anywhere_with_a_culprit),
		ROOM(test_disk_full_anywhere),
		ROOM(test_read_only_anywhere),
		ROOM(test_every_verb),
	};

	ops_left = -1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
