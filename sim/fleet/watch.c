#include "sim/fleet/inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The promises, watched from outside: by what the CA, the servers and the owners saw, and by the world's own clock. What the engine
 * says of itself is used only where it is the thing that is judged.
 */

enum { INSTALLER_MOST_MIN = 6, ACTS_MOST = 4, ACTS_REST_D = 5, BACK_D = 5 };
enum { MINUTE_MS = 60000, LOOKED_H = 30, TOLD_D = 2, TRUE_H = 26, RESTLESS_MAX = 8, LOOK_REST_MS = 1000, REMOVAL_REST_MS = 10000 };

static bool
wants(const struct fleet_site *s)
{
	return s->is_here && !s->site.is_removed && s->site.setting.source == SOURCE_FREE;
}

static int64_t
most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Since when nothing but the site's own names could stand in its way, with a CA that is well since ca_ms; and what did last. */
static int64_t
clean_with(const struct fleet *f, uint32_t n, int64_t ca_ms, const char **ret_why)
{
	const struct fleet_site *s = &f->sites[n];
	const struct {
		int64_t ms;
		const char *why;
	} all[] = {
		{ f->start_ms, "it had no time" },
		{ ca_ms, "the CA was out of order" },
		{ f->clean_ms, "koshin was down" },
		{ f->is_down ? FLEET_NEVER_MS : 0, "koshin was down" },
		{ f->clock_clean_ms, "the clock was wrong" },
		{ f->network_clean_ms, "our resolver was down" },
		{ f->servers[s->server].clean_ms, "the web server was out of order" },
		{ f->companies[s->company].silent_ms, "the company that hosts its DNS was down" },
		{ watch_caa_since(f, n) == 0 ? 0 : watch_caa_since(f, n) + FLEET_DAY_MS, "CAA kept a CA out" },
	};
	size_t best = 0;

	for (size_t i = 1; i < sizeof all / sizeof *all; i++)
		if (all[i].ms > all[best].ms)
			best = i;
	*ret_why = all[best].why;
	return all[best].ms;
}

static int64_t
clean_since(const struct fleet *f, uint32_t n, const char **ret_why)
{
	return clean_with(f, n, watch_ca_clean_since(f, n, 0), ret_why);
}

bool
watch_clock_is_new(const struct fleet *f)
{
	return f->clock_step_s != 0 || f->now_ms - f->clock_clean_ms < 26 * FLEET_HOUR_MS;
}

/* --- what owners break and mend --- */

void
watch_pointing(struct fleet *f, uint32_t n)
{
	struct fleet_site *s = &f->sites[n];
	struct watched *w = &s->watched;
	bool can = false, has_fault = false;

	for (size_t k = 0; k < s->site.names_n; k++) {
		can |= owners_can_validate(f, n, k);
		has_fault |= owners_is_owners_fault(f, n, k);
	}
	if (!can)
		w->pointing_since_s = fleet_s(f, FLEET_NEVER_MS);
	else if (fleet_ms(f, w->pointing_since_s) == FLEET_NEVER_MS)
		w->pointing_since_s = fleet_s(f, f->now_ms);
	if (has_fault != w->has_fault)
		w->acts = 0;
	if (has_fault != w->has_fault)
		w->turned_s = fleet_s(f, f->now_ms);
	w->has_fault = has_fault;
}

static bool
finding_of(const struct site *s, enum cause c)
{
	for (size_t i = 0; i < s->findings.n; i++)
		if (s->findings.at[i].cause == c)
			return true;
	return false;
}

/* Looked at weekly, and only then. */
static bool
is_moved(const struct fleet_site *s)
{
	return finding_of(&s->site, CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY);
}

/* --- letters --- */

/* A check that was begun after the owner had mended it, and could see, has ended: from then on nothing is left to be told. */
static bool
was_seen_mended(const struct fleet *f, uint32_t n)
{
	const struct fleet_site *s = &f->sites[n];
	int64_t mended = fleet_ms(f, s->watched.turned_s), looked = fleet_ms(f, s->watched.looked_s);
	int64_t blind = most(f->network_clean_ms, f->companies[s->company].silent_ms);

	return looked > mended + 1000 && looked > blind && looked > f->clean_ms && s->site.doing != DOING_CHECK && !is_moved(s);
}

