#include "installer/unsynced.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "installer/files.h"

void
unsynced_forget(struct unsynced *u)
{
	for (size_t i = 0; i < u->n; i++)
		free(u->paths[i]);
	u->n = 0;
}

void
unsynced_fini(struct unsynced *u)
{
	unsynced_forget(u);
	free(u->paths);
	*u = (struct unsynced){ 0 };
}

enum err
unsynced_put(struct unsynced *u, const char *path)
{
	/* Folders come again and again; beyond a few it does not matter what is in the list twice. */
	for (size_t i = 0; i < u->n && u->n <= UNSYNCED_FEW; i++)
		if (strcmp(u->paths[i], path) == 0)
			return ERR_OK;
	if (u->n == u->cap) {
		size_t cap = u->cap == 0 ? 32 : u->cap * 2;
		char **more = reallocarray(u->paths, cap, sizeof *more);

		if (more == NULL)
			return ERR_MEMORY;
		u->paths = more;
		u->cap = cap;
	}
	char *copy = strdup(path);
	if (copy == NULL)
		return ERR_MEMORY;
	u->paths[u->n++] = copy;
	return ERR_OK;
}

enum err
unsynced_move(struct unsynced *u, const char *from, const char *to)
{
	size_t from_n = strlen(from);
	char moved[PATH_MAX];

	for (size_t i = 0; i < u->n; i++) {
		const char *path = u->paths[i];

		if (strncmp(path, from, from_n) != 0 ||
		    (path[from_n] != '/' && path[from_n] != '\0'))
			continue;
		enum err e = files_path(moved, "%s%s", to, path + from_n);
		char *copy = e == ERR_OK ? strdup(moved) : NULL;
		if (copy == NULL)
			return e != ERR_OK ? e : ERR_MEMORY;
		free(u->paths[i]);
		u->paths[i] = copy;
	}
	return ERR_OK;
}

/* One path, or all of its file system. */
static enum err
sync_path(const struct files *f, const char *path, bool is_whole_system, struct why *why)
{
	int fd = f->open(f->ctx, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	int failed = 0;

	if (fd < 0)
		return errno == ENOENT ? ERR_OK : files_fail(why, "open", path, errno);
	if ((is_whole_system ? f->syncfs(f->ctx, fd) : f->fsync(f->ctx, fd)) != 0)
		failed = errno;
	(void)f->close(f->ctx, fd); /* nothing was written through it */
	return failed != 0 ? files_fail(why, "sync", path, failed) : ERR_OK;
}

enum err
unsynced_sync_one(const struct files *f, const char *path, struct why *why)
{
	return sync_path(f, path, false, why);
}

enum {
	SYSTEMS_MAX = 8
}; /* file systems that are remembered as synced; one more is synced once for each path */

static enum err
sync_systems(const struct unsynced *u, const struct files *f, struct why *why)
{
	dev_t done[SYSTEMS_MAX];
	size_t done_n = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < u->n; i++) {
		struct stat st;
		bool is_done = false;

		if (lstat(u->paths[i], &st) != 0)
			continue; /* as in unsynced_sync_one */
		for (size_t k = 0; k < done_n; k++)
			is_done = is_done || done[k] == st.st_dev;
		if (is_done)
			continue;
		e = sync_path(f, u->paths[i], true, why);
		if (done_n < SYSTEMS_MAX)
			done[done_n++] = st.st_dev;
	}
	return e;
}

enum err
unsynced_sync(struct unsynced *u, const struct files *f, struct why *why)
{
	enum err e = ERR_OK;

	if (u->n > UNSYNCED_FEW)
		e = sync_systems(u, f, why);
	for (size_t i = 0; u->n <= UNSYNCED_FEW && e == ERR_OK && i < u->n; i++)
		e = sync_path(f, u->paths[i], false, why);
	unsynced_forget(u);
	return e;
}
