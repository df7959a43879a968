#include "core/site.h"
#include <string.h>
#include "base/must.h"
#include "base/mutant.h"
#include "core/classify.h"
#include "core/site_ca.h"
#include "core/site_clock.h"
#include "core/site_dates.h"
#include "core/site_findings.h"
#include "core/site_held.h"
#include "core/site_letters.h"
#include "core/site_memory.h"
#include "core/site_mend.h"
#include "core/site_misfit.h"
#include "core/site_own.h"
#include "core/site_plan.h"
#include "core/site_revoked.h"

enum {
	FRESH_S = 600, /* a check this young is reason enough to order */
	VERIFY_TRIES = 4, /* a reloading web server may hand out the old certificate for seconds */
	VERIFY_PAUSE_S = 1,
	VERIFY_SILENT_TRIES = 2, /* nobody answers at all: that is no reload, and a restart takes seconds */
	VERIFY_SILENT_PAUSE_S = 5,
	SETTLE_S = 2, /* workers of before the reload may still answer, where the installer could not see them end; of whole seconds, so it is one at least */
	DEPLOY_PAUSE_MOST_S = 300,
	FILL_MANY = 100,     /* first certificates of one day that are a fill, and would come back as a herd */
};

struct site_effect *
site_effect_put(struct site_effects *out, enum site_effect_kind kind)
{
	/* The last places are kept for what must not be lost; a line of history may be. */
	size_t room = kind == FX_HISTORY ? SITE_EFFECTS_MAX - 16 : SITE_EFFECTS_MAX;

	if (out->n >= room) {
		must(kind == FX_HISTORY);
		return NULL;
	}
	struct site_effect *fx = &out->at[out->n++];
	*fx = (struct site_effect){ .kind = kind };
	return fx;
}

void
step_history(const struct step *st, enum history_kind kind, const struct finding *f)
{
	struct site_effect *fx = site_effect_put(st->out, FX_HISTORY);

	if (fx == NULL)
		return;
	fx->history = kind;
	fx->finding = f;
}

static struct site_effect *
begin(const struct step *st, enum doing doing, enum site_effect_kind kind)
{
	struct site_effect *fx = site_effect_put(st->out, kind);

	st->s->doing = doing;
	st->s->doing_since = st->t->now;
	fx->job = ++st->s->job;
	return fx;
}

static void
rest(const struct step *st)
{
	st->s->doing = DOING_NOTHING;
	st->s->doing_since = st->t->now;
}

/* --- what visitors receive --- */

enum proof { PROOF_NONE, PROOF_HELD, PROOF_SILENT, PROOF_OTHER };

/* Every name that was asked showed our certificate, on every address. */
static void
take_quiet(const struct step *st)
{
	const struct evidence *e = st->ev->evidence;

	for (size_t i = 0; i < e->names_n; i++) {
		struct site_name *n = plan_name_of(st->s, i, e->names[i].name);

		if (n == NULL)
			continue;
		n->served = (struct served){ e->at, true, true, st->s->held.life.to, { 0 } };
		memcpy(n->served.fingerprint, st->s->held.fingerprint, FINGERPRINT_BYTES);
	}
}

/* What each name's handshakes showed; taken over if so wanted. HELD: at least one name showed our certificate, and no server of
 * ours showed another one; SILENT: servers of ours showed none at all; names that lead elsewhere prove nothing either way. */
