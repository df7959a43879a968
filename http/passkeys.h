#ifndef KOSHIN_HTTP_PASSKEYS_H
#define KOSHIN_HTTP_PASSKEYS_H
/*
 * Passkeys: instead of mail address and password, where who holds one has proven to be its person; or as the second step. A challenge is
 * given out for each, is answered once, and what made a passkey answers the challenge of the same session.
 */
#include "http/inside.h"

/* As it was sent, in base64url. */
struct passkey_sent {
	struct str credential, client_data, authenticator_data, signature;
};
/* Whose it is. DENIED with words. */
MUST_USE enum err passkey_judge_alone(struct api_call *c, const struct passkey_sent *sent, struct person_row *ret);
/* It is this person's. DENIED with words. */
MUST_USE enum err passkey_judge_second(struct api_call *c, const struct person_row *p, const struct passkey_sent *sent);
#endif
