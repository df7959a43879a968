/*
 * TypeScript of words-build: the panel's own small texts, and what the help pages say of each cause. Both are written with all languages
 * side by side; what is missing in one has been told by words-build's other half and by ui_read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "words/source.h"

static const struct {
	const char *id, *acts;
} causes[] = {
#define CAUSE(symbol, id, layer, severity, scope, blocks, acts, heals, mends, stands_on) { id, #acts },
#include "core/cause.tbl"
#undef CAUSE
};

static void
put_pair(char *const text[LANG_COUNT])
{
	fputs("{ ", stdout);
	for (enum lang l = 0; l < LANG_COUNT; l++) {
		printf("%s: ", langs[l]);
		put_literal(text[l] == NULL ? "" : text[l]);
		fputs(", ", stdout);
	}
	putchar('}');
}

static void
put_cause(struct file *f, const char *id, const char *acts, struct file *shared)
{
	static const char *const parts[] = { "title", "visitors", "cause", "action", "next" };

	putchar('\t');
	put_literal(id);
	fputs(": {\n\t\tacts: ", stdout);
	put_literal(acts);
	fputs(",\n", stdout);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		char *text[LANG_COUNT];

		for (enum lang l = 0; l < LANG_COUNT; l++) {
			text[l] = text_of(f, l, parts[i], shared);
			if (strcmp(parts[i], "action") != 0)
				unwrap(text[l], l);
		}
		printf("\t\t%s: ", parts[i]);
		put_pair(text);
		fputs(",\n", stdout);
	}
	fputs("\t},\n", stdout);
}

static struct file *
read_cause(const char *dir, const char *id)
{
	char name[128];

	snprintf(name, sizeof name, "cause/%s.txt", id);
	char *path = join(dir, name);
	struct file *f = file_read(path);
	free(path);
	return f;
}

static void
put_title(const char *dir, const char *id, struct file *shared)
{
	struct file *f = read_cause(dir, id);
	char *text[LANG_COUNT];

	for (enum lang l = 0; l < LANG_COUNT; l++) {
		text[l] = text_of(f, l, "title", shared);
		unwrap(text[l], l);
	}
	putchar('\t');
	put_literal(id);
	fputs(": ", stdout);
	put_pair(text);
	fputs(",\n", stdout);
}

void
ts_put_panel(const char *dir)
{
	static struct ui_entry at[UI_MAX];
	char *path = join(dir, "panel.txt");
	char *shared_path = join(dir, "shared.txt");
	struct file *shared = file_read(shared_path);
	size_t n = ui_read(path, at);

	fputs("// Made by words/build_ts.c from words/panel.txt.\nexport const texts = {\n",
	    stdout);
	for (size_t i = 0; i < n; i++) {
		putchar('\t');
		put_literal(at[i].key);
		fputs(": ", stdout);
		put_pair(at[i].text);
		fputs(",\n", stdout);
	}
	fputs("};\nexport type Key = keyof typeof texts;\n"
	      "export const causeTitles: Record<string, { ja: string; en: string }> = {\n",
	    stdout);
	for (size_t i = 0; i < sizeof causes / sizeof *causes; i++)
		put_title(dir, causes[i].id, shared);
	fputs("};\n", stdout);
	free(shared_path);
	free(path);
}

void
ts_put_help(const char *dir)
{
	char *shared_path = join(dir, "shared.txt");
	struct file *shared = file_read(shared_path);

	fputs("// Made by words/build_ts.c from words/cause/.\n"
	      "import type { CauseHelp } from \"../../panel/src/help\";\n"
	      "export const causes: Record<string, CauseHelp> = {\n",
	    stdout);
	for (size_t i = 0; i < sizeof causes / sizeof *causes; i++)
		put_cause(read_cause(dir, causes[i].id), causes[i].id, causes[i].acts, shared);
	fputs("};\n", stdout);
	free(shared_path);
}
