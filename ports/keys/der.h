#ifndef KOSHIN_PORTS_KEYS_DER_H
#define KOSHIN_PORTS_KEYS_DER_H
/* DER (X.690): a certificate in it, and steps through it where a part is wanted as it stands. Input is untrusted. */
#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct x509_st;
/* The certificate that these bytes are, and nothing behind it. The caller frees it. INVALID otherwise. */
MUST_USE enum err der_certificate(const unsigned char *der, size_t n, struct x509_st **ret);
/* The content of the next thing; moves *p behind it. False at the end, and if it is not whole or of another kind. tag, class: OpenSSL's V_ASN1_. */
bool der_next(const unsigned char **p, const unsigned char *end, int tag, int class, struct str *ret);
/* The same for a thing of any kind; tells the class. */
bool der_next_any(const unsigned char **p, const unsigned char *end, int *ret_class, struct str *ret);
#endif
