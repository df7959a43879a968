/*
 * The operations of the description. What the server cannot keep is refused here: a field of a request with a rule that
 * nobody would check, an operation that does not say who may call it, a failure that can happen and is not described.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "http/openapi/source.h"

const char *const who_words[WHO_COUNT] = { "everybody", "owner", "support", "operator" };

static bool
number_of(const struct source *s, yaml_node_t *schema, const char *key, long long *ret)
{
	yaml_node_t *node = node_at(s, schema, key);
	const char *text = node_text(node);
	char *end;

	if (node == NULL)
		return true;
	*ret = text == NULL ? 0 : strtoll(text, &end, 10);
	if (text == NULL || *text == '\0' || *end != '\0') {
		mistake(s, node, "%s: expected a whole number", key);
		return false;
	}
	return true;
}

static const struct {
	const char *type, *kind;
	const char *rules[5]; /* beside those of `anywhere` */
} kinds[] = {
	{ "string", "TEXT", { "minLength", "maxLength", "enum", NULL } },
	{ "integer", "WHOLE", { "minimum", "maximum", NULL } },
	{ "boolean", "BOOL", { NULL } },
	{ "array", "TEXTS", { "minItems", "maxItems", "items", NULL } },
	{ "object", "OBJECT", { NULL } },
};
static const char *const anywhere[] = { "type", "description", "writeOnly", NULL };

static bool
is_among(const char *const *words, const char *word)
{
	while (*words != NULL && strcmp(*words, word) != 0)
		words++;
	return *words != NULL;
}

/* Rules that are not checked must not be promised. */
static void
refuse_rules(const struct source *s, yaml_node_t *schema, size_t kind)
{
	for (yaml_node_pair_t *p = schema->data.mapping.pairs.start;
	     p < schema->data.mapping.pairs.top; p++) {
		yaml_node_t *key = node_of(s, p->key);

		if (!is_among(anywhere, node_text(key)) &&
		    !is_among(kinds[kind].rules, node_text(key)))
			mistake(s, key, "the server does not check \"%s\" of a %s",
			    node_text(key), kinds[kind].type);
	}
}

static void
field_read(const struct source *s, const char *name, yaml_node_t *schema, bool is_required,
    struct fields *ret)
{
	struct field f = { .name = name, .is_required = is_required };
	size_t kind = 0, kinds_n = sizeof kinds / sizeof *kinds;

	schema = node_follow(s, schema);
	if (schema == NULL)
		return;
	while (kind < kinds_n && !node_is(node_at(s, schema, "type"), kinds[kind].type))
		kind++;
	if (schema->type != YAML_MAPPING_NODE || kind == kinds_n || ret->n == FIELDS_MAX) {
		mistake(s, schema,
		    "field \"%s\": expected one type of string, integer, boolean, array, "
		    "object",
		    name);
		return;
	}
	refuse_rules(s, schema, kind);
	f.kind = kinds[kind].kind;
	f.words = node_at(s, schema, "enum");
	f.max = strcmp(f.kind, "WHOLE") == 0
		    ? 9007199254740991
		    : 262144; /* 2^53 - 1; as many as a body can hold */
	if (kinds[kind].rules[0] != NULL &&
	    (!number_of(s, schema, kinds[kind].rules[0], &f.min) ||
		!number_of(s, schema, kinds[kind].rules[1], &f.max)))
		return;
	if (strcmp(f.kind, "TEXTS") == 0 &&
	    !node_is(node_at(s, node_at(s, schema, "items"), "type"), "string"))
		mistake(s, schema, "field \"%s\": expected items of type string", name);
	ret->at[ret->n++] = f;
}

static bool
has_item(const struct source *s, yaml_node_t *sequence, const char *text)
{
	if (sequence == NULL || sequence->type != YAML_SEQUENCE_NODE)
		return false;
	for (yaml_node_item_t *i = sequence->data.sequence.items.start;
	     i < sequence->data.sequence.items.top; i++)
		if (node_is(node_of(s, *i), text))
			return true;
	return false;
}

