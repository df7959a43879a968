#ifndef KOSHIN_SIM_ACME_TOKENS_H
#define KOSHIN_SIM_ACME_TOKENS_H
/*
 * The rate limits of a CA as Let's Encrypt has them: token buckets by the generic cell rate algorithm, one for each thing
 * that is limited (an account, a registered domain, a set of names …). A model of the CA, not of what a client believes
 * about it: the client's own is written apart, so that the two cannot agree on a mistake.
 *
 * No clock: every call is told the time, in milliseconds of any clock that does not go back.
 */
#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"
#include "base/when.h"

enum token_limit {
	TOKENS_NEW_ACCOUNTS,	     /* for each address of a client */
	TOKENS_NEW_ORDERS,	     /* account */
	TOKENS_DOMAIN,	     /* registered domain: certificates */
	TOKENS_EXACT_SET,	     /* set of names: certificates */
	TOKENS_FAILURES,	     /* account and name: failed validations */
	TOKENS_FAILURES_IN_A_ROW, /* account and name; success gives all back; used up: the name is paused */
	TOKENS_ENDPOINT,	     /* address of a client and endpoint: requests; its rule is given with each call */
	TOKENS_COUNT
};
struct token_rule {
	uint32_t capacity; /* 0: there is no such limit */
	int64_t period_ms; /* in which an empty bucket fills */
};
struct token_bucket {
	char *key;	/* with the limit's number in front */
	int64_t tat_ms; /* theoretical arrival time: when the bucket will be full */
};
struct tokens {
	struct token_rule rules[TOKENS_COUNT];
	struct token_bucket *buckets; /* open addressing, cap is a power of two */
	size_t n, cap;
};

void tokens_init(struct tokens *l); /* no limit at all */
void tokens_fini(struct tokens *l);
/* The figures of CA-FACTS: 300 orders in 3 h, 50 a week for a registered domain, 5 for a set … */
void tokens_as_lets_encrypt(struct tokens *l);
/* How long until the bucket has one token; 0: it has. Takes none. */
int64_t tokens_wait_ms(const struct tokens *l, enum token_limit which, struct str key, int64_t now_ms);
/* Takes a token; where there is none, nothing is taken and the wait is told. MEMORY: -1. */
int64_t tokens_spend(struct tokens *l, enum token_limit which, struct str key, int64_t now_ms);
/* The same by a rule of the caller's own. */
int64_t tokens_spend_by(struct tokens *l, enum token_limit which, const struct token_rule *rule, struct str key,
    int64_t now_ms);
/* Fills the bucket: a success after failures in a row, a person who unpauses. */
void tokens_reset(struct tokens *l, enum token_limit which, struct str key);
/* Tokens that the bucket holds now. */
uint32_t tokens_left(const struct tokens *l, enum token_limit which, struct str key, int64_t now_ms);
/* Let's Encrypt's words for a refusal: what was used up, how many in how long, and when to come again. */
void tokens_words(const struct tokens *l, enum token_limit which, struct str subject, struct when again, struct buf *to);
/* "new-orders" and so on, as the words of the fake CA and of scenarios have it; COUNT for none. */
enum token_limit token_limit_of_name(struct str name);
#endif
