#ifndef KOSHIN_SIM_ACME_SIGN_H
#define KOSHIN_SIM_ACME_SIGN_H
/*
 * The certificates of the fake CA: two roots, one intermediate that both have signed (so that there are two chains,
 * RFC 8555 7.4.2), and the certificate of the CA's own HTTPS under a root of its own. Made at start, or kept in a folder,
 * so that a CA which is started again is the same one. All keys are P-256.
 */
#include <openssl/ssl.h>
#include "base/arena.h"
#include "base/when.h"
#include "ports/clock/clock.h"

enum { SIGN_CHAINS = 2, SIGN_KEY_ID_BYTES = 20, SIGN_SERIAL_BYTES = 16 };
struct sign;
/* folder NULL: in memory alone. hosts: addresses and names of the CA's own certificate. */
MUST_USE enum err sign_new(const char *folder, const struct str *hosts, size_t hosts_n, struct clock *clock, struct why *why,
    struct sign **ret);
void sign_free(struct sign **s);
SSL_CTX *sign_tls(struct sign *s); /* for the CA's HTTPS */
struct str sign_tls_root(const struct sign *s); /* PEM: whom clients have to trust to talk to it */
struct str sign_roots(const struct sign *s);	/* PEM, both: whom visitors have to trust */
struct str sign_chain(const struct sign *s, size_t which); /* PEM, what goes after the leaf */
const uint8_t *sign_key_id(const struct sign *s);	   /* of the intermediate: authorityKeyIdentifier */

struct sign_leaf {
	const struct str *names;
	size_t names_n;
	EVP_PKEY *key; /* public */
	struct when from, to;
	bool has_common_name;
	struct str list_url;	/* of the list of revoked certificates that it names (RFC 5280 4.2.1.13); empty: none */
	bool has_wrong_issuer; /* a fault: signed by a key that is not the intermediate's */
	uint8_t serial[SIGN_SERIAL_BYTES]; /* the highest bit is 0, the byte not */
};
/* PEM and DER of one certificate, in the arena. */
MUST_USE enum err sign_leaf(struct sign *s, const struct sign_leaf *leaf, struct arena *a, struct str *ret_pem, struct str *ret_der);
#endif
