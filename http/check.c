/* Judges a request by the table of routes: known fields, each once, of the type and size that the description says. */
#include <string.h>
#include "http/route.h"

enum { SHOWN = 100, LIST_BYTES = 400 };

/* Where a value came from: how its name is written in an error. */
struct place {
	const char *before, *name, *after;
};

static enum err
refuse(struct api_call *c, struct place p, const char *words)
{
	why_set(&c->why, "%s%.*s%s: %s", p.before, SHOWN, p.name, p.after, words);
	return ERR_INVALID;
}

/* "a", "a or b", "a, b or c" */
static void
list_words(const char *const *words, struct buf *out)
{
	for (size_t i = 0; words[i] != NULL; i++)
		buf_putf(out, "%s%s",
		    i == 0		   ? ""
		    : words[i + 1] == NULL ? " or "
					   : ", ",
		    words[i]);
}

static const char *
text_in(struct buf *b)
{
	buf_putc(b, '\0');
	return b->p == NULL ? "" : b->p;
}

static enum err
refuse_unknown(struct api_call *c, struct place p, const struct api_fields *known)
{
	AUTO_BUF words = { 0 };

	buf_init(&words, LIST_BYTES);
	buf_putf(&words, "there is no such field; expected %s",
	    known->n == 0 ? "none at all" : "one of ");
	for (size_t i = 0; i < known->n; i++)
		buf_putf(&words, "%s%s", i == 0 ? "" : ", ", known->at[i].name);
	return refuse(c, p, text_in(&words));
}

static size_t
characters(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static enum err
check_text(struct api_call *c, struct place p, const struct api_field *f, struct str value)
{
	AUTO_BUF words = { 0 };
	int64_t n = (int64_t)characters(value);
	bool is_word = f->words == NULL;

	buf_init(&words, LIST_BYTES);
	if (n < f->min || n > f->max) {
		if (n < f->min)
			buf_putf(&words, "too short; expected at least %lld characters",
			    (long long)f->min);
		else
			buf_putf(&words, "too long; expected at most %lld characters",
			    (long long)f->max);
		return refuse(c, p, text_in(&words));
	}
	for (size_t i = 0; !is_word && f->words[i] != NULL; i++)
		is_word = str_eq(value, str_of(f->words[i]));
	if (is_word)
		return ERR_OK;
	buf_putf(&words, "\"%.*s\" cannot be used; expected ",
	    (int)(value.n > SHOWN ? SHOWN : value.n), value.p == NULL ? "" : value.p);
	list_words(f->words, &words);
	return refuse(c, p, text_in(&words));
}

static enum err
check_whole(struct api_call *c, struct place p, const struct api_field *f, int64_t value)
{
	AUTO_BUF words = { 0 };

	if (value >= f->min && value <= f->max)
		return ERR_OK;
	buf_init(&words, LIST_BYTES);
	buf_putf(&words, "%lld cannot be used; expected %lld to %lld", (long long)value,
	    (long long)f->min, (long long)f->max);
	return refuse(c, p, text_in(&words));
}

static enum err
check_texts(struct api_call *c, struct place p, const struct api_field *f, const json_t *value)
{
	AUTO_BUF words = { 0 };
	int64_t n = (int64_t)json_array_size(value);
	bool is_good = json_is_array(value);

	for (size_t i = 0; is_good && i < json_array_size(value); i++)
		is_good = json_is_string(json_array_get(value, i));
	if (is_good && n >= f->min && n <= f->max)
		return ERR_OK;
	buf_init(&words, LIST_BYTES);
	buf_putf(&words, "expected a list of %lld to %lld texts", (long long)f->min,
	    (long long)f->max);
	return refuse(c, p, text_in(&words));
}

static enum err
check_value(struct api_call *c, const struct api_field *f, const json_t *value)
{
	const struct place p = { "field \"", f->name, "\"" };

	switch (f->kind) {
	case API_FIELD_TEXT:
		return json_is_string(value) ? check_text(c, p, f,
						   (struct str){ json_string_value(value),
						       json_string_length(value) })
					     : refuse(c, p, "expected a text");
	case API_FIELD_WHOLE:
		return json_is_integer(value) ? check_whole(c, p, f, json_integer_value(value))
					      : refuse(c, p, "expected a whole number");
	case API_FIELD_BOOL:
		return json_is_boolean(value) ? ERR_OK : refuse(c, p, "expected true or false");
	case API_FIELD_TEXTS:
		return check_texts(c, p, f, value);
	case API_FIELD_OBJECT:
		return json_is_object(value) ? ERR_OK : refuse(c, p, "expected an object");
	}
	return ERR_BUG;
}

static const struct api_field *
find(const struct api_fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->n; i++)
		if (strcmp(fields->at[i].name, name) == 0)
			return &fields->at[i];
	return NULL;
}

