#ifndef KOSHIN_INSTALLER_FILES_H
#define KOSHIN_INSTALLER_FILES_H
/*
 * The file operations that change something, behind one struct, so that a sweep can make the Nth of them fail; and
 * what is built from them: a file, a link or a folder that is there whole or not at all, also after a power failure.
 * Paths are absolute or relative to the process; who calls here has proven that they stay where they belong.
 */
#include <limits.h>
#include <sys/types.h>
#include "base/str.h"
#include "installer/unsynced.h"

/* As the system calls of the same name: -1 and errno when they fail. */
struct files {
	void *ctx;
	int (*open)(void *ctx, const char *path, int flags, mode_t mode);
	ssize_t (*write)(void *ctx, int fd, const void *p, size_t n);
	int (*fsync)(void *ctx, int fd);
	int (*syncfs)(void *ctx, int fd);
	int (*fchmod)(void *ctx, int fd, mode_t mode);
	int (*fchown)(void *ctx, int fd, gid_t group);
	int (*close)(void *ctx, int fd);
	int (*rename)(void *ctx, const char *from, const char *to);
	int (*symlink)(void *ctx, const char *target, const char *path);
	int (*unlink)(void *ctx, const char *path);
	int (*mkdir)(void *ctx, const char *path, mode_t mode);
	int (*rmdir)(void *ctx, const char *path);
	/* What would be synced is noted here instead, and whoever has set this syncs it; NULL: all is synced at once. */
	struct unsynced *later;
};
const struct files *files_real(void);

/* Who may read: mode, and the group it is given to (FILES_NO_GROUP: the process's own). */
struct files_access {
	mode_t mode;
	gid_t group;
};
#define FILES_NO_GROUP ((gid_t)-1)

/* The words of a failed operation: what, on which path, and the system's own. Returns err_of_errno. */
enum err files_fail(struct why *why, const char *what, const char *path, int errno_value);
/* A new file, synced or noted; one that is there goes first. A part of it may stay behind when it fails. */
MUST_USE enum err files_write(const struct files *f, const char *path, struct str bytes,
    struct files_access access, struct why *why);
/* The same by way of a file beside it, synced at once, and a rename: old or new, never half. The folder is not synced. */
MUST_USE enum err files_replace(const struct files *f, const char *path, struct str bytes,
    struct files_access access, struct why *why);
MUST_USE enum err files_replace_link(
    const struct files *f, const char *path, const char *target, struct why *why);
/* OK too when it was not there. */
MUST_USE enum err files_unlink(const struct files *f, const char *path, struct why *why);
/* A folder of this mode; OK when it is there. Its parent is synced or noted when it was made. */
MUST_USE enum err files_make_folder(
    const struct files *f, const char *path, struct files_access access, struct why *why);
/* All missing folders of the path, 0755, the last one with `access`. */
MUST_USE enum err files_make_path(
    const struct files *f, const char *path, struct files_access access, struct why *why);
/* A file or a folder: synced, or noted. */
MUST_USE enum err files_sync(const struct files *f, const char *path, struct why *why);
/* A folder of files, and itself. What cannot be removed stays. */
enum err files_remove_folder(const struct files *f, const char *path);

/* Reading, which changes nothing. NOT_FOUND, TOO_LONG past b->max, or the error of the system. */
MUST_USE enum err files_read(const char *path, struct buf *b);
/* NOT_FOUND, or INVALID when it is not a link. */
MUST_USE enum err files_read_link(const char *path, char ret[PATH_MAX]);
bool files_hold(const char *path, struct str bytes); /* a regular file with just these bytes */

/* Writes the folder part of an absolute path ("/a/b" gives "/a"). */
void files_parent(const char *path, char ret[PATH_MAX]);
/* As snprintf into a path; TOO_LONG rather than a cut path. */
__attribute__((format(printf, 2, 3))) MUST_USE enum err files_path(
    char ret[PATH_MAX], const char *fmt, ...);
#endif
