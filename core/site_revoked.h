#ifndef KOSHIN_CORE_SITE_REVOKED_H
#define KOSHIN_CORE_SITE_REVOKED_H
/*
 * A certificate that its owner gives up for good (core/revocation.h), through steps: our redirect lets go; when the server has taken that, nothing
 * is held any more, and with the same step the keys are destroyed and the CA is asked; last, the files leave the server.
 */
#include "core/site_findings.h"

/* What is under way is left; but a deploy is waited for, so that none comes behind the one that takes the files off. */
void revoked_begin(const struct step *st);
/* Our redirect has let go: nobody is led to what is about to be gone. */
bool revoked_is_due(const struct site *s);
/* P3 ends where its owner wants the certificate gone for good: nothing is held from here on, no key is left in the store, and what was said of
 * it is over. */
void revoked_destroy(const struct step *st);
#endif