/* What a check sees is as old as the daily look. */
static bool
may_be_the_owners(const struct fleet *f, uint32_t n)
{
	const struct watched *w = &f->sites[n].watched;
	int64_t mended = fleet_ms(f, w->turned_s);

	return w->has_fault || (mended != 0 && f->now_ms - mended < TRUE_H * FLEET_HOUR_MS && !was_seen_mended(f, n));
}

static void
watch_asking(struct fleet *f, uint32_t n, const struct site_effect *fx)
{
	struct fleet_site *s = &f->sites[n];
	struct watched *w = &s->watched;
	int64_t gap = s->site.held.id != 0 ? life_letter_gap(s->site.held.life).s : 86400;
	uint8_t bit = (uint8_t)(fx->letter == LETTER_REMINDER ? 1U << fx->reminder : 0U);

	if (fleet_ms(f, w->letter_s) != 0 && f->now_ms - fleet_ms(f, w->letter_s) < gap * 1000 - MINUTE_MS)
		fleet_broken(f, n, "a %s letter %.1f hours after another one", letter_name(fx->letter),
		    (double)(f->now_ms - fleet_ms(f, w->letter_s)) / (double)FLEET_HOUR_MS);
	if (!may_be_the_owners(f, n))
		fleet_broken(f, n, "a %s letter (%s) although the owner has nothing to mend", letter_name(fx->letter),
		    fx->finding != NULL ? cause_row(fx->finding->cause)->id : "no cause");
	if ((w->reminders & bit) != 0 || (fx->letter == LETTER_EXPIRED && w->end_was_told))
		fleet_broken(f, n, "the same %s letter twice", letter_name(fx->letter));
	/* A check and an order may word one fault differently; not day after day. */
	if (f->now_ms - fleet_ms(f, w->letter_s) > ACTS_REST_D * FLEET_DAY_MS)
		w->acts = 0;
	if (fx->letter == LETTER_ACT && ++w->acts > ACTS_MOST)
		fleet_broken(f, n, "the %uth letter about one fault", w->acts);
	w->reminders |= bit;
	if (fx->letter == LETTER_REMINDER && fx->reminder == LIFE_REMINDERS - 1)
		fleet_mark(f, FLEET_MARK_LETTER_LAST_REMINDER);
	if (fx->letter == LETTER_EXPIRED) {
		w->end_was_told = true;
		fleet_mark(f, FLEET_MARK_LETTER_EXPIRED);
	}
	w->letter_s = fleet_s(f, f->now_ms);
	w->is_told = true;
}

static void
watch_letter(struct fleet *f, uint32_t n, const struct site_effect *fx)
{
	struct watched *w = &f->sites[n].watched;

	switch (fx->letter) {
	case LETTER_ACT:
	case LETTER_REMINDER:
	case LETTER_EXPIRED:
	case LETTER_REDUCED:
		watch_asking(f, n, fx);
		return;
	case LETTER_MOVED:
		watch_asking(f, n, fx);
		fleet_mark(f, FLEET_MARK_MOVED);
		if (w->has_fault && f->now_ms - fleet_ms(f, w->turned_s) < 29 * FLEET_DAY_MS && life_length(f->sites[n].site.held.life).s >= 45 * 86400)
			fleet_broken(f, n, "moved away after %.1f days", (double)(f->now_ms - fleet_ms(f, w->turned_s)) / (double)FLEET_DAY_MS);
		return;
	case LETTER_RESOLVED:
		if (!w->is_told)
			fleet_broken(f, n, "a letter says that all is well, and none had said that it was not");
		/* What keeps the first CA alone out did not stop the reserve: with this certificate it is over, until the next one. */
		if (w->has_fault && f->now_ms - fleet_ms(f, w->turned_s) > FLEET_DAY_MS + FLEET_HOUR_MS &&
		    !(f->sites[n].is_of_reserve && watch_does_caa_let(f, n, 1)))
			fleet_broken(f, n, "a letter says that all is well, and it is not");
		w->is_told = false;
		if (f->reserves != NULL)
			f->reserves[n].over_s = fleet_s(f, f->now_ms);
		fleet_mark(f, FLEET_MARK_LETTER_RESOLVED);
		return;
	case LETTER_ISSUED:
		if (w->issued_told)
			fleet_broken(f, n, "the same issued letter twice");
		w->issued_told = true;
		return;
	case LETTER_ANSWER:
		fleet_broken(f, n, "an answer, and nobody had asked");
		return;
	case LETTER_RESET:
	case LETTER_INVITATION:
	case LETTER_ACCOUNT:
		fleet_broken(f, n, "a site has a letter about signing in");
		return;
	case LETTER_STOPPED:
		fleet_broken(f, n, "a letter about free SSL that was given up, and nobody did that");
		return;
	case LETTER_REVOKED:
		fleet_broken(f, n, "a letter about a revoked certificate, and nobody asked for that");
		return;
	case LETTER_OWN_ENDS:
		fleet_broken(f, n, "a letter about a bought certificate, and nobody has one");
		return;
	case LETTER_DRAFT:
		if (!f->sites[n].site.draft.exists)
			fleet_broken(f, n, "a letter about a draft that there is not");
		return;
	case LETTER_COUNT:
		return;
	}
}

