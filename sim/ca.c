#include "sim/world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The simulated CA: the objects of RFC 8555 7.1 as the ACME port shows them, and a validator that looks at the same
 * DNS and web servers as everybody else. Its texts are those of Let's Encrypt's server. What it refuses or delays
 * is set by the faults of the world.
 */

enum { REUSE_AMONG = 64 }; /* the newest orders; older ones are closed or forgotten */

struct sim_authz {
	char name[SIM_TEXT];
	enum acme_status status;
	char type[32], detail[SIM_TEXT * 2];
	bool is_trying;
};
struct sim_order {
	struct sim_authz *authz;
	size_t authz_n;
	enum acme_status status;
	size_t certificate; /* index + 1 */
	struct span life;
	bool is_closed;
	bool is_free; /* replaces a certificate in its window */
};

struct ca_call {
	acme_done *done;
	void *arg;
	struct acme_answer *answer;
	struct acme_request request;
	struct arena arena;
	int64_t order_id;
};

/* URLs are "sim:order/N", "sim:authz/N/K", "sim:certificate/N". */
static bool
read_url(struct str url, struct str kind, int64_t *ret_n, int64_t *ret_k)
{
	struct str head = str_cut(&url, '/');

	*ret_k = 0;
	if (!str_eq(head, kind) || !str_to_int(str_cut(&url, '/'), ret_n))
		return false;
	return url.n == 0 || str_to_int(url, ret_k);
}

static struct sim_order *
order_of(struct sim *s, struct str url, struct str kind, int64_t *ret_n, int64_t *ret_k)
{
	if (!read_url(url, kind, ret_n, ret_k) || *ret_n < 1 || (size_t)*ret_n > s->orders_n)
		return NULL;
	return &s->orders[*ret_n - 1];
}

static void
refuse(struct acme_answer *a, int status, const char *type, const char *detail)
{
	a->err = status >= 500 ? ERR_SERVER : status == 429 ? ERR_LIMITED : ERR_REFUSED;
	a->http_status = status;
	a->problem = (struct problem){
		.type = arena_str(&a->arena, str_of(type)),
		.detail = arena_str(&a->arena, str_of(detail)),
		.raw = arena_strf(&a->arena, "{\"type\":\"urn:ietf:params:acme:error:%s\",\"detail\":\"%s\"}", type, detail),
	};
}

/* --- validation --- */

struct validation {
	size_t order, authz;
};

static void
deny(struct sim_authz *z, const char *type, const char *fmt, const char *name)
{
	z->status = ACME_INVALID;
	(void)snprintf(z->type, sizeof z->type, "%s", type);
	int n = snprintf(z->detail, sizeof z->detail, "%s: %s", name, fmt);
	(void)n;
}

static void
validate(struct sim *s, struct sim_authz *z)
{
	struct str name = str_of(z->name);
	const struct sim_record *r = sim_dns_find(s, name, SIM_A, 0);
	const struct sim_web *w = r != NULL ? sim_web_at(s, str_of(r->value)) : NULL;
	const struct sim_record *caa = NULL;

	for (struct str at = name; at.n > 0 && caa == NULL; (void)str_cut(&at, '.'))
		caa = sim_dns_find(s, at, SIM_CAA, 0);
	if (s->ca_faults.refuse_until_ms > s->now_ms)
		deny(z, "connection", "Timeout during connect (likely firewall problem)", z->name);
	else if (s->dns_silent_until_ms > s->now_ms)
		deny(z, "dns", "DNS problem: query timed out looking up A", z->name);
	else if (r == NULL)
		deny(z, "dns", "no valid A records found; no valid AAAA records found", z->name);
	else if (caa != NULL && strcmp(caa->value, "a1.example") != 0)
		deny(z, "caa", "CAA record prevents issuance", z->name);
	else if (w == NULL)
		deny(z, "unauthorized", "Invalid response: 404", z->name);
	else if (w->is_down)
		deny(z, "connection", "Connection refused", z->name);
	else
		z->status = ACME_VALID;
}

static void
close_order(struct sim *s, struct sim_order *o, enum acme_status status)
{
	o->status = status;
	s->orders_open -= !o->is_closed;
	o->is_closed = true;
}

