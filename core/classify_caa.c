/* CAA as the CA reads it (RFC 8659, RFC 8657): who may issue, by which account, by which method. */
#include "core/classify_inside.h"

enum verdict { CAA_OTHER, CAA_PARAMETER, CAA_ALLOWED };

static bool
is_tag(const struct caa_record *r, const char *tag)
{
	return str_eq_nocase(r->tag, str_of(tag));
}

static bool
is_known_tag(const struct caa_record *r)
{
	return is_tag(r, "issue") || is_tag(r, "issuewild") || is_tag(r, "issuemail") ||
	       is_tag(r, "iodef");
}

static bool
list_has(struct str list, struct str word)
{
	while (list.n > 0)
		if (str_eq_nocase(str_trim(str_cut(&list, ',')), word))
			return true;
	return false;
}

/* Parameters that the CA does not know are its to ignore; what is no parameter at all voids the record. */
static bool
are_parameters_met(struct str rest, const struct policy *p)
{
	while (rest.n > 0) {
		struct str value = str_trim(str_cut(&rest, ';'));

		if (value.n == 0)
			continue;
		bool has_value = str_find(value, STR("=")) != SIZE_MAX;
		struct str tag = str_trim(str_cut(&value, '='));
		value = str_trim(value);
		if (!has_value)
			return false;
		if (str_eq_nocase(tag, STR("accounturi")) && p->account_url.n > 0 &&
		    !str_eq(value, p->account_url))
			return false;
		if (str_eq_nocase(tag, STR("validationmethods")) &&
		    !list_has(value, STR("http-01")))
			return false;
	}
	return true;
}

/* A CA may answer to several identities (RFC 8555 9.7.6). */
static bool
is_of_ca(struct str issuer, const struct policy *p)
{
	struct str rest = p->ca_issuers;

	while (rest.n > 0)
		if (str_eq_nocase(str_cut(&rest, ' '), issuer))
			return issuer.n > 0;
	return str_eq_nocase(issuer, p->ca_issuer);
}

static enum verdict
verdict_of(const struct caa_record *r, const struct policy *p)
{
	struct str rest = r->value, issuer = str_trim(str_cut(&rest, ';'));

	if (!is_of_ca(issuer, p))
		return CAA_OTHER;
	return are_parameters_met(rest, p) ? CAA_ALLOWED : CAA_PARAMETER;
}

static struct str
record_text(const struct judge *j, const struct caa_record *r)
{
	return arena_strf(
	    j->a, "%u %.*s \"%.*s\"", r->flags, STR_ARG(r->tag), STR_ARG(r->value));
}

/* All records with this tag, as one line. */
static struct str
set_text(const struct judge *j, const char *tag)
{
	struct str all = STR_NONE;

	for (size_t i = 0; i < j->n->caa_n && i < 8; i++) {
		if (!is_tag(&j->n->caa[i], tag))
			continue;
		struct str one = record_text(j, &j->n->caa[i]);
		all = all.n == 0 ? one
				 : arena_strf(j->a, "%.*s, %.*s", STR_ARG(all), STR_ARG(one));
	}
	return all;
}

static void
put(struct judge *j, enum cause c, struct str seen, const char *tag)
{
	struct finding *f = judge_put(j, c);
	struct str at = j->n->caa_at.n > 0 ? j->n->caa_at : j->n->name;

	if (f == NULL)
		return;
	f->seen = seen;
	f->wanted = arena_strf(j->a, "0 %s \"%.*s\"", tag, STR_ARG(j->p->ca_issuer));
	f->copy = arena_strf(j->a, "%.*s. CAA %.*s", STR_ARG(at), STR_ARG(f->wanted));
}

/* What the whole set says of one CA. */
struct set_verdict {
	enum verdict best;
	const char *tag;			  /* the one that counts */
	const struct caa_record *of_ours;	  /* names the CA, with a parameter that does not fit */
	const struct caa_record *critical_unknown; /* nobody may issue */
};

