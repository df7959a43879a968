#include "sim/acme/inside.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/limits.h"
#include "base/must.h"
#include "ports/loop/ending.h"

/* Requests: whose they are, whether they may be answered, and by which file. */

enum { PATH_MOST = 4096 };

static const struct {
	const char *path, *group;
	bool has_tail;
	struct token_rule ceiling;
} endpoints[AT_COUNT] = {
#define ENDPOINT(code, word, path, tail, group, rate, burst) [AT_##code] = { path, group, tail, { burst, burst * 1000 / rate } },
#include "sim/acme/endpoint.tbl"
#undef ENDPOINT
};

/* --- nonces (RFC 8555 6.5) --- */

static void
put_nonce(struct exchange *x)
{
	struct fake *f = x->f;
	uint64_t parts[2] = { f->nonces_n++, 0 };
	char text[32];

	f->clock->random(f->clock->ctx, &parts[1], sizeof parts[1]);
	f->nonces[parts[0] % NONCES_KEPT] = (struct nonce){ parts[1], true };
	jws_encode((const uint8_t *)parts, sizeof parts, text);
	put_header(x, "Replay-Nonce: %s", text);
}

static bool
use_nonce(struct exchange *x)
{
	struct fake *f = x->f;
	struct str bytes;
	uint64_t parts[2];

	if (x->jws.nonce.n == 0 || !jws_decode(x->jws.nonce, &x->arena, &bytes) || bytes.n != sizeof parts)
		return false;
	memcpy(parts, bytes.p, sizeof parts);
	struct nonce *n = &f->nonces[parts[0] % NONCES_KEPT];
	if (parts[0] >= f->nonces_n || f->nonces_n - parts[0] > NONCES_KEPT || !n->is_good || n->secret != parts[1])
		return false;
	n->is_good = false;
	return true;
}

/* --- plain GETs --- */

static void
at_directory(struct exchange *x)
{
	struct buf *to = &x->reply->body;
	const struct settings *s = &x->f->set;
	const char *base = x->base.p;

	x->reply->type = "application/json";
	buf_putf(to,
	    "{\"newNonce\":\"%s/acme/new-nonce\",\"newAccount\":\"%s/acme/new-account\",\"newOrder\":\"%s/acme/new-order\","
	    "\"revokeCert\":\"%s/acme/revoke-cert\",\"keyChange\":\"%s/acme/key-change\",\"renewalInfo\":\"%s/acme/renewal-info\","
	    "\"meta\":{\"externalAccountRequired\":%s,\"caaIdentities\":[",
	    base, base, base, base, base, base, s->eabs_n > 0 ? "true" : "false");
	if (s->identity[0] != '\0')
		put_json_text(to, str_of(s->identity));
	buf_put_str(to, STR("],\"profiles\":{"));
	for (size_t i = 0; i < s->profiles_n; i++) {
		buf_put_str(to, i > 0 ? STR(",") : STR(""));
		put_json_text(to, str_of(s->profiles[i].name));
		buf_putf(to, ":\"certificates for %lld s\"", (long long)s->profiles[i].life.s);
	}
	buf_putc(to, '}');
	if (s->terms[0] != '\0') {
		buf_put_str(to, STR(",\"termsOfService\":"));
		put_json_text(to, str_of(s->terms));
	}
	buf_put_str(to, STR("}}"));
}

/* The page that the words of a pause lead to: opening it is the click. */
static void
at_portal(struct exchange *x)
{
	x->reply->type = "text/plain; charset=utf-8";
	map_fini(&x->f->paused);
	buf_put_str(&x->reply->body, STR("The account is no longer paused.\n"));
}

/* True: it was one, and is answered. */
static bool
answer_plain(struct exchange *x)
{
	bool is_get = str_eq(x->request->method, STR("GET")), is_head = str_eq(x->request->method, STR("HEAD"));

	if (!is_get && !is_head) {
		if (str_eq(x->request->method, STR("POST")) && x->at != AT_ELSEWHERE)
			return false;
		refuse(x, x->at == AT_ELSEWHERE ? 404 : 405, "malformed", x->at == AT_ELSEWHERE ? "Page not found" : "Method not allowed");
	} else if (x->at == AT_DIRECTORY) {
		at_directory(x);
	} else if (x->at == AT_NEW_NONCE) {
		x->reply->status = is_head ? 200 : 204;
		put_nonce(x);
	} else if (x->at == AT_RENEWAL) {
		at_renewal(x);
	} else if (x->at == AT_PORTAL) {
		at_portal(x);
	} else {
		refuse(x, x->at == AT_ELSEWHERE ? 404 : 405, "malformed",
		    x->at == AT_ELSEWHERE ? "Page not found" : "Method not allowed"); /* 6.3: GET is for these alone */
	}
	return true;
}

