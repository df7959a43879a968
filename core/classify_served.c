/*
 * What visitors are handed. While nothing was issued yet there is nothing to miss; at another company's server it is
 * not ours to judge. A fault here never holds an order back: a new certificate is often its cure.
 */
#include <string.h>
#include "base/date.h"
#include "core/classify_inside.h"

static bool
is_any_ours(const struct name_evidence *n)
{
	for (size_t i = 0; i < n->addresses_n; i++)
		if (n->addresses[i].is_ours)
			return true;
	return false;
}

static bool
is_in_date(const struct certificate_info *c, struct when now)
{
	return !when_before(now, c->not_before) && when_before(now, c->not_after);
}

/* ---- struct served ---- */

/* How bad one address is; the worst one is shown. */
enum badness {
	SERVED_HELD,
	SERVED_FINE,
	SERVED_NO_CHAIN,
	SERVED_OTHER_NAME,
	SERVED_OUT_OF_DATE,
	SERVED_NOTHING
};

static enum badness
badness_of(const struct evidence *e, const struct name_evidence *n, const struct held *h,
    const struct tls_evidence *t)
{
	if (t->result != TLS_SHOWN)
		return SERVED_NOTHING;
	if (!is_in_date(&t->leaf, e->at))
		return SERVED_OUT_OF_DATE;
	if (!certificate_has_name(&t->leaf, n->name))
		return SERVED_OTHER_NAME;
	if (!t->chain_ok)
		return SERVED_NO_CHAIN;
	return judge_is_held(h, t) ? SERVED_HELD : SERVED_FINE;
}

/* Our own machine cannot reach IPv6 everywhere; an address it has no route to says nothing, if another one does. */
static bool
is_told(const struct name_evidence *n, const struct address_evidence *a, bool only_ours)
{
	if (a->tls.result == TLS_NOT_TRIED || a->tls.result == TLS_FORBIDDEN_ADDRESS ||
	    (only_ours && !a->is_ours))
		return false;
	if (a->tls.result != TLS_UNREACHABLE)
		return true;
	for (size_t i = 0; i < n->addresses_n; i++)
		if (n->addresses[i].tls.result == TLS_SHOWN &&
		    n->addresses[i].is_ours == a->is_ours)
			return false;
	return true;
}

struct served
served_of(const struct evidence *e, const struct name_evidence *n, const struct held *h)
{
	struct served s = { .at = WHEN_UNKNOWN, .not_after = WHEN_UNKNOWN };
	bool only_ours = is_any_ours(n), is_first = true, is_every_held = true;
	enum badness worst = SERVED_HELD;

	for (size_t i = 0; i < n->addresses_n; i++) {
		const struct tls_evidence *t = &n->addresses[i].tls;

		if (!is_told(n, &n->addresses[i], only_ours))
			continue;
		enum badness b = badness_of(e, n, h, t);
		is_every_held = is_every_held && judge_is_held(h, t);
		if (t->result == TLS_SHOWN && (!when_is_known(s.not_after) ||
						  when_before(t->leaf.not_after, s.not_after)))
			s.not_after = t->leaf.not_after;
		/* Of those that show nothing there is no fingerprint to tell: the worst that was shown is told. */
		if (t->result == TLS_SHOWN && (is_first || b > worst)) {
			worst = b;
			is_first = false;
			memcpy(s.fingerprint, t->leaf.fingerprint, FINGERPRINT_BYTES);
		}
		s.is_ok =
		    s.at.s == WHEN_UNKNOWN.s ? b <= SERVED_FINE : s.is_ok && b <= SERVED_FINE;
		s.at = e->at;
	}
	s.is_held = s.at.s != WHEN_UNKNOWN.s && is_every_held;
	return s;
}

/* ---- findings ---- */

static const struct site_name *
name_of(const struct judge *j)
{
	for (size_t i = 0; j->s != NULL && i < j->s->names_n; i++)
		if (str_eq(j->s->names[i].name, j->n->name))
			return &j->s->names[i];
	return NULL;
}

/* The cause that stands before what visitors get: who acts there acts here too. */
static const struct finding *
root_of(const struct judge *j)
{
	const struct finding *root = NULL;

	for (size_t i = j->first; i < j->out->n; i++) {
		const struct finding *f = &j->out->at[i];

		if (cause_row(f->cause)->layer != LAYER_SERVED &&
		    f->cause != CAUSE_OWN_DEPLOY_NOT_SERVED && f->cause != CAUSE_OWN_ORDER_COMPETING &&
		    (root == NULL || f->cause < root->cause))
			root = f;
	}
	return root;
}

