/*
 * What DNS says of one name: A and AAAA and, climbing, CAA at once; more only where these failed and the reason
 * is wanted.
 */
#include <string.h>

#include "base/limits.h"
#include "ports/dns/rdata.h"
#include "ports/probe/job.h"

static bool
is_failure(enum dns_status s)
{
	return s != DNS_OK && s != DNS_NXDOMAIN && s != DNS_NOT_ASKED;
}

/* ---- CAA (RFC 8659 3) ---- */

static struct str
parent_of(struct str name)
{
	(void)str_cut(&name, '.');
	return name;
}

static struct caa_level *level_of(struct job *j, struct str at);

static void
caa_end(struct look *k, enum dns_status status)
{
	k->e->caa_status = status;
	k->caa_at = STR_NONE;
	job_release(k->job);
}

/* Climbs as far as the answers allow. */
static void
caa_climb(struct look *k)
{
	for (;;) {
		struct caa_level *l = level_of(k->job, k->caa_at);

		if (l != NULL && !l->is_done)
			return;
		enum dns_status status = l != NULL ? l->status : DNS_LOCAL;
		if (status == DNS_OK && l->n > 0) {
			k->e->caa_at = l->at;
			k->e->caa = l->records;
			k->e->caa_n = l->n;
			caa_end(k, DNS_OK);
			return;
		}
		/* Above the registered domain nobody has CAA that we could tell the owner of, and a test's or a company's
		 * own name servers need not answer for what is not theirs. */
		bool is_above = k->e->registered_domain.n > k->caa_at.n;
		if (is_failure(status) && !is_above) {
			if (k->e->why_bogus.n == 0 && l != NULL)
				k->e->why_bogus = l->why_bogus;
			caa_end(k, status);
			return;
		}
		struct str parent = parent_of(k->caa_at);
		if (parent.n == 0 || memchr(parent.p, '.', parent.n) == NULL) {
			caa_end(k, DNS_OK);
			return;
		}
		k->caa_at = parent;
	}
}

static void
on_caa(void *arg, const struct dns_answer *answer)
{
	struct caa_level *l = arg;
	struct job *j = l->job;
	struct arena *a = &j->box->arena;

	l->ask = NULL;
	l->is_done = true;
	l->status = answer->status;
	l->why_bogus = arena_str(a, answer->why_bogus);
	if (answer->data_n > 0)
		l->records = arena_get(a, answer->data_n * sizeof *l->records);
	for (size_t i = 0; l->records != NULL && i < answer->data_n; i++)
		if (rdata_caa(answer->data[i], a, &l->records[l->n]))
			l->n++;
		else
			l->status = DNS_BROKEN;
	/* This may finish the job, but only with the last of the looks that wait. */
	unsigned waiting = 0;
	for (size_t i = 0; i < j->looks_n; i++)
		waiting += str_eq(j->looks[i].caa_at, l->at);
	for (size_t i = 0; waiting > 0; i++) {
		if (str_eq(j->looks[i].caa_at, l->at)) {
			waiting--;
			caa_climb(&j->looks[i]);
		}
	}
}

static struct caa_level *
level_of(struct job *j, struct str at)
{
	struct caa_level *l;

	for (l = j->levels; l != NULL; l = l->next)
		if (str_eq(l->at, at))
			return l;
	l = arena_get(&j->box->arena, sizeof *l);
	if (l == NULL)
		return NULL;
	*l = (struct caa_level){ .next = j->levels, .job = j, .at = at };
	j->levels = l;
	if (resolver_ask(j->net->resolver, at, DNS_CAA, on_caa, l, &l->ask) != ERR_OK) {
		l->is_done = true;
		l->status = DNS_LOCAL;
	}
	return l;
}

/* ---- the registry ---- */