static enum proof
look_at_served(const struct step *st, bool is_taken)
{
	const struct evidence *e = st->ev->evidence;
	enum proof proof = PROOF_NONE;

	if (st->is_quiet && is_taken) {
		take_quiet(st);
		return PROOF_HELD;
	}
	for (size_t i = 0; e->has_tls && i < e->names_n; i++)
		for (size_t k = 0; k < st->s->names_n; k++) {
			struct site_name *n = &st->s->names[k];

			if (!str_eq(n->name, e->names[i].name))
				continue;
			const struct served served = served_of(e, &e->names[i], &st->s->held);
			if (is_taken)
				n->served = served;
			if (!n->is_held || !n->is_wanted)
				continue;
			bool is_here = false;
			for (size_t j = 0; j < e->names[i].addresses_n; j++)
				is_here |= e->names[i].addresses[j].is_ours;
			bool is_silent = !when_is_known(served.not_after) && (proof == PROOF_NONE || proof == PROOF_SILENT);
			if (served.is_held && proof == PROOF_NONE)
				proof = PROOF_HELD;
			else if (is_here && !served.is_held)
				proof = is_silent ? PROOF_SILENT : PROOF_OTHER;
		}
	return proof;
}

/* --- beginning something --- */

static bool
deploy_is_due(const struct site *s, struct when now)
{
	if (((s->is_removed && !MUTANT(REMOVED_DEPLOYED)) || s->setting.source == SOURCE_NONE) && s->applied.digest == 0)
		return false;
	return s->applied.digest != plan_digest(s, now);
}

static void
begin_deploy(const struct step *st)
{
	struct site *s = st->s;
	struct when now = st->t->now;
	struct site_effect *fx = begin(st, DOING_DEPLOY, FX_DEPLOY);

	fx->is_removal = s->is_removed;
	fx->is_again = mend_wants_reload(s);
	fx->applied =
	    (struct applied){ plan_digest(s, now), site_redirect(s, now), site_hsts(s, now) };
	fx->hsts_age_s = site_hsts(s, now) ? (uint32_t)life_hsts_age(s->held.life).s : 0;
	if ((fx->applied.redirect == 0) != (s->applied.redirect == 0))
		step_history(st,
		    fx->applied.redirect != 0 ? HISTORY_REDIRECT_ON : HISTORY_REDIRECT_OFF,
		    NULL);
}

static bool
begin_order(const struct step *st)
{
	struct site *s = st->s;
	struct str *names = arena_get(st->a, (s->names_n + 1) * sizeof *names);
	bool is_fresh = when_is_known(s->checked_at) &&
			when_between(s->checked_at, st->t->now).s <= FRESH_S &&
			!when_before(s->checked_at, s->retry_at);

	if (names == NULL || !st->p->ca_is_ready || !is_fresh)
		return false;
	size_t n = plan_order_names(s, st->t->now, names);
	if (n == 0)
		return false;
	struct site_effect *fx = begin(st, DOING_ORDER, FX_ORDER);
	fx->ca_id = st->p->ca_id;
	fx->names = names;
	fx->names_n = n;
	step_history(st, HISTORY_ORDERED, NULL);
	return true;
}

static bool
has_order_names(const struct step *st)
{
	struct str *room = arena_get(st->a, (st->s->names_n + 1) * sizeof *room);

	return room != NULL && plan_order_names(st->s, st->t->now, room) > 0;
}

static void
begin_check(const struct step *st)
{
	bool is_dns_only = plan_is_gone(st->s) && !st->s->asked_check;

	st->s->asked_check = false;
	struct site_effect *fx = begin(st, DOING_CHECK, FX_CHECK);
	fx->is_dns_only = is_dns_only;
	fx->wants_views = !is_dns_only && plan_wants_views(st->s);
}

/* NOTHING is under way: what is next? In this order: what is ready reaches visitors first, then what was asked
 * for, then what is due. */
