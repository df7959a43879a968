#include "ports/keys/own.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <string.h>
#include "base/limits.h"
#include "ports/keys/openssl.h"
#include "ports/keys/x509.h"

enum { CERTIFICATES_MAX = 16, ISSUER_BYTES = 256 };

struct pile {
	X509 *x[CERTIFICATES_MAX]; /* as the file had them */
	size_t n;
};

static void
pile_fini(struct pile *p)
{
	for (size_t i = 0; i < p->n; i++)
		X509_free(p->x[i]);
	p->n = 0;
}
#define AUTO_PILE __attribute__((cleanup(pile_fini))) struct pile

static void
auto_store(X509_STORE **s)
{
	X509_STORE_free(*s);
}

static void
auto_p12(PKCS12 **p)
{
	PKCS12_free(*p);
}

static void
auto_stack(STACK_OF(X509) * *s)
{
	sk_X509_pop_free(*s, X509_free);
}

/* Takes x; false if there is no place for it. */
static bool
pile_put(struct pile *p, X509 *x)
{
	if (p->n == CERTIFICATES_MAX) {
		X509_free(x);
		return false;
	}
	p->x[p->n++] = x;
	return true;
}

/* ---- the three forms ---- */

/* Words for what could not be read; NULL if all is well. */
static const char *
read_pem(struct str file, struct pile *p)
{
	AUTO_BIO *bio = BIO_new_mem_buf(file.p, (int)file.n);
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	const char *fault = bio == NULL ? "no memory" : NULL;
	long n = 0;

	while (fault == NULL && PEM_read_bio(bio, &name, &header, &der, &n) == 1) {
		bool is_certificate = strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_TRUSTED) == 0 ||
				      strcmp(name, PEM_STRING_X509_OLD) == 0;
		const unsigned char *at = der;
		X509 *x = is_certificate ? d2i_X509(NULL, &at, n) : NULL;

		if (is_certificate && x == NULL)
			fault = "a certificate in it is damaged";
		else if (x != NULL && !pile_put(p, x))
			fault = "it has too many certificates";
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)n);
	}
	if (fault == NULL && ERR_peek_last_error() != 0 && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		fault = "the PEM text is damaged";
	return fault == NULL && p->n == 0 ? "there is no certificate in it" : fault;
}

static const char *
read_p12(PKCS12 *p12, const char *password, struct pile *p)
{
	AUTO_PKEY *pair = NULL;
	X509 *leaf = NULL;
	__attribute__((cleanup(auto_stack))) STACK_OF(X509) *rest = NULL;

	if (PKCS12_mac_present(p12) == 1 && PKCS12_verify_mac(p12, password, -1) != 1 &&
	    (password[0] != '\0' || PKCS12_verify_mac(p12, NULL, 0) != 1))
		return "the password is wrong";
	if (PKCS12_parse(p12, password, &pair, &leaf, &rest) != 1)
		return "its encryption is too old or damaged";
	if (leaf != NULL)
		(void)pile_put(p, leaf); /* the first one always has a place */
	while (sk_X509_num(rest) > 0)
		if (!pile_put(p, sk_X509_shift(rest)))
			return "it has too many certificates";
	return p->n == 0 ? "there is no certificate in it" : NULL;
}

static const char *
read_any(struct str file, const char *password, struct pile *p)
{
	const unsigned char *at = (const unsigned char *)file.p;

	if (file.n == 0 || file.n > LIMIT_CHAIN_BYTES)
		return file.n == 0 ? "the file is empty" : "the file is too large";
	if (str_find(file, STR("-----BEGIN ")) != SIZE_MAX)
		return read_pem(file, p);
	__attribute__((cleanup(auto_p12))) PKCS12 *p12 = d2i_PKCS12(NULL, &at, (long)file.n);
	if (p12 != NULL)
		return read_p12(p12, password, p);
	at = (const unsigned char *)file.p;
	X509 *x = d2i_X509(NULL, &at, (long)file.n);
	return x != NULL && pile_put(p, x) ? NULL : "it is neither PEM, DER nor PKCS#12";
}

/* ---- order ---- */

/* By name and by signature: names alone are given to anybody. */
static bool
is_issuer(X509 *issuer, X509 *x)
{
	return X509_check_issued(issuer, x) == X509_V_OK && X509_verify(x, X509_get0_pubkey(issuer)) == 1;
}

static bool
is_own_issuer(X509 *x)
{
	return is_issuer(x, x);
}

