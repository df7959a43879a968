#ifndef KOSHIN_PORTS_STORE_STORE_H
#define KOSHIN_PORTS_STORE_STORE_H
/*
 * The store: facts, kept for ever. Verbs are intentions; the SQL is in sql/. One implementation now (SQLite in WAL
 * mode, ports/store/sqlite*.c), which also runs in memory for the simulator and tests (file ":memory:").
 *
 * Engine and web process each open it; they meet nowhere else. Engine writes: state of sites, orders, certificates,
 * findings, letters, history. Web writes: owners, new sites, settings, names, wishes. All strings that come out live in
 * the arena that was passed in. Every error has class LOCAL (the operator's) but NOT_FOUND, EXISTS, CONFLICT, BUSY, and
 * INVALID and TOO_LONG for an argument that cannot be stored. CORRUPT: a row or page is damaged, or has a word that this
 * version does not know. One thread at a time uses a store.
 *
 * A verb of several statements is a transaction of its own, or a part of the one that store_begin opened. After a
 * failure of a verb that writes inside that one, store_abandon is called; store_commit refuses what is half done.
 */
#include "base/arena.h"
#include "core/breaker.h"
#include "core/order.h"
#include "core/site.h"
#include "core/view.h"

struct store;
struct store_options {
	const char *file;
	bool is_readonly; /* doctor, and the lists of a command without a daemon */
	bool may_create;
	int busy_timeout_ms; /* how long another process's transaction is waited for; 0: 5 s */
	struct store *like; /* ":memory:" begins as a copy of this one, which need not be migrated again; NULL: empty */
};
/* NEWER: made by a newer version, not touched; nor is a file that is no store of ours (STORE). Runs the migrations of
 * sql/ in order, each in a transaction; a store that is opened read-only has to be up to date. */
MUST_USE enum err store_open(const struct store_options *o, struct why *why, struct store **ret);
void store_close(struct store **s);
/* Words of the last failure, for log and finding. */
const char *store_words(const struct store *s);
/* For sweeps: called before each statement that writes and before each commit; anything but OK makes that call fail
 * with it. NULL takes it away. */
void store_set_fault(struct store *s, enum err (*fault)(void *arg, const char *verb), void *arg);

MUST_USE enum err store_begin(struct store *s); /* IMMEDIATE */
MUST_USE enum err store_commit(struct store *s);
void store_abandon(struct store *s);

/* --- sites: the engine's side --- */
/* Ids of sites that are in the middle of something (doing != NOTHING): after a restart. */
MUST_USE enum err store_unfinished(struct store *s, int64_t after_id, int64_t *ret, size_t max, size_t *ret_n);
/* Everything of struct site: setting, renewal information and calendar of the held certificate (store_site_save does not
 * write these two), draft, names with served, open findings. Names: the wanted ones in their order, then
 * those that only the held certificate still has; LIMIT_SITE_NAMES at most. */
MUST_USE enum err store_site_load(struct store *s, int64_t id, struct arena *a, struct site *ret);
/* Writes state, names' state and findings (those not in the list any more are closed with gone_at = now). Setting, draft's
 * content and the list of names are the web's and are not written here, except draft.told_at. */
MUST_USE enum err store_site_save(struct store *s, const struct site *site, struct when now);
MUST_USE enum err store_draft_discard(struct store *s, int64_t site_id);
/* The engine's one word about a setting: free SSL takes over, as its owner had agreed. */
MUST_USE enum err store_source_put(struct store *s, int64_t site_id, enum source source);
/* Free SSL was given up, or stopped by the provider. The first time stays. */
MUST_USE enum err store_given_up_put(struct store *s, int64_t site_id, const struct given_up *g);
MUST_USE enum err store_given_up_drop(struct store *s, int64_t site_id);

/* Wishes of people: left by the web process, taken by the engine in the transaction that acts on them. */
struct wish {
	int64_t id, site_id;
	enum site_event_kind kind; /* ASKED_CHECK, ASKED_RENEW, CHANGED, REMOVED, RESUMED, IMPORTED, REVOKED */
};
MUST_USE enum err store_wish_put(struct store *s, int64_t site_id, enum site_event_kind kind, struct when now);
MUST_USE enum err store_wishes(struct store *s, struct wish *ret, size_t max, size_t *ret_n);
MUST_USE enum err store_wish_done(struct store *s, int64_t id);

