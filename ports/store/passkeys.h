#ifndef KOSHIN_PORTS_STORE_PASSKEYS_H
#define KOSHIN_PORTS_STORE_PASSKEYS_H
/* Passkeys of people (ports/passkeys): public keys only. And challenges, each taken once, of which a digest is kept. As people.h. */
#include "ports/store/people.h"

struct passkey_row {
	int64_t id, person_id;
	struct str credential, key, name; /* the first two are bytes */
	int algorithm;
	uint32_t count;
	struct when created, used; /* used: WHEN_UNKNOWN before */
};
/* EXISTS: somebody has this credential. */
MUST_USE enum err store_passkey_put(struct store *s, const struct passkey_row *r, int64_t *ret_id);
/* NOT_FOUND. */
MUST_USE enum err store_passkey_find(struct store *s, struct str credential, struct arena *a, struct passkey_row *ret);
/* In their order, LIMIT_PASSKEYS at most. */
MUST_USE enum err store_passkeys_of(struct store *s, int64_t person_id, struct arena *a, struct passkey_row **ret, size_t *ret_n);
MUST_USE enum err store_passkey_used(struct store *s, int64_t id, uint32_t count, struct when now);
/* NOT_FOUND: it is none of this person's. */
MUST_USE enum err store_passkey_remove(struct store *s, int64_t id, int64_t person_id);

/* session_id 0: for signing in. Those that have ended go. */
MUST_USE enum err store_challenge_put(
    struct store *s, const struct digest *d, int64_t session_id, struct when now, struct when ends_at);
/* NOT_FOUND: it was not given out to this session, was taken, or has ended. */
MUST_USE enum err store_challenge_take(struct store *s, const struct digest *d, int64_t session_id, struct when now);
#endif
