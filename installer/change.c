#include "installer/change.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/must.h"
#include "base/point.h"

/* Server blocks and flags: the web server's processes read them, and they hold no secret. */
static const struct files_access change_access = { 0644, FILES_NO_GROUP };

enum { JOURNAL_MAGIC = 0x4b4a3031 }; /* "KJ01", in front of each step */
enum {
	JOURNAL_BYTES_MAX = 64 << 20
}; /* a batch of the greatest size, each with the greatest files, is below it */
enum { JOURNAL_HEAD_BYTES = 13 }; /* magic, kind, lengths of path and bytes */

void
change_init(struct change *c)
{
	*c = (struct change){ 0 };
}

static void
state_fini(struct change_state *s)
{
	free(s->bytes);
	*s = (struct change_state){ 0 };
}

void
change_fini(struct change *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->steps[i].path);
		state_fini(&c->steps[i].before);
		state_fini(&c->steps[i].after);
	}
	free(c->steps);
	*c = (struct change){ 0 };
}

static enum err
state_set(struct change_state *s, enum change_kind kind, struct str bytes)
{
	char *copy = malloc(bytes.n + 1);

	if (copy == NULL)
		return ERR_MEMORY;
	if (bytes.n > 0)
		memcpy(copy, bytes.p, bytes.n);
	copy[bytes.n] = '\0';
	*s = (struct change_state){ kind, copy, bytes.n };
	return ERR_OK;
}

static bool
state_eq(const struct change_state *a, const struct change_state *b)
{
	if (a->kind != b->kind)
		return false;
	return a->kind == CHANGE_NOTHING ||
	       str_eq((struct str){ a->bytes, a->n }, (struct str){ b->bytes, b->n });
}

/* What is at the path now. A folder or anything else that is no file or link is somebody else's. */
static enum err
state_read(struct change_state *s, const char *path, struct why *why)
{
	char target[PATH_MAX];
	enum err e = files_read_link(path, target);

	*s = (struct change_state){ 0 };
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e == ERR_OK)
		return state_set(s, CHANGE_LINK, str_of(target));
	if (e != ERR_INVALID)
		return files_fail(why, "read", path, errno);
	AUTO_BUF b = { .max = 0 };
	buf_init(&b, CHANGE_FILE_BYTES_MAX);
	e = files_read(path, &b);
	if (e != ERR_OK) {
		why_set(why, "cannot read %s: %s", path, err_words(e));
		return e;
	}
	return state_set(s, CHANGE_FILE, buf_str(&b));
}

static struct change_step *
step_put(struct change *c, const char *path)
{
	if (c->n == c->cap) {
		size_t cap = c->cap == 0 ? 8 : c->cap * 2;
		struct change_step *more = reallocarray(c->steps, cap, sizeof *more);

		if (more == NULL)
			return NULL;
		c->steps = more;
		c->cap = cap;
	}
	char *copy = strdup(path);
	if (copy == NULL)
		return NULL;
	c->steps[c->n] = (struct change_step){ .path = copy };
	return &c->steps[c->n++];
}

static void
step_drop_last(struct change *c)
{
	struct change_step *s = &c->steps[--c->n];

	free(s->path);
	state_fini(&s->before);
	state_fini(&s->after);
}

static enum err
plan(struct change *c, const char *path, const struct change_state *after, struct why *why)
{
	struct change_step *s = step_put(c, path);
	enum err e = ERR_OK;

	if (s == NULL) {
		why_set(why, "%s", err_words(ERR_MEMORY));
		return ERR_MEMORY;
	}
	if (after->kind != CHANGE_NOTHING)
		e = state_set(&s->after, after->kind, (struct str){ after->bytes, after->n });
	/* A path that was planned before in this change will hold what that step leaves. */
	const struct change_state *planned = NULL;
	for (size_t i = 0; i + 1 < c->n; i++)
		if (strcmp(c->steps[i].path, path) == 0)
			planned = &c->steps[i].after;
	if (e == ERR_OK && planned == NULL)
		e = state_read(&s->before, path, why);
	else if (e == ERR_OK && planned->kind != CHANGE_NOTHING)
		e = state_set(
		    &s->before, planned->kind, (struct str){ planned->bytes, planned->n });
	if (e != ERR_OK || state_eq(&s->before, &s->after))
		step_drop_last(c);
	return e;
}

