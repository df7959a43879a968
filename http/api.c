#include "http/route.h"
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "http/access.h"
#include "http/audit.h"
#include "http/json_site.h"
#include "http/once.h"
#include "ports/names/names.h"

enum { LIMIT_DEFAULT = 100 };

static int
status_of(enum err err)
{
	switch (err_class_of(err)) {
	case ERR_CLASS_INPUT:
		if (err == ERR_NOT_FOUND)
			return 404;
		if (err == ERR_EXISTS || err == ERR_CONFLICT)
			return 409;
		if (err == ERR_STALE)
			return 412;
		return err == ERR_TOO_LONG ? 413 : 422;
	case ERR_CLASS_DENIED:
		return err == ERR_SIGNED_OUT ? 401 : 403;
	case ERR_CLASS_LIMIT:
		return 429;
	case ERR_CLASS_TRANSIENT:
		return 503;
	case ERR_CLASS_NONE:
	case ERR_CLASS_LOCAL:
	case ERR_CLASS_BUG:
		break;
	}
	return 500;
}

/* The title's key: what the person can do depends on these; the rest is ours to mend. */
static const char *
title_key(enum err err)
{
	switch (err_class_of(err)) {
	case ERR_CLASS_INPUT:
		if (err == ERR_NOT_FOUND)
			return "api.not-found";
		if (err == ERR_EXISTS)
			return "api.exists";
		return err == ERR_CONFLICT || err == ERR_STALE ? "api.conflict" : "api.invalid";
	case ERR_CLASS_DENIED:
		return err == ERR_SIGNED_OUT ? "api.signed-out" : "api.denied";
	case ERR_CLASS_LIMIT:
		return "api.limited";
	case ERR_CLASS_TRANSIENT:
		return "api.busy";
	case ERR_CLASS_NONE:
	case ERR_CLASS_LOCAL:
	case ERR_CLASS_BUG:
		break;
	}
	return "api.ours";
}

struct problem_head {
	int status;
	const char *title_key, *error;
};

void
api_header(struct api_reply *r, const char *name, struct str value)
{
	size_t i = 0;

	must(str_is_line(value));
	while (i < r->headers_n && strcmp(r->headers[i].name, name) != 0)
		i++;
	must(i < API_HEADERS_MAX);
	r->headers[i] = (struct api_header){ name, value };
	if (i == r->headers_n)
		r->headers_n++;
}

void
api_add_header(struct api_reply *r, const char *name, struct str value)
{
	must(str_is_line(value) && r->headers_n < API_HEADERS_MAX);
	r->headers[r->headers_n++] = (struct api_header){ name, value };
}

/* other: the site that has what was asked for; empty without one. */
static void
put_problem(struct api_reply *r, struct problem_head head, enum lang lang, struct str detail,
    struct str other)
{
	AUTO_BUF title = { 0 };
	json_t *document;
	char *text;

	buf_clear(&r->body);
	r->kind = API_DONE;
	r->status = head.status;
	r->type = "application/problem+json";
	buf_init(&title, 1024);
	words_ui(head.title_key, lang, NULL, 0, &title);
	document = json_pack("{s:s, s:s%, s:i, s:s}", "type", "about:blank", "title",
	    buf_str(&title).p, buf_str(&title).n, "status", head.status, "error", head.error);
	if (document != NULL && detail.n > 0)
		(void)json_put(
		    document, "detail", json_text(detail)); /* the title says enough without */
	if (document != NULL && other.n > 0)
		(void)json_put(document, "site", json_text(other));
	text = document == NULL ? NULL : json_dumps(document, JSON_COMPACT);
	if (text != NULL)
		buf_put(&r->body, text, strlen(text));
	free(text);
	json_decref(document);
}

static struct problem_head
head_of(enum err err)
{
	return (struct problem_head){ status_of(err), title_key(err), err_name(err) };
}

void
api_problem(struct api_reply *r, enum err err, enum lang lang, struct str detail)
{
	put_problem(r, head_of(err), lang, detail, STR_NONE);
}

void
api_give(struct api_call *c, int status, json_t *document)
{
	char *text = document == NULL ? NULL : json_dumps(document, JSON_COMPACT);

	json_decref(document);
	if (text != NULL)
		buf_put(&c->reply->body, text, strlen(text));
	if (text == NULL || c->reply->body.err != ERR_OK) {
		free(text);
		buf_clear(&c->reply->body);
		api_problem(c->reply, ERR_MEMORY, c->q->lang, STR_NONE);
		return;
	}
	free(text);
	c->reply->status = status;
	c->reply->type = "application/json";
}

struct str
api_text(const struct api_call *c, const char *key)
{
	return str_of(c->q->arg == NULL ? NULL : c->q->arg(c->q->arg_ctx, key));
}

int64_t
api_whole(const struct api_call *c, const char *key)
{
	int64_t n;

	return str_to_int(api_text(c, key), &n) ? n : 0;
}

size_t
api_limit(const struct api_call *c)
{
	int64_t n = api_whole(c, "limit");

	return n == 0 ? LIMIT_DEFAULT : (size_t)n;
}

void
api_say(struct api_call *c, const char *key, struct str name)
{
	struct str shown = names_for_people(name, c->a);
	AUTO_BUF text = { .max = sizeof c->why.text };

	words_ui(key, c->q->lang, &shown, 1, &text);
	why_set(&c->why, "%.*s", STR_ARG(buf_str(&text)));
}

