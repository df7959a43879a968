#include "ports/keys/x509.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <string.h>
#include "base/limits.h"
#include "ports/keys/der.h"
#include "ports/keys/openssl.h"
#include "ports/keys/pem.h"

enum {
	CHAIN_MAX = 10, /* certificates of one chain; real ones have two to four */
	NAMES_MAX =
	    2000, /* of a certificate that a server shows: CDNs put many customers into one */
	PART_BYTES = 128,  /* of an organisation or a common name that is shown to people */
	SERIAL_BYTES = 40, /* RFC 5280 4.1.2.2 allows 20; some private CAs exceed it */
	REQUEST_OTHERS = 2,	/* RFC 2986 4.1: version and subject stand before the key */
	CERTIFICATE_OTHERS = 6, /* RFC 5280 4.1: version, serial, signature, issuer, validity, subject */
	BASE64 = sodium_base64_VARIANT_URLSAFE_NO_PADDING, /* RFC 9773 4.1 */
	SKEW_S =
	    24 *
	    3600, /* our own clock may be this slow before a new certificate is refused as not yet valid */
};

struct chain {
	X509 *x[CHAIN_MAX];
	size_t n;
};

static void
chain_fini(struct chain *c)
{
	for (size_t i = 0; i < c->n; i++)
		X509_free(c->x[i]);
	c->n = 0;
}
#define AUTO_CHAIN __attribute__((cleanup(chain_fini))) struct chain

/* One that is known is not read again. */
static enum err
read_issuer(struct known *known, const unsigned char *der, size_t n, X509 **ret)
{
	*ret = known_find(known, der, n);
	if (*ret != NULL)
		return ERR_OK;
	enum err e = der_certificate(der, n, ret);

	if (e == ERR_OK)
		known_keep(known, der, n, *ret);
	return e;
}

/* The next certificate of the text. NOT_FOUND: there is no more. known: NULL for one that is not looked up. */
static enum err
read_next(BIO *text, struct known *known, struct why *why, X509 **ret)
{
	AUTO_PEM_BLOCK block;
	enum err e = pem_next_certificate(text, &block);

	if (e == ERR_INVALID)
		why_set(why, "the PEM text is damaged");
	if (e == ERR_MISMATCH)
		why_set(why, "the chain holds something other than certificates");
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? e : ERR_INVALID;
	const size_t n = (size_t)block.n;
	e = known != NULL ? read_issuer(known, block.der, n, ret) : der_certificate(block.der, n, ret);
	if (e != ERR_OK)
		why_set(why, "a certificate of the chain cannot be read");
	return e;
}

static enum err
read_chain(struct str pem, struct known *known, struct why *why, struct chain *ret)
{
	if (pem.n == 0 || pem.n > LIMIT_CHAIN_BYTES) {
		why_set(why, pem.n == 0 ? "there is no certificate" : "the chain is too long");
		return ERR_INVALID;
	}
	AUTO_BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (bio == NULL)
		return ERR_MEMORY;
	for (;;) {
		X509 *x = NULL;
		enum err e = read_next(bio, ret->n > 0 ? known : NULL, why, &x); /* a leaf comes once */

		if (e == ERR_NOT_FOUND)
			break;
		if (e != ERR_OK)
			return e;
		if (ret->n == CHAIN_MAX) {
			X509_free(x);
			why_set(why, "the chain has more than %d certificates", CHAIN_MAX);
			return ERR_INVALID;
		}
		ret->x[ret->n++] = x;
	}
	if (ret->n > 0)
		return ERR_OK;
	why_set(why, "there is no certificate in PEM form");
	return ERR_INVALID;
}

struct when
x509_when(const struct asn1_string_st *t)
{
	struct tm tm;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return WHEN_UNKNOWN;
	return when_of_civil(&(struct civil){ .year = tm.tm_year + 1900,
	    .month = tm.tm_mon + 1,
	    .day = tm.tm_mday,
	    .hour = tm.tm_hour,
	    .minute = tm.tm_min,
	    .second = tm.tm_sec });
}

static enum err
read_dates(const X509 *x, struct why *why, struct certificate_info *ret)
{
	ret->not_before = x509_when(X509_get0_notBefore(x));
	ret->not_after = x509_when(X509_get0_notAfter(x));
	if (when_is_known(ret->not_before) && when_is_known(ret->not_after) &&
	    when_before(ret->not_before, ret->not_after))
		return ERR_OK;
	why_set(why, "the certificate's dates make no sense");
	return ERR_INVALID;
}

