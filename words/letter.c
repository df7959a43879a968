/*
 * Letters: the templates of words/letter/ with the facts of a site in them. A line "?word text" is there if the
 * condition holds, "?!word text" if it does not; several may stand before one text. The subject is the first line
 * that remains. What visitors see is told name by name: no word of success covers a name that is missing.
 */
#include <string.h>
#include "base/must.h"
#include "core/site_plan.h"
#include "words/table.h"

enum { NAMES_JOINED = 3 }; /* in one sentence */

struct letter_case {
	const struct letter_facts *f;
	struct words_context c; /* the caller's, with the way to write names */
	const struct finding *cause;
	bool holds[LETTER_CONDITION_COUNT];
};

static enum visitors
visitors_of(const struct letter_case *k, const struct site_name *n)
{
	return view_visitors(k->f->site, n, k->c.now);
}

static bool
is_of_cause(const struct letter_case *k, const struct site_name *n)
{
	return k->cause != NULL && str_eq_nocase(n->name, k->cause->subject);
}

static size_t
count_wanted(const struct letter_case *k)
{
	size_t n = 0;

	for (size_t i = 0; i < k->f->site->names_n; i++)
		n += k->f->site->names[i].is_wanted;
	return n;
}

static bool
is_blocked(const struct site *s, const struct site_name *n)
{
	const struct finding *f = site_cause_of(s, n->name);

	return f != NULL && finding_blocks(f);
}

static void
put_changed(const struct letter_case *k, struct buf *out)
{
	if (k->cause != NULL)
		words_changes(k->f->site, k->cause->subject, &k->c, out);
}

static bool
has_changed(const struct letter_case *k)
{
	AUTO_BUF text = { .max = 16384 };

	put_changed(k, &text);
	return buf_str(&text).n > 0;
}

static size_t
put_also(const struct letter_case *k, struct buf *out)
{
	return words_also(&(struct row_facts){ .site = k->f->site, .cause = k->cause }, &k->c, out);
}

static bool
has_also(const struct letter_case *k)
{
	AUTO_BUF text = { .max = 16384 };

	return put_also(k, &text) > 0;
}

/* What the letter is about was begun by somebody: a draft, or that free SSL is given up. */
struct begun {
	struct when at;
	struct str by;
};

static struct begun
begun_of(const struct letter_facts *f)
{
	const struct given_up *g = f->kind == LETTER_STOPPED ? f->site->given_up : NULL;

	return g != NULL ? (struct begun){ g->at, g->by } : (struct begun){ f->site->draft.begun_at, f->site->draft.begun_by };
}

static void
set_conditions(struct letter_case *k)
{
	const struct site *s = k->f->site;
	size_t locks = 0, others = 0;
	bool is_reminder = k->f->kind == LETTER_REMINDER;

	for (size_t i = 0; i < s->names_n; i++) {
		if (!s->names[i].is_wanted || visitors_of(k, &s->names[i]) != VISITORS_LOCK)
			continue;
		locks++;
		others += k->cause != NULL && cause_row(k->cause->cause)->scope == SCOPE_NAME &&
			  !is_of_cause(k, &s->names[i]) && !is_blocked(s, &s->names[i]);
	}
	k->holds[LETTER_CONDITION_SAFE] = words_is_safe(&k->c);
	k->holds[LETTER_CONDITION_WARNED] = words_is_warned(&k->c);
	k->holds[LETTER_CONDITION_ALL] = locks > 0 && locks == count_wanted(k);
	k->holds[LETTER_CONDITION_MANY] = count_wanted(k) > 1;
	k->holds[LETTER_CONDITION_OTHERS] = others > 0;
	k->holds[LETTER_CONDITION_CAUSE] = k->cause != NULL;
	k->holds[LETTER_CONDITION_CHANGED] = has_changed(k);
	k->holds[LETTER_CONDITION_OWNER] = k->cause != NULL && actor_is_owner(k->cause->acts);
	k->holds[LETTER_CONDITION_ALSO] = has_also(k);
	k->holds[LETTER_CONDITION_RENEWAL] = when_is_known(k->c.view.next_renewal);
	k->holds[LETTER_CONDITION_FIRST] = is_reminder && k->f->reminder == 0;
	k->holds[LETTER_CONDITION_SECOND] = is_reminder && k->f->reminder == 1;
	k->holds[LETTER_CONDITION_THIRD] = is_reminder && k->f->reminder == 2;
	k->holds[LETTER_CONDITION_LAST] = is_reminder && k->f->reminder > 2;
	k->holds[LETTER_CONDITION_OWN] = plan_is_own(s);
	k->holds[LETTER_CONDITION_TAKEOVER] = plan_is_own(s) && s->setting.takeover;
	k->holds[LETTER_CONDITION_REVOKED] = k->c.view.revocation != NULL && revocation_state(k->c.view.revocation, k->c.now) == REVOKE_DONE;
	k->holds[LETTER_CONDITION_CSR] = s->draft.has_csr;
	k->holds[LETTER_CONDITION_SUSPENDED] = s->given_up != NULL && s->given_up->is_suspended;
	k->holds[LETTER_CONDITION_FORWARDS] = s->setting.redirect;
	k->holds[LETTER_CONDITION_BY] = begun_of(k->f).by.n > 0;
	k->holds[LETTER_CONDITION_URL] = k->c.panel_url.n > 0;
}

