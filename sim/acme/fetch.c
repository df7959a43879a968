#include "sim/acme/inside.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One GET of a validator, on a socket of its own: what it sees is what the web server sent, with no library between. */

enum { CONNECT_MS = 5000, READ_MS = 10000, ANSWER_BYTES = 64 * 1024 };

struct fetch {
	struct loop *loop;
	int fd;
	bool is_connected, is_refused; /* refused: connect itself said so */
	struct loop_timer *timer;
	struct buf out, in;
	size_t sent;
	fetch_done *done;
	void *arg;
};

void
fetch_drop(struct fetch **fp)
{
	struct fetch *f = *fp;

	if (f == NULL)
		return;
	loop_cancel(f->loop, &f->timer);
	if (f->fd >= 0) {
		loop_unwatch(f->loop, f->fd);
		(void)close(f->fd); /* the answer is here, or not wanted */
	}
	buf_fini(&f->out);
	buf_fini(&f->in);
	free(f);
	*fp = NULL;
}

static void
end(struct fetch *f, const struct fetch_result *r)
{
	fetch_done *done = f->done;
	void *arg = f->arg;

	/* The result may point into the buffers: whoever is told drops the fetch. */
	loop_cancel(f->loop, &f->timer);
	loop_unwatch(f->loop, f->fd);
	done(arg, r);
}

static void
fail(struct fetch *f, int reason)
{
	struct fetch_result r = { .what = FETCH_UNREACHABLE };

	if (reason == ECONNREFUSED)
		r.what = FETCH_REFUSED;
	else if (reason == ECONNRESET || reason == EPIPE)
		r.what = FETCH_RESET;
	else if (reason == ETIMEDOUT)
		r.what = f->is_connected ? FETCH_TIMEOUT_READ : FETCH_TIMEOUT_CONNECT;
	end(f, &r);
}

static void
too_late(void *arg)
{
	struct fetch *f = arg;

	f->timer = NULL;
	fail(f, ETIMEDOUT);
}

/* --- the answer --- */

/* Chunks put together at `to`, which may be where they stand; NULL: looks only. False: they are not all here. */
static bool
unchunk(struct str in, char *to, size_t *ret_n)
{
	size_t n = 0;

	while (in.n > 0) {
		struct str line = str_cut(&in, '\n');
		char *stop = NULL;
		unsigned long size = strtoul(line.p, &stop, 16);

		if (stop == line.p || size > in.n)
			return false;
		if (size == 0) {
			*ret_n = n;
			return true;
		}
		if (to != NULL)
			memmove(to + n, in.p, size);
		n += size;
		in = (struct str){ in.p + size, in.n - size };
		(void)str_cut(&in, '\n');
	}
	return false;
}

/* True: the answer is whole, and r tells of it. */
static bool
read_answer(struct fetch *f, bool is_over, struct fetch_result *r)
{
	struct str in = buf_str(&f->in);
	size_t head_n = str_find(in, STR("\r\n\r\n"));
	int64_t length = -1, status;
	bool is_chunked = false;

	*r = (struct fetch_result){ .what = FETCH_RUBBISH };
	if (head_n == SIZE_MAX)
		return is_over;
	struct str head = { in.p, head_n }, line = str_cut(&head, '\n'), body = { in.p + head_n + 4, in.n - head_n - 4 };
	struct str version = str_cut(&line, ' '), code = str_trim(str_cut(&line, ' '));
	if (!str_starts(version, STR("HTTP/1.")) || !str_to_int(code, &status) || status < 100 || status > 599)
		return true;
	while (head.n > 0) {
		struct str value = str_cut(&head, '\n'), name = str_cut(&value, ':');

		value = str_trim(value);
		if (str_eq_nocase(name, STR("Content-Length")) && !str_to_int(value, &length))
			return true;
		if (str_eq_nocase(name, STR("Location")))
			r->location = value;
		is_chunked = is_chunked || (str_eq_nocase(name, STR("Transfer-Encoding")) && str_eq_nocase(value, STR("chunked")));
	}
	if (is_chunked) {
		size_t n = 0;

		if (!unchunk(body, NULL, &n))
			return is_over;
		(void)unchunk(body, f->in.p + head_n + 4, &n); /* they are all here */
		body.n = n;
	} else if (length >= 0) {
		if (body.n < (size_t)length)
			return is_over;
		body.n = (size_t)length;
	} else if (!is_over) {
		return false;
	}
	r->what = FETCH_ANSWERED;
	r->status = (int)status;
	r->body = body;
	return true;
}

