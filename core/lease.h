#ifndef KOSHIN_CORE_LEASE_H
#define KOSHIN_CORE_LEASE_H
/*
 * Which of several engines on one store acts: the one that holds the lease, a row with its holder, a fencing number that counts up with each
 * taking, and an end. Pure. The holder keeps it while it acts; another takes it when its end has come, or when its holder is
 * known to be dead. Nothing that was decided under one number is committed when the row has another (engine/lease.c): so a clock that is
 * wrong, or an engine that slept, costs time and never truth.
 *
 *                 free, ended, its holder dead, or unchanged for its length
 *      STANDS BY -----------------------------------------------------------> HOLDS --+ a third is over: kept
 *          ^                                                                   |      |
 *          +--- the row has another number: this engine ends, and begins anew -+ <----+
 *
 * The end in the row is an instant of the wall clock, which may jump: who waits takes the lease as well when the row has stood
 * unchanged for its whole length by a clock that does not. Who holds it goes by such a clock alone.
 */
#include "base/str.h"
#include "base/when.h"

/* The row. */
struct lease_row {
	struct str holder; /* empty: it is free */
	int64_t fence;	   /* counts up with each taking */
	int64_t ends_ms;   /* Unix time */
};
/* What one engine knows of it. */
struct lease {
	int64_t length_ms; /* 0: there are no others, and there is no lease */
	int64_t fence;	   /* under which it holds the lease; 0: it does not */
	struct mono until; /* by its own clock: it may act before */
	/* the row of another, as it was seen first, and when */
	int64_t seen_fence, seen_ends_ms;
	struct mono seen_at;
};
enum lease_do {
	LEASE_STAND_BY, /* another acts */
	LEASE_TAKE,	/* with the next number */
	LEASE_KEEP,	/* it is held, and its end is to be moved */
	LEASE_ACT,	/* it is held */
	LEASE_LOST,	/* another took it: nothing that is in memory counts any more */
};
/* Both clocks as they are now; is_dead: the row's holder is known to have ended. */
struct lease_now {
	int64_t wall_ms;
	struct mono mono;
	bool is_dead;
};
/* The answer for a row that was read in the transaction that acts on it. Notes what it sees of another's. */
enum lease_do lease_look(struct lease *l, const struct lease_row *row, const struct lease_now *now);
/* The row was written: it is held under this number, until its length is over. */
void lease_held(struct lease *l, int64_t fence, struct mono now);
/* May what was decided under it be done now? */
bool lease_may_act(const struct lease *l, struct mono now);
/* So long at most until lease_look() is to be asked again. */
int64_t lease_next_ms(const struct lease *l, struct mono now);
#endif
