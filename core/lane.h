#ifndef KOSHIN_CORE_LANE_H
#define KOSHIN_CORE_LANE_H
/* In which lane a site's order waits for its place at the CA. A function of facts and time; nothing is stored of it but
 * what an index needs. */
#include "core/lifetime.h"
#include "base/str.h"

enum lane {
#define LANE(symbol, word, share) LANE_##symbol,
#include "core/lane.tbl"
#undef LANE
	LANE_COUNT
};
enum {
#define LANE(symbol, word, share) +share
	LANE_SHARES = 0
#include "core/lane.tbl"
#undef LANE
};
/* What of a site decides about its lane. */
struct lane_facts {
	bool is_held;	     /* a certificate is held; life is its own */
	struct life life;
	bool is_asked;	     /* a person asked for a new certificate */
	bool is_replacement; /* the CA wants the held certificate replaced before its ordinary time, or it cannot be used */
};
/* "Little is left" is a quarter of the life (life_reduce_at). The first lane that fits counts. */
enum lane lane_of(const struct lane_facts *f, struct when now);
/* From when on it is LANE_EXPIRING, whatever else happens; WHEN_NEVER without a certificate. */
struct when lane_expiring_at(const struct lane_facts *f);
unsigned lane_share(enum lane l);
const char *lane_name(enum lane l); /* "expiring" … "quiet" */
bool lane_of_name(struct str s, enum lane *ret); /* false for a word that is not in the table */

/*
 * Turns: which of the lanes that wait gets the next place. Each gets its share; a lane that waits all the time is served
 * at the latest every LANE_SHARES / share + LANE_COUNT places, whatever the others do.
 */
struct lane_turns {
	uint64_t now, at[LANE_COUNT]; /* time as places go: each place of a lane takes the longer the smaller its share is */
};
/* False: none waits. */
bool lane_pick(struct lane_turns *t, const bool waits[LANE_COUNT], enum lane *ret);
/*
 * Room: how many of each lane are under way, of `most` at one time. Half of the room is kept for the lanes by their shares,
 * so that thousands of slow orders of one lane leave a place for each other one.
 */
struct lane_room {
	size_t most, in[LANE_COUNT];
};
bool lane_has_room(const struct lane_room *r, enum lane l);
#endif
