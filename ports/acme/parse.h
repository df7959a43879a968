#ifndef KOSHIN_PORTS_ACME_PARSE_H
#define KOSHIN_PORTS_ACME_PARSE_H
/*
 * What a CA sends, read: JSON bodies (RFC 8555 7.1), problem documents (6.7), headers. Every byte is untrusted: what does
 * not have the form that the RFC gives is refused with words, nothing is guessed. Strings are copied into the arena.
 */
#include "ports/acme/acme.h"

enum {
	PARSE_DEPTH_MAX = 16,	  /* an order with sub-problems nests 6 deep */
	PARSE_TEXT_BYTES = 2048,  /* of a problem's text; CAs' own are below 500 */
	PARSE_PROFILES_MAX = 32,  /* and CAA identities */
	PARSE_CHALLENGES_MAX = 16,
};

/* URLs of the directory (7.1.1), beside what the header of the port tells. */
struct parse_directory {
	struct acme_directory about;
	struct str new_nonce, new_account, new_order, revoke_cert, renewal_info; /* keyChange is in `about` */
};
MUST_USE enum err parse_directory(struct str body, struct arena *a, struct why *why, struct parse_directory *ret);
/* Renewal information (RFC 9773 4.2). A date that is missing or is none is WHEN_UNKNOWN: core/renewal judges. PEER for what is
 * no object at all. */
MUST_USE enum err parse_renewal(struct str body, struct arena *a, struct why *why, struct renewal_told *ret);
/* Fields of an answer by its verb (all but CERTIFICATE, REVOKE, RENEWAL_INFO); PEER with words in why. Writes to ret on success alone. */
MUST_USE enum err parse_answer(struct str body, struct why *why, struct acme_answer *ret);
/* False if it is not a JSON object; an object without type and detail is a problem without them. */
bool parse_problem(struct str body, struct arena *a, struct problem *ret);
/* A date of HTTP (RFC 9110 5.6.7); WHEN_UNKNOWN for anything else. */
struct when parse_http_date(struct str value);
/* Retry-After in both forms (RFC 9110 10.2.3), at most a year ahead; WHEN_UNKNOWN for anything else. date: the Date of the same answer, empty
 * without one: a date to wait for is as far away as the CA sees it, however wrong our clock is. */
struct when parse_retry_after(struct str value, struct str date, struct when now);
/* The target of a Link header with this relation (RFC 8288), the first one; STR_NONE without. A view into value. */
struct str parse_link(struct str value, struct str rel);
/* A URL that may be asked: https (or http where plain is allowed), a host, no white space or control byte, not too long. */
bool parse_url_is_good(struct str url, bool is_plain_allowed);
#endif