static void
receive(struct fetch *f)
{
	char part[4096];
	struct fetch_result r;

	for (;;) {
		ssize_t n = recv(f->fd, part, sizeof part, 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			fail(f, errno);
			return;
		}
		buf_put(&f->in, part, (size_t)n);
		bool is_over = n == 0 || f->in.err != ERR_OK;
		if (is_over && f->in.n == 0) {
			fail(f, ECONNRESET);
			return;
		}
		if (read_answer(f, is_over, &r)) {
			end(f, &r);
			return;
		}
	}
}

static void
on_ready(void *arg, int fd, int events)
{
	struct fetch *f = arg;
	int reason = 0;
	socklen_t n = sizeof reason;

	(void)events;
	if (!f->is_connected) {
		if (f->is_refused) {
			fail(f, ECONNREFUSED);
			return;
		}
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &n) != 0 || reason != 0) {
			fail(f, reason);
			return;
		}
		f->is_connected = true;
		loop_cancel(f->loop, &f->timer);
		f->timer = loop_after(f->loop, READ_MS, too_late, f);
	}
	if (f->sent < f->out.n) {
		ssize_t put = send(fd, f->out.p + f->sent, f->out.n - f->sent, MSG_NOSIGNAL);

		if (put < 0 && errno != EAGAIN && errno != EINTR) {
			fail(f, errno);
			return;
		}
		f->sent += put > 0 ? (size_t)put : 0;
		if (f->sent == f->out.n && loop_watch(f->loop, fd, LOOP_READ, on_ready, f) != ERR_OK)
			fail(f, ENOMEM);
		return;
	}
	receive(f);
}

static int
socket_to(const char *address, uint16_t port, bool *ret_is_refused)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	bool is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;

	if (!is_v4 && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1)
		return -1;
	int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	int r = is_v4 ? connect(fd, (struct sockaddr *)&v4, sizeof v4) : connect(fd, (struct sockaddr *)&v6, sizeof v6);
	*ret_is_refused = r != 0 && errno == ECONNREFUSED;
	if (r == 0 || errno == EINPROGRESS || *ret_is_refused)
		return fd;
	(void)close(fd); /* it was never used */
	return -1;
}

enum err
fetch_begin(struct loop *l, const char *address, uint16_t port, struct str host, struct str path, fetch_done *done, void *arg,
    struct fetch **ret)
{
	struct fetch *f = calloc(1, sizeof *f);

	if (f == NULL)
		return ERR_MEMORY;
	f->loop = l;
	f->done = done;
	f->arg = arg;
	buf_init(&f->out, 8192);
	buf_init(&f->in, ANSWER_BYTES);
	buf_putf(&f->out,
	    "GET %.*s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: Mozilla/5.0 (compatible; koshin fake CA validation server)\r\n"
	    "Accept: */*\r\nConnection: close\r\n\r\n",
	    STR_ARG(path), STR_ARG(host));
	f->fd = socket_to(address, port, &f->is_refused);
	enum err err = f->fd < 0 || f->out.err != ERR_OK ? ERR_CONNECT : loop_watch(l, f->fd, LOOP_WRITE, on_ready, f);
	if (err == ERR_OK && (f->timer = loop_after(l, CONNECT_MS, too_late, f)) == NULL)
		err = ERR_MEMORY;
	if (err != ERR_OK) {
		fetch_drop(&f);
		return err;
	}
	*ret = f;
	return ERR_OK;
}
