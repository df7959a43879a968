/* Letters as messages: what was put in is read back by a decoder of the test's own; nothing foreign gets out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "words/words.h"

#define TEXT(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	} /* STR() as an initialiser */

static const struct letter_envelope sound = {
	.from = TEXT("koshin@host.example"),
	.from_name = TEXT("更新係"),
	.to = TEXT("hana@example.jp"),
	.subject = TEXT("www.example.jp だけ接続先が未登録です(サイトは12月14日(月)まで安全)"),
	.body = TEXT("一行目\n\n三行目です。\n"),
	.message_id = TEXT("act.1.2@host.example"),
	.references = TEXT("act.1.1@host.example"),
	.date = { 1795496400 },
	.lang = LANG_JA,
};

static int
base64_value(char c)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c == '\0' ? NULL : strchr(digits, c);

	return p == NULL ? -1 : (int)(p - digits);
}

static void
decode_base64(struct str s, struct buf *out)
{
	uint32_t bits = 0;
	int n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int v = base64_value(s.p[i]);

		if (v < 0)
			continue;
		bits = bits << 6 | (uint32_t)v;
		n += 6;
		if (n >= 8) {
			n -= 8;
			buf_putc(out, (char)(bits >> n & 0xff));
		}
	}
}

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void
decode_quoted(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '=') {
			buf_putc(out, s.p[i]);
		} else if (i + 2 < s.n && s.p[i + 1] == '\r' && s.p[i + 2] == '\n') {
			i += 2;
		} else {
			assert_true(
			    i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0);
			buf_putc(out, (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2])));
			i += 2;
		}
	}
}

/* Unfolds the value of a header and decodes its words; each word alone must be whole characters. */
static void
decode_header(struct str message, struct str name, struct buf *out)
{
	size_t from = str_find(message, name);

	assert_true(from != SIZE_MAX);
	const char *p = message.p + from + name.n;
	for (bool is_first = true;; is_first = false) {
		const char *end = strstr(p, "\r\n");
		struct str line = { p, (size_t)(end - p) };

		/* name begins with the line end before it. */
		assert_true(line.n + (is_first ? name.n - 2 : 0) <= 76);
		line = str_trim(line);
		if (str_starts(line, STR("=?UTF-8?B?"))) {
			size_t before = out->n;

			assert_true(str_ends(line, STR("?=")) && line.n <= 75);
			decode_base64((struct str){ line.p + 10, line.n - 12 }, out);
			assert_true(
			    str_is_utf8((struct str){ out->p + before, out->n - before }));
		} else {
			buf_put_str(out, line);
		}
		p = end + 2;
		if (*p != ' ')
			return;
	}
}

static struct str
body_of(struct str message)
{
	size_t at = str_find(message, STR("\r\n\r\n"));

	assert_true(at != SIZE_MAX);
	return (struct str){ message.p + at + 4, message.n - at - 4 };
}

static void
assert_lines(struct str m)
{
	size_t column = 0;

	for (size_t i = 0; i < m.n; i++) {
		assert_true((unsigned char)m.p[i] < 0x80 && m.p[i] != '\0');
		assert_true((m.p[i] == '\n') == (i > 0 && m.p[i - 1] == '\r'));
		column = m.p[i] == '\n' ? 0 : column + 1;
		assert_true(column <= 78);
	}
	assert_true(str_ends(m, STR("\r\n")));
}

static void
a_message_is_read_back(void **unused)
{
	(void)unused;
	AUTO_BUF m = { .max = 65536 }, subject = { .max = 4096 }, from = { .max = 4096 },
		 body = { .max = 65536 };

	assert_int_equal(words_message(&sound, &m), ERR_OK);
	assert_lines(buf_str(&m));
	decode_header(buf_str(&m), STR("\r\nSubject: "), &subject);
	assert_true(str_eq(buf_str(&subject), sound.subject));
	decode_header(buf_str(&m), STR("From: "), &from);
	assert_string_equal(from.p, "更新係<koshin@host.example>");
	decode_base64(body_of(buf_str(&m)), &body);
	assert_string_equal(body.p, "一行目\r\n\r\n三行目です。\r\n");
	static const char *const headers[] = { "\r\nTo: <hana@example.jp>\r\n",
		"\r\nMessage-ID: <act.1.2@host.example>\r\n",
		"\r\nIn-Reply-To: <act.1.1@host.example>\r\n",
		"\r\nReferences: <act.1.1@host.example>\r\n",
		"\r\nAuto-Submitted: auto-generated\r\n",
		"\r\nDate: Tue, 24 Nov 2026 05:00:00 +0000\r\n", "\r\nMIME-Version: 1.0\r\n",
		"\r\nContent-Type: text/plain; charset=utf-8\r\n",
		"\r\nContent-Language: ja\r\n", "\r\nContent-Transfer-Encoding: base64\r\n" };
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
		if (str_find(buf_str(&m), str_of(headers[i])) == SIZE_MAX)
			fail_msg("no %s in\n%s", headers[i], m.p);
	assert_true(str_find(buf_str(&m), STR("Reply-To: <k")) == SIZE_MAX);
}