static enum err
parse_body(struct api_call *c)
{
	json_error_t error;

	if (c->q->body.n == 0) {
		why_set(&c->why, "the request has no body; expected a JSON object");
		return ERR_INVALID;
	}
	c->body = json_loadb(c->q->body.p, c->q->body.n, JSON_REJECT_DUPLICATES, &error);
	if (c->body == NULL) {
		why_set(&c->why, "line %d, column %d: not JSON: %s", error.line, error.column,
		    error.text);
		return ERR_INVALID;
	}
	if (json_is_object(c->body))
		return ERR_OK;
	why_set(&c->why, "expected a JSON object, as {\"name\": value}");
	return ERR_INVALID;
}

/* An operation without a body takes none, or an object without fields. */
static enum err
check_body(struct api_call *c, const struct api_route *r)
{
	enum err err = r->has_body || c->q->body.n > 0 ? parse_body(c) : ERR_OK;

	for (void *i = json_object_iter(c->body); err == ERR_OK && i != NULL;
	     i = json_object_iter_next(c->body, i)) {
		const char *key = json_object_iter_key(i);
		const struct api_field *f = find(&r->body, key);

		err = f == NULL
			  ? refuse_unknown(c, (struct place){ "field \"", key, "\"" }, &r->body)
			  : check_value(c, f, json_object_iter_value(i));
	}
	for (size_t i = 0; err == ERR_OK && i < r->body.n; i++)
		if (r->body.at[i].is_required &&
		    json_object_get(c->body, r->body.at[i].name) == NULL)
			err = refuse(c, (struct place){ "field \"", r->body.at[i].name, "\"" },
			    "missing");
	return err;
}

/* A value of the query or the path: text, or a whole number. */
static enum err
check_argument(struct api_call *c, struct place p, const struct api_field *f, struct str value)
{
	int64_t n;

	if (!str_is_line(value) || !str_is_utf8(value))
		return refuse(c, p, "expected one line of text in UTF-8");
	if (f->kind != API_FIELD_WHOLE)
		return check_text(c, p, f, value);
	if (str_to_int(value, &n))
		return check_whole(c, p, f, n);
	why_set(&c->why, "%s%s%s: \"%.*s\" cannot be used; expected a whole number", p.before,
	    p.name, p.after, (int)(value.n > SHOWN ? SHOWN : value.n),
	    value.p == NULL ? "" : value.p);
	return ERR_INVALID;
}

struct query_check {
	struct api_call *call;
	const struct api_route *route;
	uint64_t
	    seen; /* bits in the order of the route's query: at most 64, as the build sees to */
	enum err err;
};

static void
check_query_argument(void *arg, const char *key, const char *value)
{
	struct query_check *q = arg;
	const struct api_fields *known = &q->route->query;
	const struct api_field *f = find(known, key);
	const struct place p = { "?", key, "=" };
	uint64_t bit;

	if (q->err != ERR_OK)
		return;
	if (f == NULL) {
		q->err = refuse_unknown(q->call, p, known);
		return;
	}
	bit = (uint64_t)1 << (f - known->at);
	q->err = (q->seen & bit) != 0 ? refuse(q->call, p, "given twice; expected once")
				      : check_argument(q->call, p, f, str_of(value));
	q->seen |= bit;
}

enum err
check_request(struct api_call *c, const struct api_route *r)
{
	struct query_check query = { .call = c, .route = r, .err = ERR_OK };

	for (size_t i = 0; query.err == ERR_OK && i < r->path.n; i++)
		query.err =
		    check_argument(c, (struct place){ "path, ", r->path.at[i].name, "" },
			&r->path.at[i], i + 1 == r->path.n ? c->name : c->parent);
	if (query.err == ERR_OK && c->q->each_arg != NULL)
		c->q->each_arg(c->q->arg_ctx, check_query_argument, &query);
	for (size_t i = 0; query.err == ERR_OK && i < r->query.n; i++)
		if (r->query.at[i].is_required && (query.seen >> i & 1) == 0)
			query.err = refuse(
			    c, (struct place){ "?", r->query.at[i].name, "=" }, "missing");
	return query.err == ERR_OK ? check_body(c, r) : query.err;
}
