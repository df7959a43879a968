/*
 * The rows that letters and the page of a site have in common. What visitors see is told name by name: no word of success covers a
 * name that is missing.
 */
#include "words/table.h"

enum { NAMES_SHOWN = 10 }; /* a line for each; a site may have a hundred */

static void
put_ui_name(const char *key, const struct site_name *n, const struct words_context *c, struct buf *out)
{
	AUTO_BUF name = { .max = 1024 };

	words_put_name(n->name, c, &name);
	if (name.err != ERR_OK)
		out->err = out->err == ERR_OK ? name.err : out->err;
	words_ui(key, c->lang, &(struct str){ name.p, name.n }, 1, out);
}

/* What is told of a name: the cause that is told, or the same of its own. */
static const struct finding *
cause_of_name(const struct row_facts *r, const struct site_name *n)
{
	const struct finding *own;

	if (r->cause == NULL || str_eq_nocase(n->name, r->cause->subject))
		return r->cause;
	own = site_cause_of(r->site, n->name);
	return own != NULL && own->cause == r->cause->cause ? own : NULL;
}

size_t
words_also(const struct row_facts *r, const struct words_context *c, struct buf *out)
{
	size_t n = 0;

	if (r->cause == NULL || !words_is_for_each_host(r->cause))
		return 0;
	for (size_t i = 0; i < r->site->names_n; i++) {
		const struct site_name *name = &r->site->names[i];
		const struct finding *f = cause_of_name(r, name);

		if (!name->is_wanted || f == NULL || f == r->cause || !words_is_for_each_host(f))
			continue;
		if (n++ >= NAMES_SHOWN)
			continue;
		if (n > 1)
			words_ui("names.separator", c->lang, NULL, 0, out);
		if (n > 1 && c->lang == LANG_EN)
			buf_putc(out, ' ');
		words_put_host_line(f, c, out);
	}
	return n;
}

/* is_again: a name before it has the same warning. */
static void
put_name_line(const struct row_facts *r, const struct site_name *n, bool is_again, const struct words_context *c, struct buf *out)
{
	static const char *const keys[] = { "names.lock", "names.warning", "names.plain",
		"names.nothing", "names.unknown" };
	enum visitors v = view_visitors(r->site, n, c->now);
	const struct finding *f = cause_of_name(r, n);

	if (out->n > 0 && out->p[out->n - 1] != '\n')
		buf_putc(out, '\n');
	buf_put_str(out, r->indent);
	/* The cause knows more than the handshake: another server's page, a name that does not open. A warning comes before all that. */
	if (v != VISITORS_WARNING && f != NULL && words_put_own_view(f, c, out))
		return;
	if (v == VISITORS_WARNING && (r->is_plain || is_again))
		put_ui_name(r->is_plain ? "names.warning-plain" : "names.warning-too", n, c, out);
	else
		put_ui_name(keys[v], n, c, out);
}

void
words_put_count(const char *key, size_t n, enum lang l, struct buf *out)
{
	char digits[24];
	size_t at = sizeof digits;

	do
		digits[--at] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	words_ui(key, l, &(struct str){ digits + at, sizeof digits - at }, 1, out);
}

void
words_put_names(const struct row_facts *r, const struct words_context *c, struct buf *out)
{
	const struct site *s = r->site;
	size_t wanted = 0, shown = 0, warned = 0;

	for (size_t i = 0; i < s->names_n; i++)
		wanted += s->names[i].is_wanted;
	/* Those without a lock first where not all can be shown. */
	for (int round = 0; round < (wanted > NAMES_SHOWN ? 2 : 1); round++) {
		for (size_t i = 0; i < s->names_n && shown < NAMES_SHOWN; i++) {
			bool is_lock = view_visitors(s, &s->names[i], c->now) == VISITORS_LOCK;

			if (!s->names[i].is_wanted || (wanted > NAMES_SHOWN && is_lock != (round == 1)))
				continue;
			put_name_line(r, &s->names[i], warned > 0, c, out);
			warned += view_visitors(s, &s->names[i], c->now) == VISITORS_WARNING;
			shown++;
		}
	}
	if (wanted > shown) {
		buf_putc(out, '\n');
		buf_put_str(out, r->indent);
		words_put_count("names.more-lines", wanted - shown, c->lang, out);
	}
}

void
words_put_who(const struct row_facts *r, const struct words_context *c, struct buf *out)
{
	AUTO_BUF key = { .max = 64 }, company = { .max = 1024 }, also = { .max = 16384 }, number = { .max = 32 };
	enum actor acts = r->cause == NULL ? ACTOR_NOBODY : r->cause->acts;
	size_t others = acts == ACTOR_DOMAIN_COMPANY ? words_also(r, c, &also) : 0;

	buf_putf(&key, "who.%s%s", actor_name(acts), others > 0 ? "-many" : "");
	buf_putf(&number, "%zu", others + 1);
	if (r->cause != NULL)
		words_put_company(r->cause, c, &company);
	if (key.err != ERR_OK || company.err != ERR_OK || number.err != ERR_OK)
		out->err = out->err == ERR_OK ? ERR_MEMORY : out->err;
	else
		words_ui(key.p, c->lang, (struct str[]){ buf_str(&company), buf_str(&number) }, 2, out);
}

void
words_put_next(const struct row_facts *r, const struct words_context *c, struct buf *out)
{
	AUTO_BUF date = { .max = 256 };

	if (r->cause != NULL) {
		words_cause(r->cause, CAUSE_NEXT, c, out);
		return;
	}
	if (!when_is_known(c->view.next_look) || !when_before(c->now, c->view.next_look))
		words_ui("date.soon", c->lang, NULL, 0, &date);
	else
		words_put_date(c->view.next_look, c, &date);
	if (date.err != ERR_OK)
		out->err = out->err == ERR_OK ? date.err : out->err;
	words_ui("next.well", c->lang, &(struct str){ date.p, date.n }, 1, out);
}

void
words_put_cause(const struct row_facts *r, enum cause_text t, const struct words_context *c, struct buf *out)
{
	if (r->cause != NULL)
		words_cause(r->cause, t, c, out);
	else
		words_ui(t == CAUSE_ACTION ? "action.nothing" : "cause.none", c->lang, NULL, 0, out);
}
