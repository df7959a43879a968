#ifndef KOSHIN_PORTS_KEYS_ISSUER_H
#define KOSHIN_PORTS_KEYS_ISSUER_H
/* Authority Information Access (RFC 5280 4.2.2.1): where a certificate says that its issuer's is, and what was got there. Input is untrusted. */
#include "base/arena.h"
#include "core/own_issuer.h"

enum { ISSUER_CERTIFICATES_MAX = 8 }; /* of one answer: issuers give the one, or the few of its key */

struct x509_st;
/* The good ones, in their order; how many. */
size_t issuer_urls(const struct x509_st *x, struct arena *a, struct str ret[OWN_ISSUER_URLS_MAX]);
/* One certificate in DER form, or PKCS#7 with certificates (RFC 5280 4.2.2.1), or PEM text with them alone; they are appended as PEM text. Whose issuer they are is not looked at. INVALID: it is
 * neither, or has none, or too many; nothing is appended then. */
MUST_USE enum err issuer_read(struct str bytes, struct buf *to);
#endif
