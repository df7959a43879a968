#ifndef KOSHIN_CORE_OWN_CERTIFICATE_H
#define KOSHIN_CORE_OWN_CERTIFICATE_H
/* A certificate that an owner brings along: what was found in the file, and what is wrong with it. Pure; needs no network. */
#include "base/arena.h"
#include "core/certificate.h"
#include "core/finding.h"

/* What can be the matter with it, beside dates and names: core/own_fault.tbl. */
enum own_fault {
	OWN_FAULT_NONE,
#define FAULT(symbol, code, words) OWN_FAULT_##symbol,
#include "core/own_fault.tbl"
#undef FAULT
	OWN_FAULT_COUNT
};
const char *own_fault_words(enum own_fault f); /* as a finding has seen it; some have ": VALUE" behind */
const char *own_fault_code(enum own_fault f);
/* The fault that was seen, and its value; NONE for anything else. */
enum own_fault own_fault_of(struct str seen, struct str *ret_value);

/* The private key that goes with it. */
enum own_key {
	OWN_KEY_UNASKED,    /* nobody looked for one */
	OWN_KEY_HERE,	    /* in the file, or of a request that was made here */
	OWN_KEY_MISSING,    /* nowhere */
	OWN_KEY_OTHER,	    /* there is one in the file, of another certificate */
	OWN_KEY_LOCKED,	    /* there is one in the file, and this is not its password */
};
enum { OWN_ISSUER_URLS_MAX = 4 }; /* of one certificate; usual is one */
struct own_certificate {
	bool is_read;
	struct str why;		/* not read: in which way */
	struct certificate_info leaf;
	bool is_ordered;	/* the file had leaf, then each one's issuer, and nothing else */
	bool is_complete;	/* the chain leads to a root, be it one of their own */
	struct str missing;	/* not complete: the issuer of the last one that is there */
	struct str issuer_urls[OWN_ISSUER_URLS_MAX]; /* where that one says that its issuer's certificate is; good ones alone (core/own_issuer.h) */
	size_t issuer_urls_n;
	struct str untrusted;	/* what browsers have against it; empty: nothing */
	enum own_key key;
	uint8_t key_id[32];	/* SHA-256 of its public key (SubjectPublicKeyInfo): which request it answers */
};
/* Findings about the file for a site of these names; none if it can be used as it is. The first name, which there must be, stands for the site. Strings from a, c and names. */
void classify_own_certificate(const struct own_certificate *c, const struct str *names, size_t names_n, struct when now,
    struct arena *a, struct finding_list *out);
/* Whatever is worse than a word is in the way of using it. */
bool own_certificate_is_usable(const struct finding_list *l);
#endif
