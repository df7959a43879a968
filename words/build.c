/*
 * Reads the folder of texts and writes them as a C table: words-build words > words_table.c. It is a program of the
 * build's machine and links nothing of ours. Every mistake is told as file:line: words, and one is enough to fail: a
 * cause, letter or line of history without its text, a language or field that is missing or empty, a placeholder
 * that nobody fills in or that only one language has, a file that nobody reads, a cause that asks the owner to act
 * but not what to enter.
 *
 * The form of a file of sections (words/cause/ID.txt, words/letter/WORD.txt, words/shared.txt):
 *	# a comment
 *	field: value			before the first section
 *	[ja.action]			a section: language and field; its text goes on to the next one
 *	@key				a line of a text: replaced by the section of that key of shared.txt
 * The form of words/ui.txt: a key on a line of its own, then "\tja: text" and "\ten: text".
 */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "words/table.h"

enum {
	MISTAKES_SHOWN = 50,
	SECTIONS_MAX = 64, /* of one file */
	UI_MAX = 1024,
	TEXT_BYTES_MAX =
	    4000, /* C17 5.2.4.1: a string literal of 4095 is all that a compiler must take */
};

struct section {
	char *lang, *key, *text;
	int line;
	bool is_used;
};
struct field {
	char *key, *value;
	int line;
};
struct file {
	char *path;
	struct section at[SECTIONS_MAX];
	size_t n;
	struct field fields[8];
	size_t fields_n;
};
struct ui_entry {
	char *key, *text[LANG_COUNT];
	int line;
};

