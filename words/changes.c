/* What differs from the last good check, in sentences. */
#include "words/table.h"

static struct str
value_of(struct str s, const struct words_context *c, struct buf *room)
{
	if (str_eq(s, STR("-")))
		words_ui("changed.none", c->lang, NULL, 0, room);
	else if (str_eq(s, STR("koshin")))
		words_ui("changed.ours", c->lang, NULL, 0, room);
	else
		words_put_clean(s, room);
	return buf_str(room);
}

void
words_change(const struct memory_change *change, const struct words_context *c, struct buf *out)
{
	AUTO_BUF key = { .max = 64 }, since = { .max = 256 }, before = { .max = 4096 }, now = { .max = 4096 };

	words_put_day(change->since, c, &since);
	buf_putf(&key, "changed.%s", change_name(change->what));
	const struct str args[] = { buf_str(&since), value_of(change->before, c, &before), value_of(change->now, c, &now) };
	if (key.err == ERR_OK)
		words_ui(key.p, c->lang, args, sizeof args / sizeof *args, out);
}

void
words_changes(const struct site *s, struct str name, const struct words_context *c, struct buf *out)
{
	const struct memory *m = site_memory_of(s, name);
	struct memory_change changes[CHANGE_COUNT];
	size_t n = m != NULL && site_cause_of(s, name) != NULL ? memory_changes(m, changes) : 0;

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && c->lang == LANG_EN)
			buf_putc(out, ' ');
		words_change(&changes[i], c, out);
	}
}
