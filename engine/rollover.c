#include "engine/inside.h"
#include "base/must.h"

/*
 * An account gets another key (RFC 8555 7.3.5), and no challenge goes unanswered meanwhile:
 *
 *   asked        a wish in the store
 *     | the next key is made, sealed and committed, before the CA hears of it
 *   next key     from here on the web servers ask the web process, which knows the thumbprint of each token
 *     | the CA is asked which key it knows: after a crash, or a lost answer, it may be the next one
 *     | orders under way there end; none is begun
 *   key change   the old key signs what the new one has signed
 *     | done, or found to be done
 *   the next key is the key: committed, and the account is opened with it
 *
 * A crash at any line finds either the wish or both keys, and asks the CA. A key is given up only when the CA says that it
 * does not know it, after it has refused the change.
 */

enum { LATER_LEAST_S = 5, LATER_MOST_S = 3600 };

static enum err
ask(struct engine *e, struct engine_ca *ca, enum work_kind kind)
{
	if (account_work(e, ca, kind) == NULL)
		return ERR_MEMORY;
	ca->roll.is_asked = true;
	return ERR_OK;
}

/* Orders may go on with the key that the CA knows. */
static void
let_go(struct engine *e, struct engine_ca *ca)
{
	int64_t wait = LATER_LEAST_S;

	for (unsigned i = 0; i < ca->roll.failures && wait < LATER_MOST_S; i++)
		wait *= 2;
	wait = wait < LATER_MOST_S ? wait : LATER_MOST_S;
	ca->roll.failures++;
	ca->roll.at = when_plus(e->turn.now, SPAN_S(wait + (int64_t)(e->turn.roll % ((uint64_t)wait / 4 + 1))));
	ca->roll.is_held = false;
	account_policy(e);
}

static enum err
give_up(struct engine *e, struct engine_ca *ca, struct str why)
{
	struct ca_row row = ca->row;

	row.next_sealed_key = row.next_thumbprint = STR_NONE;
	row.error = why;
	engine_log(e, "account at %.*s: its key stays: %.*s", STR_ARG(row.name), STR_ARG(why));
	ca->roll.is_held = ca->roll.is_old_known = false;
	ca->roll.at = WHEN_UNKNOWN;
	return account_save(e, ca, &row);
}

static enum err
adopt(struct engine *e, struct engine_ca *ca)
{
	struct ca_row row = ca->row;

	row.sealed_key = row.next_sealed_key;
	row.thumbprint = row.next_thumbprint;
	row.next_sealed_key = row.next_thumbprint = STR_NONE;
	row.rolled_at = e->turn.now;
	row.error = STR_NONE;
	engine_log(e, "account at %.*s: has its new key", STR_ARG(row.name));
	ca->roll.is_held = ca->roll.is_old_known = ca->roll.is_refused = false;
	ca->roll.failures = 0;
	ca->roll.at = WHEN_UNKNOWN;
	/* The port signs with the new key from the moment on that the account is opened with it. */
	ca->is_open = false;
	ca->at = WHEN_UNKNOWN;
	return account_save(e, ca, &row);
}

static enum err
begin(struct engine *e, struct engine_ca *ca)
{
	if (!when_is_known(ca->row.rollover_asked) || !ca->is_open)
		return ERR_OK;
	if (ca->row.key_change.n > 0)
		return ask(e, ca, WORK_NEXT_KEY);
	enum err err = store_ca_rollover_taken(e->ports.store, ca->row.id);
	ca->row.rollover_asked = WHEN_UNKNOWN;
	ca->roll.is_refused = true;
	return err != ERR_OK ? err : give_up(e, ca, STR("this CA cannot change the key of an account (its directory has no keyChange)"));
}

enum err
rollover_turn(struct engine *e, struct engine_ca *ca)
{
	struct roll *r = &ca->roll;

	if (r->is_asked)
		return ERR_OK;
	if (ca->row.next_sealed_key.n == 0)
		return begin(e, ca);
	if (!ca->is_open || when_before(e->turn.now, r->at))
		return ERR_OK;
	if (!r->is_old_known)
		return ask(e, ca, WORK_FIND_KEY);
	if (!r->is_held) {
		r->is_held = true;
		account_policy(e);
	}
	/* Both thumbprints are answered, and nothing is asked for under the old one. */
	if (!e->snippet.is_written || !e->snippet.is_table || ca->orders_n > 0)
		return ERR_OK;
	return ask(e, ca, WORK_SIGN_CHANGE);
}

