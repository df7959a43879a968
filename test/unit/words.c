/* Texts of causes, small texts and dates: each renders in both languages, with the facts of a case in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "core/own_certificate.h"
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

static struct words_context
context(enum lang l)
{
	return (struct words_context){
		.lang = l,
		.now = at(2026, 11, 24, 5),
		.zone = SPAN_H(9),
		.site_name = STR("example.jp"),
		.panel_url = STR("https://panel.example.net"),
		.for_people = names_for_people,
		.registered_domain = names_registered_domain,
	};
}

enum state { SAFE, WARNED, PLAIN, STATE_COUNT };

static void
set_state(struct words_context *c, enum state s)
{
	c->view.until = s == SAFE ? at(2026, 12, 14, 0) : WHEN_UNKNOWN;
	c->view.since = s == WARNED ? at(2026, 11, 20, 0) : WHEN_UNKNOWN;
}

static struct finding
finding(enum cause c)
{
	return (struct finding){
		.cause = c,
		.subject = STR("www.example.jp"),
		.seen = STR("198.51.100.5"),
		.wanted = STR("203.0.113.10"),
		.copy = STR("203.0.113.10"),
		.company = STR("Example DNS"),
		.acts = cause_row(c)->acts,
		.first_seen = at(2026, 11, 22, 0),
		.next_look = at(2026, 11, 24, 6),
	};
}

static bool
has(const struct buf *b, const char *s)
{
	return str_find(buf_str(b), str_of(s)) != SIZE_MAX;
}

static void
every_text_renders_in_every_state(void **unused)
{
	(void)unused;
	bad = 0;
	for (enum cause c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++)
		for (enum lang l = 0; l < LANG_COUNT; l++)
			for (int t = 0; t < CAUSE_TEXT_COUNT * STATE_COUNT; t++) {
				struct words_context ctx = context(l);
				struct finding f = finding(c);
				AUTO_BUF out = { .max = 65536 };

				set_state(&ctx, (enum state)(t % STATE_COUNT));
				words_cause(&f, (enum cause_text)(t / STATE_COUNT), &ctx, &out);
				if (out.err != ERR_OK || out.n < 8 ||
				    !str_is_utf8(buf_str(&out)))
					FAIL_AT(__LINE__, cause_row(c)->id,
					    "text %d is no text", t);
				else if (strpbrk(out.p, "{}@[]") != NULL ||
					 has(&out, "記録なし") || has(&out, "not recorded"))
					FAIL_AT(__LINE__, cause_row(c)->id, "not filled in: %s",
					    out.p);
			}
	assert_int_equal(bad, 0);
}

static void
a_safe_sentence_is_never_said_of_a_warned_site(void **unused)
{
	(void)unused;
	bad = 0;
	for (enum cause c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++)
		for (enum lang l = 0; l < LANG_COUNT; l++)
			for (enum state s = 0; s < STATE_COUNT; s++) {
				struct words_context ctx = context(l);
				struct finding f = finding(c);
				AUTO_BUF out = { .max = 65536 };

				set_state(&ctx, s);
				words_cause(&f, CAUSE_VISITORS, &ctx, &out);
				bool says_until = has(&out, "12月14日") || has(&out, "14 Dec");
				bool says_since = has(&out, "11月20日") || has(&out, "20 Nov");
				if (says_until && s != SAFE)
					FAIL_AT(__LINE__, cause_row(c)->id,
					    "safe while it is not: %s", out.p);
				if (s == WARNED && !says_since)
					FAIL_AT(__LINE__, cause_row(c)->id,
					    "no word since when: %s", out.p);
				if (s == SAFE && !says_until && !has(&out, "11月22日") &&
				    !has(&out, "22 Nov"))
					FAIL_AT(
					    __LINE__, cause_row(c)->id, "no date: %s", out.p);
			}
	assert_int_equal(bad, 0);
}

/* Found in a file that a person entered, before it is used: nothing happens by itself until the next file comes, and no date is
 * named for it. */
