#include "ports/mail/intake.h"
#include <gmime/gmime.h>
#include <libxml/HTMLparser.h>
#include <string.h>

enum {
	PARTS_MAX = 64, /* of one mail; deeper or wider ones are nobody's answer */
	DEPTH_MAX = 16,
};

/* --- text of others, made harmless --- */

static bool
is_kept(unsigned char c, bool is_text)
{
	return c >= 0x20 ? c != 0x7f : is_text && (c == '\n' || c == '\t');
}

/* The longest head of whole characters that has at most n bytes. */
static size_t
whole_characters(struct str s, size_t n)
{
	if (s.n <= n)
		return s.n;
	while (n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* A copy without control bytes; a line has none at all. Bytes that are no UTF-8 are replaced. */
static struct str
harmless(const char *text, size_t n, bool is_text, size_t most, bool *ret_cut, struct arena *a)
{
	AUTO_BUF out = { .max = INTAKE_BYTES_MAX * 4 };
	char *valid = text == NULL ? NULL : g_utf8_make_valid(text, (gssize)n);

	for (const char *p = valid; p != NULL && *p != '\0'; p++)
		if (is_kept((unsigned char)*p, is_text))
			buf_putc(&out, *p);
		else if (*p == '\n' || *p == '\t')
			buf_putc(&out, ' ');
	g_free(valid);
	struct str s = str_trim(buf_str(&out));
	size_t kept = whole_characters(s, most);

	if (ret_cut != NULL)
		*ret_cut = kept < s.n;
	return arena_str(a, (struct str){ s.p, kept });
}

static struct str
line_of(const char *text, struct arena *a)
{
	return harmless(text, text == NULL ? 0 : strlen(text), false, INTAKE_LINE_MAX, NULL, a);
}

/* --- parts --- */

static bool
is_type(GMimeObject *o, const char *type, const char *subtype)
{
	GMimeContentType *t = o == NULL ? NULL : g_mime_object_get_content_type(o);

	return t != NULL && g_mime_content_type_is_type(t, type, subtype);
}

static bool
is_attachment(GMimeObject *o)
{
	const char *d = g_mime_object_get_disposition(o);

	return d != NULL && g_ascii_strcasecmp(d, "attachment") == 0;
}

/* The content of a part, its transfer encoding undone; for g_free. */
static char *
bytes_of(GMimeObject *o, size_t *ret_n)
{
	GMimeDataWrapper *w = GMIME_IS_PART(o) ? g_mime_part_get_content(GMIME_PART(o)) : NULL;
	GMimeStream *memory = w == NULL ? NULL : g_mime_stream_mem_new();
	char *copy = NULL;

	*ret_n = 0;
	if (memory == NULL)
		return NULL;
	if (g_mime_data_wrapper_write_to_stream(w, memory) >= 0) {
		GByteArray *b = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory));

		copy = g_malloc((gsize)b->len + 1);
		if (b->len > 0)
			memcpy(copy, b->data, b->len);
		copy[b->len] = '\0';
		*ret_n = b->len;
	}
	g_object_unref(memory);
	return copy;
}

static GMimeObject *
find_part(GMimeObject *o, const char *type, const char *subtype, unsigned depth)
{
	if (o == NULL || depth > DEPTH_MAX)
		return NULL;
	if (GMIME_IS_MULTIPART(o)) {
		int n = g_mime_multipart_get_count(GMIME_MULTIPART(o));

		for (int i = 0; i < n && i < PARTS_MAX; i++) {
			GMimeObject *found = find_part(g_mime_multipart_get_part(GMIME_MULTIPART(o), i), type, subtype, depth + 1);

			if (found != NULL)
				return found;
		}
		return NULL;
	}
	return is_type(o, type, subtype) && !is_attachment(o) ? o : NULL;
}

/* --- what was written --- */

/* What a browser would not show is no text. */
static bool
is_hidden(const xmlNode *n)
{
	static const char *const hidden[] = { "style", "script", "head", "title" };

	for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
		if (xmlStrcasecmp(n->name, (const xmlChar *)hidden[i]) == 0)
			return true;
	return false;
}

static bool
is_block(const xmlNode *n)
{
	static const char *const blocks[] = { "p", "br", "div", "li", "tr", "h1", "h2", "h3", "blockquote" };

	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
		if (xmlStrcasecmp(n->name, (const xmlChar *)blocks[i]) == 0)
			return true;
	return false;
}

/* In document order, without recursion: pages nest as deep as their writer likes. */
static const xmlNode *
next_node(const xmlNode *n, bool goes_in)
{
	if (goes_in && n->children != NULL)
		return n->children;
	while (n != NULL && n->next == NULL)
		n = n->parent;
	return n == NULL ? NULL : n->next;
}