static void
finish_validation(struct sim *s, void *arg)
{
	struct validation *v = arg;
	struct sim_order *o = &s->orders[v->order];
	bool all = true, none_bad = true;

	if (o->authz[v->authz].status == ACME_PENDING) {
		validate(s, &o->authz[v->authz]);
		sim_limits_validated(s, str_of(o->authz[v->authz].name), o->authz[v->authz].status == ACME_VALID);
	}
	for (size_t i = 0; i < o->authz_n; i++) {
		all &= o->authz[i].status == ACME_VALID;
		none_bad &= o->authz[i].status != ACME_INVALID;
	}
	if (o->status == ACME_PENDING)
		o->status = !none_bad ? ACME_INVALID : all ? ACME_READY : ACME_PENDING;
	if (o->status == ACME_INVALID)
		close_order(s, o, ACME_INVALID);
	free(v);
}

/* The CA goes on although koshin has died: its event belongs to no engine, so a dropped one runs all the same. */
static enum err
begin_validation(struct sim *s, size_t order, size_t authz)
{
	struct validation *v = malloc(sizeof *v);

	if (v == NULL)
		return ERR_MEMORY;
	*v = (struct validation){ order, authz };
	enum err err = sim_after(s, s->validation_delay_ms, finish_validation, finish_validation, v);
	if (err != ERR_OK)
		free(v);
	return err;
}

/* --- objects --- */

static void
show_order(struct sim *s, size_t n, struct acme_answer *a)
{
	const struct sim_order *o = &s->orders[n];

	a->status = o->status;
	a->location = arena_strf(&a->arena, "sim:order/%zu", n + 1);
	a->finalize_url = arena_strf(&a->arena, "sim:finalize/%zu", n + 1);
	a->authz_urls = arena_get(&a->arena, (o->authz_n + 1) * sizeof *a->authz_urls);
	for (size_t i = 0; a->authz_urls != NULL && i < o->authz_n; i++)
		a->authz_urls[a->authz_n++] = arena_strf(&a->arena, "sim:authz/%zu/%zu", n + 1, i);
	if (o->status == ACME_VALID)
		a->certificate_url = arena_strf(&a->arena, "sim:certificate/%zu", n + 1);
}

static void
show_authz(const struct sim_order *o, int64_t n, int64_t k, struct acme_answer *a)
{
	const struct sim_authz *z = &o->authz[k];

	a->status = z->status;
	a->identifier = arena_str(&a->arena, str_of(z->name));
	a->has_challenge = true;
	a->challenge_url = arena_strf(&a->arena, "sim:challenge/%lld/%lld", (long long)n, (long long)k);
	a->token = STR("simulated-token");
	a->challenge_status = z->is_trying && z->status == ACME_PENDING ? ACME_PROCESSING : z->status;
	if (z->status == ACME_INVALID)
		a->challenge_error = (struct problem){
			.type = arena_str(&a->arena, str_of(z->type)),
			.detail = arena_str(&a->arena, str_of(z->detail)),
			.raw = arena_strf(&a->arena, "{\"type\":\"urn:ietf:params:acme:error:%s\",\"detail\":\"%s\"}", z->type, z->detail),
		};
}

/* False for a profile that the CA does not have. */
static bool
life_of(const struct sim *s, struct str profile, struct span *ret)
{
	*ret = s->ca_life;
	for (size_t i = 0; i < s->ca_profiles_n; i++)
		if (str_eq(profile, str_of(s->ca_profiles[i].name))) {
			*ret = s->ca_profiles[i].life;
			return true;
		}
	return profile.n == 0;
}

/* As Let's Encrypt: the same names again while their order is open are that order. orders_n without one. */
static size_t
find_open(const struct sim *s, const struct acme_request *r)
{
	for (size_t i = s->orders_n; i-- > 0 && s->orders_n - i <= REUSE_AMONG;) {
		const struct sim_order *o = &s->orders[i];
		bool is_same = !o->is_closed && o->authz_n == r->names_n;

		for (size_t k = 0; is_same && k < o->authz_n; k++)
			is_same = str_eq(str_of(o->authz[k].name), r->names[k]);
		if (is_same)
			return i;
	}
	return s->orders_n;
}

