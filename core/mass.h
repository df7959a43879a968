#ifndef KOSHIN_CORE_MASS_H
#define KOSHIN_CORE_MASS_H
/*
 * Ten thousand owners on the day after an outage: the same cause on many unrelated sites within a day is no fault of
 * theirs. Pure. While it lasts no owner is written to about it, and the operator is told once (own.fleet.failing, or
 * dns.provider.down where it is DNS that fails and our own resolver works).
 *
 * It is derived anew from the findings that stand, and remembers nothing: a burst of first sightings whose findings are
 * still open. What is left over when most are mended is told to its owners as usual.
 */
#include "core/cause.h"

enum {
	MASS_BUCKET_S = 86400,	   /* first sightings of one day are one burst: a site that is well is looked at daily */
	MASS_KEPT_S = 7 * 86400,  /* bursts of before are nobody's news any more */
	MASS_LEAST = 20,	   /* owners; more in a large fleet, where some such thing happens every hour */
};
/* Findings of one cause that stand and were first seen in one bucket, counted by owner. */
struct mass_burst {
	enum cause cause;
	int64_t owners;
};
struct mass {
	bool is_mass[CAUSE_COUNT];
	/* The largest of those that are ours, and of those of DNS; CAUSE_NONE without one. */
	struct mass_burst ours, dns;
};
/* How many owners make a burst, in an installation of so many sites. */
int64_t mass_threshold(int64_t sites);
void mass_judge(const struct mass_burst *bursts, size_t n, int64_t sites, struct mass *ret);
#endif