/* An owner who has to act and was not told. */
static void
watch_silence(struct fleet *f, uint32_t n)
{
	const struct fleet_site *s = &f->sites[n];
	const char *why;
	int64_t since = most(clean_since(f, n, &why), fleet_ms(f, s->watched.turned_s));

	if (f->reserves != NULL)
		since = most(since, fleet_ms(f, f->reserves[n].over_s));
	if (s->watched.is_told || f->now_ms - since < TOLD_D * FLEET_DAY_MS)
		return;
	/* A letter of the story before may have been yesterday's. */
	if (f->now_ms - fleet_ms(f, s->watched.letter_s) > TOLD_D * FLEET_DAY_MS)
		fleet_broken(f, n, "the owner has had something to mend for %.1f days, and no letter said so",
		    (double)(f->now_ms - fleet_ms(f, s->watched.turned_s)) / (double)FLEET_DAY_MS);
}

/* What the letter would have said stands on the site's page, and the letter on the operator's. */
void
watch_unread(struct fleet *f, uint32_t n)
{
	const struct fleet_site *s = &f->sites[n];
	const char *why;
	int64_t since = most(clean_since(f, n, &why), fleet_ms(f, s->watched.turned_s));

	if (f->reserves != NULL)
		since = most(since, fleet_ms(f, f->reserves[n].over_s));
	if (wants(s) && s->watched.has_fault && s->site.findings.n == 0 && f->now_ms - since > TOLD_D * FLEET_DAY_MS)
		fleet_broken(f, n, "a letter never reached the owner, and the site's page shows nothing either");
}

/* NULL: nothing is counted in this fleet. */
static struct ca_log *
log_of(struct fleet *f, uint32_t n, uint8_t ca)
{
	struct ca_log **log = f->logs == NULL ? NULL : &f->logs[n + (size_t)ca * (f->sites_n + 1)];

	if (log == NULL)
		return NULL;
	if (*log == NULL)
		*log = calloc(1, sizeof **log);
	if (*log == NULL)
		f->err = ERR_MEMORY;
	return *log;
}

/* More orders in an hour than any reason could explain: one for each name, and a few. */
static void
watch_attempt(struct fleet *f, uint32_t n, const struct site_effect *fx)
{
	int64_t law = watch_law_ms(f, n, fleet_ca(fx->ca_id));

	if (law != 0 && f->now_ms >= law)
		fleet_mark(f, FLEET_MARK_RETRY_AFTER);
	for (size_t i = 0; i < fx->names_n; i++)
		for (size_t k = 0; k < f->sites[n].site.names_n; k++)
			if (owners_is_owners_fault(f, n, k) && str_eq(fx->names[i], f->sites[n].site.names[k].name))
				fleet_mark(f, FLEET_MARK_ORDERED_ANYWAY);
	struct ca_log *log = log_of(f, n, 0);
	size_t most_n = LOG_ATTEMPTS - 1;

	if (log == NULL)
		return;
	if (f->sites[n].site.names_n <= 2 && log->attempt_ms[most_n] != 0 &&
	    f->now_ms - log->attempt_ms[most_n] < FLEET_HOUR_MS)
		fleet_broken(f, n, "P6: %zu orders within %.0f minutes", most_n + 2,
		    (double)(f->now_ms - log->attempt_ms[most_n]) / MINUTE_MS);
	memmove(&log->attempt_ms[1], &log->attempt_ms[0], most_n * sizeof *log->attempt_ms);
	log->attempt_ms[0] = f->now_ms;
}

