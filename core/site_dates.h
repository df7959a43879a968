#ifndef KOSHIN_CORE_SITE_DATES_H
#define KOSHIN_CORE_SITE_DATES_H
/* When a site is looked at again, and when anything can happen to it by itself: the dates of a step, derived from its facts. */
#include "core/site_findings.h"

/* How long a site may be in this state before the answer is taken as lost (core/doing.tbl). */
struct span dates_longest(enum doing doing);
/* The next look at everything: with the ordinary looks, or earlier where a finding has a date. */
struct when dates_next_look(const struct step *st);
/* A site that has moved away is looked at weekly (core/lifetime: daily near the end of its certificate), up to a tenth earlier so that those that left together spread. */
struct when dates_next_look_of_gone(const struct step *st);
/* A handshake is not a look at everything: the day counts from the last of those (P2). */
struct when dates_look_after_handshake(const struct step *st);
/* The next date on which anything can happen by itself. */
struct when dates_next_wake(const struct step *st);
#endif
