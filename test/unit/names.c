/* Host names as people type them: what is accepted and into what, what is refused and with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "ports/names/names.h"

#define L10 "aaaaaaaaaa"
#define L63 L10 L10 L10 L10 L10 L10 "aaa"

struct row {
	int line;
	const char *name, *typed;
	bool wildcard;
	const char *wanted; /* NULL: refused */
	const char *why;    /* a part of the words */
};
#define GOOD(name, typed, wanted) \
	{ \
		__LINE__, name, typed, false, wanted, NULL \
	}
#define BAD(name, typed, why) \
	{ \
		__LINE__, name, typed, false, NULL, why \
	}

static const struct row rows[] = {
	GOOD("plain", "example.jp", "example.jp"),
	GOOD("www", "www.example.jp", "www.example.jp"),
	GOOD("upper case", "WWW.Example.JP", "www.example.jp"),
	GOOD("spaces around", "  example.jp \n", "example.jp"),
	GOOD("ideographic space around", "　example.jp　", "example.jp"),
	GOOD("no-break space after", "example.jp\xc2\xa0", "example.jp"),
	GOOD("byte order mark before",
	    "\xef\xbb\xbf"
	    "example.jp",
	    "example.jp"),
	GOOD("digits", "1.example.jp", "1.example.jp"),
	GOOD("digits first", "4u.example.com", "4u.example.com"),
	GOOD("inner hyphen", "my-shop.example.co.jp", "my-shop.example.co.jp"),
	GOOD("double hyphen later", "a--b.example.jp", "a--b.example.jp"),
	GOOD("label of 63", L63 ".jp", L63 ".jp"),
	GOOD("ten labels", "a.b.c.d.e.f.g.h.i.jp", "a.b.c.d.e.f.g.h.i.jp"),
	GOOD("private suffix below", "me.github.io", "me.github.io"),
	GOOD("exception of a wildcard suffix", "www.ck", "www.ck"),
	GOOD("international", "日本語.jp", "xn--wgv71a119e.jp"),
	GOOD("international, upper-case ending", "日本語.JP", "xn--wgv71a119e.jp"),
	GOOD("international below", "www.日本語.jp", "www.xn--wgv71a119e.jp"),
	GOOD(
	    "international ending", "例え.テスト.みんな", "xn--r8jz45g.xn--zckzah.xn--q9jyb4c"),
	GOOD("ideographic full stop", "日本語。jp", "xn--wgv71a119e.jp"),
	GOOD("full-width full stop", "www．example．jp", "www.example.jp"),
	GOOD("half-width ideographic stop", "example｡jp", "example.jp"),
	GOOD("full-width letters", "ｅｘａｍｐｌｅ.ｊｐ", "example.jp"),
	GOOD("full-width capitals", "ＥＸＡＭＰＬＥ．ＪＰ", "example.jp"),
	GOOD("half-width katakana", "ﾃｽﾄ.jp", "xn--zckzah.jp"),
	GOOD("punycode", "xn--wgv71a119e.jp", "xn--wgv71a119e.jp"),
	GOOD("punycode in capitals", "XN--WGV71A119E.JP", "xn--wgv71a119e.jp"),
	GOOD("umlaut", "Bücher.example.com", "xn--bcher-kva.example.com"),
	GOOD("umlaut composed of two",
	    "bu\xcc\x88"
	    "cher.example.com",
	    "xn--bcher-kva.example.com"),
	GOOD("sharp s stays", "straße.de", "xn--strae-oqa.de"),
	GOOD("emoji-free greek sigma", "βόλος.com", "xn--nxasmm1c.com"),
	{ __LINE__, "wildcard", "*.example.jp", true, "*.example.jp", NULL },
	{ __LINE__, "wildcard, international", "*.日本語.jp", true, "*.xn--wgv71a119e.jp",
	    NULL },
	{ __LINE__, "wildcard, full-width stop", "*。example.jp", true, "*.example.jp", NULL },

	BAD("empty", "", "empty"),
	BAD("only spaces", " \t ", "empty"),
	BAD("dot first", ".example.jp", "begins with a dot"),
	BAD("dot last", "example.jp.", "ends in a dot"),
	BAD("ideographic stop last", "example.jp。", "ends in a dot"),
	BAD("two dots", "www..example.jp", "two dots"),
	BAD("dots of two kinds", "www.。example.jp", "two dots"),
	BAD("only a dot", ".", "begins with a dot"),
	BAD("label of 64", L63 "a.jp", "at most 63"),
	BAD("international label too long",
	    "日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本"
	    "語日本語日本語.jp",
	    "international"),
	BAD("254 characters", L63 "." L63 "." L63 "." L10 L10 L10 L10 L10 L10 "aa.jp",
	    "at most 253"),
	BAD("eleven labels", "a.b.c.d.e.f.g.h.i.j.jp", "11 parts"),
	BAD("underscore", "my_shop.example.jp", "'_'"),
	BAD("inner space", "my shop.example.jp", "space"),
	BAD("full-width space inside", "my　shop.example.jp", "space"),
	BAD("two names", "example.jp www.example.jp", "space"),
	BAD("comma", "example.jp,www.example.jp", "','"),
	BAD("tab inside", "exam\tple.jp", "control"),
	BAD("line break inside", "example.jp\nX-Header: 1", "control"),
	BAD("delete byte", "exam\x7fple.jp", "control"),
	BAD("quote", "exa\"mple.jp", "'\"'"),
	BAD("shell", "$(reboot).jp", "'$'"),
	BAD("percent", "exa%6dple.jp", "'%'"),
	BAD("hyphen first", "-example.jp", "hyphen"),
	BAD("hyphen last", "example-.jp", "hyphen"),
	BAD("IPv4", "203.0.113.10", "IP address"),
	BAD("IPv4, full width", "２０３.０.１１３.１０", "IP address"),
	BAD("IPv6", "2001:db8::5", "IP address"),
	BAD("IPv6 in brackets", "[2001:db8::5]", "IP address"),
	BAD("URL", "https://example.jp/", "URL"),
	BAD("path", "example.jp/blog", "URL"),
	BAD("port", "example.jp:8080", "port"),
	BAD("mail address", "me@example.jp", "mail address"),
	BAD("single label", "example", "no dot"),
	BAD("localhost", "localhost", "no dot"),
	BAD("public suffix", "co.jp", "registered"),
	BAD("public suffix, country", "jp", "no dot"),
	BAD("public suffix, prefecture", "kyoto.jp", "registered"),
	BAD("public suffix, private", "github.io", "registered"),
	BAD("public suffix of a star rule", "foo.ck", "registered"),
	BAD("unknown suffix", "example.nosuchtld", "no known ending"),
	BAD("special-use suffix", "printer.local", "no known ending"),
	BAD("digits as suffix", "example.123", "no known ending"),
	BAD("punycode that does not decode", "xn--\x2d.jp", "hyphen"),
	BAD("punycode of nothing", "xn--a.jp", "punycode"),
	BAD("punycode of plain letters", "xn--abc-.jp", "hyphen"),
	BAD("punycode not in its own form", "xn--wgv71a119ee9999999.jp", "punycode"),
	BAD("reserved label", "ab--cd.example.jp", "reserved"),
	BAD("wildcard not allowed", "*.example.jp", "wildcard"),
	BAD("not UTF-8", "exam\xff\xfeple.jp", "UTF-8"),
	BAD("overlong UTF-8",
	    "ex\xc0\xaf"
	    "ample.jp",
	    "UTF-8"),
	BAD("lone joiner",
	    "a\xe2\x80\x8d"
	    "b.jp",
	    "international"),
	BAD("right-to-left mixed",
	    "\xd7\x90"
	    "a1.jp",
	    "international"),
	BAD("line separator", "example\xe2\x80\xa8.jp", "international"),
	{ __LINE__, "wildcard inside", "www.*.example.jp", true, NULL, "first part" },
	{ __LINE__, "wildcard part of a label", "w*.example.jp", true, NULL, "first part" },
	{ __LINE__, "two wildcards", "*.*.example.jp", true, NULL, "first part" },
	{ __LINE__, "wildcard of a suffix", "*.co.jp", true, NULL, "registered" },
	{ __LINE__, "bare wildcard", "*", true, NULL, "first part" },
	{ __LINE__, "wildcard and nothing", "*.", true, NULL, "dot" },
};

