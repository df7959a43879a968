#ifndef KOSHIN_HTTP_LOOK_H
#define KOSHIN_HTTP_LOOK_H
/*
 * One look at one name that a person asked for: what of the store belongs to it, what is to be probed, and what is said of it. The command
 * (koshin check) and the API (POST /checks) both look through this, so that they say the same. Nothing is changed by it.
 *
 * A name in a site is looked at with all names of its site, by the facts of the site; whether the asker may see that site is the caller's
 * to say, and a name of somebody else's site is looked at like one that nobody has.
 */
#include <jansson.h>
#include "base/limits.h"
#include "ports/clock/clock.h"
#include "ports/config/config.h"
#include "ports/probe/probe.h"
#include "ports/store/store.h"

struct look {
	const struct config *config;
	struct arena *a;
	struct str name;     /* ASCII */
	struct str reported; /* what one visitor's device said of it; empty without a report */
	bool is_discreet; /* an owner asks: of a certificate at a server of ours, names of other domains are not told */
	struct ca_row ca;
	struct site site;
	bool is_site;
	struct finding_list findings;
	struct str addresses[LIMIT_ADDRESSES];
};
/* The account whose answers are looked for, and the site (0: none). The store may be one that can only be read. What cannot be read is left out:
 * without an account the challenge path is not tried. */
void look_read(struct look *k, struct store *store, int64_t site_id);
/* What is to be probed. Its strings live in the arena; false without memory. */
bool look_plan(struct look *k, struct probe_job *ret);
/* Judges what was seen; the document, or NULL without memory. k->findings are set. */
json_t *look_document(struct look *k, struct evidence *e);
/* One answer that has come in (probe_told), so many ms after the beginning; NULL without memory. */
json_t *look_step(const struct probe_news *news, int64_t ms, struct arena *a);
#endif
