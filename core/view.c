#include "core/view.h"
#include "base/must.h"
#include "core/site_letters.h"
#include "core/site_plan.h"

const char *
site_state_name(enum site_state s)
{
	static const char *const names[] = { "expired", "broken", "issuing", "act", "ours",
		"partial", "own-ends", "moved", "ok", "off" };

	must(s < SITE_STATE_COUNT);
	return names[s];
}

const char *
visitors_name(enum visitors v)
{
	static const char *const names[] = { "lock", "warning", "plain", "nothing", "unknown" };

	must(v <= VISITORS_UNKNOWN);
	return names[v];
}

static bool
leads_nowhere(const struct finding *f)
{
	return f != NULL &&
	       (f->cause == CAUSE_OWN_NAME_UNUSED || f->cause == CAUSE_DNS_ADDRESS_MISSING ||
		   f->cause == CAUSE_DNS_ADDRESS_PARTLY_MISSING || f->cause == CAUSE_DNS_ZONE_NOT_COPIED ||
		   f->cause == CAUSE_REGISTRATION_DOMAIN_UNREGISTERED ||
		   f->cause == CAUSE_DNS_CNAME_BROKEN);
}

enum visitors
view_visitors(const struct site *s, const struct site_name *n, struct when now)
{
	bool is_shown = when_is_known(n->served.not_after);

	if (leads_nowhere(site_cause_of(s, n->name)))
		return VISITORS_NOTHING;
	if (!when_is_known(n->served.at))
		return s->held.id != 0 ? VISITORS_UNKNOWN : VISITORS_PLAIN;
	if (is_shown && n->served.is_ok && when_before(now, n->served.not_after))
		return VISITORS_LOCK;
	if (is_shown)
		return VISITORS_WARNING;
	/* No certificate at all: before the first one the site is simply not encrypted yet. */
	return s->held.id != 0 && n->is_held ? VISITORS_NOTHING : VISITORS_PLAIN;
}

/* Since when this name warns: the first look that found it so, not the last one that did again. */
static struct when
warned_since(const struct site *s, const struct site_name *n)
{
	struct when since = n->served.at;

	for (size_t i = 0; i < s->findings.n; i++) {
		const struct finding *f = &s->findings.at[i];
		const struct cause_row *row = cause_row(f->cause);

		if (row->layer == LAYER_SERVED && row->severity == SEVERITY_FAIL && f->cause != CAUSE_SERVED_UNREACHABLE && plan_is_about(s, f, n))
			since = when_min(since, f->first_seen);
	}
	return since;
}

/* What the names come to, counted once. */
struct sum {
	size_t wanted, locked, warned, over, held_dark;
	struct when until, since;
};

static struct sum
sum_up(const struct site *s, struct when now)
{
	struct sum sum = { .until = WHEN_NEVER, .since = WHEN_NEVER };

	for (size_t i = 0; i < s->names_n; i++) {
		const struct site_name *n = &s->names[i];
		enum visitors v = view_visitors(s, n, now);
		bool is_over = v == VISITORS_WARNING && !when_before(now, n->served.not_after);

		/* What another company's server hands out there is no word about this site. */
		if (!n->is_wanted || plan_is_moved(s, n))
			continue;
		sum.wanted++;
		if (v == VISITORS_LOCK) {
			sum.locked++;
			sum.until = when_min(sum.until, n->served.not_after);
		}
		/* A warning counts where visitors were served by us before, or still are. */
		if (v == VISITORS_WARNING && (s->held.id != 0 || is_over)) {
			sum.warned++;
			sum.since =
			    when_min(sum.since, is_over ? n->served.not_after : warned_since(s, n));
		}
		sum.over += is_over;
		sum.held_dark += v == VISITORS_NOTHING && n->is_held;
	}
	if (sum.until.s == WHEN_NEVER.s)
		sum.until = WHEN_UNKNOWN;
	if (sum.since.s == WHEN_NEVER.s)
		sum.since = WHEN_UNKNOWN;
	return sum;
}