static void
on_registration(void *arg, const struct registration *r)
{
	struct look *k = arg;
	struct arena *a = &k->job->box->arena;

	k->registration = NULL;
	k->e->registration = *r;
	k->e->registration.registrar = arena_str(a, r->registrar);
	k->e->registration.words = arena_str(a, r->words);
	job_release(k->job);
}

/* Waits for the registry; what it begins is counted. */
static void
ask_registry(struct look *k)
{
	struct rdap *r = k->job->net->rdap;

	if (r == NULL || k->e->registered_domain.n == 0 || k->registration != NULL ||
	    k->e->registration.status != REGISTRATION_NOT_ASKED ||
	    rdap_ask(r, k->e->registered_domain, on_registration, k, &k->registration) !=
		ERR_OK)
		return;
	k->job->open++;
}

/* A name that works does not wait for its registry: what is at hand is taken. */
static void
begin_registration(struct look *k)
{
	struct rdap *r = k->job->net->rdap;

	if (k->job->wanted.want_registration)
		ask_registry(k);
	else if (r != NULL && k->e->registered_domain.n > 0 &&
		 !rdap_known(
		     r, k->e->registered_domain, &k->job->box->arena, &k->e->registration))
		k->e->registration.status = REGISTRATION_NOT_ASKED;
}

/* ---- a name that nobody uses ---- */

static void
on_wild(void *arg, const struct dns_answer *answer)
{
	struct look *k = arg;

	k->wild = NULL;
	k->e->has_wildcard = answer->data_n > 0;
	job_release(k->job);
}

static void
ask_wild(struct look *k)
{
	uint8_t bytes[8];
	const struct clock *c = &k->job->net->clock;

	c->random(c->ctx, bytes, sizeof bytes);
	struct str name = arena_strf(&k->job->box->arena,
	    "koshin-%02x%02x%02x%02x%02x%02x%02x%02x.%.*s", bytes[0], bytes[1], bytes[2],
	    bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], STR_ARG(k->e->registered_domain));
	if (k->e->registered_domain.n > 0 && name.n > 0 && name.n <= LIMIT_NAME_BYTES &&
	    resolver_ask(k->job->net->resolver, name, DNS_A, on_wild, k, &k->wild) == ERR_OK)
		k->job->open++;
}

/* ---- a proof in the wrong place ---- */

static struct str
name_twice(const struct look *k)
{
	return arena_strf(&k->job->box->arena, "_acme-challenge.%.*s.%.*s", STR_ARG(parent_of(k->e->name)),
	    STR_ARG(k->e->registered_domain));
}

static void
on_twice(void *arg, const struct dns_answer *answer)
{
	struct look *k = arg;
	bool is_there = false;

	k->twice = NULL;
	for (size_t i = 0; i < answer->data_n; i++)
		is_there = is_there || rdata_is_proof(answer->data[i]);
	if (is_there)
		k->e->misplaced = name_twice(k);
	job_release(k->job);
}

/* Many companies' pages put the domain behind what is typed, also behind a whole name. Only who wants a wildcard enters a proof. */
static void
ask_twice(struct look *k)
{
	struct str name = name_twice(k);

	if (k->e->registered_domain.n > 0 && name.n > 0 && name.n <= LIMIT_NAME_BYTES &&
	    resolver_ask(k->job->net->resolver, name, DNS_TXT, on_twice, k, &k->twice) == ERR_OK)
		k->job->open++;
}

/* ---- the zone's servers ---- */

/* The name servers are the domain's: the names of the job that are in it share the answer. */
static bool
is_told_by(const struct look *k, const struct look *asker)
{
	return k == asker || k->ns_asker == asker;
}

