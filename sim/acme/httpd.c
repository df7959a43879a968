#include "sim/acme/httpd.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/limits.h"
#include "base/must.h"
#include "ports/loop/listen.h"

enum { READ_BYTES = 16 * 1024, SLOW_MS = 50, WHERE_BYTES = 80 };

enum conn_state {
	CONN_SHAKES, /* the TLS handshake */
	CONN_READS,  /* a request is not here as a whole */
	CONN_WAITS,  /* its answer is put off, or is never sent */
	CONN_WRITES,
};
struct conn {
	struct httpd *h;
	struct conn *next, *prev;
	int fd;
	SSL *ssl; /* NULL: plain */
	enum conn_state state;
	struct buf in, out;
	size_t sent, send_end; /* of out; beyond send_end nothing is sent */
	unsigned bytes_per_s;  /* 0: at once */
	bool closes;	       /* after this answer */
	int watched;
	struct loop_timer *timer;
	char peer[INET6_ADDRSTRLEN];
};
struct listener {
	char where[WHERE_BYTES]; /* with the port that was taken */
	int fd;			 /* -1: stopped */
};
struct httpd {
	struct loop *loop;
	SSL_CTX *tls;
	httpd_handler *handler;
	void *arg;
	struct listener listeners[HTTPD_LISTENERS_MAX];
	size_t listeners_n;
	struct conn *conns;
	size_t conns_n;
};

static void on_ready(void *arg, int fd, int events);

/* --- connections --- */

static void
conn_close(struct conn *c, bool resets)
{
	struct httpd *h = c->h;

	if (resets) {
		struct linger now = { .l_onoff = 1, .l_linger = 0 };

		/* Without it the connection ends with FIN, which is as good a fault. */
		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	}
	loop_cancel(h->loop, &c->timer);
	loop_unwatch(h->loop, c->fd);
	SSL_free(c->ssl);
	(void)close(c->fd); /* nothing of value is in flight to a client that we drop */
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		h->conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	h->conns_n--;
	buf_fini(&c->in);
	buf_fini(&c->out);
	free(c);
}

/* False: the connection is gone. */
static bool
watch(struct conn *c, int events)
{
	if (c->watched == events)
		return true;
	c->watched = events;
	if (loop_watch(c->h->loop, c->fd, events, on_ready, c) == ERR_OK)
		return true;
	conn_close(c, false);
	return false;
}

enum io { IO_DONE, IO_AGAIN_READ, IO_AGAIN_WRITE, IO_ENDED };

static enum io
tls_io(struct conn *c, int result)
{
	switch (SSL_get_error(c->ssl, result)) {
	case SSL_ERROR_NONE:
		return IO_DONE;
	case SSL_ERROR_WANT_READ:
		return IO_AGAIN_READ;
	case SSL_ERROR_WANT_WRITE:
		return IO_AGAIN_WRITE;
	default:
		ERR_clear_error();
		return IO_ENDED;
	}
}

static enum io
conn_recv(struct conn *c, char *to, size_t n, size_t *ret_n)
{
	if (c->ssl != NULL)
		return tls_io(c, SSL_read_ex(c->ssl, to, n, ret_n));
	ssize_t got = recv(c->fd, to, n, 0);
	if (got > 0) {
		*ret_n = (size_t)got;
		return IO_DONE;
	}
	return got < 0 && (errno == EAGAIN || errno == EINTR) ? IO_AGAIN_READ : IO_ENDED;
}

static enum io
conn_send(struct conn *c, const char *from, size_t n, size_t *ret_n)
{
	if (c->ssl != NULL)
		return tls_io(c, SSL_write_ex(c->ssl, from, n, ret_n));
	ssize_t put = send(c->fd, from, n, MSG_NOSIGNAL);
	if (put >= 0) {
		*ret_n = (size_t)put;
		return IO_DONE;
	}
	return errno == EAGAIN || errno == EINTR ? IO_AGAIN_WRITE : IO_ENDED;
}

/* --- answers --- */

static const char *
reason_of(int status)
{
	return status < 300 ? "OK" : status < 500 ? "Refused" : "Failed";
}

static void read_on(struct conn *c);