static struct str
certificate_words(const struct judge *j, const struct certificate_info *c)
{
	if (c->names_n == 0)
		return c->issuer;
	return arena_strf(j->a, "%.*s%s", STR_ARG(c->names[0]), c->names_n > 1 ? " …" : "");
}

static void
put(struct judge *j, enum cause c, struct str seen, struct str wanted)
{
	const struct finding *root = root_of(j);
	struct finding *f = judge_put(j, c);

	if (f == NULL || f->seen.n > 0)
		return;
	f->seen = seen;
	f->wanted = wanted;
	if (c == CAUSE_SERVED_NAME_MISSING)
		f->copy = judge_record_of_ours(j);
	if (root == NULL)
		return;
	if (c == CAUSE_SERVED_EXPIRED || c == CAUSE_SERVED_EXPIRING ||
	    c == CAUSE_SERVED_NAME_MISSING || c == CAUSE_SERVED_HSTS_NO_RECOURSE) {
		f->acts = root->acts;
		if (root->copy.n > 0)
			f->copy = root->copy;
		if (root->wanted.n > 0)
			f->wanted = root->wanted;
	}
}

/* Is one a name of the other's domain: example.jp and www.example.jp? Then it is a certificate of the site's own kind. */
static bool
is_kin(const struct certificate_info *c, struct str name)
{
	for (size_t i = 0; i < c->names_n; i++) {
		struct str a = c->names[i], b = name;

		if (str_starts(a, STR("*.")))
			a = (struct str){ a.p + 2, a.n - 2 };
		if (a.n > b.n) {
			struct str longer = a;

			a = b;
			b = longer;
		}
		if (a.n > 0 && str_ends(b, a) && (b.n == a.n || b.p[b.n - a.n - 1] == '.'))
			return true;
	}
	return false;
}

static struct str
fingerprint_words(const struct judge *j, const uint8_t fingerprint[FINGERPRINT_BYTES])
{
	char text[2 * FINGERPRINT_BYTES];

	certificate_fingerprint_text(fingerprint, text);
	return arena_str(j->a, (struct str){ text, sizeof text });
}

/* What is wrong with a certificate itself, whoever put it there. */
static void
classify_leaf(struct judge *j, const struct tls_evidence *t, bool is_owed)
{
	const struct certificate_info *c = &t->leaf;
	struct when now = j->e->at;

	if (!when_before(now, c->not_after)) {
		put(j, CAUSE_SERVED_EXPIRED, date_text(c->not_after, j->a), STR_NONE);
	} else if (when_before(now, c->not_before)) {
		put(j, CAUSE_SERVED_CERTIFICATE_WRONG, date_text(c->not_before, j->a), STR_NONE);
	} else {
		struct life life = { c->not_before, c->not_after };

		if (is_owed && !when_before(now, life_reduce_at(life)) &&
		    certificate_has_name(c, j->n->name))
			put(j, CAUSE_SERVED_EXPIRING, date_text(c->not_after, j->a), STR_NONE);
	}
	if (!certificate_has_name(c, j->n->name))
		return;
	/* Whole, but up to a root that visitors do not know: no further certificate would mend that. */
	if (t->revocation == REVOCATION_REVOKED) {
		put(j, CAUSE_SERVED_REVOKED, c->serial, STR_NONE);
		struct finding *f = judge_put(j, CAUSE_SERVED_REVOKED);
		/* By it the renewal knows which certificate it was: core/site_dates. */
		if (f != NULL)
			f->wanted = fingerprint_words(j, c->fingerprint);
	}
	if (t->chain_is_incomplete || !t->chain_ok)
		put(j, t->chain_is_incomplete ? CAUSE_SERVED_CHAIN_INCOMPLETE : CAUSE_SERVED_CERTIFICATE_WRONG, c->issuer,
		    STR_NONE);
}

/*
 * A good certificate for the name, at an address of ours, that was made after the newest of ours: another program orders here
 * too. Nobody else could have put it there, and each of our orders would be spent on being replaced again.
 */
static bool
is_of_another_client(const struct judge *j, const struct tls_evidence *t)
{
	const struct certificate_info *c = &t->leaf;

	return j->s->held.is_live && t->chain_ok && is_in_date(c, j->e->at) && certificate_has_name(c, j->n->name) &&
	       when_before(j->s->held.life.from, c->not_before);
}

/* The name that a certificate is good for as it stands; empty without one. */
static struct str
plain_name_of(const struct certificate_info *c)
{
	for (size_t i = 0; i < c->names_n; i++)
		if (!str_starts(c->names[i], STR("*.")))
			return c->names[i];
	return STR_NONE;
}

