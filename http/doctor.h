#ifndef KOSHIN_HTTP_DOCTOR_H
#define KOSHIN_HTTP_DOCTOR_H
/*
 * The promises P1 to P8 (doc/architecture), checked on a real store: for `koshin doctor`, which needs no daemon, and for the
 * API. One English line for each promise that is broken; none when all hold.
 */
#include <jansson.h>
#include "ports/config/config.h"
#include "ports/store/store.h"

struct doctor_subject {
	struct store *store;
	const struct config *config;
	struct when now;
	/* Does this private key, sealed, belong to the chain? NULL: nobody here can tell. OK, MISMATCH, or an error. */
	enum err (*key_fits)(void *arg, struct str sealed_key, struct str chain_pem);
	void *arg;
};
MUST_USE enum err doctor_examine(
    const struct doctor_subject *d, struct arena *a, struct buf *lines, size_t *ret_sites);
/* {"ok", "sites", "broken": [lines]} */
json_t *doctor_document(struct str lines, size_t sites);

/* The watchdog's open alarms, a line each, "alarm: NAME since DATE: words"; needs no store. With is_young, that it looks at all. */
void doctor_alarms(const struct config *config, struct when now, bool is_young, struct buf *lines);

/* Files of an installation. Strings in a. */
struct str doctor_store_file(const struct config *config, struct arena *a);
struct str doctor_master_key_file(const struct config *config, struct arena *a);
#endif
