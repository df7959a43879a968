#include "ports/clock/clock.h"
#include <errno.h>
#include <sys/random.h>
#include <time.h>
#include "base/must.h"

static struct span real_offset;

static struct when
real_now(void *ctx)
{
	const struct span *offset = ctx;
	struct timespec ts;

	must(clock_gettime(CLOCK_REALTIME, &ts) == 0);
	return when_plus((struct when){ ts.tv_sec }, *offset);
}

static struct mono
real_mono(void *ctx)
{
	struct timespec ts;

	(void)ctx; /* the monotonic clock has no offset */
	must(clock_gettime(CLOCK_MONOTONIC, &ts) == 0);
	return (struct mono){ (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 };
}

static void
real_random(void *ctx, void *ret, size_t n)
{
	char *p = ret;

	(void)ctx;
	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);

		must(got > 0 || errno == EINTR);
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
}

struct clock
clock_real(struct span offset)
{
	real_offset = offset;
	return (struct clock){ &real_offset, real_now, real_mono, real_random };
}

struct when
clock_now(const struct clock *c)
{
	return c->now(c->ctx);
}

struct mono
clock_mono(const struct clock *c)
{
	return c->mono(c->ctx);
}

uint32_t
clock_roll(const struct clock *c)
{
	uint32_t roll;

	c->random(c->ctx, &roll, sizeof roll);
	return roll;
}

struct turn
clock_turn(const struct clock *c)
{
	return (struct turn){ clock_now(c), clock_roll(c) };
}