static bool
waits_for_a_file(enum cause c)
{
	return c == CAUSE_OWN_CERTIFICATE_CHAIN_INCOMPLETE || c == CAUSE_OWN_CERTIFICATE_EXPIRED ||
	       c == CAUSE_OWN_CERTIFICATE_NAME_MISSING || c == CAUSE_OWN_CERTIFICATE_UNREADABLE ||
	       c == CAUSE_OWN_CERTIFICATE_KEY_MISSING || c == CAUSE_OWN_CERTIFICATE_UNTRUSTED || c == CAUSE_OWN_CERTIFICATE_CHAIN_UNORDERED;
}

/* Numbered steps and a value where the owner acts; never steps where he does not. The next look is always told. */
static void
every_action_says_what_to_do_or_that_there_is_nothing(void **unused)
{
	(void)unused;
	static const char *const nothing[] = { "操作は不要です", "othing to do" };
	bad = 0;
	for (enum cause c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++)
		for (enum lang l = 0; l < LANG_COUNT; l++) {
			struct words_context ctx = context(l);
			struct finding f = finding(c);
			const char *id = cause_row(c)->id;
			AUTO_BUF action = { .max = 65536 }, next = { .max = 65536 },
				 cause = { .max = 65536 };

			set_state(&ctx, SAFE);
			words_cause(&f, CAUSE_ACTION, &ctx, &action);
			words_cause(&f, CAUSE_NEXT, &ctx, &next);
			words_cause(&f, CAUSE_CAUSE, &ctx, &cause);
			if (actor_is_owner(f.acts) != has(&action, "1. "))
				FAIL_AT(
				    __LINE__, id, "steps and actor do not fit: %s", action.p);
			if (actor_is_owner(f.acts) == has(&action, nothing[l]))
				FAIL_AT(__LINE__, id, "%s", action.p);
			if (has(&cause, "してください") || has(&cause, "lease "))
				FAIL_AT(
				    __LINE__, id, "the cause asks for something: %s", cause.p);
			if (waits_for_a_file(c)) {
				if (!has(&next, "入れ") && !has(&next, "file") && !has(&next, "enter it"))
					FAIL_AT(__LINE__, id, "what is looked at next: %s", next.p);
				continue;
			}
			if (!has(&next, "11月24日") && !has(&next, "24 Nov"))
				FAIL_AT(__LINE__, id, "no next look: %s", next.p);
			f.next_look = WHEN_UNKNOWN;
			buf_clear(&next);
			words_cause(&f, CAUSE_NEXT, &ctx, &next);
			if (!has(&next, "数分以内") && !has(&next, "within a few minutes"))
				FAIL_AT(
				    __LINE__, id, "no next look without a date: %s", next.p);
		}
	assert_int_equal(bad, 0);
}

/* A date that was seen is told in the reader's zone and language; what only looks like one stays what it is. */
static void
a_date_that_was_seen_is_one_of_the_page(void **unused)
{
	static const struct {
		const char *seen, *said[LANG_COUNT];
	} rows[] = {
		{ "2026-12-06T21:37:00Z", { "2026年12月7日(月)", "7 Dec 2026" } },
		{ "2026-13-06T21:37:00Z", { "2026-13-06T21:37:00Z", "2026-13-06T21:37:00Z" } },
		{ "2026-12-06T2 :37:00Z", { "2026-12-06T2 :37:00Z", "2026-12-06T2 :37:00Z" } },
		{ "2026-12-06", { "2026-12-06", "2026-12-06" } },
	};
	(void)unused;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (enum lang l = 0; l < LANG_COUNT; l++) {
			struct words_context ctx = context(l);
			struct finding f = finding(CAUSE_OWN_CERTIFICATE_IMPORTED);
			AUTO_BUF out = { .max = 65536 };

			ctx.zone = SPAN_H(9);
			f.seen = str_of(rows[i].seen);
			words_cause(&f, CAUSE_CAUSE, &ctx, &out);
			if (!has(&out, rows[i].said[l]))
				fail_msg("%s: %s", rows[i].seen, out.p);
		}
}

