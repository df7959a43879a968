#ifndef KOSHIN_CORE_OWN_ISSUER_H
#define KOSHIN_CORE_OWN_ISSUER_H
/*
 * The issuers' certificates that an owner's file lacks: where they are asked for, one after the other, and when that is over. Certificates say
 * themselves where their issuer's is (RFC 5280 4.2.2.1); what is found there is read with the file (ports/keys/own.h), and counts by signature alone.
 */
#include "core/own_certificate.h"

enum { OWN_ISSUER_ASKED_MAX = 3 }; /* places that are asked for one file: chains have two intermediates at most, and one place may be dead */

/* Plain HTTP to a host, in printable ASCII: HTTPS would need a chain first (RFC 5280 8), LDAP and files are not for us. */
bool own_issuer_url_is_good(struct str url);
/* Where to ask next, after those that were asked: never one twice, so that issuers who name each other come to an end. Empty: nowhere. */
struct str own_issuer_next(const struct own_certificate *c, const struct str *asked, size_t asked_n);
/* The file, read with what was found, leads to a root that browsers know, and they have nothing against the way. */
bool own_issuer_is_found(const struct own_certificate *c);
#endif
