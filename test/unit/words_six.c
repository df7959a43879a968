/*
 * Whether every state of a site, every cause and every letter states the six things, in each language: what visitors see, until when (or since
 * when), the cause, who acts, what exactly with the value to enter, and the next look. With --table it prints what it found, a line for each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "core/site_letters.h"
#include "ports/names/names.h"
#include "test/unit/page_world.h"

enum thing { SEEN, UNTIL, CAUSE, WHO, WHAT, NEXT, THINGS };
static const char *const thing_names[THINGS] = { "seen", "until", "cause", "who", "what", "next" };
enum { ROWS_MAX = 512, TEXT_MAX = 65536 };

struct row {
	char name[64];
	unsigned n; /* texts that were looked at */
	bool lacks[LANG_COUNT][THINGS];
};
static struct row rows[ROWS_MAX];
static size_t rows_n;
static unsigned gaps;

static struct row *
row_of(const char *group, const char *name)
{
	char text[sizeof rows[0].name];

	(void)snprintf(text, sizeof text, "%s %s", group, name);
	for (size_t i = 0; i < rows_n; i++)
		if (strcmp(rows[i].name, text) == 0)
			return &rows[i];
	assert_true(rows_n < ROWS_MAX);
	(void)snprintf(rows[rows_n].name, sizeof rows[rows_n].name, "%s", text);
	return &rows[rows_n++];
}

static void
note(struct row *r, enum lang l, enum thing t, bool is_there, const struct buf *text)
{
	if (is_there)
		return;
	if (!r->lacks[l][t])
		print_error("%s, %s: %s is not in:\n%.*s\n", r->name, lang_name(l), thing_names[t], (int)text->n, text->p);
	r->lacks[l][t] = true;
	gaps++;
}

/* --- what has to be there --- */

struct told {
	const struct site *s;
	const struct finding *cause;
	struct words_context c;
};

static bool
has(const struct buf *b, struct str s)
{
	return s.n > 0 && str_find(buf_str(b), s) != SIZE_MAX;
}

static bool
has_ui(const struct buf *b, const char *key, enum lang l)
{
	AUTO_BUF text = { .max = TEXT_MAX };

	words_ui(key, l, (struct str[]){ STR(""), STR("") }, 2, &text);
	return has(b, buf_str(&text));
}

static bool
has_date(const struct buf *b, struct when w, const struct words_context *c)
{
	AUTO_BUF date = { .max = 256 };

	words_date(w, c, &date);
	return when_is_known(w) && has(b, buf_str(&date));
}

/* Each wanted name, with something about it. */
static bool
has_seen(const struct told *t, const struct buf *b)
{
	for (size_t i = 0; i < t->s->names_n; i++)
		if (t->s->names[i].is_wanted && !has(b, t->s->names[i].name))
			return false;
	return b->n > 0;
}

static bool
has_until(const struct told *t, const struct buf *b)
{
	if (t->c.view.revocation != NULL)
		return has_ui(b, "page.until.revoked", t->c.lang) || has(b, STR("Until: there is no lock: the certificate was given up"));
	if (when_is_known(t->c.view.until))
		return has_date(b, t->c.view.until, &t->c);
	if (when_is_known(t->c.view.since))
		return has_date(b, t->c.view.since, &t->c);
	/* Visitors have no lock, and there is no date to tell: that is said. */
	return has_ui(b, t->c.view.state == SITE_STATE_MOVED ? "page.until.moved" : "page.until.none", t->c.lang);
}

static bool
is_ending(const struct told *t)
{
	return t->c.view.state == SITE_STATE_OK && t->cause == NULL && t->s->setting.source == SOURCE_NONE;
}

static bool
has_cause(const struct told *t, const struct buf *b)
{
	AUTO_BUF text = { .max = TEXT_MAX };

	if (t->cause != NULL) {
		words_cause(t->cause, CAUSE_CAUSE, &t->c, &text);
		return has(b, buf_str(&text));
	}
	if (t->c.view.revocation != NULL)
		return has_date(b, t->c.view.revocation->destroyed_at, &t->c);
	if (t->c.view.state == SITE_STATE_OFF)
		return has_ui(b, "page.cause.off", t->c.lang);
	if (is_ending(t))
		return has_ui(b, "page.cause.ending", t->c.lang);
	/* "Nothing wrong" is no word where somebody has to act. */
	return has_ui(b, t->c.view.acts == ACTOR_HOST ? "page.cause.sought" : "cause.none", t->c.lang);
}

