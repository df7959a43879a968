#ifndef KOSHIN_PORTS_PROBE_HSTS_H
#define KOSHIN_PORTS_PROBE_HSTS_H
/* The header Strict-Transport-Security (RFC 6797): a name's promise to browsers that it is always opened with https. */
#include "base/str.h"

/* Its value promises something; max-age=0 takes the promise back (6.1.1). */
bool hsts_is_promise(struct str value);
/* It counts for the name where it comes from this URL: only a name itself can promise for itself, and only over TLS (8.1). */
bool hsts_counts_at(struct str url, struct str name);
#endif
