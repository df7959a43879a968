#include "core/site_plan.h"
#include <string.h>
#include "base/must.h"
#include "base/mutant.h"
#include "core/site_misfit.h"

struct turn
site_turn(const struct turn *t, int64_t site_id)
{
	/* The last rounds of MurmurHash3: every bit of both counts for every bit. */
	uint64_t h = ((uint64_t)site_id << 32) ^ (uint64_t)site_id ^ t->roll;

	h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdU;
	h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53U;
	return (struct turn){ t->now, (uint32_t)(h >> 32) };
}

bool
plan_wants(const struct site *s)
{
	if (MUTANT(DRAFT_READ) && s->draft.exists)
		return !s->is_removed && s->draft.setting.source == SOURCE_FREE;
	return !s->is_removed && s->setting.source == SOURCE_FREE;
}

bool
plan_is_own(const struct site *s)
{
	return !s->is_removed && s->setting.source == SOURCE_OWN && s->held.is_own;
}

bool
plan_is_about(const struct site *s, const struct finding *f, const struct site_name *n)
{
	const struct cause_row *row = cause_row(f->cause);

	/* A set that was issued too often is not another set without one of its names. */
	if (str_eq(f->subject, n->name) || (row->layer == LAYER_CA && row->scope == SCOPE_SITE && finding_blocks(f)))
		return true;
	for (size_t i = 0; i < s->names_n; i++)
		if (str_eq(f->subject, s->names[i].name))
			return false;
	return true;
}

bool
plan_is_moved(const struct site *s, const struct site_name *n)
{
	for (size_t i = 0; i < s->findings.n; i++)
		if (s->findings.at[i].cause == CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY &&
		    str_eq(s->findings.at[i].subject, n->name))
			return true;
	return false;
}

struct site_name *
plan_name_of(const struct site *s, size_t near, struct str name)
{
	if (near < s->names_n && str_eq(s->names[near].name, name))
		return &s->names[near];
	for (size_t i = 0; i < s->names_n; i++)
		if (str_eq(s->names[i].name, name))
			return &s->names[i];
	return NULL;
}

bool
plan_is_settling(const struct site *s, struct when now)
{
	return s->deploy_failures == 0 && when_before(now, s->deploy_at);
}

bool
plan_is_gone(const struct site *s)
{
	size_t gone = 0;

	if (s->findings.n == 0)
		return false;
	for (size_t i = 0; i < s->names_n; i++) {
		if (!s->names[i].is_wanted)
			continue;
		if (!plan_is_moved(s, &s->names[i]))
			return false;
		gone++;
	}
	return gone > 0;
}

bool
plan_passes(const struct site *s, const struct site_name *n, struct when now)
{
	if (!n->is_wanted || !when_is_known(n->passed_at))
		return false;
	for (size_t i = 0; i < s->findings.n; i++) {
		const struct finding *f = &s->findings.at[i];
		/* What the CA has paused is asked for again when a person says so, whatever the date (P6). A blocked account is
		 * kept from the CA by the breaker (core/breaker), for all sites alike. */
		bool is_past = f->is_from_order && f->cause != CAUSE_CA_NAME_PAUSED &&
			       (f->cause == CAUSE_CA_ACCOUNT_BLOCKED || !when_before(now, f->next_look));

		if (finding_blocks(f) && !is_past && plan_is_about(s, f, n))
			return false;
	}
	return true;
}

struct when
site_table_renew_at(const struct site *s)
{
	const struct life *l = &s->held.life;

	if (s->held.id == 0)
		return WHEN_UNKNOWN;
	return calendar_pull(&s->calendar, *l,
	    s->held.is_spread ? life_renew_first_at(*l, s->jitter)
			     : life_renew_at(*l, s->jitter));
}

bool
plan_is_of_held(const struct site *s, const struct finding *f)
{
	char held[2 * FINGERPRINT_BYTES];

	if (s->held.id == 0)
		return false;
	certificate_fingerprint_text(s->held.fingerprint, held);
	return str_eq(f->wanted, (struct str){ held, sizeof held });
}

