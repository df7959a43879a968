#include "sim/fleet/inside.h"
#include <stdlib.h>
#include <string.h>

/*
 * The CAs: orders as RFC 8555 7.1 has them, Let's Encrypt's texts, limits as buckets, and outages. They know nothing of
 * what koshin believes about them; what they were told to refuse is the plan's and the seed's.
 */

/* How a request ends, decided when it arrives. */
enum reply { REPLY_TAKEN, REPLY_SILENT, REPLY_RUBBISH, REPLY_DOWN, REPLY_INTERNAL, REPLY_LIMIT, REPLY_NOT_READY, REPLY_GONE };
enum denial { DENIED_NOT, DENIED_SECONDARY, DENIED_TIMEOUT, DENIED_NOWHERE, DENIED_BOGUS, DENIED_CAA, DENIED_ELSEWHERE, DENIED_DOWN };
static const struct {
	const char *type, *words;
} denials[] = {
	[DENIED_NOT] = { "serverInternal", "" },
	[DENIED_SECONDARY] = { "connection", "During secondary validation: %s: Fetching http://x/.well-known/acme-challenge/t: Timeout during connect (likely firewall problem)" },
	[DENIED_TIMEOUT] = { "dns", "DNS problem: query timed out looking up A" },
	[DENIED_NOWHERE] = { "dns", "no valid A records found; no valid AAAA records found" },
	[DENIED_BOGUS] = { "dns", "DNS problem: looking up A: DNSSEC: DNSKEY Missing" },
	[DENIED_CAA] = { "caa", "CAA record prevents issuance" },
	[DENIED_ELSEWHERE] = { "unauthorized", "198.51.100.7: Invalid response from http://x/.well-known/acme-challenge/t: 404" },
	[DENIED_DOWN] = { "connection", "%s: Fetching http://x/.well-known/acme-challenge/t: Connection refused" },
};
enum { RETRY_S = 3600, ORDER_DAYS = 7, SMALL_ACCOUNT = 3 };
/* CA-FACTS: 300 and 250 a second, and bursts of 200 and 125 on top. */
enum { NEW_ORDER_PEAK = 300 + 200, OTHER_PEAK = 250 + 125 };

void
authority_init(struct fleet *f)
{
	/* A reserve's account is a small one in half of the fleets. */
	bool is_small = f->plan->seed / 2 % 2 == 0;

	for (size_t i = 0; i < f->cas_n; i++)
		f->cas[i] = (struct authority){ .clean_ms = f->start_ms,
			.orders_capacity = i > 0 && is_small ? SMALL_ACCOUNT : f->plan->ca.orders_capacity,
			.tokens_at_ms = f->start_ms,
			.tokens_ms = (int64_t)f->plan->ca.orders_window.s * 1000,
			.issued_ms = f->start_ms };
}

void
authority_fini(struct fleet *f)
{
	free(f->orders.at);
	f->orders.at = NULL;
}

struct span
authority_life(const struct fleet *f, uint8_t ca)
{
	const struct fleet_ca *c = &f->plan->ca;
	struct span life = SPAN_D(90);
	/* Half of the seeds have shorter lives than 90 days. */
	static const int64_t by_seed_h[] = { 90 * 24, 90 * 24, 90 * 24, 90 * 24, 64 * 24, 45 * 24, 20 * 24, 160 };

	/* The reserve gives in half of the fleets what it always gave, whatever the first does. */
	if (ca > 0 && f->plan->seed / 8 % 2 == 0)
		return life;
	if (f->plan->has_faults && f->plan->lives_by_seed)
		return SPAN_H(by_seed_h[f->plan->seed % (sizeof by_seed_h / sizeof *by_seed_h)]);
	for (size_t i = 0; i < c->calendar_n; i++)
		if (i == 0 || !when_before(fleet_true(f), c->calendar[i].from))
			life = c->calendar[i].life;
	return life;
}

/* --- orders --- */

static uint32_t
new_order(struct fleet *f, uint32_t n, uint8_t ca, struct name_set names)
{
	struct ca_orders *all = &f->orders;
	uint32_t i = all->free;

	if (i != 0) {
		all->free = all->at[i].next;
	} else {
		if (all->n + 1 >= all->cap) {
			uint32_t cap = all->cap == 0 ? 256 : 2 * all->cap;
			struct ca_order *grown = realloc(all->at, cap * sizeof *grown);

			if (grown == NULL) {
				f->err = ERR_MEMORY;
				return 0;
			}
			all->at = grown;
			all->cap = cap;
		}
		i = ++all->n;
	}
	all->at[i] = (struct ca_order){ .site = n,
		.next = f->sites[n].ca_orders,
		.status = ACME_PENDING,
		.names = names,
		.created_ms = f->now_ms,
		.ca = ca };
	f->sites[n].ca_orders = i;
	return i;
}

