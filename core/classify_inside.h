#ifndef KOSHIN_CORE_CLASSIFY_INSIDE_H
#define KOSHIN_CORE_CLASSIFY_INSIDE_H
/* The parts of classify(): only core/classify*.c include this. A judge is one name with all that is known of it. */
#include "core/classify.h"

struct judge {
	const struct evidence *e;
	const struct name_evidence *n;
	const struct site *s; /* may be NULL */
	const struct policy *p;
	struct arena *a;
	struct finding_list *out;
	size_t first;	  /* of this name in out */
	struct str trace; /* the evidence as text, made with the first finding */
};

/* A finding of this name with its evidence and next look; the one that is there already if it was put before. NULL at the
 * list's cap. */
struct finding *judge_put(struct judge *j, enum cause c);
bool judge_has(const struct judge *j, enum cause c);
/* "NAME. 3600 IN A ADDRESS": the record that leads to us; empty without an address in the policy. */
struct str judge_record_of_ours(const struct judge *j);
/* The same as a bare address. */
struct str judge_address_of_ours(const struct judge *j);
bool judge_is_held(const struct held *h, const struct tls_evidence *t);
/* Does this address lead to our servers, whatever stands before them? Proof beats lists of addresses. */
bool judge_reaches_us(const struct judge *j, const struct address_evidence *a);

/* The registered domain at its registry; true if that explains a name without an address. */
bool classify_registration(struct judge *j);
/* What the zone's servers said one by one; true if it explains the addresses that the resolver gave or did not give. */
bool classify_delegation(struct judge *j);
/* What differs from the last good check explains it: our own address that DNS still has, a zone that was not taken along. */
void classify_former_address(struct judge *j);
bool classify_not_copied(struct judge *j);
/* No address of the name reaches us: has it moved away? Puts the finding if so. */
bool classify_moved(struct judge *j, struct str seen, struct str copy);
/* What the facts of the site say, s may be NULL; and the short way: they surely say nothing. */
void classify_state(const struct evidence *e, const struct site *s, const struct policy *p, struct arena *a,
    struct finding_list *out);
bool classify_state_is_quiet(const struct site *s);
void classify_dnssec(struct judge *j);
void classify_caa(struct judge *j);
void classify_http(struct judge *j);
void classify_served(struct judge *j);
/* What vantage points see of a name that passes from here: after classify_dns and classify_http. */
void classify_views(struct judge *j);
/* What an answer over HTTP that is not ours comes to at an address that leads to us or to a known service (CAUSE_NONE: nothing), and what of
 * it is told. */
enum cause classify_http_cause(const struct judge *j, const struct address_evidence *a);
struct str classify_http_seen(const struct judge *j, const struct address_evidence *a);
const char *classify_dns_words(enum dns_status s);
/* The evidence in readable lines, with nothing in it but printable text. */
struct str classify_trace(const struct judge *j);
#endif