static void
an_empty_value_leaves_no_hole(void **unused)
{
	(void)unused;
	bad = 0;
	for (enum cause c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++)
		for (enum lang l = 0; l < LANG_COUNT; l++)
			for (enum cause_text t = 0; t < CAUSE_TEXT_COUNT; t++) {
				struct words_context ctx = context(l);
				struct finding f = { .cause = c,
					.subject = STR("example.jp"),
					.acts = cause_row(c)->acts,
					.next_look = WHEN_UNKNOWN,
					.first_seen = WHEN_UNKNOWN };
				AUTO_BUF out = { .max = 65536 };

				set_state(&ctx, PLAIN);
				words_cause(&f, t, &ctx, &out);
				if (has(&out, "()") || has(&out, "{") || has(&out, "  ."))
					FAIL_AT(
					    __LINE__, cause_row(c)->id, "a hole: %s", out.p);
			}
	assert_int_equal(bad, 0);
}

static void
raw_texts_and_titles_are_there(void **unused)
{
	(void)unused;
	for (enum cause c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++)
		for (enum lang l = 0; l < LANG_COUNT; l++) {
			struct words_context ctx = context(l);
			struct finding f = finding(c);
			AUTO_BUF out = { .max = 4096 };

			for (enum cause_text t = 0; t < CAUSE_TEXT_COUNT; t++)
				assert_true(strlen(words_cause_raw(c, t, l)) > 7);
			assert_non_null(strstr(words_cause_title_raw(c, l), "{name}"));
			words_cause_title(&f, &ctx, &out);
			assert_non_null(strstr(out.p, "www.example.jp"));
			assert_true(str_is_line(buf_str(&out)));
		}
}

static void
values_are_put_where_they_are_typed(void **unused)
{
	(void)unused;
	static const struct {
		int line;
		const char *subject, *copy, *company;
		enum actor acts;
		const char *want[3], *never;
	} rows[] = {
		{ __LINE__, "www.example.jp", "203.0.113.10", "Example DNS",
		    ACTOR_DOMAIN_COMPANY,
		    { "ホスト名: www\n", "値(VALUE): 203.0.113.10\n", "Example DNSの画面" },
		    "記録なし" },
		{ __LINE__, "www.example.jp", "www.example.jp. 3600 IN A 203.0.113.10", "",
		    ACTOR_DOMAIN_COMPANY,
		    { "ホスト名: www\n", "値(VALUE): 203.0.113.10\n", "ドメインの管理会社(" },
		    "3600" },
		{ __LINE__, "a.b.example.co.jp", "a.b.example.co.jp. A 203.0.113.10", "",
		    ACTOR_DOMAIN_COMPANY,
		    { "ホスト名: a.b\n", "値(VALUE): 203.0.113.10\n", "種類(TYPE): A" },
		    "co.jp" },
		{ __LINE__, "www.example.jp", "www.example.jp. 3600 IN AAAA 2001:db8::10", "",
		    ACTOR_DOMAIN_COMPANY,
		    { "種類(TYPE): AAAA\n", "値(VALUE): 2001:db8::10\n", "ホスト名: www\n" },
		    "3600" },
		{ __LINE__, "www.example.jp", "2001:db8::10", "", ACTOR_DOMAIN_COMPANY,
		    { "種類(TYPE): AAAA\n", "値(VALUE): 2001:db8::10\n", "" }, "TYPE): A\n" },
		{ __LINE__, "example.co.jp", "203.0.113.10", "", ACTOR_DOMAIN_COMPANY,
		    { "ホスト名: 空欄", "203.0.113.10", "@" }, "example.co.jp\n" },
		{ __LINE__, "www.example.jp", "203.0.113.10", "", ACTOR_HOST,
		    { "操作は不要です", "当社", "" }, "203.0.113.10" },
		{ __LINE__, "www.example.jp", "two\nlines\r\x1b[0m", "", ACTOR_DOMAIN_COMPANY,
		    { "two\n   lines  [0m\n", "", "" }, "\x1b" },
	};
	bad = 0;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct words_context ctx = context(LANG_JA);
		struct finding f = finding(CAUSE_DNS_ADDRESS_MISSING);
		AUTO_BUF out = { .max = 65536 };

		f.subject = str_of(rows[i].subject);
		f.copy = str_of(rows[i].copy);
		f.company = str_of(rows[i].company);
		f.acts = rows[i].acts;
		words_cause(&f, CAUSE_ACTION, &ctx, &out);
		for (size_t k = 0; k < 3; k++)
			if (!has(&out, rows[i].want[k]))
				FAIL_AT(rows[i].line, rows[i].want[k], "is not in: %s", out.p);
		if (has(&out, rows[i].never))
			FAIL_AT(rows[i].line, rows[i].never, "is in: %s", out.p);
	}
	assert_int_equal(bad, 0);
}

