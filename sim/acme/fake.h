#ifndef KOSHIN_SIM_ACME_FAKE_H
#define KOSHIN_SIM_ACME_FAKE_H
/*
 * The fake CA: a real HTTPS server for ACME (RFC 8555) with renewal information (RFC 9773), profiles, short lives, rate limits
 * as Let's Encrypt has them, and every fault that a client has to live with. It looks at challenges, DNS and CAA itself.
 * It is told what to do in lines of words (doc/fake-ca.md), at the start and, over plain HTTP on a second address, while
 * it runs; there it also shows its log, which knows of each request whether the client had been asked to wait longer.
 * For tests: its keys are worth nothing, and it forgets everything but them when it ends.
 */
#include <stdio.h>
#include "base/str.h"
#include "ports/clock/clock.h"

enum { FAKE_LISTEN_MAX = 8 };
struct fake_options {
	const char *listen[FAKE_LISTEN_MAX]; /* "127.0.0.1:14000"; port 0 takes a free one */
	size_t listen_n;
	const char *control; /* the same, for the control */
	const char *folder;  /* keys are kept here, tls-root.pem and roots.pem written; NULL: all in memory */
	struct str words;    /* settings, as lines */
	const char *words_file; /* their name, for messages */
	FILE *tells;	     /* addresses, and a line `ready`, are written here */
};
/* Runs until SIGTERM or SIGINT. Not OK: it could not begin, why says it. */
MUST_USE enum err fake_run(const struct fake_options *o, struct clock *clock, struct why *why);
#endif