/* A person asked for a certificate, and nothing stood in the way of it. */
static void
watch_wish(struct fleet *f, uint32_t n)
{
	const struct fleet_site *s = &f->sites[n];
	const char *why;
	int64_t since = most(clean_since(f, n, &why), fleet_ms(f, s->watched.wish_s));

	if (!s->watched.has_fault && f->now_ms - most(since, fleet_ms(f, s->watched.turned_s)) > 2 * FLEET_DAY_MS)
		fleet_broken(f, n, "P7: a wish was lost");
}

/* P5: a name that can be had comes back by itself. */
static void
watch_names(struct fleet *f, uint32_t n)
{
	const struct fleet_site *s = &f->sites[n];
	const char *why;

	if (s->watched.has_fault || s->site.held.id == 0)
		return;
	for (size_t k = 0; k < s->site.names_n; k++)
		if (!s->site.names[k].is_held && s->site.doing != DOING_ORDER &&
		    f->now_ms - most(clean_since(f, n, &why), fleet_ms(f, s->watched.turned_s)) > BACK_D * FLEET_DAY_MS)
			fleet_broken(f, n, "P5: %s has not come back into the certificate", s->site.names[k].name.p);
}

/* --- one step --- */

static void
watch_dates(struct fleet *f, uint32_t n, enum site_event_kind kind)
{
	const struct fleet_site *s = &f->sites[n];
	bool is_gone = is_moved(s);
	int64_t days = is_gone ? 7 : 1, wait = s->site.wake.s - fleet_wall(f).s;
	int64_t looked = most(most(fleet_ms(f, s->watched.looked_s), f->clean_ms), f->clock_clean_ms);

	/* An answer to an earlier question: what the site waits for now may be over in this very second, and is seen to next. */
	bool is_late_answer = kind == SITE_DEPLOYED && s->site.doing == DOING_DEPLOY;

	if (wait < (is_late_answer ? 0 : 1) || wait > days * 86400 + 3600)
		fleet_broken(f, n, "P2: the next date lies %lld s ahead", (long long)wait);
	if (kind == SITE_WAKE && fleet_ms(f, s->watched.looked_s) != 0 && f->now_ms - looked > days * LOOKED_H * FLEET_HOUR_MS)
		fleet_broken(f, n, "P2: nobody looked at it for %.1f hours",
		    (double)(f->now_ms - looked) / (double)FLEET_HOUR_MS);
}

/* P5: a renewal goes on without a name only when a quarter of the life is left. */
static void
watch_reduced(struct fleet *f, uint32_t n)
{
	const struct fleet_site *s = &f->sites[n];
	struct life life = s->live.life;

	if (s->live.serial <= 0 || watch_clock_is_new(f) || is_moved(s))
		return;
	for (size_t k = 0; k < s->site.names_n; k++)
		if (name_set_has(s->live.names, k) && !s->site.names[k].is_held &&
		    when_before(fleet_true(f), when_minus(life_reduce_at(life), SPAN_H(2))))
			fleet_broken(f, n, "P5: a renewal left %s out with %.1f days left", s->site.names[k].name.p,
			    (double)when_between(fleet_true(f), life.to).s / 86400);
}

static void
watch_held(struct fleet *f, uint32_t n)
{
	struct fleet_site *s = &f->sites[n];
	size_t held = 0;

	for (size_t k = 0; k < s->site.names_n; k++)
		held += s->site.names[k].is_held;
	s->watched.reminders = s->watched.acts = 0;
	s->watched.end_was_told = false;
	s->watched.wish_s = fleet_s(f, 0);
	if (held < s->site.names_n && s->site.renewals_good == 0)
		fleet_mark(f, FLEET_MARK_PARTIAL_FIRST);
}