static enum err
new_order(struct sim *s, const struct acme_request *r, struct acme_answer *a)
{
	struct span life;

	if (!life_of(s, r->profile, &life)) {
		refuse(a, 400, "invalidProfile", "The profile is not recognized");
		return ERR_OK;
	}
	bool is_free = sim_is_in_window(s, r->replaces);
	if (!sim_limits_new_order(s, r, a))
		return ERR_OK;
	size_t open = find_open(s, r);
	if (open < s->orders_n) {
		a->http_status = 201;
		show_order(s, open, a);
		return ERR_OK;
	}
	if (!sim_replaces(s, r->replaces)) {
		refuse(a, 409, "alreadyReplaced", "cannot indicate an order replaces a certificate which already has a replacement order");
		return ERR_OK;
	}
	struct sim_order *grown = realloc(s->orders, (s->orders_n + 1) * sizeof *grown);

	if (grown == NULL)
		return ERR_MEMORY;
	s->orders = grown;
	struct sim_order *o = &grown[s->orders_n];
	*o = (struct sim_order){ .status = ACME_PENDING, .life = life, .is_free = is_free, .authz = calloc(r->names_n + 1, sizeof *o->authz) };
	if (o->authz == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < r->names_n; i++) {
		o->authz[i].status = ACME_PENDING;
		(void)snprintf(o->authz[i].name, SIM_TEXT, "%.*s", STR_ARG(r->names[i]));
		o->authz_n++;
	}
	s->orders_placed++;
	s->orders_open++;
	a->http_status = 201;
	show_order(s, s->orders_n++, a);
	return ERR_OK;
}

static enum err
finalize(struct sim *s, struct sim_order *o)
{
	struct sim_certificate *grown = realloc(s->certificates, (s->certificates_n + 1) * sizeof *grown);

	if (grown == NULL)
		return ERR_MEMORY;
	s->certificates = grown;
	struct sim_certificate *c = &grown[s->certificates_n];
	/* A CA dates back by an hour, so that clocks that are behind accept the certificate; short lives by less. */
	int64_t now = s->now_ms / 1000, back = o->life.s > 7200 ? 3600 : 0;
	*c = (struct sim_certificate){ .life = { { now - back }, { now - back + o->life.s } } };
	c->issued_ms = s->now_ms;
	c->names = calloc(o->authz_n + 1, sizeof *c->names);
	if (c->names == NULL)
		return ERR_MEMORY;
	s->certificates_n++;
	for (size_t i = 0; i < o->authz_n; i++)
		(void)snprintf(c->names[c->names_n++], SIM_TEXT, "%s", o->authz[i].name);
	for (size_t i = 0; i < sizeof c->fingerprint; i++)
		c->fingerprint[i] = (uint8_t)sim_random(s);
	struct str names[SIM_NAMES];
	for (size_t i = 0; i < c->names_n && i < SIM_NAMES; i++)
		names[i] = str_of(c->names[i]);
	sim_limits_issued(s, names, c->names_n, o->is_free);
	o->certificate = s->certificates_n;
	o->status = ACME_VALID;
	o->is_closed = true;
	s->orders_open--;
	s->issued++;
	return ERR_OK;
}

static void
show_certificate(const struct sim *s, const struct sim_order *o, struct acme_answer *a)
{
	const struct sim_certificate *c = &s->certificates[o->certificate - 1];

	a->chain_pem = arena_strf(&a->arena, "SIM-CERTIFICATE %zu", o->certificate);
	a->certificate = (struct certificate_info){
		.not_before = c->life.from,
		.not_after = c->life.to,
		.serial = arena_strf(&a->arena, "%zx", o->certificate),
		.issuer = STR("Simulated CA"),
		.ari_id = arena_strf(&a->arena, "sim.%zu", o->certificate),
		.names = arena_get(&a->arena, (c->names_n + 1) * sizeof *a->certificate.names),
	};
	memcpy(a->certificate.fingerprint, c->fingerprint, sizeof c->fingerprint);
	for (size_t i = 0; a->certificate.names != NULL && i < c->names_n; i++)
		a->certificate.names[a->certificate.names_n++] = arena_str(&a->arena, str_of(c->names[i]));
}

