#ifndef KOSHIN_CORE_SITE_H
#define KOSHIN_CORE_SITE_H
/*
 * The decision about one site: site_step(facts, event, turn) -> facts' + effects. Pure: no clock, no system
 * call, no memory but the arena that the caller passes in.
 *
 *                 a date, a wish                      pass, and due
 *     NOTHING ----------------------> CHECK ---------------------------> ORDER
 *      ^  ^ |                          |  nothing to order                 | issued
 *      |  | | applied != desired       v                                  v
 *      |  | +-----------------------> DEPLOY <------------------------------
 *      |  |   failed: old one stays    | deployed
 *      |  +----------------------------+-------> VERIFY --+ seen, or not: try again at a date
 *      +--------------------------------------------------+
 *
 * Guaranteed in each state:
 *   NOTHING  no effect of this site is under way; wake is the next date and is in the future.
 *   CHECK    probes are under way under the id `job`; nothing is open at the CA.
 *   ORDER    exactly one order is open (order_id); the held certificate is untouched.
 *   DEPLOY   the installer has the whole wanted state; what is live stays live until it answers.
 *   VERIFY   a handshake is under way to prove what visitors receive.
 * Every state but NOTHING has a longest wait (core/doing.tbl); the wake date is never WHEN_NEVER for a site
 * that wants a certificate (P2).
 */
#include "base/arena.h"
#include "base/limits.h"
#include "core/acme.h"
#include "core/certificate.h"
#include "core/evidence.h"
#include "core/finding.h"
#include "core/mass.h"
#include "core/memory.h"
#include "core/calendar.h"
#include "core/lane.h"
#include "core/lifetime.h"
#include "core/renewal.h"
#include "core/revocation.h"
#include "core/setting.h"

enum doing {
#define DOING(symbol, word, waits_for, longest_s) DOING_##symbol,
#include "core/doing.tbl"
#undef DOING
	DOING_COUNT
};
const char *doing_name(enum doing d);
bool doing_of_name(struct str s, enum doing *ret); /* false for a word that is not in the table */

/* What the last handshake for one name showed, over all its addresses: the worst of them. */
struct served {
	struct when at;	       /* WHEN_UNKNOWN before the first handshake */
	bool is_ok;	       /* valid at that time, has the name, chain leads to a root, on every address */
	bool is_held;	       /* it is the certificate that we hold, on every address of ours */
	struct when not_after; /* earliest end over the addresses; WHEN_UNKNOWN if none was shown */
	uint8_t fingerprint[FINGERPRINT_BYTES]; /* of the worst; zeros if none */
};

struct site_name {
	int64_t id;
	struct str name;    /* ASCII form (xn--) */
	bool is_wanted;
	bool is_held;	    /* the held certificate has it */
	uint32_t caa_refuses; /* bit of each CA (site_ca_bit) that the CAA records of the last check keep out */
	struct when passed_at;	  /* last check without a blocking finding; WHEN_UNKNOWN before */
	struct when refused_until; /* the CA refused it: not asked for again before; past or WHEN_UNKNOWN: it may be */
	struct when validated_at; /* last time that a CA issued for it through us; WHEN_UNKNOWN before */
	struct served served;
};

struct held {
	int64_t id; /* 0: none */
	struct life life;
	uint8_t fingerprint[FINGERPRINT_BYTES];
	bool is_live; /* a handshake has proven it since it was staged */
	bool is_own;	/* its owner brought it from another issuer: it is not renewed by itself */
	bool is_spread; /* a first one among many of the same day: its renewal is spread wide */
};

/* What the installer was last told to put on the server, as a digest; equal means nothing to do. */
#define DIGEST_UNKNOWN UINT64_MAX /* what is there is not what was put there: all is told again */
struct applied {
	uint64_t digest; /* 0: nothing yet */
	uint16_t redirect; /* 0, or the status 307 / 308 that is set */
	bool hsts;
};

struct site {
	int64_t id;
	int64_t owner_id;
	struct setting setting;
	struct draft draft;
	const struct given_up *given_up; /* NULL: it was not */
	struct site_name *names; /* first: the name that the site goes by */
	size_t names_n;
	struct memory *memory; /* one for each of names, in their order; NULL: none is kept */
	struct finding_list findings; /* open ones; subject tells the name */