/*
 * A row of ours that a case has turned into the owner's, and effects that took over the value of their root: a value
 * that the root's steps delete is never one to enter.
 */
static void
a_turned_actor_gets_a_general_action(void **unused)
{
	(void)unused;
	static const struct {
		int line;
		enum cause cause;
		const char *copy, *wanted;
		bool is_entered;
	} rows[] = {
		{ __LINE__, CAUSE_SERVED_EXPIRED, "203.0.113.10", "203.0.113.10", true },
		{ __LINE__, CAUSE_SERVED_EXPIRED, "www.example.jp. 3600 IN A 203.0.113.10",
		    "203.0.113.10", true },
		{ __LINE__, CAUSE_SERVED_EXPIRED, "www.example.jp. 3600 IN AAAA 2001:db8::66",
		    "203.0.113.10", false },
		{ __LINE__, CAUSE_SERVED_EXPIRED, "example.jp. CAA 0 issue \"ca.example\"",
		    "0 issue \"ca.example\"", false },
		{ __LINE__, CAUSE_SERVED_EXPIRED, "", "", false },
		{ __LINE__, CAUSE_SERVED_NAME_MISSING, "www.example.jp. 3600 IN A 203.0.113.10",
		    "203.0.113.10", true },
		{ __LINE__, CAUSE_SERVED_NAME_MISSING,
		    "www.example.jp. 3600 IN AAAA 2001:db8::66", "203.0.113.10", false },
		{ __LINE__, CAUSE_SERVED_NAME_MISSING, "DNSSEC validation fails",
		    "203.0.113.10", false },
	};
	bad = 0;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (enum lang l = 0; l < LANG_COUNT; l++) {
			struct words_context ctx = context(l);
			struct finding f = finding(rows[i].cause);
			AUTO_BUF out = { .max = 65536 };

			f.acts = ACTOR_DOMAIN_COMPANY;
			f.copy = str_of(rows[i].copy);
			f.wanted = str_of(rows[i].wanted);
			words_cause(&f, CAUSE_ACTION, &ctx, &out);
			if (!has(&out, "1. ") || has(&out, "\n2. ") != rows[i].is_entered ||
			    has(&out, "203.0.113.10") != rows[i].is_entered ||
			    has(&out, "2001:db8"))
				FAIL_AT(rows[i].line, rows[i].copy, "%s", out.p);
			if (!rows[i].is_entered &&
			    !has(&out, l == LANG_JA ? "サポート" : "support"))
				FAIL_AT(rows[i].line, rows[i].copy, "a dead end: %s", out.p);
		}
	assert_int_equal(bad, 0);
}

