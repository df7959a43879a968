#include "core/lane.h"
#include "base/must.h"
#include "base/mutant.h"

static const struct {
	const char *name;
	unsigned share;
} rows[] = {
#define LANE(symbol, word, share) [LANE_##symbol] = { word, share },
#include "core/lane.tbl"
#undef LANE
};

struct when
lane_expiring_at(const struct lane_facts *f)
{
	return f->is_held ? life_reduce_at(f->life) : WHEN_NEVER;
}

enum lane
lane_of(const struct lane_facts *f, struct when now)
{
	if (!when_before(now, lane_expiring_at(f)))
		return LANE_EXPIRING;
	if (f->is_asked)
		return LANE_ASKED;
	if (!f->is_held)
		return LANE_FIRST;
	return f->is_replacement ? LANE_REPLACEMENT : LANE_QUIET;
}

unsigned
lane_share(enum lane l)
{
	must(l < LANE_COUNT);
	return rows[l].share;
}

const char *
lane_name(enum lane l)
{
	must(l < LANE_COUNT);
	return rows[l].name;
}

bool
lane_of_name(struct str s, enum lane *ret)
{
	for (enum lane l = 0; l < LANE_COUNT; l++)
		if (str_eq(s, str_of(rows[l].name))) {
			*ret = l;
			return true;
		}
	return false;
}

/* Start-time fair queuing: the lane whose next place is the earliest; who comes back has saved nothing up. */
bool
lane_pick(struct lane_turns *t, const bool waits[LANE_COUNT], enum lane *ret)
{
	enum { PLACE = 8 * 4 * 3 }; /* every share divides it */
	enum lane best = LANE_COUNT;

	for (enum lane l = 0; l < LANE_COUNT; l++)
		if (waits[l] && !(MUTANT(LANE_FORGOTTEN) && l == LANE_FIRST) && (best == LANE_COUNT || t->at[l] < t->at[best]))
			best = l;
	if (best == LANE_COUNT)
		return false;
	t->now = t->at[best];
	t->at[best] += PLACE / rows[best].share;
	for (enum lane l = 0; l < LANE_COUNT; l++)
		if (!waits[l] && t->at[l] < t->now)
			t->at[l] = t->now;
	*ret = best;
	return true;
}

/* A room too small to be shared out goes to whoever comes first. */
static size_t
kept(size_t most, enum lane l)
{
	size_t n = most * rows[l].share / (2 * (size_t)LANE_SHARES);

	return most < 2 * (size_t)LANE_COUNT ? 0 : n > 0 ? n : 1;
}

bool
lane_has_room(const struct lane_room *r, enum lane l)
{
	size_t used = 0, spoken_for = 0;

	for (enum lane k = 0; k < LANE_COUNT; k++) {
		used += r->in[k];
		if (k != l && r->in[k] < kept(r->most, k))
			spoken_for += kept(r->most, k) - r->in[k];
	}
	if (used >= r->most)
		return false;
	return r->in[l] < kept(r->most, l) || used + spoken_for < r->most;
}
