#ifndef KOSHIN_SIM_WORLD_H
#define KOSHIN_SIM_WORLD_H
/*
 * The simulated world: a virtual clock, and the same ports as the real ones, faked on it. The engine, the store
 * and all decisions are the real code. Deterministic by seed: the same scenario gives the same steps, always.
 *
 * A world has DNS records, CAs, web servers with addresses, a mail server, and koshin's own engine, which can be
 * killed at any time and is then started anew on the same store.
 */
#include "engine/engine.h"

enum { SIM_TEXT = 256, SIM_NAMES = 100, SIM_ZONES = 4 };

enum sim_record_type { SIM_A, SIM_AAAA, SIM_CAA, SIM_CNAME };
struct sim_record {
	char name[SIM_TEXT], value[SIM_TEXT];
	enum sim_record_type type;
};

/* A certificate of the simulated CA. Its chain is text, "SIM-CERTIFICATE n"; the facts are in this table. */
struct sim_certificate {
	char (*names)[SIM_TEXT];
	size_t names_n;
	struct life life;
	uint8_t fingerprint[FINGERPRINT_BYTES];
	int64_t issued_ms;
	bool is_replaced; /* an order named it in `replaces` */
	bool is_revoked; /* its issuer's list has it */
};

/* What a web server has for one name. */
struct sim_vhost {
	char name[SIM_TEXT];
	int64_t site_id;
	size_t certificate; /* index + 1; 0: HTTP only */
	size_t mail; /* the same, of the mail server beside it */
	uint16_t redirect;
	uint32_t hsts_age_s;
};
struct sim_web {
	char address[64];
	struct sim_vhost *vhosts;
	size_t vhosts_n;
	bool config_is_broken; /* somebody broke it: the test fails */
	bool disk_is_full;
	size_t misfits;	       /* certificates up to this one have the key of another */
	bool is_down;	       /* answers nothing */
	bool has_mail;	       /* a mail server beside it shows certificates too, … */
	bool forwards;	       /* the programs of its sites send everybody to https by themselves */
	bool mail_is_deaf;     /* … and does not hear that there are new ones */
	unsigned reloads;
};

/* A zone of the provider's own, and what its server does with updates of it. */
enum sim_zone_says {
	SIM_ZONE_TAKES,
	SIM_ZONE_REFUSES,
	SIM_ZONE_SILENT,
	SIM_ZONE_MUTE, /* it does what it is asked, and the answer is lost */
};
struct sim_zone {
	char name[SIM_TEXT];
	enum sim_zone_says says;
	int64_t delay_ms; /* from the change to its answer */
	unsigned asked, added;
};

struct sim_letter {
	char to[SIM_TEXT], subject[SIM_TEXT * 2], message_id[SIM_TEXT];
	struct when at;
	bool is_claimed; /* an expectation has spoken of it */
};

struct sim_ca_faults {
	int64_t down_until_ms;	  /* 503 to everything */
	int64_t silent_until_ms;  /* no answer at all */
	int64_t rubbish_until_ms; /* answers that cannot be read */
	int64_t limit_until_ms;	  /* 429 to new orders, with Retry-After */
	int64_t internal_until_ms; /* serverInternal to everything */
	int64_t renewal_until_ms; /* 503 to questions for renewal information */
	int64_t refuse_until_ms;  /* validations fail from the CA's side although all is well */
	int64_t nonce_until_ms;	  /* badNonce to everything */
	int64_t paused_until_ms;  /* the account is paused: 429 to new orders, without Retry-After */
	int64_t blocked_until_ms; /* the account is blocked: 403 to whatever it signs */
	int64_t mute_until_ms;	  /* does what it is asked, and the answer is lost */
};

enum { SIM_CAS = 4, SIM_KEY = 64 };
/* One CA: https://NAME.example/directory, CAA identity NAME.example. */
struct sim_ca {
	char name[32], directory[64], identity[64], account_url[64];
	int64_t id; /* koshin's row, from the opening of its account on */
	struct span life;
	int64_t delay_ms; /* of each answer */
	int64_t validation_delay_ms;
	struct sim_ca_faults faults;
	struct sim_order *orders;
	size_t orders_n;
	unsigned orders_placed, orders_asked, orders_open, issued; /* asked: whatever it answered */
	/* the account key as the CA knows it, and the one that koshin's port signs with */
	char key[SIM_KEY], port_key[SIM_KEY];
	bool has_key_change;
	unsigned wrong_keys; /* requests signed with a key that the CA does not know */
};

