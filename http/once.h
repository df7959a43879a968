#ifndef KOSHIN_HTTP_ONCE_H
#define KOSHIN_HTTP_ONCE_H
/*
 * Requests with an Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): somebody who got no answer asks the same again, and it is done
 * once. The key belongs to who asks; it is stored in the transaction of the deed, its answer right after.
 */
#include "http/route.h"
#include "ports/store/requests.h"

struct once {
	bool is_wanted; /* the request has a key, and is carried out for the first time */
	struct request_row row;
};
/* ret_is_answered: it was carried out before, and the reply is that of then. INVALID, CONFLICT: with words. */
MUST_USE enum err once_begin(struct api_call *c, const struct api_route *r, struct once *o, bool *ret_is_answered);
/* The end of the handler, with its error. */
MUST_USE enum err once_end(struct api_call *c, const struct api_route *r, struct once *o, enum err err);
#endif
