#ifndef KOSHIN_PORTS_MAIL_MAIL_H
#define KOSHIN_PORTS_MAIL_MAIL_H
/*
 * Handing one letter to the mail server. Implementations: ports/mail/smtp.c (libcurl: SMTP, STARTTLS or TLS,
 * login), sim/mail.c. `done` is never called from inside submit; the answer is valid during the call only.
 */
#include "base/str.h"

struct mail_job {
	struct str from, to;  /* bare addresses */
	struct str message;   /* RFC 5322, CRLF line ends, headers complete */
};
struct mail_answer {
	enum err err;	  /* OK: taken. TRANSIENT class: try later. DENIED class: the server refused for good (5xx) */
	struct str words; /* of the server */
};
typedef void mail_done(void *arg, const struct mail_answer *answer);
struct mail {
	void *ctx;
	enum err (*submit)(void *ctx, const struct mail_job *job, mail_done *done, void *arg); /* the job is copied */
};
#endif
