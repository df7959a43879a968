#include "http/read.h"
#include <jansson.h>
#include <string.h>
#include "base/limits.h"
#include "ports/names/names.h"

enum { SHOWN = 100 }; /* bytes of a foreign value in an error */

void
read_name_field(struct why *why, const char *field)
{
	struct why before = *why;

	why_set(why, "field \"%s\": %s", field, before.text);
}

/* There may be a hundred: it is said which one is meant, where it can be shown. */
static void
name_the_name(struct why *why, struct str typed)
{
	struct why before = *why;

	if (typed.n > 0 && typed.n <= SHOWN && str_is_line(typed) && str_is_utf8(typed))
		why_set(why, "\"%.*s\": %s", STR_ARG(typed), before.text);
	read_name_field(why, "names");
}

static enum err
read_texts(const json_t *value, struct arena *a, struct read_texts *ret)
{
	size_t n = json_array_size(value);

	ret->at = arena_get(a, n * sizeof *ret->at);
	if (ret->at == NULL)
		return ERR_MEMORY;
	for (ret->n = 0; ret->n < n; ret->n++) {
		const json_t *one = json_array_get(value, ret->n);

		ret->at[ret->n] = arena_str(
		    a, (struct str){ json_string_value(one), json_string_length(one) });
	}
	return ERR_OK;
}

enum err
read_object(const json_t *object, const struct read_field *fields, size_t fields_n, struct arena *a)
{
	size_t given = 0;

	for (size_t i = 0; i < fields_n; i++) {
		const json_t *value = json_object_get(object, fields[i].name);
		enum err err = ERR_OK;

		if (value == NULL)
			continue;
		given++;
		switch (fields[i].kind) {
		case READ_TEXT:
			*(struct str *)fields[i].to = arena_str(
			    a, (struct str){ json_string_value(value), json_string_length(value) });
			break;
		case READ_BOOL:
			*(bool *)fields[i].to = json_is_true(value);
			break;
		case READ_WHOLE:
			*(int64_t *)fields[i].to = json_integer_value(value);
			break;
		case READ_TEXTS:
			err = read_texts(value, a, fields[i].to);
			break;
		}
		if (err != ERR_OK)
			return err;
		if (fields[i].is_given != NULL)
			*fields[i].is_given = true;
	}
	if (arena_failed(a))
		return ERR_MEMORY;
	/* The description allows a field that nobody reads here: it must not be lost in silence. */
	return given == json_object_size(object) ? ERR_OK : ERR_BUG;
}

enum err
read_site(const json_t *body, struct arena *a, struct read_site *ret)
{
	struct read_site r = { 0 };
	const struct read_field fields[] = {
		{ "source", READ_TEXT, &r.source, &r.has_source },
		{ "coverage", READ_TEXT, &r.coverage, &r.has_coverage },
		{ "key_type", READ_TEXT, &r.key_type, &r.has_key_type },
		{ "redirect", READ_BOOL, &r.redirect, &r.has_redirect },
		{ "hsts", READ_BOOL, &r.hsts, &r.has_hsts },
		{ "takeover", READ_BOOL, &r.takeover, &r.has_takeover },
		{ "root", READ_TEXT, &r.root, &r.has_root },
		{ "proxy", READ_TEXT, &r.proxy, &r.has_proxy },
		{ "profile", READ_TEXT, &r.profile, &r.has_profile },
		{ "names", READ_TEXTS, &r.names, &r.has_names },
		{ "owner", READ_TEXT, &r.owner, &r.has_owner },
		{ "owner_lang", READ_TEXT, &r.owner_lang, &r.has_owner_lang },
	};
	enum err err = read_object(body, fields, sizeof fields / sizeof *fields, a);

	if (err == ERR_OK)
		*ret = r;
	return err;
}

/* The value goes into the web server's configuration: one line of text from the root of the file system. */
static bool
is_root(struct str s)
{
	return s.n > 0 && s.n < PATH_BYTES_MAX && s.p[0] == '/' && str_is_line(s) &&
	       str_is_utf8(s);
}

static bool
is_port(struct str s)
{
	int64_t port;

	return s.n >= 1 && s.n <= 5 && s.p[0] != '0' && str_to_int(s, &port) && port >= 1 &&
	       port <= 65535;
}

/* http://HOST:PORT, nothing after it: HOST a name, an IPv4 address, or an IPv6 address in brackets. */
static bool
is_proxy(struct str s)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
	static const char in_brackets[] = "0123456789abcdefABCDEF:.";
	const char *allowed = plain;
	struct str host;
	size_t colon;

	if (!str_starts(s, STR("http://")) || memchr(s.p, '\0', s.n) != NULL ||
	    s.n > LIMIT_URL_BYTES)
		return false;
	s = (struct str){ s.p + 7, s.n - 7 };
	colon = s.n;
	while (colon > 0 && s.p[colon - 1] != ':')
		colon--;
	if (colon < 2 || !is_port((struct str){ s.p + colon, s.n - colon }))
		return false;
	host = (struct str){ s.p, colon - 1 };
	if (host.p[0] == '[') {
		if (host.n < 4 || host.p[host.n - 1] != ']')
			return false;
		host = (struct str){ host.p + 1, host.n - 2 };
		allowed = in_brackets;
	}
	for (size_t i = 0; i < host.n; i++)
		if (strchr(allowed, host.p[i]) == NULL)
			return false;
	return host.n > 0 && host.n <= LIMIT_NAME_BYTES;
}

