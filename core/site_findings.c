#include "core/site_findings.h"
#include "base/mutant.h"
#include "core/classify.h"
#include "core/site_ca.h"
#include "core/site_letters.h"
#include "core/site_mend.h"
#include "core/site_plan.h"

enum { HALF_SEEN_MOST_S = 3600, UNSEEN_FROM_AFAR_MOST_S = 86400 };

struct finding *
findings_find(struct finding_list *l, enum cause c, struct str subject)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->at[i].cause == c && str_eq(l->at[i].subject, subject))
			return &l->at[i];
	return NULL;
}

static bool
has_cause(const struct finding_list *l, enum cause c)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->at[i].cause == c)
			return true;
	return false;
}

bool
findings_has(const struct site *s, enum cause c)
{
	return has_cause(&s->findings, c);
}

static bool
is_deploy_cause(enum cause c)
{
	return c == CAUSE_OWN_DEPLOY_NOT_SERVED || c == CAUSE_OWN_DEPLOY_CONFIG_BROKEN ||
	       c == CAUSE_OWN_DISK_FULL || c == CAUSE_OWN_DISK_UNWRITABLE ||
	       c == CAUSE_OWN_CERTIFICATE_KEY_MISMATCH || c == CAUSE_OWN_CERTIFICATE_KEY_MISSING;
}

bool
findings_by_handshake(enum cause c)
{
	return cause_row(c)->layer == LAYER_SERVED || c == CAUSE_OWN_DEPLOY_NOT_SERVED || c == CAUSE_OWN_ORDER_COMPETING;
}

bool
findings_is_replacement(enum cause c)
{
	return findings_by_handshake(c) && c != CAUSE_SERVED_UNREACHABLE && c != CAUSE_SERVED_EXPIRING;
}

/* What a finding was before, under another word. Told: who has been told of the one need not be told of the other. */
static const struct grown {
	enum cause now, before;
	bool is_told;
} grown[] = {
	{ CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY, CAUSE_DNS_A_ELSEWHERE, false },
	{ CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY, CAUSE_DNS_AAAA_ELSEWHERE, false },
	/* The record that is missing is one; it has its word from how the other names of the site are at the moment. */
	{ CAUSE_DNS_ADDRESS_MISSING, CAUSE_DNS_ADDRESS_PARTLY_MISSING, true },
	{ CAUSE_DNS_ADDRESS_MISSING, CAUSE_OWN_NAME_UNUSED, true },
	{ CAUSE_DNS_ADDRESS_PARTLY_MISSING, CAUSE_DNS_ADDRESS_MISSING, true },
	{ CAUSE_DNS_ADDRESS_PARTLY_MISSING, CAUSE_OWN_NAME_UNUSED, true },
};

/* What this was before: the same, or what it grew out of. */
static const struct finding *
find_before(const struct step *st, const struct finding *seen, bool *ret_is_told)
{
	const struct finding *old = findings_find(&st->s->findings, seen->cause, seen->subject);

	*ret_is_told = old != NULL;
	for (size_t i = 0; old == NULL && i < sizeof grown / sizeof *grown; i++) {
		if (grown[i].now != seen->cause)
			continue;
		old = findings_find(&st->s->findings, grown[i].before, seen->subject);
		*ret_is_told = old != NULL && grown[i].is_told;
	}
	return old;
}

struct finding
findings_as_known(const struct step *st, const struct finding *failure)
{
	const struct finding *known = findings_find(&st->s->findings, CAUSE_TRANSPORT_VALIDATOR_BANNED, failure->subject);
	struct finding f = *failure;

	if (known == NULL || !plan_is_kept_out(failure->cause))
		return f;
	f.cause = known->cause;
	f.seen = known->seen;
	f.acts = known->acts;
	return f;
}

bool
findings_is_answered(const struct name_evidence *n)
{
	return n->a_status == DNS_OK || n->a_status == DNS_NXDOMAIN || n->addresses_n > 0;
}

void
findings_put_off(const struct step *st, enum cause c, struct when next_look)
{
	for (size_t i = 0; i < st->s->findings.n; i++) {
		struct finding *f = &st->s->findings.at[i];

		if (f->cause != c)
			continue;
		f->last_seen = st->t->now;
		f->times_seen++;
		f->next_look = next_look;
	}
}

