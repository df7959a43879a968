#include "engine/inside.h"
#include <stdlib.h>
#include "base/must.h"
#include "core/site_plan.h"
#include "ports/names/names.h"
#include "ports/store/budget.h"

/*
 * The CA's budget, in the store: asked before an order is begun, held from that transaction on, and settled in the one that
 * closes the order. What core/budget decides is carried to the rows and back here.
 */

enum { SWEPT_AT_ONCE = 1000, ORPHANS_AT_ONCE = 64, PER_NAME = 4, REST = 2, WINDOW_MARGIN_MIN = 10 };

/* The subject under which a CA without published limits has taught how much it allows, whatever the subject. */
#define ANY_SUBJECT STR("*")

static struct str
domain_of(struct str name)
{
	struct str domain = names_registered_domain(name);

	return domain.n > 0 ? domain : name;
}

void
budget_fini(struct engine *e)
{
	for (size_t i = 0; i < e->budgets_n; i++)
		free(e->budgets[i].overrides);
	free(e->budgets);
}

/* A CA that is in the configuration no more: its rows are kept by what it has taught. */
static struct ca_budget *
budget_at(struct engine *e, int64_t ca_id)
{
	for (size_t i = 0; i < e->budgets_n; i++)
		if (e->budgets[i].ca_id == ca_id)
			return &e->budgets[i];
	return NULL;
}

static const struct budget_rules *
rules_of(struct engine *e, int64_t ca_id)
{
	const struct ca_budget *cb = budget_at(e, ca_id);

	return cb != NULL ? &cb->rules : &e->budget_none;
}

static enum err
load_row(struct engine *e, int64_t ca_id, enum budget b, struct str subject, struct budget_row *ret)
{
	const struct ca_budget *cb = budget_at(e, ca_id);
	enum err err = store_budget_load(e->ports.store, ca_id, b, subject, ret);

	if (err != ERR_OK)
		return err;
	if (rate_is_none(ret->learned) && cb != NULL)
		ret->learned = cb->learned[b];
	bucket_mend(budget_rate(rules_of(e, ca_id), ret), &ret->bucket, instant_of(e->turn.now));
	return ERR_OK;
}

enum err
budget_load(struct engine *e, int64_t ca_id, const struct config_ca *c)
{

	struct ca_budget *cb = budget_at(e, ca_id), *grown;

	if (cb == NULL) {
		grown = realloc(e->budgets, (e->budgets_n + 1) * sizeof *grown);
		if (grown == NULL)
			return ERR_MEMORY;
		e->budgets = grown;
		cb = &grown[e->budgets_n++];
		*cb = (struct ca_budget){ .ca_id = ca_id };
	}
	free(cb->overrides);
	cb->overrides = calloc(c->raised_n + 1, sizeof *cb->overrides);
	if (cb->overrides == NULL)
		return ERR_MEMORY;
	size_t n = 0;
	for (size_t i = 0; i < c->raised_n; i++)
		n += budget_read_override(str_of(c->raised[i]), &cb->overrides[n]);
	cb->rules = (struct budget_rules){
		.profile = budget_profile(str_of(c->limits), str_of(c->directory)),
		.overrides = cb->overrides,
		.overrides_n = n,
	};
	for (enum budget b = 0; b < BUDGET_COUNT; b++) {
		struct budget_row row;
		enum err err = store_budget_load(e->ports.store, ca_id, b, ANY_SUBJECT, &row);

		if (err != ERR_OK)
			return err;
		cb->learned[b] = row.learned;
	}
	return ERR_OK;
}

/* --- asking --- */

struct ask {
	int64_t ca_id;
	const struct str *names;
	size_t names_n;
	struct budget_draw *draws;
	struct budget_row *rows;
	struct str *domains;
	size_t n;
};

static bool
is_same_set(const struct site *s, size_t n)
{
	size_t held = 0;

	for (size_t i = 0; i < s->names_n; i++)
		held += s->names[i].is_held;
	return s->held.id != 0 && held == n;
}