static void
put_page(const char *html, size_t n, struct buf *out)
{
	int options = HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET;
	htmlDocPtr page = htmlReadMemory(html, (int)n, NULL, "UTF-8", options);
	const xmlNode *at = page == NULL ? NULL : xmlDocGetRootElement(page);

	while (at != NULL) {
		bool goes_in = at->type == XML_ELEMENT_NODE && !is_hidden(at);

		if (at->type == XML_TEXT_NODE && at->content != NULL)
			buf_put_str(out, str_of((const char *)at->content));
		if (at->type == XML_ELEMENT_NODE && is_block(at))
			buf_putc(out, '\n');
		at = next_node(at, goes_in);
	}
	xmlFreeDoc(page);
}

/* Both ends of a line, and no more than one empty line in a row. */
static void
put_lines(const char *text, size_t n, struct buf *out)
{
	struct str rest = { text, n };
	unsigned empty = 0;

	while (rest.n > 0) {
		struct str line = str_cut(&rest, '\n');

		while (line.n > 0 && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
			line.n--;
		empty = line.n == 0 ? empty + 1 : 0;
		if (empty > 1)
			continue;
		buf_put_str(out, line);
		buf_putc(out, '\n');
	}
}

static void
read_text(GMimeMessage *m, struct arena *a, struct intake *ret)
{
	GMimeObject *root = g_mime_message_get_mime_part(m);
	GMimeObject *plain = find_part(root, "text", "plain", 0);
	GMimeObject *html = plain == NULL ? find_part(root, "text", "html", 0) : NULL;
	AUTO_BUF page = { .max = INTAKE_BYTES_MAX * 4 }, lines = { .max = INTAKE_BYTES_MAX * 4 };
	GMimeObject *part = plain != NULL ? plain : html;
	char *text = part != NULL && GMIME_IS_TEXT_PART(part) ? g_mime_text_part_get_text(GMIME_TEXT_PART(part)) : NULL;

	if (text == NULL)
		return;
	if (html != NULL) {
		put_page(text, strlen(text), &page);
		put_lines(buf_str(&page).p, page.n, &lines);
	} else {
		put_lines(text, strlen(text), &lines);
	}
	g_free(text);
	ret->text = harmless(buf_str(&lines).p, lines.n, true, INTAKE_TEXT_MAX, &ret->is_cut, a);
}

/* --- what it speaks of --- */

static void
add_reference(struct intake *ret, const char *id, struct arena *a)
{
	struct str s = str_trim(line_of(id, a));

	if (s.n == 0 || ret->references_n >= INTAKE_REFERENCES_MAX)
		return;
	for (size_t i = 0; i < ret->references_n; i++)
		if (str_eq(ret->references[i], s))
			return;
	ret->references[ret->references_n++] = s;
}

/* The newest of References stands last (RFC 5322 3.6.4). */
static void
add_references(struct intake *ret, const char *header, struct arena *a)
{
	GMimeReferences *r = header == NULL ? NULL : g_mime_references_parse(NULL, header);

	for (int i = r == NULL ? 0 : g_mime_references_length(r); i > 0; i--)
		add_reference(ret, g_mime_references_get_message_id(r, i - 1), a);
	if (r != NULL)
		g_mime_references_free(r);
}

static struct str
header_line(struct str headers, struct str name)
{
	while (headers.n > 0) {
		struct str line = str_trim(str_cut(&headers, '\n')), key = str_cut(&line, ':');

		if (str_eq_nocase(str_trim(key), name))
			return str_trim(line);
	}
	return STR_NONE;
}

/* --- what a mail server says (RFC 3464) --- */

/* Folded lines in one; the fields of all recipients in one list, the first of each name counts. */
static char *
unfolded(GMimeObject *status)
{
	size_t n, to = 0;
	char *text = bytes_of(status, &n);

	for (size_t i = 0; text != NULL && i < n; i++) {
		if (text[i] == '\r')
			continue;
		if (text[i] == '\n' && i + 1 < n && (text[i + 1] == ' ' || text[i + 1] == '\t'))
			continue;
		text[to++] = text[i] == '\0' ? ' ' : text[i];
	}
	if (text != NULL)
		text[to] = '\0';
	return text;
}

/* "rfc822; hana@example.jp" */
static struct str
after_type(struct str s)
{
	struct str rest = s, type = str_cut(&rest, ';');

	return rest.n > 0 ? str_trim(rest) : str_trim(type);
}

static bool
read_report(GMimeMessage *m, struct arena *a, struct intake *ret)
{
	GMimeObject *root = g_mime_message_get_mime_part(m);
	GMimeObject *part = is_type(root, "multipart", "report") ? find_part(root, "message", "delivery-status", 0) : NULL;
	char *text = part == NULL ? NULL : unfolded(part);

	if (text == NULL)
		return false;
	struct str fields = str_of(text), action = header_line(fields, STR("Action"));
	struct str recipient = after_type(header_line(fields, STR("Final-Recipient")));
	struct str status = header_line(fields, STR("Status")), words = after_type(header_line(fields, STR("Diagnostic-Code")));

	ret->recipient = harmless(recipient.p, recipient.n, false, INTAKE_LINE_MAX, NULL, a);
	ret->status = harmless(status.p, status.n, false, 16, NULL, a);
	ret->words = harmless(words.p, words.n, false, INTAKE_LINE_MAX, NULL, a);
	/* Success, relayed and expanded are good news, and no person's. */
	ret->kind = str_eq_nocase(action, STR("failed"))    ? INTAKE_BOUNCE
		    : str_eq_nocase(action, STR("delayed")) ? INTAKE_DELAYED
							    : INTAKE_AUTOMATIC;
	g_free(text);
	GMimeObject *whole = find_part(root, "message", "rfc822", 0);
	GMimeMessage *letter =
	    whole != NULL && GMIME_IS_MESSAGE_PART(whole) ? g_mime_message_part_get_message(GMIME_MESSAGE_PART(whole)) : NULL;
	if (letter != NULL)
		add_reference(ret, g_mime_message_get_message_id(letter), a);
	GMimeObject *heads = find_part(root, "text", "rfc822-headers", 0);
	char *lines = heads == NULL ? NULL : unfolded(heads);
	if (lines != NULL) {
		struct str id = arena_str(a, header_line(str_of(lines), STR("Message-ID")));

		add_references(ret, arena_strf(a, "%.*s", STR_ARG(id)).p, a);
	}
	g_free(lines);
	return true;
}

/* --- who wrote --- */

static bool
is_automatic(GMimeMessage *m)
{
	static const struct {
		const char *header, *prefix; /* NULL: any value */
	} marks[] = { { "Precedence", "bulk" }, { "Precedence", "junk" }, { "Precedence", "list" }, { "X-Autoreply", NULL },
		{ "X-Autorespond", NULL }, { "Return-Path", "<>" }, { "List-Id", NULL } };
	const char *submitted = g_mime_object_get_header(GMIME_OBJECT(m), "Auto-Submitted");

	if (submitted != NULL && g_ascii_strncasecmp(submitted, "no", 2) != 0)
		return true;
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
		const char *v = g_mime_object_get_header(GMIME_OBJECT(m), marks[i].header);

		if (v != NULL && (marks[i].prefix == NULL || g_ascii_strncasecmp(v, marks[i].prefix, strlen(marks[i].prefix)) == 0))
			return true;
	}
	return false;
}