/* Puts what was seen beside what stood: first dates and told letters are kept, news goes to the history. */
static void
put_finding(const struct step *st, struct finding_list *l, const struct finding *seen)
{
	bool is_told;
	const struct finding *old = find_before(st, seen, &is_told);
	struct finding *f = finding_put(l, seen->cause, seen->subject);

	if (f == NULL)
		return;
	*f = *seen;
	f->last_seen = st->t->now;
	f->first_seen = old != NULL ? old->first_seen : st->t->now;
	f->told_at = is_told ? old->told_at : WHEN_UNKNOWN;
	f->times_seen = old != NULL ? old->times_seen + 1 : 1;
	f->mends = old != NULL && old->cause == seen->cause ? old->mends : 0;
	f->mended_at = f->mends > 0 ? old->mended_at : WHEN_UNKNOWN;
	if (!when_is_known(f->next_look) || (when_before(f->next_look, st->t->now) && !f->is_from_order))
		f->next_look = when_plus(st->t->now, st->p->poll_max);
	if (old == NULL || old->cause != seen->cause)
		step_history(st, HISTORY_FOUND, f);
}

static struct finding_list
list_for(const struct step *st, size_t more)
{
	size_t cap = st->s->findings.n + more + 4;
	struct finding *at = arena_get(st->a, cap * sizeof *at);

	return (struct finding_list){ .at = at, .cap = at != NULL ? cap : 0 };
}

static void
take_list(const struct step *st, struct finding_list *l)
{
	finding_sort(l);
	for (size_t i = 0; i < st->s->findings.n; i++) {
		struct finding *old = &st->s->findings.at[i];

		if (findings_find(l, old->cause, old->subject) == NULL)
			step_history(st, HISTORY_GONE, old);
	}
	st->s->findings = *l;
}

/* A check sees what the order met as well: so it is a check that says when it is mended, and not the next order, which may be a
 * day away. The CA's word about the name stands beside it (refused_until). */
static const struct finding *
seen_by_check(const struct step *st, const struct finding *f)
{
	const struct finding *old = findings_find(&st->s->findings, f->cause, f->subject);
	enum layer layer = cause_row(f->cause)->layer;

	return old != NULL && !old->is_from_order && layer != LAYER_CA && layer != LAYER_OWN ? old : NULL;
}

/* Adds findings of an order or of the installer; they stand until their next look, or until it goes well. */
void
findings_add(const struct step *st, const struct finding *at, size_t n)
{
	struct finding_list l = list_for(st, n);

	for (size_t i = 0; i < n; i++) {
		const struct finding *by_check = seen_by_check(st, &at[i]);

		put_finding(st, &l, &at[i]);
		if (l.n == 0)
			continue;
		struct finding *f = &l.at[l.n - 1];
		f->is_from_order = by_check == NULL;
		if (by_check != NULL)
			f->next_look = when_min(f->next_look, when_max(by_check->next_look, st->t->now));
	}
	for (size_t i = 0; i < st->s->findings.n; i++)
		if (findings_find(&l, st->s->findings.at[i].cause,
			st->s->findings.at[i].subject) == NULL) {
			struct finding *f = finding_put(
			    &l, st->s->findings.at[i].cause, st->s->findings.at[i].subject);

			if (f != NULL)
				*f = st->s->findings.at[i];
		}
	take_list(st, &l);
}

bool
findings_is_hidden(const struct finding_list *seen, struct str name)
{
	for (size_t i = 0; i < seen->n; i++) {
		enum cause c = seen->at[i].cause;

		if ((c == CAUSE_OWN_RESOLVER_UNAVAILABLE || c == CAUSE_OWN_NETWORK_DOWN) && str_eq(seen->at[i].subject, name))
			return true;
	}
	return false;
}

/* What stood before is neither seen nor gone. */
static bool
was_unseen(const struct finding_list *seen, const struct finding *old)
{
	enum layer layer = cause_row(old->cause)->layer;

	return layer != LAYER_OWN && layer != LAYER_SERVED && layer != LAYER_CA && findings_is_hidden(seen, old->subject);
}