/* What koshin has done by itself is said with its date, in front of when it looks again; of what it has not done nothing is said. */
static void
what_was_mended_is_said(void **unused)
{
	(void)unused;
	static const struct {
		enum cause cause;
		unsigned mends;
		const char *begins[LANG_COUNT];
	} rows[] = {
		{ CAUSE_OWN_DEPLOY_PARTLY_SERVED, 2,
		    { [LANG_JA] = "2026年11月24日(火) 13:00(60分前)に、当社でサーバーへの設置をやり直しました。2026年11月24日",
			[LANG_EN] = "We put it in place on the server again on Tue, 24 Nov 2026 13:00 (60 minutes ago). We look again" } },
		{ CAUSE_OWN_DEPLOY_PARTLY_SERVED, 0, { [LANG_JA] = "2026年11月24日(火) 15:00", [LANG_EN] = "We look again" } },
		{ CAUSE_DNS_A_ELSEWHERE, 2, { [LANG_JA] = "2026年11月24日(火) 15:00", [LANG_EN] = "We look again" } },
	};
	bad = 0;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (enum lang l = 0; l < LANG_COUNT; l++) {
			struct words_context ctx = context(l);
			struct finding f = finding(rows[i].cause);
			AUTO_BUF out = { .max = 65536 };

			f.mends = rows[i].mends;
			f.mended_at = at(2026, 11, 24, 4);
			words_cause(&f, CAUSE_NEXT, &ctx, &out);
			if (!str_starts(buf_str(&out), str_of(rows[i].begins[l])))
				FAIL_AT(__LINE__, cause_row(rows[i].cause)->id, "%s", out.p);
		}
	assert_int_equal(bad, 0);
}

static void
an_empty_value_takes_its_brackets_along(void **unused)
{
	(void)unused;
	static const char *const left[] = { "ゾーンの署名をやり直してください。」\n3. ",
		"sign the zone again.\"\n3. " };
	for (enum lang l = 0; l < LANG_COUNT; l++) {
		struct words_context ctx = context(l);
		struct finding f = finding(CAUSE_DNS_DNSSEC_RRSIG_OUT_OF_DATE);
		AUTO_BUF with = { .max = 65536 }, without = { .max = 65536 };

		words_cause(&f, CAUSE_ACTION, &ctx, &with);
		assert_true(has(&with, l == LANG_JA ? "(技術的な内容: 203.0.113.10)"
						    : "(Technical details: 203.0.113.10)"));
		f.copy = f.wanted = STR_NONE;
		words_cause(&f, CAUSE_ACTION, &ctx, &without);
		assert_true(has(&without, left[l]));
	}
}

static void
names_are_written_as_people_write_them(void **unused)
{
	(void)unused;
	struct words_context ctx = context(LANG_JA);
	struct finding f = finding(CAUSE_DNS_ADDRESS_MISSING);
	AUTO_BUF out = { .max = 65536 };

	f.subject = STR("xn--wgv71a119e.jp");
	words_cause_title(&f, &ctx, &out);
	assert_true(has(&out, "日本語.jp"));
	ctx.for_people = NULL;
	ctx.registered_domain = NULL;
	buf_clear(&out);
	words_cause(&f, CAUSE_ACTION, &ctx, &out);
	assert_true(has(&out, "xn--wgv71a119e.jp"));
}

static void
foreign_bytes_become_a_line(void **unused)
{
	(void)unused;
	struct words_context ctx = context(LANG_EN);
	struct finding f = finding(CAUSE_HTTP_SERVER_ERROR);
	char lots[5000];
	AUTO_BUF out = { .max = 65536 };

	f.seen = STR("a\r\nBcc: x\0y {name} \xff\xfe");
	words_cause(&f, CAUSE_CAUSE, &ctx, &out);
	assert_true(str_is_line(buf_str(&out)) && str_is_utf8(buf_str(&out)));
	assert_true(has(&out, "{name}"));
	memset(lots, 'x', sizeof lots);
	f.seen = (struct str){ lots, sizeof lots };
	buf_clear(&out);
	words_cause(&f, CAUSE_CAUSE, &ctx, &out);
	assert_true(out.n < 1000 && has(&out, "…"));
}

