#ifndef KOSHIN_HTTP_AUDIT_H
#define KOSHIN_HTTP_AUDIT_H
/* The audit: each change that was asked for through the API has its line, written in the transaction of the change itself. */
#include "http/route.h"

/* What is done from here on is written down. */
void audit_begin(struct api_call *c, const struct api_route *r);
/* The end of the handler, with its error. */
MUST_USE enum err audit_end(struct api_call *c, enum err err);
/* For a handler whose stores are not what it was asked for (a try that is counted): it writes its own line, or none. */
void audit_leave_off(struct api_call *c);
/* A line with this action, at once or in the transaction that is open. who: of whom nobody is signed in yet; empty: the asker. */
MUST_USE enum err audit_put(struct api_call *c, const char *action, struct str who, struct str detail);
#endif