static void
answered(struct conn *c)
{
	if (c->closes) {
		if (c->ssl != NULL)
			(void)SSL_shutdown(c->ssl); /* the client may be gone */
		conn_close(c, false);
		return;
	}
	buf_clear(&c->out);
	c->state = CONN_READS;
	if (watch(c, LOOP_READ))
		read_on(c);
}

static void write_on(struct conn *c);

static void
write_slowly(void *arg)
{
	struct conn *c = arg;

	c->timer = NULL;
	write_on(c);
}

/* Sends what is left; ends with the connection closed, or waiting for the peer, for a timer, or for the next request. */
static void
write_on(struct conn *c)
{
	c->state = CONN_WRITES;
	while (c->sent < c->send_end) {
		size_t n = c->send_end - c->sent, put = 0, part = c->bytes_per_s * SLOW_MS / 1000;

		if (c->bytes_per_s > 0 && n > part)
			n = part == 0 ? 1 : part;
		enum io io = conn_send(c, c->out.p + c->sent, n, &put);
		if (io == IO_ENDED) {
			conn_close(c, false);
			return;
		}
		if (io != IO_DONE) {
			(void)watch(c, io == IO_AGAIN_READ ? LOOP_READ : LOOP_WRITE); /* or it is gone */
			return;
		}
		c->sent += put;
		if (c->bytes_per_s > 0 && c->sent < c->send_end) {
			c->timer = loop_after(c->h->loop, SLOW_MS, write_slowly, c);
			if (c->timer == NULL)
				conn_close(c, false);
			return;
		}
	}
	answered(c);
}

static void
write_first(void *arg)
{
	struct conn *c = arg;

	c->timer = NULL;
	write_on(c);
}

static void
reply(struct conn *c, const struct httpd_reply *r, bool is_head)
{
	bool has_body = r->type != NULL;

	buf_clear(&c->out);
	buf_putf(&c->out, "HTTP/1.1 %d %s\r\n", r->status, reason_of(r->status));
	buf_put_str(&c->out, buf_str(&r->headers));
	if (has_body)
		buf_putf(&c->out, "Content-Type: %s\r\n", r->type);
	buf_putf(&c->out, "Content-Length: %zu\r\n%s\r\n", has_body ? r->body.n : 0,
	    c->closes ? "Connection: close\r\n" : "");
	size_t head = c->out.n, body = has_body && !is_head ? r->body.n : 0;
	if (body > 0)
		buf_put_str(&c->out, buf_str(&r->body));
	if (c->out.err != ERR_OK || r->headers.err != ERR_OK || r->body.err != ERR_OK ||
	    r->manner == HTTPD_RESET) {
		conn_close(c, true);
		return;
	}
	c->sent = 0;
	c->send_end = r->manner == HTTPD_HALF ? head + body / 2 : c->out.n;
	c->closes = c->closes || r->manner == HTTPD_HALF;
	c->bytes_per_s = r->manner == HTTPD_SLOW ? r->bytes_per_s : 0;
	c->state = CONN_WAITS;
	if (r->manner == HTTPD_SILENT)
		return;
	if (r->after_ms > 0) {
		c->timer = loop_after(c->h->loop, r->after_ms, write_first, c);
		if (c->timer == NULL)
			conn_close(c, false);
		return;
	}
	write_on(c);
}

/* --- requests --- */

