#ifndef KOSHIN_PORTS_KEYS_OWN_H
#define KOSHIN_PORTS_KEYS_OWN_H
/*
 * Reads what an owner got from another issuer: certificates as PEM text in any order, with or without the key, one certificate in
 * DER form, or PKCS#12; several files, one after the other. Input is untrusted.
 */
#include "core/own_certificate.h"
#include "ports/keys/secret.h"

enum { OWN_FILES_MAX = 2 };
struct own_input {
	struct str files[OWN_FILES_MAX]; /* empty ones are none */
	struct str known;     /* PEM: certificates of issuers that are known already, and may complete the chain */
	const char *password; /* of PKCS#12 or of a key, "" without one */
	const char *roots;    /* PEM file of the roots that visitors trust; NULL: the system's */
	struct when now;
};
/* The chain is written to chain_pem in the right order, without its root. What cannot be read is no error: ret says so. CONFIG: the
 * roots cannot be read. ret_key: the key that fits, in the form of pair_to_der, if one is there (KEY_HERE); NULL: keys are not looked at, nor kept. */
MUST_USE enum err own_read(const struct own_input *in, struct arena *a, struct own_certificate *ret, struct buf *chain_pem,
    struct secret *ret_key);
/* The same of a request: which certificate answers it. */
MUST_USE enum err own_key_id_of_csr(struct str csr_der, uint8_t ret[32]);
/* A request as PEM text, to be copied. */
MUST_USE enum err own_csr_pem(struct str csr_der, struct buf *to);
#endif
