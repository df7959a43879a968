/* The top box of a site's page: the six things that everybody has to know, in sentences that letters use too. */
#include "base/must.h"
#include "words/table.h"

const char *
page_row_name(enum page_row r)
{
	static const char *const names[] = { "seen", "until", "cause", "do", "next_look", "help" };

	must(r < PAGE_ROW_COUNT);
	return names[r];
}

static void
put_ui(const char *key, const struct words_context *c, struct buf *out)
{
	words_ui(key, c->lang, NULL, 0, out);
}

void
words_page_label(enum page_row r, const struct words_context *c, struct buf *out)
{
	AUTO_BUF key = { .max = 64 };

	buf_putf(&key, "page.label.%s", r == PAGE_ROW_UNTIL && words_is_warned(c) ? "since" : page_row_name(r));
	if (key.err == ERR_OK)
		put_ui(key.p, c, out);
}

static bool
all_have_lock(const struct site *s, struct when now)
{
	for (size_t i = 0; i < s->names_n; i++)
		if (s->names[i].is_wanted && view_visitors(s, &s->names[i], now) != VISITORS_LOCK)
			return false;
	return true;
}

static void
put_until(const struct site *s, const struct words_context *c, struct buf *out)
{
	AUTO_BUF date = { .max = 256 };
	bool is_warned = words_is_warned(c);

	if (!is_warned && !words_is_safe(c)) {
		put_ui(c->view.state == SITE_STATE_MOVED ? "page.until.moved" : "page.until.none", c, out);
		return;
	}
	words_put_date(is_warned ? c->view.since : c->view.until, c, &date);
	if (date.err != ERR_OK)
		out->err = out->err == ERR_OK ? date.err : out->err;
	words_ui(is_warned                  ? "page.since"
		 : all_have_lock(s, c->now) ? "page.until.safe"
					    : "page.until.partly",
	    c->lang, &(struct str){ date.p, date.n }, 1, out);
}

/* The sentence of the cause, and what has changed since all was well. */
static void
put_cause(const struct row_facts *rows, const struct words_context *c, struct buf *out)
{
	AUTO_BUF changes = { .max = 16384 };

	words_put_cause(rows, CAUSE_CAUSE, c, out);
	if (rows->cause == NULL)
		return;
	words_changes(rows->site, rows->cause->subject, c, &changes);
	if (buf_str(&changes).n == 0)
		return;
	if (c->lang == LANG_EN)
		buf_putc(out, ' ');
	buf_put_str(out, buf_str(&changes));
}

void
words_page_row(enum page_row r, const struct site *s, const struct words_context *c, struct buf *out)
{
	const struct row_facts rows = { s, c->view.cause, STR_NONE };
	/* Visitors are warned and nothing was found yet: that is ours to find out, and not "nothing wrong". */
	bool is_ours = c->view.cause == NULL && c->view.acts == ACTOR_HOST;

	switch (r) {
	case PAGE_ROW_SEEN:
		words_put_names(&rows, c, out);
		return;
	case PAGE_ROW_UNTIL:
		put_until(s, c, out);
		return;
	case PAGE_ROW_CAUSE:
		if (is_ours)
			put_ui("page.cause.sought", c, out);
		else
			put_cause(&rows, c, out);
		return;
	case PAGE_ROW_DO:
		if (is_ours)
			put_ui("who.host", c, out);
		else if (c->view.state == SITE_STATE_OFF)
			put_ui("page.do.set-up", c, out);
		else
			words_put_who(&rows, c, out);
		return;
	case PAGE_ROW_NEXT_LOOK:
		words_put_next(&rows, c, out);
		return;
	case PAGE_ROW_HELP:
		put_ui("page.help", c, out);
		return;
	case PAGE_ROW_COUNT:
		break;
	}
	must_fail(__FILE__, __LINE__, "a row that is none");
}
