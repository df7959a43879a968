#ifndef KOSHIN_CORE_SITE_MEND_H
#define KOSHIN_CORE_SITE_MEND_H
/*
 * What koshin mends by itself: what the server has to have (the certificate with its chain, the answer to challenges) is put there once
 * more, and its programs are told to read it again. Which causes that is for stands in core/cause.tbl. At once when such a cause is
 * first seen, then after 15 minutes, 30, an hour … a day: what a second try did not mend is a matter for the operator.
 */
#include "core/site_findings.h"

/* After a check. `was_applied`: all had been told to the server before; else it is being told anyway. */
void mend(const struct step *st, bool was_applied);
/* Something stands that may be mended by reading again what is there already. */
bool mend_wants_reload(const struct site *s);
#endif