/* When it was seen that the issuer has taken back the very certificate that is held; WHEN_UNKNOWN: it has not, as far as is known. */
static struct when
revoked_at(const struct site *s)
{
	for (size_t i = 0; i < s->findings.n; i++)
		if (s->findings.at[i].cause == CAUSE_SERVED_REVOKED && plan_is_of_held(s, &s->findings.at[i]))
			return s->findings.at[i].first_seen;
	return WHEN_UNKNOWN;
}

/* Later than the table says when the CA wants it so; but a first fill is spread whatever the CA says. */
struct when
site_renew_at(const struct site *s)
{
	struct when table = site_table_renew_at(s), misfit = misfit_renew_at(s);

	/* Free SSL was chosen instead: that is due since then. */
	if (s->held.is_own)
		return s->held.life.from;
	struct when revoked = revoked_at(s);
	if (when_is_known(revoked))
		return when_min(table, revoked);
	if (when_is_known(misfit))
		return when_min(table, misfit);
	if (!s->renewal.is_told || s->held.id == 0)
		return table;
	return s->held.is_spread ? when_min(table, s->renewal.at) : s->renewal.at;
}

enum renew_why
site_renew_why(const struct site *s)
{
	if (s->asked_renew)
		return RENEW_BY_PERSON;
	/* Taken back: its issuer wants another in its place, whether it has said so by its renewal information or not. */
	if (!s->held.is_own && when_is_known(revoked_at(s)))
		return RENEW_BY_CA_EARLY;
	if (!s->renewal.is_told || s->held.id == 0 || s->held.is_own ||
	    when_before(site_renew_at(s), s->renewal.at))
		return RENEW_BY_LIFE;
	return s->renewal.is_urgent ? RENEW_BY_CA_EARLY : RENEW_BY_CA;
}

const char *
renew_why_name(enum renew_why w)
{
	static const char *const names[] = { "life", "ca", "ca-early", "person" };

	must(w < RENEW_WHY_COUNT);
	return names[w];
}

struct lane_facts
site_lane_facts(const struct site *s)
{
	return (struct lane_facts){
		.is_held = s->held.id != 0,
		.life = s->held.life,
		.is_asked = s->asked_renew,
		/* Its own certificate is no use either when it could never be put on the server. */
		.is_replacement = s->held.id != 0 && ((s->renewal.is_told && s->renewal.is_urgent) || when_is_known(misfit_renew_at(s))),
	};
}

bool
plan_order_is_due(const struct site *s, struct when now)
{
	return plan_order_is_due_by(s, now, site_renew_at(s));
}

bool
plan_order_is_due_by(const struct site *s, struct when now, struct when renew_at)
{
	if (!plan_wants(s) || s->order_id != 0)
		return false;
	if (s->held.id == 0 || s->asked_renew || !when_before(now, renew_at))
		return true;
	/* A name that can be had and is not in the certificate: www, whose record has appeared. */
	for (size_t i = 0; i < s->names_n; i++)
		if (!s->names[i].is_held && plan_passes(s, &s->names[i], now))
			return !MUTANT(NAME_NOT_READDED);
	return false;
}

bool
plan_blames_name(enum cause c)
{
	const struct cause_row *row = cause_row(c);

	return row->scope == SCOPE_NAME || (row->layer != LAYER_CA && row->layer != LAYER_OWN);
}

bool
plan_is_from_afar(enum cause c)
{
	return c == CAUSE_TRANSPORT_CONNECT_GEO_BLOCKED || c == CAUSE_TRANSPORT_SECONDARY_VALIDATION_TIMEOUT || c == CAUSE_DNS_VIEW_SPLIT ||
	       c == CAUSE_TRANSPORT_VALIDATOR_BANNED;
}

bool
plan_is_kept_out(enum cause c)
{
	return c == CAUSE_TRANSPORT_CONNECT_GEO_BLOCKED || c == CAUSE_TRANSPORT_CONNECT_RESET || c == CAUSE_TRANSPORT_UNCLASSIFIED;
}

bool
plan_wants_views(const struct site *s)
{
	for (size_t i = 0; i < s->findings.n; i++) {
		const struct finding *f = &s->findings.at[i];
		enum layer layer = cause_row(f->cause)->layer;

		if (plan_is_from_afar(f->cause) || (f->is_from_order && (layer == LAYER_DNS || layer == LAYER_TRANSPORT || layer == LAYER_HTTP)))
			return true;
	}
	return false;
}