static struct str
trimmed_line(struct str *s)
{
	struct str line = str_cut(s, '\n');

	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static bool
read_head(struct conn *c, struct str head, struct httpd_request *r, size_t *ret_length)
{
	struct str line = trimmed_line(&head);
	int64_t length = 0;

	r->method = str_cut(&line, ' ');
	r->path = str_cut(&line, ' ');
	if (r->method.n == 0 || r->path.n == 0 || r->path.p[0] != '/' || !str_is_line(r->path) ||
	    !str_starts(line, STR("HTTP/1.")))
		return false;
	c->closes = str_eq(line, STR("HTTP/1.0"));
	while (head.n > 0) {
		struct str value = trimmed_line(&head), name = str_cut(&value, ':');

		value = str_trim(value);
		if (!str_is_line(value))
			return false;
		if (str_eq_nocase(name, STR("Content-Length"))) {
			if (!str_to_int(value, &length) || length < 0 || length > LIMIT_REQUEST_BYTES)
				return false;
		} else if (str_eq_nocase(name, STR("Content-Type"))) {
			r->type = value;
		} else if (str_eq_nocase(name, STR("Host"))) {
			r->host = value;
		} else if (str_eq_nocase(name, STR("Accept-Language"))) {
			r->accept_language = value;
		} else if (str_eq_nocase(name, STR("Connection"))) {
			c->closes = c->closes || str_eq_nocase(value, STR("close"));
		} else if (str_eq_nocase(name, STR("Transfer-Encoding"))) {
			return false; /* no ACME client sends it */
		}
	}
	*ret_length = (size_t)length;
	return true;
}

/* Takes one request off the input. False: it is not here as a whole, or the connection is gone (ret_gone). */
static bool
take_request(struct conn *c, bool *ret_gone)
{
	struct str in = buf_str(&c->in);
	size_t end = str_find(in, STR("\r\n\r\n")), length = 0;
	struct httpd_request r = { .peer = str_of(c->peer) };

	*ret_gone = false;
	if (end == SIZE_MAX && in.n < HTTPD_HEAD_BYTES)
		return false;
	if (end == SIZE_MAX || !read_head(c, (struct str){ in.p, end }, &r, &length)) {
		conn_close(c, false);
		*ret_gone = true;
		return false;
	}
	size_t whole = end + 4 + length;
	if (in.n < whole)
		return false;
	r.body = (struct str){ in.p + end + 4, length };
	struct httpd_reply answer = { .status = 500 };
	buf_init(&answer.headers, 64 * 1024);
	buf_init(&answer.body, 64 * 1024 * 1024);
	c->h->handler(c->h->arg, &r, &answer);
	bool is_head = str_eq(r.method, STR("HEAD"));
	memmove(c->in.p, c->in.p + whole, c->in.n - whole);
	c->in.n -= whole;
	reply(c, &answer, is_head);
	buf_fini(&answer.headers);
	buf_fini(&answer.body);
	return true;
}

static void
read_on(struct conn *c)
{
	char part[READ_BYTES];
	bool is_gone;

	for (;;) {
		size_t n = 0;

		if (c->in.n > 0 && (take_request(c, &is_gone) || is_gone))
			return; /* the answer's end reads on */
		enum io io = conn_recv(c, part, sizeof part, &n);
		if (io == IO_AGAIN_READ || io == IO_AGAIN_WRITE) {
			(void)watch(c, io == IO_AGAIN_READ ? LOOP_READ : LOOP_WRITE); /* or it is gone */
			return;
		}
		if (io == IO_DONE)
			buf_put(&c->in, part, n);
		if (io == IO_ENDED || c->in.err != ERR_OK) {
			conn_close(c, false);
			return;
		}
	}
}

static void
shake_on(struct conn *c)
{
	enum io io = tls_io(c, SSL_accept(c->ssl));

	if (io == IO_ENDED) {
		conn_close(c, false);
		return;
	}
	if (io != IO_DONE) {
		(void)watch(c, io == IO_AGAIN_READ ? LOOP_READ : LOOP_WRITE); /* or it is gone */
		return;
	}
	c->state = CONN_READS;
	read_on(c);
}

static void
on_ready(void *arg, int fd, int events)
{
	struct conn *c = arg;
	char byte;

	(void)events;
	switch (c->state) {
	case CONN_SHAKES:
		shake_on(c);
		return;
	case CONN_READS:
		read_on(c);
		return;
	case CONN_WRITES:
		if (c->timer == NULL)
			write_on(c);
		else if (recv(fd, &byte, 1, MSG_PEEK) == 0)
			conn_close(c, false);
		return;
	case CONN_WAITS:
		/* The peer hangs up, or sends more than it may while it waits: a level-triggered loop would spin. */
		conn_close(c, false);
		return;
	}
}

/* --- listening --- */

static void
add_conn(struct httpd *h, int fd, const struct sockaddr_storage *from)
{
	struct conn *c = calloc(1, sizeof *c);
	int yes = 1;
	const void *address = from->ss_family == AF_INET6
				  ? (const void *)&((const struct sockaddr_in6 *)from)->sin6_addr
				  : (const void *)&((const struct sockaddr_in *)from)->sin_addr;

	if (c == NULL || h->conns_n >= HTTPD_CONNECTIONS_MAX) {
		free(c);
		(void)close(fd); /* the client sees a closed connection: we are full */
		return;
	}
	c->h = h;
	c->fd = fd;
	buf_init(&c->in, LIMIT_REQUEST_BYTES + HTTPD_HEAD_BYTES + READ_BYTES);
	buf_init(&c->out, 64 * 1024 * 1024);
	if (inet_ntop(from->ss_family, address, c->peer, sizeof c->peer) == NULL)
		c->peer[0] = '\0';
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes); /* slower without */
	c->next = h->conns;
	if (c->next != NULL)
		c->next->prev = c;
	h->conns = c;
	h->conns_n++;
	c->state = CONN_READS;
	if (h->tls != NULL) {
		c->state = CONN_SHAKES;
		c->ssl = SSL_new(h->tls);
		if (c->ssl == NULL || SSL_set_fd(c->ssl, fd) != 1) {
			conn_close(c, false);
			return;
		}
	}
	(void)watch(c, LOOP_READ); /* or it is gone */
}

