#ifndef KOSHIN_SIM_FLEET_INSIDE_H
#define KOSHIN_SIM_FLEET_INSIDE_H
/* What the files of the fleet simulator share; nobody else includes it. */
#include "core/breaker.h"
#include "core/budget.h"
#include "core/lease.h"
#include "core/order.h"
#include "core/site_plan.h"
#include "sim/fleet/fleet.h"
#include "sim/fleet/queue.h"

enum {
	FLEET_CAS = 2, /* the first, and a reserve */
	FLEET_SERVERS_MAX = 1000,
	FLEET_COMPANIES_MAX = 64,
	FLEET_MANY_NAMES = 12,
	FLEET_TEXT = 24, /* a name with its NUL */
	FLEET_NEVER_MS_SHIFT = 62,
};
#define FLEET_NEVER_MS ((int64_t)1 << FLEET_NEVER_MS_SHIFT)
#define FLEET_DAY_MS ((int64_t)86400000)
#define FLEET_HOUR_MS ((int64_t)3600000)

/* What DNS says of one name. */
enum pointing {
	POINTS_HERE,
	POINTS_NOWHERE,	  /* no such record */
	POINTS_ELSEWHERE, /* at another company's server */
	POINTS_BOTH,	  /* one address is ours, one is not */
	POINTS_V6_AWAY,	  /* an AAAA record that leads elsewhere */
	POINTS_CAA,	  /* here, but CAA forbids every CA of ours */
	POINTS_CAA_FIRST, /* … the first one */
	POINTS_CAA_RESERVE, /* … the reserve */
	POINTS_BOGUS,	  /* DNSSEC does not fit */
	POINTS_COUNT
};
enum habit { MENDS_QUICKLY, MENDS_LATE, MENDS_NEVER };

/* Names of a site as a set: bit i is site.names[i]. */
struct name_set {
	uint64_t bits;
};

/* What a web server has for a site: the live set. */
struct live_set {
	int64_t serial; /* of the certificate; 0: HTTP only */
	struct life life;
	struct name_set names;
	uint16_t redirect;
};

/* What the watch remembers of a site (dates as fleet_s() packs them), to judge by what happened and not by what the engine says of itself. */
struct watched {
	uint32_t moved_s;	   /* it was last held to have moved away; 0: never */
	uint32_t pointing_since_s; /* some name could be validated since; NEVER: none can */
	uint32_t turned_s;	   /* since when has_fault is as it is; 0: nothing ever was wrong */
	uint32_t letter_s;	   /* last letter that asked for something */
	uint32_t law_s;		   /* the first CA named a date for this site: no new order there before */
	uint32_t wish_s;	   /* a person asked for a certificate; 0: fulfilled or refused */
	uint32_t looked_s;	   /* last check that was begun */
	uint8_t reminders;	   /* letters of the present certificate, as bits */
	uint8_t acts;		   /* letters about one fault, with no more than days between two */
	uint8_t restless;	   /* checks in a row, each within a second of the one before; or removals, within ten */
	bool end_was_told;
	bool has_fault; /* the owner has something to mend */
	bool is_told;	/* a letter said so, and none yet that it is over */
	bool is_expired, issued_told;
};

/* … and where there is a reserve. */
struct watched_reserve {
	uint32_t law_s; /* of the reserve */
	uint32_t over_s; /* last letter that said that all is well */
	uint32_t caa_s; /* since when CAA lets the CAs issue that it lets now; 0: ever */
};

/* What the CA counts against its limits, written down one by one: no bucket, no arithmetic that koshin shares. */
enum { LOG_ORDERS = 6, LOG_FAILURES = 6, LOG_ATTEMPTS = 10 };
struct ca_log {
	int64_t failure_ms[FLEET_MANY_NAMES][LOG_FAILURES]; /* of each name, newest first */
	int64_t attempt_ms[LOG_ATTEMPTS]; /* orders begun, newest first */
	int64_t issued_ms[LOG_ORDERS];
	struct name_set issued[LOG_ORDERS];
};

