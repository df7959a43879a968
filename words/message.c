/*
 * A letter as a message: RFC 5322 headers, RFC 2047 encoded words, RFC 2045 body. Every value that becomes a header
 * passes one gate that refuses CR, LF, NUL and all other control bytes, so that nobody writes a header of his own.
 */
#include <string.h>
#include "words/words.h"

enum {
	ENCODED_LINE_MAX = 76, /* RFC 2047 2: a line with an encoded word */
	ENCODED_WORD_MAX = 75,
	ENCODED_AROUND = 12, /* "=?UTF-8?B?" and "?=" */
	LINE_WANTED = 76,
	QUOTED_NAME_MAX = 30, /* with an address beside it on the line */
};

static bool
is_header_value(struct str s)
{
	return str_is_line(s) && str_is_utf8(s);
}

static bool
is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

bool
words_is_address(struct str s)
{
	size_t at = str_find(s, STR("@"));

	if (s.n == 0 || s.n > 320 || at == SIZE_MAX || at == 0 || at + 1 == s.n ||
	    !is_header_value(s))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (strchr(" <>,;:\"()[]\\", s.p[i]) != NULL &&
		    !(i > at && strchr(":[]", s.p[i]) != NULL))
			return false;
	return true;
}

static void
put_base64(struct str s, struct buf *out)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < s.n; i += 3) {
		unsigned b[3] = { 0 };
		char four[4];

		for (size_t k = 0; k < 3 && i + k < s.n; k++)
			b[k] = (unsigned char)s.p[i + k];
		four[0] = digits[b[0] >> 2];
		four[1] = digits[(b[0] & 3) << 4 | b[1] >> 4];
		four[2] = i + 1 < s.n ? digits[(b[1] & 15) << 2 | b[2] >> 6] : '=';
		four[3] = i + 2 < s.n ? digits[b[2] & 63] : '=';
		buf_put(out, four, sizeof four);
	}
}

/* Encoded words of whole characters, each on a line of its own; column: where the first one begins. */
static void
put_encoded(struct str s, size_t column, struct buf *out)
{
	for (bool is_first = true; s.n > 0; is_first = false) {
		size_t room = (is_first ? ENCODED_LINE_MAX - column : ENCODED_WORD_MAX - 1) -
			      ENCODED_AROUND;
		size_t most = room / 4 * 3, n = 0;

		while (n < s.n) {
			size_t next = n + 1;

			while (next < s.n && ((unsigned char)s.p[next] & 0xc0) == 0x80)
				next++;
			if (next > most)
				break;
			n = next;
		}
		if (!is_first)
			buf_put_str(out, STR("\r\n "));
		buf_put_str(out, STR("=?UTF-8?B?"));
		put_base64((struct str){ s.p, n }, out);
		buf_put_str(out, STR("?="));
		s.p += n;
		s.n -= n;
	}
}

/* Unstructured text: plain where it is short ASCII that nobody can take for an encoded word. */
static void
put_text_header(struct str name, struct str value, struct buf *out)
{
	buf_put_str(out, name);
	buf_put_str(out, STR(": "));
	if (is_ascii(value) && value.n + name.n + 2 <= LINE_WANTED &&
	    str_find(value, STR("=?")) == SIZE_MAX)
		buf_put_str(out, value);
	else
		put_encoded(value, name.n + 2, out);
	buf_put_str(out, STR("\r\n"));
}

static void
put_header(struct str name, struct str value, struct buf *out)
{
	buf_put_str(out, name);
	buf_put_str(out, STR(": "));
	buf_put_str(out, value);
	buf_put_str(out, STR("\r\n"));
}

static void
put_quoted_string(struct str s, struct buf *out)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_putc(out, '\\');
		buf_putc(out, s.p[i]);
	}
	buf_putc(out, '"');
}

static void
put_from(struct str name, struct str address, struct buf *out)
{
	buf_put_str(out, STR("From: "));
	if (is_ascii(name) && name.n > 0 && name.n <= QUOTED_NAME_MAX) {
		put_quoted_string(name, out);
		buf_putc(out, ' ');
	} else if (name.n > 0) {
		put_encoded(name, 6, out);
		buf_put_str(out, STR("\r\n "));
	}
	buf_put_str(out, STR("<"));
	buf_put_str(out, address);
	buf_put_str(out, STR(">\r\n"));
}

static void
put_id_header(struct str name, struct str id, struct buf *out)
{
	buf_put_str(out, name);
	buf_put_str(out, STR(": <"));
	buf_put_str(out, id);
	buf_put_str(out, STR(">\r\n"));
}

static void
put_date_header(struct when w, struct buf *out)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	struct civil c = when_civil(w);

	buf_putf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", days[c.weekday], c.day,
	    months[c.month - 1], c.year, c.hour, c.minute, c.second);
}

/* ---- body ---- */

/* Japanese is shorter in base64; English stays readable in quoted-printable (RFC 2045 6.7). */
static bool
is_mostly_ascii(struct str s)
{
	size_t high = 0;

	for (size_t i = 0; i < s.n; i++)
		high += (unsigned char)s.p[i] >= 0x80;
	return high < s.n / 6;
}

