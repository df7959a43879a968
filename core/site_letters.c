#include "core/site_letters.h"
#include "base/mutant.h"
#include "core/site_findings.h"
#include "core/site_plan.h"

/* Something of ours or of the CA's stands in the way: the owner is left in peace. */
static bool
fault_is_not_the_owners(const struct site *s, struct when now)
{
	for (size_t i = 0; i < s->findings.n; i++) {
		const struct finding *f = &s->findings.at[i];
		enum layer layer = cause_row(f->cause)->layer;

		/* What an order met stands until the next one. Where that one is due and what the owner has to mend is in its way,
		 * there is none. */
		if (f->is_from_order && s->doing != DOING_ORDER && !when_before(now, f->next_look))
			continue;
		if (!actor_is_owner(f->acts) &&
		    cause_row(f->cause)->severity >= SEVERITY_WARN &&
		    (layer == LAYER_OWN || layer == LAYER_CA))
			return true;
	}
	return false;
}

/* As long as something of ours is broken, what the owner had to mend may stand unseen. */
static bool
is_blind(const struct site *s)
{
	for (size_t i = 0; i < s->findings.n; i++) {
		const struct cause_row *row = cause_row(s->findings.at[i].cause);

		if (!actor_is_owner(s->findings.at[i].acts) && row->severity >= SEVERITY_WARN && row->layer == LAYER_OWN)
			return true;
	}
	return false;
}

/* Ten thousand owners have it since this morning: none of them can mend it. */
static bool
is_mass(const struct policy *p, const struct finding *f)
{
	return p->mass != NULL && p->mass->is_mass[f->cause];
}

static bool
is_moved(const struct finding *f)
{
	return f->cause == CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY;
}

const struct finding *
site_owner_finding(const struct site *s)
{
	const struct finding *best = NULL;

	for (size_t i = 0; i < s->findings.n; i++) {
		const struct finding *f = &s->findings.at[i];

		if ((!actor_is_owner(f->acts) && !MUTANT(BLAMES_THE_OWNER)) || cause_row(f->cause)->severity < SEVERITY_WARN ||
		    site_cause_of(s, f->subject) != f)
			continue;
		/* A name that visitors reach by this certificate comes before one that is not in it yet; one that has moved
		 * away comes last: nobody has to do anything about it. */
		if (best == NULL || is_moved(best) ||
		    (!is_moved(f) && cause_row(f->cause)->severity > cause_row(best->cause)->severity))
			best = f;
	}
	return best;
}

/* Twice seen, or the owner is just setting up and waits for an answer: one lost packet is no news. */
static bool
is_certain(const struct site *s, const struct finding *f)
{
	/* A date is seen once. */
	return f->times_seen >= 2 || s->held.id == 0 || f->cause == CAUSE_OWN_CERTIFICATE_IMPORTED;
}

static struct when
may_from(const struct site *s)
{
	if (!when_is_known(s->letter_at) || MUTANT(LETTER_GAP_FORGOTTEN))
		return WHEN_UNKNOWN;
	return when_plus(
	    s->letter_at, s->held.id != 0 ? life_letter_gap(s->held.life) : SPAN_D(1));
}

static unsigned
reminders_passed(const struct site *s, struct when now)
{
	unsigned n = 0;

	while (n < LIFE_REMINDERS && !when_before(now, life_reminder_at(s->held.life, n)))
		n++;
	return n;
}

static struct site_effect *
put_letter(
    struct site *s, const struct turn *t, struct site_effects *out, enum letter_kind kind)
{
	struct site_effect *fx = site_effect_put(out, FX_LETTER);

	fx->letter = kind;
	if (kind != LETTER_DRAFT && kind != LETTER_ISSUED)
		s->letter_at = t->now;
	return fx;
}

static bool
is_all_well(const struct site *s, struct when now)
{
	if (s->held.id == 0 || !s->held.is_live || !when_before(now, s->held.life.to) ||
	    s->doing != DOING_NOTHING || (s->held.is_own && plan_wants(s)) ||
	    /* On its way to another CA what the first has against its names is out of sight; a certificate ends that. */
	    s->ca_id != 0)
		return false;
	for (size_t i = 0; i < s->names_n; i++)
		if (s->names[i].is_wanted &&
		    (!s->names[i].is_held || !s->names[i].served.is_ok))
			return false;
	return site_owner_finding(s) == NULL && !is_blind(s);
}