/* Both forms, the plain one first; each part decodes to what was put in. */
static void
with_html_it_has_two_parts(void **unused)
{
	(void)unused;
	static const struct str borders[] = { TEXT("\r\n--=_koshin_alternative\r\n"),
		TEXT("--=_koshin_alternative\r\n"), TEXT("--=_koshin_alternative--\r\n") };
	struct letter_envelope e = sound;
	AUTO_BUF m = { .max = 65536 }, plain = { .max = 65536 }, html = { .max = 65536 };

	e.html = STR("<p title=\"--=_koshin_alternative\">=_koshin_alternative</p>\n");
	assert_int_equal(words_message(&e, &m), ERR_OK);
	assert_lines(buf_str(&m));
	struct str s = buf_str(&m), parts[3];
	assert_true(str_find(s, STR("\r\nContent-Type: multipart/alternative; "
				    "boundary=\"=_koshin_alternative\"\r\n")) != SIZE_MAX);
	for (size_t i = 0; i < 3; i++) {
		size_t at = str_find(s, borders[i]);

		assert_true(at != SIZE_MAX);
		parts[i] = (struct str){ s.p, at };
		s = (struct str){ s.p + at + borders[i].n, s.n - at - borders[i].n };
	}
	assert_int_equal(s.n, 0);
	assert_true(str_starts(parts[1], STR("Content-Type: text/plain; charset=utf-8\r\n")));
	assert_true(str_starts(parts[2], STR("Content-Type: text/html; charset=utf-8\r\n")));
	decode_base64(body_of(parts[1]), &plain);
	assert_string_equal(plain.p, "一行目\r\n\r\n三行目です。\r\n");
	decode_quoted(body_of(parts[2]), &html);
	assert_string_equal(html.p, "<p title=\"--=_koshin_alternative\">=_koshin_alternative</p>\r\n");
}

static void
english_stays_readable(void **unused)
{
	(void)unused;
	static const char text[] =
	    "From here\n.dot\na = b \nthis line is rather long and has to be broken softly "
	    "somewhere after its seventieth character, caf\xc3\xa9\n";
	struct letter_envelope e = sound;
	AUTO_BUF m = { .max = 65536 }, body = { .max = 65536 }, crlf = { .max = 65536 };

	e.lang = LANG_EN;
	e.from_name = STR("koshin, \"the\" host");
	e.subject = STR("Only www.example.jp has no address");
	e.body = str_of(text);
	e.reply_to = STR("support@host.example");
	e.references = STR_NONE;
	assert_int_equal(words_message(&e, &m), ERR_OK);
	assert_lines(buf_str(&m));
	assert_true(str_starts(
	    buf_str(&m), STR("From: \"koshin, \\\"the\\\" host\" <koshin@host.example>\r\n")));
	assert_true(
	    str_find(buf_str(&m), STR("\r\nSubject: Only www.example.jp has no address\r\n")) !=
	    SIZE_MAX);
	assert_true(
	    str_find(buf_str(&m), STR("\r\nReply-To: <support@host.example>\r\n")) != SIZE_MAX);
	assert_true(str_find(buf_str(&m), STR("References:")) == SIZE_MAX);
	assert_true(str_find(buf_str(&m), STR("quoted-printable")) != SIZE_MAX);
	decode_quoted(body_of(buf_str(&m)), &body);
	for (const char *p = text; *p != '\0'; p++)
		buf_put_str(&crlf, *p == '\n' ? STR("\r\n") : (struct str){ p, 1 });
	assert_string_equal(body.p, crlf.p);
	e.from_name = STR_NONE;
	buf_clear(&m);
	assert_int_equal(words_message(&e, &m), ERR_OK);
	assert_true(str_starts(buf_str(&m), STR("From: <koshin@host.example>\r\n")));
}

