#ifndef KOSHIN_HTTP_LOOKS_H
#define KOSHIN_HTTP_LOOKS_H
/*
 * Looks at names that people asked for (http/look.h), on the loop of the web process: each answers its request with a stream of what has come
 * in, step by step, and at last with what is to be said. At most LOOKS_MAX at one time; a look whose reader has left goes on to its end, which
 * its deadline sets, so that nobody can have more of them under way by asking and leaving.
 */
#include "http/stream.h"
#include "ports/keys/keys.h"
#include "ports/loop/loop.h"

enum { LOOKS_MAX = 16 };
struct looks;

/* keys: who signs questions to vantage points; copied. NULL: they are not asked. */
MUST_USE enum err looks_new(struct api *api, struct loop *l, const struct keys *keys, struct looks **ret);
/* The probe that looks share, for whoever else asks outside; made for the first of them. It lives as long as they. */
struct probe_net;
MUST_USE enum err looks_net(struct looks *l, struct probe_net **ret);
/* When all streams have ended. */
void looks_free(struct looks **l);
/* Takes the one that an API_LOOK reply wants. BUSY: too many are under way. After an error nothing was sent. */
MUST_USE enum err looks_begin(struct looks *l, struct streams *s, struct MHD_Connection *connection, const struct api_reply *r, bool is_panel);
#endif
