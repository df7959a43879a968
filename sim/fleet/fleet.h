#ifndef KOSHIN_SIM_FLEET_FLEET_H
#define KOSHIN_SIM_FLEET_FLEET_H
/*
 * Fleets: thousands to millions of sites, years in seconds. koshin's own decisions (core/site, core/order, core/classify)
 * run against a world that is made from one seed: owners who break and mend their DNS, web servers, companies that host
 * DNS, CAs with limits and outages, and an engine that dies between any two steps. The promises are watched after every step
 * (sim/fleet/watch.c); the first one that is broken ends the run, with the last steps that led to it.
 *
 * Beside the decisions there is no part of the real engine in here: no store, no ports. sim/world.h has those, for few sites.
 */
#include "base/str.h"
#include "base/when.h"
#include "core/cause.h"
#include "core/site.h"

enum {
	FLEET_CALENDAR_MAX = 8,
	FLEET_OUTAGES_MAX = 16,
	FLEET_SITES_MAX = 10000000, /* the largest host that DESIGN speaks of */
	FLEET_EXPIRIES_KEPT = 20,
	FLEET_STEPS_KEPT = 50,
};

/* From this date on the CA gives certificates of this life. */
struct fleet_life {
	struct when from;
	struct span life;
};
enum fleet_outage_kind {
	OUTAGE_DOWN,	 /* 503 to everything */
	OUTAGE_PATIENCE, /* 503 with a Retry-After */
	OUTAGE_SILENT,	 /* no answer */
	OUTAGE_RUBBISH,	 /* answers that cannot be read */
	OUTAGE_INTERNAL, /* serverInternal to everything */
	OUTAGE_LIMIT,	 /* 429 to new orders, with Retry-After: somebody else used the account up */
	OUTAGE_REFUSE,	 /* validations fail from the CA's side */
	OUTAGE_COUNT
};
const char *fleet_outage_name(enum fleet_outage_kind k);
struct fleet_outage {
	struct when from;
	struct span span;
	enum fleet_outage_kind kind;
};
struct fleet_ca {
	struct fleet_life calendar[FLEET_CALENDAR_MAX]; /* in order of time; the first holds from the beginning */
	size_t calendar_n;
	struct fleet_outage outages[FLEET_OUTAGES_MAX];
	size_t outages_n;
	int32_t answer_ms, validation_ms;
	/* Limits as CA-FACTS has them; 0: none. */
	uint32_t orders_capacity; /* new orders of an account */
	struct span orders_window;
	uint32_t requests_per_s; /* at all endpoints together */
};

struct fleet_plan {
	uint64_t seed;
	uint32_t sites;
	struct when start;
	struct span span;
	struct span fill;    /* the sites are added over this time; 0: they begin with certificates of every age */
	uint8_t pair_percent; /* sites with www beside the name; the rest has one name … */
	uint8_t many_percent; /* … or twelve */
	uint8_t redirect_percent;
	uint8_t quick_percent, late_percent; /* how owners mend what is theirs; the rest never does */
	uint8_t www_missing_percent;	     /* whose www has no record at first */
	uint32_t owner_faults;	/* in a thousand site-years */
	uint32_t wishes;	/* presses of a button in a thousand site-years */
	uint32_t drafts;	/* in a thousand site-years */
	uint16_t servers, companies;
	struct fleet_ca ca;
	uint32_t orders_open_max;
	int32_t probe_ms, deploy_ms; /* 0: at once; nothing comes between */
	bool lives_by_seed; /* with faults: the life of certificates is the seed's, not the calendar's */
	bool reserve_by_seed; /* with faults: a part of the seeds has a second CA, registered ahead */
	bool has_faults; /* outages, crashes, clocks and disks by chance, from the seed */
	struct when replace_at; /* the CA asks for the replacement of everything; WHEN_UNKNOWN: never */
	uint32_t newcomers;	/* this many of the sites come one an hour from replace_at on */
	struct span bin;	/* the report counts certificates by this length of time */
	struct span calm;	/* at the end nothing new breaks: everything has to come right */
	int64_t traced; /* every step of this site goes to stderr; -1: of none */
};
/* A host like others: two names a site, 90 days, Let's Encrypt's limits. */
void fleet_plan_init(struct fleet_plan *p);
/* … and with everything that can go wrong in it. */
void fleet_plan_faults(struct fleet_plan *p);

/* Rare branches that must be taken over a run of seeds: FLEET_MARK(SYMBOL, "words"). */
enum fleet_mark {
#define FLEET_MARK(symbol, words) FLEET_MARK_##symbol,
#include "sim/fleet/marks.tbl"
#undef FLEET_MARK
	FLEET_MARK_COUNT
};
const char *fleet_mark_words(enum fleet_mark m);

struct fleet_expiry {
	uint32_t site;
	struct when at;
	const char *why; /* what stood in the way */
};
struct fleet_report {
	uint64_t steps, checks, orders, issued, order_failures, deploys, requests, crashes;
	uint64_t letters[LETTER_COUNT];
	uint64_t limits_touched; /* 429 that a limit of the CA's own gave */
	uint64_t expired;
	struct fleet_expiry expiries[FLEET_EXPIRIES_KEPT];
	size_t expiries_n;
	uint32_t *issued_in; /* each bin of time: bins_n of them */
	size_t bins_n;
	uint32_t replaced;	    /* certificates of before replace_at that have a successor */
	struct when all_replaced_at; /* WHEN_UNKNOWN: not all of them */
	int64_t newcomer_worst_ms;  /* from being added to being served */
	uint32_t requests_peak; /* in one second */
	uint64_t marks[FLEET_MARK_COUNT];
	size_t bytes; /* of memory at the end */
	bool is_broken;
	struct why broken; /* the promise, and what was seen */
	struct buf steps_kept; /* the last steps before it, as text */
};
void fleet_report_fini(struct fleet_report *r);

/* The sums of many reports. */
struct fleet_tally {
	uint64_t steps, checks, orders, issued, order_failures, deploys, requests, crashes, letters, limits_touched, expired;
	uint64_t marks[FLEET_MARK_COUNT];
};
void fleet_tally_add(struct fleet_tally *t, const struct fleet_report *r);
void fleet_tally_join(struct fleet_tally *t, const struct fleet_tally *other);

/* Runs one fleet. An error is a failure of the simulator itself (memory); a broken promise is in the report. */
MUST_USE enum err fleet_run(const struct fleet_plan *p, struct fleet_report *ret);
/* Where the plan cannot be run: what, and what was expected. */
MUST_USE enum err fleet_plan_check(const struct fleet_plan *p, struct why *why);
#endif
