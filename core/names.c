/*
 * The words for values that are stored, logged and shown to programs: made from the tables, and found again in
 * them. A word is a promise to everybody outside; a value's number is not.
 */
#include "core/order.h"

static const char *const doings[] = {
#define DOING(symbol, word, waits_for, longest_s) word,
#include "core/doing.tbl"
#undef DOING
};
static const char *const letters[] = {
#define LETTER(symbol, word) word,
#include "core/letter.tbl"
#undef LETTER
};
static const char *const histories[] = {
#define HISTORY(symbol, word) word,
#include "core/history.tbl"
#undef HISTORY
};
static const char *const phases[] = {
	[ORDER_INTENT] = "intent",
	[ORDER_PLACED] = "placed",
	[ORDER_FINALIZED] = "finalized",
	[ORDER_RECEIVED] = "received",
	[ORDER_FAILED] = "failed",
};
_Static_assert(sizeof phases / sizeof *phases == ORDER_PHASE_COUNT, "a word for each phase");

/* The position of s in words, or n. */
static unsigned
find(const char *const *words, unsigned n, struct str s)
{
	unsigned i = 0;

	while (i < n && !str_eq(s, str_of(words[i])))
		i++;
	return i;
}

const char *
doing_name(enum doing d)
{
	return d < DOING_COUNT ? doings[d] : "unknown";
}

bool
doing_of_name(struct str s, enum doing *ret)
{
	unsigned i = find(doings, DOING_COUNT, s);

	if (i == DOING_COUNT)
		return false;
	*ret = (enum doing)i;
	return true;
}

const char *
letter_name(enum letter_kind k)
{
	return k < LETTER_COUNT ? letters[k] : "unknown";
}

bool
letter_of_name(struct str s, enum letter_kind *ret)
{
	unsigned i = find(letters, LETTER_COUNT, s);

	if (i == LETTER_COUNT)
		return false;
	*ret = (enum letter_kind)i;
	return true;
}

const char *
history_name(enum history_kind h)
{
	return h < HISTORY_COUNT ? histories[h] : "unknown";
}

bool
history_of_name(struct str s, enum history_kind *ret)
{
	unsigned i = find(histories, HISTORY_COUNT, s);

	if (i == HISTORY_COUNT)
		return false;
	*ret = (enum history_kind)i;
	return true;
}

const char *
order_phase_name(enum order_phase p)
{
	return p < ORDER_PHASE_COUNT ? phases[p] : "unknown";
}

bool
order_phase_of_name(struct str s, enum order_phase *ret)
{
	unsigned i = find(phases, ORDER_PHASE_COUNT, s);

	if (i == ORDER_PHASE_COUNT)
		return false;
	*ret = (enum order_phase)i;
	return true;
}

bool
actor_of_name(struct str s, enum actor *ret)
{
	static const enum actor actors[] = { ACTOR_OWNER, ACTOR_DOMAIN_COMPANY, ACTOR_WEB_OWNER,
		ACTOR_HOST, ACTOR_NOBODY };

	for (size_t i = 0; i < sizeof actors / sizeof *actors; i++)
		if (str_eq(s, str_of(actor_name(actors[i])))) {
			*ret = actors[i];
			return true;
		}
	return false;
}
