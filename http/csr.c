/* Requests (CSR) for certificates that owners buy elsewhere. The keeper makes key and request; the key never leaves sealed storage. */
#include "base/limits.h"
#include "http/inside.h"
#include "http/json_site.h"
#include "ports/keys/own.h"
#include "ports/names/names.h"
#include "ports/store/csr.h"

static json_t *
document_of(struct api_call *c, const struct csr_row *r)
{
	AUTO_BUF pem = { .max = 4 * LIMIT_CSR_BYTES };
	json_t *o = json_object();
	bool ok = own_csr_pem(r->csr_der, &pem) == ERR_OK;

	ok = json_put(o, "id", json_integer(r->id)) && json_put(o, "names", json_names(r->names, r->names_n, c->a)) &&
	     json_put(o, "key_type", json_string(key_type_name(r->key_type))) && json_put(o, "created", json_date(r->created)) &&
	     json_put(o, "ends", json_date(when_plus(r->created, CSR_WAITS))) && json_put(o, "answered", json_date(r->answered)) &&
	     json_put(o, "pem", json_text(buf_str(&pem))) && ok;
	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

enum err
csrs_list(struct api_call *c)
{
	struct site s;
	struct csr_row *rows;
	size_t n;
	enum err err = api_load(c, &s);

	if (err == ERR_OK)
		err = store_csrs_of(c->api->store, s.id, c->turn.now, c->a, &rows, &n);
	if (err != ERR_OK)
		return err;
	json_t *list = json_array(), *document = json_object();
	bool ok = true;
	for (size_t i = 0; i < n; i++)
		ok = json_array_append_new(list, document_of(c, &rows[i])) == 0 && ok;
	if (!json_put(document, "csrs", list) || !ok) {
		json_decref(document);
		return ERR_MEMORY;
	}
	api_give(c, 200, document);
	return ERR_OK;
}

/* --- making one --- */

static struct str
text_of(const struct api_call *c, const char *field)
{
	const json_t *v = json_object_get(c->body, field);

	/* The keeper is asked when the body is gone already. */
	return v == NULL ? STR_NONE : arena_str(c->a, str_trim((struct str){ json_string_value(v), json_string_length(v) }));
}

static enum err
refuse(struct api_call *c, const char *field, const char *expected)
{
	why_set(&c->why, "%s", expected);
	read_name_field(&c->why, field);
	return ERR_INVALID;
}

static enum err
read_subject(struct api_call *c, struct csr_subject *ret)
{
	const struct csr_subject s = { text_of(c, "organization"), text_of(c, "locality"), text_of(c, "state"), text_of(c, "country") };
	const struct {
		const char *field;
		struct str text;
	} texts[] = { { "organization", s.organization }, { "locality", s.locality }, { "state", s.state } };

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (!str_is_line(texts[i].text) || !str_is_utf8(texts[i].text))
			return refuse(c, texts[i].field, "expected one line of text");
	if (s.country.n != 0 && (s.country.n != 2 || s.country.p[0] < 'A' || s.country.p[0] > 'Z' || s.country.p[1] < 'A' || s.country.p[1] > 'Z'))
		return refuse(c, "country", "expected two capital letters, as JP");
	*ret = s;
	return ERR_OK;
}

static enum err
has_room(struct api_call *c, const struct site *s)
{
	struct csr_row *rows;
	size_t n;
	enum err err = store_csrs_of(c->api->store, s->id, c->turn.now, c->a, &rows, &n);

	if (err != ERR_OK || n < LIMIT_CSRS)
		return err;
	api_say(c, "api.csr-many", s->names[0].name);
	return ERR_CONFLICT;
}

/* A draft of the switch, so that page and letters know what is under way; one that waits for a bought certificate stays (STORY 3). */
static enum err
put_draft(struct api_call *c, const struct site *s)
{
	struct draft d = s->draft;
	bool is_new = !d.exists;

	if (s->setting.source == SOURCE_OWN)
		return ERR_OK;
	if (is_new)
		d = (struct draft){ .exists = true, .setting = s->setting, .begun_at = c->turn.now, .begun_by = c->by, .told_at = WHEN_UNKNOWN };
	if (is_new)
		d.setting.source = SOURCE_OWN;
	d.has_csr = true;
	enum err err = store_draft_put(c->api->store, s->id, &d);
	return err == ERR_OK && is_new ? api_put_history(c, s->id, HISTORY_DRAFT_BEGUN, STR_NONE) : err;
}

static enum err
put(struct api_call *c, struct csr_row *r)
{
	struct site s;
	enum err err = store_begin(c->api->store);

	if (err != ERR_OK)
		return err;
	err = api_load(c, &s);
	if (err == ERR_OK)
		err = has_room(c, &s);
	r->site_id = s.id;
	if (err == ERR_OK)
		err = store_csr_put(c->api->store, r, &r->id);
	if (err == ERR_OK)
		err = put_draft(c, &s);
	if (err == ERR_OK)
		err = api_put_history(c, s.id, HISTORY_CSR_MADE, STR_NONE);
	err = api_end(c, err);
	if (err == ERR_OK)
		api_give(c, 201, document_of(c, r));
	return err;
}

enum err
csr_make(struct api_call *c)
{
	struct site s;
	struct csr_subject subject;
	struct csr_row r = { .key_type = KEY_RSA2048, .created = c->turn.now, .answered = WHEN_UNKNOWN, .by = c->by };
	struct str type = text_of(c, "key_type");
	enum err err = api_load(c, &s);

	if (err == ERR_OK)
		err = read_subject(c, &subject);
	if (err == ERR_OK)
		err = has_room(c, &s);
	if (err != ERR_OK)
		return err;
	(void)key_type_of_name(type, &r.key_type); /* the table has judged it; without it: what every seller takes */
	r.names = arena_get(c->a, (s.names_n + 1) * sizeof *r.names);
	for (size_t i = 0; r.names != NULL && i < s.names_n; i++)
		if (s.names[i].is_wanted)
			r.names[r.names_n++] = s.names[i].name;
	if (c->q->is_sealed) {
		r.csr_der = c->q->csr_der;
		r.sealed_key = c->q->sealed;
		err = own_key_id_of_csr(r.csr_der, r.key_id);
		return err != ERR_OK ? err : put(c, &r);
	}
	c->reply->kind = API_CSR;
	c->reply->csr = (struct api_csr){ r.key_type, r.names, r.names_n, subject };
	return ERR_OK;
}

/* --- giving one up --- */

/* With the last one the draft that was begun for it goes too. */
static enum err
end_draft(struct api_call *c, const struct site *s)
{
	struct csr_row *rows;
	size_t n;
	enum err err = store_csrs_of(c->api->store, s->id, c->turn.now, c->a, &rows, &n);

	struct draft d = s->draft;

	if (err != ERR_OK || n > 0 || !d.exists || !d.has_csr)
		return err;
	d.has_csr = false;
	if (d.setting.source != SOURCE_OWN)
		return store_draft_put(c->api->store, s->id, &d);
	err = store_draft_discard(c->api->store, s->id);
	return err != ERR_OK ? err : api_put_history(c, s->id, HISTORY_DRAFT_DISCARDED, STR_NONE);
}

enum err
csr_discard(struct api_call *c)
{
	struct site s;
	enum err err = store_begin(c->api->store);

	if (err != ERR_OK)
		return err;
	err = api_load(c, &s);
	if (err == ERR_OK) {
		err = store_csr_drop(c->api->store, s.id, api_whole(c, "id"));
		if (err == ERR_NOT_FOUND)
			api_say(c, "api.no-csr", s.names[0].name);
	}
	if (err == ERR_OK)
		err = end_draft(c, &s);
	if (err == ERR_OK)
		err = api_put_history(c, s.id, HISTORY_CSR_DISCARDED, STR_NONE);
	err = api_end(c, err);
	return err != ERR_OK ? err : csrs_list(c);
}