static bool
is_open(const struct fleet *f, const struct ca_order *o)
{
	return o->status != ACME_VALID && o->status != ACME_INVALID &&
	       f->now_ms - o->created_ms < ORDER_DAYS * FLEET_DAY_MS;
}

/* What has ended is forgotten when the next order of the site comes. */
static void
forget_ended(struct fleet *f, uint32_t n)
{
	uint32_t *at = &f->sites[n].ca_orders;

	while (*at != 0) {
		uint32_t i = *at;
		struct ca_order *o = &f->orders.at[i];

		if (is_open(f, o) || o->is_known) {
			at = &o->next;
			continue;
		}
		*at = o->next;
		*o = (struct ca_order){ .site = UINT32_MAX, .next = f->orders.free };
		f->orders.free = i;
	}
}

/* Pending orders of the same names are reused, as Let's Encrypt does. */
static uint32_t
place(struct fleet *f, uint32_t n, uint8_t ca, struct name_set names)
{
	forget_ended(f, n);
	for (uint32_t i = f->sites[n].ca_orders; i != 0; i = f->orders.at[i].next) {
		struct ca_order *o = &f->orders.at[i];

		if (o->is_known)
			fleet_broken(f, n, o->ca == ca ? "P6: a second order while one is in flight"
						       : "P6: an order while one is in flight at the other CA");
		fleet_mark(f, FLEET_MARK_ORDER_ORPHANED);
		if (o->ca == ca && o->names.bits == names.bits && (o->status == ACME_PENDING || o->status == ACME_READY))
			return i;
	}
	return new_order(f, n, ca, names);
}

/* --- validation --- */

static enum denial
deny(struct fleet *f, uint32_t n, uint8_t ca, size_t k)
{
	const struct fleet_site *s = &f->sites[n];
	size_t at = (size_t)(s->site.names - f->names) + k;

	if (f->cas[ca].fault_ms[OUTAGE_REFUSE] > f->now_ms)
		return DENIED_SECONDARY;
	if (f->companies[s->company].silent_ms > f->now_ms)
		return DENIED_TIMEOUT;
	switch ((enum pointing)f->pointing[at]) {
	case POINTS_NOWHERE:
		return DENIED_NOWHERE;
	case POINTS_BOGUS:
		return DENIED_BOGUS;
	case POINTS_CAA:
	case POINTS_CAA_FIRST:
	case POINTS_CAA_RESERVE:
		if (!owners_lets_issue(f, n, k, ca))
			return DENIED_CAA;
		break;
	case POINTS_ELSEWHERE:
	case POINTS_V6_AWAY:
		return DENIED_ELSEWHERE;
	case POINTS_BOTH:
		if (fleet_below(&f->world_seed, 2) == 0)
			return DENIED_ELSEWHERE;
		break;
	case POINTS_HERE:
	case POINTS_COUNT:
		break;
	}
	return f->servers[s->server].down_ms > f->now_ms ? DENIED_DOWN : DENIED_NOT;
}

void
authority_validated(struct fleet *f, const struct fleet_event *ev)
{
	struct ca_order *o = &f->orders.at[ev->arg];
	size_t k = (size_t)(ev->extra & 0xff);

	if (o->created_ms != (int64_t)(ev->extra >> 8) || o->site != ev->site || o->status != ACME_PENDING)
		return;
	o->why[k] = (uint8_t)deny(f, o->site, o->ca, k);
	if (o->why[k] == DENIED_NOT) {
		o->valid.bits |= (uint64_t)1 << k;
		if (o->valid.bits == o->names.bits)
			o->status = ACME_READY;
	} else {
		o->invalid.bits |= (uint64_t)1 << k;
		o->status = ACME_INVALID;
		watch_failure(f, o->site, o->ca, k);
	}
}

/* --- limits --- */

