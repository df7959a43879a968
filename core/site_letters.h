#ifndef KOSHIN_CORE_SITE_LETTERS_H
#define KOSHIN_CORE_SITE_LETTERS_H
/*
 * Which letter an owner gets, and when: one story at a time, never two letters a day, never while the fault is
 * ours or the CA's, and an end to each story.
 */
#include "core/site.h"

struct step;
/* Appends at most one letter of the story (and the draft's own), and keeps the story's fields. */
void site_letters(struct site *s, const struct turn *t, const struct policy *p, struct arena *a, struct site_effects *out);
/* The next date on which a letter can be due by the passing of time alone; WHEN_NEVER if there is none. */
struct when site_letters_next(const struct site *s, const struct policy *p, struct when now);
/* The finding that the owner has to act on, NULL without one. */
const struct finding *site_owner_finding(const struct site *s);
/* Appends an effect; NULL only for a line of history that has no room. */
struct site_effect *site_effect_put(struct site_effects *out, enum site_effect_kind kind);
/* The end of the certificate goes into the history once, whoever is at fault; the count of reminders remembers it. */
void site_letters_note_end(const struct step *st);
#endif