/* --- POSTs --- */

static bool
find_account(struct exchange *x)
{
	struct str kid = x->jws.kid, prefix = arena_strf(&x->arena, "%.*s/acme/acct/", STR_ARG(x->base));
	size_t i;

	if (!str_starts(kid, prefix)) {
		refuse(x, 400, "malformed", "KeyID header contained an invalid account URL: expected one that begins with %.*s",
		    STR_ARG(prefix));
		return false;
	}
	if (!read_id(x->f, (struct str){ kid.p + prefix.n, kid.n - prefix.n }, x->f->accounts.n, &i)) {
		refuse(x, 400, "accountDoesNotExist", "Account \"%.*s\" not found", (int)(kid.n < 200 ? kid.n : 200), kid.p);
		return false;
	}
	x->account = x->f->accounts.at[i];
	if (x->account->status != S_VALID) {
		refuse(x, 403, "unauthorized", "Account is not valid, has status \"%s\"", status_name(x->account->status));
		return false;
	}
	return true;
}

/* Whose key: of an account, or (newAccount, revokeCert) the one in the header (6.2). */
static EVP_PKEY *
find_key(struct exchange *x)
{
	struct jws_refusal r = { .type = NULL };
	uint64_t i;

	if (x->jws.jwk == NULL) {
		if (x->at == AT_NEW_ACCOUNT) {
			refuse(x, 400, "malformed", "No embedded JWK in JWS header");
			return NULL;
		}
		return find_account(x) ? x->account->key : NULL;
	}
	if (x->at != AT_NEW_ACCOUNT && x->at != AT_REVOKE) {
		refuse(x, 400, "malformed", "No Key ID in JWS header");
		return NULL;
	}
	x->new_key = jws_key(x->jws.jwk, x->thumbprint, &r);
	if (x->new_key == NULL)
		refuse(x, 400, r.type, "%s", r.why.text);
	if (x->at == AT_NEW_ACCOUNT && x->new_key != NULL && map_get(&x->f->by_thumbprint, str_of(x->thumbprint), &i))
		x->account = x->f->accounts.at[i];
	return x->new_key;
}

/* The checks of 6.2 to 6.5, in the order in which Boulder makes them. */
static bool
check_post(struct exchange *x)
{
	struct jws_refusal r = { .type = NULL };

	if (!str_eq(x->request->type, STR("application/jose+json"))) {
		refuse(x, 415, "malformed", "Invalid Content-Type header on POST. Content-Type must be \"application/jose+json\"");
		return false;
	}
	if (!jws_read(x->request->body, &x->arena, &x->jws, &r)) {
		refuse(x, 400, r.type, "%s", r.why.text);
		return false;
	}
	EVP_PKEY *key = find_key(x);
	if (key == NULL)
		return false;
	if (!jws_verify(&x->jws, key, &r)) {
		refuse(x, 400, r.type, "%s", r.why.text);
		return false;
	}
	if (!use_nonce(x)) {
		refuse(x, 400, "badNonce", "Unable to validate JWS :: JWS has %s", x->jws.has_nonce ? "an invalid anti-replay nonce" : "no anti-replay nonce");
		return false;
	}
	if (!str_eq(x->jws.url, x->url)) {
		refuse(x, 403, "unauthorized", "JWS header parameter 'url' incorrect. Expected \"%.*s\" got \"%.*s\"", STR_ARG(x->url),
		    (int)(x->jws.url.n < 300 ? x->jws.url.n : 300), x->jws.url.p);
		return false;
	}
	x->is_post_as_get = x->jws.payload.n == 0;
	x->payload = json_loadb(x->jws.payload.p, x->jws.payload.n, JSON_REJECT_DUPLICATES, NULL);
	if (!x->is_post_as_get && !json_is_object(x->payload)) {
		refuse(x, 400, "malformed", "Request payload did not parse as JSON");
		return false;
	}
	return true;
}