static enum err
refuse(struct why *why, const char *field, struct str value, const char *expected)
{
	why_set(why, "field \"%s\": \"%.*s\" cannot be used; expected %s", field,
	    (int)(value.n > SHOWN ? SHOWN : value.n), value.p == NULL ? "" : value.p, expected);
	return ERR_INVALID;
}

/* The table of routes knows the words that may come in: one that is no word of ours would be a mistake of the table. */
static enum err
read_words(const struct read_site *r, struct setting *s)
{
	if ((r->has_source && !source_of_name(r->source, &s->source)) ||
	    (r->has_coverage && !coverage_of_name(r->coverage, &s->coverage)) ||
	    (r->has_key_type && !key_type_of_name(r->key_type, &s->key_type)))
		return ERR_BUG;
	return ERR_OK;
}

/* A word that goes to the CA; "" is the installation's own choice again. */
static bool
is_profile(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
			c == '.'))
			return false;
	}
	return s.n <= LIMIT_LABEL_BYTES;
}

enum err
read_setting(
    const struct read_site *r, struct arena *a, struct why *why, struct setting *setting)
{
	struct setting s = *setting;
	enum err err = read_words(r, &s);

	(void)a;
	if (err != ERR_OK)
		return err;
	if (r->has_root && r->has_proxy && r->root.n > 0 && r->proxy.n > 0)
		return refuse(why, "proxy", r->proxy, "either root or proxy");
	if (r->has_root && r->root.n > 0 && !is_root(r->root))
		return refuse(
		    why, "root", r->root, "an absolute path without control characters");
	if (r->has_proxy && r->proxy.n > 0 && !is_proxy(r->proxy))
		return refuse(why, "proxy", r->proxy, "http://HOST:PORT");
	/* A folder takes the place of a proxy, and the other way round. */
	if (r->has_takeover)
		s.takeover = r->takeover;
	if (r->has_root) {
		s.root = r->root;
		if (r->root.n > 0)
			s.proxy = STR_NONE;
	}
	if (r->has_proxy) {
		s.proxy = r->proxy;
		if (r->proxy.n > 0)
			s.root = STR_NONE;
	}
	if (r->has_profile && !is_profile(r->profile))
		return refuse(why, "profile", r->profile, "a profile of the CA: letters, digits, - _ .");
	if (r->has_profile)
		s.profile = r->profile;
	if (r->has_redirect)
		s.redirect = r->redirect;
	if (r->has_hsts)
		s.hsts = r->hsts;
	else if (r->has_redirect && !r->redirect)
		s.hsts = false; /* it cannot stand alone */
	if (s.hsts && !s.redirect) {
		why_set(why, "field \"hsts\": works only together with the redirect; expected "
			     "redirect to be on");
		return ERR_INVALID;
	}
	*setting = s;
	return ERR_OK;
}

static enum err
put_name(struct read_texts *list, struct str typed, struct arena *a, struct why *why)
{
	struct str name;
	enum err err = names_read(typed, false, a, why, &name);

	if (err != ERR_OK) {
		name_the_name(why, typed);
		return err;
	}
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->at[i], name))
			return ERR_OK; /* typed twice */
	if (list->n == LIMIT_SITE_NAMES) {
		why_set(why, "field \"names\": expected at most %d names", LIMIT_SITE_NAMES);
		return ERR_INVALID;
	}
	list->at[list->n++] = name;
	return ERR_OK;
}

/* X and www.X. "www" in front is taken off only where a name remains. */
static enum err
put_both(struct read_texts *list, struct arena *a, struct why *why)
{
	struct str first = list->at[0], base = first;
	struct why unused = { "" };
	struct str without;

	if (str_starts(first, STR("www.")) &&
	    names_read((struct str){ first.p + 4, first.n - 4 }, false, a, &unused, &without) ==
		ERR_OK)
		base = without;
	list->n = 0;
	enum err err = put_name(list, base, a, why);
	return err != ERR_OK ? err
			     : put_name(list, arena_strf(a, "www.%.*s", STR_ARG(base)), a, why);
}

enum err
read_names(const struct str *typed, size_t typed_n, enum coverage coverage, struct arena *a,
    struct why *why, struct read_texts *ret)
{
	struct read_texts list = { arena_get(a, LIMIT_SITE_NAMES * sizeof *list.at), 0 };
	struct read_texts all;

	if (list.at == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < typed_n; i++) {
		enum err err = put_name(&list, typed[i], a, why);

		if (err != ERR_OK)
			return err;
	}
	all = list;
	if (list.n == 0) {
		why_set(why, "field \"names\": expected at least one name");
		return ERR_INVALID;
	}
	switch (coverage) {
	case COVERAGE_LIST:
		break;
	case COVERAGE_SINGLE:
		list.n = 1;
		break;
	case COVERAGE_MULTI: {
		struct str before[2] = { list.at[0], list.n > 1 ? list.at[1] : list.at[0] };
		enum err err = put_both(&list, a, why);

		if (err != ERR_OK)
			return err;
		/* More than the two were typed: they would be lost without a word. */
		for (size_t i = 0; i < (all.n < 2 ? all.n : 2); i++)
			if (!str_eq(before[i], list.at[0]) && !str_eq(before[i], list.at[1]))
				return refuse(why, "coverage", before[i],
				    "a name and its www. alone (coverage list for others)");
		if (all.n > 2)
			return refuse(why, "coverage", STR("multi"),
			    "one name and its www.; coverage list for more");
		break;
	}
	case COVERAGE_WILDCARD:
		return refuse(why, "coverage", STR("wildcard"), "multi, single or list");
	}
	*ret = list;
	return ERR_OK;
}
