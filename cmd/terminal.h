#ifndef KOSHIN_CMD_TERMINAL_H
#define KOSHIN_CMD_TERMINAL_H
/*
 * Text on a terminal: columns that stand even where Japanese takes two places, and nothing that moves the cursor or
 * changes colours, whoever the bytes came from (a web server's banner, a CA's words): what is no printable character is
 * shown as "?".
 */
#include <stdio.h>
#include "base/arena.h"

/* A person reads stdout, who may be shown what goes on: not a file, not a pipe. */
bool terminal_is_one(void);
/* Places that the text takes. */
size_t terminal_width(struct str text);
void terminal_put(FILE *to, struct str text);
void terminal_pad(size_t n); /* spaces, to stdout */

enum { TABLE_COLUMNS_MAX = 8 };
struct table {
	struct str (*rows)[TABLE_COLUMNS_MAX];
	size_t columns, rows_n, rows_cap;
	struct arena arena; /* holds the cells */
};
void table_init(struct table *t, size_t columns);
void table_fini(struct table *t);
/* Copies a row: as many cells as there are columns. */
void table_put(struct table *t, const struct str *cells);
/* Each column as wide as its widest cell. */
void table_print(const struct table *t);
#define AUTO_TABLE __attribute__((cleanup(table_fini))) struct table
#endif
