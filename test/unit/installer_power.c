/*
 * Power failures. Nobody cuts the power here; instead it is noted what the disk has not been told to keep: bytes of files, and names in
 * folders. A power failure may lose any of that, so: nothing is called by the name that a web server reads, and no link leads to it,
 * before it is kept; what would be put back is kept before anything is changed; and all is kept before an answer says that it is done.
 */
#include "test/unit/installer_paper.h"

enum { NOTED_MAX = 4096 };
static struct noted {
	ino_t ino,
	    parent; /* parent 0: the bytes of a file; else the name of ino in this folder */
} noted[NOTED_MAX];
static size_t noted_n;
static size_t syncs, whole_syncs, looked_at;

static void
note(ino_t ino, ino_t parent)
{
	assert_true(noted_n < NOTED_MAX);
	noted[noted_n++] = (struct noted){ ino, parent };
}

/* parent 0: the bytes of ino. ino 0: every name in parent. */
static void
keep(ino_t ino, ino_t parent)
{
	size_t n = 0;

	for (size_t i = 0; i < noted_n; i++)
		if (noted[i].parent != parent || (ino != 0 && noted[i].ino != ino))
			noted[n++] = noted[i];
	noted_n = n;
}

static ino_t
ino_of(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		fail_msg("%s is not there", path);
	return st.st_ino;
}

static ino_t
parent_of(const char *path)
{
	char parent[PATH_MAX];

	files_parent(path, parent);
	return ino_of(parent);
}

/* Nothing of this file or folder would be lost, nor its name. */
static void
must_be_kept(const char *path, bool is_name)
{
	ino_t ino = ino_of(path), parent = parent_of(path);

	looked_at++;
	for (size_t i = 0; i < noted_n; i++)
		if ((noted[i].ino == ino &&
			(noted[i].parent == 0 || (is_name && noted[i].parent == parent))) ||
		    noted[i].parent == ino)
			fail_msg("%s is used before it is kept", path);
}

static void
must_have_journal(const char *path)
{
	char journal[PATH_MAX];

	at_home(journal, "live/journal");
	if (access(journal, F_OK) == 0 && strcmp(path, journal) != 0)
		must_be_kept(journal, true);
}

static bool
is_hidden(const char *path)
{
	return strrchr(path, '/')[1] == '.';
}

/* Somebody reads what is called so from now on. */
static void
is_shown(const char *path)
{
	char folder_path[PATH_MAX], link[PATH_MAX], target[PATH_MAX], file[PATH_MAX];

	if (is_hidden(path))
		return;
	must_have_journal(path);
	if (strcmp(strrchr(path, '/') + 1, "current") != 0)
		return;
	assert_int_equal(files_read_link(path, link), ERR_OK);
	files_parent(path, folder_path);
	/* The site's folder holds `current` itself, which is not kept yet: only its name counts. */
	for (size_t i = 0; i < noted_n; i++)
		if (noted[i].ino == ino_of(folder_path))
			fail_msg("the folder %s is used before it is kept", folder_path);
	assert_int_equal(files_path(target, "%s/%s", folder_path, link), ERR_OK);
	must_be_kept(target, true);
	static const char *const parts[] = { "fullchain.pem", "chain.pem", "cert.pem",
		"privkey.pem" };
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		assert_int_equal(files_path(file, "%s/%s", target, parts[i]), ERR_OK);
		must_be_kept(file, true);
	}
}

/* --- the operations --- */

static int
p_open(void *ctx, const char *path, int flags, mode_t mode)
{
	bool is_new = (flags & O_CREAT) != 0 && access(path, F_OK) != 0;
	int fd = files_real()->open(ctx, path, flags, mode);

	if (fd >= 0 && is_new)
		note(ino_of(path), parent_of(path));
	return fd;
}

static ssize_t
p_write(void *ctx, int fd, const void *p, size_t n)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	keep(st.st_ino, 0);
	note(st.st_ino, 0);
	return files_real()->write(ctx, fd, p, n);
}

static int
p_fsync(void *ctx, int fd)
{
	struct stat st;

	(void)ctx;
	assert_int_equal(fstat(fd, &st), 0);
	syncs++;
	if (S_ISDIR(st.st_mode))
		keep(0, st.st_ino);
	else
		keep(st.st_ino, 0);
	return 0;
}

static int
p_syncfs(void *ctx, int fd)
{
	(void)ctx;
	whole_syncs++;
	noted_n = 0;
	return fd < 0 ? -1 : 0;
}

static int
p_rename(void *ctx, const char *from, const char *to)
{
	struct stat st;

	assert_int_equal(lstat(from, &st), 0);
	if (S_ISREG(st.st_mode))
		for (size_t i = 0; i < noted_n; i++)
			if (noted[i].ino == st.st_ino && noted[i].parent == 0)
				fail_msg("the bytes of %s are not kept", to);
	int r = files_real()->rename(ctx, from, to);
	keep(st.st_ino, parent_of(to)); /* the old name */
	note(st.st_ino, parent_of(to));
	if (!S_ISDIR(st.st_mode))
		is_shown(to);
	return r;
}

static int
p_symlink(void *ctx, const char *target, const char *path)
{
	int r = files_real()->symlink(ctx, target, path);

	if (r == 0) {
		note(ino_of(path), parent_of(path));
		is_shown(path);
	}
	return r;
}

static int
p_unlink(void *ctx, const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return files_real()->unlink(ctx, path);
	/* A file that waited and is not wanted, a journal that is over, a set of before: to lose that it went is to find it again. */
	if (!is_hidden(path) && !str_ends(str_of(path), STR("/journal")) &&
	    !str_ends(str_of(path), STR(".pem"))) {
		must_have_journal(path);
		note(0, parent_of(path));
	}
	keep(st.st_ino, 0);
	keep(st.st_ino, parent_of(path));
	return files_real()->unlink(ctx, path);
}