static struct str
view_of(const ASN1_STRING *s)
{
	return (struct str){ (const char *)ASN1_STRING_get0_data(s),
		(size_t)ASN1_STRING_length(s) };
}

/* Printable ASCII without a space: enough to show, compare and log; a NUL inside is an old attack. */
static bool
is_name(struct str s)
{
	if (s.n == 0 || s.n > LIMIT_NAME_BYTES)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return true;
}

static enum err
read_names(const X509 *x, struct arena *a, struct why *why, struct certificate_info *ret)
{
	AUTO_GENERAL_NAMES *general = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	int n = general == NULL ? 0 : sk_GENERAL_NAME_num(general);

	ret->names_n = 0;
	if (n > NAMES_MAX) {
		why_set(why, "the certificate has more than %d names", NAMES_MAX);
		return ERR_INVALID;
	}
	ret->names = n == 0 ? NULL : arena_get(a, (size_t)n * sizeof *ret->names);
	if (n > 0 && ret->names == NULL)
		return ERR_MEMORY;
	for (int i = 0; i < n; i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(general, i);

		if (g->type != GEN_DNS)
			continue;
		if (!is_name(view_of(g->d.dNSName))) {
			why_set(why, "the certificate has a name that is not a host name");
			return ERR_INVALID;
		}
		struct str name = arena_str(a, view_of(g->d.dNSName));
		if (arena_failed(a))
			return ERR_MEMORY;
		char *p = (char *)(uintptr_t)name.p; /* our own copy */
		for (size_t k = 0; k < name.n; k++)
			if (p[k] >= 'A' && p[k] <= 'Z')
				p[k] = (char)(p[k] + 'a' - 'A');
		ret->names[ret->names_n++] = name;
	}
	if (ret->names_n > 0)
		return ERR_OK;
	why_set(why, "the certificate has no host names");
	return ERR_INVALID;
}

static struct str
hex(struct arena *a, const unsigned char *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char *out = arena_get(a, 2 * n + 1);

	if (out == NULL)
		return STR_NONE;
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	return (struct str){ out, 2 * n };
}

/* RFC 9773 4.1: the key identifier of the issuer and the serial number as it stands in DER, which keeps the zero
 * byte before a first byte of 128 and more. */
static enum err
read_serial(const X509 *x, struct arena *a, struct why *why, struct certificate_info *ret)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
	struct str magnitude = view_of(serial);
	unsigned char der[SERIAL_BYTES + 8], *p = der;

	if (magnitude.n > SERIAL_BYTES) {
		why_set(why, "the certificate's serial number is too long");
		return ERR_INVALID;
	}
	int n = i2d_ASN1_INTEGER(serial, &p);
	if (n < 3 || der[1] != n - 2) { /* so short that its length takes one byte */
		why_set(why, "the certificate's serial number cannot be read");
		return ERR_INVALID;
	}
	ret->serial = magnitude.n == 0
			  ? arena_str(a, STR("00"))
			  : hex(a, (const unsigned char *)magnitude.p, magnitude.n);
	const ASN1_OCTET_STRING *aki =
	    X509_get0_authority_key_id((X509 *)(uintptr_t)x); /* it only fills its own cache */
	struct str issuer = aki == NULL ? STR_NONE : view_of(aki);
	ret->ari_id = STR_NONE;
	if (issuer.n > 0 && issuer.n <= 64) {
		char key[96],
		    number[96]; /* base64 of 64 bytes, and of SERIAL_BYTES + 8, with a NUL */

		sodium_bin2base64(
		    key, sizeof key, (const unsigned char *)issuer.p, issuer.n, BASE64);
		sodium_bin2base64(number, sizeof number, der + 2, (size_t)n - 2, BASE64);
		ret->ari_id = arena_strf(a, "%s.%s", key, number);
	}
	return arena_failed(a) ? ERR_MEMORY : ERR_OK;
}