bool
plan_is_refused(const struct site *s, const struct site_name *n, struct when now)
{
	if (MUTANT(REFUSED_NAME_ASKED_AGAIN))
		return false;
	(void)s;
	return when_is_known(n->refused_until) && when_before(now, n->refused_until);
}

size_t
plan_order_names(const struct site *s, struct when now, struct str *ret)
{
	size_t passing = 0, held_failing = 0;

	for (size_t i = 0; i < s->names_n; i++) {
		const struct site_name *n = &s->names[i];

		if (plan_passes(s, n, now))
			ret[passing++] = n->name;
		else if (n->is_wanted && n->is_held && !plan_is_moved(s, n))
			held_failing++;
	}
	/* A first certificate is issued at once for the names that pass. */
	if (s->held.id == 0 || held_failing == 0)
		return passing;
	/* A renewal waits for a name that it would lose while there is time … */
	if (when_before(now, life_reduce_at(s->held.life)) && !MUTANT(REDUCED_TOO_EARLY))
		return 0;
	/* … then goes on without it … */
	if (passing > 0)
		return passing;
	/* … and with a sixth of the life left believes the CA more than its own check. */
	if (when_before(now, life_anyway_at(s->held.life)))
		return 0;
	size_t all = 0;
	for (size_t i = 0; i < s->names_n; i++)
		if (s->names[i].is_wanted && s->names[i].is_held && !plan_is_moved(s, &s->names[i]) &&
		    !plan_is_refused(s, &s->names[i], now))
			ret[all++] = s->names[i].name;
	return all;
}

struct when
plan_order_not_before(const struct site *s, const struct policy *p)
{
	struct when own = s->asked_renew && !s->retry_is_law ? WHEN_UNKNOWN : s->retry_at;

	return when_max(own, p->ca_not_before);
}

struct when
plan_late_at(const struct site *s)
{
	struct lane_facts f = site_lane_facts(s);

	return lane_expiring_at(&f);
}

/* Is there a name that can be ordered at this date? What plan_order_names lists, without the list. */
static bool
has_order_names(const struct site *s, struct when now)
{
	size_t passing = 0, held_failing = 0;

	for (size_t i = 0; i < s->names_n; i++)
		if (plan_passes(s, &s->names[i], now))
			passing++;
		else if (s->names[i].is_wanted && s->names[i].is_held)
			held_failing++;
	if (s->held.id == 0 || held_failing == 0)
		return passing > 0;
	return passing > 0 ? !when_before(now, life_reduce_at(s->held.life)) : !when_before(now, life_anyway_at(s->held.life));
}

enum lane
plan_lane(const struct site *s, struct when at)
{
	struct lane_facts f = site_lane_facts(s);

	return lane_of(&f, at);
}

static bool
is_unseen(const struct site *s)
{
	return s->held.id == 0 && !when_is_known(s->checked_at);
}

bool
plan_waits_in_lane(const struct site *s, struct when at)
{
	return s->doing == DOING_NOTHING && when_is_known(at) && plan_order_is_due(s, at) && !when_before(at, s->retry_at) &&
	       (is_unseen(s) || has_order_names(s, at));
}

bool
plan_draws(const struct site *s, struct when at)
{
	if (s->waits_turn)
		return true;
	if (is_unseen(s))
		return false;
	for (size_t i = 0; i < s->names_n; i++)
		if (s->names[i].is_held != plan_passes(s, &s->names[i], at))
			return true;
	return s->held.id == 0;
}

static uint64_t
mix_word(uint64_t h, uint64_t w)
{
	h = (h ^ w) * 0x9e3779b97f4a7c15U;
	return h ^ (h >> 29);
}

static uint64_t
word_at(const unsigned char *b)
{
	uint64_t w;

	memcpy(&w, b, sizeof w);
	return w;
}

