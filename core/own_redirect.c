#include "core/own_redirect.h"
#include "core/memory.h"
#include "core/site_plan.h"

/* At the address of ours that was asked; at the first, if none was. NULL: the name has none. */
static const struct http_evidence *
seen_plainly(const struct name_evidence *n)
{
	const struct http_evidence *first = NULL;

	for (size_t i = 0; i < n->addresses_n; i++) {
		if (!n->addresses[i].is_ours)
			continue;
		if (n->addresses[i].plain.result != HTTP_NOT_TRIED)
			return &n->addresses[i].plain;
		first = first == NULL ? &n->addresses[i].plain : first;
	}
	return first;
}

/* Nobody has said anything: the page that forwards may be slow today. */
static bool
is_lost(const struct http_evidence *h)
{
	return h != NULL && h->result != HTTP_ANSWERED && h->result != HTTP_REDIRECT_LOOP && h->result != HTTP_REDIRECT_DISALLOWED;
}

/* "https://host…" at a name that was looked at with this one: another host's certificate is no matter of this site. */
static bool
is_here(const struct evidence *e, struct str url)
{
	static const char scheme[] = "https://";

	if (!str_starts(url, STR("https://")))
		return false;
	url = (struct str){ url.p + sizeof scheme - 1, url.n - (sizeof scheme - 1) };
	url = str_cut(&url, '/');
	url = str_cut(&url, '?');
	url = str_cut(&url, ':');
	for (size_t i = 0; i < e->names_n; i++)
		if (str_eq_nocase(url, e->names[i].name))
			return true;
	return false;
}

struct str
own_redirect_of(const struct evidence *e, const struct name_evidence *n, struct arena *a)
{
	const struct http_evidence *h = seen_plainly(n);

	if (h == NULL || h->result != HTTP_ANSWERED || h->status < 300 || h->status > 399 || !is_here(e, h->location))
		return STR_NONE;
	return memory_text(h->location, a);
}

/* Did the server answer with our own redirect, or may it have? */
static bool
is_hidden(const struct site *s, struct when at)
{
	return s->applied.redirect != 0 || (s->deploy_failures == 0 && when_before(at, s->deploy_at));
}

void
own_redirect_note(const struct step *st)
{
	const struct evidence *e = st->ev->evidence;

	for (size_t i = 0; e->has_http && i < e->names_n; i++) {
		const struct site_name *n = plan_name_of(st->s, i, e->names[i].name);

		if (n == NULL)
			continue;
		struct memory *m = &st->s->memory[n - st->s->names];
		if (is_hidden(st->s, e->at))
			m->own_redirect = STR_NONE;
		else if (!is_lost(seen_plainly(&e->names[i])))
			m->own_redirect = own_redirect_of(e, &e->names[i], st->a);
	}
}

struct str
own_redirect_known(const struct site *s)
{
	for (size_t i = 0; s->applied.redirect == 0 && s->memory != NULL && i < s->names_n; i++)
		if (s->memory[i].own_redirect.n > 0)
			return s->memory[i].own_redirect;
	return STR_NONE;
}
