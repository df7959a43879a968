#ifndef KOSHIN_PORTS_MAIL_INTAKE_H
#define KOSHIN_PORTS_MAIL_INTAKE_H
/*
 * Reading one mail that has come in: a person's answer to a letter, or what a mail server says of a letter that it could not
 * deliver. RFC 5322 and MIME are GMime's, HTML libxml2's; this names what was found. It decides nothing, stores nothing, and
 * believes nothing: every string that comes out is UTF-8, has no control bytes but (in texts) line ends, and is cut at its limit.
 */
#include "base/arena.h"
#include "base/err.h"

enum intake_kind {
	INTAKE_ANSWER,	  /* a person wrote */
	INTAKE_BOUNCE,	  /* a letter was refused for good (RFC 3464: Action failed) */
	INTAKE_DELAYED,	  /* a letter is late; its server goes on trying */
	INTAKE_AUTOMATIC, /* out of office and the like (RFC 3834): nobody wrote, nobody is answered */
};
enum {
	INTAKE_REFERENCES_MAX = 32,
	INTAKE_BYTES_MAX = 1024 * 1024, /* of a mail; attachments are not kept */
	INTAKE_TEXT_MAX = 32 * 1024,	/* of what was written */
	INTAKE_LINE_MAX = 512,		/* of a subject, of the words of a mail server */
};

struct intake {
	enum intake_kind kind;
	struct str from;       /* bare address of who wrote; empty for a mail server */
	struct str subject, message_id;
	struct str references[INTAKE_REFERENCES_MAX]; /* letters that it speaks of, without brackets, the nearest first */
	size_t references_n;
	struct str text;      /* ANSWER: what was written, LF line ends */
	bool is_cut;	      /* text was longer */
	struct str recipient; /* BOUNCE, DELAYED: whom it did not reach */
	struct str status;    /* "5.1.1" (RFC 3463); empty if it does not say */
	struct str words;     /* of the other server */
};
/* message: as it came, with CRLF or LF. INVALID: no mail that can be read, `why` says what is wrong; TOO_LONG. Strings live in a. */
MUST_USE enum err intake_read(struct str message, struct arena *a, struct intake *ret, struct why *why);
#endif
