#ifndef KOSHIN_PORTS_STORE_LEASE_H
#define KOSHIN_PORTS_STORE_LEASE_H
/* The lease of the engine that acts (core/lease). Read and written in the transaction that it is for: what reads it there has the
 * number to the end of it. CONFLICT: the row has another number. */
#include "core/lease.h"
#include "ports/store/store.h"

MUST_USE enum err store_lease(struct store *s, struct arena *a, struct lease_row *ret);
/* With the next number, *ret_fence; fence: that of the row, as it was read. */
MUST_USE enum err store_lease_take(struct store *s, struct str holder, int64_t fence, int64_t ends_ms, int64_t *ret_fence);
MUST_USE enum err store_lease_keep(struct store *s, int64_t fence, int64_t ends_ms);
/* It is free at once. */
MUST_USE enum err store_lease_give(struct store *s, int64_t fence);
#endif