static void
decide(struct step *st)
{
	struct site *s = st->s;
	struct when now = st->t->now;

	if (s->draft.exists && (!s->draft.has_csr || MUTANT(DRAFT_WITH_CSR_DISCARDED)) &&
	    !when_before(now, when_plus(s->draft.begun_at, st->p->draft_discard_after))) {
		s->draft.exists = false;
		(void)site_effect_put(st->out, FX_DISCARD_DRAFT);
		step_history(st, HISTORY_DRAFT_DISCARDED, NULL);
	}
	own_take_over(st);
	if (revoked_is_due(s))
		revoked_destroy(st);
	st->is_deploy_due = deploy_is_due(s, now);
	if (st->is_deploy_due && !when_before(now, s->deploy_at)) {
		begin_deploy(st);
		return;
	}
	if (s->is_removed || s->is_revoking || (s->setting.source == SOURCE_NONE && s->held.id == 0))
		return;
	/* What a worker of before the reload would answer is no word about the site, and would fail an order. */
	if (plan_is_settling(s, now))
		return;
	if (s->verify_failures > 0 && !when_before(now, s->look_at) && !st->is_deploy_due) {
		(void)begin(st, DOING_VERIFY, FX_VERIFY);
		return;
	}
	/* Where the CA would refuse, there is a date instead of an order; the names that it would take go on (P5, P6). */
	site_ca_decide(st);
	bool may_order = !s->waits_turn && !plan_is_gone(s) && plan_order_is_due(s, now) &&
			 !when_before(now, plan_order_not_before(s, st->p));
	if (may_order && begin_order(st))
		return;
	/* An order wants a check younger than the last failure; what a fresh one has just refused waits for its date. */
	bool is_stale = may_order && when_between(s->checked_at, now).s > FRESH_S && has_order_names(st);
	bool is_retry =
	    may_order && when_is_known(s->retry_at) && when_before(s->checked_at, s->retry_at);
	if (s->asked_check || !when_before(now, s->look_at) || is_stale || is_retry ||
	    (may_order && !when_is_known(s->checked_at) && !when_before(now, s->look_at)))
		begin_check(st);
}

/* --- events --- */

/* A handshake has shown the held certificate for the first time. */
static void
prove(const struct step *st)
{
	struct site *s = st->s;

	s->held.is_live = true;
	s->renewals_good++;
	s->deploy_failures = 0;
	step_history(st, HISTORY_PROVEN, NULL);
	findings_drop(st, finding_of_deploy);
}

/* Does DNS say the same of this name as when it had moved away, or nothing at all? */
static bool
is_still_away(const struct step *st, const struct name_evidence *n, struct finding_list *seen)
{
	const struct finding *old =
	    findings_find(&st->s->findings, CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY, n->name);
	const struct finding *f = findings_find(seen, CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY, n->name);

	if (!findings_is_answered(n))
		return true;
	return old != NULL && f != NULL && str_eq(old->seen, f->seen);
}

/* The DNS of a site that has moved away was looked at. Whatever changed is a reason to look at everything, at once. */
static void
on_looked_up(const struct step *st)
{
	const struct evidence *e = st->ev->evidence;
	size_t cap = (e->names_n + 1) * LIMIT_FINDINGS;
	struct finding *room = arena_get(st->a, cap * sizeof *room);
	struct finding_list seen = { .at = room, .cap = room != NULL ? cap : 0 };
	bool is_away = true;

	classify(e, st->s, st->p, st->a, &seen);
	for (size_t i = 0; i < e->names_n; i++)
		is_away = is_away && is_still_away(st, &e->names[i], &seen);
	rest(st);
	st->s->asked_check |= !is_away;
	if (is_away)
		findings_put_off(st, CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY, dates_next_look_of_gone(st));
	st->s->look_at = is_away ? dates_next_look_of_gone(st) : st->t->now;
}