static struct str
writer_of(GMimeMessage *m, struct arena *a)
{
	InternetAddressList *l = g_mime_message_get_from(m);
	InternetAddress *first = l == NULL || internet_address_list_length(l) == 0 ? NULL : internet_address_list_get_address(l, 0);

	if (first == NULL || !INTERNET_ADDRESS_IS_MAILBOX(first))
		return STR_NONE;
	return line_of(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(first)), a);
}

/* GMime goes down into each part in a frame of its own. */
static bool
is_too_deep(struct str message)
{
	static const char word[] = "multipart/";
	size_t parts = 0;

	for (size_t i = 0; i + sizeof word <= message.n; i++)
		parts += g_ascii_strncasecmp(message.p + i, word, sizeof word - 1) == 0;
	for (size_t i = 0; i + 14 <= message.n; i++)
		parts += g_ascii_strncasecmp(message.p + i, "message/rfc822", 14) == 0;
	return parts > PARTS_MAX;
}

static void
read_message(GMimeMessage *m, struct arena *a, struct intake *ret)
{
	ret->from = writer_of(m, a);
	ret->subject = line_of(g_mime_message_get_subject(m), a);
	ret->message_id = line_of(g_mime_message_get_message_id(m), a);
	if (read_report(m, a, ret))
		return;
	add_references(ret, g_mime_object_get_header(GMIME_OBJECT(m), "In-Reply-To"), a);
	add_references(ret, g_mime_object_get_header(GMIME_OBJECT(m), "References"), a);
	ret->kind = is_automatic(m) || ret->from.n == 0 ? INTAKE_AUTOMATIC : INTAKE_ANSWER;
	if (ret->kind == INTAKE_ANSWER)
		read_text(m, a, ret);
}

enum err
intake_read(struct str message, struct arena *a, struct intake *ret, struct why *why)
{
	*ret = (struct intake){ .kind = INTAKE_AUTOMATIC };
	if (message.n > INTAKE_BYTES_MAX) {
		why_set(why, "the mail has %zu bytes; at most %d are read", message.n, (int)INTAKE_BYTES_MAX);
		return ERR_TOO_LONG;
	}
	if (is_too_deep(message)) {
		why_set(why, "the mail has more than %d parts", (int)PARTS_MAX);
		return ERR_INVALID;
	}
	g_mime_init();
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(message.p, message.n);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *m = g_mime_parser_construct_message(parser, NULL);

	if (m != NULL)
		read_message(m, a, ret);
	bool is_mail = m != NULL && (ret->from.n > 0 || ret->message_id.n > 0 || ret->references_n > 0);
	if (m != NULL)
		g_object_unref(m);
	g_object_unref(parser);
	g_object_unref(stream);
	if (!is_mail) {
		why_set(why, "this is no mail: it has no From, no Message-ID and speaks of no letter");
		return ERR_INVALID;
	}
	return arena_failed(a) ? ERR_MEMORY : ERR_OK;
}