static void
on_ns(void *arg, const struct dns_answer *answer)
{
	struct look *asker = arg;
	struct job *j = asker->job;
	struct arena *a = &j->box->arena;
	struct str *names = NULL;
	size_t n = 0;
	unsigned awaited = 0;

	asker->ns = NULL;
	if (answer->status == DNS_OK && answer->data_n > 0)
		names = arena_get(a, answer->data_n * sizeof *names);
	for (size_t i = 0; names != NULL && i < answer->data_n; i++) {
		struct str name = rdata_name(answer->data[i], a);

		if (name.n > 0)
			names[n++] = name;
	}
	for (size_t i = 0; i < j->looks_n; i++) {
		struct look *k = &j->looks[i];

		if (!is_told_by(k, asker))
			continue;
		k->e->nameservers = names;
		k->e->nameservers_n = n;
		awaited += k->is_ns_awaited;
	}
	/* The last of these may finish the job. */
	while (awaited-- > 0)
		job_release(j);
}

/* Which they are is remembered for the day on which something differs; a name that works does not wait for the answer. */
static void
ask_nameservers(struct look *k)
{
	struct job *j = k->job;

	if (k->e->registered_domain.n == 0)
		return;
	for (struct look *before = j->looks; before != k; before++)
		if (before->ns_asker == NULL && str_eq(before->e->registered_domain, k->e->registered_domain)) {
			k->ns_asker = before;
			return;
		}
	(void)!resolver_ask(j->net->resolver, k->e->registered_domain, DNS_NS, on_ns, k, &k->ns);
}

static void
await_nameservers(struct look *k)
{
	const struct look *asker = k->ns_asker != NULL ? k->ns_asker : k;

	if (asker->ns == NULL || k->is_ns_awaited)
		return;
	k->is_ns_awaited = true;
	k->job->open++;
}

static void
on_surveyed(void *arg)
{
	struct look *k = arg;

	k->survey = NULL;
	job_release(k->job);
}

static void
on_publics(void *arg)
{
	struct look *k = arg;

	k->publics = NULL;
	job_release(k->job);
}

void
look_ask_servers(struct look *k)
{
	const struct authority_target t = {
		.name = k->e->name,
		.zone = k->e->registered_domain,
		.arena = &k->job->box->arena,
		.into = &k->e->delegation,
		.done = on_surveyed,
		.arg = k,
	};

	if (t.zone.n == 0 || k->survey != NULL || k->e->delegation.is_asked ||
	    authority_start(k->job->net->authority, &t, &k->survey) != ERR_OK)
		return;
	k->job->open++;
	if (publics_start(k->job->net->publics, k->e, &k->job->box->arena, on_publics, k, &k->publics) == ERR_OK)
		k->job->open++;
}

/* ---- addresses ---- */

static void addresses_known(struct look *k);

static void
end_addresses(struct look *k)
{
	struct name_evidence *e = k->e;
	uint32_t ttl = k->ttl_present_s != UINT32_MAX ? k->ttl_present_s : k->ttl_absent_s;

	if (k->job->wanted.want_dns && !k->job->wanted.is_narrow && k->found_a_n + k->found_aaaa_n == 0) {
		ask_registry(k);
		await_nameservers(k);
	}
	e->ttl_s = ttl != UINT32_MAX ? ttl : 0;
	job_probe_addresses(k);
	job_release(k->job);
}

static void
on_soa(void *arg, const struct dns_answer *answer)
{
	struct look *k = arg;

	k->soa = NULL;
	k->e->registered_status = answer->status;
	end_addresses(k);
}

static void on_alias(void *arg, const struct dns_answer *answer);

static bool
ask_alias(struct look *k, struct str name)
{
	k->chain[k->chain_n++] = name;
	return resolver_ask(k->job->net->resolver, name, DNS_CNAME, on_alias, k, &k->alias) ==
	       ERR_OK;
}

