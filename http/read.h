#ifndef KOSHIN_HTTP_READ_H
#define KOSHIN_HTTP_READ_H
/*
 * Reading what a client sends, after the table of routes has judged it (http/check.c: known fields, their types and sizes):
 * first the fields, then the values of a site's setting. Nothing of a request that has a mistake is used. why names the field.
 */
#include <jansson.h>
#include "base/arena.h"
#include "core/setting.h"

enum { PATH_BYTES_MAX = 4096 }; /* Linux's PATH_MAX */

enum read_kind { READ_TEXT, READ_BOOL, READ_WHOLE, READ_TEXTS };
struct read_field {
	const char *name;
	enum read_kind kind;
	void *to;	/* struct str *, bool *, int64_t * or struct read_texts * */
	bool *is_given; /* may be NULL */
};
struct read_texts {
	struct str *at;
	size_t n;
};
/* BUG: the object has a field that is not in the list. */
MUST_USE enum err read_object(
    const json_t *object, const struct read_field *fields, size_t fields_n, struct arena *a);

/* Puts 'field "X": ' before what why says already. */
void read_name_field(struct why *why, const char *field);

/* What may be said of a site; what is not given keeps its value. */
struct read_site {
	struct read_texts names; /* as typed */
	struct str owner, owner_lang;
	struct str source, coverage, key_type, root, proxy, profile;
	bool redirect, hsts, takeover;
	bool has_names, has_owner, has_owner_lang, has_source, has_coverage, has_key_type,
	    has_root, has_proxy, has_profile, has_redirect, has_hsts, has_takeover;
};
MUST_USE enum err read_site(const json_t *body, struct arena *a, struct read_site *ret);
/* Puts the values that were given into *setting, which holds those of before. */
MUST_USE enum err read_setting(
    const struct read_site *r, struct arena *a, struct why *why, struct setting *setting);
/*
 * The names of a site from those that were typed (READ_NEW, or a change of names) or that it has: multi: X and www.X
 * from either of them; single: the first; list: as they are. Reads and completes; ret has room for LIMIT_SITE_NAMES.
 */
MUST_USE enum err read_names(const struct str *typed, size_t typed_n, enum coverage coverage,
    struct arena *a, struct why *why, struct read_texts *ret);
#endif
