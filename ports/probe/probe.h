#ifndef KOSHIN_PORTS_PROBE_PROBE_H
#define KOSHIN_PORTS_PROBE_PROBE_H
/*
 * Gathers evidence about host names as a CA's validator and a visitor would see them: DNS through a validating
 * resolver, the challenge path over HTTP on each address, a TLS handshake with SNI on each address. In parallel,
 * with a deadline for the whole; what has no answer by then is evidence too.
 * Implementations: ports/probe/net.c (with ports/dns/), sim/probe.c.
 *
 * Safe by itself: an address that is not allowed is not connected to, also not by redirect or by a second DNS
 * answer (the address checked is the address connected).
 *
 * `done` is never called from inside submit. It owns the evidence and frees it with evidence_free.
 */
#include "base/arena.h"
#include "core/evidence.h"

/* What has come in of a job under way, for a person who waits: the name's addresses, or what one of them said. The rest of the
 * evidence is not complete yet. What the deadline cuts off is not told. */
enum probe_step { PROBE_STEP_ADDRESSES, PROBE_STEP_HTTP, PROBE_STEP_TLS, PROBE_STEP_VIEW };
struct probe_news {
	enum probe_step step;
	const struct name_evidence *name;
	const struct address_evidence *at; /* HTTP, TLS */
	const struct view_evidence *view;  /* VIEW: what a vantage point says of the name */
};
typedef void probe_told(void *arg, const struct probe_news *news);

struct probe_job {
	const struct str *names; /* ASCII */
	size_t names_n;
	bool want_dns, want_http, want_tls; /* without want_dns the given addresses are not needed: DNS is asked for them */
	bool want_registration; /* waits for the registry's answer; without it what is known at hand is taken, and the
				 * registry is waited for only where DNS has no answer */
	bool is_thorough; /* a person wants to know: each name server of the zone is asked itself, each address several times.
			   * Without it only where there is trouble */
	bool is_narrow; /* what a CA's validator asks, and nothing beside it: no registry, no name servers, no home page */
	bool want_views; /* the vantage points of the configuration are asked too; each look costs them a look */
	int64_t deadline_ms; /* sooner than the probe's own; 0: that */
	probe_told *told; /* NULL: nobody waits. Called with the `arg` of submit, before `done` */
	struct str thumbprint; /* of the account key: the answer to TOKEN is TOKEN "." thumbprint; empty: no HTTP probe */
};
struct evidence_box {
	struct evidence evidence;
	struct arena arena; /* holds it */
};
void evidence_box_free(struct evidence_box **b);
typedef void probe_done(void *arg, struct evidence_box *box);
struct probe {
	void *ctx;
	enum err (*submit)(void *ctx, const struct probe_job *job, probe_done *done, void *arg);
};
#endif