/* The finding that the page begins with: the owner's if there is one, else the most severe of the others. */
static const struct finding *
main_finding(const struct site *s)
{
	const struct finding *best = site_owner_finding(s);

	if (best != NULL)
		return best;
	for (size_t i = 0; i < s->findings.n; i++) {
		const struct finding *f = &s->findings.at[i];

		if (cause_row(f->cause)->severity >= SEVERITY_WARN &&
		    (best == NULL ||
			cause_row(f->cause)->severity > cause_row(best->cause)->severity))
			best = f;
	}
	return best;
}

static bool
is_about_held_name(const struct site *s, const struct finding *f)
{
	for (size_t i = 0; i < s->names_n; i++)
		if (s->names[i].is_held && plan_is_about(s, f, &s->names[i]))
			return true;
	return s->held.id == 0;
}

static enum site_state
state_of(const struct site *s, const struct sum *sum, const struct finding *cause)
{
	bool is_owners = cause != NULL && actor_is_owner(cause->acts);

	if (!plan_wants(s) && s->setting.source != SOURCE_OWN && s->held.id == 0)
		return SITE_STATE_OFF;
	if (plan_is_gone(s))
		return SITE_STATE_MOVED;
	if (sum->over > 0)
		return SITE_STATE_EXPIRED;
	if (sum->warned > 0 ||
	    (sum->held_dark > 0 && cause != NULL && cause->cause == CAUSE_SERVED_UNREACHABLE))
		return SITE_STATE_BROKEN;
	if (cause != NULL && cause->cause == CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY)
		return SITE_STATE_PARTIAL;
	if (cause != NULL && cause->cause == CAUSE_OWN_CERTIFICATE_IMPORTED)
		return SITE_STATE_OWN_ENDS;
	if (is_owners && is_about_held_name(s, cause))
		return SITE_STATE_ACT;
	if (s->held.id == 0 || (sum->locked == 0 && !s->held.is_live))
		return cause != NULL && cause_row(cause->cause)->severity >= SEVERITY_FAIL
			   ? SITE_STATE_OURS
			   : SITE_STATE_ISSUING;
	if (cause != NULL && !is_owners)
		return SITE_STATE_OURS;
	if (is_owners)
		return SITE_STATE_PARTIAL;
	return sum->locked == sum->wanted ? SITE_STATE_OK
	       : sum->locked > 0	  ? SITE_STATE_PARTIAL
					  : SITE_STATE_OURS;
}

struct view
view_of(const struct site *s, struct when now)
{
	struct sum sum = sum_up(s, now);
	const struct finding *cause = main_finding(s);
	struct view v = {
		.state = state_of(s, &sum, cause),
		.until = sum.until,
		.since = sum.since,
		.cause = cause,
		.acts = cause != NULL ? cause->acts : ACTOR_NOBODY,
		.next_look = s->doing != DOING_NOTHING ? now : when_min(s->look_at, s->wake),
		.next_renewal = plan_wants(s) && !s->held.is_own ? site_renew_at(s) : WHEN_UNKNOWN,
		.issuer_ill_since = WHEN_UNKNOWN,
	};

	/* What is not wanted is not looked at. */
	if (v.state == SITE_STATE_OFF)
		v.next_look = WHEN_UNKNOWN;
	if (v.state == SITE_STATE_OFF && s->given_up != NULL)
		v.revocation = s->given_up->revocation;
	/* What visitors see in red is not called safe as well: the page says one thing. */
	v.warns_everywhere = v.state == SITE_STATE_BROKEN && sum.warned == sum.wanted;
	if (v.state == SITE_STATE_EXPIRED || v.state == SITE_STATE_BROKEN)
		v.until = WHEN_UNKNOWN;
	else
		v.since = WHEN_UNKNOWN;
	if ((v.state == SITE_STATE_EXPIRED || v.state == SITE_STATE_BROKEN) && cause == NULL)
		v.acts = ACTOR_HOST;
	return v;
}

