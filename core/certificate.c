#include "core/certificate.h"

bool
certificate_pattern_matches(struct str pattern, struct str name)
{
	struct str rest = name;

	if (pattern.n == 0 || name.n == 0)
		return false;
	if (str_eq_nocase(pattern, name))
		return true;
	if (!str_starts(pattern, STR("*.")))
		return false;
	struct str label = str_cut(&rest, '.');

	return label.n > 0 && rest.n > 0 &&
	       str_eq_nocase(rest, (struct str){ pattern.p + 2, pattern.n - 2 });
}

bool
certificate_has_name(const struct certificate_info *c, struct str name)
{
	for (size_t i = 0; i < c->names_n; i++)
		if (certificate_pattern_matches(c->names[i], name))
			return true;
	return false;
}

void
certificate_fingerprint_text(const uint8_t fingerprint[FINGERPRINT_BYTES], char ret[2 * FINGERPRINT_BYTES])
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < FINGERPRINT_BYTES; i++) {
		ret[2 * i] = hex[fingerprint[i] >> 4];
		ret[2 * i + 1] = hex[fingerprint[i] & 15];
	}
}