/* Follows the aliases one by one: a loop makes a resolver fail, and so hides that it is one. */
static void
on_alias(void *arg, const struct dns_answer *answer)
{
	struct look *k = arg;

	k->alias = NULL;
	struct str target =
	    answer->data_n > 0 ? rdata_name(answer->data[0], &k->job->box->arena) : STR_NONE;
	if (target.n == 0) {
		end_addresses(k);
		return;
	}
	k->e->cname_target = target;
	for (size_t i = 0; i < k->chain_n; i++)
		k->e->is_cname_loop = k->e->is_cname_loop || str_eq_nocase(k->chain[i], target);
	/* A chain too long to be followed does not end either, as far as any resolver is concerned. */
	if (!k->e->is_cname_loop && k->chain_n == ALIAS_STEPS_MAX)
		k->e->is_cname_loop = true;
	if (k->e->is_cname_loop || !ask_alias(k, target))
		end_addresses(k);
}

static void
on_again(void *arg, const struct dns_answer *answer)
{
	struct look *k = arg;

	k->again = NULL;
	if (answer->status == DNS_BOGUS && answer->why_bogus.n > 0)
		k->e->why_bogus = arena_str(&k->job->box->arena, answer->why_bogus);
	end_addresses(k);
}

/* A and AAAA are answered; asks on where the reason of a failure is not plain yet. */
static void
addresses_known(struct look *k)
{
	struct name_evidence *e = k->e;
	struct resolver *r = k->job->net->resolver;

	if (k->a != NULL || k->aaaa != NULL)
		return;
	if (!k->job->wanted.want_dns) {
		end_addresses(k);
		return;
	}
	bool is_bogus = e->a_status == DNS_BOGUS || e->aaaa_status == DNS_BOGUS;
	bool has_failed = is_failure(e->a_status) && is_failure(e->aaaa_status) &&
			  e->a_status != DNS_TIMEOUT && e->a_status != DNS_LOCAL;
	bool is_absent = e->a_status == DNS_NXDOMAIN || e->aaaa_status == DNS_NXDOMAIN;

	if (is_bogus) {
		if (k->job->reasons_asked < REASONS_ASKED_MAX) {
			k->job->reasons_asked++;
			resolver_forget(r);
			int type = e->a_status == DNS_BOGUS ? DNS_A : DNS_AAAA;
			if (resolver_ask(r, e->name, type, on_again, k, &k->again) == ERR_OK)
				return;
		}
	} else if (has_failed) {
		if (ask_alias(k, e->name))
			return;
	} else if (is_absent && e->cname_target.n == 0 && e->registered_domain.n > 0) {
		e->registered_status = DNS_NXDOMAIN;
		if (!str_eq(e->registered_domain, e->name) &&
		    resolver_ask(r, e->registered_domain, DNS_SOA, on_soa, k, &k->soa) ==
			ERR_OK)
			return;
	}
	end_addresses(k);
}

static void
take_answer(struct look *k, const struct dns_answer *answer)
{
	struct name_evidence *e = k->e;
	struct arena *a = &k->job->box->arena;

	if (answer->canonical.n > 0 && e->cname_target.n == 0)
		e->cname_target = arena_str(a, answer->canonical);
	if (answer->why_bogus.n > 0 && e->why_bogus.n == 0)
		e->why_bogus = arena_str(a, answer->why_bogus);
	if (answer->status != DNS_OK && answer->status != DNS_NXDOMAIN)
		return;
	uint32_t *ttl = answer->data_n > 0 ? &k->ttl_present_s : &k->ttl_absent_s;
	if (answer->ttl_s < *ttl)
		*ttl = answer->ttl_s;
}

static struct address *
read_addresses(struct look *k, const struct dns_answer *answer, size_t bytes, size_t *ret_n)
{
	size_t n = answer->data_n < ADDRESSES_KEPT_MAX ? answer->data_n : ADDRESSES_KEPT_MAX,
	       found = 0;
	struct address *list = n > 0 ? arena_get(&k->job->box->arena, n * sizeof *list) : NULL;

	for (size_t i = 0; list != NULL && i < n; i++) {
		if (answer->data[i].n != bytes)
			continue;
		list[found].family = bytes == 4 ? 4 : 6;
		memcpy(list[found++].bytes, answer->data[i].p, bytes);
	}
	*ret_n = found;
	return list;
}

