#include "ports/probe/net.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/must.h"
#include "core/front.h"
#include "ports/names/names.h"
#include "ports/probe/address.h"
#include "ports/probe/job.h"

enum {
	TOKEN_BYTES = 32, /* as long as a CA's */
	BOX_BYTES_MAX =
	    32 * 1024 *
	    1024, /* evidence of 100 names whose servers all show certificates of 100 names */
	CONNECTIONS_MAX =
	    1000, /* open at one time; less if the process may not have so many files */
};

static bool
is_ours(const struct probe_net *p, const struct address *a)
{
	for (size_t i = 0; i < p->o.ours_n; i++)
		if (address_eq(a, &p->ours[i]))
			return true;
	return false;
}

static bool
is_allowed(const struct probe_net *p, const struct address *a)
{
	for (size_t i = 0; i < p->o.allowed_n; i++)
		if (address_in(a, &p->allowed[i]))
			return true;
	return false;
}

/* Reserved, and neither ours nor allowed by configuration: never connected to. */
static bool
is_forbidden(const struct probe_net *p, const struct address *a)
{
	return address_is_reserved(a) && !is_ours(p, a) && !is_allowed(p, a);
}

static bool
may_connect(void *arg, const struct address *a)
{
	return !is_forbidden(arg, a);
}

/* ---- the end of a job ---- */

static void
job_unlink(struct job *j)
{
	*j->link = j->next;
	if (j->next != NULL)
		j->next->link = j->link;
	j->net->jobs_n--;
	loop_cancel(j->net->loop, &j->start);
	loop_cancel(j->net->loop, &j->deadline);
	resolver_control_drop(&j->control);
}

static void
stop_all(struct job *j)
{
	look_stop_all(j);
	vantages_stop(&j->views);
	for (size_t i = 0; i < j->looks_n; i++) {
		struct look *k = &j->looks[i];

		for (size_t n = 0; k->points != NULL && n < k->e->addresses_n; n++) {
			fetch_stop(&k->points[n].fetch);
			fetch_stop(&k->points[n].home);
			fetch_stop(&k->points[n].plain);
			crl_drop(&k->points[n].crl);
			loop_cancel(j->net->loop, &k->points[n].beside);
			shake_stop(&k->points[n].shake);
			for (size_t s = 0; s < k->e->addresses[n].services_n; s++)
				shake_stop(&k->points[n].services[s].shake);
		}
	}
}

/* No way to any point outside: whatever was not answered says nothing against anybody. */
static bool
has_no_route(const struct probe_net *p)
{
	for (size_t i = 0; i < p->o.outside_n; i++)
		if (dns_has_route(p->o.outside[i]))
			return false;
	return p->o.outside_n > 0;
}

static void
job_finish(struct job *j)
{
	struct evidence_box *box = j->box;

	if (j->wanted.want_dns && !box->evidence.resolver_works)
		box->evidence.no_route = has_no_route(j->net);
	probe_done *done = j->done;
	void *arg = j->arg;

	look_drop_unawaited(j);
	job_unlink(j);
	free(j);
	done(arg, box);
}

/* Did anything at all come back from DNS? A signature that does not verify came from somewhere too, and who answers for
 * the domain was told by the zone above, which the resolver found. */
static bool
is_resolver_proven(const struct job *j)
{
	for (size_t i = 0; i < j->looks_n; i++) {
		const struct name_evidence *e = j->looks[i].e;
		const enum dns_status got[] = { e->a_status, e->aaaa_status, e->caa_status };

		for (size_t n = 0; n < 3; n++)
			if (got[n] == DNS_OK || got[n] == DNS_NXDOMAIN || got[n] == DNS_BOGUS)
				return true;
		if (e->delegation.servers_n > 0)
			return true;
	}
	return false;
}

static void
on_control(void *arg, bool works)
{
	struct job *j = arg;

	j->control = NULL;
	j->box->evidence.resolver_works = works;
	job_finish(j);
}