static bool
is_owners(const struct told *t)
{
	return t->cause != NULL && actor_is_owner(t->cause->acts);
}

static bool
has_nothing(const struct told *t, const struct buf *b)
{
	return has_ui(b, "who.nobody", t->c.lang) || has(b, STR("To do: nothing"));
}

static bool
has_way_back(const struct told *t, const struct buf *b)
{
	return has_ui(b, t->c.view.revocation->is_own ? "page.do.revoked-own" : "page.do.revoked", t->c.lang);
}

static bool
has_who(const struct told *t, const struct buf *b)
{
	static const char *const you[LANG_COUNT] = { "お客様に", "You, " };

	if (t->c.view.revocation != NULL)
		return has_way_back(t, b);
	if (t->c.view.state == SITE_STATE_OFF)
		return has_ui(b, "page.do.set-up", t->c.lang);
	if (is_ending(t))
		return has_ui(b, "page.do.ending", t->c.lang);
	if (t->c.view.state == SITE_STATE_MOVED && has_ui(b, "page.do.moved", t->c.lang))
		return true;
	if (is_owners(t))
		return has(b, str_of(you[t->c.lang]));
	return (t->cause != NULL ? t->cause->acts : t->c.view.acts) == ACTOR_HOST ? has_ui(b, "who.host", t->c.lang) : has_nothing(t, b);
}

/* The steps, and the value where they have one to enter; or that there is nothing to do. */
static bool
has_what(const struct told *t, const struct buf *b)
{
	AUTO_BUF steps = { .max = TEXT_MAX };

	if (t->c.view.revocation != NULL)
		return has_way_back(t, b);
	if (t->c.view.state == SITE_STATE_OFF)
		return has_ui(b, "page.do.set-up", t->c.lang);
	if (is_ending(t))
		return has_ui(b, "page.do.ending", t->c.lang);
	if (!is_owners(t))
		return has_nothing(t, b);
	words_cause(t->cause, CAUSE_ACTION, &t->c, &steps);
	if (str_find(buf_str(&steps), STR("1. ")) == SIZE_MAX)
		return false;
	if (strstr(words_cause_raw(t->cause->cause, CAUSE_ACTION, LANG_EN), "{copy}") != NULL && cause_row(t->cause->cause)->acts == t->cause->acts &&
	    !has(&steps, t->cause->copy))
		return false;
	return has(b, str_trim(buf_str(&steps)));
}

static bool
has_next(const struct told *t, const struct buf *b)
{
	AUTO_BUF soon = { .max = 256 };

	if (t->c.view.revocation != NULL && revocation_state(t->c.view.revocation, now) != REVOKE_WAITS)
		return has_ui(b, "page.next.revoked", t->c.lang);
	if (t->c.view.revocation != NULL)
		return has_date(b, t->c.view.revocation->next_try, &t->c);
	if (t->c.view.state == SITE_STATE_OFF)
		return has_ui(b, "page.next.off", t->c.lang);
	words_ui("date.soon", t->c.lang, NULL, 0, &soon);
	if (has(b, buf_str(&soon)))
		return true;
	return has_date(b, t->cause != NULL ? t->cause->next_look : t->c.view.next_look, &t->c);
}

/* --- pages --- */

static struct words_context
context_of(const struct fixture *f, enum lang l)
{
	return (struct words_context){ .lang = l,
		.now = now,
		.zone = SPAN_H(9),
		.site_name = f->names[0].name,
		.view = view_of(&f->site, now),
		.panel_url = STR("https://panel.example.net"),
		.registered_domain = names_registered_domain };
}

