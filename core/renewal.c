#include "core/renewal.h"
#include "base/must.h"

/* RFC 9773 4.3 leaves the bounds of polling to the client and names these. */
#define POLL_LEAST SPAN_MIN(1)
#define POLL_MOST SPAN_D(1)
#define POLL_USUAL SPAN_H(6) /* Let's Encrypt's own, for a CA that names none */
/* A CA that asks for every new certificate's replacement gets one in so long, not one after the other. */
#define AGAIN_MOST SPAN_H(12)

const char *
renewal_oddity_words(enum renewal_oddity o)
{
	static const char *const words[] = { "fine", "the window has no dates that can be read",
		"the window ends before it begins",
		"the window was over when the certificate was issued",
		"the window begins too near the end of the certificate" };

	must(o < RENEWAL_ODDITY_COUNT);
	return words[o];
}

static struct span
clamp(struct span s, struct span least, struct span most)
{
	return span_max(least, span_min(s, most));
}

/* Later by up to `more`, never earlier: those who were told the same drift apart. */
static struct when
after(const struct turn *t, struct span wait, struct span more)
{
	uint64_t room = more.s > 0 ? (uint64_t)more.s + 1 : 1;

	return when_plus(t->now, (struct span){ wait.s + (int64_t)(t->roll % room) });
}

static enum renewal_oddity
judge(const struct renewal_told *told, const struct renewal_of *of)
{
	if (!when_is_known(told->start) || !when_is_known(told->end))
		return RENEWAL_UNREADABLE;
	if (!when_before(told->start, told->end))
		return RENEWAL_INVERTED;
	if (!when_before(of->issued_at, told->end))
		return RENEWAL_BEFORE_ISSUE;
	if (!when_before(told->start, life_reduce_at(of->life)))
		return RENEWAL_TOO_LATE;
	return RENEWAL_FINE;
}

static bool
is_early(const struct renewal_told *told, const struct renewal_of *of)
{
	struct span length = life_length(of->life);
	struct when usual = when_plus(of->life.from, life_renew_after(length));

	return when_before(told->end, when_minus(usual, span_part(length, 1, 20)));
}

/* Uniform in the part of the window that lies inside the life (4.2). */
static struct when
choose(const struct renewal_told *told, const struct renewal_of *of, const struct turn *t)
{
	struct when from = when_max(told->start, of->life.from);
	struct when to = when_min(told->end, life_reduce_at(of->life));
	struct span width = span_max(when_between(from, to), SPAN_S(0));
	struct span gap = span_min(AGAIN_MOST, span_part(life_length(of->life), 1, 10));
	/* 32 bits of chance over a width below 2^31 s; a wider one is no window but a life. */
	struct span shift = { (int64_t)(((uint64_t)t->roll * ((uint64_t)width.s + 1)) >> 32) };

	return when_max(when_plus(from, shift), when_plus(of->issued_at, gap));
}

static struct when
next_poll(const struct renewal *r, struct when retry_after, const struct renewal_of *of,
    const struct turn *t)
{
	struct span most = clamp(span_part(life_length(of->life), 1, 8), POLL_LEAST, POLL_MOST);
	struct span wait = span_min(POLL_USUAL, most);
	bool is_near = r->is_told && when_before(t->now, r->end) &&
		       when_before(r->start, when_plus(t->now, wait));

	/* What the CA names is law. Without it, near a window that is shorter than the usual pause: one look at least falls into it. */
	if (when_is_known(retry_after))
		wait = clamp(when_between(t->now, retry_after), POLL_LEAST, most);
	else if (is_near)
		wait = clamp(span_part(when_between(r->start, r->end), 1, 2), POLL_LEAST, wait);
	return after(t, wait, span_part(wait, 1, 20));
}

enum renewal_oddity
renewal_take(struct renewal *r, const struct renewal_told *told, const struct renewal_of *of,
    const struct turn *t)
{
	enum renewal_oddity odd = judge(told, of);

	if (odd != RENEWAL_FINE) {
		r->is_told = r->is_urgent = false;
		r->explanation = STR_NONE;
		renewal_miss(r, told->retry_after, of, t);
		return odd;
	}
	bool is_same = r->is_told && r->start.s == told->start.s && r->end.s == told->end.s;
	/* A CA may compute the window anew each time; a date that is still in it stays, or it would never come. */
	bool stays = is_same || (r->is_told && !when_before(r->at, told->start) &&
				    when_before(r->at, told->end));
	bool is_moved_up = r->is_told && !when_before(r->start, told->end);
	bool is_past = !when_before(t->now, told->end);

	/* A window that has gone by while nobody looked is no wish of the CA's; one that is over long before its time is. */
	r->is_urgent = is_early(told, of) &&
		       (r->is_urgent || is_moved_up || (is_past && !(r->is_told && is_same)));
	if (!stays)
		r->at = choose(told, of, t);
	r->start = told->start;
	r->end = told->end;
	r->explanation = told->explanation;
	r->is_told = true;
	r->polled_at = t->now;
	r->failures = 0;
	r->poll_at = next_poll(r, told->retry_after, of, t);
	return RENEWAL_FINE;
}

void
renewal_miss(struct renewal *r, struct when retry_after, const struct renewal_of *of,
    const struct turn *t)
{
	/* A window of Let's Encrypt's is a fiftieth of the life wide: looking this often, none is slept through. */
	struct span most = clamp(span_part(life_length(of->life), 1, 64), POLL_LEAST, POLL_USUAL);
	struct span wait = POLL_LEAST;

	for (unsigned i = 0; i < r->failures && wait.s < most.s; i++)
		wait.s *= 4;
	wait = span_min(wait, most);
	if (when_is_known(retry_after))
		wait = clamp(when_between(t->now, retry_after), wait, POLL_MOST);
	r->failures += r->failures < UINT32_MAX;
	r->poll_at = after(t, wait, span_part(wait, 1, 4));
	/* What was told long ago may not hold any more: from then on the earlier of the two dates counts. */
	struct span old = span_max(POLL_MOST, span_part(life_length(of->life), 1, 10));
	if (r->is_told && when_between(r->polled_at, t->now).s >= old.s)
		r->at = when_min(r->at, of->table_at);
}

struct when
renewal_first_poll(struct life l, const struct turn *t)
{
	return after(t, SPAN_S(0), span_min(POLL_LEAST, span_part(life_length(l), 1, 64)));
}
