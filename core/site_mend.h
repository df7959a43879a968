#ifndef KOSHIN_CORE_SITE_MEND_H
#define KOSHIN_CORE_SITE_MEND_H
/*
 * What koshin mends by itself: what the server has to have (the certificate with its chain, the answer to challenges) is put there once
 * more, and its programs are told to read it again. Which causes that is for stands in core/cause.tbl. At once when such a cause is
 * first seen, then after 15 minutes, 30, an hour … a day: what a second try did not mend is a matter for the operator.
 *
 * Where another hand has put its own certificate in the place of ours, ours goes back in the same way, and no order is spent. The
 * finding is over as soon as ours is seen, so the count is the site's (put_backs): whoever replaces it every hour does not get a reload
 * every hour. It is forgotten when ours was left alone for two days.
 */
#include "core/site_findings.h"

/* At a check, before what it found is taken over. */
void mend_forget(const struct step *st);
/* After a check. `was_applied`: all had been told to the server before; else it is being told anyway. */
void mend(const struct step *st, bool was_applied);
/* Something stands that may be mended by reading again what is there already. */
bool mend_wants_reload(const struct site *s);
#endif