void
job_release(struct job *j)
{
	must(j->open > 0);
	if (--j->open > 0)
		return;
	j->box->evidence.resolver_works = is_resolver_proven(j);
	if (j->wanted.want_dns && !j->box->evidence.resolver_works &&
	    resolver_control(j->net->resolver, j->net->o.deadline_ms / 6, on_control, j,
		&j->control) == ERR_OK)
		return;
	job_finish(j);
}

static void
on_deadline(void *arg)
{
	struct job *j = arg;

	j->deadline = NULL;
	stop_all(j);
	/* In the middle of the control question too: no answer so far means that the resolver does not work. */
	j->box->evidence.resolver_works = is_resolver_proven(j);
	job_finish(j);
}

/* ---- addresses ---- */

static void
tell(const struct look *k, enum probe_step step, const struct address_evidence *at)
{
	const struct probe_news news = { .step = step, .name = k->e, .at = at };

	if (k->job->wanted.told != NULL)
		k->job->wanted.told(k->job->arg, &news);
}

static void
on_point(void *arg)
{
	struct point *p = arg;

	job_release(p->job);
}

static bool start_fetch(struct point *p, struct http_evidence *into);

/* Several machines may answer at one address, and only some of them for us. */
static void
on_fetched(void *arg)
{
	struct point *p = arg;
	struct http_evidence *h = &p->e->http;
	bool is_worth_it = h->result == HTTP_ANSWERED &&
			   (p->job->wanted.is_thorough ||
			       (!h->is_ours && (p->e->is_ours || p->e->front.n > 0)));

	p->fetch = NULL;
	h->ours_n += h->tries == 0 ? h->is_ours : p->again.is_ours;
	if (++h->tries < FETCH_TRIES && is_worth_it && start_fetch(p, &p->again))
		return;
	tell(p->look, PROBE_STEP_HTTP, p->e);
	on_point(p);
}

static bool
start_fetch(struct point *p, struct http_evidence *into)
{
	struct job *j = p->job;
	const struct fetch_target t = {
		.name = p->look->e->name,
		.ip = p->e->ip,
		.token = j->token,
		.wanted = j->key_authorization,
		.arena = &j->box->arena,
		.into = into,
		.done = on_fetched,
		.arg = p,
	};

	*into = (struct http_evidence){ .result = HTTP_NOT_TRIED };
	return fetch_start(j->net->fetcher, &t, &p->fetch) == ERR_OK;
}

static void
on_shaken(void *arg)
{
	struct point *p = arg;

	p->shake = NULL;
	beside_begin(p);
	tell(p->look, PROBE_STEP_TLS, p->e);
	on_point(p);
}

static void
on_service(void *arg)
{
	struct service_shake *s = arg;

	s->shake = NULL;
	on_point(s->point);
}

/* Mail and FTP are ours to serve where the web is: what they show is looked at with the site, not after each deployment. */
static void
probe_services(struct point *p)
{
	struct job *j = p->job;
	struct address_evidence *e = p->e;
	size_t n = j->net->o.services_n;

	if (!e->is_ours || !j->wanted.want_tls || !j->wanted.want_http || n == 0)
		return;
	e->services = arena_get(&j->box->arena, n * sizeof *e->services);
	p->services = arena_get(&j->box->arena, n * sizeof *p->services);
	if (e->services == NULL || p->services == NULL)
		return;
	e->services_n = n;
	for (size_t i = 0; i < n; i++) {
		const struct probe_service *service = &j->net->services[i];
		const struct shake_target t = {
			.name = p->look->e->name,
			.ip = e->ip,
			.port = service->port,
			.opening = service->opening,
			.arena = &j->box->arena,
			.into = &e->services[i].tls,
			.done = on_service,
			.arg = &p->services[i],
		};

		e->services[i].port = service->port;
		e->services[i].opening = service->opening;
		p->services[i].point = p;
		if (shake_start(j->net->shaker, &t, &p->services[i].shake) == ERR_OK)
			j->open++;
	}
}