enum err
change_plan_file(struct change *c, const char *path, struct str bytes, struct why *why)
{
	struct change_state s;

	if (bytes.n > CHANGE_FILE_BYTES_MAX) {
		why_set(why, "%s would be too long", path);
		return ERR_TOO_LONG;
	}
	enum err e = state_set(&s, CHANGE_FILE, bytes);
	if (e != ERR_OK)
		return e;
	e = plan(c, path, &s, why);
	state_fini(&s);
	return e;
}

enum err
change_plan_link(struct change *c, const char *path, const char *target, struct why *why)
{
	struct change_state s;
	enum err e = state_set(&s, CHANGE_LINK, str_of(target));

	if (e != ERR_OK)
		return e;
	e = plan(c, path, &s, why);
	state_fini(&s);
	return e;
}

enum err
change_plan_removal(struct change *c, const char *path, struct why *why)
{
	return plan(c, path, &(struct change_state){ 0 }, why);
}

static enum err
state_make(
    const struct change_state *s, const char *path, const struct files *f, struct why *why)
{
	switch (s->kind) {
	case CHANGE_FILE:
		return files_replace(
		    f, path, (struct str){ s->bytes, s->n }, change_access, why);
	case CHANGE_LINK:
		return files_replace_link(f, path, s->bytes, why);
	case CHANGE_NOTHING:
		break;
	}
	return files_unlink(f, path, why);
}

/* Where the new file of a step waits: in the same folder, hidden from nginx's *.conf. Two changes of one path never wait at a time. */
static enum err
waiting_path(const struct change *c, size_t step, char ret[PATH_MAX])
{
	const char *path = c->steps[step].path, *slash = strrchr(path, '/');

	/* A host name may be as long as the name of a file can be, so nothing can be added to it. */
	return files_path(ret, "%.*s/.koshin-new-%016" PRIx64 "-%zu", (int)(slash - path), path,
	    str_hash(str_of(path)), step);
}

/* As state_make for the state after the step, whose file waits. */
static enum err
step_do(const struct change *c, size_t step, const struct files *f, struct why *why)
{
	const struct change_step *s = &c->steps[step];
	char waiting[PATH_MAX];

	/* Where nothing is, a link is set in one go. */
	if (s->after.kind == CHANGE_LINK && s->before.kind == CHANGE_NOTHING &&
	    f->symlink(f->ctx, s->after.bytes, s->path) == 0)
		return ERR_OK;
	if (s->after.kind != CHANGE_FILE)
		return state_make(&s->after, s->path, f, why);
	enum err e = waiting_path(c, step, waiting);
	if (e == ERR_OK && f->rename(f->ctx, waiting, s->path) != 0)
		e = files_fail(why, "rename to", s->path, errno);
	return e;
}

/* Each folder once; steps of one folder mostly stand beside each other. */
static enum err
sync_folders(const struct change *c, size_t n, const struct files *f, struct why *why)
{
	char parent[PATH_MAX], last[PATH_MAX] = "";
	enum err e = ERR_OK;

	for (size_t i = 0; i < n; i++) {
		files_parent(c->steps[i].path, parent);
		if (strcmp(parent, last) == 0)
			continue;
		enum err one = files_sync(f, parent, why);
		e = e == ERR_OK ? one : e;
		memcpy(last, parent, sizeof last);
	}
	return e;
}

static void
put_u32(char *at, size_t v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (char)(v >> (24 - 8 * i));
}

