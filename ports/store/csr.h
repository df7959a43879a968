#ifndef KOSHIN_PORTS_STORE_CSR_H
#define KOSHIN_PORTS_STORE_CSR_H
/* Requests for certificates that owners buy elsewhere, each with its key, sealed. They wait a year (CSR_WAITS), then they end. */
#include "ports/store/store.h"

#define CSR_WAITS SPAN_D(366)
enum { KEY_ID_BYTES = 32 }; /* SHA-256 of the SubjectPublicKeyInfo */
struct csr_row {
	int64_t id, site_id;
	enum key_type key_type;
	struct str *names;
	size_t names_n;
	struct str csr_der, sealed_key, by;
	uint8_t key_id[KEY_ID_BYTES];
	struct when created;
	struct when answered; /* its certificate was taken; WHEN_UNKNOWN: it waits */
};
MUST_USE enum err store_csr_put(struct store *s, const struct csr_row *r, int64_t *ret_id);
/* Those that wait at this time, newest first, LIMIT_CSRS at most. */
MUST_USE enum err store_csrs_of(struct store *s, int64_t site_id, struct when now, struct arena *a, struct csr_row **ret, size_t *ret_n);
/* The one of this site whose key that is. NOT_FOUND. */
MUST_USE enum err store_csr_of_key(struct store *s, int64_t site_id, const uint8_t key_id[KEY_ID_BYTES], struct when now,
    struct arena *a, struct csr_row *ret);
MUST_USE enum err store_csr_answered(struct store *s, int64_t id, struct when now);
/* Together with its key. NOT_FOUND. */
MUST_USE enum err store_csr_drop(struct store *s, int64_t site_id, int64_t id);
/* Those whose year is over go, and their keys with them. */
MUST_USE enum err store_csrs_end(struct store *s, struct when now);
/* Chains of certificates that owners brought from this issuer (its words), the newest few. */
MUST_USE enum err store_own_chains(struct store *s, struct str issuer, struct arena *a, struct str **ret, size_t *ret_n);
#endif