struct fleet_site {
	struct site site; /* the committed facts */
	struct finding_room *findings; /* where site.findings lives between two steps; NULL: none ever */
	int64_t queued_ms; /* its date in the queue */
	struct live_set live;
	struct watched watched;
	uint32_t ca_orders; /* number of its newest order at the CA, 0: none */
	uint32_t order_row; /* its open order in the store, 0: none */
	uint32_t quiet_until_s; /* seconds after the start, until which only looks happen to it (quiet.c); 0: that is not known */
	uint16_t issued_names[FLEET_CAS]; /* as each CA has it: the set of its last certificate */
	uint16_t server;
	uint8_t company;
	uint8_t habit : 2;
	bool is_of_reserve : 1; /* the CA that gave what is held */
	bool is_here : 1; /* it was added */
	bool waits_turn : 1; /* it is in a lane, and is called */
	bool draws : 1;   /* its order holds a place in the account's limit */
};

/* An order as the store has it; `live` is the engine's memory of it. Row 0 is none. */
struct order_row_of_fleet {
	struct live_order_of_fleet *live;
	uint32_t site, next_free;
	uint32_t ca_number; /* 0: its URL is not known */
	uint64_t serial;    /* of the row's use: an answer for an earlier one does not fit */
	uint64_t job;
	enum order_phase phase;
	bool has_certificate_url, is_open, draws, is_canary;
	uint8_t new_orders, ca;
	struct when created;
	struct name_set names;
	int64_t not_before_ms; /* the CA's Retry-After for this order */
	int64_t begun_ms;      /* by the world's clock */
};
struct live_order_of_fleet {
	struct order order;
	struct arena keep;
	uint32_t wakes; /* counts: a wake of before does not fit */
	enum lane lane;
	struct live_order_of_fleet *next_free;
};

/* An order as the CA has it. */
struct ca_order {
	uint32_t site, next; /* next: older order of the same site, or the next free one */
	enum acme_status status;
	struct name_set names, valid, invalid, tried;
	uint8_t why[FLEET_MANY_NAMES]; /* of an invalid name: enum denial */
	int64_t created_ms, retry_ms;
	int64_t serial;
	struct life life;
	uint8_t ca;
	bool is_known; /* koshin committed its URL and has not given it up */
};
/* Of both CAs, so that one that is open at the other is seen. */
struct ca_orders {
	struct ca_order *at; /* [0] is none */
	uint32_t n, cap, free;
	int64_t serial; /* of the last certificate */
};

struct server {
	int64_t down_ms, disk_ms, config_ms, slow_ms; /* until */
	int64_t busy_ms; /* its installer answers in the order in which it was asked: not before the last answer */
	int64_t clean_ms;		     /* all was well from here on */
	char text[24];
};
struct company {
	int64_t silent_ms;
};
/* A CA, as it is. */
struct authority {
	int64_t fault_ms[OUTAGE_COUNT]; /* until */
	int64_t clean_ms;
	uint32_t orders_capacity; /* new orders of the account in the plan's window; 0: any number */
	int64_t tokens_ms; /* new orders: a bucket, in milliseconds of refill */
	int64_t tokens_at_ms;
	int64_t used_ms; /* until here none of the orders that the account may have was wasted: the bucket is not full */
	int64_t second; /* requests of this second, of each endpoint */
	uint32_t second_n[ENDPOINT_COUNT];
	int64_t issued_ms; /* its last certificate: for a site, or for the operator's own name */
};
/* … and as koshin has it. */
struct account_of_fleet {
	struct breaker breaker;
	struct budget_row orders_budget;
	struct bucket endpoints[ENDPOINT_COUNT];
	struct calendar calendar;
	bool has_token; /* there was a place in the account's limit; time alone takes none away */
};

/* Two engines on one store. */
struct pair {
	bool is_on;
	struct lease_row row;
	struct lease old, next; /* of the one that stopped, and of the one that looks */
	int64_t begun_ms;
	int64_t off_ms; /* the wall clock of the one that looks */
	bool is_seen_dead;
};

