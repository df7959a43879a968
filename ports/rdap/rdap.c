#include "ports/rdap/rdap.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/must.h"
#include "ports/acme/courier.h"
#include "ports/file/file.h"
#include "ports/rdap/parse.h"

enum {
	OPEN_MAX_QUESTIONS = 4, /* at one time, over all registries */
	WAITING_MAX =
	    256, /* domains that wait for their turn because somebody waits for them */
	IDLE_WAITING_MAX = 16, /* and those that nobody waits for */
	KEPT_MAX = 16384,      /* answers kept: 3 MiB at most */
	BUCKETS = 4096,
	HOPS_MAX = 3,	  /* redirects of one question (RFC 7480 5.2) */
	FRESH_S = 86400,  /* an answer holds for a day … */
	UNKNOWN_S = 3600, /* … and a failure for an hour, unless the server named a time */
	UNKNOWN_MAX_S = 86400,
	BOOTSTRAP_S = 7 * 86400,
	BOOTSTRAP_AGAIN_S = 600,   /* after it could not be read */
	ANSWER_MEMORY = 16 * 1024, /* of what is kept of one answer */
};

struct rdap_wait {
	struct rdap_wait *next;
	struct entry *entry;
	rdap_fn *fn;
	void *arg;
};

enum entry_state { ENTRY_KNOWN, ENTRY_WAITING, ENTRY_OPEN };
/* One domain. KNOWN ones are in the order of their last use; the oldest makes room. */
struct entry {
	struct entry *next_in_bucket;
	struct entry *newer, *older; /* among the known; newer alone among the waiting */
	struct rdap *r;
	enum entry_state state;
	char *domain, *url;
	struct arena memory; /* of the registration */
	struct registration registration;
	struct when until; /* KNOWN: stale from then on */
	struct rdap_wait *waits;
	unsigned hops;
};

enum bootstrap_state { BOOTSTRAP_NONE, BOOTSTRAP_LOADING, BOOTSTRAP_READY, BOOTSTRAP_FAILED };
struct rdap {
	struct loop *loop;
	struct clock clock;
	struct courier *courier;
	char *bootstrap_at;
	enum bootstrap_state bootstrap_state;
	struct rdap_bootstrap *bootstrap;
	struct when bootstrap_until;
	unsigned bootstrap_hops;
	struct entry *buckets[BUCKETS];
	struct entry *newest, *oldest; /* known */
	struct entry *first, *last;    /* waiting */
	size_t known_n, waiting_n, open_n;
	struct loop_timer *pump;
};

static void pump_soon(struct rdap *r);

/* ---- the table ---- */

static struct entry **
bucket_of(struct rdap *r, struct str domain)
{
	uint32_t h = 2166136261U;

	for (size_t i = 0; i < domain.n; i++)
		h = (h ^ (uint8_t)domain.p[i]) * 16777619U;
	return &r->buckets[h % BUCKETS];
}

static struct entry *
find(struct rdap *r, struct str domain)
{
	struct entry *e = *bucket_of(r, domain);

	while (e != NULL && !str_eq(str_of(e->domain), domain))
		e = e->next_in_bucket;
	return e;
}

static void
unlink_known(struct rdap *r, struct entry *e)
{
	*(e->older != NULL ? &e->older->newer : &r->oldest) = e->newer;
	*(e->newer != NULL ? &e->newer->older : &r->newest) = e->older;
	e->newer = e->older = NULL;
	r->known_n--;
}

static void
link_known(struct rdap *r, struct entry *e)
{
	e->older = r->newest;
	e->newer = NULL;
	*(r->newest != NULL ? &r->newest->newer : &r->oldest) = e;
	r->newest = e;
	r->known_n++;
}

static void
entry_free(struct entry *e)
{
	arena_fini(&e->memory);
	free(e->domain);
	free(e->url);
	free(e);
}

static void
forget(struct rdap *r, struct entry *e)
{
	struct entry **at = bucket_of(r, str_of(e->domain));

	while (*at != e)
		at = &(*at)->next_in_bucket;
	*at = e->next_in_bucket;
	entry_free(e);
}