static void
body_read(const struct source *s, yaml_node_t *operation, struct operation *o)
{
	yaml_node_t *body = node_at(s, operation, "requestBody");
	yaml_node_t *json = node_at(s, node_at(s, body, "content"), "application/json");
	yaml_node_t *schema, *properties, *required;

	if (body == NULL)
		return;
	o->body_schema = node_raw(s, json, "schema");
	schema = o->body_schema == NULL ? NULL : node_follow(s, o->body_schema);
	properties = node_at(s, schema, "properties");
	required = node_at(s, schema, "required");
	if (properties == NULL || properties->type != YAML_MAPPING_NODE ||
	    !node_is(node_at(s, schema, "additionalProperties"), "false")) {
		mistake(s, body,
		    "%s: expected a flat object as body, with additionalProperties: false",
		    o->id);
		return;
	}
	for (yaml_node_pair_t *p = properties->data.mapping.pairs.start;
	     p < properties->data.mapping.pairs.top; p++) {
		const char *name = node_text(node_of(s, p->key));

		field_read(
		    s, name, node_of(s, p->value), has_item(s, required, name), &o->body);
	}
	if (required == NULL)
		return;
	for (yaml_node_item_t *i = required->data.sequence.items.start;
	     i < required->data.sequence.items.top; i++)
		if (node_raw(s, properties, node_text(node_of(s, *i))) == NULL)
			mistake(s, node_of(s, *i), "there is no property \"%s\"",
			    node_text(node_of(s, *i)));
}

static void
parameters_read(const struct source *s, yaml_node_t *list, struct operation *o)
{
	if (list == NULL)
		return;
	for (yaml_node_item_t *i = list->data.sequence.items.start;
	     i < list->data.sequence.items.top; i++) {
		yaml_node_t *one = node_follow(s, node_of(s, *i));
		yaml_node_t *schema = node_raw(s, one, "schema"),
			    *where = node_at(s, one, "in");
		const char *name = node_text(node_at(s, one, "name"));

		if (one == NULL)
			continue;
		if (name == NULL || schema == NULL)
			mistake(s, one, "a parameter has a name and a schema");
		else if (node_is(where, "path"))
			field_read(s, name, schema, true, &o->parameters);
		else if (node_is(where, "query")) {
			o->query_schemas[o->query.n] = schema;
			field_read(s, name, schema,
			    node_is(node_at(s, one, "required"), "true"), &o->query);
		} else if (node_is(where, "header") && strcmp(name, "Idempotency-Key") == 0) {
			o->takes_key = true;
		} else if (!node_is(where, "header")) { /* those are the handlers' to read */
			mistake(s, one, "expected in: path, query or header");
		}
	}
}

static const char *
copy_of(const char *p, size_t n)
{
	char *copy = strndup(p, n);

	if (copy == NULL) {
		fputs("api-build: out of memory\n", stderr);
		exit(1);
	}
	return copy;
}

/* Without the slash in front, cut at the others; "{name}" becomes "*". */
static void
path_split(const struct source *s, yaml_node_t *at, struct operation *o)
{
	size_t parameters = 0;
	const char *rest = o->path;

	while (*rest == '/') {
		size_t n = strcspn(++rest, "/");
		const char *wanted =
		    parameters < o->parameters.n ? o->parameters.at[parameters].name : "";

		if (o->parts_n == PARTS_MAX) {
			mistake(s, at, "%s: more than %d parts", o->path, PARTS_MAX);
			return;
		}
		if (*rest != '{') {
			o->parts[o->parts_n++] = copy_of(rest, n);
		} else {
			if (n != strlen(wanted) + 2 || strncmp(rest + 1, wanted, n - 2) != 0)
				mistake(s, at, "%s: expected a parameter for {%s}", o->path,
				    wanted);
			parameters++;
			o->parts[o->parts_n++] = "*";
		}
		rest += n;
	}
	if (parameters != o->parameters.n)
		mistake(s, at, "%s: a parameter that the path does not have", o->path);
}

static void
who_read(const struct source *s, yaml_node_t *operation, struct operation *o)
{
	yaml_node_t *list = node_at(s, operation, "x-who");

	if (list != NULL && list->type == YAML_SEQUENCE_NODE)
		for (yaml_node_item_t *i = list->data.sequence.items.start;
		     i < list->data.sequence.items.top; i++) {
			size_t w = 0;

			while (w < WHO_COUNT && !node_is(node_of(s, *i), who_words[w]))
				w++;
			if (w == WHO_COUNT)
				mistake(s, node_of(s, *i), "nobody is called %s",
				    node_text(node_of(s, *i)));
			else
				o->who |= 1U << w;
		}
	if (o->who == 0)
		mistake(s, operation, "%s: expected x-who, a list of who may call it", o->id);
	o->scope = node_text(node_at(s, operation, "x-scope"));
}

