#ifndef KOSHIN_CORE_CALENDAR_H
#define KOSHIN_CORE_CALENDAR_H
/*
 * How long the certificates of one CA and profile live now, and since when. CAs shorten lives on a day: from 90 days to 64, to
 * 45, to 6. Without a plan the certificates of before are renewed at their own old pace while those of after come round at the
 * new one already, and for weeks both are due together. So what is left of an old certificate's time is shortened in the
 * proportion of the two calendars, from the day of the change: the rate of orders goes to its new height at once and stays
 * there. Pure; the facts are stored with the CA.
 */
#include "core/lifetime.h"

struct calendar {
	struct span life;      /* of the certificates that are issued now; 0: none yet */
	struct when since;     /* the first of them */
	struct span next_life; /* another length that has been seen, not yet often enough to be believed */
	struct when next_since;
	unsigned next_seen;
};
/* A certificate was issued. True if a fact changed. One odd certificate changes nothing. */
bool calendar_note(struct calendar *c, struct life l, struct when now);
/* The date `at`, at which a certificate of this life would be renewed by itself, brought forward if lives became shorter since
 * it was issued; never put off. */
struct when calendar_pull(const struct calendar *c, struct life l, struct when at);
#endif
