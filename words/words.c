/*
 * The texts with the facts of a case in them. Nothing here chooses what to say about a site: that is core/view.c and
 * the finding; this file only finds the sentence. Foreign bytes (DNS answers, words of a CA) pass words_put_clean.
 */
#include "words/words.h"
#include <string.h>
#include "base/date.h"
#include "base/must.h"
#include "core/own_certificate.h"
#include "words/table.h"

enum {
	NAME_MEMORY = 8192,    /* for one name in its form for people */
	CLEAN_BYTES_MAX = 600, /* shown of one foreign value: more is in the evidence, whole */
	SOON_S = 60,	       /* a look that is due is told as "soon" from here on */
};

enum lang
lang_of(struct str s)
{
	if (s.n < 2 || !str_eq_nocase((struct str){ s.p, 2 }, STR("ja")))
		return LANG_EN;
	return s.n == 2 || memchr("_-.@,;", s.p[2], 6) != NULL ? LANG_JA : LANG_EN;
}

const char *
lang_name(enum lang l)
{
	return l == LANG_JA ? "ja" : "en";
}

const char *
words_cause_raw(enum cause c, enum cause_text t, enum lang l)
{
	must(c > CAUSE_NONE && c < CAUSE_COUNT && t < CAUSE_TEXT_COUNT && l < LANG_COUNT);
	return words_cause_table[c].text[t].in[l];
}

const char *
words_cause_title_raw(enum cause c, enum lang l)
{
	must(c > CAUSE_NONE && c < CAUSE_COUNT && l < LANG_COUNT);
	return words_cause_table[c].title.in[l];
}

/* ---- small texts ---- */

const char *
words_ui_text(const char *key, enum lang l)
{
	size_t from = 0, to = words_ui_table_n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		const char *at = words_ui_table[mid].key;
		size_t i = 0;

		while (at[i] != '\0' && at[i] == key[i])
			i++;
		if (at[i] == key[i])
			return words_ui_table[mid].text.in[l];
		if ((unsigned char)at[i] < (unsigned char)key[i])
			from = mid + 1;
		else
			to = mid;
	}
	must_fail(__FILE__, __LINE__, "a text that words/ui.txt has");
}

struct ui_args {
	const struct str *at;
	size_t n;
};

static void
put_ui_arg(const void *ctx, struct str field, struct buf *out)
{
	const struct ui_args *args = ctx;
	size_t i = (size_t)(field.p[0] - '0');

	must(field.n == 1 && i < args->n);
	words_put_clean(args->at[i], out);
}

void
words_ui(const char *key, enum lang l, const struct str *args, size_t args_n, struct buf *out)
{
	words_fill(
	    words_ui_text(key, l), l, put_ui_arg, &(struct ui_args){ args, args_n }, out);
}

/* ---- filling in ---- */

/*
 * An empty value takes the brackets around it along: what was written since the last "(" of this line is taken back,
 * with the space before it, and the line if nothing else is on it. Returns where the template goes on, or NULL where there are no brackets.
 */
static const char *
drop_brackets(const char *rest, size_t from, struct buf *out)
{
	size_t at = out->n;

	while (*rest != '\0' && strchr("(){}\n", *rest) == NULL)
		rest++;
	if (*rest != ')')
		return NULL;
	while (at > from && strchr("()\n", out->p[at - 1]) == NULL)
		at--;
	if (at == from || out->p[at - 1] != '(')
		return NULL;
	at--;
	while (at > from && out->p[at - 1] == ' ')
		at--;
	if (at > from && out->p[at - 1] == '\n')
		at--;
	out->n = at;
	out->p[at] = '\0';
	return rest + 1;
}

void
words_fill(const char *text, enum lang l, words_put *put, const void *ctx, struct buf *out)
{
	size_t from = out->n;

	for (const char *p = text; *p != '\0';) {
		if (*p != '{') {
			const char *end = strchr(p, '{');
			size_t n = end == NULL ? strlen(p) : (size_t)(end - p);

			buf_put(out, p, n);
			p += n;
			continue;
		}
		const char *end = strchr(p, '}');
		size_t before = out->n;

		must(end != NULL);
		put(ctx, (struct str){ p + 1, (size_t)(end - p - 1) }, out);
		p = end + 1;
		if (out->n != before || out->err != ERR_OK)
			continue;
		const char *after = drop_brackets(p, from, out);
		if (after != NULL)
			p = after;
		else
			buf_put_str(out, str_of(words_ui_text("value.unknown", l)));
	}
}

