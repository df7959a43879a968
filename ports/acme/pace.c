#include "ports/acme/pace.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "ports/acme/parse.h"

/* One request that waits. */
struct wait {
	struct wait *next;
	enum courier_method method;
	struct buf url, body;
	courier_done *done;
	void *arg;
};
struct line {
	struct wait *first, **last;
	struct rate rate;
	struct bucket bucket;
};
struct pace {
	struct loop *loop;
	struct clock clock;
	struct pace_out out;
	struct line lines[ENDPOINT_COUNT];
	struct loop_timer *timer;
	size_t waiting;
};

enum { US_OF_MS = 1000, TENTHS = 9 };

static struct instant
now_of(const struct pace *p)
{
	return (struct instant){ clock_mono(&p->clock).ms * US_OF_MS };
}

enum err
pace_new(struct loop *l, const struct clock *c, const struct pace_out *out, const struct rate *rates, struct pace **ret)
{
	struct pace *p = calloc(1, sizeof *p);

	if (p == NULL)
		return ERR_MEMORY;
	p->loop = l;
	p->clock = *c;
	p->out = *out;
	for (size_t i = 0; i < ENDPOINT_COUNT; i++) {
		struct line *line = &p->lines[i];

		line->last = &line->first;
		if (rates == NULL || rate_is_none(rates[i]))
			continue;
		/* Nine tenths: what leaves here evenly does not arrive so. */
		int64_t burst = rate_burst(rates[i]) * TENTHS / 10;
		line->rate = (struct rate){ rates[i].count * TENTHS, { rates[i].per.s * 10 }, burst > 0 ? burst : 1 };
	}
	*ret = p;
	return ERR_OK;
}

static void
wait_free(struct wait *w)
{
	buf_fini(&w->url);
	buf_fini(&w->body);
	free(w);
}

void
pace_free(struct pace **pp)
{
	struct pace *p = *pp;

	if (p == NULL)
		return;
	for (size_t i = 0; i < ENDPOINT_COUNT; i++)
		for (struct wait *w = p->lines[i].first, *next; w != NULL; w = next) {
			next = w->next;
			wait_free(w);
		}
	loop_cancel(p->loop, &p->timer);
	free(p);
	*pp = NULL;
}

static struct wait *
take_first(struct pace *p, struct line *line)
{
	struct wait *w = line->first;

	line->first = w->next;
	if (line->first == NULL)
		line->last = &line->first;
	p->waiting--;
	return w;
}

static void
answer_failed(struct wait *w, enum err e)
{
	const struct courier_answer an = { .err = e, .words = STR("the request could not be sent") };

	w->done(w->arg, &an);
}

/* In the front end's place: what it has said, as it would say it again. */
static void
answer_patience(const struct pace *p, const struct line *line, struct wait *w)
{
	char seconds[24];
	int n = snprintf(seconds, sizeof seconds, "%lld",
	    (long long)((line->bucket.not_before.us - now_of(p).us) / 1000000 + 1));
	const struct courier_answer an = { .status = 503, .retry_after = { seconds, n > 0 ? (size_t)n : 0 } };

	w->done(w->arg, &an);
}

static bool
is_long(const struct pace *p, const struct line *line)
{
	return line->bucket.not_before.us - now_of(p).us > (int64_t)PACE_LONGEST_MS * US_OF_MS;
}

static void let_go(void *arg);

static void
wake_later(struct pace *p)
{
	struct instant next = { INT64_MAX }, now = now_of(p);

	loop_cancel(p->loop, &p->timer);
	for (size_t i = 0; i < ENDPOINT_COUNT; i++) {
		const struct line *line = &p->lines[i];

		if (line->first == NULL)
			continue;
		struct instant at = is_long(p, line) ? now : bucket_next(line->rate, &line->bucket, now);
		next = at.us < next.us ? at : next;
	}
	/* Without memory for a timer the next request of any kind does it. */
	if (next.us != INT64_MAX)
		p->timer = loop_after(p->loop, (next.us - now.us + US_OF_MS - 1) / US_OF_MS, let_go, p);
}

static void
let_go(void *arg)
{
	struct pace *p = arg;

	p->timer = NULL;
	for (size_t i = 0; i < ENDPOINT_COUNT; i++) {
		struct line *line = &p->lines[i];

		/* What is done here may ask again: that comes at the end of the line. */
		for (size_t n = p->waiting; n > 0 && line->first != NULL; n--) {
			bool is_refused = is_long(p, line);

			if (!is_refused && !bucket_passes(line->rate, &line->bucket, now_of(p)))
				break;
			struct wait *w = take_first(p, line);
			if (is_refused) {
				answer_patience(p, line, w);
			} else {
				bucket_spend(line->rate, &line->bucket, now_of(p));
				enum err e = p->out.send(p->out.ctx, w->method, w->url.p, buf_str(&w->body), w->done, w->arg);
				if (e != ERR_OK)
					answer_failed(w, e);
			}
			wait_free(w);
		}
	}
	wake_later(p);
}

enum err
pace_send(struct pace *p, enum endpoint e, enum courier_method method, const char *url, struct str body, courier_done *done,
    void *arg)
{
	struct line *line = &p->lines[e];
	struct instant now = now_of(p);

	if (line->first == NULL && bucket_passes(line->rate, &line->bucket, now)) {
		bucket_spend(line->rate, &line->bucket, now);
		return p->out.send(p->out.ctx, method, url, body, done, arg);
	}
	if (p->waiting >= PACE_WAITING_MAX)
		return ERR_FULL;
	struct wait *w = calloc(1, sizeof *w);
	if (w == NULL)
		return ERR_MEMORY;
	w->method = method;
	w->done = done;
	w->arg = arg;
	buf_init(&w->url, LIMIT_URL_BYTES + 1);
	buf_init(&w->body, LIMIT_MESSAGE_BYTES);
	buf_put_str(&w->url, str_of(url));
	buf_put_str(&w->body, body);
	enum err err = w->url.err != ERR_OK ? w->url.err : w->body.err;
	if (err != ERR_OK) {
		wait_free(w);
		return err;
	}
	*line->last = w;
	line->last = &w->next;
	p->waiting++;
	wake_later(p);
	return ERR_OK;
}

void
pace_told(struct pace *p, enum endpoint e, const struct courier_answer *an)
{
	/* An order's own limit is a 429, and no word about the endpoint. */
	if (an->status == 503)
		pace_hold(p, e, parse_retry_after(an->retry_after, an->date, clock_now(&p->clock)));
}

void
pace_hold(struct pace *p, enum endpoint e, struct when at)
{
	struct line *line = &p->lines[e];
	struct when wall = clock_now(&p->clock);

	if (!when_is_known(at) || !when_before(wall, at))
		return;
	struct instant now = now_of(p);
	struct span wait = span_min(when_between(wall, at), SPAN_D(1));
	if (now.us + wait.s * 1000000 <= line->bucket.not_before.us)
		return;
	line->bucket.not_before.us = now.us + wait.s * 1000000;
	if (line->first != NULL)
		wake_later(p);
}

size_t
pace_waiting(const struct pace *p)
{
	return p->waiting;
}