/* True: a fault of the world has answered. */
static bool
answer_by_fault(struct sim *s, const struct acme_request *r, struct acme_answer *a)
{
	const struct sim_ca_faults *f = &s->ca_faults;

	if (f->silent_until_ms > s->now_ms) {
		a->err = ERR_TIMEOUT;
		a->detail = STR("no answer in 30 s");
	} else if (f->rubbish_until_ms > s->now_ms) {
		a->err = ERR_PEER;
		a->http_status = 200;
		a->detail = STR("the answer is not JSON");
	} else if (f->down_until_ms > s->now_ms) {
		refuse(a, 503, "", "Service busy; retry later");
	} else if (f->internal_until_ms > s->now_ms) {
		refuse(a, 500, "serverInternal",
		    "The service is down for maintenance or had an internal error. Check https://letsencrypt.status.io/ for more details.");
	} else if (f->limit_until_ms > s->now_ms && r->verb == ACME_NEW_ORDER) {
		refuse(a, 429, "rateLimited", "too many new orders (300) from this account in the last 3h0m0s, retry after later");
		a->retry_after = (struct when){ f->limit_until_ms / 1000 + s->clock_step_s };
	} else {
		return false;
	}
	return true;
}

static enum err
answer_request(struct sim *s, const struct acme_request *r, struct acme_answer *a)
{
	int64_t n, k;
	struct sim_order *o;

	if (answer_by_fault(s, r, a))
		return ERR_OK;
	a->http_status = 200;
	switch (r->verb) {
	case ACME_NEW_ORDER:
		return new_order(s, r, a);
	case ACME_GET_ORDER:
		if ((o = order_of(s, r->url, STR("sim:order"), &n, &k)) == NULL)
			break;
		show_order(s, (size_t)n - 1, a);
		return ERR_OK;
	case ACME_GET_AUTHZ:
		if ((o = order_of(s, r->url, STR("sim:authz"), &n, &k)) == NULL || (size_t)k >= o->authz_n)
			break;
		show_authz(o, n, k, a);
		return ERR_OK;
	case ACME_CHALLENGE:
		if ((o = order_of(s, r->url, STR("sim:challenge"), &n, &k)) == NULL || (size_t)k >= o->authz_n)
			break;
		a->status = a->challenge_status = ACME_PROCESSING;
		if (o->authz[k].is_trying || o->authz[k].status != ACME_PENDING)
			return ERR_OK;
		o->authz[k].is_trying = true;
		return begin_validation(s, (size_t)n - 1, (size_t)k);
	case ACME_FINALIZE:
		if ((o = order_of(s, r->url, STR("sim:finalize"), &n, &k)) == NULL)
			break;
		if (o->status != ACME_READY) {
			refuse(a, 403, "orderNotReady", "Order's status is not acceptable for finalization");
			return ERR_OK;
		}
		enum err err = finalize(s, o);
		show_order(s, (size_t)n - 1, a);
		return err;
	case ACME_CERTIFICATE:
		if ((o = order_of(s, r->url, STR("sim:certificate"), &n, &k)) == NULL || o->certificate == 0)
			break;
		show_certificate(s, o, a);
		return ERR_OK;
	case ACME_RENEWAL_INFO:
		sim_renewal_info(s, r, a);
		return ERR_OK;
	case ACME_DEACTIVATE_AUTHZ:
		if ((o = order_of(s, r->url, STR("sim:authz"), &n, &k)) == NULL || (size_t)k >= o->authz_n)
			break;
		s->deactivated++;
		o->authz[k].status = a->status = ACME_DEACTIVATED;
		close_order(s, o, ACME_INVALID);
		return ERR_OK;
	case ACME_REVOKE:
		return ERR_OK;
	case ACME_VERB_COUNT:
		break;
	}
	refuse(a, 404, "malformed", "No such object");
	return ERR_OK;
}

/* --- the port --- */

static void
drop_call(struct sim *s, void *arg)
{
	struct ca_call *call = arg;

	(void)s;
	acme_answer_free(&call->answer);
	arena_fini(&call->arena);
	free(call);
}