static void
watch_look(struct fleet *f, uint32_t n, int64_t rest_ms)
{
	struct watched *w = &f->sites[n].watched;

	w->restless = f->plan->probe_ms > 0 && f->now_ms - fleet_ms(f, w->looked_s) < rest_ms ? (uint8_t)(w->restless + 1) : 0;
	if (w->restless > RESTLESS_MAX)
		fleet_broken(f, n, "it is looked at, or taken off its server, again and again and comes to no rest");
	w->looked_s = fleet_s(f, f->now_ms);
}

void
watch_step(struct fleet *f, uint32_t n, const struct site_event *ev, enum doing before)
{
	struct fleet_site *s = &f->sites[n];

	(void)before;
	for (size_t i = 0; i < f->effects.n; i++) {
		const struct site_effect *fx = &f->effects.at[i];

		if (fx->kind == FX_LETTER)
			watch_letter(f, n, fx);
		else if (fx->kind == FX_CHECK)
			watch_look(f, n, LOOK_REST_MS);
		else if (fx->kind == FX_DEPLOY && s->site.is_removed)
			watch_look(f, n, REMOVAL_REST_MS);
		else if (fx->kind == FX_DISCARD_DRAFT && s->site.draft.has_csr)
			fleet_broken(f, n, "a draft with a CSR was discarded");
		else if (fx->kind == FX_ORDER)
			watch_attempt(f, n, fx);
		if (fx->kind == FX_ORDER && f->now_ms < watch_law_ms(f, n, fleet_ca(fx->ca_id)))
			fleet_broken(f, n, "P6: an order %lld s before the date that the CA gave",
			    (long long)((watch_law_ms(f, n, fleet_ca(fx->ca_id)) - f->now_ms) / 1000));
		if (fx->kind == FX_ORDER && f->cas_n > 1)
			watch_choice(f, n, fleet_ca(fx->ca_id));
		else if (fx->kind == FX_HISTORY && fx->history == HISTORY_CA_CHANGED)
			watch_change(f, n);
	}
	if (ev->kind == SITE_ISSUED) {
		watch_held(f, n);
		watch_reduced(f, n);
	}
	if (f->cas_n > 1 && finding_of(&s->site, CAUSE_DNS_CAA_RESERVE))
		fleet_mark(f, FLEET_MARK_RESERVE_KEPT_OUT);
	if (ev->kind == SITE_ORDER_FAILED)
		s->watched.wish_s = fleet_s(f, 0);
	if (!wants(s))
		return;
	if (is_moved(s))
		s->watched.moved_s = fleet_s(f, f->now_ms);
	watch_dates(f, n, ev->kind);
	if (s->site.draft.exists && s->site.draft.has_csr &&
	    when_between(s->site.draft.begun_at, fleet_wall(f)).s > 40 * 86400)
		fleet_mark(f, FLEET_MARK_DRAFT_KEPT);
	if (ev->kind == SITE_CHECKED && s->watched.has_fault)
		watch_silence(f, n);
	if (ev->kind == SITE_CHECKED && fleet_ms(f, s->watched.wish_s) != 0)
		watch_wish(f, n);
	if (ev->kind == SITE_CHECKED)
		watch_names(f, n);
}

void
watch_look_in_order(struct fleet *f, uint32_t n, enum site_event_kind kind)
{
	const struct watched *w = &f->sites[n].watched;

	if (kind == SITE_WAKE) {
		watch_look(f, n, LOOK_REST_MS);
		return;
	}
	watch_dates(f, n, kind);
	if (w->has_fault)
		watch_silence(f, n);
	if (w->wish_s != 0)
		watch_wish(f, n);
}

/* --- the CA's side --- */

void
watch_request(struct fleet *f, uint32_t row, enum acme_verb verb)
{
	const struct order_row_of_fleet *r = &f->rows[row];

	if (r->not_before_ms > f->now_ms)
		fleet_broken(f, r->site, "P6: a request %lld ms before the Retry-After of its order",
		    (long long)(r->not_before_ms - f->now_ms));
	if (verb == ACME_NEW_ORDER && watch_law_ms(f, r->site, r->ca) > f->now_ms)
		fleet_broken(f, r->site, "P6: a new order before the date that the CA gave");
}