/* One part of a distinguished name, as UTF-8 on one line; empty if it is absent or cannot be shown. */
static struct str
part_of(const X509_NAME *name, int nid, struct arena *a)
{
	int at = X509_NAME_get_index_by_NID(name, nid, -1);
	unsigned char *utf8 = NULL;
	int n = at < 0 ? -1
		       : ASN1_STRING_to_UTF8(
			     &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	struct str s = { (const char *)utf8, n < 0 ? 0 : (size_t)n }, ret = STR_NONE;

	if (s.n > 0 && s.n <= PART_BYTES && str_is_line(s) && str_is_utf8(s))
		ret = arena_str(a, s);
	OPENSSL_free(utf8);
	return ret;
}

static struct str
issuer_words(const X509 *x, struct arena *a)
{
	const X509_NAME *name = X509_get_issuer_name(x);
	struct str organisation = part_of(name, NID_organizationName, a),
		   common = part_of(name, NID_commonName, a);

	if (organisation.n > 0 && common.n > 0)
		return arena_strf(a, "%.*s %.*s", STR_ARG(organisation), STR_ARG(common));
	return organisation.n > 0 ? organisation : common;
}

static enum err
read_info(X509 *x, struct arena *a, struct why *why, struct certificate_info *ret)
{
	struct certificate_info info = { 0 };
	unsigned n = sizeof info.fingerprint;

	if (X509_digest(x, EVP_sha256(), info.fingerprint, &n) != 1 || n != FINGERPRINT_BYTES)
		return ERR_CRYPTO;
	enum err e = read_dates(x, why, &info);
	if (e == ERR_OK)
		e = read_names(x, a, why, &info);
	if (e == ERR_OK)
		e = read_serial(x, a, why, &info);
	if (e != ERR_OK)
		return e;
	info.issuer = issuer_words(x, a);
	if (arena_failed(a))
		return ERR_MEMORY;
	*ret = info;
	return ERR_OK;
}

enum err
x509_read_leaf(
    struct str chain_pem, struct arena *a, struct why *why, struct certificate_info *ret)
{
	AUTO_CHAIN chain = { .n = 0 };
	enum err e = read_chain(chain_pem, NULL, why, &chain);

	if (e == ERR_OK)
		e = read_info(chain.x[0], a, why, ret);
	ERR_clear_error();
	return e;
}

enum err
x509_read_der(struct str der, struct arena *a, struct why *why, struct certificate_info *ret)
{
	AUTO_X509 *x = NULL;
	enum err e = der.n == 0 || der.n > LIMIT_CHAIN_BYTES
			 ? ERR_INVALID
			 : der_certificate((const unsigned char *)der.p, der.n, &x);

	if (e != ERR_OK)
		why_set(why, "the certificate cannot be read");
	else
		e = read_info(x, a, why, ret);
	ERR_clear_error();
	return e;
}

enum err
x509_read(struct x509_st *x, struct arena *a, struct why *why, struct certificate_info *ret)
{
	enum err e = read_info(x, a, why, ret);

	ERR_clear_error();
	return e;
}

static enum err
check_links(const struct chain *chain, struct why *why)
{
	for (size_t i = 0; i + 1 < chain->n; i++) {
		X509 *subject = chain->x[i], *issuer = chain->x[i + 1];
		EVP_PKEY *key = X509_get0_pubkey(issuer);

		if (key == NULL || X509_check_issued(issuer, subject) != X509_V_OK ||
		    X509_verify(subject, key) != 1) {
			why_set(why,
			    "certificate %zu of the chain did not sign certificate %zu", i + 2,
			    i + 1);
			return ERR_MISMATCH;
		}
		if (X509_check_ca(issuer) == 0) {
			why_set(why,
			    "certificate %zu of the chain is not allowed to sign others",
			    i + 2);
			return ERR_MISMATCH;
		}
	}
	return ERR_OK;
}

static bool
has_name(const struct str *names, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_nocase(names[i], name))
			return true;
	return false;
}

static enum err
check_names(const struct certificate_info *info, const struct str *names, size_t names_n,
    struct why *why)
{
	for (size_t i = 0; i < names_n; i++) {
		if (!has_name(info->names, info->names_n, names[i])) {
			why_set(why, "the certificate lacks the name %.*s", STR_ARG(names[i]));
			return ERR_MISMATCH;
		}
	}
	for (size_t i = 0; i < info->names_n; i++) {
		if (!has_name(names, names_n, info->names[i])) {
			why_set(why,
			    "the certificate has the name %.*s, which was not asked for",
			    STR_ARG(info->names[i]));
			return ERR_MISMATCH;
		}
	}
	return ERR_OK;
}

/* The public key that stands behind so many other things of what is signed; as it stands there, without making a key of it. Empty if it
 * cannot be found. */
static struct str
raw_key_behind(struct str der, unsigned others)
{
	const unsigned char *p = (const unsigned char *)der.p, *end = p + der.n, *from;
	struct str part;
	int class;

	if (der.n == 0 || !der_next(&p, end, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, &part))
		return STR_NONE;
	p = (const unsigned char *)part.p;
	if (!der_next(&p, end, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, &part))
		return STR_NONE;
	p = (const unsigned char *)part.p;
	end = p + part.n;
	for (unsigned i = 0; i < others; i++) {
		if (!der_next_any(&p, end, &class, &part))
			return STR_NONE;
		/* A certificate's version is left out where it is 1. */
		if (i == 0 && others == CERTIFICATE_OTHERS && class != V_ASN1_CONTEXT_SPECIFIC)
			i++;
	}
	from = p;
	if (!der_next(&p, end, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, &part))
		return STR_NONE;
	return (struct str){ (const char *)from, (size_t)(p - from) };
}

