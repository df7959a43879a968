#include "core/watch.h"
#include <string.h>
#include "base/must.h"

enum { DAY_S = 86400, CLOCK_OFF_S = 300 };

const int watch_days[WATCH_DAYS - 1] = { 0, 1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60 };

static const struct {
	const char *name;
	enum cause cause;
} faults[WATCH_FAULT_COUNT] = {
	[WATCH_LATE] = { "engine.late", CAUSE_OWN_PROCESS_STOPPED },
	[WATCH_BLIND] = { "engine.blind", CAUSE_OWN_PROCESS_STOPPED },
	[WATCH_DIFFERS] = { "served.differs", CAUSE_OWN_DEPLOY_NOT_SERVED },
};

unsigned
alarm_of_cause(enum cause c)
{
	must(c != CAUSE_NONE && c < CAUSE_COUNT);
	return WATCH_FAULT_COUNT + (unsigned)c;
}

unsigned
alarm_of_fault(enum watch_fault f)
{
	must(f < WATCH_FAULT_COUNT);
	return (unsigned)f;
}

enum cause
alarm_cause(unsigned alarm)
{
	must(alarm < ALARM_COUNT && alarm != WATCH_FAULT_COUNT + CAUSE_NONE);
	return alarm < WATCH_FAULT_COUNT ? faults[alarm].cause
					 : (enum cause)(alarm - WATCH_FAULT_COUNT);
}

const char *
alarm_name(unsigned alarm)
{
	return alarm < WATCH_FAULT_COUNT ? faults[alarm].name : cause_row(alarm_cause(alarm))->id;
}

bool
alarm_of_name(struct str s, unsigned *ret)
{
	for (unsigned i = 0; i < WATCH_FAULT_COUNT; i++)
		if (str_eq(s, str_of(faults[i].name))) {
			*ret = i;
			return true;
		}
	enum cause c = cause_of_id(s);

	if (c == CAUSE_NONE)
		return false;
	*ret = alarm_of_cause(c);
	return true;
}

void
watch_init(struct watch *w)
{
	*w = (struct watch){ .begun = WHEN_UNKNOWN, .at = WHEN_UNKNOWN, .forecast = { .at = WHEN_UNKNOWN } };
	for (size_t i = 0; i < ALARM_COUNT; i++)
		w->alarms[i] = (struct alarm){ .since = WHEN_UNKNOWN,
			.held_since = WHEN_UNKNOWN,
			.gone_since = WHEN_UNKNOWN,
			.told_first = WHEN_UNKNOWN,
			.told_at = WHEN_UNKNOWN };
}

/* --- what holds now --- */

enum truth { TRUTH_UNKNOWN, TRUTH_NO, TRUTH_YES };
struct seen {
	enum truth truth[ALARM_COUNT];
	int64_t sites[ALARM_COUNT];
	struct str words[ALARM_COUNT];
};

static void
tell(struct seen *s, unsigned alarm, bool holds, int64_t sites, struct str words)
{
	s->truth[alarm] = holds ? TRUTH_YES : TRUTH_NO;
	s->sites[alarm] = sites;
	s->words[alarm] = words;
}

/* Since when has it been silent? What was there before the watchdog began is counted from its beginning: after a night
 * in which the whole machine was off, the engine has its time to work everything off. */
static bool
is_silent(const struct watch *w, struct when at, struct span most, struct when now)
{
	/* What a clock that ran ahead has left behind must not hide a silence. */
	bool is_of_future = when_is_known(at) && when_between(now, at).s > CLOCK_OFF_S;
	struct when from = is_of_future ? w->begun : when_max(at, w->begun);

	return when_between(from, now).s >= most.s;
}

static void
look_at_engine(
    const struct watch *w, const struct watch_facts *f, const struct watch_limits *l, struct when now, struct seen *s)
{
	bool is_dead = is_silent(w, f->engine_at, l->dead_after, now);
	bool is_late = when_is_known(f->oldest_due) && f->due > 0 &&
		       is_silent(w, f->oldest_due, l->late_after, now);
	bool is_dns_blind = is_silent(w, f->dns_at, l->blind_after, now);
	bool is_probe_blind = is_silent(w, f->probe_at, l->blind_after, now);
	/* A CA is silent while nobody asks it for anything: only one that fails was asked. */
	bool is_ca_blind = f->ca_failures > 0 && is_silent(w, f->ca_at, l->blind_after, now);

	tell(s, alarm_of_cause(CAUSE_OWN_PROCESS_STOPPED), is_dead, f->sites, STR("the engine gives no sign of life"));
	tell(s, alarm_of_fault(WATCH_LATE), is_late, f->due, STR("sites are due and are not taken up"));
	tell(s, alarm_of_fault(WATCH_BLIND), f->sites > 0 && (is_dns_blind || is_probe_blind || is_ca_blind), f->sites,
	    is_dns_blind     ? STR("no answer of DNS was learned")
	    : is_probe_blind ? STR("no site has answered a look")
			     : STR("no answer of the CA was learned"));
}