static void
on_checked(const struct step *st)
{
	struct site *s = st->s;

	if (!st->ev->evidence->has_http && !st->ev->evidence->has_tls && plan_is_gone(s)) {
		on_looked_up(st);
		return;
	}
	struct when now = st->t->now;
	bool *passed = arena_get(st->a, s->names_n * sizeof *passed);
	bool has_recovered = false;

	for (size_t i = 0; passed != NULL && i < s->names_n; i++)
		passed[i] = plan_passes(s, &s->names[i], now);
	enum proof proof = look_at_served(st, true);
	bool was_applied = s->applied.digest == plan_digest(s, now);
	mend_forget(st);
	site_ca_judge(st);
	findings_merge(st, false);
	s->checked_at = now;
	for (size_t i = 0; i < s->names_n; i++) {
		struct site_name *n = &s->names[i];
		struct when before = n->passed_at;

		n->passed_at = now;
		if (!plan_passes(s, n, now))
			n->passed_at = before;
		else if (passed != NULL && !passed[i]) {
			has_recovered = true;
			n->refused_until = WHEN_UNKNOWN;
		}
	}
	/* A check that passes where one failed before is a reason for a new order; the CA's own date stays law. */
	if (has_recovered && !s->retry_is_law) {
		s->retry_at = WHEN_UNKNOWN;
		s->order_failures = 0;
	}
	/* A check of everything is a proof as good as a verification: one that did not see it yet is over. */
	if (proof == PROOF_HELD)
		s->verify_failures = 0;
	if (proof == PROOF_HELD && !s->held.is_live)
		prove(st);
	mend(st, was_applied);
	site_remember(st);
	s->look_at = dates_next_look(st);
	rest(st);
}

static void
on_verified(const struct step *st)
{
	struct site *s = st->s;
	enum proof proof = look_at_served(st, false);
	bool was_replaced = false;

	rest(st);
	/* A web server that reloads hands out for a moment what it had before: that is no news, and nothing is told of it. */
	if (proof != PROOF_HELD && s->verify_failures + 1 < (proof == PROOF_SILENT ? VERIFY_SILENT_TRIES : VERIFY_TRIES)) {
		s->verify_failures++;
		s->look_at = when_plus(st->t->now,
		    SPAN_S(proof == PROOF_SILENT ? VERIFY_SILENT_PAUSE_S : VERIFY_PAUSE_S * (int64_t)s->verify_failures));
		return;
	}
	(void)look_at_served(st, true);
	for (size_t i = 0; i < s->findings.n; i++)
		was_replaced |= findings_is_replacement(s->findings.at[i].cause);
	findings_merge(st, true);
	if (proof == PROOF_HELD) {
		if (!s->held.is_live)
			prove(st);
		else if (was_replaced)
			step_history(st, HISTORY_RESTORED, NULL);
		s->verify_failures = 0;
		s->deploy_failures = 0;
		findings_drop(st, finding_of_deploy);
		s->look_at = dates_look_after_handshake(st);
		return;
	}
	s->verify_failures = 0;
	if (proof == PROOF_NONE) {
		/* No server of ours is seen under these names: a check of everything finds out why, at once. */
		s->look_at = st->t->now;
		return;
	}
	s->deploy_failures++;
	s->renewals_good = 0;
	s->applied.digest = DIGEST_UNKNOWN;
	s->deploy_at = when_plus(st->t->now,
	    plan_backoff(s->deploy_failures, st->p->poll_min, SPAN_S(DEPLOY_PAUSE_MOST_S)));
	struct finding f = { .cause = CAUSE_OWN_DEPLOY_NOT_SERVED,
		.subject = s->names[0].name,
		.acts = ACTOR_HOST,
		.next_look = s->deploy_at };
	/* Another program that puts its own certificate in place explains it. */
	if (!findings_has(s, CAUSE_OWN_ORDER_COMPETING))
		findings_add(st, &f, 1);
	s->look_at = dates_look_after_handshake(st);
}

