#include "sim/fleet/inside.h"
#include <stdlib.h>
#include "core/outbox.h"

/*
 * The outbox of a fleet, and the mail servers beyond it: boxes that are gone, boxes that are full for days, servers that take a letter and
 * send it back the next day, and a mail server of ours that is down. core/outbox decides; what the outbox holds outlives the engine.
 * A box's weather comes of the seed, the site and the date alone, so that letters disturb nobody's chances.
 */

enum { TRIES_MOST = 40, ANSWER_MS = 2000, AGAIN_MS = 5000, DOWN_PARTS = 40, FULL_DAYS = 8 };

enum mailbox { MAILBOX_TAKES, MAILBOX_LATER, MAILBOX_REFUSES, MAILBOX_SENDS_BACK };

static uint64_t
hash(const struct fleet *f, uint64_t what, uint64_t which)
{
	uint64_t state = f->plan->seed << 32 ^ what << 56 ^ which;

	return fleet_random(&state) >> 16;
}

static enum mailbox
mailbox_of(const struct fleet *f, uint32_t n)
{
	uint64_t days = (uint64_t)((f->now_ms - f->start_ms) / FLEET_DAY_MS), roll = hash(f, 1, n) % 100;

	if (!f->plan->has_faults)
		return MAILBOX_TAKES;
	if (hash(f, 2, days) % DOWN_PARTS == 0)
		return MAILBOX_LATER;
	if (roll < 4)
		return MAILBOX_REFUSES;
	if (roll < 8)
		return MAILBOX_SENDS_BACK;
	return roll < 20 && hash(f, 3, (uint64_t)n << 16 ^ days / FULL_DAYS) % 2 == 0 ? MAILBOX_LATER : MAILBOX_TAKES;
}

static uint32_t
new_letter(struct fleet *f)
{
	uint32_t i = f->letters_free;

	if (i != 0) {
		f->letters_free = f->letters[i].next_free;
		return i;
	}
	if (f->letters_n + 1 >= f->letters_cap) {
		uint32_t cap = f->letters_cap == 0 ? 64 : 2 * f->letters_cap;
		struct letter_of_fleet *grown = realloc(f->letters, cap * sizeof *grown);

		if (grown == NULL) {
			f->err = ERR_MEMORY;
			return 0;
		}
		f->letters = grown;
		f->letters_cap = cap;
	}
	return ++f->letters_n;
}

static void
forget(struct fleet *f, uint32_t i)
{
	f->letters[i] = (struct letter_of_fleet){ .next_free = f->letters_free };
	f->letters_free = i;
}

static void
put_event(struct fleet *f, int64_t after_ms, uint32_t i, enum letter_stage stage)
{
	fleet_put(f, after_ms, EV_LETTER, f->letters[i].site, i, stage);
}

void
letters_of_fleet_put(struct fleet *f, uint32_t n)
{
	/* Where nothing ever goes wrong with a letter, its decision is all there is to see. */
	uint32_t i = f->plan->has_faults ? new_letter(f) : 0;

	if (i == 0)
		return;
	f->letters[i] = (struct letter_of_fleet){ .site = n, .created_ms = f->now_ms, .created = fleet_wall(f), .is_open = true };
	put_event(f, 0, i, LETTER_DUE);
}

/* It is on its way: what the other side makes of it is decided there, whether or not the engine hears of it. */
static void
send(struct fleet *f, uint32_t i)
{
	struct letter_of_fleet *l = &f->letters[i];
	enum mailbox m = mailbox_of(f, l->site);

	if (++l->tries > TRIES_MOST)
		fleet_broken(f, l->site, "a letter is tried for the %uth time after %.1f days", l->tries,
		    (double)(f->now_ms - l->created_ms) / (double)FLEET_DAY_MS);
	if ((m == MAILBOX_TAKES || m == MAILBOX_SENDS_BACK) && l->was_taken && l->taken_by == f->generation)
		fleet_broken(f, l->site, "a letter was sent again although the mail server had taken it");
	if (m == MAILBOX_TAKES || m == MAILBOX_SENDS_BACK) {
		l->was_taken = true;
		l->taken_by = f->generation;
	}
	l->outcome = m == MAILBOX_REFUSES ? ERR_REFUSED : m == MAILBOX_LATER ? ERR_SERVER : ERR_OK;
	put_event(f, ANSWER_MS, i, LETTER_ANSWERED);
}

static void
answered(struct fleet *f, uint32_t i)
{
	struct letter_of_fleet *l = &f->letters[i];
	const struct turn turn = { fleet_wall(f), (uint32_t)hash(f, 4, (uint64_t)i << 32 ^ (uint64_t)f->now_ms) };

	if (l->outcome == ERR_OK && mailbox_of(f, l->site) == MAILBOX_SENDS_BACK) {
		put_event(f, FLEET_HOUR_MS + (int64_t)(turn.roll % (2 * FLEET_DAY_MS)), i, LETTER_CAME_BACK);
		l->is_open = false;
		return;
	}
	if (l->outcome == ERR_OK) {
		forget(f, i);
		return;
	}
	struct when next = outbox_next(l->created, l->tries - 1U, l->outcome, &turn);
	if (next.s != WHEN_NEVER.s) {
		fleet_mark(f, FLEET_MARK_LETTER_LATER);
		put_event(f, when_between(turn.now, next).s * 1000, i, LETTER_DUE);
		return;
	}
	fleet_mark(f, FLEET_MARK_LETTER_GIVEN_UP);
	watch_unread(f, l->site);
	forget(f, i);
}

void
letters_of_fleet_event(struct fleet *f, const struct fleet_event *ev)
{
	switch ((enum letter_stage)ev->extra) {
	case LETTER_CAME_BACK:
		fleet_mark(f, FLEET_MARK_LETTER_CAME_BACK);
		watch_unread(f, ev->site);
		forget(f, ev->arg);
		return;
	case LETTER_ANSWERED:
		/* Nobody noted that it was taken: it is sent again, under the same Message-ID. */
		if (ev->generation != f->generation)
			put_event(f, AGAIN_MS, ev->arg, LETTER_DUE);
		else
			answered(f, ev->arg);
		return;
	case LETTER_DUE:
		if (f->is_down)
			put_event(f, AGAIN_MS, ev->arg, LETTER_DUE);
		else
			send(f, ev->arg);
		return;
	}
}

/* Five days, a pause, and a little more: by then it was taken, or given up. */
void
letters_of_fleet_end(struct fleet *f)
{
	int64_t most_ms = (OUTBOX_GIVE_UP.s + 2 * OUTBOX_PAUSE_MOST_S) * 1000;

	for (uint32_t i = 1; i <= f->letters_n; i++)
		if (f->letters[i].is_open && f->now_ms - f->letters[i].created_ms > most_ms)
			fleet_broken(f, f->letters[i].site, "a letter has waited for %.1f days",
			    (double)(f->now_ms - f->letters[i].created_ms) / (double)FLEET_DAY_MS);
}
