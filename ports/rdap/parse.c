#include "ports/rdap/parse.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/limits.h"

enum {
	STATES_MAX = 32, /* of one domain; a registry has about twenty kinds */
	EVENTS_MAX = 64,
	ENTITIES_MAX = 64,
	ROLES_MAX = 16,
	TEXT_MAX = 200,	      /* of a registrar's name */
	SERVICES_MAX = 10000, /* of the bootstrap: there are 1,500 top-level domains */
};

static struct str
text_of(const json_t *o)
{
	return json_is_string(o) ? (struct str){ json_string_value(o), json_string_length(o) }
				 : STR_NONE;
}

static json_t *
load(struct str json)
{
	return json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, NULL);
}

/* ---- a domain ---- */

static void
read_states(const json_t *list, struct arena *a, struct registration *r)
{
	size_t n = json_array_size(list) < STATES_MAX ? json_array_size(list) : STATES_MAX;

	for (size_t i = 0; i < n; i++) {
		struct str state = text_of(json_array_get(list, i));

		if (state.n == 0 || state.n > TEXT_MAX)
			continue;
		r->is_on_hold |= str_eq_nocase(state, STR("client hold")) ||
				 str_eq_nocase(state, STR("server hold"));
		r->is_redeemable |= str_eq_nocase(state, STR("redemption period")) ||
				    str_eq_nocase(state, STR("pending restore"));
		r->is_being_deleted |= str_eq_nocase(state, STR("pending delete"));
		r->words = r->words.n == 0
			       ? arena_str(a, state)
			       : arena_strf(a, "%.*s, %.*s", STR_ARG(r->words), STR_ARG(state));
	}
}

static void
read_events(const json_t *list, struct registration *r)
{
	size_t n = json_array_size(list) < EVENTS_MAX ? json_array_size(list) : EVENTS_MAX;

	for (size_t i = 0; i < n; i++) {
		const json_t *event = json_array_get(list, i);

		/* "registrar expiration" is the registrar's own date; the registry's counts. */
		if (str_eq_nocase(
			text_of(json_object_get(event, "eventAction")), STR("expiration")))
			r->expires = date_read(text_of(json_object_get(event, "eventDate")), DATE_ZONE_OR_UTC);
	}
}

static bool
has_role(const json_t *entity, struct str role)
{
	const json_t *roles = json_object_get(entity, "roles");
	size_t n = json_array_size(roles) < ROLES_MAX ? json_array_size(roles) : ROLES_MAX;

	for (size_t i = 0; i < n; i++)
		if (str_eq_nocase(text_of(json_array_get(roles, i)), role))
			return true;
	return false;
}

/* The formatted name of a jCard (RFC 7095): ["vcard", [["fn", {}, "text", "Example Registrar"], …]]. */
static struct str
full_name(const json_t *entity)
{
	const json_t *properties = json_array_get(json_object_get(entity, "vcardArray"), 1);
	size_t n =
	    json_array_size(properties) < EVENTS_MAX ? json_array_size(properties) : EVENTS_MAX;

	for (size_t i = 0; i < n; i++) {
		const json_t *property = json_array_get(properties, i);

		if (str_eq_nocase(text_of(json_array_get(property, 0)), STR("fn")))
			return text_of(json_array_get(property, 3));
	}
	return STR_NONE;
}

static void
read_entities(const json_t *list, struct arena *a, struct registration *r)
{
	size_t n = json_array_size(list) < ENTITIES_MAX ? json_array_size(list) : ENTITIES_MAX;

	for (size_t i = 0; i < n && r->registrar.n == 0; i++) {
		const json_t *entity = json_array_get(list, i);
		struct str name = full_name(entity);

		if (has_role(entity, STR("registrar")) && name.n > 0 && name.n <= TEXT_MAX &&
		    str_is_line(name) && str_is_utf8(name))
			r->registrar = arena_str(a, name);
	}
}

/* An answer for another name is none: the ASCII form, with or without the dot at its end. */
static bool
is_about(const json_t *o, struct str domain)
{
	struct str name = text_of(json_object_get(o, "ldhName"));

	if (name.n > 0 && name.p[name.n - 1] == '.')
		name.n--;
	return str_eq_nocase(text_of(json_object_get(o, "objectClassName")), STR("domain")) &&
	       str_eq_nocase(name, domain);
}

