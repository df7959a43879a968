#ifndef KOSHIN_PORTS_DNS_CONTROL_H
#define KOSHIN_PORTS_DNS_CONTROL_H
/* The control question of resolver.h: only resolver.c includes this. */
#include "ports/dns/resolver.h"

struct control_setup {
	struct loop *loop;
	const struct clock *clock;
	struct resolver *resolver;
	char *const *forwarders;
	size_t forwarders_n;
	int64_t timeout_ms;
};
MUST_USE enum err control_new(const struct control_setup *s, dns_control_fn *fn, void *arg, struct dns_control **ret);
#endif