	enum doing doing;
	bool asked_check : 1, asked_renew : 1;
	bool is_removed : 1;
	bool is_revoking : 1; /* what is held is given up for good as soon as our redirect has let go */
	/* the story that letters tell */
	bool story_open : 1;	/* act, a reminder or expired was told and not yet resolved */
	bool expired_told : 1;
	bool issued_told : 1;
	bool waits_turn : 1; /* not stored, as limits below: nothing is left of what all sites share */
	uint8_t reminders_told; /* reminders passed in this story; LIFE_REMINDERS + 1: the end was noted too */
	uint8_t limits_ca_id; /* not stored, as limits below: the CA that they are of; 0: there is one CA alone */
	uint8_t put_backs; /* in a row: another hand had replaced what was in place, and it was put back, last at deploy_at (core/site_mend) */
	struct when doing_since;
	uint64_t job; /* id of the last effect: counts up; in NOTHING no answer is awaited */

	struct held held;
	struct renewal renewal;	  /* of the held one; the engine's polls write it, a step only reads it */
	struct calendar calendar; /* of the held one's CA and profile; read only, as renewal */
	int64_t order_id;	/* the open order, 0 without one */
	struct when retry_at;	  /* no new order before; WHEN_UNKNOWN: no failure */
	unsigned order_failures;  /* in a row */
	bool retry_is_law;	  /* the CA named that date (Retry-After): no wish of a person shortens it */
	uint8_t ca_id; /* the CA that it is with now; 0: the first in order of preference, as after each certificate */
	uint8_t left_ca_id; /* the CA that it was with before, 0: none; retry_at and retry_is_law as they were left there: */
	bool left_is_law;
	struct when left_at;
	struct when checked_at;	  /* last finished check of everything */
	struct when look_at;	  /* next check */
	unsigned deploy_failures; /* in a row */
	unsigned verify_failures; /* in a row */
	struct when deploy_at;	  /* no new deploy before; without failures: a reload has settled then */
	struct applied applied;
	unsigned renewals_good;	  /* proven issues in a row; 308 and HSTS from the third */
	uint32_t jitter;	  /* fixed at issue: spreads renewal dates */
	struct when letter_at;	/* last letter of the story; WHEN_UNKNOWN before */

	struct when wake; /* next date on which anything can happen by itself */
	struct span clock; /* by which clock all dates of ours above are: policy.clock of the last step (core/site_clock) */

	/* Not stored: what the CA's budget says of the order that this very step would begin (core/budget). */
	struct finding_list limits; /* names, or the whole site, for which it would be refused now */
};

/* One CA, as far as decisions about a site need it. */
struct policy_ca {
	int64_t id;
	struct str name;
	struct str issuer;	/* CAA identity ("letsencrypt.org"), for the value to copy */
	struct str issuers;	/* all of them, with a space between two; empty: the one above alone */
	struct str account_url; /* for the CAA parameter accounturi; empty before an account exists */
	struct when not_before; /* it asked to wait, or its breaker is open; WHEN_UNKNOWN: go */
	struct when ill_since;	/* its breaker is not closed; WHEN_UNKNOWN: well */
	bool is_ready;		/* an account exists */
	bool is_blocked;	 /* it has blocked the account, in these words; a person of ours has to end that */
	struct str blocked_words;
	bool is_doubtful;	/* the last thing known of it is a failure of its own */
};
/* What decisions need to know of the installation. */
struct policy {
	struct span look_every;	       /* healthy site: 1 day */
	struct span poll_min, poll_max; /* while the owner is mending DNS: 30 s, 15 min */
	struct span processing_max;	/* an order that the CA has taken the CSR of ends then; 0: ten minutes */
	struct span draft_tell_after, draft_discard_after; /* 7 and 30 days */
	const struct policy_ca *cas; /* in order of preference; the fields below are one of them: see site_ca_use() */
	size_t cas_n;
	struct span reserve_after; /* so long the first CA has to be ill before a first certificate goes to another */
	int64_t ca_id;
	struct when ca_not_before;	/* the CA asked to wait, or its breaker is open; WHEN_UNKNOWN: go */
	bool ca_is_ready;		/* an account exists */
	bool remembers;			/* what checks saw is stored: struct site.memory */
	bool ca_is_quick;		/* lately its orders were ready by the first poll: see core/order.h */
	struct span clock; /* by how much the wall clock was set since this installation began, in all (core/skew) */
	const struct mass *mass;	/* causes that stand on many sites at once; NULL: not looked at */
	size_t firsts_lately;		/* first certificates of sites within a day or so */
	struct str *addresses;	  /* our servers' addresses as text, IPv4 first */
	size_t addresses_n;
	const struct str *zones; /* whose records are ours to add (core/site_mend) */
	size_t zones_n;
	struct str ca_issuer;	   /* CAA identity of the CA ("letsencrypt.org"), for the value to copy */
	struct str ca_issuers;	   /* all its identities, with a space between two; empty: the one above alone */
	struct str account_url;	   /* for the CAA parameter accounturi; empty before an account exists */
	struct str thumbprint;	   /* of the account key */
};

