#include "ports/dns/resolver.h"

#include <stdlib.h>
#include <string.h>
#include <unbound.h>
#include <unbound-event.h>
#include <unistd.h>

#include "base/limits.h"
#include "ports/dns/control.h"
#include "ports/dns/events.h"
#include "ports/dns/reply.h"
#include "ports/loop/gate.h"

enum {
	OPEN_MAX = 768, /* questions that libunbound has at one time: each takes it some 30 KiB */
	RESOLVER_AGE_MS = 30000, /* of the oldest answer about a name that no check gave */
	ASKED_MAX = 2048,	 /* names, then a new context: bounds what one remembers */
	ASKED_SLOTS = 4096,	 /* keeps the table of ASKED_MAX sparse */
	ANSWER_BYTES = 1 << 20,	 /* what is read of one: a message has at most 64 KiB */
};

/*
 * One libunbound context: a memory of answers, with sockets on the loop. A new one costs some milliseconds, so one is
 * shared by all checks until a name comes up again that it has already asked about, or it is too old; then it
 * takes no new questions and goes away with the last answer.
 */
struct context {
	struct context *next;
	struct resolver *resolver;
	struct ub_ctx *ub;
	struct mono made;
	unsigned open; /* questions under way */
	size_t asked_n;
	/* Hashes of names; 0: free. Two names of one hash cost a context, no more. */
	uint64_t asked[ASKED_SLOTS];
};

struct dns_ask {
	struct dns_ask *next, **link; /* in the resolver's list */
	struct context *context;
	struct gate_pass pass;
	int id;
	int type;
	char *name;   /* until it is asked */
	bool is_open; /* libunbound has it, and will call */
	struct loop_timer *timer;
	/* What libunbound said. It is passed on in the next round, when libunbound does not wait for us to return. */
	enum dns_status status;
	char *wire; /* the message of DNS_OK */
	size_t wire_n;
	char *why_bogus;
	dns_fn *fn;
	void *arg;
};

struct resolver {
	struct loop *loop;
	struct ub_event_base *events;
	struct clock clock;
	char **forwarders;
	size_t forwarders_n;
	char *trust_anchor_file;
	struct from from;
	int64_t timeout_ms;
	struct context *contexts; /* the first one takes questions, unless is_retired */
	bool is_retired;	  /* there is no current context */
	struct dns_ask *asks;
	struct gate gate;
	struct loop_timer *sweep;
};

static bool
set_options(struct ub_ctx *ub, bool validates)
{
	const struct {
		const char *key, *value;
	} options[] = {
		{ "module-config:", validates ? "validator iterator" : "iterator" },
		{ "qname-minimisation:", "yes" },
		{ "use-caps-for-id:", "yes" },
		{ "edns-buffer-size:", "1232" },
		{ "do-not-query-localhost:", "no" },
		{ "serve-expired:", "no" },
		{ "aggressive-nsec:", "no" },
		{ "infra-keep-probing:", "yes" },
		{ "outgoing-range:", "256" },
		{ "num-queries-per-thread:", "1024" },
		{ "outgoing-num-tcp:", "16" },
		{ "msg-cache-size:", "1m" },
		{ "rrset-cache-size:", "2m" },
		{ "key-cache-size:", "1m" },
		{ "neg-cache-size:", "256k" },
		{ "infra-cache-numhosts:", "2000" },
	};

	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
		if (ub_ctx_set_option(ub, options[i].key, options[i].value) != 0)
			return false;
	return true;
}

static bool
set_from(struct ub_ctx *ub, const struct from *from)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		const struct address *a = from_of(from, family);
		char text[46];

		if (a == NULL)
			continue;
		address_text(a, text);
		if (ub_ctx_set_option(ub, "outgoing-interface:", text) != 0)
			return false;
	}
	return true;
}

/* The keys of the root zone (https://data.iana.org/root-anchors/), 2017 and 2024. */
static const char *const root_keys[] = {
	". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
	". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
};

static bool
set_trust(struct ub_ctx *ub, const struct resolver *r)
{
	if (r->trust_anchor_file != NULL)
		return ub_ctx_add_ta_file(ub, r->trust_anchor_file) == 0;
	for (size_t i = 0; r->forwarders_n == 0 && i < sizeof root_keys / sizeof root_keys[0];
	     i++)
		if (ub_ctx_add_ta(ub, root_keys[i]) != 0)
			return false;
	return true;
}