static void
by_fault(struct exchange *x)
{
	char scope[TEXT_BYTES];
	struct str account = arena_strf(&x->arena, "%llu", x->account != NULL ? (unsigned long long)x->account->id : 0);
	const struct fault *t = x->fault;
	struct when again = when_plus(fake_now(x->f), SPAN_S(t->seconds));

	if (t->kind == FAULT_ALREADY_REPLACED) {
		refuse(x, 409, "alreadyReplaced", "cannot indicate an order replaces certificate, which already has a replacement order");
	} else if (t->kind == FAULT_BAD_NONCE) {
		refuse(x, 400, "badNonce", "Unable to validate JWS :: JWS has an invalid anti-replay nonce");
	} else if (t->kind == FAULT_INTERNAL) {
		refuse(x, 500, "serverInternal",
		    "The service is down for maintenance or had an internal error. Check https://letsencrypt.status.io/ for more details.");
	} else if (t->kind == FAULT_PAUSED) {
		refuse(x, 429, "rateLimited",
		    "Your account is temporarily prevented from requesting certificates for %s and possibly others. Please visit: %.*s/sfe/v1/unpause/%.*s",
		    x->subject[0] != '\0' ? x->subject : "some names", STR_ARG(x->base), STR_ARG(account));
	} else {
		struct civil c = when_civil(again);
		long long period = (long long)t->seconds * 300; /* a limit that gives one order back after that time */

		refuse(x, 429, "rateLimited",
		    "too many new orders (300) from this account in the last %lldh%lldm%llds, retry after %04d-%02d-%02d %02d:%02d:%02d UTC: "
		    "see https://letsencrypt.org/docs/rate-limits/#new-orders-per-account",
		    period / 3600, period / 60 % 60, period % 60, c.year, c.month, c.day, c.hour, c.minute, c.second);
		scope_of_limit(TOKENS_NEW_ORDERS, account, scope);
		if (x->at != AT_NEW_ORDER)
			scope_of_url(x, scope);
		put_retry_after(x, t->seconds, t->kind == FAULT_LIMITED_DATE, scope);
	}
}

static void
answer_post(struct exchange *x)
{
	static void (*const handlers[AT_COUNT])(struct exchange *x) = {
		[AT_NEW_ACCOUNT] = at_new_account, [AT_KEY_CHANGE] = at_key_change, [AT_NEW_ORDER] = at_new_order,
		[AT_REVOKE] = at_revoke, [AT_ACCOUNT] = at_account, [AT_ORDER] = at_order, [AT_FINALIZE] = at_finalize,
		[AT_AUTHZ] = at_authz, [AT_CHALLENGE] = at_challenge, [AT_CERTIFICATE] = at_certificate,
	};

	put_nonce(x);
	if (handlers[x->at] == NULL) {
		refuse(x, 405, "malformed", "Method not allowed");
		return;
	}
	if (!check_post(x))
		return;
	x->f->is_replacing = json_object_get(x->payload, "replaces") != NULL;
	x->fault = fault_take(x->f, FAULT_CHECKED, x->at);
	if (x->fault != NULL) {
		by_fault(x);
		return;
	}
	const struct problem_text *said = &x->f->set.refusals[x->at];
	if (said->status != 0 && x->at != AT_CHALLENGE) {
		refuse(x, said->status, said->type, "%s", said->detail);
		return;
	}
	handlers[x->at](x);
}

/* --- all --- */

