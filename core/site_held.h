#ifndef KOSHIN_CORE_SITE_HELD_H
#define KOSHIN_CORE_SITE_HELD_H
/* What follows for the facts of a site from a certificate that has come, whoever issued it. */
#include "core/site_findings.h"

/* It is held from now on and deployed next; what was said of the one before, and waits that its orders met, are over. */
void site_hold(const struct step *st, const struct held *held);
#endif
