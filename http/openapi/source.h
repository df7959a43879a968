#ifndef KOSHIN_HTTP_OPENAPI_SOURCE_H
#define KOSHIN_HTTP_OPENAPI_SOURCE_H
/*
 * doc/openapi.yaml as the build reads it: the nodes of the document, references followed, and what is wrong with it, told as
 * file:line. Part of api-build, a program of the build's machine; nothing of it is in koshin. What it allocates lives as
 * long as the program.
 */
#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

enum { WHO_COUNT = 4 };
extern const char *const who_words[WHO_COUNT]; /* "everybody", "owner", "support", "operator" */

struct source {
	const char *path;
	yaml_document_t *document;
};
/* One field of a request: of the query, the path or the body. */
struct field {
	const char *name;
	const char *kind;   /* symbol of enum api_field_kind, without API_FIELD_ */
	yaml_node_t *words; /* the values that are allowed; NULL: any */
	long long min, max;
	bool is_required;
};
enum { FIELDS_MAX = 64, PARTS_MAX = 8, OPERATIONS_MAX = 256 };
struct fields {
	struct field at[FIELDS_MAX];
	size_t n;
};
struct operation {
	const char *id, *method, *path; /* method in capitals */
	const char *parts[PARTS_MAX];	/* "*": a parameter */
	size_t parts_n;
	unsigned who;	   /* bits in the order of who_words */
	const char *scope; /* NULL: no token */
	bool is_agreed;	   /* not served yet */
	bool takes_key;	   /* has the parameter Idempotency-Key */
	bool has_secret;   /* x-secret-answer */
	struct fields query, parameters, body;
	yaml_node_t *query_schemas[FIELDS_MAX], *body_schema; /* NULL: none */
	yaml_node_t *answer; /* schema of the JSON answer; NULL: another kind of answer */
};

/* Tells file, line and what is wrong. */
__attribute__((format(printf, 3, 4))) void mistake(
    const struct source *s, const yaml_node_t *at, const char *fmt, ...);
unsigned mistakes_told(void);
/* False after a mistake was told. */
bool source_read(const char *path, struct source *ret);
/* The value of a key of a mapping, its reference followed; NULL: there is none. */
yaml_node_t *node_at(const struct source *s, yaml_node_t *mapping, const char *key);
/* The same, its reference not followed. */
yaml_node_t *node_raw(const struct source *s, yaml_node_t *mapping, const char *key);
/* The node that an item of a sequence, or a key or value of a pair stands for. */
yaml_node_t *node_of(const struct source *s, int index);
/* Follows {"$ref": "#/…"}; a node without it is itself. NULL after a mistake was told. */
yaml_node_t *node_follow(const struct source *s, yaml_node_t *node);
/* The last part of a reference; NULL: the node is none. */
const char *node_reference(const struct source *s, yaml_node_t *node);
/* The text of a scalar; NULL for anything else, and for NULL. */
const char *node_text(const yaml_node_t *node);
bool node_is(const yaml_node_t *node, const char *text);
/* All operations in the order of the file. */
size_t operations_read(const struct source *s, struct operation ret[OPERATIONS_MAX]);

/* http/openapi/table.c, types.c: what is made of them, to standard output */
void table_write(const struct operation *ops, size_t n, const struct source *s);
void table_header_write(const struct operation *ops, size_t n);
void types_write(const struct source *s, const struct operation *ops, size_t n);
#endif
