#include "core/front.h"

struct range {
	const char *name;
	uint8_t family, bits;
	uint8_t bytes[4]; /* the rest is zero and not looked at */
};

static const struct range ranges[] = {
#define FRONT4(name, a, b, c, d, bits) { name, 4, bits, { a, b, c, d } },
#define FRONT6(name, a, b, bits) { name, 6, bits, { (a) >> 8, (a)&0xff, (b) >> 8, (b)&0xff } },
#include "core/front.tbl"
#undef FRONT4
#undef FRONT6
};

static bool
is_in(const struct address *a, const struct range *r)
{
	if (a->family != r->family)
		return false;
	for (unsigned i = 0; i < 4 && 8 * i < r->bits; i++) {
		unsigned left = r->bits - 8 * i,
			 mask = left >= 8 ? 0xffU : 0xffU & (0xff00U >> left);

		if (((a->bytes[i] ^ r->bytes[i]) & mask) != 0)
			return false;
	}
	return true;
}

struct str
front_of(const struct address *a)
{
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (is_in(a, &ranges[i]))
			return str_of(ranges[i].name);
	return STR_NONE;
}

static const struct {
	enum page_kind kind;
	const char *marker, *who;
	bool is_server;
} pages[] = {
#define PAGE(kind, marker, who) { PAGE_##kind, marker, who, false },
#define SERVER(kind, marker, who) { PAGE_##kind, marker, who, true },
#include "core/page.tbl"
#undef PAGE
#undef SERVER
};

/* The marker is written in small letters; bytes of other alphabets are compared as they are. */
static bool
has_marker(struct str text, struct str marker)
{
	for (size_t i = 0; i + marker.n <= text.n; i++)
		if (str_eq_nocase((struct str){ text.p + i, marker.n }, marker))
			return true;
	return false;
}

struct page
page_of(const struct http_evidence *h)
{
	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
		if (has_marker(
			pages[i].is_server ? h->server : h->body, str_of(pages[i].marker)))
			return (struct page){ pages[i].kind, str_of(pages[i].who) };
	return (struct page){ PAGE_NONE, STR_NONE };
}
