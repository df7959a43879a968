/*
 * The public suffix list is the one that is built into libpsl (psl_builtin): Debian makes it from the
 * package publicsuffix, it needs no file and no lock, and all processes agree on it.
 */
#include "ports/names/names.h"

#include <idn2.h>
#include <libpsl.h>
#include <string.h>

#include "base/limits.h"

/* Longest input that is looked at: 253 characters of at most 4 bytes. */
enum { TYPED_BYTES_MAX = LIMIT_NAME_BYTES * 4 };
#define AUTO_IDN __attribute__((cleanup(idn_release))) char

static void
idn_release(char **p)
{
	idn2_free(*p);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Copies s in lower case; the three other full stops that input methods give become dots (UTS 46, 4.5 note 1). */
static void
put_normal(struct buf *b, struct str s)
{
	static const char *const stops[] = { "\xe3\x80\x82", "\xef\xbc\x8e", "\xef\xbd\xa1" };

	for (size_t i = 0; i < s.n;) {
		struct str rest = { s.p + i, s.n - i };
		bool is_stop = false;

		for (size_t k = 0; k < sizeof stops / sizeof stops[0]; k++)
			is_stop = is_stop || str_starts(rest, str_of(stops[k]));
		buf_putc(b, is_stop ? '.' : lower(s.p[i]));
		i += is_stop ? 3 : 1;
	}
}

/* Ideographic space and no-break space come along when a name is copied from a page. */
static struct str
trim(struct str s)
{
	static const char *const spaces[] = { "\xe3\x80\x80", "\xc2\xa0", "\xef\xbb\xbf" };

	for (size_t k = 0; k < sizeof spaces / sizeof spaces[0];) {
		struct str space = str_of(spaces[k]);

		s = str_trim(s);
		if (str_starts(s, space))
			s = (struct str){ s.p + space.n, s.n - space.n };
		else if (str_ends(s, space))
			s.n -= space.n;
		else
			k++;
	}
	return str_trim(s);
}

static bool
is_ipv4(struct str s)
{
	unsigned parts = 0;

	for (; s.p != NULL; parts++) {
		struct str part = str_cut(&s, '.');

		for (size_t i = 0; i < part.n; i++)
			if (!is_digit(part.p[i]))
				return false;
		if (part.n == 0 || part.n > 3)
			return false;
	}
	return parts == 4;
}

static bool
is_ipv6(struct str s)
{
	unsigned colons = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = lower(s.p[i]);

		colons += c == ':';
		if (!is_digit(c) && !(c >= 'a' && c <= 'f') && strchr(":.[]", c) == NULL)
			return false;
	}
	return colons >= 2;
}

/* What people paste in place of a host name; says so in their terms rather than "character ':'". */
static enum err
refuse_other_kinds(struct str s, struct why *why)
{
	if (s.n == 0) {
		why_set(why, "the name is empty; expected a host name such as www.example.jp");
		return ERR_INVALID;
	}
	if (!str_is_utf8(s)) {
		why_set(why, "the name is not valid UTF-8 text");
		return ERR_INVALID;
	}
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) {
			why_set(why,
			    "a control character (byte 0x%02x) at position %zu; expected "
			    "letters, digits, hyphens and dots",
			    (unsigned char)s.p[i], i + 1);
			return ERR_INVALID;
		}
	}
	if (str_find(s, STR("://")) != SIZE_MAX || memchr(s.p, '/', s.n) != NULL) {
		why_set(why,
		    "\"%.*s\" is a web address (URL); expected the host name alone, such as "
		    "www.example.jp",
		    STR_ARG(s));
		return ERR_INVALID;
	}
	if (memchr(s.p, '@', s.n) != NULL) {
		why_set(why,
		    "\"%.*s\" is a mail address; expected a host name such as www.example.jp",
		    STR_ARG(s));
		return ERR_INVALID;
	}
	if (is_ipv4(s) || is_ipv6(s)) {
		why_set(why,
		    "\"%.*s\" is an IP address; expected a host name such as www.example.jp",
		    STR_ARG(s));
		return ERR_INVALID;
	}
	if (memchr(s.p, ':', s.n) != NULL) {
		why_set(why,
		    "\"%.*s\" has a port; expected the host name alone, without ':' and number",
		    STR_ARG(s));
		return ERR_INVALID;
	}
	return ERR_OK;
}

