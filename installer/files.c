#include "installer/files.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
real_open(void *ctx, const char *path, int flags, mode_t mode)
{
	(void)ctx;
	return open(path, flags, mode);
}

static ssize_t
real_write(void *ctx, int fd, const void *p, size_t n)
{
	(void)ctx;
	return write(fd, p, n);
}

static int
real_fsync(void *ctx, int fd)
{
	(void)ctx;
	return fsync(fd);
}

static int
real_syncfs(void *ctx, int fd)
{
	(void)ctx;
	return syncfs(fd);
}

static int
real_fchmod(void *ctx, int fd, mode_t mode)
{
	(void)ctx;
	return fchmod(fd, mode);
}

static int
real_fchown(void *ctx, int fd, gid_t group)
{
	(void)ctx;
	return fchown(fd, (uid_t)-1, group);
}

static int
real_close(void *ctx, int fd)
{
	(void)ctx;
	return close(fd);
}

static int
real_rename(void *ctx, const char *from, const char *to)
{
	(void)ctx;
	return rename(from, to);
}

static int
real_symlink(void *ctx, const char *target, const char *path)
{
	(void)ctx;
	return symlink(target, path);
}

static int
real_unlink(void *ctx, const char *path)
{
	(void)ctx;
	return unlink(path);
}

static int
real_mkdir(void *ctx, const char *path, mode_t mode)
{
	(void)ctx;
	return mkdir(path, mode);
}

static int
real_rmdir(void *ctx, const char *path)
{
	(void)ctx;
	return rmdir(path);
}

const struct files *
files_real(void)
{
	static const struct files real = {
		.open = real_open,
		.write = real_write,
		.fsync = real_fsync,
		.syncfs = real_syncfs,
		.fchmod = real_fchmod,
		.fchown = real_fchown,
		.close = real_close,
		.rename = real_rename,
		.symlink = real_symlink,
		.unlink = real_unlink,
		.mkdir = real_mkdir,
		.rmdir = real_rmdir,
	};

	return &real;
}

enum err
files_fail(struct why *why, const char *what, const char *path, int errno_value)
{
	enum err e = err_of_errno(errno_value);

	why_set(why, "cannot %s %s: %s", what, path, strerror(errno_value));
	return e == ERR_OK ? ERR_IO : e;
}

enum err
files_path(char ret[PATH_MAX], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(ret, PATH_MAX, fmt, ap);
	va_end(ap);
	return n < 0 || n >= PATH_MAX ? ERR_TOO_LONG : ERR_OK;
}

void
files_parent(const char *path, char ret[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);

	if (slash == NULL || n >= PATH_MAX)
		(void)snprintf(ret, PATH_MAX, ".");
	else
		(void)snprintf(ret, PATH_MAX, "%.*s", n == 0 ? 1 : (int)n, path);
}

static bool
write_all(const struct files *f, int fd, struct str bytes)
{
	while (bytes.n > 0) {
		ssize_t n = f->write(f->ctx, fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n == 0 ? EIO : errno;
			return false;
		}
		bytes.p += n;
		bytes.n -= (size_t)n;
	}
	return true;
}

/* Mode and group by descriptor: the umask has no say, and a swapped path cannot be meant. */
static bool
give_access(const struct files *f, int fd, struct files_access access)
{
	if (access.group != FILES_NO_GROUP && f->fchown(f->ctx, fd, access.group) != 0)
		return false;
	return f->fchmod(f->ctx, fd, access.mode) == 0;
}

/* A file of this path that nobody has opened before. What an ended process left there goes. */
static int
open_new(const struct files *f, const char *path)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = f->open(f->ctx, path, flags, 0600);

	if (fd < 0 && errno == EEXIST && f->unlink(f->ctx, path) == 0)
		fd = f->open(f->ctx, path, flags, 0600);
	return fd;
}

static enum err
write_new(const struct files *f, const char *path, struct str bytes, struct files_access access,
    bool is_later, struct why *why)
{
	int fd = open_new(f, path);
	int failed = 0;

	if (fd < 0)
		return files_fail(why, "create", path, errno);
	if (!give_access(f, fd, access) || !write_all(f, fd, bytes) ||
	    (!is_later && f->fsync(f->ctx, fd) != 0))
		failed = errno;
	/* On some file systems the disk that is full is reported here. */
	if (f->close(f->ctx, fd) != 0 && failed == 0)
		failed = errno;
	if (failed != 0)
		return files_fail(why, "write", path, failed);
	return is_later ? unsynced_put(f->later, path) : ERR_OK;
}

enum err
files_write(const struct files *f, const char *path, struct str bytes,
    struct files_access access, struct why *why)
{
	return write_new(f, path, bytes, access, f->later != NULL, why);
}

/*
 * One name for each folder: a host name may be as long as a file name can be, so nothing can be added to it. The dot
 * in front hides it from nginx's *.conf. What an ended process left under it is removed by the next one.
 */
