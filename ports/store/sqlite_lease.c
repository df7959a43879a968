#include "ports/store/lease.h"
#include "ports/store/query.h"

enum err
store_lease(struct store *s, struct arena *a, struct lease_row *ret)
{
	AUTO_QUERY q = query_start(s, SQL_LEASE, a);
	struct lease_row row = { STR_NONE, 0, 0 };
	bool is_there = query_row(&q);

	if (is_there) {
		row.holder = query_text(&q, "holder");
		row.fence = query_int(&q, "fence", 0, INT64_MAX);
		row.ends_ms = query_int(&q, "ends_ms", INT64_MIN, INT64_MAX);
	}
	enum err e = query_found(s, query_finish(&q), is_there, "row for a lease");
	if (e == ERR_OK)
		*ret = row;
	return e;
}

/* Of another number: somebody else took it. */
static enum err
written(struct store *s, struct query *q)
{
	enum err e = query_write_one(q, "lease of this number");

	return e == ERR_NOT_FOUND ? query_fail(s, ERR_CONFLICT, "the lease was taken by another engine") : e;
}

enum err
store_lease_take(struct store *s, struct str holder, int64_t fence, int64_t ends_ms, int64_t *ret_fence)
{
	AUTO_QUERY q = query_start(s, SQL_LEASE_TAKE, NULL);

	query_bind_text(&q, "holder", holder);
	query_bind_int(&q, "ends_ms", ends_ms);
	query_bind_int(&q, "fence", fence);
	enum err e = written(s, &q);
	if (e == ERR_OK)
		*ret_fence = fence + 1;
	return e;
}

enum err
store_lease_keep(struct store *s, int64_t fence, int64_t ends_ms)
{
	AUTO_QUERY q = query_start(s, SQL_LEASE_KEEP, NULL);

	query_bind_int(&q, "ends_ms", ends_ms);
	query_bind_int(&q, "fence", fence);
	return written(s, &q);
}

enum err
store_lease_give(struct store *s, int64_t fence)
{
	AUTO_QUERY q = query_start(s, SQL_LEASE_GIVE, NULL);

	query_bind_int(&q, "fence", fence);
	return written(s, &q);
}
