#include "cmd/terminal.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

enum { TABLE_BYTES_MAX = 64 * 1024 * 1024, GAP = 2 };

/* Marks that turn the direction of what follows (Unicode UAX 9): a name could be made to read as another. */
static bool
turns_direction(wchar_t c)
{
	return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e ||
	       c == 0x200f || c == 0x061c;
}

/* Calls fn for each character: its bytes and the places it takes; what is no printable character is '?'. */
static void
each_character(
    struct str text, void (*fn)(void *arg, struct str bytes, size_t width), void *arg)
{
	mbstate_t state = { 0 };

	while (text.n > 0) {
		wchar_t wide;
		size_t n = mbrtowc(&wide, text.p, text.n, &state);
		int width = n > 0 && n <= text.n ? wcwidth(wide) : -1;

		if (n == 0 || n > text.n) {
			memset(&state, 0, sizeof state);
			n = 1;
		}
		if (width < 0 || turns_direction(wide))
			fn(arg, STR("?"), 1);
		else
			fn(arg, (struct str){ text.p, n }, (size_t)width);
		text = (struct str){ text.p + n, text.n - n };
	}
}

static void
add_width(void *arg, struct str bytes, size_t width)
{
	size_t *sum = arg;

	(void)bytes;
	*sum += width;
}

bool
terminal_is_one(void)
{
	return isatty(STDOUT_FILENO) == 1;
}

size_t
terminal_width(struct str text)
{
	size_t sum = 0;

	each_character(text, add_width, &sum);
	return sum;
}

static void
write_character(void *arg, struct str bytes, size_t width)
{
	(void)width;
	(void)fwrite(
	    bytes.p, 1, bytes.n, arg); /* cmd_main looks at stdout's error at the end */
}

void
terminal_put(FILE *to, struct str text)
{
	each_character(text, write_character, to);
}

void
table_init(struct table *t, size_t columns)
{
	*t = (struct table){ .columns = columns };
	arena_init(&t->arena, TABLE_BYTES_MAX);
}

void
table_fini(struct table *t)
{
	free(t->rows);
	arena_fini(&t->arena);
	*t = (struct table){ 0 };
}

void
table_put(struct table *t, const struct str *cells)
{
	if (t->rows_n == t->rows_cap) {
		size_t cap = t->rows_cap == 0 ? 64 : t->rows_cap * 2;
		void *more = reallocarray(t->rows, cap, sizeof *t->rows);

		if (more == NULL)
			return; /* a shorter table on a machine without memory */
		t->rows = more;
		t->rows_cap = cap;
	}
	for (size_t i = 0; i < t->columns; i++)
		t->rows[t->rows_n][i] = arena_str(&t->arena, cells[i]);
	t->rows_n++;
}

void
terminal_pad(size_t n)
{
	while (n-- > 0)
		(void)putchar(' ');
}

void
table_print(const struct table *t)
{
	size_t widths[TABLE_COLUMNS_MAX] = { 0 };

	for (size_t r = 0; r < t->rows_n; r++)
		for (size_t i = 0; i < t->columns; i++) {
			size_t w = terminal_width(t->rows[r][i]);

			if (w > widths[i])
				widths[i] = w;
		}
	for (size_t r = 0; r < t->rows_n; r++) {
		for (size_t i = 0; i < t->columns; i++) {
			terminal_put(stdout, t->rows[r][i]);
			if (i + 1 < t->columns)
				terminal_pad(widths[i] - terminal_width(t->rows[r][i]) + GAP);
		}
		(void)putchar('\n');
	}
}
