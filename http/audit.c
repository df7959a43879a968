#include "http/audit.h"
#include <stdlib.h>
#include <string.h>
#include "http/json_site.h"
#include "ports/names/names.h"

enum { DETAIL_BYTES_MAX = 8000 };

/* Fields that nobody shall read again. */
static const char *const secrets[] = { "password", "old_password", "link", "code", "eab_hmac", "text", "client_data",
	"authenticator_data", "signature" };

/* What came in, without what is secret. */
static struct str
detail_of(struct api_call *c)
{
	json_t *shown = c->body == NULL ? NULL : json_copy(c->body);
	struct str ret = STR_NONE;

	if (shown == NULL)
		return ret;
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		(void)json_object_del(shown, secrets[i]); /* fails where there is none */
	char *text = json_object_size(shown) == 0 ? NULL : json_dumps(shown, JSON_COMPACT);
	json_decref(shown);
	if (text != NULL)
		ret = arena_str(c->a, (struct str){ text, strnlen(text, DETAIL_BYTES_MAX) });
	free(text);
	return ret;
}

static void
fill(struct api_call *c)
{
	c->audit.at = c->turn.now;
	c->audit.who = c->person.id != 0 ? c->person.mail : c->by;
	c->audit.role = c->asker.is_known ? str_of(role_name(c->asker.role)) : STR_NONE;
	c->audit.address = c->q->address;
	c->audit.object = c->name;
}

void
audit_begin(struct api_call *c, const struct api_route *r)
{
	if (strcmp(r->method, "GET") == 0)
		return;
	fill(c);
	c->audit.action = str_of(r->id);
	c->audit.detail = detail_of(c);
	(void)store_audit_set(c->api->store, &c->audit);
}

void
audit_leave_off(struct api_call *c)
{
	(void)store_audit_set(c->api->store, NULL);
}

/* One that changed no row by a transaction of the store, but was done, is written on its own. */
enum err
audit_end(struct api_call *c, enum err err)
{
	const struct audit_row *left = store_audit_set(c->api->store, NULL);

	return err == ERR_OK && left != NULL && c->reply->kind == API_DONE
		   ? store_audit_put(c->api->store, left)
		   : err;
}

enum err
audit_put(struct api_call *c, const char *action, struct str who, struct str detail)
{
	audit_leave_off(c);
	fill(c);
	if (who.n > 0)
		c->audit.who = who;
	c->audit.action = str_of(action);
	c->audit.detail = detail;
	return store_audit_put(c->api->store, &c->audit);
}

/* --- reading it --- */

static json_t *
line_of(const struct audit_row *r)
{
	json_t *o = json_object();

	if (json_put(o, "id", json_integer(r->id)) && json_put(o, "at", json_date(r->at)) &&
	    json_put(o, "who", json_text(r->who)) && json_put(o, "role", json_text(r->role)) &&
	    json_put(o, "address", json_text(r->address)) &&
	    json_put(o, "action", json_text(r->action)) &&
	    json_put(o, "object", json_text(r->object)) &&
	    json_put(o, "detail", json_text(r->detail)))
		return o;
	json_decref(o);
	return NULL;
}

/* A site may have been named in either form; what is no name of a site stands for itself. */
static struct str
other_form(struct api_call *c, struct str object)
{
	struct why unused;
	struct str ascii;

	if (object.n == 0 || names_read(object, false, c->a, &unused, &ascii) != ERR_OK)
		return object;
	return str_eq(ascii, object) ? names_for_people(ascii, c->a) : ascii;
}

enum err
audit_list(struct api_call *c)
{
	const struct audit_filter filter = { .who = api_text(c, "who"),
		.action = api_text(c, "action"),
		.object = api_text(c, "object"),
		.other = other_form(c, api_text(c, "object")),
		.before_id = api_whole(c, "before") };
	struct audit_row *rows;
	size_t n, max = api_limit(c);
	enum err err = store_audit(c->api->store, &filter, max, c->a, &rows, &n);

	if (err != ERR_OK)
		return err;
	json_t *document = json_object(), *list = json_array();
	bool ok = true;
	for (size_t i = 0; i < n; i++)
		ok = ok && json_array_append_new(list, line_of(&rows[i])) == 0;
	if (!json_put(document, "audit", list) ||
	    !json_put(
		document, "before", n == max ? json_integer(rows[n - 1].id) : json_null()) ||
	    !ok) {
		json_decref(document);
		return ERR_MEMORY;
	}
	api_give(c, 200, document);
	return ERR_OK;
}