/* A page: its rows, and below them the steps of its cause. */
static void
look_at_page(const struct fixture *f, struct row *const *of, size_t of_n)
{
	for (enum lang l = 0; l < LANG_COUNT; l++) {
		const struct words_context c = context_of(f, l);
		const struct told t = { &f->site, c.view.cause, c };
		struct buf text[PAGE_ROW_COUNT];

		for (enum page_row r = 0; r < PAGE_ROW_COUNT; r++) {
			text[r] = (struct buf){ .max = TEXT_MAX };
			words_page_row(r, &f->site, &c, &text[r]);
		}
		if (t.cause != NULL) {
			buf_putc(&text[PAGE_ROW_DO], '\n');
			words_cause(t.cause, CAUSE_ACTION, &c, &text[PAGE_ROW_DO]);
		}
		for (size_t i = 0; i < of_n; i++) {
			of[i]->n += l == 0;
			note(of[i], l, SEEN, has_seen(&t, &text[PAGE_ROW_SEEN]), &text[PAGE_ROW_SEEN]);
			note(of[i], l, UNTIL, has_until(&t, &text[PAGE_ROW_UNTIL]), &text[PAGE_ROW_UNTIL]);
			note(of[i], l, CAUSE, has_cause(&t, &text[PAGE_ROW_CAUSE]), &text[PAGE_ROW_CAUSE]);
			note(of[i], l, WHO, has_who(&t, &text[PAGE_ROW_DO]), &text[PAGE_ROW_DO]);
			note(of[i], l, WHAT, has_what(&t, &text[PAGE_ROW_DO]), &text[PAGE_ROW_DO]);
			note(of[i], l, NEXT, has_next(&t, &text[PAGE_ROW_NEXT_LOOK]), &text[PAGE_ROW_NEXT_LOOK]);
		}
		for (enum page_row r = 0; r < PAGE_ROW_COUNT; r++)
			buf_fini(&text[r]);
	}
}

/* What is about one file that an owner has just entered stands beside its field and is never a state of a site. */
static bool
is_about_a_file(enum cause c)
{
	return str_starts(str_of(cause_row(c)->id), STR("own.certificate.")) && c != CAUSE_OWN_CERTIFICATE_IMPORTED && c != CAUSE_OWN_CERTIFICATE_KEY_MISMATCH;
}

static void
look_at(const struct fixture *f, enum cause c)
{
	struct row *of[2];
	size_t n = 0;

	of[n++] = row_of("state", site_state_name(view_of(&f->site, now).state));
	if (c != CAUSE_NONE)
		of[n++] = row_of("cause", cause_row(c)->id);
	look_at_page(f, of, n);
}

/* Where the site is in its life when something is found, or nothing. */
enum place { FIRST, YOUNG, LATE, OVER, WITHOUT_WWW, OWN, WRONG, PLACES };

static void
put(struct fixture *f, enum place p, enum cause c, size_t name)
{
	static const int days[PLACES] = { [YOUNG] = 20, [LATE] = 80, [OVER] = 95, [WITHOUT_WWW] = 20, [OWN] = 80, [WRONG] = 20 };

	begin(f, days[p]);
	if (c != CAUSE_NONE)
		find(f, c, f->names[name].name);
	if (p == FIRST) {
		f->site.held = (struct held){ .id = 0 };
		for (size_t i = 0; i < 2; i++) {
			f->names[i].is_held = false;
			f->names[i].served = (struct served){ .at = now, .not_after = WHEN_UNKNOWN };
		}
	}
	if (p == WITHOUT_WWW) {
		f->names[1].is_held = false;
		f->names[1].served = (struct served){ .at = now, .not_after = WHEN_UNKNOWN };
	}
	if (p == OWN) {
		f->site.setting.source = SOURCE_OWN;
		f->site.held.is_own = true;
	}
	if (p == WRONG)
		f->names[1].served.is_ok = false;
}

/* Given up for good, as far as it may have come. */
static void
each_revocation(struct fixture *f, void (*look)(const struct fixture *f))
{
	for (enum revoke_state state = REVOKE_WAITS; state < REVOKE_STATE_COUNT; state++) {
		const struct revoke r = { .asked_at = when_minus(now, SPAN_H(2)),
			.destroyed_at = when_minus(now, SPAN_H(1)),
			.revoked_at = state == REVOKE_DONE ? when_minus(now, SPAN_MIN(30)) : WHEN_UNKNOWN,
			.next_try = state == REVOKE_WAITS ? when_plus(now, SPAN_H(3)) : WHEN_UNKNOWN,
			.ends = when_plus(now, SPAN_D(state == REVOKE_ENDED ? -1 : 40)),
			.is_own = state == REVOKE_OWN };
		const struct given_up g = { .at = r.asked_at, .revocation = &r };

		put(f, FIRST, CAUSE_NONE, 0);
		f->site.setting.source = SOURCE_NONE;
		f->site.given_up = &g;
		assert_int_equal(revocation_state(&r, now), state);
		assert_string_equal(view_pill(&(struct view){ .state = SITE_STATE_OFF, .revocation = &r }), "revoked");
		look(f);
	}
}

