#ifndef KOSHIN_SIM_ACME_INSIDE_H
#define KOSHIN_SIM_ACME_INSIDE_H
/*
 * What the files of the fake CA share. A request becomes an exchange; the file of its endpoint fills the answer. Objects
 * live as long as the CA: their number is their place in a table.
 */
#include "ports/dns/resolver.h"
#include "ports/loop/loop.h"
#include "sim/acme/fake.h"
#include "sim/acme/httpd.h"
#include "sim/acme/jws.h"
#include "sim/acme/map.h"
#include "sim/acme/sign.h"
#include "sim/acme/tokens.h"

enum endpoint {
#define ENDPOINT(code, word, path, tail, group, rate, burst) AT_##code,
#include "sim/acme/endpoint.tbl"
#undef ENDPOINT
	AT_COUNT
};
enum fault_kind {
#define FAULT(code, word, stage) FAULT_##code,
#include "sim/acme/fault.tbl"
#undef FAULT
	FAULT_COUNT
};
enum fault_stage { FAULT_BEFORE, FAULT_CHECKED, FAULT_AFTER, FAULT_ISSUE };
/* Windows of renewal information that no sane CA gives. */
enum absurd_window { WINDOW_SANE, WINDOW_INVERTED, WINDOW_PAST, WINDOW_AHEAD, WINDOW_2107, WINDOW_RUBBISH };
enum validation_mode { VALIDATION_REAL, VALIDATION_STOPPED, VALIDATION_SKIPPED };

enum {
	FAULTS_MAX = 32, PROFILES_MAX = 16, EABS_MAX = 16, CONTACTS_MAX = 8, WORD_BYTES = 64, NAMES_MAX = 100,
	NONCES_KEPT = 65536, TOKEN_BYTES = 44, TEXT_BYTES = 256, DETAIL_BYTES = 1024,
	LOG_ROWS_MAX = 400000, /* 2,000 sites with every fault stay far below */
};

struct fault {
	enum fault_kind kind;
	enum endpoint at;   /* COUNT: everywhere */
	unsigned percent;
	int64_t times_left; /* -1: no end */
	int64_t seconds;    /* Retry-After */
};
struct profile {
	char name[WORD_BYTES];
	struct span life, reuse, pending, order; /* reuse: of a valid authorization */
	unsigned names_max;
	bool has_common_name;
};
struct problem_text {
	int status; /* 0: none */
	char type[WORD_BYTES];
	char detail[DETAIL_BYTES];
	char name[TEXT_BYTES]; /* identifier of a sub-problem */
};
struct settings {
	struct profile profiles[PROFILES_MAX]; /* the first one is the default */
	size_t profiles_n;
	struct {
		char kid[WORD_BYTES];
		char hmac[256];
	} eabs[EABS_MAX]; /* any: a binding is demanded */
	size_t eabs_n;
	char terms[TEXT_BYTES], website[TEXT_BYTES], identity[TEXT_BYTES], portal[TEXT_BYTES], list[TEXT_BYTES]; /* empty: none */
	char validate_at[64]; /* address that every name has; empty: DNS tells */
	uint16_t validate_port;
	char forwarder[64]; /* "127.0.0.1@5300"; empty: no DNS, hence no CAA and no dns-01 */
	enum validation_mode validation;
	int64_t validation_ms, issue_ms, answer_ms; /* delays */
	int64_t poll_after_s; /* Retry-After of what is pending or processing; 0: none */
	struct span renewal_poll; /* Retry-After of renewal information */
	enum absurd_window window;
	bool is_incident; /* everything is to be replaced now */
	bool reuses_orders, has_override; /* override: no account has a limit of orders or of domains */
	bool has_ceilings;
	char absurd_retry_after[AT_COUNT][TEXT_BYTES]; /* this text in place of every value, empty: none */
	struct problem_text refusals[AT_COUNT]; /* what is said to everything there; at CHALLENGE: what every validation comes to */
	int64_t grace_ms; /* a request that was on its way when the answer came is not early */
	struct fault faults[FAULTS_MAX];
	size_t faults_n;
};

enum status { S_PENDING, S_READY, S_PROCESSING, S_VALID, S_INVALID, S_DEACTIVATED, S_EXPIRED, S_REVOKED };
const char *status_name(enum status s);

