#include "ports/keys/own.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "ports/keys/issuer.h"
#include "ports/keys/openssl.h"
#include "ports/keys/p12_cost.h"
#include "ports/keys/pair.h"
#include "ports/keys/x509.h"

enum { CERTIFICATES_MAX = 16, KEYS_MAX = 4, ISSUER_BYTES = 256, SECURITY_BITS = 112 /* RSA of 2048 bits, SHA-256 */ };

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

/* ---- keys ---- */

struct keys_found {
	EVP_PKEY *at[KEYS_MAX];
	size_t n;
	bool is_wanted, is_locked;
	const char *password;
};

static void
keys_fini(struct keys_found *k)
{
	for (size_t i = 0; i < k->n; i++)
		EVP_PKEY_free(k->at[i]);
	k->n = 0;
}
#define AUTO_KEYS __attribute__((cleanup(keys_fini))) struct keys_found

/* Takes the pair; those beyond the limit are of no use. */
static void
keys_put(struct keys_found *k, EVP_PKEY *pair)
{
	if (pair != NULL && k->is_wanted && k->n < KEYS_MAX)
		k->at[k->n++] = pair;
	else
		EVP_PKEY_free(pair);
}

static int
give_password(char *to, int room, int is_writing, void *arg)
{
	size_t n = strlen(arg);

	(void)is_writing;
	if (n == 0 || n > (size_t)room)
		return -1;
	memcpy(to, arg, n);
	return (int)n;
}

/* PKCS#8 under a password (RFC 5958), as "ENCRYPTED PRIVATE KEY". */
static EVP_PKEY *
unlock(const unsigned char *der, long n, const char *password)
{
	X509_SIG *locked = d2i_X509_SIG(NULL, &der, n);
	PKCS8_PRIV_KEY_INFO *info = locked == NULL || password[0] == '\0' ? NULL : PKCS8_decrypt(locked, password, (int)strlen(password));
	EVP_PKEY *pair = info == NULL ? NULL : EVP_PKCS82PKEY(info);

	PKCS8_PRIV_KEY_INFO_free(info);
	X509_SIG_free(locked);
	return pair;
}

/* One block of PEM text that is a key; `der` is decrypted in its place where the old form says that it is encrypted. */
static void
take_key(struct keys_found *k, const char *name, char *header, unsigned char *der, long n)
{
	EVP_CIPHER_INFO cipher;
	const unsigned char *at = der;
	char *password = NULL;
	bool is_locked = strcmp(name, PEM_STRING_PKCS8) == 0 || strstr(header, "ENCRYPTED") != NULL;

	if (!k->is_wanted)
		return;
	if (strcmp(name, PEM_STRING_PKCS8) == 0) {
		EVP_PKEY *pair = unlock(der, n, k->password);

		k->is_locked |= pair == NULL;
		keys_put(k, pair);
		return;
	}
	password = strdup(k->password);
	bool is_open = password != NULL && (!is_locked || (PEM_get_EVP_CIPHER_INFO(header, &cipher) == 1 &&
								  PEM_do_header(&cipher, der, &n, give_password, password) == 1));
	if (password != NULL)
		OPENSSL_cleanse(password, strlen(password));
	free(password);
	EVP_PKEY *pair = is_open ? d2i_AutoPrivateKey(NULL, &at, n) : NULL;
	k->is_locked |= is_locked && pair == NULL;
	keys_put(k, pair);
}

/* ---- the three forms ---- */

static bool
is_certificate(const char *name)
{
	return strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_TRUSTED) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0;
}