void
view_awaits_issuer(struct view *v, const struct site *s, struct when ill_since, struct when next)
{
	if (v->state != SITE_STATE_ISSUING || v->cause != NULL || s->held.id != 0 || !when_is_known(ill_since))
		return;
	v->issuer_ill_since = ill_since;
	v->next_look = when_max(v->next_look, next);
}

/* Told as ill by others' orders, or by what it answered to this site's own. */
static bool
awaits_issuer(const struct view *v)
{
	return v->state == SITE_STATE_ISSUING &&
	       (when_is_known(v->issuer_ill_since) || (v->cause != NULL && cause_row(v->cause->cause)->layer == LAYER_CA));
}

const char *
view_headline(const struct site *s, const struct view *v)
{
	if (awaits_issuer(v))
		return "issuing-waits";
	if (v->state == SITE_STATE_OK && plan_is_own(s))
		return "ok-own";
	if (v->state == SITE_STATE_OK && !plan_wants(s))
		return "ok-ending";
	if (!when_is_known(v->until) && v->state == SITE_STATE_ACT)
		return "act-dark";
	if (!when_is_known(v->until) && v->state == SITE_STATE_OURS)
		return "ours-dark";
	return view_pill(v);
}

const char *
view_pill(const struct view *v)
{
	if (v->revocation != NULL)
		return "revoked";
	return v->warns_everywhere ? "broken-all" : site_state_name(v->state);
}

enum site_standing
site_standing(const struct site *s)
{
	if (site_owner_finding(s) != NULL)
		return SITE_STANDING_OWNER;
	if (s->doing == DOING_ORDER || s->doing == DOING_DEPLOY || s->doing == DOING_VERIFY ||
	    (s->setting.source == SOURCE_FREE && s->held.id == 0))
		return SITE_STANDING_PROGRESS;
	return SITE_STANDING_FINE;
}

/* When the state becomes, or became, expired or broken by this name. */
static struct when
warned_from(const struct site *s, const struct site_name *n, const struct finding *cause)
{
	bool is_shown = when_is_known(n->served.not_after);

	if (!n->is_wanted || plan_is_moved(s, n) || leads_nowhere(site_cause_of(s, n->name)) || !when_is_known(n->served.at))
		return WHEN_NEVER;
	if (is_shown && !n->served.is_ok && s->held.id != 0)
		return when_min(n->served.not_after, warned_since(s, n));
	if (is_shown)
		return n->served.not_after;
	return s->held.id != 0 && n->is_held && cause != NULL && cause->cause == CAUSE_SERVED_UNREACHABLE ? cause->first_seen : WHEN_NEVER;
}

struct site_urgent
site_urgent(const struct site *s)
{
	struct site_urgent u = { WHEN_UNKNOWN, WHEN_UNKNOWN };
	const struct finding *cause = main_finding(s);
	struct when from = WHEN_NEVER;
	bool is_wanted = plan_wants(s) || s->setting.source == SOURCE_OWN;

	if ((!is_wanted && s->held.id == 0) || plan_is_gone(s))
		return u;
	for (size_t i = 0; i < s->names_n; i++)
		from = when_min(from, warned_from(s, &s->names[i], cause));
	if (from.s == WHEN_NEVER.s)
		return u;
	u.warned_from = u.late_from = from;
	/* Where it is given up, its end is wanted. */
	if (is_wanted && s->held.id != 0)
		u.late_from = when_min(from, life_support_at(s->held.life));
	return u;
}

static const char *const standings[SITE_STANDING_COUNT] = { "owner", "progress", "fine" };

const char *
site_standing_name(enum site_standing s)
{
	must(s < SITE_STANDING_COUNT);
	return standings[s];
}

bool
site_standing_of_name(struct str s, enum site_standing *ret)
{
	for (size_t i = 0; i < SITE_STANDING_COUNT; i++)
		if (str_eq(s, str_of(standings[i]))) {
			*ret = (enum site_standing)i;
			return true;
		}
	return false;
}