static size_t
get_u32(const char *at)
{
	size_t v = 0;

	for (int i = 0; i < 4; i++)
		v = v << 8 | (unsigned char)at[i];
	return v;
}

static enum err
journal_append(
    struct journal *j, const struct change *c, const struct files *f, struct why *why)
{
	AUTO_BUF b = { .max = 0 };
	struct str rest;

	buf_init(&b, JOURNAL_BYTES_MAX);
	for (size_t i = 0; i < c->n; i++) {
		const struct change_step *s = &c->steps[i];
		char head[JOURNAL_HEAD_BYTES];
		size_t path_n = strlen(s->path);

		put_u32(head, JOURNAL_MAGIC);
		head[4] = (char)s->before.kind;
		put_u32(head + 5, path_n);
		put_u32(head + 9, s->before.n);
		buf_put(&b, head, sizeof head);
		buf_put(&b, s->path, path_n);
		buf_put(&b, s->before.bytes, s->before.n);
	}
	if (b.err != ERR_OK) {
		why_set(why, "%s: %s", j->path, err_words(b.err));
		return b.err;
	}
	for (rest = buf_str(&b); rest.n > 0;) {
		ssize_t n = j->files->write(j->files->ctx, j->fd, rest.p, rest.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return files_fail(why, "write", j->path, n == 0 ? EIO : errno);
		rest.p += n;
		rest.n -= (size_t)n;
	}
	if (f->later != NULL)
		return unsynced_put(f->later, j->path);
	if (j->files->fsync(j->files->ctx, j->fd) != 0)
		return files_fail(why, "sync", j->path, errno);
	return ERR_OK;
}

enum err
change_prepare(struct change *c, const struct files *f, struct journal *j, struct why *why)
{
	char path[PATH_MAX];
	enum err e = j != NULL ? j->failed : ERR_OK;

	must(c->done == 0);
	if (c->n == 0)
		return ERR_OK;
	for (size_t i = 0; e == ERR_OK && i < c->n; i++) {
		const struct change_state *after = &c->steps[i].after;

		if (after->kind != CHANGE_FILE)
			continue;
		e = waiting_path(c, i, path);
		if (e == ERR_OK)
			e = files_write(f, path, (struct str){ after->bytes, after->n },
			    change_access, why);
	}
	if (e == ERR_OK && j != NULL)
		e = j->failed = journal_append(j, c, f, why);
	if (e != ERR_OK)
		change_drop(c, f);
	return e;
}

void
change_drop(const struct change *c, const struct files *f)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < c->n; i++)
		if (c->steps[i].after.kind == CHANGE_FILE && waiting_path(c, i, path) == ERR_OK)
			(void)f->unlink(f->ctx,
			    path); /* nobody reads it; the next change of this path removes it too */
}

enum err
change_do(struct change *c, const struct files *f, struct why *why)
{
	enum err e = ERR_OK;

	must(c->done == 0);
	for (size_t i = 0; e == ERR_OK && i < c->n; i++) {
		POINT("installer.step.before");
		e = step_do(c, i, f, why);
		c->done += e == ERR_OK;
		POINT("installer.step.after");
	}
	if (e == ERR_OK)
		e = sync_folders(c, c->n, f, why);
	if (e == ERR_OK)
		return ERR_OK;
	change_drop(c, f);
	if (change_undo(c, f, NULL) != ERR_OK) {
		/* The first error is the one to tell; the journal still knows what is to be put back. */
	}
	return e;
}

enum err
change_undo(struct change *c, const struct files *f, struct why *why)
{
	enum err e = ERR_OK;
	size_t done = c->done;

	for (; c->done > 0; c->done--) {
		const struct change_step *s = &c->steps[c->done - 1];

		POINT("installer.undo.before");
		enum err one = state_make(&s->before, s->path, f, why);
		e = e == ERR_OK ? one : e;
		POINT("installer.undo.after");
	}
	enum err sync = sync_folders(c, done, f, why);
	return e == ERR_OK ? sync : e;
}

