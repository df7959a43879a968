#include "ports/probe/address.h"

#include <arpa/inet.h>
#include <string.h>

#include "ports/probe/net.h"

enum err
address_read(struct str s, struct address *ret)
{
	struct address a = { 0 };
	char text[INET6_ADDRSTRLEN];

	if (s.n == 0 || s.n >= sizeof text || memchr(s.p, '\0', s.n) != NULL)
		return ERR_INVALID;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (inet_pton(AF_INET, text, a.bytes) == 1)
		a.family = 4;
	else if (inet_pton(AF_INET6, text, a.bytes) == 1)
		a.family = 6;
	else
		return ERR_INVALID;
	*ret = a;
	return ERR_OK;
}

enum err
address_range_read(struct str s, struct address_range *ret)
{
	struct address_range r = { 0 };
	bool has_bits = s.n > 0 && memchr(s.p, '/', s.n) != NULL;
	struct str host = str_cut(&s, '/');
	int64_t bits;

	enum err e = address_read(host, &r.base);
	if (e != ERR_OK)
		return e;
	bits = r.base.family == 4 ? 32 : 128;
	r.bits = (uint8_t)bits;
	if (has_bits) {
		int64_t max = bits;

		if (!str_to_int(s, &bits) || bits < 0 || bits > max)
			return ERR_INVALID;
		r.bits = (uint8_t)bits;
	}
	*ret = r;
	return ERR_OK;
}

static bool
bits_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

bool
address_in(const struct address *a, const struct address_range *r)
{
	return a->family == r->base.family && bits_equal(a->bytes, r->base.bytes, r->bits);
}

struct prefix {
	uint8_t bytes[8];
	uint8_t bits;
};

static bool
is_v4_reserved(const uint8_t b[4])
{
	static const struct prefix table[] = {
		{ { 0 }, 8 },		  /* this network */
		{ { 10 }, 8 },		  /* RFC 1918 */
		{ { 100, 64 }, 10 },	  /* RFC 6598, carrier-grade NAT */
		{ { 127 }, 8 },		  /* loopback */
		{ { 169, 254 }, 16 },	  /* link-local; metadata services of clouds */
		{ { 172, 16 }, 12 },	  /* RFC 1918 */
		{ { 192, 0, 0 }, 24 },	  /* IETF protocol assignments */
		{ { 192, 0, 2 }, 24 },	  /* documentation */
		{ { 192, 88, 99 }, 24 },  /* 6to4 relays */
		{ { 192, 168 }, 16 },	  /* RFC 1918 */
		{ { 198, 18 }, 15 },	  /* benchmarks */
		{ { 198, 51, 100 }, 24 }, /* documentation */
		{ { 203, 0, 113 }, 24 },  /* documentation */
		{ { 224 }, 4 },		  /* multicast */
		{ { 240 }, 4 },		  /* future use, broadcast */
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (bits_equal(b, table[i].bytes, table[i].bits))
			return true;
	return false;
}

bool
address_is_reserved(const struct address *a)
{
	static const struct prefix table[] = {
		{ { 0x20, 0x01, 0x00 }, 23 },	    /* IETF assignments, Teredo among them */
		{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
		{ { 0x3f, 0xff, 0x00 }, 20 },	    /* documentation */
	};
	static const struct prefix global = { { 0x20 }, 3 },
				   six_to_four = { { 0x20, 0x02 }, 16 };

	if (a->family == 4)
		return is_v4_reserved(a->bytes);
	if (!bits_equal(a->bytes, global.bytes, global.bits))
		return true; /* loopback, mapped, NAT64, unique local, link-local, multicast … */
	if (bits_equal(a->bytes, six_to_four.bytes, six_to_four.bits))
		return is_v4_reserved(a->bytes + 2);
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (bits_equal(a->bytes, table[i].bytes, table[i].bits))
			return true;
	return false;
}

enum err
probe_service_read(struct str s, struct probe_service *ret)
{
	static const char *const words[] = { [SERVICE_TLS] = "", [SERVICE_SMTP] = "smtp", [SERVICE_IMAP] = "imap",
		[SERVICE_POP3] = "pop3", [SERVICE_FTP] = "ftp" };
	struct str word = s, port = str_cut(&word, ' ');
	int64_t n;

	word = str_trim(word);
	if (!str_to_int(port, &n) || n < 1 || n > UINT16_MAX)
		return ERR_INVALID;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_eq(word, str_of(words[i]))) {
			*ret = (struct probe_service){ (uint16_t)n, (enum service_opening)i };
			return ERR_OK;
		}
	return ERR_INVALID;
}

enum err
probe_front_read(struct str s, struct probe_front *ret)
{
	struct probe_front f = { .name = "" };
	struct str name = s, range = str_cut(&name, ' ');

	name = str_trim(name);
	if (name.n == 0 || name.n >= sizeof f.name || !str_is_line(name) ||
	    !str_is_utf8(name) || address_range_read(range, &f.range) != ERR_OK)
		return ERR_INVALID;
	memcpy(f.name, name.p, name.n);
	*ret = f;
	return ERR_OK;
}
