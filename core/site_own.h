#ifndef KOSHIN_CORE_SITE_OWN_H
#define KOSHIN_CORE_SITE_OWN_H
/*
 * The owner's own certificate, through one step: it comes in by SITE_IMPORTED, goes the way of every certificate to the visitors,
 * is never renewed, and is followed by free SSL when its owner wants that, or has agreed to it for the last days.
 */
struct step;

/* It is held from now on; what was asked of a CA for the one before is over. */
void own_imported(const struct step *st);
/* Where its owner has agreed, and its last days have come or it cannot be used for its key (core/site_misfit): free SSL is the source.
 * What is served goes on being served until that is here (P3). */
void own_take_over(const struct step *st);
#endif
