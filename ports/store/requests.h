#ifndef KOSHIN_PORTS_STORE_REQUESTS_H
#define KOSHIN_PORTS_STORE_REQUESTS_H
/* Requests that bring a key of their own so that they are carried out once (Idempotency-Key). As people.h. */
#include "ports/store/people.h"

struct request_row {
	int64_t person_id; /* 0: the command */
	struct str key;
	struct digest digest; /* of what was asked */
	struct when created;
	int status; /* 0: the answer is not kept */
	struct str answer;
};
/* NOT_FOUND: none of a day ago or younger. */
MUST_USE enum err store_request_load(
    struct store *s, int64_t person_id, struct str key, struct when now, struct arena *a, struct request_row *ret);
/*
 * As store_audit_set: the next transaction that changes something has this row too, so that a deed and its key are stored together. If
 * somebody was quicker with the key, that transaction fails (EXISTS). Gives what was set and was not written.
 */
const struct request_row *store_request_set(struct store *s, const struct request_row *r);
/* The row at once, or in the transaction that is open; what is older than a day goes. EXISTS. */
MUST_USE enum err store_request_put(struct store *s, const struct request_row *r);
MUST_USE enum err store_request_answer(struct store *s, const struct request_row *r);
#endif
