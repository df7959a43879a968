/*
 * The form of a file of sections (words/cause/ID.txt, words/letter/WORD.txt, words/shared.txt):
 *	# a comment
 *	field: value			before the first section
 *	[ja.action]			a section: language and field; its text goes on to the next one
 *	@key				a line of a text: replaced by the section of that key of shared.txt
 * The form of words/ui.txt: a key on a line of its own, then "\tja: text" and "\ten: text".
 */
#include "words/source.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const langs[LANG_COUNT] = { "ja", "en" };
static unsigned mistakes;

void
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

unsigned
mistakes_told(void)
{
	return mistakes;
}

void *
have(void *p)
{
	if (p == NULL) {
		fputs("words-build: out of memory\n", stderr);
		exit(1);
	}
	return p;
}

/* ---- reading ---- */

char *
join(const char *dir, const char *name)
{
	size_t n = strlen(dir) + strlen(name) + 2;
	char *p = have(malloc(n));

	snprintf(p, n, "%s/%s", dir, name);
	return p;
}

/* The whole file, terminated; NULL after a mistake was told. */
char *
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
char *
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

void
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
struct file *
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

struct field *
find_field(struct file *f, const char *key)
{
	for (size_t i = 0; i < f->fields_n; i++)
		if (strcmp(f->fields[i].key, key) == 0)
			return &f->fields[i];
	return NULL;
}

/* ---- checking ---- */

bool
is_in(const char *const *words, const char *word, size_t n)
{
	for (; *words != NULL; words++)
		if (strlen(*words) == n && memcmp(*words, word, n) == 0)
			return true;
	return false;
}

/* The placeholders of a text as bits in the order of known; tells those that are not known. */
unsigned
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

void
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
void
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

char *
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

int
line_of(struct file *f, enum lang l, const char *key)
{
	struct section *s = find_section(f, langs[l], key);

	return s == NULL ? 1 : s->line;
}

void
check_all_used(struct file *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (!f->at[i].is_used)
			mistake(f->path, f->at[i].line, "[%s.%s] is read by nobody",
			    f->at[i].lang, f->at[i].key);
}

void
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
