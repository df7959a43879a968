#include "http/look.h"
#include "core/classify.h"
#include "http/json_site.h"
#include "ports/names/names.h"

/* --- before it --- */

void
look_read(struct look *k, struct store *store, int64_t site_id)
{
	struct ca_row *cas;
	size_t n = 0;

	if (store_cas(store, k->a, &cas, &n) == ERR_OK && n > 0)
		k->ca = cas[0];
	k->is_site = site_id != 0 && store_site_load(store, site_id, k->a, &k->site) == ERR_OK;
}

bool
look_plan(struct look *k, struct probe_job *ret)
{
	size_t n = 0, max = k->is_site ? k->site.names_n : 1;
	struct str *names = arena_get(k->a, max * sizeof *names);

	if (names == NULL)
		return false;
	for (size_t i = 0; k->is_site && i < k->site.names_n; i++)
		if (k->site.names[i].is_wanted)
			names[n++] = k->site.names[i].name;
	if (!k->is_site)
		names[n++] = k->name;
	*ret = (struct probe_job){
		.names = names,
		.names_n = n,
		.want_dns = true,
		.want_http = true,
		.want_tls = true,
		.want_registration = true,
		.want_views = true,
		.is_thorough = true,
		.thumbprint = k->ca.thumbprint,
	};
	return true;
}

/* --- after it --- */

/* The CA's or the installer's word is no check's to take back; it is told beside what was seen. */
static void
keep_foreign_findings(struct look *k)
{
	for (size_t i = 0; i < k->site.findings.n; i++) {
		const struct finding *old = &k->site.findings.at[i];

		if (!old->is_from_order || k->findings.n == k->findings.cap)
			continue;
		k->findings.at[k->findings.n++] = *old;
	}
	finding_sort(&k->findings);
}

/* What a visitor said belongs to the name that was asked for. */
static void
take_report(const struct look *k, struct evidence *e)
{
	for (size_t i = 0; i < e->names_n; i++)
		if (str_eq(e->names[i].name, k->name))
			e->names[i].reported = k->reported;
}

static void
judge(struct look *k, const struct evidence *e)
{
	struct policy p = {
		.look_every = k->config->check.look_every,
		.poll_min = k->config->check.poll_min,
		.poll_max = k->config->check.poll_max,
		.ca_not_before = WHEN_UNKNOWN,
		.addresses = k->addresses,
		.draft_tell_after = k->config->draft.tell_after,
		.ca_issuer = k->ca.caa_identity,
		.ca_issuers = k->ca.caa_identities,
		.account_url = k->ca.account_url,
		.thumbprint = k->ca.thumbprint,
	};
	size_t cap = (e->names_n + 1) * LIMIT_FINDINGS;

	for (; p.addresses_n < k->config->server.addresses_n && p.addresses_n < LIMIT_ADDRESSES;
	     p.addresses_n++)
		k->addresses[p.addresses_n] =
		    str_of(k->config->server.addresses[p.addresses_n]);
	k->findings =
	    (struct finding_list){ .at = arena_get(k->a, cap * sizeof *k->findings.at) };
	k->findings.cap = k->findings.at != NULL ? cap : 0;
	classify(e, k->is_site ? &k->site : NULL, &p, k->a, &k->findings);
	if (k->is_site)
		keep_foreign_findings(k);
}

/* Beside the last good look of the engine stands this one. */
static void
put_sighting(struct look *k, const struct evidence *e, const struct name_evidence *n)
{
	struct site *s = &k->site;

	for (size_t i = 0; s->memory != NULL && i < s->names_n; i++)
		if (str_eq(s->names[i].name, n->name))
			s->memory[i].last = sighting_of(e, n, &s->memory[i].good,
			    s->held.id != 0 ? s->held.fingerprint : NULL, k->a);
}

/*
 * The site as it would be after this check, so that what is said comes from the one function that says it (core/view).
 * A name that is no site is taken for one of its own, without a certificate of ours.
 */
