#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "base/must.h"
#include "base/wire.h"
#include "ports/link/link.h"
#include "ports/link/message.h"

enum {
	DRAIN_MAX = 10000
}; /* more than a socket's buffer holds; a client that never stops cannot hold us up */

/* What is to be sent on one end before anything more is read from it. */
struct served {
	const struct link_end *end;
	struct buf out;
	bool is_closed; /* its client shut it down: that harms nobody else */
};

/* One process, one call: too large for a stack, and without malloc it cannot fail in the middle. */
static char serve_in[LIMIT_MESSAGE_BYTES];

static enum err
send_out(struct served *s)
{
	ssize_t sent;

	do
		sent = send(s->end->fd, s->out.p, s->out.n, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0) {
		explicit_bzero(s->out.p, s->out.n);
		buf_clear(&s->out);
		return ERR_OK;
	}
	return errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM ? ERR_BUSY : ERR_CLOSED;
}

static void
put_head(struct buf *out, enum message_kind kind, uint64_t id)
{
	char head[LINK_HEAD_BYTES];

	message_put_head(head, kind, id);
	buf_put(out, head, sizeof head);
}

/* Answers one request; the rest of the line waits in the socket. */
static enum err
answer_one(struct served *s, struct buf *body)
{
	struct str bytes;
	struct message m;
	enum err e = message_receive(s->end->fd, serve_in, sizeof serve_in, &bytes);

	if (e == ERR_BUSY)
		return ERR_OK;
	if (e == ERR_CLOSED)
		return e;
	if (e != ERR_OK || message_read(bytes, &m) != ERR_OK || m.kind == MESSAGE_HELLO ||
	    m.kind == MESSAGE_ANSWER) {
		if (s->end->dropped != NULL)
			s->end->dropped(
			    s->end->arg, "a message that is not a request was dropped");
		return ERR_OK;
	}
	if (m.kind == MESSAGE_QUIT)
		return ERR_NOT_FOUND;
	buf_clear(body);
	s->end->fn(s->end->arg, m.body, body);
	if (body->err != ERR_OK)
		buf_clear(body);
	buf_clear(&s->out);
	put_head(&s->out, MESSAGE_ANSWER, m.id);
	buf_put_str(&s->out, buf_str(body));
	explicit_bzero(serve_in, bytes.n);
	if (body->p != NULL)
		explicit_bzero(body->p, body->cap);
	if (s->out.err !=
	    ERR_OK) { /* no memory: a client that hears nothing would wait for ever */
		buf_clear(&s->out);
		put_head(&s->out, MESSAGE_ANSWER, m.id);
	}
	return s->out.err == ERR_OK ? send_out(s) : s->out.err;
}

/* Waits for something to do; OK too when it was a signal. */
static enum err
wait_for_any(
    const struct served *served, size_t n, struct pollfd *ret_polls, const sigset_t *unblocked)
{
	size_t open_n = 0;

	for (size_t i = 0; i < n; i++) {
		ret_polls[i] =
		    (struct pollfd){ .fd = served[i].is_closed ? -1 : served[i].end->fd,
			    .events = served[i].out.n > 0 ? POLLOUT : POLLIN };
		open_n += !served[i].is_closed;
	}
	if (open_n == 0)
		return ERR_CLOSED;
	if (ppoll(ret_polls, (nfds_t)n, NULL, unblocked) >= 0)
		return ERR_OK;
	for (size_t i = 0; i < n; i++)
		ret_polls[i].revents = 0;
	return errno == EINTR || errno == EAGAIN || errno == ENOMEM ? ERR_OK
								    : err_of_errno(errno);
}

static enum err
serve_all(struct served *served, size_t n, const volatile sig_atomic_t *quit,
    const sigset_t *unblocked)
{
	AUTO_BUF body = { .max = 0 };

	buf_init(&body, LINK_BODY_BYTES);
	while (!*quit) {
		struct pollfd polls[LINK_ENDS_MAX];
		enum err e = wait_for_any(served, n, polls, unblocked);

		if (e != ERR_OK)
			return e;
		for (size_t i = 0; i < n; i++) {
			if (polls[i].revents == 0)
				continue;
			e = served[i].out.n > 0 ? send_out(&served[i])
						: answer_one(&served[i], &body);
			if (e == ERR_NOT_FOUND) /* QUIT */
				return ERR_OK;
			if (e == ERR_CLOSED)
				served[i].is_closed = true;
			else if (e != ERR_OK && e != ERR_BUSY)
				return e;
		}
	}
	return ERR_OK;
}

/* Forgets what a predecessor left unread. Each client asks all of it again when it hears HELLO; reading it too
 * would do the work twice, and meet a request that kills its server twice. */
static void
drain(int fd)
{
	struct str bytes;

	for (int i = 0; i < DRAIN_MAX; i++) {
		enum err e = message_receive(fd, serve_in, sizeof serve_in, &bytes);

		if (e != ERR_OK && e != ERR_PROTOCOL)
			return;
	}
}

enum err
link_serve(const struct link_end *ends, size_t n, const volatile sig_atomic_t *quit,
    const sigset_t *unblocked)
{
	struct served served[LINK_ENDS_MAX];
	enum err e = ERR_OK;

	must(n > 0 && n <= LINK_ENDS_MAX);
	for (size_t i = 0; i < n; i++) {
		served[i] = (struct served){ .end = &ends[i] };
		drain(ends[i].fd);
		buf_init(&served[i].out, LIMIT_MESSAGE_BYTES);
		put_head(&served[i].out, MESSAGE_HELLO, 0);
		e = served[i].out.err != ERR_OK ? served[i].out.err : e;
	}
	if (e == ERR_OK)
		e = serve_all(served, n, quit, unblocked);
	for (size_t i = 0; i < n; i++)
		buf_fini(&served[i].out);
	return e;
}

enum err
link_quit(int fd)
{
	char head[LINK_HEAD_BYTES];

	message_put_head(head, MESSAGE_QUIT, 0);
	return send(fd, head, sizeof head, MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof head
		   ? ERR_OK
		   : err_of_errno(errno);
}
