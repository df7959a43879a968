/* The common case, quickly: nothing is wrong, and nothing has to be written down about it. */
#include "core/classify.h"
#include "core/classify_inside.h"
#include "core/site_plan.h"

static bool
is_named(const struct certificate_info *c, struct str name)
{
	for (size_t i = 0; i < c->names_n; i++)
		if (str_eq(c->names[i], name))
			return true;
	return false;
}

static bool
is_address_quiet(const struct evidence *e, const struct address_evidence *a, struct str name, const struct held *h)
{
	const struct certificate_info *c = &a->tls.leaf;
	struct life life = { c->not_before, c->not_after };

	if (!a->is_ours || (e->has_http && (a->http.result != HTTP_ANSWERED || !a->http.is_ours)))
		return false;
	for (size_t i = 0; i < a->services_n; i++)
		if (a->services[i].tls.result == TLS_SHOWN && !judge_is_held(h, &a->services[i].tls))
			return false;
	if (a->tls.revocation == REVOCATION_REVOKED)
		return false;
	if (a->home.insecure_n > 0 || a->home.http.result == HTTP_REDIRECT_LOOP)
		return false;
	return a->tls.result == TLS_SHOWN && a->tls.chain_ok && !a->tls.chain_is_incomplete && judge_is_held(h, &a->tls) &&
	       !when_before(e->at, life.from) && when_before(e->at, life_reduce_at(life)) && is_named(c, name);
}

static bool
is_name_quiet(const struct evidence *e, const struct name_evidence *n, const struct held *h)
{
	if (n->reported.n > 0 || n->views_n > 0)
		return false;
	if (e->has_dns && (n->a_status != DNS_OK || n->caa_status != DNS_OK || n->caa_n > 0))
		return false;
	for (size_t i = 0; i < n->addresses_n; i++)
		if (!is_address_quiet(e, &n->addresses[i], n->name, h))
			return false;
	return n->addresses_n > 0 && !str_starts(n->name, STR("*."));
}

bool
classify_is_quiet(const struct evidence *e, const struct site *s)
{
	if (s->held.id == 0 || !classify_state_is_quiet(s) || e->names_n == 0 || !e->has_tls || e->has_dns != e->has_http)
		return false;
	for (size_t i = 0; i < e->names_n; i++) {
		const struct site_name *name = plan_name_of(s, i, e->names[i].name);

		if (name == NULL || !name->is_held || !name->is_wanted || !is_name_quiet(e, &e->names[i], &s->held))
			return false;
	}
	return true;
}