void
words_put_clean(struct str s, struct buf *out)
{
	bool is_utf8 = str_is_utf8(s), is_cut = s.n > CLEAN_BYTES_MAX;
	size_t n = is_cut ? CLEAN_BYTES_MAX : s.n;

	while (is_cut && is_utf8 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	for (size_t i = 0; i < n; i++) {
		unsigned char b = (unsigned char)s.p[i];

		buf_putc(out, b < 0x20 || b == 0x7f   ? ' '
			      : b >= 0x80 && !is_utf8 ? '?'
						      : s.p[i]);
	}
	if (is_cut)
		buf_put_str(out, STR("…"));
}

void
words_put_name(struct str ascii, const struct words_context *c, struct buf *out)
{
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, NAME_MEMORY);
	struct str s = c->for_people == NULL ? STR_NONE : c->for_people(ascii, &a);
	words_put_clean(s.n > 0 ? s : ascii, out);
}

bool
words_is_safe(const struct words_context *c)
{
	return when_is_known(c->view.until) && when_before(c->now, c->view.until);
}

bool
words_is_warned(const struct words_context *c)
{
	return !words_is_safe(c) && when_is_known(c->view.since);
}

/* ---- the value to enter ---- */

struct record {
	struct str name, type, value; /* name without its last dot */
};

static bool
is_record_type(struct str s)
{
	static const char *const types[] = { "A", "AAAA", "CAA", "CNAME", "TXT", "DS", "DNSKEY",
		"NS", "MX" };

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (str_eq(s, str_of(types[i])))
			return true;
	return false;
}

/* Takes the next word off the front. */
static struct str
take_word(struct str *s)
{
	*s = str_trim(*s);
	struct str word = str_cut(s, ' ');
	*s = str_trim(*s);
	return word;
}

/* "NAME. [TTL] [IN] TYPE VALUE" in its parts; false for anything else, which is then a bare value. */
static bool
record_read(struct str copy, struct record *ret)
{
	struct str rest = copy, name = take_word(&rest), word = take_word(&rest);
	int64_t ttl;

	if (str_to_int(word, &ttl))
		word = take_word(&rest);
	if (str_eq(word, STR("IN")))
		word = take_word(&rest);
	if (name.n == 0 || !is_record_type(word) || rest.n == 0)
		return false;
	name.n -= name.p[name.n - 1] == '.';
	*ret = (struct record){ name, word, rest };
	return true;
}

static struct record
record_of(const struct finding *f)
{
	struct record r;

	if (record_read(f->copy, &r))
		return r;
	struct str value = f->copy.n > 0 ? f->copy : f->wanted;
	bool is_v6 = str_find(value, STR(":")) != SIZE_MAX;
	return (struct record){ f->subject, is_v6 ? STR("AAAA") : STR("A"), value };
}

/* A domain company's form has a field for the part before the domain, and wants it empty for the domain itself. */
static void
put_host(const struct finding *f, const struct words_context *c, struct buf *out)
{
	struct str name = record_of(f).name;
	struct str domain =
	    c->registered_domain == NULL ? STR_NONE : c->registered_domain(name);

	if (domain.n > 0 && str_eq_nocase(domain, name)) {
		words_ui("value.host-of-domain", c->lang, NULL, 0, out);
	} else if (domain.n > 0 && name.n > domain.n && str_ends(name, domain)) {
		words_put_clean((struct str){ name.p, name.n - domain.n - 1 }, out);
	} else if (str_starts(name, STR("www."))) {
		words_put_clean(STR("www"), out);
	} else {
		words_put_name(name, c, out);
	}
}

/* A value of several lines (a text for a company) keeps them, indented like a list. */
static void
put_copy(const struct finding *f, struct buf *out)
{
	struct str rest = record_of(f).value;

	for (bool is_first = true; rest.n > 0; is_first = false) {
		if (!is_first)
			buf_put_str(out, STR("\n   "));
		words_put_clean(str_trim(str_cut(&rest, '\n')), out);
	}
}

