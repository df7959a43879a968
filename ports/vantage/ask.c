#include "ports/vantage/ask.h"
#include <sodium.h>
#include <stdlib.h>
#include "base/limits.h"
#include "core/gcra.h"
#include "ports/acme/courier.h"
#include "ports/vantage/answer.h"
#include "ports/vantage/question.h"

enum {
	OPEN_MAX = 4,		 /* connections to one place; HTTP/2 is not spoken there */
	UNANSWERED_MAX = 32,	 /* questions to one place under way: more means that it is slow, and a queue would make it slower */
	QUESTIONS_A_MINUTE = 60, /* to one place; it has a limit of its own, which is above ours */
	SPARE_MS = 1000,	 /* between the end of its look and the end of our patience: the way back */
};

struct place {
	struct vantages *all;
	const struct config_vantage *config;
	char *url;
	struct courier *courier;
	struct bucket bucket;
	size_t open_n;
};
struct vantages {
	struct loop *loop;
	struct clock clock;
	struct vantages_options o;
	struct keys keys;
	struct place *places;
	size_t places_n;
	struct errand *errands; /* all under way */
};

/* One question to one place: some of the names of a look. It outlives the look, whose answer is then for nobody. */
struct errand {
	struct errand *next, **link;
	struct place *place;
	struct vantage_ask *ask; /* NULL: nobody waits */
	struct loop_timer *start;
	char nonce[QUESTION_NONCE_LETTERS + 1];
	struct buf payload;
	struct mono begun;
	size_t first, n; /* of the look's names */
};
struct vantage_ask {
	struct vantages *all;
	struct vantage_target t;
	struct name_evidence **names; /* that are asked for */
	size_t names_n, open;
};

/* --- the end of a question --- */

static void
errand_free(struct errand *e)
{
	*e->link = e->next;
	if (e->next != NULL)
		e->next->link = e->link;
	loop_cancel(e->place->all->loop, &e->start);
	e->place->open_n--;
	buf_fini(&e->payload);
	free(e);
}

static size_t
place_index(const struct place *p)
{
	return (size_t)(p - p->all->places);
}

static struct view_evidence *
view_of(const struct errand *e, size_t i)
{
	return &e->ask->names[e->first + i]->views[place_index(e->place)];
}

static void
finish(struct errand *e, enum view_result result, struct str detail)
{
	struct vantage_ask *ask = e->ask;
	int64_t ms = clock_mono(&e->place->all->clock).ms - e->begun.ms;

	if (ask == NULL) {
		errand_free(e);
		return;
	}
	detail = arena_str(ask->t.arena, detail);
	const struct view_evidence there = { .place = str_of(e->place->config->name), .result = result, .detail = detail, .ms = ms < INT32_MAX ? (int32_t)ms : INT32_MAX };
	if (e->n == 0 && ask->t.told != NULL)
		ask->t.told(ask->t.arg, NULL, &there);
	for (size_t i = 0; i < e->n; i++) {
		struct view_evidence *v = view_of(e, i);

		if (result != VIEW_SEEN) {
			v->result = result;
			v->detail = detail;
		}
		v->ms = there.ms;
		if (ask->t.told != NULL)
			ask->t.told(ask->t.arg, ask->names[e->first + i], v);
	}
	errand_free(e);
	if (--ask->open > 0)
		return;
	loop_fn *done = ask->t.done;
	void *arg = ask->t.arg;
	free(ask->names);
	free(ask);
	done(arg);
}

static void
on_answer(void *arg, const struct courier_answer *an)
{
	struct errand *e = arg;

	if (e->ask == NULL) {
		errand_free(e);
		return;
	}
	struct arena *a = e->ask->t.arena;
	if (an->err != ERR_OK) {
		finish(e, VIEW_SILENT, an->words.n > 0 ? an->words : str_of(err_words(an->err)));
		return;
	}
	if (an->status != 200) {
		struct str words = answer_refusal(an->body, a);

		finish(e, VIEW_REFUSED, words.n > 0 ? words : arena_strf(a, "status %d", an->status));
		return;
	}
	struct answer_slot slots[LIMIT_QUESTION_NAMES];
	for (size_t i = 0; i < e->n; i++)
		slots[i] = (struct answer_slot){ e->ask->names[e->first + i]->name, view_of(e, i) };
	if (answer_read(an->body, str_of(e->nonce), slots, e->n, a) == ERR_OK)
		finish(e, VIEW_SEEN, STR_NONE);
	else
		finish(e, VIEW_REFUSED, STR("its answer cannot be read, or is not to this question"));
}

