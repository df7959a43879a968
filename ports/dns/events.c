#include "ports/dns/events.h"

#include <stdlib.h>
#include <sys/time.h>
#include <unbound-event.h>
#include <unbound.h>

#include "base/must.h"

typedef void event_fn(int fd, short bits, void *arg);

/* libunbound holds pointers to the first member of each; both tell by it that they are what they should be. */
struct base {
	struct ub_event_base head;
	struct loop *loop;
};

/*
 * As libevent has it, which libunbound was written for: an event without UB_EV_PERSIST is over once it has fired; one with
 * it stays, and its timeout begins again. A callback may free its own event, so nothing is touched after the call.
 */
struct event {
	struct ub_event head;
	struct loop *loop;
	int fd; /* -1: a timer alone */
	short bits;
	bool is_watched;
	struct loop_timer *timer;
	int64_t timeout_ms; /* of `timer`; -1: none */
	event_fn *fn;
	void *arg;
};

static struct event *
event_of(struct ub_event *head)
{
	must(head->magic == UB_EVENT_MAGIC);
	return (struct event *)(void *)head;
}

static int
stop(struct ub_event *head)
{
	struct event *e = event_of(head);

	if (e->is_watched)
		loop_unwatch(e->loop, e->fd);
	e->is_watched = false;
	loop_cancel(e->loop, &e->timer);
	return 0;
}

static void on_timer(void *arg);

static bool
start_timer(struct event *e)
{
	loop_cancel(e->loop, &e->timer);
	if (e->timeout_ms >= 0)
		e->timer = loop_after(e->loop, e->timeout_ms, on_timer, e);
	return e->timeout_ms < 0 || e->timer != NULL;
}

static void
on_timer(void *arg)
{
	struct event *e = arg;

	e->timer = NULL;
	if ((e->bits & UB_EV_PERSIST) == 0)
		(void)stop(&e->head);
	else if (!start_timer(e))
		(void)stop(&e->head); /* its asker's own deadline ends it */
	e->fn(e->fd, UB_EV_TIMEOUT, e->arg);
}

static void
on_ready(void *arg, int fd, int ready)
{
	struct event *e = arg;
	short bits = 0;

	if ((ready & LOOP_READ) != 0)
		bits |= UB_EV_READ;
	if ((ready & LOOP_WRITE) != 0)
		bits |= UB_EV_WRITE;
	bits &= e->bits; /* the loop tells of an error as both */
	if ((e->bits & UB_EV_PERSIST) == 0)
		(void)stop(&e->head);
	else if (e->timer != NULL && !start_timer(e))
		(void)stop(&e->head);
	if (bits != 0)
		e->fn(fd, bits, e->arg);
}

static int64_t
ms_of(const struct timeval *tv)
{
	/* Rounded up: a timer that comes early would be set once more for nothing. */
	return tv == NULL ? -1
			  : (int64_t)tv->tv_sec * 1000 + ((int64_t)tv->tv_usec + 999) / 1000;
}

static int
start(struct ub_event *head, struct timeval *tv)
{
	struct event *e = event_of(head);
	int events = ((e->bits & UB_EV_READ) != 0 ? LOOP_READ : 0) |
		     ((e->bits & UB_EV_WRITE) != 0 ? LOOP_WRITE : 0);

	if (e->fd >= 0 && events != 0) {
		if (loop_watch(e->loop, e->fd, events, on_ready, e) != ERR_OK)
			return -1;
		e->is_watched = true;
	}
	e->timeout_ms = ms_of(tv);
	if (start_timer(e))
		return 0;
	(void)stop(head);
	return -1;
}

static int
start_alone(struct ub_event *head, struct ub_event_base *base, event_fn *fn, void *arg,
    struct timeval *tv)
{
	struct event *e = event_of(head);

	(void)base;
	e->fn = fn;
	e->arg = arg;
	e->timeout_ms = ms_of(tv);
	return start_timer(e) ? 0 : -1;
}

static void
add_bits(struct ub_event *head, short bits)
{
	event_of(head)->bits |= bits;
}

static void
del_bits(struct ub_event *head, short bits)
{
	event_of(head)->bits &= (short)~bits;
}

static void
set_fd(struct ub_event *head, int fd)
{
	event_of(head)->fd = fd;
}

static void
event_free(struct ub_event *head)
{
	(void)stop(head);
	free(event_of(head));
}

/* What libunbound never asks of a loop that it does not run, says unbound-event.h. */
static int
no_signal(struct ub_event *head, struct timeval *tv)
{
	(void)head;
	(void)tv;
	return -1;
}

static int
no_signal_end(struct ub_event *head)
{
	(void)head;
	return -1;
}

static void
no_socket_end(struct ub_event *head)
{
	(void)head;
}

static void
no_block(struct ub_event *head, int bits)
{
	(void)head;
	(void)bits;
}

static struct ub_event *
event_new(struct ub_event_base *base, int fd, short bits, event_fn *fn, void *arg)
{
	static struct ub_event_vmt methods = {
		.add_bits = add_bits,
		.del_bits = del_bits,
		.set_fd = set_fd,
		.free = event_free,
		.add = start,
		.del = stop,
		.add_timer = start_alone,
		.del_timer = stop,
		.add_signal = no_signal,
		.del_signal = no_signal_end,
		.winsock_unregister_wsaevent = no_socket_end,
		.winsock_tcp_wouldblock = no_block,
	};
	struct event *e = calloc(1, sizeof *e);

	if (e == NULL)
		return NULL;
	*e = (struct event){
		.head = { .magic = UB_EVENT_MAGIC, .vmt = &methods },
		.loop = ((struct base *)(void *)base)->loop,
		.fd = fd,
		.bits = bits,
		.timeout_ms = -1,
		.fn = fn,
		.arg = arg,
	};
	return &e->head;
}

static struct ub_event *
no_event(struct ub_event_base *base, int fd, event_fn *fn, void *arg)
{
	(void)base;
	(void)fd;
	(void)fn;
	(void)arg;
	return NULL;
}

static struct ub_event *
no_socket(struct ub_event_base *base, void *socket, event_fn *fn, void *arg)
{
	(void)socket;
	return no_event(base, -1, fn, arg);
}

static int
no_dispatch(struct ub_event_base *base)
{
	(void)base;
	return -1;
}

static int
no_exit(struct ub_event_base *base, struct timeval *tv)
{
	(void)base;
	(void)tv;
	return -1;
}

static void
base_free(struct ub_event_base *base)
{
	free(base);
}

struct ub_event_base *
events_new(struct loop *l)
{
	static struct ub_event_base_vmt methods = {
		.free = base_free,
		.dispatch = no_dispatch,
		.loopexit = no_exit,
		.new_event = event_new,
		.new_signal = no_event,
		.winsock_register_wsaevent = no_socket,
	};
	struct base *b = calloc(1, sizeof *b);

	if (b == NULL)
		return NULL;
	b->head = (struct ub_event_base){ .magic = UB_EVENT_MAGIC, .vmt = &methods };
	b->loop = l;
	return &b->head;
}

void
events_free(struct ub_event_base **base)
{
	free(*base);
	*base = NULL;
}
