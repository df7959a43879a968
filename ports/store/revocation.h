#ifndef KOSHIN_PORTS_STORE_REVOCATION_H
#define KOSHIN_PORTS_STORE_REVOCATION_H
/* Certificates that were given up for good (core/revocation): asked for by the web process, destroyed and revoked by the engine. */
#include "core/revocation.h"
#include "ports/store/store.h"

/* The certificate that the site holds is to go. Asked again: nothing changes. */
MUST_USE enum err store_revocation_put(struct store *s, const struct site *site, enum revoke_reason reason, struct str by, struct when now);
/* Within a transaction. No key of the site's certificates up to the newest one is in the store from here on, and those of our CAs that live are due to be revoked. */
MUST_USE enum err store_revocation_destroy(struct store *s, int64_t site_id, int64_t newest_id, struct when now);
/* Of the newest; NOT_FOUND. */
MUST_USE enum err store_revocation_load(struct store *s, int64_t site_id, struct arena *a, struct revoke *ret);
struct revocation_row {
	int64_t certificate_id, site_id;
	enum revoke_reason reason;
	unsigned tries;
	struct str chain_pem; /* not written */
	struct when next_try, revoked_at; /* written only */
	struct str error;
};
/* At this CA, earliest first. */
MUST_USE enum err store_revocations_due(
    struct store *s, int64_t ca_id, struct when now, size_t max, struct arena *a, struct revocation_row **ret, size_t *ret_n);
/* NOT_FOUND: it is not waited for any more. */
MUST_USE enum err store_revocation_find(struct store *s, int64_t certificate_id, struct arena *a, struct revocation_row *ret);
MUST_USE enum err store_revocation_save(struct store *s, const struct revocation_row *r);
/* The earliest at this CA; WHEN_NEVER without one. */
MUST_USE enum err store_revocations_next(struct store *s, int64_t ca_id, struct when now, struct when *ret);
/* How many of the site still wait for their CA. */
MUST_USE enum err store_revocations_waiting(struct store *s, int64_t site_id, int64_t *ret);
/* The log is emptied, so that what was overwritten is nowhere. BUSY: somebody reads just now. Outside of a transaction. */
MUST_USE enum err store_empty_log(struct store *s);
#endif
