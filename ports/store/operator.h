#ifndef KOSHIN_PORTS_STORE_OPERATOR_H
#define KOSHIN_PORTS_STORE_OPERATOR_H
/*
 * The part of the store that is for the operator's pages and the status page. With a million sites each call takes a few milliseconds: it
 * reads counts that are kept beside the rows, or one index.
 */
#include "core/view.h"
#include "ports/store/store.h"

/* --- the overview --- */
struct store_overview {
	int64_t standing[SITE_STANDING_COUNT]; /* sites that are not removed */
	int64_t ended;			       /* hold a certificate that has ended */
	int64_t letters_waiting, letters_given_up, letters_bounced, questions_open, orders_open;
};
/* Certificates that are held and end in the hour that begins at `hour`. */
struct ending_row {
	struct when hour;
	int64_t n;
};
/* Findings of one cause that stand, with the one that has stood longest. */
struct cluster_row {
	enum cause cause;
	int64_t n;
	struct when since;
	struct str name, site; /* site: the name that its site goes by; empty if the site is removed */
};
MUST_USE enum err store_overview(struct store *s, struct when now, struct store_overview *ret);
/* Earliest first. */
MUST_USE enum err store_endings(struct store *s, struct arena *a, struct ending_row **ret, size_t *ret_n);
/* The largest first. */
MUST_USE enum err store_clusters(struct store *s, struct arena *a, struct cluster_row **ret, size_t *ret_n);

/* Letters that came back or were not taken, newest first, with an id below before_id (0: from the newest); the text is left empty. */
MUST_USE enum err store_letters_trouble(
    struct store *s, int64_t before_id, size_t max, struct arena *a, struct letter_row **ret, size_t *ret_n);
/* The name that a site goes by; empty for one that is not there. */
MUST_USE enum err store_listed_name(struct store *s, int64_t site_id, struct arena *a, struct str *ret);

/* --- the status page --- */
struct incident_row {
	int64_t id;
	enum cause cause;
	struct when began, ended; /* ended: WHEN_UNKNOWN while it lasts */
};
/* It stands; may be repeated. */
MUST_USE enum err store_incident_put(struct store *s, enum cause c, struct when now);
/* Those that were not put again at `now` are over. */
MUST_USE enum err store_incidents_end(struct store *s, struct when now);
/* Newest first, with an id below before_id (0: from the newest). */
MUST_USE enum err store_incidents(
    struct store *s, int64_t before_id, size_t max, struct arena *a, struct incident_row **ret, size_t *ret_n);
#endif
