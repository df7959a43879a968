#include "sim/acme/tokens.h"
#include <stdlib.h>
#include <string.h>
#include "base/must.h"

#define HOUR_MS ((int64_t)3600 * 1000)

static const struct {
	const char *name, *words, *page;
	struct token_rule lets_encrypt;
} limits[TOKENS_COUNT] = {
	[TOKENS_NEW_ACCOUNTS] = { "new-accounts", "too many new registrations (%u) from this IP address",
	    "new-registrations-per-ip-address", { 10, 3 * HOUR_MS } },
	[TOKENS_NEW_ORDERS] = { "new-orders", "too many new orders (%u) from this account", "new-orders-per-account",
	    { 300, 3 * HOUR_MS } },
	[TOKENS_DOMAIN] = { "domain", "too many certificates (%u) already issued for \"", "new-certificates-per-registered-domain",
	    { 50, 7 * 24 * HOUR_MS } },
	[TOKENS_EXACT_SET] = { "exact-set", "too many certificates (%u) already issued for this exact set of identifiers",
	    "new-certificates-per-exact-set-of-identifiers", { 5, 7 * 24 * HOUR_MS } },
	[TOKENS_FAILURES] = { "failures", "too many failed authorizations (%u) for \"", "authorization-failures-per-identifier-per-account",
	    { 5, HOUR_MS } },
	/* One a day comes back. */
	[TOKENS_FAILURES_IN_A_ROW] = { "failures-in-a-row", "", "", { 1152, 1152 * 24 * HOUR_MS } },
	[TOKENS_ENDPOINT] = { "", "", "", { 0, 0 } },
};

enum { KEY_BYTES_MAX = 600 };

void
tokens_init(struct tokens *l)
{
	*l = (struct tokens){ .n = 0 };
}

void
tokens_fini(struct tokens *l)
{
	for (size_t i = 0; i < l->cap; i++)
		free(l->buckets[i].key);
	free(l->buckets);
	*l = (struct tokens){ .n = 0 };
}

void
tokens_as_lets_encrypt(struct tokens *l)
{
	for (size_t i = 0; i < TOKENS_COUNT; i++)
		l->rules[i] = limits[i].lets_encrypt;
}

/* FNV-1a: keys are the test's own. */
static uint64_t
hash_of(enum token_limit which, struct str key)
{
	uint64_t h = 1469598103934665603U ^ (uint64_t)which;

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ (uint8_t)key.p[i]) * 1099511628211U;
	return h;
}

/* The bucket of this key, or the free place where it belongs; NULL in an empty table. */
static struct token_bucket *
place_of(const struct tokens *l, enum token_limit which, struct str key)
{
	if (l->cap == 0)
		return NULL;
	for (size_t i = hash_of(which, key) & (l->cap - 1);; i = (i + 1) & (l->cap - 1)) {
		struct token_bucket *b = &l->buckets[i];

		if (b->key == NULL || (b->key[0] == (char)('a' + (int)which) && str_eq(str_of(b->key + 1), key)))
			return b;
	}
}

static const struct token_bucket *
find(const struct tokens *l, enum token_limit which, struct str key)
{
	const struct token_bucket *b = place_of(l, which, key);

	return b != NULL && b->key != NULL ? b : NULL;
}

static bool
grow(struct tokens *l)
{
	struct tokens bigger = *l;

	bigger.cap = l->cap == 0 ? 256 : 2 * l->cap;
	bigger.buckets = calloc(bigger.cap, sizeof *bigger.buckets);
	if (bigger.buckets == NULL)
		return false;
	for (size_t i = 0; i < l->cap; i++)
		if (l->buckets[i].key != NULL) {
			enum token_limit which = (enum token_limit)(l->buckets[i].key[0] - 'a');

			*place_of(&bigger, which, str_of(l->buckets[i].key + 1)) = l->buckets[i];
		}
	free(l->buckets);
	*l = bigger;
	return true;
}

