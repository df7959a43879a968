#include "ports/loop/listen.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 512 };

struct any_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un un;
	} at;
	socklen_t n;
};

static bool
read_where(const char *where, struct any_address *ret)
{
	struct any_address a = { .n = 0 };
	const char *colon = strrchr(where, ':');
	size_t n = colon == NULL ? 0 : (size_t)(colon - where);
	bool has_brackets = n > 2 && where[0] == '[' && where[n - 1] == ']';
	char host[INET6_ADDRSTRLEN];
	int64_t port;

	if (colon == NULL || !str_to_int(str_of(colon + 1), &port) || port < 0 || port > 65535)
		return false;
	if (has_brackets) {
		where++;
		n -= 2;
	}
	if (n == 0 || n >= sizeof host)
		return false;
	memcpy(host, where, n);
	host[n] = '\0';
	if (has_brackets) {
		a.at.v6.sin6_family = AF_INET6;
		a.at.v6.sin6_port = htons((uint16_t)port);
		a.n = sizeof a.at.v6;
		*ret = a;
		return inet_pton(AF_INET6, host, &ret->at.v6.sin6_addr) == 1;
	}
	a.at.v4.sin_family = AF_INET;
	a.at.v4.sin_port = htons((uint16_t)port);
	a.n = sizeof a.at.v4;
	*ret = a;
	return inet_pton(AF_INET, host, &ret->at.v4.sin_addr) == 1;
}

static enum err
fail(int fd, const char *where, const char *what, struct why *why)
{
	int reason = errno;

	why_set(why, "%s: %s: %s", where, what, strerror(reason));
	if (fd >= 0)
		(void)close(fd);
	return reason == EADDRINUSE ? ERR_EXISTS : err_of_errno(reason);
}

enum err
listen_tcp(const char *where, struct why *why, int *ret_fd)
{
	struct any_address a;
	int fd, yes = 1;

	if (!read_where(where, &a)) {
		why_set(why, "%s: expected address:port", where);
		return ERR_CONFIG;
	}
	fd = socket(a.at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(fd, where, "no socket", why);
	/* A restart must not wait for the last connections' TIME_WAIT. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
	    (a.at.any.sa_family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes) != 0))
		return fail(fd, where, "cannot be set up", why);
	if (bind(fd, &a.at.any, a.n) != 0)
		return fail(fd, where, "cannot be bound", why);
	if (listen(fd, BACKLOG) != 0)
		return fail(fd, where, "cannot listen", why);
	*ret_fd = fd;
	return ERR_OK;
}

enum err
listen_unix(const char *path, struct why *why, int *ret_fd)
{
	struct any_address a = { .n = sizeof a.at.un };
	struct stat st;
	mode_t before;
	int fd, bound;

	a.at.un.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof a.at.un.sun_path) {
		why_set(why, "%s: too long; expected a path of at most %zu bytes", path,
		    sizeof a.at.un.sun_path - 1);
		return ERR_CONFIG;
	}
	memcpy(a.at.un.sun_path, path, strlen(path) + 1);
	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode)) {
			why_set(why, "%s: is there and is no socket; it was left alone", path);
			return ERR_EXISTS;
		}
		if (unlink(path) != 0)
			return fail(-1, path, "cannot be replaced", why);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(fd, path, "no socket", why);
	/* By the mask, so that there is no moment at which others could connect. One thread: nobody else makes files now. */
	before = umask(0177);
	bound = bind(fd, &a.at.any, a.n);
	(void)umask(before);
	if (bound != 0)
		return fail(fd, path, "cannot be bound", why);
	if (listen(fd, BACKLOG) != 0)
		return fail(fd, path, "cannot listen", why);
	*ret_fd = fd;
	return ERR_OK;
}
