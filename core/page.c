#include "core/page.h"
#include "base/must.h"
#include "core/site_plan.h"

const char *
page_event_name(enum page_event_kind k)
{
	static const char *const names[] = { "look", "renewal", "reminder", "reduce", "end",
		"last-end", "own-warn", "takeover", "own-end", "draft-ends" };

	must(k < PAGE_EVENT_COUNT);
	return names[k];
}

/* A date of ours matters only while it is to come. */
static struct when
not_before(struct when date, struct when now)
{
	return when_is_known(date) && when_before(now, date) ? date : WHEN_UNKNOWN;
}

struct page_button
page_button_of(
    const struct site *s, const struct policy *p, const struct view *v, struct when now)
{
	switch (v->state) {
	case SITE_STATE_OFF:
		return (struct page_button){ PAGE_SET_UP, WHEN_UNKNOWN };
	case SITE_STATE_OWN_ENDS:
		return (struct page_button){ PAGE_TO_FREE, WHEN_UNKNOWN };
	case SITE_STATE_EXPIRED:
	case SITE_STATE_BROKEN:
		if (plan_is_own(s) && !when_before(now, s->held.life.to))
			return (struct page_button){ PAGE_TO_FREE, WHEN_UNKNOWN };
		/* With nothing to mend, a new certificate is the cure; while an order is under way it comes by itself. */
		if (v->cause == NULL && s->doing == DOING_NOTHING)
			return (struct page_button){ PAGE_RENEW,
				not_before(plan_order_not_before(s, p), now) };
		break;
	case SITE_STATE_ISSUING:
	case SITE_STATE_ACT:
	case SITE_STATE_OURS:
	case SITE_STATE_PARTIAL:
	case SITE_STATE_MOVED:
	case SITE_STATE_OK:
	case SITE_STATE_COUNT:
		break;
	}
	if (v->cause != NULL && actor_is_owner(v->cause->acts) && v->state != SITE_STATE_MOVED)
		return (struct page_button){ PAGE_CHECK, WHEN_UNKNOWN };
	return (struct page_button){ PAGE_NOTHING, WHEN_UNKNOWN };
}

static size_t
put_event(struct page_event *at, size_t n, enum page_event_kind kind, struct when date,
    struct when now)
{
	size_t i = n;

	if (!when_is_known(date) || date.s == WHEN_NEVER.s || !when_before(now, date))
		return n;
	for (; i > 0 && when_before(date, at[i - 1].at); i--)
		at[i] = at[i - 1];
	at[i] = (struct page_event){ date, kind };
	return n + 1;
}

/* Something stands between the site and its next certificate. */
static bool
is_in_trouble(const struct view *v)
{
	return v->cause != NULL && finding_blocks(v->cause);
}

/* Some wanted name could be in the next certificate, and some could not. */
static bool
can_be_reduced(const struct site *s, struct when now)
{
	size_t wanted = 0, passes = 0;

	for (size_t i = 0; i < s->names_n; i++) {
		if (!s->names[i].is_wanted)
			continue;
		wanted++;
		passes += plan_passes(s, &s->names[i], now);
	}
	return passes > 0 && passes < wanted;
}

/* The names that fail are in no certificate yet: those that have one are renewed as if nothing were. */
static bool
renews_anyway(const struct site *s, struct when now)
{
	size_t passes = 0;

	for (size_t i = 0; i < s->names_n; i++) {
		const struct site_name *n = &s->names[i];
		bool is_fine = plan_passes(s, n, now);

		if (n->is_wanted && n->is_held && !is_fine && !plan_is_moved(s, n))
			return false;
		passes += is_fine;
	}
	return plan_wants(s) && passes > 0;
}

/* Letters until free SSL takes over, or until the end. */
static size_t
plan_own(const struct site *s, struct when now, struct page_event *ret, size_t n)
{
	struct when take = s->setting.takeover ? life_takeover_at(s->held.life) : s->held.life.to;

	n = put_event(ret, n, PAGE_EVENT_OWN_WARN, life_own_warn_at(s->held.life), now);
	for (unsigned i = 0; i < LIFE_REMINDERS; i++)
		if (when_before(life_reminder_at(s->held.life, i), take))
			n = put_event(ret, n, PAGE_EVENT_REMINDER, life_reminder_at(s->held.life, i), now);
	return put_event(ret, n, s->setting.takeover ? PAGE_EVENT_TAKEOVER : PAGE_EVENT_OWN_END, take, now);
}

size_t
page_plan(const struct site *s, const struct policy *p, const struct view *v, struct when now,
    struct page_event *ret)
{
	size_t n = put_event(ret, 0, PAGE_EVENT_LOOK, v->next_look, now);
	bool is_troubled = is_in_trouble(v) && v->state != SITE_STATE_MOVED && !renews_anyway(s, now);

