/*
 * Every key of the configuration's schema, one after the other, in a file of its own: misspelt, of another kind, empty, with
 * a value that cannot be, and on both sides of its range. Each is refused with file, line, key and what was expected; so
 * nobody has to remember a new key here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "ports/config/form.c"

enum { PATH_TEXT_MAX = 128 };
static unsigned tried, ranges;

/* Where a key stands: at the top, in a group, or in the first entry of a list of groups, which may itself be in a group. */
struct at {
	const char *above; /* NULL: the group is at the top */
	const char *group; /* NULL: at the top */
	bool is_entry;
};

/* A file that is complete but for this one line; gives the number of the line. */
static size_t
write_file(const struct at *at, const char *line, struct buf *to)
{
	bool is_server = at->group != NULL && strcmp(at->group, "server") == 0;
	bool is_ca = at->group != NULL && strcmp(at->group, "cas") == 0;
	bool is_directory = is_ca && strncmp(line, "directory", 9) == 0;
	size_t ret;

	buf_clear(to);
	buf_putf(to, "server:\n  %s\n", is_server ? line : "addresses: [203.0.113.10]");
	buf_putf(to, "cas:\n  - %s\n", is_directory ? line : "directory: https://ca.example/dir");
	ret = is_server ? 2 : 4;
	if (is_ca && !is_directory) {
		buf_putf(to, "    %s\n", line);
		ret = 5;
	} else if (at->group == NULL) {
		buf_putf(to, "%s\n", line);
		ret = 5;
	} else if (at->above != NULL) {
		buf_putf(to, "%s:\n  %s:\n    %s%s\n", at->above, at->group, at->is_entry ? "- " : "", line);
		ret = 7;
	} else if (!is_server && !is_ca) {
		buf_putf(to, "%s:\n  %s%s\n", at->group, at->is_entry ? "- " : "", line);
		ret = 6;
	}
	assert_int_equal(to->err, ERR_OK);
	return ret;
}

static enum err
check_line(const struct at *at, const char *line, struct why *why, size_t *ret_line)
{
	AUTO_BUF text = { .max = 4096 };

	*ret_line = write_file(at, line, &text);
	return config_check_text(buf_str(&text), "x.yaml", why);
}

__attribute__((format(printf, 4, 5))) static void
refuses(const struct at *at, const char *path, const char *how, const char *fmt, ...)
{
	char line[512], place[32];
	struct why why = { "" };
	size_t number;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	enum err e = check_line(at, line, &why, &number);
	(void)snprintf(place, sizeof place, "x.yaml:%zu: ", number);
	if (e != ERR_CONFIG || strncmp(why.text, place, strlen(place)) != 0 || strstr(why.text, path) == NULL ||
	    (strstr(why.text, "expected") == NULL && strstr(why.text, "did you mean") == NULL))
		fail_msg("%s, %s: \"%s\" in line %zu: %s: %s", path, how, line, number, err_name(e), why.text);
	tried++;
}

static void
check_range(const struct at *at, const struct form *f, const char *key)
{
	const char *path = f->path;
	bool is_length = f->is_good == is_span || f->is_good == is_span_of_seconds;
	int64_t step = f->is_good == is_span_of_seconds ? 1000 : 1;
	struct why why = { "" };
	char line[128];
	size_t number;

	if (f->min >= f->max)
		return;
	ranges++;
	for (int side = 0; side < 2; side++) {
		int64_t edge = side == 0 ? f->min : f->max, beyond = side == 0 ? edge - step : edge + step;
		const char *unit = !is_length ? "" : step == 1 ? " ms" : " s";

		refuses(at, path, "out of range", "%s: %lld%s", key, (long long)(beyond / step), unit);
		/* The edge itself is in range; what else may be wrong is between two keys. */
		(void)snprintf(line, sizeof line, "%s: %lld%s", key, (long long)(edge / step), unit);
		if (check_line(at, line, &why, &number) != ERR_OK && strstr(why.text, "cannot be used") != NULL)
			fail_msg("%s: the edge of the range is refused: %s", path, why.text);
	}
}

static void
check_key(const struct at *at, const cyaml_schema_field_t *f)
{
	const char *tail = f->value.type == CYAML_SEQUENCE ? "[]" : "", *entry = at->is_entry ? "[]" : "";
	const char *point = at->group != NULL ? "." : "", *above = at->above != NULL ? at->above : "";
	char whole[PATH_TEXT_MAX], path[PATH_TEXT_MAX + 2];

	(void)snprintf(whole, sizeof whole, "%s%s%s%s%s%s", above, *above != '\0' ? "." : "", at->group != NULL ? at->group : "", entry, point, f->key);
	(void)snprintf(path, sizeof path, "%s%s", whole, tail);
	refuses(at, "", "misspelt", "%sq: 1", f->key);
	refuses(at, whole, "a group", "%s: {a: b}", f->key);
	refuses(at, whole, "empty", "%s:", f->key);
	if (f->value.type == CYAML_SEQUENCE) {
		refuses(at, whole, "a word for a list", "%s: word", f->key);
		refuses(at, whole, "an empty list", "%s: []", f->key);
		refuses(at, whole, "a list in the list", "%s: [[a]]", f->key);
		refuses(at, whole, "a control byte", "%s: [\"a\\tb\"]", f->key);
	} else {
		refuses(at, whole, "a list", "%s: [a, b]", f->key);
		refuses(at, whole, "a control byte", "%s: \"a\\tb\"", f->key);
		check_range(at, form_of(path), f->key);
	}
}

static void
check_fields(const struct at *at, const cyaml_schema_field_t *fields)
{
	for (const cyaml_schema_field_t *f = fields; f->key != NULL; f++) {
		bool is_list_of_groups = f->value.type == CYAML_SEQUENCE && f->value.sequence.entry->type == CYAML_MAPPING;
		struct at inner = { at->group, f->key, is_list_of_groups };

		if (f->value.type == CYAML_MAPPING)
			check_fields(&inner, f->value.mapping.fields);
		else if (is_list_of_groups)
			check_fields(&inner, f->value.sequence.entry->mapping.fields);
		else
			check_key(at, f);
	}
}

static void
test_every_key(void **state)
{
	const struct at top = { NULL, NULL, false };
	unsigned with_range = 0;

	(void)state;
	check_fields(&top, config_schema.mapping.fields);
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		with_range += forms[i].min < forms[i].max;
	/* Every range of the table was met on the way through the schema. */
	assert_int_equal(ranges, with_range);
	printf("configurations: %u passed, 0 failed\n", tried);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_key) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
