#include "core/evidence.h"

static const char hex_digits[] = "0123456789abcdef";

static char *
put_decimal(char *p, unsigned v)
{
	if (v >= 100)
		*p++ = hex_digits[v / 100];
	if (v >= 10)
		*p++ = hex_digits[v / 10 % 10];
	*p++ = hex_digits[v % 10];
	return p;
}

static char *
put_v4(char *p, const uint8_t b[4])
{
	for (unsigned i = 0; i < 4; i++) {
		if (i > 0)
			*p++ = '.';
		p = put_decimal(p, b[i]);
	}
	return p;
}

/* No leading zeros (RFC 5952 4.1). */
static char *
put_hex(char *p, unsigned v)
{
	bool is_started = false;

	for (int shift = 12; shift >= 0; shift -= 4) {
		unsigned d = v >> shift & 0xf;

		if (d == 0 && !is_started && shift > 0)
			continue;
		is_started = true;
		*p++ = hex_digits[d];
	}
	return p;
}

/* The run of zero groups that "::" stands for: the longest, the first of equals, never a single one (4.2.2, 4.2.3). */
static void
find_zeros(const unsigned g[8], unsigned *ret_at, unsigned *ret_n)
{
	unsigned best_at = 8, best_n = 1;

	for (unsigned i = 0; i < 8;) {
		unsigned n = 0;

		while (i + n < 8 && g[i + n] == 0)
			n++;
		if (n > best_n) {
			best_at = i;
			best_n = n;
		}
		i += n > 0 ? n : 1;
	}
	*ret_at = best_at;
	*ret_n = best_at < 8 ? best_n : 0;
}

void
address_text(const struct address *a, char ret[46])
{
	char *p = ret;
	unsigned g[8], zeros_at, zeros_n;

	if (a->family != 6) {
		*put_v4(p, a->bytes) = '\0';
		return;
	}
	for (unsigned i = 0; i < 8; i++)
		g[i] = (unsigned)a->bytes[2 * i] << 8 | a->bytes[2 * i + 1];
	find_zeros(g, &zeros_at, &zeros_n);
	/* Section 5: an IPv4-mapped address shows its IPv4 part as such. */
	bool is_mapped = zeros_at == 0 && zeros_n == 5 && g[5] == 0xffff;
	unsigned groups = is_mapped ? 6 : 8;

	for (unsigned i = 0; i < groups;) {
		if (i == zeros_at) {
			*p++ = ':';
			*p++ = ':';
			i += zeros_n;
			continue;
		}
		if (i > 0 && i != zeros_at + zeros_n)
			*p++ = ':';
		p = put_hex(p, g[i++]);
	}
	if (is_mapped) {
		*p++ = ':';
		p = put_v4(p, a->bytes + 12);
	}
	*p = '\0';
}

bool
address_eq(const struct address *a, const struct address *b)
{
	unsigned n = a->family == 6 ? 16 : 4;

	if (a->family != b->family)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (a->bytes[i] != b->bytes[i])
			return false;
	return true;
}

bool
dns_is_lost(enum dns_status s)
{
	return s == DNS_SERVFAIL || s == DNS_TIMEOUT || s == DNS_BROKEN;
}
