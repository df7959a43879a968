#include "ports/vantage/question.h"
#include <jansson.h>
#include <sodium.h>
#include "base/limits.h"
#include "ports/keys/jose.h"
#include "ports/keys/question.h"
#include "ports/names/names.h"

enum { HEADER_BYTES = 512, THUMBPRINT_MAX = JOSE_THUMBPRINT_BYTES };

static const struct refusal_row rows[] = {
#define REFUSAL(symbol, status, name, words) [REFUSAL_##symbol] = { status, name, words },
#include "ports/vantage/refusal.tbl"
#undef REFUSAL
};

const struct refusal_row *
refusal_row(enum refusal r)
{
	return &rows[r];
}

enum err
question_write(const struct question *q, struct buf *to)
{
	json_t *names = json_array(), *o;

	for (size_t i = 0; i < q->names_n; i++)
		(void)json_array_append_new(names, json_stringn(q->names[i].p, q->names[i].n)); /* one less without memory: seen below */
	bool is_whole = json_array_size(names) == q->names_n;
	o = json_pack("{s:s%, s:I, s:s%, s:o, s:s%, s:I}", "aud", q->place.p, q->place.n, "iat", (json_int_t)q->at.s, "jti", q->nonce.p,
	    q->nonce.n, "names", names, "thumbprint", q->thumbprint.n > 0 ? q->thumbprint.p : "", q->thumbprint.n, "wait_ms",
	    (json_int_t)q->wait_ms);
	char *text = o == NULL || !is_whole ? NULL : json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (text == NULL)
		return ERR_MEMORY;
	buf_put_str(to, str_of(text));
	free(text);
	return to->err;
}

/* --- reading --- */

/* An object with exactly the members that are named: count of them, each looked up by the caller. */
static json_t *
read_object(struct str text, size_t members)
{
	json_t *o = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(o) && json_object_size(o) == members)
		return o;
	json_decref(o);
	return NULL;
}

static struct str
text_of(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) } : STR_NONE;
}

static bool
is_text(struct str s, size_t max)
{
	return s.n > 0 && s.n <= max && str_is_line(s);
}

/* False for what is no base64url, or too long. */
static bool
decode(struct str text, size_t max, struct arena *a, struct str *ret)
{
	size_t n = 0;
	char *bytes = arena_get(a, max + 1);

	if (bytes == NULL || text.n == 0 ||
	    sodium_base642bin((uint8_t *)bytes, max, text.p, text.n, NULL, &n, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
		return false;
	*ret = (struct str){ bytes, n };
	return true;
}

static enum refusal
read_header(struct str text, struct arena *a, struct question_message *m)
{
	json_t *o = read_object(text, 3);
	struct str alg = text_of(o, "alg"), kid = text_of(o, "kid");
	uint8_t key[QUESTION_KEY_BYTES];
	enum refusal r = REFUSAL_MALFORMED;

	if (str_eq(alg, STR("none")))
		r = REFUSAL_UNSIGNED;
	else if (str_eq(alg, STR("EdDSA")) && str_eq(text_of(o, "typ"), STR(QUESTION_TYPE)) && kid.n == QUESTION_KEY_LETTERS &&
		 question_read_bytes(kid, key, sizeof key)) {
		m->key = arena_str(a, kid);
		r = REFUSAL_NONE;
	}
	json_decref(o);
	return r;
}

/* Names are those that an order could be for, in the form that is stored. */
static bool
read_names(const json_t *list, struct arena *a, struct question *q)
{
	size_t n = json_array_size(list);
	struct str *names = arena_get(a, (n + 1) * sizeof *names);
	struct why why;

	if (!json_is_array(list) || n > LIMIT_QUESTION_NAMES || names == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(list, i);
		struct str given = json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) } : STR_NONE;

		if (given.n > LIMIT_NAME_BYTES || names_read(given, false, a, &why, &names[i]) != ERR_OK || !str_eq(given, names[i]))
			return false;
	}
	q->names = names;
	q->names_n = n;
	return true;
}

static bool
is_base64url(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", s.p[i], 64) == NULL)
			return false;
	return true;
}

static bool
read_payload(struct str text, struct arena *a, struct question *q)
{
	json_t *o = read_object(text, 6);
	const json_t *iat = json_object_get(o, "iat"), *wait = json_object_get(o, "wait_ms"), *thumbprint = json_object_get(o, "thumbprint");
	struct str place = text_of(o, "aud"), nonce = text_of(o, "jti"), print = text_of(o, "thumbprint");
	uint8_t bytes[QUESTION_NONCE_BYTES];
	bool ok = is_text(place, LIMIT_NAME_BYTES) && nonce.n == QUESTION_NONCE_LETTERS && question_read_bytes(nonce, bytes, sizeof bytes) &&
		  json_is_integer(iat) && json_is_integer(wait) && json_is_string(thumbprint) &&
		  (print.n == 0 || print.n == THUMBPRINT_MAX) && is_base64url(print) && read_names(json_object_get(o, "names"), a, q);

	if (ok) {
		q->place = arena_str(a, place);
		q->nonce = arena_str(a, nonce);
		q->thumbprint = arena_str(a, print);
		q->at = (struct when){ json_integer_value(iat) };
		q->wait_ms = json_integer_value(wait);
		ok = q->wait_ms > 0 && q->wait_ms <= QUESTION_WAIT_MS_MAX && when_is_known(q->at);
	}
	json_decref(o);
	return ok;
}

static enum refusal
read_parts(const json_t *o, struct arena *a, struct question_message *m)
{
	struct str protected = text_of(o, "protected"), payload = text_of(o, "payload"), signature = text_of(o, "signature"), header, inner;

	if (signature.n == 0)
		return REFUSAL_UNSIGNED;
	if (!decode(signature, JOSE_ED25519_BYTES, a, &m->signature) || m->signature.n != JOSE_ED25519_BYTES ||
	    !decode(protected, HEADER_BYTES, a, &header))
		return REFUSAL_MALFORMED;
	enum refusal r = read_header(header, a, m);
	if (r != REFUSAL_NONE)
		return r;
	if (!decode(payload, LIMIT_QUESTION_BYTES, a, &inner) || !read_payload(inner, a, &m->q))
		return REFUSAL_MALFORMED;
	/* RFC 7515 5.2: over the text as it came, not over what was read of it. */
	m->input = arena_strf(a, "%.*s.%.*s", STR_ARG(protected), STR_ARG(payload));
	return arena_failed(a) ? REFUSAL_BUSY : REFUSAL_NONE;
}

enum refusal
question_read(struct str body, struct arena *a, struct question_message *ret)
{
	struct question_message m = { 0 };

	if (body.n > LIMIT_QUESTION_BYTES)
		return REFUSAL_TOO_LONG;
	json_t *o = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
	bool is_jws = json_is_object(o) && json_object_get(o, "protected") != NULL && json_object_get(o, "payload") != NULL;
	/* A document of another kind is one that nobody signed. */
	enum refusal r = !json_is_object(o) ? REFUSAL_MALFORMED : !is_jws ? REFUSAL_UNSIGNED : json_object_size(o) > 3 ? REFUSAL_MALFORMED : read_parts(o, a, &m);
	json_decref(o);
	if (r == REFUSAL_NONE)
		*ret = m;
	return r;
}
