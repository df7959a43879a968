#ifndef KOSHIN_CORE_OUTBOX_H
#define KOSHIN_CORE_OUTBOX_H
/*
 * A letter that the mail server has not taken: when it is tried again, and when it is given up. Refused for good (5xx), it is given up
 * at once; refused for now, it is tried ever more seldom, and given up after OUTBOX_GIVE_UP. What is given up, and what comes
 * back after it was taken, stands on the operator's page; the site's own page shows what the letter said all along.
 */
#include "base/err.h"
#include "base/when.h"

#define OUTBOX_GIVE_UP SPAN_D(5)
enum { OUTBOX_PAUSE_MOST_S = 21600 }; /* and up to a quarter more, so that thousands do not come back together */
/* The letter of this date was tried for the nth time (0: the first) and failed. WHEN_NEVER: it is given up. */
struct when outbox_next(struct when created, unsigned n, enum err err, const struct turn *t);
#endif
