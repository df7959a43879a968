#ifndef KOSHIN_PORTS_DNS_EXCHANGE_H
#define KOSHIN_PORTS_DNS_EXCHANGE_H
/*
 * One question to one name server, without a resolver between: over UDP, again once after silence, over TCP when the
 * answer was cut. Who may be asked is the caller's business.
 */
/* ldns names two types in passing that OpenSSL keeps from whoever wants nothing deprecated. None is used here. */
typedef struct rsa_st RSA;
typedef struct dsa_st DSA;
#include <ldns/ldns.h>

#include "core/evidence.h"
#include "ports/dns/from.h"
#include "ports/loop/loop.h"

struct exchange_question {
	struct address server;
	uint16_t port;
	struct str name;
	int type;
	bool is_to_resolver; /* it shall ask on, or answer from its memory (RD); else an authority is asked */
	bool is_plain;	  /* without EDNS (RFC 6891), and in small letters */
	bool want_dnssec; /* DO bit: a referral then tells its DS */
	struct from from;
	int64_t timeout_ms; /* for one try */
};
struct exchange_answer {
	enum dns_status status; /* OK, NXDOMAIN, SERVFAIL, TIMEOUT, BROKEN (REFUSED, NOTIMP, FORMERR, rubbish), LOCAL */
	int rcode;		/* -1 without an answer */
	bool is_authoritative;	/* AA */
	bool was_cut;		/* TC over UDP */
	bool is_tcp_silent;	/* cut over UDP, and nothing came over TCP */
	bool is_case_lost;	/* the question came back in other letters than it was asked in (0x20) */
	const ldns_pkt *packet; /* NULL without an answer that can be read */
};
/* Borrowed for the call. */
typedef void exchange_fn(void *arg, const struct exchange_answer *answer);

struct exchange;
/* The question's name is copied. The exchange is gone when fn is called: its owner sets its pointer to NULL there.
 * fn is called once, never from inside; not at all after exchange_stop. LOCAL: no socket can be had. */
MUST_USE enum err exchange_start(struct loop *l, const struct clock *c, const struct exchange_question *q, exchange_fn *fn,
    void *arg, struct exchange **ret);
void exchange_stop(struct exchange **x); /* a no-op for NULL */
#endif
