#ifndef KOSHIN_PORTS_KEYS_KNOWN_H
#define KOSHIN_PORTS_KEYS_KNOWN_H
/*
 * Issuers' certificates that were read already. A CA's chains end in the same ones for years, and to make the key of one (OpenSSL 3.0) costs
 * a third of what there is to read in an answer. What is kept is found by its bytes, all of them: whatever a CA sends, it gets back what it sent.
 */
#include <stddef.h>
#include <stdint.h>

enum { KNOWN_MAX = 8, KNOWN_BYTES_MAX = 8192 }; /* a longer one is not kept */

struct x509_st;
struct known {
	struct known_one {
		struct x509_st *x; /* NULL: free */
		unsigned char *der;
		size_t n;
		uint64_t used;
	} at[KNOWN_MAX];
	uint64_t uses;
};
void known_fini(struct known *k); /* safe on a zeroed struct, which knows none */
/* The caller frees what it gets, as with one that it has read itself. NULL: not known. */
struct x509_st *known_find(struct known *k, const unsigned char *der, size_t n);
/* In the place of the one that was not asked for the longest. Without memory it is not kept. */
void known_keep(struct known *k, const unsigned char *der, size_t n, struct x509_st *x);
#endif