static enum err
path_beside(const char *path, char ret[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int n = slash == NULL ? 0 : (int)(slash - path) + 1;

	return files_path(ret, "%.*s.koshin-new", n, path);
}

enum err
files_replace(const struct files *f, const char *path, struct str bytes,
    struct files_access access, struct why *why)
{
	char beside[PATH_MAX];
	enum err e = path_beside(path, beside);

	if (e == ERR_OK)
		e = write_new(f, beside, bytes, access, false, why);
	if (e == ERR_OK && f->rename(f->ctx, beside, path) != 0)
		e = files_fail(why, "rename to", path, errno);
	if (e != ERR_OK)
		(void)f->unlink(f->ctx, beside); /* the next attempt does it as well */
	return e;
}

enum err
files_replace_link(const struct files *f, const char *path, const char *target, struct why *why)
{
	char beside[PATH_MAX];
	enum err e = path_beside(path, beside);

	if (e != ERR_OK)
		return e;
	bool is_there = f->symlink(f->ctx, target, beside) == 0;
	/* Of a process that was ended here. */
	if (!is_there && errno == EEXIST && f->unlink(f->ctx, beside) == 0)
		is_there = f->symlink(f->ctx, target, beside) == 0;
	if (!is_there)
		return files_fail(why, "link", beside, errno);
	if (f->rename(f->ctx, beside, path) != 0) {
		e = files_fail(why, "rename to", path, errno);
		(void)f->unlink(f->ctx, beside); /* as above */
	}
	return e;
}

enum err
files_unlink(const struct files *f, const char *path, struct why *why)
{
	if (f->unlink(f->ctx, path) == 0 || errno == ENOENT || errno == ENOTDIR)
		return ERR_OK;
	return files_fail(why, "remove", path, errno);
}

enum err
files_sync(const struct files *f, const char *path, struct why *why)
{
	return f->later != NULL ? unsynced_put(f->later, path)
				: unsynced_sync_one(f, path, why);
}

enum err
files_make_folder(
    const struct files *f, const char *path, struct files_access access, struct why *why)
{
	char parent[PATH_MAX];
	int failed = 0;

	if (f->mkdir(f->ctx, path, 0700) != 0) {
		struct stat st;

		failed = errno;
		if (failed == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			return ERR_OK;
		return files_fail(why, "make the folder", path, failed);
	}
	int fd = f->open(f->ctx, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0 || !give_access(f, fd, access))
		failed = errno;
	if (fd >= 0)
		(void)f->close(f->ctx, fd); /* nothing was written through it */
	if (failed != 0) {
		/* A folder that others cannot enter would be taken for a good one next time. */
		(void)f->rmdir(f->ctx, path);
		return files_fail(why, "make the folder", path, failed);
	}
	files_parent(path, parent);
	return files_sync(f, parent, why);
}

enum err
files_make_path(
    const struct files *f, const char *path, struct files_access access, struct why *why)
{
	char part[PATH_MAX];
	struct stat st;

	for (const char *slash = strchr(path + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		enum err e = files_path(part, "%.*s", (int)(slash - path), path);

		if (e == ERR_OK && stat(part, &st) != 0)
			e = files_make_folder(
			    f, part, (struct files_access){ 0755, FILES_NO_GROUP }, why);
		if (e != ERR_OK)
			return e;
	}
	return files_make_folder(f, path, access, why);
}

enum err
files_remove_folder(const struct files *f, const char *path)
{
	char entry[PATH_MAX];
	DIR *d = opendir(path);
	enum err e = ERR_OK;

	if (d == NULL)
		return errno == ENOENT ? ERR_OK : err_of_errno(errno);
	for (struct dirent *at = readdir(d); at != NULL; at = readdir(d)) {
		if (strcmp(at->d_name, ".") == 0 || strcmp(at->d_name, "..") == 0)
			continue;
		enum err one = files_path(entry, "%s/%s", path, at->d_name);
		if (one == ERR_OK && f->unlink(f->ctx, entry) != 0)
			one = err_of_errno(errno);
		e = e == ERR_OK ? one : e;
	}
	closedir(d);
	if (f->rmdir(f->ctx, path) != 0 && e == ERR_OK)
		e = err_of_errno(errno);
	return e;
}

enum err
files_read(const char *path, struct buf *b)
{
	char piece[4096];
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	enum err e = ERR_OK;

	if (fd < 0)
		return errno == ELOOP	  ? ERR_INVALID
		       : errno == ENOTDIR ? ERR_NOT_FOUND
					  : err_of_errno(errno);
	for (;;) {
		ssize_t n = read(fd, piece, sizeof piece);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			e = err_of_errno(errno);
		if (n <= 0)
			break;
		buf_put(b, piece, (size_t)n);
	}
	close(fd);
	explicit_bzero(piece, sizeof piece); /* it may have been a key */
	return e != ERR_OK ? e : b->err;
}

enum err
files_read_link(const char *path, char ret[PATH_MAX])
{
	char got[PATH_MAX];
	ssize_t n = readlink(path, got, sizeof got);

	if (n < 0)
		return errno == EINVAL	  ? ERR_INVALID
		       : errno == ENOTDIR ? ERR_NOT_FOUND
					  : err_of_errno(errno);
	if ((size_t)n >= sizeof got)
		return ERR_TOO_LONG;
	memcpy(ret, got, (size_t)n);
	ret[n] = '\0';
	return ERR_OK;
}

bool
files_hold(const char *path, struct str bytes)
{
	struct buf b;

	buf_init(&b, bytes.n + 1);
	bool is_same = files_read(path, &b) == ERR_OK && str_eq(buf_str(&b), bytes);
	if (b.p != NULL)
		explicit_bzero(b.p, b.cap);
	buf_fini(&b);
	return is_same;
}