static size_t
count_held(const struct site *s, const struct str *names, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < s->names_n; k++)
			found += s->names[k].is_held && str_eq(s->names[k].name, names[i]);
	return found;
}

/*
 * A renewal in the CA's eyes: it has itself issued exactly these names lately; or the order will name the certificate that it
 * replaces, and comes in the window that the CA gave for it. A window of an incident is past when it is told: then only
 * the first counts, as in the CA's own source.
 */
static enum err
is_renewal(struct engine *e, const struct site *s, const struct budget_order_at *at, struct budget_order *ret)
{
	struct when from;
	int64_t ca_id;

	size_t held = count_held(s, at->names, at->names_n);

	if (held == 0)
		return ERR_OK;
	enum err err = store_budget_held(e->ports.store, s->id, &ca_id, &from);
	if (err != ERR_OK || ca_id != at->ca_id)
		return err;
	ret->is_same_set = is_same_set(s, at->names_n) && held == at->names_n && when_is_known(from) &&
			   when_between(from, e->turn.now).s < BUDGET_SAME_SET_MOST.s;
	/* The request comes a little later than this decision, at worst when the key has been made and there is room. */
	ret->is_in_window = s->renewal.is_told && !when_before(e->turn.now, s->renewal.start) &&
			    when_before(when_plus(e->turn.now, SPAN_MIN(WINDOW_MARGIN_MIN)), s->renewal.end);
	return ERR_OK;
}

static enum err
ask(struct engine *e, const struct site *s, const struct budget_order_at *at, struct ask *ret)
{
	struct budget_order o = { .names = at->names, .n = at->names_n };
	size_t n = at->names_n, cap = PER_NAME * n + REST;

	*ret = (struct ask){
		.ca_id = at->ca_id,
		.names = at->names,
		.names_n = n,
		.draws = arena_get(&e->arena, cap * sizeof *ret->draws),
		.rows = arena_get(&e->arena, cap * sizeof *ret->rows),
		.domains = arena_get(&e->arena, (n + 1) * sizeof *ret->domains),
	};
	if (ret->draws == NULL || ret->rows == NULL || ret->domains == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < n; i++)
		ret->domains[i] = domain_of(at->names[i]);
	o.domains = ret->domains;
	enum err err = is_renewal(e, s, at, &o);
	if (err != ERR_OK)
		return err;
	if (!budget_draws(&o, &e->arena, ret->draws, &ret->n))
		return ERR_MEMORY;
	for (size_t i = 0; err == ERR_OK && i < ret->n; i++)
		err = load_row(e, at->ca_id, ret->draws[i].budget, ret->draws[i].subject, &ret->rows[i]);
	return err;
}

/* --- what stands in the way --- */

static bool
has_waited(const struct site *s, enum cause c, struct str subject)
{
	for (size_t i = 0; i < s->findings.n; i++)
		if (s->findings.at[i].cause == c && str_eq(s->findings.at[i].subject, subject))
			return true;
	return false;
}

static void
put_limit(struct site *s, enum cause c, struct str name, struct str seen, struct when until)
{
	struct finding *f = finding_put(&s->limits, c, name);

	if (f == NULL)
		return;
	f->seen = seen;
	f->next_look = until;
	f->is_from_order = true;
}

/* A row that lets nothing pass, as findings of the names that it concerns. */
static enum err
forbid(struct engine *e, struct site *s, const struct ask *a, size_t i)
{
	const struct str *names = a->names;
	size_t names_n = a->names_n;
	enum budget b = a->draws[i].budget;
	struct str subject = a->draws[i].subject, first = names[0];
	/* We stop before the CA would pause the name: it is not paused. */
	enum cause cause = b == BUDGET_STREAK ? CAUSE_CA_LIMIT_FAILED_AUTHORIZATIONS : budget_cause(b);

	/* The lanes are those of the first CA's account; at another one each site has a date. */
	if (b == BUDGET_ORDERS && a->ca_id == e->budgets[0].ca_id) {
		s->waits_turn = true;
		return ERR_OK;
	}
	for (size_t k = 0; b == BUDGET_DOMAIN && k < names_n; k++)
		if (str_eq(a->domains[k], subject)) {
			first = names[k];
			break;
		}
	if (b == BUDGET_FAILURES || b == BUDGET_STREAK)
		first = subject;
	struct when until = budget_wait(rules_of(e, a->ca_id), &a->rows[i], has_waited(s, cause, first), &e->turn);
	enum err err = store_budget_save(e->ports.store, a->ca_id, &a->rows[i]);
	for (size_t k = 0; k < names_n; k++)
		if (b == BUDGET_ORDERS || (b == BUDGET_DOMAIN ? str_eq(a->domains[k], subject) : str_eq(names[k], first)))
			put_limit(s, cause, names[k], b == BUDGET_DOMAIN ? subject : STR_NONE, until);
	return err;
}

