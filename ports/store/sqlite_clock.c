#include "ports/store/clock.h"
#include "ports/store/query.h"

/* No sum of dates leaves the range of a column of microseconds. */
enum { BY_MOST_D = 366 * 1000 };

static int64_t
within(struct span by)
{
	const struct span most = SPAN_D(BY_MOST_D);

	return by.s > most.s ? most.s : by.s < -most.s ? -most.s : by.s;
}

enum err
store_clock(struct store *s, struct store_clock *ret)
{
	AUTO_QUERY q = query_start(s, SQL_CLOCK, NULL);
	struct store_clock clock = { .is_moving = false };

	if (query_row(&q)) {
		clock.set.s = query_int(&q, "set_s", INT64_MIN, INT64_MAX);
		clock.is_moving = query_bool(&q, "is_moving");
	}
	enum err e = query_finish(&q);
	if (e == ERR_OK)
		*ret = clock;
	return e;
}

static enum err
move(struct store *s, enum sql id, const char *name, int64_t by)
{
	AUTO_QUERY q = query_start(s, id, NULL);

	query_bind_int(&q, name, by);
	return query_write(&q);
}

enum err
store_clock_set(struct store *s, struct span set, struct span by)
{
	int64_t by_s = within(by);
	enum err e = move(s, SQL_CLOCK_SET, "set_s", set.s);

	if (e == ERR_OK)
		e = move(s, SQL_CLOCK_MOVE_LETTERS, "by_s", by_s);
	if (e == ERR_OK)
		e = move(s, SQL_CLOCK_MOVE_ORDERS, "by_s", by_s);
	if (e == ERR_OK)
		e = move(s, SQL_CLOCK_MOVE_TOKENS, "by_s", by_s);
	if (e == ERR_OK)
		e = move(s, SQL_CLOCK_MOVE_REVOCATIONS, "by_s", by_s);
	return e != ERR_OK ? e : move(s, SQL_CLOCK_MOVE_BUDGETS, "by_us", by_s * 1000000);
}

enum err
store_clock_sites(struct store *s, struct span set, int64_t after_id, int64_t *ret, size_t max, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_CLOCK_SITES_LEFT, NULL);

	query_bind_int(&q, "set_s", set.s);
	query_bind_int(&q, "after_id", after_id);
	query_bind_int(&q, "max", (int64_t)max);
	for (*ret_n = 0; query_row(&q); (*ret_n)++)
		ret[*ret_n] = query_id(&q, "id");
	return query_finish(&q);
}

enum err
store_clock_settled(struct store *s)
{
	AUTO_QUERY q = query_start(s, SQL_CLOCK_SETTLED, NULL);

	return query_write(&q);
}

enum err
store_clock_move_renewal(struct store *s, int64_t site_id, struct span by)
{
	AUTO_QUERY q = query_start(s, SQL_CLOCK_MOVE_RENEWAL, NULL);

	query_bind_int(&q, "by_s", within(by));
	query_bind_int(&q, "site_id", site_id);
	return query_write(&q);
}
