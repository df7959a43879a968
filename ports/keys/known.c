#include "ports/keys/known.h"
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

static void
forget(struct known_one *o)
{
	X509_free(o->x);
	free(o->der);
	*o = (struct known_one){ .x = NULL };
}

void
known_fini(struct known *k)
{
	for (size_t i = 0; i < KNOWN_MAX; i++)
		forget(&k->at[i]);
}

struct x509_st *
known_find(struct known *k, const unsigned char *der, size_t n)
{
	for (size_t i = 0; i < KNOWN_MAX; i++) {
		struct known_one *o = &k->at[i];

		if (o->x == NULL || o->n != n || memcmp(o->der, der, n) != 0 || X509_up_ref(o->x) != 1)
			continue;
		o->used = ++k->uses;
		return o->x;
	}
	return NULL;
}

void
known_keep(struct known *k, const unsigned char *der, size_t n, struct x509_st *x)
{
	struct known_one *oldest = &k->at[0];

	for (size_t i = 1; i < KNOWN_MAX; i++)
		if (k->at[i].used < oldest->used)
			oldest = &k->at[i];
	unsigned char *copy = n == 0 || n > KNOWN_BYTES_MAX ? NULL : malloc(n);
	if (copy == NULL)
		return;
	if (X509_up_ref(x) != 1) {
		free(copy);
		return;
	}
	memcpy(copy, der, n);
	forget(oldest);
	*oldest = (struct known_one){ x, copy, n, ++k->uses };
}