/* --- holding --- */

static enum err
hold(struct engine *e, const struct site *s, const struct ask *a)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct budget_draw *d = &a->draws[i];
		struct budget_row *row = &a->rows[i];

		/* P6: never knowingly over a published limit. */
		budget_check(rules_of(e, a->ca_id), row, e->turn.now);
		if (!d->is_held)
			continue;
		enum err err = store_budget_draw(e->ports.store, s->id, a->ca_id, d->budget, d->subject);
		if (err != ERR_OK)
			return err;
		row->bucket.held++;
		err = store_budget_save(e->ports.store, a->ca_id, row);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

/* The places that sites of the lanes were let in for are not taken by one that comes from beside. */
static bool
passes(struct engine *e, const struct ask *a, size_t i)
{
	const struct budget_draw *d = &a->draws[i];
	const struct budget_row *row = &a->rows[i];
	struct rate r = budget_rate(rules_of(e, a->ca_id), row);
	struct instant now = instant_of(e->turn.now);

	if (d->budget == BUDGET_ORDERS && a->ca_id == e->budgets[0].ca_id)
		return bucket_left(r, &row->bucket, now) > (int64_t)e->claims_drawing;
	return bucket_passes(r, &row->bucket, now);
}

enum err
budget_open(struct engine *e, struct site *s, const struct budget_order_at *o, bool *ret_passes)
{
	size_t n = o->names_n;
	struct finding *room = arena_get(&e->arena, (n + 2) * PER_NAME * sizeof *room);
	struct ask a;
	bool is_open = true;
	/* Left over from an order that never came about. */
	enum err err = budget_close(e, s->id, BUDGET_UNSENT, 0);

	if (err == ERR_OK)
		err = room == NULL ? ERR_MEMORY : ask(e, s, o, &a);
	if (err != ERR_OK)
		return err;
	s->limits = (struct finding_list){ .at = room, .cap = (n + 2) * PER_NAME };
	for (size_t i = 0; err == ERR_OK && i < a.n; i++) {
		if (passes(e, &a, i))
			continue;
		is_open = false;
		err = forbid(e, s, &a, i);
	}
	*ret_passes = is_open;
	return err != ERR_OK || !is_open ? err : hold(e, s, &a);
}

/* --- settling --- */

/* The present second began before the CA counted, and ends after it. */
static struct instant
news_at(const struct engine *e)
{
	return instant_of(when_plus(e->turn.now, SPAN_S(1)));
}

static enum err
settle(struct engine *e, const struct budget_listed *d, enum budget_end end, unsigned new_orders)
{
	struct budget_row row;
	enum err err = load_row(e, d->ca_id, d->row.budget, d->row.subject, &row);
	/* Each time that it was asked for counts, whether or not the answer came. */
	unsigned times = d->row.budget == BUDGET_ORDERS ? new_orders : 1;

	if (err != ERR_OK)
		return err;
	row.bucket.held = row.bucket.held > 0 ? row.bucket.held - 1 : 0;
	if (end != BUDGET_UNSENT && budget_counts(row.budget, end == BUDGET_ISSUED))
		for (unsigned i = 0; i < times; i++)
			bucket_spend(budget_rate(rules_of(e, d->ca_id), &row), &row.bucket, news_at(e));
	return store_budget_save(e->ports.store, d->ca_id, &row);
}