static void
dates(void **unused)
{
	(void)unused;
	static const struct {
		int line;
		int64_t away; /* of now, 2026-11-24 14:00:00 JST */
		const char *date[LANG_COUNT], *distance[LANG_COUNT];
	} rows[] = {
		{ __LINE__, 0, { "2026年11月24日(火) 14:00", "Tue, 24 Nov 2026 14:00" },
		    { "(いま)", "(now)" } },
		{ __LINE__, 1, { "2026年11月24日(火) 14:00:01", "Tue, 24 Nov 2026 14:00:01" },
		    { "(あと1秒)", "(in 1 second)" } },
		{ __LINE__, -180, { "2026年11月24日(火) 13:57", "Tue, 24 Nov 2026 13:57" },
		    { "(3分前)", "(3 minutes ago)" } },
		{ __LINE__, 7200, { "2026年11月24日(火) 16:00", "Tue, 24 Nov 2026 16:00" },
		    { "(あと2時間)", "(in 2 hours)" } },
		{ __LINE__, 36001, { "2026年11月25日(水) 0:00", "Wed, 25 Nov 2026 00:00" },
		    { "(あと10時間)", "(in 10 hours)" } },
		/* 19 days and 19 hours are twenty days by the calendar. */
		{ __LINE__, 19 * 86400 + 19 * 3600,
		    { "2026年12月14日(月) 9:00", "Mon, 14 Dec 2026 09:00" },
		    { "(あと20日)", "(in 20 days)" } },
		{ __LINE__, -4 * 86400,
		    { "2026年11月20日(金) 14:00", "Fri, 20 Nov 2026 14:00" },
		    { "(4日前)", "(4 days ago)" } },
		{ __LINE__, INT64_MAX - 1, { "未定", "not known yet" }, { "", "" } },
		{ __LINE__, -INT64_MAX, { "未定", "not known yet" }, { "", "" } },
	};
	bad = 0;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (enum lang l = 0; l < LANG_COUNT; l++) {
			struct words_context ctx = context(l);
			struct when w = when_plus(ctx.now, (struct span){ rows[i].away });
			AUTO_BUF date = { .max = 256 }, distance = { .max = 256 };

			words_date(w, &ctx, &date);
			words_distance(w, &ctx, &distance);
			if (!str_eq(buf_str(&date), str_of(rows[i].date[l])))
				FAIL_AT(rows[i].line, rows[i].date[l], "got %s", date.p);
			if (!str_eq(buf_str(&distance), str_of(rows[i].distance[l])))
				FAIL_AT(rows[i].line, rows[i].distance[l], "got %s",
				    distance.p == NULL ? "" : distance.p);
		}
	assert_int_equal(bad, 0);
	struct words_context ctx = context(LANG_JA);
	AUTO_BUF out = { .max = 256 };
	words_date(WHEN_NEVER, &ctx, &out);
	words_date(WHEN_UNKNOWN, &ctx, &out);
	words_distance(WHEN_NEVER, &ctx, &out);
	assert_string_equal(out.p, "未定未定");
}

