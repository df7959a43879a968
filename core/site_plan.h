#ifndef KOSHIN_CORE_SITE_PLAN_H
#define KOSHIN_CORE_SITE_PLAN_H
/*
 * Questions about a site that the steps and the views ask alike. Pure functions of facts and time; they
 * change nothing.
 */
#include "core/site.h"

/* Free SSL is wanted: only then anything is ordered. */
bool plan_wants(const struct site *s);
/* Its owner's own certificate is in use, and no order is wanted. */
bool plan_is_own(const struct site *s);
/* No finding that blocks an order stands for this name, and a check has passed it. The CA's own refusal blocks until
 * its next look only; it stays in the list until an order for the name goes well. */
bool plan_passes(const struct site *s, const struct site_name *n, struct when now);
/* It names, as what was wanted, the certificate that is held (by its fingerprint). */
bool plan_is_of_held(const struct site *s, const struct finding *f);
/* It has left for another company's server: nothing is ordered for it, and no renewal waits for it. */
bool plan_is_moved(const struct site *s, const struct site_name *n);
/* The site's own of this name; NULL: none. It is looked for at `near` first: evidence has the order of the site, mostly. */
struct site_name *plan_name_of(const struct site *s, size_t near, struct str name);
/* A web server has just been reloaded for it: until deploy_at a worker of before may answer. */
bool plan_is_settling(const struct site *s, struct when now);
/* All of its wanted names have: the site is looked at in DNS alone. */
bool plan_is_gone(const struct site *s);
/* A finding about one of the site's names stands for that name alone; any other stands for all of them. */
bool plan_is_about(const struct site *s, const struct finding *f, const struct site_name *n);
/* Of an order's failure: is it about one name? Else the order, the CA or we are at fault, and no name is better off alone. */
bool plan_blames_name(enum cause c);
/* What stands against a name may lie where vantage points can look and we cannot: the CA said it, or they did. A site that is well, or whose
 * fault is seen from here, costs them nothing. */
bool plan_wants_views(const struct site *s);
/* Only vantage points, or the CA, can have seen it. */
bool plan_is_from_afar(enum cause c);
/* The CA's word that it could not come in at all. */
bool plan_is_kept_out(enum cause c);
/* The CA itself has refused this name, and its word still stands: it is not asked again, whatever the hurry (P6). */
bool plan_is_refused(const struct site *s, const struct site_name *n, struct when now);
/* Is a new certificate wanted now, whether or not it can be had? */
bool plan_order_is_due(const struct site *s, struct when now);
/* The same for who has asked site_renew_at() already. */
bool plan_order_is_due_by(const struct site *s, struct when now, struct when renew_at);
/* The names to order now (promise P5); 0 while waiting is better. ret has room for names_n. */
size_t plan_order_names(const struct site *s, struct when now, struct str *ret);
/* The earliest date from which an order may be made, by back-off and by the CA's word; past or unknown: now. */
struct when plan_order_not_before(const struct site *s, const struct policy *p);
/* The lane of the site's order, whenever it is made. */
enum lane plan_lane(const struct site *s, struct when at);
/* Can an order be made from this date on by the passing of time alone, or is the site's first check due? Then it waits in its
 * lane for a place. */
bool plan_waits_in_lane(const struct site *s, struct when at);
/* Would that order be one that draws from what all sites share? A first check does not, nor a renewal of the same names. */
bool plan_draws(const struct site *s, struct when at);
struct when plan_late_at(const struct site *s); /* lane_expiring_at */
/* Digest of all that the server has to be told; compared with site.applied. Never 0. */
uint64_t plan_digest(const struct site *s, struct when now);
/* The back-off before try n (1: the first repetition) of something of ours: doubles from least to most. */
struct span plan_backoff(unsigned n, struct span least, struct span most);
/* The wait after the nth failed order in a row: 1, 10, 100 minutes, then daily, and denser towards the end of the
 * life. Let's Encrypt's own advice: in its steady state it never leads to a paused account. */
struct span plan_order_backoff(const struct site *s, unsigned failures, const struct turn *t);
#endif