static void
look_at_revoked_page(const struct fixture *f)
{
	struct row *of = row_of("state", "off, revoked");

	look_at_page(f, &of, 1);
}

static void
all_pages(void)
{
	struct fixture f;

	for (enum place p = 0; p < PLACES; p++)
		for (enum cause c = CAUSE_NONE; c < CAUSE_COUNT; c++)
			for (size_t name = 0; name < (c == CAUSE_NONE ? 1 : 2); name++) {
				if (c != CAUSE_NONE && is_about_a_file(c))
					continue;
				/* Of an own certificate, the one cause that is about it; and about no other. */
				if (c != CAUSE_NONE && (c == CAUSE_OWN_CERTIFICATE_IMPORTED) != (p == OWN))
					continue;
				put(&f, p, c, name);
				look_at(&f, c);
			}
	put(&f, FIRST, CAUSE_NONE, 0);
	f.site.setting.source = SOURCE_NONE;
	look_at(&f, CAUSE_NONE);
	put(&f, YOUNG, CAUSE_NONE, 0);
	f.site.setting.source = SOURCE_NONE;
	look_at(&f, CAUSE_NONE);
	each_revocation(&f, look_at_revoked_page);
	/* All names have led elsewhere for a month. */
	put(&f, YOUNG, CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY, 0);
	struct finding both[2] = { f.finding, f.finding };
	both[1].subject = f.names[1].name;
	f.site.findings = (struct finding_list){ .at = both, .n = 2, .cap = 2 };
	look_at(&f, CAUSE_NONE);
}

/* --- letters --- */

static void
look_at_letter(const struct fixture *f, enum letter_kind kind, unsigned reminder)
{
	static const struct str lost[] = { { "www.a.example", 13 } };
	char name[32];

	(void)snprintf(name, sizeof name, kind == LETTER_REMINDER ? "%s %u" : "%s", letter_name(kind), reminder + 1);
	struct row *r = row_of("letter", name);
	r->n++;
	for (enum lang l = 0; l < LANG_COUNT; l++) {
		const struct words_context c = context_of(f, l);
		const struct told t = { &f->site, c.view.cause, c };
		const struct letter_facts facts = { .kind = kind,
			.site = &f->site,
			.finding = c.view.cause,
			.reminder = reminder,
			.left_out = lost,
			.left_out_n = kind == LETTER_REDUCED,
			.revocation = c.view.revocation };
		AUTO_BUF subject = { .max = TEXT_MAX }, body = { .max = TEXT_MAX }, label = { .max = 256 };
		AUTO_ARENA a = { .max = 0 };

		arena_init(&a, TEXT_MAX);
		words_letter(&facts, &c, &a, &subject, &body);
		arena_fini(&a);
		for (enum page_row p = 0; p < PAGE_ROW_COUNT; p++) {
			static const enum thing things[PAGE_ROW_COUNT] = { SEEN, UNTIL, CAUSE, WHO, NEXT, WHAT };

			buf_clear(&label);
			buf_putc(&label, '\n');
			words_page_label(p, &c, &label);
			buf_putc(&label, ':');
			/* Something stands before the first of them. */
			note(r, l, things[p], has(&body, buf_str(&label)), &body);
		}
		note(r, l, SEEN, has_seen(&t, &body), &body);
		note(r, l, UNTIL, has_until(&t, &body) || (!when_is_known(c.view.until) && has(&body, STR("Until: there is no lock yet"))), &body);
		/* Without one the letter says what else led to it. */
		note(r, l, CAUSE, t.cause == NULL || has_cause(&t, &body), &body);
		note(r, l, WHO, has_who(&t, &body), &body);
		note(r, l, WHAT, has_what(&t, &body), &body);
		note(r, l, NEXT, has_next(&t, &body), &body);
	}
}

static void
look_at_revoked(const struct fixture *f)
{
	look_at_letter(f, LETTER_REVOKED, 0);
}

