#ifndef KOSHIN_CORE_BUDGET_H
#define KOSHIN_CORE_BUDGET_H
/*
 * What a CA allows, as rows of token buckets: it foretells a refusal (429), so that none is provoked (P6), and learns from
 * one that came all the same. Pure: the rows are the store's, the decisions are here.
 *
 * An order holds a token of each limit that counts it, from the transaction that opens it to the one that closes it. Then the
 * CA has counted it (spent) or not (given back); which, depends on the limit and on how the order ended. Where the CA's
 * documents and its source disagree on an exemption, the worse case is taken.
 */
#include "base/arena.h"
#include "core/finding.h"
#include "core/gcra.h"

enum budget {
#define BUDGET(symbol, word, cause) BUDGET_##symbol,
#include "core/budget.tbl"
#undef BUDGET
	BUDGET_COUNT
};
const char *budget_name(enum budget b);
bool budget_of_name(struct str s, enum budget *ret);
enum cause budget_cause(enum budget b);

enum endpoint {
#define ENDPOINT(symbol, word) ENDPOINT_##symbol,
#include "core/endpoint.tbl"
#undef ENDPOINT
	ENDPOINT_COUNT
};
const char *endpoint_name(enum endpoint e);

/* The limits that a CA publishes. */
struct budget_profile {
	const char *name;
	struct rate limits[BUDGET_COUNT];
	struct rate endpoints[ENDPOINT_COUNT]; /* requests a second from one address */
};
/* "letsencrypt", "letsencrypt-staging", "none"; NULL for another word. */
const struct budget_profile *budget_profile_of_name(struct str name);
/* By the URL of its directory; one that is not known has no limits but those that it teaches. */
const struct budget_profile *budget_profile_of_directory(struct str url);
/* By the name if it is one, else by the directory. */
const struct budget_profile *budget_profile(struct str name, struct str directory);

/* A limit that the CA has raised for us, for the account or for one registered domain. */
struct budget_override {
	enum budget budget;
	struct str domain; /* empty: whatever the domain */
	struct rate rate;
};
/* "LIMIT COUNT/TIME [DOMAIN]", as "new-orders 1000000/1d" or "certificates-per-domain 25000/7d host.jp"; TIME in d, h, m or s. The
 * domain points into text. */
bool budget_read_override(struct str text, struct budget_override *ret);
struct budget_rules {
	const struct budget_profile *profile;
	const struct budget_override *overrides;
	size_t overrides_n;
};

/* A bucket as the store has it. */
struct budget_row {
	enum budget budget;
	struct str subject;
	struct bucket bucket;
	struct rate learned;   /* from a refusal's text; none before */
	struct instant line;   /* the date given to the last one that waits */
};
/* What the CA itself said last, or an override, whichever is slower; else the profile. */
struct rate budget_rate(const struct budget_rules *rules, const struct budget_row *row);

/* What decides how an order counts. */
struct budget_order {
	const struct str *names;
	const struct str *domains; /* the registered domain of each name */
	size_t n;
	bool is_same_set;  /* the CA has issued exactly these names lately (BUDGET_SAME_SET_MOST) */
	bool is_in_window; /* it names the certificate that it replaces, and now is inside the window that the CA gave */
};
#define BUDGET_SAME_SET_MOST SPAN_D(120)
struct budget_draw {
	enum budget budget;
	struct str subject;
	bool is_held; /* a token is held; else the bucket only has to have one left */
};
/* The buckets that an order concerns, each once. ret has room for 4 * n + 2. False: no memory. */
bool budget_draws(const struct budget_order *o, struct arena *a, struct budget_draw *ret, size_t *ret_n);
/* 32 hexadecimal digits for a set of names, in whatever order; false: no memory. */
bool budget_set_key(const struct str *names, size_t n, struct arena *a, struct str *ret);

/* When one more passes; not after now: at once. */
struct when budget_when(const struct budget_rules *rules, const struct budget_row *row, struct when now);
/*
 * It does not pass now: the date for the one that asks, which takes its place at the end of the line; whoever has waited
 * before comes nearer to its head. At most a day away: a limit may have been raised meanwhile.
 */
struct when budget_wait(const struct budget_rules *rules, struct budget_row *row, bool has_waited, const struct turn *t);
/* The order was closed: does the CA count it against this limit? */
bool budget_counts(enum budget b, bool is_issued);
/* P6, as an assertion: what is about to be asked for does not break a published limit, as far as we know. */
void budget_check(const struct budget_rules *rules, const struct budget_row *row, struct when now);

/* What a refusal teaches: which limit, of what, how much it is, and until when. */
struct budget_lesson {
	enum budget budget;
	struct str domain;  /* BUDGET_DOMAIN, FAILURES: as the text has it; else empty */
	struct rate rate;   /* none: the text does not say */
};
/* From the text of a problem document, or from evidence that holds it. False: no limit at all. */
bool budget_lesson(struct str text, struct budget_lesson *ret);
void budget_learn(const struct budget_rules *rules, struct budget_row *row, const struct budget_lesson *l, struct when until,
    struct when now);
#endif
