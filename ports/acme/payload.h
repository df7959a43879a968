#ifndef KOSHIN_PORTS_ACME_PAYLOAD_H
#define KOSHIN_PORTS_ACME_PAYLOAD_H
/* The JSON that goes into a request (RFC 8555 7.3 to 7.6). Names and texts that would need quoting are refused. */
#include "core/acme.h"

/* Appends the payload; nothing for POST-as-GET (6.3). INVALID for a request that cannot be made. */
MUST_USE enum err payload_put(struct buf *b, const struct acme_request *r);
/* newAccount that only asks whether the key has an account (7.3.1). */
void payload_put_existing(struct buf *b);
/* newAccount: agrees to the terms; contact and eab may be empty. eab is JSON already. */
void payload_put_account(struct buf *b, struct str contact, struct str eab);
#endif
