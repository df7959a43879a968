/* Every letter, in every language and state of a site, states the six things; and none says more than is true. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "ports/names/names.h"
#include "words/words.h"

#define FAIL_AT(line, name, ...) \
	do { \
		print_error("%s:%d: %s: ", __FILE__, line, name); \
		print_error(__VA_ARGS__); \
		print_error("\n"); \
		bad++; \
	} while (0)

static unsigned bad;

static struct when
at(int year, int month, int day, int hour)
{
	return when_of_civil(
	    &(struct civil){ .year = year, .month = month, .day = day, .hour = hour });
}

/* A site of two names on 24 November 2026. */
struct case_of {
	struct site site;
	struct site_name names[12];
	struct finding finding;
	struct words_context ctx;
	struct letter_facts facts;
};
enum state { SAFE, PARTLY, WARNED, PLAIN, STATE_COUNT };

static void
set_name(struct site_name *n, const char *name, bool is_ok, struct when not_after)
{
	n->name = str_of(name);
	n->is_wanted = true;
	n->is_held = is_ok || when_is_known(not_after);
	n->passed_at = n->validated_at = WHEN_UNKNOWN;
	n->served = (struct served){
		.at = at(2026, 11, 20, 0), .is_ok = is_ok, .not_after = not_after
	};
}

static void
case_init(struct case_of *k, enum state s, enum lang l, enum letter_kind kind, enum cause cause)
{
	struct when end = s == WARNED  ? at(2026, 11, 20, 0)
			  : s == PLAIN ? WHEN_UNKNOWN
				       : at(2026, 12, 14, 0);
	bool is_ok = s == SAFE || s == PARTLY;

	*k = (struct case_of){
		.site = { .id = 1,
		    .names_n = 2,
		    .held = { .id = s == PLAIN ? 0 : 7, .is_live = true },
		    .draft = { .exists = true,
			.begun_at = at(2026, 11, 17, 0),
			.begun_by = STR("hana@example.jp") } },
		.finding = { .cause = cause,
		    .subject = STR("www.example.jp"),
		    .seen = STR("198.51.100.5"),
		    .wanted = STR("203.0.113.10"),
		    .copy = STR("203.0.113.10"),
		    .company = STR("Example DNS"),
		    .acts = cause_row(cause)->acts,
		    .first_seen = at(2026, 11, 22, 0),
		    .next_look = at(2026, 11, 25, 3) },
		.ctx = { .lang = l,
		    .now = at(2026, 11, 24, 5),
		    .zone = SPAN_H(9),
		    .site_name = STR("example.jp"),
		    .panel_url = STR("https://panel.example.net/"),
		    .registered_domain = names_registered_domain },
	};
	set_name(&k->names[0], "example.jp", is_ok, end);
	set_name(&k->names[1], "www.example.jp", s == SAFE, s == PARTLY ? WHEN_UNKNOWN : end);
	k->site.names = k->names;
	k->site.findings = (struct finding_list){ .at = &k->finding, .n = 1, .cap = 1 };
	k->ctx.view = (struct view){ .state = s == WARNED ? SITE_STATE_EXPIRED : SITE_STATE_ACT,
		.until = is_ok ? end : WHEN_UNKNOWN,
		.since = s == WARNED ? end : WHEN_UNKNOWN,
		.cause = &k->finding,
		.acts = k->finding.acts,
		.next_look = at(2026, 11, 25, 3),
		.next_renewal = at(2026, 11, 29, 0) };
	k->facts = (struct letter_facts){ .kind = kind,
		.site = &k->site,
		.finding = &k->finding,
		.for_people = names_for_people };
}

static void
render(const struct case_of *k, struct buf *subject, struct buf *body)
{
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 65536);
	buf_clear(subject);
	buf_clear(body);
	words_letter(&k->facts, &k->ctx, &a, subject, body);
	assert_int_equal(subject->err, ERR_OK);
	assert_int_equal(body->err, ERR_OK);
}

static bool
has(const struct buf *b, const char *s)
{
	return str_find(buf_str(b), str_of(s)) != SIZE_MAX;
}

static size_t
count(const struct buf *b, const char *s)
{
	size_t n = 0;

	for (const char *p = b->p; (p = strstr(p, s)) != NULL; p += strlen(s))
		n++;
	return n;
}

static void
want(const struct buf *b, const char *s, const char *what, int row)
{
	if (!has(b, s))
		FAIL_AT(row, what, "\"%s\" is not in:\n%s", s, b->p);
}