/* What is wrong with the windows of renewal information. */
enum sim_window { SIM_WINDOW_GOOD, SIM_WINDOW_INVERTED, SIM_WINDOW_PAST, SIM_WINDOW_LATE, SIM_WINDOW_NONE };

struct sim_event;
struct sim {
	int64_t now_ms;	  /* since 1970 */
	int64_t start_ms;
	int64_t clock_step_s; /* the machine's clock is off by so much */
	uint64_t seed;
	struct sim_event *events; /* heap */
	size_t events_n, events_cap;
	uint64_t sequence;
	uint64_t generation; /* of the engine: answers for an earlier one are dropped */

	struct sim_record *records;
	size_t records_n;
	struct sim_zone zones[SIM_ZONES];
	struct config_update updates[SIM_ZONES]; /* the configuration's */
	size_t zones_n;
	int64_t dns_silent_until_ms;
	int64_t resolver_down_until_ms; /* ours */
	int64_t network_down_until_ms;	/* no way out of koshin's machine, nor in */
	struct sim_web *webs;
	size_t webs_n;
	struct sim_certificate *certificates;
	size_t certificates_n;
	struct sim_letter *letters;
	size_t letters_n;
	int64_t mail_down_until_ms;
	unsigned letters_sent_twice; /* the same Message-ID again */

	/* Renewal information and profiles, of every CA alike. */
	bool ca_has_renewal;	       /* renewal information is offered */
	enum sim_window ca_window;
	struct when ca_replace_before; /* certificates from before are to be replaced at once; WHEN_UNKNOWN: none */
	struct { char name[32]; struct span life; } ca_profiles[4];
	size_t ca_profiles_n;
	unsigned checks;	       /* looks at everything of a site */
	unsigned polls, replaced;      /* questions for renewal information; orders that replaced a certificate */
	unsigned revoked;	       /* certificates that were revoked */
	unsigned deactivated;	       /* authorizations that were given back */
	struct sim_limits *limits; /* of every CA together; NULL: they have none */
	unsigned refused;	   /* by these limits, or for a pause */
	struct sim_ca cas[SIM_CAS]; /* in koshin's order of preference */
	size_t cas_n;
	/* what web servers answer challenges with */
	char thumbprint[SIM_KEY + 16];
	bool asks_web; /* the web process, by its table of tokens */
	unsigned wrong_answers; /* challenges that were answered for another account than the one that was asked */

	struct config config;
	struct store *store;
	struct engine *engine;
	bool is_in_turn; /* the engine or one of its ports is at work: faults are meant for them */
	unsigned crashes; /* the engine ended by an error and was started anew */
	/* Of the next engine that is started: it is one of several on this store. */
	struct span lease;
	struct str holder;
	bool (*is_gone)(struct str holder);
	/* Puts something between the engine and the world: for sweeps. NULL: nothing. */
	void (*wrap_ports)(struct sim *s, struct engine_ports *ports, void *arg);
	void *wrap_arg;
	/* After each turn; for invariants. NULL: none. */
	void (*watch)(struct sim *s, void *arg);
	void *watch_arg;
	bool is_loud; /* the engine's log goes to stderr */
};

/* A fresh world at this date. Its store is in memory, and begins as a copy of `like`, or is made anew (NULL). */
MUST_USE enum err sim_new(struct when start, uint64_t seed, struct store *like, struct sim **ret);
void sim_free(struct sim **s);
/* Lets virtual time pass, with everything that happens in it. BUG: the engine does not come to rest. */
MUST_USE enum err sim_pass(struct sim *s, struct span span, struct why *why);
/* Kills the engine between two steps and starts another one on the same store. */
MUST_USE enum err sim_crash(struct sim *s);
/* One engine more on the same store and in the same world. The caller frees it. */
MUST_USE enum err sim_engine(struct sim *s, struct engine **ret);
/* Calls fn after so many virtual milliseconds, unless the engine has been killed by then. */
typedef void sim_fn(struct sim *s, void *arg);
MUST_USE enum err sim_after(struct sim *s, int64_t ms, sim_fn *fn, sim_fn *dropped, void *arg);
uint64_t sim_random(struct sim *s);
struct when sim_now(const struct sim *s); /* as the machine's clock has it */