static void
probe_point(struct look *k, size_t i)
{
	struct job *j = k->job;
	struct address_evidence *e = &k->e->addresses[i];
	const struct shake_target shake = {
		.name = k->e->name,
		.ip = e->ip,
		.wants_revocation = j->wanted.want_http,
		.arena = &j->box->arena,
		.into = &e->tls,
		.done = on_shaken,
		.arg = &k->points[i],
	};

	k->points[i].look = k;
	k->points[i].e = e;
	k->points[i].begun = clock_mono(&j->net->clock);
	if (j->box->evidence.has_http && start_fetch(&k->points[i], &e->http))
		j->open++;
	if (j->wanted.want_tls &&
	    shake_start(j->net->shaker, &shake, &k->points[i].shake) == ERR_OK)
		j->open++;
	probe_services(&k->points[i]);
}

static struct str
front_name(const struct probe_net *p, const struct address *ip, struct arena *a)
{
	for (size_t i = 0; i < p->o.fronts_n; i++)
		if (address_in(ip, &p->fronts[i].range))
			return arena_str(a, str_of(p->fronts[i].name));
	return front_of(ip);
}

static void
put_address(struct look *k, const struct address *ip)
{
	struct name_evidence *e = k->e;
	const struct probe_net *p = k->job->net;

	for (size_t i = 0; i < e->addresses_n; i++)
		if (address_eq(&e->addresses[i].ip, ip))
			return;
	e->addresses[e->addresses_n++] = (struct address_evidence){
		.ip = *ip,
		.is_ours = is_ours(p, ip),
		.front = front_name(p, ip, &k->job->box->arena),
		.is_reserved = is_forbidden(p, ip),
	};
}

void
job_probe_addresses(struct look *k)
{
	struct job *j = k->job;
	struct name_evidence *e = k->e;
	size_t n = k->found_a_n + k->found_aaaa_n;

	if (n == 0) {
		tell(k, PROBE_STEP_ADDRESSES, NULL);
		if (j->wanted.want_dns && !j->wanted.is_narrow)
			look_ask_servers(k);
		return;
	}
	e->addresses = arena_get(&j->box->arena, n * sizeof *e->addresses);
	k->points = arena_get(&j->box->arena, n * sizeof *k->points);
	if (e->addresses == NULL || k->points == NULL) {
		k->points = NULL;
		return;
	}
	/* IPv6 first, as the validator and browsers. */
	for (size_t i = 0; i < k->found_aaaa_n; i++)
		put_address(k, &k->found_aaaa[i]);
	for (size_t i = 0; i < k->found_a_n; i++)
		put_address(k, &k->found_a[i]);
	tell(k, PROBE_STEP_ADDRESSES, NULL);
	bool is_elsewhere = false;
	for (size_t i = 0; i < e->addresses_n; i++)
		is_elsewhere = is_elsewhere || !e->addresses[i].is_ours;
	if (j->wanted.is_thorough || (j->wanted.want_dns && is_elsewhere && !j->wanted.is_narrow))
		look_ask_servers(k);
	for (size_t i = 0; i < e->addresses_n; i++) {
		k->points[i].job = j;
		if (i >= LIMIT_ADDRESSES) {
			e->addresses[i].http.detail = e->addresses[i].tls.detail =
			    STR("not tried: the name has too many addresses");
		} else if (e->addresses[i].is_reserved) {
			e->addresses[i].http.result =
			    j->box->evidence.has_http ? HTTP_FORBIDDEN_ADDRESS : HTTP_NOT_TRIED;
			e->addresses[i].tls.result =
			    j->wanted.want_tls ? TLS_FORBIDDEN_ADDRESS : TLS_NOT_TRIED;
		} else {
			probe_point(k, i);
		}
	}
}

/* ---- the vantage points ---- */

static void
on_view(void *arg, struct name_evidence *n, const struct view_evidence *v)
{
	struct job *j = arg;
	const struct probe_news news = { .step = PROBE_STEP_VIEW, .name = n, .view = v };

	for (size_t i = 0; n != NULL && n->views != NULL && i < n->views_n; i++)
		for (size_t a = 0; &n->views[i] == v && a < n->views[i].addresses_n; a++)
			n->views[i].addresses[a].front = front_name(j->net, &n->views[i].addresses[a].ip, &j->box->arena);
	if (n != NULL && j->wanted.told != NULL)
		j->wanted.told(j->arg, &news);
}

