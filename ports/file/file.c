#include "ports/file/file.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err
judge(int fd, const char *path, struct why *why)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_of_errno(errno);
	if ((st.st_mode & 077) == 0)
		return ERR_OK;
	why_set(why, "%s: others than its owner may read it; expected mode 0600", path);
	return ERR_DENIED;
}

enum err
file_read(const char *path, bool is_secret, struct buf *to, struct why *why)
{
	char piece[4096];
	ssize_t n = 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), failed = fd < 0 ? errno : 0;

	if (fd >= 0 && is_secret) {
		enum err err = judge(fd, path, why);

		if (err != ERR_OK) {
			(void)close(fd); /* nothing was written */
			return err;
		}
	}
	while (failed == 0 && n > 0 && to->err == ERR_OK) {
		n = read(fd, piece, sizeof piece);
		if (n > 0)
			buf_put(to, piece, (size_t)n);
		else if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			failed = errno;
	}
	if (fd >= 0)
		(void)close(fd);
	explicit_bzero(piece, sizeof piece);
	if (failed != 0) {
		why_set(why, "cannot read %s: %s", path, strerror(failed));
		return err_of_errno(failed) == ERR_OK ? ERR_IO : err_of_errno(failed);
	}
	if (to->err != ERR_OK)
		why_set(why, "cannot read %s: %s", path, err_words(to->err));
	return to->err;
}
