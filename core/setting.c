#include "core/setting.h"

static const char *const sources[] = {
	[SOURCE_NONE] = "none",
	[SOURCE_FREE] = "free",
	[SOURCE_OWN] = "own",
};
static const char *const coverages[] = {
	[COVERAGE_MULTI] = "multi",
	[COVERAGE_SINGLE] = "single",
	[COVERAGE_LIST] = "list",
	[COVERAGE_WILDCARD] = "wildcard",
};
static const char *const key_types[] = {
	[KEY_P256] = "p256",
	[KEY_P384] = "p384",
	[KEY_RSA2048] = "rsa2048",
	[KEY_RSA3072] = "rsa3072",
	[KEY_RSA4096] = "rsa4096",
};
enum {
	SOURCES_N = sizeof sources / sizeof *sources,
	COVERAGES_N = sizeof coverages / sizeof *coverages,
	KEY_TYPES_N = sizeof key_types / sizeof *key_types,
};

/* The position of s in words, or n. */
static unsigned
find(const char *const *words, unsigned n, struct str s)
{
	unsigned i = 0;

	while (i < n && !str_eq(s, str_of(words[i])))
		i++;
	return i;
}

const char *
source_name(enum source s)
{
	return (unsigned)s < SOURCES_N ? sources[s] : "unknown";
}

const char *
coverage_name(enum coverage c)
{
	return (unsigned)c < COVERAGES_N ? coverages[c] : "unknown";
}

const char *
key_type_name(enum key_type k)
{
	return (unsigned)k < KEY_TYPES_N ? key_types[k] : "unknown";
}

bool
source_of_name(struct str s, enum source *ret)
{
	unsigned i = find(sources, SOURCES_N, s);

	if (i == SOURCES_N)
		return false;
	*ret = (enum source)i;
	return true;
}

bool
coverage_of_name(struct str s, enum coverage *ret)
{
	unsigned i = find(coverages, COVERAGES_N, s);

	if (i == COVERAGES_N)
		return false;
	*ret = (enum coverage)i;
	return true;
}

bool
key_type_of_name(struct str s, enum key_type *ret)
{
	unsigned i = find(key_types, KEY_TYPES_N, s);

	if (i == KEY_TYPES_N)
		return false;
	*ret = (enum key_type)i;
	return true;
}
