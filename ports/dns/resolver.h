#ifndef KOSHIN_PORTS_DNS_RESOLVER_H
#define KOSHIN_PORTS_DNS_RESOLVER_H
/*
 * Asks DNS as a CA's validator does: libunbound on the process's loop, with QNAME minimisation, random case
 * (0x20), EDNS of 1232 bytes, and DNSSEC where there is a trust anchor. It keeps no opinion: an answer goes to
 * who asked.
 *
 * Freshness: whoever begins a check gives the names first (resolver_begin). Answers about them are then not older
 * than that call, whatever their TTL, so a change that an owner just made is seen. What names share (CAA of the
 * domain above, the servers of .jp) may have been asked for another name, at most 30 s before.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/str.h"
#include "core/evidence.h"
#include "ports/dns/from.h"
#include "ports/loop/loop.h"

enum { DNS_A = 1, DNS_NS = 2, DNS_CNAME = 5, DNS_SOA = 6, DNS_TXT = 16, DNS_AAAA = 28, DNS_CAA = 257 };

struct resolver_options {
	const char *const *forwarders; /* "127.0.0.1@5300"; none: iterate from the root */
	size_t forwarders_n;
	const char *trust_anchor_file; /* NULL: no validation when there are forwarders, else the root keys built in */
	struct from from;
	int64_t timeout_ms;	       /* for one question: libunbound alone would try for half a minute and longer */
};
struct resolver;
struct dns_ask; /* one question under way */

/* Borrowed for the call. */
struct dns_answer {
	enum dns_status status; /* never NOT_ASKED */
	struct str canonical;	/* end of the alias chain; empty if the name is no alias */
	struct str why_bogus;
	uint32_t ttl_s; /* of the answer, or of its absence */
	struct str *data; /* RDATA of the type asked for, in wire form */
	size_t data_n;
};
typedef void dns_fn(void *arg, const struct dns_answer *answer);

MUST_USE enum err resolver_new(struct loop *l, const struct clock *c, const struct resolver_options *o,
    struct why *why, struct resolver **ret);
/* Questions under way are dropped: their functions are not called. */
void resolver_free(struct resolver **r);
MUST_USE enum err resolver_begin(struct resolver *r, const struct str *names, size_t n);
/* fn is called once, never from inside; not at all after resolver_drop. A resolver that fails answers DNS_LOCAL.
 * Only so many questions are open at one time: others wait in line, and timeout_ms begins when their turn has come. */
MUST_USE enum err resolver_ask(struct resolver *r, struct str name, int type, dns_fn *fn, void *arg,
    struct dns_ask **ret);
void resolver_drop(struct dns_ask **ask); /* a no-op for NULL */
bool resolver_is_waiting(const struct dns_ask *ask); /* in line: nobody was asked yet, and no silence says anything. False for NULL */
/* Makes the next questions start with an empty memory: the reason of a DNSSEC failure is precise only the first time. */
void resolver_forget(struct resolver *r);

/* Does the resolver work at all? Any answer of a forwarder but SERVFAIL says so; without forwarders, the root's. */
struct dns_control;
typedef void dns_control_fn(void *arg, bool works);
MUST_USE enum err resolver_control(struct resolver *r, int64_t timeout_ms, dns_control_fn *fn, void *arg,
    struct dns_control **ret);
void resolver_control_drop(struct dns_control **control);
/* "192.0.2.1@53", "2001:db8::1@5353", "192.0.2.1": an address to ask, with port 53 where none is given. */
bool dns_endpoint_read(const char *text, struct sockaddr_storage *ret, socklen_t *ret_n);
/* Does the kernel know a way to it? Nothing is sent. */
bool dns_has_route(const char *endpoint);
#endif
