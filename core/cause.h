#ifndef KOSHIN_CORE_CAUSE_H
#define KOSHIN_CORE_CAUSE_H
/*
 * The table of causes (core/cause.tbl): everything that can be wrong with a site. The readable id is the
 * contract with everybody outside; its texts are in words/cause/.
 */
#include <stdbool.h>
#include "base/str.h"

enum cause {
	CAUSE_NONE,
#define CAUSE(symbol, id, layer, severity, scope, blocks, acts, heals, mends, stands_on) CAUSE_##symbol,
#include "core/cause.tbl"
#undef CAUSE
	CAUSE_COUNT
};
/* In the order in which a failure is explained: the first layer that fails is the cause. */
enum layer { LAYER_OWN, LAYER_REGISTRATION, LAYER_DNS, LAYER_TRANSPORT, LAYER_HTTP, LAYER_CA, LAYER_SERVED };
enum severity { SEVERITY_INFO, SEVERITY_WARN, SEVERITY_FAIL, SEVERITY_ALARM };
enum scope { SCOPE_NAME, SCOPE_SITE, SCOPE_ACCOUNT, SCOPE_FLEET };
/* Who does the one action. DOMAIN_COMPANY and WEB_OWNER: the owner too, but outside our panel. */
enum actor { ACTOR_OWNER, ACTOR_DOMAIN_COMPANY, ACTOR_WEB_OWNER, ACTOR_HOST, ACTOR_NOBODY };
enum heals { HEALS_NOW, HEALS_OUTSIDE, HEALS_CLICK, HEALS_PERSON };
/*
 * What koshin does about it by itself, besides looking again. The two are one statement, which test/unit/cause.c holds together: a cause
 * heals now if koshin does something about it wherever it is met, and never if it only looks again. RECORD is done in the provider's own
 * zones alone (and is then the host's to act): in all others it passes from outside.
 */
enum mends {
	MENDS_NOTHING,
	MENDS_DEPLOY, /* what the server has to have is put there once more (core/site_mend) */
	MENDS_RECORD, /* an address that is missing in a zone of ours is added (core/site_mend) */
	MENDS_ORDER,  /* another order, another try of it, or another CA */
	MENDS_ASIDE,  /* it is kept out of what it would spoil: a draft, a name, a redirect, the order of a chain */
};
/* Does it stand on one answer among others: of DNS for addresses of a kind, of the home page, of the list of revoked certificates? Then
 * an answer that was lost does not mend it. */
enum stands_on { STANDS_ON_NO, STANDS_ON_A, STANDS_ON_AAAA, STANDS_ON_EITHER, STANDS_ON_HOME, STANDS_ON_LIST };

struct cause_row {
	const char *id;
	enum layer layer;
	enum severity severity;
	enum scope scope;
	bool blocks; /* while it stands, no order for its scope is made */
	enum actor acts;
	enum heals heals;
	enum mends mends;
	enum stands_on stands_on;
};
/* c must not be CAUSE_NONE. */
const struct cause_row *cause_row(enum cause c);
/* CAUSE_NONE for an id that is not in the table. */
enum cause cause_of_id(struct str id);
/* Must the owner do something (here, at the domain company or in the web site)? */
bool actor_is_owner(enum actor a);
const char *layer_name(enum layer l);
const char *severity_name(enum severity s);
const char *scope_name(enum scope s);
const char *actor_name(enum actor a); /* "owner", "domain-company", "web-owner", "host", "nobody" */
bool actor_of_name(struct str s, enum actor *ret); /* false for a word that is none of them */
const char *heals_name(enum heals h);
const char *mends_name(enum mends m); /* "nothing", "deploy", "record", "order", "aside" */
#endif