/* Let's Encrypt: five failed validations of a name in an hour; the sixth is over the limit. */
void
watch_failure(struct fleet *f, uint32_t n, uint8_t ca, size_t name)
{
	struct ca_log *log = log_of(f, n, ca);

	if (log == NULL)
		return;
	int64_t *at = log->failure_ms[name];
	if (at[LOG_FAILURES - 2] != 0 && f->now_ms - at[LOG_FAILURES - 2] < FLEET_HOUR_MS)
		fleet_broken(f, n, "P6: %d failed validations of %s within %.0f minutes", LOG_FAILURES,
		    f->sites[n].site.names[name].name.p,
		    (double)(f->now_ms - at[LOG_FAILURES - 2]) / MINUTE_MS);
	memmove(&at[1], &at[0], (LOG_FAILURES - 1) * sizeof *at);
	at[0] = f->now_ms;
}

/* And five certificates of one set of names in seven days. */
void
watch_issue(struct fleet *f, uint32_t n, uint8_t ca, struct name_set names)
{
	struct ca_log *log = log_of(f, n, ca);
	unsigned same = 1;

	if (log == NULL)
		return;
	for (size_t i = 0; i < LOG_ORDERS; i++)
		same += log->issued_ms[i] != 0 && log->issued[i].bits == names.bits &&
			f->now_ms - log->issued_ms[i] < 7 * FLEET_DAY_MS;
	if (same > 5)
		fleet_broken(f, n, "P6: %u certificates of the same names within seven days", same);
	memmove(&log->issued_ms[1], &log->issued_ms[0], (LOG_ORDERS - 1) * sizeof *log->issued_ms);
	memmove(&log->issued[1], &log->issued[0], (LOG_ORDERS - 1) * sizeof *log->issued);
	log->issued_ms[0] = f->now_ms;
	log->issued[0] = names;
}

/* A limit that koshin could have foreseen. */
void
watch_limit(struct fleet *f, uint32_t n)
{
	fleet_broken(f, n, "P6: a new order over the limit of the account");
}

/* --- the servers' side --- */

/* Who waits for an installer that is slow goes on to something else after five minutes. */
void
watch_installer(struct fleet *f, uint32_t n, const struct deploy_of_fleet *d)
{
	const struct site *s = &f->sites[n].site;
	int64_t since = most(most(d->begun_ms, f->clean_ms), f->clock_clean_ms);

	if (f->now_ms - d->begun_ms > MINUTE_MS)
		fleet_mark(f, FLEET_MARK_INSTALLER_SLOW);
	if (s->doing != DOING_DEPLOY || s->job != d->job) {
		fleet_mark(f, FLEET_MARK_INSTALLER_LATE);
		return;
	}
	if (!f->is_down && f->clock_step_s == 0 && f->now_ms - since > INSTALLER_MOST_MIN * MINUTE_MS)
		fleet_broken(f, n, "the installer has been awaited for %.1f minutes", (double)(f->now_ms - since) / MINUTE_MS);
}

void
watch_deploy(struct fleet *f, uint32_t n, const struct live_set *before, const struct deploy_of_fleet *d)
{
	struct when now = fleet_true(f);
	bool was_good = before->serial > 0 && when_before(now, before->life.to);

	watch_live(f, n);
	if (d->is_removal)
		return;
	if (f->sites[n].watched.is_expired && when_before(now, d->set.life.to)) {
		fleet_mark(f, FLEET_MARK_CURED);
		f->sites[n].watched.is_expired = false;
	}
	if (was_good && d->set.serial == 0)
		fleet_broken(f, n, "P3: a working certificate was taken off the server");
	if (was_good && d->set.serial > 0 && when_before(d->set.life.to, before->life.to) &&
	    life_length(d->set.life).s == life_length(before->life).s)
		fleet_broken(f, n, "P3: an older certificate was put in place of a newer one");
	/* What was decided long ago may be late for the end; the next deploy, or the next look, lets go. */
	if (d->set.redirect != 0 && (d->set.serial == 0 || !when_before(now, d->set.life.to)) && !watch_clock_is_new(f) && !d->is_slow)
		fleet_broken(f, n, "P3: a redirect to HTTPS that does not work");
	if (before->serial == 0 && n >= f->sites_n - f->plan->newcomers &&
	    f->now_ms - fleet_newcomer_ms(f, n) > f->report->newcomer_worst_ms && d->set.serial > 0)
		f->report->newcomer_worst_ms = f->now_ms - fleet_newcomer_ms(f, n);
	if (d->set.redirect == 308)
		fleet_mark(f, FLEET_MARK_REDIRECT_308);
}