static struct entry *
add(struct rdap *r, struct str domain)
{
	struct entry *e = calloc(1, sizeof *e);
	struct entry **bucket = bucket_of(r, domain);

	if (e == NULL)
		return NULL;
	arena_init(&e->memory, ANSWER_MEMORY);
	e->domain = strndup(domain.p, domain.n);
	if (e->domain == NULL) {
		free(e);
		return NULL;
	}
	e->r = r;
	e->next_in_bucket = *bucket;
	*bucket = e;
	return e;
}

static void
put_waiting(struct rdap *r, struct entry *e)
{
	e->state = ENTRY_WAITING;
	e->newer = e->older = NULL;
	*(r->last != NULL ? &r->last->newer : &r->first) = e;
	r->last = e;
	r->waiting_n++;
	pump_soon(r);
}

static struct entry *
take_waiting(struct rdap *r)
{
	struct entry *e = r->first;

	if (e == NULL)
		return NULL;
	r->first = e->newer;
	if (r->first == NULL)
		r->last = NULL;
	e->newer = NULL;
	r->waiting_n--;
	return e;
}

/* ---- the end of a question ---- */

static void
tell(struct entry *e)
{
	struct rdap *r = e->r;
	struct rdap_wait *w;

	e->state = ENTRY_KNOWN;
	link_known(r, e);
	/* Whoever is called may ask anew or drop others that wait. */
	while ((w = e->waits) != NULL) {
		e->waits = w->next;
		w->fn(w->arg, &e->registration);
		free(w);
	}
	while (r->known_n > KEPT_MAX) {
		struct entry *old = r->oldest;

		unlink_known(r, old);
		forget(r, old);
	}
	pump_soon(r);
}

static void
settle(struct entry *e, const struct registration *found, struct span fresh)
{
	e->registration = *found;
	e->until = when_plus(clock_now(&e->r->clock), fresh);
	free(e->url);
	e->url = NULL;
	tell(e);
}

static void
settle_unknown(struct entry *e, struct span fresh)
{
	const struct registration unknown = { .status = REGISTRATION_UNKNOWN,
		.expires = WHEN_UNKNOWN };

	settle(e, &unknown, fresh);
}

static bool send(struct entry *e);

/* Retry-After in seconds; the date form is rare here, and an hour is polite enough for it. */
static struct span
asked_pause(struct str retry_after)
{
	int64_t s = 0;

	if (!str_to_int(retry_after, &s) || s < UNKNOWN_S)
		return SPAN_S(UNKNOWN_S);
	return SPAN_S(s < UNKNOWN_MAX_S ? s : UNKNOWN_MAX_S);
}

static bool
is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 ||
	       status == 308;
}

static void
on_answer(void *arg, const struct courier_answer *an)
{
	struct entry *e = arg;
	struct rdap *r = e->r;
	struct registration found = { .status = REGISTRATION_NONE, .expires = WHEN_UNKNOWN };

	r->open_n--;
	if (an->err == ERR_OK && is_redirect(an->status) && e->hops < HOPS_MAX &&
	    (str_starts(an->location, STR("https://")) ||
		str_starts(an->location, STR("http://")))) {
		char *url = strndup(an->location.p, an->location.n);

		e->hops++;
		if (url != NULL) {
			free(e->url);
			e->url = url;
			if (send(e))
				return;
		}
		settle_unknown(e, SPAN_S(UNKNOWN_S));
		return;
	}
	arena_clear(&e->memory);
	if (an->err == ERR_OK && an->status == 404)
		settle(e, &found, SPAN_S(UNKNOWN_S)); /* it may be bought any minute */
	else if (an->err == ERR_OK && an->status == 200 &&
		 rdap_parse_domain(an->body, str_of(e->domain), &e->memory, &found) == ERR_OK)
		settle(e, &found, SPAN_S(FRESH_S));
	else
		settle_unknown(e, asked_pause(an->retry_after));
}

