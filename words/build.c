/*
 * Reads the folder of texts and writes them as a C table, or as TypeScript for the panel: words-build words > words_table.c,
 * words-build words panel > panel_words.ts, words-build words help > help_words.ts. It is a program of the
 * build's machine and links nothing of ours. Every mistake is told as file:line: words, and one is enough to fail: a
 * cause, letter or line of history without its text, a language or field that is missing or empty, a placeholder
 * that nobody fills in or that only one language has, a file that nobody reads, a cause that asks the owner to act
 * but not what to enter.
 */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "words/source.h"

static const struct {
	const char *symbol, *id;
	enum actor acts;
} causes[] = {
#define CAUSE(symbol, id, layer, severity, scope, blocks, acts, heals, mends, stands_on) \
	{ #symbol, id, ACTOR_##acts },
#include "core/cause.tbl"
#undef CAUSE
};
static const struct {
	const char *symbol, *word;
} letters[] = {
#define LETTER(symbol, word) { #symbol, word },
#include "core/letter.tbl"
#undef LETTER
};
static const char *const histories[] = {
#define HISTORY(symbol, word) word,
#include "core/history.tbl"
#undef HISTORY
};
static const char *const cause_texts[CAUSE_TEXT_COUNT] = { "visitors", "cause", "action",
	"next" };
#define WORD(symbol, word) word,
static const char *const cause_fields[] = { CAUSE_FIELDS(WORD) NULL };
static const char *const letter_fields[] = { LETTER_FIELDS(WORD) NULL };
static const char *const letter_conditions[] = { LETTER_CONDITIONS(WORD) NULL };
#undef WORD

/* ---- writing ---- */

static void
put_text(const char *name, char *const text[LANG_COUNT])
{
	printf("\t\t%s = { {\n\t\t\t", name);
	put_literal(text[LANG_JA]);
	fputs(",\n\t\t\t", stdout);
	put_literal(text[LANG_EN]);
	fputs(",\n\t\t} },\n", stdout);
}

/* ---- causes ---- */

static void
check_action(struct file *f, enum actor acts, char *const text[LANG_COUNT],
    const unsigned found[LANG_COUNT])
{
	bool is_owners =
	    acts == ACTOR_OWNER || acts == ACTOR_DOMAIN_COMPANY || acts == ACTOR_WEB_OWNER;
	unsigned value = 1U << CAUSE_FIELD_COPY | 1U << CAUSE_FIELD_WANTED;
	struct field *copy = find_field(f, "copy");

	for (enum lang l = 0; l < LANG_COUNT; l++) {
		int line = line_of(f, l, "action");

		if (!is_owners) {
			if (strstr(text[l], l == LANG_JA ? "操作は不要です" : "othing to do") ==
			    NULL)
				mistake(f->path, line,
				    "[%s.action] does not say that there is nothing to do",
				    langs[l]);
			continue;
		}
		if (strstr(text[l], "1. ") == NULL)
			mistake(f->path, line,
			    "[%s.action] asks the owner to act, but has no numbered steps",
			    langs[l]);
		if ((found[l] & value) == 0 && copy == NULL)
			mistake(f->path, line,
			    "[%s.action] asks the owner to act, but has no {copy} or {wanted}; "
			    "if there is none, say why: \"copy: none, REASON\"",
			    langs[l]);
	}
	if (copy != NULL &&
	    (strncmp(copy->value, "none, ", 6) != 0 || strlen(copy->value) < 12))
		mistake(f->path, copy->line, "is written \"copy: none, REASON\"");
	if (copy != NULL && (!is_owners || ((found[LANG_JA] | found[LANG_EN]) & value) != 0))
		mistake(f->path, copy->line,
		    "\"copy: none\" is for an action of the owner without a value");
}

static enum words_holds
holds_of(struct file *f)
{
	static const char *const names[] = { "safe", "always", "warned" };
	struct field *v = find_field(f, "visitors");

	for (enum words_holds h = WORDS_HOLDS_SAFE; v != NULL && h <= WORDS_HOLDS_WARNED; h++)
		if (strcmp(v->value, names[h]) == 0)
			return h;
	mistake(f->path, v == NULL ? 1 : v->line,
	    "has no line \"visitors: safe\", \"always\" or \"warned\"");
	return WORDS_HOLDS_SAFE;
}

static void
check_dates(
    struct file *f, enum words_holds holds, const char *key, const unsigned found[LANG_COUNT])
{
	bool has = ((found[LANG_JA] | found[LANG_EN]) & 1U << CAUSE_FIELD_DATE) != 0;
	bool may = strcmp(key, "visitors") == 0 && holds != WORDS_HOLDS_ALWAYS;

	if (has && !may)
		mistake(f->path, line_of(f, LANG_JA, key),
		    "[%s]: {date} has no one meaning here", key);
	if (!has && may)
		mistake(f->path, line_of(f, LANG_JA, key),
		    "[%s]: {date} is missing: until when, or since", key);
}

/* One fact, read at a glance: a telephone shows so much without being moved. */
static void
check_length(struct file *f, const char *text)
{
	enum { LETTERS_MAX = 120 };
	size_t n = 0;

	for (const char *p = text; *p != '\0'; p++)
		n += ((unsigned char)*p & 0xc0) != 0x80;
	if (n > LETTERS_MAX)
		mistake(f->path, line_of(f, LANG_JA, "cause"), "[ja.cause] has %zu characters: %d at most", n, LETTERS_MAX);
}

static void
put_cause_text(
    struct file *f, const char *key, const char *target, struct file *shared, enum actor acts)
{
	enum words_holds holds = holds_of(f);
	char *text[LANG_COUNT];
	unsigned found[LANG_COUNT];
	bool is_action = strcmp(key, "action") == 0;

	for (enum lang l = 0; l < LANG_COUNT; l++) {
		text[l] = text_of(f, l, key, shared);
		if (!is_action)
			unwrap(text[l], l);
		found[l] = placeholders(f->path, line_of(f, l, key), text[l], cause_fields);
	}
	check_equal(f->path, line_of(f, LANG_EN, key), key, found, cause_fields);
	check_dates(f, holds, key, found);
	if (is_action)
		check_action(f, acts, text, found);
	if (strcmp(key, "cause") == 0)
		check_length(f, text[LANG_JA]);
	put_text(target, text);
}

static void
put_causes(const char *dir, struct file *shared)
{
	static const char *const holds_symbols[] = { "SAFE", "ALWAYS", "WARNED" };

	fputs("const struct words_cause words_cause_table[CAUSE_COUNT] = {\n", stdout);
	for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
		char name[128], target[64];

		snprintf(name, sizeof name, "cause/%s.txt", causes[i].id);
		char *path = join(dir, name);
		struct file *f = file_read(path);
		if (f->n > 0) {
			printf("\t[CAUSE_%s] = {\n\t\t.holds = WORDS_HOLDS_%s,\n",
			    causes[i].symbol, holds_symbols[holds_of(f)]);
			put_cause_text(f, "title", ".title", shared, causes[i].acts);
			for (unsigned k = 0; k < CAUSE_TEXT_COUNT; k++) {
				snprintf(target, sizeof target, ".text[%u]", k);
				put_cause_text(
				    f, cause_texts[k], target, shared, causes[i].acts);
			}
			fputs("\t},\n", stdout);
			check_all_used(f);
		}
		for (size_t k = 0; k < f->fields_n; k++)
			if (strcmp(f->fields[k].key, "copy") != 0 &&
			    strcmp(f->fields[k].key, "visitors") != 0)
				mistake(path, f->fields[k].line,
				    "\"%s:\" is no field of a cause", f->fields[k].key);
		free(path);
	}
	fputs("};\n", stdout);
}