/* Causes that stand in the store, of sites or of the installation. One that the watchdog sees by itself is not taken
 * back by the store's silence. */
static void
look_at_causes(const struct watch_facts *f, struct seen *s)
{
	for (enum cause c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++)
		if (cause_row(c)->severity == SEVERITY_ALARM &&
		    s->truth[alarm_of_cause(c)] == TRUTH_UNKNOWN)
			s->truth[alarm_of_cause(c)] = TRUTH_NO;
	for (size_t i = 0; i < f->causes_n; i++)
		if (cause_row(f->causes[i].cause)->severity == SEVERITY_ALARM)
			tell(s, alarm_of_cause(f->causes[i].cause), true, f->causes[i].sites, f->causes[i].words);
}

static void
look_around(const struct watch_facts *f, struct seen *s)
{
	unsigned full = alarm_of_cause(CAUSE_OWN_DISK_FULL), unwritable = alarm_of_cause(CAUSE_OWN_DISK_UNWRITABLE);

	if (f->disk == ERR_DISK_FULL)
		tell(s, full, true, 0, STR("there is no room in the state folder"));
	else if (f->disk != ERR_OK)
		tell(s, unwritable, true, 0, STR("the state folder cannot be written"));
	if (f->is_outside_known) {
		bool is_down = !f->has_route || (!f->is_ca_reached && !f->is_other_reached);

		tell(s, alarm_of_cause(CAUSE_OWN_NETWORK_DOWN), is_down, 0, f->outside_words);
		tell(s, alarm_of_cause(CAUSE_OWN_OUTBOUND_BLOCKED), !is_down && !f->is_ca_reached, 0, f->outside_words);
	}
	if (f->is_clock_known && (f->clock_off_s > CLOCK_OFF_S || f->clock_off_s < -CLOCK_OFF_S))
		tell(s, alarm_of_cause(CAUSE_OWN_CLOCK_SKEWED), true, 0,
		    f->clock_off_s > 0 ? STR("our clock is ahead of the clocks outside")
				       : STR("our clock is behind the clocks outside"));
}

static bool
is_one_of(unsigned alarm, const enum cause *causes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (alarm == alarm_of_cause(causes[i]))
			return true;
	return false;
}

/* Does one that holds explain this one? Only the first is told. */
static bool
is_explained(const struct seen *s, unsigned alarm)
{
	static const enum cause stops[] = { CAUSE_OWN_STORE_UNAVAILABLE, CAUSE_OWN_DISK_FULL,
		CAUSE_OWN_DISK_UNWRITABLE, CAUSE_OWN_CLOCK_SKEWED };
	static const enum cause beyond[] = { CAUSE_OWN_OUTBOUND_BLOCKED, CAUSE_OWN_RESOLVER_UNAVAILABLE };
	unsigned stopped = alarm_of_cause(CAUSE_OWN_PROCESS_STOPPED), down = alarm_of_cause(CAUSE_OWN_NETWORK_DOWN);
	bool is_of_engine = alarm == stopped || alarm == alarm_of_fault(WATCH_LATE) || alarm == alarm_of_fault(WATCH_BLIND);

	for (size_t i = 0; is_of_engine && i < sizeof stops / sizeof *stops; i++)
		if (s->truth[alarm_of_cause(stops[i])] == TRUTH_YES)
			return true;
	if (is_of_engine && alarm != stopped && s->truth[stopped] == TRUTH_YES)
		return true;
	if (alarm == alarm_of_fault(WATCH_BLIND) &&
	    (s->truth[down] == TRUTH_YES || s->truth[alarm_of_cause(CAUSE_OWN_RESOLVER_UNAVAILABLE)] == TRUTH_YES))
		return true;
	return s->truth[down] == TRUTH_YES && is_one_of(alarm, beyond, sizeof beyond / sizeof *beyond);
}

/* --- from one look to the next --- */

/* One line, and whole characters only. */
static void
keep_words(struct alarm *a, struct str words)
{
	size_t n = words.n < sizeof a->words - 1 ? words.n : sizeof a->words - 1;

	while (n < words.n && n > 0 && ((unsigned char)words.p[n] & 0xc0) == 0x80)
		n--;
	for (size_t i = 0; i < n; i++)
		a->words[i] = (unsigned char)words.p[i] < 0x20 || words.p[i] == 0x7f ? ' ' : words.p[i];
	a->words[n] = '\0';
}