/* What each letter that tells a fault must hold, by language: the six things, one to a label. */
static const char *const labels[LANG_COUNT][5] = {
	{ "いま見えるもの:", "原因: ", "やること: ", "次の自動確認: ", "困ったときは: " },
	{ "What visitors see:", "Cause: ", "To do: ", "Next look: ", "Help: " },
};

static void
letters_of_a_fault_state_the_six_things(void **unused)
{
	(void)unused;
	static const struct {
		int line;
		enum letter_kind kind;
		unsigned reminder;
	} rows[] = {
		{ __LINE__, LETTER_ACT, 0 },
		{ __LINE__, LETTER_REMINDER, 0 },
		{ __LINE__, LETTER_REMINDER, 1 },
		{ __LINE__, LETTER_REMINDER, 2 },
		{ __LINE__, LETTER_REMINDER, 3 },
		{ __LINE__, LETTER_EXPIRED, 0 },
		{ __LINE__, LETTER_REDUCED, 0 },
		{ __LINE__, LETTER_ISSUED, 0 },
		{ __LINE__, LETTER_RESOLVED, 0 },
	};
	static const char *const dates[STATE_COUNT][LANG_COUNT] = {
		{ "2026年12月14日(月) 9:00(あと20日)まで",
		    "until Mon, 14 Dec 2026 09:00 (in 20 days)" },
		{ "2026年12月14日(月) 9:00(あと20日)まで",
		    "until Mon, 14 Dec 2026 09:00 (in 20 days)" },
		{ "2026年11月20日(金) 9:00(4日前)から",
		    "since Fri, 20 Nov 2026 09:00 (4 days ago)" },
		{ "", "" },
	};
	static const char *const cause[] = {
		"www.example.jp だけ、接続先(Aレコード)が登録されていません",
		"www.example.jp alone has no address (A record)"
	};
	static const char *const who[] = { "お客様に、Example DNSの画面で",
		"You, with one change at Example DNS" };
	static const char *const value[] = { "\n   値(VALUE): 203.0.113.10\n",
		"\n   Value: 203.0.113.10\n" };
	static const char *const look[] = { "2026年11月25日(水) 12:00(あと22時間)",
		"Wed, 25 Nov 2026 12:00 (in 22 hours)" };
	static const char *const person[] = { "担当者が読んで", "A person reads it" };

	bad = 0;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (enum lang l = 0; l < LANG_COUNT; l++)
			for (enum state s = PARTLY; s < STATE_COUNT; s++) {
				struct case_of k;
				AUTO_BUF subject = { .max = 65536 }, body = { .max = 65536 };
				int row = rows[i].line;

				if (s == WARNED && (rows[i].kind == LETTER_ISSUED ||
						       rows[i].kind == LETTER_RESOLVED))
					continue;
				if (s == PLAIN && (rows[i].kind == LETTER_ISSUED ||
						      rows[i].kind == LETTER_RESOLVED))
					continue;
				case_init(
				    &k, s, l, rows[i].kind, CAUSE_DNS_ADDRESS_PARTLY_MISSING);
				k.facts.reminder = rows[i].reminder;
				k.facts.left_out = (struct str[]){ STR("www.example.jp") };
				k.facts.left_out_n = rows[i].kind == LETTER_REDUCED;
				render(&k, &subject, &body);
				for (size_t n = 0; n < 5; n++)
					want(&body, labels[l][n], "label", row);
				want(&body, dates[s][l], "until or since", row);
				want(&body, cause[l], "cause", row);
				want(&body, who[l], "actor", row);
				want(&body, value[l], "value", row);
				want(&body, "\n1. ", "steps", row);
				want(&body, look[l], "next look", row);
				want(&body, person[l], "a person", row);
				want(&body, "https://panel.example.net/sites/example.jp\n",
				    "link", row);
				want(&body,
				    l == LANG_JA ? "www.example.jp を開くと「このサイトに"
						 : "www.example.jp does not open",
				    "what visitors see, by name", row);
				want(&body, "example.jp: ", "the other name", row);
				if (count(&body, "https://") != 1)
					FAIL_AT(row, "links", "not one link:\n%s", body.p);
				want(
				    &subject, "www.example.jp", "the name in the subject", row);
				if (!str_is_line(buf_str(&subject)) ||
				    strpbrk(subject.p, "{}?") != NULL ||
				    strpbrk(body.p, "{}?") != NULL)
					FAIL_AT(row, subject.p, "not filled in:\n%s", body.p);
				if (has(&body, "\n\n\n"))
					FAIL_AT(row, "blank", "two empty lines:\n%s", body.p);
			}
	assert_int_equal(bad, 0);
}

