#ifndef KOSHIN_PORTS_DNSAPI_UPDATE_H
#define KOSHIN_PORTS_DNSAPI_UPDATE_H
/*
 * RFC 2136 over TCP on the process's loop, one message and one connection for each name. The message asks that the name has no A, AAAA
 * and CNAME (RFC 2136 2.4.3), is signed (TSIG, RFC 8945), and an answer counts only if it is signed too. TSIG goes by the machine's own
 * clock, whatever clock_offset says: so does the server's.
 */
#include "ports/config/config.h"
#include "ports/dnsapi/dnsapi.h"
#include "ports/loop/loop.h"

enum { UPDATE_MS = 10000, UPDATES_OPEN_MAX = 32 };
struct updates;
/* Reads the secrets; the configuration is borrowed. CONFIG, DENIED … with words in why (may be NULL), which never have the secret. */
MUST_USE enum err updates_new(struct loop *l, const struct clock *c, const struct config *config, struct why *why, struct updates **ret);
void updates_free(struct updates **u); /* jobs that are open get no answer */
struct dnsapi updates_port(struct updates *u);
#endif