struct when
rollover_next(const struct engine *e, const struct engine_ca *ca)
{
	const struct roll *r = &ca->roll;
	bool is_covered = e->snippet.is_written && e->snippet.is_table;

	if (ca->row.next_sealed_key.n == 0 || r->is_asked || !ca->is_open)
		return WHEN_NEVER;
	/* Held, it waits for the end of the orders and for the snippet, which are events. */
	return r->is_held && r->is_old_known && (ca->orders_n > 0 || !is_covered) ? WHEN_NEVER : r->at;
}

/* The CA was asked for an account of the next key. */
static enum err
found(struct engine *e, struct engine_ca *ca, const struct work *w)
{
	if (w->err == ERR_OK)
		return adopt(e, ca);
	bool is_said = str_eq(w->problem_type, STR("accountDoesNotExist"));
	/* Another refusal is no account either, but no ground to throw a key away. */
	if (!is_said && w->err != ERR_REFUSED && w->err != ERR_NOT_FOUND) {
		engine_log(e, "account at %.*s: which key it has is not known: %s: %.*s", STR_ARG(ca->row.name), err_words(w->err),
		    STR_ARG(w->words));
		let_go(e, ca);
		return ERR_OK;
	}
	if (is_said && ca->roll.is_refused)
		return give_up(e, ca, buf_str(&ca->roll.words));
	ca->roll.is_old_known = true;
	account_policy(e);
	return ERR_OK;
}

static enum err
changed(struct engine *e, struct engine_ca *ca, const struct work *w)
{
	const struct acme_answer *an = w->answer;

	if (an->err == ERR_OK)
		return adopt(e, ca);
	engine_log(e, "account at %.*s: the key change: %s: %.*s %.*s", STR_ARG(ca->row.name), err_words(an->err),
	    STR_ARG(an->problem.type), STR_ARG(an->problem.detail.n > 0 ? an->problem.detail : an->detail));
	/* Whatever the answer, it may have been done: the CA is asked before anything else is signed. */
	ca->roll.is_old_known = false;
	ca->roll.is_refused = an->err == ERR_REFUSED || an->err == ERR_NOT_FOUND;
	buf_clear(&ca->roll.words);
	buf_putf(&ca->roll.words, "the CA refused the new key: %.*s %.*s", STR_ARG(an->problem.type),
	    STR_ARG(an->problem.detail.n > 0 ? an->problem.detail : an->detail));
	let_go(e, ca);
	return ERR_OK;
}

enum err
rollover_answer(struct engine *e, struct engine_ca *ca, struct work *w)
{
	ca->roll.is_asked = false;
	if (w->kind == WORK_FIND_KEY)
		return found(e, ca, w);
	if (w->kind == WORK_KEY_CHANGE)
		return changed(e, ca, w);
	if (w->err != ERR_OK) {
		let_go(e, ca);
		return ERR_OK;
	}
	if (w->kind == WORK_SIGN_CHANGE) {
		struct work *next = account_work(e, ca, WORK_KEY_CHANGE);

		if (next == NULL)
			return ERR_MEMORY;
		next->json = arena_str(&next->arena, w->json);
		ca->roll.is_asked = true;
		return arena_failed(&next->arena) ? ERR_MEMORY : ERR_OK;
	}
	must(w->kind == WORK_NEXT_KEY);
	struct ca_row row = ca->row;
	row.next_sealed_key = w->sealed_key;
	row.next_thumbprint = w->thumbprint;
	row.rollover_asked = WHEN_UNKNOWN;
	ca->roll.is_refused = ca->roll.is_old_known = false;
	ca->roll.failures = 0;
	ca->roll.at = WHEN_UNKNOWN;
	enum err err = store_ca_rollover_taken(e->ports.store, ca->row.id);
	return err != ERR_OK ? err : account_save(e, ca, &row);
}