/* --- orders and certificates --- */
struct order_row {
	int64_t id, site_id, ca_id;
	uint64_t job;
	enum order_phase phase;
	struct str url, finalize_url, certificate_url, sealed_key, csr_der, replaces, profile;
	struct str *names;
	size_t names_n;
	struct when created;
	bool is_open;	  /* not finished, not abandoned */
};
MUST_USE enum err store_order_put(struct store *s, const struct order_row *o, int64_t *ret_id);
/* Phase and URLs, and what the CA has left of the offers (replaces, profile). */
MUST_USE enum err store_order_save(struct store *s, const struct order *o, struct when now);
MUST_USE enum err store_order_close(struct store *s, int64_t id, enum order_phase phase, struct when now);
MUST_USE enum err store_order_load(struct store *s, int64_t id, struct arena *a, struct order_row *ret);
MUST_USE enum err store_orders_open(struct store *s, struct arena *a, struct order_row **ret, size_t *ret_n);

struct certificate_row {
	int64_t id, site_id, ca_id, order_id;
	struct certificate_info info; /* names too */
	struct str chain_pem, sealed_key;
	struct when created;
	bool is_archived;
	bool is_own; /* its owner brought it; no CA of ours, no order */
};
/* Archives the site's earlier ones that are neither live (proven, or still handed out for a name) nor the new one. */
MUST_USE enum err store_certificate_put(struct store *s, const struct certificate_row *c, int64_t *ret_id);
MUST_USE enum err store_certificate_load(struct store *s, int64_t id, struct arena *a, struct certificate_row *ret);
/* The newest that the owner brought. NOT_FOUND without one. */
MUST_USE enum err store_certificate_own(struct store *s, int64_t site_id, struct arena *a, struct certificate_row *ret);
/* Newest first, LIMIT_PAGE_ROWS at most. */
MUST_USE enum err store_certificates_of(struct store *s, int64_t site_id, struct arena *a, struct certificate_row **ret, size_t *ret_n);

/* --- renewal information (RFC 9773) --- */
struct renewal_row {
	int64_t site_id, certificate_id, ca_id;
	struct renewal renewal;
	unsigned oddities;	/* answers that could not be used */
	struct when issued_at;	/* when the certificate was stored; read only */
};
/* Of the site's held certificate; takes the place of the one before. */
MUST_USE enum err store_renewal_put(struct store *s, const struct renewal_row *r);
struct renewal_due {
	int64_t site_id, certificate_id;
	struct str ari_id;
	bool is_removed; /* the site */
	bool is_wanted;	 /* false: removed, switched off, or another certificate is held: nothing to ask */
};
/* Those of this CA whose poll is due, earliest first. */
MUST_USE enum err store_renewals_due(struct store *s, int64_t ca_id, struct when now, size_t max, struct arena *a, struct renewal_due **ret, size_t *ret_n);
MUST_USE enum err store_renewal_load(struct store *s, int64_t site_id, struct arena *a, struct renewal_row *ret);
MUST_USE enum err store_renewal_put_off(struct store *s, int64_t site_id, struct when poll_at);
MUST_USE enum err store_renewal_drop(struct store *s, int64_t site_id);
/* The earliest poll; WHEN_NEVER without one. */
MUST_USE enum err store_renewals_next(struct store *s, int64_t ca_id, struct when *ret);
/* How long this CA's certificates of a profile live; life 0 before the first one. */
MUST_USE enum err store_calendar_load(struct store *s, int64_t ca_id, struct str profile, struct calendar *ret);
MUST_USE enum err store_calendar_put(struct store *s, int64_t ca_id, struct str profile, const struct calendar *c);

/* --- letters: the outbox --- */
struct letter_row {
	int64_t id, site_id, owner_id;
	enum letter_kind kind;
	struct str key;	       /* idempotency: "SITE/KIND/STORY…"; a second put with the same key is OK and changes nothing */
	struct str message_id; /* stable: made from the key */
	struct str to, subject, body, message; /* message: whole RFC 5322 text */
	struct when created, next_try, sent_at; /* sent_at WHEN_UNKNOWN: waiting; next_try WHEN_NEVER: given up (bounced) */
	unsigned tries;
	struct str error;
	struct when bounced_at; /* a mail server came back with it later; read only */
	struct str bounce;	/* and with these words */
};
MUST_USE enum err store_letter_put(struct store *s, const struct letter_row *l);
MUST_USE enum err store_letters_due(struct store *s, struct when now, size_t max, struct arena *a, struct letter_row **ret, size_t *ret_n);
MUST_USE enum err store_letters_next(struct store *s, struct when *ret); /* earliest next_try of those that wait */
MUST_USE enum err store_letter_sent(struct store *s, int64_t id, struct when now);
MUST_USE enum err store_letter_failed(struct store *s, int64_t id, struct str error, struct when next_try);
/* A letter that did not arrive goes to the first other person of its owner, once; to is empty where there is nobody, or it went already.
 * Its message is empty: who sends it makes it of subject and body. */