/* Whatever the cause: who did not read the last one has less to read now. */
static void
each_letter_of_a_story_is_shorter(void **unused)
{
	(void)unused;
	static const struct {
		enum letter_kind kind;
		unsigned reminder;
		enum state state;
	} story[] = {
		{ LETTER_ACT, 0, SAFE },
		{ LETTER_REMINDER, 0, SAFE },
		{ LETTER_REMINDER, 1, SAFE },
		{ LETTER_REMINDER, 2, SAFE },
		{ LETTER_REMINDER, 3, SAFE },
		{ LETTER_EXPIRED, 0, WARNED },
	};

	bad = 0;
	for (enum cause cause = CAUSE_NONE + 1; cause < CAUSE_COUNT; cause++) {
		if (!actor_is_owner(cause_row(cause)->acts) || cause_row(cause)->severity < SEVERITY_WARN || cause_row(cause)->layer == LAYER_OWN)
			continue;
		for (enum lang l = 0; l < LANG_COUNT; l++) {
			size_t before = SIZE_MAX;

			for (size_t i = 0; i < sizeof story / sizeof *story; i++) {
				struct case_of k;
				AUTO_BUF subject = { .max = 65536 }, body = { .max = 65536 };

				case_init(&k, story[i].state, l, story[i].kind, cause);
				k.finding.subject = k.names[0].name;
				k.site.names_n = 1;
				k.facts.reminder = story[i].reminder;
				render(&k, &subject, &body);
				/* The first reminder says that it is one. */
				if (body.n >= before && story[i].kind != LETTER_REMINDER)
					FAIL_AT((int)i, cause_row(cause)->id, "%zu bytes after %zu:\n%s", body.n, before, body.p);
				else if (body.n >= before && story[i].reminder > 0)
					FAIL_AT((int)i, cause_row(cause)->id, "%zu bytes after %zu:\n%s", body.n, before, body.p);
				before = body.n;
			}
		}
	}
	assert_int_equal(bad, 0);
}

/* While www is missing, no line of a letter calls the site as a whole safe, mended or locked. */
static void
no_word_of_success_while_a_name_is_missing(void **unused)
{
	(void)unused;
	static const char *const success[LANG_COUNT][4] = {
		{ "鍵マークが付きました", "example.jp は、鍵マーク付きで安全に",
		    "直りました: ", "いつまで: 2026" },
		{ "now has the lock", "is now shown with the lock",
		    "Mended:", "Until: safe until" },
	};
	bad = 0;
	for (enum letter_kind kind = 0; kind < LETTER_COUNT; kind++)
		for (enum lang l = 0; l < LANG_COUNT && kind != LETTER_DRAFT; l++) {
			struct case_of k;
			AUTO_BUF subject = { .max = 65536 }, body = { .max = 65536 };

			case_init(&k, PARTLY, l, kind, CAUSE_DNS_ADDRESS_PARTLY_MISSING);
			render(&k, &subject, &body);
			for (size_t i = 0; i < 4; i++)
				if (has(&subject, success[l][i]) || has(&body, success[l][i]))
					FAIL_AT(__LINE__, success[l][i], "in: %s\n%s",
					    subject.p, body.p);
		}
	assert_int_equal(bad, 0);
}

static void
good_news_is_told_when_every_name_has_the_lock(void **unused)
{
	(void)unused;
	static const struct {
		enum letter_kind kind;
		const char *subject[LANG_COUNT];
	} rows[] = {
		{ LETTER_ISSUED,
		    { "example.jp に鍵マークが付きました(12月14日(月)まで安全、自動で延びます)",
			"example.jp now has the lock (safe until Mon, 14 Dec, extended by "
			"itself)" } },
		{ LETTER_RESOLVED, { "直りました: example.jp は12月14日(月)まで安全です",
				       "Mended: example.jp is safe until Mon, 14 Dec" } },
	};
	bad = 0;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (enum lang l = 0; l < LANG_COUNT; l++) {
			struct case_of k;
			AUTO_BUF subject = { .max = 65536 }, body = { .max = 65536 };

			case_init(&k, SAFE, l, rows[i].kind, CAUSE_DNS_ADDRESS_PARTLY_MISSING);
			k.facts.finding = k.ctx.view.cause = NULL;
			k.site.findings.n = 0;
			render(&k, &subject, &body);
			assert_string_equal(subject.p, rows[i].subject[l]);
			for (size_t n = 0; n < 5; n++)
				want(&body, labels[l][n], "label", __LINE__);
			want(&body, l == LANG_JA ? "操作は不要です" : "To do: nothing",
			    "nothing to do", __LINE__);
			want(&body,
			    l == LANG_JA ? "12月14日(月) 9:00(あと20日)まで"
					 : "until Mon, 14 Dec",
			    "date", __LINE__);
			want(&body, "www.example.jp: ", "each name", __LINE__);
			if (has(&body, "1. ") || has(&body, "{"))
				FAIL_AT(__LINE__, "steps", "%s", body.p);
		}
	assert_int_equal(bad, 0);
}

