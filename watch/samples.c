#include "watch/inside.h"
#include <string.h>
#include "base/must.h"

/*
 * Handshakes with our own web servers. The store says of a name that visitors are handed the certificate that is held;
 * so one of our addresses at least must hand it out. Each such name has its turn once a day, a few at a time. A name
 * that did not fit is looked at again in every look: a renewal on its way is clear within seconds, a lie stays.
 */

enum { DAY_S = 86400 };

struct sample {
	struct sample *next;
	struct watchdog *d;
	struct store_sample wanted;
	size_t at; /* address */
	struct tls_evidence seen;
	struct shake *shake;
};

static struct doubt *
find_doubt(struct watchdog *d, int64_t name_id)
{
	for (size_t i = 0; i < d->doubts_n; i++)
		if (d->doubts[i].name_id == name_id)
			return &d->doubts[i];
	return NULL;
}

static void
clear_doubt(struct watchdog *d, int64_t name_id)
{
	struct doubt *x = find_doubt(d, name_id);

	if (x != NULL)
		*x = d->doubts[--d->doubts_n];
}

static void
count_doubt(struct watchdog *d, const struct store_sample *s)
{
	struct doubt *x = find_doubt(d, s->name_id);

	if (x == NULL && d->doubts_n < DOUBTS_MAX) {
		x = &d->doubts[d->doubts_n++];
		*x = (struct doubt){ .name_id = s->name_id };
		if (s->name.n < sizeof x->name)
			memcpy(x->name, s->name.p, s->name.n);
	}
	if (x != NULL)
		x->times++;
}

static bool shake_next(struct sample *x);

static void
on_shaken(void *arg)
{
	struct sample *x = arg;
	struct watchdog *d = x->d;
	bool is_same = x->seen.result == TLS_SHOWN &&
		       memcmp(x->seen.leaf.fingerprint, x->wanted.fingerprint, FINGERPRINT_BYTES) == 0;

	x->shake = NULL;
	x->at++;
	if (!is_same && shake_next(x))
		return;
	if (is_same)
		clear_doubt(d, x->wanted.name_id);
	else if (x->seen.result != TLS_NOT_TRIED && x->seen.result != TLS_FORBIDDEN_ADDRESS)
		count_doubt(d, &x->wanted);
	watchdog_release(d);
}

static bool
shake_next(struct sample *x)
{
	struct watchdog *d = x->d;

	if (x->at >= d->ours_n)
		return false;
	x->seen = (struct tls_evidence){ .result = TLS_NOT_TRIED };
	const struct shake_target t = { .name = x->wanted.name,
		.ip = d->ours[x->at],
		.arena = &d->arena,
		.into = &x->seen,
		.done = on_shaken,
		.arg = x };

	return shake_start(d->shaker, &t, &x->shake) == ERR_OK;
}

static enum err
begin(struct watchdog *d, const struct store_sample *s)
{
	struct sample *x = arena_get(&d->arena, sizeof *x);

	if (x == NULL)
		return ERR_MEMORY;
	*x = (struct sample){ .next = d->sampling, .d = d, .wanted = *s };
	d->sampling = x;
	if (shake_next(x))
		d->open++;
	return ERR_OK;
}

void
samples_stop(struct watchdog *d)
{
	for (struct sample *x = d->sampling; x != NULL; x = x->next)
		shake_stop(&x->shake);
	d->sampling = NULL;
}

/* As many as have to have their turn in one look, so that all have it in a day. */
static size_t
share(const struct watchdog *d)
{
	int64_t n = 2 * d->facts.sites * d->config->watch.every.s / DAY_S + 1;

	return n > LIMIT_WATCH_SAMPLES ? LIMIT_WATCH_SAMPLES : (size_t)n;
}

static enum err
begin_doubts(struct watchdog *d, struct store *s)
{
	for (size_t i = d->doubts_n; i > 0; i--) {
		struct store_sample row;
		int64_t id = d->doubts[i - 1].name_id;
		enum err e = store_sample(s, id, &d->arena, &row);

		/* The store does not say so any more: the engine has seen it too. */
		if (e == ERR_NOT_FOUND)
			clear_doubt(d, id);
		else if (e == ERR_OK)
			e = begin(d, &row);
		if (e != ERR_OK && e != ERR_NOT_FOUND)
			return e;
	}
	return ERR_OK;
}

enum err
samples_begin(struct watchdog *d, struct store *s)
{
	d->sampling = NULL;
	size_t max = d->is_once ? LIMIT_PAGE_ROWS : share(d), n = 0;
	struct store_sample *rows = NULL;
	enum err e = begin_doubts(d, s);

	if (e == ERR_OK)
		e = store_samples(s, d->cursor, max, &d->arena, &rows, &n);
	for (size_t i = 0; i < n && e == ERR_OK; i++)
		if (find_doubt(d, rows[i].name_id) == NULL)
			e = begin(d, &rows[i]);
	if (e != ERR_OK)
		return e;
	if (n > 0)
		d->cursor = rows[n - 1].name_id;
	d->samples += (int64_t)n;
	if (n < max) {
		d->cursor = 0; /* round again */
		d->facts.samples = d->samples;
		d->samples = 0;
	} else {
		d->facts.samples = d->samples > d->watch.samples ? d->samples : d->watch.samples;
	}
	return ERR_OK;
}

void
samples_judge(struct watchdog *d)
{
	unsigned least = d->is_once ? 1 : DOUBT_TIMES;
	size_t told = 0;
	struct str words = STR_NONE;

	for (size_t i = 0; i < d->doubts_n; i++) {
		if (d->doubts[i].times < least)
			continue;
		d->facts.differing++;
		if (told++ < DOUBTS_TOLD)
			words = words.n == 0 ? str_of(d->doubts[i].name)
					     : arena_strf(&d->arena, "%.*s, %s", STR_ARG(words), d->doubts[i].name);
	}
	d->facts.differing_words = words;
}
