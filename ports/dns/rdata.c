#include "ports/dns/rdata.h"
#include "base/limits.h"

struct str
rdata_name(struct str rdata, struct arena *a)
{
	char text[LIMIT_NAME_BYTES + 1];
	size_t n = 0;

	for (size_t i = 0; i < rdata.n && rdata.p[i] != 0;) {
		size_t label = (uint8_t)rdata.p[i++];

		if (label > LIMIT_LABEL_BYTES || label > rdata.n - i ||
		    n + label + 1 > sizeof text)
			return STR_NONE;
		if (n > 0)
			text[n++] = '.';
		for (; label > 0; label--) {
			char c = rdata.p[i++];

			if (c <= ' ' || c == '.' || c >= 0x7f)
				return STR_NONE;
			text[n++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
		}
	}
	return n > 0 && n <= LIMIT_NAME_BYTES ? arena_str(a, (struct str){ text, n })
					      : STR_NONE;
}

bool
rdata_caa(struct str rdata, struct arena *a, struct caa_record *ret)
{
	if (rdata.n < 2)
		return false;
	size_t tag_n = (uint8_t)rdata.p[1];
	if (tag_n == 0 || tag_n > rdata.n - 2)
		return false;
	ret->flags = (uint8_t)rdata.p[0];
	ret->tag = arena_str(a, (struct str){ rdata.p + 2, tag_n });
	ret->value = arena_str(a, (struct str){ rdata.p + 2 + tag_n, rdata.n - 2 - tag_n });
	return true;
}

bool
rdata_is_proof(struct str rdata)
{
	enum { PROOF_BYTES = 43 };

	if (rdata.n != PROOF_BYTES + 1 || (uint8_t)rdata.p[0] != PROOF_BYTES)
		return false;
	for (size_t i = 1; i < rdata.n; i++) {
		char c = rdata.p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return true;
}