enum fleet_kind {
	EV_WAKE,      /* a site's date */
	EV_PROBED,    /* answer of the probes */
	EV_KEY,	      /* key and CSR are made */
	EV_ANSWER,    /* of the CA */
	EV_ORDER_WAKE, EV_DEPLOYED, EV_VALIDATED,
	EV_OWNER,     /* something happens in a site's life */
	EV_MEND,      /* its owner mends what is broken */
	EV_SWEEP,     /* a look at what all servers hand out */
	EV_ADD, EV_CA, EV_SERVER, EV_COMPANY, EV_RESOLVER, EV_CRASH, EV_RESTART, EV_RESTART_MORE, EV_CLOCK, EV_CALM,
	EV_PAIR,      /* one of two engines looks at the lease */
	EV_LETTER,    /* something happens to a letter */
	EV_CANARY,    /* is the rehearsal due? */
	EV_GATE,      /* a place in the account's limit has come free */
	EV_SEND,      /* a request that kept the pace */
	EV_POLL,      /* renewal information of one site */
	EV_REPLACE,   /* the CA wants everything replaced */
	EV_COUNT
};

struct deploy_of_fleet {
	uint32_t site, next_free;
	uint64_t job;
	struct applied applied;
	struct live_set set;
	int64_t begun_ms;
	bool is_removal, is_slow;
};

/* A letter in the outbox, until it was taken or given up; and one that will come back. */
enum letter_stage { LETTER_DUE, LETTER_ANSWERED, LETTER_CAME_BACK };
struct letter_of_fleet {
	uint32_t site, next_free;
	int64_t created_ms;
	struct when created;
	unsigned tries;
	enum err outcome; /* of the last try */
	uint16_t taken_by; /* generation of the engine that had it sent */
	bool is_open, was_taken;
};

struct waiting_order {
	uint32_t site;
	uint8_t ca;
	bool is_canary;
	struct name_set names;
	uint64_t job;
};

struct lane_queue {
	struct waiting_order *at;
	uint32_t head, n, cap;
};

struct fleet_step {
	int64_t ms;
	uint32_t site;
	uint8_t event, before, after, ca;
	uint32_t effects; /* bits of enum site_effect_kind */
	enum cause cause;
	int64_t wake_s;
};

struct fleet {
	const struct fleet_plan *plan;
	struct fleet_plan own_plan; /* what the seed makes of the plan */
	struct fleet_report *report;
	int64_t now_ms, start_ms, end_ms, calm_ms;
	struct queue_of_events events;
	struct fleet_site *sites;
	uint32_t sites_n;
	struct site_name *names;
	uint8_t *pointing; /* one for each of names */
	char (*texts)[FLEET_TEXT];
	struct watched_reserve *reserves; /* of each site; NULL: there is one CA */
	struct ca_log **logs; /* of each site at each CA; with faults only. NULL: nothing was counted yet */
	uint64_t world_seed, roll_seed, chance_of_sites;

	struct server servers[FLEET_SERVERS_MAX];
	struct company companies[FLEET_COMPANIES_MAX];
	struct authority cas[FLEET_CAS];
	size_t cas_n;
	struct ca_orders orders;
	int64_t told_until_ms; /* Retry-After of the answer that is delivered just now; 0: none */
	int64_t resolver_ms, network_clean_ms;
	int64_t first_end_s; /* no certificate on any server ends before */

	/* the engine */
	struct policy policy;
	struct str addresses[FLEET_SERVERS_MAX];
	uint16_t generation;
	bool is_down, is_zombie_about;
	struct pair pair;
	uint32_t crash_in; /* steps until it dies; 0: it does not */
	uint8_t crash_at;
	int64_t clean_ms; /* it has been up since */
	int64_t clock_step_s, clock_clean_ms;
	struct account_of_fleet accounts[FLEET_CAS];
	struct policy_ca policy_cas[FLEET_CAS];
	struct when canary_at; /* the rehearsal at the reserve */
	bool canary_is_out;
	struct order_row_of_fleet *rows;
	uint32_t rows_n, rows_cap, rows_free;
	uint64_t row_serial;
	struct live_order_of_fleet *live_free;
	uint32_t live_n;
	/* the gate */
	struct budget_profile profiles[FLEET_CAS];
	struct budget_rules rules[FLEET_CAS];
	struct lane_turns lane_turns, order_turns;
	struct lane_room room;
	struct lane_queue orders_waiting[LANE_COUNT], turn_waiting[LANE_COUNT];
	bool gate_is_set;
	int64_t probing_ms; /* until then one that was let in finds out whether the first CA is well */
	struct finding limits[FLEET_MANY_NAMES];
	size_t firsts[2];
	uint32_t to_replace; /* certificates held when the CA asked */
	struct when firsts_since;
	struct deploy_of_fleet *deploys;
	uint32_t deploys_n, deploys_cap, deploys_free;
	struct letter_of_fleet *letters;
	uint32_t letters_n, letters_cap, letters_free;
	uint32_t restart_at; /* next site to be taken up after a start */
	struct arena arena, order_arena;
	struct site_effects effects;
	struct site_effect todo[8 * SITE_EFFECTS_MAX]; /* of the steps that are being acted on */
	size_t todo_n;
	struct order_outcome outcome;
	struct acme_answer answer;
	struct evidence evidence; /* with room for the largest site */
	struct name_evidence name_evidence[FLEET_MANY_NAMES];
	struct address_evidence addresses_seen[FLEET_MANY_NAMES][2];
	bool is_plain[FLEET_MANY_NAMES]; /* the evidence at this place shows a name in order */
	struct str leaf_names[FLEET_MANY_NAMES];

