#include "core/lane.h"
#include "base/must.h"

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