/* DNS. Removing takes all of the type when value is empty. */
MUST_USE enum err sim_dns_put(struct sim *s, struct str name, enum sim_record_type type, struct str value);
void sim_dns_remove(struct sim *s, struct str name, enum sim_record_type type);
const struct sim_record *sim_dns_find(const struct sim *s, struct str name, enum sim_record_type type, size_t nth);

/* A zone of ours more; the configuration has it from the engine's next start on. NULL without room. */
struct sim_zone *sim_zone_add(struct sim *s, struct str name);
struct sim_zone *sim_zone_of(struct sim *s, struct str name); /* in which this name lies; NULL: none */

/* Web servers. */
MUST_USE enum err sim_web_put(struct sim *s, struct str address, struct sim_web **ret);
struct sim_web *sim_web_at(const struct sim *s, struct str address);
struct sim_vhost *sim_vhost_of(const struct sim_web *w, struct str name);
/* What a visitor of this name gets, through DNS: NULL if no server of ours, or no certificate. */
const struct sim_certificate *sim_served(const struct sim *s, struct str name);

/* The ports. */
struct acme sim_acme_port(struct sim *s);
struct probe sim_probe_port(struct sim *s);
struct deploy sim_deploy_port(struct sim *s);
struct mail sim_mail_port(struct sim *s);
struct dnsapi sim_dnsapi_port(struct sim *s);
struct keys sim_keys_port(struct sim *s);
struct clock sim_clock_port(struct sim *s);
/* The clocks outside: those of the CAs, as long as one says anything. */
struct witness sim_witness_port(struct sim *s);
/* Internal to sim/: renewal information, and whether an order may replace this certificate. */
void sim_renewal_info(struct sim *s, const struct acme_request *r, struct acme_answer *a);
bool sim_replaces(struct sim *s, struct str id);
/* A CA more, the least preferred; the configuration has it from the engine's next start on. NULL without room. */
struct sim_ca *sim_ca_add(struct sim *s, struct str name);
struct sim_ca *sim_ca_by_id(struct sim *s, int64_t id); /* koshin's number of it; NULL before its account was opened */
struct sim_ca *sim_ca_of(struct sim *s, struct str name); /* NULL: there is none */
unsigned sim_orders_placed(const struct sim *s); /* at all CAs */
unsigned sim_issued(const struct sim *s);
/* Internal to sim/: frees the CAs' tables; the thumbprint of an account key. */
void sim_ca_fini(struct sim *s);
void sim_thumbprint(struct str sealed_key, char ret[SIM_KEY + 16]);

/* The limits of the CA, as its servers count (sim/limits.c). The profile is one of core/budget. */
MUST_USE enum err sim_limits_set(struct sim *s, struct str profile);
/* Another client of the same domain's owner was issued so many certificates. */
MUST_USE enum err sim_limits_others(struct sim *s, int64_t n, struct str domain);
/* Somebody at the CA pauses a name, or lets it go. */
MUST_USE enum err sim_limits_pause(struct sim *s, struct str name, bool is_paused);
void sim_limits_free(struct sim *s);
/* Is an order that replaces this certificate free of limits now (sim/renewal.c)? */
bool sim_is_in_window(struct sim *s, struct str id);
/* What the CA counts. new_order: false, with type, detail and date in the answer: refused. */
struct acme_request;
struct acme_answer;
bool sim_limits_new_order(struct sim *s, const struct acme_request *r, struct acme_answer *a);
void sim_limits_validated(struct sim *s, struct str name, bool is_good);
void sim_limits_issued(struct sim *s, const struct str *names, size_t n, bool is_free);

/* Adds a site as the web process does. */
MUST_USE enum err sim_site_add(struct sim *s, struct str mail, const struct setting *setting, const struct str *names,
    size_t names_n, int64_t *ret_id);
#endif
