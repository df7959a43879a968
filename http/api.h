#ifndef KOSHIN_HTTP_API_H
#define KOSHIN_HTTP_API_H
/*
 * The API under /api/v1 as a function: a request in, a reply out. It knows the store, the clock and names; sockets and HTTP
 * are http/web.c's. Everything is validated before anything is stored, and what is stored for one request is stored in
 * one transaction, with a wish for the engine where it has to act.
 *
 * Paths, who may call and what may come in are described in doc/openapi.yaml; the build makes the table of it (http/route.h). Who may
 * call is asked of core/access, of the operation here and of each site in api_find. The command was let in by the permissions of the
 * Unix socket and is an operator.
 */
#include "base/arena.h"
#include "core/access.h"
#include "ports/clock/clock.h"
#include "ports/config/config.h"
#include "ports/keys/keys.h"
#include "ports/store/store.h"
#include "words/words.h"

struct api {
	struct store *store;
	struct clock clock;
	const struct config *config;
	void (*wake)(void *arg); /* after a wish was stored */
	void *wake_arg;
};
/* What came of a password (API_HASH). */
struct api_hashed {
	bool is_right;
	struct str made;
};
enum { API_HASHES_MAX = 2 };
struct api_request {
	struct asker asker;
	bool is_browser; /* who asks is found out from its headers (http/access.h), and asker is not looked at */
	struct str address; /* where it comes from, for people; empty: this machine */
	struct str method, path; /* path: decoded, begins with "/" */
	struct str body;
	enum lang lang;
	const char *(*arg)(
	    void *ctx, const char *key); /* of the query, decoded; NULL without it */
	/* Shows every argument of the query, in order. */
	void (*each_arg)(void *ctx, void (*show)(void *shown, const char *key, const char *value), void *shown);
	void *arg_ctx;
	const char *(*header)(void *ctx, const char *name); /* NULL without it; ctx is arg_ctx */
	/* After API_SEAL, API_CODE_NEW, API_CODE: */
	bool is_sealed; /* the keeper has answered */
	struct str sealed;
	struct str secret; /* API_CODE_NEW: in base32 */
	struct str csr_der; /* API_CSR */
	uint64_t step;	   /* API_CODE: that the code belongs to; 0: to none */
	bool is_searched;    /* after API_ISSUERS */
	struct str issuers;  /* API_ISSUERS: certificates as PEM text; empty: none that help */
	struct api_hashed hashed[API_HASHES_MAX]; /* after each API_HASH, in their order */
	size_t hashed_n;
	bool is_last; /* do not wait for news any longer */
};
enum api_kind {
	API_DONE,
	API_STREAM, /* the news of site_id (0: of all) from behind `since`, as an answer that goes on; the reply is empty */
	API_LOOK, /* a look at a name is to be taken, as an answer that goes on (http/looks.h); the reply is empty */
	API_WAIT, /* there is no news: ask the same again in a while; the reply is empty */
	API_SEAL, /* secret is to be sealed by the keeper; then ask the same again, with `sealed`; the reply is empty */
	API_HASH, /* secret, a password, is to be judged by `sealed`, or hashed where that is empty; then ask the same again, with one more in `hashed` */
	API_CODE_NEW, /* a secret for one-time codes is to be made by the keeper; then ask the same again; the reply is empty */
	API_CODE, /* code is to be judged by the keeper, by `sealed`, from first_step on; then ask the same again; the reply is empty */
	API_CSR, /* a key and a request for a bought certificate are to be made by the keeper, as csr says; then ask the same again; the reply is empty */
	API_ISSUERS, /* what chain_pem lacks is to be asked for outside, where it says itself (ports/probe/issuers.h); then ask the same again; the reply is empty */
	API_OWN, /* secret, the key of chain_pem, is to be sealed by the keeper as a site's; then ask the same again; the reply is empty */
	API_KEY, /* sealed is to be opened by the keeper, then api_key_reply; the reply is empty */
};
/* The request that is wanted. Strings in the arena. */
struct api_csr {
	enum key_type key_type;
	const struct str *names;
	size_t names_n;
	struct csr_subject subject;
};
/* What the key is wanted for: one file with the certificate. Strings in the arena. */
struct api_export {
	bool is_wanted, is_p12;
	struct str password, name, chain_pem;
};
/* The look that is wanted. Strings in the arena. */
struct api_look {
	struct str name, reported;
	bool is_discreet; /* see http/look.h */
};
enum { API_REPLY_BYTES_MAX = 16 * 1024 * 1024, API_HEADERS_MAX = 12 };
struct api_header {
	const char *name;
	struct str value; /* lives as long as the reply */
};
struct api_reply {
	enum api_kind kind;
	int status;
	const char *type; /* media type */
	struct buf body;
	char *lasting; /* instead of body: bytes that outlive every reply; not changed. NULL: body */
	size_t lasting_n;
	struct api_header headers[API_HEADERS_MAX];
	size_t headers_n;
	int64_t site_id;   /* API_KEY, API_STREAM, API_LOOK (0: none) */
	struct api_look look; /* API_LOOK */
	int64_t since;	   /* API_STREAM: the last line of the history that is known already */
	struct str sealed; /* API_KEY, API_HASH, API_CODE; in the arena */
	struct str code;   /* API_CODE; in the arena */
	uint64_t first_step;
	struct str by;	   /* API_KEY: who asks; in the arena */
	struct api_export export; /* API_KEY */
	struct str secret; /* API_SEAL, API_HASH, API_OWN; in the arena */
	struct str chain_pem; /* API_OWN, API_ISSUERS; in the arena */
	struct api_csr csr;   /* API_CSR */
};
/* Strings of the reply live in a; the caller ends the reply with buf_fini(&r->body). */
void api_answer(
    struct api *api, const struct api_request *q, struct arena *a, struct api_reply *ret);
/* One more header, or another value of one that is there. A value with a line break is a bug of ours. */
void api_header(struct api_reply *r, const char *name, struct str value);
/* One more header beside others of that name (Set-Cookie). */
void api_add_header(struct api_reply *r, const char *name, struct str value);
/* After API_KEY: records the export in the history, then gives the key out. */
void api_key_reply(struct api *api, const struct api_request *q, int64_t site_id,
    struct str key_pem, struct arena *a, struct api_reply *ret);
/* A problem document (RFC 9457) for an error of ours; detail may be empty. */
void api_problem(struct api_reply *r, enum err err, enum lang lang, struct str detail);
#endif