static enum err
check_characters(struct str s, struct why *why)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == ' ') {
			why_set(why,
			    "a space at position %zu; expected one host name without spaces",
			    i + 1);
			return ERR_INVALID;
		}
		if (c < 0x80 && !is_digit((char)c) && !(c >= 'a' && c <= 'z') && c != '-' &&
		    c != '.') {
			why_set(why,
			    "the character '%c' at position %zu cannot be in a host name; "
			    "expected letters, digits, hyphens and dots",
			    c, i + 1);
			return ERR_INVALID;
		}
	}
	return ERR_OK;
}

static enum err
check_dots(struct str s, struct why *why)
{
	if (s.n == 0 || s.p[0] == '.') {
		why_set(
		    why, "the name begins with a dot; expected a letter or digit before it");
		return ERR_INVALID;
	}
	if (s.p[s.n - 1] == '.') {
		why_set(why, "the name ends in a dot; expected it without the last dot");
		return ERR_INVALID;
	}
	size_t at = str_find(s, STR(".."));
	if (at != SIZE_MAX) {
		why_set(why, "two dots in a row at position %zu; expected one", at + 1);
		return ERR_INVALID;
	}
	return ERR_OK;
}

/* A punycode label must decode, and encode to itself again: else two spellings would name one host. */
static enum err
check_punycode(struct str label, struct why *why)
{
	char text[LIMIT_LABEL_BYTES + 1];
	AUTO_IDN *unicode = NULL, *ascii = NULL;

	memcpy(text, label.p, label.n);
	text[label.n] = '\0';
	if (idn2_to_unicode_8z8z(text, &unicode, 0) != IDN2_OK ||
	    idn2_to_ascii_8z(unicode, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) !=
		IDN2_OK ||
	    strcmp(ascii, text) != 0 || strcmp(unicode, text) == 0) {
		why_set(why, "\"%.*s\" is not a valid international label (punycode)",
		    STR_ARG(label));
		return ERR_INVALID;
	}
	return ERR_OK;
}

static enum err
check_label(struct str label, struct why *why)
{
	if (label.n > LIMIT_LABEL_BYTES) {
		why_set(why,
		    "the part \"%.20s…\" has %zu characters; at most %d are allowed between "
		    "two dots",
		    label.p, label.n, LIMIT_LABEL_BYTES);
		return ERR_INVALID;
	}
	if (label.p[0] == '-' || label.p[label.n - 1] == '-') {
		why_set(why,
		    "the part \"%.*s\" begins or ends with a hyphen; expected a letter or "
		    "digit there",
		    STR_ARG(label));
		return ERR_INVALID;
	}
	if (label.n >= 4 && label.p[2] == '-' && label.p[3] == '-') {
		if (str_starts(label, STR("xn--")))
			return check_punycode(label, why);
		why_set(why,
		    "the part \"%.*s\" has hyphens as its third and fourth character, which is "
		    "reserved",
		    STR_ARG(label));
		return ERR_INVALID;
	}
	return ERR_OK;
}

static enum err
check_labels(struct str name, struct why *why)
{
	struct str rest = name;
	unsigned labels = 0;

	if (name.n > LIMIT_NAME_BYTES) {
		why_set(why, "the name has %zu characters; at most %d are allowed", name.n,
		    LIMIT_NAME_BYTES);
		return ERR_INVALID;
	}
	for (; rest.p != NULL; labels++) {
		enum err e = check_label(str_cut(&rest, '.'), why);

		if (e != ERR_OK)
			return e;
	}
	if (labels > LIMIT_NAME_LABELS) {
		why_set(why, "the name has %u parts; at most %d are allowed", labels,
		    LIMIT_NAME_LABELS);
		return ERR_INVALID;
	}
	if (labels < 2) {
		why_set(why,
		    "\"%.*s\" has no dot; expected a domain with its ending, such as %.*s.jp",
		    STR_ARG(name), STR_ARG(name));
		return ERR_INVALID;
	}
	return ERR_OK;
}

