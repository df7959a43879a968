#ifndef KOSHIN_CORE_GCRA_H
#define KOSHIN_CORE_GCRA_H
/*
 * A token bucket in one number (GCRA), as Let's Encrypt's servers count: of `count` a `per`, at most `burst` at once. The
 * number is the instant at which the bucket will be full again (the theoretical arrival time); what is spent moves it on.
 *
 * What is asked for is held until it is known whether the other side counted it. A held token is as good as gone, and
 * is spent at the time of the news, which is never before the other side counted it: so ours is never the fuller bucket.
 */
#include "base/when.h"

struct instant {
	int64_t us; /* of any one clock; for dates, since 1970 */
};
struct instant instant_of(struct when w); /* saturates */
struct when instant_when(struct instant i); /* the first whole second that is not before it */

struct rate {
	int64_t count;	 /* 0: no limit */
	struct span per;
	int64_t burst;	 /* 0: the same as count */
};
struct bucket {
	struct instant tat;	   /* full from then on */
	struct instant not_before; /* the other side named this date: law; 0 without one */
	int64_t held;
};
bool rate_is_none(struct rate r);
int64_t rate_burst(struct rate r);
int64_t rate_interval_us(struct rate r); /* of one token, rounded up; r is not none */
/* The earliest instant at which one more can be taken, as far as is known now; not after `now`: at once. */
struct instant bucket_next(struct rate r, const struct bucket *b, struct instant now);
/* The same for the nth more (1: the next one). */
struct instant bucket_nth(struct rate r, const struct bucket *b, int64_t n, struct instant now);
bool bucket_passes(struct rate r, const struct bucket *b, struct instant now);
/* How many can be taken now; INT64_MAX without a limit. */
int64_t bucket_left(struct rate r, const struct bucket *b, struct instant now);
void bucket_spend(struct rate r, struct bucket *b, struct instant now);
/* The other side refused: nothing is left, and nothing passes before `until`. */
void bucket_shut(struct rate r, struct bucket *b, struct instant until, struct instant now);
/* Nothing about it needs to be remembered. */
bool bucket_is_full(const struct bucket *b, struct instant now);
/* After the clock was put back: a bucket cannot be emptier than empty. */
void bucket_mend(struct rate r, struct bucket *b, struct instant now);
#endif
