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

static enum verdict
verdict_of(const struct caa_record *r, const struct policy *p)
{
	struct str rest = r->value, issuer = str_trim(str_cut(&rest, ';'));

	if (!str_eq_nocase(issuer, p->ca_issuer))
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

static void
judge_set(struct judge *j)
{
	const struct name_evidence *n = j->n;
	bool is_wildcard = str_starts(n->name, STR("*.")), has_wild = false, has_any = false;
	enum verdict best = CAA_OTHER;
	const struct caa_record *of_ours = NULL;

	for (size_t i = 0; i < n->caa_n; i++) {
		const struct caa_record *r = &n->caa[i];

		/* Bit 0 of RFC 8659 is 128; many a record has 1 in its place, and Let's Encrypt takes it as meant. */
		if ((r->flags & (128 | 1)) != 0 && !is_known_tag(r)) {
			struct finding *f = judge_put(j, CAUSE_DNS_CAA_CRITICAL_UNKNOWN);

			if (f == NULL)
				return;
			f->seen = record_text(j, r);
			f->copy = arena_strf(j->a, "%.*s. CAA %.*s", STR_ARG(n->caa_at),
			    STR_ARG(f->seen)); /* to delete */
			return;
		}
		has_wild = has_wild || is_tag(r, "issuewild");
	}
	const char *tag = is_wildcard && has_wild ? "issuewild" : "issue";
	for (size_t i = 0; i < n->caa_n; i++) {
		if (!is_tag(&n->caa[i], tag))
			continue;
		enum verdict v = verdict_of(&n->caa[i], j->p);
		has_any = true;
		best = v > best ? v : best;
		if (v == CAA_PARAMETER)
			of_ours = &n->caa[i];
	}
	if (!has_any || best == CAA_ALLOWED)
		return;
	if (of_ours != NULL)
		put(j, CAUSE_DNS_CAA_PARAMETER_MISMATCH, record_text(j, of_ours), tag);
	else
		put(j, CAUSE_DNS_CAA_FORBIDS, set_text(j, tag), tag);
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
