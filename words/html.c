/*
 * The HTML form of a letter. It is made of the plain text alone, whose shape every letter keeps: a block whose first line ends
 * with a colon is the table of rows ("Label: value"), "1. text" is a step, a line with two spaces before it goes on what
 * stands above it, and in a step "label: value" is a value to type. Whatever a line holds, it is escaped; only a whole word that is
 * an https address becomes a link.
 */
#include "words/words.h"

enum part { PART_NONE, PART_TEXT, PART_STEPS, PART_ROWS };

struct page {
	enum part part;
	bool is_open; /* an item of the part: its text may go on */
	struct buf *out;
};

static void
put_escaped(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++)
		switch (s.p[i]) {
		case '&':
			buf_put_str(out, STR("&amp;"));
			break;
		case '<':
			buf_put_str(out, STR("&lt;"));
			break;
		case '>':
			buf_put_str(out, STR("&gt;"));
			break;
		case '"':
			buf_put_str(out, STR("&quot;"));
			break;
		case '\'':
			buf_put_str(out, STR("&#39;"));
			break;
		default:
			buf_putc(out, s.p[i]);
		}
}

/* Bytes of an address from its beginning; Japanese text may follow it without a space. */
static size_t
address_length(struct str s)
{
	size_t n = 0;

	while (n < s.n && (unsigned char)s.p[n] > ' ' && (unsigned char)s.p[n] < 0x7f && s.p[n] != '"' && s.p[n] != '<' &&
	       s.p[n] != '>' && s.p[n] != ')')
		n++;
	while (n > 0 && (s.p[n - 1] == '.' || s.p[n - 1] == ',' || s.p[n - 1] == ':'))
		n--;
	return n;
}

static void
put_text(struct str s, struct buf *out)
{
	size_t at;

	while ((at = str_find(s, STR("https://"))) != SIZE_MAX) {
		struct str before = { s.p, at }, link = { s.p + at, s.n - at };

		link.n = address_length(link);
		put_escaped(before, out);
		buf_put_str(out, STR("<a href=\""));
		put_escaped(link, out);
		buf_put_str(out, STR("\">"));
		put_escaped(link, out);
		buf_put_str(out, STR("</a>"));
		s = (struct str){ link.p + link.n, s.n - at - link.n };
	}
	put_escaped(s, out);
}

/* "label: value" -> true, both parts. */
static bool
split_label(struct str line, struct str *ret_label, struct str *ret_value)
{
	size_t at = str_find(line, STR(": "));

	if (at == SIZE_MAX || at == 0)
		return false;
	*ret_label = (struct str){ line.p, at };
	*ret_value = (struct str){ line.p + at + 2, line.n - at - 2 };
	return true;
}

static void
close_item(struct page *g)
{
	static const char *const ends[] = { "", "</p>\n", "</li>\n", "</td></tr>\n" };

	if (g->is_open)
		buf_put_str(g->out, str_of(ends[g->part]));
	g->is_open = false;
}

static void
turn_to(struct page *g, enum part part)
{
	static const char *const begins[] = { "", "", "<ol>\n", "<table role=\"presentation\">\n" };
	static const char *const ends[] = { "", "", "</ol>\n", "</table>\n" };

	if (g->part == part)
		return;
	close_item(g);
	buf_put_str(g->out, str_of(ends[g->part]));
	g->part = part;
	buf_put_str(g->out, str_of(begins[part]));
}

static bool
is_step(struct str line, struct str *ret_text)
{
	size_t n = 0;

	while (n < line.n && line.p[n] >= '0' && line.p[n] <= '9')
		n++;
	if (n == 0 || n > 2 || n + 1 >= line.n || line.p[n] != '.' || line.p[n + 1] != ' ')
		return false;
	*ret_text = (struct str){ line.p + n + 2, line.n - n - 2 };
	return true;
}

static void
put_row(struct page *g, struct str line)
{
	struct str label, value;

	if (str_ends(line, STR(":"))) {
		label = (struct str){ line.p, line.n - 1 };
		value = STR_NONE;
	} else if (!split_label(line, &label, &value)) {
		buf_put_str(g->out, STR("<br>"));
		put_text(line, g->out);
		return;
	}
	close_item(g);
	buf_put_str(g->out, STR("<tr><th scope=\"row\">"));
	put_text(label, g->out);
	buf_put_str(g->out, STR("</th><td>"));
	put_text(value, g->out);
	g->is_open = true;
}

/* A line that goes on: in a step with what is to be typed set apart. */
static void
put_more(struct page *g, struct str line, bool is_first)
{
	struct str label, value;

	if (!is_first)
		buf_put_str(g->out, STR("<br>"));
	if (g->part == PART_STEPS && split_label(line, &label, &value)) {
		put_text(label, g->out);
		buf_put_str(g->out, STR(": <code>"));
		put_escaped(value, g->out);
		buf_put_str(g->out, STR("</code>"));
	} else {
		put_text(line, g->out);
	}
}

static void
put_line(struct page *g, struct str line)
{
	bool is_indented = str_starts(line, STR("  "));
	struct str text;

	if (is_indented && g->is_open && g->part != PART_TEXT) {
		/* The value of a row that has stood alone begins here. */
		put_more(g, str_trim(line), str_ends(buf_str(g->out), STR("<td>")));
	} else if (g->part == PART_ROWS) {
		put_row(g, line);
	} else if (is_step(line, &text)) {
		turn_to(g, PART_STEPS);
		close_item(g);
		buf_put_str(g->out, STR("<li>"));
		put_text(text, g->out);
		g->is_open = true;
	} else {
		turn_to(g, PART_TEXT);
		buf_put_str(g->out, g->is_open ? STR("<br>\n") : STR("<p>"));
		g->is_open = true;
		put_text(str_trim(line), g->out);
	}
}

void
words_html(struct str subject, struct str body, enum lang l, struct buf *out)
{
	struct page g = { .out = out };
	bool is_blank = true;

	buf_putf(out,
	    "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
	    lang_name(l));
	put_escaped(subject, out);
	/* What mail programs drop of this, the letter can do without. */
	buf_put_str(out,
	    STR("</title>\n<style>body{font:16px/1.7 sans-serif;max-width:42em;margin:0 auto;padding:16px}"
		"table{border-collapse:collapse;margin:16px 0}th,td{text-align:left;vertical-align:top;padding:8px 12px 8px 0;"
		"border-top:1px solid #8886}th{white-space:nowrap;font-weight:600}code{font:15px/1.5 monospace;"
		"overflow-wrap:anywhere}li{margin:8px 0}</style>\n</head>\n<body>\n"));
	while (body.n > 0) {
		struct str line = str_cut(&body, '\n');

		if (line.n == 0) {
			turn_to(&g, PART_NONE);
			is_blank = true;
			continue;
		}
		if (is_blank && str_ends(line, STR(":")))
			turn_to(&g, PART_ROWS);
		put_line(&g, line);
		is_blank = false;
	}
	turn_to(&g, PART_NONE);
	buf_put_str(out, STR("</body>\n</html>\n"));
}
