#include "core/budget.h"
#include <string.h>
#include "base/must.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400, WEEK = 7 * DAY };

static const char *const words[] = {
#define BUDGET(symbol, word, cause) [BUDGET_##symbol] = word,
#include "core/budget.tbl"
#undef BUDGET
};
static const enum cause causes[] = {
#define BUDGET(symbol, word, cause) [BUDGET_##symbol] = CAUSE_##cause,
#include "core/budget.tbl"
#undef BUDGET
};
static const char *const endpoints[] = {
#define ENDPOINT(symbol, word) [ENDPOINT_##symbol] = word,
#include "core/endpoint.tbl"
#undef ENDPOINT
};

/* As published; where no burst is, requests are spaced evenly. */
#define FRONT_END \
	{ \
		[ENDPOINT_DIRECTORY] = { 40, { 1 }, 1 }, \
		[ENDPOINT_NEW_NONCE] = { 20, { 1 }, 1 }, \
		[ENDPOINT_NEW_ACCOUNT] = { 5, { 1 }, 1 }, \
		[ENDPOINT_NEW_ORDER] = { 300, { 1 }, 200 }, \
		[ENDPOINT_REVOKE] = { 10, { 1 }, 1 }, \
		[ENDPOINT_RENEWAL_INFO] = { 1000, { 1 }, 1 }, \
		[ENDPOINT_OTHER] = { 250, { 1 }, 125 }, \
	}
static const struct budget_profile profiles[] = {
	{
	    .name = "letsencrypt",
	    .limits = {
		[BUDGET_ORDERS] = { 300, { 3 * HOUR }, 0 },
		[BUDGET_DOMAIN] = { 50, { WEEK }, 0 },
		[BUDGET_SET] = { 5, { WEEK }, 0 },
		[BUDGET_FAILURES] = { 5, { HOUR }, 0 },
		[BUDGET_STREAK] = { 1152, { 1152 * DAY }, 0 },
		[BUDGET_ACCOUNTS] = { 10, { 3 * HOUR }, 0 },
	    },
	    .endpoints = FRONT_END,
	},
	{
	    .name = "letsencrypt-staging",
	    .limits = {
		[BUDGET_ORDERS] = { 1500, { 3 * HOUR }, 0 },
		[BUDGET_DOMAIN] = { 30000, { 1 }, 0 },
		[BUDGET_SET] = { 30000, { WEEK }, 0 },
		[BUDGET_FAILURES] = { 200, { HOUR }, 0 },
		[BUDGET_STREAK] = { 3600, { 6 * HOUR }, 0 },
		[BUDGET_ACCOUNTS] = { 50, { 3 * HOUR }, 0 },
	    },
	    .endpoints = FRONT_END,
	},
	{ .name = "none" },
};
enum { PROFILE_PRODUCTION, PROFILE_STAGING, PROFILE_NONE, PROFILES };

const char *
budget_name(enum budget b)
{
	must(b < BUDGET_COUNT);
	return words[b];
}

bool
budget_of_name(struct str s, enum budget *ret)
{
	for (enum budget b = 0; b < BUDGET_COUNT; b++)
		if (str_eq(s, str_of(words[b]))) {
			*ret = b;
			return true;
		}
	return false;
}

enum cause
budget_cause(enum budget b)
{
	must(b < BUDGET_COUNT);
	return causes[b];
}

const char *
endpoint_name(enum endpoint e)
{
	must(e < ENDPOINT_COUNT);
	return endpoints[e];
}

const struct budget_profile *
budget_profile_of_name(struct str name)
{
	for (size_t i = 0; i < PROFILES; i++)
		if (str_eq(name, str_of(profiles[i].name)))
			return &profiles[i];
	return NULL;
}

const struct budget_profile *
budget_profile_of_directory(struct str url)
{
	if (str_starts(url, STR("https://acme-v02.api.letsencrypt.org/")))
		return &profiles[PROFILE_PRODUCTION];
	if (str_starts(url, STR("https://acme-staging-v02.api.letsencrypt.org/")))
		return &profiles[PROFILE_STAGING];
	return &profiles[PROFILE_NONE];
}

const struct budget_profile *
budget_profile(struct str name, struct str directory)
{
	const struct budget_profile *p = budget_profile_of_name(name);

	return p != NULL ? p : budget_profile_of_directory(directory);
}

static bool
read_time(struct str s, struct span *ret)
{
	char unit = s.n > 1 ? s.p[s.n - 1] : '\0';
	int64_t n, of = unit == 'd' ? DAY : unit == 'h' ? HOUR : unit == 'm' ? MINUTE : unit == 's' ? 1 : 0;

	if (of == 0 || !str_to_int((struct str){ s.p, s.n - 1 }, &n) || n < 1 || n > 366 * (int64_t)DAY / of)
		return false;
	*ret = SPAN_S(n * of);
	return true;
}