static bool
send(struct entry *e)
{
	struct rdap *r = e->r;

	if (courier_send(r->courier, COURIER_GET, e->url, STR_NONE, on_answer, e) != ERR_OK)
		return false;
	e->state = ENTRY_OPEN;
	r->open_n++;
	return true;
}

/* ---- the bootstrap ---- */

static void
take_bootstrap(struct rdap *r, struct str json)
{
	struct rdap_bootstrap *b = NULL;
	struct when now = clock_now(&r->clock);

	if (rdap_bootstrap_read(json, &b) == ERR_OK) {
		rdap_bootstrap_free(&r->bootstrap);
		r->bootstrap = b;
		r->bootstrap_until = when_plus(now, SPAN_S(BOOTSTRAP_S));
	} else {
		r->bootstrap_until = when_plus(now, SPAN_S(BOOTSTRAP_AGAIN_S));
	}
	/* One of last week is better than none. */
	r->bootstrap_state = r->bootstrap != NULL ? BOOTSTRAP_READY : BOOTSTRAP_FAILED;
	pump_soon(r);
}

static void
on_bootstrap(void *arg, const struct courier_answer *an)
{
	struct rdap *r = arg;
	AUTO_BUF url = { .max = LIMIT_URL_BYTES };

	if (an->err == ERR_OK && is_redirect(an->status) && r->bootstrap_hops++ < HOPS_MAX) {
		buf_put_str(&url, an->location);
		if (url.err == ERR_OK && str_starts(an->location, STR("https://")) &&
		    courier_send(r->courier, COURIER_GET, url.p, STR_NONE, on_bootstrap, r) ==
			ERR_OK)
			return;
	}
	take_bootstrap(r, an->err == ERR_OK && an->status == 200 ? an->body : STR_NONE);
}

static void
read_file(struct rdap *r)
{
	AUTO_BUF text = { .max = LIMIT_BODY_BYTES };
	enum err err = file_read(r->bootstrap_at, false, &text, NULL);

	take_bootstrap(r, err == ERR_OK ? buf_str(&text) : STR_NONE);
}

static void
load_bootstrap(struct rdap *r)
{
	r->bootstrap_state = BOOTSTRAP_LOADING;
	r->bootstrap_hops = 0;
	if (r->bootstrap_at[0] == '/')
		read_file(r);
	else if (courier_send(r->courier, COURIER_GET, r->bootstrap_at, STR_NONE, on_bootstrap,
		     r) != ERR_OK)
		take_bootstrap(r, STR_NONE);
}

/* ---- whose turn it is ---- */

static void
begin(struct entry *e)
{
	struct rdap *r = e->r;
	struct str base = r->bootstrap != NULL
			      ? rdap_bootstrap_url(r->bootstrap, str_of(e->domain))
			      : STR_NONE;
	AUTO_BUF url = { .max = LIMIT_URL_BYTES };

	if (when_before(clock_now(&r->clock), e->until)) {
		tell(e);
		return;
	}
	if (base.n == 0) {
		settle_unknown(
		    e, r->bootstrap != NULL ? SPAN_S(FRESH_S) : SPAN_S(BOOTSTRAP_AGAIN_S));
		return;
	}
	buf_put_str(&url, base);
	buf_put_str(&url, STR("domain/"));
	buf_put_str(&url, str_of(e->domain));
	free(e->url);
	e->url = buf_take(&url);
	e->hops = 0;
	if (e->url == NULL || !send(e))
		settle_unknown(e, SPAN_S(UNKNOWN_S));
}

static void
on_pump(void *arg)
{
	struct rdap *r = arg;

	r->pump = NULL;
	if (r->first == NULL)
		return;
	if (r->bootstrap_state == BOOTSTRAP_LOADING)
		return;
	if (r->bootstrap_state == BOOTSTRAP_NONE ||
	    !when_before(clock_now(&r->clock), r->bootstrap_until)) {
		load_bootstrap(r);
		return;
	}
	while (r->open_n < OPEN_MAX_QUESTIONS && r->first != NULL)
		begin(take_waiting(r));
}