enum err
budget_close(struct engine *e, int64_t site_id, enum budget_end end, unsigned new_orders)
{
	struct budget_listed *draws;
	size_t n = 0;
	enum err err = store_budget_draws(e->ports.store, site_id, &e->arena, &draws, &n);

	for (size_t i = 0; err == ERR_OK && i < n; i++)
		err = settle(e, &draws[i], end, new_orders);
	return err == ERR_OK && n > 0 ? store_budget_undraw(e->ports.store, site_id) : err;
}

/* A validation that failed, or went well: the CA counts both for each name. */
static enum err
count_name(struct engine *e, int64_t ca_id, struct str name, bool is_good)
{
	static const enum budget both[] = { BUDGET_FAILURES, BUDGET_STREAK };

	for (size_t i = 0; i < 2; i++) {
		struct budget_row row;
		enum err err = load_row(e, ca_id, both[i], name, &row);

		if (err != ERR_OK)
			return err;
		struct rate r = budget_rate(rules_of(e, ca_id), &row);
		if (rate_is_none(r) || (is_good && (both[i] == BUDGET_FAILURES || row.bucket.tat.us == 0)))
			continue;
		if (is_good)
			row.bucket = (struct bucket){ 0 };
		else
			bucket_spend(r, &row.bucket, news_at(e));
		err = store_budget_save(e->ports.store, ca_id, &row);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

static enum err
count_set(struct engine *e, int64_t ca_id, const struct order *o)
{
	struct budget_row row;
	struct str key;

	if (!budget_set_key(o->names, o->names_n, &e->arena, &key))
		return ERR_MEMORY;
	enum err err = load_row(e, ca_id, BUDGET_SET, key, &row);
	if (err != ERR_OK)
		return err;
	bucket_spend(budget_rate(rules_of(e, ca_id), &row), &row.bucket, news_at(e));
	return store_budget_save(e->ports.store, ca_id, &row);
}

enum err
budget_order_ended(struct engine *e, const struct live_order *live, bool is_issued)
{
	const struct order *o = &live->order;
	enum err err = budget_close(e, o->site_id, is_issued ? BUDGET_ISSUED : BUDGET_FAILED, live->new_orders);

	/* The CA would not have it as a replacement: it counts after all. */
	if (err == ERR_OK && is_issued && live->had_replaces && o->replaces.n == 0)
		err = count_set(e, live->ca_id, o);
	for (size_t i = 0; err == ERR_OK && is_issued && i < o->names_n; i++)
		err = count_name(e, live->ca_id, o->names[i], true);
	for (size_t i = 0; err == ERR_OK && !is_issued && i < o->authz_n; i++)
		if (o->authz[i].name.n > 0 && (o->authz[i].status == ACME_INVALID || o->authz[i].status == ACME_VALID))
			err = count_name(e, live->ca_id, o->authz[i].name, o->authz[i].status == ACME_VALID);
	return err;
}

/* --- learning --- */

static bool
is_lesson(const struct finding *f, struct budget_lesson *ret)
{
	for (enum budget b = 0; b < BUDGET_COUNT; b++)
		if (b != BUDGET_STREAK && budget_cause(b) == f->cause)
			return budget_lesson(f->evidence, ret);
	return false;
}

static enum err
remember_for_all(struct engine *e, int64_t ca_id, const struct budget_lesson *l)
{
	struct ca_budget *cb = budget_at(e, ca_id);
	struct budget_row row = { .budget = l->budget, .subject = ANY_SUBJECT, .bucket.not_before = { INT64_MAX }, .learned = l->rate };

	/* Published limits are known better. */
	if (cb == NULL || rate_is_none(l->rate) || !rate_is_none(cb->rules.profile->limits[l->budget]))
		return ERR_OK;
	cb->learned[l->budget] = l->rate;
	return store_budget_save(e->ports.store, ca_id, &row);
}

enum err
budget_refused(struct engine *e, const struct live_order *live, const struct finding *f, struct when retry_after)
{
	const struct order *o = &live->order;
	struct budget_lesson l;
	struct budget_row row;
	struct str subject = STR("");

	if (!is_lesson(f, &l))
		return ERR_OK;
	if (l.budget == BUDGET_SET && !budget_set_key(o->names, o->names_n, &e->arena, &subject))
		return ERR_MEMORY;
	if (l.budget == BUDGET_FAILURES)
		subject = l.domain.n > 0 ? l.domain : f->subject;
	else if (l.budget == BUDGET_DOMAIN || l.budget == BUDGET_OTHER)
		subject = l.domain.n > 0 ? l.domain : domain_of(f->subject);
	enum err err = load_row(e, live->ca_id, l.budget, subject, &row);
	if (err != ERR_OK)
		return err;
	budget_learn(rules_of(e, live->ca_id), &row, &l, when_is_known(retry_after) ? retry_after : f->next_look, e->turn.now);
	engine_log(e, "the CA's limit %s of \"%.*s\" was met unforeseen", budget_name(l.budget), STR_ARG(subject));
	err = store_budget_save(e->ports.store, live->ca_id, &row);
	return err != ERR_OK ? err : remember_for_all(e, live->ca_id, &l);
}

/* --- rehearsals: nothing of such an order is stored --- */

static enum err
spend_orders(struct engine *e, int64_t ca_id, struct budget_row *row, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		bucket_spend(budget_rate(rules_of(e, ca_id), row), &row->bucket, news_at(e));
	return store_budget_save(e->ports.store, ca_id, row);
}

enum err
budget_rehearse(struct engine *e, int64_t ca_id, bool *ret_has_place)
{
	struct budget_row row;
	enum err err = load_row(e, ca_id, BUDGET_ORDERS, STR(""), &row);

	if (err != ERR_OK)
		return err;
	*ret_has_place = bucket_passes(budget_rate(rules_of(e, ca_id), &row), &row.bucket, instant_of(e->turn.now));
	return *ret_has_place ? spend_orders(e, ca_id, &row, 1) : ERR_OK;
}

enum err
budget_rehearsed(struct engine *e, int64_t ca_id, unsigned new_orders)
{
	struct budget_row row;

	if (new_orders <= 1)
		return ERR_OK;
	enum err err = load_row(e, ca_id, BUDGET_ORDERS, STR(""), &row);
	return err != ERR_OK ? err : spend_orders(e, ca_id, &row, new_orders - 1);
}

enum err
budget_ask_again(struct engine *e, int64_t site_id, int64_t ca_id, bool *ret_has_place)
{
	struct budget_listed *draws;
	size_t n = 0;
	enum err err = store_budget_draws(e->ports.store, site_id, &e->arena, &draws, &n);

	*ret_has_place = true;
	for (size_t i = 0; err == ERR_OK && i < n; i++)
		if (draws[i].row.budget == BUDGET_ORDERS)
			return budget_rehearse(e, ca_id, ret_has_place);
	return err;
}

/* --- for the lanes, and by and by --- */

enum err
budget_orders_left(struct engine *e, int64_t *ret_left, struct when *ret_next)
{
	struct budget_row row;
	int64_t ca_id = e->budgets[0].ca_id;
	enum err err = load_row(e, ca_id, BUDGET_ORDERS, STR(""), &row);

	if (err != ERR_OK)
		return err;
	struct rate r = budget_rate(rules_of(e, ca_id), &row);
	*ret_left = bucket_left(r, &row.bucket, instant_of(e->turn.now));
	*ret_next = instant_when(bucket_nth(r, &row.bucket, (int64_t)e->claims_drawing + 1, instant_of(e->turn.now)));
	return ERR_OK;
}

enum err
budget_tidy(struct engine *e)
{
	int64_t ids[ORPHANS_AT_ONCE];
	size_t n = 0;
	enum err err = store_budget_orphans(e->ports.store, ids, ORPHANS_AT_ONCE, &n);

	for (size_t i = 0; err == ERR_OK && i < n; i++)
		err = budget_close(e, ids[i], BUDGET_UNSENT, 0);
	return err != ERR_OK ? err : store_budget_sweep(e->ports.store, e->turn.now, SWEPT_AT_ONCE);
}
