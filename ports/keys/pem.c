#include "ports/keys/pem.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <string.h>

void
pem_block_fini(struct pem_block *b)
{
	OPENSSL_free(b->name);
	OPENSSL_free(b->header);
	OPENSSL_clear_free(b->der, (size_t)b->n);
	*b = (struct pem_block){ 0 };
}

enum err
pem_next_certificate(BIO *text, struct pem_block *ret)
{
	*ret = (struct pem_block){ 0 };
	if (PEM_read_bio(text, &ret->name, &ret->header, &ret->der, &ret->n) != 1) {
		bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;

		ERR_clear_error();
		return is_end ? ERR_NOT_FOUND : ERR_INVALID;
	}
	return strcmp(ret->name, PEM_STRING_X509) == 0 ? ERR_OK : ERR_MISMATCH;
}