struct account {
	uint64_t id;
	char thumbprint[JWS_THUMBPRINT_BYTES + 1];
	EVP_PKEY *key;
	json_t *jwk;
	char *contacts[CONTACTS_MAX];
	size_t contacts_n;
	enum status status; /* VALID, DEACTIVATED, REVOKED */
	char eab_kid[WORD_BYTES];
};
enum challenge_kind { HTTP_01, DNS_01, CHALLENGE_KINDS };
struct fake;
struct authz {
	struct fake *f;
	uint64_t id;
	struct account *account;
	char name[TEXT_BYTES]; /* without "*." */
	bool is_wildcard;
	enum status status; /* PENDING, VALID, INVALID, DEACTIVATED */
	struct when expires, validated;
	char token[TOKEN_BYTES];
	enum challenge_kind tried; /* meaningful once is_trying */
	bool is_trying, is_queued; /* queued: validation is stopped */
	struct problem_text error;
	char address[64]; /* that was connected to */
};
struct certificate;
struct order {
	struct fake *f;
	uint64_t id;
	struct account *account;
	const struct profile *profile;
	char **names; /* sorted, one of each */
	size_t names_n;
	struct authz **authz;
	char *set; /* names with commas between */
	struct when expires, created;
	bool is_processing, is_failed, says_profile, is_renewal, is_named_renewal;
	struct problem_text error;
	struct certificate *certificate, *replaces;
	EVP_PKEY *key; /* of the CSR, while it is processed */
};
struct certificate {
	struct account *account;
	struct order *order, *replaced_by;
	char serial[2 * SIGN_SERIAL_BYTES + 1]; /* hex */
	char id[64];	    /* RFC 9773 4.1 */
	struct when from, to, revoked; /* revoked UNKNOWN: it is not */
	int reason;
	char *pem;
	uint8_t *der;
	size_t der_n;
};
#define TABLE(type)                                                                                                    \
	struct {                                                                                                       \
		type **at;                                                                                             \
		size_t n, cap;                                                                                         \
		bool failed;                                                                                           \
	}

struct log_row {
	int64_t ms;
	enum endpoint at;
	uint64_t account;
	int status;
	bool has_fault, is_early;
	enum fault_kind fault;
	int64_t early_by_ms;
	char method[8], subject[TEXT_BYTES / 2], type[32], retry_after[48];
};
/* "Come again then", as it was said: to whom, and about what. */
struct promise {
	int64_t given_ms, until_ms;
};
struct nonce {
	uint64_t secret;
	bool is_good;
};

struct fake {
	struct loop *loop;
	struct clock *clock;
	struct settings set;
	struct sign *sign;
	struct httpd *front, *control;
	struct resolver *resolver;
	struct tokens limits;
	struct nonce nonces[NONCES_KEPT];
	uint64_t nonces_n, first_id, dice;
	int64_t wall_ahead_ms; /* wall time in ms is monotonic time and this */
	TABLE(struct account) accounts;
	TABLE(struct authz) authzs;
	TABLE(struct order) orders;
	TABLE(struct certificate) certificates;
	struct look *looks; /* validations under way: validate.c */
	struct map by_thumbprint, by_authz, by_order, by_serial, by_set, paused, promised;
	TABLE(struct promise) promises;
	TABLE(struct log_row) log;
	uint64_t early_n, issued_n, requests_n, validations_n, started_n;
	bool is_down;
	bool is_replacing; /* the request at hand is an order with `replaces` */
	const char *folder;
};

struct exchange {
	struct fake *f;
	const struct httpd_request *request;
	struct httpd_reply *reply;
	struct arena arena;
	enum endpoint at;
	struct str tail; /* of the path */
	struct str url;	 /* as the client has to sign it */
	struct str base; /* "https://host:port" */
	struct jws jws;
	EVP_PKEY *new_key; /* of a jwk that no account has */
	char thumbprint[JWS_THUMBPRINT_BYTES + 1];
	struct account *account;
	json_t *payload; /* NULL: POST-as-GET, or a GET */
	bool is_post_as_get;
	const struct fault *fault;
	int64_t early_ms; /* by what the endpoint's own file knows: limits */
	char retry_after[48];
	int64_t promise_ms; /* what Retry-After holds the client to, if the answer reaches it */
	char promise_scope[TEXT_BYTES];
	char type[WORD_BYTES], subject[TEXT_BYTES];
};

/* --- fake.c: answers --- */
/* A problem document; the status, the type without its prefix, words. */
__attribute__((format(printf, 4, 5))) void refuse(struct exchange *x, int status, const char *type, const char *fmt, ...);
/* With sub-problems, one for each of n. */
void refuse_many(struct exchange *x, int status, const char *type, const char *detail, const struct problem_text *sub, size_t n);
void put_problem(struct buf *to, const struct problem_text *p);
void put_json_text(struct buf *to, struct str s); /* with its quotes */
void put_date(struct buf *to, struct when w);	  /* RFC 3339, with its quotes */
__attribute__((format(printf, 2, 3))) void put_header(struct exchange *x, const char *fmt, ...);
/* Retry-After; the client is held to it for `scope` once the answer has left whole. */
void put_retry_after(struct exchange *x, int64_t seconds, bool as_date, const char *scope);
int64_t fake_ms(const struct fake *f);
struct when fake_now(const struct fake *f);
uint64_t fake_random(struct fake *f);
void fake_token(struct fake *f, char ret[TOKEN_BYTES]);
/* Puts an item at the end; false without memory, and the item is still the caller's. */
#define TABLE_PUT(table, item)                                                                                         \
	((table).at = table_room((table).at, (table).n, &(table).cap, &(table).failed),                                \
	    !(table).failed && ((table).at[(table).n++] = (item), true))
