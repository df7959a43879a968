#ifndef KOSHIN_WATCH_INSIDE_H
#define KOSHIN_WATCH_INSIDE_H
/* What the files of the watchdog share; nobody else includes it. */
#include "core/skew.h"
#include "ports/mail/smtp.h"
#include "ports/outside/outside.h"
#include "ports/probe/shake.h"
#include "ports/store/watch.h"
#include "watch/watchdog.h"

enum { DOUBTS_MAX = 64, DOUBTS_TOLD = 5, DOUBT_TIMES = 3 };

/* A name that was handed out with another certificate than the store says: seen again in each look until it is clear. */
struct doubt {
	int64_t name_id;
	unsigned times; /* in a row */
	char name[LIMIT_NAME_BYTES + 1];
};

struct sample;
struct watchdog {
	const struct config *config;
	struct clock clock;
	struct loop *loop;
	struct gate gate;
	struct shaker *shaker;
	struct outside *outside;
	struct smtp *smtp; /* NULL: nobody to write to */
	char *password;
	struct address ours[LIMIT_ADDRESSES];
	size_t ours_n;

	struct watch watch;
	struct watch_limits limits;
	struct skew skew;
	bool is_once;

	/* of the present look */
	struct arena arena;
	struct watch_facts facts;
	struct when now;
	struct sample *sampling; /* all of this look */
	size_t open; /* parts of it that are under way */
	bool is_looking;

	/* from look to look */
	enum err disk; /* of the last writing of our own file */
	int64_t cursor; /* the last name that was taken as a sample */
	struct doubt doubts[DOUBTS_MAX];
	size_t doubts_n;
	struct forecast counting; /* under way, up to the site counted_to; 0: none is */
	int64_t counted_to;
	int64_t samples; /* since the cursor last began anew */
	bool is_outside_known;
	struct outside_answer outside_answer;
	struct mono outside_at;
	int64_t clock_off_s;
	bool is_clock_known;
	bool is_writing; /* a letter is on its way */
	struct alarm_letter letter;
	unsigned letter_from; /* alarms before this one were tried in this look */
};

void watchdog_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A part of the look has ended; after the last one the look is judged. */
void watchdog_release(struct watchdog *d);
/* samples.c: handshakes for the names that are in doubt and for the next ones in line. s is only read. */
MUST_USE enum err samples_begin(struct watchdog *d, struct store *s);
void samples_judge(struct watchdog *d);
/* Drops the handshakes that are under way. */
void samples_stop(struct watchdog *d);
/* forecast.c: goes on counting renewals; what is counted to the end is d->watch.forecast. s is only read. */
MUST_USE enum err forecast_look(struct watchdog *d, struct store *s);
/* letters.c: the next letter that is due, one at a time. */
void letters_begin(struct watchdog *d);
/* run.c: the state file. */
void watchdog_keep(struct watchdog *d);
#endif
