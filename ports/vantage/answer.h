#ifndef KOSHIN_PORTS_VANTAGE_ANSWER_H
#define KOSHIN_PORTS_VANTAGE_ANSWER_H
/*
 * What a vantage point answers: the evidence of its look as JSON, with the number of the question, so that it is the answer to
 * no other. Who answers is told by TLS. The reader is the asker, to whom the answer is rubbish until it was read: what does not
 * belong to a name that was asked for is not taken.
 */
#include <jansson.h>
#include "core/evidence.h"
#include "base/arena.h"

/* NULL without memory. */
json_t *answer_json(struct str place, struct str nonce, const struct evidence *e);

/* One name of the question, and where what was seen of it goes. */
struct answer_slot {
	struct str name;
	struct view_evidence *view; /* result, detail and what was seen are set; the rest is left */
};
/* OK: each slot is filled. PEER: it cannot be read, or does not answer this question; the slots are as they were. Strings in a. */
MUST_USE enum err answer_read(struct str json, struct str nonce, const struct answer_slot *slots, size_t slots_n, struct arena *a);
/* The words of a refusal: a problem document of ports/vantage/refusal.tbl ("replayed: …"); empty for anything else. */
struct str answer_refusal(struct str json, struct arena *a);
#endif
