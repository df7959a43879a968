#ifndef KOSHIN_CORE_SITE_MEMORY_H
#define KOSHIN_CORE_SITE_MEMORY_H
/* What a site's checks saw is kept for the next ones: core/memory. */
#include "core/site_findings.h"

/* After a check of everything, with its findings in place. */
void site_remember(const struct step *st);
#endif