static void
on_issued(const struct step *st)
{
	struct site *s = st->s;
	const struct site_event *ev = st->ev;
	bool is_reduced = false;

	must(ev->issued.id != 0);
	for (size_t i = 0; i < s->names_n; i++) {
		struct site_name *n = &s->names[i];
		bool is_in = false;

		for (size_t k = 0; k < ev->issued_names_n; k++)
			is_in |= str_eq(ev->issued_names[k], n->name);
		if (is_in) {
			n->refused_until = WHEN_UNKNOWN;
			n->validated_at = st->t->now;
			if (!n->is_held && s->held.id != 0)
				step_history(st, HISTORY_NAME_ADDED, NULL);
		} else {
			is_reduced |= n->is_held && n->is_wanted && !plan_is_moved(s, n);
		}
		n->is_held = is_in;
	}
	bool is_first = s->held.id == 0;
	site_hold(st, &ev->issued);
	s->held.is_spread = is_first && st->p->firsts_lately >= FILL_MANY;
	s->jitter = st->t->roll;
	s->order_id = 0;
	step_history(st, HISTORY_ISSUED, NULL);
	findings_drop_ordered(st);
	misfit_followed(st);
	if (ev->failures_n > 0)
		findings_add(st, ev->failures, ev->failures_n);
	if (is_reduced)
		step_history(st, HISTORY_REDUCED, NULL);
	rest(st);
}

/* What is under way for the certificate of before is of no use any more. */
static void
give_order_up(const struct step *st)
{
	struct site *s = st->s;

	if (s->doing == DOING_ORDER && s->order_id != 0) {
		site_effect_put(st->out, FX_ABANDON)->order_id = s->order_id;
		s->order_id = 0;
	}
}

/* Was this name untouched by what the CA refused? */
static bool
is_untouched(const struct site *s, const struct site_event *ev, const struct site_name *n)
{
	bool is_meant = !n->is_wanted;

	for (size_t k = 0; k < ev->failures_n; k++)
		is_meant |= plan_is_about(s, &ev->failures[k], n);
	return !is_meant;
}

/* The names that were not refused need not wait for those that were (P5). Those that pass are ordered after one more check; with
 * none that passes, near the end, what our check had against them was known before: the rest goes at once, and gets smaller. */
static struct when
retry_for_others(const struct step *st, struct when otherwise)
{
	const struct site *s = st->s;
	struct when now = st->t->now;
	bool is_any = false, is_end = s->held.id != 0 && !when_before(now, life_anyway_at(s->held.life));

	for (size_t k = 0; k < st->ev->failures_n; k++)
		if (!plan_blames_name(st->ev->failures[k].cause))
			return otherwise;
	for (size_t i = 0; i < s->names_n; i++) {
		if (!is_untouched(s, st->ev, &s->names[i]))
			continue;
		if (plan_passes(s, &s->names[i], now))
			return when_plus(now, SPAN_S(1));
		is_any |= s->names[i].is_held && !plan_is_refused(s, &s->names[i], now);
	}
	return is_any && is_end && when_between(s->checked_at, now).s <= FRESH_S ? WHEN_UNKNOWN : otherwise;
}

/* The CA itself is ill: its own breaker paces everybody, and when it is well again the site is not a day late. */
static struct span
order_wait(const struct step *st, enum cause c, unsigned times)
{
	struct span wait = plan_order_backoff(st->s, times, st->t);
	bool is_ill = cause_row(c)->layer == LAYER_CA && cause_row(c)->scope == SCOPE_FLEET;

	return is_ill ? span_min(wait, SPAN_H(1)) : wait;
}

/* A check may find the same fault meanwhile, and then its finding is a check's, with dates of its own: the CA's word about
 * the name is kept beside it. */
static void
refuse(struct site *s, const struct finding *f)
{
	for (size_t i = 0; plan_blames_name(f->cause) && i < s->names_n; i++)
		if (plan_is_about(s, f, &s->names[i]))
			s->names[i].refused_until = f->next_look;
}

