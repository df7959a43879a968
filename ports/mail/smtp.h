#ifndef KOSHIN_PORTS_MAIL_SMTP_H
#define KOSHIN_PORTS_MAIL_SMTP_H
/*
 * Letters to a mail server by libcurl on the process's loop. One connection is kept and used for several letters.
 * A 5xx answer means DENIED (for good), a 4xx answer or a failure of network or TLS means a TRANSIENT class, each with the
 * server's own words. A refused login is CONFIG (LOCAL): that is our fault, and the letter has to stay in the outbox.
 * Addresses that could break out of their SMTP command are refused here, whoever made them.
 */
#include "ports/loop/loop.h"
#include "ports/mail/mail.h"

struct smtp_options {
	const char *server;   /* smtp://host:port or smtps://host:port; no user, path or query */
	const char *user;     /* NULL or "": no login */
	const char *password; /* used with user */
	bool tls;	      /* smtp:// only: STARTTLS is demanded; without it nothing is sent. Off: used when offered; a
				 login then needs a server on loopback (anybody on the way could hide the offer) */
	const char *bundle;   /* PEM file of trusted roots, read once; NULL: the system's */
	int64_t timeout_ms;   /* for one letter, connection included */
	unsigned letters_max; /* waiting here at one time; more: FULL. 0: 1000 */
};
struct smtp;
/* Copies what it needs from the options. CONFIG or INVALID with words in why (may be NULL). */
MUST_USE enum err smtp_new(struct loop *l, const struct smtp_options *o, struct why *why, struct smtp **ret);
void smtp_free(struct smtp **s); /* letters on their way get no answer; the outbox still has them */
struct mail smtp_port(struct smtp *s);
/* The first line of a file with a password, without its line end; to be freed. INVALID for an empty one. */
MUST_USE enum err smtp_read_password(const char *file, struct why *why, char **ret);
#endif
