/*
 * Live sets and the changes around them: whatever operation fails, what is live is whole and its key fits.
 */
#include "installer/liveset.c"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

/* The real operations, of which the Nth fails. */
struct faulty {
	struct files files;
	int left; /* calls until one fails; below 0: none does */
	int errno_value;
	bool is_short; /* a write takes one byte only */
	int calls;
};

static bool
fails(void *ctx)
{
	struct faulty *f = ctx;

	f->calls++;
	if (f->left < 0 || --f->left >= 0)
		return false;
	f->left = -1;
	errno = f->errno_value;
	return true;
}

static int
f_open(void *ctx, const char *path, int flags, mode_t mode)
{
	return fails(ctx) ? -1 : files_real()->open(NULL, path, flags, mode);
}

static ssize_t
f_write(void *ctx, int fd, const void *p, size_t n)
{
	const struct faulty *f = ctx;

	return fails(ctx) ? -1 : files_real()->write(NULL, fd, p, f->is_short ? 1 : n);
}

static int
f_fsync(void *ctx, int fd)
{
	return fails(ctx) ? -1 : files_real()->fsync(NULL, fd);
}

static int
f_syncfs(void *ctx, int fd)
{
	return fails(ctx) ? -1 : files_real()->syncfs(NULL, fd);
}

static int
f_fchmod(void *ctx, int fd, mode_t mode)
{
	return fails(ctx) ? -1 : files_real()->fchmod(NULL, fd, mode);
}

static int
f_fchown(void *ctx, int fd, gid_t group)
{
	return fails(ctx) ? -1 : files_real()->fchown(NULL, fd, group);
}

static int
f_close(void *ctx, int fd)
{
	int r = files_real()->close(NULL, fd);

	return fails(ctx) ? -1 : r;
}

static int
f_rename(void *ctx, const char *from, const char *to)
{
	return fails(ctx) ? -1 : files_real()->rename(NULL, from, to);
}

static int
f_symlink(void *ctx, const char *target, const char *path)
{
	return fails(ctx) ? -1 : files_real()->symlink(NULL, target, path);
}

static int
f_unlink(void *ctx, const char *path)
{
	return fails(ctx) ? -1 : files_real()->unlink(NULL, path);
}

static int
f_mkdir(void *ctx, const char *path, mode_t mode)
{
	return fails(ctx) ? -1 : files_real()->mkdir(NULL, path, mode);
}

static int
f_rmdir(void *ctx, const char *path)
{
	return fails(ctx) ? -1 : files_real()->rmdir(NULL, path);
}

static void
faulty_init(struct faulty *f, int left, int errno_value)
{
	*f = (struct faulty){ .files = { f, f_open, f_write, f_fsync, f_syncfs, f_fchmod, f_fchown,
				  f_close, f_rename, f_symlink, f_unlink, f_mkdir, f_rmdir, NULL },
		.left = left,
		.errno_value = errno_value };
}

/* A made-up certificate whose text says which generation it is; the key says the same, so that "fits" can be seen. */
static char texts[4][2][400];

static struct liveset_bytes
generation(int n)
{
	static const char *const fingerprints[] = { "00000000aa", "11111111aa", "22222222aa",
		"33333333aa" };

	(void)snprintf(texts[n][0], sizeof texts[n][0],
	    "-----BEGIN CERTIFICATE-----\nleaf %d\n-----END CERTIFICATE-----\n"
	    "-----BEGIN CERTIFICATE-----\nissuer %d\n-----END CERTIFICATE-----\n",
	    n, n);
	(void)snprintf(texts[n][1], sizeof texts[n][1], "key %d", n);
	return (struct liveset_bytes){ str_of(fingerprints[n]), str_of(texts[n][0]),
		str_of(texts[n][1]) };
}

