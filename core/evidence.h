#ifndef KOSHIN_CORE_EVIDENCE_H
#define KOSHIN_CORE_EVIDENCE_H
/*
 * What the probes saw of one site at one time: plain facts, no judgement. classify() (core/classify.h)
 * turns it into findings; a real case becomes a test by writing its evidence down.
 */
#include "base/when.h"
#include "core/certificate.h"
#include "core/registration.h"

enum dns_status {
	DNS_NOT_ASKED,
	DNS_OK,	      /* answer or empty answer (NODATA) */
	DNS_NXDOMAIN,
	DNS_SERVFAIL, /* a server failure without a reason of DNSSEC */
	DNS_BOGUS,    /* DNSSEC validation failed; why_bogus says how */
	DNS_TIMEOUT,
	DNS_BROKEN,   /* REFUSED, NOTIMP, FORMERR, rubbish */
	DNS_LOCAL,    /* our own resolver did not work */
};

struct address {
	uint8_t family; /* 4 or 6 */
	uint8_t bytes[16];
};

enum http_result {
	HTTP_NOT_TRIED,
	HTTP_ANSWERED, /* status and body are set */
	HTTP_REFUSED, HTTP_TIMEOUT_CONNECT, HTTP_TIMEOUT_READ, HTTP_UNREACHABLE, HTTP_RESET,
	HTTP_NOT_HTTP, /* something that is not HTTP/1.x was spoken on the port */
	HTTP_TLS_FAILED, HTTP_REDIRECT_LOOP, HTTP_REDIRECT_DISALLOWED, HTTP_REDIRECT_UNRESOLVABLE,
	HTTP_FORBIDDEN_ADDRESS, /* we may not probe this address (private space, not allowed by configuration) */
};
/* GET http://name/.well-known/acme-challenge/TOKEN as the CA's validator does it, on one address. */
struct http_evidence {
	enum http_result result;
	int status;
	bool is_ours;	     /* the body is exactly the key authorization that only this installation gives */
	bool is_ours_altered; /* contains it, with other bytes */
	unsigned hops;	     /* redirects followed */
	struct str location; /* the last redirect target, empty without one */
	struct str server;   /* Server header */
	bool is_mitigated;   /* a CDN says that it stopped the request (cf-mitigated) */
	bool is_from_cache;  /* Age, or X-Cache: HIT: a copy that was kept on the way */
	struct str body;     /* first LIMIT_PROBE_BODY_BYTES */
	struct str detail;   /* the library's or system's own words for a failure */
	int32_t ms;	     /* time taken */
	unsigned tries, ours_n; /* asked so many times, and so many answers were ours; the rest here is of the first */
};

/*
 * The site's home page, as a browser opens https://name/ on one address: over the same rules as the challenge, but with 303 followed and
 * cookies kept. http.is_ours says nothing here.
 */
struct home_evidence {
	struct http_evidence http; /* NOT_TRIED: nobody answered over TLS there, or another address of the name was asked */
	bool has_hsts;		   /* browsers are told to open the name with https alone (RFC 6797) */
	unsigned insecure_n;	   /* what the page loads over http all the same: mixed content */
	struct str insecure;	   /* the first of these addresses */
};

enum tls_result { TLS_NOT_TRIED, TLS_SHOWN, TLS_REFUSED, TLS_TIMEOUT, TLS_UNREACHABLE, TLS_RESET, TLS_ALERT, TLS_FORBIDDEN_ADDRESS };
/* What the list of revoked certificates says that the certificate names (RFC 5280 5). UNKNOWN: there was no list that counts. */
enum revocation { REVOCATION_NOT_ASKED, REVOCATION_UNKNOWN, REVOCATION_GOOD, REVOCATION_REVOKED };
/* A handshake with SNI on one address: what visitors are handed. */
struct tls_evidence {
	enum tls_result result;
	bool chain_ok;	   /* the chain that was sent leads to a trusted root (dates not looked at) */
	bool chain_is_incomplete; /* it would with an intermediate that was not sent */
	struct certificate_info leaf; /* when SHOWN */
	enum revocation revocation;
	struct str crl_url, issuer_key; /* where it is asked, and with which key (SubjectPublicKeyInfo) that is signed; empty: not wanted, or none */
	struct str detail;
};

/* How TLS begins on a port: at once, or when the protocol's own word for it was said (RFC 3207, RFC 2595, RFC 4217). */
enum service_opening { SERVICE_TLS, SERVICE_SMTP, SERVICE_IMAP, SERVICE_POP3, SERVICE_FTP };
/* A handshake with a service beside the web, with SNI of the name. */
struct service_evidence {
	uint16_t port;
	enum service_opening opening;
	struct tls_evidence tls;
};

struct address_evidence {
	struct address ip;
	bool is_ours;	  /* one of the configured addresses of our servers */
	struct str front; /* the service in front of sites that it belongs to ("Cloudflare"); empty if none is known */
	bool is_reserved; /* private, loopback, link-local, documentation; neither ours nor allowed by configuration */
	struct http_evidence http;
	struct tls_evidence tls;
	struct service_evidence *services; /* at addresses of ours: those of the configuration */
	size_t services_n;
	struct home_evidence home; /* of the first address of a name that answers over TLS; the others' was not tried */
	/*
	 * The same page as a browser opens http://name/, at the first address of ours that a name has: followed as long as it stays with http. Where it is
	 * forwarded to https that is not opened, and location says where it is. Whoever forwards there: koshin's own redirect too (core/own_redirect).
	 */
	struct http_evidence plain;
};

