#include "core/gcra.h"
#include "base/mutant.h"
#include "base/must.h"

enum { US = 1000000 };
/* No CA has reason to name a date further off; a clock that was put back would make it one. */
#define LAW_MOST_US ((int64_t)60 * 86400 * US)

static int64_t
plus(int64_t a, int64_t b)
{
	int64_t sum;

	if (!__builtin_add_overflow(a, b, &sum))
		return sum;
	return b > 0 ? INT64_MAX : INT64_MIN;
}

static int64_t
times(int64_t a, int64_t b)
{
	int64_t product;

	if (!__builtin_mul_overflow(a, b, &product))
		return product;
	return (a > 0) == (b > 0) ? INT64_MAX : INT64_MIN;
}

static int64_t
most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

struct instant
instant_of(struct when w)
{
	return (struct instant){ times(w.s, US) };
}

struct when
instant_when(struct instant i)
{
	if (i.us == INT64_MAX)
		return WHEN_NEVER;
	return (struct when){ i.us / US + (i.us % US > 0) };
}

bool
rate_is_none(struct rate r)
{
	return r.count <= 0 || r.per.s <= 0;
}

int64_t
rate_burst(struct rate r)
{
	return r.burst > 0 ? r.burst : r.count;
}

int64_t
rate_interval_us(struct rate r)
{
	must(!rate_is_none(r));
	int64_t per_us = times(r.per.s, US);

	return most(1, per_us / r.count + (per_us % r.count > 0));
}

struct instant
bucket_nth(struct rate r, const struct bucket *b, int64_t n, struct instant now)
{
	if (rate_is_none(r))
		return (struct instant){ most(now.us, b->not_before.us) };
	int64_t missing = plus(plus(b->held, n), -rate_burst(r));
	/* More than a full bucket holds: as if all that is held were spent now. */
	int64_t from = missing > 0 ? most(b->tat.us, now.us) : b->tat.us;
	int64_t at = plus(from, times(missing, rate_interval_us(r)));

	return (struct instant){ most(most(at, b->not_before.us), now.us) };
}

struct instant
bucket_next(struct rate r, const struct bucket *b, struct instant now)
{
	return bucket_nth(r, b, 1, now);
}

bool
bucket_passes(struct rate r, const struct bucket *b, struct instant now)
{
	return bucket_next(r, b, now).us <= now.us;
}

int64_t
bucket_left(struct rate r, const struct bucket *b, struct instant now)
{
	if (b->not_before.us > now.us)
		return 0;
	if (rate_is_none(r))
		return INT64_MAX;
	int64_t interval = rate_interval_us(r), owed = most(b->tat.us, now.us) - now.us;
	int64_t gone = owed / interval + (owed % interval > 0) + b->held;

	return most(0, rate_burst(r) + MUTANT(BUDGET_ONE_MORE) - gone);
}

void
bucket_spend(struct rate r, struct bucket *b, struct instant now)
{
	if (!rate_is_none(r))
		b->tat.us = plus(most(b->tat.us, now.us), rate_interval_us(r));
}

void
bucket_shut(struct rate r, struct bucket *b, struct instant until, struct instant now)
{
	b->not_before.us = most(b->not_before.us, until.us);
	/* One has come back at that date, not more. */
	if (!rate_is_none(r))
		b->tat.us = most(b->tat.us, plus(until.us, times(rate_burst(r) - 1, rate_interval_us(r))));
	bucket_mend(r, b, now);
}

bool
bucket_is_full(const struct bucket *b, struct instant now)
{
	return b->held == 0 && b->tat.us <= now.us && b->not_before.us <= now.us;
}

void
bucket_mend(struct rate r, struct bucket *b, struct instant now)
{
	if (b->not_before.us > plus(now.us, LAW_MOST_US))
		b->not_before.us = plus(now.us, LAW_MOST_US);
	if (rate_is_none(r))
		return;
	int64_t empty = plus(most(now.us, b->not_before.us), times(rate_burst(r), rate_interval_us(r)));
	if (b->tat.us > empty)
		b->tat.us = empty;
}
