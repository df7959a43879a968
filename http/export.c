/*
 * What leaves with a private key in it: the key alone for the operator, or one file for the owner who has given the password again. A
 * key that left without a line in the history did not leave.
 */
#include <string.h>
#include "http/access.h"
#include "http/audit.h"
#include "http/inside.h"
#include "http/people.h"
#include "http/read.h"
#include "http/tries.h"
#include "ports/keys/p12.h"

enum { FILE_BYTES_MAX = 256 * 1024 };

/* The key of the held certificate is asked of the keeper. */
static enum err
want_key(struct api_call *c, const struct site *s, struct certificate_row *row)
{
	if (s->held.id == 0) {
		api_say(c, "api.no-certificate", s->names[0].name);
		return ERR_NOT_FOUND;
	}
	enum err err = store_certificate_load(c->api->store, s->held.id, c->a, row);
	if (err != ERR_OK)
		return err;
	c->reply->kind = API_KEY;
	c->reply->site_id = s->id;
	c->reply->by = c->by;
	c->reply->sealed = row->sealed_key;
	return ERR_OK;
}

enum err
site_key(struct api_call *c)
{
	struct site s;
	struct certificate_row row;
	enum err err = api_load(c, &s);

	return err != ERR_OK ? err : want_key(c, &s, &row);
}

static enum err
refuse(struct api_call *c, const char *field, const char *expected)
{
	why_set(&c->why, "%s", expected);
	read_name_field(&c->why, field);
	return ERR_INVALID;
}

enum err
site_export(struct api_call *c)
{
	struct str format = STR_NONE, password = STR_NONE, file_password = STR_NONE;
	const struct read_field fields[] = { { "format", READ_TEXT, &format, NULL },
		{ "password", READ_TEXT, &password, NULL },
		{ "file_password", READ_TEXT, &file_password, NULL } };
	struct site s;
	struct certificate_row row;
	struct tries tries;
	enum err err = api_load(c, &s);

	audit_leave_off(c);
	if (err == ERR_OK)
		err = read_object(c->body, fields, sizeof fields / sizeof *fields, c->a);
	if (err == ERR_OK)
		err = tries_of(c, c->person.mail, c->person.id, &tries);
	if (err != ERR_OK)
		return err;
	bool is_p12 = str_eq(format, STR("p12"));
	if (is_p12 && (file_password.n == 0 || file_password.n > P12_PASSWORD_BYTES_MAX))
		return refuse(c, "file_password", "expected a password for the PKCS#12 file");
	if (c->q->hashed_n == 0) {
		err = tries_count(c, &tries);
		if (err == ERR_OK)
			password_hash(c, password, c->person.password);
		return err;
	}
	if (c->person.password.n == 0 || !c->q->hashed[0].is_right) {
		err = audit_put(c, "site_export_refused", STR_NONE, STR_NONE);
		api_say(c, "api.password-wrong", STR_NONE);
		return err != ERR_OK ? err : ERR_DENIED;
	}
	err = tries_forgive(c, &tries);
	if (err == ERR_OK)
		err = want_key(c, &s, &row);
	if (err == ERR_OK)
		err = audit_put(c, "site_export", STR_NONE, format);
	c->reply->export = (struct api_export){ .is_wanted = true,
		.is_p12 = is_p12,
		.password = file_password,
		.name = s.names[0].name,
		.chain_pem = row.chain_pem };
	return err;
}

static enum err
put_file(const struct api_export *e, struct str key_pem, struct buf *out)
{
	if (e->is_p12)
		return p12_make(e->chain_pem, key_pem, e->password, e->name, out);
	buf_put_str(out, key_pem);
	buf_put_str(out, e->chain_pem);
	return out->err;
}

static enum err
give_file(struct str key_pem, struct arena *a, struct api_reply *ret)
{
	const struct api_export *e = &ret->export;
	struct buf file;

	buf_init(&file, FILE_BYTES_MAX);
	enum err err = put_file(e, key_pem, &file);
	if (err == ERR_OK) {
		buf_fini(&ret->body);
		ret->body = file;
		ret->status = 200;
		ret->type = e->is_p12 ? "application/x-pkcs12" : "application/x-pem-file";
		api_header(ret, "Content-Disposition",
		    arena_strf(a, "attachment; filename=\"%.*s.%s\"", STR_ARG(e->name),
			e->is_p12 ? "p12" : "pem"));
		return ERR_OK;
	}
	if (file.p != NULL)
		explicit_bzero(file.p, file.n);
	buf_fini(&file);
	return err;
}

void
api_key_reply(struct api *api, const struct api_request *q, int64_t site_id, struct str key_pem,
    struct arena *a, struct api_reply *ret)
{
	struct api_call c = { .api = api,
		.q = q,
		.a = a,
		.reply = ret,
		.turn = clock_turn(&api->clock),
		.by = ret->by };
	enum err err = api_put_history(&c, site_id, HISTORY_KEY_EXPORTED, STR_NONE);

	buf_clear(&ret->body);
	ret->kind = API_DONE;
	if (err == ERR_OK && ret->export.is_wanted)
		err = give_file(key_pem, a, ret);
	else if (err == ERR_OK)
		api_give(&c, 200, json_pack("{s:s%}", "key", key_pem.p, key_pem.n));
	if (err != ERR_OK)
		api_problem(ret, err, q->lang, STR_NONE);
}
