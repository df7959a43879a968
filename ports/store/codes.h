#ifndef KOSHIN_PORTS_STORE_CODES_H
#define KOSHIN_PORTS_STORE_CODES_H
/* One-time codes of people (core/access): the sealed secret of the app, and digests of the recovery codes. As people.h. */
#include "ports/store/people.h"

struct code_row {
	int64_t person_id;
	struct str sealed;
	struct when begun,
	    confirmed; /* confirmed: WHEN_UNKNOWN while no code has come; none is asked for until then */
	uint64_t step; /* of the last code that was taken; 0 before */
	unsigned recovery_left;
};
/* In the place of one that was not confirmed. EXISTS: there is one that was. */
MUST_USE enum err store_code_put(
    struct store *s, int64_t person_id, struct str sealed, struct when now);
/* NOT_FOUND: the person has none. */
MUST_USE enum err store_code_load(
    struct store *s, int64_t person_id, struct arena *a, struct code_row *ret);
/* A code of this step was right: confirmed from now on, if it was not. NOT_FOUND: one of this step, or of a later one, was taken already. */
MUST_USE enum err store_code_take(
    struct store *s, int64_t person_id, uint64_t step, struct when now);
/* With the recovery codes. */
MUST_USE enum err store_code_drop(struct store *s, int64_t person_id);
/* In the place of those before. */
MUST_USE enum err store_recovery_put(
    struct store *s, int64_t person_id, const struct digest *d, size_t n);
/* NOT_FOUND: it is none, or was taken already. */
MUST_USE enum err store_recovery_take(
    struct store *s, int64_t person_id, const struct digest *d);
#endif
