#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/acme.h"
#include "core/budget.h"
#include "ports/names/names.h"
#include "sim/world.h"

/*
 * The limits of the simulated CA, counted where and when Let's Encrypt's server counts: new orders as they are asked for,
 * certificates as they are issued (and looked at when an order is asked for), failures as validations fail. Its texts are
 * the server's. The clock is the CA's own, whatever the machine of koshin believes.
 */

struct count {
	uint64_t hash; /* 0: free */
	struct bucket bucket;
	int64_t issued_us; /* of a set: last time */
	bool is_paused;	   /* of a name */
};
struct sim_limits {
	const struct budget_profile *profile;
	struct count *at;
	size_t n, cap;
};

enum { US_OF_MS = 1000, FIRST_CAP = 1024 };

static struct instant
ca_now(const struct sim *s)
{
	return (struct instant){ s->now_ms * US_OF_MS };
}

static uint64_t
hash_of(enum budget b, struct str subject)
{
	uint64_t h = 0xcbf29ce484222325U ^ (uint64_t)b;

	for (size_t i = 0; i < subject.n; i++)
		h = (h ^ (unsigned char)subject.p[i]) * 0x100000001b3U;
	return h == 0 ? 1 : h;
}

static struct count *
slot(struct count *at, size_t cap, uint64_t hash)
{
	size_t i = hash & (cap - 1);

	while (at[i].hash != 0 && at[i].hash != hash)
		i = (i + 1) & (cap - 1);
	return &at[i];
}

static bool
grow(struct sim_limits *l)
{
	size_t cap = l->cap == 0 ? FIRST_CAP : 2 * l->cap;
	struct count *at = calloc(cap, sizeof *at);

	if (at == NULL)
		return false;
	for (size_t i = 0; i < l->cap; i++)
		if (l->at[i].hash != 0)
			*slot(at, cap, l->at[i].hash) = l->at[i];
	free(l->at);
	l->at = at;
	l->cap = cap;
	return true;
}

/* A simulation without memory ends here: a CA that forgets to count would prove nothing. */
static struct count *
count_of(struct sim *s, enum budget b, struct str subject)
{
	struct sim_limits *l = s->limits;
	uint64_t hash = hash_of(b, subject);

	if (2 * l->n >= l->cap && !grow(l))
		abort();
	struct count *c = slot(l->at, l->cap, hash);
	if (c->hash == 0) {
		c->hash = hash;
		l->n++;
	}
	return c;
}

enum err
sim_limits_set(struct sim *s, struct str profile)
{
	const struct budget_profile *p = budget_profile_of_name(profile);

	if (p == NULL)
		return ERR_INVALID;
	if (s->limits == NULL)
		s->limits = calloc(1, sizeof *s->limits);
	if (s->limits == NULL)
		return ERR_MEMORY;
	s->limits->profile = p;
	return ERR_OK;
}

void
sim_limits_free(struct sim *s)
{
	if (s->limits != NULL)
		free(s->limits->at);
	free(s->limits);
	s->limits = NULL;
}

static enum err
need(struct sim *s)
{
	return s->limits != NULL ? ERR_OK : sim_limits_set(s, STR("none"));
}

enum err
sim_limits_others(struct sim *s, int64_t n, struct str domain)
{
	enum err err = need(s);

	for (int64_t i = 0; err == ERR_OK && i < n; i++)
		bucket_spend(s->limits->profile->limits[BUDGET_DOMAIN], &count_of(s, BUDGET_DOMAIN, domain)->bucket, ca_now(s));
	return err;
}

enum err
sim_limits_pause(struct sim *s, struct str name, bool is_paused)
{
	enum err err = need(s);

	if (err == ERR_OK)
		count_of(s, BUDGET_STREAK, name)->is_paused = is_paused;
	return err;
}

/* --- refusing --- */

static void
refuse(struct sim *s, struct acme_answer *a, const char *detail, int64_t retry_us)
{
	char raw[800];
	size_t n = 0;

	/* As JSON has it. */
	for (const char *p = detail; *p != '\0' && n + 3 < sizeof raw; p++) {
		if (*p == '"')
			raw[n++] = '\\';
		raw[n++] = *p;
	}
	raw[n] = '\0';
	s->refused++;
	a->err = ERR_LIMITED;
	a->http_status = 429;
	a->problem = (struct problem){
		.type = STR("rateLimited"),
		.detail = arena_str(&a->arena, str_of(detail)),
		.raw = arena_strf(&a->arena, "{\"type\":\"urn:ietf:params:acme:error:rateLimited\",\"detail\":\"%s\",\"status\":429}", raw),
	};
	/* The header in seconds from now, as koshin's clock will read it. */
	if (retry_us > 0)
		a->retry_after = when_plus(sim_now(s), SPAN_S((retry_us - ca_now(s).us + 999999) / 1000000));
}