struct caa_record {
	uint8_t flags;
	struct str tag, value;
};

/* What one name server of the zone said of the name, asked directly (RFC 1034 4.2.1). */
struct nameserver_evidence {
	struct str name;	/* "ns1.dns.example" */
	struct address ip;	/* family 0: the server's own name leads nowhere */
	enum dns_status status; /* of the question for the name's A; NOT_ASKED: its address may not be asked */
	int rcode;		/* -1 without an answer */
	bool is_authoritative;
	bool is_plain_only;	/* answers only a question of the old form: no EDNS, small letters */
	bool is_case_lost;	/* does not repeat the letters it was asked with (0x20) */
	bool is_tcp_silent;	/* cuts its answer over UDP and gives none over TCP */
	enum dns_status caa_status;
	struct str cname;	     /* alias, empty without one */
	struct address *addresses;   /* A and AAAA, each once */
	size_t addresses_n;
};
/* The zone from above: who answers for it, and what each of them says. */
struct delegation_evidence {
	bool is_asked;
	bool is_from_parent; /* the servers are those that the zone above names; else the zone's own */
	struct str zone;
	uint16_t *ds_tags;   /* key tags of the DS records at the zone above */
	size_t ds_n;
	struct nameserver_evidence *servers;
	size_t servers_n;
	struct str denied_parent; /* a name between zone and name that is denied (NXDOMAIN) although the name below exists */
};

/* What a resolver that many people use answers for the name: after a change in DNS it goes on with the old answer for a while. */
struct public_evidence {
	struct str server; /* "9.9.9.9" */
	enum dns_status status;
	uint32_t ttl_s; /* how long it will give this answer yet */
	struct address *addresses; /* A and AAAA */
	size_t addresses_n;
};

/*
 * What one vantage point saw of a name: a machine of ours in another network that looked as a CA's validator does, by its own
 * resolver and at its own addresses of the name. Only SEEN says anything of the name; the rest is about the place.
 */
enum view_result {
	VIEW_NOT_ASKED, /* by our own limits */
	VIEW_SEEN,
	VIEW_SILENT,  /* no answer, or none in time */
	VIEW_REFUSED, /* it does not answer us; detail says why */
	VIEW_BLIND,   /* it answered that it cannot look itself: no resolver, no way out */
};
struct view_address {
	struct address ip;
	struct str front; /* as of address_evidence */
	struct http_evidence http;
};
struct view_evidence {
	struct str place;
	enum view_result result;
	struct str detail;
	enum dns_status a_status, aaaa_status, caa_status;
	struct str cname_target;
	struct str caa_at;
	struct caa_record *caa;
	size_t caa_n;
	struct view_address *addresses;
	size_t addresses_n;
	int32_t ms; /* from the question to the answer */
};

struct name_evidence {
	struct str name;
	struct str reported; /* what one visitor's device said of it, in its own words; empty without a report */
	enum dns_status a_status, aaaa_status, caa_status;
	struct str why_bogus;	 /* the resolver's reason, raw */
	struct str cname_target; /* end of the alias chain, empty without one */
	bool has_wildcard; /* a name beside it that nobody uses has an address too */
	struct str misplaced; /* where a proof for dns-01 stands that was entered with the domain twice; empty: not seen */
	bool is_cname_loop;
	struct str registered_domain;	    /* by the public suffix list */
	enum dns_status registered_status;  /* SOA of the registered domain: DNS_NXDOMAIN if it does not exist */
	struct str *nameservers;	    /* NS of the registered domain, as the resolver knows them; none: not known */
	size_t nameservers_n;
	struct delegation_evidence delegation;
	struct registration registration;   /* of the registered domain, at its registry */
	uint32_t ttl_s;			    /* lowest TTL of the address answers (negative TTL for none) */
	struct str caa_at;		    /* where the CAA set was found, empty if there is none at any level */
	struct caa_record *caa;
	size_t caa_n;
	struct address_evidence *addresses;
	size_t addresses_n;
	struct public_evidence *publics; /* one for each public resolver, where they were asked */
	size_t publics_n;
	struct view_evidence *views; /* one for each vantage point, where they were asked */
	size_t views_n;
};

struct evidence {
	struct when at;
	bool has_dns, has_http, has_tls; /* which probes were part of this check's plan */
	bool resolver_works;		 /* a control question (the root) was answered; meaningful with has_dns */
	bool no_route;			 /* our machine knows no way out; meaningful when the resolver does not work */
	struct name_evidence *names;
	size_t names_n;
};
/* Text form of an address ("203.0.113.10", "2001:db8::5" in RFC 5952 form); buffer of 46 bytes. */
void address_text(const struct address *a, char ret[46]);
bool address_eq(const struct address *a, const struct address *b);
/* Nothing is known by it: no answer came, or none that can be used. */
bool dns_is_lost(enum dns_status s);
#endif