/* With forwarders, names for special use (RFC 6761) are asked like others: a private installation may have them. */
static bool
set_forwarders(struct ub_ctx *ub, const struct resolver *r)
{
	static const char *const special[] = { "test.", "localhost.", "invalid.", "onion.",
		"home.arpa." };

	for (size_t i = 0; i < r->forwarders_n; i++)
		if (ub_ctx_set_fwd(ub, r->forwarders[i]) != 0)
			return false;
	for (size_t i = 0; r->forwarders_n > 0 && i < sizeof special / sizeof special[0]; i++)
		if (ub_ctx_zone_remove(ub, special[i]) != 0)
			return false;
	return true;
}

static void
context_free(struct context *x)
{
	if (x->ub != NULL)
		ub_ctx_delete(x->ub);
	free(x);
}

static enum err
context_new(struct resolver *r)
{
	struct context *x = calloc(1, sizeof *x);

	if (x == NULL)
		return ERR_MEMORY;
	x->resolver = r;
	x->made = clock_mono(&r->clock);
	x->ub = ub_ctx_create_ub_event(r->events);
	if (x->ub == NULL) {
		context_free(x);
		return ERR_MEMORY;
	}
	bool validates = r->trust_anchor_file != NULL || r->forwarders_n == 0;
	/* The removal of data that is not there makes libunbound read its settings now, so that mistakes show. */
	if (!set_options(x->ub, validates) || !set_from(x->ub, &r->from) || !set_trust(x->ub, r) ||
	    !set_forwarders(x->ub, r) || ub_ctx_data_remove(x->ub, "koshin.invalid.") != 0) {
		context_free(x);
		return ERR_CONFIG;
	}
	x->next = r->contexts;
	r->contexts = x;
	r->is_retired = false;
	return ERR_OK;
}

/* Contexts without questions that take no more. Never from inside one, which would go on with the memory. */
static void
sweep(void *arg)
{
	struct resolver *r = arg;
	struct context **at = &r->contexts;

	r->sweep = NULL;
	while (*at != NULL) {
		struct context *x = *at;

		if (x->open > 0 || (x == r->contexts && !r->is_retired)) {
			at = &x->next;
			continue;
		}
		*at = x->next;
		context_free(x);
	}
}

static void
plan_sweep(struct resolver *r)
{
	if (r->sweep == NULL)
		r->sweep = loop_after(r->loop, 0, sweep, r);
}

void
resolver_forget(struct resolver *r)
{
	r->is_retired = true;
	plan_sweep(r);
}

static uint64_t
hash_of(struct str s)
{
	uint64_t h = str_hash(s);

	return h != 0 ? h : 1;
}

static size_t
slot_of(const struct context *x, uint64_t hash)
{
	size_t i = hash % ASKED_SLOTS;

	while (x->asked[i] != 0 && x->asked[i] != hash)
		i = (i + 1) % ASKED_SLOTS;
	return i;
}

static bool
is_usable(struct resolver *r, const struct str *names, size_t n)
{
	const struct context *x = r->contexts;

	if (x == NULL || r->is_retired || x->asked_n >= ASKED_MAX ||
	    clock_mono(&r->clock).ms - x->made.ms > RESOLVER_AGE_MS)
		return false;
	for (size_t i = 0; i < n; i++)
		if (x->asked[slot_of(x, hash_of(names[i]))] != 0)
			return false;
	return true;
}

/* The name and all above it: CAA is asked for there too. */
static void
put_asked(struct context *x, struct str name)
{
	for (; name.n > 0 && x->asked_n < ASKED_MAX; (void)str_cut(&name, '.')) {
		uint64_t hash = hash_of(name);
		size_t slot = slot_of(x, hash);

		x->asked_n += x->asked[slot] == 0;
		x->asked[slot] = hash;
	}
}

enum err
resolver_begin(struct resolver *r, const struct str *names, size_t n)
{
	if (!is_usable(r, names, n)) {
		resolver_forget(r);
		enum err e = context_new(r);
		if (e != ERR_OK)
			return e;
	}
	for (size_t i = 0; i < n; i++)
		put_asked(r->contexts, names[i]);
	/* What no longer fitted closes the context to the next check: asked_n is at its end then. */
	return ERR_OK;
}