struct letter_passed {
	int64_t site_id;
	enum letter_kind kind;
	struct str to;
};
MUST_USE enum err store_letter_pass_on(struct store *s, int64_t id, struct when now, struct arena *a, struct letter_passed *ret);
/* How the key and the Message-ID of such a copy end and begin. */
#define LETTER_SECOND_KEY "/second"
#define LETTER_SECOND_ID "second."
/* Those of an owner's sites that did not arrive and were not read since, newest first. */
MUST_USE enum err store_letters_lost(
    struct store *s, int64_t owner_id, size_t max, struct arena *a, struct letter_row **ret, size_t *ret_n);
/* NOT_FOUND: no letter of this owner. */
MUST_USE enum err store_letter_read(struct store *s, int64_t id, int64_t owner_id, struct when now);
/* Newest first, LIMIT_PAGE_ROWS at most. */
MUST_USE enum err store_letters_of(struct store *s, int64_t site_id, struct arena *a, struct letter_row **ret, size_t *ret_n);

/* --- history --- */
struct history_row {
	int64_t id, site_id;
	struct when at;
	enum history_kind kind;
	struct str by;	    /* who: "koshin", a person's mail, "command" */
	struct str subject; /* a name, a cause id … */
	struct str detail;
};
MUST_USE enum err store_history_put(struct store *s, const struct history_row *h);
/* Newest first, before this id (0: from the newest); site_id 0: of all sites. */
MUST_USE enum err store_history(struct store *s, int64_t site_id, int64_t before_id, size_t max, struct arena *a, struct history_row **ret, size_t *ret_n);

/* Oldest first, after this id. */
MUST_USE enum err store_history_after(struct store *s, int64_t site_id, int64_t after_id, size_t max, struct arena *a, struct history_row **ret, size_t *ret_n);

/* --- CAs --- */
struct ca_row {
	int64_t id;
	struct str name, directory, contact, bundle, preferred_issuer;
	struct str sealed_key, thumbprint, account_url, eab_kid, eab_sealed_hmac;
	struct str caa_identity, terms;
	bool is_added;		/* by `koshin ca add`; otherwise from the configuration */
	bool is_used;		/* false: taken out of the configuration */
	unsigned position;	/* order of preference, 0 first, among those that are used */
	struct breaker breaker;
	struct when unblock_asked; /* the operator says that the account is not blocked any more; store_ca_put does not write it */
	struct str error; /* why there is no account, or why it could not be changed; empty: all well */
	/* from its directory; lists with a space between two */
	struct str profiles, caa_identities;
	bool has_renewal_info, eab_required;
	struct str key_change; /* URL; empty: keys of accounts cannot be changed there */
	struct when directory_at; /* read; WHEN_UNKNOWN: never */
	/* a rollover: wanted, then (with its key) under way */
	struct when rollover_asked; /* store_ca_put does not write it */
	struct str next_sealed_key, next_thumbprint;
	struct when rolled_at;
	/* the rehearsal: the next one; the last one and the last good one; why the last one failed */
	struct when canary_at, canary_done_at, canary_ok_at;
	struct str canary_error;
};
/* A row in which nothing has happened yet. */
#define CA_ROW_NEW                                                                                                     \
	((struct ca_row){ .breaker = BREAKER_CLOSED_FOREVER,                                                           \
	    .directory_at = WHEN_UNKNOWN,                                                                              \
	    .unblock_asked = WHEN_UNKNOWN,                                                                             \
	    .rollover_asked = WHEN_UNKNOWN,                                                                            \
	    .rolled_at = WHEN_UNKNOWN,                                                                                 \
	    .canary_at = WHEN_UNKNOWN,                                                                                 \
	    .canary_done_at = WHEN_UNKNOWN,                                                                            \
	    .canary_ok_at = WHEN_UNKNOWN })
/* By name: inserts or updates. FULL beyond SITE_CAS_MAX. */
MUST_USE enum err store_ca_put(struct store *s, const struct ca_row *c, int64_t *ret_id);
/* In order of preference. */
MUST_USE enum err store_cas(struct store *s, struct arena *a, struct ca_row **ret, size_t *ret_n);
/* Another number after a CA was added, a rollover was asked for or an account is said to be unblocked. */
MUST_USE enum err store_ca_mark(struct store *s, int64_t *ret);
MUST_USE enum err store_ca_ask_rollover(struct store *s, struct str name, struct when now);
MUST_USE enum err store_ca_ask_unblock(struct store *s, struct str name, struct when now);
MUST_USE enum err store_ca_rollover_taken(struct store *s, int64_t id);
MUST_USE enum err store_ca_unblock_taken(struct store *s, int64_t id);
/* The thumbprint with which a token is answered where it is not that of the first CA's account; kept for a week.
 * NOT_FOUND: no such token. */
MUST_USE enum err store_token_put(struct store *s, struct str token, struct str thumbprint, struct when now);
MUST_USE enum err store_token_find(struct store *s, struct str token, struct arena *a, struct str *ret);