static void
on_order_failed(const struct step *st)
{
	struct site *s = st->s;
	const struct site_event *ev = st->ev;
	struct when now = st->t->now;
	bool is_law = when_is_known(ev->retry_after) && when_before(now, ev->retry_after) && !MUTANT(RETRY_AFTER_IGNORED);
	struct finding *room = arena_get(st->a, (ev->failures_n + 1) * sizeof *room);

	/* It was tried and refused: from here on the plan's own dates count, not the wish. */
	s->asked_renew = false;
	s->order_id = 0;
	rest(st);
	s->order_failures = MUTANT(FAILURES_FORGOTTEN) ? 1 : s->order_failures + 1;
	if (MUTANT(CERTIFICATE_DROPPED))
		s->held = (struct held){ 0 };
	enum cause main_cause = ev->failures_n > 0 ? ev->failures[0].cause : CAUSE_OWN_UNCLASSIFIED;
	/* A block of the account holds everybody, until a person ends it: no date of the site's own comes on top. */
	bool is_block = main_cause == CAUSE_CA_ACCOUNT_BLOCKED;
	struct when retry_at = is_block ? now : when_plus(now, order_wait(st, main_cause, s->order_failures));
	/* The CA's word about a name blocks that name until its date: a refused order is not repeated before (P6). */
	for (size_t i = 0; room != NULL && i < ev->failures_n; i++) {
		room[i] = findings_as_known(st, &ev->failures[i]);
		const struct finding *old = findings_find(&s->findings, room[i].cause, room[i].subject);
		unsigned times = old != NULL ? old->times_seen + 1 : 1;

		room[i].next_look = is_law ? ev->retry_after : when_plus(now, order_wait(st, room[i].cause, times));
		refuse(s, &room[i]);
	}
	if (room != NULL)
		findings_add(st, room, ev->failures_n);
	findings_drop(st, finding_of_earlier_order);
	if (is_law)
		retry_at = when_max(retry_at, ev->retry_after);
	else if (ev->is_retry_at_once && s->order_failures < 3)
		retry_at = when_plus(now, SPAN_S(1));
	else
		retry_at = retry_for_others(st, retry_at);
	s->retry_at = retry_at;
	s->retry_is_law = is_law;
	step_history(st, HISTORY_ORDER_FAILED, ev->failures_n > 0 ? &ev->failures[0] : NULL);
	s->look_at = when_min(s->look_at, dates_next_look(st));
}

static void
on_deployed(const struct step *st)
{
	struct site *s = st->s;
	const struct site_event *ev = st->ev;

	rest(st);
	if (ev->failures_n > 0) {
		s->deploy_failures++;
		s->deploy_at = when_plus(st->t->now, plan_backoff(s->deploy_failures, st->p->poll_min, SPAN_S(DEPLOY_PAUSE_MOST_S)));
		struct finding f = ev->failures[0];
		misfit_met(st, &f);
		f.next_look = s->deploy_at;
		findings_add(st, &f, 1);
		if (s->deploy_failures == 1)
			step_history(st, HISTORY_DEPLOY_FAILED, findings_find(&s->findings, f.cause, f.subject));
		return;
	}
	if (s->is_removed) {
		s->applied = (struct applied){ 0 };
		step_history(st, HISTORY_REMOVED, NULL);
		return;
	}
	s->applied = ev->applied;
	s->deploy_at = when_plus(st->t->now, SPAN_S(ev->is_reloading ? SETTLE_S : 0));
	findings_drop(st, finding_of_installer);
	if (s->held.id != 0 && !s->is_revoking && when_before(st->t->now, s->held.life.to))
		(void)begin(st, DOING_VERIFY, FX_VERIFY);
	else
		s->look_at = s->deploy_at;
}

/* The engine was restarted: what was under way is asked for again; every effect may be repeated. */
static void
on_restarted(const struct step *st)
{
	struct site *s = st->s;

	switch (s->doing) {
	case DOING_NOTHING:
		return;
	case DOING_CHECK:
		begin_check(st);
		return;
	case DOING_ORDER:
		if (MUTANT(ORDER_FORGOTTEN))
			s->order_id = 0;
		if (s->order_id != 0)
			begin(st, DOING_ORDER, FX_RESUME)->order_id = s->order_id;
		else
			rest(st);
		return;
	case DOING_DEPLOY:
		begin_deploy(st);
		return;
	case DOING_VERIFY:
		(void)begin(st, DOING_VERIFY, FX_VERIFY);
		return;
	case DOING_COUNT:
		break;
	}
	must(false);
}

