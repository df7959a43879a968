#include "ports/dns/packet.h"
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"

enum { ADDRESSES_MAX = 32 /* that one server gives for a name */ };

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

void
packet_addresses(const ldns_pkt *p, struct arena *a, struct nameserver_evidence *e)
{
	const ldns_rr_list *list = ldns_pkt_answer(p);

	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		struct address ip;
		bool is_new = true;

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME && e->cname.n == 0 &&
		    ldns_rr_rd_count(rr) > 0)
			e->cname = packet_name(ldns_rr_rdf(rr, 0), a);
		if (!packet_address(rr, &ip) || e->addresses_n == ADDRESSES_MAX)
			continue;
		if (e->addresses == NULL)
			e->addresses =
			    arena_get(a, ADDRESSES_MAX * sizeof *e->addresses);
		for (size_t k = 0; k < e->addresses_n; k++)
			is_new = is_new && !address_eq(&e->addresses[k], &ip);
		if (is_new && e->addresses != NULL)
			e->addresses[e->addresses_n++] = ip;
	}
}

enum { SOA_MINIMUM = 6 }; /* its place among the fields (RFC 1035 3.3.13) */

uint32_t
packet_left_s(const ldns_pkt *p)
{
	const ldns_rr_list *answer = ldns_pkt_answer(p), *authority = ldns_pkt_authority(p);
	uint32_t left_s = UINT32_MAX;
	bool has_address = false;

	for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(answer, i);
		struct address ip;

		has_address = has_address || packet_address(rr, &ip);
		if (ldns_rr_ttl(rr) < left_s)
			left_s = ldns_rr_ttl(rr);
	}
	if (has_address)
		return left_s;
	for (size_t i = 0; i < ldns_rr_list_rr_count(authority); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(authority, i);
		const ldns_rdf *minimum = ldns_rr_get_type(rr) == LDNS_RR_TYPE_SOA ? ldns_rr_rdf(rr, SOA_MINIMUM) : NULL;

		if (minimum == NULL || ldns_rdf_size(minimum) != sizeof left_s)
			continue;
		uint32_t most_s = ldns_rdf2native_int32(minimum), ttl_s = ldns_rr_ttl(rr);

		return ttl_s < most_s ? ttl_s : most_s;
	}
	return 0;
}