static void
all_letters(void)
{
	static const enum letter_kind mended[] = { LETTER_ISSUED, LETTER_RESOLVED, LETTER_DRAFT };
	struct fixture f;

	for (enum cause c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++) {
		if (is_about_a_file(c) || !actor_is_owner(cause_row(c)->acts) || cause_row(c)->severity < SEVERITY_WARN)
			continue;
		if (c == CAUSE_OWN_CERTIFICATE_IMPORTED) {
			put(&f, OWN, c, 0);
			look_at_letter(&f, LETTER_OWN_ENDS, 0);
			continue;
		}
		if (c == CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY) {
			put(&f, YOUNG, c, 1);
			look_at_letter(&f, LETTER_MOVED, 0);
			continue;
		}
		for (enum place p = FIRST; p <= LATE; p++) {
			put(&f, p, c, 0);
			look_at_letter(&f, LETTER_ACT, 0);
		}
		for (unsigned n = 0; n < LIFE_REMINDERS; n++) {
			put(&f, LATE, c, 0);
			look_at_letter(&f, LETTER_REMINDER, n);
		}
		put(&f, OVER, c, 0);
		look_at_letter(&f, LETTER_EXPIRED, 0);
		put(&f, WITHOUT_WWW, c, 1);
		look_at_letter(&f, LETTER_REDUCED, 0);
		look_at_letter(&f, LETTER_ISSUED, 0);
		look_at_letter(&f, LETTER_RESOLVED, 0);
	}
	each_revocation(&f, look_at_revoked);
	for (int i = 0; i < 4; i++) {
		const struct given_up g = { .at = when_minus(now, SPAN_MIN(1)), .by = i & 1 ? STR("hana@a.example") : STR_NONE };

		put(&f, YOUNG, CAUSE_NONE, 0);
		f.site.setting.source = SOURCE_NONE;
		f.site.setting.redirect = (i & 2) != 0;
		f.site.given_up = &g;
		look_at_letter(&f, LETTER_STOPPED, 0);
	}
	for (size_t i = 0; i < sizeof mended / sizeof *mended; i++) {
		put(&f, YOUNG, CAUSE_NONE, 0);
		f.site.draft = (struct draft){ .exists = mended[i] == LETTER_DRAFT, .begun_at = when_minus(now, SPAN_D(8)), .begun_by = STR("hana@a.example") };
		look_at_letter(&f, mended[i], 0);
	}
}

/* --- what was found --- */

static void
look_at_all(void)
{
	all_pages();
	all_letters();
}

static void
print_table(void)
{
	(void)printf("%-52s %5s  lang", "", "texts");
	for (enum thing t = 0; t < THINGS; t++)
		(void)printf("  %-5s", thing_names[t]);
	(void)printf("\n");
	for (size_t i = 0; i < rows_n; i++)
		for (enum lang l = 0; l < LANG_COUNT; l++) {
			(void)printf("%-52s %5u  %-4s", rows[i].name, rows[i].n, lang_name(l));
			for (enum thing t = 0; t < THINGS; t++)
				(void)printf("  %-5s", rows[i].lacks[l][t] ? "GAP" : "yes");
			(void)printf("\n");
		}
}

static void
nothing_is_left_out(void **unused)
{
	(void)unused;
	assert_int_equal(gaps, 0);
}

/* A test that looks at nothing finds no gap either. */
static void
everything_was_looked_at(void **unused)
{
	(void)unused;
	static const enum letter_kind others[] = { LETTER_ANSWER, LETTER_RESET, LETTER_INVITATION, LETTER_ACCOUNT }; /* not about the state of a site */

	for (enum site_state s = 0; s < SITE_STATE_COUNT; s++)
		if (row_of("state", site_state_name(s))->n == 0)
			fail_msg("no page is %s", site_state_name(s));
	for (enum cause c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++)
		if (!is_about_a_file(c) && row_of("cause", cause_row(c)->id)->n == 0)
			fail_msg("no page has %s", cause_row(c)->id);
	for (enum letter_kind k = 0; k < LETTER_COUNT; k++) {
		bool is_other = k == LETTER_REMINDER;

		for (size_t i = 0; i < sizeof others / sizeof *others; i++)
			is_other = is_other || k == others[i];
		if (!is_other && row_of("letter", letter_name(k))->n == 0)
			fail_msg("no letter is %s", letter_name(k));
	}
	for (unsigned n = 1; n <= LIFE_REMINDERS; n++) {
		char name[32];

		(void)snprintf(name, sizeof name, "%s %u", letter_name(LETTER_REMINDER), n);
		assert_true(row_of("letter", name)->n > 0);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_left_out),
		cmocka_unit_test(everything_was_looked_at),
	};

	look_at_all();
	if (argc > 1 && strcmp(argv[1], "--table") == 0) {
		print_table();
		return gaps > 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