/* The longest wait is over: the answer is taken as lost. What was asked of the CA or of the installer has failed by that, with a date
 * for the next try: asked again at once, a slow one would be asked for ever, and nothing else would happen to the site. */
static void
on_overdue(const struct step *st)
{
	struct site *s = st->s;
	bool is_order = s->doing == DOING_ORDER;
	/* A line of history shows it when this step is over. */
	struct finding *f = is_order || s->doing == DOING_DEPLOY ? arena_get(st->a, sizeof *f) : NULL;

	if (f == NULL) {
		on_restarted(st);
		return;
	}
	*f = (struct finding){ .cause = is_order ? CAUSE_OWN_ORDER_STUCK : CAUSE_OWN_UNCLASSIFIED,
		.subject = s->names[0].name,
		.evidence = is_order ? STR_NONE : STR("the installer has not answered in time"),
		.acts = ACTOR_HOST,
		.next_look = st->t->now };
	struct site_event failed = { .kind = is_order ? SITE_ORDER_FAILED : SITE_DEPLOYED,
		.failures = f,
		.failures_n = 1,
		.retry_after = WHEN_UNKNOWN };
	struct step again = *st;

	again.ev = &failed;
	if (is_order && s->order_id != 0)
		site_effect_put(st->out, FX_ABANDON)->order_id = s->order_id;
	if (is_order)
		on_order_failed(&again);
	else
		on_deployed(&again);
}

static void
on_asked(const struct step *st, bool is_renewal)
{
	st->s->asked_check = true;
	st->s->asked_renew |= is_renewal && !MUTANT(WISH_LOST);
	step_history(st, HISTORY_ASKED, NULL);
	/* The person has probably mended something: what waits for its back-off looks again at once. */
	if (!st->s->retry_is_law)
		st->s->retry_at = WHEN_UNKNOWN;
	mend_asked(st);
}

static bool
is_awaited(const struct site *s, const struct site_event *ev)
{
	switch (ev->kind) {
	case SITE_CHECKED:
		return (ev->job == s->job || MUTANT(OLD_JOB_ACCEPTED)) &&
		       (s->doing == DOING_CHECK || s->doing == DOING_VERIFY);
	case SITE_ISSUED:
	case SITE_ORDER_FAILED:
		return (ev->job == s->job || MUTANT(OLD_JOB_ACCEPTED)) && s->doing == DOING_ORDER;
	case SITE_DEPLOYED:
		return (ev->job == s->job || MUTANT(OLD_JOB_ACCEPTED)) && s->doing == DOING_DEPLOY;
	case SITE_WAKE:
	case SITE_ASKED_CHECK:
	case SITE_ASKED_RENEW:
	case SITE_CHANGED:
	case SITE_REMOVED:
	case SITE_REVOKED:
	case SITE_RESUMED:
	case SITE_RECORD_TOLD:
	case SITE_RENEWAL_TOLD:
	case SITE_IMPORTED:
	case SITE_CLOCK_SET:
	case SITE_RESTARTED:
	case SITE_EVENT_COUNT:
		break;
	}
	return true;
}

