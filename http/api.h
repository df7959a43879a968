#ifndef KOSHIN_HTTP_API_H
#define KOSHIN_HTTP_API_H
/*
 * The API under /api/v1 as a function: a request in, a reply out. It knows the store, the clock and names; sockets and HTTP
 * are http/web.c's. Everything is validated before anything is stored, and what is stored for one request is stored in
 * one transaction, with a wish for the engine where it has to act.
 *
 * The caller was let in by the permissions of the Unix socket and is the operator: there is no owner here to compare.
 */
#include "base/arena.h"
#include "ports/clock/clock.h"
#include "ports/config/config.h"
#include "ports/store/store.h"
#include "words/words.h"

struct api {
	struct store *store;
	struct clock clock;
	const struct config *config;
	void (*wake)(void *arg); /* after a wish was stored */
	void *wake_arg;
};
struct api_request {
	struct str method, path; /* path: decoded, begins with "/" */
	struct str body;
	enum lang lang;
	const char *(*arg)(
	    void *ctx, const char *key); /* of the query, decoded; NULL without it */
	void *arg_ctx;
	struct str sealed; /* after API_SEAL */
	bool is_last; /* do not wait for news any longer */
};
enum api_kind {
	API_DONE,
	API_WAIT, /* there is no news: ask the same again in a while; the reply is empty */
	API_SEAL, /* secret is to be sealed by the keeper; then ask the same again, with `sealed`; the reply is empty */
	API_KEY, /* sealed is to be opened by the keeper, then api_key_reply; the reply is empty */
};
enum { API_REPLY_BYTES_MAX = 16 * 1024 * 1024 };
struct api_reply {
	enum api_kind kind;
	int status;
	const char *type; /* media type */
	struct buf body;
	int64_t site_id;   /* API_KEY */
	struct str sealed; /* API_KEY; in the arena */
	struct str secret; /* API_SEAL; in the arena */
};
/* Strings of the reply live in a; the caller ends the reply with buf_fini(&r->body). */
void api_answer(
    struct api *api, const struct api_request *q, struct arena *a, struct api_reply *ret);
/* After API_KEY: records the export in the history, then gives the key out. */
void api_key_reply(struct api *api, const struct api_request *q, int64_t site_id,
    struct str key_pem, struct api_reply *ret);
/* A problem document (RFC 9457) for an error of ours; detail may be empty. */
void api_problem(struct api_reply *r, enum err err, enum lang lang, struct str detail);
#endif
