#ifndef KOSHIN_PORTS_NAMES_NAMES_H
#define KOSHIN_PORTS_NAMES_NAMES_H
/*
 * Host names as people type them (libidn2, libpsl). ASCII form is what is stored and ordered; people see the
 * Unicode form. No state, no network.
 */
#include "base/arena.h"

/*
 * "日本語.JP" -> "xn--wgv71a119e.jp". Refuses, with words in why that say what was wrong, where and what was
 * expected: empty, a dot at either end or two in a row, over 253 characters or 63 in a label, over 10 labels,
 * characters other than letters, digits and inner hyphens (underscore, space, control …), an IP address, a URL, a
 * mail address, a single label, a bare public suffix, a name under no known suffix, bad punycode, a reserved
 * "??--" label, a wildcard anywhere but as the whole first label, or one where allow_wildcard is false.
 */
MUST_USE enum err names_read(struct str typed, bool allow_wildcard, struct arena *a, struct why *why, struct str *ret);
/* The form for people; the name itself if it has none. */
struct str names_for_people(struct str ascii, struct arena *a);
/* "www.shop.example.co.jp" -> "example.co.jp"; empty if the name is itself a public suffix. */
struct str names_registered_domain(struct str ascii);
/* Mail address: one "@", no spaces or control bytes, a domain that names_read accepts or a literal "localhost". */
MUST_USE enum err names_read_mail(struct str typed, struct arena *a, struct why *why, struct str *ret);
#endif