static void
take_event(const struct step *st)
{
	struct site *s = st->s;

	switch (st->ev->kind) {
	case SITE_WAKE:
		if (s->doing != DOING_NOTHING && !(MUTANT(INSTALLER_AWAITED) && s->doing == DOING_DEPLOY) &&
		    when_between(s->doing_since, st->t->now).s >= dates_longest(s->doing).s)
			on_overdue(st);
		return;
	case SITE_ASKED_CHECK:
		on_asked(st, false);
		return;
	case SITE_ASKED_RENEW:
		on_asked(st, true);
		return;
	case SITE_CHANGED:
		step_history(st, HISTORY_CHANGED, NULL);
		/* That nothing is wanted was said of the setting before: no name is kept out of an order by it. */
		if (plan_wants(s))
			findings_drop(st, finding_of_given_up);
		/* A wish, not a date: what has to reach the server first would put the date off. */
		s->asked_check = true;
		mend_asked(st);
		return;
	case SITE_REMOVED:
		s->is_removed = true;
		give_order_up(st);
		/* What the installer is doing just now has to be taken off as well. */
		if (s->doing == DOING_DEPLOY && s->applied.digest == 0)
			s->applied.digest = DIGEST_UNKNOWN;
		rest(st);
		s->deploy_at = st->t->now;
		return;
	case SITE_RESUMED:
		findings_drop(st, finding_of_pause);
		on_asked(st, false);
		return;
	case SITE_CHECKED:
		if (s->doing == DOING_VERIFY)
			on_verified(st);
		else
			on_checked(st);
		return;
	case SITE_ISSUED:
		on_issued(st);
		return;
	case SITE_REVOKED:
		if (s->held.id != 0)
			give_order_up(st);
		revoked_begin(st);
		return;
	case SITE_IMPORTED:
		if (s->is_removed)
			return;
		give_order_up(st);
		own_imported(st);
		rest(st);
		return;
	case SITE_ORDER_FAILED:
		on_order_failed(st);
		return;
	case SITE_DEPLOYED:
		on_deployed(st);
		return;
	case SITE_RECORD_TOLD:
		mend_record_told(st);
		return;
	case SITE_RENEWAL_TOLD:
		if (st->ev->is_asked_early)
			step_history(st, HISTORY_RENEWAL_ASKED, NULL);
		return;
	case SITE_RESTARTED:
		on_restarted(st);
		return;
	case SITE_CLOCK_SET:
		return;
	case SITE_EVENT_COUNT:
		break;
	}
	must(false);
}

void
site_step(struct site *s, const struct site_event *ev, const struct turn *t,
    const struct policy *p, struct arena *a, struct site_effects *out)
{
	const struct turn own_turn = site_turn(t, s->id);
	struct policy own = *p; /* with the CA that this site is with */
	struct step st = { .s = s, .ev = ev, .t = &own_turn, .p = &own, .a = a, .out = out, .own = &own };
	int64_t held_before = s->held.id;
	bool was_revoking = s->is_revoking;

	site_check(s);
	if (s->clock.s != p->clock.s)
		site_set_clock(s, p->clock, t->now);
	site_ca_use(&own, site_ca_index(s, p));
	st.is_quiet = ev->kind == SITE_CHECKED && classify_is_quiet(ev->evidence, s);
	if (is_awaited(s, ev))
		take_event(&st);
	/* News of a date begins nothing: a million may come in one hour, and what is due is taken in its turn. */
	bool is_news = ev->kind == SITE_RENEWAL_TOLD || ev->kind == SITE_CLOCK_SET;
	if (s->doing == DOING_NOTHING && !is_news)
		decide(&st);
	site_letters_note_end(&st);
	site_letters(s, t, &own, a, out);
	s->wake = dates_next_wake(&st);
	if (is_news && s->doing == DOING_NOTHING && plan_order_is_due(s, t->now))
		s->wake = when_min(s->wake, when_plus(t->now, SPAN_S(1)));
	/* P3: a certificate is followed by its successor, never by nothing, unless its owner gave it up for good. */
	must(held_before == 0 || s->held.id != 0 || was_revoking || ev->kind == SITE_REVOKED);
	/* P6: nothing is asked of a CA that has asked us to wait. */
	for (size_t i = 0; i < out->n; i++)
		must(out->at[i].kind != FX_ORDER || !when_before(t->now, own.ca_not_before) ||
		     own.ca_not_before.s == WHEN_UNKNOWN.s);
	site_check(s);
}
