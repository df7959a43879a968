#include "ports/keys/der.h"
#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509.h>

enum err
der_certificate(const unsigned char *der, size_t n, X509 **ret)
{
	const unsigned char *p = der;
	X509 *x = n > LONG_MAX ? NULL : d2i_X509(NULL, &p, (long)n);

	ERR_clear_error();
	if (x == NULL)
		return ERR_INVALID;
	if (p != der + n) {
		X509_free(x);
		return ERR_INVALID;
	}
	*ret = x;
	return ERR_OK;
}

static bool
next(const unsigned char **p, const unsigned char *end, int *ret_tag, int *ret_class, struct str *ret)
{
	long n;

	/* 0x80: it is not whole; 0x01: its length is not told, which DER does not allow. */
	if (*p >= end || (ASN1_get_object(p, &n, ret_tag, ret_class, end - *p) & 0x81) != 0)
		return false;
	*ret = (struct str){ (const char *)*p, (size_t)n };
	*p += n;
	return true;
}

bool
der_next(const unsigned char **p, const unsigned char *end, int tag, int class, struct str *ret)
{
	int got_tag, got_class;

	return next(p, end, &got_tag, &got_class, ret) && got_tag == tag && got_class == class;
}

bool
der_next_any(const unsigned char **p, const unsigned char *end, int *ret_class, struct str *ret)
{
	int tag;

	return next(p, end, &tag, ret_class, ret);
}
