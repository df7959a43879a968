/* The top box of a site's page: the six things that everybody has to know, in sentences that letters use too. */
#include "base/must.h"
#include "core/site_plan.h"
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

/* A sentence with one date in it; is_next: what is due is said to be soon. */
static void
put_dated(const char *key, struct when w, bool is_next, const struct words_context *c, struct buf *out)
{
	AUTO_BUF date = { .max = 256 };

	if (is_next && !when_before(c->now, w))
		put_ui("date.soon", c, &date);
	else
		words_put_date(w, c, &date);
	if (date.err != ERR_OK)
		out->err = out->err == ERR_OK ? date.err : out->err;
	words_ui(key, c->lang, &(struct str){ date.p, date.n }, 1, out);
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

	/* What ended it is not what keeps it from being renewed: both are said. */
	if (c->view.state == SITE_STATE_EXPIRED && rows->cause != NULL && cause_row(rows->cause->cause)->layer != LAYER_SERVED && plan_wants(rows->site)) {
		put_ui("page.cause.expired", c, out);
		buf_putc(out, '\n');
	}
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

/* How the certificate was given up for good, as far as it has come. */
static void
put_revocation(const struct revoke *r, const struct words_context *c, struct buf *out)
{
	AUTO_BUF key = { .max = 64 }, destroyed = { .max = 256 }, revoked = { .max = 256 };

	buf_putf(&key, "page.cause.revoked-%s", revoke_state_name(revocation_state(r, c->now)));
	words_put_date(r->destroyed_at, c, &destroyed);
	words_put_date(r->revoked_at, c, &revoked);
	if (key.err != ERR_OK || destroyed.err != ERR_OK || revoked.err != ERR_OK)
		out->err = out->err == ERR_OK ? ERR_MEMORY : out->err;
	else
		words_ui(key.p, c->lang, (struct str[]){ buf_str(&destroyed), buf_str(&revoked) }, 2, out);
}

static void
put_next_of(const struct revoke *r, const struct words_context *c, struct buf *out)
{
	if (revocation_state(r, c->now) == REVOKE_WAITS)
		put_dated("page.next.revoked-waits", r->next_try, true, c, out);
	else
		put_ui("page.next.revoked", c, out);
}

/* All is well until the end, and nothing follows: its owner has given it up. */
static bool
is_ending(const struct site *s, const struct words_context *c)
{
	return c->view.state == SITE_STATE_OK && c->view.cause == NULL && s->setting.source == SOURCE_NONE;
}

void
words_page_row(enum page_row r, const struct site *s, const struct words_context *c, struct buf *out)
{
	const struct row_facts rows = { s, c->view.cause, STR_NONE, false };
	const struct revoke *given_up = c->view.revocation;
	/* Visitors are warned and nothing was found yet: that is ours to find out, and not "nothing wrong". */
	bool is_ours = c->view.cause == NULL && c->view.acts == ACTOR_HOST;

	switch (r) {
	case PAGE_ROW_SEEN:
		words_put_names(&rows, c, out);
		return;
	case PAGE_ROW_UNTIL:
		if (given_up != NULL)
			put_ui("page.until.revoked", c, out);
		else
			put_until(s, c, out);
		return;
	case PAGE_ROW_CAUSE:
		if (given_up != NULL)
			put_revocation(given_up, c, out);
		else if (c->view.state == SITE_STATE_OFF)
			put_ui("page.cause.off", c, out);
		else if (is_ending(s, c))
			put_ui("page.cause.ending", c, out);
		else if (is_ours)
			put_ui("page.cause.sought", c, out);
		else if (when_is_known(c->view.issuer_ill_since))
			put_dated("page.cause.issuer-ill", c->view.issuer_ill_since, false, c, out);
		else
			put_cause(&rows, c, out);
		return;
	case PAGE_ROW_DO:
		if (given_up != NULL)
			put_ui(given_up->is_own ? "page.do.revoked-own" : "page.do.revoked", c, out);
		else if (is_ours)
			put_ui("who.host", c, out);
		else if (c->view.state == SITE_STATE_OFF)
			put_ui("page.do.set-up", c, out);
		else if (c->view.state == SITE_STATE_MOVED)
			put_ui("page.do.moved", c, out);
		else if (is_ending(s, c))
			put_ui("page.do.ending", c, out);
		else
			words_put_who(&rows, c, out);
		return;
	case PAGE_ROW_NEXT_LOOK:
		if (given_up != NULL)
			put_next_of(given_up, c, out);
		else if (c->view.state == SITE_STATE_OFF)
			put_ui("page.next.off", c, out);
		else if (when_is_known(c->view.issuer_ill_since))
			put_dated("page.next.issuer-ill", c->view.next_look, true, c, out);
		else
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

/* --- the answer to a question --- */

enum { POINTS_MAX = 5 };

static void
put_labelled(enum page_row r, const struct site *s, const struct words_context *c, struct buf *out)
{
	AUTO_BUF text = { .max = 16384 };

	words_page_row(r, s, c, &text);
	if (text.err != ERR_OK) {
		out->err = out->err == ERR_OK ? text.err : out->err;
		return;
	}
	words_page_label(r, c, out);
	buf_put_str(out, str_find(buf_str(&text), STR("\n")) == SIZE_MAX ? STR(": ") : STR(":\n"));
	buf_put_str(out, buf_str(&text));
	buf_putc(out, '\n');
}

/* A cause is told once, with all names that have it. */
static bool
is_told(const struct finding *const *told, size_t n, const struct finding *f)
{
	for (size_t i = 0; i < n; i++)
		if (told[i]->cause == f->cause)
			return true;
	return false;
}

static void
put_point(const struct site *s, const struct finding *f, const struct words_context *c, struct buf *out)
{
	static const enum cause_text texts[] = { CAUSE_CAUSE, CAUSE_ACTION, CAUSE_NEXT };
	const struct row_facts rows = { s, f, STR_NONE, false };
	AUTO_BUF also = { .max = 16384 };

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		words_cause(f, texts[i], c, out);
		buf_putc(out, '\n');
		if (texts[i] == CAUSE_ACTION && words_also(&rows, c, &also) > 0) {
			const struct str names = buf_str(&also);

			words_ui("draft.also", c->lang, &names, 1, out);
			buf_putc(out, '\n');
		}
		buf_putc(out, '\n');
	}
}

void
words_draft(const struct site *s, const struct words_context *c, struct buf *out)
{
	const struct finding *told[POINTS_MAX];
	size_t n = 0;

	if (c->view.cause != NULL)
		told[n++] = c->view.cause;
	for (size_t i = 0; i < s->findings.n && n < POINTS_MAX; i++) {
		const struct finding *f = &s->findings.at[i];

		if (actor_is_owner(f->acts) && cause_row(f->cause)->severity >= SEVERITY_WARN && site_cause_of(s, f->subject) == f && !is_told(told, n, f))
			told[n++] = f;
	}
	put_labelled(PAGE_ROW_SEEN, s, c, out);
	put_labelled(PAGE_ROW_UNTIL, s, c, out);
	for (enum page_row r = PAGE_ROW_CAUSE; n == 0 && r <= PAGE_ROW_NEXT_LOOK; r++)
		put_labelled(r, s, c, out);
	buf_putc(out, '\n');
	for (size_t i = 0; i < n; i++) {
		if (n > 1) {
			buf_putf(out, "[%zu] ", i + 1);
			words_cause_title(told[i], c, out);
			buf_putc(out, '\n');
		}
		put_point(s, told[i], c, out);
	}
}
