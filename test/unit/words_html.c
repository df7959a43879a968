/* A letter as HTML: its blocks, and that nothing in it is anything but text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "words/words.h"

static void
page(const char *body, struct buf *out)
{
	buf_clear(out);
	words_html(STR("a subject"), str_of(body), LANG_EN, out);
	assert_int_equal(out->err, ERR_OK);
}

/* What stands between the body tags. */
static void
wants(const char *body, const char *wanted)
{
	AUTO_BUF out = { .max = 65536 };

	page(body, &out);
	struct str s = buf_str(&out);
	size_t from = str_find(s, STR("<body>\n")) + 7, to = str_find(s, STR("</body>"));
	assert_true(to != SIZE_MAX && to >= from);
	assert_int_equal(to - from, strlen(wanted));
	assert_memory_equal(s.p + from, wanted, to - from);
}

static void
blocks_become_elements(void **unused)
{
	(void)unused;
	wants("", "");
	wants("one\ntwo\n\nthree\n", "<p>one<br>\ntwo</p>\n<p>three</p>\n");
	wants("What visitors see:\n  a.jp: lock\n  b.jp: none\nUntil: 3 May, 9:00\nmore\n\nend\n",
	    "<table role=\"presentation\">\n<tr><th scope=\"row\">What visitors see</th><td>a.jp: lock<br>b.jp: none</td></tr>\n"
	    "<tr><th scope=\"row\">Until</th><td>3 May, 9:00<br>more</td></tr>\n</table>\n<p>end</p>\n");
	wants("Steps\n1. Open it.\n2. Add this:\n   Value: 203.0.113.10\n   and save\n3. Done.\nIf not: nothing.\n",
	    "<p>Steps</p>\n<ol>\n<li>Open it.</li>\n<li>Add this:<br>Value: <code>203.0.113.10</code><br>and save</li>\n"
	    "<li>Done.</li>\n</ol>\n<p>If not: nothing.</p>\n");
	/* Not a step, not a row. */
	wants("100. is no step\n1.x\nlast:\n", "<p>100. is no step<br>\n1.x<br>\nlast:</p>\n");
	wants("  indented\n", "<p>indented</p>\n");
}

static void
nothing_is_more_than_text(void **unused)
{
	(void)unused;
	wants("<script>&\"'</script>\n",
	    "<p>&lt;script&gt;&amp;&quot;&#39;&lt;/script&gt;</p>\n");
	wants("Rows:\n  <b>: x\n<i>: <u>\n",
	    "<table role=\"presentation\">\n<tr><th scope=\"row\">Rows</th><td>&lt;b&gt;: x</td></tr>\n"
	    "<tr><th scope=\"row\">&lt;i&gt;</th><td>&lt;u&gt;</td></tr>\n</table>\n");
	wants("1. a\n   <x>: \"https://y.jp/\"\n",
	    "<ol>\n<li>a<br>&lt;x&gt;: <code>&quot;https://y.jp/&quot;</code></li>\n</ol>\n");
	AUTO_BUF out = { .max = 65536 };
	words_html(STR("</title><script>"), STR("x\n"), LANG_JA, &out);
	assert_true(str_find(buf_str(&out), STR("<script")) == SIZE_MAX);
	assert_true(str_find(buf_str(&out), STR("<html lang=\"ja\">")) != SIZE_MAX);
}

static void
only_https_is_a_link(void **unused)
{
	(void)unused;
	wants("see https://p.example/sites/a.jp?x=1&y=2. Then\n",
	    "<p>see <a href=\"https://p.example/sites/a.jp?x=1&amp;y=2\">https://p.example/sites/a.jp?x=1&amp;y=2</a>. Then</p>\n");
	wants("画面: https://p.example/a「次」\n", "<p>画面: <a href=\"https://p.example/a\">https://p.example/a</a>「次」</p>\n");
	wants("http://a.jp javascript:x https://a.jp\"onclick=\n",
	    "<p>http://a.jp javascript:x <a href=\"https://a.jp\">https://a.jp</a>&quot;onclick=</p>\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_become_elements),
		cmocka_unit_test(nothing_is_more_than_text),
		cmocka_unit_test(only_https_is_a_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
