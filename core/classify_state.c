/*
 * What the facts of the site say by themselves, without a look at the world: things that were left over, and a CA that wants
 * its certificate back early. Nothing here is asked of the owner but what the owner alone can know.
 */
#include "base/date.h"
#include "core/classify_inside.h"
#include "core/site_ca.h"
#include "core/site_plan.h"

/* About the site: the subject is the name that it goes by. */
static struct finding *
put_site(const struct evidence *e, const struct site *s, const struct policy *p, struct finding_list *out, enum cause c)
{
	struct finding *f = finding_put(out, c, s->names[0].name);

	if (f == NULL)
		return NULL;
	f->first_seen = f->last_seen = e->at;
	f->times_seen = 1;
	f->next_look = when_plus(e->at, p->look_every);
	return f;
}

/* A setting that was begun and left lies beside the one that is in use: noticed, and without any effect. */
static void
classify_draft(const struct evidence *e, const struct site *s, const struct policy *p, struct finding_list *out)
{
	if (!s->draft.exists || when_before(e->at, when_plus(s->draft.begun_at, p->draft_tell_after)))
		return;
	struct finding *f = put_site(e, s, p, out, CAUSE_OWN_DRAFT_ABANDONED);
	if (f != NULL)
		f->seen = s->draft.begun_by;
}

static void
classify_leftover(const struct evidence *e, const struct site *s, const struct policy *p, struct arena *a,
    struct finding_list *out)
{
	if (!site_ca_is_gone(s, p))
		return;
	struct finding *f = put_site(e, s, p, out, CAUSE_OWN_SETTING_LEFTOVER);
	if (f == NULL)
		return;
	f->seen = arena_strf(a, "CA %u", (unsigned)s->ca_id);
	f->wanted = p->cas[0].name;
	f->evidence = arena_strf(a, "the site was with CA %u, which is not configured any more; it goes by %.*s",
	    (unsigned)s->ca_id, STR_ARG(p->cas[0].name));
}

/* Nothing follows what is served now. Whoever gave free SSL up is told when that nears; whoever has to speak with us, at once. */
static void
classify_given_up(const struct evidence *e, const struct site *s, const struct policy *p, struct arena *a,
    struct finding_list *out)
{
	const struct given_up *g = s->given_up;
	bool is_suspended = g != NULL && g->is_suspended;

	if (s->setting.source != SOURCE_NONE || s->held.id == 0 ||
	    (!is_suspended && when_before(e->at, life_reduce_at(s->held.life))))
		return;
	struct finding *f =
	    put_site(e, s, p, out, is_suspended ? CAUSE_OWN_CONTRACT_SUSPENDED : CAUSE_OWN_RENEWAL_OFF);
	if (f == NULL)
		return;
	if (g != NULL)
		f->seen = date_day_text(g->at, a);
	f->evidence = arena_strf(a, "free SSL was %s%s%.*s by %.*s; the certificate is served until its end and not renewed",
	    is_suspended ? "stopped" : "given up", f->seen.n > 0 ? " on " : "", STR_ARG(f->seen),
	    STR_ARG(g != NULL && g->by.n > 0 ? g->by : STR("its owner")));
}

/* Not renewed by itself, and near its end: the one thing that koshin cannot do for its owner. It stands until another one is here. */
static void
classify_own_end(const struct evidence *e, const struct site *s, const struct policy *p, struct arena *a,
    struct finding_list *out)
{
	struct finding *f;

	if (!plan_is_own(s) || when_before(e->at, life_own_warn_at(s->held.life)))
		return;
	f = put_site(e, s, p, out, CAUSE_OWN_CERTIFICATE_IMPORTED);
	if (f == NULL)
		return;
	f->seen = date_text(s->held.life.to, a);
	if (s->setting.takeover)
		f->wanted = date_text(life_takeover_at(s->held.life), a);
	f->evidence = arena_strf(a, "the certificate was brought by its owner and ends on %.*s", STR_ARG(f->seen));
}

static struct str
window_words(const struct renewal *r, struct arena *a)
{
	char from[DATE_TEXT_BYTES], to[DATE_TEXT_BYTES];

	date_put(r->start, from);
	date_put(r->end, to);
	return arena_strf(a, "%s/%s", from, to);
}

/* RFC 9773 4.2: a window that lies in the past asks for the renewal now. It stands until the successor is here. */
static void
classify_window(const struct evidence *e, const struct site *s, const struct policy *p, struct arena *a,
    struct finding_list *out)
{
	const struct renewal *r = &s->renewal;

	if (s->held.id == 0 || !r->is_told || !r->is_urgent || !when_before(r->end, e->at))
		return;
	struct finding *f = put_site(e, s, p, out, CAUSE_CA_ARI_WINDOW_PAST);
	if (f == NULL)
		return;
	f->seen = window_words(r, a);
	f->evidence = arena_strf(a, "renewal window %.*s %.*s", STR_ARG(f->seen), STR_ARG(r->explanation));
}

void
classify_state(const struct evidence *e, const struct site *s, const struct policy *p, struct arena *a,
    struct finding_list *out)
{
	if (s == NULL || s->names_n == 0 || !e->has_http)
		return;
	classify_draft(e, s, p, out);
	classify_leftover(e, s, p, a, out);
	classify_given_up(e, s, p, a, out);
	classify_own_end(e, s, p, a, out);
	classify_window(e, s, p, a, out);
}

bool
classify_state_is_quiet(const struct site *s)
{
	/* Each may have something to say: the dates and the policy are looked at by classify(). */
	return !s->held.is_own && !s->draft.exists && s->ca_id == 0 && !s->renewal.is_urgent && s->setting.source != SOURCE_NONE;
}