/* The site's own certificate: the one that issues no other. */
static size_t
leaf_of(const struct pile *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (X509_check_ca(p->x[i]) == 0)
			return i;
	return 0;
}

/* From the leaf upwards, each one's issuer; a certificate that belongs to no link is left out. */
static void
sort_out(const struct pile *p, X509 **chain, size_t *chain_n)
{
	bool is_used[CERTIFICATES_MAX] = { false };
	size_t at = leaf_of(p);

	for (*chain_n = 0; at < p->n;) {
		X509 *x = p->x[at];

		is_used[at] = true;
		chain[(*chain_n)++] = x;
		at = p->n;
		for (size_t i = 0; i < p->n && !is_own_issuer(x); i++)
			if (!is_used[i] && is_issuer(p->x[i], x)) {
				at = i;
				break;
			}
	}
}

static bool
is_in_order(const struct pile *p, X509 *const *chain, size_t chain_n)
{
	for (size_t i = 0; i < chain_n && chain_n == p->n; i++)
		if (p->x[i] != chain[i])
			return false;
	return chain_n == p->n;
}

/* ---- the way to a root ---- */

static enum err
has_root(X509 *const *chain, size_t chain_n, const char *roots, bool *ret)
{
	__attribute__((cleanup(auto_store))) X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *v = X509_STORE_CTX_new();
	X509 *top = chain[chain_n - 1], *issuer = NULL;
	enum err e = store != NULL && v != NULL ? ERR_OK : ERR_MEMORY;

	*ret = is_own_issuer(top);
	if (e == ERR_OK && (roots != NULL ? X509_STORE_load_file(store, roots) : X509_STORE_set_default_paths(store)) != 1)
		e = ERR_CONFIG;
	if (e == ERR_OK && X509_STORE_CTX_init(v, store, top, NULL) != 1)
		e = ERR_CRYPTO;
	if (e == ERR_OK && !*ret && X509_STORE_CTX_get1_issuer(&issuer, v, top) == 1 && is_issuer(issuer, top))
		*ret = true;
	X509_free(issuer);
	X509_STORE_CTX_free(v);
	return e;
}

static struct str
issuer_words(X509 *x, struct arena *a)
{
	char text[ISSUER_BYTES];
	int n = X509_NAME_get_text_by_NID(X509_get_issuer_name(x), NID_commonName, text, sizeof text);

	if (n <= 0 || !str_is_utf8((struct str){ text, (size_t)n }))
		return STR("-");
	return arena_str(a, (struct str){ text, (size_t)n });
}

static enum err
write_chain(X509 *const *chain, size_t chain_n, struct buf *to)
{
	for (size_t i = 0; i < chain_n; i++) {
		AUTO_BIO *bio = BIO_new(BIO_s_mem());
		char *text = NULL;

		/* Who trusts a root has it; sent along it only costs time. */
		if (i > 0 && is_own_issuer(chain[i]))
			break;
		if (bio == NULL || PEM_write_bio_X509(bio, chain[i]) != 1)
			return ERR_MEMORY;
		long n = BIO_get_mem_data(bio, &text);
		buf_put(to, text, n > 0 ? (size_t)n : 0);
	}
	return to->err;
}

enum err
own_read(struct str file, const char *password, const char *roots, struct arena *a, struct own_certificate *ret,
    struct buf *chain_pem)
{
	AUTO_PILE pile = { .n = 0 };
	X509 *chain[CERTIFICATES_MAX] = { NULL };
	size_t chain_n = 0;
	struct why why = { "" };

	*ret = (struct own_certificate){ .is_read = false };
	ERR_clear_error();
	const char *fault = read_any(file, password, &pile);
	ERR_clear_error();
	if (fault != NULL) {
		ret->why = str_of(fault);
		return ERR_OK;
	}
	sort_out(&pile, chain, &chain_n);
	if (x509_read(chain[0], a, &why, &ret->leaf) != ERR_OK) {
		ret->why = arena_str(a, str_of(why.text));
		return ERR_OK;
	}
	ret->is_read = true;
	ret->is_ordered = is_in_order(&pile, chain, chain_n);
	enum err e = has_root(chain, chain_n, roots, &ret->is_complete);
	if (e == ERR_OK && !ret->is_complete)
		ret->missing = issuer_words(chain[chain_n - 1], a);
	return e == ERR_OK ? write_chain(chain, chain_n, chain_pem) : e;
}
