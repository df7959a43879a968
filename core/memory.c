#include "core/memory.h"
#include <string.h>
#include "base/must.h"

enum { LISTED_MAX = 16, PART_MAX = 200 }; /* elements of a list, bytes of one */

const char *
change_name(enum memory_change_kind k)
{
	static const char *const names[] = { "nameservers", "addresses", "caa", "server", "issuer", "redirect" };

	must(k < CHANGE_COUNT);
	return names[k];
}

/* ---- making one ---- */

struct str
memory_text(struct str s, struct arena *a)
{
	struct str cut = { s.p, s.n < PART_MAX ? s.n : PART_MAX };
	char *p = arena_get(a, cut.n + 1);
	bool is_text = str_is_utf8(cut);

	if (p == NULL)
		return STR_NONE;
	for (size_t i = 0; i < cut.n; i++) {
		unsigned char c = (unsigned char)cut.p[i];

		p[i] = c < 0x20 || c == 0x7f ? ' ' : c >= 0x80 && !is_text ? '?' : cut.p[i];
	}
	return (struct str){ p, cut.n };
}

struct list {
	struct str at[LISTED_MAX];
	size_t n;
};

static int
compare(struct str a, struct str b)
{
	int d = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return d != 0 ? d : a.n < b.n ? -1 : a.n > b.n;
}

/* In its place, and once. */
static void
put(struct list *l, struct str s)
{
	size_t i = l->n;

	if (s.n == 0 || l->n == LISTED_MAX)
		return;
	for (size_t k = 0; k < l->n; k++)
		if (str_eq(l->at[k], s))
			return;
	for (; i > 0 && compare(l->at[i - 1], s) > 0; i--)
		l->at[i] = l->at[i - 1];
	l->at[i] = s;
	l->n++;
}

static struct str
text_of(const struct list *l, struct arena *a)
{
	struct str text = l->n > 0 ? l->at[0] : STR("-");

	for (size_t i = 1; i < l->n; i++)
		text = arena_strf(a, "%.*s, %.*s", STR_ARG(text), STR_ARG(l->at[i]));
	return arena_str(a, text);
}

bool
sighting_has(struct str list, struct str one)
{
	while (list.n > 0) {
		struct str part = str_trim(str_cut(&list, ','));

		if (str_eq(part, one))
			return true;
	}
	return false;
}

static bool
is_answered(enum dns_status s)
{
	return s == DNS_OK || s == DNS_NXDOMAIN;
}

static void
put_dns(struct sighting *s, const struct name_evidence *n, const struct sighting *good, struct arena *a)
{
	struct list addresses = { .n = 0 }, ours = { .n = 0 }, servers = { .n = 0 }, caa = { .n = 0 };

	for (size_t i = 0; i < n->addresses_n; i++) {
		char ip[46];

		address_text(&n->addresses[i].ip, ip);
		struct str text = arena_str(a, str_of(ip));
		put(&addresses, text);
		if (n->addresses[i].is_ours || (good != NULL && sighting_has(good->ours, text)))
			put(&ours, text);
	}
	if (n->addresses_n > 0 || is_answered(n->a_status))
		s->addresses = text_of(&addresses, a);
	s->ours = text_of(&ours, a);
	for (size_t i = 0; i < n->nameservers_n; i++)
		put(&servers, memory_text(n->nameservers[i], a));
	if (servers.n > 0)
		s->nameservers = text_of(&servers, a);
	for (size_t i = 0; i < n->caa_n; i++)
		put(&caa, memory_text(arena_strf(a, "%u %.*s \"%.*s\"", (unsigned)n->caa[i].flags, STR_ARG(n->caa[i].tag), STR_ARG(n->caa[i].value)), a));
	if (is_answered(n->caa_status))
		s->caa = text_of(&caa, a);
}

/* The path has a token that is another one each time. */
static struct str
target_of(const struct http_evidence *h, struct arena *a)
{
	size_t path = str_find(h->location, STR("/.well-known/acme-challenge/"));
	struct str target = { h->location.p, path < h->location.n ? path : h->location.n };

	return target.n > 0 ? memory_text(target, a) : STR("-");
}

struct sighting
sighting_of(const struct evidence *e, const struct name_evidence *n, const struct sighting *good,
    const uint8_t *fingerprint, struct arena *a)
{
	struct sighting s = { .at = e->at };

	if (e->has_dns)
		put_dns(&s, n, good, a);
	/* Several addresses may differ; the first that answers is compared with the first that answered. */
	for (size_t i = 0; i < n->addresses_n; i++) {
		const struct http_evidence *h = &n->addresses[i].http;
		const struct tls_evidence *t = &n->addresses[i].tls;
		bool is_held = fingerprint != NULL && t->result == TLS_SHOWN &&
			       memcmp(fingerprint, t->leaf.fingerprint, FINGERPRINT_BYTES) == 0;

		if (s.server.n == 0 && h->result == HTTP_ANSWERED) {
			s.server = h->server.n > 0 ? memory_text(h->server, a) : STR("-");
			s.redirect = target_of(h, a);
		}
		if (s.issuer.n == 0 && t->result == TLS_SHOWN)
			s.issuer = is_held ? STR("koshin") : t->leaf.issuer.n > 0 ? memory_text(t->leaf.issuer, a) : STR("-");
	}
	return s;
}

/* ---- comparing two ---- */

size_t
memory_changes(const struct memory *m, struct memory_change *ret)
{
	const struct {
		enum memory_change_kind what;
		struct str before, now;
	} pairs[] = {
		{ CHANGE_NAMESERVERS, m->good.nameservers, m->last.nameservers },
		{ CHANGE_ADDRESSES, m->good.addresses, m->last.addresses },
		{ CHANGE_CAA, m->good.caa, m->last.caa },
		{ CHANGE_SERVER, m->good.server, m->last.server },
		{ CHANGE_ISSUER, m->good.issuer, m->last.issuer },
		{ CHANGE_REDIRECT, m->good.redirect, m->last.redirect },
	};
	size_t n = 0;

	if (!when_is_known(m->good.at) || !when_is_known(m->last.at))
		return 0;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (pairs[i].before.n > 0 && pairs[i].now.n > 0 && !str_eq(pairs[i].before, pairs[i].now))
			ret[n++] = (struct memory_change){ pairs[i].what, pairs[i].before, pairs[i].now, m->good.at };
	return n;
}
