/* Files of small texts by key: words/ui.txt and words/panel.txt. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "words/source.h"

static const char *const ui_fields[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
	NULL };

static int
compare_ui(const void *a, const void *b)
{
	const struct ui_entry *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static void
check_ui(const char *path, struct ui_entry *at, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned found[LANG_COUNT] = { 0 };

		for (enum lang l = 0; l < LANG_COUNT; l++) {
			if (at[i].text[l] == NULL || *at[i].text[l] == '\0') {
				mistake(
				    path, at[i].line, "%s has no %s text", at[i].key, langs[l]);
				at[i].text[l] = have(strdup("-"));
				continue;
			}
			found[l] = placeholders(path, at[i].line, at[i].text[l], ui_fields);
		}
		check_equal(path, at[i].line, at[i].key, found, ui_fields);
		if (i > 0 && strcmp(at[i].key, at[i - 1].key) == 0)
			mistake(path, at[i].line, "%s stands here twice", at[i].key);
	}
}

/* One line of such a file. */
static void
take_ui(const char *path, int number, char *line, struct ui_entry *at, size_t *n)
{
	if (*line == '\0' || *line == '#')
		return;
	if (*line != '\t') {
		if (*n == UI_MAX) {
			mistake(path, number, "has over %d texts", UI_MAX);
			return;
		}
		at[(*n)++] = (struct ui_entry){ .key = line, .line = number };
		return;
	}
	for (enum lang l = 0; *n > 0 && l < LANG_COUNT; l++) {
		if (strncmp(line + 1, langs[l], 2) == 0 && strncmp(line + 3, ": ", 2) == 0) {
			if (at[*n - 1].text[l] != NULL)
				mistake(path, number, "%s has two %s texts", at[*n - 1].key,
				    langs[l]);
			at[*n - 1].text[l] = line + 5;
			return;
		}
	}
	mistake(path, number, "is neither a key nor \"ja: …\" or \"en: …\" after one");
}

size_t
ui_read(const char *path, struct ui_entry *at)
{
	char *text = read_all(path), *line;
	size_t n = 0;
	int number = 0;

	while (text != NULL && (line = next_line(&text)) != NULL) {
		check_line(path, ++number, line);
		take_ui(path, number, line, at, &n);
	}
	qsort(at, n, sizeof *at, compare_ui);
	check_ui(path, at, n);
	return n;
}