static void
ask_unlink(struct dns_ask *ask)
{
	struct context *x = ask->context;

	*ask->link = ask->next;
	if (ask->next != NULL)
		ask->next->link = ask->link;
	loop_cancel(x->resolver->loop, &ask->timer);
	if (--x->open == 0 && (x != x->resolver->contexts || x->resolver->is_retired))
		plan_sweep(x->resolver);
}

static void
ask_free(struct dns_ask *ask)
{
	gate_leave(&ask->context->resolver->gate, &ask->pass);
	ask_unlink(ask);
	free(ask->name);
	free(ask->wire);
	free(ask->why_bogus);
	free(ask);
}

/* The answer is there, or the time is over. */
static void
on_timer(void *arg)
{
	struct dns_ask *ask = arg;
	AUTO_ARENA a = { .max = ANSWER_BYTES };
	struct dns_answer answer = { .status = ask->is_open ? DNS_TIMEOUT : ask->status };
	dns_fn *fn = ask->fn;
	void *fn_arg = ask->arg;

	ask->timer = NULL;
	if (answer.status == DNS_OK)
		reply_read((struct str){ ask->wire, ask->wire_n }, ask->type, &a, &answer);
	else if (answer.status == DNS_BOGUS)
		answer.why_bogus = arena_str(&a, str_of(ask->why_bogus));
	if (arena_failed(&a))
		answer = (struct dns_answer){ .status = DNS_LOCAL };
	resolver_drop(&ask);
	fn(fn_arg, &answer);
}

/* What was said is passed on in the next round; without the memory for that, at the deadline, which may be the asker's own. */
static void
plan_answer(struct dns_ask *ask, enum dns_status status)
{
	struct loop *l = ask->context->resolver->loop;
	struct loop_timer *soon = loop_after(l, 0, on_timer, ask);

	ask->is_open = false;
	ask->status = status;
	if (soon == NULL)
		return;
	loop_cancel(l, &ask->timer);
	ask->timer = soon;
}

/* Called from inside libunbound, and from inside ub_resolve_event for what is in its memory. */
static void
on_answer(void *arg, int rcode, void *packet, int packet_n, int security, char *why_bogus, int was_limited)
{
	enum { BOGUS = 1 }; /* of 0 insecure, 1 bogus, 2 secure */
	struct dns_ask *ask = arg;

	(void)was_limited;
	if (security == BOGUS) {
		ask->why_bogus = strdup(why_bogus != NULL ? why_bogus : "");
		plan_answer(ask, ask->why_bogus != NULL ? DNS_BOGUS : DNS_LOCAL);
	} else if (rcode != 0 || packet == NULL || packet_n <= 0) {
		plan_answer(ask, reply_status(rcode));
	} else {
		ask->wire = malloc((size_t)packet_n);
		if (ask->wire != NULL) {
			memcpy(ask->wire, packet, (size_t)packet_n);
			ask->wire_n = (size_t)packet_n;
		}
		plan_answer(ask, ask->wire != NULL ? DNS_OK : DNS_LOCAL);
	}
}

void
resolver_drop(struct dns_ask **askp)
{
	struct dns_ask *ask = *askp;

	if (ask == NULL)
		return;
	*askp = NULL;
	if (ask->is_open)
		(void)ub_cancel(ask->context->ub, ask->id); /* its callback is not called any more */
	ask_free(ask);
}

/* Its time begins here, not in the line. */
static void
start(void *arg)
{
	struct dns_ask *ask = arg;
	struct resolver *r = ask->context->resolver;
	char *name = ask->name;

	ask->name = NULL;
	ask->is_open = true;
	ask->timer = loop_after(r->loop, r->timeout_ms, on_timer, ask);
	if (ask->timer == NULL) {
		plan_answer(ask, DNS_LOCAL);
	} else if (ub_resolve_event(ask->context->ub, name, ask->type, 1, ask, on_answer, &ask->id) != 0) {
		plan_answer(ask, DNS_LOCAL);
		resolver_forget(r);
	}
	free(name);
}

/* The root answers whether anything works at all: whoever asks that does not stand behind questions that get no answer. */
static bool
enter(struct resolver *r, struct dns_ask *ask)
{
	if (strcmp(ask->name, ".") != 0)
		return gate_enter(&r->gate, &ask->pass, start, ask);
	start(ask);
	return true;
}

bool
resolver_is_waiting(const struct dns_ask *ask)
{
	return ask != NULL && ask->pass.is_waiting;
}

