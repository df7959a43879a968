#ifndef KOSHIN_CORE_SKEW_H
#define KOSHIN_CORE_SKEW_H
/*
 * Is the date to be believed? Pure. Two clocks run beside each other: the wall clock, which people and time servers set,
 * and the steady one, which only counts. When the first jumps against the second, nobody here knows which date is right.
 * Until it is known nothing is ordered and nobody is written to (CAUSES, own.clock.skewed): a year too late everything
 * would be expired, a year too early nothing would be due.
 *
 *   believed --(a jump)--> in doubt --(it jumps back; an outside clock agrees; steady for long)--> believed
 *
 * The last way out is the slowest: without anybody to ask, a date that has stayed for SKEW_ALONE is taken, because doubt
 * must not last for ever (P2); one that was contradicted, after SKEW_DENIED.
 *
 * Where a jump is believed, the dates that were written before it are by another clock: `set` says by how much the clock
 * was set in all jumps that were believed, and whoever keeps dates moves them by what it grows (core/site_clock).
 */
#include "base/when.h"

enum {
	SKEW_JUMP_S = 90,	    /* NTP slews at most 2 s in an hour; a step of seconds harms no date */
	SKEW_GAP_S = 14 * 86400,    /* nobody looked for so long: then the date is asked for first */
	SKEW_AGREES_S = 300,	    /* an outside clock (a Date header) this near confirms */
	SKEW_ALONE_S = 6 * 3600,    /* nobody to ask */
	SKEW_DENIED_S = 3 * 86400,  /* somebody out there says otherwise; but theirs may be the wrong clock */
};
struct skew {
	bool is_begun, is_in_doubt, is_denied;
	bool is_pause; /* in doubt since the first look, long after the last date known: time may have passed, and no clock jumped */
	struct when wall; /* the last date that was believed, and when that was on the steady clock */
	struct mono mono;
	int64_t off_s;	       /* in doubt: how far the wall clock is from what was expected */
	struct mono doubt_since;
	struct span set; /* kept by the caller from one life to the next: given before the first look */
};
/* The two clocks now. before: the last date that is known from an earlier life (the store), WHEN_UNKNOWN without one; it
 * matters at the first look alone. False while the date is in doubt. */
bool skew_look(struct skew *k, struct when wall, struct mono mono, struct when before);
/* An outside clock said this date just now. It ends the doubt if it agrees, and prolongs it if not; it never begins one. */
void skew_witness(struct skew *k, struct when outside, struct when wall, struct mono mono);
/* The date as it would be if nothing had jumped; for signs of life. */
struct when skew_expected(const struct skew *k, struct mono mono);
#endif
