#ifndef KOSHIN_PORTS_LOOP_LOOP_H
#define KOSHIN_PORTS_LOOP_LOOP_H
/*
 * The event loop of one process (epoll): file descriptors, timers in monotonic time, and work put off until
 * the present callback has returned. Single-threaded. Callbacks may add and remove anything, themselves too.
 */
#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "ports/clock/clock.h"

/* FIRST, beside the others: before what is watched without it, and between its parts when that is much. For what many wait for: a CA's connections,
 * the other processes. It is the same in all calls for one fd. */
enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_FIRST = 4 };
struct loop;
struct loop_timer; /* opaque, owned by the loop */
typedef void loop_fd_fn(void *arg, int fd, int events); /* LOOP_READ | LOOP_WRITE; an error or hang-up sets both */
typedef void loop_fn(void *arg);

MUST_USE enum err loop_new(const struct clock *clock, struct loop **ret);
void loop_free(struct loop **l);
/* Watches fd; a second call for the same fd changes events and callback. events is not 0: loop_unwatch says that.
 * An fd is unwatched before it is closed. */
MUST_USE enum err loop_watch(struct loop *l, int fd, int events, loop_fd_fn *fn, void *arg);
void loop_unwatch(struct loop *l, int fd);
/* Calls fn once, after_ms from now (0: in the next round). NULL without memory. */
struct loop_timer *loop_after(struct loop *l, int64_t after_ms, loop_fn *fn, void *arg);
/* Takes a pending timer back and sets *t to NULL; a no-op for NULL. A timer that has fired is gone: its owner
 * sets its pointer to NULL in the callback. */
void loop_cancel(struct loop *l, struct loop_timer **t);
/* One round: waits at most max_ms (-1: until something happens), then calls what is due. */
MUST_USE enum err loop_round(struct loop *l, int64_t max_ms);
#endif