static struct token_bucket *
make(struct tokens *l, enum token_limit which, struct str key)
{
	if (key.n > KEY_BYTES_MAX || (2 * (l->n + 1) > l->cap && !grow(l)))
		return NULL;
	struct token_bucket *b = place_of(l, which, key);
	if (b->key != NULL)
		return b;
	b->key = malloc(key.n + 2);
	if (b->key == NULL)
		return NULL;
	b->key[0] = (char)('a' + (int)which);
	memcpy(b->key + 1, key.p, key.n);
	b->key[key.n + 1] = '\0';
	b->tat_ms = 0;
	l->n++;
	return b;
}

/*
 * A bucket of `capacity` that fills in `period`: a token comes every period/capacity. tat is when the bucket would be full
 * again; a token can be had while tat, moved by one token, is at most a period ahead.
 */
static int64_t
wait_by(const struct token_rule *rule, const struct token_bucket *b, int64_t now_ms, int64_t *ret_tat)
{
	int64_t token = rule->period_ms / rule->capacity;
	int64_t tat = (b == NULL || b->tat_ms < now_ms ? now_ms : b->tat_ms) + (token > 0 ? token : 1);
	int64_t wait = tat - rule->period_ms - now_ms;

	*ret_tat = tat;
	return wait > 0 ? wait : 0;
}

int64_t
tokens_wait_ms(const struct tokens *l, enum token_limit which, struct str key, int64_t now_ms)
{
	const struct token_rule *rule = &l->rules[which];
	int64_t tat;

	return rule->capacity == 0 ? 0 : wait_by(rule, find(l, which, key), now_ms, &tat);
}

int64_t
tokens_spend_by(struct tokens *l, enum token_limit which, const struct token_rule *rule, struct str key, int64_t now_ms)
{
	int64_t tat, wait;

	if (rule->capacity == 0)
		return 0;
	struct token_bucket *b = make(l, which, key);
	if (b == NULL)
		return -1;
	wait = wait_by(rule, b, now_ms, &tat);
	if (wait == 0)
		b->tat_ms = tat;
	return wait;
}

int64_t
tokens_spend(struct tokens *l, enum token_limit which, struct str key, int64_t now_ms)
{
	return tokens_spend_by(l, which, &l->rules[which], key, now_ms);
}

void
tokens_reset(struct tokens *l, enum token_limit which, struct str key)
{
	struct token_bucket *b = place_of(l, which, key);

	if (b != NULL && b->key != NULL)
		b->tat_ms = 0;
}

uint32_t
tokens_left(const struct tokens *l, enum token_limit which, struct str key, int64_t now_ms)
{
	const struct token_rule *rule = &l->rules[which];
	const struct token_bucket *b = find(l, which, key);

	if (rule->capacity == 0)
		return UINT32_MAX;
	if (b == NULL || b->tat_ms <= now_ms)
		return rule->capacity;
	int64_t token = rule->period_ms / rule->capacity;
	int64_t used = (b->tat_ms - now_ms + (token > 0 ? token : 1) - 1) / (token > 0 ? token : 1);
	return used >= rule->capacity ? 0 : rule->capacity - (uint32_t)used;
}

void
tokens_words(const struct tokens *l, enum token_limit which, struct str subject, struct when again, struct buf *to)
{
	const struct token_rule *rule = &l->rules[which];
	int64_t s = rule->period_ms / 1000;
	struct civil c = when_civil(again);
	struct str words = str_of(limits[which].words);
	struct str before = str_cut(&words, '%');

	must(words.n > 0 && words.p[0] == 'u');
	buf_put_str(to, before);
	buf_putf(to, "%u%.*s", rule->capacity, (int)(words.n - 1), words.p + 1);
	if (words.p[words.n - 1] == '"')
		buf_putf(to, "%.*s\"", STR_ARG(subject));
	buf_putf(to,
	    " in the last %lldh%lldm%llds, retry after %04d-%02d-%02d %02d:%02d:%02d UTC: see "
	    "https://letsencrypt.org/docs/rate-limits/#%s",
	    (long long)(s / 3600), (long long)(s / 60 % 60), (long long)(s % 60), c.year, c.month, c.day, c.hour, c.minute,
	    c.second, limits[which].page);
}

enum token_limit
token_limit_of_name(struct str name)
{
	size_t i = 0;

	while (i < TOKENS_ENDPOINT && !str_eq(name, str_of(limits[i].name)))
		i++;
	return i < TOKENS_ENDPOINT ? (enum token_limit)i : TOKENS_COUNT;
}