static void
keep_expiry(struct fleet *f, uint32_t n, const char *why)
{
	struct fleet_report *r = f->report;

	r->expired++;
	fleet_mark(f, FLEET_MARK_EXPIRED);
	if (r->expiries_n < FLEET_EXPIRIES_KEPT)
		r->expiries[r->expiries_n++] = (struct fleet_expiry){ n, fleet_true(f), why };
}

/* A while after the end, koshin's own redirect has let go. */
static void
watch_redirect(struct fleet *f, uint32_t n)
{
	const struct fleet_site *s = &f->sites[n];
	const char *why;
	int64_t since = most(clean_since(f, n, &why), s->live.life.to.s * 1000);

	if (s->live.redirect != 0 && f->now_ms - since > 10 * MINUTE_MS && !watch_clock_is_new(f))
		fleet_broken(f, n, "P3: the redirect leads visitors to a certificate that has ended");
}

void
watch_expiry(struct fleet *f, uint32_t n)
{
	struct fleet_site *s = &f->sites[n];
	int64_t end_ms = s->live.life.to.s * 1000;
	const char *why;

	if (s->live.serial <= 0 || end_ms > f->now_ms || s->watched.is_expired || !wants(s))
		return;
	int64_t life = life_length(s->live.life).s, since = clean_with(f, n, watch_cas_clean_since(f, n), &why);
	int64_t grace = life >= 10 * 86400 ? 6 * FLEET_HOUR_MS : life * 1000 / 20;
	s->watched.is_expired = true;
	if (fleet_ms(f, s->watched.pointing_since_s) > since) {
		since = fleet_ms(f, s->watched.pointing_since_s);
		why = since == FLEET_NEVER_MS ? "no name points here" : "its names have pointed here for a short time only";
	}
	/* One that had moved away is looked at daily in the last quarter, and may have been back unseen for as long. */
	if (is_moved(s) || (s->watched.moved_s != 0 && fleet_ms(f, s->watched.moved_s) > since))
		grace += life >= 10 * 86400 ? FLEET_DAY_MS : life * 1000 / 10;
	keep_expiry(f, n, why);
	if (end_ms - since > grace)
		fleet_broken(f, n, "the certificate ended, although for %.1f hours the names pointed here and the CA could have issued",
		    (double)(end_ms - since) / (double)FLEET_HOUR_MS);
}

void
watch_live(struct fleet *f, uint32_t n)
{
	const struct live_set *l = &f->sites[n].live;

	if (l->serial > 0 && l->life.to.s < f->first_end_s)
		f->first_end_s = l->life.to.s;
}

void
watch_sweep(struct fleet *f)
{
	fleet_put(f, 6 * FLEET_HOUR_MS, EV_SWEEP, 0, 0, 0);
	watch_waiting(f);
	if (f->first_end_s * 1000 > f->now_ms)
		return;
	f->first_end_s = INT64_MAX / 1000;
	for (uint32_t n = 0; n < f->sites_n && !f->report->is_broken; n++) {
		const struct fleet_site *s = &f->sites[n];

		if (s->is_here && !s->site.is_removed)
			watch_live(f, n);
		if (s->live.serial <= 0 || s->live.life.to.s * 1000 > f->now_ms || !wants(s))
			continue;
		watch_expiry(f, n);
		watch_redirect(f, n);
	}
}

/* --- the end: all is well again --- */

