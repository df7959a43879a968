#include "ports/dns/packet.h"
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"

enum {
	ADDRESSES_MAX = 32, /* that one server gives for a name */
	HEADER_BYTES = 12,
	LABEL_MAX = 63,
	POINTER = 0xc0, /* the two highest bits: the rest of the name is elsewhere */
};

/* Past the name, and `more` bytes after it. False if they are not there. */
static bool
pass(const uint8_t *wire, size_t n, size_t more, size_t *at)
{
	while (*at < n && wire[*at] != 0 && wire[*at] < POINTER) {
		if (wire[*at] > LABEL_MAX)
			return false;
		*at += 1U + wire[*at];
	}
	if (*at >= n)
		return false;
	*at += wire[*at] == 0 ? 1 : 2;
	*at += more;
	return *at <= n;
}

static bool
is_whole(const uint8_t *wire, size_t n)
{
	size_t at = HEADER_BYTES;

	if (n < HEADER_BYTES)
		return false;
	for (size_t i = ldns_read_uint16(wire + 4); i > 0; i--)
		if (!pass(wire, n, 4, &at))
			return false;
	size_t records = (size_t)ldns_read_uint16(wire + 6) + ldns_read_uint16(wire + 8) + ldns_read_uint16(wire + 10);
	for (size_t i = records; i > 0; i--) {
		if (!pass(wire, n, 10, &at))
			return false;
		at += ldns_read_uint16(wire + at - 2);
		if (at > n)
			return false;
	}
	return true;
}

/* ldns loses what it has read of a record that is cut short: whoever sends many of them would have our memory. */
bool
packet_read(const uint8_t *wire, size_t n, ldns_pkt **ret)
{
	return is_whole(wire, n) && ldns_wire2pkt(ret, wire, n) == LDNS_STATUS_OK;
}

struct str
packet_name(const ldns_rdf *name, struct arena *a)
{
	char *text = ldns_rdf2str(name);
	struct str s = str_of(text);

	if (s.n > 0 && s.p[s.n - 1] == '.')
		s.n--;
	for (size_t i = 0; i < s.n; i++)
		if (text[i] >= 'A' && text[i] <= 'Z')
			text[i] = (char)(text[i] - 'A' + 'a');
	s = s.n > 0 && s.n <= LIMIT_NAME_BYTES && str_is_line(s) ? arena_str(a, s) : STR_NONE;
	free(text);
	return s;
}

bool
packet_address(const ldns_rr *rr, struct address *ret)
{
	size_t bytes = ldns_rr_get_type(rr) == LDNS_RR_TYPE_A ? 4 : 16;
	const ldns_rdf *data = ldns_rr_rdf(rr, 0);

	if ((ldns_rr_get_type(rr) != LDNS_RR_TYPE_A &&
		ldns_rr_get_type(rr) != LDNS_RR_TYPE_AAAA) ||
	    data == NULL || ldns_rdf_size(data) != bytes)
		return false;
	*ret = (struct address){ .family = bytes == 4 ? 4 : 6 };
	memcpy(ret->bytes, ldns_rdf_data(data), bytes);
	return true;
}

static int
compare(const struct address *a, const struct address *b)
{
	return a->family != b->family ? a->family - b->family : memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

/* In its place, and once. */
static void
put_address(struct nameserver_evidence *e, const struct address *ip)
{
	size_t at = e->addresses_n;

	for (size_t i = 0; i < e->addresses_n; i++)
		if (address_eq(&e->addresses[i], ip))
			return;
	for (; at > 0 && compare(&e->addresses[at - 1], ip) > 0; at--)
		e->addresses[at] = e->addresses[at - 1];
	e->addresses[at] = *ip;
	e->addresses_n++;
}

void
packet_addresses(const ldns_pkt *p, struct arena *a, struct nameserver_evidence *e)
{
	const ldns_rr_list *list = ldns_pkt_answer(p);

	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		struct address ip;

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME && e->cname.n == 0 &&
		    ldns_rr_rd_count(rr) > 0)
			e->cname = packet_name(ldns_rr_rdf(rr, 0), a);
		if (!packet_address(rr, &ip) || e->addresses_n == ADDRESSES_MAX)
			continue;
		if (e->addresses == NULL)
			e->addresses =
			    arena_get(a, ADDRESSES_MAX * sizeof *e->addresses);
		if (e->addresses != NULL)
			put_address(e, &ip);
	}
}
