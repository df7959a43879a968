#include "ports/keys/pair.h"
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>
#include "base/limits.h"
#include "ports/keys/der.h"

enum { POINT_BYTES_MAX = 1 + 2 * 66 }; /* uncompressed, on the largest curve that OpenSSL has for this */

enum err
pair_make(enum key_type type, EVP_PKEY **ret)
{
	EVP_PKEY *pair = NULL;

	switch (type) {
	case KEY_P256:
		pair = EVP_EC_gen("P-256");
		break;
	case KEY_P384:
		pair = EVP_EC_gen("P-384");
		break;
	case KEY_RSA2048:
		pair = EVP_RSA_gen(2048);
		break;
	case KEY_RSA3072:
		pair = EVP_RSA_gen(3072);
		break;
	case KEY_RSA4096:
		pair = EVP_RSA_gen(4096);
		break;
	}
	if (pair == NULL)
		return ERR_CRYPTO;
	*ret = pair;
	return ERR_OK;
}

enum err
pair_to_der(const EVP_PKEY *pair, struct secret *ret)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pair);
	unsigned char *der = NULL;
	int n = info == NULL ? -1 : i2d_PKCS8_PRIV_KEY_INFO(info, &der);

	PKCS8_PRIV_KEY_INFO_free(info);
	if (n <= 0)
		return ERR_CRYPTO;
	enum err e = secret_init((size_t)n, ret);
	if (e == ERR_OK)
		memcpy(ret->p, der, (size_t)n);
	OPENSSL_clear_free(der, (size_t)n);
	return e;
}

enum err
pair_of_der(const struct secret *der, EVP_PKEY **ret)
{
	const unsigned char *p = der->p;
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)der->n);
	EVP_PKEY *pair = info == NULL || p != der->p + der->n ? NULL : EVP_PKCS82PKEY(info);

	PKCS8_PRIV_KEY_INFO_free(info);
	if (pair == NULL)
		return ERR_CORRUPT;
	*ret = pair;
	return ERR_OK;
}

/* ECPrivateKey (RFC 5915 3): the public key's bits as they are in SubjectPublicKeyInfo. The curve is told outside. */
static bool
public_bits(const unsigned char *p, size_t n, struct str *ret)
{
	const unsigned char *end = p + n;
	struct str part;

	if (!der_next(&p, end, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, &part) || p != end)
		return false;
	p = (const unsigned char *)part.p;
	if (!der_next(&p, end, V_ASN1_INTEGER, V_ASN1_UNIVERSAL, &part) ||
	    !der_next(&p, end, V_ASN1_OCTET_STRING, V_ASN1_UNIVERSAL, &part) ||
	    !der_next(&p, end, 1, V_ASN1_CONTEXT_SPECIFIC, &part) || p != end)
		return false;
	p = (const unsigned char *)part.p;
	return der_next(&p, end, V_ASN1_BIT_STRING, V_ASN1_UNIVERSAL, ret) && p == end;
}

/* SubjectPublicKeyInfo (RFC 5280 4.1): an algorithm, which names the curve, and the key's bits. */
static bool
is_public_of(const X509_ALGOR *algorithm, struct str bits, struct str spki)
{
	const unsigned char *p = (const unsigned char *)spki.p, *end = p + spki.n, *from;
	struct str part;
	unsigned char *der = NULL;

	if (!der_next(&p, end, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, &part) || p != end)
		return false;
	from = p = (const unsigned char *)part.p;
	if (!der_next(&p, end, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, &part))
		return false;
	const struct str its = { (const char *)from, (size_t)(p - from) };
	int n = i2d_X509_ALGOR(algorithm, &der);
	bool is_same = n > 0 && str_eq(its, (struct str){ (const char *)der, (size_t)n });
	OPENSSL_free(der);
	return is_same && der_next(&p, end, V_ASN1_BIT_STRING, V_ASN1_UNIVERSAL, &part) && p == end && str_eq(part, bits);
}