/* All the owner's open causes were told by one letter; that names have moved away, by a letter of its own. */
static void
mark_told(struct site *s, const struct turn *t, bool has_told_of_moved)
{
	for (size_t i = 0; i < s->findings.n; i++)
		if (!MUTANT(LETTER_TWICE) && actor_is_owner(s->findings.at[i].acts) && is_moved(&s->findings.at[i]) == has_told_of_moved)
			s->findings.at[i].told_at = t->now;
}

static void
tell_draft(
    struct site *s, const struct turn *t, const struct policy *p, struct site_effects *out)
{
	if (!s->draft.exists || when_is_known(s->draft.told_at) ||
	    when_before(t->now, when_plus(s->draft.begun_at, p->draft_tell_after)))
		return;
	(void)put_letter(s, t, out, LETTER_DRAFT);
	s->draft.told_at = t->now;
}

/* Free SSL was given up, or stopped by us, and no letter has gone out since: who did it may not be whose site it is. */
static bool
is_stop_untold(const struct site *s)
{
	const struct given_up *g = s->given_up;

	return s->setting.source == SOURCE_NONE && g != NULL && s->held.id != 0 && !s->is_revoking &&
	       (!when_is_known(s->letter_at) || when_before(s->letter_at, g->at));
}

static void
tell_stop(struct site *s, const struct turn *t, struct site_effects *out)
{
	if (!is_stop_untold(s))
		return;
	(void)put_letter(s, t, out, LETTER_STOPPED);
	s->letter_at = when_max(t->now, s->given_up->at); /* also where the clock was set back meanwhile */
}

/* A name has moved away: once, and never a reminder. */
static void
tell_moved(struct site *s, const struct turn *t, const struct finding *f, struct site_effects *out)
{
	if (when_is_known(f->told_at) || when_before(t->now, may_from(s)))
		return;
	put_letter(s, t, out, LETTER_MOVED)->finding = f;
	s->story_open = true;
	mark_told(s, t, true);
}

/* A name that was in a certificate and is not in the present one, for a reason of the owner's that no letter has told since. */
static const struct finding *
untold_loss(const struct site *s, const struct policy *p, const struct site_name *n)
{
	const struct finding *f = site_cause_of(s, n->name);

	if (s->held.id == 0 || !n->is_wanted || n->is_held || !when_is_known(n->validated_at) || f == NULL ||
	    !actor_is_owner(f->acts) || cause_row(f->cause)->severity < SEVERITY_WARN || is_moved(f) || is_mass(p, f))
		return NULL;
	return !when_is_known(f->told_at) || when_before(f->told_at, s->held.life.from) ? f : NULL;
}

static bool
tell_loss(struct site *s, const struct turn *t, const struct policy *p, struct arena *a, struct site_effects *out)
{
	struct str *lost = NULL;
	const struct finding *cause = NULL;
	size_t n = 0;

	if (s->findings.n == 0)
		return false;
	for (size_t i = 0; i < s->names_n; i++) {
		const struct finding *f = untold_loss(s, p, &s->names[i]);

		if (f == NULL)
			continue;
		if (lost == NULL)
			lost = arena_get(a, s->names_n * sizeof *lost);
		if (lost == NULL)
			return false;
		lost[n++] = s->names[i].name;
		if (cause == NULL)
			cause = f;
	}
	if (n == 0)
		return false;
	struct site_effect *fx = put_letter(s, t, out, LETTER_REDUCED);
	fx->names = lost;
	fx->names_n = n;
	fx->finding = cause;
	s->story_open = true;
	mark_told(s, t, false);
	return true;
}

/* The owner has something to mend: the first news of it, reminders towards the end, and the end itself. */
static void
tell_fault(
    struct site *s, const struct turn *t, const struct finding *f, struct site_effects *out)
{
	bool may = !when_before(t->now, may_from(s));
	unsigned passed = s->held.id != 0 ? reminders_passed(s, t->now) : 0;
	bool is_over = s->held.id != 0 && !when_before(t->now, s->held.life.to);
	struct site_effect *fx = NULL;
	bool is_own = f->cause == CAUSE_OWN_CERTIFICATE_IMPORTED;