static void
on_connect(void *arg, int fd, int events)
{
	struct httpd *h = arg;

	(void)events;
	for (;;) {
		struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
		socklen_t n = sizeof from;
		int got = accept4(fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (got < 0)
			return; /* none is left, or it went away before we took it */
		add_conn(h, got, &from);
	}
}

static enum err
listener_open(struct httpd *h, struct listener *l, struct why *why)
{
	enum err err = listen_tcp(l->where, why, &l->fd);

	if (err != ERR_OK)
		return err;
	err = loop_watch(h->loop, l->fd, LOOP_READ, on_connect, h);
	if (err != ERR_OK) {
		(void)close(l->fd); /* it was never used */
		l->fd = -1;
	}
	return err;
}

enum err
httpd_listen(struct httpd *h, const char *where, struct why *why, uint16_t *ret_port)
{
	struct listener *l = &h->listeners[h->listeners_n];
	struct sockaddr_storage at;
	socklen_t n = sizeof at;

	if (h->listeners_n == HTTPD_LISTENERS_MAX || strlen(where) >= WHERE_BYTES - 8) {
		why_set(why, "%s: expected address:port, at most %d of them", where, HTTPD_LISTENERS_MAX);
		return ERR_TOO_LONG;
	}
	(void)snprintf(l->where, sizeof l->where, "%s", where);
	enum err err = listener_open(h, l, why);
	if (err != ERR_OK)
		return err;
	must(getsockname(l->fd, (struct sockaddr *)&at, &n) == 0);
	*ret_port = ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
						   : ((struct sockaddr_in *)&at)->sin_port);
	/* A start after a stop takes the same port again. */
	(void)snprintf(l->where, sizeof l->where, "%.*s:%u", (int)(strrchr(where, ':') - where), where, *ret_port);
	h->listeners_n++;
	return ERR_OK;
}

void
httpd_stop(struct httpd *h)
{
	for (size_t i = 0; i < h->listeners_n; i++) {
		if (h->listeners[i].fd < 0)
			continue;
		loop_unwatch(h->loop, h->listeners[i].fd);
		(void)close(h->listeners[i].fd); /* a listener has nothing to lose */
		h->listeners[i].fd = -1;
	}
	while (h->conns != NULL)
		conn_close(h->conns, true);
}

enum err
httpd_start(struct httpd *h, struct why *why)
{
	for (size_t i = 0; i < h->listeners_n; i++) {
		enum err err = h->listeners[i].fd >= 0 ? ERR_OK : listener_open(h, &h->listeners[i], why);

		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

enum err
httpd_new(struct loop *l, SSL_CTX *tls, httpd_handler *handler, void *arg, struct httpd **ret)
{
	struct httpd *h = calloc(1, sizeof *h);

	if (h == NULL)
		return ERR_MEMORY;
	*h = (struct httpd){ .loop = l, .tls = tls, .handler = handler, .arg = arg };
	*ret = h;
	return ERR_OK;
}

void
httpd_free(struct httpd **hp)
{
	if (*hp == NULL)
		return;
	httpd_stop(*hp);
	free(*hp);
	*hp = NULL;
}
