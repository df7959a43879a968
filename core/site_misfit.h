#ifndef KOSHIN_CORE_SITE_MISFIT_H
#define KOSHIN_CORE_SITE_MISFIT_H
/*
 * A certificate whose stored key is of another one: it can never be put on the server, however often that is tried. What is live stays.
 *
 * One of a CA's is ordered anew, with a new key: at once, and where the new one does not fit either, after one day, two, four, and then
 * weekly: something of ours is broken then, and a CA would soon count those orders against the domain. The count is that of the finding
 * (mends, mended_at), which stands from certificate to certificate until one was put on the server. Nothing of it goes before a date of
 * the CA's own.
 *
 * For one that its owner brought nobody can order another: the owner is asked for the file with its key (own.certificate.key-missing).
 * Where free SSL may follow it, that takes its place at once.
 */
#include "core/site_findings.h"

/* The installer, or the keeper for it, has met this: by its `wanted` it is known which certificate it is about. */
void misfit_met(const struct step *st, struct finding *f);
/* Another certificate has come in. */
void misfit_followed(const struct step *st);
/* What is held is such a certificate of a CA's: when another is ordered in its place. WHEN_UNKNOWN: it is none. */
struct when misfit_renew_at(const struct site *s);
/* What is held is such a certificate of its owner's. */
bool misfit_is_own(const struct site *s);
#endif