static void
on_views(void *arg)
{
	struct job *j = arg;

	j->views = NULL;
	job_release(j);
}

/* Beside everything else, and no longer than that. Without them the look is what it is without vantage points. */
static void
ask_vantages(struct job *j)
{
	struct name_evidence *names[LIMIT_SITE_NAMES];
	const struct vantage_target t = {
		.names = names,
		.names_n = j->looks_n,
		.thumbprint = j->wanted.thumbprint,
		.arena = &j->box->arena,
		.within_ms = j->net->o.deadline_ms,
		.told = on_view,
		.done = on_views,
		.arg = j,
	};

	if (!j->wanted.want_views || j->net->o.vantages == NULL || !j->box->evidence.has_http)
		return;
	for (size_t i = 0; i < j->looks_n; i++)
		names[i] = j->looks[i].e;
	if (vantages_ask(j->net->o.vantages, &t, &j->views) == ERR_OK && j->views != NULL)
		j->open++;
}

/* ---- the beginning of a job ---- */

static void
make_token(struct job *j)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t bytes[TOKEN_BYTES];
	char token[TOKEN_BYTES];
	struct arena *a = &j->box->arena;

	j->net->clock.random(j->net->clock.ctx, bytes, sizeof bytes);
	for (size_t i = 0; i < sizeof token; i++)
		token[i] = digits[bytes[i] & 63]; /* 192 random bits */
	j->token = arena_str(a, (struct str){ token, sizeof token });
	j->key_authorization =
	    arena_strf(a, "%.*s.%.*s", STR_ARG(j->token), STR_ARG(j->wanted.thumbprint));
}

static void
on_start(void *arg)
{
	struct job *j = arg;
	struct str names[LIMIT_SITE_NAMES];

	j->start = NULL;
	for (size_t i = 0; i < j->looks_n; i++)
		names[i] = j->looks[i].e->name;
	/* Without a resolver the questions fail one by one, and the evidence says so. */
	(void)!resolver_begin(j->net->resolver, names, j->looks_n);
	ask_vantages(j);
	for (size_t i = 0; i < j->looks_n; i++)
		look_begin(&j->looks[i]);
	job_release(j);
}

static bool
job_fill(struct job *j, const struct probe_job *wanted)
{
	struct arena *a = &j->box->arena;
	struct evidence *e = &j->box->evidence;

	j->wanted = *wanted;
	j->wanted.names = NULL;
	j->wanted.thumbprint = arena_str(a, wanted->thumbprint);
	*e = (struct evidence){
		.at = clock_now(&j->net->clock),
		.has_dns = wanted->want_dns,
		.has_http = wanted->want_http && wanted->thumbprint.n > 0,
		.has_tls = wanted->want_tls,
		.names = arena_get(a, wanted->names_n * sizeof *e->names),
		.names_n = wanted->names_n,
	};
	j->looks = arena_get(a, wanted->names_n * sizeof *j->looks);
	if (e->names == NULL || j->looks == NULL)
		return false;
	j->looks_n = wanted->names_n;
	for (size_t i = 0; i < wanted->names_n; i++) {
		e->names[i].name = arena_str(a, wanted->names[i]);
		e->names[i].registered_domain = names_registered_domain(e->names[i].name);
		j->looks[i].job = j;
		j->looks[i].e = &e->names[i];
	}
	make_token(j);
	return !arena_failed(a);
}

