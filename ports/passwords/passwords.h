#ifndef KOSHIN_PORTS_PASSWORDS_PASSWORDS_H
#define KOSHIN_PORTS_PASSWORDS_PASSWORDS_H
/*
 * Making and judging password hashes (Argon2id, RFC 9106, by libsodium). Each takes some tens of milliseconds and 64 MiB on purpose,
 * so it is done by one thread beside the loop, one after the other; answers come on the loop.
 */
#include "base/str.h"
#include "ports/loop/loop.h"

enum { PASSWORDS_WAITING_MAX = 16 };
struct passwords;
struct passwords_answer {
	enum err err;
	bool is_right;	 /* the password fits the stored hash */
	struct str made; /* where none was stored: the new one; lives as long as the call */
};
typedef void passwords_fn(void *arg, const struct passwords_answer *answer);

MUST_USE enum err passwords_new(struct loop *l, struct passwords **ret);
/* Waits for the one that is being judged; nobody is called any more. */
void passwords_free(struct passwords **p);
/* stored: a hash to judge by; empty: make one. Both are copied. FULL: too many wait. */
MUST_USE enum err passwords_submit(struct passwords *p, struct str password, struct str stored, passwords_fn *fn, void *arg);
#endif