static bool
put_seen(struct look *k, const struct evidence *e)
{
	struct site *s = &k->site;

	if (!k->is_site) {
		*s = (struct site){
			.setting = { .source = SOURCE_FREE, .coverage = COVERAGE_SINGLE },
			.names = arena_get(k->a, sizeof *s->names),
			.names_n = 1,
			.doing_since = WHEN_UNKNOWN,
			.retry_at = WHEN_UNKNOWN,
			.deploy_at = WHEN_UNKNOWN,
			.letter_at = WHEN_UNKNOWN,
			.wake = WHEN_UNKNOWN,
		};
		if (s->names == NULL)
			return false;
		s->names[0] = (struct site_name){
			.name = k->name,
			.is_wanted = true,
			.passed_at = WHEN_UNKNOWN,
			.refused_until = WHEN_UNKNOWN,
			.validated_at = WHEN_UNKNOWN,
			.served = { .at = WHEN_UNKNOWN, .not_after = WHEN_UNKNOWN },
		};
	}
	s->checked_at = s->look_at = e->at;
	s->findings = k->findings;
	for (size_t i = 0; i < e->names_n; i++)
		put_sighting(k, e, &e->names[i]);
	for (size_t i = 0; i < s->names_n; i++)
		for (size_t n = 0; n < e->names_n; n++)
			if (str_eq(e->names[n].name, s->names[i].name))
				s->names[i].served = served_of(e, &e->names[n], &s->held);
	return true;
}

static json_t *
address_document(const struct address_evidence *a)
{
	json_t *o = json_object(), *certificate = NULL;
	char ip[46];

	address_text(&a->ip, ip);
	if (a->tls.result == TLS_SHOWN)
		certificate = json_pack("{s:o, s:o, s:o, s:o, s:b}", "not_before",
		    json_date(a->tls.leaf.not_before), "not_after",
		    json_date(a->tls.leaf.not_after), "issuer", json_text(a->tls.leaf.issuer),
		    "fingerprint", json_fingerprint(a->tls.leaf.fingerprint), "chain_ok",
		    a->tls.chain_ok);
	if (json_put(o, "address", json_string(ip)) &&
	    json_put(o, "ours", json_boolean(a->is_ours)) &&
	    json_put(o, "http_status",
		a->http.result == HTTP_ANSWERED ? json_integer(a->http.status) : json_null()) &&
	    json_put(o, "certificate", certificate != NULL ? certificate : json_null()))
		return o;
	json_decref(o);
	return NULL;
}

/* What a vantage point saw: whether it answered at all, where the name leads from there, and what each address gave it. */
static json_t *
view_document(const struct view_evidence *v, bool is_discreet)
{
	static const char *const results[] = { [VIEW_NOT_ASKED] = "not-asked",
		[VIEW_SEEN] = "seen",
		[VIEW_SILENT] = "silent",
		[VIEW_REFUSED] = "refused",
		[VIEW_BLIND] = "blind" };
	json_t *o = json_object(), *list = json_array();
	char ip[46];
	bool ok = true;

	for (size_t i = 0; i < v->addresses_n; i++) {
		const struct http_evidence *h = &v->addresses[i].http;
		json_t *one = json_object();

		address_text(&v->addresses[i].ip, ip);
		ok = json_put(one, "address", json_string(ip)) && json_put(one, "passes", json_boolean(h->is_ours)) &&
		     json_put(one, "http_status", h->result == HTTP_ANSWERED ? json_integer(h->status) : json_null()) && ok;
		ok = json_array_append_new(list, one) == 0 && ok;
	}
	ok = json_put(o, "vantage", json_text(v->place)) && json_put(o, "result", json_string(results[v->result])) &&
	     json_put(o, "detail", json_text(is_discreet ? STR_NONE : v->detail)) && json_put(o, "ms", json_integer(v->ms)) && ok;
	ok = json_put(o, "addresses", list) && ok;
	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *
views_document(const struct name_evidence *n, bool is_discreet)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n->views_n; i++)
		(void)json_array_append_new(list, view_document(&n->views[i], is_discreet));
	return list;
}

/* Puts what was seen on each address beside the findings of its name. */
static bool
put_addresses(const struct look *k, const struct evidence *e, json_t *names)
{
	size_t i;
	json_t *name;

	json_array_foreach(names, i, name)
	{
		json_t *list = json_array(), *views = json_array();

		for (size_t n = 0; n < e->names_n; n++) {
			if (!str_eq(e->names[n].name, str_of(json_string_value(json_object_get(name, "ascii")))))
				continue;
			for (size_t a = 0; a < e->names[n].addresses_n; a++)
				(void)json_array_append_new(
				    list, address_document(&e->names[n].addresses[a]));
			json_decref(views);
			views = views_document(&e->names[n], k->is_discreet);
		}
		bool ok = json_put(name, "addresses", list);
		if (!json_put(name, "vantages", views) || !ok)
			return false;
	}
	return true;
}