/* ---- letters ---- */

/* The lines' conditions: each must be known, and only the start of a line may have one. */
static void
check_conditions(const char *path, int line, const char *text)
{
	for (const char *p = text; p != NULL && *p != '\0'; line++) {
		while (*p == '?') {
			const char *word = p + 1 + (p[1] == '!');
			size_t n = strcspn(word, " \n");

			if (!is_in(letter_conditions, word, n)) {
				mistake(path, line, "?%.*s is no condition of a letter", (int)n,
				    word);
				break;
			}
			p = word + n + (word[n] == ' ');
		}
		p = strchr(p, '\n');
		p = p == NULL ? NULL : p + 1;
	}
}

static void
put_letters(const char *dir, struct file *shared)
{
	static const char *const parts[] = { "subject", "body" };

	fputs("const struct words_letter_row words_letter_table[LETTER_COUNT] = {\n", stdout);
	for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
		char name[128], target[32];

		snprintf(name, sizeof name, "letter/%s.txt", letters[i].word);
		char *path = join(dir, name);
		struct file *f = file_read(path);
		printf("\t[LETTER_%s] = {\n", letters[i].symbol);
		for (size_t k = 0; f->n > 0 && k < 2; k++) {
			char *text[LANG_COUNT];
			unsigned found[LANG_COUNT];

			for (enum lang l = 0; l < LANG_COUNT; l++) {
				int line = line_of(f, l, parts[k]);

				text[l] = text_of(f, l, parts[k], shared);
				found[l] = placeholders(path, line, text[l], letter_fields);
				check_conditions(path, line + 1, text[l]);
			}
			check_equal(path, line_of(f, LANG_EN, parts[k]), parts[k], found,
			    letter_fields);
			snprintf(target, sizeof target, ".%s", parts[k]);
			put_text(target, text);
		}
		fputs("\t},\n", stdout);
		check_all_used(f);
		free(path);
	}
	fputs("};\n", stdout);
}

