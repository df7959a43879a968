#ifndef KOSHIN_CORE_VIEW_H
#define KOSHIN_CORE_VIEW_H
/*
 * What is said about a site: derived from what its server hands out, its findings and the time, by this one
 * function; command, letter, API and panel all call it (promise P1). Order of precedence: the first that fits.
 */
#include "core/site.h"

enum site_state {
	SITE_STATE_EXPIRED, SITE_STATE_BROKEN, SITE_STATE_ISSUING, SITE_STATE_ACT, SITE_STATE_OURS,
	SITE_STATE_PARTIAL, SITE_STATE_OWN_ENDS, SITE_STATE_MOVED, SITE_STATE_OK, SITE_STATE_OFF, SITE_STATE_COUNT
};
const char *site_state_name(enum site_state s); /* "expired" … "off" */
struct view {
	enum site_state state;
	bool warns_everywhere;	/* broken: on all of its names, not on some */
	struct when until;	/* visitors are safe until; WHEN_UNKNOWN when they are not safe now */
	struct when since;	/* visitors see a warning since; WHEN_UNKNOWN when they do not */
	const struct finding *cause; /* the one that matters; NULL when all is well */
	enum actor acts;	/* NOBODY when all is well */
	const struct revoke *revocation; /* off: because its certificate was given up for good; NULL: it was not */
	struct when next_look;
	struct when next_renewal; /* WHEN_UNKNOWN without a certificate */
	struct when issuer_ill_since; /* issuing: what keeps it waiting; WHEN_UNKNOWN: nothing (view_awaits_issuer) */
};
/* The word of what the page begins with: the state's, or a sharper one where visitors have no lock, or will not have it for long. */
const char *view_headline(const struct site *s, const struct view *v);
/* The word of the pill beside its name. */
const char *view_pill(const struct view *v);
struct view view_of(const struct site *s, struct when now);
/*
 * The CA that a site is with is ill since then and asked again at `next`: says it of one that waits for its first certificate. A site whose own
 * order has failed there has a cause instead.
 */
void view_awaits_issuer(struct view *v, const struct site *s, struct when ill_since, struct when next);
/* What the lists of sites are filtered by: a function of facts alone, no dates, so that it can be stored beside them. */
enum site_standing {
	SITE_STANDING_OWNER,	/* the owner must act */
	SITE_STANDING_PROGRESS, /* a certificate is on its way, or the first one is waited for */
	SITE_STANDING_FINE,	/* nobody must act, or we must */
	SITE_STANDING_COUNT
};
enum site_standing site_standing(const struct site *s);
const char *site_standing_name(enum site_standing s); /* "owner", "progress", "fine" */
bool site_standing_of_name(struct str s, enum site_standing *ret);
/*
 * Dates after which somebody has to look at a site, whoever acts: functions of facts alone, so that they can be stored beside them and
 * asked for at any time. Each is WHEN_UNKNOWN where there is none.
 */
struct site_urgent {
	struct when warned_from; /* the state is expired or broken from then on, until something new is served */
	struct when late_from;	 /* it ought to be renewed by then: a thirtieth of the life is left (3 of 90 days), or visitors are warned */
};
struct site_urgent site_urgent(const struct site *s);
/* What visitors of one name get: a lock, a warning, or a page that does not open. */
enum visitors { VISITORS_LOCK, VISITORS_WARNING, VISITORS_PLAIN, VISITORS_NOTHING, VISITORS_UNKNOWN };
enum visitors view_visitors(const struct site *s, const struct site_name *n, struct when now);
const char *visitors_name(enum visitors v);
#endif
