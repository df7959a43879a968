#ifndef KOSHIN_ENGINE_INSIDE_H
#define KOSHIN_ENGINE_INSIDE_H
/* What the files of the engine share; nobody else includes it. */
#include "core/budget.h"
#include "core/order.h"
#include "core/skew.h"
#include "engine/engine.h"
#include "ports/store/watch.h"
#include "words/words.h"

/*
 * One piece of work in the world, from the effect that wanted it to its answer. It lives on the heap with what it
 * has to remember; ports give it back as the argument of `done`, and it then waits in the inbox for the next turn.
 */
enum work_kind {
	WORK_CHECK,	/* probes: for a check or a verification */
	WORK_SITE_KEY,	/* key and CSR for an order */
	WORK_REQUEST,	/* one request to the CA */
	WORK_RENEWAL,	/* one question for renewal information */
	WORK_SET,	/* chain and key sealed for the installer */
	WORK_DEPLOY,	/* the installer */
	WORK_LETTER,	/* the mail server */
	WORK_ACCOUNT_KEY, WORK_SEAL_EAB, WORK_ACCOUNT, WORK_SNIPPET, /* an account at the CA, step by step */
};
/* A site was let in by its lane; draws: its order will count against what all share at the CA. */
struct claim {
	bool is_in, draws;
	enum lane lane;
};
struct work {
	struct work *next;
	struct work *older, *newer; /* all of the engine's work, wherever it is now */
	enum work_kind kind;
	struct engine *engine;
	int64_t site_id, order_id, letter_id, certificate_id;
	uint64_t job;
	bool is_cancelled; /* nobody waits any more: the answer is dropped */
	/* what was asked */
	bool is_verify, is_dns_only;
	struct deploy_job deploy;
	struct applied applied;
	struct str *names;
	size_t names_n;
	struct str sealed_key, chain_pem, from, to, message;
	struct acme_request request;
	unsigned tries;
	enum lane lane;	    /* SITE_KEY: the order's */
	bool has_room;	    /* SITE_KEY: it has a place in orders_room */
	struct claim claim; /* CHECK: by which it was let in */
	/* what was answered */
	enum err err;
	enum cause cause;
	bool is_reloading;
	struct evidence_box *evidence;
	struct acme_answer *answer;
	struct str profiles;
	bool has_renewal_info;
	struct str words, target, csr_der, set, thumbprint, url, caa_identity, terms;
	struct when retry_after;
	struct arena arena; /* holds the strings above */
};

/* An order under way, in memory; what is needed to go on is in its row. */
struct live_order {
	struct live_order *next_in_bucket;
	struct order order;
	struct arena keep;
	struct str sealed_key;
	int64_t ca_id;
	enum lane lane;
	unsigned new_orders; /* asked for: each counts at the CA */
	bool had_replaces;   /* it named the certificate that it replaces; the CA may have refused that */
	struct mono wake; /* INT64_MAX: none */
};
enum { ORDER_BUCKETS = 512, LETTERS_AT_ONCE = 4, POLL_WISHES_MS = 1000 };

struct queue {
	struct work *head, **tail;
	size_t n;
};

struct engine {
	const struct config *config;
	struct str eab_hmac;
	struct engine_ports ports;
	void (*log)(void *arg, const char *line);
	void *log_arg;

	struct queue inbox;	/* answers, for the next turn */
	struct queue acts;	/* decided in this turn, carried out after its commit */
	struct queue later;	/* a port was full: again in a later turn */
	struct queue orders_waiting[LANE_COUNT]; /* for room at the CA */
	struct lane_room orders_room; /* keys being made and orders open */
	struct lane_room lanes;	      /* from being let in to the end */
	struct lane_turns lane_turns, order_turns;
	struct claim claim;	      /* of the step that is being taken */
	size_t claims_checking, claims_drawing; /* checks of sites that were let in; of these, whose order will draw */
	unsigned lane_toggle;
	struct ca_budget *budgets;    /* in the order of the configuration */
	size_t budgets_n;
	struct budget_rules budget_none; /* of a CA that nothing is known of */
	struct when budget_tidy_at;
	struct work *newest;	/* every piece of work that is not freed yet */

	struct live_order *orders[ORDER_BUCKETS];
	size_t orders_n, checks_n, deploys_n, letters_n;
	int64_t letters_open[LETTERS_AT_ONCE];

	/* the CA */
	struct ca_row ca; /* strings in ca_arena */
	struct arena ca_arena;
	bool ca_is_loaded, ca_is_dirty, account_is_open, account_is_asked, snippet_is_written;
	unsigned account_failures;
	struct when account_at; /* next try */
	struct str addresses[LIMIT_ADDRESSES];

	/* What its directory offers; profiles with a space between two. */
	struct {
		bool has_renewal_info;
		char profiles[1024];
	} ca_offers;
	struct {
		size_t open;	  /* answers awaited */
		size_t in_second; /* asked since `second` */
		struct mono second;
		struct when at; /* nothing is due before; WHEN_UNKNOWN: look */
	} polls;
	size_t firsts[2];	/* first certificates in this half of a day, and in the one before */
	struct when firsts_since;

