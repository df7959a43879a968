/*
 * Holds the text of a configuration file against the schema and the forms of its values, by the marks that libyaml
 * leaves on every node, so that each complaint has a line, names the key in full and says what was expected. Also the
 * promises between keys (a password needs an encrypted way, poll_min is not above poll_max).
 */
#include "ports/config/schema.h"
#include <string.h>
#include <yaml.h>
#include "base/limits.h"
#include "ports/config/form.h"

enum { FILE_BYTES_MAX = 1024 * 1024, PATH_TEXT_MAX = 128 };

struct walk {
	yaml_document_t document;
	const char *file;
	struct why *why;
};

static size_t
line_of(const yaml_node_t *node)
{
	return node->start_mark.line + 1;
}

static struct str
text_of(const yaml_node_t *node)
{
	return (struct str){ (const char *)node->data.scalar.value, node->data.scalar.length };
}

/* Edit distance, for "did you mean"; keys are short. */
static size_t
distance(struct str a, const char *b)
{
	size_t row[32], n = strlen(b);

	if (a.n > 30 || n > 30)
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t before = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = before + (a.p[i - 1] == b[j - 1] ? 0 : 1);

			before = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

static enum err
refuse_key(struct walk *w, const yaml_node_t *key, const char *path,
    const cyaml_schema_field_t *fields)
{
	struct str name = text_of(key);
	const char *closest = NULL;
	size_t best = 3; /* farther words are no misspelling */
	AUTO_BUF known = { 0 };

	buf_init(&known, 400);
	for (const cyaml_schema_field_t *f = fields; f->key != NULL; f++) {
		size_t d = distance(name, f->key);

		if (d < best) {
			best = d;
			closest = f->key;
		}
		buf_putf(&known, "%s%s", f == fields ? "" : ", ", f->key);
	}
	if (closest != NULL)
		why_set(w->why, "%s:%zu: %s%s%.*s: there is no such key; did you mean %s?",
		    w->file, line_of(key), path, *path == '\0' ? "" : ".", STR_ARG(name),
		    closest);
	else
		why_set(w->why, "%s:%zu: %s%s%.*s: there is no such key; expected one of %s",
		    w->file, line_of(key), path, *path == '\0' ? "" : ".", STR_ARG(name),
		    known.p == NULL ? "" : known.p);
	return ERR_CONFIG;
}

static enum err check_value(struct walk *w, const yaml_node_t *node, const char *path,
    const cyaml_schema_value_t *value);

static enum err
refuse_kind(struct walk *w, const yaml_node_t *node, const char *path, const char *expected)
{
	static const char *const kinds[] = { "nothing", "a single value", "a list",
		"a group of keys" };
	bool is_empty = node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0;

	why_set(w->why, "%s:%zu: %s: here is %s; expected %s", w->file, line_of(node),
	    *path == '\0' ? "file" : path, kinds[is_empty ? YAML_NO_NODE : node->type],
	    expected);
	return ERR_CONFIG;
}

static enum err
check_mapping(struct walk *w, const yaml_node_t *node, const char *path,
    const cyaml_schema_field_t *fields)
{
	if (node->type != YAML_MAPPING_NODE)
		return refuse_kind(w, node, path, "a group of keys, each on a line of its own");
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start;
	     p < node->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = yaml_document_get_node(&w->document, p->key);
		const yaml_node_t *value = yaml_document_get_node(&w->document, p->value);
		const cyaml_schema_field_t *field = fields;
		char deeper[PATH_TEXT_MAX];
		enum err err;

		if (key->type != YAML_SCALAR_NODE)
			return refuse_kind(w, key, path, "the name of a key");
		while (field->key != NULL && !str_eq(text_of(key), str_of(field->key)))
			field++;
		if (field->key == NULL)
			return refuse_key(w, key, path, fields);
		for (yaml_node_pair_t *q = node->data.mapping.pairs.start; q < p; q++) {
			const yaml_node_t *earlier =
			    yaml_document_get_node(&w->document, q->key);

			if (str_eq(text_of(earlier), text_of(key))) {
				why_set(w->why,
				    "%s:%zu: %s%s%s: this key was given in line %zu already; "
				    "expected it once",
				    w->file, line_of(key), path, *path == '\0' ? "" : ".",
				    field->key, line_of(earlier));
				return ERR_CONFIG;
			}
		}
		/* Paths are made of our own keys only; the longest is far below the buffer. */
		(void)snprintf(deeper, sizeof deeper, "%s%s%s", path, *path == '\0' ? "" : ".",
		    field->key);
		err = check_value(w, value, deeper, &field->value);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

static enum err
check_sequence(struct walk *w, const yaml_node_t *node, const char *path,
    const cyaml_schema_value_t *value)
{
	size_t n = 0;
	char deeper[PATH_TEXT_MAX];

	if (node->type != YAML_SEQUENCE_NODE)
		return refuse_kind(
		    w, node, path, "a list, as \"[a, b]\" or lines that begin with \"- \"");
	(void)snprintf(deeper, sizeof deeper, "%s[]", path);
	for (yaml_node_item_t *i = node->data.sequence.items.start;
	     i < node->data.sequence.items.top; i++, n++) {
		enum err err = check_value(
		    w, yaml_document_get_node(&w->document, *i), deeper, value->sequence.entry);

		if (err != ERR_OK)
			return err;
	}
	if (n < value->sequence.min || n > value->sequence.max) {
		why_set(w->why, "%s:%zu: %s: the list has %zu entries; expected %u to %u",
		    w->file, line_of(node), path, n, (unsigned)value->sequence.min,
		    (unsigned)value->sequence.max);
		return ERR_CONFIG;
	}
	return ERR_OK;
}

static enum err
check_choice(struct walk *w, const yaml_node_t *node, const char *path,
    const cyaml_schema_value_t *value)
{
	AUTO_BUF list = { 0 };

	buf_init(&list, 200);
	for (uint32_t i = 0; i < value->enumeration.count; i++) {
		if (str_eq(text_of(node), str_of(value->enumeration.strings[i].str)))
			return ERR_OK;
		buf_putf(
		    &list, "%s%s", i == 0 ? "" : " or ", value->enumeration.strings[i].str);
	}
	why_set(w->why, "%s:%zu: %s: \"%.*s\" is not known; expected %s", w->file,
	    line_of(node), path, STR_ARG(text_of(node)), list.p == NULL ? "" : list.p);
	return ERR_CONFIG;
}

/* A path where somebody may have put the secret itself: the value is not repeated. */
static bool
is_of_secret(const char *path)
{
	return strcmp(path, "mail.password_file") == 0 ||
	       strcmp(path, "dns.updates[].secret_file") == 0 || strcmp(path, "cas[].eab_hmac_file") == 0;
}

static enum err
check_value(struct walk *w, const yaml_node_t *node, const char *path,
    const cyaml_schema_value_t *value)
{
	const struct form *form;

	if (value->type == CYAML_MAPPING)
		return check_mapping(w, node, path, value->mapping.fields);
	if (value->type == CYAML_SEQUENCE)
		return check_sequence(w, node, path, value);
	form = form_of(path);
	if (node->type != YAML_SCALAR_NODE || node->data.scalar.length == 0)
		return refuse_kind(
		    w, node, path, value->type == CYAML_ENUM ? "one word" : form->expected);
	if (value->type == CYAML_ENUM)
		return check_choice(w, node, path, value);
	if (!form->is_good(text_of(node), form) ||
	    (value->type == CYAML_STRING && node->data.scalar.length > value->string.max)) {
		if (is_of_secret(path)) {
			why_set(w->why,
			    "%s:%zu: %s: what stands here cannot be used; expected %s", w->file,
			    line_of(node), path, form->expected);
			return ERR_CONFIG;
		}
		why_set(w->why, "%s:%zu: %s: \"%.*s\" cannot be used; expected %s", w->file,
		    line_of(node), path,
		    (int)(node->data.scalar.length > 120 ? 120 : node->data.scalar.length),
		    text_of(node).p, form->expected);
		return ERR_CONFIG;
	}
	return ERR_OK;
}

/* The value under a key of a group, NULL without one. */
static const yaml_node_t *
find(struct walk *w, const yaml_node_t *group, const char *key)
{
	if (group == NULL || group->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *p = group->data.mapping.pairs.start;
	     p < group->data.mapping.pairs.top; p++)
		if (str_eq(text_of(yaml_document_get_node(&w->document, p->key)), str_of(key)))
			return yaml_document_get_node(&w->document, p->value);
	return NULL;
}

static enum err
refuse(struct walk *w, const yaml_node_t *node, const char *words)
{
	why_set(w->why, "%s:%zu: %s", w->file, node == NULL ? 1 : line_of(node), words);
	return ERR_CONFIG;
}

static enum err
check_cas(struct walk *w, const yaml_node_t *cas)
{
	for (yaml_node_item_t *i = cas->data.sequence.items.start;
	     i < cas->data.sequence.items.top; i++) {
		const yaml_node_t *one = yaml_document_get_node(&w->document, *i);

		if (find(w, one, "directory") == NULL)
			return refuse(w, one,
			    "cas[].directory: missing; expected the https:// URL of the CA's "
			    "directory");
		if ((find(w, one, "eab_kid") == NULL) !=
		    (find(w, one, "eab_hmac_file") == NULL))
			return refuse(w, one,
			    "cas[].eab_kid: expected together with eab_hmac_file, or neither");
	}
	return ERR_OK;
}

static enum err
check_targets(struct walk *w, const yaml_node_t *targets)
{
	if (targets == NULL)
		return ERR_OK;
	for (yaml_node_item_t *i = targets->data.sequence.items.start;
	     i < targets->data.sequence.items.top; i++) {
		const yaml_node_t *one = yaml_document_get_node(&w->document, *i);
		static const char *const commands[] = { "test", "reload" };

		for (size_t k = 0; k < 2; k++) {
			const yaml_node_t *argv = find(w, one, commands[k]);
			const yaml_node_t *first = argv == NULL
						       ? NULL
						       : yaml_document_get_node(&w->document,
							     *argv->data.sequence.items.start);

			if (first != NULL && !form_is_path(text_of(first))) {
				why_set(w->why,
				    "%s:%zu: targets[].%s: \"%.*s\" cannot be run; expected "
				    "the program's absolute "
				    "path first, then its arguments",
				    w->file, line_of(first), commands[k],
				    STR_ARG(text_of(first)));
				return ERR_CONFIG;
			}
		}
	}
	return ERR_OK;
}

static int64_t
span_or(struct walk *w, const yaml_node_t *group, const char *key, int64_t otherwise_ms)
{
	const yaml_node_t *node = find(w, group, key);
	int64_t ms = otherwise_ms;

	if (node != NULL)
		(void)config_read_span(text_of(node).p, &ms); /* its form was checked */
	return ms;
}

/* A login goes over TLS, or stays on this machine. */
static enum err
check_login(struct walk *w, const yaml_node_t *mail)
{
	const yaml_node_t *server = find(w, mail, "server"), *tls = find(w, mail, "tls");
	struct str url = server == NULL ? STR("smtp://127.0.0.1:25") : text_of(server);

	if ((find(w, mail, "user") == NULL) != (find(w, mail, "password_file") == NULL))
		return refuse(
		    w, mail, "mail.user: expected together with password_file, or neither");
	if (find(w, mail, "user") == NULL || str_starts(url, STR("smtps://")) ||
	    (tls != NULL && str_eq(text_of(tls), STR("true"))) ||
	    str_starts(url, STR("smtp://127.0.0.1")) || str_starts(url, STR("smtp://[::1]")) ||
	    str_starts(url, STR("smtp://localhost")))
		return ERR_OK;
	return refuse(w, mail,
	    "mail.tls: the password would travel in clear; expected tls: true, or a "
	    "server that begins with smtps://");
}

static enum err
check_limits_of_look(struct walk *w, const yaml_node_t *check)
{
	if (span_or(w, check, "poll_min", 30 * form_second) >
	    span_or(w, check, "poll_max", 15 * form_minute))
		return refuse(w, check,
		    "check.poll_min: above poll_max; expected the smaller of the two");
	if (span_or(w, check, "timeout", 10 * form_second) >
	    span_or(w, check, "deadline", 60 * form_second))
		return refuse(w, check,
		    "check.timeout: above deadline; expected at most the deadline of the whole "
		    "check");
	return ERR_OK;
}

/* The first of these keys that a group does not have; NULL: it has all. */
static const char *
missing_of(struct walk *w, const yaml_node_t *group, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (find(w, group, keys[i]) == NULL)
			return keys[i];
	return NULL;
}

static enum err
refuse_missing(struct walk *w, const yaml_node_t *node, const char *path, const char *key)
{
	why_set(w->why, "%s:%zu: %s.%s: missing; expected it, as etc/koshin.yaml shows", w->file, line_of(node), path, key);
	return ERR_CONFIG;
}

/* Each item of a list has all of these keys. `what` names the list's items: "vantages[]". */
static enum err
check_items(struct walk *w, const yaml_node_t *list, const char *what, const char *const *keys, size_t keys_n)
{
	if (list == NULL)
		return ERR_OK;
	for (yaml_node_item_t *i = list->data.sequence.items.start; i < list->data.sequence.items.top; i++) {
		const yaml_node_t *one = yaml_document_get_node(&w->document, *i);
		const char *missing = missing_of(w, one, keys, keys_n);

		if (missing != NULL)
			return refuse_missing(w, one, what, missing);
	}
	return ERR_OK;
}

static enum err
check_vantages(struct walk *w, const yaml_node_t *places)
{
	static const char *const keys[] = { "name", "url" };

	return check_items(w, places, "vantages[]", keys, sizeof keys / sizeof *keys);
}

static enum err
check_updates(struct walk *w, const yaml_node_t *updates)
{
	static const char *const keys[] = { "zone", "server", "key", "secret_file" };

	return check_items(w, updates, "dns.updates[]", keys, sizeof keys / sizeof *keys);
}

static enum err
check_vantage(struct walk *w, const yaml_node_t *vantage)
{
	static const char *const keys[] = { "name", "listen", "certificate", "key", "askers" };
	const char *missing = vantage == NULL ? NULL : missing_of(w, vantage, keys, sizeof keys / sizeof *keys);

	return missing == NULL ? ERR_OK : refuse_missing(w, vantage, "vantage", missing);
}

static enum err
check_together(struct walk *w, const yaml_node_t *root)
{
	const yaml_node_t *server = find(w, root, "server"), *cas = find(w, root, "cas");
	const yaml_node_t *check = find(w, root, "check"), *mail = find(w, root, "mail");
	const yaml_node_t *draft = find(w, root, "draft");
	const yaml_node_t *vantage = find(w, root, "vantage");
	enum err err = check_vantages(w, find(w, root, "vantages"));

	if (err == ERR_OK)
		err = check_vantage(w, vantage);
	if (err == ERR_OK)
		err = check_updates(w, find(w, find(w, root, "dns"), "updates"));
	if (err != ERR_OK)
		return err;
	/* A machine that is a vantage point and nothing else has no servers and no CA. */
	if (vantage != NULL && server == NULL && cas == NULL)
		return check_limits_of_look(w, check);
	if (find(w, server, "addresses") == NULL)
		return refuse(w, server == NULL ? root : server,
		    "server.addresses: missing; expected the list of the public addresses of "
		    "this server");
	if (cas == NULL)
		return refuse(w, root,
		    "cas: missing; expected a list with at least one CA (its directory)");
	err = check_cas(w, cas);
	if (err == ERR_OK)
		err = check_targets(w, find(w, root, "targets"));
	if (err != ERR_OK)
		return err;
	err = check_limits_of_look(w, check);
	if (err != ERR_OK)
		return err;
	if (span_or(w, draft, "tell_after", 7 * form_day) >
	    span_or(w, draft, "discard_after", 30 * form_day))
		return refuse(w, draft,
		    "draft.tell_after: above discard_after; expected the letter before the "
		    "end");
	return check_login(w, mail);
}

static enum err
check_documents(yaml_parser_t *parser, struct walk *w)
{
	yaml_document_t more;
	yaml_node_t *root;
	enum err err;

	if (yaml_parser_load(parser, &w->document) == 0) {
		why_set(w->why, "%s:%zu: this is not YAML: %s", w->file,
		    parser->problem_mark.line + 1,
		    parser->problem == NULL ? "it cannot be read" : parser->problem);
		return ERR_CONFIG;
	}
	root = yaml_document_get_root_node(&w->document);
	if (root == NULL) {
		why_set(w->why,
		    "%s:1: the file is empty; expected at least server.addresses and cas",
		    w->file);
		err = ERR_CONFIG;
	} else {
		err = check_value(w, root, "", &config_schema);
		if (err == ERR_OK)
			err = check_together(w, root);
	}
	if (err == ERR_OK) {
		bool is_read = yaml_parser_load(parser, &more) != 0;
		const yaml_node_t *second_root =
		    is_read ? yaml_document_get_root_node(&more) : NULL;

		if (!is_read || second_root != NULL) {
			why_set(w->why,
			    "%s:%zu: here begins something else; expected the end of the file "
			    "after one document",
			    w->file,
			    is_read ? line_of(second_root) : parser->problem_mark.line + 1);
			err = ERR_CONFIG;
		}
		if (is_read)
			yaml_document_delete(&more);
	}
	yaml_document_delete(&w->document);
	return err;
}

enum err
config_check_text(struct str yaml, const char *file, struct why *why)
{
	struct walk w = { .file = file, .why = why };
	yaml_parser_t parser;
	enum err err;

	if (yaml.n > FILE_BYTES_MAX) {
		why_set(why, "%s:1: the file has %zu bytes; expected at most %d", file, yaml.n,
		    FILE_BYTES_MAX);
		return ERR_CONFIG;
	}
	if (yaml_parser_initialize(&parser) == 0)
		return ERR_MEMORY;
	yaml_parser_set_input_string(&parser, (const unsigned char *)yaml.p, yaml.n);
	err = check_documents(&parser, &w);
	yaml_parser_delete(&parser);
	return err;
}
