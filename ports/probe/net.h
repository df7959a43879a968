#ifndef KOSHIN_PORTS_PROBE_NET_H
#define KOSHIN_PORTS_PROBE_NET_H
/* The real probe: libunbound, libcurl multi and OpenSSL on the process's loop. The process ignores SIGPIPE. */
#include "ports/loop/loop.h"
#include "ports/dns/from.h"
#include "ports/probe/probe.h"

struct address_range {
	struct address base;
	uint8_t bits;
};
/* A service in front of web sites; a name of 0 bytes is none. */
struct probe_front {
	struct address_range range;
	char name[64];
};
/* A service beside the web, at our addresses: its port, and how TLS begins there. */
struct probe_service {
	uint16_t port;
	enum service_opening opening;
};
struct vantages;
struct probe_net_options {
	const struct address *ours; /* addresses of our servers */
	size_t ours_n;
	const struct address_range *allowed; /* reserved ranges that may be probed all the same */
	size_t allowed_n;
	const struct probe_front *fronts; /* beside those that are known (core/front.tbl) */
	size_t fronts_n;
	const struct probe_service *services;
	size_t services_n;
	const char *const *forwarders; /* "127.0.0.1@5300"; none: iterate from the root */
	size_t forwarders_n;
	const char *const *publics; /* resolvers of the public, "9.9.9.9@53"; none: not asked */
	size_t publics_n;
	const char *const *outside; /* points by which a route out is known: "198.41.0.4@53"; none: not looked at. Borrowed */
	size_t outside_n;
	const char *trust_anchor_file; /* DNSSEC root key; NULL: no validation when there are forwarders, else built in */
	const char *roots;	       /* PEM file of the roots that visitors trust; NULL: the system's */
	uint16_t dns_port;	       /* of name servers that are asked directly: 53 but in tests */
	struct from from;
	struct vantages *vantages;     /* borrowed, outlives the probe; NULL: there are none */
	const char *rdap;	       /* bootstrap of the registries: URL or path; NULL: registries are not asked */
	uint16_t http_port, https_port; /* 80 and 443 but in tests */
	int64_t timeout_ms;		/* for one connection */
	int64_t deadline_ms;		/* for a whole job */
};
struct probe_net;
MUST_USE enum err probe_net_new(struct loop *l, const struct clock *c, const struct probe_net_options *o,
    struct why *why, struct probe_net **ret);
/* The same with what the configuration says. */
struct config;
MUST_USE enum err probe_net_configured(struct loop *l, const struct clock *c, const struct config *config,
    struct vantages *vantages, struct why *why, struct probe_net **ret);
void probe_net_free(struct probe_net **p);
struct probe probe_net_port(struct probe_net *p);
/* Who asks for issuers' certificates by the same rules (ports/probe/issuers.h); lives as long as the probe. */
struct issuers;
struct issuers *probe_net_issuers(struct probe_net *p);
/* "203.0.113.10", "2001:db8::5"; a range as "10.0.0.0/8". */
MUST_USE enum err address_read(struct str s, struct address *ret);
MUST_USE enum err address_range_read(struct str s, struct address_range *ret);
/* "993", or "587 smtp" where TLS begins later: smtp, imap, pop3, ftp. */
MUST_USE enum err probe_service_read(struct str s, struct probe_service *ret);
/* "203.0.113.0/24 NAME". */
MUST_USE enum err probe_front_read(struct str s, struct probe_front *ret);
bool address_in(const struct address *a, const struct address_range *r);
#endif