/* A bucket of orders_capacity that fills within orders_window. True: there was room. */
static bool
take_token(struct fleet *f, struct authority *ca)
{
	const struct fleet_ca *c = &f->plan->ca;
	int64_t full = c->orders_window.s * 1000, each;

	if (ca->orders_capacity == 0)
		return true;
	each = full / ca->orders_capacity;
	ca->tokens_ms += f->now_ms - ca->tokens_at_ms;
	ca->tokens_at_ms = f->now_ms;
	if (ca->tokens_ms > full)
		ca->tokens_ms = full;
	if (ca->tokens_ms < each)
		return false;
	ca->tokens_ms -= each;
	ca->used_ms = f->now_ms + full - ca->tokens_ms;
	return true;
}

static void
count_request(struct fleet *f, struct authority *ca, enum acme_verb verb)
{
	enum endpoint e = verb == ACME_NEW_ORDER ? ENDPOINT_NEW_ORDER : ENDPOINT_OTHER;
	uint32_t most = e == ENDPOINT_NEW_ORDER ? NEW_ORDER_PEAK : OTHER_PEAK;

	f->report->requests++;
	if (ca->second != f->now_ms / 1000) {
		ca->second = f->now_ms / 1000;
		memset(ca->second_n, 0, sizeof ca->second_n);
	}
	if (++ca->second_n[e] > most)
		fleet_broken(f, UINT32_MAX, "P6: %u requests in one second, over the ceiling of the CA's front end", ca->second_n[e]);
	if (ca->second_n[ENDPOINT_NEW_ORDER] + ca->second_n[ENDPOINT_OTHER] > f->report->requests_peak)
		f->report->requests_peak = ca->second_n[ENDPOINT_NEW_ORDER] + ca->second_n[ENDPOINT_OTHER];
}

/* --- requests --- */

static enum reply
reply_by_fault(const struct fleet *f, uint8_t ca, enum acme_verb verb, int64_t *ret_retry_ms)
{
	const int64_t *until = f->cas[ca].fault_ms;

	*ret_retry_ms = 0;
	if (until[OUTAGE_SILENT] > f->now_ms)
		return REPLY_SILENT;
	if (until[OUTAGE_RUBBISH] > f->now_ms)
		return REPLY_RUBBISH;
	if (until[OUTAGE_PATIENCE] > f->now_ms) {
		*ret_retry_ms = f->now_ms + RETRY_S * 1000;
		return REPLY_DOWN;
	}
	if (until[OUTAGE_DOWN] > f->now_ms)
		return REPLY_DOWN;
	if (until[OUTAGE_INTERNAL] > f->now_ms)
		return REPLY_INTERNAL;
	if (until[OUTAGE_LIMIT] > f->now_ms && verb == ACME_NEW_ORDER) {
		*ret_retry_ms = until[OUTAGE_LIMIT];
		return REPLY_LIMIT;
	}
	return REPLY_TAKEN;
}

static struct ca_order *
order_of(struct fleet *f, struct str url)
{
	int64_t n = 0;

	if (url.n < 2)
		return NULL;
	for (size_t i = 1; i < url.n && url.p[i] != '/'; i++)
		n = n * 10 + (url.p[i] - '0');
	if (n < 1 || n > f->orders.n || f->orders.at[n].site == UINT32_MAX)
		return NULL;
	return &f->orders.at[n];
}

/* The kth name that the order has. */
static size_t
nth_name(struct name_set set, uint32_t k)
{
	for (size_t i = 0; i < 64; i++)
		if (name_set_has(set, i) && k-- == 0)
			return i;
	return 0;
}

static void
issue(struct fleet *f, struct ca_order *o)
{
	int64_t life = authority_life(f, o->ca).s, now = f->now_ms / 1000, back = life > 7200 ? 3600 : 0;

	o->status = ACME_VALID;
	f->sites[o->site].issued_names[o->ca] = (uint16_t)o->names.bits;
	o->serial = ++f->orders.serial;
	o->life = (struct life){ { now - back }, { now - back + life } };
	f->cas[o->ca].issued_ms = f->now_ms;
	watch_issue(f, o->site, o->ca, o->names);
}