enum err
resolver_ask(struct resolver *r, struct str name, int type, dns_fn *fn, void *arg, struct dns_ask **ret)
{
	if (name.n == 0 || name.n > LIMIT_NAME_BYTES || memchr(name.p, '\0', name.n) != NULL)
		return ERR_INVALID;
	if (r->contexts == NULL || r->is_retired) {
		enum err e = context_new(r);
		if (e != ERR_OK)
			return e;
	}
	struct dns_ask *ask = calloc(1, sizeof *ask);
	if (ask == NULL)
		return ERR_MEMORY;
	*ask = (struct dns_ask){ .context = r->contexts, .type = type, .fn = fn, .arg = arg };
	ask->name = strndup(name.p, name.n);
	if (ask->name == NULL || !enter(r, ask)) {
		free(ask->name);
		free(ask);
		return ERR_MEMORY;
	}
	ask->context->open++;
	ask->next = r->asks;
	ask->link = &r->asks;
	if (ask->next != NULL)
		ask->next->link = &ask->next;
	r->asks = ask;
	*ret = ask;
	return ERR_OK;
}

static enum err
copy_options(struct resolver *r, const struct resolver_options *o)
{
	if (o->trust_anchor_file != NULL) {
		r->trust_anchor_file = strdup(o->trust_anchor_file);
		if (r->trust_anchor_file == NULL)
			return ERR_MEMORY;
	}
	if (o->forwarders_n == 0)
		return ERR_OK;
	r->forwarders = calloc(o->forwarders_n, sizeof *r->forwarders);
	if (r->forwarders == NULL)
		return ERR_MEMORY;
	for (; r->forwarders_n < o->forwarders_n; r->forwarders_n++) {
		r->forwarders[r->forwarders_n] = strdup(o->forwarders[r->forwarders_n]);
		if (r->forwarders[r->forwarders_n] == NULL)
			return ERR_MEMORY;
	}
	return ERR_OK;
}

enum err
resolver_new(struct loop *l, const struct clock *c, const struct resolver_options *o,
    struct why *why, struct resolver **ret)
{
	struct resolver *r = calloc(1, sizeof *r);

	if (r == NULL)
		return ERR_MEMORY;
	r->loop = l;
	r->events = events_new(l);
	r->clock = *c;
	gate_init(&r->gate, l, OPEN_MAX);
	r->timeout_ms = o->timeout_ms;
	r->from = o->from;
	enum err e = r->events != NULL ? copy_options(r, o) : ERR_MEMORY;
	if (e == ERR_OK && r->trust_anchor_file != NULL &&
	    access(r->trust_anchor_file, R_OK) != 0) {
		why_set(why, "the DNSSEC trust anchor %s cannot be read", r->trust_anchor_file);
		e = ERR_CONFIG;
	} else if (e == ERR_OK) {
		e = context_new(r);
		if (e == ERR_CONFIG)
			why_set(why, "the resolver refuses its settings: look at the DNS "
				     "forwarders (\"address@port\") and the trust anchor file");
	}
	if (e != ERR_OK) {
		resolver_free(&r);
		return e;
	}
	*ret = r;
	return ERR_OK;
}

void
resolver_free(struct resolver **rp)
{
	struct resolver *r = *rp;

	if (r == NULL)
		return;
	while (r->asks != NULL) {
		struct dns_ask *ask = r->asks;

		resolver_drop(&ask);
	}
	loop_cancel(r->loop, &r->sweep);
	gate_fini(&r->gate);
	while (r->contexts != NULL) {
		struct context *x = r->contexts;

		r->contexts = x->next;
		context_free(x);
	}
	events_free(&r->events);
	for (size_t i = 0; i < r->forwarders_n; i++)
		free(r->forwarders[i]);
	free(r->forwarders);
	free(r->trust_anchor_file);
	free(r);
	*rp = NULL;
}

enum err
resolver_control(struct resolver *r, int64_t timeout_ms, dns_control_fn *fn, void *arg,
    struct dns_control **ret)
{
	const struct control_setup setup = {
		.loop = r->loop,
		.clock = &r->clock,
		.resolver = r,
		.forwarders = r->forwarders,
		.forwarders_n = r->forwarders_n,
		.timeout_ms = timeout_ms,
	};

	return control_new(&setup, fn, arg, ret);
}
