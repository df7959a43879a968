#include "http/codes.h"
#include <string.h>
#include "http/access.h"
#include "http/audit.h"
#include "http/json_site.h"
#include "http/people.h"
#include "http/qr.h"
#include "http/read.h"
#include "http/tries.h"

enum {
	RECOVERY_N = 10,
	RECOVERY_BYTES = 10,
	RECOVERY_LETTERS =
	    16, /* ten bytes in base32: nobody guesses them, whatever is known of the digest */
	URI_BYTES_MAX = 2048,
	SVG_BYTES_MAX = 64 * 1024,
};

enum err
codes_load(struct api_call *c, int64_t person_id, struct code_row *ret, bool *ret_is_on)
{
	enum err err = store_code_load(c->api->store, person_id, c->a, ret);

	if (err == ERR_NOT_FOUND)
		*ret = (struct code_row){
			.person_id = person_id, .confirmed = WHEN_UNKNOWN, .begun = WHEN_UNKNOWN
		};
	else if (err != ERR_OK)
		return err;
	*ret_is_on = when_is_known(ret->confirmed);
	return ERR_OK;
}

/* --- judging --- */

static enum err
refuse(struct api_call *c, const char *action, const char *key, const struct person_row *p)
{
	enum err err = audit_put(c, action, p->mail, STR_NONE);

	if (err != ERR_OK)
		return err;
	api_say(c, key, STR_NONE);
	return ERR_DENIED;
}

/* As it is shown or as people type it: with spaces, hyphens, large letters. */
static struct str
plain_of(struct api_call *c, struct str typed)
{
	struct str copy = arena_str(c->a, typed);
	char *to = arena_get(c->a, typed.n + 1);
	size_t n = 0;

	if (copy.n != typed.n || to == NULL)
		return STR_NONE;
	for (size_t i = 0; i < copy.n; i++)
		if (copy.p[i] >= 'A' && copy.p[i] <= 'Z')
			to[n++] = (char)(copy.p[i] - 'A' + 'a');
		else if (copy.p[i] != ' ' && copy.p[i] != '-')
			to[n++] = copy.p[i];
	return (struct str){ to, n };
}

static enum err
judge_recovery(struct api_call *c, const struct person_row *p, struct str code)
{
	struct digest d = access_digest(code);
	enum err err = store_recovery_take(c->api->store, p->id, &d);

	return err == ERR_NOT_FOUND ? refuse(c, "code_refused", "api.code-wrong", p) : err;
}

static enum err
judge_step(struct api_call *c, const struct person_row *p, const struct code_row *row)
{
	enum err err = ERR_NOT_FOUND;

	if (c->q->step > 0 && access_code_is_new(c->q->step, row->step))
		err = store_code_take(c->api->store, p->id, c->q->step, c->turn.now);
	return err == ERR_NOT_FOUND ? refuse(c, "code_refused", "api.code-wrong", p) : err;
}

enum err
codes_judge(struct api_call *c, const struct person_row *p, const struct code_row *row,
    struct str typed, bool *ret_is_judged)
{
	struct str code = plain_of(c, typed);
	bool is_recovery = code.n == RECOVERY_LETTERS;
	struct tries tries;
	enum err err;

	*ret_is_judged = is_recovery || c->q->is_sealed;
	if (code.n == 0) {
		api_say(c, "api.code-needed", STR_NONE);
		return ERR_CODE_NEEDED;
	}
	err = tries_of_code(c, p->id, &tries);
	if (err == ERR_OK && !c->q->is_sealed)
		err = tries_count(c, &tries);
	if (err != ERR_OK)
		return err;
	if (!*ret_is_judged && code.n != CODE_DIGITS)
		return refuse(c, "code_refused", "api.code-wrong", p);
	if (!*ret_is_judged) {
		c->reply->kind = API_CODE;
		c->reply->sealed = row->sealed;
		c->reply->code = code;
		c->reply->first_step = access_code_first_step(c->turn.now);
		return ERR_OK;
	}
	err = is_recovery ? judge_recovery(c, p, code) : judge_step(c, p, row);
	return err == ERR_OK ? tries_forgive(c, &tries) : err;
}

/* --- a person's own --- */

static enum err
give_state(struct api_call *c, const struct code_row *row, bool is_on)
{
	json_t *o = json_object();

	if (!json_put(o, "is_on", json_boolean(is_on)) ||
	    !json_put(o, "since", json_date(row->confirmed)) ||
	    !json_put(o, "recovery_left", json_integer(row->recovery_left))) {
		json_decref(o);
		return ERR_MEMORY;
	}
	api_give(c, 200, o);
	return ERR_OK;
}

enum err
codes_show(struct api_call *c)
{
	struct code_row row;
	bool is_on;
	enum err err = person_needed(c);

	if (err == ERR_OK)
		err = codes_load(c, c->person.id, &row, &is_on);
	return err != ERR_OK ? err : give_state(c, &row, is_on);
}

/* RFC 3986 2.3: everything else is escaped. */
static void
put_escaped(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];
		bool is_plain = (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') ||
				(ch >= 'a' && ch <= 'z');

		if (is_plain || (ch != 0 && strchr("-._~", ch) != NULL))
			buf_putc(b, (char)ch);
		else
			buf_putf(b, "%%%02X", ch);
	}
}

/* What the app shows above the code: where it is for. */
static struct str
issuer_of(const struct api_call *c)
{
	struct str url = str_of(c->api->config->panel_url);
	size_t at = str_find(url, STR("://"));

	if (at == SIZE_MAX)
		return STR("koshin");
	url = (struct str){ url.p + at + 3, url.n - at - 3 };
	return str_cut(&url, '/');
}

