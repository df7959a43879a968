#include "core/lease.h"
#include "base/must.h"
#include "base/mutant.h"

enum { PARTS = 3, POLL_LEAST_MS = 50, POLL_MOST_MS = 5000 };

static enum lease_do
look_at_own(const struct lease *l, const struct lease_row *row, struct mono now)
{
	if (row->fence != l->fence && !MUTANT(FENCE_IGNORED))
		return LEASE_LOST;
	/* It was held for too long, and nobody has taken it meanwhile: it is taken as if it were another's. */
	if (now.ms >= l->until.ms)
		return LEASE_TAKE;
	return l->until.ms - now.ms <= l->length_ms - l->length_ms / PARTS ? LEASE_KEEP : LEASE_ACT;
}

enum lease_do
lease_look(struct lease *l, const struct lease_row *row, const struct lease_now *now)
{
	must(l->length_ms > 0);
	if (l->fence != 0)
		return look_at_own(l, row, now->mono);
	if (row->holder.n == 0 || now->is_dead || now->wall_ms >= row->ends_ms)
		return LEASE_TAKE;
	if (l->seen_fence != row->fence || l->seen_ends_ms != row->ends_ms) {
		l->seen_fence = row->fence;
		l->seen_ends_ms = row->ends_ms;
		l->seen_at = now->mono;
	}
	return now->mono.ms - l->seen_at.ms >= l->length_ms && !MUTANT(LEASE_BY_WALL_CLOCK) ? LEASE_TAKE : LEASE_STAND_BY;
}

void
lease_held(struct lease *l, int64_t fence, struct mono now)
{
	must(fence > 0);
	l->fence = fence;
	l->until.ms = now.ms + l->length_ms;
}

bool
lease_may_act(const struct lease *l, struct mono now)
{
	return l->length_ms == 0 || (l->fence != 0 && now.ms < l->until.ms);
}

int64_t
lease_next_ms(const struct lease *l, struct mono now)
{
	int64_t ms;

	if (l->length_ms == 0)
		return INT64_MAX;
	if (l->fence != 0) {
		ms = l->until.ms - (l->length_ms - l->length_ms / PARTS) - now.ms;
		return ms < 0 ? 0 : ms;
	}
	ms = l->length_ms / PARTS;
	return ms < POLL_LEAST_MS ? POLL_LEAST_MS : ms > POLL_MOST_MS ? POLL_MOST_MS : ms;
}