static const struct {
	const char *symbol, *id;
	enum actor acts;
} causes[] = {
#define CAUSE(symbol, id, layer, severity, scope, blocks, acts, heals) \
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
static const char *const langs[LANG_COUNT] = { "ja", "en" };
static const char *const cause_texts[CAUSE_TEXT_COUNT] = { "visitors", "cause", "action",
	"next" };
#define WORD(symbol, word) word,
static const char *const cause_fields[] = { CAUSE_FIELDS(WORD) NULL };
static const char *const letter_fields[] = { LETTER_FIELDS(WORD) NULL };
static const char *const letter_conditions[] = { LETTER_CONDITIONS(WORD) NULL };
#undef WORD
static const char *const ui_fields[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
	NULL };

static unsigned mistakes;

__attribute__((format(printf, 3, 4))) static void
mistake(const char *path, int line, const char *fmt, ...)
{
	va_list ap;

	if (mistakes++ >= MISTAKES_SHOWN)
		return;
	fprintf(stderr, "%s:%d: ", path, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static void *
have(void *p)
{
	if (p == NULL) {
		fputs("words-build: out of memory\n", stderr);
		exit(1);
	}
	return p;
}

/* ---- reading ---- */

static char *
join(const char *dir, const char *name)
{
	size_t n = strlen(dir) + strlen(name) + 2;
	char *p = have(malloc(n));

	snprintf(p, n, "%s/%s", dir, name);
	return p;
}

/* The whole file, terminated; NULL after a mistake was told. */
static char *
read_all(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *p = NULL;
	size_t n = 0, cap = 0;

	if (f == NULL) {
		mistake(path, 1, "cannot be read: %s", strerror(errno));
		return NULL;
	}
	do {
		if (cap - n < 2) {
			cap = cap == 0 ? 8192 : cap * 2;
			p = have(realloc(p, cap));
		}
		n += fread(p + n, 1, cap - n - 1, f);
	} while (!feof(f) && !ferror(f));
	if (ferror(f))
		mistake(path, 1, "cannot be read: %s", strerror(errno));
	fclose(f);
	p[n] = '\0';
	if (strlen(p) != n)
		mistake(path, 1, "has a NUL byte");
	return p;
}

/* Takes one line off *text; NULL at the end. */
static char *
next_line(char **text)
{
	char *line = *text;

	if (*line == '\0')
		return NULL;
	char *end = strchr(line, '\n');
	if (end == NULL) {
		*text = line + strlen(line);
	} else {
		*end = '\0';
		*text = end + 1;
	}
	return line;
}

/* Length of the UTF-8 sequence at p, 0 if it is not one. Overlong forms cannot be told apart here, nor need they be. */
static size_t
utf8_length(const char *p)
{
	unsigned char c = (unsigned char)*p;
	size_t n = c < 0x80		   ? 1
		   : c >= 0xc2 && c < 0xe0 ? 2
		   : (c & 0xf0) == 0xe0	   ? 3
		   : c >= 0xf0 && c < 0xf5 ? 4
					   : 0;

	for (size_t i = 1; i < n; i++)
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static void
check_line(const char *path, int number, const char *line)
{
	for (const char *p = line; *p != '\0';) {
		size_t n = utf8_length(p);

		if (n == 0) {
			mistake(path, number, "is not UTF-8");
			return;
		}
		if (n == 1 && ((unsigned char)*p < 0x20 || *p == 0x7f) &&
		    !(*p == '\t' && p == line)) {
			mistake(path, number, "has a control character");
			return;
		}
		p += n;
	}
	size_t n = strlen(line);
	if (n > 0 && line[n - 1] == ' ')
		mistake(path, number, "ends in a space");
}

static void
append(char **text, const char *more)
{
	size_t a = *text == NULL ? 0 : strlen(*text), b = strlen(more);

	*text = have(realloc(*text, a + b + 1));
	memcpy(*text + a, more, b + 1);
}

static void
trim(char *text)
{
	size_t n = strlen(text), from = strspn(text, "\n");

	while (n > from && text[n - 1] == '\n')
		n--;
	memmove(text, text + from, n - from);
	text[n - from] = '\0';
}

static void
take_header(struct file *f, int number, char *line)
{
	char *colon = strstr(line, ": ");

	if (*line == '\0')
		return;
	if (colon == NULL || f->fields_n == sizeof f->fields / sizeof *f->fields) {
		mistake(f->path, number,
		    "before the first [section] there are comments (#) and \"field: value\" "
		    "only");
		return;
	}
	*colon = '\0';
	f->fields[f->fields_n++] = (struct field){ line, colon + 2, number };
}

static struct section *
find_section(struct file *f, const char *lang, const char *key)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->at[i].lang, lang) == 0 && strcmp(f->at[i].key, key) == 0)
			return &f->at[i];
	return NULL;
}

static struct section *
take_section(struct file *f, int number, char *line)
{
	char *dot = strchr(line, '.'), *end = line + strlen(line) - 1;

	if (dot == NULL || *end != ']' || f->n == SECTIONS_MAX) {
		mistake(f->path, number, "a section is written [language.field]");
		return NULL;
	}
	*dot = *end = '\0';
	if (find_section(f, line + 1, dot + 1) != NULL)
		mistake(f->path, number, "[%s.%s] stands here twice", line + 1, dot + 1);
	struct section *s = &f->at[f->n++];
	*s = (struct section){ .lang = line + 1, .key = dot + 1, .line = number };
	append(&s->text, "");
	return s;
}

/* Reads a file of sections. What it allocates lives as long as the program. */
static struct file *
file_read(const char *path)
{
	struct file *f = have(calloc(1, sizeof *f));
	char *text = read_all(path), *line;
	struct section *s = NULL;
	int number = 0;

	f->path = have(strdup(path));
	if (text == NULL)
		return f;
	while ((line = next_line(&text)) != NULL) {
		check_line(path, ++number, line);
		if (*line == '#')
			continue;
		if (*line == '[') {
			s = take_section(f, number, line);
		} else if (s == NULL) {
			take_header(f, number, line);
		} else {
			append(&s->text, line);
			append(&s->text, "\n");
		}
	}
	for (size_t i = 0; i < f->n; i++)
		trim(f->at[i].text);
	return f;
}

static struct field *
find_field(struct file *f, const char *key)
{
	for (size_t i = 0; i < f->fields_n; i++)
		if (strcmp(f->fields[i].key, key) == 0)
			return &f->fields[i];
	return NULL;
}

/* ---- checking ---- */

static bool
is_in(const char *const *words, const char *word, size_t n)
{
	for (; *words != NULL; words++)
		if (strlen(*words) == n && memcmp(*words, word, n) == 0)
			return true;
	return false;
}

/* The placeholders of a text as bits in the order of known; tells those that are not known. */
static unsigned
placeholders(const char *path, int line, const char *text, const char *const *known)
{
	unsigned found = 0;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '}') {
			mistake(path, line, "a } without its {");
			return found;
		}
		if (*p != '{')
			continue;
		size_t n = strcspn(p + 1, "}");
		if (p[1 + n] == '\0' || !is_in(known, p + 1, n)) {
			mistake(path, line, "{%.*s} is no placeholder of this text",
			    (int)(n < 40 ? n : 40), p + 1);
			return found;
		}
		for (unsigned i = 0; known[i] != NULL; i++)
			if (strlen(known[i]) == n && memcmp(known[i], p + 1, n) == 0)
				found |= 1U << i;
		p += n + 1;
	}
	return found;
}

