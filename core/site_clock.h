#ifndef KOSHIN_CORE_SITE_CLOCK_H
#define KOSHIN_CORE_SITE_CLOCK_H
/*
 * The wall clock was set, and its new date is believed (core/skew): what was written by the clock of before is moved along,
 * so that a wait is neither cut short (a Retry-After, P6; the pause between two letters) nor drawn out (the next look, P2).
 * Dates that came from outside as dates, as those of a certificate, stay.
 *
 * Each site says by which clock its dates are (site.clock_s); the first step after the clock was set moves them. So nothing
 * has to be moved at once, and what was written before a wrong clock and not since comes back to where it was.
 */
#include "core/site.h"

/* All dates of ours are by the clock that was set so much in all; what was lies in the past, and what is to come not so far
 * ahead as it could never have been put. */
void site_set_clock(struct site *s, struct span clock, struct when now);
#endif
