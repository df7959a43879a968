#include "core/skew.h"

static bool
is_within(int64_t off_s, int64_t most_s)
{
	return off_s <= most_s && off_s >= -most_s;
}

struct when
skew_expected(const struct skew *k, struct mono mono)
{
	return when_plus(k->wall, SPAN_S((mono.ms - k->mono.ms) / 1000));
}

static bool
believe(struct skew *k, struct when wall, struct mono mono)
{
	int64_t by_s = when_between(skew_expected(k, mono), wall).s;

	if (k->is_in_doubt && !k->is_pause && !is_within(by_s, SKEW_JUMP_S))
		k->set.s = when_add(k->set.s, by_s);
	k->is_in_doubt = k->is_denied = k->is_pause = false;
	k->off_s = 0;
	k->wall = wall;
	k->mono = mono;
	return true;
}

static bool
doubt(struct skew *k, int64_t off_s, struct mono mono)
{
	k->is_in_doubt = true;
	k->is_denied = false;
	k->off_s = off_s;
	k->doubt_since = mono;
	return false;
}

bool
skew_look(struct skew *k, struct when wall, struct mono mono, struct when before)
{
	if (!k->is_begun) {
		k->is_begun = true;
		k->wall = wall;
		k->mono = mono;
		if (!when_is_known(before))
			return true;
		int64_t gap = when_between(before, wall).s;
		if (gap >= -SKEW_JUMP_S && gap <= SKEW_GAP_S)
			return true;
		/* Back before what was already: that date cannot be. Or long after: it may be so. */
		k->wall = before;
		k->is_pause = gap > 0;
		return doubt(k, gap, mono);
	}
	int64_t off_s = when_between(skew_expected(k, mono), wall).s;
	if (is_within(off_s, SKEW_JUMP_S))
		return believe(k, wall, mono);
	if (!k->is_in_doubt || !is_within(off_s - k->off_s, SKEW_JUMP_S))
		return doubt(k, off_s, mono);
	int64_t wait_s = k->is_denied ? SKEW_DENIED_S : SKEW_ALONE_S;
	if (mono.ms - k->doubt_since.ms >= wait_s * 1000)
		return believe(k, wall, mono);
	return false;
}

void
skew_witness(struct skew *k, struct when outside, struct when wall, struct mono mono)
{
	if (!k->is_in_doubt || !when_is_known(outside))
		return;
	if (is_within(when_between(outside, wall).s, SKEW_AGREES_S))
		(void)believe(k, wall, mono);
	else
		k->is_denied = true;
}
