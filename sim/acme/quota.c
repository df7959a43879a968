#include "sim/acme/inside.h"
#include <stdio.h>
#include <string.h>
#include "ports/names/names.h"

/* Which limits an order meets, and who is exempt: Let's Encrypt's rules (CA-FACTS 3a) on the model of sim/acme/tokens. */

#define SAME_SET_DAYS 120

enum { KEY_BYTES = TEXT_BYTES + 32 };

static struct str
name_key(const struct account *a, const char *name, char to[KEY_BYTES])
{
	int n = snprintf(to, KEY_BYTES, "%llu|%s", (unsigned long long)a->id, name);

	return (struct str){ to, (size_t)n };
}

/* Without memory there is one exemption, or one pause, less. */
static void
note(struct map *m, struct str key, uint64_t value)
{
	if (map_put(m, key, value) != ERR_OK)
		return;
}

static struct str
account_key(const struct account *a, char to[KEY_BYTES])
{
	int n = snprintf(to, KEY_BYTES, "%llu", (unsigned long long)a->id);

	return (struct str){ to, (size_t)n };
}

/* The bare name where the list of public suffixes knows none above it. */
static struct str
domain_of(const char *name)
{
	struct str s = str_of(name);

	if (str_starts(s, STR("*.")))
		s = (struct str){ s.p + 2, s.n - 2 };
	struct str domain = names_registered_domain(s);
	return domain.n > 0 ? domain : s;
}

/* The limit that resets last is the one that is told. */
struct worst {
	enum token_limit which;
	int64_t wait_ms;
	char subject[TEXT_BYTES], scope[TEXT_BYTES];
};

static void
look_at(struct exchange *x, enum token_limit which, struct str key, struct str subject, struct worst *w)
{
	char scope[TEXT_BYTES];
	int64_t wait = tokens_wait_ms(&x->f->limits, which, key, fake_ms(x->f)), early;

	scope_of_limit(which, key, scope);
	early = promise_left(x->f, scope);
	x->early_ms = early > x->early_ms ? early : x->early_ms;
	if (wait <= w->wait_ms)
		return;
	w->which = which;
	w->wait_ms = wait;
	(void)snprintf(w->subject, sizeof w->subject, "%.*s", STR_ARG(subject));
	memcpy(w->scope, scope, sizeof w->scope);
}

static bool
is_paused(struct exchange *x, const struct order *o)
{
	char key[KEY_BYTES];
	uint64_t unused;

	for (size_t i = 0; i < o->names_n; i++) {
		if (!map_get(&x->f->paused, name_key(o->account, o->names[i], key), &unused))
			continue;
		const char *portal = x->f->set.portal;
		struct str base = portal[0] != '\0' ? str_of(portal) : x->base;

		refuse(x, 429, "rateLimited",
		    "Your account is temporarily prevented from requesting certificates for %s and possibly others. Please visit: "
		    "%.*s/sfe/v1/unpause/%llu",
		    o->names[i], STR_ARG(base), (unsigned long long)o->account->id);
		return true;
	}
	return false;
}

bool
limits_allow(struct exchange *x, const struct order *o)
{
	struct worst w = { .wait_ms = 0 };
	char key[KEY_BYTES];
	bool is_exempt = o->is_renewal || x->f->set.has_override;
	AUTO_BUF words = { .p = NULL };

	if (is_paused(x, o))
		return false;
	if (o->is_named_renewal)
		return true;
	if (!is_exempt)
		look_at(x, TOKENS_NEW_ORDERS, account_key(o->account, key), STR_NONE, &w);
	for (size_t i = 0; i < o->names_n; i++) {
		look_at(x, TOKENS_FAILURES, name_key(o->account, o->names[i], key), str_of(o->names[i]), &w);
		if (!is_exempt)
			look_at(x, TOKENS_DOMAIN, domain_of(o->names[i]), domain_of(o->names[i]), &w);
	}
	look_at(x, TOKENS_EXACT_SET, str_of(o->set), STR_NONE, &w);
	if (w.wait_ms == 0) {
		if (!is_exempt)
			(void)tokens_spend(&x->f->limits, TOKENS_NEW_ORDERS, account_key(o->account, key),
			    fake_ms(x->f)); /* it was seen to have a token */
		return true;
	}
	int64_t s = (w.wait_ms + 999) / 1000;
	buf_init(&words, DETAIL_BYTES);
	tokens_words(&x->f->limits, w.which, str_of(w.subject), when_plus(fake_now(x->f), SPAN_S(s)), &words);
	refuse(x, 429, "rateLimited", "%.*s", STR_ARG(buf_str(&words)));
	put_retry_after(x, s, false, w.scope);
	return false;
}

void
limits_spend_issued(struct fake *f, const struct order *o)
{
	int64_t now = fake_ms(f);

	note(&f->by_set, str_of(o->set), (uint64_t)fake_now(f).s);
	if (o->is_named_renewal)
		return;
	/* Issued all the same if there is none left: it was looked at when the order was made. */
	(void)tokens_spend(&f->limits, TOKENS_EXACT_SET, str_of(o->set), now);
	for (size_t i = 0; i < o->names_n && !o->is_renewal && !f->set.has_override; i++) {
		struct str domain = domain_of(o->names[i]);
		size_t k = 0;

		while (k < i && !str_eq(domain_of(o->names[k]), domain))
			k++;
		if (k == i)
			(void)tokens_spend(&f->limits, TOKENS_DOMAIN, domain, now);
	}
}

/* Has this set been issued lately, to whomever? */
bool
limits_is_same_set(const struct fake *f, const char *set)
{
	uint64_t at;

	return map_get(&f->by_set, str_of(set), &at) && fake_now(f).s - (int64_t)at < SAME_SET_DAYS * 86400;
}

void
limits_spend_failed(struct fake *f, const struct authz *z)
{
	char key[KEY_BYTES];
	struct str k = name_key(z->account, z->name, key);
	int64_t now = fake_ms(f);

	(void)tokens_spend(&f->limits, TOKENS_FAILURES, k, now); /* used up is used up */
	(void)tokens_spend(&f->limits, TOKENS_FAILURES_IN_A_ROW, k, now);
	if (tokens_left(&f->limits, TOKENS_FAILURES_IN_A_ROW, k, now) == 0) {
		note(&f->paused, k, 1);
		tokens_reset(&f->limits, TOKENS_FAILURES_IN_A_ROW, k);
	}
}

void
limits_forgive(struct fake *f, const struct authz *z)
{
	char key[KEY_BYTES];

	tokens_reset(&f->limits, TOKENS_FAILURES_IN_A_ROW, name_key(z->account, z->name, key));
}
