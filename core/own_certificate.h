#ifndef KOSHIN_CORE_OWN_CERTIFICATE_H
#define KOSHIN_CORE_OWN_CERTIFICATE_H
/* A certificate that an owner brings along: what was found in the file, and what is wrong with it. Pure; needs no network. */
#include "base/arena.h"
#include "core/certificate.h"
#include "core/finding.h"

struct own_certificate {
	bool is_read;
	struct str why;		/* not read: in which way */
	struct certificate_info leaf;
	bool is_ordered;	/* the file had leaf, then each one's issuer, and nothing else */
	bool is_complete;	/* the chain leads to a root, be it one of their own */
	struct str missing;	/* not complete: the issuer of the last one that is there */
};
/* Findings about the file for a site of these names; none if it can be used as it is. The first name, which there must be, stands for the site. Strings from a, c and names. */
void classify_own_certificate(const struct own_certificate *c, const struct str *names, size_t names_n, struct when now,
    struct arena *a, struct finding_list *out);
#endif