enum site_event_kind {
	SITE_WAKE,	  /* its date has come */
	SITE_ASKED_CHECK, /* a person pressed "check again" */
	SITE_ASKED_RENEW, /* a person asked for a new certificate */
	SITE_CHANGED,	  /* setting or names changed */
	SITE_REMOVED,	  /* the owner removed the site */
	SITE_RESUMED,	  /* the operator has had the CA take paused names again */
	SITE_REVOKED,	  /* the owner wants the key destroyed and the certificate revoked; site.setting wants none any more */
	SITE_IMPORTED,	  /* the owner's own certificate was judged and stored; site.setting has it as its source */
	SITE_CHECKED,	  /* answer to FX_CHECK and FX_VERIFY */
	SITE_ISSUED,	  /* the order's certificate was received and stored */
	SITE_ORDER_FAILED,
	SITE_DEPLOYED,	  /* answer to FX_DEPLOY; err tells */
	SITE_RECORD_TOLD, /* answer to FX_RECORD: the server of the zone has said something, or nothing */
	SITE_RENEWAL_TOLD, /* the CA named another date for the renewal: site.renewal has it */
	SITE_CLOCK_SET,	  /* policy.clock has changed: its dates are moved, and it is due by them */
	SITE_RESTARTED,	  /* the engine was restarted: what was under way must be done again */
	SITE_EVENT_COUNT
};
struct site_event {
	enum site_event_kind kind;
	uint64_t job; /* of the effect that it answers; another number than site.job: late, is ignored */
	const struct evidence *evidence; /* CHECKED */
	struct held issued;		 /* ISSUED, IMPORTED */
	const struct str *issued_names;	 /* ISSUED, IMPORTED: names of the site that it has */
	size_t issued_names_n;
	const struct finding *failures; /* ORDER_FAILED, and DEPLOYED with an error: at least one; ISSUED: what is worth to be known */
	size_t failures_n;
	struct when retry_after;	/* ORDER_FAILED: WHEN_UNKNOWN without one */
	struct applied applied;		/* DEPLOYED: what was put on, as FX_DEPLOY gave it */
	struct str name, words;		/* RECORD_TOLD: whose address it is; what the server said */
	enum err err;			/* RECORD_TOLD: CONFLICT where somebody has entered one meanwhile */
	bool is_asked_early;		/* RENEWAL_TOLD: the CA has just asked for it before its ordinary time */
	bool is_reloading;		/* DEPLOYED: a web server's workers of before may still answer for a moment */
	bool is_retry_at_once;		/* ORDER_FAILED: a new order is useful now (the old one had expired) */
};

enum letter_kind {
#define LETTER(symbol, word) LETTER_##symbol,
#include "core/letter.tbl"
#undef LETTER
	LETTER_COUNT
};
const char *letter_name(enum letter_kind k);
bool letter_of_name(struct str s, enum letter_kind *ret);