bool
pair_der_has_public(const struct secret *der, struct str spki)
{
	const unsigned char *p = der->p, *key;
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)der->n);
	const X509_ALGOR *algorithm;
	const ASN1_OBJECT *kind;
	struct str bits;
	int n;

	bool is_its = info != NULL && p == der->p + der->n && PKCS8_pkey_get0(&kind, &key, &n, &algorithm, info) == 1 &&
		      OBJ_obj2nid(kind) == NID_X9_62_id_ecPublicKey && n > 0 && public_bits(key, (size_t)n, &bits) &&
		      is_public_of(algorithm, bits, spki);
	PKCS8_PRIV_KEY_INFO_free(info);
	ERR_clear_error();
	return is_its;
}

enum err
pair_der_to_pem(const struct secret *der, struct secret *ret)
{
	AUTO_BIO *bio = BIO_new(BIO_s_secmem());
	char *p = NULL;

	if (bio == NULL ||
	    PEM_write_bio(bio, PEM_STRING_PKCS8INF, "", der->p, (long)der->n) <= 0)
		return ERR_CRYPTO;
	long n = BIO_get_mem_data(bio, &p);
	if (n <= 0)
		return ERR_CRYPTO;
	enum err e = secret_init((size_t)n, ret);
	if (e == ERR_OK)
		memcpy(ret->p, p, (size_t)n);
	return e;
}

/* Letters, digits, hyphens and dots, with a whole first label "*" at most: what a CA can put into a certificate. */
static bool
is_certifiable(struct str name)
{
	if (name.n == 0 || name.n > LIMIT_NAME_BYTES)
		return false;
	for (size_t i = str_starts(name, STR("*.")) ? 2 : 0; i < name.n; i++) {
		char c = name.p[i];
		bool is_word =
		    (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!is_word && c != '-' && c != '.' && c != '_')
			return false;
	}
	return name.p[0] != '.' && name.p[name.n - 1] != '.';
}

static bool
add_name(GENERAL_NAMES *to, struct str name)
{
	GENERAL_NAME *general = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();

	if (general != NULL && text != NULL &&
	    ASN1_STRING_set(text, name.p, (int)name.n) == 1) {
		GENERAL_NAME_set0_value(general, GEN_DNS, text);
		if (sk_GENERAL_NAME_push(to, general) > 0)
			return true;
		text = NULL; /* the general name owns it */
	}
	ASN1_IA5STRING_free(text);
	GENERAL_NAME_free(general);
	return false;
}

static bool
add_names(X509_REQ *req, const struct str *names, size_t names_n, bool is_critical)
{
	AUTO_GENERAL_NAMES *general = sk_GENERAL_NAME_new_null();
	STACK_OF(X509_EXTENSION) *extensions = NULL;
	bool is_done = general != NULL;

	for (size_t i = 0; i < names_n && is_done; i++)
		is_done = add_name(general, names[i]);
	/* RFC 5280 4.2.1.6: with an empty subject the names are critical. */
	is_done = is_done &&
		  X509V3_add1_i2d(
		      &extensions, NID_subject_alt_name, general, is_critical, X509V3_ADD_DEFAULT) == 1 &&
		  X509_REQ_add_extensions(req, extensions) == 1;
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	return is_done;
}

/*
 * The public key of an EC pair as RFC 5480 2 writes it. OpenSSL's own way (X509_REQ_set_pubkey) encodes the key and
 * decodes it again, which costs several signatures.
 */
