#ifndef KOSHIN_PORTS_KEYS_PEM_H
#define KOSHIN_PORTS_KEYS_PEM_H
/* Certificates one by one out of a text in PEM form (RFC 7468 5). Input is untrusted. */
#include "ports/keys/openssl.h"

#include "base/err.h"

struct pem_block {
	char *name, *header;
	unsigned char *der;
	long n;
};
void pem_block_fini(struct pem_block *b); /* wipes what was in it, which may have been a key */
#define AUTO_PEM_BLOCK __attribute__((cleanup(pem_block_fini))) struct pem_block
/*
 * The next block of the text, if it is a certificate's. ret is zeroed before, and the caller's afterwards whatever comes of it. NOT_FOUND: there is no more;
 * MISMATCH: it is a block of something else; INVALID: it is damaged. Leaves nothing in OpenSSL's queue of errors.
 */
MUST_USE enum err pem_next_certificate(BIO *text, struct pem_block *ret);
#endif
