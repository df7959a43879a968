#ifndef KOSHIN_PORTS_CONFIG_FORM_H
#define KOSHIN_PORTS_CONFIG_FORM_H
/* The form of each value of the configuration file: what it may be, its range, and the words for what was expected. */
#include "base/str.h"

struct form {
	const char *path; /* "check.allow[]" */
	bool (*is_good)(struct str s, const struct form *f);
	int64_t min, max; /* of a number, or of a length of time in milliseconds */
	const char *expected;
};
bool form_is_path(struct str s); /* an absolute path */
/* Lengths of time in milliseconds. */
static const int64_t form_second = 1000, form_minute = 60 * 1000, form_day = 86400 * 1000;
/* Of a key by its path; for those without a form of their own: one line of text. */
const struct form *form_of(const char *path);
#endif
