#ifndef KOSHIN_PORTS_VANTAGE_QUESTION_H
#define KOSHIN_PORTS_VANTAGE_QUESTION_H
/*
 * What an installation asks a vantage point: look at these names as a CA's validator would. POST /look; the body is a signed
 * JSON document in the flattened form of RFC 7515 7.2.2, with EdDSA (RFC 8037 3.1); its payload has the members aud, iat and
 * jti of RFC 7519 4.1: for whom it is, of when, and a number that comes once. A reader takes nothing from a question whose
 * form it does not know to the last member.
 */
#include "base/arena.h"
#include "base/when.h"

enum refusal {
	REFUSAL_NONE,
#define REFUSAL(symbol, status, name, words) REFUSAL_##symbol,
#include "ports/vantage/refusal.tbl"
#undef REFUSAL
	REFUSAL_COUNT
};
struct refusal_row {
	int status;
	const char *name, *words;
};
/* r is not NONE. */
const struct refusal_row *refusal_row(enum refusal r);

enum {
	QUESTION_NONCE_BYTES = 16,
	QUESTION_NONCE_LETTERS = 22,
	QUESTION_WINDOW_S = 60,	     /* a question holds so long, and clocks may differ by as much */
	QUESTION_WAIT_MS_MAX = 60000 /* the longest that an asker waits */
};
struct question {
	struct str place; /* the name of the vantage point that it is for */
	struct when at;
	struct str nonce; /* base64url, QUESTION_NONCE_LETTERS */
	const struct str *names; /* ASCII; none: are you there? */
	size_t names_n;
	struct str thumbprint; /* of the asker's account key: the answer to TOKEN is TOKEN "." thumbprint */
	int64_t wait_ms;       /* an answer later than this is not waited for */
};
/* The payload; the keeper signs it. */
MUST_USE enum err question_write(const struct question *q, struct buf *to);

struct question_message {
	struct question q;
	struct str key;		    /* the public key that it says it is signed with */
	struct str input, signature; /* what was signed, and the signature's bytes */
};
/* Reads the form alone: nobody has looked at the signature yet. Strings in a. NONE, MALFORMED, TOO_LONG or UNSIGNED. */
MUST_USE enum refusal question_read(struct str body, struct arena *a, struct question_message *ret);
#endif