enum err
api_find(struct api_call *c, int64_t *ret_id)
{
	struct str name;
	enum err err = names_read(c->name, false, c->a, &c->why, &name);

	if (err != ERR_OK)
		return err;
	err = store_site_find(c->api->store, name, ret_id);
	if (err == ERR_OK)
		err = access_judge_site(c, *ret_id);
	if (err == ERR_NOT_FOUND)
		api_say(c, "cli.error.no-site", name);
	return err;
}

enum err
api_load(struct api_call *c, struct site *ret)
{
	int64_t id;
	enum err err = api_find(c, &id);

	return err != ERR_OK ? err : store_site_load(c->api->store, id, c->a, ret);
}

enum err
api_ca_of(struct api_call *c, const struct site *s, const struct ca_row **ret)
{
	struct ca_row *rows;
	size_t n;

	*ret = NULL;
	if (s->held.id != 0)
		return ERR_OK;
	enum err err = store_cas(c->api->store, c->a, &rows, &n);
	for (size_t i = 0; err == ERR_OK && i < n && *ret == NULL; i++)
		if (rows[i].is_used && (s->ca_id == 0 || rows[i].id == s->ca_id))
			*ret = &rows[i];
	return err;
}

enum err
api_site_document(struct api_call *c, const struct site *s, json_t **ret)
{
	struct json_site_facts facts = {
		.now = c->turn.now,
		.zone = config_zone(c->api->config),
		.panel_url = str_of(c->api->config->panel_url),
		.order_phase = ORDER_PHASE_COUNT,
	};
	enum err err = store_owner_load(c->api->store, s->owner_id, c->a, &facts.owner);
	struct order_row order;
	json_t *document;

	if (err == ERR_OK)
		err = api_ca_of(c, s, &facts.ca);
	if (err != ERR_OK)
		return err;
	if (s->order_id != 0) {
		err = store_order_load(c->api->store, s->order_id, c->a, &order);
		if (err != ERR_OK && err != ERR_NOT_FOUND)
			return err;
		if (err == ERR_OK)
			facts.order_phase = order.phase;
	}
	document = json_site(s, &facts, c->a);
	if (document == NULL)
		return ERR_MEMORY;
	if (!json_put(document, "version", json_text(api_version(s, c->a)))) {
		json_decref(document);
		return ERR_MEMORY;
	}
	*ret = document;
	return ERR_OK;
}

void
api_wake(struct api_call *c)
{
	if (c->api->wake != NULL)
		c->api->wake(c->api->wake_arg);
}

enum err
api_commit(struct api_call *c, enum err err)
{
	if (err == ERR_OK)
		err = store_commit(c->api->store);
	if (err != ERR_OK)
		store_abandon(c->api->store);
	return err;
}

/* Takes the parameters of the path. */
static bool
route_fits(const struct api_route *r, const struct str *parts, size_t parts_n, struct api_call *c)
{
	size_t i = 0;

	c->name = c->parent = STR_NONE;
	for (; i < parts_n && r->parts[i] != NULL; i++) {
		if (strcmp(r->parts[i], "*") == 0) {
			c->parent = c->name;
			c->name = parts[i];
		} else if (!str_eq(parts[i], str_of(r->parts[i]))) {
			return false;
		}
	}
	return i == parts_n && r->parts[i] == NULL;
}

/* How many parts; more than a route can have: one too many. */
static size_t
split_path(struct str path, struct str parts[API_PATH_PARTS + 1])
{
	size_t n = 0;

	while (path.n > 0 && n <= API_PATH_PARTS)
		parts[n++] = str_cut(&path, '/');
	return n;
}

/* What the caller may not do is not begun: neither read nor judged. */
static enum err
answer_route(struct api_call *c, const struct api_route *r)
{
	struct once once = { .is_wanted = false };
	bool is_answered = false;
	enum err err = access_judge(c, r);

	if (err == ERR_OK)
		err = check_request(c, r);
	if (err == ERR_OK)
		err = once_begin(c, r, &once, &is_answered);
	if (err == ERR_OK && !is_answered) {
		audit_begin(c, r);
		err = once_end(c, r, &once, audit_end(c, r->answer(c)));
	}
	if (err == ERR_OK && arena_failed(c->a))
		err = ERR_MEMORY;
	json_decref(c->body);
	c->body = NULL;
	return err;
}

void
api_answer(struct api *api, const struct api_request *q, struct arena *a, struct api_reply *ret)
{
	static const struct str root = { "/api/v1/", 8 };
	struct api_call c = {
		.api = api, .q = q, .a = a, .reply = ret, .turn = clock_turn(&api->clock)
	};
	struct str parts[API_PATH_PARTS + 1];
	bool path_is_known = false;
	size_t n;

	*ret =
	    (struct api_reply){ .kind = API_DONE, .status = 500, .type = "application/json" };
	buf_init(&ret->body, API_REPLY_BYTES_MAX);
	n = str_starts(q->path, root)
		? split_path((struct str){ q->path.p + root.n, q->path.n - root.n }, parts)
		: 0;
	for (size_t i = 0; n > 0 && i < api_routes_n; i++) {
		enum err err;

		if (!route_fits(&api_routes[i], parts, n, &c))
			continue;
		path_is_known = true;
		if (!str_eq(q->method, str_of(api_routes[i].method)))
			continue;
		err = answer_route(&c, &api_routes[i]);
		if (err != ERR_OK)
			put_problem(ret, head_of(err), q->lang, str_of(c.why.text), c.other);
		return;
	}
	if (path_is_known)
		put_problem(ret, (struct problem_head){ 405, "api.method", "INVALID" }, q->lang,
		    STR_NONE, STR_NONE);
	else
		put_problem(ret, (struct problem_head){ 404, "api.no-route", "NOT_FOUND" },
		    q->lang, STR_NONE, STR_NONE);
}