static void
a_draft_frightens_nobody(void **unused)
{
	(void)unused;
	for (enum state s = 0; s < STATE_COUNT; s++) {
		struct case_of k;
		AUTO_BUF ja = { .max = 65536 }, ja_body = { .max = 65536 },
			 en = { .max = 65536 }, en_body = { .max = 65536 },
			 csr = { .max = 65536 }, csr_body = { .max = 65536 };

		case_init(&k, s, LANG_JA, LETTER_DRAFT, CAUSE_OWN_UNCLASSIFIED);
		k.facts.finding = k.ctx.view.cause = NULL;
		render(&k, &ja, &ja_body);
		assert_true(has(&ja_body,
		    "ご自身で確定しない限り、何も変わりません。このままでも大丈夫です。"));
		assert_true(has(&ja_body, "hana@example.jp") && has(&ja_body, "11月17日") &&
			    has(&ja_body, "30日後"));
		assert_true(has(&ja_body, "消えるのは下書きだけ"));
		k.ctx.lang = LANG_EN;
		k.site.draft.begun_by = STR_NONE;
		render(&k, &en, &en_body);
		assert_true(has(&en_body, "Nothing changes unless you confirm it yourself."));
		assert_true(has(&en_body, "Next look: ") && has(&en_body, "To do: nothing"));
		k.site.draft.has_csr = true;
		render(&k, &csr, &csr_body);
		assert_true(
		    has(&csr_body, "never discarded") && !has(&csr_body, "30 days after"));
	}
}

static void
who_gave_up_is_named_and_the_way_back(void **unused)
{
	(void)unused;
	for (enum state s = 0; s < STATE_COUNT; s++)
		for (int i = 0; i < 4; i++) {
			const struct given_up g = { .at = at(2026, 11, 23, 0), .by = STR("hana@example.jp"), .is_suspended = (i & 1) != 0 };
			struct case_of k;
			AUTO_BUF ja = { .max = 65536 }, ja_body = { .max = 65536 }, en = { .max = 65536 }, en_body = { .max = 65536 };

			case_init(&k, s, LANG_JA, LETTER_STOPPED, CAUSE_OWN_UNCLASSIFIED);
			k.facts.finding = k.ctx.view.cause = NULL;
			k.site.setting.source = SOURCE_NONE;
			k.site.setting.redirect = (i & 2) != 0;
			k.site.given_up = &g;
			render(&k, &ja, &ja_body);
			assert_true(has(&ja_body, "11月23日") && has(&ja_body, "操作は不要です"));
			assert_int_equal(g.is_suspended, !has(&ja_body, "hana@example.jp") && !has(&ja_body, "元に戻す") && !has(&ja_body, "パスワード"));
			assert_int_equal(g.is_suspended, has(&ja_body, "契約の窓口") && has(&ja, "ご契約の都合"));
			assert_int_equal(k.site.setting.redirect, has(&ja_body, "自動転送は、証明書の期限まで続き"));
			assert_int_equal(!k.site.setting.redirect, has(&ja_body, ".htaccess"));
			k.ctx.lang = LANG_EN;
			render(&k, &en, &en_body);
			assert_int_equal(g.is_suspended, !has(&en_body, "by hana@example.jp") && !has(&en_body, "Take it back") && !has(&en_body, "password"));
			assert_int_equal(k.site.setting.redirect, has(&en_body, "goes on until the certificate ends"));
		}
}

static void
reminders_grow_shorter(void **unused)
{
	(void)unused;
	for (enum lang l = 0; l < LANG_COUNT; l++)
		for (enum state s = SAFE; s < PLAIN; s++) {
			size_t before = SIZE_MAX;

			for (unsigned n = 0; n < LIFE_REMINDERS; n++) {
				struct case_of k;
				AUTO_BUF subject = { .max = 65536 }, body = { .max = 65536 };

				case_init(&k, s, l, LETTER_REMINDER, CAUSE_DNS_CAA_FORBIDS);
				k.facts.reminder = n;
				render(&k, &subject, &body);
				if (body.n > before)
					fail_msg(
					    "reminder %u is longer than the one before:\n%s", n,
					    body.p);
				before = body.n;
			}
		}
}

