#include "ports/keys/issuer.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <string.h>
#include "base/limits.h"
#include "ports/keys/openssl.h"

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

/* The next block of the text, if it is a certificate and nothing but. NULL otherwise, and at the end. */
static X509 *
next_block(BIO *text)
{
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long n = 0;
	X509 *x = NULL;

	if (PEM_read_bio(text, &name, &header, &der, &n) == 1 && strcmp(name, PEM_STRING_X509) == 0) {
		const unsigned char *at = der;

		x = d2i_X509(NULL, &at, n);
		if (x != NULL && at != der + n) {
			X509_free(x);
			x = NULL;
		}
	}
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	return x;
}

/* Against RFC 5280 some servers give text, and browsers read it. */
static enum err
put_text(struct str bytes, struct buf *to)
{
	AUTO_BIO *text = BIO_new_mem_buf(bytes.p, (int)bytes.n);
	X509 *found[ISSUER_CERTIFICATES_MAX + 1];
	size_t n = 0;

	if (text == NULL)
		return ERR_MEMORY;
	while (n <= ISSUER_CERTIFICATES_MAX && (found[n] = next_block(text)) != NULL)
		n++;
	/* What stopped it was the end, and not a block that is something else. */
	bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	enum err err = n > 0 && n <= ISSUER_CERTIFICATES_MAX && is_end ? ERR_OK : ERR_INVALID;
	for (size_t i = 0; i < n; i++) {
		if (err == ERR_OK)
			err = put(found[i], to);
		X509_free(found[i]);
	}
	return err;
}

enum err
issuer_read(struct str bytes, struct buf *to)
{
	const unsigned char *at = (const unsigned char *)bytes.p;

	if (bytes.n == 0 || bytes.n > LIMIT_CHAIN_BYTES)
		return ERR_INVALID;
	if (str_find(bytes, STR("-----BEGIN CERTIFICATE-----")) != SIZE_MAX) {
		enum err err = put_text(bytes, to);

		ERR_clear_error();
		return err;
	}
	AUTO_X509 *x = d2i_X509(NULL, &at, (long)bytes.n);
	at = (const unsigned char *)bytes.p;
	__attribute__((cleanup(auto_p7))) PKCS7 *p7 = x == NULL ? d2i_PKCS7(NULL, &at, (long)bytes.n) : NULL;
	enum err err = x != NULL ? put(x, to) : put_all(p7, to);
	ERR_clear_error(); /* OpenSSL's queue says nothing that our code does not */
	return err;
}