static void
finish_call(struct sim *s, void *arg)
{
	struct ca_call *call = arg;
	struct acme_answer *a = call->answer;

	a->verb = call->request.verb;
	a->order_id = call->request.order_id;
	a->index = call->request.index;
	/* What the CA did is done; an answer that could not be kept whole is none, as in the real port. */
	if (answer_request(s, &call->request, a) != ERR_OK || (arena_failed(&a->arena) && a->err == ERR_OK))
		a->err = ERR_MEMORY;
	call->answer = NULL;
	call->done(call->arg, a);
	drop_call(s, call);
}

static enum err
submit(void *ctx, const struct acme_request *r, acme_done *done, void *arg)
{
	struct sim *s = ctx;
	struct ca_call *call = calloc(1, sizeof *call);

	if (call == NULL)
		return ERR_MEMORY;
	call->answer = acme_answer_new();
	if (call->answer == NULL) {
		free(call);
		return ERR_MEMORY;
	}
	arena_init(&call->arena, LIMIT_TURN_BYTES);
	call->done = done;
	call->arg = arg;
	call->request = *r;
	call->request.url = arena_str(&call->arena, r->url);
	call->request.replaces = arena_str(&call->arena, r->replaces);
	call->request.profile = arena_str(&call->arena, r->profile);
	call->request.ari_id = arena_str(&call->arena, r->ari_id);
	struct str *names = arena_get(&call->arena, (r->names_n + 1) * sizeof *names);
	for (size_t i = 0; names != NULL && i < r->names_n; i++)
		names[i] = arena_str(&call->arena, r->names[i]);
	call->request.names = names;
	int64_t ms = s->ca_faults.silent_until_ms > s->now_ms ? 30000 : s->ca_delay_ms;
	enum err err = arena_failed(&call->arena) ? ERR_MEMORY : sim_after(s, ms, finish_call, drop_call, call);
	if (err != ERR_OK)
		drop_call(s, call);
	return err;
}

struct register_call {
	acme_registered *done;
	void *arg;
};

static void
drop_register(struct sim *s, void *arg)
{
	(void)s;
	free(arg);
}

static void
finish_register(struct sim *s, void *arg)
{
	struct register_call *call = arg;
	struct str identity = STR("a1.example"), profiles[4];
	struct acme_registration r = {
		.retry_after = WHEN_UNKNOWN,
		.url = STR("https://a1.example/account/1"),
		.directory = { .caa_identities = &identity, .caa_identities_n = 1, .has_renewal_info = s->ca_has_renewal,
		    .profiles = profiles },
	};
	for (size_t i = 0; i < s->ca_profiles_n; i++)
		profiles[r.directory.profiles_n++] = str_of(s->ca_profiles[i].name);

	if (s->ca_faults.down_until_ms > s->now_ms || s->ca_faults.silent_until_ms > s->now_ms)
		r = (struct acme_registration){ .err = ERR_SERVER, .retry_after = WHEN_UNKNOWN, .detail = STR("503") };
	call->done(call->arg, &r);
	free(call);
}

static enum err
open_account(void *ctx, const struct acme_account *account, acme_registered *done, void *arg)
{
	struct sim *s = ctx;
	struct register_call *call = malloc(sizeof *call);

	(void)account;
	if (call == NULL)
		return ERR_MEMORY;
	*call = (struct register_call){ done, arg };
	enum err err = sim_after(s, s->ca_delay_ms, finish_register, drop_register, call);
	if (err != ERR_OK)
		free(call);
	return err;
}

static void
forget(void *ctx, int64_t order_id)
{
	/* An answer that still comes finds no order and is counted as late: the engine ignores it. */
	(void)ctx;
	(void)order_id;
}

struct acme
sim_acme_port(struct sim *s)
{
	return (struct acme){ s, submit, open_account, forget };
}

void
sim_ca_fini(struct sim *s)
{
	for (size_t i = 0; i < s->orders_n; i++)
		free(s->orders[i].authz);
	for (size_t i = 0; i < s->certificates_n; i++)
		free(s->certificates[i].names);
	free(s->orders);
	free(s->certificates);
	s->orders = NULL;
	s->certificates = NULL;
}
