#include "ports/keys/issuer.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <string.h>
#include "base/limits.h"
#include "ports/keys/der.h"
#include "ports/keys/openssl.h"
#include "ports/keys/pem.h"

static void
auto_p7(PKCS7 **p)
{
	PKCS7_free(*p);
}

size_t
issuer_urls(const X509 *x, struct arena *a, struct str ret[OWN_ISSUER_URLS_MAX])
{
	AUTHORITY_INFO_ACCESS *all = X509_get_ext_d2i(x, NID_info_access, NULL, NULL);
	size_t n = 0;

	for (int i = 0; all != NULL && i < sk_ACCESS_DESCRIPTION_num(all) && n < OWN_ISSUER_URLS_MAX; i++) {
		const ACCESS_DESCRIPTION *one = sk_ACCESS_DESCRIPTION_value(all, i);
		int type = 0;
		const ASN1_STRING *value = GENERAL_NAME_get0_value(one->location, &type);

		if (OBJ_obj2nid(one->method) != NID_ad_ca_issuers || type != GEN_URI || value == NULL)
			continue;
		struct str url = { (const char *)ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value) };
		if (own_issuer_url_is_good(url))
			ret[n++] = arena_str(a, url);
	}
	AUTHORITY_INFO_ACCESS_free(all);
	return n;
}

static enum err
put(X509 *x, struct buf *to)
{
	AUTO_BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;

	if (bio == NULL || PEM_write_bio_X509(bio, x) != 1)
		return ERR_MEMORY;
	long n = BIO_get_mem_data(bio, &text);
	buf_put(to, text, n > 0 ? (size_t)n : 0);
	return to->err;
}

/* Certificates alone ("certs-only"): whatever else it may have is not looked at. */
static enum err
put_all(const PKCS7 *p7, struct buf *to)
{
	const STACK_OF(X509) *all = p7 != NULL && PKCS7_type_is_signed(p7) && p7->d.sign != NULL ? p7->d.sign->cert : NULL;
	int n = all == NULL ? 0 : sk_X509_num(all);
	enum err err = n > 0 && n <= ISSUER_CERTIFICATES_MAX ? ERR_OK : ERR_INVALID;

	for (int i = 0; i < n && err == ERR_OK; i++)
		err = put(sk_X509_value(all, i), to);
	return err;
}

/* Against RFC 5280 some servers give text, and browsers read it. */
static enum err
put_text(struct str bytes, struct buf *to)
{
	AUTO_BIO *text = BIO_new_mem_buf(bytes.p, (int)bytes.n);
	AUTO_BUF found = { .max = to->max };
	size_t n = 0;
	enum err err = text == NULL ? ERR_MEMORY : ERR_OK;

	while (err == ERR_OK) {
		AUTO_PEM_BLOCK block;
		AUTO_X509 *x = NULL;

		err = pem_next_certificate(text, &block);
		if (err == ERR_OK)
			err = ++n > ISSUER_CERTIFICATES_MAX ? ERR_INVALID : der_certificate(block.der, (size_t)block.n, &x);
		if (err == ERR_OK)
			err = put(x, &found);
	}
	if (err != ERR_NOT_FOUND || n == 0)
		return err == ERR_MEMORY ? err : ERR_INVALID;
	buf_put_str(to, buf_str(&found));
	return to->err;
}

enum err
issuer_read(struct str bytes, struct buf *to)
{
	const unsigned char *at = (const unsigned char *)bytes.p;

	if (bytes.n == 0 || bytes.n > LIMIT_CHAIN_BYTES)
		return ERR_INVALID;
	if (str_find(bytes, STR("-----BEGIN CERTIFICATE-----")) != SIZE_MAX)
		return put_text(bytes, to);
	AUTO_X509 *x = d2i_X509(NULL, &at, (long)bytes.n);
	at = (const unsigned char *)bytes.p;
	__attribute__((cleanup(auto_p7))) PKCS7 *p7 = x == NULL ? d2i_PKCS7(NULL, &at, (long)bytes.n) : NULL;
	enum err err = x != NULL ? put(x, to) : put_all(p7, to);
	ERR_clear_error(); /* OpenSSL's queue says nothing that our code does not */
	return err;
}