static bool
put_ec_key(X509_REQ *req, const EVP_PKEY *pair)
{
	unsigned char point[POINT_BYTES_MAX], *copy;
	char group[32];
	size_t n = 0, group_n = 0;

	if (EVP_PKEY_get_group_name(pair, group, sizeof group, &group_n) != 1 ||
	    EVP_PKEY_get_octet_string_param(
		pair, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &n) != 1)
		return false;
	int nid = OBJ_txt2nid(group);
	copy = nid == NID_undef ? NULL : OPENSSL_memdup(point, n);
	if (copy == NULL)
		return false;
	if (X509_PUBKEY_set0_param(X509_REQ_get_X509_PUBKEY(req),
		OBJ_nid2obj(NID_X9_62_id_ecPublicKey), V_ASN1_OBJECT, OBJ_nid2obj(nid), copy,
		(int)n) == 1)
		return true;
	OPENSSL_free(copy);
	return false;
}

static enum err
sign_csr(EVP_PKEY *pair, X509_REQ *req, bool has_subject, const struct str *names, size_t names_n, struct buf *to)
{
	unsigned char *der = NULL;

	if (names_n == 0 || names_n > LIMIT_SITE_NAMES)
		return ERR_INVALID;
	for (size_t i = 0; i < names_n; i++)
		if (!is_certifiable(names[i]))
			return ERR_INVALID;
	const EVP_MD *md = EVP_PKEY_get_bits(pair) == 384 ? EVP_sha384() : EVP_sha256();
	if (X509_REQ_set_version(req, X509_REQ_VERSION_1) != 1 ||
	    !(EVP_PKEY_is_a(pair, "EC") ? put_ec_key(req, pair)
					: X509_REQ_set_pubkey(req, pair) == 1) ||
	    !add_names(req, names, names_n, !has_subject) ||
	    X509_REQ_sign(req, pair, md) <= 0)
		return ERR_CRYPTO;
	int n = i2d_X509_REQ(req, &der);
	if (n <= 0)
		return ERR_CRYPTO;
	buf_put(to, der, (size_t)n);
	OPENSSL_free(der);
	return to->err;
}

enum err
pair_make_csr(EVP_PKEY *pair, const struct str *names, size_t names_n, struct buf *to)
{
	AUTO_REQ *req = X509_REQ_new();

	return req == NULL ? ERR_MEMORY : sign_csr(pair, req, false, names, names_n, to);
}

/* Empty ones are left out. */
static bool
put_subject(X509_NAME *to, int nid, struct str text, size_t chars_max)
{
	size_t chars = 0;

	for (size_t i = 0; i < text.n; i++)
		chars += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	if (text.n == 0)
		return true;
	return chars <= chars_max && str_is_line(text) && str_is_utf8(text) &&
	       X509_NAME_add_entry_by_NID(to, nid, MBSTRING_UTF8, (const unsigned char *)text.p, (int)text.n, -1, 0) == 1;
}

static bool
is_country(struct str s)
{
	return s.n == 0 || (s.n == 2 && s.p[0] >= 'A' && s.p[0] <= 'Z' && s.p[1] >= 'A' && s.p[1] <= 'Z');
}

enum err
pair_make_own_csr(EVP_PKEY *pair, const struct csr_subject *subject, const struct str *names, size_t names_n, struct buf *to)
{
	AUTO_REQ *req = X509_REQ_new();
	X509_NAME *name = req == NULL ? NULL : X509_REQ_get_subject_name(req);

	if (name == NULL)
		return ERR_MEMORY;
	/* RFC 5280: a common name has 64 characters at most; the names say it all in any case. */
	if (names_n == 0 || !is_country(subject->country) || !put_subject(name, NID_countryName, subject->country, 2) ||
	    !put_subject(name, NID_stateOrProvinceName, subject->state, CSR_FIELD_CHARS) ||
	    !put_subject(name, NID_localityName, subject->locality, CSR_FIELD_CHARS) ||
	    !put_subject(name, NID_organizationName, subject->organization, CSR_FIELD_CHARS) ||
	    (names[0].n <= CSR_FIELD_CHARS && !put_subject(name, NID_commonName, names[0], CSR_FIELD_CHARS)))
		return ERR_INVALID;
	return sign_csr(pair, req, X509_NAME_entry_count(name) > 0, names, names_n, to);
}
