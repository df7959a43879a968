#ifndef KOSHIN_CORE_RENEWAL_H
#define KOSHIN_CORE_RENEWAL_H
/*
 * Renewal information (RFC 9773): when the CA wants a certificate to be renewed. Facts of one held certificate, and the two
 * functions that change them: an answer that came, and one that did not. Pure; who asks, stores and wakes is the engine.
 *
 * The CA's dates are believed within bounds: nothing that it says, and no silence of it, moves a renewal past a quarter of the
 * life left, or makes koshin order again and again.
 */
#include "base/str.h"
#include "core/lifetime.h"

struct renewal {
	bool is_told;	   /* the CA has named a window that can be used; the next five are its facts */
	bool is_urgent;	   /* it asks for this before its ordinary time: the window was past, or was moved to an earlier one */
	struct when start, end;
	struct when at;	   /* the date chosen in the window, once for each window (4.2) */
	struct str explanation; /* URL of a page for people; mostly empty */
	struct when polled_at;	/* last answer that could be used */
	struct when poll_at;	/* next poll */
	unsigned failures;	/* polls in a row without a usable answer */
};
/* What the answer said, as it was read. */
struct renewal_told {
	struct when start, end;	 /* WHEN_UNKNOWN: missing, or no date */
	struct str explanation;
	struct when retry_after; /* WHEN_UNKNOWN without one that can be read */
};
/* The certificate that it is about. */
struct renewal_of {
	struct life life;
	struct when issued_at; /* when it came to us; notBefore is often an hour earlier */
	struct when table_at;  /* when it would be renewed without renewal information */
};
/* What was wrong with a window that is not used: the fractions of the life count as without it. */
enum renewal_oddity {
	RENEWAL_FINE,
	RENEWAL_UNREADABLE,   /* a date is missing, or is none */
	RENEWAL_INVERTED,     /* ends before or as it begins: RFC 9773 4.2 has it treated as no answer */
	RENEWAL_BEFORE_ISSUE, /* was over when the certificate was issued: its successor would get the same */
	RENEWAL_TOO_LATE,     /* begins when less than a quarter of the life is left, or after its end */
	RENEWAL_ODDITY_COUNT
};
/* Words for the operator. */
const char *renewal_oddity_words(enum renewal_oddity o);
/* An answer: window, date in it, next poll. The explanation of r then points to the one of told. */
enum renewal_oddity renewal_take(struct renewal *r, const struct renewal_told *told, const struct renewal_of *of,
    const struct turn *t);
/* No answer, or none that can be used; retry_after may be WHEN_UNKNOWN. What was told stays, but not past the table's date. */
void renewal_miss(struct renewal *r, struct when retry_after, const struct renewal_of *of, const struct turn *t);
/* The first poll of a new certificate: at once (4.3), but not all of a batch in one second; a short life is not waited away. */
struct when renewal_first_poll(struct life l, const struct turn *t);
#endif
