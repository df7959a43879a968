/* The server's table of routes, as C. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "http/openapi/source.h"

static void
put_quoted(const char *text)
{
	if (text == NULL) {
		fputs("NULL", stdout);
		return;
	}
	putchar('"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('"');
}

static void
put_words(const struct source *s, const char *id, const char *what, const struct field *f)
{
	if (f->words == NULL)
		return;
	printf("static const char *const %s_%s_%s[] = { ", id, what, f->name);
	for (yaml_node_item_t *i = f->words->data.sequence.items.start;
	     i < f->words->data.sequence.items.top; i++) {
		put_quoted(node_text(node_of(s, *i)));
		fputs(", ", stdout);
	}
	puts("NULL };");
}

/* what: "query", "path", "body" */
static void
put_fields(
    const struct source *s, const char *id, const char *what, const struct fields *fields)
{
	if (fields->n == 0)
		return;
	for (size_t i = 0; i < fields->n; i++)
		put_words(s, id, what, &fields->at[i]);
	printf("static const struct api_field %s_%s[] = {\n", id, what);
	for (size_t i = 0; i < fields->n; i++) {
		const struct field *f = &fields->at[i];

		fputs("\t{ ", stdout);
		put_quoted(f->name);
		printf(", API_FIELD_%s, %lld, %lld, ", f->kind, f->min, f->max);
		if (f->words != NULL)
			printf("%s_%s_%s", id, what, f->name);
		else
			fputs("NULL", stdout);
		printf(", %s },\n", f->is_required ? "true" : "false");
	}
	puts("};");
}

static void
put_use(const char *id, const char *what, const struct fields *fields)
{
	if (fields->n > 0)
		printf("\t\t.%s = { %s_%s, %zu },\n", what, id, what, fields->n);
}

static void
put_route(const struct operation *o)
{
	printf("\t{ \"%s\", \"%s\", { ", o->id, o->method);
	for (size_t i = 0; i < o->parts_n; i++) {
		put_quoted(o->parts[i]);
		fputs(", ", stdout);
	}
	printf("NULL }, %s, ", o->id);
	for (size_t w = 0, shown = 0; w < WHO_COUNT; w++)
		if ((o->who >> w & 1) != 0) {
			printf("%sACCESS_", shown++ > 0 ? " | " : "");
			for (const char *p = who_words[w]; *p != '\0'; p++)
				putchar(toupper((unsigned char)*p));
		}
	fputs(", ", stdout);
	put_quoted(o->scope);
	printf(", .has_body = %s,\n", o->body_schema != NULL ? "true" : "false");
	if (o->takes_key)
		puts("\t\t.takes_key = true,");
	if (o->has_secret)
		puts("\t\t.has_secret = true,");
	put_use(o->id, "path", &o->parameters);
	put_use(o->id, "query", &o->query);
	put_use(o->id, "body", &o->body);
	puts("\t},");
}

void
table_write(const struct operation *ops, size_t n, const struct source *s)
{
	size_t served = 0;

	puts("/* Made by http/openapi from doc/openapi.yaml. */\n#include "
	     "\"http/route.h\"\n#include \"api_table.h\"\n");
	for (size_t i = 0; i < n; i++) {
		if (ops[i].is_agreed)
			continue;
		put_fields(s, ops[i].id, "path", &ops[i].parameters);
		put_fields(s, ops[i].id, "query", &ops[i].query);
		put_fields(s, ops[i].id, "body", &ops[i].body);
	}
	puts("\nconst struct api_route api_routes[] = {");
	for (size_t i = 0; i < n; i++)
		if (!ops[i].is_agreed) {
			put_route(&ops[i]);
			served++;
		}
	printf("};\nconst size_t api_routes_n = %zu;\n", served);
}

void
table_header_write(const struct operation *ops, size_t n)
{
	puts("/* Made by http/openapi from doc/openapi.yaml: what answers each operation. */\n"
	     "#ifndef KOSHIN_API_TABLE_H\n#define KOSHIN_API_TABLE_H\n#include "
	     "\"base/err.h\"\nstruct api_call;");
	for (size_t i = 0; i < n; i++)
		if (!ops[i].is_agreed)
			printf("enum err %s(struct api_call *c);\n", ops[i].id);
	puts("#endif");
}