enum err
rdap_parse_domain(struct str json, struct str domain, struct arena *a, struct registration *ret)
{
	json_t *o = load(json);
	struct registration r = { .status = REGISTRATION_FOUND, .expires = WHEN_UNKNOWN };
	enum err err = o != NULL && is_about(o, domain) ? ERR_OK : ERR_INVALID;

	if (err == ERR_OK) {
		read_states(json_object_get(o, "status"), a, &r);
		read_events(json_object_get(o, "events"), &r);
		read_entities(json_object_get(o, "entities"), a, &r);
		err = arena_failed(a) ? ERR_MEMORY : ERR_OK;
	}
	if (err == ERR_OK)
		*ret = r;
	json_decref(o);
	return err;
}

/* ---- the bootstrap ---- */

struct rdap_bootstrap {
	json_t *by_suffix; /* "co.jp" -> "https://rdap.example/" */
};

static struct str
best_url(const json_t *urls)
{
	struct str best = STR_NONE;
	size_t n = json_array_size(urls) < ROLES_MAX ? json_array_size(urls) : ROLES_MAX;

	/* RFC 9224 3: https is to be preferred. */
	for (size_t i = 0; i < n; i++) {
		struct str url = text_of(json_array_get(urls, i));
		bool is_secure = str_starts(url, STR("https://"));

		if (url.n == 0 || url.n > LIMIT_URL_BYTES / 2 || url.p[url.n - 1] != '/' ||
		    !str_is_line(url) || (!is_secure && !str_starts(url, STR("http://"))))
			continue;
		if (best.n == 0 || (is_secure && !str_starts(best, STR("https://"))))
			best = url;
	}
	return best;
}

static bool
put_service(struct rdap_bootstrap *b, const json_t *service)
{
	const json_t *suffixes = json_array_get(service, 0);
	struct str url = best_url(json_array_get(service, 1));
	size_t n =
	    json_array_size(suffixes) < SERVICES_MAX ? json_array_size(suffixes) : SERVICES_MAX;

	for (size_t i = 0; url.n > 0 && i < n; i++) {
		struct str suffix = text_of(json_array_get(suffixes, i));

		if (suffix.n == 0 || suffix.n > LIMIT_NAME_BYTES)
			continue;
		if (json_object_set_new(b->by_suffix, suffix.p, json_stringn(url.p, url.n)) !=
		    0)
			return false;
	}
	return true;
}

enum err
rdap_bootstrap_read(struct str json, struct rdap_bootstrap **ret)
{
	json_t *o = load(json);
	const json_t *services = json_object_get(o, "services");
	struct rdap_bootstrap *b = calloc(1, sizeof *b);
	size_t n = json_array_size(services);
	bool ok = b != NULL && n > 0 && n <= SERVICES_MAX;

	if (ok) {
		b->by_suffix = json_object();
		ok = b->by_suffix != NULL;
	}
	for (size_t i = 0; ok && i < n; i++)
		ok = put_service(b, json_array_get(services, i));
	ok = ok && json_object_size(b->by_suffix) > 0;
	json_decref(o);
	if (!ok) {
		rdap_bootstrap_free(&b);
		return ERR_INVALID;
	}
	*ret = b;
	return ERR_OK;
}

void
rdap_bootstrap_free(struct rdap_bootstrap **pb)
{
	if (*pb == NULL)
		return;
	json_decref((*pb)->by_suffix);
	free(*pb);
	*pb = NULL;
}

struct str
rdap_bootstrap_url(const struct rdap_bootstrap *b, struct str domain)
{
	char key[LIMIT_NAME_BYTES + 1];

	while (domain.n > 0 && domain.n <= LIMIT_NAME_BYTES) {
		memcpy(key, domain.p, domain.n);
		key[domain.n] = '\0';
		struct str url = text_of(json_object_get(b->by_suffix, key));
		if (url.n > 0)
			return url;
		(void)str_cut(&domain, '.');
	}
	return STR_NONE;
}