static bool
blocks_name(const struct finding_list *l, struct str name, bool is_by_check)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->at[i].subject, name) && finding_blocks(&l->at[i]) && !(is_by_check && l->at[i].is_from_order))
			return true;
	return false;
}

/* The CA refused a name, in its own words, in which a check had found a fault as well; now the check finds none: it was mended. */
static bool
was_mended(const struct step *st, const struct finding *old, const struct finding_list *seen)
{
	return old->is_from_order && plan_blames_name(old->cause) && cause_row(old->cause)->layer != LAYER_CA &&
	       blocks_name(&st->s->findings, old->subject, true) && !blocks_name(seen, old->subject, false);
}

/* Of a name's two kinds of addresses one was answered, which is enough to judge by; the other, that stood against the name, was not:
 * a lost answer mends nothing. For an hour: a server that leaves a kind out for good has another fault, or none. */
static bool
was_half_seen(const struct step *st, const struct finding *old, const struct finding_list *seen)
{
	enum stands_on on = cause_row(old->cause)->stands_on;
	bool by_v4 = on == STANDS_ON_A || on == STANDS_ON_EITHER, by_v6 = on == STANDS_ON_AAAA || on == STANDS_ON_EITHER;
	const struct evidence *e = st->ev->evidence;

	if ((!by_v4 && !by_v6) || when_between(old->last_seen, st->t->now).s >= HALF_SEEN_MOST_S || blocks_name(seen, old->subject, false))
		return false;
	for (size_t i = 0; i < e->names_n; i++)
		if (str_eq(e->names[i].name, old->subject))
			return (by_v4 && dns_is_lost(e->names[i].a_status)) || (by_v6 && dns_is_lost(e->names[i].aaaa_status));
	return false;
}

/* The CA could not come in, and now it is known that nobody else is kept out: what it met has got another name. */
static bool
was_renamed(const struct finding *old, const struct finding_list *seen)
{
	if (!old->is_from_order || cause_row(old->cause)->layer != LAYER_TRANSPORT)
		return false;
	for (size_t i = 0; i < seen->n; i++)
		if (seen->at[i].cause == CAUSE_TRANSPORT_VALIDATOR_BANNED && str_eq(seen->at[i].subject, old->subject))
			return true;
	return false;
}

/* It was seen from other networks, and this time none of them had anything to say. For a day: a vantage point may be gone for good. */
static bool
was_not_looked_at(const struct step *st, const struct finding *old)
{
	const struct evidence *e = st->ev->evidence;

	if (!plan_is_from_afar(old->cause) || old->is_from_order || when_between(old->last_seen, st->t->now).s >= UNSEEN_FROM_AFAR_MOST_S)
		return false;
	for (size_t i = 0; i < e->names_n; i++)
		for (size_t k = 0; str_eq(e->names[i].name, old->subject) && k < e->names[i].views_n; k++)
			if (e->names[i].views[k].result == VIEW_SEEN)
				return false;
	return true;
}

static bool
is_home_seen(const struct name_evidence *n)
{
	for (size_t i = 0; i < n->addresses_n; i++) {
		enum http_result r = n->addresses[i].home.http.result;

		if (r != HTTP_NOT_TRIED && r != HTTP_TIMEOUT_CONNECT && r != HTTP_TIMEOUT_READ)
			return true;
	}
	return false;
}

/* Is the very certificate still shown that was found on the list, and no list there to say something else? */
static bool
is_still_listed(const struct name_evidence *n, const struct finding *old)
{
	char shown[2 * FINGERPRINT_BYTES];
	bool is_shown = false;

	for (size_t i = 0; i < n->addresses_n; i++) {
		const struct tls_evidence *t = &n->addresses[i].tls;

		if (t->result != TLS_SHOWN)
			continue;
		certificate_fingerprint_text(t->leaf.fingerprint, shown);
		if (!str_eq(old->wanted, (struct str){ shown, sizeof shown }))
			continue;
		if (t->revocation == REVOCATION_GOOD)
			return false;
		is_shown = true;
	}
	return is_shown;
}