static void
refuse_limit(struct sim *s, struct acme_answer *a, enum budget b, struct str subject, int64_t retry_us)
{
	struct rate r = s->limits->profile->limits[b];
	struct civil c = when_civil((struct when){ retry_us / 1000000 + 1 });
	char what[400], detail[700];

	if (b == BUDGET_ORDERS)
		(void)snprintf(what, sizeof what, "too many new orders (%lld) from this account", (long long)r.count);
	else if (b == BUDGET_SET)
		(void)snprintf(what, sizeof what, "too many certificates (%lld) already issued for this exact set of identifiers", (long long)r.count);
	else
		(void)snprintf(what, sizeof what, "too many %s (%lld) %sfor \"%.*s\"",
		    b == BUDGET_DOMAIN ? "certificates" : "failed authorizations", (long long)r.count,
		    b == BUDGET_DOMAIN ? "already issued " : "", STR_ARG(subject));
	(void)snprintf(detail, sizeof detail, "%s in the last %lldh%lldm%llds, retry after %04d-%02d-%02d %02d:%02d:%02d UTC: see https://letsencrypt.org/docs/rate-limits/",
	    what, (long long)(r.per.s / 3600), (long long)(r.per.s / 60 % 60), (long long)(r.per.s % 60), c.year, c.month, c.day, c.hour,
	    c.minute, c.second);
	refuse(s, a, detail, retry_us);
}

/* The one that resets last is told. */
struct refusal {
	enum budget budget;
	struct str subject;
	int64_t retry_us;
};

static void
look(struct sim *s, enum budget b, struct str subject, struct refusal *worst)
{
	struct rate r = s->limits->profile->limits[b];
	struct instant next = bucket_next(r, &count_of(s, b, subject)->bucket, ca_now(s));

	if (!rate_is_none(r) && next.us > ca_now(s).us && next.us > worst->retry_us)
		*worst = (struct refusal){ b, subject, next.us };
}

static struct str
domain_of(struct str name)
{
	struct str domain = names_registered_domain(name);

	return domain.n > 0 ? domain : name;
}

static bool
refuse_paused(struct sim *s, const struct acme_request *r, struct acme_answer *a)
{
	char detail[700];

	for (size_t i = 0; i < r->names_n; i++) {
		if (!count_of(s, BUDGET_STREAK, r->names[i])->is_paused)
			continue;
		(void)snprintf(detail, sizeof detail, "Your account is temporarily prevented from requesting certificates for %.*s and possibly others. Please visit: https://a1.example/sfe/v1/unpause?jwt=simulated",
		    STR_ARG(r->names[i]));
		refuse(s, a, detail, 0);
		return true;
	}
	return false;
}

bool
sim_limits_new_order(struct sim *s, const struct acme_request *r, struct acme_answer *a)
{
	struct refusal worst = { .retry_us = 0 };
	struct str key;

	if (s->limits == NULL)
		return true;
	if (refuse_paused(s, r, a))
		return false;
	if (!budget_set_key(r->names, r->names_n, &a->arena, &key))
		abort();
	const struct count *set = count_of(s, BUDGET_SET, key);
	bool is_renewal = set->issued_us > 0 && ca_now(s).us - set->issued_us < BUDGET_SAME_SET_MOST.s * 1000000;
	bool is_free = sim_is_in_window(s, r->replaces);
	is_renewal |= is_free;
	if (!is_renewal)
		look(s, BUDGET_ORDERS, STR(""), &worst);
	for (size_t i = 0; i < r->names_n; i++) {
		if (!is_renewal)
			look(s, BUDGET_DOMAIN, domain_of(r->names[i]), &worst);
		look(s, BUDGET_FAILURES, r->names[i], &worst);
	}
	if (!is_free)
		look(s, BUDGET_SET, key, &worst);
	if (worst.retry_us > 0) {
		refuse_limit(s, a, worst.budget, worst.subject, worst.retry_us);
		return false;
	}
	if (!is_renewal)
		bucket_spend(s->limits->profile->limits[BUDGET_ORDERS], &count_of(s, BUDGET_ORDERS, STR(""))->bucket, ca_now(s));
	return true;
}

void
sim_limits_validated(struct sim *s, struct str name, bool is_good)
{
	if (s->limits == NULL)
		return;
	struct count *row = count_of(s, BUDGET_STREAK, name);
	struct rate streak = s->limits->profile->limits[BUDGET_STREAK];

	if (is_good) {
		row->bucket.tat.us = 0;
		return;
	}
	/* The failure for which nothing is left is the one that pauses. */
	if (!rate_is_none(streak) && !bucket_passes(streak, &row->bucket, ca_now(s)))
		row->is_paused = true;
	bucket_spend(streak, &row->bucket, ca_now(s));
	bucket_spend(s->limits->profile->limits[BUDGET_FAILURES], &count_of(s, BUDGET_FAILURES, name)->bucket, ca_now(s));
}

void
sim_limits_issued(struct sim *s, const struct str *names, size_t n, bool is_free)
{
	AUTO_ARENA a = { .max = LIMIT_TURN_BYTES };
	struct str key;

	if (s->limits == NULL)
		return;
	if (!budget_set_key(names, n, &a, &key))
		abort();
	struct count *set = count_of(s, BUDGET_SET, key);
	bool is_renewal = set->issued_us > 0 && ca_now(s).us - set->issued_us < BUDGET_SAME_SET_MOST.s * 1000000;
	set->issued_us = ca_now(s).us;
	if (is_free)
		return;
	bucket_spend(s->limits->profile->limits[BUDGET_SET], &set->bucket, ca_now(s));
	for (size_t i = 0; !is_renewal && i < n; i++) {
		bool is_seen = false;

		for (size_t k = 0; k < i; k++)
			is_seen |= str_eq(domain_of(names[k]), domain_of(names[i]));
		if (!is_seen)
			bucket_spend(s->limits->profile->limits[BUDGET_DOMAIN], &count_of(s, BUDGET_DOMAIN, domain_of(names[i]))->bucket, ca_now(s));
	}
}