	int64_t pid;	 /* for the heartbeat */
	bool is_started; /* unfinished sites were taken up */
	int64_t started_after_id;
	struct span heartbeat_every;
	struct when heartbeat_at;
	uint64_t turns, late_answers;
	struct when learned_at[LEARNED_COUNT]; /* not yet written; WHEN_UNKNOWN: nothing new */

	struct skew skew;
	bool is_held;	  /* the date is not believed: nothing but signs of life */
	bool is_hold_new; /* and that is still to be written */
	bool is_witness_asked;
	struct mono witness_at;

	/* of the present turn */
	struct turn turn;
	struct policy policy;
	struct arena arena;
	bool is_in_transaction;
};

/* work.c */
struct work *work_new(struct engine *e, enum work_kind kind);
void work_free(struct work **w);
void queue_init(struct queue *q);
void queue_put(struct queue *q, struct work *w);
struct work *queue_take(struct queue *q);
/* Gives each piece of work to its port. Never inside a transaction. */
void engine_act(struct engine *e);
/* sites.c: one event for one site: load, step, save, and the effects into acts. A site that is gone is no error. */
MUST_USE enum err engine_step_site(struct engine *e, int64_t site_id, const struct site_event *ev);
/* orders.c */
MUST_USE enum err orders_begin(struct engine *e, struct site *s, const struct work *w); /* key and CSR are here */
MUST_USE enum err orders_resume(struct engine *e, const struct site *s, int64_t order_id, uint64_t job);
MUST_USE enum err orders_abandon(struct engine *e, int64_t site_id, int64_t order_id);
MUST_USE enum err orders_answer(struct engine *e, struct work *w);
MUST_USE enum err orders_wake(struct engine *e);
struct mono orders_next(const struct engine *e);
void orders_free(struct engine *e);
/* signs.c: the clock at the beginning of a turn; what an answer has taught; the heartbeat at its end. */
MUST_USE enum err signs_clock(struct engine *e);
void signs_note(struct engine *e, const struct work *w);
MUST_USE enum err signs_beat(struct engine *e);
/* renewals.c */
/* A certificate was stored and is held from now on: the CA is asked about it. */
MUST_USE enum err renewals_issued(struct engine *e, int64_t site_id, int64_t certificate_id, const struct certificate_info *info);
MUST_USE enum err renewals_turn(struct engine *e);
MUST_USE enum err renewals_answer(struct engine *e, const struct work *w);
struct when renewals_next(const struct engine *e);
/* budget.c: what the CA allows. open: asks, and holds or puts into s what stands in the way. */
enum budget_end { BUDGET_ISSUED, BUDGET_FAILED, BUDGET_UNSENT };
struct ca_budget {
	int64_t ca_id;
	struct budget_rules rules;
	struct rate learned[BUDGET_COUNT]; /* from a CA that publishes no limits */
};
/* Once for each CA of the configuration, the preferred one first. */
MUST_USE enum err budget_load(struct engine *e, int64_t ca_id, const struct config_ca *c);
/* For an order at this CA. */
struct budget_order_at {
	int64_t ca_id;
	const struct str *names;
	size_t names_n;
};
MUST_USE enum err budget_open(struct engine *e, struct site *s, const struct budget_order_at *o, bool *ret_passes);
MUST_USE enum err budget_close(struct engine *e, int64_t site_id, enum budget_end end, unsigned new_orders);
MUST_USE enum err budget_order_ended(struct engine *e, const struct live_order *o, bool is_issued);
MUST_USE enum err budget_refused(struct engine *e, const struct live_order *o, const struct finding *f, struct when retry_after);
/* New orders that pass now at the preferred CA, and the date of the next one when those that were let in have theirs. */
MUST_USE enum err budget_orders_left(struct engine *e, int64_t *ret_left, struct when *ret_next);
MUST_USE enum err budget_tidy(struct engine *e);
/* lanes.c */
MUST_USE enum err lanes_take_due(struct engine *e, bool *ret_is_more);
MUST_USE enum err lanes_next(struct engine *e, struct when *ret);
void lanes_enter(struct engine *e, struct work *w, enum lane l);
void lanes_leave(struct engine *e, enum lane l);
void lanes_check_begins(struct engine *e, struct work *w);
void lanes_check_ended(struct engine *e, const struct work *w);
struct work *lanes_next_order(struct engine *e); /* NULL: none waits, or there is no room */
/* letters.c */
MUST_USE enum err letters_write(struct engine *e, const struct site *s, const struct site_effect *fx);
MUST_USE enum err letters_send(struct engine *e);
MUST_USE enum err letters_answer(struct engine *e, const struct work *w);
/* account.c */
MUST_USE enum err account_load(struct engine *e);
MUST_USE enum err account_turn(struct engine *e);
MUST_USE enum err account_answer(struct engine *e, const struct work *w);
/* A failure that concerns the whole CA (its breaker), or a success that ends it. */
void account_ca_failed(struct engine *e, struct when retry_after);
void account_ca_works(struct engine *e);
void engine_log(struct engine *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#endif