/* What goes wrong by itself has to be described: a body can be too long, whatever comes in can be wrong. */
static void
answers_read(const struct source *s, yaml_node_t *operation, struct operation *o)
{
	yaml_node_t *answers = node_at(s, operation, "responses");
	bool is_good = false;

	if (answers == NULL || answers->type != YAML_MAPPING_NODE) {
		mistake(s, operation, "%s: expected responses", o->id);
		return;
	}
	for (yaml_node_pair_t *p = answers->data.mapping.pairs.start;
	     p < answers->data.mapping.pairs.top; p++) {
		const char *status = node_text(node_of(s, p->key));
		yaml_node_t *content =
		    node_at(s, node_follow(s, node_of(s, p->value)), "content");

		if (status[0] == '2') {
			is_good = true;
			o->answer =
			    node_raw(s, node_at(s, content, "application/json"), "schema");
		} else if (node_at(s, content, "application/problem+json") == NULL) {
			mistake(s, node_of(s, p->key), "%s: %s: expected a problem document",
			    o->id, status);
		}
	}
	if (!is_good)
		mistake(s, answers, "%s: no answer of success", o->id);
	if (o->body.n > 0 && node_at(s, answers, "413") == NULL)
		mistake(s, answers, "%s: it has a body; expected 413 (too long)", o->id);
	if (o->body.n + o->query.n + o->parameters.n > 0 && node_at(s, answers, "422") == NULL)
		mistake(s, answers, "%s: it has parameters; expected 422 (invalid)", o->id);
	if (o->parameters.n > 0 && node_at(s, answers, "404") == NULL)
		mistake(s, answers, "%s: its path has a parameter; expected 404", o->id);
}

static bool
is_identifier(const char *id)
{
	if (id == NULL || !islower((unsigned char)id[0]))
		return false;
	for (; *id != '\0'; id++)
		if (!islower((unsigned char)*id) && !isdigit((unsigned char)*id) && *id != '_')
			return false;
	return true;
}

static void
operation_read(const struct source *s, yaml_node_t *at, yaml_node_t *operation,
    yaml_node_t *shared, struct operation *o)
{
	o->id = node_text(node_at(s, operation, "operationId"));
	if (!is_identifier(o->id)) {
		mistake(s, operation, "expected operationId, the name of a C function");
		o->id = "none";
	}
	o->is_agreed = node_is(node_at(s, operation, "x-agreed"), "true");
	o->has_secret = node_is(node_at(s, operation, "x-secret-answer"), "true");
	parameters_read(s, shared, o);
	parameters_read(s, node_at(s, operation, "parameters"), o);
	path_split(s, at, o);
	who_read(s, operation, o);
	body_read(s, operation, o);
	answers_read(s, operation, o);
}

size_t
operations_read(const struct source *s, struct operation ret[OPERATIONS_MAX])
{
	static const char *const methods[][2] = { { "get", "GET" }, { "post", "POST" },
		{ "put", "PUT" }, { "patch", "PATCH" }, { "delete", "DELETE" } };
	yaml_node_t *paths = node_at(s, node_of(s, 1), "paths");
	size_t n = 0;

	if (paths == NULL || paths->type != YAML_MAPPING_NODE) {
		mistake(s, NULL, "expected paths");
		return 0;
	}
	for (yaml_node_pair_t *p = paths->data.mapping.pairs.start;
	     p < paths->data.mapping.pairs.top; p++) {
		yaml_node_t *path = node_of(s, p->key), *item = node_of(s, p->value);

		for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
			yaml_node_t *operation = node_at(s, item, methods[m][0]);

			if (operation == NULL)
				continue;
			if (n == OPERATIONS_MAX) {
				mistake(
				    s, operation, "more than %d operations", OPERATIONS_MAX);
				return n;
			}
			ret[n] = (struct operation){ .method = methods[m][1],
				.path = node_text(path) };
			operation_read(
			    s, path, operation, node_at(s, item, "parameters"), &ret[n]);
			for (size_t i = 0; i < n; i++)
				if (strcmp(ret[i].id, ret[n].id) == 0)
					mistake(s, operation,
					    "there are two operations of the name %s",
					    ret[n].id);
			n++;
		}
	}
	return n;
}
