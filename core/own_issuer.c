#include "core/own_issuer.h"
#include "base/limits.h"
#include "base/must.h"

static bool
is_printable(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return true;
}

/* What stands between "//" and the path. */
static struct str
authority_of(struct str rest)
{
	size_t n = 0;

	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?' && rest.p[n] != '#')
		n++;
	return (struct str){ rest.p, n };
}

bool
own_issuer_url_is_good(struct str url)
{
	const struct str scheme = STR("http://");

	if (url.n <= scheme.n || url.n > LIMIT_URL_BYTES || !is_printable(url) || !str_eq_nocase((struct str){ url.p, scheme.n }, scheme))
		return false;
	struct str authority = authority_of((struct str){ url.p + scheme.n, url.n - scheme.n });
	return authority.n > 0 && authority.p[0] != ':' && str_find(authority, STR("@")) == SIZE_MAX;
}

struct str
own_issuer_next(const struct own_certificate *c, const struct str *asked, size_t asked_n)
{
	must(c->issuer_urls_n <= OWN_ISSUER_URLS_MAX);
	if (!c->is_read || c->is_complete || asked_n >= OWN_ISSUER_ASKED_MAX)
		return STR_NONE;
	for (size_t i = 0; i < c->issuer_urls_n; i++) {
		bool is_asked = false;

		for (size_t k = 0; k < asked_n; k++)
			is_asked = is_asked || str_eq(asked[k], c->issuer_urls[i]);
		if (!is_asked)
			return c->issuer_urls[i];
	}
	return STR_NONE;
}

bool
own_issuer_is_found(const struct own_certificate *c)
{
	return c->is_read && c->is_complete && c->untrusted.n == 0;
}