enum err
x509_leaf_key(struct str chain_pem, struct arena *a, struct str *ret)
{
	AUTO_BIO *text = chain_pem.n > LIMIT_CHAIN_BYTES ? NULL : BIO_new_mem_buf(chain_pem.p, (int)chain_pem.n);
	AUTO_PEM_BLOCK block = { 0 };

	*ret = STR_NONE;
	if (text != NULL && pem_next_certificate(text, &block) == ERR_OK)
		*ret = arena_str(a, raw_key_behind((struct str){ (const char *)block.der, (size_t)block.n }, CERTIFICATE_OTHERS));
	if (arena_failed(a))
		return ERR_MEMORY;
	return ret->n > 0 ? ERR_OK : ERR_INVALID;
}

/* A CA copies the key as it is: then the bytes are equal, and no key need be made of the request's, which is costly. */
static bool
is_same_key(const X509 *leaf, struct str csr_der)
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der);
	struct str wanted = csr_der.n > LIMIT_CSR_BYTES ? STR_NONE : raw_key_behind(csr_der, REQUEST_OTHERS);
	bool is_same = n > 0 && str_eq(wanted, (struct str){ (const char *)der, (size_t)n });

	OPENSSL_free(der);
	return is_same;
}

static enum err
check_key(const X509 *leaf, struct str csr_der, struct why *why)
{
	if (csr_der.n > 0 && is_same_key(leaf, csr_der))
		return ERR_OK;
	const unsigned char *p = (const unsigned char *)csr_der.p;
	AUTO_REQ *req = csr_der.n == 0 || csr_der.n > LIMIT_CSR_BYTES
			    ? NULL
			    : d2i_X509_REQ(NULL, &p, (long)csr_der.n);
	EVP_PKEY *wanted = req == NULL ? NULL : X509_REQ_get0_pubkey(req),
		 *got = X509_get0_pubkey(leaf);

	if (wanted == NULL || got == NULL) {
		why_set(why, wanted == NULL ? "the request cannot be read"
					    : "the certificate's key cannot be read");
		return ERR_INVALID;
	}
	if (EVP_PKEY_eq(wanted, got) == 1)
		return ERR_OK;
	why_set(why, "the certificate is for another key than the one of the request");
	return ERR_MISMATCH;
}

static enum err
check_dates(const struct certificate_info *info, struct when now, struct why *why)
{
	if (!when_before(now, info->not_after)) {
		why_set(why, "the certificate has ended already");
		return ERR_INVALID;
	}
	if (when_before(when_plus(now, SPAN_S(SKEW_S)), info->not_before)) {
		why_set(why, "the certificate is not valid yet, by more than a day; is this "
			     "machine's clock right?");
		return ERR_INVALID;
	}
	return ERR_OK;
}

enum err
x509_check_chain(struct str chain_pem, struct str csr_der, const struct str *names,
    size_t names_n, struct when now, struct known *known, struct arena *a, struct why *why,
    struct certificate_info *ret)
{
	AUTO_CHAIN chain = { .n = 0 };
	struct certificate_info info;

	enum err e = read_chain(chain_pem, known, why, &chain);
	if (e == ERR_OK)
		e = read_info(chain.x[0], a, why, &info);
	if (e == ERR_OK)
		e = check_links(&chain, why);
	if (e == ERR_OK)
		e = check_names(&info, names, names_n, why);
	if (e == ERR_OK)
		e = check_key(chain.x[0], csr_der, why);
	if (e == ERR_OK)
		e = check_dates(&info, now, why);
	ERR_clear_error();
	if (e == ERR_OK)
		*ret = info;
	return e;
}

enum err
x509_top_issuer(struct str chain_pem, struct arena *a, struct str *ret)
{
	AUTO_CHAIN chain = { .n = 0 };
	enum err e = read_chain(chain_pem, NULL, NULL, &chain);
	struct str common = e != ERR_OK ? STR_NONE
					: part_of(X509_get_issuer_name(chain.x[chain.n - 1]),
					      NID_commonName, a);

	ERR_clear_error();
	if (e != ERR_OK)
		return e;
	if (arena_failed(a))
		return ERR_MEMORY;
	if (common.n == 0)
		return ERR_NOT_FOUND;
	*ret = common;
	return ERR_OK;
}