/* Mail and FTP beside the web: an older certificate than the web shows is our affair, one of another name the user's. */
static void
classify_services(struct judge *j, const struct address_evidence *a)
{
	for (size_t i = 0; i < a->services_n; i++) {
		const struct tls_evidence *t = &a->services[i].tls;
		struct str port = arena_strf(j->a, "%u", (unsigned)a->services[i].port), other = plain_name_of(&t->leaf);

		if (t->result != TLS_SHOWN || judge_is_held(&j->s->held, t))
			continue;
		if (certificate_has_name(&t->leaf, j->n->name)) {
			if (when_before(t->leaf.not_before, j->s->held.life.from) && judge_is_held(&j->s->held, &a->tls))
				put(j, CAUSE_OWN_DEPLOY_PARTLY_SERVED, port, STR_NONE);
		} else if (other.n > 0) {
			put(j, CAUSE_SERVED_SERVICE_NAME_MISMATCH, port, other);
			struct finding *f = judge_put(j, CAUSE_SERVED_SERVICE_NAME_MISMATCH);
			if (f != NULL)
				f->copy = other;
		}
	}
}

/* A name for which we hold a certificate, at an address of ours. */
static void
classify_ours(struct judge *j, const struct address_evidence *a, bool is_name_held)
{
	const struct tls_evidence *t = &a->tls;
	const struct certificate_info *c = &t->leaf;
	char ip[46];

	if (t->result != TLS_SHOWN) {
		address_text(&a->ip, ip);
		/* A name that is not in the certificate yet has nothing to show. */
		if (is_name_held)
			put(j, CAUSE_SERVED_UNREACHABLE, arena_str(j->a, str_of(ip)), STR_NONE);
		return;
	}
	bool is_held = judge_is_held(&j->s->held, t);
	if (is_name_held && !is_held && is_of_another_client(j, t))
		put(j, CAUSE_OWN_ORDER_COMPETING, c->issuer, STR_NONE);
	else if (is_name_held && !is_held)
		put(j, CAUSE_OWN_DEPLOY_NOT_SERVED, certificate_words(j, c), j->n->name);
	if (is_name_held && !is_held && !certificate_has_name(c, j->n->name) &&
	    !is_kin(c, j->n->name))
		put(j, CAUSE_SERVED_CERTIFICATE_WRONG, certificate_words(j, c), j->n->name);
	/* Not held: either something stands in its way, which is named first, or its order is on the way. */
	if (!is_name_held && !certificate_has_name(c, j->n->name) && root_of(j) != NULL)
		put(j, CAUSE_SERVED_NAME_MISSING, certificate_words(j, c), j->n->name);
	if (is_name_held)
		classify_leaf(j, t, is_held);
}

/* A front that leads to us (a CDN, a NAT) shows what it likes, as long as visitors are well served. */
static void
classify_front(struct judge *j, const struct address_evidence *a)
{
	const struct tls_evidence *t = &a->tls;

	if (t->result != TLS_SHOWN)
		return;
	if (a->front.n > 0 && t->chain_ok && is_in_date(&t->leaf, j->e->at) &&
	    certificate_has_name(&t->leaf, j->n->name) && !judge_is_held(&j->s->held, t)) {
		put(j, CAUSE_SERVED_CERTIFICATE_FROM_CDN, a->front, STR_NONE);
		return;
	}
	if (!certificate_has_name(&t->leaf, j->n->name))
		put(j, CAUSE_SERVED_CERTIFICATE_WRONG, certificate_words(j, &t->leaf),
		    j->n->name);
	else
		classify_leaf(j, t, judge_is_held(&j->s->held, t));
}

/* Not one of our sites: dates, names and chain, no more. */
static void
classify_stranger(struct judge *j, const struct tls_evidence *t)
{
	if (t->result != TLS_SHOWN)
		return;
	if (!certificate_has_name(&t->leaf, j->n->name))
		put(j,
		    is_kin(&t->leaf, j->n->name) ? CAUSE_SERVED_NAME_MISSING
						 : CAUSE_SERVED_CERTIFICATE_WRONG,
		    certificate_words(j, &t->leaf), j->n->name);
	classify_leaf(j, t, false);
}

/* Do the addresses of ours hand out the same? */
static void
classify_consistency(struct judge *j)
{
	const struct tls_evidence *first = NULL;

	for (size_t i = 0; i < j->n->addresses_n; i++) {
		const struct address_evidence *a = &j->n->addresses[i];

		if (!a->is_ours || a->tls.result != TLS_SHOWN)
			continue;
		if (first == NULL) {
			first = &a->tls;
			continue;
		}
		bool is_same = true;
		for (size_t k = 0; k < FINGERPRINT_BYTES; k++)
			is_same =
			    is_same && first->leaf.fingerprint[k] == a->tls.leaf.fingerprint[k];
		char ip[46];

		address_text(&a->ip, ip);
		if (!is_same)
			put(j, CAUSE_SERVED_ADDRESS_INCONSISTENT, arena_str(j->a, str_of(ip)),
			    STR_NONE);
	}
}

