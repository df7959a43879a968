#include "sim/fleet/queue.h"
#include <stdlib.h>
#include <string.h>

enum { SLOT_BITS = 16, WHEEL_BITS = 10 };

void
events_init(struct queue_of_events *q, int64_t start_ms)
{
	memset(q, 0, sizeof *q);
	q->start_ms = start_ms;
}

void
events_fini(struct queue_of_events *q)
{
	free(q->near.at);
	for (size_t w = 0; w < QUEUE_WHEELS; w++)
		for (size_t i = 0; i < QUEUE_SLOTS; i++)
			free(q->wheel[w][i].at);
	memset(q, 0, sizeof *q);
}

static bool
is_before(const struct fleet_event *a, const struct fleet_event *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->seq < b->seq;
}

static bool
has_room(struct queue_of_events *q, struct fleet_slot *s)
{
	if (s->n < s->cap)
		return true;
	uint32_t cap = s->cap == 0 ? 8 : 2 * s->cap;
	struct fleet_event *grown = realloc(s->at, cap * sizeof *grown);

	if (grown == NULL) {
		q->failed = true;
		return false;
	}
	s->at = grown;
	s->cap = cap;
	return true;
}

static void
heap_put(struct queue_of_events *q, const struct fleet_event *ev)
{
	struct fleet_slot *h = &q->near;

	if (!has_room(q, h))
		return;
	uint32_t i = h->n++;
	while (i > 0 && is_before(ev, &h->at[(i - 1) / 2])) {
		h->at[i] = h->at[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	h->at[i] = *ev;
}

static struct fleet_event
heap_take(struct fleet_slot *h)
{
	struct fleet_event first = h->at[0], last = h->at[--h->n];
	uint32_t i = 0;

	for (uint32_t child; (child = 2 * i + 1) < h->n; i = child) {
		if (child + 1 < h->n && is_before(&h->at[child + 1], &h->at[child]))
			child++;
		if (!is_before(&h->at[child], &last))
			break;
		h->at[i] = h->at[child];
	}
	if (h->n > 0)
		h->at[i] = last;
	return first;
}

/* Where it belongs as seen from the current slot: the heap, or the narrowest wheel that reaches so far. */
static void
place(struct queue_of_events *q, const struct fleet_event *ev)
{
	int64_t slot = (ev->at_ms - q->start_ms) >> SLOT_BITS;

	if (slot <= q->slot) {
		heap_put(q, ev);
		return;
	}
	for (int w = 0; w < QUEUE_WHEELS; w++) {
		int64_t there = slot >> (w * WHEEL_BITS), here = q->slot >> (w * WHEEL_BITS);
		bool is_last = w == QUEUE_WHEELS - 1;

		if (there >> WHEEL_BITS != here >> WHEEL_BITS && !is_last)
			continue;
		/* Past the last wheel, in two thousand years: nothing of ours lives to see it. */
		if (is_last && there >> WHEEL_BITS != here >> WHEEL_BITS)
			return;
		struct fleet_slot *s = &q->wheel[w][there & (QUEUE_SLOTS - 1)];
		if (has_room(q, s)) {
			s->at[s->n++] = *ev;
			q->soon += w == 0;
		}
		return;
	}
}

void
events_put(struct queue_of_events *q, struct fleet_event ev)
{
	ev.seq = q->seq++;
	q->n++;
	place(q, &ev);
}

static void
pour(struct queue_of_events *q, struct fleet_slot *from)
{
	struct fleet_slot s = *from;

	/* Nothing is put back into the slot that is being emptied: what was in it is nearer now. */
	*from = (struct fleet_slot){ NULL, 0, 0 };
	for (uint32_t i = 0; i < s.n; i++)
		place(q, &s.at[i]);
	if (from->at == NULL) {
		s.n = 0;
		*from = s;
	} else {
		free(s.at);
	}
}

/* To the slot before `until` at most, over what is empty of the first wheel. */
static void
skip(struct queue_of_events *q, int64_t until)
{
	int64_t last = q->slot | (QUEUE_SLOTS - 1);

	if (q->soon == 0 && last > until - 1)
		last = until - 1;
	if (q->soon == 0 && last > q->slot)
		q->slot = last;
}

static void
go_on(struct queue_of_events *q)
{
	q->slot++;
	for (int w = QUEUE_WHEELS - 1; w > 0; w--) {
		int64_t low = q->slot & (((int64_t)1 << (w * WHEEL_BITS)) - 1);

		if (low == 0)
			pour(q, &q->wheel[w][(q->slot >> (w * WHEEL_BITS)) & (QUEUE_SLOTS - 1)]);
	}
	struct fleet_slot *now = &q->wheel[0][q->slot & (QUEUE_SLOTS - 1)];
	q->soon -= now->n;
	pour(q, now);
}

bool
events_take(struct queue_of_events *q, int64_t until_ms, struct fleet_event *ret)
{
	while (q->near.n == 0) {
		skip(q, (until_ms - q->start_ms) >> SLOT_BITS);
		if (q->start_ms + ((q->slot + 1) << SLOT_BITS) >= until_ms)
			return false;
		go_on(q);
	}
	if (q->near.at[0].at_ms >= until_ms)
		return false;
	*ret = heap_take(&q->near);
	q->n--;
	return true;
}
