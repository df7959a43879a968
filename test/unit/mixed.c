/* What a page loads over http by itself: rows of pages, each with what has to be found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/mixed.h"

static const struct row {
	int line;
	const char *page;
	unsigned n;
	const char *first;
} rows[] = {
	{ __LINE__, "", 0, "" },
	{ __LINE__, "<", 0, "" },
	{ __LINE__, "<img", 0, "" },
	{ __LINE__, "<img src=http://a.jp/x.png", 0, "" }, /* cut off: no tag */
	{ __LINE__, "<img src=http://a.jp/x.png>", 1, "http://a.jp/x.png" },
	{ __LINE__, "<IMG alt='>' SRC = \"HTTP://a.jp/x.png?query#part\" />", 1, "HTTP://a.jp/x.png" },
	{ __LINE__, "<img src=' http://a.jp/ '>", 1, "http://a.jp/" },
	{ __LINE__, "<img src='https://a.jp/'><img src='//a.jp/'><img src='/a'><img src=''><img src>", 0, "" },
	{ __LINE__, "<img data-src='http://a.jp/'><a href='http://a.jp/'>x</a><form action='http://a.jp/'>", 0, "" },
	{ __LINE__, "<img src='/a' src='http://a.jp/'>", 0, "" }, /* the first counts */
	{ __LINE__, "<script src='http://a.jp/a.js'></script><iframe src='http://b.jp/'></iframe>", 2, "http://a.jp/a.js" },
	{ __LINE__, "<script>document.write(\"<img src='http://a.jp/'>\")</script>", 0, "" },
	{ __LINE__, "<script>a</SCRIPT ><img src='http://a.jp/'>", 1, "http://a.jp/" },
	{ __LINE__, "<script>never ended <img src='http://a.jp/'>", 0, "" },
	{ __LINE__, "<noscript><img src='http://a.jp/'></noscript><template><img src='http://a.jp/'></template>", 0, "" },
	{ __LINE__, "<!-- <img src='http://a.jp/'> --><img src='http://b.jp/'>", 1, "http://b.jp/" },
	{ __LINE__, "<!-- never ended <img src='http://a.jp/'>", 0, "" },
	{ __LINE__, "a < b <img src='http://b.jp/'>", 1, "http://b.jp/" },
	{ __LINE__, "<link rel=stylesheet href='http://a.jp/s.css'><link rel=canonical href='http://a.jp/'>", 1, "http://a.jp/s.css" },
	{ __LINE__, "<input type=image src='http://a.jp/i.png'><input src='http://a.jp/'>", 1, "http://a.jp/i.png" },
	{ __LINE__, "<object data='http://a.jp/o'></object><video src='http://a.jp/v'>", 2, "http://a.jp/o" },
	{ __LINE__, "<img src='http://localhost/'><img src='http://127.0.0.1:80/'><img src='http://[::1]/'><img src='http://'>", 0, "" },
	/* What cannot be told to a person is not told. */
	{ __LINE__, "<img src='http://a.jp/\x01'><img src='http://a.jp/\xe3\x81\x82'><img src='http://a.jp/<b>'>", 0, "" },
};

static void
pages_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mixed m = mixed_of(str_of(rows[i].page));

		if (m.n != rows[i].n || !str_eq(m.first, str_of(rows[i].first)) || m.is_upgraded)
			fail_msg("%s:%d: %u, %.*s", __FILE__, rows[i].line, m.n, STR_ARG(m.first));
	}
}

static void
a_page_may_ask_for_https(void **state)
{
	(void)state;
	assert_true(mixed_of(STR("<meta http-equiv=Content-Security-Policy content='img-src *; Upgrade-Insecure-Requests'>")).is_upgraded);
	assert_false(mixed_of(STR("<meta name=x content='upgrade-insecure-requests'>")).is_upgraded);
	assert_true(mixed_policy_upgrades(STR("upgrade-insecure-requests;")));
	assert_false(mixed_policy_upgrades(STR("default-src https:")));
}

/* However it is cut: no more than the whole page has, and never a byte that is not there. */
static void
a_page_may_be_cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t n = 0; n <= strlen(rows[i].page); n++) {
			char *own = malloc(n == 0 ? 1 : n);

			assert_non_null(own);
			memcpy(own, rows[i].page, n);
			assert_true(mixed_of((struct str){ own, n }).n <= rows[i].n + 1);
			free(own);
		}
}

static void
an_address_is_not_told_without_end(void **state)
{
	char page[2000] = "<img src='http://a.jp/";

	(void)state;
	memset(page + strlen(page), 'a', 1500);
	strcat(page, "'>");
	assert_int_equal(mixed_of(str_of(page)).first.n, MIXED_SHOWN_BYTES_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_read),
		cmocka_unit_test(a_page_may_ask_for_https),
		cmocka_unit_test(a_page_may_be_cut_anywhere),
		cmocka_unit_test(an_address_is_not_told_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
