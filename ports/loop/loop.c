#include "ports/loop/loop.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "base/must.h"

enum {
	TAKEN_EVENTS = 64 /* from the kernel at one time */
};
#define OF_FIRST UINT64_MAX /* the event of the set of those that go first; no descriptor and generation are that */

/*
 * One for each number that a descriptor can have, so that an event finds its owner without a search.
 * A descriptor's number is used again after close. `generation` travels with the kernel's event, so that an event
 * of the same round that was meant for a former owner is never given to the new one.
 */
struct watch {
	loop_fd_fn *fn; /* NULL: not watched */
	void *arg;
	uint32_t generation;
	bool is_first; /* in the set of those that go first */
};

/* Invariant: heap[t->at] == t for each pending timer. */
struct loop_timer {
	int64_t due_ms;
	uint64_t
	    order; /* timers of one millisecond fire in the order in which they were made */
	size_t at;
	loop_fn *fn;
	void *arg;
};

struct loop {
	struct clock clock;
	int epoll, first; /* `first` is watched by `epoll`: one wait is for both */
	struct watch *watches;
	size_t watches_n;
	struct loop_timer **heap;
	size_t heap_n, heap_cap;
	uint64_t next_order;
};

enum err
loop_new(const struct clock *clock, struct loop **ret)
{
	struct loop *l = calloc(1, sizeof *l);

	if (l == NULL)
		return ERR_MEMORY;
	l->clock = *clock;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->first = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = OF_FIRST };
	if (l->epoll < 0 || l->first < 0 || epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->first, &event) != 0) {
		enum err e = err_of_errno(errno);

		loop_free(&l);
		return e;
	}
	*ret = l;
	return ERR_OK;
}

void
loop_free(struct loop **lp)
{
	struct loop *l = *lp;

	if (l == NULL)
		return;
	for (size_t i = 0; i < l->heap_n; i++)
		free(l->heap[i]);
	free(l->heap);
	free(l->watches);
	if (l->first >= 0)
		close(l->first);
	if (l->epoll >= 0)
		close(l->epoll);
	free(l);
	*lp = NULL;
}

static enum err
grow_watches(struct loop *l, size_t fd)
{
	size_t n = l->watches_n < 32 ? 32 : l->watches_n;

	while (n <= fd)
		n *= 2;
	struct watch *w = realloc(l->watches, n * sizeof *w);
	if (w == NULL)
		return ERR_MEMORY;
	for (size_t i = l->watches_n; i < n; i++)
		w[i] = (struct watch){ 0 };
	l->watches = w;
	l->watches_n = n;
	return ERR_OK;
}

