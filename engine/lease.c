#include "engine/inside.h"
#include "ports/store/lease.h"

/*
 * Which of several engines on one store acts. Who stands by does nothing at all, and knows nothing: what it needs is in the store
 * when its time comes. Who has lost the lease ends, with all that is in its memory, and is started anew to stand by.
 */

static int64_t
ends_ms(const struct engine *e)
{
	/* The wall clock is read in whole seconds: the present one may be nearly over. */
	return (clock_now(&e->ports.clock).s + 1) * 1000 + e->lease.length_ms;
}

static enum err
take(struct engine *e, const struct lease_row *row)
{
	struct mono now = clock_mono(&e->ports.clock);
	int64_t fence;
	enum err err = store_lease_take(e->ports.store, e->holder, row->fence, ends_ms(e), &fence);

	if (err != ERR_OK)
		return err;
	if (e->lease.fence == 0)
		engine_log(e, "acts from now on, under lease %lld%s%.*s", (long long)fence, row->holder.n > 0 ? "; before: " : "",
		    STR_ARG(row->holder));
	lease_held(&e->lease, fence, now);
	/* What was read while another acted is of no use any more. */
	return e->has_acted ? ERR_OK : dates_load(e);
}

enum err
lease_begin(struct engine *e, bool *ret_stands_by)
{
	struct lease_row row;
	struct mono mono = clock_mono(&e->ports.clock);

	*ret_stands_by = false;
	if (e->lease.length_ms == 0)
		return ERR_OK;
	enum err err = store_lease(e->ports.store, &e->arena, &row);
	if (err != ERR_OK)
		return err;
	const struct lease_now now = { .wall_ms = clock_now(&e->ports.clock).s * 1000,
		.mono = mono,
		.is_dead = e->lease.fence == 0 && row.holder.n > 0 && e->is_gone != NULL && e->is_gone(row.holder) };
	switch (lease_look(&e->lease, &row, &now)) {
	case LEASE_STAND_BY:
		*ret_stands_by = true;
		return ERR_OK;
	case LEASE_TAKE:
		return take(e, &row);
	case LEASE_KEEP:
		err = store_lease_keep(e->ports.store, e->lease.fence, ends_ms(e));
		if (err == ERR_OK)
			lease_held(&e->lease, e->lease.fence, mono);
		return err;
	case LEASE_ACT:
		return ERR_OK;
	case LEASE_LOST:
		engine_log(e, "lease %lld was taken by %.*s under %lld: ends", (long long)e->lease.fence, STR_ARG(row.holder),
		    (long long)row.fence);
		return ERR_CONFLICT;
	}
	return ERR_BUG;
}

enum err
lease_check(struct engine *e)
{
	struct lease_row row;

	if (e->lease.length_ms == 0)
		return ERR_OK;
	enum err err = store_lease(e->ports.store, &e->arena, &row);
	if (err != ERR_OK)
		return err;
	return row.fence == e->lease.fence && lease_may_act(&e->lease, clock_mono(&e->ports.clock)) ? ERR_OK : ERR_CONFLICT;
}

bool
engine_acts(const struct engine *e)
{
	return lease_may_act(&e->lease, clock_mono(&e->ports.clock));
}

enum err
engine_leave(struct engine *e)
{
	return e->lease.fence == 0 ? ERR_OK : store_lease_give(e->ports.store, e->lease.fence);
}