static enum reply
carry_out(struct fleet *f, uint32_t row, const struct acme_request *r, uint32_t *ret_number, int64_t *ret_retry_ms)
{
	const struct order_row_of_fleet *k = &f->rows[row];
	struct ca_order *o;
	size_t name;

	if (r->verb == ACME_NEW_ORDER) {
		if (f->sites[k->site].issued_names[k->ca] != k->names.bits && !take_token(f, &f->cas[k->ca])) {
			f->report->limits_touched++;
			watch_limit(f, k->site);
			*ret_retry_ms = f->now_ms + f->plan->ca.orders_window.s * 1000 / f->cas[k->ca].orders_capacity;
			return REPLY_LIMIT;
		}
		*ret_number = place(f, k->site, k->ca, k->names);
		return REPLY_TAKEN;
	}
	o = order_of(f, r->url);
	if (o == NULL)
		return REPLY_GONE;
	*ret_number = (uint32_t)(o - f->orders.at);
	if (!is_open(f, o) && o->status != ACME_VALID)
		o->status = ACME_INVALID;
	if (r->verb == ACME_CHALLENGE) {
		name = nth_name(o->names, r->index);
		if (!name_set_has(o->tried, name) && o->status == ACME_PENDING) {
			o->tried.bits |= (uint64_t)1 << name;
			fleet_put(f, f->plan->ca.validation_ms, EV_VALIDATED, o->site, *ret_number,
			    (uint64_t)o->created_ms << 8 | name);
		}
	} else if (r->verb == ACME_FINALIZE) {
		if (o->status != ACME_READY)
			return REPLY_NOT_READY;
		issue(f, o);
	}
	return REPLY_TAKEN;
}

void
authority_take(struct fleet *f, uint32_t row, const struct acme_request *r)
{
	struct fleet_event ev = { .kind = EV_ANSWER, .generation = f->generation };
	uint32_t number = 0;
	int64_t retry_ms;

	const uint8_t ca = f->rows[row].ca;

	count_request(f, &f->cas[ca], r->verb);
	watch_request(f, row, r->verb);
	enum reply reply = reply_by_fault(f, ca, r->verb, &retry_ms);
	if (reply == REPLY_TAKEN)
		reply = carry_out(f, row, r, &number, &retry_ms);
	/* The order that it is about comes back with it, as a URL would. */
	ev.at_ms = f->now_ms + (reply == REPLY_SILENT ? 30000 : f->plan->ca.answer_ms);
	ev.site = (uint32_t)f->rows[row].serial;
	ev.arg = row | (uint32_t)r->verb << 24;
	ev.flag = (uint8_t)reply;
	ev.extra = (uint64_t)number << 8 | (r->index & 0xff) | (uint64_t)(retry_ms > 0 ? retry_ms / 1000 - f->start_ms / 1000 + 1 : 0) << 32;
	events_put(&f->events, ev);
}

/* --- answers --- */

static void
refuse(struct acme_answer *a, int status, const char *type, const char *detail)
{
	a->err = status >= 500 ? ERR_SERVER : status == 429 ? ERR_LIMITED : ERR_REFUSED;
	a->http_status = status;
	a->problem = (struct problem){ .type = str_of(type), .detail = str_of(detail), .raw = str_of(detail) };
}

static struct str
url_of(struct acme_answer *a, char kind, uint32_t number, int64_t k)
{
	char text[24];
	size_t n = sizeof text;

	if (k >= 0) {
		uint32_t rest = (uint32_t)k;

		do
			text[--n] = (char)('0' + rest % 10);
		while ((rest /= 10) > 0);
		text[--n] = '/';
	}
	do
		text[--n] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	text[--n] = kind;
	return arena_str(&a->arena, (struct str){ text + n, sizeof text - n });
}

static void
show_order(struct fleet *f, uint32_t number, struct acme_answer *a)
{
	const struct ca_order *o = &f->orders.at[number];
	size_t names = (size_t)__builtin_popcountll(o->names.bits);

	a->status = o->status;
	a->location = url_of(a, 'o', number, -1);
	a->finalize_url = url_of(a, 'f', number, -1);
	a->authz_urls = arena_get(&a->arena, (names + 1) * sizeof *a->authz_urls);
	for (size_t i = 0; a->authz_urls != NULL && i < names; i++)
		a->authz_urls[a->authz_n++] = url_of(a, 'a', number, (int64_t)i);
	if (o->status == ACME_VALID)
		a->certificate_url = url_of(a, 'x', number, -1);
}

