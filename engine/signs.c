#include "engine/inside.h"
#include <inttypes.h>
#include "base/limits.h"

/*
 * Signs of life for the watchdog: the heartbeat, what was last learned from outside, and whether the date is believed.
 * While it is not, a turn does nothing but this (core/skew): answers wait, nothing is ordered, nobody is written to.
 */

enum { ASK_EVERY_MS = 60000 };

/* --- the date --- */

static void
on_witness(void *arg, struct when outside)
{
	struct engine *e = arg;

	e->is_witness_asked = false;
	skew_witness(&e->skew, outside, clock_now(&e->ports.clock), clock_mono(&e->ports.clock));
}

static void
ask_witness(struct engine *e, struct mono now)
{
	if (e->ports.witness.ask == NULL || e->is_witness_asked || now.ms < e->witness_at.ms)
		return;
	e->witness_at.ms = now.ms + ASK_EVERY_MS;
	e->is_witness_asked = e->ports.witness.ask(e->ports.witness.ctx, on_witness, e) == ERR_OK;
}

enum err
signs_clock(struct engine *e)
{
	struct mono now = clock_mono(&e->ports.clock);
	struct when before = WHEN_UNKNOWN;
	bool is_first = !e->skew.is_begun, was_held = e->is_held;

	if (is_first) {
		enum err err = store_heartbeat_of(e->ports.store, STR("engine"), &before);

		if (err == ERR_OK)
			err = dates_load(e);
		if (err != ERR_OK)
			return err;
	}
	e->is_held = !skew_look(&e->skew, e->turn.now, now, before);
	e->is_hold_new = is_first || e->is_held != was_held;
	if (!e->is_held)
		return ERR_OK;
	if (e->is_hold_new)
		engine_log(e, "the clock has jumped by %" PRId64 " s: nothing is done until the date is sure", e->skew.off_s);
	/* Dates that are written now are those that were to be expected. */
	e->turn.now = skew_expected(&e->skew, now);
	ask_witness(e, now);
	return ERR_OK;
}

static enum err
put_condition(struct engine *e)
{
	if (!e->is_hold_new)
		return ERR_OK;
	e->is_hold_new = false;
	if (!e->is_held)
		return store_condition_end(e->ports.store, CAUSE_OWN_CLOCK_SKEWED);
	return store_condition_put(e->ports.store, CAUSE_OWN_CLOCK_SKEWED,
	    arena_strf(&e->arena, "the clock has jumped by %" PRId64 " s", e->skew.off_s), e->turn.now);
}

/* --- what was learned --- */

static bool
has_seen_a_site(const struct evidence *v)
{
	for (size_t i = 0; i < v->names_n; i++)
		for (size_t k = 0; k < v->names[i].addresses_n; k++) {
			const struct address_evidence *a = &v->names[i].addresses[k];

			if (a->http.result == HTTP_ANSWERED || a->tls.result == TLS_SHOWN)
				return true;
		}
	return false;
}

/* A vantage point that falls silent, or answers again, is told once: it is no matter of the site that was looked at. */
static void
note_places(struct engine *e, const struct evidence *v)
{
	for (size_t i = 0; i < v->names_n; i++)
		for (size_t k = 0; k < v->names[i].views_n && k < LIMIT_VANTAGES; k++) {
			const struct view_evidence *view = &v->names[i].views[k];
			bool is_silent = view->result != VIEW_SEEN;

			if (view->result == VIEW_NOT_ASKED || is_silent == e->is_place_silent[k])
				continue;
			e->is_place_silent[k] = is_silent;
			if (is_silent)
				engine_log(e, "vantage point %.*s does not answer: %.*s", STR_ARG(view->place), STR_ARG(view->detail));
			else
				engine_log(e, "vantage point %.*s answers again", STR_ARG(view->place));
		}
}

void
signs_note(struct engine *e, const struct work *w)
{
	if (w->kind == WORK_CHECK && w->evidence != NULL) {
		const struct evidence *v = &w->evidence->evidence;

		if (v->has_dns && v->resolver_works)
			e->learned_at[LEARNED_DNS] = e->turn.now;
		if (has_seen_a_site(v))
			e->learned_at[LEARNED_PROBE] = e->turn.now;
		note_places(e, v);
	}
	if ((w->kind == WORK_REQUEST && w->answer != NULL && w->answer->http_status > 0) ||
	    (w->kind == WORK_ACCOUNT && w->err == ERR_OK))
		e->learned_at[LEARNED_CA] = e->turn.now;
}

enum err
signs_beat(struct engine *e)
{
	enum err err = put_condition(e);

	if (err != ERR_OK || when_before(e->turn.now, e->heartbeat_at))
		return err;
	e->heartbeat_at = when_plus(e->turn.now, e->heartbeat_every);
	for (enum learned what = 0; what < LEARNED_COUNT && err == ERR_OK; what++)
		if (when_is_known(e->learned_at[what])) {
			err = store_learned_put(e->ports.store, what, e->learned_at[what]);
			e->learned_at[what] = WHEN_UNKNOWN;
		}
	return err != ERR_OK ? err : store_heartbeat_put(e->ports.store, STR("engine"), e->pid, e->turn.now);
}