/* ---- fields ---- */

struct joined {
	size_t n;
};

static void
join_name(struct joined *j, struct str name, const struct letter_case *k, struct buf *out)
{
	if (j->n++ >= NAMES_JOINED)
		return;
	if (j->n > 1) {
		words_ui("names.separator", k->c.lang, NULL, 0, out);
		if (k->c.lang == LANG_EN)
			buf_putc(out, ' ');
	}
	words_put_name(name, &k->c, out);
}

/* The names that the new certificate does not have; in other letters those that have no lock. */
static void
put_lost(const struct letter_case *k, struct buf *out)
{
	const struct site *s = k->f->site;
	struct joined j = { 0 };

	for (size_t i = 0; i < k->f->left_out_n; i++)
		join_name(&j, k->f->left_out[i], k, out);
	for (size_t i = 0; k->f->left_out_n == 0 && i < s->names_n; i++)
		if (s->names[i].is_wanted && visitors_of(k, &s->names[i]) != VISITORS_LOCK)
			join_name(&j, s->names[i].name, k, out);
	if (j.n > NAMES_JOINED) {
		if (k->c.lang == LANG_EN)
			buf_putc(out, ' ');
		words_put_count("names.more", j.n - NAMES_JOINED, k->c.lang, out);
	}
}

static struct when
date_of(const struct letter_case *k)
{
	return words_is_safe(&k->c) ? k->c.view.until : k->c.view.since;
}

static void
put_url(const struct letter_case *k, struct buf *out)
{
	struct str base = k->c.panel_url;

	if (base.n == 0)
		return;
	words_put_clean(base, out);
	buf_put_str(out, str_ends(base, STR("/")) ? STR("sites/") : STR("/sites/"));
	if (k->f->site->names_n > 0)
		words_put_clean(k->f->site->names[0].name, out);
}

static enum letter_field
field_of(struct str word)
{
	static const char *const names[] = {
#define F(symbol, word) word,
		LETTER_FIELDS(F)
#undef F
	};
	enum letter_field at = 0;

	while (at < LETTER_FIELD_COUNT && !str_eq(word, str_of(names[at])))
		at++;
	return at;
}

/* Of a certificate that was given up for good as the page of the site says it. */
static void
put_row(const struct letter_case *k, enum page_row row, const struct row_facts *rows, struct buf *out)
{
	if (k->c.view.revocation != NULL)
		words_page_row(row, k->f->site, &k->c, out);
	else if (row == PAGE_ROW_CAUSE)
		words_put_cause(rows, CAUSE_CAUSE, &k->c, out);
	else if (row == PAGE_ROW_DO)
		words_put_who(rows, &k->c, out);
	else
		words_put_next(rows, &k->c, out);
}

