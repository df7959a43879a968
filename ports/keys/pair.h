#ifndef KOSHIN_PORTS_KEYS_PAIR_H
#define KOSHIN_PORTS_KEYS_PAIR_H
/* Key pairs in clear: made, written as PKCS#8 (RFC 5958) and read back, and their certificate requests. */
#include "core/setting.h"
#include "ports/keys/keys.h"
#include "ports/keys/openssl.h"
#include "ports/keys/secret.h"

MUST_USE enum err pair_make(enum key_type type, EVP_PKEY **ret);
MUST_USE enum err pair_to_der(const EVP_PKEY *pair, struct secret *ret);
MUST_USE enum err pair_of_der(const struct secret *der, EVP_PKEY **ret);
/* Is this its public key (SubjectPublicKeyInfo in DER form)? By what pair_to_der wrote beside an EC key (RFC 5915), without making a key of either, which
 * costs more than a signature. False also where that does not tell: RSA, and what others wrote. */
bool pair_der_has_public(const struct secret *der, struct str spki);
/* PEM form of PKCS#8, unencrypted, of what pair_to_der wrote. */
MUST_USE enum err pair_der_to_pem(const struct secret *der, struct secret *ret);
/* A request in DER form (RFC 2986) for the names alone: an empty subject, because a common name is no longer needed
 * and cannot hold a name of more than 64 bytes. INVALID for a name that no certificate can have. */
MUST_USE enum err pair_make_csr(EVP_PKEY *pair, const struct str *names, size_t names_n, struct buf *to);
/* The same with a subject, as sellers of certificates want it: the first name as its common name where it is not too long, and what is
 * given of the rest. INVALID for a text that cannot stand there. */
MUST_USE enum err pair_make_own_csr(EVP_PKEY *pair, const struct csr_subject *subject, const struct str *names, size_t names_n, struct buf *to);
#endif
