#include "ports/link/link.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "base/must.h"
#include "base/wire.h"
#include "ports/link/message.h"

enum {
	READ_BATCH =
	    64, /* answers taken in one callback, so that other descriptors have their turn */
	RETRY_AFTER_MS =
	    50, /* when the machine has no memory for a message: the socket gives no event for that */
};

struct request {
	struct request *next;
	uint64_t id;
	link_answer_fn *fn;
	void *arg;
	int deaths;
	size_t n;
	char message[]; /* as it is sent */
};

/*
 * Requests stand in the order of their ids, from `first` to `last`. Those before `unsent` were sent and wait for
 * their answer; `unsent` (NULL: none) and those after it wait for room in the socket.
 */
struct link {
	struct loop *loop;
	int fd;
	bool is_closed, wants_room;
	struct loop_timer *retry, *farewell;
	uint64_t next_id;
	struct request *first, *last, *unsent;
	size_t waiting, waiting_max;
	struct link_counts counts;
	char in[LIMIT_MESSAGE_BYTES];
};

static void on_event(void *arg, int fd, int events);

enum err
link_pair(int ret_ends[2])
{
	int ends[2],
	    size = 4 * LIMIT_MESSAGE_BYTES; /* the kernel counts its own overhead within */

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
		return err_of_errno(errno);
	/* The kernel silently gives less where its limit is lower; Debian's, 208 KiB, is enough for one message of
	 * the greatest size, so a smaller buffer costs speed and nothing else. */
	for (int i = 0; i < 2; i++) {
		(void)setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
		(void)setsockopt(ends[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	}
	memcpy(ret_ends, ends, sizeof ends);
	return ERR_OK;
}

enum err
link_new(const struct link_options *options, struct link **ret)
{
	struct link *l = calloc(1, sizeof *l);

	if (l == NULL)
		return ERR_MEMORY;
	l->loop = options->loop;
	l->fd = options->fd;
	l->waiting_max = options->waiting_max;
	options->clock->random(options->clock->ctx, &l->next_id, sizeof l->next_id);
	enum err e = loop_watch(l->loop, l->fd, LOOP_FIRST | LOOP_READ, on_event, l);
	if (e != ERR_OK) {
		free(l);
		return e;
	}
	*ret = l;
	return ERR_OK;
}

static void
free_request(struct request *r)
{
	explicit_bzero(r->message, r->n); /* it may hold a password that was to be sealed */
	free(r);
}

void
link_free(struct link **lp)
{
	struct link *l = *lp;

	if (l == NULL)
		return;
	for (struct request *r = l->first, *next; r != NULL; r = next) {
		next = r->next;
		free_request(r);
	}
	if (!l->is_closed)
		loop_unwatch(l->loop, l->fd);
	loop_cancel(l->loop, &l->retry);
	loop_cancel(l->loop, &l->farewell);
	free(l);
	*lp = NULL;
}

/* Takes r, which stands behind `before` (NULL: it is the first), out of the line. */
static void
unchain(struct link *l, struct request *before, struct request *r)
{
	if (before == NULL)
		l->first = r->next;
	else
		before->next = r->next;
	if (l->last == r)
		l->last = before;
	if (l->unsent == r)
		l->unsent = r->next;
	l->waiting--;
}

static void
finish(struct link *l, struct request *before, enum err e, struct str body)
{
	struct request *r = before == NULL ? l->first : before->next;

	unchain(l, before, r);
	r->fn(r->arg, e, body);
	free_request(r);
}

static void
say_farewell(void *arg)
{
	struct link *l = arg;

	l->farewell = NULL;
	while (l->first != NULL)
		finish(l, NULL, ERR_CLOSED, STR_NONE);
}

/* The other end is gone, which cannot happen while a supervisor holds it open. Requests are answered from the
 * loop, because this may be found out inside link_ask. */
static void
close_link(struct link *l)
{
	if (l->is_closed)
		return;
	l->is_closed = true;
	loop_unwatch(l->loop, l->fd);
	l->farewell = loop_after(l->loop, 0, say_farewell, l);
	if (l->farewell == NULL)
		say_farewell(
		    l); /* without memory for a timer, an early answer is better than none */
}

static void send_unsent(struct link *l);

static void
on_retry(void *arg)
{
	struct link *l = arg;

	l->retry = NULL;
	send_unsent(l);
}

static void
set_wants_room(struct link *l, bool wants_room)
{
	if (l->is_closed || l->wants_room == wants_room)
		return;
	if (loop_watch(l->loop, l->fd, LOOP_FIRST | LOOP_READ | (wants_room ? LOOP_WRITE : 0),
		on_event, l) == ERR_OK)
		l->wants_room = wants_room;
	else if (wants_room && l->retry == NULL)
		l->retry = loop_after(l->loop, RETRY_AFTER_MS, on_retry, l);
}

static void
send_unsent(struct link *l)
{
	while (l->unsent != NULL && !l->is_closed) {
		ssize_t sent;

		do
			sent = send(l->fd, l->unsent->message, l->unsent->n,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
		while (sent < 0 && errno == EINTR);
		if (sent < 0 && errno == EAGAIN) {
			set_wants_room(l, true);
			return;
		}
		if (sent < 0 && (errno == ENOBUFS || errno == ENOMEM)) {
			if (l->retry == NULL)
				l->retry = loop_after(l->loop, RETRY_AFTER_MS, on_retry, l);
			return;
		}
		if (sent < 0) {
			close_link(l);
			return;
		}
		l->unsent = l->unsent->next;
	}
	set_wants_room(l, false);
}

enum err
link_ask(struct link *l, struct str body, link_answer_fn *fn, void *arg)
{
	if (l->is_closed)
		return ERR_CLOSED;
	if (body.n > LINK_BODY_BYTES)
		return ERR_TOO_LONG;
	if (l->waiting >= l->waiting_max)
		return ERR_FULL;
	struct request *r = malloc(sizeof *r + LINK_HEAD_BYTES + body.n);
	if (r == NULL)
		return ERR_MEMORY;
	*r = (struct request){
		.id = l->next_id++, .fn = fn, .arg = arg, .n = LINK_HEAD_BYTES + body.n
	};
	message_put_head(r->message, MESSAGE_REQUEST, r->id);
	if (body.n > 0)
		memcpy(r->message + LINK_HEAD_BYTES, body.p, body.n);
	if (l->last == NULL)
		l->first = r;
	else
		l->last->next = r;
	l->last = r;
	l->waiting++;
	l->counts.asked++;
	if (l->unsent == NULL) {
		l->unsent = r;
		send_unsent(l);
	}
	return ERR_OK;
}

/* The server is new: ask again whatever has no answer. */
static void
on_hello(struct link *l)
{
	l->counts.hellos++;
	if (l->first != NULL && l->first != l->unsent && ++l->first->deaths > LINK_DEATHS_MAX)
		finish(l, NULL, ERR_BUG, STR_NONE);
	for (struct request *r = l->first; r != l->unsent; r = r->next)
		l->counts.repeated++;
	l->unsent = l->first;
	send_unsent(l);
}

/* Answers come in the order of the requests, so the search ends at the first one nearly always. */
static void
on_answer(struct link *l, const struct message *m)
{
	struct request *before = NULL;

	for (struct request *r = l->first; r != l->unsent; before = r, r = r->next) {
		if (r->id == m->id) {
			l->counts.answered++;
			finish(l, before, ERR_OK, m->body);
			return;
		}
	}
	/* One that waits to be asked again may be answered by what its server had read before: that is an answer
	 * to the same question. */
	for (struct request *r = l->unsent; r != NULL; before = r, r = r->next) {
		if (r->id == m->id) {
			l->counts.answered++;
			finish(l, before, ERR_OK, m->body);
			return;
		}
	}
	l->counts.unknown++;
}

static void
on_message(struct link *l, struct str bytes)
{
	struct message m;

	if (message_read(bytes, &m) != ERR_OK) {
		l->counts.malformed++;
		return;
	}
	switch (m.kind) {
	case MESSAGE_HELLO:
		on_hello(l);
		return;
	case MESSAGE_ANSWER:
		on_answer(l, &m);
		return;
	case MESSAGE_REQUEST:
	case MESSAGE_QUIT:
		l->counts.malformed++; /* the other side answers; it does not ask */
		return;
	}
}

static void
on_event(void *arg, int fd, int events)
{
	struct link *l = arg;

	for (int i = 0; i < READ_BATCH && (events & LOOP_READ) != 0 && !l->is_closed; i++) {
		struct str bytes;
		enum err e = message_receive(fd, l->in, sizeof l->in, &bytes);

		if (e == ERR_BUSY)
			break;
		if (e == ERR_CLOSED) {
			close_link(l);
			return;
		}
		if (e != ERR_OK) {
			l->counts.malformed++;
			continue;
		}
		on_message(l, bytes);
		explicit_bzero(l->in, bytes.n);
	}
	if ((events & LOOP_WRITE) != 0)
		send_unsent(l);
}

struct link_counts
link_counts(const struct link *l)
{
	return l->counts;
}
