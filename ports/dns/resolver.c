#include "ports/dns/resolver.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/must.h"
#include "ports/dns/control.h"

enum {
	RESOLVER_AGE_MS = 30000, /* of the oldest answer about a name that no check gave */
	ASKED_MAX = 2048,	 /* names, then a new context: bounds what one remembers */
	ASKED_SLOTS = 4096,	 /* keeps the table of ASKED_MAX sparse */
	DATA_MAX = 512, /* records of one answer that are read: more CAA is in no 64 KiB */
};

/*
 * One libunbound context: a thread with its own memory of answers. A new one costs some milliseconds, so one is
 * shared by all checks until a name comes up again that it has already asked about, or it is too old; then it
 * takes no new questions and goes away with the last answer.
 */
struct context {
	struct context *next;
	struct resolver *resolver;
	struct ub_ctx *ub;
	int fd;
	struct mono made;
	unsigned open; /* questions under way */
	bool is_started;
	size_t asked_n;
	/* Hashes of names; 0: free. Two names of one hash cost a context, no more. */
	uint64_t asked[ASKED_SLOTS];
};

struct dns_ask {
	struct dns_ask *next, **link; /* in the resolver's list */
	struct context *context;
	int id;
	bool is_refused; /* libunbound did not take it: nothing to cancel */
	struct loop_timer *timer;
	dns_fn *fn;
	void *arg;
};

struct resolver {
	struct loop *loop;
	struct clock clock;
	char **forwarders;
	size_t forwarders_n;
	char *trust_anchor_file;
	struct from from;
	int64_t timeout_ms;
	struct context *contexts; /* the first one takes questions, unless is_retired */
	bool is_retired;	  /* there is no current context */
	struct dns_ask *asks;
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
	if (x->fd >= 0)
		loop_unwatch(x->resolver->loop, x->fd);
	if (x->ub != NULL)
		ub_ctx_delete(x->ub);
	free(x);
}

static void
on_readable(void *arg, int fd, int events)
{
	struct context *x = arg;

	(void)fd;
	(void)events;
	/* An error here means that the context's thread is gone: its questions end by their askers' deadlines, and
	 * the next check gets another context. */
	if (ub_process(x->ub) != 0 && x == x->resolver->contexts)
		resolver_forget(x->resolver);
}

static enum err
context_new(struct resolver *r)
{
	struct context *x = calloc(1, sizeof *x);

	if (x == NULL)
		return ERR_MEMORY;
	x->resolver = r;
	x->fd = -1;
	x->made = clock_mono(&r->clock);
	x->ub = ub_ctx_create();
	if (x->ub == NULL || ub_ctx_async(x->ub, 1) != 0) {
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
	x->fd = ub_fd(x->ub);
	enum err e = loop_watch(r->loop, x->fd, LOOP_READ, on_readable, x);
	if (e != ERR_OK) {
		x->fd = -1;
		context_free(x);
		return e;
	}
	x->next = r->contexts;
	r->contexts = x;
	r->is_retired = false;
	return ERR_OK;
}

/* Contexts without questions that take no more. Never from inside ub_process, which would go on with the memory. */
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

static enum dns_status
status_of(int error, const struct ub_result *u)
{
	if (error != 0 || u == NULL)
		return DNS_LOCAL;
	if (u->bogus)
		return DNS_BOGUS;
	if (u->rcode == 0)
		return DNS_OK;
	if (u->rcode == 3)
		return DNS_NXDOMAIN;
	return u->rcode == 2 ? DNS_SERVFAIL : DNS_BROKEN;
}

/* Without the final dot, as names are written everywhere else. */
static struct str
undotted(const char *name)
{
	struct str s = str_of(name);

	if (s.n > 1 && s.p[s.n - 1] == '.')
		s.n--;
	return s;
}

static void
on_answer(void *arg, int error, struct ub_result *u)
{
	struct dns_ask *ask = arg;
	struct str data[DATA_MAX];
	struct dns_answer answer = { .status = status_of(error, u), .data = data };

	if (u != NULL) {
		struct str asked = undotted(u->qname), end = undotted(u->canonname);

		if (end.n > 0 && !str_eq_nocase(asked, end))
			answer.canonical = end;
		answer.why_bogus = str_of(u->why_bogus);
		answer.ttl_s = u->ttl > 0 ? (uint32_t)u->ttl : 0;
		for (size_t i = 0; answer.status == DNS_OK && u->havedata &&
				   u->data[i] != NULL && i < DATA_MAX;
		     i++)
			data[answer.data_n++] =
			    (struct str){ u->data[i], u->len[i] > 0 ? (size_t)u->len[i] : 0 };
	}
	ask_unlink(ask);
	ask->fn(ask->arg, &answer);
	free(ask);
	ub_resolve_free(u);
}

/* libunbound starts its thread with the first question; signals belong to the program's own thread. */
static int
resolve_async(struct context *x, char *name, int type, struct dns_ask *ask)
{
	sigset_t all, before;

	if (x->is_started)
		return ub_resolve_async(x->ub, name, type, 1, ask, on_answer, &ask->id);
	sigfillset(&all);
	int blocked = pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = ub_resolve_async(x->ub, name, type, 1, ask, on_answer, &ask->id);
	if (blocked == 0)
		(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	x->is_started = rc == 0;
	return rc;
}

void
resolver_drop(struct dns_ask **askp)
{
	struct dns_ask *ask = *askp;

	if (ask == NULL)
		return;
	*askp = NULL;
	if (!ask->is_refused)
		(void)ub_cancel(
		    ask->context->ub, ask->id); /* its callback is not called any more */
	ask_unlink(ask);
	free(ask);
}

static void
on_timer(void *arg)
{
	struct dns_ask *ask = arg;
	const struct dns_answer answer = { .status =
					       ask->is_refused ? DNS_LOCAL : DNS_TIMEOUT };
	dns_fn *fn = ask->fn;
	void *fn_arg = ask->arg;

	ask->timer = NULL;
	resolver_drop(&ask);
	fn(fn_arg, &answer);
}

enum err
resolver_ask(
    struct resolver *r, struct str name, int type, dns_fn *fn, void *arg, struct dns_ask **ret)
{
	char text[LIMIT_NAME_BYTES + 1];

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
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	ask->context = r->contexts;
	ask->fn = fn;
	ask->arg = arg;
	ask->is_refused = resolve_async(r->contexts, text, type, ask) != 0;
	ask->timer = loop_after(r->loop, ask->is_refused ? 0 : r->timeout_ms, on_timer, ask);
	if (ask->timer == NULL) {
		if (!ask->is_refused)
			(void)ub_cancel(r->contexts->ub, ask->id);
		free(ask);
		return ERR_MEMORY;
	}
	ask->context->open++;
	ask->next = r->asks;
	ask->link = &r->asks;
	if (ask->next != NULL)
		ask->next->link = &ask->next;
	r->asks = ask;
	if (ask->is_refused)
		resolver_forget(r);
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
	r->clock = *c;
	r->timeout_ms = o->timeout_ms;
	r->from = o->from;
	enum err e = copy_options(r, o);
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
	while (r->contexts != NULL) {
		struct context *x = r->contexts;

		r->contexts = x->next;
		context_free(x);
	}
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
