#include "sim/world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"

/*
 * The simulated CAs: the objects of RFC 8555 7.1 as the ACME port shows them, and a validator that looks at the same
 * DNS and web servers as everybody else. Its texts are those of Let's Encrypt's server. What it refuses or delays
 * is set by the faults of the world.
 */

enum { REUSE_AMONG = 64 }; /* the newest orders; older ones are closed or forgotten */

struct sim_authz {
	char name[SIM_TEXT];
	enum acme_status status;
	char type[32], detail[SIM_TEXT * 2], token[96];
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
	struct sim_ca *ca;
	char key[SIM_KEY]; /* that signed it */
	bool is_mute;	   /* its answer will be lost */
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
order_of(struct sim_ca *ca, struct str url, struct str kind, int64_t *ret_n, int64_t *ret_k)
{
	if (!read_url(url, kind, ret_n, ret_k) || *ret_n < 1 || (size_t)*ret_n > ca->orders_n)
		return NULL;
	return &ca->orders[*ret_n - 1];
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
	struct sim_ca *ca;
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

/* Is this CA kept out by the CAA records of the name, or of the closest domain above it that has any? */
static bool
caa_forbids(const struct sim *s, const struct sim_ca *ca, struct str name)
{
	for (struct str at = name; at.n > 0; (void)str_cut(&at, '.')) {
		const struct sim_record *r = sim_dns_find(s, at, SIM_CAA, 0);

		if (r == NULL)
			continue;
		for (size_t i = 0; (r = sim_dns_find(s, at, SIM_CAA, i)) != NULL; i++)
			if (strcmp(r->value, ca->identity) == 0)
				return false;
		return true;
	}
	return false;
}

/* What a server of ours answers: TOKEN.THUMBPRINT, of the account that the token belongs to. */
static bool
is_answered(struct sim *s, const struct sim_ca *ca, const struct sim_authz *z)
{
	AUTO_ARENA a = { .max = 4096 };
	char wanted[SIM_KEY + 16];
	struct str answered;

	sim_thumbprint(str_of(ca->key), wanted);
	/* A token that is in no table is the first CA's. */
	if (!s->asks_web || store_token_find(s->store, str_of(z->token), &a, &answered) != ERR_OK)
		answered = str_of(s->thumbprint);
	return str_eq(answered, str_of(wanted));
}

static void
validate(struct sim *s, struct sim_ca *ca, struct sim_authz *z)
{
	struct str name = str_of(z->name);
	const struct sim_record *r = sim_dns_find(s, name, SIM_A, 0);
	const struct sim_web *w = r != NULL ? sim_web_at(s, str_of(r->value)) : NULL;

	if (ca->faults.refuse_until_ms > s->now_ms) {
		deny(z, "connection", "Timeout during connect (likely firewall problem)", z->name);
	} else if (s->dns_silent_until_ms > s->now_ms) {
		deny(z, "dns", "DNS problem: query timed out looking up A", z->name);
	} else if (r == NULL) {
		deny(z, "dns", "no valid A records found; no valid AAAA records found", z->name);
	} else if (caa_forbids(s, ca, name)) {
		deny(z, "caa", "CAA record prevents issuance", z->name);
	} else if (w == NULL) {
		deny(z, "unauthorized", "Invalid response: 404", z->name);
	} else if (w->is_down) {
		deny(z, "connection", "Connection refused", z->name);
	} else if (!is_answered(s, ca, z)) {
		s->wrong_answers++;
		deny(z, "unauthorized", "The key authorization file from the server did not match this challenge", z->name);
	} else {
		z->status = ACME_VALID;
	}
}

static void
close_order(struct sim_ca *ca, struct sim_order *o, enum acme_status status)
{
	o->status = status;
	ca->orders_open -= !o->is_closed;
	o->is_closed = true;
}

static void
finish_validation(struct sim *s, void *arg)
{
	struct validation *v = arg;
	struct sim_order *o = &v->ca->orders[v->order];
	bool all = true, none_bad = true;

	if (o->authz[v->authz].status == ACME_PENDING) {
		validate(s, v->ca, &o->authz[v->authz]);
		sim_limits_validated(s, str_of(o->authz[v->authz].name), o->authz[v->authz].status == ACME_VALID);
	}
	for (size_t i = 0; i < o->authz_n; i++) {
		all &= o->authz[i].status == ACME_VALID;
		none_bad &= o->authz[i].status != ACME_INVALID;
	}
	if (o->status == ACME_PENDING)
		o->status = !none_bad ? ACME_INVALID : all ? ACME_READY : ACME_PENDING;
	if (o->status == ACME_INVALID)
		close_order(v->ca, o, ACME_INVALID);
	free(v);
}

/* The CA goes on although koshin has died: its event belongs to no engine, so a dropped one runs all the same. */
static enum err
begin_validation(struct sim *s, struct sim_ca *ca, size_t order, size_t authz)
{
	struct validation *v = malloc(sizeof *v);

	if (v == NULL)
		return ERR_MEMORY;
	*v = (struct validation){ ca, order, authz };
	enum err err = sim_after(s, ca->validation_delay_ms, finish_validation, finish_validation, v);
	if (err != ERR_OK)
		free(v);
	return err;
}

/* --- objects --- */

static void
show_order(const struct sim_ca *ca, size_t n, struct acme_answer *a)
{
	const struct sim_order *o = &ca->orders[n];

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
	a->token = arena_str(&a->arena, str_of(z->token));
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
life_of(const struct sim *s, const struct sim_ca *ca, struct str profile, struct span *ret)
{
	*ret = ca->life;
	for (size_t i = 0; i < s->ca_profiles_n; i++)
		if (str_eq(profile, str_of(s->ca_profiles[i].name))) {
			*ret = s->ca_profiles[i].life;
			return true;
		}
	return profile.n == 0;
}

/* As Let's Encrypt: the same names again while their order is open are that order. orders_n without one. */
static size_t
find_open(const struct sim_ca *ca, const struct acme_request *r)
{
	for (size_t i = ca->orders_n; i-- > 0 && ca->orders_n - i <= REUSE_AMONG;) {
		const struct sim_order *o = &ca->orders[i];
		bool is_same = !o->is_closed && o->authz_n == r->names_n;

		for (size_t k = 0; is_same && k < o->authz_n; k++)
			is_same = str_eq(str_of(o->authz[k].name), r->names[k]);
		if (is_same)
			return i;
	}
	return ca->orders_n;
}

static enum err
new_order(struct sim *s, struct sim_ca *ca, const struct acme_request *r, struct acme_answer *a)
{
	struct span life;

	if (!life_of(s, ca, r->profile, &life)) {
		refuse(a, 400, "invalidProfile", "The profile is not recognized");
		return ERR_OK;
	}
	bool is_free = sim_is_in_window(s, r->replaces);
	if (!sim_limits_new_order(s, r, a))
		return ERR_OK;
	size_t open = find_open(ca, r);
	if (open < ca->orders_n) {
		a->http_status = 201;
		show_order(ca, open, a);
		return ERR_OK;
	}
	if (!sim_replaces(s, r->replaces)) {
		refuse(a, 409, "alreadyReplaced", "cannot indicate an order replaces a certificate which already has a replacement order");
		return ERR_OK;
	}
	struct sim_order *grown = realloc(ca->orders, (ca->orders_n + 1) * sizeof *grown);

	if (grown == NULL)
		return ERR_MEMORY;
	ca->orders = grown;
	struct sim_order *o = &grown[ca->orders_n];
	*o = (struct sim_order){ .status = ACME_PENDING, .life = life, .is_free = is_free, .authz = calloc(r->names_n + 1, sizeof *o->authz) };
	if (o->authz == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < r->names_n; i++) {
		o->authz[i].status = ACME_PENDING;
		(void)snprintf(o->authz[i].name, SIM_TEXT, "%.*s", STR_ARG(r->names[i]));
		(void)snprintf(o->authz[i].token, sizeof o->authz[i].token, "%s-token-%zu-%zu", ca->name, ca->orders_n + 1, i);
		o->authz_n++;
	}
	ca->orders_placed++;
	ca->orders_open++;
	a->http_status = 201;
	show_order(ca, ca->orders_n++, a);
	return ERR_OK;
}

static enum err
finalize(struct sim *s, struct sim_ca *ca, struct sim_order *o)
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
	ca->orders_open--;
	ca->issued++;
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
answer_by_fault(struct sim *s, const struct sim_ca *ca, const struct acme_request *r, struct acme_answer *a)
{
	const struct sim_ca_faults *f = &ca->faults;

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
	} else if (f->nonce_until_ms > s->now_ms) {
		refuse(a, 400, "badNonce", "JWS has an invalid anti-replay nonce");
	} else if (f->paused_until_ms > s->now_ms && r->verb == ACME_NEW_ORDER) {
		refuse(a, 429, "rateLimited",
		    "Your account is temporarily prevented from requesting certificates for example.jp and possibly others. "
		    "Please visit: https://portal.example/sfe/v1/unpause?jwt=eyJ");
	} else if (f->blocked_until_ms > s->now_ms && r->verb != ACME_RENEWAL_INFO) {
		refuse(a, 403, "unauthorized", "Account blocked :: too many certificates that nobody uses; write to https://ca.example/support");
	} else {
		return false;
	}
	return true;
}

static void
copy_key(char ret[SIM_KEY], struct str key)
{
	(void)snprintf(ret, SIM_KEY, "%.*s", STR_ARG(key));
}

static enum err
answer_request(struct sim *s, struct ca_call *call, struct acme_answer *a)
{
	const struct acme_request *r = &call->request;
	struct sim_ca *ca = call->ca;
	int64_t n, k;
	struct sim_order *o;

	ca->orders_asked += r->verb == ACME_NEW_ORDER;
	if (answer_by_fault(s, ca, r, a))
		return ERR_OK;
	if (r->verb != ACME_RENEWAL_INFO && strcmp(call->key, ca->key) != 0) {
		ca->wrong_keys++;
		refuse(a, 403, "unauthorized", "No account exists with the provided key");
		return ERR_OK;
	}
	a->http_status = 200;
	switch (r->verb) {
	case ACME_NEW_ORDER:
		return new_order(s, ca, r, a);
	case ACME_GET_ORDER:
		if ((o = order_of(ca, r->url, STR("sim:order"), &n, &k)) == NULL)
			break;
		show_order(ca, (size_t)n - 1, a);
		return ERR_OK;
	case ACME_GET_AUTHZ:
		if ((o = order_of(ca, r->url, STR("sim:authz"), &n, &k)) == NULL || (size_t)k >= o->authz_n)
			break;
		show_authz(o, n, k, a);
		return ERR_OK;
	case ACME_CHALLENGE:
		if ((o = order_of(ca, r->url, STR("sim:challenge"), &n, &k)) == NULL || (size_t)k >= o->authz_n)
			break;
		a->status = a->challenge_status = ACME_PROCESSING;
		if (o->authz[k].is_trying || o->authz[k].status != ACME_PENDING)
			return ERR_OK;
		/* Without memory nothing has begun: the request may come again. */
		enum err begun = begin_validation(s, ca, (size_t)n - 1, (size_t)k);
		o->authz[k].is_trying = begun == ERR_OK;
		return begun;
	case ACME_FINALIZE:
		if ((o = order_of(ca, r->url, STR("sim:finalize"), &n, &k)) == NULL)
			break;
		if (o->status != ACME_READY) {
			refuse(a, 403, "orderNotReady", "Order's status is not acceptable for finalization");
			return ERR_OK;
		}
		enum err err = finalize(s, ca, o);
		show_order(ca, (size_t)n - 1, a);
		return err;
	case ACME_CERTIFICATE:
		if ((o = order_of(ca, r->url, STR("sim:certificate"), &n, &k)) == NULL || o->certificate == 0)
			break;
		show_certificate(s, o, a);
		return ERR_OK;
	case ACME_RENEWAL_INFO:
		sim_renewal_info(s, r, a);
		return ERR_OK;
	case ACME_KEY_CHANGE:
		copy_key(ca->key, r->inner);
		return ERR_OK;
	case ACME_DEACTIVATE_AUTHZ:
		if ((o = order_of(ca, r->url, STR("sim:authz"), &n, &k)) == NULL || (size_t)k >= o->authz_n)
			break;
		s->deactivated++;
		o->authz[k].status = a->status = ACME_DEACTIVATED;
		close_order(ca, o, ACME_INVALID);
		return ERR_OK;
	case ACME_REVOKE:
		s->revoked++;
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
	if (answer_request(s, call, a) != ERR_OK || (arena_failed(&a->arena) && a->err == ERR_OK))
		a->err = ERR_MEMORY;
	if (call->is_mute) {
		a->err = ERR_TIMEOUT;
		a->http_status = 0;
		a->detail = STR("no answer in 30 s");
	}
	call->answer = NULL;
	call->done(call->arg, a);
	drop_call(s, call);
}

struct sim_ca *
sim_ca_by_id(struct sim *s, int64_t id)
{
	for (size_t i = 0; i < s->cas_n; i++)
		if (s->cas[i].id == id)
			return &s->cas[i];
	return NULL;
}

static enum err
submit(void *ctx, const struct acme_request *r, acme_done *done, void *arg)
{
	struct sim *s = ctx;
	struct sim_ca *ca = sim_ca_by_id(s, r->ca_id);
	struct ca_call *call = ca != NULL ? calloc(1, sizeof *call) : NULL;

	if (ca == NULL)
		return ERR_BUSY;
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
	call->ca = ca;
	copy_key(call->key, str_of(ca->port_key));
	call->is_mute = ca->faults.mute_until_ms > s->now_ms;
	call->request = *r;
	call->request.url = arena_str(&call->arena, r->url);
	call->request.replaces = arena_str(&call->arena, r->replaces);
	call->request.profile = arena_str(&call->arena, r->profile);
	call->request.ari_id = arena_str(&call->arena, r->ari_id);
	call->request.inner = arena_str(&call->arena, r->inner);
	struct str *names = arena_get(&call->arena, (r->names_n + 1) * sizeof *names);
	for (size_t i = 0; names != NULL && i < r->names_n; i++)
		names[i] = arena_str(&call->arena, r->names[i]);
	call->request.names = names;
	int64_t ms = ca->faults.silent_until_ms > s->now_ms || call->is_mute ? 30000 : ca->delay_ms;
	enum err err = arena_failed(&call->arena) ? ERR_MEMORY : sim_after(s, ms, finish_call, drop_call, call);
	if (err != ERR_OK)
		drop_call(s, call);
	return err;
}

struct register_call {
	acme_registered *done;
	void *arg;
	struct sim_ca *ca;
	bool only_existing, has_url;
	char key[SIM_KEY];
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
	struct sim_ca *ca = call->ca;
	const struct sim_ca_faults *f = &ca->faults;
	struct str identity = str_of(ca->identity), profiles[4];
	struct acme_registration r = {
		.retry_after = WHEN_UNKNOWN,
		.url = str_of(ca->account_url),
		.directory = { .caa_identities = &identity, .caa_identities_n = 1, .has_renewal_info = s->ca_has_renewal,
		    .profiles = profiles },
	};
	for (size_t i = 0; i < s->ca_profiles_n; i++)
		profiles[r.directory.profiles_n++] = str_of(s->ca_profiles[i].name);

	if (ca->has_key_change)
		r.directory.key_change = STR("sim:key-change");
	if (f->down_until_ms > s->now_ms || f->silent_until_ms > s->now_ms)
		r = (struct acme_registration){ .err = ERR_SERVER, .retry_after = WHEN_UNKNOWN, .detail = STR("503") };
	else if (call->only_existing && strcmp(call->key, ca->key) != 0)
		r = (struct acme_registration){ .err = ERR_REFUSED, .retry_after = WHEN_UNKNOWN,
			.problem = { .type = STR("accountDoesNotExist"), .detail = STR("No account exists with the provided key") } };
	if (r.err == ERR_OK) {
		if (!call->has_url && !call->only_existing && ca->key[0] == '\0')
			copy_key(ca->key, str_of(call->key));
		copy_key(ca->port_key, str_of(call->key));
	}
	call->done(call->arg, &r);
	free(call);
}

static enum err
open_account(void *ctx, const struct acme_account *account, acme_registered *done, void *arg)
{
	struct sim *s = ctx;
	struct sim_ca *ca = NULL;
	struct register_call *call = calloc(1, sizeof *call);

	if (call == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < s->cas_n; i++)
		if (str_eq(account->directory, str_of(s->cas[i].directory)))
			ca = &s->cas[i];
	must(ca != NULL);
	ca->id = account->id;
	*call = (struct register_call){ done, arg, ca, account->only_existing, account->url.n > 0, "" };
	copy_key(call->key, account->sealed_key);
	enum err err = sim_after(s, ca->delay_ms, finish_register, drop_register, call);
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

/* --- the CAs of a world --- */

void
sim_thumbprint(struct str sealed_key, char ret[SIM_KEY + 16])
{
	(void)snprintf(ret, SIM_KEY + 16, "thumb-of-%.*s", STR_ARG(sealed_key));
}

struct sim_ca *
sim_ca_of(struct sim *s, struct str name)
{
	for (size_t i = 0; i < s->cas_n; i++)
		if (str_eq(name, str_of(s->cas[i].name)))
			return &s->cas[i];
	return NULL;
}

struct sim_ca *
sim_ca_add(struct sim *s, struct str name)
{
	if (s->cas_n == SIM_CAS || name.n == 0 || name.n >= sizeof s->cas[0].name)
		return NULL;
	struct sim_ca *ca = &s->cas[s->cas_n++];

	*ca = (struct sim_ca){ .life = SPAN_D(90), .delay_ms = 50, .validation_delay_ms = 1500, .has_key_change = true };
	(void)snprintf(ca->name, sizeof ca->name, "%.*s", STR_ARG(name));
	(void)snprintf(ca->identity, sizeof ca->identity, "%.*s.example", STR_ARG(name));
	(void)snprintf(ca->directory, sizeof ca->directory, "https://%.*s.example/directory", STR_ARG(name));
	(void)snprintf(ca->account_url, sizeof ca->account_url, "https://%.*s.example/account/1", STR_ARG(name));
	return ca;
}

unsigned
sim_orders_placed(const struct sim *s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->cas_n; i++)
		n += s->cas[i].orders_placed;
	return n;
}

unsigned
sim_issued(const struct sim *s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->cas_n; i++)
		n += s->cas[i].issued;
	return n;
}

void
sim_ca_fini(struct sim *s)
{
	for (size_t k = 0; k < s->cas_n; k++) {
		for (size_t i = 0; i < s->cas[k].orders_n; i++)
			free(s->cas[k].orders[i].authz);
		free(s->cas[k].orders);
		s->cas[k].orders = NULL;
	}
	for (size_t i = 0; i < s->certificates_n; i++)
		free(s->certificates[i].names);
	free(s->certificates);
	s->certificates = NULL;
}