/* "served" of the name that was asked for. */
static json_t *
served_of_asked(const struct look *k, const json_t *names)
{
	size_t i;
	json_t *name;

	json_array_foreach(names, i,
	    name) if (str_eq(str_of(json_string_value(json_object_get(name, "ascii"))),
			  k->name)) return json_incref(json_object_get(name, "served"));
	return json_null();
}

/* What a site's document says, without what only a site can have. */
static json_t *
document_of(struct look *k, const struct evidence *e)
{
	static const char *const taken[] = { "until", "since", "acts", "cause" };
	struct json_site_facts facts = {
		.order_phase = ORDER_PHASE_COUNT,
		.now = e->at,
		.zone = config_zone(k->config),
		.panel_url = str_of(k->config->panel_url),
	};
	json_t *site = put_seen(k, e) ? json_site(&k->site, &facts, k->a) : NULL;
	json_t *names = json_incref(json_object_get(site, "names")), *o = json_object();
	bool ok = put_addresses(k, e, names) &&
		  json_put(o, "name", json_text(names_for_people(k->name, k->a))) &&
		  json_put(o, "at", json_date(e->at)) &&
		  json_put(o, "ok", json_boolean(k->findings.n == 0)) &&
		  json_put(o, "site",
		      k->is_site ? json_incref(json_object_get(site, "name")) : json_null()) &&
		  json_put(o, "state",
		      k->is_site ? json_incref(json_object_get(site, "state")) : json_null()) &&
		  json_put(o, "served", served_of_asked(k, names));

	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		ok = ok && json_put(o, taken[i], json_incref(json_object_get(site, taken[i])));
	ok = json_put(o, "names", names) && ok;
	json_decref(site);
	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

/* A server that many customers share may show one of them the certificate of another. */
static void
keep_secret(struct evidence *e)
{
	for (size_t i = 0; i < e->names_n; i++)
		for (size_t n = 0; n < e->names[i].addresses_n; n++) {
			struct address_evidence *a = &e->names[i].addresses[n];
			struct certificate_info *c = &a->tls.leaf;
			size_t kept = 0;

			for (size_t k = 0; a->is_ours && k < c->names_n; k++)
				if (str_eq(names_registered_domain(c->names[k]), e->names[i].registered_domain))
					c->names[kept++] = c->names[k];
			if (a->is_ours)
				c->names_n = kept;
		}
}

json_t *
look_document(struct look *k, struct evidence *e)
{
	if (k->is_discreet)
		keep_secret(e);
	take_report(k, e);
	judge(k, e);
	return document_of(k, e);
}

/* --- while it goes on --- */

static bool
step_is_answered(const struct probe_news *news)
{
	switch (news->step) {
	case PROBE_STEP_ADDRESSES:
		return news->name->addresses_n > 0;
	case PROBE_STEP_HTTP:
		return news->at->http.result == HTTP_ANSWERED;
	case PROBE_STEP_TLS:
		return news->at->tls.result == TLS_SHOWN;
	case PROBE_STEP_VIEW:
		return news->view->result == VIEW_SEEN;
	}
	return false;
}

json_t *
look_step(const struct probe_news *news, int64_t ms, struct arena *a)
{
	static const char *const steps[] = { [PROBE_STEP_ADDRESSES] = "addresses",
		[PROBE_STEP_HTTP] = "http",
		[PROBE_STEP_TLS] = "tls",
		[PROBE_STEP_VIEW] = "vantage" };
	const struct name_evidence *n = news->name;
	json_t *o = json_object(), *list = json_array();
	char ip[46] = "";
	bool is_answered = step_is_answered(news);

	for (size_t i = 0; i < n->addresses_n && i < LIMIT_ADDRESSES; i++) {
		address_text(&n->addresses[i].ip, ip);
		(void)json_array_append_new(list, json_string(ip)); /* one less without memory, as o would be then */
	}
	if (news->at != NULL)
		address_text(&news->at->ip, ip);
	bool ok = json_put(o, "step", json_string(steps[news->step])) && json_put(o, "name", json_text(names_for_people(n->name, a))) &&
		  json_put(o, "ms", json_integer(ms)) && json_put(o, "answered", json_boolean(is_answered)) &&
		  json_put(o, "address", news->at != NULL ? json_string(ip) : json_null()) &&
		  json_put(o, "vantage", news->view != NULL ? json_text(news->view->place) : json_null()) &&
		  json_put(o, "http_status", news->step == PROBE_STEP_HTTP && is_answered ? json_integer(news->at->http.status) : json_null());
	ok = json_put(o, "addresses", list) && ok;
	if (ok)
		return o;
	json_decref(o);
	return NULL;
}