/* ---- dates ---- */

static struct civil
civil_here(struct when w, const struct words_context *c)
{
	return when_civil(when_plus(w, c->zone));
}

static bool
is_sayable(struct when w, const struct words_context *c)
{
	const struct civil last = { .year = 9999, .month = 12, .day = 30 };
	const struct civil first = { .year = 1, .month = 1, .day = 2 };

	(void)c;
	return when_is_known(w) && when_before(w, when_of_civil(&last)) &&
	       when_before(when_of_civil(&first), w);
}

static const char *const days_ja[] = { "日", "月", "火", "水", "木", "金", "土" };
static const char *const days_en[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char *const months_en[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
	"Sep", "Oct", "Nov", "Dec" };

void
words_date(struct when w, const struct words_context *c, struct buf *out)
{
	if (!is_sayable(w, c)) {
		words_ui("date.unknown", c->lang, NULL, 0, out);
		return;
	}
	struct civil d = civil_here(w, c);
	int64_t away = when_between(c->now, w).s;

	if (c->lang == LANG_JA)
		buf_putf(out, "%d年%d月%d日(%s) %d:%02d", d.year, d.month, d.day,
		    days_ja[d.weekday], d.hour, d.minute);
	else
		buf_putf(out, "%s, %d %s %d %02d:%02d", days_en[d.weekday], d.day,
		    months_en[d.month - 1], d.year, d.hour, d.minute);
	/* Where a whole life is minutes or hours, a date without seconds says nothing. */
	if (away > -3600 && away < 3600 && d.second != 0)
		buf_putf(out, ":%02d", d.second);
}

void
words_put_day(struct when w, const struct words_context *c, struct buf *out)
{
	if (!is_sayable(w, c)) {
		words_ui("date.unknown", c->lang, NULL, 0, out);
		return;
	}
	struct civil d = civil_here(w, c);
	int64_t away = when_between(c->now, w).s;

	if (c->lang == LANG_JA)
		buf_putf(out, "%d月%d日(%s)", d.month, d.day, days_ja[d.weekday]);
	else
		buf_putf(out, "%s, %d %s", days_en[d.weekday], d.day, months_en[d.month - 1]);
	if (away < 36 * 3600 && away > -36 * 3600)
		buf_putf(out, c->lang == LANG_JA ? " %d:%02d" : " %02d:%02d", d.hour, d.minute);
}

/* Days as people count them: by the calendar, not by 24 hours. */
static int64_t
days_between(struct when from, struct when to, const struct words_context *c)
{
	struct civil a = civil_here(from, c), b = civil_here(to, c);

	a.hour = a.minute = a.second = b.hour = b.minute = b.second = 0;
	return when_between(when_of_civil(&a), when_of_civil(&b)).s / 86400;
}

static void
put_amount(int64_t n, const char *unit, const struct words_context *c, struct buf *out)
{
	AUTO_BUF key = { .max = 64 }, number = { .max = 32 };

	buf_putf(&key, "unit.%s.%s", unit, n == 1 ? "one" : "many");
	buf_putf(&number, "%lld", (long long)n);
	must(key.err == ERR_OK || key.err == ERR_MEMORY);
	if (key.err != ERR_OK || number.err != ERR_OK)
		out->err = ERR_MEMORY;
	else
		words_ui(key.p, c->lang, &(struct str){ number.p, number.n }, 1, out);
}

/* "20日", "3 hours": the length between now and w, either way. */
void
words_put_length(struct when w, const struct words_context *c, struct buf *out)
{
	int64_t s = when_between(c->now, w).s, days = days_between(c->now, w, c);

	s = s < 0 ? -s : s;
	days = days < 0 ? -days : days;
	if (s < 120)
		put_amount(s, "second", c, out);
	else if (s < 2 * 3600)
		put_amount(s / 60, "minute", c, out);
	else if (s < 48 * 3600)
		put_amount(s / 3600, "hour", c, out);
	else
		put_amount(days, "day", c, out);
}

void
words_distance(struct when w, const struct words_context *c, struct buf *out)
{
	AUTO_BUF length = { .max = 256 };

	if (!is_sayable(w, c) || !is_sayable(c->now, c))
		return;
	int64_t s = when_between(c->now, w).s;
	if (s == 0) {
		words_ui("distance.now", c->lang, NULL, 0, out);
		return;
	}
	words_put_length(w, c, &length);
	if (length.err != ERR_OK)
		out->err = out->err == ERR_OK ? length.err : out->err;
	words_ui(s > 0 ? "distance.in" : "distance.ago", c->lang,
	    &(struct str){ length.p, length.n }, 1, out);
}

void
words_put_date(struct when w, const struct words_context *c, struct buf *out)
{
	words_date(w, c, out);
	if (is_sayable(w, c) && is_sayable(c->now, c)) {
		if (c->lang == LANG_EN)
			buf_putc(out, ' ');
		words_distance(w, c, out);
	}
}

/* ---- causes ---- */

struct cause_case {
	const struct finding *f;
	const struct words_context *c;
	enum words_holds holds;
};

/* English needs a preposition that "within a few minutes" does not. */
static void
put_on_date(struct when w, const struct words_context *c, struct buf *out)
{
	if (c->lang == LANG_EN)
		buf_put_str(out, STR("on "));
	words_put_date(w, c, out);
}

static void
put_next_look(const struct finding *f, const struct words_context *c, struct buf *out)
{
	struct when soon = when_plus(c->now, SPAN_S(SOON_S));

	if (!is_sayable(f->next_look, c) || when_before(f->next_look, soon))
		words_ui("date.soon", c->lang, NULL, 0, out);
	else
		put_on_date(f->next_look, c, out);
}

static void
put_cause_date(const struct cause_case *k, struct buf *out)
{
	struct when w = k->c->view.until;

	if (k->holds == WORDS_HOLDS_WARNED)
		w = when_is_known(k->c->view.since) ? k->c->view.since : k->f->first_seen;
	words_put_date(w, k->c, out);
}

void
words_put_company(const struct finding *f, const struct words_context *c, struct buf *out)
{
	if (f->company.n > 0)
		words_ui("value.company", c->lang, &f->company, 1, out);
	else
		words_ui("value.company-unknown", c->lang, NULL, 0, out);
}

void
words_put_value(struct str value, const struct words_context *c, struct buf *out)
{
	struct when w = date_read(value, DATE_ZONE_NEEDED);
	struct str rest;
	enum own_fault fault = own_fault_of(value, &rest);
	AUTO_BUF key = { .max = 64 };

	if (when_is_known(w)) {
		words_date(w, c, out);
	} else if (fault != OWN_FAULT_NONE) {
		buf_putf(&key, "seen.%s", own_fault_code(fault));
		if (key.err != ERR_OK)
			out->err = out->err == ERR_OK ? key.err : out->err;
		else
			words_ui(key.p, c->lang, &rest, 1, out);
	} else {
		words_put_clean(value, out);
	}
}

static void
put_cause_field(const void *ctx, struct str field, struct buf *out)
{
	static const char *const names[] = {
#define F(symbol, word) word,
		CAUSE_FIELDS(F)
#undef F
	};
	const struct cause_case *k = ctx;
	enum cause_field at = 0;

	while (at < CAUSE_FIELD_COUNT && !str_eq(field, str_of(names[at])))
		at++;
	switch (at) {
	case CAUSE_FIELD_NAME:
		words_put_name(k->f->subject, k->c, out);
		return;
	case CAUSE_FIELD_SEEN:
		words_put_value(k->f->seen, k->c, out);
		return;
	case CAUSE_FIELD_WANTED:
		words_put_value(k->f->wanted, k->c, out);
		return;
	case CAUSE_FIELD_COPY:
		put_copy(k->f, out);
		return;
	case CAUSE_FIELD_TYPE:
		words_put_clean(record_of(k->f).type, out);
		return;
	case CAUSE_FIELD_HOST:
		put_host(k->f, k->c, out);
		return;
	case CAUSE_FIELD_COMPANY:
		words_put_company(k->f, k->c, out);
		return;
	case CAUSE_FIELD_DATE:
		put_cause_date(k, out);
		return;
	case CAUSE_FIELD_TIME:
		put_next_look(k->f, k->c, out);
		return;
	case CAUSE_FIELD_COUNT:
		break;
	}
	must_fail(__FILE__, __LINE__, "a placeholder that the build let through");
}

bool
words_is_for_each_host(const struct finding *f)
{
	const char *steps = words_cause_raw(f->cause, CAUSE_ACTION, LANG_JA);

	return actor_is_owner(f->acts) && actor_is_owner(cause_row(f->cause)->acts) && str_find(str_of(steps), STR("{host}")) != SIZE_MAX;
}

void
words_put_host_line(const struct finding *f, const struct words_context *c, struct buf *out)
{
	AUTO_BUF name = { .max = 1024 }, host = { .max = 1024 }, value = { .max = 4096 };

	words_put_name(f->subject, c, &name);
	put_host(f, c, &host);
	/* What is to be deleted is named by what was seen. */
	words_put_clean(f->copy.n > 0 ? record_of(f).value : f->seen, &value);
	if (name.err != ERR_OK || host.err != ERR_OK || value.err != ERR_OK)
		out->err = out->err == ERR_OK ? ERR_MEMORY : out->err;
	else
		words_ui("also.host", c->lang, (struct str[]){ buf_str(&name), buf_str(&host), buf_str(&value) }, 3, out);
}

static void
put_filled(
    const char *text, const struct finding *f, const struct words_context *c, struct buf *out)
{
	struct cause_case k = { f, c, words_cause_table[f->cause].holds };

	words_fill(text, c->lang, put_cause_field, &k, out);
}

/* A small text about the finding's name and a date. */
static void
put_view_text(const char *key, const struct finding *f, struct when w,
    const struct words_context *c, struct buf *out)
{
	AUTO_BUF name = { .max = 1024 }, date = { .max = 256 };

	words_put_name(f->subject, c, &name);
	words_put_date(w, c, &date);
	if (name.err != ERR_OK || date.err != ERR_OK)
		out->err = out->err == ERR_OK ? ERR_MEMORY : out->err;
	words_ui(key, c->lang, (struct str[]){ buf_str(&name), buf_str(&date) }, 2, out);
}

static bool
is_about_whole_site(const struct finding *f, const struct words_context *c)
{
	AUTO_BUF name = { .max = 1024 };

	if (cause_row(f->cause)->scope != SCOPE_NAME || str_eq_nocase(f->subject, c->site_name))
		return true;
	words_put_name(f->subject, c, &name);
	return str_eq_nocase(buf_str(&name), c->site_name);
}

static void
put_gap(const struct words_context *c, struct buf *out)
{
	if (c->lang == LANG_EN)
		buf_putc(out, ' ');
}

static void
put_visitors(const struct finding *f, const struct words_context *c, struct buf *out)
{
	const struct words_cause *row = &words_cause_table[f->cause];
	bool is_safe = words_is_safe(c), is_warned = words_is_warned(c);

	switch (row->holds) {
	case WORDS_HOLDS_SAFE:
		if (is_safe)
			put_filled(row->text[CAUSE_VISITORS].in[c->lang], f, c, out);
		else
			put_view_text(
			    is_warned ? "view.warned" : "view.plain", f, c->view.since, c, out);
		return;
	case WORDS_HOLDS_WARNED:
		put_filled(row->text[CAUSE_VISITORS].in[c->lang], f, c, out);
		return;
	case WORDS_HOLDS_ALWAYS:
		put_filled(row->text[CAUSE_VISITORS].in[c->lang], f, c, out);
		if (!is_safe && !is_warned)
			return;
		put_gap(c, out);
		if (is_warned)
			put_view_text("view.also-warned", f, c->view.since, c, out);
		else
			put_view_text(is_about_whole_site(f, c) ? "view.certificate-until"
								: "view.others-until",
			    f, c->view.until, c, out);
		return;
	}
}

bool
words_put_own_view(const struct finding *f, const struct words_context *c, struct buf *out)
{
	const struct words_cause *row = &words_cause_table[f->cause];

	if (row->holds != WORDS_HOLDS_ALWAYS || cause_row(f->cause)->scope != SCOPE_NAME)
		return false;
	put_filled(row->text[CAUSE_VISITORS].in[c->lang], f, c, out);
	return true;
}

static void
put_enter(const struct finding *f, const struct words_context *c, struct buf *out)
{
	AUTO_BUF company = { .max = 1024 }, host = { .max = 1024 }, copy = { .max = 4096 };

	words_put_company(f, c, &company);
	put_host(f, c, &host);
	put_copy(f, &copy);
	if (company.err != ERR_OK || host.err != ERR_OK || copy.err != ERR_OK)
		out->err = out->err == ERR_OK ? ERR_MEMORY : out->err;
	words_ui("action.enter-1", c->lang, &(struct str){ company.p, company.n }, 1, out);
	buf_putc(out, '\n');
	words_ui("action.enter-2", c->lang,
	    (struct str[]){ buf_str(&host), record_of(f).type, buf_str(&copy) }, 3, out);
}

/* The value is one to enter and not one to delete: the address that is wanted. */
static bool
is_address_to_enter(const struct finding *f)
{
	struct record r = record_of(f);

	return r.value.n > 0 && str_eq(r.value, f->wanted) &&
	       (str_eq(r.type, STR("A")) || str_eq(r.type, STR("AAAA")));
}

/*
 * The evidence of a case may turn the actor of a row into another one, and an effect takes the value of its root cause
 * along. The row's steps could then ask the wrong person, or have the owner enter what the root's steps delete; so a
 * general step takes their place.
 */
static void
put_action(const struct finding *f, const struct words_context *c, struct buf *out)
{
	const struct cause_row *row = cause_row(f->cause);
	bool is_owners = actor_is_owner(f->acts),
	     is_turned = is_owners != actor_is_owner(row->acts);

	if (is_turned && !is_owners)
		words_ui("action.ours", c->lang, NULL, 0, out);
	else if (is_owners && (is_turned || row->layer == LAYER_SERVED) &&
		 !is_address_to_enter(f))
		words_ui("action.see-cause", c->lang, NULL, 0, out);
	else if (is_turned)
		put_enter(f, c, out);
	else
		put_filled(words_cause_raw(f->cause, CAUSE_ACTION, c->lang), f, c, out);
}

/* What koshin has done about it by itself comes before when it looks again. */
static void
put_mended(const struct finding *f, const struct words_context *c, struct buf *out)
{
	static const char *const keys[] = { [MENDS_NOTHING] = NULL, [MENDS_DEPLOY] = "mended.deploy", [MENDS_RECORD] = "mended.record",
		[MENDS_ORDER] = NULL, [MENDS_ASIDE] = NULL };
	const char *key = keys[cause_row(f->cause)->mends];
	AUTO_BUF date = { .max = 256 };

	if (f->mends == 0 || key == NULL || !is_sayable(f->mended_at, c))
		return;
	put_on_date(f->mended_at, c, &date);
	if (date.err != ERR_OK)
		out->err = out->err == ERR_OK ? date.err : out->err;
	else
		words_ui(key, c->lang, (struct str[]){ buf_str(&date) }, 1, out);
	put_gap(c, out);
}

void
words_cause(
    const struct finding *f, enum cause_text t, const struct words_context *c, struct buf *out)
{
	switch (t) {
	case CAUSE_VISITORS:
		put_visitors(f, c, out);
		return;
	case CAUSE_ACTION:
		put_action(f, c, out);
		return;
	case CAUSE_NEXT:
		put_mended(f, c, out);
		put_filled(words_cause_raw(f->cause, t, c->lang), f, c, out);
		return;
	case CAUSE_CAUSE:
		put_filled(words_cause_raw(f->cause, t, c->lang), f, c, out);
		return;
	case CAUSE_TEXT_COUNT:
		break;
	}
	must_fail(__FILE__, __LINE__, "a text of a cause");
}

void
words_cause_title(const struct finding *f, const struct words_context *c, struct buf *out)
{
	put_filled(words_cause_title_raw(f->cause, c->lang), f, c, out);
}