static void
on_a(void *arg, const struct dns_answer *answer)
{
	struct look *k = arg;

	k->a = NULL;
	k->e->a_status = answer->status;
	take_answer(k, answer);
	k->found_a = read_addresses(k, answer, 4, &k->found_a_n);
	addresses_known(k);
}

static void
on_aaaa(void *arg, const struct dns_answer *answer)
{
	struct look *k = arg;

	k->aaaa = NULL;
	k->e->aaaa_status = answer->status;
	take_answer(k, answer);
	k->found_aaaa = read_addresses(k, answer, 16, &k->found_aaaa_n);
	addresses_known(k);
}

void
look_begin(struct look *k)
{
	struct name_evidence *e = k->e;
	struct resolver *r = k->job->net->resolver;
	bool is_wildcard = str_starts(e->name, STR("*."));

	k->ttl_present_s = k->ttl_absent_s = UINT32_MAX;
	/* Before anything can answer: each part that will end is counted. */
	k->job->open += 1U + k->job->wanted.want_dns;
	if (!is_wildcard && resolver_ask(r, e->name, DNS_A, on_a, k, &k->a) != ERR_OK)
		e->a_status = DNS_LOCAL;
	if (!is_wildcard && resolver_ask(r, e->name, DNS_AAAA, on_aaaa, k, &k->aaaa) != ERR_OK)
		e->aaaa_status = DNS_LOCAL;
	if (k->job->wanted.want_dns && !k->job->wanted.is_narrow) {
		begin_registration(k);
		ask_nameservers(k);
	}
	if (k->job->wanted.want_dns && k->job->wanted.is_thorough && !is_wildcard)
		ask_wild(k);
	if (k->job->wanted.is_thorough)
		await_nameservers(k);
	if (k->job->wanted.want_dns && is_wildcard)
		ask_twice(k);
	if (k->a == NULL && k->aaaa == NULL)
		end_addresses(k);
	if (k->job->wanted.want_dns) {
		k->caa_at = is_wildcard ? parent_of(e->name) : e->name;
		caa_climb(k);
	}
}

/* Of a question that ends with the job: silence, or our own line. */
static enum dns_status
status_at_end(const struct dns_ask *ask)
{
	return resolver_is_waiting(ask) ? DNS_LOCAL : DNS_TIMEOUT;
}

static enum dns_status
caa_at_end(const struct look *k)
{
	for (const struct caa_level *l = k->job->levels; l != NULL; l = l->next)
		if (str_eq(l->at, k->caa_at))
			return status_at_end(l->ask);
	return DNS_TIMEOUT;
}

void
look_stop_all(struct job *j)
{
	for (size_t i = 0; i < j->looks_n; i++) {
		struct look *k = &j->looks[i];

		if (k->a != NULL)
			k->e->a_status = status_at_end(k->a);
		if (k->aaaa != NULL)
			k->e->aaaa_status = status_at_end(k->aaaa);
		if (k->soa != NULL)
			k->e->registered_status = status_at_end(k->soa);
		if (k->caa_at.n > 0)
			k->e->caa_status = caa_at_end(k);
		resolver_drop(&k->a);
		resolver_drop(&k->aaaa);
		resolver_drop(&k->soa);
		resolver_drop(&k->alias);
		resolver_drop(&k->again);
		resolver_drop(&k->wild);
		resolver_drop(&k->ns);
		resolver_drop(&k->twice);
		if (k->registration != NULL)
			k->e->registration.status = REGISTRATION_UNKNOWN;
		rdap_drop(&k->registration);
		authority_stop(&k->survey);
		publics_stop(&k->publics);
		k->caa_at = STR_NONE;
	}
	for (struct caa_level *l = j->levels; l != NULL; l = l->next)
		resolver_drop(&l->ask);
}

void
look_drop_unawaited(struct job *j)
{
	for (size_t i = 0; i < j->looks_n; i++)
		resolver_drop(&j->looks[i].ns);
}