void *table_room(void *at, size_t n, size_t *cap, bool *ret_failed);
/* Paths end with a number that begins at first_id, so that one of another life of the CA means nothing. */
bool read_id(const struct fake *f, struct str s, size_t n, size_t *ret);

/* --- words.c --- */
void settings_init(struct settings *s);
/* Lines of words; the first mistake is told with its line, and the lines before it hold. */
MUST_USE enum err fake_say(struct fake *f, struct str lines, struct why *why);

/* --- fault.c --- */
/* The fault of this stage that hits this request, if one does; its count goes down. */
const struct fault *fault_take(struct fake *f, enum fault_stage stage, enum endpoint at);
enum fault_stage fault_stage_of(enum fault_kind k);
const char *fault_word(enum fault_kind k);
enum fault_kind fault_of_word(struct str word);
enum endpoint endpoint_of_word(struct str word);
const char *endpoint_word(enum endpoint e);
/* Scopes of promises. */
void scope_of_endpoint(const struct exchange *x, char ret[TEXT_BYTES]);
void scope_of_url(const struct exchange *x, char ret[TEXT_BYTES]);
void scope_of_limit(enum token_limit which, struct str key, char ret[TEXT_BYTES]);
void promise_put(struct fake *f, const char *scope, int64_t ms);
/* How long the client was to wait still; 0: it may ask. */
int64_t promise_left(const struct fake *f, const char *scope);
void log_put(struct exchange *x, int64_t early_by_ms);
void log_write(const struct fake *f, size_t from, struct buf *to);
void log_clear(struct fake *f);

/* --- account.c --- */
void at_new_account(struct exchange *x);
void at_account(struct exchange *x);
void at_key_change(struct exchange *x);
void account_free(struct account *a);

/* --- order.c --- */
void at_new_order(struct exchange *x);
void at_order(struct exchange *x);
void at_authz(struct exchange *x);
void at_challenge(struct exchange *x);
enum status order_status(const struct order *o, struct when now);
enum status authz_status(const struct authz *z, struct when now);
void put_order(struct exchange *x, const struct order *o);
struct order *order_of(struct exchange *x); /* NULL after a refusal */
void order_free(struct order *o);
/* --- quota.c --- */
/* False: a refusal was written. */
bool limits_allow(struct exchange *x, const struct order *o);
void limits_spend_issued(struct fake *f, const struct order *o);
bool limits_is_same_set(const struct fake *f, const char *set); /* issued lately, to whomever */
void limits_spend_failed(struct fake *f, const struct authz *z);
void limits_forgive(struct fake *f, const struct authz *z);

/* --- finalize.c --- */
void at_finalize(struct exchange *x);
void at_certificate(struct exchange *x);
void certificate_free(struct certificate *c);

/* --- renewal.c --- */
void at_renewal(struct exchange *x);
void at_revoke(struct exchange *x);
struct certificate *certificate_of_id(struct fake *f, struct str id);
/* Is now within the window that renewal information suggests? Then an order that replaces it is exempt. */
bool is_in_window(const struct fake *f, const struct certificate *c);

/* --- validate.c --- */
/* Looks, later, and settles the authorization. */
void validation_begin(struct fake *f, struct authz *z);
/* Those that were queued while validation was stopped. */
void validation_resume(struct fake *f);

void validation_end(struct fake *f);
/* Asks this forwarder from now on; empty: none. */
MUST_USE enum err validation_use_dns(struct fake *f, struct why *why);

/* --- fetch.c --- */
/* GET of http://host/path on one address, as a validator does it: redirects are the caller's. */
struct fetch;
struct fetch_result {
	enum { FETCH_ANSWERED, FETCH_REFUSED, FETCH_TIMEOUT_CONNECT, FETCH_TIMEOUT_READ, FETCH_RESET, FETCH_UNREACHABLE, FETCH_RUBBISH } what;
	int status;
	struct str location, body;
};
typedef void fetch_done(void *arg, const struct fetch_result *r);
/* `done` is called once, later; not at all after fetch_drop. */
MUST_USE enum err fetch_begin(struct loop *l, const char *address, uint16_t port, struct str host, struct str path, fetch_done *done,
    void *arg, struct fetch **ret);
void fetch_drop(struct fetch **f); /* a no-op for NULL */

/* --- control.c --- */
void control_handle(void *arg, const struct httpd_request *r, struct httpd_reply *ret);
#endif
