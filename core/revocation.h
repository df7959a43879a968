#ifndef KOSHIN_CORE_REVOCATION_H
#define KOSHIN_CORE_REVOCATION_H
/*
 * The last of the three ways to give SSL up: the key is destroyed, and the CA is asked to revoke what was issued for it (RFC 8555 7.6).
 * Destroying needs nobody and cannot be taken back; revoking needs the CA, is asked for until it is done, and is pointless after the
 * certificate's own end. Pure; the order of the acts is core/site's: our redirect lets go, then the key is gone here, then on the server.
 */
#include "base/err.h"
#include "base/str.h"
#include "base/when.h"
#include "core/acme.h"

/* What the CA is told (RFC 5280 5.3.1); those that the owner of a name may give. */
enum revoke_reason { REVOKE_UNSPECIFIED, REVOKE_KEY_COMPROMISE, REVOKE_CESSATION, REVOKE_REASON_COUNT };
const char *revoke_reason_name(enum revoke_reason r); /* "unspecified", "key-compromise", "cessation" */
bool revoke_reason_of_name(struct str s, enum revoke_reason *ret);
int revoke_reason_code(enum revoke_reason r);

/* Of the site's newest certificate that was given up in this way; those before it are revoked with it. */
struct revoke {
	enum revoke_reason reason;
	struct when asked_at, destroyed_at; /* destroyed WHEN_UNKNOWN: our redirect has not let go yet */
	struct when revoked_at;	 /* the CA has confirmed it; WHEN_UNKNOWN: not yet, or it never will */
	struct when next_try;	 /* at the CA; WHEN_UNKNOWN: it is not asked any more */
	struct when ends;	 /* of the certificate */
	struct str by;
	bool is_own; /* of another issuer: only its owner can have it revoked there */
};
enum revoke_state {
	REVOKE_ASKED,	 /* our redirect lets go first */
	REVOKE_WAITS,	 /* the key is gone; the CA has not confirmed yet */
	REVOKE_DONE,	 /* the key is gone, the certificate is revoked */
	REVOKE_OWN,	 /* the key is gone; its issuer is none of ours */
	REVOKE_REFUSED,	 /* the key is gone; the CA would not */
	REVOKE_ENDED,	 /* the key is gone, and so is the certificate's life */
	REVOKE_STATE_COUNT
};
enum revoke_state revocation_state(const struct revoke *r, struct when now);
const char *revoke_state_name(enum revoke_state s); /* "asked" … "ended" */

/* What follows from an answer of the CA. */
enum revoke_next {
	REVOKE_IS_DONE,
	REVOKE_AGAIN,	      /* at ret_at */
	REVOKE_AGAIN_PLAINLY, /* the CA does not take this reason: at once, without one */
	REVOKE_GIVEN_UP,      /* it refuses, and will do so again */
};
/* tries: that have failed before this one. */
enum revoke_next revocation_next(const struct revoke *r, const struct acme_answer *an, unsigned tries, const struct turn *t, struct when *ret_at);
#endif