static void
languages(void **unused)
{
	(void)unused;
	static const struct {
		const char *text;
		enum lang want;
	} rows[] = {
		{ "ja", LANG_JA },
		{ "ja_JP.UTF-8", LANG_JA },
		{ "JA", LANG_JA },
		{ "ja-JP", LANG_JA },
		{ "ja.utf8", LANG_JA },
		{ "en", LANG_EN },
		{ "jam", LANG_EN },
		{ "", LANG_EN },
		{ "j", LANG_EN },
		{ "C", LANG_EN },
		{ "de_DE", LANG_EN },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (lang_of(str_of(rows[i].text)) != rows[i].want)
			fail_msg("%s", rows[i].text);
	assert_int_equal(lang_of(STR("ja\0x")), LANG_EN);
	assert_string_equal(lang_name(LANG_JA), "ja");
	assert_string_equal(lang_name(LANG_EN), "en");
}

/* What is the matter with an owner's certificate is told in the reader's language, with what it is about; the rest is told as it is. */
static void
what_was_seen_of_a_file(void **unused)
{
	(void)unused;
	static const struct {
		int line;
		const char *seen, *wanted[LANG_COUNT];
	} rows[] = {
		{ __LINE__, "the password is wrong", { "パスワードが違います", "the password is wrong" } },
		{ __LINE__, "its key is too short: RSA, 1024 bits", { "鍵が短すぎます: RSA, 1024 bits", "its key is too short: RSA, 1024 bits" } },
		{ __LINE__, "browsers do not know its issuer: C=JP, O=例", { "ブラウザーの知らない発行元です: C=JP, O=例", "browsers do not know its issuer: C=JP, O=例" } },
		{ __LINE__, "the password is wrongly said", { "the password is wrongly said", "the password is wrongly said" } },
		{ __LINE__, "198.51.100.5", { "198.51.100.5", "198.51.100.5" } },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (enum lang l = 0; l < LANG_COUNT; l++) {
			const struct words_context c = context(l);
			AUTO_BUF out = { .max = 4096 };

			words_put_value(str_of(rows[i].seen), &c, &out);
			if (!str_eq(buf_str(&out), str_of(rows[i].wanted[l])))
				fail_msg("%s:%d: %s: got %.*s", __FILE__, rows[i].line, rows[i].seen, (int)out.n, out.p);
		}
	for (enum own_fault f = OWN_FAULT_NONE + 1; f < OWN_FAULT_COUNT; f++) {
		const struct words_context ja = context(LANG_JA), en = context(LANG_EN);
		AUTO_BUF a = { .max = 4096 }, b = { .max = 4096 };

		words_put_value(str_of(own_fault_words(f)), &ja, &a);
		words_put_value(str_of(own_fault_words(f)), &en, &b);
		if (str_eq(buf_str(&a), buf_str(&b)))
			fail_msg("%s: the same in both languages", own_fault_code(f));
	}
}

/* The keys that are made of words of other tables: a new word without its text shows here. */
static void
every_word_of_a_table_has_its_text(void **unused)
{
	(void)unused;
	AUTO_BUF key = { .max = 128 }, out = { .max = 65536 };

	for (enum lang l = 0; l < LANG_COUNT; l++) {
		const struct str args[10] = { STR("a"), STR("b"), STR("c") };

#define HAS(prefix, word) \
	do { \
		buf_clear(&key); \
		buf_putf(&key, "%s.%s", prefix, word); \
		words_ui(key.p, l, args, 10, &out); \
	} while (0)
		for (enum site_state s = 0; s < SITE_STATE_COUNT; s++) {
			HAS("state", site_state_name(s));
			HAS("headline", site_state_name(s));
		}
		for (enum visitors v = 0; v <= VISITORS_UNKNOWN; v++) {
			HAS("visitors", visitors_name(v));
			HAS("names", visitors_name(v));
		}
		for (enum actor w = 0; w <= ACTOR_NOBODY; w++) {
			HAS("actor", actor_name(w));
			HAS("who", actor_name(w));
		}
		for (enum history_kind h = 0; h < HISTORY_COUNT; h++)
			HAS("history", history_name(h));
		for (enum own_fault f = OWN_FAULT_NONE + 1; f < OWN_FAULT_COUNT; f++)
			HAS("seen", own_fault_code(f));
	}
	assert_int_equal(out.err, ERR_OK);
	buf_clear(&out);
	words_ui("cli.more", LANG_EN, (struct str[]){ STR("3"), STR("a.jp") }, 2, &out);
	assert_string_equal(out.p, "3 more. Go on with: --after a.jp");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_text_renders_in_every_state),
		cmocka_unit_test(a_safe_sentence_is_never_said_of_a_warned_site),
		cmocka_unit_test(every_action_says_what_to_do_or_that_there_is_nothing),
		cmocka_unit_test(a_date_that_was_seen_is_one_of_the_page),
		cmocka_unit_test(an_empty_value_leaves_no_hole),
		cmocka_unit_test(raw_texts_and_titles_are_there),
		cmocka_unit_test(values_are_put_where_they_are_typed),
		cmocka_unit_test(a_turned_actor_gets_a_general_action),
		cmocka_unit_test(what_was_mended_is_said),
		cmocka_unit_test(an_empty_value_takes_its_brackets_along),
		cmocka_unit_test(names_are_written_as_people_write_them),
		cmocka_unit_test(foreign_bytes_become_a_line),
		cmocka_unit_test(dates),
		cmocka_unit_test(languages),
		cmocka_unit_test(what_was_seen_of_a_file),
		cmocka_unit_test(every_word_of_a_table_has_its_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
