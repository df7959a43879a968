#include "engine/inside.h"

/*
 * The rehearsal: now and then a CA that is not the first is asked for a certificate of the operator's own name
 * (acme.canary), so that its account, the way of its validators to us and our way to it are known to work before the day on
 * which they must. The certificate is put to no use. Nothing of such an order is stored but its outcome: after a crash it is
 * simply due again, an hour later at the earliest.
 */

enum { AGAIN_S = 3600, FAILED_PARTS = 7 }; /* after a failure: in a seventh of the usual time, daily where that is a week */

static struct str
name_of(const struct engine *e)
{
	return str_of(e->config->acme.canary);
}

struct when
canary_next(const struct engine *e, size_t index)
{
	const struct engine_ca *ca = e->cas[index];

	if (index == 0 || name_of(e).n == 0 || ca->canary_is_out || !e->policy_cas[index].is_ready)
		return WHEN_NEVER;
	struct when at = ca->row.canary_at.s == WHEN_UNKNOWN.s ? e->turn.now : ca->row.canary_at;

	/* A rehearsal asks the CA like any order: not while it has asked us to wait, nor while its breaker is open. */
	return when_max(at, e->policy_cas[index].not_before);
}

enum err
canary_turn(struct engine *e, size_t index)
{
	struct engine_ca *ca = e->cas[index];
	struct ca_row row = ca->row;
	struct when due = canary_next(e, index);

	if (when_before(e->turn.now, due))
		return ERR_OK;
	/* Not in the first minutes of an installation, when no web server answers for any name yet. */
	if (row.canary_at.s == WHEN_UNKNOWN.s) {
		struct span first = span_min(SPAN_S(AGAIN_S), span_part(e->config->acme.canary_every, 1, FAILED_PARTS));

		row.canary_at = when_plus(e->turn.now, first);
		return account_save(e, ca, &row);
	}
	bool has_place = false;
	enum err err = budget_rehearse(e, row.id, &has_place);
	row.canary_at = when_plus(e->turn.now, SPAN_S(AGAIN_S));
	if (err != ERR_OK || !has_place)
		return err != ERR_OK ? err : account_save(e, ca, &row);
	struct work *w = work_new(e, WORK_SITE_KEY);
	struct str *names = w != NULL ? arena_get(&w->arena, sizeof *names) : NULL;
	if (names == NULL) {
		work_free(&w);
		return ERR_MEMORY;
	}
	names[0] = arena_str(&w->arena, name_of(e));
	w->names = names;
	w->names_n = 1;
	w->ca_id = row.id;
	w->tries = KEY_P256;
	lanes_enter(e, w, LANE_QUIET);
	ca->canary_is_out = true;
	ca->orders_n++;
	queue_put(&e->acts, w);
	err = account_save(e, ca, &row);
	account_ca_took(e, row.id);
	return err;
}

enum err
canary_ended(struct engine *e, int64_t ca_id, const struct finding *failure, struct when retry_after)
{
	struct engine_ca *ca = account_ca(e, ca_id);
	struct span every = e->config->acme.canary_every;

	if (ca == NULL)
		return ERR_OK;
	struct ca_row row = ca->row;
	ca->canary_is_out = false;
	row.canary_done_at = e->turn.now;
	row.canary_error = STR_NONE;
	if (failure == NULL) {
		row.canary_ok_at = e->turn.now;
	} else {
		every = span_part(every, 1, FAILED_PARTS);
		row.canary_error = arena_strf(&e->arena, "%s: %.*s", cause_row(failure->cause)->id, STR_ARG(failure->evidence));
		engine_log(e, "the rehearsal at %.*s failed: %.*s", STR_ARG(row.name), STR_ARG(row.canary_error));
	}
	/* Spread, so that several installations do not meet at one hour. */
	row.canary_at = when_plus(when_plus(e->turn.now, every), SPAN_S((int64_t)(e->turn.roll % ((uint64_t)every.s / 10 + 1))));
	/* The CA's own word is law, within the usual time. */
	if (when_is_known(retry_after))
		row.canary_at = when_max(row.canary_at, when_min(retry_after, when_plus(e->turn.now, e->config->acme.canary_every)));
	return account_save(e, ca, &row);
}
