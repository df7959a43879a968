#include "ports/keys/secret.h"
#include <sodium.h>
#include <stdlib.h>

enum err
secret_init(size_t n, struct secret *ret)
{
	uint8_t *p = calloc(1, n == 0 ? 1 : n);

	if (p == NULL)
		return ERR_MEMORY;
	(void)sodium_mlock(p,
	    n); /* ordinary users have a small allowance; the key is no less usable without */
	*ret = (struct secret){ p, n };
	return ERR_OK;
}

void
secret_fini(struct secret *s)
{
	if (s->p != NULL)
		(void)sodium_munlock(
		    s->p, s->n); /* overwrites first, whether it was locked or not */
	free(s->p);
	*s = (struct secret){ 0 };
}

void
secret_wipe(struct str s)
{
	if (s.n > 0)
		sodium_memzero((void *)(uintptr_t)s.p, s.n);
}
