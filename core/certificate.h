#ifndef KOSHIN_CORE_CERTIFICATE_H
#define KOSHIN_CORE_CERTIFICATE_H
/* What one leaf certificate says about itself. Strings live in an arena of the maker. */
#include "base/when.h"
#include "base/str.h"

enum { FINGERPRINT_BYTES = 32 }; /* SHA-256 of the DER form */

struct certificate_info {
	struct when not_before, not_after;
	uint8_t fingerprint[FINGERPRINT_BYTES];
	struct str serial; /* lower-case hexadecimal */
	struct str issuer; /* organisation and common name, for people */
	struct str ari_id; /* RFC 9773 4.1: base64url(AKI) "." base64url(serial); empty without an AKI */
	struct str *names; /* dNSName entries, lower case */
	size_t names_n;
};
/* Lower-case hexadecimal, not terminated. */
void certificate_fingerprint_text(const uint8_t fingerprint[FINGERPRINT_BYTES], char ret[2 * FINGERPRINT_BYTES]);
/* RFC 6125 / 9525: exact, or a wildcard that stands for exactly one label. Both ASCII. */
bool certificate_has_name(const struct certificate_info *c, struct str name);
bool certificate_pattern_matches(struct str pattern, struct str name);
#endif