/* name is terminated. */
static enum err
check_suffix(const char *name, struct why *why)
{
	const psl_ctx_t *psl = psl_builtin();
	const int type = PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE;

	if (psl_is_public_suffix2(psl, name, type)) {
		why_set(why,
		    "\"%s\" is an ending under which domains are registered; expected a domain "
		    "such as example.%s",
		    name, name);
		return ERR_INVALID;
	}
	for (const char *dot = strchr(name, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
		if (psl_is_public_suffix2(psl, dot + 1, type))
			return ERR_OK;
	why_set(why,
	    "\"%s\" is under no known ending; expected a public domain ending such as .jp or "
	    ".com",
	    strrchr(name, '.'));
	return ERR_INVALID;
}

/* Lower case and A-labels, dots in place. s has no other ASCII than host names have. */
static enum err
to_ascii(struct str s, struct buf *out, struct why *why)
{
	char text[TYPED_BYTES_MAX + 1];
	AUTO_IDN *ascii = NULL;

	if (is_ascii(s)) {
		buf_put_str(out, s);
		return out->err;
	}
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	int rc = idn2_to_ascii_8z(text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (rc != IDN2_OK) {
		if (rc == IDN2_MALLOC)
			return ERR_MEMORY;
		why_set(why, "\"%.*s\" cannot be an international domain name: %s", STR_ARG(s),
		    idn2_strerror(rc));
		return ERR_INVALID;
	}
	put_normal(out, str_of(ascii));
	return out->err;
}

static enum err
read_wildcard(struct str *s, bool allow_wildcard, struct why *why)
{
	if (s->n == 0 || memchr(s->p, '*', s->n) == NULL)
		return ERR_OK;
	if (!str_starts(*s, STR("*.")) || memchr(s->p + 1, '*', s->n - 1) != NULL) {
		why_set(why, "'*' can only be the whole first part, as in *.example.jp");
		return ERR_INVALID;
	}
	if (!allow_wildcard) {
		why_set(why, "a wildcard name (*.) cannot be used here; expected a host name "
			     "such as www.example.jp");
		return ERR_INVALID;
	}
	*s = (struct str){ s->p + 2, s->n - 2 };
	return ERR_OK;
}

static enum err
read_host(struct str typed, bool allow_wildcard, struct buf *out, struct why *why)
{
	AUTO_BUF normal = { .max = TYPED_BYTES_MAX + 1 };
	struct str s = trim(typed);
	enum err e;

	if (s.n > TYPED_BYTES_MAX) {
		why_set(why, "the name has %zu bytes; at most %d characters are allowed", s.n,
		    LIMIT_NAME_BYTES);
		return ERR_INVALID;
	}
	e = refuse_other_kinds(s, why);
	if (e != ERR_OK)
		return e;
	put_normal(&normal, s);
	if (normal.err != ERR_OK)
		return normal.err;
	s = buf_str(&normal);
	e = read_wildcard(&s, allow_wildcard, why);
	if (e == ERR_OK && s.p != buf_str(&normal).p)
		buf_put_str(out, STR("*."));
	if (e == ERR_OK)
		e = check_dots(s, why);
	if (e == ERR_OK)
		e = check_characters(s, why);
	if (e == ERR_OK)
		e = to_ascii(s, out, why);
	if (e != ERR_OK)
		return e;

	/* Mapping may have made new dots, digits or forbidden characters out of full-width ones. */
	struct str name = buf_str(out);
	if (str_starts(name, STR("*.")))
		name = (struct str){ name.p + 2, name.n - 2 };
	e = check_dots(name, why);
	if (e == ERR_OK)
		e = check_characters(name, why);
	if (e == ERR_OK)
		e = refuse_other_kinds(name, why);
	if (e == ERR_OK)
		e = check_labels(name, why);
	return e == ERR_OK ? check_suffix(name.p, why) : e;
}

enum err
names_read(
    struct str typed, bool allow_wildcard, struct arena *a, struct why *why, struct str *ret)
{
	AUTO_BUF out = { .max = TYPED_BYTES_MAX * 4 };

	enum err e = read_host(typed, allow_wildcard, &out, why);
	if (e != ERR_OK)
		return e;
	struct str name = arena_str(a, buf_str(&out));
	if (name.p == NULL)
		return ERR_MEMORY;
	*ret = name;
	return ERR_OK;
}

struct str
names_for_people(struct str ascii, struct arena *a)
{
	char text[LIMIT_NAME_BYTES + 1];
	AUTO_IDN *unicode = NULL;

	if (ascii.n == 0 || ascii.n > LIMIT_NAME_BYTES ||
	    str_find(ascii, STR("xn--")) == SIZE_MAX)
		return ascii;
	bool is_wildcard = str_starts(ascii, STR("*."));
	struct str name = is_wildcard ? (struct str){ ascii.p + 2, ascii.n - 2 } : ascii;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	if (idn2_to_unicode_8z8z(text, &unicode, 0) != IDN2_OK)
		return ascii;
	struct str s = arena_strf(a, "%s%s", is_wildcard ? "*." : "", unicode);
	return s.p != NULL ? s : ascii;
}

struct str
names_registered_domain(struct str ascii)
{
	char text[LIMIT_NAME_BYTES + 1];

	if (str_starts(ascii, STR("*.")))
		ascii = (struct str){ ascii.p + 2, ascii.n - 2 };
	if (ascii.n == 0 || ascii.n > LIMIT_NAME_BYTES)
		return STR_NONE;
	memcpy(text, ascii.p, ascii.n);
	text[ascii.n] = '\0';
	const char *domain = psl_registrable_domain(psl_builtin(), text);
	if (domain == NULL)
		return STR_NONE;
	size_t skip = (size_t)(domain - text);
	return (struct str){ ascii.p + skip, ascii.n - skip };
}

/* The part before "@": RFC 5321 dot-string in ASCII; quoted forms are refused, nobody's real address has one. */
static bool
is_local_part(struct str s)
{
	if (s.n == 0 || s.n > 64 || s.p[0] == '.' || s.p[s.n - 1] == '.' ||
	    str_find(s, STR("..")) != SIZE_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c <= ' ' || c >= 0x7f || strchr("()<>[],;:\\\"@", c) != NULL)
			return false;
	}
	return true;
}

enum err
names_read_mail(struct str typed, struct arena *a, struct why *why, struct str *ret)
{
	AUTO_BUF out = { .max = TYPED_BYTES_MAX * 4 };
	struct str domain = trim(typed);

	if (domain.n == 0) {
		why_set(why, "the mail address is empty; expected one such as name@example.jp");
		return ERR_INVALID;
	}
	if (memchr(domain.p, '@', domain.n) == NULL || !str_is_utf8(domain)) {
		why_set(
		    why, "the mail address has no \"@\"; expected one such as name@example.jp");
		return ERR_INVALID;
	}
	struct str local = str_cut(&domain, '@');
	if (domain.n == 0 || memchr(domain.p, '@', domain.n) != NULL) {
		why_set(why, "the mail address needs one \"@\" with a domain after it, such as "
			     "name@example.jp");
		return ERR_INVALID;
	}
	if (!is_local_part(local)) {
		why_set(why, "the part before \"@\" has a character or a length that mail "
			     "addresses cannot have");
		return ERR_INVALID;
	}
	if (domain.p[0] == ' ' || domain.p[0] == '\t') {
		why_set(why,
		    "a space after \"@\"; expected a mail address such as name@example.jp");
		return ERR_INVALID;
	}
	if (str_eq_nocase(domain, STR("localhost"))) {
		buf_put_str(&out, STR("localhost"));
	} else {
		enum err e = read_host(domain, false, &out, why);
		if (e != ERR_OK)
			return e;
	}
	if (out.err != ERR_OK)
		return out.err;
	struct str mail = arena_strf(a, "%.*s@%s", STR_ARG(local), out.p);
	if (mail.p == NULL)
		return ERR_MEMORY;
	*ret = mail;
	return ERR_OK;
}