static enum err
give_secret(struct api_call *c)
{
	AUTO_BUF uri = { .max = URI_BYTES_MAX }, svg = { .max = SVG_BYTES_MAX };
	enum err err = store_code_put(c->api->store, c->person.id, c->q->sealed, c->turn.now);

	if (err != ERR_OK)
		return err;
	buf_putf(&uri, "otpauth://totp/");
	put_escaped(&uri, issuer_of(c));
	buf_putc(&uri, ':');
	put_escaped(&uri, c->person.mail);
	buf_putf(&uri, "?secret=%.*s&issuer=", STR_ARG(c->q->secret));
	put_escaped(&uri, issuer_of(c));
	err = uri.err != ERR_OK ? uri.err : qr_put_svg(buf_str(&uri), &svg);
	if (err != ERR_OK)
		return err;
	json_t *o = json_object();
	if (!json_put(o, "secret", json_text(c->q->secret)) ||
	    !json_put(o, "uri", json_text(buf_str(&uri))) ||
	    !json_put(o, "qr", json_text(buf_str(&svg)))) {
		json_decref(o);
		return ERR_MEMORY;
	}
	api_give(c, 201, o);
	return ERR_OK;
}

enum err
codes_begin(struct api_call *c)
{
	struct str password = STR_NONE;
	const struct read_field fields[] = { { "password", READ_TEXT, &password, NULL } };
	bool is_confirmed = false, is_on = false;
	struct code_row row;
	enum err err = person_needed(c);

	if (err == ERR_OK)
		err = read_object(c->body, fields, sizeof fields / sizeof *fields, c->a);
	if (err == ERR_OK)
		err = codes_load(c, c->person.id, &row, &is_on);
	if (err == ERR_OK && is_on) {
		api_say(c, "api.codes-on", STR_NONE);
		return ERR_CONFLICT;
	}
	if (err == ERR_OK)
		err = password_confirm(c, password, &is_confirmed);
	if (err != ERR_OK || !is_confirmed)
		return err;
	if (c->q->is_sealed)
		return give_secret(c);
	c->reply->kind = API_CODE_NEW;
	return ERR_OK;
}

/* --- recovery codes --- */

/* RFC 4648 6, in small letters and groups of four. */
static struct str
recovery_text(struct api_call *c, const uint8_t bytes[RECOVERY_BYTES], struct str *ret_plain)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	char plain[RECOVERY_LETTERS];

	for (size_t i = 0; i < RECOVERY_LETTERS; i++) {
		size_t bit = i * 5, at = bit / 8;
		unsigned two =
		    (unsigned)bytes[at] << 8 | (at + 1 < RECOVERY_BYTES ? bytes[at + 1] : 0U);

		plain[i] = letters[two >> (11 - bit % 8) & 31];
	}
	*ret_plain = arena_str(c->a, (struct str){ plain, sizeof plain });
	return arena_strf(c->a, "%.4s-%.4s-%.4s-%.4s", plain, plain + 4, plain + 8, plain + 12);
}

static enum err
give_recovery(struct api_call *c)
{
	struct digest digests[RECOVERY_N];
	json_t *o = json_object(), *list = json_array();
	bool ok = true;

	for (size_t i = 0; i < RECOVERY_N; i++) {
		uint8_t bytes[RECOVERY_BYTES];
		struct str plain;

		c->api->clock.random(c->api->clock.ctx, bytes, sizeof bytes);
		ok = json_array_append_new(list, json_text(recovery_text(c, bytes, &plain))) ==
			 0 &&
		     ok;
		digests[i] = access_digest(plain);
	}
	enum err err =
	    json_put(o, "recovery_codes", list) && ok && !arena_failed(c->a)
		? store_recovery_put(c->api->store, c->person.id, digests, RECOVERY_N)
		: ERR_MEMORY;
	if (err != ERR_OK) {
		json_decref(o);
		return err;
	}
	api_give(c, 200, o);
	return ERR_OK;
}

/* A code of the person who asks, and then what it was typed for. is_first: it confirms a secret that was given out just now. */
static enum err
with_code(struct api_call *c, bool is_first, enum err (*then)(struct api_call *c))
{
	struct str code = STR_NONE;
	const struct read_field fields[] = { { "code", READ_TEXT, &code, NULL } };
	struct code_row row;
	bool is_on = false, is_judged = false;
	enum err err = person_needed(c);

	if (err == ERR_OK)
		err = read_object(c->body, fields, sizeof fields / sizeof *fields, c->a);
	if (err == ERR_OK)
		err = codes_load(c, c->person.id, &row, &is_on);
	if (err == ERR_OK && is_first && is_on) {
		api_say(c, "api.codes-on", STR_NONE);
		return ERR_CONFLICT;
	}
	if (err == ERR_OK && (is_first ? row.sealed.n == 0 : !is_on)) {
		api_say(c, "api.codes-off", STR_NONE);
		return ERR_NOT_FOUND;
	}
	if (err == ERR_OK)
		err = codes_judge(c, &c->person, &row, code, &is_judged);
	return err == ERR_OK && is_judged ? then(c) : err;
}

enum err
codes_confirm(struct api_call *c)
{
	return with_code(c, true, give_recovery);
}

enum err
recovery_renew(struct api_call *c)
{
	return with_code(c, false, give_recovery);
}

static enum err
end_own(struct api_call *c)
{
	const struct code_row none = { .confirmed = WHEN_UNKNOWN };
	enum err err = store_code_drop(c->api->store, c->person.id);

	return err != ERR_OK ? err : give_state(c, &none, false);
}

enum err
codes_end(struct api_call *c)
{
	return with_code(c, false, end_own);
}
