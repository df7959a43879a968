#include "http/openapi/source.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MISTAKES_SHOWN = 50, REFERENCE_DEPTH_MAX = 8 };
static unsigned mistakes;

void
mistake(const struct source *s, const yaml_node_t *at, const char *fmt, ...)
{
	va_list ap;

	if (mistakes++ >= MISTAKES_SHOWN)
		return;
	fprintf(stderr, "%s:%zu: ", s->path, at == NULL ? 1 : at->start_mark.line + 1);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

unsigned
mistakes_told(void)
{
	return mistakes;
}

bool
source_read(const char *path, struct source *ret)
{
	yaml_parser_t parser;
	FILE *f = fopen(path, "rb");

	*ret = (struct source){ .path = path, .document = calloc(1, sizeof *ret->document) };
	if (f == NULL) {
		mistake(ret, NULL, "%s", strerror(errno));
		return false;
	}
	if (ret->document == NULL || !yaml_parser_initialize(&parser)) {
		mistake(ret, NULL, "out of memory");
		(void)fclose(f);
		return false;
	}
	yaml_parser_set_input_file(&parser, f);
	if (!yaml_parser_load(&parser, ret->document)) {
		mistakes++;
		fprintf(stderr, "%s:%zu: %s\n", path, parser.problem_mark.line + 1,
		    parser.problem == NULL ? "out of memory" : parser.problem);
	} else if (yaml_document_get_root_node(ret->document) == NULL) {
		mistake(ret, NULL, "the file is empty");
	}
	yaml_parser_delete(&parser);
	(void)fclose(f);
	return mistakes == 0;
}

yaml_node_t *
node_of(const struct source *s, int index)
{
	return yaml_document_get_node(s->document, index);
}

const char *
node_text(const yaml_node_t *node)
{
	return node == NULL || node->type != YAML_SCALAR_NODE
		   ? NULL
		   : (const char *)node->data.scalar.value;
}

bool
node_is(const yaml_node_t *node, const char *text)
{
	const char *value = node_text(node);

	return value != NULL && strcmp(value, text) == 0;
}

yaml_node_t *
node_raw(const struct source *s, yaml_node_t *mapping, const char *key)
{
	if (mapping == NULL || mapping->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *p = mapping->data.mapping.pairs.start;
	     p < mapping->data.mapping.pairs.top; p++)
		if (node_is(node_of(s, p->key), key))
			return node_of(s, p->value);
	return NULL;
}

const char *
node_reference(const struct source *s, yaml_node_t *node)
{
	const char *to = node_text(node_raw(s, node, "$ref"));
	const char *last = to == NULL ? NULL : strrchr(to, '/');

	return last == NULL ? NULL : last + 1;
}

/* What "#/components/schemas/Site" points at. */
static yaml_node_t *
look_up(const struct source *s, const char *to)
{
	yaml_node_t *node = node_of(s, 1);
	char part[128];

	if (to[0] != '#')
		return NULL;
	for (to++; node != NULL && *to == '/';) {
		size_t n = strcspn(++to, "/");

		if (n >= sizeof part)
			return NULL;
		memcpy(part, to, n);
		part[n] = '\0';
		node = node_raw(s, node, part);
		to += n;
	}
	return node;
}

yaml_node_t *
node_follow(const struct source *s, yaml_node_t *node)
{
	for (int depth = 0; depth < REFERENCE_DEPTH_MAX; depth++) {
		yaml_node_t *reference = node_raw(s, node, "$ref"), *next;
		const char *to = node_text(reference);

		if (to == NULL)
			return node;
		next = look_up(s, to);
		if (next == NULL) {
			mistake(s, reference, "there is no %s", to);
			return NULL;
		}
		node = next;
	}
	mistake(s, node, "references that lead in a circle");
	return NULL;
}

yaml_node_t *
node_at(const struct source *s, yaml_node_t *mapping, const char *key)
{
	yaml_node_t *node = node_raw(s, mapping, key);

	return node == NULL ? NULL : node_follow(s, node);
}
