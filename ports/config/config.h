#ifndef KOSHIN_PORTS_CONFIG_CONFIG_H
#define KOSHIN_PORTS_CONFIG_CONFIG_H
/*
 * The one configuration file (YAML, libcyaml). Every key is optional but server.addresses and one ca.
 * Unknown keys and bad values are errors with file, line and what was expected. etc/koshin.yaml documents all keys.
 *
 * Strings with a default are never NULL; user, panel_url and a target's group are "" when they were not given; every
 * other string that was not given (bundle, roots, contact, eab_kid, mail.user …) is NULL.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/str.h"
#include "base/when.h"
#include "core/budget.h"

enum target_kind { TARGET_NGINX, TARGET_NGINX_VARIABLE, TARGET_FOLDER };
struct config_target {
	char *name;
	enum target_kind kind;
	char *folder;	       /* live sets: FOLDER/sets/SITE/…, link FOLDER/live/NAME; default STATE/live/TARGET */
	char *config_folder;   /* nginx: where a file for each site is written */
	char **test, **reload; /* argv; test's exit status is the answer; folder: reload is the command after a change */
	size_t test_n, reload_n;
	char **listen_http, **listen_https; /* nginx "listen" values: "80", "[::]:80", "127.0.0.1:8080" */
	size_t listen_http_n, listen_https_n;
	char *group; /* that may read the private keys; empty: root alone (nginx reads as root) */
};
struct config_ca {
	char *name, *directory, *contact, *bundle, *preferred_issuer;
	char *eab_kid, *eab_hmac_file;
	char *profile; /* asked for where the CA offers it and a site's setting says nothing */
	char *limits; /* a profile of core/budget; NULL: by the directory's URL */
	char **raised; /* limits that the CA has raised for us, as budget_read_override has them */
	size_t raised_n;
};
/* A zone that the provider runs: where a missing address of a site may be added (RFC 2136). */
enum tsig_algorithm { TSIG_SHA256, TSIG_SHA512 };
struct config_update {
	char *zone;   /* ASCII form, without a final dot */
	char *server; /* "192.0.2.1@53" */
	char *key;    /* the TSIG key's name */
	char *secret_file;
	enum tsig_algorithm algorithm;
	uint32_t ttl; /* of what is added; default 3600 */
};
/* A vantage point that is asked what it sees: koshin vantage on another machine. */
struct config_vantage {
	char *name, *url, *bundle;
	char *timeout; /* as it was read */
	int64_t timeout_ms;
};
struct config {
	char *file;		      /* where it was read from */
	char *state_folder;	      /* store, master key, run sockets; default /var/lib/koshin */
	char *run_folder;	      /* sockets; default STATE/run */
	char *user;		      /* to become after start as root; empty: stay */
	struct { char **addresses; size_t addresses_n; } server;
	struct config_ca *cas; size_t cas_n;	       /* in order of preference, LIMIT_CAS at most */
	struct config_target *targets; size_t targets_n;
	struct {
		char **forwarders; size_t forwarders_n;
		char **public_resolvers; size_t public_resolvers_n;
		struct config_update *updates; size_t updates_n; /* LIMIT_UPDATE_ZONES at most */
		char *trust_anchor_file; uint16_t port;
	} dns;
	struct {
		uint16_t http_port, https_port;
		char **allow; size_t allow_n; /* reserved ranges */
		char **fronts; size_t fronts_n; /* "RANGE NAME": services in front of sites */
		char **services; size_t services_n; /* "PORT [PROTOCOL]": that show sites' certificates beside the web; LIMIT_SERVICES at most */
		char *roots;
		char *rdap; /* bootstrap of the registries: URL or path; NULL: they are not asked */
		char **from; size_t from_n; /* addresses of this machine that probes come from, one of a family; none: the kernel's choice */
		int64_t timeout_ms, deadline_ms;
		struct span look_every, poll_min, poll_max;
	} check;
	struct { char **listen; size_t listen_n; char *socket; } web; /* "127.0.0.1:8402"; socket: the API for the command line */
	struct { char **listen; size_t listen_n; char *folder; } panel; /* no address: there is no panel; folder: its files */
	struct {
		char *server, *user, *password_file, *from, *reply_to; /* server: smtp://host:port or smtps:// */
		bool tls;		/* STARTTLS is demanded on smtp:// */
		char *bundle;
	} mail;
	struct {
		char *operator_mail; /* who gets the alarms; NULL: nobody, they stand in log, doctor and /metrics */
		char *server;	     /* a mail server of its own (smtp://, smtps://), without a login; NULL: as mail.server */
		struct span every, dead_after, late_after, blind_after;
		char **outside; size_t outside_n; /* "198.41.0.4@53": points that tell a dead network from a dead CA */
	} watch;
	struct config_vantage *vantages; size_t vantages_n; /* LIMIT_VANTAGES at most */
	/* This machine as a vantage point (koshin vantage); without an address it is none. */
	struct {
		char *name;
		char **listen; size_t listen_n;
		char *certificate, *key;    /* PEM files */
		char **askers; size_t askers_n; /* "NAME KEY": who is answered */
		unsigned questions_a_minute;
	} vantage;
	char *language;	     /* of owners without a wish: ja or en; default ja */
	char *panel_url;     /* base of links in letters */
	char *timezone;	     /* "+09:00": of dates in letters and on the command line; default +09:00 */
	struct { struct span tell_after, discard_after; } draft; /* 7 d, 30 d */
	struct span clock_offset;
	struct span lease; /* of the engine that acts, where several koshin serve run on one store; 0: one alone */
	struct {
		int64_t timeout_ms;
		struct span processing_max; /* 10 min */
		unsigned connections_max, orders_open_max;
		struct span reserve_after; /* 1 h: so long the first CA is ill before a first certificate comes from another */
		char *canary;		   /* host name of the operator's own, in ASCII form, that rehearses the other CAs; or NULL */
		struct span canary_every;  /* 7 d */
	} acme;
	char *log_level;     /* error, warn, info, debug */
};
MUST_USE enum err config_read(const char *file, struct why *why, struct config **ret);
/* From text, for tests; `file` is used in messages. */
MUST_USE enum err config_parse(struct str yaml, const char *file, struct why *why, struct config **ret);
void config_free(struct config **c);
/* What `timezone` adds to UTC; nine hours without one. */
struct span config_zone(const struct config *c);
#endif
