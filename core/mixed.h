#ifndef KOSHIN_CORE_MIXED_H
#define KOSHIN_CORE_MIXED_H
/*
 * Mixed content (W3C Mixed Content): what a page that was opened with https loads by itself over http. Links that a person would have to
 * follow are none. The page is read as far as it is given; it came from strangers, and may be cut anywhere.
 */
#include "base/str.h"

enum { MIXED_SHOWN_BYTES_MAX = 200 }; /* of an address, as it is told to people */
struct mixed {
	unsigned n;	  /* such loads */
	struct str first; /* the first address, within the page, without its query: printable ASCII; n is 0 where there is none that can be told */
	bool is_upgraded; /* the page asks browsers to load all of it over https (Upgrade Insecure Requests 3.1): nothing is wrong */
};
struct mixed mixed_of(struct str page);
/* A Content-Security-Policy says so. */
bool mixed_policy_upgrades(struct str policy);
#endif