static int
p_mkdir(void *ctx, const char *path, mode_t mode)
{
	int r = files_real()->mkdir(ctx, path, mode);

	if (r == 0)
		note(ino_of(path), parent_of(path));
	return r;
}

static struct files
powerless(void)
{
	struct files f = *files_real();

	f.open = p_open;
	f.write = p_write;
	f.fsync = p_fsync;
	f.syncfs = p_syncfs;
	f.rename = p_rename;
	f.symlink = p_symlink;
	f.unlink = p_unlink;
	f.mkdir = p_mkdir;
	return f;
}

static void
begin(void)
{
	start_over();
	noted_n = syncs = whole_syncs = looked_at = 0;
}

/* An answer was given: the power may fail. */
static void
all_is_kept(int line)
{
	if (noted_n > 0)
		fail_msg(
		    "%s:%d: answered, but %zu things are not kept", __FILE__, line, noted_n);
	assert_true(looked_at > 0);
}

static void
play(enum target_kind kind)
{
	struct config_target c = config_of(kind);
	struct files f = powerless();
	struct target t;

	is_in_process = true;
	begin();
	if (kind == TARGET_FOLDER)
		c.test_n = c.reload_n = 0;
	open_target(&t, &c, &f);
	/* One by one, renewed, all at once, renewed at once, and away. */
	for (int generation = 0; generation < 2; generation++) {
		(void)prepare(0, generation);
		apply_all(&t, 0, 1);
		wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
		forget(0, 1);
		all_is_kept(__LINE__);
	}
	size_t of_few = syncs;
	assert_int_equal(whole_syncs, 0);
	for (int generation = 2; generation < 4; generation++) {
		for (int i = 0; i < SITES; i++)
			(void)prepare(i, generation);
		apply_all(&t, 0, SITES);
		for (int i = 0; i < SITES; i++)
			wanted(__LINE__, i, ERR_OK, CAUSE_NONE, NULL);
		forget(0, SITES);
		all_is_kept(__LINE__);
	}
	/* Twelve sites cost no more than one did: that is what all of this is for. */
	printf("syncs: %zu for one site twice; %zu, and %zu of whole file systems, for %d "
	       "sites twice\n",
	    of_few, syncs - of_few, whole_syncs, SITES);
	assert_true(whole_syncs >= 2 && syncs <= 2 * of_few);
	for (int i = 0; i < SITES; i++) {
		(void)prepare(i, 0);
		sites[i].job.verb = DEPLOY_REMOVE;
		sites[i].job.set = STR_NONE;
		sites[i].work.bytes = NULL;
	}
	apply_all(&t, 0, SITES);
	for (int i = 0; i < SITES; i++)
		wanted(__LINE__, i, ERR_OK, CAUSE_NONE, NULL);
	forget(0, SITES);
	all_is_kept(__LINE__);
	target_fini(&t);
	is_in_process = false;
}

static void
test_nginx(void **state)
{
	(void)state;
	play(TARGET_NGINX);
}

static void
test_nginx_variable(void **state)
{
	(void)state;
	play(TARGET_NGINX_VARIABLE);
}

static void
test_folder(void **state)
{
	(void)state;
	play(TARGET_FOLDER);
}

/* A name goes from one site to another within one batch, in either order, and a site comes twice: each sees what the one before did. */
static void
test_works_that_touch(void **state)
{
	struct config_target c = config_of(TARGET_NGINX);
	struct files f = powerless();
	char path[PATH_MAX], target[PATH_MAX];

	(void)state;
	for (int order = 0; order < 2; order++) {
		struct target t;
		int from = order, to = 1 - order;

		is_in_process = true;
		begin();
		open_target(&t, &c, &f);
		(void)prepare(0, 0);
		(void)prepare(1, 0);
		sites[to].job.names_n = 1;
		apply_all(&t, 0, 2);
		forget(0, 2);
		/* www.siteFROM.jp moves; work 0 comes first. */
		(void)prepare(0, 1);
		(void)prepare(1, 1);
		sites[from].job.names_n = 1;
		sites[to].names[1] = str_of(sites[from].www);
		apply_all(&t, 0, 2);
		wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
		wanted(__LINE__, 1, ERR_OK, CAUSE_NONE, NULL);
		forget(0, 2);
		all_is_kept(__LINE__);
		assert_int_equal(
		    files_path(path, "%s/live/live/%s", home, sites[from].www), ERR_OK);
		assert_int_equal(files_read_link(path, target), ERR_OK);
		assert_string_equal(
		    target, to == 0 ? "../sets/1/current" : "../sets/2/current");
		/* The same site twice: the second one is what stays. */
		struct a_site first;
		(void)prepare(0, 2);
		first = sites[0];
		first.job.set = STR("sealed");
		(void)prepare(0, 3);
		struct work works[2] = { sites[0].work, sites[0].work };
		struct liveset_bytes older = first.bytes;
		older.fullchain_pem = str_of(first.chain);
		older.key_pem = str_of(first.key);
		older.fingerprint = str_of(first.fingerprint);
		works[0].bytes = &older;
		target_apply(&t, works, 2);
		assert_int_equal(works[0].err, ERR_OK);
		assert_int_equal(works[1].err, ERR_OK);
		work_fini(&works[0]);
		work_fini(&works[1]);
		all_is_kept(__LINE__);
		assert_true(file_has("live/live/site0.jp/privkey.pem", "key of site 0, 3\n"));
		target_fini(&t);
		is_in_process = false;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM(test_nginx),
		ROOM(test_nginx_variable),
		ROOM(test_folder),
		ROOM(test_works_that_touch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
