#ifndef KOSHIN_PORTS_DNS_PACKET_H
#define KOSHIN_PORTS_DNS_PACKET_H
/* Reads what a name server has sent: its bytes are a stranger's. */
#include "base/arena.h"
#include "core/evidence.h"
#include "ports/dns/exchange.h"

/* ldns_wire2pkt for a message whose records are all whole (RFC 1035 4.1). False for any other, and for what ldns does not take. */
MUST_USE bool packet_read(const uint8_t *wire, size_t n, ldns_pkt **ret);
/* In small letters, without the final dot; empty for one that is too long or has control characters in it. */
struct str packet_name(const ldns_rdf *name, struct arena *a);
/* Of an A or AAAA record; false for any other. */
bool packet_address(const ldns_rr *rr, struct address *ret);
/* Addresses of the answer section, in their order, and the first alias, beside those that e has already; the 33rd address is left out. */
void packet_addresses(const ldns_pkt *p, struct arena *a, struct nameserver_evidence *e);
#endif