static void
check_equal(const char *path, int line, const char *what, const unsigned found[LANG_COUNT],
    const char *const *known)
{
	for (unsigned i = 0; known[i] != NULL; i++)
		if (((found[LANG_JA] ^ found[LANG_EN]) >> i & 1) != 0)
			mistake(path, line, "%s: {%s} is in the %s text only", what, known[i],
			    (found[LANG_JA] >> i & 1) != 0 ? "ja" : "en");
}

/* The text with its @lines replaced. */
static char *
expand(const char *path, const struct section *s, struct file *shared)
{
	char *rest = have(strdup(s->text)), *line, *out = NULL;
	int number = s->line;

	append(&out, "");
	while ((line = next_line(&rest)) != NULL) {
		number++;
		if (*out != '\0')
			append(&out, "\n");
		if (*line == '@') {
			struct section *part = find_section(shared, s->lang, line + 1);

			if (part == NULL) {
				mistake(path, number, "%s: words/shared.txt has no [%s.%s]",
				    line, s->lang, line + 1);
				continue;
			}
			part->is_used = true;
			append(&out, part->text);
		} else {
			append(&out, line);
		}
	}
	trim(out);
	return out;
}

/* A paragraph: line breaks of the source are no breaks of the text. */
static void
unwrap(char *text, enum lang l)
{
	char *to = text;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p != '\n')
			*to++ = *p;
		else if (l == LANG_EN)
			*to++ = ' ';
	}
	*to = '\0';
}

static char *
text_of(struct file *f, enum lang l, const char *key, struct file *shared)
{
	struct section *s = find_section(f, langs[l], key);

	if (s == NULL) {
		mistake(f->path, 1, "[%s.%s] is missing", langs[l], key);
		return have(strdup(""));
	}
	s->is_used = true;
	char *text = expand(f->path, s, shared);
	if (*text == '\0')
		mistake(f->path, s->line, "[%s.%s] is empty", langs[l], key);
	if (strlen(text) > TEXT_BYTES_MAX)
		mistake(f->path, s->line, "[%s.%s] is over %d bytes", langs[l], key,
		    TEXT_BYTES_MAX);
	return text;
}

static int
line_of(struct file *f, enum lang l, const char *key)
{
	struct section *s = find_section(f, langs[l], key);

	return s == NULL ? 1 : s->line;
}

static void
check_all_used(struct file *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (!f->at[i].is_used)
			mistake(f->path, f->at[i].line, "[%s.%s] is read by nobody",
			    f->at[i].lang, f->at[i].key);
}

/* ---- writing ---- */

static void
put_literal(const char *text)
{
	putchar('"');
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\n')
			fputs("\\n", stdout);
		else if (*p == '"' || *p == '\\')
			printf("\\%c", *p);
		else if (*p == '?') /* never a trigraph */
			fputs("\\?", stdout);
		else
			putchar(*p);
	}
	putchar('"');
}

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

/* One line of words/ui.txt. */
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

static void
put_ui(const char *dir)
{
	static struct ui_entry at[UI_MAX];
	char *path = join(dir, "ui.txt"), *text = read_all(path), *line;
	size_t n = 0;
	int number = 0;

	while (text != NULL && (line = next_line(&text)) != NULL) {
		check_line(path, ++number, line);
		take_ui(path, number, line, at, &n);
	}
	qsort(at, n, sizeof *at, compare_ui);
	check_ui(path, at, n);
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
	       strcmp(name, "ui.txt") == 0 || strcmp(name, "shared.txt") == 0 ||
	       ends_in(name, ".c") || ends_in(name, ".h");
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

int
main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: words-build FOLDER > words_table.c\n", stderr);
		return 2;
	}
	char *cause_dir = join(argv[1], "cause"), *letter_dir = join(argv[1], "letter");
	char *shared_path = join(argv[1], "shared.txt");

	check_folder(argv[1]);
	check_folder(cause_dir);
	check_folder(letter_dir);
	fputs("/* Written by words/build.c from words/: do not edit. */\n#include "
	      "\"words/table.h\"\n\n",
	    stdout);
	struct file *shared = file_read(shared_path);
	put_causes(argv[1], shared);
	put_letters(argv[1], shared);
	put_ui(argv[1]);
	check_all_used(shared);
	free(shared_path);
	free(letter_dir);
	free(cause_dir);
	if (mistakes > MISTAKES_SHOWN)
		fprintf(stderr, "words-build: and %u more\n", mistakes - MISTAKES_SHOWN);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("words-build: cannot write\n", stderr);
		return 1;
	}
	return mistakes == 0 ? 0 : 1;
}
