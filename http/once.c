#include "http/once.h"
#include <string.h>
#include "http/access.h"

enum { KEY_BYTES_MAX = 128 };

static bool
is_key(struct str key)
{
	for (size_t i = 0; i < key.n; i++)
		if (key.p[i] <= ' ' || key.p[i] > '~')
			return false;
	return key.n > 0 && key.n <= KEY_BYTES_MAX;
}

/* What was asked: the same key for something else is a mistake of the client's. */
static struct digest
digest_of(struct api_call *c)
{
	return access_digest(arena_strf(c->a, "%.*s %.*s\n%.*s", STR_ARG(c->q->method), STR_ARG(c->q->path), STR_ARG(c->q->body)));
}

static enum err
answer_again(struct api_call *c, const struct request_row *r)
{
	if (r->status == 0) {
		api_say(c, "api.key-done", STR_NONE);
		return ERR_CONFLICT;
	}
	buf_put_str(&c->reply->body, r->answer);
	c->reply->status = r->status;
	c->reply->type = "application/json";
	api_header(c->reply, "Idempotency-Replayed", STR("true"));
	return c->reply->body.err;
}

enum err
once_begin(struct api_call *c, const struct api_route *r, struct once *o, bool *ret_is_answered)
{
	const char *given = c->q->header == NULL ? NULL : c->q->header(c->q->arg_ctx, "Idempotency-Key");
	struct request_row before;

	*o = (struct once){ .is_wanted = r->takes_key && given != NULL };
	*ret_is_answered = false;
	if (!o->is_wanted)
		return ERR_OK;
	if (!is_key(str_of(given))) {
		why_set(&c->why, "header Idempotency-Key: expected 1 to %d visible letters of ASCII", KEY_BYTES_MAX);
		return ERR_INVALID;
	}
	o->row = (struct request_row){ .person_id = c->person.id, .key = str_of(given), .digest = digest_of(c), .created = c->turn.now };
	if (arena_failed(c->a))
		return ERR_MEMORY;
	enum err err = store_request_load(c->api->store, o->row.person_id, o->row.key, c->turn.now, c->a, &before);
	if (err == ERR_NOT_FOUND) {
		(void)store_request_set(c->api->store, &o->row); /* nothing was set */
		return ERR_OK;
	}
	o->is_wanted = false;
	if (err != ERR_OK)
		return err;
	if (memcmp(before.digest.bytes, o->row.digest.bytes, sizeof before.digest.bytes) != 0) {
		api_say(c, "api.key-other", STR_NONE);
		return ERR_INVALID;
	}
	*ret_is_answered = true;
	return answer_again(c, &before);
}

enum err
once_end(struct api_call *c, const struct api_route *r, struct once *o, enum err err)
{
	const struct request_row *left = store_request_set(c->api->store, NULL);

	/* Nothing was done, or it goes on after another process has answered: then it begins here again. */
	if (!o->is_wanted || err != ERR_OK || c->reply->kind != API_DONE)
		return err;
	if (left != NULL && (err = store_request_put(c->api->store, left)) != ERR_OK)
		return err;
	if (r->has_secret)
		return ERR_OK;
	o->row.status = c->reply->status;
	o->row.answer = buf_str(&c->reply->body);
	return store_request_answer(c->api->store, &o->row);
}
