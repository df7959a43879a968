#ifndef KOSHIN_ENGINE_INSIDE_H
#define KOSHIN_ENGINE_INSIDE_H
/* What the files of the engine share; nobody else includes it. */
#include "core/budget.h"
#include "core/order.h"
#include "core/skew.h"
#include "core/lease.h"
#include "base/limits.h"
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
	WORK_REVOKE,	/* one revocation */
	WORK_SET,	/* chain and key sealed for the installer */
	WORK_DEPLOY,	/* the installer */
	WORK_RECORD,	/* an address into a zone of ours */
	WORK_LETTER,	/* the mail server */
	WORK_ACCOUNT_KEY, WORK_SEAL_EAB, WORK_ACCOUNT, WORK_SNIPPET, /* an account at a CA, step by step */
	WORK_NEXT_KEY, WORK_FIND_KEY, WORK_SIGN_CHANGE, WORK_KEY_CHANGE, /* and its next key */
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
	int64_t site_id, order_id, letter_id, certificate_id, ca_id;
	uint64_t job;
	bool is_cancelled; /* nobody waits any more: the answer is dropped */
	/* what was asked */
	bool is_verify, is_dns_only, wants_views;
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
	struct str words, target, csr_der, set, thumbprint, url, json, problem_type;
	struct acme_directory directory; /* strings in the arena */
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
enum { ORDER_BUCKETS = 512, LETTERS_AT_ONCE = 4, REVOKES_AT_ONCE = 4, POLL_WISHES_MS = 1000 };

struct queue {
	struct work *head, **tail;
	size_t n;
};

/* One CA in use. Each step of its account is stored before the next. */
struct engine_ca {
	struct ca_row row; /* strings in arena */
	struct arena arena;
	struct str eab_hmac; /* the configuration's, until it is sealed */
	bool is_dirty;	     /* row.breaker has changed */
	bool is_block_new;   /* the account is blocked, and no alarm says so yet */
	bool is_open, is_asked;
	unsigned failures; /* of opening the account, in a row */
	struct when at;	   /* next try */
	struct when forgotten_at; /* the CA last did not know its account; WHEN_UNKNOWN: never */
	size_t orders_n;   /* under way there, and keys that are made for others */
	struct when revokes_at; /* nothing is to be revoked before; WHEN_UNKNOWN: look */
	struct when polls_at; /* no question for renewal information is due before; WHEN_UNKNOWN: look */
	struct roll {
		bool is_asked;	  /* something of it is under way */
		bool is_held;	  /* nothing new is begun here meanwhile */
		bool is_old_known; /* the CA has said that it does not know the next key */
		bool is_refused;  /* the CA refused the change, and `words` says why */
		unsigned failures;
		struct when at; /* next try */
		struct buf words;
	} roll;
	bool canary_is_out;
};
/* What the web servers answer challenges with. `wanted` follows the accounts; a CA is used once it is written. */
struct snippet {
	char thumbprint[64];
	bool is_table; /* several accounts: the web process knows which is asked */
	bool is_written, is_asked;
	unsigned failures;
	struct when at;
};

struct engine {
	const struct config *config;
	const struct str *eab_hmacs;
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
	int64_t letters_open[LETTERS_AT_ONCE], revokes_open[REVOKES_AT_ONCE];

	/* CAs in order of preference, and the answer to challenges that they share */
	struct engine_ca *cas[LIMIT_CAS];
	struct policy_ca policy_cas[LIMIT_CAS];
	size_t cas_n;
	bool cas_are_loaded;
	int64_t cas_mark;
	struct snippet snippet;
	struct str addresses[LIMIT_ADDRESSES], zones[LIMIT_UPDATE_ZONES];

	struct {
		size_t open;	  /* answers awaited */
		size_t in_second; /* asked since `second` */
		struct mono second;
	} polls;
	struct when empty_log_at; /* keys were destroyed, and the log of the store has what they were; WHEN_NEVER: it has nothing */
	size_t firsts[2];	/* first certificates in this half of a day, and in the one before */
	struct when firsts_since;

	int64_t pid;	 /* for the heartbeat */
	bool is_started; /* unfinished sites were taken up */
	int64_t started_after_id;
	struct span heartbeat_every;
	struct when heartbeat_at;
	bool is_place_silent[LIMIT_VANTAGES]; /* vantage points, in the order of the configuration */
	uint64_t turns, late_answers;
	struct when learned_at[LEARNED_COUNT]; /* not yet written; WHEN_UNKNOWN: nothing new */