/* Eight bytes at a time, the last eight whole; the length goes in first, so that two neighbouring strings cannot trade bytes. */
static uint64_t
mix(uint64_t h, const void *p, size_t n)
{
	const unsigned char *b = p;
	size_t i = 0;

	h = mix_word(h, n);
	for (; i + 8 <= n; i += 8)
		h = mix_word(h, word_at(b + i));
	if (i < n && n >= 8)
		return mix_word(h, word_at(b + n - 8));
	for (; i < n; i++)
		h = mix_word(h, b[i]);
	return h;
}

uint64_t
plan_digest(const struct site *s, struct when now)
{
	uint64_t h = mix_word(0xcbf29ce484222325U, (uint64_t)site_redirect(s, now) << 3 | (uint64_t)site_hsts(s, now) << 2 |
						       (uint64_t)s->is_removed << 1 | (s->held.id != 0));

	if (!MUTANT(NEW_CERTIFICATE_NOT_SEEN))
		h = mix(h, s->held.fingerprint, s->held.id != 0 ? sizeof s->held.fingerprint : 0);
	h = mix(h, s->setting.root.p, s->setting.root.n);
	h = mix(h, s->setting.proxy.p, s->setting.proxy.n);
	for (size_t i = 0; i < s->names_n; i++)
		if (s->names[i].is_wanted)
			h = mix(h, s->names[i].name.p, s->names[i].name.n);
	return h == 0 ? 1 : h;
}

/* HTTPS works for every wanted name, as far as any handshake tells: that of the certificate before counts as well, so
 * that a renewal on its way changes nothing. */
static bool
https_works(const struct site *s, struct when now)
{
	if (s->held.id == 0)
		return false;
	for (size_t i = 0; i < s->names_n; i++) {
		const struct site_name *n = &s->names[i];
		bool is_shown = when_is_known(n->served.not_after);
		/* Nothing shown is no proof against what was proven: the probe may have been at fault, not the server. */
		bool works = is_shown ? n->served.is_ok && when_before(now, n->served.not_after)
				      : s->held.is_live && when_before(now, s->held.life.to);

		if (n->is_wanted && !plan_is_moved(s, n) && (!n->is_held || !works))
			return false;
	}
	return !plan_is_gone(s);
}

uint16_t
site_redirect(const struct site *s, struct when now)
{
	if (!s->setting.redirect || s->is_removed || s->is_revoking || !https_works(s, now))
		return MUTANT(REDIRECT_KEPT) && s->held.id != 0 ? s->applied.redirect : 0;
	return s->renewals_good >= 3 ? 308 : 307;
}

bool
site_hsts(const struct site *s, struct when now)
{
	return s->setting.hsts && site_redirect(s, now) == 308 &&
	       life_left(s->held.life, now).s > life_hsts_age(s->held.life).s;
}

struct span
plan_backoff(unsigned n, struct span least, struct span most)
{
	struct span d = least;

	for (unsigned i = 1; i < n && d.s < most.s; i++)
		d.s *= 2;
	return span_min(d, most);
}

struct span
plan_order_backoff(const struct site *s, unsigned failures, const struct turn *t)
{
	static const int64_t steps[] = { 60, 600, 6000, 86400 };
	if (MUTANT(BACKOFF_REMOVED))
		return SPAN_S(1);
	size_t n = failures == 0 ? 0 : failures - 1;
	struct span d = { steps[n < 4 ? n : 3] };

	/* Denser towards the end: a quarter of what is left, so that a short life has its tries too; never so dense that
	 * a CA's limit on failures is touched (Let's Encrypt: 5 an hour, and lives of 160 hours or more). */
	if (s->held.id != 0) {
		struct span left = life_left(s->held.life, t->now);
		struct span least = span_max(span_part(life_length(s->held.life), 1, 500), SPAN_S(5));

		if (left.s > 0)
			d = span_min(d, span_max(span_part(left, 1, 4), least));
	}
	/* Up to a quarter more, so that those who failed together do not come back together. */
	return (struct span){ d.s + (int64_t)(t->roll % ((uint64_t)d.s / 4 + 1)) };
}

const struct finding *
site_cause_of(const struct site *s, struct str name)
{
	for (size_t i = 0; i < s->findings.n; i++)
		if (str_eq(s->findings.at[i].subject, name))
			return &s->findings.at[i];
	return NULL;
}