void
watch_remember(struct watch *w, const struct alarm_past *p)
{
	w->past_n = w->past_n < WATCH_PAST ? w->past_n + 1 : WATCH_PAST;
	for (size_t i = w->past_n; --i > 0;)
		w->past[i] = w->past[i - 1];
	w->past[0] = *p;
}

static void
end_alarm(struct watch *w, unsigned alarm, struct when now)
{
	struct alarm *a = &w->alarms[alarm];
	struct alarm_past p = { .since = a->since, .ended = now, .sites = a->sites, .alarm = alarm };

	memcpy(p.words, a->words, sizeof p.words);
	watch_remember(w, &p);
	a->is_open = false;
	a->gone_since = WHEN_UNKNOWN;
	a->owes_end = when_is_known(a->told_first);
}

static void
follow(struct watch *w, const struct seen *s, unsigned alarm, const struct watch_limits *l, struct when now)
{
	struct alarm *a = &w->alarms[alarm];

	switch (s->truth[alarm]) {
	case TRUTH_UNKNOWN:
		return;
	case TRUTH_YES:
		a->gone_since = WHEN_UNKNOWN;
		if (!when_is_known(a->held_since))
			a->held_since = now;
		a->sites = s->sites[alarm];
		keep_words(a, s->words[alarm]);
		if (a->is_open || is_explained(s, alarm) || when_between(a->held_since, now).s < l->confirm_after.s)
			return;
		a->is_open = true;
		a->since = now;
		a->told_first = WHEN_UNKNOWN;
		a->owes_end = false;
		return;
	case TRUTH_NO:
		a->held_since = WHEN_UNKNOWN;
		if (!a->is_open)
			return;
		if (!when_is_known(a->gone_since))
			a->gone_since = now;
		if (when_between(a->gone_since, now).s >= l->calm_after.s)
			end_alarm(w, alarm, now);
		return;
	}
	must(false);
}

void
watch_look(struct watch *w, const struct watch_facts *f, const struct watch_limits *l, struct when now)
{
	struct seen s = { .truth = { TRUTH_UNKNOWN } };

	if (!when_is_known(w->begun) || when_before(now, w->begun))
		w->begun = now;
	w->at = now;
	look_around(f, &s);
	tell(&s, alarm_of_cause(CAUSE_OWN_STORE_UNAVAILABLE), !f->has_store, 0, f->store_words);
	if (f->has_store) {
		look_at_engine(w, f, l, now, &s);
		tell(&s, alarm_of_fault(WATCH_DIFFERS), f->differing > 0, f->differing, f->differing_words);
		look_at_causes(f, &s);
		w->sites = f->sites;
		for (size_t i = 0; i < WATCH_DAYS; i++)
			w->days_left[i] = f->days_left[i];
	} else if (f->disk == ERR_OK) {
		/* What the store would say of disks is not known; that this one can be written is. */
		tell(&s, alarm_of_cause(CAUSE_OWN_DISK_UNWRITABLE), false, 0, STR_NONE);
	}
	w->samples = f->samples;
	w->differing = f->differing;
	for (unsigned i = 0; i < ALARM_COUNT; i++)
		if (i != WATCH_FAULT_COUNT + CAUSE_NONE)
			follow(w, &s, i, l, now);
}

size_t
watch_open(const struct watch *w)
{
	size_t n = 0;

	for (size_t i = 0; i < ALARM_COUNT; i++)
		n += w->alarms[i].is_open;
	return n;
}

/* --- letters --- */

bool
watch_letter(const struct watch *w, unsigned from, struct when now, struct alarm_letter *ret)
{
	for (unsigned i = from; i < ALARM_COUNT; i++) {
		const struct alarm *a = &w->alarms[i];
		/* A clock that was set back must not silence an alarm. */
		bool is_rested = !when_is_known(a->told_at) || when_between(a->told_at, now).s >= DAY_S ||
				 when_before(now, a->told_at);

		if (a->owes_end || (a->is_open && is_rested)) {
			*ret = (struct alarm_letter){ i, a->owes_end };
			return true;
		}
	}
	return false;
}

void
watch_told(struct watch *w, const struct alarm_letter *l, struct when now)
{
	struct alarm *a = &w->alarms[l->alarm];

	if (l->is_end) {
		a->owes_end = false;
		a->told_first = WHEN_UNKNOWN;
		return;
	}
	a->told_at = now;
	if (!when_is_known(a->told_first))
		a->told_first = now;
}
