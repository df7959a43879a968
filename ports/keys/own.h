#ifndef KOSHIN_PORTS_KEYS_OWN_H
#define KOSHIN_PORTS_KEYS_OWN_H
/*
 * Reads the file that an owner got from another issuer: certificates as PEM text in any order, with or without the key, one
 * certificate in DER form, or PKCS#12. Input is untrusted. A key in it is not looked at and not kept.
 */
#include "core/own_certificate.h"

/* password: of PKCS#12, "" without one. roots: PEM file of the roots that visitors trust; NULL: the system's. The chain is written to
 * chain_pem in the right order, without its root. A file that cannot be read is no error: ret says so. CONFIG: the roots cannot be read. */
MUST_USE enum err own_read(struct str file, const char *password, const char *roots, struct arena *a, struct own_certificate *ret,
    struct buf *chain_pem);
#endif
