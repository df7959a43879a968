#ifndef KOSHIN_CORE_LIFETIME_H
#define KOSHIN_CORE_LIFETIME_H
/*
 * Dates as fractions of a certificate's own life, in one table, so that lives of 10 minutes and of 90 days
 * work alike. Everything that has to do with "how long before the end" asks here.
 */
#include "base/when.h"

struct life {
	struct when from, to; /* notBefore, notAfter */
};
struct span life_length(struct life l);
struct span life_left(struct life l, struct when now); /* negative after the end */
/* How long after its beginning a certificate of this length is renewed, without jitter. */
struct span life_renew_after(struct span length);
/* When to renew without renewal information: 2/3 used (1/2 if the life is under 10 days), with jitter of up to
 * 1/60 of the life to either side, from roll (32 random bits). */
struct when life_renew_at(struct life l, uint32_t roll);
/* The same for one of a big first fill: anywhere from half of that time on, so that ten thousand sites that came in one
 * night do not renew in one night for ever after (Let's Encrypt's integration guide: a slice of the first fill each day). */
struct when life_renew_first_at(struct life l, uint32_t roll);
struct when life_reduce_at(struct life l);  /* 1/4 left: go on without a failing name, try another CA */
struct when life_anyway_at(struct life l);  /* 1/6 left: order even against a failing check */
struct when life_support_at(struct life l); /* 1/30 left */
/* Reminders: 14, 7, 3, 1 days before the end, or the same fractions of 45 days for a shorter life. n < LIFE_REMINDERS. */
enum { LIFE_REMINDERS = 4 };
struct when life_reminder_at(struct life l, unsigned n);
/* An own certificate, which is not renewed by itself: its owner is told from 30 days before the end on (a third of a life under 90
 * days), and free SSL takes over at 3 days, where it may. */
struct when life_own_warn_at(struct life l);
struct when life_takeover_at(struct life l);
/* The shortest time between two letters of one story: a day, scaled below lives of 6 days. */
struct span life_letter_gap(struct life l);
/* The longest time without a look at a healthy site: `most`, or a tenth of a shorter life. */
struct span life_look_every(struct life l, struct span most);
/* DNS has led elsewhere for so long that the name has moved away: 30 days, the same part of 45 days for a shorter life;
 * and how often it is looked at then: weekly, scaled alike; daily in the last quarter of what is held, so that one that came back
 * in time is renewed in time. The span is the one until the next look, where `now` is the last. */
#define LIFE_MOVED_AFTER SPAN_D(30)
#define LIFE_MOVED_LOOK SPAN_D(7)
struct span life_moved_after(struct life l);
struct span life_moved_look(struct life l, struct when now);
/* HSTS may promise this much, and is withdrawn when less is left: 1/6 of the life. */
struct span life_hsts_age(struct life l);
#endif