static void
show_authz(struct fleet *f, uint32_t number, uint32_t index, struct acme_answer *a)
{
	const struct ca_order *o = &f->orders.at[number];
	size_t k = nth_name(o->names, index);

	a->identifier = f->sites[o->site].site.names[k].name;
	a->has_challenge = true;
	a->challenge_url = url_of(a, 'c', number, (int64_t)index);
	a->token = STR("token");
	a->status = name_set_has(o->valid, k) ? ACME_VALID : name_set_has(o->invalid, k) ? ACME_INVALID : ACME_PENDING;
	a->challenge_status = a->status == ACME_PENDING && name_set_has(o->tried, k) ? ACME_PROCESSING : a->status;
	if (a->status != ACME_INVALID)
		return;
	/* The address that it connected to is the site's own. */
	const char *words = denials[o->why[k]].words, *hole = strstr(words, "%s");
	struct str text = str_of(words);
	if (hole != NULL)
		text = arena_strf(&a->arena, "%.*s%s%s", (int)(hole - words), words,
		    f->servers[f->sites[o->site].server].text, hole + 2);
	a->challenge_error = (struct problem){ .type = str_of(denials[o->why[k]].type), .detail = text, .raw = text };
}

static void
show_certificate(struct fleet *f, uint32_t number, struct acme_answer *a)
{
	const struct ca_order *o = &f->orders.at[number];
	const struct site *s = &f->sites[o->site].site;
	struct certificate_info *c = &a->certificate;

	*c = (struct certificate_info){ .not_before = o->life.from,
		.not_after = o->life.to,
		.serial = STR("01"),
		.issuer = STR("Simulated CA"),
		.names = f->leaf_names };
	memcpy(c->fingerprint, &o->serial, sizeof o->serial);
	for (size_t i = 0; i < s->names_n; i++)
		if (name_set_has(o->names, i))
			c->names[c->names_n++] = s->names[i].name;
	a->chain_pem = STR("CHAIN");
}

static void
show(struct fleet *f, uint32_t number, struct acme_answer *a)
{
	switch (a->verb) {
	case ACME_NEW_ORDER:
	case ACME_GET_ORDER:
	case ACME_FINALIZE:
		show_order(f, number, a);
		break;
	case ACME_GET_AUTHZ:
		show_authz(f, number, a->index, a);
		break;
	case ACME_CHALLENGE:
		a->status = a->challenge_status = ACME_PROCESSING;
		break;
	case ACME_CERTIFICATE:
		show_certificate(f, number, a);
		break;
	case ACME_REVOKE:
	case ACME_KEY_CHANGE:
	case ACME_DEACTIVATE_AUTHZ:
	case ACME_RENEWAL_INFO:
	case ACME_VERB_COUNT:
		break;
	}
}

void
authority_answer(struct fleet *f, const struct fleet_event *ev, struct acme_answer *a)
{
	struct arena arena = a->arena;
	uint32_t row = ev->arg & 0xffffff, number = (uint32_t)(ev->extra >> 8 & 0xffffff);
	int64_t retry = (int64_t)(ev->extra >> 32);

	arena_clear(&arena);
	f->told_until_ms = 0;
	*a = (struct acme_answer){ .verb = (enum acme_verb)(ev->arg >> 24),
		.order_id = (int64_t)row,
		.index = (uint32_t)(ev->extra & 0xff),
		.http_status = 200,
		.retry_after = WHEN_UNKNOWN,
		.arena = arena };
	if (retry > 0) {
		int64_t until_ms = f->start_ms + (retry - 1) * 1000;

		/* Seconds in the header count from the answer's arrival, by the clock of who reads it. */
		a->retry_after = (struct when){ until_ms / 1000 + 1 + f->clock_step_s };
		f->told_until_ms = until_ms;
	}
	switch ((enum reply)ev->flag) {
	case REPLY_TAKEN:
		show(f, number, a);
		break;
	case REPLY_SILENT:
		a->err = ERR_TIMEOUT;
		a->http_status = 0;
		a->detail = STR("no answer in 30 s");
		break;
	case REPLY_RUBBISH:
		a->err = ERR_PEER;
		a->detail = STR("the answer is not JSON");
		break;
	case REPLY_DOWN:
		refuse(a, 503, "", "Service busy; retry later");
		break;
	case REPLY_INTERNAL:
		refuse(a, 500, "serverInternal", "The service is down for maintenance or had an internal error. Check https://letsencrypt.status.io/ for more details.");
		break;
	case REPLY_LIMIT:
		refuse(a, 429, "rateLimited", "too many new orders (300) from this account in the last 3h0m0s, retry after later");
		break;
	case REPLY_NOT_READY:
		refuse(a, 403, "orderNotReady", "Order's status is not acceptable for finalization");
		break;
	case REPLY_GONE:
		refuse(a, 404, "malformed", "No such object");
		break;
	}
}