	struct fleet_step steps[FLEET_STEPS_KEPT];
	uint64_t steps_n;
	enum err err;
};

/* --- fleet.c --- */
/* splitmix64 */
static inline uint64_t
fleet_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15U;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}
/* The time as everybody else has it, and as the engine's machine has it. */
static inline struct when
fleet_true(const struct fleet *f)
{
	return (struct when){ f->now_ms / 1000 };
}
static inline struct when
fleet_wall(const struct fleet *f)
{
	return (struct when){ f->now_ms / 1000 + f->clock_step_s };
}
/* A site's chances are its own: what happens to others changes nothing about them. */
static inline struct turn
fleet_turn(const struct fleet *f, uint32_t n)
{
	uint64_t state = f->chance_of_sites ^ (uint64_t)n << 40 ^ (uint64_t)f->now_ms ^ (uint64_t)f->sites[n].site.doing << 60;

	return (struct turn){ fleet_wall(f), (uint32_t)(fleet_random(&state) >> 32) };
}
/* 0 … n - 1 */
uint32_t fleet_below(uint64_t *state, uint32_t n);
void fleet_put(struct fleet *f, int64_t after_ms, enum fleet_kind kind, uint32_t site, uint32_t arg, uint64_t extra);
void fleet_mark(struct fleet *f, enum fleet_mark m);
int64_t fleet_newcomer_ms(const struct fleet *f, uint32_t site);
struct name_set fleet_held_names(const struct fleet_site *s);
/* A date in four bytes: seconds since the start, and one; 0: none. NEVER keeps its meaning. */
static inline uint32_t
fleet_s(const struct fleet *f, int64_t ms)
{
	return ms == 0 ? 0 : ms == FLEET_NEVER_MS ? UINT32_MAX : (uint32_t)((ms - f->start_ms) / 1000 + 1);
}
static inline int64_t
fleet_ms(const struct fleet *f, uint32_t s)
{
	return s == 0 ? 0 : s == UINT32_MAX ? FLEET_NEVER_MS : f->start_ms + ((int64_t)s - 1) * 1000;
}
static inline bool
name_set_has(struct name_set s, size_t i)
{
	return (s.bits >> i & 1) != 0;
}
/* Index of a CA by its id, as effects name it. */
static inline uint8_t
fleet_ca(int64_t id)
{
	return (uint8_t)(id > 0 ? id - 1 : 0);
}
/* The site that is nobody's: the operator's own name, for rehearsals. Beyond those that are counted. */
static inline uint32_t
fleet_canary(const struct fleet *f)
{
	return f->sites_n;
}
/* The first broken promise ends the run. */
__attribute__((format(printf, 3, 4))) void fleet_broken(struct fleet *f, uint32_t site, const char *fmt, ...);

