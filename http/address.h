#ifndef KOSHIN_HTTP_ADDRESS_H
#define KOSHIN_HTTP_ADDRESS_H
#include <sys/socket.h>
#include "base/arena.h"

/*
 * Where a request comes from, as text. Of a proxy on this machine: the address that it says it asks for, which is the last of
 * X-Forwarded-For; what stands before that may be anybody's words. Empty for other kinds of peers.
 */
struct str address_of(const struct sockaddr *peer, struct str forwarded, struct arena *a);
#endif