/* True: the front end answers in the CA's place. */
static bool
answer_at_the_door(struct exchange *x)
{
	char scope[TEXT_BYTES];
	struct str key = arena_strf(&x->arena, "%s %.*s", endpoints[x->at].group, STR_ARG(x->request->peer));
	int64_t wait = 0;

	x->fault = fault_take(x->f, FAULT_BEFORE, x->at);
	if (x->fault != NULL && x->fault->kind == FAULT_RESET)
		x->reply->manner = HTTPD_RESET;
	else if (x->fault != NULL && x->fault->kind == FAULT_SILENT)
		x->reply->manner = HTTPD_SILENT;
	else if (x->fault != NULL && x->fault->kind == FAULT_PAGE) {
		x->reply->status = 502;
		x->reply->type = "text/html";
		buf_put_str(&x->reply->body, STR("<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>\n"));
	} else {
		if (x->f->set.has_ceilings)
			wait = tokens_spend_by(&x->f->limits, TOKENS_ENDPOINT, &endpoints[x->at].ceiling, key, fake_ms(x->f));
		if (x->fault == NULL && wait == 0)
			return false;
		refuse(x, 503, "rateLimited", "Service busy; retry later.");
		scope_of_endpoint(x, scope);
		put_retry_after(x, x->fault != NULL ? x->fault->seconds : (wait + 999) / 1000,
		    x->fault != NULL && x->fault->kind == FAULT_BUSY_DATE, scope);
	}
	return true;
}

static void
spoil(struct exchange *x)
{
	const struct fault *t = fault_take(x->f, FAULT_AFTER, x->at);

	if (t == NULL)
		return;
	x->fault = t;
	if (t->kind == FAULT_RESET_AFTER)
		x->reply->manner = HTTPD_RESET;
	else if (t->kind == FAULT_HALF)
		x->reply->manner = HTTPD_HALF;
	else if (t->kind == FAULT_CUT)
		x->reply->body.n /= 2;
	else {
		x->reply->manner = HTTPD_SLOW;
		x->reply->bytes_per_s = t->seconds > 0 ? (unsigned)t->seconds : 1;
	}
}

static void
find_endpoint(struct exchange *x)
{
	struct str path = x->request->path, query = path;

	path = str_cut(&query, '?');
	for (size_t i = 0; i < AT_COUNT; i++) {
		struct str p = str_of(endpoints[i].path);

		if (endpoints[i].has_tail ? str_starts(path, p) : str_eq(path, p)) {
			x->at = (enum endpoint)i;
			x->tail = (struct str){ path.p + p.n, path.n - p.n };
			return;
		}
	}
	x->at = AT_ELSEWHERE;
}

static void
handle(void *arg, const struct httpd_request *r, struct httpd_reply *reply)
{
	struct fake *f = arg;
	struct exchange x = { .f = f, .request = r, .reply = reply };
	char scope[TEXT_BYTES];
	int64_t wall = fake_now(f).s * 1000 - fake_ms(f);

	/* A second is told when it has begun: the largest difference seen is the truest. */
	if (wall > f->wall_ahead_ms || wall < f->wall_ahead_ms - 2000)
		f->wall_ahead_ms = wall;
	arena_init(&x.arena, LIMIT_TURN_BYTES);
	reply->status = 200;
	reply->after_ms = f->set.answer_ms;
	find_endpoint(&x);
	x.base = arena_strf(&x.arena, "https://%.*s", STR_ARG(r->host));
	x.url = arena_strf(&x.arena, "%.*s%.*s", STR_ARG(x.base), (int)(r->path.n < PATH_MOST ? r->path.n : PATH_MOST), r->path.p);
	scope_of_endpoint(&x, scope);
	int64_t early = promise_left(f, scope);
	scope_of_url(&x, scope);
	int64_t early_url = promise_left(f, scope);
	early = early_url > early ? early_url : early;
	if (!answer_at_the_door(&x)) {
		/* 7.2 wants "no-store" of newNonce; it does no harm elsewhere. */
		put_header(&x, "Cache-Control: no-store");
		put_header(&x, "Link: <%.*s/directory>;rel=\"index\"", STR_ARG(x.base));
		if (!answer_plain(&x))
			answer_post(&x);
		early = x.early_ms > early ? x.early_ms : early;
		spoil(&x);
	}
	/* Nobody is held to an answer that broke off on its way. */
	if (x.promise_ms > 0 && reply->manner == HTTPD_WHOLE)
		promise_put(f, x.promise_scope, x.promise_ms);
	log_put(&x, early);
	jws_fini(&x.jws);
	json_decref(x.payload);
	EVP_PKEY_free(x.new_key);
	arena_fini(&x.arena);
}

/* --- the whole --- */

#define FREE_ALL(table, free_one)                                                                                      \
	for (size_t i = 0; i < (table).n; i++)                                                                         \
		free_one((table).at[i]);                                                                               \
	free((table).at)

