#include "vantage/door.h"
#include <stdlib.h>
#include <string.h>
#include "core/gcra.h"
#include "ports/keys/question.h"

/* A number is remembered as long as its question could hold: from a minute before its date to a minute after. In that time an asker can have
 * asked for two minutes, and what it had saved up before. */
enum { MINUTES_REMEMBERED = 2 * QUESTION_WINDOW_S / 60 + 1 };

struct spent {
	char nonce[QUESTION_NONCE_LETTERS];
	struct when until; /* it may be forgotten from then on */
};
struct asker {
	struct str name, key; /* in the configuration */
	struct bucket bucket;
	struct spent *spent; /* a ring; the oldest is overwritten when it may be forgotten */
	size_t next;
};
struct door {
	struct door_options o;
	struct asker *askers;
	size_t askers_n, spent_n; /* places of each ring */
};

enum err
door_new(const struct door_options *o, struct door **ret)
{
	struct door *d = calloc(1, sizeof *d);

	if (d == NULL)
		return ERR_MEMORY;
	d->o = *o;
	d->spent_n = (size_t)o->questions_a_minute * MINUTES_REMEMBERED;
	d->askers = calloc(o->askers_n + 1, sizeof *d->askers);
	for (size_t i = 0; d->askers != NULL && i < o->askers_n; i++) {
		struct str key = str_of(o->askers[i]), name = str_cut(&key, ' ');

		d->askers[i] = (struct asker){ .name = name, .key = str_trim(key), .spent = calloc(d->spent_n, sizeof(struct spent)) };
		d->askers_n++;
		if (d->askers[i].spent == NULL)
			break;
	}
	bool is_whole = d->askers != NULL && (d->askers_n == 0 || d->askers[d->askers_n - 1].spent != NULL);
	if (!is_whole) {
		door_free(&d);
		return ERR_MEMORY;
	}
	*ret = d;
	return ERR_OK;
}

void
door_free(struct door **dp)
{
	struct door *d = *dp;

	if (d == NULL)
		return;
	for (size_t i = 0; i < d->askers_n; i++)
		free(d->askers[i].spent);
	free(d->askers);
	free(d);
	*dp = NULL;
}

static struct asker *
find_asker(struct door *d, struct str key)
{
	for (size_t i = 0; i < d->askers_n; i++)
		if (str_eq(d->askers[i].key, key))
			return &d->askers[i];
	return NULL;
}

static bool
is_spent(const struct door *d, const struct asker *a, struct str nonce, struct when now)
{
	for (size_t i = 0; i < d->spent_n; i++)
		if (when_before(now, a->spent[i].until) && memcmp(a->spent[i].nonce, nonce.p, QUESTION_NONCE_LETTERS) == 0)
			return true;
	return false;
}

static void
spend(struct door *d, struct asker *a, const struct question *q)
{
	struct spent *s = &a->spent[a->next];

	memcpy(s->nonce, q->nonce.p, QUESTION_NONCE_LETTERS);
	s->until = when_plus(q->at, SPAN_S(QUESTION_WINDOW_S + 1));
	a->next = (a->next + 1) % d->spent_n;
}

enum refusal
door_judge(struct door *d, const struct question_message *m, struct when now, struct str *ret_asker)
{
	const struct question *q = &m->q;
	const struct rate rate = { (int64_t)d->o.questions_a_minute, SPAN_MIN(1), 0 };
	const struct instant at = instant_of(now);
	struct asker *a = find_asker(d, m->key);

	*ret_asker = a != NULL ? a->name : STR_NONE;
	if (a == NULL)
		return REFUSAL_UNKNOWN_KEY;
	if (question_verify(a->key, m->input, m->signature) != ERR_OK)
		return REFUSAL_BAD_SIGNATURE;
	if (!str_eq(q->place, d->o.place))
		return REFUSAL_OTHER_PLACE;
	if (when_before(q->at, when_minus(now, SPAN_S(QUESTION_WINDOW_S))) || when_before(q->at, d->o.started))
		return REFUSAL_EXPIRED;
	if (when_before(when_plus(now, SPAN_S(QUESTION_WINDOW_S)), q->at))
		return REFUSAL_EARLY;
	if (is_spent(d, a, q->nonce, now))
		return REFUSAL_REPLAYED;
	bucket_mend(rate, &a->bucket, at); /* after the clock was put back */
	if (!bucket_passes(rate, &a->bucket, at))
		return REFUSAL_TOO_MANY;
	/* The ring has room for all that the rate lets through while a number counts; after a clock that was put back it may not have. */
	if (when_before(now, a->spent[a->next].until))
		return REFUSAL_TOO_MANY;
	bucket_spend(rate, &a->bucket, at);
	spend(d, a, q);
	return REFUSAL_NONE;
}