enum err
loop_watch(struct loop *l, int fd, int events, loop_fd_fn *fn, void *arg)
{
	must(fd >= 0 && fn != NULL && (events & ~(LOOP_READ | LOOP_WRITE | LOOP_FIRST)) == 0 && (events & (LOOP_READ | LOOP_WRITE)) != 0);
	if ((size_t)fd >= l->watches_n) {
		enum err e = grow_watches(l, (size_t)fd);

		if (e != ERR_OK)
			return e;
	}
	struct watch *w = &l->watches[fd];
	uint32_t generation = w->fn == NULL ? w->generation + 1 : w->generation;
	struct epoll_event event = {
		.events = ((events & LOOP_READ) != 0 ? (uint32_t)EPOLLIN | EPOLLRDHUP : 0) |
			  ((events & LOOP_WRITE) != 0 ? (uint32_t)EPOLLOUT : 0),
		.data.u64 = (uint64_t)generation << 32 | (uint32_t)fd,
	};

	int epoll = (events & LOOP_FIRST) != 0 ? l->first : l->epoll;
	/* A descriptor that its owner closed without telling us has left the epoll set by itself; its number
	 * may already be another file. So whichever the table says, the other call is tried too. */
	int r = epoll_ctl(epoll, w->fn == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
	if (r != 0 && errno == ENOENT)
		r = epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	else if (r != 0 && errno == EEXIST)
		r = epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
	if (r != 0)
		return err_of_errno(errno);
	*w = (struct watch){ fn, arg, generation, epoll == l->first };
	return ERR_OK;
}

void
loop_unwatch(struct loop *l, int fd)
{
	if (fd < 0 || (size_t)fd >= l->watches_n || l->watches[fd].fn == NULL)
		return;
	l->watches[fd].fn = NULL;
	l->watches[fd].arg = NULL;
	(void)epoll_ctl(l->watches[fd].is_first ? l->first : l->epoll, EPOLL_CTL_DEL, fd,
	    NULL); /* fails if it was closed before: nothing is left to do */
}

static bool
is_earlier(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void
heap_set(struct loop *l, size_t at, struct loop_timer *t)
{
	l->heap[at] = t;
	t->at = at;
}

/* Puts t where it belongs, on the way up or down from the free place `at`. */
static void
heap_settle(struct loop *l, size_t at, struct loop_timer *t)
{
	while (at > 0 && is_earlier(t, l->heap[(at - 1) / 2])) {
		heap_set(l, at, l->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	for (size_t child = 2 * at + 1; child < l->heap_n; child = 2 * at + 1) {
		if (child + 1 < l->heap_n && is_earlier(l->heap[child + 1], l->heap[child]))
			child++;
		if (!is_earlier(l->heap[child], t))
			break;
		heap_set(l, at, l->heap[child]);
		at = child;
	}
	heap_set(l, at, t);
}

static void
heap_remove(struct loop *l, struct loop_timer *t)
{
	must(t->at < l->heap_n && l->heap[t->at] == t);
	struct loop_timer *last = l->heap[--l->heap_n];

	if (last != t)
		heap_settle(l, t->at, last);
}

struct loop_timer *
loop_after(struct loop *l, int64_t after_ms, loop_fn *fn, void *arg)
{
	struct loop_timer *t = malloc(sizeof *t);
	int64_t now = clock_mono(&l->clock).ms, due;

	if (t == NULL)
		return NULL;
	if (l->heap_n == l->heap_cap) {
		size_t cap = l->heap_cap == 0 ? 32 : 2 * l->heap_cap;
		struct loop_timer **heap = realloc(l->heap, cap * sizeof(struct loop_timer *));

		if (heap == NULL) {
			free(t);
			return NULL;
		}
		l->heap = heap;
		l->heap_cap = cap;
	}
	if (__builtin_add_overflow(now, after_ms < 0 ? 0 : after_ms, &due))
		due = INT64_MAX;
	*t = (struct loop_timer){
		.due_ms = due, .order = l->next_order++, .fn = fn, .arg = arg
	};
	l->heap_n++;
	heap_settle(l, l->heap_n - 1, t);
	return t;
}

void
loop_cancel(struct loop *l, struct loop_timer **tp)
{
	struct loop_timer *t = *tp;

	if (t == NULL)
		return;
	heap_remove(l, t);
	free(t);
	*tp = NULL;
}

/* Milliseconds for epoll_wait: until the first timer, at most max_ms; -1 without either. */
static int
wait_ms(struct loop *l, int64_t max_ms)
{
	int64_t wait = max_ms < 0 ? INT64_MAX : max_ms;

	if (l->heap_n > 0) {
		int64_t now = clock_mono(&l->clock).ms;
		int64_t left = l->heap[0]->due_ms <= now ? 0 : l->heap[0]->due_ms - now;

		wait = left < wait ? left : wait;
	}
	if (wait == INT64_MAX)
		return -1;
	return wait > INT_MAX ? INT_MAX : (int)wait;
}

static void
give_event(struct loop *l, const struct epoll_event *event)
{
	if (event->data.u64 == OF_FIRST)
		return; /* they have had their turn */
	int fd = (int)(uint32_t)event->data.u64;
	const struct watch *w = &l->watches[fd];
	int events = 0;

	if (w->fn == NULL || w->generation != (uint32_t)(event->data.u64 >> 32))
		return; /* unwatched by an earlier callback of this round */
	if ((event->events & (EPOLLERR | EPOLLHUP)) != 0)
		events = LOOP_READ | LOOP_WRITE;
	if ((event->events & (EPOLLIN | EPOLLRDHUP)) != 0)
		events |= LOOP_READ;
	if ((event->events & EPOLLOUT) != 0)
		events |= LOOP_WRITE;
	if (events != 0)
		w->fn(w->arg, fd, events);
}

/* Gives out what is ready in this set, so many at most; how many they were, or less than 0. */
static int
give_some(struct loop *l, int epoll, int max_ms, int64_t *woken_ms)
{
	struct epoll_event events[TAKEN_EVENTS];
	int n = epoll_wait(epoll, events, TAKEN_EVENTS, max_ms);

	if (woken_ms != NULL)
		*woken_ms = clock_mono(&l->clock).ms;
	if (n > 0 && epoll == l->epoll)
		(void)give_some(l, l->first, 0, NULL);
	for (int i = 0; i < n; i++)
		give_event(l, &events[i]);
	return n < 0 && errno == EINTR ? 0 : n;
}

/*
 * Everything that is ready is given out before a timer fires, however much it is: an answer that lies in its socket must not
 * become a timeout because we were busy. `max_ms` is for the first wait alone. Descriptors that stay ready come again, so the
 * number of takes is bounded by that of the descriptors.
 */
static enum err
give_ready(struct loop *l, int max_ms, int64_t *woken_ms)
{
	size_t takes = l->watches_n / TAKEN_EVENTS + 1;
	int n = give_some(l, l->epoll, max_ms, woken_ms);

	while (n == TAKEN_EVENTS && --takes > 0)
		n = give_some(l, l->epoll, 0, NULL);
	return n < 0 ? err_of_errno(errno) : ERR_OK;
}

enum err
loop_round(struct loop *l, int64_t max_ms)
{
	int64_t woken_ms;
	/* What callbacks of this round put off is for the next one. Its timers sort behind all that are due now,
	 * because its date is not before `woken_ms` and its order is not below `limit`. */
	uint64_t limit = l->next_order;
	enum err e = give_ready(l, wait_ms(l, max_ms), &woken_ms);

	if (e != ERR_OK)
		return e;
	while (l->heap_n > 0 && l->heap[0]->due_ms <= woken_ms && l->heap[0]->order < limit) {
		struct loop_timer *t = l->heap[0];
		loop_fn *fn = t->fn;
		void *arg = t->arg;

		heap_remove(l, t);
		free(t);
		fn(arg);
	}
	return ERR_OK;
}
