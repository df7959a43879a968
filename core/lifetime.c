#include "core/lifetime.h"
#include "base/mutant.h"

enum { DAY_S = 86400 };

struct span
life_length(struct life l)
{
	return when_between(l.from, l.to);
}

struct span
life_left(struct life l, struct when now)
{
	return when_between(now, l.to);
}

static struct when
before_end(struct life l, int32_t num, int32_t den)
{
	return when_minus(l.to, span_part(life_length(l), num, den));
}

struct span
life_renew_after(struct span length)
{
	struct span left =
	    length.s < 10 * DAY_S ? span_part(length, 1, 2) : span_part(length, 1, 3);

	return (struct span){ length.s - left.s };
}

/* middle, moved by chance within a width that reaches `before` of it to the past. */
static struct when
spread(struct when middle, struct span width, struct span before, uint32_t roll)
{
	int64_t shift = width.s > 0 ? (int64_t)(roll % ((uint64_t)width.s + 1)) : 0;

	return when_plus(middle, (struct span){ shift - before.s });
}

struct when
life_renew_at(struct life l, uint32_t roll)
{
	if (MUTANT(RENEWED_TOO_LATE))
		return when_minus(l.to, SPAN_H(1));
	struct span length = life_length(l), width = span_part(length, 1, 30);

	return spread(when_plus(l.from, life_renew_after(length)), width,
	    (struct span){ width.s / 2 }, roll);
}

struct when
life_renew_first_at(struct life l, uint32_t roll)
{
	struct span after = life_renew_after(life_length(l)), half = span_part(after, 1, 2);

	return spread(when_plus(l.from, after), half, half, roll);
}

struct when
life_reduce_at(struct life l)
{
	return before_end(l, 1, 4);
}

struct when
life_anyway_at(struct life l)
{
	return before_end(l, 1, 6);
}

struct when
life_support_at(struct life l)
{
	return before_end(l, 1, 30);
}

struct when
life_reminder_at(struct life l, unsigned n)
{
	static const int32_t days[LIFE_REMINDERS] = { 14, 7, 3, 1 };
	int32_t d = days[n < LIFE_REMINDERS ? n : LIFE_REMINDERS - 1];

	return life_length(l).s >= 45 * DAY_S ? when_minus(l.to, SPAN_D(d))
					      : before_end(l, d, 45);
}

struct when
life_own_warn_at(struct life l)
{
	return when_minus(l.to, span_min(SPAN_D(30), span_part(life_length(l), 1, 3)));
}

struct when
life_takeover_at(struct life l)
{
	return life_reminder_at(l, 2);
}

struct span
life_letter_gap(struct life l)
{
	struct span length = life_length(l);

	return length.s >= 2 * DAY_S ? SPAN_D(1) : span_part(length, 1, 30);
}

struct span
life_look_every(struct life l, struct span most)
{
	return span_min(most, span_part(life_length(l), 1, 10));
}

struct span
life_moved_after(struct life l)
{
	return span_min(LIFE_MOVED_AFTER, span_part(life_length(l), 30, 45));
}

struct span
life_moved_look(struct life l, struct when now)
{
	struct span seldom = span_min(LIFE_MOVED_LOOK, span_part(life_length(l), 7, 45)),
		    often = life_look_every(l, span_min(seldom, SPAN_D(1)));
	struct when from = life_reduce_at(l);

	if (!when_before(now, l.to))
		return seldom;
	return when_before(now, from) ? span_min(seldom, span_max(often, when_between(now, from))) : often;
}

struct span
life_hsts_age(struct life l)
{
	return span_part(life_length(l), 1, 6);
}
