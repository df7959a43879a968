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
 *
 * Where a wanted name has no address at all and its zone is the provider's own (policy.zones), our addresses are added, at the same
 * dates. The zone's server adds them only while the name has none (ports/dnsapi), so what a person has entered stays. Nothing waits for
 * the answer: one that is lost is no matter, since the name is looked at again and the addition repeated. One that is refused, or that
 * does not come, is a finding of its own (own.zone.unwritable) for the operator, with the date of the next try; it is over when the
 * address is there.
 */
#include "core/site_findings.h"

/* At a check, before what it found is taken over. */
void mend_forget(const struct step *st);
/* After a check. `was_applied`: all had been told to the server before; else it is being told anyway. */
void mend(const struct step *st, bool was_applied);
/* A person has asked, and has probably mended something: a deploy that failed, and an addition to a zone, wait for no back-off. */
void mend_asked(const struct step *st);
/* The server of a zone of ours has answered. */
void mend_record_told(const struct step *st);
/* A check has not seen that we were refused: does it stand all the same? For as long as the address is missing in a zone of ours. */
bool mend_is_refused_still(const struct step *st, const struct finding *old, const struct finding_list *seen);
/* Its records are ours to add. */
bool mend_is_zone_ours(const struct policy *p, struct str name);
/* Something stands that may be mended by reading again what is there already. */
bool mend_wants_reload(const struct site *s);
#endif