	struct mass mass;
	struct when mass_at; /* next look at all sites together */
	bool has_incident;   /* the last one found something for the status page */
	size_t found_n;	      /* findings that are new since the last one */

	struct skew skew;
	bool is_held;	  /* the date is not believed: nothing but signs of life */
	bool is_hold_new; /* and that is still to be written */
	bool is_moving;	  /* the clock was set, and there are sites whose dates are by that of before */
	int64_t moved_after_id;
	bool is_witness_asked;
	struct mono witness_at;

	/* of the present turn */
	struct turn turn;
	struct policy policy;
	struct arena arena;
	struct lease lease;
	struct str holder;
	bool (*is_gone)(struct str holder);
	bool has_acted; /* what is in memory is of the store as it was then */
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
MUST_USE enum err orders_begin_canary(struct engine *e, const struct work *w);
MUST_USE enum err orders_resume(struct engine *e, const struct site *s, int64_t order_id, uint64_t job);
MUST_USE enum err orders_abandon(struct engine *e, int64_t site_id, int64_t order_id);
MUST_USE enum err orders_answer(struct engine *e, struct work *w);
MUST_USE enum err orders_wake(struct engine *e);
struct mono orders_next(const struct engine *e);
void orders_free(struct engine *e);
/* signs.c: the clock at the beginning of a turn; what an answer has taught; the heartbeat at its end. */
MUST_USE enum err signs_clock(struct engine *e);
/* lease.c: which of several engines on one store acts. In the transaction of a turn: may this one decide anything? CONFLICT: it held the
 * lease, and another has it now. */
MUST_USE enum err lease_begin(struct engine *e, bool *ret_stands_by);
/* Just before the commit: it holds the lease still, under the same number. */
MUST_USE enum err lease_check(struct engine *e);
void signs_note(struct engine *e, const struct work *w);
MUST_USE enum err signs_beat(struct engine *e);
/* dates.c: what the store says of the clock; then, when it was set: everything but sites, and a part of the sites. */
MUST_USE enum err dates_load(struct engine *e);
MUST_USE enum err dates_move(struct engine *e);
MUST_USE enum err dates_move_sites(struct engine *e);
/* renewals.c */
/* A certificate was stored and is held from now on: the CA is asked about it. */
MUST_USE enum err renewals_issued(struct engine *e, int64_t site_id, int64_t certificate_id, int64_t ca_id,
    const struct certificate_info *info);
MUST_USE enum err renewals_turn(struct engine *e);
MUST_USE enum err renewals_answer(struct engine *e, const struct work *w);
struct when renewals_next(const struct engine *e);
/* budget.c: what the CA allows. open: asks, and holds or puts into s what stands in the way. */
enum budget_end { BUDGET_ISSUED, BUDGET_FAILED, BUDGET_UNSENT };
struct ca_budget {
	int64_t ca_id;
	struct budget_rules rules;
	struct budget_override *overrides; /* of rules; texts are the configuration's */
	struct rate learned[BUDGET_COUNT]; /* from a CA that publishes no limits */
};
/* Once for each CA of the configuration, the preferred one first. */
void budget_fini(struct engine *e);
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
/* An order that no site has is counted ahead, if there is a place for it; and what it asked for more often than once. */
MUST_USE enum err budget_rehearse(struct engine *e, int64_t ca_id, bool *ret_has_place);
MUST_USE enum err budget_rehearsed(struct engine *e, int64_t ca_id, unsigned new_orders);
/* Nobody knows whether the CA has taken an order whose answer was lost with an engine: it is counted, and what the site holds is for the
 * next try. False: there is no place for another one. */
MUST_USE enum err budget_ask_again(struct engine *e, int64_t site_id, int64_t ca_id, bool *ret_has_place);
MUST_USE enum err budget_orders_left(struct engine *e, int64_t *ret_left, struct when *ret_next);
MUST_USE enum err budget_tidy(struct engine *e);
/* own.c: the certificate that the owner has brought is taken; requests for such ones end. */
MUST_USE enum err own_take(struct engine *e, int64_t site_id);
MUST_USE enum err own_tidy(struct engine *e);
/* revocations.c: certificates that were given up for good (core/revocation). */
MUST_USE enum err revocations_destroy(struct engine *e, const struct site *s, const struct site_effect *fx);
MUST_USE enum err revocations_turn(struct engine *e);
MUST_USE enum err revocations_answer(struct engine *e, const struct work *w);
struct when revocations_next(const struct engine *e);
/* After a commit: nothing of destroyed keys stays in the log of the store. */
void revocations_empty_log(struct engine *e);
/* lanes.c */
MUST_USE enum err lanes_take_due(struct engine *e, bool *ret_is_more);
MUST_USE enum err lanes_next(struct engine *e, struct when *ret);
void lanes_enter(struct engine *e, struct work *w, enum lane l);
void lanes_leave(struct engine *e, enum lane l);
void lanes_check_begins(struct engine *e, struct work *w);
void lanes_check_ended(struct engine *e, const struct work *w);
struct work *lanes_next_order(struct engine *e); /* NULL: none waits, or there is no room */
/* mass.c: before the steps of a turn. */
MUST_USE enum err mass_look(struct engine *e);
/* letters.c */
MUST_USE enum err letters_write(struct engine *e, const struct site *s, const struct site_effect *fx);
/* One letter on its way into the outbox; site_id 0: to somebody without a site. */
struct letter_out {
	struct letter_facts facts;
	struct words_context ctx;
	int64_t site_id, owner_id;
	struct str to, key, message_id, references;
};
/* The same key again changes nothing. */
MUST_USE enum err letters_put(struct engine *e, const struct letter_out *o);
/* local@ the sender's domain. */
struct str letters_message_id(struct engine *e, struct str local);
/* engine/answers.c: what support has answered becomes letters. */
MUST_USE enum err answers_write(struct engine *e);
MUST_USE enum err letters_send(struct engine *e);
MUST_USE enum err letters_answer(struct engine *e, const struct work *w);
/* account.c */
MUST_USE enum err account_load(struct engine *e);
MUST_USE enum err account_turn(struct engine *e);
MUST_USE enum err account_answer(struct engine *e, struct work *w);
/* NULL: it is not in use any more. */
struct engine_ca *account_ca(const struct engine *e, int64_t ca_id);
struct str account_thumbprint(const struct engine *e); /* of the first CA's account; empty before it has a key */
struct str account_answer_at(const struct engine *e); /* of the web process, where it has to know; else empty */
MUST_USE enum err account_save(struct engine *e, struct engine_ca *ca, const struct ca_row *row);
/* e->policy speaks of the CAs as they are now. */
void account_policy(struct engine *e);
/* The policy for one of them. */
struct policy account_policy_of(const struct engine *e, int64_t ca_id);
struct work *account_work(struct engine *e, const struct engine_ca *ca, enum work_kind kind);
/* May requests be signed for it now? */
bool account_may_ask(const struct engine_ca *ca);
/* WHEN_UNKNOWN: a CA can be asked now; else the first date on which one can, WHEN_NEVER if that is no matter of time. */
struct when account_shut_until(const struct engine *e);
/* The first CA was ill, and the next order finds out whether it is well. */
bool account_is_probed(const struct engine *e);
struct when account_next(const struct engine *e);
void accounts_free(struct engine *e);
/* What the end of an order tells of its CA: its breaker. */
void account_ca_took(struct engine *e, int64_t ca_id); /* an order goes there */
void account_ca_works(struct engine *e, int64_t ca_id);
void account_ca_failed(struct engine *e, int64_t ca_id, const struct finding_list *failures, struct when retry_after);
/* The CA does not know the account that was opened there (it has lost it, or was made anew): it is opened again with the same
 * key, which is the same account wherever the CA knows the key (RFC 8555 7.3.1). Once an hour at most: else it is the operator's. */
MUST_USE enum err account_forgotten(struct engine *e, int64_t ca_id);
/* blocked.c: the CA has blocked the account. begin: it has just said so, among these failures */
void blocked_begin(struct engine *e, struct engine_ca *ca, const struct finding_list *failures);
MUST_USE enum err blocked_turn(struct engine *e, struct engine_ca *ca);
struct when blocked_next(const struct engine_ca *ca); /* WHEN_NEVER unless it is blocked */
/* rollover.c: the account's key is changed (RFC 8555 7.3.5) */
MUST_USE enum err rollover_turn(struct engine *e, struct engine_ca *ca);
MUST_USE enum err rollover_answer(struct engine *e, struct engine_ca *ca, struct work *w);
struct when rollover_next(const struct engine *e, const struct engine_ca *ca);
/* canary.c: an order for a name of the operator's own rehearses a CA that is not the first */
MUST_USE enum err canary_turn(struct engine *e, size_t index);
/* failure NULL: it went well. retry_after: the CA's own word, WHEN_UNKNOWN without one. */
MUST_USE enum err canary_ended(struct engine *e, int64_t ca_id, const struct finding *failure, struct when retry_after);
struct when canary_next(const struct engine *e, size_t index);
void engine_log(struct engine *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#endif