	if (plan_wants(s) && s->held.id != 0 && !is_troubled && v->state != SITE_STATE_MOVED)
		n = put_event(ret, n, PAGE_EVENT_RENEWAL, v->next_renewal, now);
	if (s->held.id != 0 && is_troubled && !plan_is_own(s)) {
		/* Who is asked for something is reminded of it; of what is ours nobody is. */
		for (unsigned i = 0; actor_is_owner(v->acts) && i < LIFE_REMINDERS; i++)
			n = put_event(ret, n, PAGE_EVENT_REMINDER,
			    life_reminder_at(s->held.life, i), now);
		if (can_be_reduced(s, now))
			n = put_event(ret, n, PAGE_EVENT_REDUCE,
			    when_max(life_reduce_at(s->held.life), v->next_renewal), now);
		n = put_event(ret, n, PAGE_EVENT_END, s->held.life.to, now);
	}
	if (plan_is_own(s) && v->state != SITE_STATE_MOVED)
		n = plan_own(s, now, ret, n);
	else if (s->held.id != 0 && !plan_wants(s) && !is_troubled)
		n = put_event(ret, n, PAGE_EVENT_LAST_END, s->held.life.to, now);
	/* What a purchase waits for is kept. */
	if (s->draft.exists && !s->draft.has_csr)
		n = put_event(ret, n, PAGE_EVENT_DRAFT_ENDS,
		    when_plus(s->draft.begun_at, p->draft_discard_after), now);
	must(n <= PAGE_EVENTS_MAX);
	return n;
}

/* --- tests of a name --- */

const char *
page_test_name(enum page_test t)
{
	static const char *const names[] = { "dns", "caa", "connect", "challenge", "served" };

	must(t < PAGE_TEST_COUNT);
	return names[t];
}

const char *
page_result_name(enum page_result r)
{
	static const char *const names[] = { "ok", "warn", "fail", "unknown" };

	must(r <= PAGE_UNKNOWN);
	return names[r];
}

/* The test that a cause is the result of; PAGE_TEST_COUNT: none of them (the CA, our own state). */
static enum page_test
test_of(enum cause c)
{
	const struct cause_row *row = cause_row(c);

	/* What a browser meets at the home page is no matter of the CA's. */
	if (row->stands_on == STANDS_ON_HOME)
		return PAGE_TEST_SERVED;
	switch (row->layer) {
	case LAYER_REGISTRATION:
		return PAGE_TEST_DNS;
	case LAYER_DNS:
		return str_starts(str_of(row->id), STR("dns.caa.")) ? PAGE_TEST_CAA
								    : PAGE_TEST_DNS;
	case LAYER_TRANSPORT:
		return PAGE_TEST_CONNECT;
	case LAYER_HTTP:
		return PAGE_TEST_CHALLENGE;
	case LAYER_OWN:
		return str_starts(str_of(row->id), STR("own.challenge.")) ? PAGE_TEST_CHALLENGE
									  : PAGE_TEST_COUNT;
	case LAYER_SERVED:
		return PAGE_TEST_SERVED;
	case LAYER_CA:
		break;
	}
	return PAGE_TEST_COUNT;
}

/* The first finding of this test about the name: the list is in the order in which they have to be mended. */
static const struct finding *
found(const struct site *s, const struct site_name *n, enum page_test t)
{
	for (size_t i = 0; i < s->findings.n; i++)
		if (test_of(s->findings.at[i].cause) == t &&
		    plan_is_about(s, &s->findings.at[i], n))
			return &s->findings.at[i];
	return NULL;
}

static struct page_check
served_check(
    const struct site *s, const struct site_name *n, const struct finding *why, struct when now)
{
	enum visitors v = view_visitors(s, n, now);
	struct page_check c = { PAGE_UNKNOWN, n->served.at, why };

	/* Before the first certificate there is nothing to be served. */
	if (!when_is_known(n->served.at) || (s->held.id == 0 && v == VISITORS_PLAIN))
		return c;
	if (why != NULL)
		c.result =
		    cause_row(why->cause)->severity >= SEVERITY_FAIL ? PAGE_FAIL : PAGE_WARN;
	else
		c.result = PAGE_OK;
	/* What visitors see now counts more than what was found when it was looked at. */
	if (v == VISITORS_WARNING || (v != VISITORS_LOCK && n->is_held))
		c.result = PAGE_FAIL;
	return c;
}

struct page_check
page_check_of(
    const struct site *s, const struct site_name *n, enum page_test t, struct when now)
{
	const struct finding *why = found(s, n, t);
	struct page_check c = { PAGE_UNKNOWN, s->checked_at, why };

	if (t == PAGE_TEST_SERVED)
		return served_check(s, n, why, now);
	if (!when_is_known(s->checked_at))
		return c;
	if (why != NULL) {
		c.at = when_is_known(why->last_seen) ? why->last_seen : s->checked_at;
		c.result =
		    cause_row(why->cause)->severity >= SEVERITY_FAIL || finding_blocks(why)
			? PAGE_FAIL
			: PAGE_WARN;
		return c;
	}
	/* Where the name leads nowhere, nobody has come as far as this. */
	for (enum page_test before = PAGE_TEST_DNS; before < t; before++) {
		const struct finding *earlier =
		    before == PAGE_TEST_CAA ? NULL : found(s, n, before);

		if (earlier != NULL && finding_blocks(earlier) && t != PAGE_TEST_CAA)
			return c;
	}
	c.result = PAGE_OK;
	return c;
}
