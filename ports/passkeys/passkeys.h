#ifndef KOSHIN_PORTS_PASSKEYS_PASSKEYS_H
#define KOSHIN_PORTS_PASSKEYS_PASSKEYS_H
/*
 * Passkeys (W3C Web Authentication, Level 2): what a browser sends is judged here, by libfido2 and the rules of 7.1 and 7.2. Pure: who asked,
 * and whether a challenge was given out and is fresh, is the caller's. All fields come from strangers.
 *
 * Attestation is not asked for ("none"): which make the authenticator has is nobody's business here, and the key itself is what signs.
 */
#include <stdint.h>
#include "base/arena.h"
#include "base/str.h"

enum { PASSKEY_ID_BYTES_MAX = 1023 }; /* 5.8.3: longer ones are refused */
/* Where the panel is, as browsers sign it. */
struct passkey_site {
	struct str rp_id;  /* the host name alone */
	struct str origin; /* scheme, host, and port if it is not the scheme's own */
};
/* False: passkeys do not work at this address of the panel (an IP address, or http: of another host than localhost). */
bool passkey_site_of(struct str panel_url, struct arena *a, struct passkey_site *ret);

/* base64url without padding, as JSON carries bytes. INVALID, TOO_LONG. */
MUST_USE enum err passkey_decode(struct str text, size_t max, struct arena *a, struct str *ret);
/* The challenge that the client data claim to answer, as text: to be looked up first. */
MUST_USE enum err passkey_challenge(struct str client_data, struct arena *a, struct str *ret);

/* A new one (7.1). DENIED: it was made for another place, or nobody was there. INVALID: no such thing, or an algorithm that we did not offer. */
struct passkey_made {
	struct str id, key; /* in the arena */
	int algorithm;	    /* COSE: -7 ES256, -8 EdDSA, -257 RS256 */
	uint32_t count;
};
MUST_USE enum err passkey_read(const struct passkey_site *s, struct str challenge, struct str client_data, struct str authenticator_data,
    struct arena *a, struct passkey_made *ret);

/* A use of one (7.2). needs_user: who holds it has proven to be its person, by PIN or finger. DENIED: it does not fit. */
struct passkey_use {
	struct str challenge, client_data, authenticator_data, signature;
	bool needs_user;
};
MUST_USE enum err passkey_verify(const struct passkey_site *s, int algorithm, struct str key, const struct passkey_use *u, struct arena *a,
    uint32_t *ret_count);
/* A counter that does not grow means that there is a copy of the key (7.2, step 21); many authenticators have none and say 0. */
static inline bool
passkey_count_is_good(uint32_t before, uint32_t now)
{
	return now > before || (now == 0 && before == 0);
}
#endif