/* What could not be read. */
static enum own_fault
read_pem(struct str file, struct pile *p, struct keys_found *keys)
{
	AUTO_BIO *bio = BIO_new_mem_buf(file.p, (int)file.n);
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	enum own_fault fault = bio == NULL ? OWN_FAULT_NO_MEMORY : OWN_FAULT_NONE;
	long n = 0;

	while (fault == OWN_FAULT_NONE && PEM_read_bio(bio, &name, &header, &der, &n) == 1) {
		const unsigned char *at = der;
		X509 *x = is_certificate(name) ? d2i_X509(NULL, &at, n) : NULL;

		if (is_certificate(name) && x == NULL)
			fault = OWN_FAULT_DAMAGED;
		else if (x != NULL && !pile_put(p, x))
			fault = OWN_FAULT_MANY_CERTIFICATES;
		else if (str_ends(str_of(name), STR("PRIVATE KEY")))
			take_key(keys, name, header, der, n);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)n);
	}
	if (fault == OWN_FAULT_NONE && ERR_peek_last_error() != 0 && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		fault = OWN_FAULT_DAMAGED_TEXT;
	return fault;
}

static enum own_fault
read_p12(PKCS12 *p12, const char *password, struct pile *p, struct keys_found *keys)
{
	EVP_PKEY *pair = NULL;
	X509 *leaf = NULL;
	__attribute__((cleanup(auto_stack))) STACK_OF(X509) *rest = NULL;

	if (!p12_is_cheap(p12, password))
		return OWN_FAULT_PASSWORD_COST;
	if (PKCS12_mac_present(p12) == 1 && PKCS12_verify_mac(p12, password, -1) != 1 &&
	    (password[0] != '\0' || PKCS12_verify_mac(p12, NULL, 0) != 1))
		return OWN_FAULT_PASSWORD;
	if (PKCS12_parse(p12, password, &pair, &leaf, &rest) != 1)
		return OWN_FAULT_OLD_ENCRYPTION;
	keys_put(keys, pair);
	if (leaf != NULL && !pile_put(p, leaf))
		return OWN_FAULT_MANY_CERTIFICATES;
	while (sk_X509_num(rest) > 0)
		if (!pile_put(p, sk_X509_shift(rest)))
			return OWN_FAULT_MANY_CERTIFICATES;
	return OWN_FAULT_NONE;
}

static enum own_fault
read_any(struct str file, const char *password, struct pile *p, struct keys_found *keys)
{
	const unsigned char *at = (const unsigned char *)file.p;
	enum own_fault fault;

	if (file.n > LIMIT_CHAIN_BYTES)
		return OWN_FAULT_TOO_LARGE;
	if (str_find(file, STR("-----BEGIN ")) != SIZE_MAX) {
		fault = read_pem(file, p, keys);
		/* An empty password stands on the stack of errors of a key that is locked. */
		ERR_clear_error();
		return fault;
	}
	__attribute__((cleanup(auto_p12))) PKCS12 *p12 = d2i_PKCS12(NULL, &at, (long)file.n);
	if (p12 != NULL)
		return read_p12(p12, password, p, keys);
	at = (const unsigned char *)file.p;
	X509 *x = d2i_X509(NULL, &at, (long)file.n);
	return x == NULL	 ? OWN_FAULT_NOT_CERTIFICATE
	       : pile_put(p, x) ? OWN_FAULT_NONE
				 : OWN_FAULT_MANY_CERTIFICATES;
}