/* --- the web's side --- */
struct owner_row {
	int64_t id;
	struct str mail;
	struct str lang; /* "ja", "en" */
};
/* Finds by mail or inserts. */
MUST_USE enum err store_owner_put(struct store *s, const struct owner_row *o, struct when now, int64_t *ret_id);
MUST_USE enum err store_owner_load(struct store *s, int64_t id, struct arena *a, struct owner_row *ret);
/* EXISTS when a name is in a site already: ret_other is that site. The site's wake is now. */
MUST_USE enum err store_site_add(struct store *s, int64_t owner_id, const struct setting *setting, const struct str *names,
    size_t names_n, struct when now, int64_t *ret_id, int64_t *ret_other);
/* By any wanted name of a site that is not removed. */
MUST_USE enum err store_site_find(struct store *s, struct str name, int64_t *ret_id);
/* A site without a date for its next step gets one at once if it now has a source (P2). */
MUST_USE enum err store_setting_put(struct store *s, int64_t site_id, const struct setting *setting);
MUST_USE enum err store_draft_put(struct store *s, int64_t site_id, const struct draft *d);
/* Makes the set of wanted names exactly this; others become unwanted (their state is kept). EXISTS: in another site. */
MUST_USE enum err store_names_put(struct store *s, int64_t site_id, const struct str *names, size_t names_n);
/*
 * Lists of sites that are not removed. Without a filter and by standing: in order of their first name; else in the order in which
 * they were added; the urgent ones (core/view.h) first where visitors are warned, then by the date from which they will be. A row that others come or go before keeps its place, so pages neither repeat nor miss one.
 */
struct store_list {
	struct str after;  /* cursor of the last row before; empty: from the start. INVALID: of a list in another order */
	struct str search; /* part of a name (either form) or of the owner's mail; under three characters: how one begins */
	enum site_standing standing; /* SITE_STANDING_COUNT: any */
	enum cause cause;	     /* has it among its findings; CAUSE_NONE: any */
	int64_t owner_id;	     /* 0: any */
	bool is_urgent;		     /* at this date; standing is of no matter then */
	struct when now;
};
#define STORE_LIST_ALL ((struct store_list){ .standing = SITE_STANDING_COUNT, .cause = CAUSE_NONE })
struct store_listed {
	int64_t id;
	struct str name, cursor;
};
MUST_USE enum err store_sites(struct store *s, const struct store_list *l, size_t max, struct arena *a, struct store_listed **ret, size_t *ret_n);
MUST_USE enum err store_owner_find(struct store *s, struct str mail, int64_t *ret_id);
/* Whose it is. NOT_FOUND. */
MUST_USE enum err store_site_owner(struct store *s, int64_t site_id, int64_t *ret_owner_id);

/* --- for /metrics and doctor --- */
struct store_counts {
	int64_t sites, certificates_held, orders_open, letters_waiting, letters_given_up, letters_bounced, questions_open, findings_open;
	int64_t sites_overdue; /* due for ten minutes and more: the engine does not keep up */
	int64_t ending_within_d[5]; /* held certificates that end within 0 (are past), 1, 3, 7, 14 days */
	struct { enum cause cause; int64_t n; } causes[CAUSE_COUNT];
	size_t causes_n;
};
MUST_USE enum err store_count(struct store *s, struct when now, struct store_counts *ret);
/* Integrity of the store itself (foreign keys, damaged pages, rows that break the schema's promises); one line each. */
MUST_USE enum err store_verify(struct store *s, struct buf *ret_lines);
/* Heartbeats of processes: written at each start and every minute. */
MUST_USE enum err store_heartbeat_put(struct store *s, struct str process, int64_t pid, struct when now);
struct heartbeat_row { struct str process; int64_t pid; struct when at; };
MUST_USE enum err store_heartbeats(struct store *s, struct arena *a, struct heartbeat_row **ret, size_t *ret_n);
/* How often a CA's text was not understood, kept raw for the operator: the newest LIMIT_UNCLASSIFIED_ROWS of them. */
MUST_USE enum err store_unclassified_put(struct store *s, struct str type, struct str text, struct when now);
struct unclassified_row {
	struct str type; /* the cause that it fell back to */
	struct str text; /* empty in a count */
	struct when first_seen, last_seen;
	int64_t times_seen;
};
/* One row for each type, with the sum of what is kept. */
MUST_USE enum err store_unclassified_count(struct store *s, struct arena *a, struct unclassified_row **ret, size_t *ret_n);
/* The last seen first, at most max. */
MUST_USE enum err store_unclassified_list(struct store *s, size_t max, struct arena *a, struct unclassified_row **ret, size_t *ret_n);
#endif