static void
fake_free(struct fake *f)
{
	httpd_free(&f->front);
	httpd_free(&f->control);
	validation_end(f);
	FREE_ALL(f->accounts, account_free);
	FREE_ALL(f->orders, order_free);
	FREE_ALL(f->authzs, free);
	FREE_ALL(f->certificates, certificate_free);
	FREE_ALL(f->promises, free);
	FREE_ALL(f->log, free);
	map_fini(&f->by_thumbprint);
	map_fini(&f->by_authz);
	map_fini(&f->by_order);
	map_fini(&f->by_serial);
	map_fini(&f->by_set);
	map_fini(&f->paused);
	map_fini(&f->promised);
	tokens_fini(&f->limits);
	sign_free(&f->sign);
	loop_free(&f->loop);
	free(f);
}

static enum err
listen_all(struct fake *f, const struct fake_options *o, struct why *why)
{
	uint16_t port = 0;
	enum err err;

	for (size_t i = 0; i < o->listen_n; i++) {
		err = httpd_listen(f->front, o->listen[i], why, &port);
		if (err != ERR_OK)
			return err;
		fprintf(o->tells, "directory https://%.*s:%u/directory\n", (int)(strrchr(o->listen[i], ':') - o->listen[i]), o->listen[i],
		    port);
	}
	err = httpd_listen(f->control, o->control, why, &port);
	if (err != ERR_OK)
		return err;
	fprintf(o->tells, "control http://%.*s:%u/\nready\n", (int)(strrchr(o->control, ':') - o->control), o->control, port);
	return fflush(o->tells) == 0 ? ERR_OK : ERR_IO;
}

/* The hosts of the listeners, for the CA's own certificate. */
static size_t
hosts_of(const struct fake_options *o, struct str hosts[FAKE_LISTEN_MAX + 1])
{
	size_t n = 0;

	hosts[n++] = STR("localhost");
	for (size_t i = 0; i < o->listen_n; i++) {
		const char *colon = strrchr(o->listen[i], ':');
		struct str host = { o->listen[i], colon == NULL ? strlen(o->listen[i]) : (size_t)(colon - o->listen[i]) };

		if (host.n > 2 && host.p[0] == '[')
			host = (struct str){ host.p + 1, host.n - 2 };
		hosts[n++] = host;
	}
	return n;
}

static enum err
begin(struct fake *f, const struct fake_options *o, struct why *why)
{
	struct str hosts[FAKE_LISTEN_MAX + 1];
	size_t hosts_n = hosts_of(o, hosts);
	enum err err = loop_new(f->clock, &f->loop);

	f->clock->random(f->clock->ctx, &f->first_id, sizeof f->first_id);
	f->clock->random(f->clock->ctx, &f->dice, sizeof f->dice);
	f->first_id = f->first_id % 900000000 + 100000000;
	f->dice |= 1;
	f->wall_ahead_ms = INT64_MIN / 2;
	settings_init(&f->set);
	tokens_init(&f->limits);
	if (err == ERR_OK)
		err = fake_say(f, o->words, why);
	if (err == ERR_INVALID && o->words_file != NULL) {
		struct why line = *why;

		why_set(why, "%s: %s", o->words_file, line.text);
	}
	if (err == ERR_OK)
		err = sign_new(o->folder, hosts, hosts_n, f->clock, why, &f->sign);
	if (err == ERR_OK)
		err = httpd_new(f->loop, sign_tls(f->sign), handle, f, &f->front);
	if (err == ERR_OK)
		err = httpd_new(f->loop, NULL, control_handle, f, &f->control);
	return err != ERR_OK ? err : listen_all(f, o, why);
}

enum err
fake_run(const struct fake_options *o, struct clock *clock, struct why *why)
{
	struct fake *f = calloc(1, sizeof *f);
	struct ending ending = ENDING_NONE;

	if (f == NULL)
		return ERR_MEMORY;
	f->clock = clock;
	enum err err = begin(f, o, why);
	if (err == ERR_OK)
		err = ending_init(&ending, f->loop);
	while (err == ERR_OK && !ending.is_wanted)
		err = loop_round(f->loop, -1);
	ending_fini(&ending, f->loop);
	fake_free(f);
	return err;
}
