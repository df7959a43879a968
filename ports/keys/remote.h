#ifndef KOSHIN_PORTS_KEYS_REMOTE_H
#define KOSHIN_PORTS_KEYS_REMOTE_H
/*
 * The keys port over a link to the keeper process. When the keeper dies, what it had not answered is asked again: a
 * key that was made and not heard of is forgotten with it, which costs nothing; every other verb only answers.
 */
#include "ports/keys/keys.h"
#include "ports/loop/loop.h"

struct keys_remote;
/* fd: the client's end of a link_pair; it stays the caller's. */
MUST_USE enum err keys_remote_new(struct loop *loop, const struct clock *clock, int fd, struct keys_remote **ret);
/* Jobs that wait are forgotten. Not from inside a `done`. */
void keys_remote_free(struct keys_remote **r);
struct keys keys_remote_port(struct keys_remote *r);
#endif
