#ifndef KOSHIN_CORE_SETTING_H
#define KOSHIN_CORE_SETTING_H
/* The owner's choices for a site: one live setting, and at most one draft that nothing but the draft's own code reads. */
#include "base/str.h"
#include "base/when.h"

enum source { SOURCE_NONE, SOURCE_FREE, SOURCE_OWN };
enum coverage { COVERAGE_MULTI, COVERAGE_SINGLE, COVERAGE_LIST, COVERAGE_WILDCARD };
enum key_type { KEY_P256, KEY_P384, KEY_RSA2048, KEY_RSA3072, KEY_RSA4096 };

struct setting {
	enum source source;
	enum coverage coverage;
	enum key_type key_type;
	bool redirect; /* HTTP to HTTPS, wanted; acts only while HTTPS works */
	bool hsts;     /* wanted; acts only with the redirect and after two good renewals */
	bool takeover; /* of an own certificate: shortly before its end free SSL takes its place by itself, as its owner agreed */
	struct str root;  /* folder that the web server serves; empty with a proxy */
	struct str profile; /* of the CA ("shortlived"); empty: what the configuration says for the CA */
	struct str proxy; /* http://host:port that the web server forwards to; empty with a root */
};
struct draft {
	bool exists;
	bool has_csr; /* a bought certificate is on its way: never discarded by itself */
	struct setting setting;
	struct when begun_at;
	struct str begun_by;
	struct when told_at; /* the friendly letter of the 7th day; WHEN_UNKNOWN before */
};
struct revoke; /* core/revocation.h */
/* Free SSL was given up by its owner, or stopped by the provider: when, and what the setting was before. */
struct given_up {
	struct when at;
	struct str by;
	bool is_suspended; /* by the provider: an owner alone cannot take it back */
	bool redirect, hsts;
	const struct revoke *revocation; /* known where nothing is held and nothing is wanted; NULL: it was not revoked */
};
const char *source_name(enum source s);	    /* "none", "free", "own" */
const char *coverage_name(enum coverage c); /* "multi", "single", "list", "wildcard" */
const char *key_type_name(enum key_type k); /* "p256" … "rsa4096" */
/* False for a word that is not one of the values. */
bool source_of_name(struct str s, enum source *ret);
bool coverage_of_name(struct str s, enum coverage *ret);
bool key_type_of_name(struct str s, enum key_type *ret);
#endif
