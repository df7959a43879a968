#include "ports/probe/issuers.h"
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "core/own_issuer.h"
#include "ports/clock/clock.h"
#include "ports/keys/issuer.h"
#include "ports/keys/own.h"

enum {
	SEARCHES_MAX = 16,   /* under way at one time: each holds a connection */
	SEARCH_MS = 15000,   /* for all steps: a person waits for it, and the keeper is asked after it */
	KEPT_MAX = 32,	     /* places: those of the few companies that a host's customers buy from */
	KEPT_MS = 600000,    /* from the look at a file to its use, and for the next customer of the same company */
	KEPT_NONE_MS = 60000, /* who has put it there tries again */
	ARENA_BYTES = 1024 * 1024,
};

/* What was got at one place. */
struct place {
	char *url;
	struct buf pem; /* empty: nothing of use */
	struct mono until;
};
struct issuers {
	struct issuers_options o;
	char *roots;
	struct place kept[KEPT_MAX];
	struct issuer_search *first;
	size_t n;
};
struct issuer_search {
	struct issuer_search *next;
	struct issuers *all;
	struct arena arena;
	struct buf chain, found;
	struct str asked[OWN_ISSUER_ASKED_MAX];
	size_t asked_n;
	struct loop_timer *begin, *deadline;
	struct fetch *fetch;
	struct http_evidence http;
	struct buf body;
	issuers_done *done;
	void *arg;
};

enum err
issuers_new(const struct issuers_options *o, struct issuers **ret)
{
	struct issuers *s = calloc(1, sizeof *s);

	if (s == NULL)
		return ERR_MEMORY;
	s->o = *o;
	s->o.roots = s->roots = o->roots != NULL ? strdup(o->roots) : NULL;
	if (o->roots != NULL && s->roots == NULL) {
		free(s);
		return ERR_MEMORY;
	}
	*ret = s;
	return ERR_OK;
}

static void
search_free(struct issuer_search *h)
{
	struct issuer_search **at = &h->all->first;

	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	h->all->n--;
	loop_cancel(h->all->o.loop, &h->begin);
	loop_cancel(h->all->o.loop, &h->deadline);
	fetch_stop(&h->fetch);
	buf_fini(&h->body);
	buf_fini(&h->chain);
	buf_fini(&h->found);
	arena_fini(&h->arena);
	free(h);
}

void
issuers_free(struct issuers **sp)
{
	struct issuers *s = *sp;

	if (s == NULL)
		return;
	while (s->first != NULL)
		search_free(s->first);
	for (size_t i = 0; i < KEPT_MAX; i++) {
		free(s->kept[i].url);
		buf_fini(&s->kept[i].pem);
	}
	free(s->roots);
	free(s);
	*sp = NULL;
}

void
issuers_drop(struct issuer_search **search)
{
	if (*search != NULL)
		search_free(*search);
	*search = NULL;
}

/* --- what is kept --- */

static const struct place *
kept_of(const struct issuers *s, struct str url)
{
	int64_t now = clock_mono(s->o.clock).ms;

	for (size_t i = 0; i < KEPT_MAX; i++)
		if (s->kept[i].url != NULL && now < s->kept[i].until.ms && str_eq(str_of(s->kept[i].url), url))
			return &s->kept[i];
	return NULL;
}

/* In the place of what ends first. Takes pem; without memory nothing is kept. */
static void
keep(struct issuers *s, struct str url, struct buf *pem)
{
	struct place *p = &s->kept[0];
	int64_t ms = pem->n > 0 ? KEPT_MS : KEPT_NONE_MS;

	for (size_t i = 1; i < KEPT_MAX; i++)
		if (s->kept[i].until.ms < p->until.ms)
			p = &s->kept[i];
	free(p->url);
	buf_fini(&p->pem);
	*p = (struct place){ .url = strndup(url.p, url.n), .pem = *pem, .until = { clock_mono(s->o.clock).ms + ms } };
	*pem = (struct buf){ 0 };
}

/* --- step by step --- */