static void
put_crlf(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n')
			buf_putc(out, '\r');
		if (s.p[i] != '\r')
			buf_putc(out, s.p[i]);
	}
}

static void
put_base64_body(struct str body, struct buf *out)
{
	AUTO_BUF text = { .max = LIMIT_LETTER_BYTES };

	put_crlf(body, &text);
	if (text.err != ERR_OK)
		out->err = out->err == ERR_OK ? text.err : out->err;
	for (size_t i = 0; text.err == ERR_OK && i < text.n; i += LINE_WANTED / 4 * 3) {
		size_t n = text.n - i;

		put_base64((struct str){ text.p + i,
			       n < LINE_WANTED / 4 * 3 ? n : LINE_WANTED / 4 * 3 },
		    out);
		buf_put_str(out, STR("\r\n"));
	}
}

static void
put_quoted_body(struct str body, struct buf *out)
{
	size_t column = 0;

	for (size_t i = 0; i < body.n; i++) {
		unsigned char c = (unsigned char)body.p[i];
		bool is_end = i + 1 == body.n || body.p[i + 1] == '\n';
		/* Also a leading dot and "From ", which a relay might touch. */
		bool is_escaped = c >= 0x7f || c == '=' || (c < 0x20) || (c == ' ' && is_end) ||
				  (column == 0 && (c == '.' || c == 'F'));

		if (c == '\r')
			continue;
		if (c == '\n') {
			buf_put_str(out, STR("\r\n"));
			column = 0;
			continue;
		}
		if (column + (is_escaped ? 3 : 1) > LINE_WANTED - 1) {
			buf_put_str(out, STR("=\r\n"));
			column = 0;
		}
		if (is_escaped)
			buf_putf(out, "=%02X", c);
		else
			buf_putc(out, (char)c);
		column += is_escaped ? 3 : 1;
	}
	if (column > 0)
		buf_put_str(out, STR("\r\n"));
}

/* ---- message ---- */

static bool
is_sendable(const struct letter_envelope *e)
{
	if (!words_is_address(e->from) || !words_is_address(e->to) || !words_is_address(e->message_id) ||
	    !when_is_known(e->date))
		return false;
	if ((e->reply_to.n > 0 && !words_is_address(e->reply_to)) ||
	    (e->references.n > 0 && !words_is_address(e->references)))
		return false;
	return is_header_value(e->from_name) && is_header_value(e->subject) &&
	       e->subject.n > 0 && str_is_utf8(e->body) && str_is_utf8(e->html);
}

static void
put_part(struct str type, struct str lang, struct str text, struct buf *ret)
{
	bool is_quoted = is_mostly_ascii(text);

	buf_put_str(ret, STR("Content-Type: "));
	buf_put_str(ret, type);
	buf_put_str(ret, STR("; charset=utf-8\r\n"));
	if (lang.n > 0)
		put_header(STR("Content-Language"), lang, ret);
	put_header(STR("Content-Transfer-Encoding"), is_quoted ? STR("quoted-printable") : STR("base64"), ret);
	buf_put_str(ret, STR("\r\n"));
	if (is_quoted)
		put_quoted_body(text, ret);
	else
		put_base64_body(text, ret);
}

/* Neither encoding can make a line that begins with it: "=_" is in no base64 and no quoted-printable text (RFC 2045 6.7). */
static const char boundary[] = "=_koshin_alternative";

static void
put_alternatives(const struct letter_envelope *e, struct buf *ret)
{
	buf_putf(ret, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n", boundary);
	put_header(STR("Content-Language"), str_of(lang_name(e->lang)), ret);
	buf_putf(ret, "\r\n--%s\r\n", boundary);
	put_part(STR("text/plain"), STR_NONE, e->body, ret);
	buf_putf(ret, "--%s\r\n", boundary);
	put_part(STR("text/html"), STR_NONE, e->html, ret);
	buf_putf(ret, "--%s--\r\n", boundary);
}

enum err
words_message(const struct letter_envelope *e, struct buf *ret)
{
	if (!is_sendable(e))
		return ERR_INVALID;
	put_from(e->from_name, e->from, ret);
	put_id_header(STR("To"), e->to, ret);
	if (e->reply_to.n > 0)
		put_id_header(STR("Reply-To"), e->reply_to, ret);
	put_text_header(STR("Subject"), e->subject, ret);
	put_date_header(e->date, ret);
	put_id_header(STR("Message-ID"), e->message_id, ret);
	if (e->references.n > 0) {
		put_id_header(STR("In-Reply-To"), e->references, ret);
		put_id_header(STR("References"), e->references, ret);
	}
	/* RFC 3834 5: no out-of-office answers; a person's answer is welcome all the same. */
	put_header(STR("Auto-Submitted"), STR("auto-generated"), ret);
	put_header(STR("MIME-Version"), STR("1.0"), ret);
	if (e->html.n > 0)
		put_alternatives(e, ret);
	else
		put_part(STR("text/plain"), str_of(lang_name(e->lang)), e->body, ret);
	return ret->err;
}