static const char journal_name[] = "journal";

enum err
journal_open(struct journal *j, const struct files *f, const char *folder, struct why *why)
{
	*j = (struct journal){ .files = f, .fd = -1 };
	enum err e = files_path(j->path, "%s/%s", folder, journal_name);
	if (e != ERR_OK)
		return e;
	bool is_new = access(j->path, F_OK) != 0;
	j->fd = f->open(
	    f->ctx, j->path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (j->fd < 0)
		return files_fail(why, "open", j->path, errno);
	return is_new ? files_sync(f, folder, why) : ERR_OK;
}

bool
journal_exists(const struct journal *j)
{
	return access(j->path, F_OK) == 0;
}

/* Takes one step off the front; false at the end and where it is torn. */
static bool
journal_step(struct str *rest, struct change *c, enum err *ret_err)
{
	if (rest->n < JOURNAL_HEAD_BYTES || get_u32(rest->p) != JOURNAL_MAGIC)
		return false;
	int kind = rest->p[4];
	size_t path_n = get_u32(rest->p + 5), n = get_u32(rest->p + 9);
	if (kind < CHANGE_NOTHING || kind > CHANGE_LINK || path_n == 0 || path_n >= PATH_MAX ||
	    n > CHANGE_FILE_BYTES_MAX || rest->n - JOURNAL_HEAD_BYTES < path_n + n)
		return false;
	char path[PATH_MAX];
	memcpy(path, rest->p + JOURNAL_HEAD_BYTES, path_n);
	path[path_n] = '\0';
	struct str bytes = { rest->p + JOURNAL_HEAD_BYTES + path_n, n };
	if (path[0] != '/' || strlen(path) != path_n)
		return false;
	struct change_step *s = step_put(c, path);
	*ret_err = s == NULL ? ERR_MEMORY : ERR_OK;
	if (s != NULL && kind != CHANGE_NOTHING)
		*ret_err = state_set(&s->before, (enum change_kind)kind, bytes);
	rest->p += JOURNAL_HEAD_BYTES + path_n + n;
	rest->n -= JOURNAL_HEAD_BYTES + path_n + n;
	return *ret_err == ERR_OK;
}

enum err
journal_read(const struct journal *j, struct change *ret, struct why *why)
{
	AUTO_BUF b = { .max = 0 };
	struct change c;

	buf_init(&b, JOURNAL_BYTES_MAX);
	change_init(&c);
	enum err e = files_read(j->path, &b);
	if (e != ERR_OK) {
		why_set(why, "cannot read %s: %s", j->path, err_words(e));
		return e;
	}
	for (struct str rest = buf_str(&b); journal_step(&rest, &c, &e);) {
	}
	if (e != ERR_OK) {
		change_fini(&c);
		return e;
	}
	c.done = c.n;
	*ret = c;
	return ERR_OK;
}

enum err
journal_accept(struct journal *j, struct why *why)
{
	char folder[PATH_MAX];
	enum err e = files_replace(
	    j->files, j->path, STR_NONE, (struct files_access){ 0600, FILES_NO_GROUP }, why);

	files_parent(j->path, folder);
	if (e == ERR_OK)
		e = files_sync(j->files, folder, why);
	journal_close(j); /* the descriptor is of the file that was replaced */
	return e;
}

enum err
journal_remove(struct journal *j, struct why *why)
{
	char folder[PATH_MAX];

	journal_close(j);
	enum err e = files_unlink(j->files, j->path, why);
	files_parent(j->path, folder);
	return e == ERR_OK ? files_sync(j->files, folder, why) : e;
}

void
journal_close(struct journal *j)
{
	if (j->fd >= 0)
		(void)j->files->close(
		    j->files->ctx, j->fd); /* it was synced when it was written */
	j->fd = -1;
}