	if ((may || MUTANT(END_TOLD_AT_ONCE)) && is_over && !s->expired_told) {
		fx = put_letter(s, t, out, LETTER_EXPIRED);
		s->expired_told = true;
	} else if (may && !when_is_known(f->told_at)) {
		fx = put_letter(s, t, out, is_own ? LETTER_OWN_ENDS : LETTER_ACT);
	} else if (may && !is_over && passed > s->reminders_told) {
		fx = put_letter(s, t, out, is_own ? LETTER_OWN_ENDS : LETTER_REMINDER);
		fx->reminder = passed - 1;
	}
	if (fx == NULL)
		return;
	fx->finding = f;
	/* Reminders whose date had passed before this letter are covered by it. */
	if (passed > s->reminders_told)
		s->reminders_told = (uint8_t)passed;
	s->story_open = true;
	mark_told(s, t, false);
}

void
site_letters(struct site *s, const struct turn *t, const struct policy *p, struct arena *a,
    struct site_effects *out)
{
	const struct finding *f = site_owner_finding(s);

	if (s->is_removed)
		return;
	tell_draft(s, t, p, out);
	tell_stop(s, t, out);
	if (!plan_wants(s) && !plan_is_own(s))
		return;
	if (s->held.is_live && !s->issued_told && s->held.id != 0 && !s->held.is_own) {
		(void)put_letter(s, t, out, LETTER_ISSUED);
		s->issued_told = true;
	}
	if (s->story_open && is_all_well(s, t->now) && !MUTANT(RESOLVED_FORGOTTEN)) {
		(void)put_letter(s, t, out, LETTER_RESOLVED);
		s->story_open = false;
		s->reminders_told = 0;
		s->expired_told = false;
		return;
	}
	if (!when_before(t->now, may_from(s)) && tell_loss(s, t, p, a, out))
		return;
	if (f == NULL || !is_certain(s, f) || fault_is_not_the_owners(s, t->now) || is_mass(p, f) || MUTANT(LETTER_FORGOTTEN))
		return;
	/* What an order met: the next one is under way, and its end tells whether that still stands. */
	if (f->is_from_order && s->doing == DOING_ORDER)
		return;
	if (is_moved(f))
		tell_moved(s, t, f, out);
	else
		tell_fault(s, t, f, out);
}

struct when
site_letters_next(const struct site *s, const struct policy *p, struct when now)
{
	struct when at = WHEN_NEVER;

	if (s->is_removed)
		return at;
	if (s->draft.exists && !when_is_known(s->draft.told_at))
		at = when_plus(s->draft.begun_at, p->draft_tell_after);
	if (is_stop_untold(s))
		at = when_min(at, now);
	if (s->findings.n == 0)
		return at;
	const struct finding *f = site_owner_finding(s);
	if (plan_wants(s) || plan_is_own(s))
		for (size_t i = 0; i < s->names_n; i++)
			if (untold_loss(s, p, &s->names[i]) != NULL)
				at = when_min(at, may_from(s));
	if ((!plan_wants(s) && !plan_is_own(s)) || f == NULL || fault_is_not_the_owners(s, now) || !is_certain(s, f) || is_mass(p, f))
		return at;
	if (!when_is_known(f->told_at))
		at = when_min(at, when_max(may_from(s), f->first_seen));
	if (s->held.id == 0 || is_moved(f))
		return at;
	if (s->reminders_told < LIFE_REMINDERS)
		at = when_min(at,
		    when_max(may_from(s), life_reminder_at(s->held.life, s->reminders_told)));
	return s->expired_told ? at : when_min(at, when_max(may_from(s), s->held.life.to));
}

void
site_letters_note_end(const struct step *st)
{
	struct site *s = st->s;

	if (s->held.id == 0 || when_before(st->t->now, s->held.life.to) ||
	    s->reminders_told > LIFE_REMINDERS)
		return;
	s->reminders_told = LIFE_REMINDERS + 1;
	step_history(st, HISTORY_EXPIRED, NULL);
}