/* Whatever the cause: a letter that asks has the value, and one that does not has no steps. */
static void
every_cause_fits_into_every_letter(void **unused)
{
	(void)unused;
	bad = 0;
	for (enum cause c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++)
		for (enum letter_kind kind = 0; kind < LETTER_COUNT; kind++)
			for (enum state s = 0; s < STATE_COUNT; s++)
				for (enum lang l = 0; l < LANG_COUNT; l++) {
					struct case_of k;
					AUTO_BUF subject = { .max = 65536 },
						 body = { .max = 65536 };

					case_init(&k, s, l, kind, c);
					render(&k, &subject, &body);
					if (subject.n == 0 || !str_is_line(buf_str(&subject)) ||
					    strpbrk(body.p, "{}") != NULL ||
					    has(&body, "\n?") || has(&body, "\n@") ||
					    has(&body, "\n#"))
						FAIL_AT(__LINE__, cause_row(c)->id, "%s\n%s",
						    subject.p, body.p);
					if (kind == LETTER_ACT &&
					    !actor_is_owner(k.finding.acts) &&
					    has(&body, "\n1. "))
						FAIL_AT(__LINE__, cause_row(c)->id,
						    "asks for nothing:\n%s", body.p);
				}
	assert_int_equal(bad, 0);
}

static void
many_names_are_told_with_the_bad_ones_first(void **unused)
{
	(void)unused;
	static const char *const names[] = { "a.jp", "b.jp", "c.jp", "d.jp", "e.jp", "f.jp",
		"g.jp", "h.jp", "i.jp", "j.jp", "k.jp", "xn--wgv71a119e.jp" };
	struct case_of k;
	AUTO_BUF subject = { .max = 65536 }, body = { .max = 65536 };

	case_init(&k, PARTLY, LANG_JA, LETTER_ISSUED, CAUSE_DNS_ADDRESS_PARTLY_MISSING);
	for (size_t i = 0; i < 12; i++)
		set_name(&k.names[i], names[i], i != 11, at(2026, 12, 14, 0));
	k.names[11].served.not_after = at(2026, 11, 1, 0);
	k.site.names_n = 12;
	k.facts.finding = k.ctx.view.cause = NULL;
	render(&k, &subject, &body);
	assert_true(has(&body, "日本語.jp: ページの前に") && has(&body, "ほか2個の名前"));
	assert_true(strstr(body.p, "日本語.jp") < strstr(body.p, "a.jp: "));
	assert_string_equal(
	    subject.p, "日本語.jp には、まだ鍵マークがありません(証明書は設置しました)");
}

static void
names_left_out_are_joined(void **unused)
{
	(void)unused;
	const struct str lost[] = { STR("a.jp"), STR("b.jp"), STR("c.jp"), STR("d.jp"),
		STR("e.jp") };
	struct case_of k;
	AUTO_BUF ja = { .max = 65536 }, ja_body = { .max = 65536 }, en = { .max = 65536 },
		 en_body = { .max = 65536 };

	case_init(&k, SAFE, LANG_JA, LETTER_REDUCED, CAUSE_DNS_ADDRESS_PARTLY_MISSING);
	k.facts.left_out = lost;
	k.facts.left_out_n = 5;
	render(&k, &ja, &ja_body);
	assert_true(has(&ja, "a.jp、b.jp、c.jpほか2個 を外して更新しました"));
	k.ctx.lang = LANG_EN;
	k.facts.left_out_n = 2;
	render(&k, &en, &en_body);
	assert_true(has(
	    &en, "Renewed without a.jp, b.jp (the other names are safe until Mon, 14 Dec)"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_of_a_fault_state_the_six_things),
		cmocka_unit_test(each_letter_of_a_story_is_shorter),
		cmocka_unit_test(no_word_of_success_while_a_name_is_missing),
		cmocka_unit_test(good_news_is_told_when_every_name_has_the_lock),
		cmocka_unit_test(a_draft_frightens_nobody),
		cmocka_unit_test(who_gave_up_is_named_and_the_way_back),
		cmocka_unit_test(reminders_grow_shorter),
		cmocka_unit_test(every_cause_fits_into_every_letter),
		cmocka_unit_test(many_names_are_told_with_the_bad_ones_first),
		cmocka_unit_test(names_left_out_are_joined),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