/* --- node.c: the engine --- */
enum { NODE_SLOW_MOST_MS = 20 * 60000 }; /* so long a deploy takes at most on a slow disk */
void node_wake(struct fleet *f, uint32_t site);
/* False: the engine is down, or died before the commit. */
bool node_event(struct fleet *f, uint32_t site, const struct site_event *ev);
/* What is asked for here is looked at: FX_CHECK. */
void node_look(struct fleet *f, uint32_t site, uint64_t job);
void node_probed(struct fleet *f, const struct fleet_event *ev);
void node_key(struct fleet *f, const struct fleet_event *ev);
void node_deployed(struct fleet *f, const struct fleet_event *ev);
void node_crash(struct fleet *f, bool is_zombie);
void node_stop(struct fleet *f); /* it does nothing any more, and what it remembers counts no more */
void node_restart(struct fleet *f);
void node_clock_stepped(struct fleet *f, struct span by); /* every date is by another clock now */
void node_restart_more(struct fleet *f);
/* An order ended; NULL: with a certificate. */
void node_ca_told(struct fleet *f, uint8_t ca, const struct finding_list *failures, struct when retry_after);
void node_policy_cas(struct fleet *f); /* what decisions see of the CAs has changed */
void node_canary(struct fleet *f);
void node_canary_ended(struct fleet *f, bool is_good, struct when retry_after);
/* True: the engine has just died here. */
bool node_dies(struct fleet *f, unsigned at);
void node_fini(struct fleet *f);
/* --- quiet.c: looks at sites in order --- */
/* A whole step has just been taken: what comes next may be known. */
void quiet_note(struct fleet *f, uint32_t site);
/* Something else happened to the site. */
void quiet_end(struct fleet *f, uint32_t site);
/* In the place of a step; false: it has to be taken. */
bool quiet_wake(struct fleet *f, uint32_t site);
bool quiet_checked(struct fleet *f, uint32_t site, uint64_t job);
/* All looks until the site's next other date in one go, where nothing could come between them; before it is queued. */
void quiet_look_ahead(struct fleet *f, uint32_t site);
/* --- orders.c: orders under way in the engine --- */
void orders_of_fleet_begin(struct fleet *f, const struct waiting_order *w);
void orders_of_fleet_resume(struct fleet *f, uint32_t site, uint64_t job);
void orders_of_fleet_abandon(struct fleet *f, uint32_t site);
void orders_of_fleet_answer(struct fleet *f, const struct fleet_event *ev);
void orders_of_fleet_wake(struct fleet *f, const struct fleet_event *ev);
void orders_of_fleet_forget(struct fleet *f); /* the engine died: its memory of them is gone */
void orders_of_fleet_move(struct fleet *f, struct span by);
void orders_of_fleet_send(struct fleet *f, const struct fleet_event *ev);
/* --- lanes.c: what stands between a decision and the CA --- */
void fleet_gate_init(struct fleet *f);
void fleet_gate_fini(struct fleet *f);
void fleet_gate_restart(struct fleet *f);
bool fleet_gate_has_token(struct fleet *f, uint8_t ca);
/* The places of the reserve are taken: what the step is told of it. */
void fleet_gate_put_limits(struct fleet *f, uint32_t site, uint8_t ca);
/* Something was taken: what was there has to be counted anew. */
void fleet_gate_changed(struct fleet *f, uint8_t ca);
void fleet_gate_move(struct fleet *f, struct span by); /* the clock was set */
bool fleet_gate_is_exempt(const struct fleet *f, uint32_t site, uint8_t ca, struct name_set names);
void fleet_gate_hold(struct fleet *f, uint8_t ca);
void fleet_gate_settle(struct fleet *f, uint8_t ca, unsigned new_orders);
void fleet_gate_spend(struct fleet *f, uint8_t ca, unsigned new_orders);
void fleet_gate_wait(struct fleet *f, uint32_t site);
void fleet_gate_open(struct fleet *f);
bool fleet_gate_has_room(const struct fleet *f, enum lane l);
void fleet_gate_wait_for_room(struct fleet *f, enum lane l, const struct waiting_order *w);
void fleet_gate_take_waiting(struct fleet *f);
int64_t fleet_gate_pace_ms(struct fleet *f, uint8_t ca, enum acme_verb verb);
void fleet_gate_note_issue(struct fleet *f, uint8_t ca, const struct site *s, struct life life);
void fleet_gate_poll(struct fleet *f, uint32_t site);
void fleet_gate_begin_polls(struct fleet *f);
/* --- authority.c: the CA --- */
void authority_init(struct fleet *f);
void authority_fini(struct fleet *f);
/* Takes a request of this row's order, and puts its answer into the queue. */
void authority_take(struct fleet *f, uint32_t row, const struct acme_request *r);
/* Makes the answer that is delivered now. */
void authority_answer(struct fleet *f, const struct fleet_event *ev, struct acme_answer *ret);
void authority_validated(struct fleet *f, const struct fleet_event *ev);
struct span authority_life(const struct fleet *f, uint8_t ca);
/* --- pair.c: two engines on one store --- */
void pair_init(struct fleet *f);
void pair_begin(struct fleet *f); /* the one that acts stops */
void pair_event(struct fleet *f, const struct fleet_event *ev);
/* --- letters.c: the outbox, and what becomes of letters --- */
void letters_of_fleet_put(struct fleet *f, uint32_t site);
void letters_of_fleet_event(struct fleet *f, const struct fleet_event *ev);
void letters_of_fleet_end(struct fleet *f);
/* --- owners.c: the world of the sites --- */
/* Could a CA validate this name now? Any of those that there are, or this one. */
bool owners_can_validate(const struct fleet *f, uint32_t site, size_t name);
bool owners_lets_issue(const struct fleet *f, uint32_t site, size_t name, uint8_t ca);
bool owners_is_owners_fault(const struct fleet *f, uint32_t site, size_t name);
void owners_begin(struct fleet *f, uint32_t site);
void owners_event(struct fleet *f, const struct fleet_event *ev);
void owners_mend(struct fleet *f, uint32_t site);
enum look { LOOK_ALL, LOOK_VERIFY, LOOK_DNS };
/* Would a look find every name pointing here, and the held certificate on a server that answers? */
bool owners_is_in_order(const struct fleet *f, uint32_t site);
const struct evidence *owners_look(struct fleet *f, uint32_t site, enum look look);
/* --- faults.c: what breaks by chance --- */
void faults_begin(struct fleet *f);
void faults_event(struct fleet *f, const struct fleet_event *ev);
void faults_calm(struct fleet *f);
/* --- watch.c --- */
void watch_step(struct fleet *f, uint32_t site, const struct site_event *ev, enum doing before);
/* What watch_step() comes to in a step of quiet.c. */
void watch_look_in_order(struct fleet *f, uint32_t site, enum site_event_kind kind);
void watch_pointing(struct fleet *f, uint32_t site);
void watch_request(struct fleet *f, uint32_t row, enum acme_verb verb);
void watch_deploy(struct fleet *f, uint32_t site, const struct live_set *before, const struct deploy_of_fleet *d);
void watch_installer(struct fleet *f, uint32_t site, const struct deploy_of_fleet *d); /* it answers */
void watch_unread(struct fleet *f, uint32_t site); /* a letter never reached its owner */
void watch_limit(struct fleet *f, uint32_t site);
void watch_failure(struct fleet *f, uint32_t site, uint8_t ca, size_t name);
void watch_issue(struct fleet *f, uint32_t site, uint8_t ca, struct name_set names);
bool watch_clock_is_new(const struct fleet *f);
/* --- watch_cas.c --- */
int64_t watch_ca_clean_since(const struct fleet *f, uint32_t site, uint8_t ca);
int64_t watch_cas_clean_since(const struct fleet *f, uint32_t site);
bool watch_does_caa_let(const struct fleet *f, uint32_t site, uint8_t ca);
int64_t watch_caa_since(const struct fleet *f, uint32_t site); /* 0: ever */
void watch_choice(struct fleet *f, uint32_t site, uint8_t ca); /* an order goes there */
void watch_change(struct fleet *f, uint32_t site); /* it went over to another CA */
void watch_waiting(struct fleet *f);
int64_t watch_law_ms(const struct fleet *f, uint32_t site, uint8_t ca);
void watch_law(struct fleet *f, uint32_t site, uint8_t ca, int64_t until_ms); /* the CA named a date for new orders */
void watch_caa(struct fleet *f, uint32_t site); /* which CAs it lets issue has changed */
/* What the server hands out has changed. */
void watch_live(struct fleet *f, uint32_t site);
/* Has what the server hands out ended? Looked at by a sweep, and before it is replaced. */
void watch_expiry(struct fleet *f, uint32_t site);
void watch_sweep(struct fleet *f);
void watch_end(struct fleet *f);
void watch_keep_step(struct fleet *f, uint32_t site, enum site_event_kind kind, enum doing before);
void watch_print_steps(const struct fleet *f, struct buf *to);
#endif
