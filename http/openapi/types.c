/*
 * The panel's types, as TypeScript: an interface for each schema, and `Operations`, which says of each operation what it takes
 * and gives. Also those that are agreed upon and not served yet.
 */
#include <stdio.h>
#include <string.h>
#include "http/openapi/source.h"

enum { DEPTH_MAX = 16 };
static void put_type(const struct source *s, yaml_node_t *schema, int depth);

static void
put_item_types(const struct source *s, yaml_node_t *list, const char *between, int depth)
{
	for (yaml_node_item_t *i = list->data.sequence.items.start;
	     i < list->data.sequence.items.top; i++) {
		if (i > list->data.sequence.items.start)
			fputs(between, stdout);
		put_type(s, node_of(s, *i), depth + 1);
	}
}

/* Other readers of YAML take these words for truth values unless they are in quotes. */
static void
refuse_truth(const struct source *s, const yaml_node_t *word)
{
	static const char *const truths[] = { "on", "off", "yes", "no", "y", "n", "true",
		"false" };

	if (word->type != YAML_SCALAR_NODE ||
	    word->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return;
	for (size_t i = 0; i < sizeof truths / sizeof *truths; i++)
		if (node_is(word, truths[i]))
			mistake(s, word, "%s: expected in quotes", truths[i]);
}

static void
put_words(const struct source *s, yaml_node_t *list, bool is_text)
{
	for (yaml_node_item_t *i = list->data.sequence.items.start;
	     is_text && i < list->data.sequence.items.top; i++)
		refuse_truth(s, node_of(s, *i));
	for (yaml_node_item_t *i = list->data.sequence.items.start;
	     i < list->data.sequence.items.top; i++)
		printf("%s%s%s%s", i > list->data.sequence.items.start ? " | " : "",
		    is_text ? "\"" : "", node_text(node_of(s, *i)), is_text ? "\"" : "");
}

static bool
is_required(const struct source *s, yaml_node_t *schema, const char *name)
{
	yaml_node_t *list = node_at(s, schema, "required");

	if (list == NULL)
		return false;
	for (yaml_node_item_t *i = list->data.sequence.items.start;
	     i < list->data.sequence.items.top; i++)
		if (node_is(node_of(s, *i), name))
			return true;
	return false;
}

static void
put_object(const struct source *s, yaml_node_t *schema, int depth)
{
	yaml_node_t *properties = node_at(s, schema, "properties");

	if (properties == NULL) {
		fputs("Record<string, unknown>", stdout);
		return;
	}
	puts("{");
	for (yaml_node_pair_t *p = properties->data.mapping.pairs.start;
	     p < properties->data.mapping.pairs.top; p++) {
		yaml_node_t *value = node_of(s, p->value);
		const char *name = node_text(node_of(s, p->key));
		const char *what = node_text(node_raw(s, value, "description"));

		if (what != NULL && strstr(what, "*/") == NULL)
			printf("%*s/** %s */\n", depth * 2 + 2, "", what);
		printf("%*s%s%s: ", depth * 2 + 2, "", name,
		    is_required(s, schema, name) ? "" : "?");
		put_type(s, value, depth + 1);
		puts(";");
	}
	printf("%*s}", depth * 2, "");
}

static void
put_named_type(const struct source *s, yaml_node_t *schema, yaml_node_t *type, int depth)
{
	static const char *const names[][2] = { { "string", "string" }, { "integer", "number" },
		{ "number", "number" }, { "boolean", "boolean" }, { "null", "null" } };

	if (node_is(type, "object")) {
		put_object(s, schema, depth);
		return;
	}
	if (node_is(type, "array")) {
		fputs("Array<", stdout);
		put_type(s, node_raw(s, schema, "items"), depth + 1);
		putchar('>');
		return;
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (node_is(type, names[i][0])) {
			fputs(names[i][1], stdout);
			return;
		}
	mistake(s, schema, "expected a type");
}

static void
put_type(const struct source *s, yaml_node_t *schema, int depth)
{
	const char *reference = node_reference(s, schema);
	yaml_node_t *type = node_at(s, schema, "type"), *words = node_at(s, schema, "enum");
	yaml_node_t *all = node_at(s, schema, "allOf"), *one = node_at(s, schema, "oneOf");

	if (schema == NULL || depth > DEPTH_MAX) {
		mistake(s, schema, "expected a schema");
	} else if (reference != NULL) {
		if (node_follow(s, schema) != NULL)
			fputs(reference, stdout);
	} else if (words != NULL) {
		put_words(s, words, node_is(type, "string"));
	} else if (all != NULL || one != NULL) {
		put_item_types(s, all != NULL ? all : one, all != NULL ? " & " : " | ", depth);
	} else if (type != NULL && type->type == YAML_SEQUENCE_NODE) {
		for (yaml_node_item_t *i = type->data.sequence.items.start;
		     i < type->data.sequence.items.top; i++) {
			if (i > type->data.sequence.items.start)
				fputs(" | ", stdout);
			put_named_type(s, schema, node_of(s, *i), depth);
		}
	} else {
		put_named_type(s, schema, type, depth);
	}
}

static void
put_operation(const struct source *s, const struct operation *o)
{
	printf("  %s: {\n    path: {", o->id);
	for (size_t i = 0; i < o->parameters.n; i++)
		printf(" %s: %s;", o->parameters.at[i].name,
		    strcmp(o->parameters.at[i].kind, "WHOLE") == 0 ? "number" : "string");
	fputs(" };\n    query: {", stdout);
	for (size_t i = 0; i < o->query.n; i++) {
		printf(" %s%s: ", o->query.at[i].name, o->query.at[i].is_required ? "" : "?");
		put_type(s, o->query_schemas[i], 3);
		putchar(';');
	}
	fputs(" };\n    body: ", stdout);
	if (o->body_schema != NULL)
		put_type(s, o->body_schema, 2);
	else
		fputs("undefined", stdout);
	fputs(";\n    answer: ", stdout);
	if (o->answer != NULL)
		put_type(s, o->answer, 2);
	else
		fputs("Blob", stdout);
	puts(";\n  };");
}

void
types_write(const struct source *s, const struct operation *ops, size_t n)
{
	yaml_node_t *schemas = node_at(s, node_at(s, node_of(s, 1), "components"), "schemas");

	puts("// Made by http/openapi from doc/openapi.yaml.");
	for (yaml_node_pair_t *p = schemas->data.mapping.pairs.start;
	     p < schemas->data.mapping.pairs.top; p++) {
		printf("export type %s = ", node_text(node_of(s, p->key)));
		put_type(s, node_of(s, p->value), 0);
		puts(";");
	}
	puts("export interface Operations {");
	for (size_t i = 0; i < n; i++)
		put_operation(s, &ops[i]);
	puts("}\nexport const operations = {");
	for (size_t i = 0; i < n; i++)
		printf("  %s: { method: \"%s\", path: \"%s\" },\n", ops[i].id, ops[i].method,
		    ops[i].path);
	puts(
	    "} as const satisfies Record<keyof Operations, { method: string; path: string }>;");
}
