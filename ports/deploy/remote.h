#ifndef KOSHIN_PORTS_DEPLOY_REMOTE_H
#define KOSHIN_PORTS_DEPLOY_REMOTE_H
/*
 * The deploy port of the engine: asks the installer process over a socket pair (SOCK_SEQPACKET). Requests that have
 * no answer yet are kept and sent again when the installer says HELLO, that is, when it was started anew; applying
 * twice is the same as once. An installer that is gone costs waiting, never an answer made up here.
 */
#include "ports/deploy/deploy.h"
#include "ports/loop/loop.h"

struct deploy_remote;
/* fd: one end of a link_pair (ports/link/link.h); it stays the caller's. */
MUST_USE enum err deploy_remote_new(struct loop *l, const struct clock *c, int fd, struct deploy_remote **ret);
void deploy_remote_free(struct deploy_remote **r); /* outstanding requests are forgotten without an answer */
struct deploy deploy_remote_port(struct deploy_remote *r);
/* Requests without an answer, for metrics. */
size_t deploy_remote_waiting(const struct deploy_remote *r);
#endif
