#ifndef KOSHIN_HTTP_TRIES_H
#define KOSHIN_HTTP_TRIES_H
/* Tries at a person's password, wherever one is asked for, and what else is limited: counted at the places that core/access names, before
 * they are judged. */
#include "http/inside.h"

enum { TRIES_PLACES_MAX = 2 };
struct tries {
	struct {
		enum attempt_place place;
		struct str subject;
	} at[TRIES_PLACES_MAX];
	size_t n;
	const char *words; /* key of what is said to who comes too early; NULL: of passwords */
};
/* Where a try for this person counts. mail: as typed; person_id 0: there is nobody. */
MUST_USE enum err tries_of(
    struct api_call *c, struct str mail, int64_t person_id, struct tries *ret);
/* The same of the second step, a one-time code: a count of its own. */
MUST_USE enum err tries_of_code(struct api_call *c, int64_t person_id, struct tries *ret);
/* Of letters about signing in, to this address; and of whoever has them sent, from where the request comes. */
MUST_USE enum err tries_of_letter(struct api_call *c, struct str to, struct tries *ret);
MUST_USE enum err tries_of_address(struct api_call *c, const char *what, struct tries *ret);
/* Of looks at this site: wherever they come from, and by its owner at all sites. At our own socket nothing is counted. */
MUST_USE enum err tries_of_check(struct api_call *c, int64_t site_id, struct tries *ret);
/* Of looks at this name, which may be nobody's: at its registered domain wherever they come from, and by its owner. */
MUST_USE enum err tries_of_look(struct api_call *c, struct str name, struct tries *ret);
/* Counts one, unless it comes before *ret_at (WHEN_UNKNOWN: no wait). */
MUST_USE enum err tries_put(struct api_call *c, const struct tries *t, struct when *ret_at);
/* Counts one, unless it comes too early: LIMITED, with words and Retry-After. Counted first, so that many at once are many. */
MUST_USE enum err tries_count(struct api_call *c, const struct tries *t);
/* It was right. */
MUST_USE enum err tries_forgive(struct api_call *c, const struct tries *t);
#endif