bool
budget_read_override(struct str text, struct budget_override *ret)
{
	struct budget_override o = { .budget = BUDGET_COUNT };
	struct str limit = str_cut(&text, ' '), rate = str_cut(&text, ' '), count = str_cut(&rate, '/');

	if (!budget_of_name(limit, &o.budget) || o.budget == BUDGET_OTHER || !str_to_int(count, &o.rate.count) ||
	    o.rate.count < 1 || o.rate.count > 1000000000 || !read_time(rate, &o.rate.per))
		return false;
	/* A domain is of use where there is a bucket for each; then it is one word, as it is stored. */
	if (text.n > 0 && (o.budget != BUDGET_DOMAIN || str_find(text, STR(" ")) != SIZE_MAX || str_find(text, STR(".")) == SIZE_MAX))
		return false;
	o.domain = text;
	*ret = o;
	return true;
}

static bool
is_slower(struct rate a, struct rate b)
{
	return !rate_is_none(a) && rate_interval_us(a) > rate_interval_us(b);
}

struct rate
budget_rate(const struct budget_rules *rules, const struct budget_row *row)
{
	const struct budget_override *found = NULL;

	for (size_t i = 0; i < rules->overrides_n; i++) {
		const struct budget_override *o = &rules->overrides[i];
		bool is_named = o->domain.n > 0;

		if (o->budget == row->budget && (!is_named || str_eq(o->domain, row->subject)) && (found == NULL || is_named))
			found = o;
	}
	if (rate_is_none(row->learned))
		return found != NULL ? found->rate : rules->profile->limits[row->budget];
	/* Of two words the one that lets less pass: what was learned is forgotten when the bucket is full. */
	return found != NULL && is_slower(found->rate, row->learned) ? found->rate : row->learned;
}

/* --- what an order draws --- */

static uint64_t
fnv(uint64_t h, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3U;
	/* The length too: two neighbours cannot trade bytes. */
	h = (h ^ s.n) * 0x100000001b3U;
	h ^= h >> 29;
	return h * 0xbf58476d1ce4e5b9U;
}

bool
budget_set_key(const struct str *names, size_t n, struct arena *a, struct str *ret)
{
	uint64_t one = 0, two = 0;

	/* A sum does not know of an order. */
	for (size_t i = 0; i < n; i++) {
		one += fnv(0xcbf29ce484222325U, names[i]);
		two += fnv(0x9e3779b97f4a7c15U, names[i]);
	}
	*ret = arena_strf(a, "%016llx%016llx", (unsigned long long)one, (unsigned long long)two);
	return ret->n > 0;
}

static void
put(struct budget_draw *ret, size_t *n, enum budget b, struct str subject, bool is_held)
{
	for (size_t i = 0; i < *n; i++)
		if (ret[i].budget == b && str_eq(ret[i].subject, subject))
			return;
	ret[(*n)++] = (struct budget_draw){ b, subject, is_held };
}

bool
budget_draws(const struct budget_order *o, struct arena *a, struct budget_draw *ret, size_t *ret_n)
{
	bool is_renewal = o->is_same_set || o->is_in_window;
	struct str key;
	size_t n = 0;

	if (!budget_set_key(o->names, o->n, a, &key))
		return false;
	if (!is_renewal)
		put(ret, &n, BUDGET_ORDERS, STR(""), true);
	for (size_t i = 0; i < o->n; i++)
		if (!is_renewal)
			put(ret, &n, BUDGET_DOMAIN, o->domains[i], true);
	if (!o->is_in_window)
		put(ret, &n, BUDGET_SET, key, true);
	/* By the documents a renewal in its window is free of these; by the source it is not. */
	for (size_t i = 0; i < o->n; i++) {
		put(ret, &n, BUDGET_FAILURES, o->names[i], false);
		put(ret, &n, BUDGET_STREAK, o->names[i], false);
		put(ret, &n, BUDGET_OTHER, o->domains[i], false);
	}
	*ret_n = n;
	return true;
}

/* --- dates --- */

struct when
budget_when(const struct budget_rules *rules, const struct budget_row *row, struct when now)
{
	return instant_when(bucket_next(budget_rate(rules, row), &row->bucket, instant_of(now)));
}

struct when
budget_wait(const struct budget_rules *rules, struct budget_row *row, bool has_waited, const struct turn *t)
{
	enum { SHORT_LINE = 4 };
	struct rate r = budget_rate(rules, row);
	struct instant now = instant_of(t->now), first = bucket_next(r, &row->bucket, now);
	int64_t interval = rate_is_none(r) ? 0 : rate_interval_us(r);
	struct instant place = first;

	if (row->line.us < first.us)
		row->line.us = first.us - interval;
	if (!has_waited) {
		row->line.us += interval;
		place = row->line;
	} else if (interval > 0) {
		/* It came a moment too early, or before its place: somewhere in the first half, a short line being none. */
		int64_t half = (row->line.us - first.us) / interval / 2;

		place.us += half <= SHORT_LINE ? 0 : interval * (int64_t)(t->roll % (uint64_t)half);
	}
	struct when at = instant_when(place);
	/* Never later than tomorrow, but not all at once either. */
	struct when tomorrow = when_plus(t->now, SPAN_S(DAY - (int64_t)(t->roll % (6 * HOUR))));

	return when_max(when_min(at, when_max(tomorrow, instant_when(first))), when_plus(t->now, SPAN_S(1)));
}

