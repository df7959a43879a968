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

struct when when_plus(struct when w, struct span s);
struct when when_minus(struct when w, struct span s);
/* to - from; saturates. */
struct span when_between(struct when from, struct when to);
bool when_before(struct when a, struct when b);
bool when_is_known(struct when w); /* neither NEVER nor UNKNOWN */
struct when when_min(struct when a, struct when b);
struct when when_max(struct when a, struct when b);
/* s * num / den, without overflow for any life of a certificate; den > 0. */
struct span span_part(struct span s, int32_t num, int32_t den);
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
