#ifndef KOSHIN_CORE_SITE_FINDINGS_H
#define KOSHIN_CORE_SITE_FINDINGS_H
/*
 * The list of a site's open findings, through one step: what was seen is put beside what stood, first dates and told
 * letters are kept, news and endings go to the history. Three kinds of witness, each with its own end: a check's
 * finding ends when a check no longer sees it, an order's or the installer's when that goes well, a handshake's when a
 * handshake shows the right certificate.
 */
#include "core/site.h"

/* What one step works on; saves every function of the step from five parameters. */
struct step {
	struct site *s;
	const struct site_event *ev;
	const struct turn *t;
	const struct policy *p;
	struct arena *a;
	struct site_effects *out;
	bool is_quiet;	    /* the event's evidence shows nothing wrong (classify_is_quiet) */
	bool is_deploy_due; /* as decide() found it */
	struct policy *own; /* p itself, for the one that may change the CA */
};
/* Appends one line of history; f may be NULL. */
void step_history(const struct step *st, enum history_kind kind, const struct finding *f);

struct finding *findings_find(struct finding_list *l, enum cause c, struct str subject);
/* Of any of its names? */
bool findings_has(const struct site *s, enum cause c);
/* Is it seen by a handshake alone? */
bool findings_by_handshake(enum cause c);
/* Visitors were given something else than the certificate that had been proven. */
bool findings_is_replacement(enum cause c);
/* Findings of an order or of the installer. */
void findings_add(const struct step *st, const struct finding *at, size_t n);
/* Could nothing be seen of this name from here, because of something of ours? */
bool findings_is_hidden(const struct finding_list *seen, struct str name);
/* Did DNS say anything about the addresses of this name? */
bool findings_is_answered(const struct name_evidence *n);
/* The failure of an order as it is known already: while it is known that the CA alone is kept out, that it could not come in is no news. */
struct finding findings_as_known(const struct step *st, const struct finding *failure);
/* Those of this cause were seen again, and are looked at next on this date. */
void findings_put_off(const struct step *st, enum cause c, struct when next_look);
/* Takes over what classify() finds in the event's evidence. */
void findings_merge(const struct step *st, bool is_handshake_only);

typedef bool finding_test(const struct step *st, const struct finding *f);
void findings_drop(const struct step *st, finding_test *is_meant);
finding_test finding_of_deploy, finding_of_pause, finding_of_installer, finding_of_own_end, finding_of_given_up, finding_of_earlier_order;
/* An order went well: what the CA had said of its names is over. */
void findings_drop_ordered(const struct step *st);
#endif
