#ifndef KOSHIN_CORE_FINDING_H
#define KOSHIN_CORE_FINDING_H
/*
 * A failure with a name: a row of the cause table plus the facts of one case. The same finding feeds
 * command, letter, API and log; the sentences are made from it by words/. Strings live in the arena of
 * the turn that made or loaded it.
 */
#include "base/when.h"
#include "core/cause.h"

struct finding {
	enum cause cause;
	struct str subject;  /* the host name, server or CA that it is about; never empty */
	struct str seen;     /* what was found ("198.51.100.5", "404"); may be empty */
	struct str wanted;   /* what it has to be ("203.0.113.10"); may be empty */
	struct str copy;     /* the value to enter, whole; needed where the row's actor is outside our panel */
	struct str company;  /* who answers for the domain's DNS, as far as known; may be empty */
	struct str evidence; /* raw: the CA's text, the DNS answer, the HTTP status line; for the folded part */
	enum actor acts;     /* the row's, or what the case turned it into */
	struct when first_seen, last_seen;
	struct when next_look; /* when koshin looks again by itself; never WHEN_NEVER in a stored finding */
	struct when told_at;   /* WHEN_UNKNOWN until a letter said it */
	unsigned times_seen;   /* by how many checks in a row */
	unsigned mends;	       /* how often koshin has done something about it by itself */
	struct when mended_at; /* the last time; says nothing without one */
	bool is_from_order;    /* the CA's or the installer's word, not a check's: stands until next_look or success */
};

struct finding_list {
	struct finding *at;
	size_t n, cap;
	size_t dropped; /* did not fit: the maker of the list took too small a cap */
};
/* Appends a finding of this cause: the row's actor, dates WHEN_UNKNOWN, the rest zero. NULL at the list's cap (counted as dropped). */
struct finding *finding_put(struct finding_list *l, enum cause c, struct str subject);
/* Sorts by layer, then by the order of the table: the first one is the cause, the rest was also noticed. Stable. */
void finding_sort(struct finding_list *l);
bool finding_blocks(const struct finding *f);
#endif