enum site_effect_kind {
	FX_CHECK,   /* gather evidence for all wanted names: DNS, HTTP, TLS */
	FX_VERIFY,  /* TLS only */
	FX_ORDER,   /* open an order for `names` */
	FX_RESUME,  /* go on with the open order */
	FX_ABANDON, /* give the open order up */
	FX_DEPLOY,  /* put the wanted state on the server */
	FX_RECORD,  /* add our addresses for names[0] to a zone of ours, if it has none; no state of the site waits for the answer */
	FX_LETTER,
	FX_HISTORY, /* one line for the site's history */
	FX_DISCARD_DRAFT,
	FX_TAKE_OVER, /* the setting's source is free from now on */
	FX_DESTROY,   /* every key of the site that the store has is overwritten, and the CA is asked to revoke what lives */
	FX_EFFECT_COUNT
};
enum history_kind {
#define HISTORY(symbol, word) HISTORY_##symbol,
#include "core/history.tbl"
#undef HISTORY
	HISTORY_COUNT
};
const char *history_name(enum history_kind h);
bool history_of_name(struct str s, enum history_kind *ret);
struct site_effect {
	enum site_effect_kind kind;
	uint64_t job;
	int64_t order_id;	 /* FX_ABANDON, FX_RESUME */
	int64_t ca_id;		 /* FX_ORDER: where */
	int64_t certificate_id;	 /* FX_DESTROY: the newest that goes; what has come after it stays */
	struct str detail;	 /* FX_HISTORY without a finding; optional */
	const struct str *names; /* FX_ORDER; FX_RECORD; LETTER_REDUCED: the names left out */
	size_t names_n;
	enum letter_kind letter;	/* FX_LETTER */
	const struct finding *finding;	/* FX_LETTER: the cause it tells; FX_HISTORY: optional */
	unsigned reminder;		/* LETTER_REMINDER: which, 0-based */
	enum history_kind history;	/* FX_HISTORY */
	bool is_dns_only;		/* FX_CHECK: the site has moved away, its DNS is all that matters */
	bool wants_views;		/* FX_CHECK: what went wrong may lie where vantage points can look and we cannot */
	bool is_removal;		/* FX_DEPLOY: take the site off */
	bool is_again;			/* FX_DEPLOY: also what has not changed is read again (core/site_mend) */
	struct applied applied;		/* FX_DEPLOY: what is to be put on; comes back in the event */
	uint32_t hsts_age_s;		/* FX_DEPLOY: 0 without */
};
enum { SITE_EFFECTS_MAX = 64 };
struct site_effects {
	struct site_effect at[SITE_EFFECTS_MAX];
	size_t n;
};

/* The turn as this site has it: the chance of its own, so that those who are stepped in one turn do not all draw the same. */
struct turn site_turn(const struct turn *t, int64_t site_id);
/* Takes one event. Memory for what it makes comes from a; strings of s may afterwards point into a and into ev. */
void site_step(struct site *s, const struct site_event *ev, const struct turn *t, const struct policy *p,
    struct arena *a, struct site_effects *out);
/* The invariants P2, P3, P5, P6 as assertions; runs at the entry and exit of site_step, in production. */
void site_check(const struct site *s);
/* When the certificate is renewed by itself; WHEN_UNKNOWN without one. By the CA's renewal information, else by the life. */
struct when site_renew_at(const struct site *s);
/* The same without renewal information. */
struct when site_table_renew_at(const struct site *s);
/* Why on that date. */
enum renew_why { RENEW_BY_LIFE, RENEW_BY_CA, RENEW_BY_CA_EARLY, RENEW_BY_PERSON, RENEW_WHY_COUNT };
enum renew_why site_renew_why(const struct site *s);
const char *renew_why_name(enum renew_why w); /* "life", "ca", "ca-early", "person" */
/* In which lane an order of the site waits for its place at the CA. */
struct lane_facts site_lane_facts(const struct site *s);
/* The redirect that is right now: 0, 307 or 308. */
uint16_t site_redirect(const struct site *s, struct when now);
bool site_hsts(const struct site *s, struct when now);
/* What checks saw of a name; NULL: nothing is kept of it. */
const struct memory *site_memory_of(const struct site *s, struct str name);
/* First finding of a name (its cause), NULL if there is none. */
const struct finding *site_cause_of(const struct site *s, struct str name);
#endif