static void
pump_soon(struct rdap *r)
{
	if (r->pump == NULL)
		r->pump = loop_after(r->loop, 0, on_pump, r);
}

/* ---- asking ---- */

static bool
copy(const struct entry *e, struct arena *a, struct registration *ret)
{
	struct registration r = e->registration;

	r.registrar = arena_str(a, r.registrar);
	r.words = arena_str(a, r.words);
	if (arena_failed(a))
		return false;
	*ret = r;
	return true;
}

/* The entry of this domain, on its way to an answer; NULL where there is no room for it. */
static struct entry *
want(struct rdap *r, struct str domain, size_t room)
{
	struct entry *e = find(r, domain);

	if (e != NULL && e->state != ENTRY_KNOWN)
		return e;
	if (r->waiting_n >= room || domain.n == 0 || domain.n > LIMIT_NAME_BYTES)
		return NULL;
	if (e != NULL)
		unlink_known(r, e);
	else
		e = add(r, domain);
	if (e != NULL)
		put_waiting(r, e);
	return e;
}

bool
rdap_known(struct rdap *r, struct str domain, struct arena *a, struct registration *ret)
{
	struct entry *e = find(r, domain);

	if (e != NULL && e->state == ENTRY_KNOWN &&
	    when_before(clock_now(&r->clock), e->until)) {
		unlink_known(r, e);
		link_known(r, e);
		return copy(e, a, ret);
	}
	(void)want(r, domain, IDLE_WAITING_MAX);
	return false;
}

enum err
rdap_ask(struct rdap *r, struct str domain, rdap_fn *fn, void *arg, struct rdap_wait **ret)
{
	struct rdap_wait *w = calloc(1, sizeof *w);

	if (w == NULL)
		return ERR_MEMORY;
	/* What is at hand waits for its turn as well: never from inside. */
	struct entry *e = want(r, domain, WAITING_MAX);
	if (e == NULL) {
		free(w);
		return ERR_FULL;
	}
	*w = (struct rdap_wait){ .next = e->waits, .entry = e, .fn = fn, .arg = arg };
	e->waits = w;
	*ret = w;
	return ERR_OK;
}

void
rdap_drop(struct rdap_wait **pw)
{
	struct rdap_wait *w = *pw;

	if (w == NULL)
		return;
	struct rdap_wait **at = &w->entry->waits;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	free(w);
	*pw = NULL;
}

/* ---- beginning and end ---- */

enum err
rdap_new(struct loop *l, const struct clock *c, const struct rdap_options *o, struct rdap **ret)
{
	const struct acme_http_options courier = {
		.ca_bundle = o->roots,
		.user_agent = "koshin",
		.timeout_ms = o->timeout_ms,
		.connections_max = OPEN_MAX_QUESTIONS,
	};
	struct rdap *r = calloc(1, sizeof *r);

	if (r == NULL)
		return ERR_MEMORY;
	r->loop = l;
	r->clock = *c;
	r->bootstrap_until = WHEN_UNKNOWN;
	r->bootstrap_at = strdup(o->bootstrap);
	enum err err =
	    r->bootstrap_at == NULL ? ERR_MEMORY : courier_new(l, &courier, &r->courier);
	if (err != ERR_OK) {
		rdap_free(&r);
		return err;
	}
	*ret = r;
	return ERR_OK;
}

void
rdap_free(struct rdap **pr)
{
	struct rdap *r = *pr;

	if (r == NULL)
		return;
	courier_free(&r->courier);
	loop_cancel(r->loop, &r->pump);
	for (size_t i = 0; i < BUCKETS; i++)
		while (r->buckets[i] != NULL) {
			struct entry *e = r->buckets[i];

			r->buckets[i] = e->next_in_bucket;
			while (e->waits != NULL) {
				struct rdap_wait *w = e->waits;

				e->waits = w->next;
				free(w);
			}
			entry_free(e);
		}
	rdap_bootstrap_free(&r->bootstrap);
	free(r->bootstrap_at);
	free(r);
	*pr = NULL;
}
