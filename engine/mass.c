#include "engine/inside.h"
#include <inttypes.h>
#include "ports/store/operator.h"

/*
 * The look at all sites together: once a minute while something new was found or a burst stands, at once when much was
 * found. What it finds is in the policy of the steps that follow, and in the store for the watchdog and the status page.
 */

enum {
	LOOK_EVERY_S = 60,
	CA_ILL_S = 3600, /* shorter than this nobody waits for a certificate because of it */
};

static bool
has_ill_ca(const struct engine *e)
{
	for (size_t i = 0; i < e->cas_n; i++) {
		struct when since = e->cas[i]->row.breaker.ill_since;

		if (e->cas[i]->row.is_used && when_is_known(since) && when_between(since, e->turn.now).s >= CA_ILL_S)
			return true;
	}
	return false;
}

/* What concerns many customers begins, lasts or ends. */
static enum err
put_incidents(struct engine *e)
{
	bool is_ill = has_ill_ca(e);
	enum err err = ERR_OK;

	e->has_incident = is_ill;
	for (enum cause c = CAUSE_NONE; err == ERR_OK && c < CAUSE_COUNT; c++) {
		if (!e->mass.is_mass[c] && !(is_ill && c == CAUSE_CA_SERVICE_DOWN))
			continue;
		e->has_incident = true;
		err = store_incident_put(e->ports.store, c, e->turn.now);
	}
	return err == ERR_OK ? store_incidents_end(e->ports.store, e->turn.now) : err;
}

static enum err
put_condition(struct engine *e, enum cause c, const struct mass_burst *b)
{
	if (b->cause == CAUSE_NONE)
		return store_condition_end(e->ports.store, c);
	return store_condition_put(e->ports.store, c,
	    arena_strf(&e->arena, "%s: %" PRId64 " owners", cause_row(b->cause)->id, b->owners), e->turn.now);
}

static enum err
look(struct engine *e)
{
	struct mass_burst *bursts;
	int64_t sites;
	size_t n;
	enum err err = store_bursts(e->ports.store, e->turn.now, &e->arena, &bursts, &n, &sites);

	if (err != ERR_OK)
		return err;
	mass_judge(bursts, n, sites, &e->mass);
	err = put_condition(e, CAUSE_OWN_FLEET_FAILING, &e->mass.ours);
	if (err == ERR_OK)
		err = put_condition(e, CAUSE_DNS_PROVIDER_DOWN, &e->mass.dns);
	return err == ERR_OK ? put_incidents(e) : err;
}

enum err
mass_look(struct engine *e)
{
	bool is_burst = e->mass.ours.cause != CAUSE_NONE || e->mass.dns.cause != CAUSE_NONE || e->has_incident || has_ill_ca(e);
	bool is_due = !when_is_known(e->mass_at) || !when_before(e->turn.now, e->mass_at);

	e->policy.mass = &e->mass;
	if (e->found_n < MASS_LEAST / 2 && !(is_due && (e->found_n > 0 || is_burst || !when_is_known(e->mass_at))))
		return ERR_OK;
	e->found_n = 0;
	e->mass_at = when_plus(e->turn.now, SPAN_S(LOOK_EVERY_S));
	return look(e);
}