bool
budget_counts(enum budget b, bool is_issued)
{
	switch (b) {
	case BUDGET_ORDERS:
		return true;
	case BUDGET_DOMAIN:
	case BUDGET_SET:
		return is_issued;
	case BUDGET_FAILURES:
	case BUDGET_STREAK:
	case BUDGET_ACCOUNTS:
	case BUDGET_OTHER:
	case BUDGET_COUNT:
		break;
	}
	return false;
}

void
budget_check(const struct budget_rules *rules, const struct budget_row *row, struct when now)
{
	must(row->bucket.held >= 0);
	must(bucket_passes(budget_rate(rules, row), &row->bucket, instant_of(now)));
}

/* --- learning --- */

static struct str
after(struct str s, struct str needle)
{
	size_t at = str_find(s, needle);

	return at == SIZE_MAX ? STR_NONE : (struct str){ s.p + at + needle.n, s.n - at - needle.n };
}

static struct str
between(struct str s, struct str from, struct str to)
{
	struct str rest = after(s, from);
	size_t end = str_find(rest, to);

	return rest.n == 0 || end == SIZE_MAX ? STR_NONE : (struct str){ rest.p, end };
}

/* Go's form of a length of time, in whole seconds: "168h0m0s". */
static bool
read_length(struct str s, struct span *ret)
{
	int64_t seconds = 0, n = 0;
	bool has_digit = false;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		int64_t unit = c == 'h' ? HOUR : c == 'm' ? MINUTE : c == 's' ? 1 : 0;

		if (c >= '0' && c <= '9' && n < 100000000) {
			n = n * 10 + (c - '0');
			has_digit = true;
		} else if (unit > 0 && has_digit) {
			seconds += n * unit;
			n = 0;
			has_digit = false;
		} else {
			return false;
		}
	}
	*ret = SPAN_S(seconds);
	return !has_digit && seconds > 0;
}

/* Quotes come as they are, or as JSON has them. */
static struct str
unquoted(struct str s)
{
	while (s.n > 0 && (s.p[0] == '"' || s.p[0] == '\\'))
		s = (struct str){ s.p + 1, s.n - 1 };
	while (s.n > 0 && (s.p[s.n - 1] == '"' || s.p[s.n - 1] == '\\'))
		s.n--;
	return s;
}

static const struct {
	const char *words;
	enum budget budget;
	bool has_domain;
} lessons[] = {
	{ "too many new orders", BUDGET_ORDERS, false },
	{ "already issued for this exact set", BUDGET_SET, false },
	{ "already issued for exact set", BUDGET_SET, false },
	{ "too many certificates", BUDGET_DOMAIN, true },
	{ "too many failed authorizations", BUDGET_FAILURES, true },
	{ "too many new registrations", BUDGET_ACCOUNTS, false },
	{ "too many registrations for this IP", BUDGET_ACCOUNTS, false },
	{ "rateLimited", BUDGET_OTHER, false },
};

bool
budget_lesson(struct str text, struct budget_lesson *ret)
{
	for (size_t i = 0; i < sizeof lessons / sizeof *lessons; i++) {
		if (str_find(text, str_of(lessons[i].words)) == SIZE_MAX)
			continue;
		struct str rest = after(text, STR("too many "));
		struct rate r = { 0 };

		*ret = (struct budget_lesson){ .budget = lessons[i].budget };
		if (rest.n == 0)
			return true;
		if (lessons[i].has_domain)
			ret->domain = unquoted(between(rest, STR(" for "), STR(" in the last ")));
		if (str_to_int(between(rest, STR("("), STR(")")), &r.count) && r.count > 0 &&
		    read_length(between(rest, STR(" in the last "), STR(",")), &r.per))
			ret->rate = r;
		return true;
	}
	return false;
}

void
budget_learn(const struct budget_rules *rules, struct budget_row *row, const struct budget_lesson *l, struct when until,
    struct when now)
{
	if (!rate_is_none(l->rate))
		row->learned = l->rate;
	/* Without a date: a little while, so that the next one does not run into it. */
	if (!when_is_known(until) || when_before(until, now))
		until = when_plus(now, SPAN_MIN(10));
	bucket_shut(budget_rate(rules, row), &row->bucket, instant_of(until), instant_of(now));
}
