#include "ports/dns/reply.h"
#include <stdlib.h>
#include <string.h>

#include "ports/dns/packet.h"

enum { DATA_MAX = 512 }; /* records of one answer that are read: more CAA is in no 64 KiB */

enum dns_status
reply_status(int rcode)
{
	switch (rcode) {
	case LDNS_RCODE_NOERROR:
		return DNS_OK;
	case LDNS_RCODE_NXDOMAIN:
		return DNS_NXDOMAIN;
	case LDNS_RCODE_SERVFAIL:
		return DNS_SERVFAIL;
	default:
		return DNS_BROKEN;
	}
}

/* The alias of `name`; NULL: none. */
static const ldns_rdf *
alias_of(const ldns_rr_list *answer, const ldns_rdf *name)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(answer, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME && ldns_rr_rd_count(rr) > 0 &&
		    ldns_dname_compare(ldns_rr_owner(rr), name) == 0)
			return ldns_rr_rdf(rr, 0);
	}
	return NULL;
}

/* Where the aliases end. A chain is not longer than the answer, so one that goes round in it ends too. */
static const ldns_rdf *
end_of(const ldns_rr_list *answer, const ldns_rdf *name)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
		const ldns_rdf *next = alias_of(answer, name);

		if (next == NULL)
			break;
		name = next;
	}
	return name;
}

static struct str
rdata_of(const ldns_rr *rr, ldns_buffer *b, struct arena *a)
{
	ldns_buffer_clear(b);
	if (ldns_rr_rdata2buffer_wire(b, rr) != LDNS_STATUS_OK)
		return STR_NONE;
	return arena_str(
	    a, (struct str){ (const char *)ldns_buffer_begin(b), ldns_buffer_position(b) });
}

/* Of RDATA (RFC 4034 6.3). */
static int
compare(const void *a, const void *b)
{
	const struct str *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int d = n > 0 ? memcmp(x->p, y->p, n) : 0;

	return d != 0 ? d : (x->n > y->n) - (x->n < y->n);
}

/* Servers turn the records round from answer to answer; what is said of them does not change with it. */
static void
read_data(const ldns_rr_list *answer, const ldns_rdf *owner, int type, struct arena *a,
    struct dns_answer *ret)
{
	size_t n = ldns_rr_list_rr_count(answer);
	ldns_buffer *b = n > 0 ? ldns_buffer_new(LDNS_MIN_BUFLEN) : NULL;

	if (n > DATA_MAX)
		n = DATA_MAX;
	ret->data = b != NULL ? arena_get(a, n * sizeof *ret->data) : NULL;
	for (size_t i = 0; ret->data != NULL && i < n; i++) {
		const ldns_rr *rr = ldns_rr_list_rr(answer, i);

		if ((int)ldns_rr_get_type(rr) == type &&
		    ldns_dname_compare(ldns_rr_owner(rr), owner) == 0)
			ret->data[ret->data_n++] = rdata_of(rr, b, a);
	}
	if (ret->data_n > 1)
		qsort(ret->data, ret->data_n, sizeof *ret->data, compare);
	ldns_buffer_free(b);
}

uint32_t
reply_ttl(const ldns_pkt *p, bool is_absent)
{
	const ldns_rr_list *answer = ldns_pkt_answer(p), *authority = ldns_pkt_authority(p);
	uint32_t ttl = UINT32_MAX;

	for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++)
		if (ldns_rr_ttl(ldns_rr_list_rr(answer, i)) < ttl)
			ttl = ldns_rr_ttl(ldns_rr_list_rr(answer, i));
	for (size_t i = 0; is_absent && i < ldns_rr_list_rr_count(authority); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(authority, i);
		const ldns_rdf *minimum =
		    ldns_rr_get_type(rr) == LDNS_RR_TYPE_SOA ? ldns_rr_rdf(rr, 6) : NULL;

		if (minimum == NULL || ldns_rdf_size(minimum) != 4)
			continue;
		if (ldns_rdf2native_int32(minimum) < ttl)
			ttl = ldns_rdf2native_int32(minimum);
		if (ldns_rr_ttl(rr) < ttl)
			ttl = ldns_rr_ttl(rr);
	}
	return ttl == UINT32_MAX ? 0 : ttl;
}

void
reply_read(struct str wire, int type, struct arena *a, struct dns_answer *ret)
{
	ldns_pkt *p = NULL;

	ret->status = DNS_BROKEN;
	if (!packet_read((const uint8_t *)wire.p, wire.n, &p))
		return;
	const ldns_rr_list *answer = ldns_pkt_answer(p);
	const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(p), 0);
	if (question != NULL) {
		const ldns_rdf *name = ldns_rr_owner(question);
		const ldns_rdf *end = type == DNS_CNAME ? name : end_of(answer, name);

		ret->status = reply_status((int)ldns_pkt_get_rcode(p));
		if (ldns_dname_compare(name, end) != 0)
			ret->canonical = packet_name(end, a);
		if (ret->status == DNS_OK)
			read_data(answer, end, type, a, ret);
		ret->ttl_s = reply_ttl(p, ret->data_n == 0);
	}
	ldns_pkt_free(p);
}