/* Was it told before? Our own header leaves with the fault, but browsers remember it. */
static bool
was_without_recourse(const struct judge *j)
{
	for (size_t i = 0; j->s != NULL && i < j->s->findings.n; i++)
		if (j->s->findings.at[i].cause == CAUSE_SERVED_HSTS_NO_RECOURSE &&
		    str_eq(j->s->findings.at[i].subject, j->n->name))
			return true;
	return false;
}

/* It is made here and now, by us or by the page: whoever was here before has it. */
static bool
is_promised(const struct judge *j)
{
	bool is_promised = j->s != NULL && j->s->applied.hsts;

	for (size_t i = 0; i < j->n->addresses_n; i++)
		is_promised = is_promised || j->n->addresses[i].home.has_hsts;
	return is_promised;
}

/* RFC 6797 12.1: a browser that was told so offers no way past its warning. */
static void
classify_recourse(struct judge *j)
{
	static const enum cause warned[] = { CAUSE_SERVED_EXPIRED, CAUSE_SERVED_CERTIFICATE_WRONG, CAUSE_SERVED_NAME_MISSING };
	bool is_warned = false;

	for (size_t i = 0; i < sizeof warned / sizeof *warned; i++)
		is_warned = is_warned || judge_has(j, warned[i]);
	if (is_warned && (is_promised(j) || was_without_recourse(j)))
		put(j, CAUSE_SERVED_HSTS_NO_RECOURSE, STR("Strict-Transport-Security"), STR_NONE);
}

/* The way to the page is encrypted, and what the page loads is not. */
static void
classify_content(struct judge *j)
{
	for (size_t i = 0; i < j->n->addresses_n; i++) {
		const struct home_evidence *h = &j->n->addresses[i].home;

		if (h->insecure_n == 0)
			continue;
		put(j, CAUSE_SERVED_CONTENT_MIXED, h->insecure, STR("https://"));
		struct finding *f = judge_put(j, CAUSE_SERVED_CONTENT_MIXED);
		if (f != NULL)
			f->copy = STR("Header always set Content-Security-Policy \"upgrade-insecure-requests\"");
		return;
	}
}

/* One visitor was warned, and nothing that we can see explains it: all addresses hand out what every browser of today takes. */
static void
classify_report(struct judge *j)
{
	struct served seen = served_of(j->e, j->n, j->s != NULL ? &j->s->held : NULL);

	if (j->n->reported.n == 0 || !when_is_known(seen.at) || !seen.is_ok)
		return;
	for (size_t i = j->first; i < j->out->n; i++)
		if (cause_row(j->out->at[i].cause)->severity > SEVERITY_INFO)
			return;
	put(j, CAUSE_SERVED_CLIENT_OUTDATED, j->n->reported, STR_NONE);
}

void
classify_served(struct judge *j)
{
	const struct name_evidence *n = j->n;
	const struct site_name *name = name_of(j);
	bool is_held = name != NULL && name->is_held, only_ours = is_any_ours(n);

	if (j->s != NULL && j->s->held.id == 0)
		return;
	for (size_t i = 0; i < n->addresses_n; i++) {
		const struct address_evidence *a = &n->addresses[i];

		if (!is_told(n, a, only_ours && j->s == NULL))
			continue;
		if (j->s == NULL)
			classify_stranger(j, &a->tls);
		else if (a->is_ours)
			classify_ours(j, a, is_held);
		if (j->s != NULL && a->is_ours && is_held)
			classify_services(j, a);
		else if (is_held && (judge_reaches_us(j, a) || a->front.n > 0))
			classify_front(j, a);
	}
	if (j->s != NULL && is_held)
		classify_consistency(j);
	/* Our own redirect leads visitors into the warning; it is taken back with the next turn. */
	if (j->s != NULL && j->s->applied.redirect != 0 && is_held && only_ours &&
	    (judge_has(j, CAUSE_SERVED_EXPIRED) || judge_has(j, CAUSE_SERVED_UNREACHABLE)))
		put(j, CAUSE_SERVED_REDIRECT_UNSAFE, STR("https"), STR_NONE);
	classify_recourse(j);
	if (j->s == NULL || is_held)
		classify_content(j);
	classify_report(j);
}