/* Every length, so that each border of an encoded word is met: one, two, three and four bytes to a character. */
static void
subjects_of_every_length_are_read_back(void **unused)
{
	(void)unused;
	static const char *const characters[] = { "x", "é", "鍵", "🔒" };

	for (size_t n = 1; n < 160; n++)
		for (size_t k = 0; k < 4; k++) {
			struct letter_envelope e = sound;
			AUTO_BUF text = { .max = 4096 }, m = { .max = 65536 },
				 subject = { .max = 4096 };

			for (size_t i = 0; i < n; i++)
				buf_put_str(&text, str_of(characters[i == 0 ? 0 : k]));
			e.subject = buf_str(&text);
			assert_int_equal(words_message(&e, &m), ERR_OK);
			assert_lines(buf_str(&m));
			decode_header(buf_str(&m), STR("\r\nSubject: "), &subject);
			assert_string_equal(subject.p, text.p);
		}
}

static void
a_text_like_an_encoded_word_is_encoded(void **unused)
{
	(void)unused;
	struct letter_envelope e = sound;
	AUTO_BUF m = { .max = 65536 }, subject = { .max = 4096 };

	e.subject = STR("=?UTF-8?B?aGE=?=");
	assert_int_equal(words_message(&e, &m), ERR_OK);
	decode_header(buf_str(&m), STR("\r\nSubject: "), &subject);
	assert_string_equal(subject.p, "=?UTF-8?B?aGE=?=");
}

static void
nobody_writes_a_header_of_his_own(void **unused)
{
	(void)unused;
	static const struct str bad[] = { TEXT("a@b.jp\r\nBcc: c@d.jp"),
		TEXT("a@b.jp\nBcc: c@d.jp"), TEXT("a@b.jp\rx"), TEXT("a\0@b.jp"),
		TEXT("a@b.jp\t"), TEXT("a@b.jp\x7f") };
	static const struct str bad_address[] = { TEXT(""), TEXT("a"), TEXT("@b.jp"),
		TEXT("a@"), TEXT("a b@c.jp"), TEXT("a@b.jp>"), TEXT("<a@b.jp"),
		TEXT("a@b.jp,c@d.jp"), TEXT("a@b.jp;c"), TEXT("\xff@b.jp"),
		TEXT("\"x\"@b.jp") };
	enum { FIELDS = 7 };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		for (size_t field = 0; field < FIELDS; field++) {
			struct letter_envelope e = sound;
			struct str *fields[FIELDS] = { &e.from, &e.from_name, &e.to,
				&e.reply_to, &e.subject, &e.message_id, &e.references };
			AUTO_BUF m = { .max = 65536 };

			*fields[field] = bad[i];
			assert_int_equal(words_message(&e, &m), ERR_INVALID);
			assert_int_equal(m.n, 0);
		}
	for (size_t i = 0; i < sizeof bad_address / sizeof *bad_address; i++)
		for (size_t field = 0; field < 3; field++) {
			struct letter_envelope e = sound;
			struct str *fields[] = { &e.from, &e.to, &e.message_id };
			AUTO_BUF m = { .max = 65536 };

			*fields[field] = bad_address[i];
			assert_int_equal(words_message(&e, &m), ERR_INVALID);
		}
	struct letter_envelope e = sound;
	AUTO_BUF m = { .max = 65536 };
	e.subject = STR_NONE;
	assert_int_equal(words_message(&e, &m), ERR_INVALID);
	e = sound;
	e.date = WHEN_NEVER;
	assert_int_equal(words_message(&e, &m), ERR_INVALID);
	e = sound;
	e.body = STR("\xff");
	assert_int_equal(words_message(&e, &m), ERR_INVALID);
}

static void
a_message_that_is_too_long_is_an_error(void **unused)
{
	(void)unused;
	AUTO_BUF m = { .max = 200 };

	assert_int_equal(words_message(&sound, &m), ERR_TOO_LONG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_read_back),
		cmocka_unit_test(with_html_it_has_two_parts),
		cmocka_unit_test(english_stays_readable),
		cmocka_unit_test(subjects_of_every_length_are_read_back),
		cmocka_unit_test(a_text_like_an_encoded_word_is_encoded),
		cmocka_unit_test(nobody_writes_a_header_of_his_own),
		cmocka_unit_test(a_message_that_is_too_long_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
