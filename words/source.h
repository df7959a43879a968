#ifndef KOSHIN_WORDS_SOURCE_H
#define KOSHIN_WORDS_SOURCE_H
/*
 * The files of texts as words/build.c reads them: their parts, and what is wrong with them. Part of words-build, a program
 * of the build's machine; nothing of it is in koshin.
 */
#include <stdbool.h>
#include <stddef.h>
#include "words/table.h"

enum {
	MISTAKES_SHOWN = 50,
	SECTIONS_MAX = 64, /* of one file */
	UI_MAX = 1024, /* small texts of one file */
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
/* A small text by its key, in both languages. */
struct ui_entry {
	char *key, *text[LANG_COUNT];
	int line;
};
extern const char *const langs[LANG_COUNT];

/* Tells file, line and what is wrong; the first MISTAKES_SHOWN of them. */
__attribute__((format(printf, 3, 4))) void mistake(const char *path, int line, const char *fmt, ...);
/* Memory, or the end of the program. */
void *have(void *p);
/* DIR/NAME, to be freed. */
char *join(const char *dir, const char *name);
/* The whole file, terminated; NULL after a mistake was told. */
char *read_all(const char *path);
/* Takes one line off *text; NULL at the end. */
char *next_line(char **text);
/* Tells bytes that no text may have. */
void check_line(const char *path, int number, const char *line);
/* Reads a file of sections. What it allocates lives as long as the program. */
struct file *file_read(const char *path);
/* NULL: the file has no such field. */
struct field *find_field(struct file *f, const char *key);
/* words ends with NULL. */
bool is_in(const char *const *words, const char *word, size_t n);
/* The placeholders of a text as bits in the order of known; tells those that are not known. */
unsigned placeholders(const char *path, int line, const char *text, const char *const *known);
/* Tells placeholders that one language alone has. */
void check_equal(const char *path, int line, const char *what, const unsigned found[LANG_COUNT], const char *const *known);
/* A paragraph: line breaks of the source are no breaks of the text. */
void unwrap(char *text, enum lang l);
/* The text of a section, its @lines replaced by those of shared; tells one that is missing, empty or too long. */
char *text_of(struct file *f, enum lang l, const char *key, struct file *shared);
/* Of a section; 1 without it. */
int line_of(struct file *f, enum lang l, const char *key);
/* Tells sections that nobody asked for. */
void check_all_used(struct file *f);
/* Reads a file of small texts (ui.txt, panel.txt) into at, which has room for UI_MAX, in the order of their keys. Tells one that
 * is missing in a language, stands there twice, or has other placeholders in the other language. How many there are. */
size_t ui_read(const char *path, struct ui_entry *at);
/* A literal of C and of TypeScript. */
void put_literal(const char *text);

/* words/build_ts.c: TypeScript of panel.txt, and of the texts of all causes. */
void ts_put_panel(const char *dir);
void ts_put_help(const char *dir);

/* How many mistakes there were. */
unsigned mistakes_told(void);
#endif