static void
put_letter_field(const void *ctx, struct str word, struct buf *out)
{
	const struct letter_case *k = ctx;
	const struct row_facts rows = { k->f->site, k->cause, STR("  "), false };

	switch (field_of(word)) {
	case LETTER_FIELD_SITE:
		words_put_clean(k->c.site_name, out);
		return;
	case LETTER_FIELD_TITLE:
		if (k->cause != NULL)
			words_cause_title(k->cause, &k->c, out);
		else
			words_put_clean(k->c.site_name, out);
		return;
	case LETTER_FIELD_NAMES:
		words_put_names(&rows, &k->c, out);
		return;
	case LETTER_FIELD_NAMES_PLAIN:
		words_put_names(&(struct row_facts){ rows.site, rows.cause, rows.indent, true }, &k->c, out);
		return;
	case LETTER_FIELD_DATE:
		words_put_date(date_of(k), &k->c, out);
		return;
	case LETTER_FIELD_DAY:
		words_put_day(date_of(k), &k->c, out);
		return;
	case LETTER_FIELD_LEFT:
		words_put_length(date_of(k), &k->c, out);
		return;
	case LETTER_FIELD_CAUSE:
		put_row(k, PAGE_ROW_CAUSE, &rows, out);
		return;
	case LETTER_FIELD_CHANGED:
		put_changed(k, out);
		return;
	case LETTER_FIELD_ACTION:
		words_put_cause(&rows, CAUSE_ACTION, &k->c, out);
		return;
	case LETTER_FIELD_ALSO:
		(void)put_also(k, out);
		return;
	case LETTER_FIELD_NEXT:
		put_row(k, PAGE_ROW_NEXT_LOOK, &rows, out);
		return;
	case LETTER_FIELD_WHO:
		put_row(k, PAGE_ROW_DO, &rows, out);
		return;
	case LETTER_FIELD_URL:
		put_url(k, out);
		return;
	case LETTER_FIELD_RENEWAL:
		words_put_day(k->c.view.next_renewal, &k->c, out);
		return;
	case LETTER_FIELD_LOST:
		put_lost(k, out);
		return;
	case LETTER_FIELD_BEGUN:
		words_put_date(begun_of(k->f).at, &k->c, out);
		return;
	case LETTER_FIELD_BY:
		words_put_clean(begun_of(k->f).by, out);
		return;
	case LETTER_FIELD_LINK:
		words_put_clean(k->f->link, out);
		return;
	case LETTER_FIELD_INVITER:
		words_put_clean(k->f->inviter, out);
		return;
	case LETTER_FIELD_PANEL:
		words_put_clean(k->c.panel_url, out);
		return;
	case LETTER_FIELD_ASKED:
		words_put_clean(k->f->asked, out);
		return;
	case LETTER_FIELD_ANSWER:
		buf_put_str(out, str_trim(k->f->answer));
		return;
	case LETTER_FIELD_COUNT:
		break;
	}
	must_fail(__FILE__, __LINE__, "a placeholder that the build let through");
}

/* ---- lines ---- */

static bool
condition_holds(struct str word, const struct letter_case *k)
{
	static const char *const names[] = {
#define C(symbol, word) word,
		LETTER_CONDITIONS(C)
#undef C
	};
	bool is_negated = str_starts(word, STR("!"));
	enum letter_condition at = 0;

	if (is_negated)
		word = (struct str){ word.p + 1, word.n - 1 };
	while (at < LETTER_CONDITION_COUNT && !str_eq(word, str_of(names[at])))
		at++;
	must(at < LETTER_CONDITION_COUNT);
	return k->holds[at] != is_negated;
}

/* Takes the conditions off the front of the line. */
static bool
line_holds(struct str *line, const struct letter_case *k)
{
	bool holds = true;

	while (str_starts(*line, STR("?"))) {
		struct str word = str_cut(line, ' ');

		holds &= condition_holds((struct str){ word.p + 1, word.n - 1 }, k);
	}
	return holds;
}

static void
put_line(struct str line, const struct letter_case *k, struct buf *out)
{
	AUTO_BUF text = { .max = LIMIT_LETTER_BYTES };

	buf_put_str(&text, line);
	if (text.err != ERR_OK || text.p == NULL)
		out->err = text.err == ERR_OK ? out->err : text.err;
	else
		words_fill(text.p, k->c.lang, put_letter_field, k, out);
}

static void
put_body(const char *template, const struct letter_case *k, struct buf *out)
{
	struct str rest = str_of(template);
	bool is_blank =
	    true; /* two empty lines are never in a row, whatever was left out between them */

	while (rest.n > 0) {
		struct str line = str_cut(&rest, '\n');

		if (!line_holds(&line, k) || (line.n == 0 && is_blank))
			continue;
		if (line.n > 0)
			put_line(line, k, out);
		buf_putc(out, '\n');
		is_blank = line.n == 0;
	}
}

static void
put_subject(const char *template, const struct letter_case *k, struct buf *out)
{
	struct str rest = str_of(template);

	while (rest.n > 0) {
		struct str line = str_cut(&rest, '\n');

		if (!line_holds(&line, k) || line.n == 0)
			continue;
		put_line(line, k, out);
		return;
	}
	must_fail(__FILE__, __LINE__, "a subject with a line that always holds");
}

void
words_letter(const struct letter_facts *f, const struct words_context *c, struct arena *a,
    struct buf *ret_subject, struct buf *ret_body)
{
	struct letter_case k = {
		.f = f, .c = *c, .cause = f->finding != NULL ? f->finding : c->view.cause
	};

	(void)a;
	must(f->kind < LETTER_COUNT && f->site != NULL);
	if (f->for_people != NULL)
		k.c.for_people = f->for_people;
	if (f->revocation != NULL)
		k.c.view.revocation = f->revocation;
	set_conditions(&k);
	put_subject(words_letter_table[f->kind].subject.in[c->lang], &k, ret_subject);
	put_body(words_letter_table[f->kind].body.in[c->lang], &k, ret_body);
}