/* ---- small texts ---- */

static void
check_histories(const char *path, const struct ui_entry *at, size_t n)
{
	for (size_t i = 0; i < sizeof histories / sizeof *histories; i++) {
		char key[128];
		bool is_there = false;

		snprintf(key, sizeof key, "history.%s", histories[i]);
		for (size_t k = 0; k < n; k++)
			is_there |= strcmp(at[k].key, key) == 0;
		if (!is_there)
			mistake(path, 1,
			    "%s is missing: core/history.tbl has that line of history", key);
	}
}

static void
put_ui(const char *dir)
{
	static struct ui_entry at[UI_MAX];
	char *path = join(dir, "ui.txt");
	size_t n = ui_read(path, at);

	check_histories(path, at, n);
	fputs("const struct words_ui_row words_ui_table[] = {\n", stdout);
	for (size_t i = 0; i < n; i++) {
		fputs("\t{\n\t\t.key = ", stdout);
		put_literal(at[i].key);
		fputs(",\n", stdout);
		put_text(".text", at[i].text);
		fputs("\t},\n", stdout);
	}
	fputs("};\nconst size_t words_ui_table_n = sizeof words_ui_table / sizeof "
	      "*words_ui_table;\n",
	    stdout);
	free(path);
}

/* ---- the folder ---- */

static bool
ends_in(const char *s, const char *end)
{
	size_t a = strlen(s), b = strlen(end);

	return a >= b && strcmp(s + a - b, end) == 0;
}

static bool
is_expected(const char *dir, const char *name)
{
	if (ends_in(dir, "/cause")) {
		for (size_t i = 0; i < sizeof causes / sizeof *causes; i++)
			if (strncmp(name, causes[i].id, strlen(causes[i].id)) == 0 &&
			    strcmp(name + strlen(causes[i].id), ".txt") == 0)
				return true;
		return false;
	}
	if (ends_in(dir, "/letter")) {
		for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
			if (strncmp(name, letters[i].word, strlen(letters[i].word)) == 0 &&
			    strcmp(name + strlen(letters[i].word), ".txt") == 0)
				return true;
		return false;
	}
	return strcmp(name, "cause") == 0 || strcmp(name, "letter") == 0 ||
	       strcmp(name, "ui.txt") == 0 || strcmp(name, "panel.txt") == 0 ||
	       strcmp(name, "shared.txt") == 0 || ends_in(name, ".c") || ends_in(name, ".h");
}

static void
check_folder(const char *dir)
{
	DIR *d = opendir(dir);

	if (d == NULL) {
		mistake(dir, 1, "cannot be read: %s", strerror(errno));
		return;
	}
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    is_expected(dir, e->d_name))
			continue;
		char *path = join(dir, e->d_name);
		mistake(path, 1, "nobody reads this file: no row of a table has its name");
		free(path);
	}
	closedir(d);
}

/* The C table of causes, letters and small texts. */
static void
put_table(char *folder)
{
	char *cause_dir = join(folder, "cause"), *letter_dir = join(folder, "letter");
	char *shared_path = join(folder, "shared.txt");

	check_folder(folder);
	check_folder(cause_dir);
	check_folder(letter_dir);
	fputs("/* Written by words/build.c from words/: do not edit. */\n#include "
	      "\"words/table.h\"\n\n",
	    stdout);
	struct file *shared = file_read(shared_path);
	put_causes(folder, shared);
	put_letters(folder, shared);
	put_ui(folder);
	check_all_used(shared);
	free(shared_path);
	free(letter_dir);
	free(cause_dir);
}

int
main(int argc, char **argv)
{
	if (argc == 2) {
		put_table(argv[1]);
	} else if (argc == 3 && strcmp(argv[2], "panel") == 0) {
		ts_put_panel(argv[1]);
	} else if (argc == 3 && strcmp(argv[2], "help") == 0) {
		ts_put_help(argv[1]);
	} else {
		fputs("usage: words-build FOLDER [panel|help]\n", stderr);
		return 2;
	}
	unsigned mistakes = mistakes_told();
	if (mistakes > MISTAKES_SHOWN)
		fprintf(stderr, "words-build: and %u more\n", mistakes - MISTAKES_SHOWN);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("words-build: cannot write\n", stderr);
		return 1;
	}
	return mistakes == 0 ? 0 : 1;
}