/* It stands on an answer that this look did not get, or did not ask for: a slow page, a list that is not to be had. A page is given
 * an hour, a certificate that was taken back stays so. */
static bool
was_not_answered(const struct step *st, const struct finding *old)
{
	enum stands_on on = cause_row(old->cause)->stands_on;
	const struct evidence *e = st->ev->evidence;

	if (on != STANDS_ON_HOME && on != STANDS_ON_LIST)
		return false;
	for (size_t i = 0; i < e->names_n; i++) {
		if (!str_eq(e->names[i].name, old->subject))
			continue;
		return on == STANDS_ON_LIST ? is_still_listed(&e->names[i], old)
					    : !is_home_seen(&e->names[i]) &&
						  when_between(old->last_seen, st->t->now).s < HALF_SEEN_MOST_S;
	}
	return false;
}

/* Does this old finding stay although the new evidence does not show it? */
static bool
outlives_check(
    const struct step *st, const struct finding *old, const struct finding_list *seen, bool is_handshake_only)
{
	const struct evidence *e = st->ev->evidence;

	if (MUTANT(FINDING_KEPT) || was_not_answered(st, old))
		return true;
	/* Whether ours is shown now is for the verification to say (on_verified), or for another cause that explains it. */
	if (is_handshake_only && old->cause == CAUSE_OWN_DEPLOY_NOT_SERVED)
		return !has_cause(seen, CAUSE_OWN_ORDER_COMPETING);
	if (is_handshake_only)
		return !findings_by_handshake(old->cause);
	if (was_unseen(seen, old))
		return true;
	if (old->cause == CAUSE_OWN_ZONE_UNWRITABLE)
		return mend_is_refused_still(st, old, seen);
	if (was_half_seen(st, old, seen))
		return true;
	if (was_renamed(old, seen))
		return false;
	/* Others are kept out as well, or there is a fault of another kind: it is not the CA alone. */
	if (old->cause == CAUSE_TRANSPORT_VALIDATOR_BANNED && blocks_name(seen, old->subject, false))
		return false;
	if (was_not_looked_at(st, old))
		return true;
	if (was_mended(st, old, seen))
		return false;
	/* A DNS that is silent for an hour has not brought anybody back. */
	if (old->cause == CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY)
		for (size_t i = 0; i < e->names_n; i++)
			if (str_eq(e->names[i].name, old->subject) && !findings_is_answered(&e->names[i]))
				return true;
	if (is_deploy_cause(old->cause))
		return old->cause != CAUSE_OWN_DEPLOY_NOT_SERVED;
	/* What an order met is of no matter when none is wanted any more: nobody would ever see it go well. */
	return old->is_from_order &&
	       (when_before(st->t->now, old->next_look) || plan_order_is_due(st->s, st->t->now));
}

void
findings_merge(const struct step *st, bool is_handshake_only)
{
	if (st->s->findings.n == 0 && st->is_quiet)
		return;
	size_t cap = (st->ev->evidence->names_n + 1) * LIMIT_FINDINGS;
	struct finding *room = arena_get(st->a, cap * sizeof *room);
	struct finding_list seen = { .at = room, .cap = room != NULL ? cap : 0 };

	classify(st->ev->evidence, st->s, st->p, st->a, &seen);
	struct finding_list l = list_for(st, seen.n);
	for (size_t i = 0; i < seen.n; i++)
		if (!is_handshake_only || findings_by_handshake(seen.at[i].cause))
			put_finding(st, &l, &seen.at[i]);
	for (size_t i = 0; i < st->s->findings.n; i++) {
		struct finding *old = &st->s->findings.at[i];

		if (findings_find(&l, old->cause, old->subject) != NULL ||
		    !outlives_check(st, old, &seen, is_handshake_only))
			continue;
		struct finding *f = finding_put(&l, old->cause, old->subject);
		if (f != NULL)
			*f = *old;
		/* Looked at daily like everything; asked for when a person says so. */
		if (f != NULL && (f->cause == CAUSE_CA_NAME_PAUSED || f->cause == CAUSE_CA_ACCOUNT_BLOCKED))
			f->next_look = when_plus(st->t->now, st->p->look_every);
		else if (f != NULL && was_half_seen(st, old, &seen))
			f->next_look = when_plus(st->t->now, st->p->poll_min);
		else if (f != NULL && was_not_looked_at(st, old))
			f->next_look = when_plus(st->t->now, st->p->poll_max);
	}
	take_list(st, &l);
	/* It has been told; from here on nothing leads to that CA any more. */
	if (!is_handshake_only && site_ca_is_gone(st->s, st->p))
		site_ca_reset(st);
}