static struct set_verdict
verdict_of_set(const struct name_evidence *n, const struct policy *p)
{
	bool is_wildcard = str_starts(n->name, STR("*.")), has_wild = false, has_any = false;
	struct set_verdict v = { .best = CAA_OTHER, .tag = "issue" };

	for (size_t i = 0; i < n->caa_n; i++) {
		const struct caa_record *r = &n->caa[i];

		/* Bit 0 of RFC 8659 is 128; many a record has 1 in its place, and Let's Encrypt takes it as meant. */
		if ((r->flags & (128 | 1)) != 0 && !is_known_tag(r)) {
			v.critical_unknown = r;
			return v;
		}
		has_wild = has_wild || is_tag(r, "issuewild");
	}
	if (is_wildcard && has_wild)
		v.tag = "issuewild";
	for (size_t i = 0; i < n->caa_n; i++) {
		if (!is_tag(&n->caa[i], v.tag))
			continue;
		enum verdict one = verdict_of(&n->caa[i], p);
		has_any = true;
		v.best = one > v.best ? one : v.best;
		if (one == CAA_PARAMETER)
			v.of_ours = &n->caa[i];
	}
	if (!has_any)
		v.best = CAA_ALLOWED;
	return v;
}

static void
judge_set(struct judge *j)
{
	struct set_verdict v = verdict_of_set(j->n, j->p);

	if (v.critical_unknown != NULL) {
		struct finding *f = judge_put(j, CAUSE_DNS_CAA_CRITICAL_UNKNOWN);

		if (f == NULL)
			return;
		f->seen = record_text(j, v.critical_unknown);
		f->copy = arena_strf(j->a, "%.*s. CAA %.*s", STR_ARG(j->n->caa_at),
		    STR_ARG(f->seen)); /* to delete */
	} else if (v.best == CAA_ALLOWED) {
		return;
	} else if (v.of_ours != NULL) {
		put(j, CAUSE_DNS_CAA_PARAMETER_MISMATCH, record_text(j, v.of_ours), v.tag);
	} else {
		put(j,
		    str_eq(str_of(v.tag), STR("issuewild")) ? CAUSE_DNS_CAA_FORBIDS_WILDCARD
							    : CAUSE_DNS_CAA_FORBIDS,
		    set_text(j, v.tag), v.tag);
	}
}

bool
classify_caa_refuses(const struct name_evidence *n, const struct policy *p)
{
	if (n->caa_status != DNS_OK || n->caa_n == 0 || p->ca_issuer.n == 0)
		return false;
	struct set_verdict v = verdict_of_set(n, p);
	return v.critical_unknown != NULL || v.best != CAA_ALLOWED;
}

void
classify_caa(struct judge *j)
{
	const struct name_evidence *n = j->n;
	bool is_known = n->addresses_n > 0 || n->a_status == DNS_OK ||
			n->a_status == DNS_NXDOMAIN || n->a_status == DNS_NOT_ASKED;
	struct finding *f;

	switch (n->caa_status) {
	case DNS_NOT_ASKED:
	case DNS_NXDOMAIN:
		break;
	case DNS_OK:
		if (n->caa_n > 0 && j->p->ca_issuer.n > 0)
			judge_set(j);
		break;
	case DNS_LOCAL:
		(void)judge_put(j, CAUSE_OWN_RESOLVER_UNAVAILABLE);
		break;
	case DNS_BOGUS:
		if (is_known)
			classify_dnssec(j);
		break;
	case DNS_SERVFAIL:
	case DNS_TIMEOUT:
	case DNS_BROKEN:
		/* Where the name's own lookup failed too, that is the cause and this its shadow. */
		if (!is_known || !j->e->resolver_works)
			break;
		f = judge_put(j, CAUSE_DNS_CAA_LOOKUP_FAILED);
		if (f == NULL)
			break;
		f->seen = n->caa_status == DNS_TIMEOUT ? STR("no answer") : STR("SERVFAIL");
		f->wanted = STR("NOERROR");
		f->copy = arena_strf(j->a,
		    "Queries for the CAA record of %.*s fail. If there is no such record, "
		    "please answer NOERROR with an empty answer.",
		    STR_ARG(n->name));
		break;
	}
}