static enum err
submit(void *ctx, const struct probe_job *wanted, probe_done *done, void *arg)
{
	struct probe_net *p = ctx;

	if (wanted->names_n == 0 || wanted->names_n > LIMIT_SITE_NAMES)
		return ERR_INVALID;
	for (size_t i = 0; i < wanted->names_n; i++)
		if (wanted->names[i].n == 0 || wanted->names[i].n > LIMIT_NAME_BYTES)
			return ERR_INVALID;
	if (p->jobs_n >= LIMIT_CHECKS_OPEN)
		return ERR_FULL;
	struct job *j = calloc(1, sizeof *j);
	struct evidence_box *box = calloc(1, sizeof *box);
	if (j == NULL || box == NULL) {
		free(j);
		free(box);
		return ERR_MEMORY;
	}
	arena_init(&box->arena, BOX_BYTES_MAX);
	*j = (struct job){ .next = p->jobs,
		.link = &p->jobs,
		.net = p,
		.box = box,
		.done = done,
		.arg = arg,
		.open = 1 };
	if (j->next != NULL)
		j->next->link = &j->next;
	p->jobs = j;
	p->jobs_n++;
	j->start = loop_after(p->loop, 0, on_start, j);
	bool is_sooner = wanted->deadline_ms > 0 && wanted->deadline_ms < p->o.deadline_ms;
	j->deadline = loop_after(p->loop, is_sooner ? wanted->deadline_ms : p->o.deadline_ms, on_deadline, j);
	if (j->start == NULL || j->deadline == NULL || !job_fill(j, wanted)) {
		job_unlink(j);
		evidence_box_free(&box);
		free(j);
		return ERR_MEMORY;
	}
	return ERR_OK;
}

/* ---- the probe ---- */

struct probe
probe_net_port(struct probe_net *p)
{
	return (struct probe){ .ctx = p, .submit = submit };
}

static unsigned
connections_max(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur / 2 > CONNECTIONS_MAX)
		return CONNECTIONS_MAX;
	return files.rlim_cur > 64 ? (unsigned)(files.rlim_cur / 2) : 32;
}

static enum err
copy_options(struct probe_net *p, const struct probe_net_options *o)
{
	p->o = *o;
	p->ours = calloc(o->ours_n + 1, sizeof *p->ours);
	p->allowed = calloc(o->allowed_n + 1, sizeof *p->allowed);
	p->fronts = calloc(o->fronts_n + 1, sizeof *p->fronts);
	p->services = calloc(o->services_n + 1, sizeof *p->services);
	if (p->ours == NULL || p->allowed == NULL || p->fronts == NULL || p->services == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < o->services_n; i++)
		p->services[i] = o->services[i];
	for (size_t i = 0; i < o->fronts_n; i++)
		p->fronts[i] = o->fronts[i];
	for (size_t i = 0; i < o->ours_n; i++)
		p->ours[i] = o->ours[i];
	for (size_t i = 0; i < o->allowed_n; i++)
		p->allowed[i] = o->allowed[i];
	/* Pointers into the caller's memory are not looked at again. */
	p->o.ours = NULL;
	p->o.allowed = NULL;
	p->o.fronts = NULL;
	p->o.services = NULL;
	p->o.forwarders = p->o.publics = NULL;
	p->o.trust_anchor_file = p->o.roots = p->o.rdap = NULL;
	return ERR_OK;
}