static enum own_fault
read_all(const struct own_input *in, struct pile *p, struct keys_found *keys)
{
	enum own_fault fault = OWN_FAULT_NONE;
	size_t n = 0;

	for (size_t i = 0; i < OWN_FILES_MAX && fault == OWN_FAULT_NONE; i++) {
		if (in->files[i].n == 0)
			continue;
		n++;
		ERR_clear_error();
		fault = read_any(in->files[i], in->password, p, keys);
	}
	if (fault != OWN_FAULT_NONE)
		return fault;
	return n == 0 ? OWN_FAULT_EMPTY : p->n == 0 ? OWN_FAULT_NO_CERTIFICATE : OWN_FAULT_NONE;
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

/* From the leaf upwards. */
struct chain {
	X509 *x[CERTIFICATES_MAX], *in_file[CERTIFICATES_MAX]; /* all; those of them that the file had */
	size_t n, in_file_n;
};

static X509 *
find_issuer(const struct pile *p, const struct chain *c, X509 *x)
{
	for (size_t i = 0; i < p->n; i++) {
		bool is_used = false;

		for (size_t k = 0; k < c->n; k++)
			is_used |= X509_cmp(c->x[k], p->x[i]) == 0;
		if (!is_used && is_issuer(p->x[i], x))
			return p->x[i];
	}
	return NULL;
}

/* Each one's issuer; a certificate that belongs to no link is left out. What the file does not have may be known. */
static void
sort_out(const struct pile *p, const struct pile *known, struct chain *c)
{
	for (X509 *x = p->x[leaf_of(p)], *next; x != NULL && c->n < CERTIFICATES_MAX; x = next) {
		bool is_in_file = false;

		for (size_t i = 0; i < p->n; i++)
			is_in_file |= p->x[i] == x;
		if (is_in_file)
			c->in_file[c->in_file_n++] = x;
		c->x[c->n++] = x;
		next = is_own_issuer(x) ? NULL : find_issuer(p, c, x);
		if (next == NULL && !is_own_issuer(x))
			next = find_issuer(known, c, x);
	}
}

static bool
is_in_order(const struct pile *p, const struct chain *c)
{
	for (size_t i = 0; i < c->in_file_n && c->in_file_n == p->n; i++)
		if (p->x[i] != c->in_file[i])
			return false;
	return c->in_file_n == p->n;
}

/* ---- the way to a root, and what browsers have against it ---- */

static enum err
open_roots(const char *roots, X509_STORE **ret)
{
	X509_STORE *store = X509_STORE_new();

	if (store == NULL)
		return ERR_MEMORY;
	if ((roots != NULL ? X509_STORE_load_file(store, roots) : X509_STORE_set_default_paths(store)) != 1) {
		X509_STORE_free(store);
		return ERR_CONFIG;
	}
	*ret = store;
	return ERR_OK;
}

static bool
has_root(X509_STORE *store, X509 *top)
{
	X509_STORE_CTX *v = X509_STORE_CTX_new();
	X509 *issuer = NULL;
	bool has = v != NULL && X509_STORE_CTX_init(v, store, top, NULL) == 1 && X509_STORE_CTX_get1_issuer(&issuer, v, top) == 1 &&
		   is_issuer(issuer, top);

	X509_free(issuer);
	X509_STORE_CTX_free(v);
	return has;
}

/* Dates of the leaf are told by themselves. */
static int
on_verify(int ok, X509_STORE_CTX *v)
{
	int e = X509_STORE_CTX_get_error(v);
	bool is_date_of_leaf = X509_STORE_CTX_get_error_depth(v) == 0 && (e == X509_V_ERR_CERT_HAS_EXPIRED || e == X509_V_ERR_CERT_NOT_YET_VALID);

	return ok == 1 || is_date_of_leaf;
}

/* As a browser does it: X509_V_OK, or the first fault. 112 bits: RSA of 2048 bits, and no SHA-1. */
static enum err
verify(X509_STORE *store, const struct chain *c, struct when now, int *ret)
{
	X509_STORE_CTX *v = X509_STORE_CTX_new();
	STACK_OF(X509) *rest = sk_X509_new_null();
	enum err e = v != NULL && rest != NULL && X509_STORE_CTX_init(v, store, c->x[0], rest) == 1 ? ERR_OK : ERR_MEMORY;

	for (size_t i = 1; i < c->n && e == ERR_OK; i++)
		if (sk_X509_push(rest, c->x[i]) <= 0)
			e = ERR_MEMORY;
	if (e == ERR_OK) {
		X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(v);

		X509_VERIFY_PARAM_set_auth_level(param, 2);
		X509_VERIFY_PARAM_set_time(param, (time_t)now.s);
		(void)X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER); /* fails for none that is known */
		X509_STORE_CTX_set_verify_cb(v, on_verify);
		*ret = X509_verify_cert(v) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(v);
	}
	sk_X509_free(rest);
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

/* Known before there is a way to a root: the key, how it is signed, what it is for. */
static struct str
weakness_of(const struct chain *c, struct arena *a)
{
	EVP_PKEY *pair = X509_get0_pubkey(c->x[0]);
	int bits = 0;

	if (pair == NULL || (!EVP_PKEY_is_a(pair, "RSA") && !EVP_PKEY_is_a(pair, "EC")))
		return str_of(own_fault_words(OWN_FAULT_KEY_KIND));
	if (EVP_PKEY_get_security_bits(pair) < SECURITY_BITS)
		return arena_strf(a, "%s: %s, %d bits", own_fault_words(OWN_FAULT_SHORT_KEY), EVP_PKEY_is_a(pair, "RSA") ? "RSA" : "ECDSA", EVP_PKEY_get_bits(pair));
	for (size_t i = 0; i < c->n; i++)
		if (!is_own_issuer(c->x[i]) && X509_get_signature_info(c->x[i], NULL, NULL, &bits, NULL) == 1 && bits < SECURITY_BITS)
			return str_of(own_fault_words(OWN_FAULT_SHA1));
	if (X509_check_purpose(c->x[0], X509_PURPOSE_SSL_SERVER, 0) != 1)
		return str_of(own_fault_words(OWN_FAULT_NOT_SERVER));
	return STR_NONE;
}

static enum err
judge_trust(const struct chain *c, const struct own_input *in, struct arena *a, struct own_certificate *ret)
{
	__attribute__((cleanup(auto_store))) X509_STORE *store = NULL;
	X509 *top = c->x[c->n - 1];
	int fault = X509_V_OK;
	enum err e = open_roots(in->roots, &store);

	if (e != ERR_OK)
		return e;
	ret->is_complete = is_own_issuer(top) || has_root(store, top);
	if (!ret->is_complete) {
		ret->missing = issuer_words(top, a);
		ret->issuer_urls_n = issuer_urls(top, a, ret->issuer_urls);
	}
	ret->untrusted = weakness_of(c, a);
	if (!ret->is_complete || ret->untrusted.n > 0)
		return ERR_OK;
	e = verify(store, c, in->now, &fault);
	if (e != ERR_OK || fault == X509_V_OK)
		return e;
	if (fault == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT || fault == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
	    fault == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY)
		ret->untrusted = arena_strf(a, "%s: %.*s", own_fault_words(OWN_FAULT_UNKNOWN_ISSUER), STR_ARG(issuer_words(top, a)));
	else if (fault == X509_V_ERR_CERT_HAS_EXPIRED || fault == X509_V_ERR_CERT_NOT_YET_VALID)
		ret->untrusted = str_of(own_fault_words(OWN_FAULT_ISSUER_ENDED));
	else
		ret->untrusted = arena_strf(a, "%s: %s", own_fault_words(OWN_FAULT_REFUSED), X509_verify_cert_error_string(fault));
	return ERR_OK;
}

static enum err
write_chain(const struct chain *c, struct buf *to)
{
	for (size_t i = 0; i < c->n; i++) {
		AUTO_BIO *bio = BIO_new(BIO_s_mem());
		char *text = NULL;

		/* Who trusts a root has it; sent along it only costs time. */
		if (i > 0 && is_own_issuer(c->x[i]))
			break;
		if (bio == NULL || PEM_write_bio_X509(bio, c->x[i]) != 1)
			return ERR_MEMORY;
		long n = BIO_get_mem_data(bio, &text);
		buf_put(to, text, n > 0 ? (size_t)n : 0);
	}
	return to->err;
}

/* ---- its key ---- */

static enum err
key_id_of(X509_PUBKEY *spki, uint8_t ret[32])
{
	unsigned char *der = NULL;
	int n = spki == NULL ? -1 : i2d_X509_PUBKEY(spki, &der);
	bool is_done = n > 0 && EVP_Digest(der, (size_t)n, ret, NULL, EVP_sha256(), NULL) == 1;

	OPENSSL_free(der);
	return is_done ? ERR_OK : ERR_CRYPTO;
}

static enum err
find_key(const struct keys_found *k, X509 *leaf, struct own_certificate *ret, struct secret *ret_key)
{
	enum err e = key_id_of(X509_get_X509_PUBKEY(leaf), ret->key_id);

	if (e != ERR_OK || !k->is_wanted)
		return e;
	for (size_t i = 0; i < k->n; i++)
		if (X509_check_private_key(leaf, k->at[i]) == 1) {
			ret->key = OWN_KEY_HERE;
			return pair_to_der(k->at[i], ret_key);
		}
	ret->key = k->is_locked ? OWN_KEY_LOCKED : k->n > 0 ? OWN_KEY_OTHER : OWN_KEY_MISSING;
	return ERR_OK;
}

/* What is known is read as far as it can be: it is only a help. */
static void
read_known(struct str pem, struct pile *p)
{
	struct keys_found none = { .password = "" };

	if (pem.n > 0)
		(void)read_pem(pem, p, &none);
	ERR_clear_error();
}

enum err
own_read(const struct own_input *in, struct arena *a, struct own_certificate *ret, struct buf *chain_pem, struct secret *ret_key)
{
	AUTO_PILE pile = { .n = 0 }, known = { .n = 0 };
	AUTO_KEYS keys = { .is_wanted = ret_key != NULL, .password = in->password };
	struct chain chain = { .n = 0 };
	struct why why = { "" };

	*ret = (struct own_certificate){ .is_read = false };
	enum own_fault fault = read_all(in, &pile, &keys);
	ERR_clear_error();
	if (fault != OWN_FAULT_NONE) {
		ret->why = str_of(own_fault_words(fault));
		return ERR_OK;
	}
	read_known(in->known, &known);
	sort_out(&pile, &known, &chain);
	if (x509_read(chain.x[0], a, &why, &ret->leaf) != ERR_OK) {
		ret->why = arena_strf(a, "%s: %s", own_fault_words(OWN_FAULT_UNREADABLE), why.text);
		return ERR_OK;
	}
	ret->is_read = true;
	ret->is_ordered = is_in_order(&pile, &chain);
	enum err e = judge_trust(&chain, in, a, ret);
	if (e == ERR_OK)
		e = find_key(&keys, chain.x[0], ret, ret_key);
	if (e == ERR_OK)
		e = write_chain(&chain, chain_pem);
	ERR_clear_error(); /* OpenSSL's queue says nothing that our code does not */
	return e;
}

/* ---- requests ---- */

static X509_REQ *
read_csr(struct str der)
{
	const unsigned char *at = (const unsigned char *)der.p;

	return der.n == 0 || der.n > LIMIT_CSR_BYTES ? NULL : d2i_X509_REQ(NULL, &at, (long)der.n);
}

enum err
own_key_id_of_csr(struct str csr_der, uint8_t ret[32])
{
	AUTO_REQ *req = read_csr(csr_der);

	return req == NULL ? ERR_CORRUPT : key_id_of(X509_REQ_get_X509_PUBKEY(req), ret);
}

enum err
own_csr_pem(struct str csr_der, struct buf *to)
{
	AUTO_REQ *req = read_csr(csr_der);
	AUTO_BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;

	if (req == NULL)
		return ERR_CORRUPT;
	if (bio == NULL || PEM_write_bio_X509_REQ(bio, req) != 1)
		return ERR_MEMORY;
	long n = BIO_get_mem_data(bio, &text);
	buf_put(to, text, n > 0 ? (size_t)n : 0);
	return to->err;
}