static void
names_are_read(void **state)
{
	(void)state;
	int failed = 0;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];
		AUTO_ARENA a = { 0 };
		struct why why = { "" };
		struct str got = STR("untouched");

		arena_init(&a, 4096);
		enum err e = names_read(str_of(r->typed), r->wildcard, &a, &why, &got);
		bool ok = r->wanted != NULL
			      ? e == ERR_OK && str_eq(got, str_of(r->wanted))
			      : e == ERR_INVALID && str_eq(got, STR("untouched")) &&
				    strstr(why.text, r->why) != NULL;
		if (ok && r->wanted != NULL) { /* reading is idempotent */
			struct str again = STR_NONE;

			ok = names_read(got, r->wildcard, &a, &why, &again) == ERR_OK &&
			     str_eq(got, again);
		}
		if (!ok) {
			print_error("%s:%d: %s: err %s, got \"%.*s\", why \"%s\"\n", __FILE__,
			    r->line, r->name, err_name(e), STR_ARG(got), why.text);
			failed++;
		}
	}
	assert_int_equal(failed, 0);
}

static void
people_see_unicode(void **state)
{
	static const struct {
		int line;
		const char *ascii, *wanted;
	} table[] = {
		{ __LINE__, "xn--wgv71a119e.jp", "日本語.jp" },
		{ __LINE__, "*.xn--wgv71a119e.jp", "*.日本語.jp" },
		{ __LINE__, "www.example.jp", "www.example.jp" },
		{ __LINE__, "xn--\xff.jp", "xn--\xff.jp" },
		{ __LINE__, "", "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		AUTO_ARENA a = { 0 };

		arena_init(&a, 4096);
		struct str got = names_for_people(str_of(table[i].ascii), &a);
		if (!str_eq(got, str_of(table[i].wanted)))
			fail_msg("%s:%d: got \"%.*s\"", __FILE__, table[i].line, STR_ARG(got));
	}
}

static void
registered_domains_follow_the_suffix_list(void **state)
{
	static const struct {
		int line;
		const char *name, *wanted;
	} table[] = {
		{ __LINE__, "www.shop.example.co.jp", "example.co.jp" },
		{ __LINE__, "example.co.jp", "example.co.jp" },
		{ __LINE__, "co.jp", "" },
		{ __LINE__, "www.example.jp", "example.jp" },
		{ __LINE__, "*.example.jp", "example.jp" },
		{ __LINE__, "a.me.github.io", "me.github.io" },
		{ __LINE__, "github.io", "" },
		{ __LINE__, "www.xn--wgv71a119e.jp", "xn--wgv71a119e.jp" },
		{ __LINE__, "a.b.foo.ck", "b.foo.ck" },
		{ __LINE__, "www.ck", "www.ck" },
		{ __LINE__, "shop.city.kawasaki.jp", "city.kawasaki.jp" },
		{ __LINE__, "", "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct str got = names_registered_domain(str_of(table[i].name));
		if (!str_eq(got, str_of(table[i].wanted)))
			fail_msg("%s:%d: got \"%.*s\"", __FILE__, table[i].line, STR_ARG(got));
	}
}

static void
mail_addresses_are_read(void **state)
{
	static const struct {
		int line;
		const char *typed, *wanted;
	} table[] = {
		{ __LINE__, "me@example.jp", "me@example.jp" },
		{ __LINE__, " Me.Too+tag@Example.JP ", "Me.Too+tag@example.jp" },
		{ __LINE__, "me@日本語.jp", "me@xn--wgv71a119e.jp" },
		{ __LINE__, "root@localhost", "root@localhost" },
		{ __LINE__, "", NULL },
		{ __LINE__, "me", NULL },
		{ __LINE__, "@example.jp", NULL },
		{ __LINE__, "me@", NULL },
		{ __LINE__, "me@@example.jp", NULL },
		{ __LINE__, "me@you@example.jp", NULL },
		{ __LINE__, "me @example.jp", NULL },
		{ __LINE__, "me@ example.jp", NULL },
		{ __LINE__, "me@example.jp\r\nBcc: you@example.jp", NULL },
		{ __LINE__, "me\n@example.jp", NULL },
		{ __LINE__, "<me@example.jp>", NULL },
		{ __LINE__, "me,you@example.jp", NULL },
		{ __LINE__, ".me@example.jp", NULL },
		{ __LINE__, "me..too@example.jp", NULL },
		{ __LINE__, "me@example", NULL },
		{ __LINE__, "me@203.0.113.10", NULL },
		{ __LINE__, "\"me\"@example.jp", NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		AUTO_ARENA a = { 0 };
		struct why why = { "" };
		struct str got = STR_NONE;

		arena_init(&a, 4096);
		enum err e = names_read_mail(str_of(table[i].typed), &a, &why, &got);
		bool ok = table[i].wanted != NULL
			      ? e == ERR_OK && str_eq(got, str_of(table[i].wanted))
			      : e == ERR_INVALID && why.text[0] != '\0';
		if (!ok)
			fail_msg("%s:%d: err %s, got \"%.*s\", why \"%s\"", __FILE__,
			    table[i].line, err_name(e), STR_ARG(got), why.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_read),
		cmocka_unit_test(people_see_unicode),
		cmocka_unit_test(registered_domains_follow_the_suffix_list),
		cmocka_unit_test(mail_addresses_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
