/*
 * Versions of a site, so that two people who change the same do not undo each other unseen: a tag (RFC 9110 8.8.3) of what people
 * can change of it. What koshin itself does, a certificate or a finding, makes no other version.
 */
#include <stdlib.h>
#include "http/inside.h"
#include "http/json_site.h"

/* FNV-1a: tells versions apart; nobody gains anything by two that are alike. */
static uint64_t
mix(uint64_t hash, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		hash = (hash ^ (unsigned char)s.p[i]) * 1099511628211u;
	return (hash ^ 0xff) *
	       1099511628211u; /* a byte that no text has: where one ends counts */
}

static bool
mix_setting(uint64_t *hash, const struct setting *setting)
{
	json_t *document = json_setting(setting);
	char *text =
	    document == NULL ? NULL : json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS);

	json_decref(document);
	if (text == NULL)
		return false;
	*hash = mix(*hash, str_of(text));
	free(text);
	return true;
}

struct str
api_version(const struct site *s, struct arena *a)
{
	uint64_t hash = 14695981039346656037u;
	bool ok = mix_setting(&hash, &s->setting);

	if (s->draft.exists)
		ok = ok && mix_setting(&hash, &s->draft.setting);
	for (size_t i = 0; i < s->names_n; i++)
		if (s->names[i].is_wanted)
			hash = mix(hash, s->names[i].name);
	return ok ? arena_strf(a, "\"%016llx\"", (unsigned long long)hash) : STR_NONE;
}

void
api_put_version(struct api_call *c, const struct site *s)
{
	struct str tag = api_version(s, c->a);

	if (tag.n > 0)
		api_header(c->reply, "ETag", tag);
}

enum err
api_expects(const struct api_call *c, const struct site *s)
{
	const char *header =
	    c->q->header == NULL ? NULL : c->q->header(c->q->arg_ctx, "If-Match");
	struct str rest = str_of(header), tag = api_version(s, c->a);

	if (header == NULL)
		return ERR_OK;
	if (tag.n == 0)
		return ERR_MEMORY;
	while (rest.n > 0) {
		struct str one = str_trim(str_cut(&rest, ','));

		if (str_eq(one, STR("*")) || str_eq(one, tag))
			return ERR_OK;
	}
	return ERR_STALE;
}
