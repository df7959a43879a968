#ifndef KOSHIN_CORE_WATCH_H
#define KOSHIN_CORE_WATCH_H
/*
 * What the watchdog makes of what it saw: watch_look(facts, now) -> alarms. Pure. The watchdog trusts nobody's word that
 * all is well: it reads dates out of the store and looks at what visitors are handed, by itself.
 *
 * An alarm is for the operator and about the installation, never about one owner's site. There is one for each cause of
 * severity "alarm", and three that only a watchdog can see (enum watch_fault).
 *
 *   quiet --(holds for confirm_after)--> open --(is gone for calm_after)--> quiet
 *
 * Nothing opens that an open alarm explains: a dead engine is late, and nobody has to be told twice. What cannot be known
 * at present (the store cannot be read) neither opens nor ends anything.
 */
#include <stddef.h>
#include "core/cause.h"
#include "core/forecast.h"
#include "base/when.h"

enum watch_fault {
	WATCH_LATE,    /* sites are due and nobody takes them up */
	WATCH_BLIND,   /* nothing was learned from DNS, sites or the CA for too long */
	WATCH_DIFFERS, /* visitors are handed something else than the store says */
	WATCH_FAULT_COUNT
};
enum {
	ALARM_COUNT = WATCH_FAULT_COUNT + CAUSE_COUNT,
	ALARM_WORDS_BYTES = 480, /* of what was seen */
	WATCH_PAST = 50,	 /* alarms that are over and are remembered */
	WATCH_DAYS = 13,	 /* steps of the count of sites by days left; the last one has no end */
};
/* Alarms are numbers below ALARM_COUNT. */
unsigned alarm_of_cause(enum cause c);
unsigned alarm_of_fault(enum watch_fault f);
/* "engine.late", or the cause's id. */
const char *alarm_name(unsigned alarm);
bool alarm_of_name(struct str s, unsigned *ret);
/* The row of the cause table that says most about it. */
enum cause alarm_cause(unsigned alarm);

struct alarm {
	bool is_open;
	struct when since;	/* opened */
	struct when held_since; /* holds without a break since; WHEN_UNKNOWN: does not hold */
	struct when gone_since; /* open, and does not hold since */
	struct when told_first; /* first letter about this opening; WHEN_UNKNOWN: none yet */
	struct when told_at;	/* last letter about it, of whichever opening */
	bool owes_end;		/* it was told, it is over, and that was not told yet */
	int64_t sites;		/* concerned, 0 if that is not known */
	char words[ALARM_WORDS_BYTES]; /* what was seen; one line */
};
/* One that is over. */
struct alarm_past {
	struct when since, ended;
	int64_t sites;
	unsigned alarm;
	char words[ALARM_WORDS_BYTES];
};
/* Sites by whole days that their certificate has left: [0] has ended, [i] less than watch_days[i] days. */
extern const int watch_days[WATCH_DAYS - 1];
struct watch {
	struct alarm alarms[ALARM_COUNT];
	struct when begun, at; /* first and last look */
	int64_t sites, days_left[WATCH_DAYS];
	int64_t samples, differing; /* handshakes of the last day or so, and names that differ now */
	struct alarm_past past[WATCH_PAST]; /* newest first */
	size_t past_n;
	struct forecast forecast; /* of the last time that all sites were gone through */
};
/* Puts one in front; the oldest is forgotten when there is no room. */
void watch_remember(struct watch *w, const struct alarm_past *p);
void watch_init(struct watch *w);

struct watch_cause {
	enum cause cause;
	int64_t sites;	  /* with this finding, 0 for a condition of the installation */
	struct str words; /* of one of them */
};
struct watch_facts {
	bool has_store;	       /* it could be read; the next fields are meaningful then */
	struct str store_words; /* why not */
	struct when engine_at;	/* last sign of life; WHEN_UNKNOWN: never */
	int64_t sites, due;	/* due: those whose date is past by late_after */
	struct when oldest_due; /* earliest date of all; WHEN_NEVER without one */
	struct when dns_at, probe_at, ca_at; /* something was learned there; WHEN_UNKNOWN: never */
	unsigned ca_failures;		     /* in a row */
	int64_t days_left[WATCH_DAYS];
	const struct watch_cause *causes; /* those that stand */
	size_t causes_n;

	int64_t samples, differing;  /* names whose handshake shows another certificate than the store says, seen so thrice */
	struct str differing_words;

	enum err disk; /* writing into the state folder: OK, DISK_FULL, UNWRITABLE … */
	bool is_outside_known;	   /* somebody outside was asked lately; the next ones are meaningful then */
	bool has_route, is_ca_reached, is_other_reached; /* by address; a CA; any other point */
	struct str outside_words;
	bool is_clock_known;
	int64_t clock_off_s; /* our clock minus the outside's, or the jump between two looks */
};
struct watch_limits {
	struct span dead_after, late_after, blind_after;
	struct span confirm_after, calm_after;
};
void watch_look(struct watch *w, const struct watch_facts *f, const struct watch_limits *l, struct when now);
/* How many are open. */
size_t watch_open(const struct watch *w);

/* A letter that is to be written now; at most one a day for an alarm, and one at its end if it was told. */
struct alarm_letter {
	unsigned alarm;
	bool is_end;
};
/* The first one at or after alarm number `from`; false if there is none. */
bool watch_letter(const struct watch *w, unsigned from, struct when now, struct alarm_letter *ret);
/* The mail server has taken it. */
void watch_told(struct watch *w, const struct alarm_letter *l, struct when now);
#endif