static void
watch_site_end(struct fleet *f, uint32_t n)
{
	struct fleet_site *s = &f->sites[n];
	const char *why;
	bool is_busy = s->site.doing != DOING_NOTHING;
	int64_t since = most(clean_since(f, n, &why), fleet_ms(f, s->watched.pointing_since_s));

	if (!wants(s) || f->now_ms - since < 3 * FLEET_DAY_MS)
		return;
	if (s->live.serial <= 0 || !when_before(fleet_true(f), s->live.life.to))
		fleet_broken(f, n, "all has been well for %.1f days, and visitors get no certificate",
		    (double)(f->now_ms - since) / (double)FLEET_DAY_MS);
	if (is_busy)
		return;
	if (s->site.held.id != s->live.serial)
		fleet_broken(f, n, "P1: the server hands out another certificate than the newest");
	if (s->watched.has_fault)
		return;
	for (size_t k = 0; k < s->site.names_n; k++)
		if (!s->site.names[k].is_held)
			fleet_broken(f, n, "P5: %s did not come back into the certificate", s->site.names[k].name.p);
	/* A draft that was left is no fault, and is told of until the next look after its end. */
	if (s->site.findings.n > 0 && s->site.findings.at[0].cause != CAUSE_OWN_DRAFT_ABANDONED)
		fleet_broken(f, n, "all has been well, and %s still stands", cause_row(s->site.findings.at[0].cause)->id);
	if (s->watched.is_told)
		fleet_broken(f, n, "all is well, and no letter said so");
}

void
watch_end(struct fleet *f)
{
	letters_of_fleet_end(f);
	for (uint32_t n = 0; n < f->sites_n && f->plan->calm.s > 0; n++)
		watch_site_end(f, n);
}

/* --- the last steps, as text --- */

static const char *const event_names[SITE_EVENT_COUNT] = {
	[SITE_WAKE] = "wake",
	[SITE_ASKED_CHECK] = "asked-check",
	[SITE_ASKED_RENEW] = "asked-renew",
	[SITE_CHANGED] = "changed",
	[SITE_REMOVED] = "removed",
	[SITE_IMPORTED] = "imported",
	[SITE_REVOKED] = "revoked",
	[SITE_CHECKED] = "checked",
	[SITE_ISSUED] = "issued",
	[SITE_ORDER_FAILED] = "order-failed",
	[SITE_DEPLOYED] = "deployed",
	[SITE_RENEWAL_TOLD] = "renewal-told",
	[SITE_RESTARTED] = "restarted",
	[SITE_CLOCK_SET] = "clock-set",
};

static void
print_step(const struct fleet *f, const struct fleet_step *k, struct buf *to)
{
	static const char *const effects[] = { "check", "verify", "order", "resume", "abandon", "deploy", "letter", NULL,
		"discard" };

	buf_putf(to, "%14.3f s  %-20s %-13s %s -> %s", (double)(k->ms - f->start_ms) / 1000,
	    f->sites[k->site].site.names[0].name.p, event_names[k->event], doing_name((enum doing)k->before),
	    doing_name((enum doing)k->after));
	for (size_t e = 0; e < sizeof effects / sizeof *effects; e++)
		if ((k->effects >> e & 1) != 0 && effects[e] != NULL)
			buf_putf(to, " +%s", effects[e]);
	if (k->cause != CAUSE_NONE)
		buf_putf(to, "  [%s]", cause_row(k->cause)->id);
	if (k->ca > 0)
		buf_putf(to, "  at the reserve");
	buf_putf(to, "  next in %lld s\n", (long long)(k->wake_s - k->ms / 1000));
}

static void
trace_step(const struct fleet *f, const struct fleet_step *k)
{
	AUTO_BUF line = { .max = 1024 };

	print_step(f, k, &line);
	fprintf(stderr, "%s", line.p != NULL ? line.p : "");
}

void
watch_keep_step(struct fleet *f, uint32_t n, enum site_event_kind kind, enum doing before)
{
	const struct site *s = &f->sites[n].site;
	struct fleet_step *k = &f->steps[f->steps_n++ % FLEET_STEPS_KEPT];

	*k = (struct fleet_step){ f->now_ms, n, (uint8_t)kind, (uint8_t)before, (uint8_t)s->doing, fleet_ca(s->ca_id), 0,
		s->findings.n > 0 ? s->findings.at[0].cause : CAUSE_NONE, s->wake.s };
	for (size_t i = 0; i < f->effects.n; i++)
		k->effects |= 1U << f->effects.at[i].kind;
	if (f->plan->traced == (int64_t)n)
		trace_step(f, k);
}

void
watch_print_steps(const struct fleet *f, struct buf *to)
{
	uint64_t n = f->steps_n < FLEET_STEPS_KEPT ? f->steps_n : FLEET_STEPS_KEPT;

	for (uint64_t i = f->steps_n - n; i < f->steps_n; i++)
		print_step(f, &f->steps[i % FLEET_STEPS_KEPT], to);
}