/* --- asking --- */

static void
send(struct errand *e, struct str json)
{
	enum err err = courier_send(e->place->courier, COURIER_POST, e->place->url, json, on_answer, e);

	if (err != ERR_OK)
		finish(e, VIEW_NOT_ASKED, str_of(err_words(err)));
}

static void
on_signed(void *arg, const struct keys_answer *answer)
{
	struct errand *e = arg;

	if (e->ask == NULL)
		errand_free(e);
	else if (answer->err != ERR_OK)
		finish(e, VIEW_NOT_ASKED, STR("the question could not be signed"));
	else
		send(e, answer->json);
}

static void
on_start(void *arg)
{
	struct errand *e = arg;
	struct vantages *v = e->place->all;
	struct bucket *b = &e->place->bucket;
	const struct rate rate = { QUESTIONS_A_MINUTE, SPAN_MIN(1), 0 };
	const struct instant now = { clock_mono(&v->clock).ms * 1000 };
	const struct keys_job job = { .verb = KEYS_QUESTION, .payload = buf_str(&e->payload) };
	AUTO_BUF json = { .max = LIMIT_MESSAGE_BYTES };

	e->start = NULL;
	if (e->place->open_n > UNANSWERED_MAX || !bucket_passes(rate, b, now)) {
		finish(e, VIEW_NOT_ASKED, STR("too many questions in this minute"));
		return;
	}
	bucket_spend(rate, b, now);
	enum err err = v->o.key == NULL ? v->keys.submit(v->keys.ctx, &job, on_signed, e)
					 : question_sign(v->o.key, job.payload, &json);
	if (err != ERR_OK)
		finish(e, VIEW_NOT_ASKED, STR("the question could not be signed"));
	else if (v->o.key != NULL)
		send(e, buf_str(&json));
}

