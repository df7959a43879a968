/*
 * A reader of HTML that knows tags, attributes, comments, and elements whose inside is no markup (HTML Living Standard 13.1.2). It does not
 * know scripts: what these load is not found.
 */
#include "core/mixed.h"

enum { ATTRIBUTES_MAX = 64 }; /* of one tag; a longer one is passed over */

struct attribute {
	struct str name, value;
};
struct tag {
	struct str name;
	struct attribute at[ATTRIBUTES_MAX];
	size_t n;
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void
skip(struct str *s, size_t n)
{
	n = n < s->n ? n : s->n;
	*s = (struct str){ s->p + n, s->n - n };
}

static void
skip_spaces(struct str *s)
{
	while (s->n > 0 && is_space(s->p[0]))
		skip(s, 1);
}

static size_t
find_nocase(struct str s, struct str needle)
{
	for (size_t i = 0; i + needle.n <= s.n; i++)
		if (str_eq_nocase((struct str){ s.p + i, needle.n }, needle))
			return i;
	return SIZE_MAX;
}

static bool
starts_nocase(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq_nocase((struct str){ s.p, prefix.n }, prefix);
}

/* Takes bytes until one of a tag's own: a space, "/", ">", "=" (where it counts). */
static struct str
take_word(struct str *s, bool ends_at_equals)
{
	size_t n = 0;

	while (n < s->n && !is_space(s->p[n]) && s->p[n] != '>' && s->p[n] != '/' && !(ends_at_equals && s->p[n] == '='))
		n++;
	struct str word = { s->p, n };
	skip(s, n);
	return word;
}

static struct str
take_value(struct str *s)
{
	size_t n = 0;

	if (s->n > 0 && (s->p[0] == '"' || s->p[0] == '\'')) {
		char quote = s->p[0];

		skip(s, 1);
		while (n < s->n && s->p[n] != quote)
			n++;
	} else {
		while (n < s->n && !is_space(s->p[n]) && s->p[n] != '>')
			n++;
		struct str bare = { s->p, n };
		skip(s, n);
		return bare;
	}
	struct str value = { s->p, n };
	skip(s, n + 1);
	return value;
}

/* s begins behind "<"; false if the page ends within the tag. */
static bool
take_tag(struct str *s, struct tag *ret)
{
	ret->n = 0;
	ret->name = take_word(s, false);
	for (;;) {
		while (s->n > 0 && (is_space(s->p[0]) || s->p[0] == '/'))
			skip(s, 1);
		if (s->n == 0)
			return false;
		if (s->p[0] == '>') {
			skip(s, 1);
			return true;
		}
		struct attribute a = { .name = take_word(s, true) };

		skip_spaces(s);
		if (s->n > 0 && s->p[0] == '=') {
			skip(s, 1);
			skip_spaces(s);
			a.value = take_value(s);
		}
		if (ret->n < ATTRIBUTES_MAX)
			ret->at[ret->n++] = a;
	}
}

/* Of attributes of one name the first counts. */
static struct str
attribute_of(const struct tag *t, struct str name)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_eq_nocase(t->at[i].name, name))
			return str_trim(t->at[i].value);
	return STR_NONE;
}

static bool
is_tag(const struct tag *t, const char *name)
{
	return str_eq_nocase(t->name, str_of(name));
}

/* The one of its attributes that makes a browser load something by itself. */
static struct str
loaded_by(const struct tag *t)
{
	static const char *const with_src[] = { "script", "img", "iframe", "audio", "video", "source", "embed", "track", "frame" };

	for (size_t i = 0; i < sizeof with_src / sizeof *with_src; i++)
		if (is_tag(t, with_src[i]))
			return attribute_of(t, STR("src"));
	if (is_tag(t, "object"))
		return attribute_of(t, STR("data"));
	if (is_tag(t, "input") && str_eq_nocase(attribute_of(t, STR("type")), STR("image")))
		return attribute_of(t, STR("src"));
	if (is_tag(t, "link") && str_eq_nocase(attribute_of(t, STR("rel")), STR("stylesheet")))
		return attribute_of(t, STR("href"));
	return STR_NONE;
}

/* Secure Contexts 3.1: what is on the reader's own machine is trusted without TLS. */
static bool
is_own_machine(struct str host)
{
	return str_eq_nocase(host, STR("localhost")) || str_starts(host, STR("127.")) || str_starts(host, STR("["));
}

static bool
is_insecure(struct str url)
{
	static const struct str scheme = { "http://", 7 };

	if (!starts_nocase(url, scheme))
		return false;
	struct str host = { url.p + scheme.n, url.n - scheme.n };
	size_t n = 0;

	while (n < host.n && host.p[n] != '/' && host.p[n] != ':' && host.p[n] != '?' && host.p[n] != '#')
		n++;
	return n > 0 && !is_own_machine((struct str){ host.p, host.p[0] == '[' ? host.n : n });
}

/* As it is told to people; STR_NONE for what is no address of printable letters. */
static struct str
shown(struct str url)
{
	size_t n = 0;

	while (n < url.n && n < MIXED_SHOWN_BYTES_MAX && url.p[n] != '?' && url.p[n] != '#') {
		if (url.p[n] <= ' ' || url.p[n] >= 0x7f || url.p[n] == '"' || url.p[n] == '<' || url.p[n] == '>')
			return STR_NONE;
		n++;
	}
	return (struct str){ url.p, n };
}

bool
mixed_policy_upgrades(struct str policy)
{
	return find_nocase(policy, STR("upgrade-insecure-requests")) != SIZE_MAX;
}

static void
look_at(const struct tag *t, struct mixed *m)
{
	struct str url = loaded_by(t);

	if (is_tag(t, "meta") && str_eq_nocase(attribute_of(t, STR("http-equiv")), STR("content-security-policy")) &&
	    mixed_policy_upgrades(attribute_of(t, STR("content"))))
		m->is_upgraded = true;
	if (!is_insecure(url))
		return;
	struct str told = shown(url);
	if (told.n == 0)
		return;
	if (m->n++ == 0)
		m->first = told;
}

/* Behind the end tag of an element whose inside is text, or nothing that is shown. */
static void
skip_inside(struct str *s, const struct tag *t)
{
	static const char *const raw[] = { "script", "style", "textarea", "title", "noscript", "template", "xmp", "noembed", "noframes" };

	for (size_t i = 0; i < sizeof raw / sizeof *raw; i++) {
		if (!is_tag(t, raw[i]))
			continue;
		while (s->n > 0) {
			size_t at = str_find(*s, STR("</"));

			if (at == SIZE_MAX) {
				skip(s, s->n);
				return;
			}
			skip(s, at + 2);
			if (starts_nocase(*s, t->name))
				return;
		}
	}
}

struct mixed
mixed_of(struct str page)
{
	struct mixed m = { .n = 0 };
	struct tag t;

	while (page.n > 0) {
		size_t at = str_find(page, STR("<"));

		if (at == SIZE_MAX)
			break;
		skip(&page, at + 1);
		if (str_starts(page, STR("!--"))) {
			at = str_find(page, STR("-->"));
			skip(&page, at == SIZE_MAX ? page.n : at + 3);
		} else if (page.n > 0 && is_letter(page.p[0])) {
			/* A tag that is cut off is none. */
			if (!take_tag(&page, &t))
				break;
			look_at(&t, &m);
			skip_inside(&page, &t);
		}
	}
	return m;
}
