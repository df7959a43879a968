#include "http/public.h"
#include <string.h>
#include "http/metrics.h"

enum {
	TOKEN_BYTES_MAX = 128, /* RFC 8555 8.3 wants 128 bits, 22 characters; CAs send 43 */
};

static bool
is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
			s.p[i]) == NULL)
			return false;
	return s.n > 0 && s.n <= TOKEN_BYTES_MAX;
}

/* Of the first CA's account. Kept, so that a store that cannot be read for a moment fails no validation. */
static void
refresh_thumbprint(struct public_pages *p, struct arena *a)
{
	struct ca_row *rows;
	size_t n;

	if (store_cas(p->store, a, &rows, &n) != ERR_OK || n == 0 || !rows[0].is_used ||
	    rows[0].thumbprint.n == 0 || rows[0].thumbprint.n >= sizeof p->thumbprint)
		return;
	memcpy(p->thumbprint, rows[0].thumbprint.p, rows[0].thumbprint.n);
	p->thumbprint[rows[0].thumbprint.n] = '\0';
}

/* Accounts with other keys have their tokens in a table; every other token is answered with the one thumbprint. */
static struct str
thumbprint_of(struct public_pages *p, struct str token, struct arena *a)
{
	struct str found;

	if (store_token_find(p->store, token, a, &found) == ERR_OK)
		return found;
	refresh_thumbprint(p, a);
	return str_of(p->thumbprint);
}

static void
give(struct api_reply *ret, int status, const char *type)
{
	ret->status = status;
	ret->type = type;
}

void
public_answer(struct public_pages *p, struct str method, struct str path, struct when now,
    bool store_is_writable, struct arena *a, struct api_reply *ret)
{
	static const struct str challenge = { "/.well-known/acme-challenge/", 28 };
	bool is_healthy = false;
	enum err err = ERR_OK;

	buf_init(&ret->body, API_REPLY_BYTES_MAX);
	if (!str_eq(method, STR("GET")) && !str_eq(method, STR("HEAD"))) {
		give(ret, 405, "text/plain");
		return;
	}
	if (str_starts(path, challenge)) {
		struct str token = { path.p + challenge.n, path.n - challenge.n };

		give(ret, 404, "text/plain");
		if (!is_token(token))
			return;
		struct str thumbprint = thumbprint_of(p, token, a);
		if (thumbprint.n == 0)
			return;
		buf_putf(&ret->body, "%.*s.%.*s", STR_ARG(token), STR_ARG(thumbprint));
		/* The type that RFC 8555 8.3 recommends; nothing in the body is anybody's input but the token's letters. */
		give(ret, 200, "application/octet-stream");
	} else if (str_eq(path, STR("/healthz"))) {
		err = metrics_health(
		    p->store, now, store_is_writable, a, &ret->body, &is_healthy);
		give(ret, is_healthy ? 200 : 503, "application/json");
	} else if (str_eq(path, STR("/metrics"))) {
		err = metrics_write(p->store, now, a, &ret->body);
		/* Alarms are told also when the store is what they are about. */
		if (err != ERR_OK)
			buf_clear(&ret->body);
		metrics_alarms(p->config->state_folder, now, &ret->body);
		buf_putf(&ret->body,
		    "# TYPE koshin_store_readable gauge\nkoshin_store_readable %d\n",
		    err == ERR_OK);
		err = ret->body.err;
		give(ret, 200, "text/plain; version=0.0.4; charset=utf-8");
	} else {
		give(ret, 404, "text/plain");
	}
	if (err != ERR_OK) {
		buf_clear(&ret->body);
		give(ret, 503, "text/plain");
	}
}
