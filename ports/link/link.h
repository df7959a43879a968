#ifndef KOSHIN_PORTS_LINK_LINK_H
#define KOSHIN_PORTS_LINK_LINK_H
/*
 * Requests and answers between two of our processes, over a SOCK_SEQPACKET socket pair whose two ends the supervisor
 * keeps open for ever: so the pair outlives the death of the process on either side.
 *
 * - A request has an id from a counter that starts at random, so that no answer to a dead predecessor of the client
 *   is taken for one of ours. An answer whose id nobody waits for is ignored and counted.
 * - A server that starts forgets what its predecessor left unread and says HELLO. The client then sends every request
 *   again that has no answer yet. One may have been carried out before the death: so each must be safe to repeat.
 * - A server answers in the order of the requests. So when it dies, the oldest request is the one that it was at
 *   work on: one that has seen LINK_DEATHS_MAX deaths is taken off and answered with ERR_BUG, lest it be asked for ever.
 *
 * Bytes of the peer are never trusted; what cannot be read is dropped and counted.
 */
#include <signal.h>
#include "base/limits.h"
#include "base/str.h"
#include "ports/loop/loop.h"

enum {
	LINK_HEAD_BYTES = 10, /* version, kind, id */
	LINK_BODY_BYTES = LIMIT_MESSAGE_BYTES - LINK_HEAD_BYTES,
	LINK_DEATHS_MAX = 5,
};

/* A pair of non-blocking, close-on-exec ends whose buffers hold two messages of the greatest size at least. */
MUST_USE enum err link_pair(int ret_ends[2]);

/* The side that asks. The fd stays the caller's; the body of an answer is valid during the call only. */
struct link;
typedef void link_answer_fn(void *arg, enum err err, struct str body);
struct link_options {
	struct loop *loop;
	const struct clock *clock;
	int fd;
	size_t waiting_max; /* requests without an answer; more are ERR_FULL */
};
struct link_counts {
	uint64_t asked, answered, repeated, hellos, unknown, malformed;
};
MUST_USE enum err link_new(const struct link_options *options, struct link **ret);
/* Requests without an answer are forgotten: their fn is not called. Not from inside an answer. */
void link_free(struct link **l);
/* Copies the body. fn is called once, never from inside link_ask: with the answer, with ERR_BUG (see above), or
 * with ERR_CLOSED when the other end is gone for good. */
MUST_USE enum err link_ask(struct link *l, struct str body, link_answer_fn *fn, void *arg);
struct link_counts link_counts(const struct link *l);

/*
 * The side that answers: a loop of its own, over all its links, for a process that does nothing else. A link whose
 * answer cannot be sent yet is not read from, and does not hold up the others. fn writes the body of the answer;
 * an answer that is too long or for which there is no memory is sent as an empty body.
 */
typedef void link_serve_fn(void *arg, struct str body, struct buf *answer);
typedef void link_dropped_fn(void *arg, const char *words);
struct link_end {
	int fd;
	link_serve_fn *fn;
	void *arg;
	link_dropped_fn *dropped; /* told of each message that cannot be read; may be NULL */
};
enum { LINK_ENDS_MAX = 4 };
/* Says HELLO on each end, then serves until a QUIT message or until *quit is set (by a handler of a signal that the
 * caller has blocked; `unblocked` is the mask to wait with), then returns OK. ERR_CLOSED when every end is gone
 * for good. */
MUST_USE enum err link_serve(const struct link_end *ends, size_t n, const volatile sig_atomic_t *quit,
    const sigset_t *unblocked);
/* Asks the server behind fd to end. */
MUST_USE enum err link_quit(int fd);
#endif
