#ifndef KOSHIN_PORTS_DNS_REPLY_H
#define KOSHIN_PORTS_DNS_REPLY_H
/* Reads the message in which libunbound answers a question: put together by it, of records that strangers wrote. */
#include "base/arena.h"
#include "ports/dns/exchange.h"
#include "ports/dns/resolver.h"

/* By the response code (RFC 1035 4.1.1). */
enum dns_status reply_status(int rcode);
/* Seconds that the answer holds: as long as each of its records does, and an absence as RFC 2308 5 says. 0: nobody knows. */
uint32_t reply_ttl(const ldns_pkt *p, bool is_absent);
/* Status, alias, TTL and data of the record type that was asked for; why_bogus is left alone. BROKEN for what is no DNS message. */
void reply_read(struct str wire, int type, struct arena *a, struct dns_answer *ret);
#endif
