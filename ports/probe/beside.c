/*
 * What is asked when the handshake of an address is over: the home page, over HTTPS and over HTTP, and the list of revoked certificates that the
 * certificate names. All have until the challenge and the handshake, asked before them, would have been given up: none makes a look longer.
 */
#include "ports/probe/job.h"

static void
on_beside(void *arg)
{
	struct point *p = arg;
	unsigned ended = (p->home != NULL ? 1U : 0U) + (p->plain != NULL ? 1U : 0U) + (p->crl != NULL ? 1U : 0U);

	p->beside = NULL;
	fetch_stop(&p->home);
	fetch_stop(&p->plain);
	crl_drop(&p->crl);
	for (; ended > 0; ended--)
		job_release(p->job);
}

static bool
is_any_open(const struct point *p)
{
	return p->home != NULL || p->plain != NULL || p->crl != NULL;
}

static void
limit_beside(struct point *p)
{
	struct job *j = p->job;
	int64_t left = j->net->o.timeout_ms - (clock_mono(&j->net->clock).ms - p->begun.ms);

	if (is_any_open(p))
		p->beside = loop_after(j->net->loop, left > 0 ? left : 0, on_beside, p);
}

static void
end_beside(struct point *p)
{
	if (!is_any_open(p))
		loop_cancel(p->job->net->loop, &p->beside);
	job_release(p->job);
}

static void
on_home(void *arg)
{
	struct point *p = arg;

	p->home = NULL;
	end_beside(p);
}

/* The home page, once a name: at an address that leads to us, or where a person wants to know. What else others serve is asked for by nobody. */
static void
start_home(struct point *p)
{
	struct job *j = p->job;
	const struct fetch_target t = {
		.name = p->look->e->name,
		.ip = p->e->ip,
		.arena = &j->box->arena,
		.into = &p->e->home.http,
		.home = &p->e->home,
		.done = on_home,
		.arg = p,
	};
	bool is_wanted = j->wanted.want_http && !j->wanted.is_narrow && (j->wanted.is_thorough || p->e->is_ours || p->e->front.n > 0);

	if (!is_wanted || p->look->is_home_asked || p->e->tls.result != TLS_SHOWN ||
	    fetch_start(j->net->fetcher, &t, &p->home) != ERR_OK)
		return;
	p->look->is_home_asked = true;
	j->open++;
}

static void
on_plain(void *arg)
{
	struct point *p = arg;

	p->plain = NULL;
	end_beside(p);
}

/* Where the page leads who opens it over HTTP, once a name: of ours alone, for what becomes of them when HTTPS ends here. */
static void
start_plain(struct point *p)
{
	struct job *j = p->job;
	const struct fetch_target t = {
		.name = p->look->e->name,
		.ip = p->e->ip,
		.arena = &j->box->arena,
		.into = &p->e->plain,
		.is_plain = true,
		.done = on_plain,
		.arg = p,
	};

	if (!j->wanted.want_http || j->wanted.is_narrow || !p->e->is_ours || p->look->is_plain_asked ||
	    fetch_start(j->net->fetcher, &t, &p->plain) != ERR_OK)
		return;
	p->look->is_plain_asked = true;
	j->open++;
}

static void
on_revocation(void *arg)
{
	struct point *p = arg;

	p->crl = NULL;
	end_beside(p);
}

/* A certificate that browsers would take: its issuer may have taken it back. */
static void
ask_revocation(struct point *p)
{
	struct tls_evidence *t = &p->e->tls;

	if (p->job->wanted.want_http && t->result == TLS_SHOWN && t->chain_ok &&
	    crl_ask(p->job->net->crls, t, on_revocation, p, &p->crl) == ERR_OK && p->crl != NULL)
		p->job->open++;
}

void
beside_begin(struct point *p)
{
	start_home(p);
	start_plain(p);
	ask_revocation(p);
	limit_beside(p);
}