static enum err
make_parts(struct probe_net *p, const struct probe_net_options *o, struct why *why)
{
	int64_t dns_ms =
	    o->timeout_ms < o->deadline_ms / 3 ? o->timeout_ms : o->deadline_ms / 3;
	const struct resolver_options resolver = {
		.forwarders = o->forwarders,
		.forwarders_n = o->forwarders_n,
		.trust_anchor_file = o->trust_anchor_file,
		.from = o->from,
		.timeout_ms =
		    dns_ms, /* leaves time for the control question before the deadline */
	};
	enum err e = resolver_new(p->loop, &p->clock, &resolver, why, &p->resolver);
	if (e != ERR_OK)
		return e;
	const struct authority_options authority = {
		.loop = p->loop,
		.clock = &p->clock,
		.resolver = p->resolver,
		.port = o->dns_port,
		.from = o->from,
		.timeout_ms = dns_ms / 2,
		.may_ask = may_connect,
		.arg = p,
	};
	e = authority_new(&authority, &p->authority);
	if (e != ERR_OK)
		return e;
	const struct publics_options publics = {
		.loop = p->loop,
		.clock = &p->clock,
		.servers = o->publics,
		.servers_n = o->publics_n,
		.from = o->from,
		.timeout_ms = dns_ms / 2,
	};
	e = publics_new(&publics, &p->publics);
	if (e == ERR_CONFIG)
		why_set(why, "one of the public resolvers is not an address, or address@port");
	if (e != ERR_OK)
		return e;
	gate_init(&p->gate, p->loop, connections_max());
	const struct fetcher_options fetcher = {
		.loop = p->loop,
		.clock = &p->clock,
		.resolver = p->resolver,
		.gate = &p->gate,
		.from = o->from,
		.timeout_ms = o->timeout_ms,
		.http_port = o->http_port,
		.https_port = o->https_port,
		.may_connect = may_connect,
		.arg = p,
	};
	e = fetcher_new(&fetcher, &p->fetcher);
	if (e != ERR_OK)
		return e;
	const struct crls_options crls = { .clock = &p->clock, .fetcher = p->fetcher };
	e = crls_new(&crls, &p->crls);
	if (e != ERR_OK)
		return e;
	const struct issuers_options issuers = { .loop = p->loop, .clock = &p->clock, .fetcher = p->fetcher, .roots = o->roots };
	e = issuers_new(&issuers, &p->issuers);
	if (e != ERR_OK)
		return e;
	const struct shaker_options shaker = {
		.loop = p->loop,
		.gate = &p->gate,
		.roots = o->roots,
		.from = o->from,
		.timeout_ms = o->timeout_ms,
		.port = o->https_port,
	};
	const struct rdap_options rdap = {
		.bootstrap = o->rdap, .roots = o->roots, .timeout_ms = o->timeout_ms
	};
	if (o->rdap != NULL && (e = rdap_new(p->loop, &p->clock, &rdap, &p->rdap)) != ERR_OK)
		return e;
	return shaker_new(&shaker, why, &p->shaker);
}

/* An address that was taken from the machine would make every site look unreachable. */
static enum err
try_from(const struct from *from, struct why *why)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		const struct address *a = from_of(from, family);
		char text[46];

		if (a == NULL)
			continue;
		int fd = socket(family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		bool is_here = fd >= 0 && from_bind(from, family, fd);
		if (fd >= 0)
			(void)close(fd);
		if (is_here)
			continue;
		address_text(a, text);
		why_set(why, "check.from: %s is no address of this machine", text);
		return ERR_CONFIG;
	}
	return ERR_OK;
}

struct issuers *
probe_net_issuers(struct probe_net *p)
{
	return p->issuers;
}

enum err
probe_net_new(struct loop *l, const struct clock *c, const struct probe_net_options *o,
    struct why *why, struct probe_net **ret)
{
	must(o->timeout_ms > 0 && o->deadline_ms > 0);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return ERR_MEMORY;
	struct probe_net *p = calloc(1, sizeof *p);
	if (p == NULL) {
		curl_global_cleanup();
		return ERR_MEMORY;
	}
	p->loop = l;
	p->clock = *c;
	enum err e = copy_options(p, o);
	if (e == ERR_OK)
		e = try_from(&o->from, why);
	if (e == ERR_OK)
		e = make_parts(p, o, why);
	if (e != ERR_OK) {
		probe_net_free(&p);
		return e;
	}
	*ret = p;
	return ERR_OK;
}

void
probe_net_free(struct probe_net **pp)
{
	struct probe_net *p = *pp;

	if (p == NULL)
		return;
	while (p->jobs != NULL) {
		struct job *j = p->jobs;

		stop_all(j);
		job_unlink(j);
		evidence_box_free(&j->box);
		free(j);
	}
	shaker_free(&p->shaker);
	crls_free(&p->crls);
	issuers_free(&p->issuers);
	fetcher_free(&p->fetcher);
	gate_fini(&p->gate);
	rdap_free(&p->rdap);
	publics_free(&p->publics);
	authority_free(&p->authority);
	resolver_free(&p->resolver);
	free(p->ours);
	free(p->allowed);
	free(p->fronts);
	free(p->services);
	free(p);
	*pp = NULL;
	curl_global_cleanup();
}