static char home[PATH_MAX];

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(home, sizeof home, "%s/koshin-liveset-XXXXXX",
	    getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	return mkdtemp(home) == NULL ? -1 : 0;
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

static struct liveset
liveset_at(const struct files *f)
{
	return (struct liveset){ f, home, FILES_NO_GROUP };
}

static const struct str the_names[] = { { "example.jp", 10 }, { "www.example.jp", 14 } };

static enum err
deploy(const struct liveset *l, int64_t site, int n, struct why *why)
{
	struct liveset_bytes bytes = generation(n);
	char name[LIVESET_NAME_BYTES];
	struct journal journal;
	struct change c;

	change_init(&c);
	enum err e = liveset_make(l, why);
	if (e == ERR_OK)
		e = journal_open(&journal, l->files, home, why);
	if (e != ERR_OK)
		return e;
	e = liveset_write(l, site, &bytes, why, name);
	if (e == ERR_OK)
		e = liveset_plan_current(l, site, name, &c, why);
	if (e == ERR_OK)
		e = liveset_plan_names(l, site, the_names, 2, &c, why);
	if (e == ERR_OK)
		e = change_prepare(&c, l->files, &journal, why);
	if (e == ERR_OK)
		e = change_do(&c, l->files, why);
	change_fini(&c);
	journal_close(&journal);
	if (e == ERR_OK)
		liveset_tidy(l, site);
	return e;
}

/* Which generation is live by this name: all four files of it, or -1 when there is none. Mixed is a failure. */
static int
live_generation(const char *name)
{
	char path[PATH_MAX];

	for (int n = 0; n < 4; n++) {
		struct liveset_bytes b = generation(n);
		struct str files[SET_FILES] = { b.fullchain_pem };
		bool is_it = true;

		assert_true(split_chain(b.fullchain_pem, &files[2], &files[1]));
		files[KEY_FILE] = b.key_pem;
		for (int i = 0; i < SET_FILES; i++) {
			assert_int_equal(
			    files_path(path, "%s/live/%s/%s", home, name, set_files[i]),
			    ERR_OK);
			is_it = is_it && files_hold(path, files[i]);
		}
		if (is_it)
			return n;
	}
	assert_int_equal(files_path(path, "%s/live/%s/fullchain.pem", home, name), ERR_OK);
	assert_int_not_equal(access(path, F_OK), 0);
	return -1;
}

static int
count(const char *folder)
{
	char path[PATH_MAX];
	int n = 0;

	assert_int_equal(files_path(path, "%s/%s", home, folder), ERR_OK);
	DIR *d = opendir(path);
	for (struct dirent *at; d != NULL && (at = readdir(d)) != NULL;)
		n += strcmp(at->d_name, ".") != 0 && strcmp(at->d_name, "..") != 0;
	if (d != NULL)
		closedir(d);
	return n;
}

static void
sweep(int from, int to, int errno_value, enum err wanted, bool is_short)
{
	struct faulty f;
	struct liveset l;
	int n = 0;

	for (;; n++) {
		struct why why = { "" };

		remove_all(home);
		assert_int_equal(mkdir(home, 0700), 0);
		faulty_init(&f, -1, 0);
		l = liveset_at(&f.files);
		if (from >= 0)
			assert_int_equal(deploy(&l, 7, from, NULL), ERR_OK);
		faulty_init(&f, n, errno_value);
		f.is_short = is_short;
		enum err e = deploy(&l, 7, to, &why);
		bool was_hit = f.left < 0;
		int live = live_generation("example.jp");

		if (e != ERR_OK) {
			if (e != wanted || why.text[0] == '\0')
				fail_msg("%s:%d: operation %d: %s, \"%s\"", __FILE__, __LINE__,
				    n, err_name(e), why.text);
			if (live != from)
				fail_msg("%s:%d: operation %d failed, but %d is live", __FILE__,
				    __LINE__, n, live);
		} else if (live != to) {
			fail_msg("%s:%d: operation %d: OK, but %d is live", __FILE__, __LINE__,
			    n, live);
		}
		/* The next run succeeds, and leaves nothing of the one that failed. */
		faulty_init(&f, -1, 0);
		assert_int_equal(deploy(&l, 7, to, NULL), ERR_OK);
		assert_int_equal(live_generation("example.jp"), to);
		assert_int_equal(live_generation("www.example.jp"), to);
		/* current, names, the set; and with a set before: previous and that set. */
		if (count("sets/7") != (from >= 0 ? 5 : 3))
			fail_msg("%s:%d: operation %d left something: %d entries", __FILE__,
			    __LINE__, n, count("sets/7"));
		if (!was_hit)
			break;
	}
	assert_true(n > 20); /* the sweep did reach the operations */
	printf("operations of a live set: %d passed, 0 failed\n", n);
}

static void
test_first_set_sweep(void **state)
{
	(void)state;
	sweep(-1, 0, EIO, ERR_IO, false);
	sweep(-1, 0, ENOSPC, ERR_DISK_FULL, false);
}

static void
test_renewal_sweep(void **state)
{
	(void)state;
	sweep(0, 1, ENOSPC, ERR_DISK_FULL, false);
	sweep(0, 1, EROFS, ERR_UNWRITABLE, false);
	sweep(0, 1, EACCES, ERR_UNWRITABLE, false);
}

static void
test_short_writes(void **state)
{
	struct faulty f;

	(void)state;
	faulty_init(&f, -1, 0);
	f.is_short = true;
	struct liveset l = liveset_at(&f.files);
	assert_int_equal(deploy(&l, 7, 0, NULL), ERR_OK);
	assert_int_equal(live_generation("example.jp"), 0);
}

static void
test_same_twice_writes_nothing(void **state)
{
	struct liveset_bytes bytes = generation(0);
	char name[LIVESET_NAME_BYTES];
	struct faulty f;
	struct change c;

	(void)state;
	faulty_init(&f, -1, 0);
	struct liveset l = liveset_at(&f.files);
	assert_int_equal(deploy(&l, 7, 0, NULL), ERR_OK);
	change_init(&c);
	assert_int_equal(liveset_write(&l, 7, &bytes, NULL, name), ERR_OK);
	assert_int_equal(liveset_plan_current(&l, 7, name, &c, NULL), ERR_OK);
	assert_int_equal(liveset_plan_names(&l, 7, the_names, 2, &c, NULL), ERR_OK);
	assert_int_equal(c.n, 0);
	change_fini(&c);
}

/* Somebody writes over the live file by hand: it is not taken for the set, and the right one becomes live. */
static void
test_changed_in_place(void **state)
{
	struct liveset l = liveset_at(files_real());
	char path[PATH_MAX];

	(void)state;
	assert_int_equal(deploy(&l, 7, 0, NULL), ERR_OK);
	assert_int_equal(files_path(path, "%s/live/example.jp/fullchain.pem", home), ERR_OK);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs("expired", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(deploy(&l, 7, 0, NULL), ERR_OK);
	assert_int_equal(live_generation("example.jp"), 0);
	assert_int_equal(deploy(&l, 7, 0, NULL), ERR_OK);
	assert_int_equal(deploy(&l, 7, 1, NULL), ERR_OK);
	assert_int_equal(live_generation("example.jp"), 1);
}

static void
test_keeps_two(void **state)
{
	struct liveset l = liveset_at(files_real());
	char path[PATH_MAX], target[PATH_MAX];

	(void)state;
	for (int n = 0; n < 4; n++)
		assert_int_equal(deploy(&l, 7, n, NULL), ERR_OK);
	assert_int_equal(count("sets/7"), 5);
	assert_int_equal(files_path(path, "%s/sets/7/previous", home), ERR_OK);
	assert_int_equal(files_read_link(path, target), ERR_OK);
	assert_string_equal(target, "22222222aa");
	struct stat st;
	assert_int_equal(files_path(path, "%s/live/example.jp/privkey.pem", home), ERR_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* A name that went to another site stays there when the first site leaves. */
static void
test_name_moves(void **state)
{
	struct liveset l = liveset_at(files_real());
	struct change c;

	(void)state;
	assert_int_equal(deploy(&l, 7, 0, NULL), ERR_OK);
	assert_int_equal(deploy(&l, 8, 1, NULL), ERR_OK);
	assert_int_equal(live_generation("example.jp"), 1);
	change_init(&c);
	assert_int_equal(liveset_plan_current(&l, 7, "", &c, NULL), ERR_OK);
	assert_int_equal(liveset_plan_names(&l, 7, NULL, 0, &c, NULL), ERR_OK);
	assert_int_equal(change_prepare(&c, files_real(), NULL, NULL), ERR_OK);
	assert_int_equal(change_do(&c, files_real(), NULL), ERR_OK);
	liveset_tidy(&l, 7);
	assert_int_equal(count("sets/7"), 0);
	assert_int_equal(live_generation("example.jp"), 1);
	change_fini(&c);
}

static void
test_undo_and_journal(void **state)
{
	struct liveset l = liveset_at(files_real());
	struct journal j;
	struct change c, back;
	char path[PATH_MAX], link[PATH_MAX];

	(void)state;
	assert_int_equal(liveset_make(&l, NULL), ERR_OK);
	assert_int_equal(files_path(path, "%s/a.conf", home), ERR_OK);
	assert_int_equal(files_path(link, "%s/link", home), ERR_OK);
	assert_int_equal(files_replace(files_real(), path, STR("old"),
			     (struct files_access){ 0644, FILES_NO_GROUP }, NULL),
	    ERR_OK);
	assert_int_equal(journal_open(&j, files_real(), home, NULL), ERR_OK);
	change_init(&c);
	assert_int_equal(change_plan_file(&c, path, STR("new"), NULL), ERR_OK);
	assert_int_equal(change_plan_link(&c, link, "there", NULL), ERR_OK);
	assert_int_equal(change_plan_removal(&c, path, NULL), ERR_OK);
	assert_int_equal(c.n, 3);
	assert_int_equal(change_prepare(&c, files_real(), &j, NULL), ERR_OK);
	assert_int_equal(change_do(&c, files_real(), NULL), ERR_OK);
	assert_int_not_equal(access(path, F_OK), 0);
	change_fini(&c);
	journal_close(&j);
	/* The process is gone; the journal, with a torn end, gives everything back. */
	FILE *f = fopen(j.path, "a");
	assert_non_null(f);
	assert_int_equal(fwrite("KJ01\1\0\0\0\5\0\0\0\77/a", 1, 15, f), 15);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(journal_read(&j, &back, NULL), ERR_OK);
	assert_int_equal(back.n, 3);
	assert_int_equal(change_undo(&back, files_real(), NULL), ERR_OK);
	change_fini(&back);
	assert_true(files_hold(path, STR("old")));
	assert_int_not_equal(access(link, F_OK), 0);
	assert_int_equal(journal_accept(&j, NULL), ERR_OK);
	assert_true(journal_exists(&j));
	assert_int_equal(journal_read(&j, &back, NULL), ERR_OK);
	assert_int_equal(back.n, 0);
	assert_int_equal(journal_remove(&j, NULL), ERR_OK);
	assert_false(journal_exists(&j));
}

static void
test_names_that_would_leave(void **state)
{
	static const struct {
		int line;
		const char *name;
		bool is_safe;
	} rows[] = {
		{ __LINE__, "example.jp", true },
		{ __LINE__, "xn--wgv71a.jp", true },
		{ __LINE__, "*.example.jp", true },
		{ __LINE__, "a.b-c.d", true },
		{ __LINE__, "", false },
		{ __LINE__, ".", false },
		{ __LINE__, "..", false },
		{ __LINE__, "../../etc", false },
		{ __LINE__, "a/b", false },
		{ __LINE__, "a..b", false },
		{ __LINE__, ".a", false },
		{ __LINE__, "a.", false },
		{ __LINE__, "*", false },
		{ __LINE__, "*.", false },
		{ __LINE__, "a.*.b", false },
		{ __LINE__, "-a.jp", false },
		{ __LINE__, "a-.jp", false },
		{ __LINE__, "Example.jp", false },
		{ __LINE__, "_.jp", false },
		{ __LINE__, "a b.jp", false },
		{ __LINE__, "a;b.jp", false },
		{ __LINE__, "a\nb.jp", false },
		{ __LINE__, "\xe6\x97\xa5.jp", false },
		{ __LINE__,
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.jp",
		    false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (liveset_name_is_safe(str_of(rows[i].name)) != rows[i].is_safe)
			fail_msg("%s:%d: %s", __FILE__, rows[i].line, rows[i].name);
	assert_false(liveset_name_is_safe((struct str){ "a\0b", 3 }));
}

static void
test_sets_that_would_leave(void **state)
{
	static const struct {
		int line;
		int64_t site;
		const char *fingerprint;
		const char *key;
	} rows[] = {
		{ __LINE__, 0, "00000000aa", "k" },
		{ __LINE__, -1, "00000000aa", "k" },
		{ __LINE__, 1, "", "k" },
		{ __LINE__, 1, "../../../x", "k" },
		{ __LINE__, 1, "00000000/a", "k" },
		{ __LINE__, 1, "00000000AA", "k" },
		{ __LINE__, 1, "0000", "k" },
		{ __LINE__, 1, "current", "k" },
		{ __LINE__, 1, "00000000aa", "" },
	};
	struct liveset l = liveset_at(files_real());
	char name[LIVESET_NAME_BYTES];

	(void)state;
	assert_int_equal(liveset_make(&l, NULL), ERR_OK);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct liveset_bytes b = generation(0);
		struct why why = { "" };

		b.fingerprint = str_of(rows[i].fingerprint);
		b.key_pem = str_of(rows[i].key);
		enum err e = liveset_write(&l, rows[i].site, &b, &why, name);
		if (e != ERR_INVALID || why.text[0] == '\0')
			fail_msg(
			    "%s:%d: %s \"%s\"", __FILE__, rows[i].line, err_name(e), why.text);
	}
	struct liveset_bytes b = generation(0);
	b.fullchain_pem = STR("not a chain");
	assert_int_equal(liveset_write(&l, 1, &b, NULL, name), ERR_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_first_set_sweep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_renewal_sweep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_short_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_same_twice_writes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed_in_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keeps_two, setup, teardown),
		cmocka_unit_test_setup_teardown(test_name_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_undo_and_journal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sets_that_would_leave, setup, teardown),
		cmocka_unit_test(test_names_that_would_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