static void
end(struct issuer_search *h, bool is_found)
{
	AUTO_BUF found = is_found ? h->found : (struct buf){ 0 };
	issuers_done *done = h->done;
	void *arg = h->arg;

	if (is_found)
		h->found = (struct buf){ 0 };
	search_free(h);
	done(arg, buf_str(&found));
}

static void
on_deadline(void *arg)
{
	struct issuer_search *h = arg;

	h->deadline = NULL;
	end(h, false);
}

static void step(struct issuer_search *h);

static void
on_fetched(void *arg)
{
	struct issuer_search *h = arg;
	struct buf pem = { .max = 2 * LIMIT_CHAIN_BYTES };

	h->fetch = NULL;
	/* Without an answer there is no body; what cannot be read is as good as none. */
	if (issuer_read(buf_str(&h->body), &pem) != ERR_OK)
		buf_clear(&pem);
	buf_fini(&h->body);
	buf_put_str(&h->found, buf_str(&pem));
	keep(h->all, h->asked[h->asked_n - 1], &pem);
	step(h);
}

static enum err
fetch(struct issuer_search *h, struct str url)
{
	const struct fetch_target target = {
		.url = url,
		.body_max = LIMIT_CHAIN_BYTES,
		.arena = &h->arena,
		.into = &h->http,
		.ret_body = &h->body,
		.done = on_fetched,
		.arg = h,
	};

	h->http = (struct http_evidence){ .result = HTTP_NOT_TRIED };
	return fetch_start(h->all->o.fetcher, &target, &h->fetch);
}

/* Reads the chain with what was found so far; what it still lacks says where to ask next. */
static enum err
judge(struct issuer_search *h, struct own_certificate *ret)
{
	AUTO_BUF chain = { .max = 2 * LIMIT_CHAIN_BYTES };
	const struct own_input in = { .files = { buf_str(&h->chain) },
		.known = buf_str(&h->found),
		.password = "",
		.roots = h->all->roots,
		.now = clock_now(h->all->o.clock) };

	return own_read(&in, &h->arena, ret, &chain, NULL);
}

static void
step(struct issuer_search *h)
{
	for (;;) {
		struct own_certificate c;
		enum err err = h->found.err == ERR_OK ? judge(h, &c) : h->found.err;
		struct str url = err == ERR_OK ? own_issuer_next(&c, h->asked, h->asked_n) : STR_NONE;

		if (url.n == 0) {
			end(h, err == ERR_OK && own_issuer_is_found(&c));
			return;
		}
		h->asked[h->asked_n++] = url;
		const struct place *kept = kept_of(h->all, url);
		if (kept == NULL && fetch(h, url) == ERR_OK)
			return;
		if (kept != NULL)
			buf_put_str(&h->found, buf_str(&kept->pem));
	}
}

static void
on_begin(void *arg)
{
	struct issuer_search *h = arg;

	h->begin = NULL;
	step(h);
}

enum err
issuers_find(struct issuers *s, struct str chain_pem, issuers_done *done, void *arg, struct issuer_search **ret)
{
	if (s->n >= SEARCHES_MAX)
		return ERR_BUSY;
	struct issuer_search *h = calloc(1, sizeof *h);
	if (h == NULL)
		return ERR_MEMORY;
	*h = (struct issuer_search){ .next = s->first, .all = s, .done = done, .arg = arg };
	s->first = h;
	s->n++;
	arena_init(&h->arena, ARENA_BYTES);
	buf_init(&h->chain, 2 * LIMIT_CHAIN_BYTES);
	buf_init(&h->found, OWN_ISSUER_ASKED_MAX * 2 * LIMIT_CHAIN_BYTES);
	buf_put_str(&h->chain, chain_pem);
	h->begin = loop_after(s->o.loop, 0, on_begin, h);
	h->deadline = loop_after(s->o.loop, SEARCH_MS, on_deadline, h);
	if (h->chain.err != ERR_OK || h->begin == NULL || h->deadline == NULL) {
		search_free(h);
		return ERR_MEMORY;
	}
	*ret = h;
	return ERR_OK;
}