bool
finding_of_pause(const struct step *st, const struct finding *f)
{
	(void)st;
	return f->cause == CAUSE_CA_NAME_PAUSED;
}

void
findings_drop(
    const struct step *st, bool (*is_meant)(const struct step *, const struct finding *))
{
	struct finding_list l = list_for(st, 0);

	for (size_t i = 0; i < st->s->findings.n; i++) {
		if (is_meant(st, &st->s->findings.at[i]))
			continue;
		struct finding *f =
		    finding_put(&l, st->s->findings.at[i].cause, st->s->findings.at[i].subject);

		if (f != NULL)
			*f = st->s->findings.at[i];
	}
	take_list(st, &l);
}

bool
finding_of_deploy(const struct step *st, const struct finding *f)
{
	(void)st;
	return is_deploy_cause(f->cause) ||
	       (f->is_from_order && cause_row(f->cause)->layer == LAYER_OWN);
}

/* What the installer met. That another certificate is served is over only when a handshake has shown ours. */
bool
finding_of_installer(const struct step *st, const struct finding *f)
{
	return finding_of_deploy(st, f) && f->cause != CAUSE_OWN_DEPLOY_NOT_SERVED;
}

bool
finding_of_given_up(const struct step *st, const struct finding *f)
{
	(void)st;
	return f->cause == CAUSE_OWN_RENEWAL_OFF || f->cause == CAUSE_OWN_CONTRACT_SUSPENDED;
}

bool
finding_of_own_end(const struct step *st, const struct finding *f)
{
	(void)st;
	return f->cause == CAUSE_OWN_CERTIFICATE_IMPORTED || f->cause == CAUSE_OWN_CERTIFICATE_KEY_MISSING;
}

static bool
is_of_order(const struct finding *f)
{
	return f->is_from_order && !is_deploy_cause(f->cause);
}

static bool
is_met_anew(const struct step *st, const struct finding *f)
{
	for (size_t i = 0; i < st->s->findings.n; i++) {
		const struct finding *other = &st->s->findings.at[i];

		if (other->is_from_order && other->last_seen.s == st->t->now.s && str_eq(other->subject, f->subject))
			return true;
	}
	return false;
}

/* What an earlier order met and the latest one did not. An order ends with the first names that the CA refuses: of the others nothing was
 * learned, and the count of their refusals goes on. */
bool
finding_of_earlier_order(const struct step *st, const struct finding *f)
{
	if (!is_of_order(f) || f->cause == CAUSE_CA_NAME_PAUSED || f->last_seen.s == st->t->now.s || when_before(st->t->now, f->next_look))
		return false;
	return !plan_blames_name(f->cause) || is_met_anew(st, f);
}

/* An order went well: what the CA had said of its names, or of the whole site, is over. A name that was left out
 * keeps its finding, and with it the count of its failures. */
void
findings_drop_ordered(const struct step *st)
{
	struct finding_list l = list_for(st, 0);

	for (size_t i = 0; i < st->s->findings.n; i++) {
		const struct finding *old = &st->s->findings.at[i];
		bool is_left_out = false;

		for (size_t k = 0; k < st->s->names_n; k++)
			is_left_out |= !st->s->names[k].is_held &&
				       str_eq(old->subject, st->s->names[k].name);
		if (is_of_order(old) && !is_left_out)
			continue;
		/* It was about the certificate before. */
		if (old->cause == CAUSE_CA_ARI_WINDOW_PAST)
			continue;
		struct finding *f = finding_put(&l, old->cause, old->subject);
		if (f != NULL)
			*f = *old;
	}
	take_list(st, &l);
}
