#ifndef KOSHIN_BASE_WHEN_H
#define KOSHIN_BASE_WHEN_H
/*
 * Dates and lengths of time. Two struct types, so that the compiler refuses to mix them. All arithmetic
 * saturates: a date is never wrapped into the past. Wall time is for what people see; struct mono is for
 * timeouts only and has no meaning across processes.
 */
#include <stdbool.h>
#include <stdint.h>

struct when {
	int64_t s; /* seconds since 1970-01-01T00:00:00Z */
};
struct span {
	int64_t s; /* seconds */
};
struct mono {
	int64_t ms; /* milliseconds of the monotonic clock */
};

/* Read once for each turn, at the edge of the program: the time, and 32 random bits for jitter. */
struct turn {
	struct when now;
	uint32_t roll;
};

#define WHEN_NEVER ((struct when){ INT64_MAX })
#define WHEN_UNKNOWN ((struct when){ INT64_MIN })
#define SPAN_S(n) ((struct span){ (n) })
#define SPAN_MIN(n) ((struct span){ (int64_t)(n) * 60 })
#define SPAN_H(n) ((struct span){ (int64_t)(n) * 3600 })
#define SPAN_D(n) ((struct span){ (int64_t)(n) * 86400 })

/* In the header, because a fleet asks these questions a million times a second. */
static inline int64_t
when_add(int64_t a, int64_t b) /* saturates beside the two special values */
{
	int64_t sum;

	if (!__builtin_add_overflow(a, b, &sum) && sum > INT64_MIN && sum < INT64_MAX)
		return sum;
	return b > 0 ? INT64_MAX - 1 : INT64_MIN + 1;
}
/* Neither NEVER nor UNKNOWN. */
static inline bool
when_is_known(struct when w)
{
	return w.s != INT64_MAX && w.s != INT64_MIN;
}
static inline struct when
when_plus(struct when w, struct span s)
{
	return when_is_known(w) ? (struct when){ when_add(w.s, s.s) } : w;
}
static inline struct when
when_minus(struct when w, struct span s)
{
	return when_is_known(w) ? (struct when){ when_add(w.s, s.s == INT64_MIN ? INT64_MAX : -s.s) } : w;
}
/* to - from; saturates. */
static inline struct span
when_between(struct when from, struct when to)
{
	int64_t d;

	if (!__builtin_sub_overflow(to.s, from.s, &d))
		return (struct span){ d };
	return (struct span){ to.s > from.s ? INT64_MAX : INT64_MIN + 1 };
}
static inline bool
when_before(struct when a, struct when b)
{
	return a.s < b.s;
}
static inline struct when
when_min(struct when a, struct when b)
{
	return a.s < b.s ? a : b;
}
static inline struct when
when_max(struct when a, struct when b)
{
	return a.s > b.s ? a : b;
}
/* s * num / den, without overflow for any life of a certificate; den > 0. */
static inline struct span
span_part(struct span s, int32_t num, int32_t den)
{
	int64_t whole = s.s / den, rest = s.s % den, head;

	if (__builtin_mul_overflow(whole, (int64_t)num, &head))
		return (struct span){ INT64_MAX };
	return (struct span){ when_add(head, rest * num / den) };
}
struct span span_min(struct span a, struct span b);
struct span span_max(struct span a, struct span b);

/* Civil UTC time. Years 1 to 9999. */
struct civil {
	int year, month, day, hour, minute, second, weekday; /* month 1-12, weekday 0 = Sunday */
};
struct civil when_civil(struct when w);
/* WHEN_UNKNOWN when a field is out of range. */
struct when when_of_civil(const struct civil *c);
#endif
