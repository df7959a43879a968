#include "engine/inside.h"
#include "ports/store/budget.h"

/*
 * A CA has blocked the account. It would be asked in vain, and asking on makes it worse; so nothing goes out under the account (the
 * breaker is shut, past every date) until the operator has spoken with the CA and says that the block is lifted:
 *
 *   an order is refused     breaker_block, and an alarm with the CA's own words, in one transaction
 *     | every other CA is used as if this one were down; the store holds the block across restarts
 *   the operator says so    a wish in the store, written by the web process
 *     | the wish is taken, the alarm ends
 *   one order goes out      the probe of a half-open breaker: it closes, or the block begins anew
 */

void
blocked_begin(struct engine *e, struct engine_ca *ca, const struct finding_list *failures)
{
	for (size_t i = 0; i < failures->n; i++)
		if (failures->at[i].cause == CAUSE_CA_ACCOUNT_BLOCKED) {
			ca->row.error = arena_str(&ca->arena, failures->at[i].evidence);
			break;
		}
	ca->is_block_new = true;
	engine_log(e, "CA %.*s has blocked the account: nothing is asked of it until the operator says that this is over: %.*s",
	    STR_ARG(ca->row.name), STR_ARG(ca->row.error));
}

/* One alarm for all of them. */
static enum err
put_condition(struct engine *e)
{
	struct str words = STR_NONE;

	for (size_t i = 0; i < e->cas_n; i++) {
		const struct ca_row *r = &e->cas[i]->row;

		if (breaker_is_blocked(&r->breaker))
			words = arena_strf(&e->arena, "%.*s%s%.*s: %.*s", STR_ARG(words), words.n > 0 ? "; " : "", STR_ARG(r->name), STR_ARG(r->error));
	}
	if (words.n == 0)
		return store_condition_end(e->ports.store, CAUSE_CA_ACCOUNT_BLOCKED);
	return store_condition_put(e->ports.store, CAUSE_CA_ACCOUNT_BLOCKED, words, e->turn.now);
}

static enum err
lift(struct engine *e, struct engine_ca *ca)
{
	bool was_blocked = breaker_is_blocked(&ca->row.breaker);
	struct ca_row row = ca->row;
	enum err err = store_ca_unblock_taken(e->ports.store, row.id);

	ca->row.unblock_asked = WHEN_UNKNOWN;
	if (err != ERR_OK || !was_blocked)
		return err;
	row.unblock_asked = WHEN_UNKNOWN;
	row.error = STR_NONE;
	breaker_unblock(&row.breaker, e->turn.now);
	engine_log(e, "CA %.*s: the operator says that the account is not blocked any more; one order finds out", STR_ARG(row.name));
	err = account_save(e, ca, &row);
	if (err == ERR_OK)
		err = put_condition(e);
	/* They wait for a date that this CA had, not for a word. */
	return err == ERR_OK ? store_lanes_wake(e->ports.store, e->turn.now) : err;
}

enum err
blocked_turn(struct engine *e, struct engine_ca *ca)
{
	enum err err = ERR_OK;

	if (when_is_known(ca->row.unblock_asked))
		err = lift(e, ca);
	else if (ca->is_block_new)
		err = put_condition(e);
	ca->is_block_new &= err != ERR_OK;
	/* Not stored: after a restart the date that was is past, and this is done at once. */
	if (err == ERR_OK && breaker_hold(&ca->row.breaker, &e->turn))
		account_policy(e);
	return err;
}

struct when
blocked_next(const struct engine_ca *ca)
{
	return breaker_is_blocked(&ca->row.breaker) ? ca->row.breaker.not_before : WHEN_NEVER;
}
