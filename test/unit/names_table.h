#ifndef KOSHIN_TEST_UNIT_NAMES_TABLE_H
#define KOSHIN_TEST_UNIT_NAMES_TABLE_H
/* Host names as people type them, and what becomes of each. */
#include <stdbool.h>
#include <stddef.h>

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
#endif
