#ifndef KOSHIN_PORTS_KEYS_X509_H
#define KOSHIN_PORTS_KEYS_X509_H
/* Reading certificates (OpenSSL behind it). Input is untrusted. */
#include "base/arena.h"
#include "core/certificate.h"
#include "ports/keys/known.h"

/* First certificate of a PEM chain. INVALID with words in why if it cannot be read, has no names, or a date is absurd. */
MUST_USE enum err x509_read_leaf(struct str chain_pem, struct arena *a, struct why *why, struct certificate_info *ret);
/* The same for one certificate in DER form. */
MUST_USE enum err x509_read_der(struct str der, struct arena *a, struct why *why, struct certificate_info *ret);
/* The same for one that OpenSSL has read already: making its key anew costs more than all the rest. */
struct x509_st;
MUST_USE enum err x509_read(struct x509_st *x, struct arena *a, struct why *why, struct certificate_info *ret);
/* Does the chain fit the order? Each certificate signs the one before; the leaf has exactly the wanted names, the
 * public key of the CSR, and dates that make sense now. MISMATCH or INVALID, with words. On success ret tells of the
 * leaf: reading a certificate is what costs the most of an order, and is done once. known: issuers that were met before; NULL for none. */
MUST_USE enum err x509_check_chain(struct str chain_pem, struct str csr_der, const struct str *names, size_t names_n,
    struct when now, struct known *known, struct arena *a, struct why *why, struct certificate_info *ret);
/* SubjectPublicKeyInfo (RFC 5280 4.1.2.7) of the first certificate in DER form, as it stands there: no key is made of it. INVALID: there is none. */
MUST_USE enum err x509_leaf_key(struct str chain_pem, struct arena *a, struct str *ret);
/* Common name of the issuer of the last certificate, for choosing among alternate chains (RFC 8555 7.4.2). */
MUST_USE enum err x509_top_issuer(struct str chain_pem, struct arena *a, struct str *ret);
/* A date of a certificate or of a list of revoked ones (OpenSSL's ASN1_TIME); WHEN_UNKNOWN for none, and for what is no date. */
struct asn1_string_st;
struct when x509_when(const struct asn1_string_st *t);
#endif
