#ifndef KOSHIN_PORTS_PROBE_JOB_H
#define KOSHIN_PORTS_PROBE_JOB_H
/*
 * The inside of the real probe: only net.c and look.c include this. One job is the evidence of some names; one look
 * is what is asked of DNS about one name; one point is one of its addresses, over HTTP and TLS.
 *
 * job.open counts what is under way; each ends with exactly one job_release, and the last one finishes the job.
 */
#include "ports/dns/authority.h"
#include "ports/dns/publics.h"
#include "ports/dns/resolver.h"
#include "ports/probe/crl.h"
#include "ports/probe/fetch.h"
#include "ports/probe/issuers.h"
#include "ports/probe/net.h"
#include "ports/probe/shake.h"
#include "ports/rdap/rdap.h"
#include "ports/vantage/ask.h"

enum {
	FETCH_TRIES = 5,	/* where the answers of one address may differ */
	ALIAS_STEPS_MAX = 12,	/* of a chain that is looked at name by name, only after a failure */
	REASONS_ASKED_MAX = 4,	/* names of one job for which the reason of a DNSSEC failure is asked for anew */
	ADDRESSES_KEPT_MAX = 4 * 16, /* of one name in the evidence; the first LIMIT_ADDRESSES are probed */
};

struct job;
struct point;
struct service_shake {
	struct point *point;
	struct shake *shake;
};
struct point {
	struct job *job;
	struct fetch *fetch, *home, *plain;
	struct shake *shake;
	struct crl_wait *crl;
	struct mono begun; /* what is asked after the handshake has as long as what was asked beside it */
	struct loop_timer *beside;
	struct service_shake *services; /* one for each of e->services */
	struct look *look;
	struct address_evidence *e;
	struct http_evidence again; /* of the later tries, of which only one thing is told */
};
struct look {
	struct job *job;
	struct name_evidence *e;
	struct dns_ask *a, *aaaa, *soa, *alias, *again, *wild, *ns, *twice;
	struct look *ns_asker; /* an earlier name of the same domain, whose question for name servers is ours too; NULL: ours is our own */
	bool is_ns_awaited; /* counted in the job: the answer is waited for */
	struct rdap_wait *registration;
	struct survey *survey;
	struct publics_round *publics;
	struct address *found_a, *found_aaaa; /* in the arena */
	size_t found_a_n, found_aaaa_n;
	uint32_t ttl_present_s, ttl_absent_s; /* lowest of the answers with and without data; UINT32_MAX: none */
	struct str chain[ALIAS_STEPS_MAX + 1];
	size_t chain_n;
	struct str caa_at; /* the level that is waited for; empty: not asked, or done */
	struct point *points; /* one for each of e->addresses */
	bool is_home_asked, is_plain_asked;
};
/* The CAA set at one level, shared by the names of the job below it. */
struct caa_level {
	struct caa_level *next;
	struct job *job;
	struct str at;
	struct dns_ask *ask;
	bool is_done;
	enum dns_status status;
	struct str why_bogus;
	struct caa_record *records;
	size_t n;
};
struct job {
	struct job *next, **link;
	struct probe_net *net;
	struct evidence_box *box;
	struct probe_job wanted; /* its strings in the arena */
	probe_done *done;
	void *arg;
	struct loop_timer *start, *deadline;
	struct look *looks;
	size_t looks_n;
	struct caa_level *levels;
	unsigned open, reasons_asked;
	struct dns_control *control;
	struct vantage_ask *views;
	struct str token, key_authorization;
};

struct probe_net {
	struct loop *loop;
	struct clock clock;
	struct probe_net_options o;
	struct address *ours;
	struct address_range *allowed;
	struct probe_front *fronts;
	struct probe_service *services;
	struct resolver *resolver;
	struct authority *authority;
	struct publics *publics;
	struct rdap *rdap; /* NULL: registries are not asked */
	struct gate gate;
	struct fetcher *fetcher;
	struct shaker *shaker;
	struct crls *crls;
	struct issuers *issuers;
	struct job *jobs;
	unsigned jobs_n;
};

void job_release(struct job *j);
/* The handshake of this address is over: asks what comes after it, counted in the job. */
void beside_begin(struct point *p);
/* DNS of the name is known: its addresses are probed. */
void job_probe_addresses(struct look *k);

/* Asks; what it begins is counted in the job. */
void look_begin(struct look *k);
/* Asks the zone's servers themselves; counted in the job. */
void look_ask_servers(struct look *k);
/* Ends the questions that nobody waits for; uncounted. */
void look_drop_unawaited(struct job *j);
/* Ends all questions of the job now, as time-outs, without counting. */
void look_stop_all(struct job *j);
#endif