static void
make_nonce(struct vantages *v, char ret[QUESTION_NONCE_LETTERS + 1])
{
	uint8_t bytes[QUESTION_NONCE_BYTES];

	v->clock.random(v->clock.ctx, bytes, sizeof bytes);
	(void)sodium_bin2base64(ret, QUESTION_NONCE_LETTERS + 1, bytes, sizeof bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/* How long the place may look: what is left of everybody's patience, less the way back. */
static int64_t
wait_ms(const struct place *p, int64_t within_ms)
{
	int64_t ms = within_ms < p->config->timeout_ms ? within_ms : p->config->timeout_ms;

	ms = ms > 2 * SPARE_MS ? ms - SPARE_MS : ms / 2;
	return ms < 1 ? 1 : ms > QUESTION_WAIT_MS_MAX ? QUESTION_WAIT_MS_MAX : ms;
}

static bool
errand_begin(struct vantage_ask *ask, struct place *p, size_t first, size_t n)
{
	struct vantages *v = ask->all;
	struct errand *e = calloc(1, sizeof *e);
	struct str names[LIMIT_QUESTION_NAMES];

	if (e == NULL)
		return false;
	*e = (struct errand){ .next = v->errands, .link = &v->errands, .place = p, .ask = ask, .begun = clock_mono(&v->clock), .first = first, .n = n };
	if (e->next != NULL)
		e->next->link = &e->next;
	v->errands = e;
	p->open_n++;
	buf_init(&e->payload, LIMIT_QUESTION_BYTES);
	make_nonce(v, e->nonce);
	for (size_t i = 0; i < n; i++)
		names[i] = ask->names[first + i]->name;
	const struct question q = {
		.place = str_of(p->config->name),
		/* The machine's own date, which the other machine has too, also where ours is put off for a rehearsal. */
		.at = when_minus(clock_now(&v->clock), v->o.config->clock_offset),
		.nonce = str_of(e->nonce),
		.names = names,
		.names_n = n,
		.thumbprint = ask->t.thumbprint,
		.wait_ms = wait_ms(p, ask->t.within_ms),
	};
	if (question_write(&q, &e->payload) == ERR_OK)
		e->start = loop_after(v->loop, 0, on_start, e);
	if (e->start == NULL) {
		errand_free(e);
		return false;
	}
	ask->open++;
	return true;
}

/* Each name gets a view of each place, not asked so far. */
static bool
make_views(struct vantages *v, struct vantage_ask *ask, const struct vantage_target *t)
{
	ask->names = calloc(t->names_n + 1, sizeof(struct name_evidence *));
	if (ask->names == NULL)
		return false;
	for (size_t i = 0; i < t->names_n; i++) {
		struct name_evidence *n = t->names[i];

		if (str_starts(n->name, STR("*.")))
			continue;
		n->views = arena_get(t->arena, v->places_n * sizeof *n->views);
		if (n->views == NULL)
			return false;
		for (size_t p = 0; p < v->places_n; p++)
			n->views[p].place = str_of(v->places[p].config->name);
		n->views_n = v->places_n;
		ask->names[ask->names_n++] = n;
	}
	return true;
}

static void
drop(struct vantage_ask *ask)
{
	for (struct errand *e = ask->all->errands; e != NULL; e = e->next)
		if (e->ask == ask)
			e->ask = NULL;
	free(ask->names);
	free(ask);
}

enum err
vantages_ask(struct vantages *v, const struct vantage_target *t, struct vantage_ask **ret)
{
	struct vantage_ask *ask = calloc(1, sizeof *ask);

	*ret = NULL;
	if (ask == NULL)
		return ERR_MEMORY;
	*ask = (struct vantage_ask){ .all = v, .t = *t };
	ask->t.names = NULL;
	ask->t.thumbprint = arena_str(t->arena, t->thumbprint);
	bool ok = make_views(v, ask, t);
	/* "Are you there?" is a question without names. */
	size_t questions = ask->names_n == 0 ? t->names_n == 0 : (ask->names_n + LIMIT_QUESTION_NAMES - 1) / LIMIT_QUESTION_NAMES;
	for (size_t p = 0; p < v->places_n; p++)
		for (size_t i = 0; ok && i < questions; i++) {
			size_t first = i * LIMIT_QUESTION_NAMES, left = ask->names_n - first;

			ok = errand_begin(ask, &v->places[p], first, left < LIMIT_QUESTION_NAMES ? left : LIMIT_QUESTION_NAMES);
		}
	if (ok && ask->open > 0) {
		*ret = ask;
		return ERR_OK;
	}
	drop(ask);
	return ok ? ERR_OK : ERR_MEMORY;
}

void
vantages_stop(struct vantage_ask **askp)
{
	struct vantage_ask *ask = *askp;

	if (ask == NULL)
		return;
	*askp = NULL;
	for (struct errand *e = ask->all->errands; e != NULL; e = e->next)
		for (size_t i = 0; e->ask == ask && i < e->n; i++) {
			view_of(e, i)->result = VIEW_SILENT;
			view_of(e, i)->detail = STR("no answer before the end of the look");
		}
	drop(ask);
}

/* --- the places --- */

static enum err
place_open(struct vantages *v, struct place *p, const struct config_vantage *config)
{
	const struct acme_http_options o = {
		.ca_bundle = config->bundle,
		.user_agent = "koshin",
		.timeout_ms = config->timeout_ms,
		.connections_max = OPEN_MAX,
	};
	AUTO_BUF url = { .max = LIMIT_URL_BYTES };

	*p = (struct place){ .all = v, .config = config };
	buf_putf(&url, "%s%s", config->url, config->url[strlen(config->url) - 1] == '/' ? "look" : "/look");
	p->url = buf_take(&url);
	return p->url == NULL ? ERR_MEMORY : courier_new(v->loop, &o, &p->courier);
}

enum err
vantages_new(struct loop *l, const struct clock *c, const struct vantages_options *o, struct vantages **ret)
{
	size_t n = o->config->vantages_n;

	*ret = NULL;
	if (n == 0)
		return ERR_OK;
	struct vantages *v = calloc(1, sizeof *v);
	if (v == NULL)
		return ERR_MEMORY;
	*v = (struct vantages){ .loop = l, .clock = *c, .o = *o, .places = calloc(n, sizeof(struct place)) };
	if (o->keys != NULL)
		v->keys = *o->keys;
	enum err err = v->places == NULL ? ERR_MEMORY : ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < n; i++) {
		v->places_n++;
		err = place_open(v, &v->places[i], &o->config->vantages[i]);
	}
	if (err != ERR_OK) {
		vantages_free(&v);
		return err;
	}
	*ret = v;
	return ERR_OK;
}

void
vantages_free(struct vantages **vp)
{
	struct vantages *v = *vp;

	if (v == NULL)
		return;
	for (size_t i = 0; i < v->places_n; i++)
		courier_free(&v->places[i].courier);
	while (v->errands != NULL) {
		struct vantage_ask *ask = v->errands->ask;

		if (ask != NULL)
			drop(ask);
		errand_free(v->errands);
	}
	for (size_t i = 0; i < v->places_n; i++)
		free(v->places[i].url);
	free(v->places);
	free(v);
	*vp = NULL;
}
