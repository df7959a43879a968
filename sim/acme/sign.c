#include "sim/acme/sign.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/limits.h"

enum sign_key { KEY_ROOT_A, KEY_ROOT_B, KEY_INTERMEDIATE, KEY_TLS_ROOT, KEYS_KEPT };
enum { PEM_BYTES_MAX = 64 * 1024 };
#define CA_LIFE SPAN_D(20 * 365)
#define BACK SPAN_H(24) /* a CA's own certificates are valid since yesterday: clocks differ */

struct sign {
	EVP_PKEY *keys[KEYS_KEPT];
	EVP_PKEY *stranger; /* signs what a fault wants to be wrong */
	X509 *intermediate; /* for its name */
	uint8_t key_id[SIGN_KEY_ID_BYTES];
	SSL_CTX *tls;
	struct buf tls_root, roots, chains[SIGN_CHAINS];
	struct clock *clock;
};

/* --- parts of a certificate --- */

static bool
put_extension(X509 *x, int nid, bool is_critical, void *value)
{
	bool is_good = value != NULL && X509_add1_ext_i2d(x, nid, value, is_critical, X509V3_ADD_DEFAULT) == 1;

	return is_good;
}

static bool
put_key_usage(X509 *x, int bits)
{
	ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();
	bool is_good = usage != NULL;

	for (int i = 0; is_good && i < 8; i++)
		if ((bits & (0x80 >> i)) != 0)
			is_good = ASN1_BIT_STRING_set_bit(usage, i, 1) == 1;
	is_good = is_good && put_extension(x, NID_key_usage, true, usage);
	ASN1_BIT_STRING_free(usage);
	return is_good;
}

static bool
put_constraints(X509 *x, bool is_ca)
{
	BASIC_CONSTRAINTS *c = BASIC_CONSTRAINTS_new();

	if (c != NULL)
		c->ca = is_ca ? 0xff : 0;
	bool is_good = put_extension(x, NID_basic_constraints, true, c);
	BASIC_CONSTRAINTS_free(c);
	return is_good;
}

static bool
put_server_auth(X509 *x)
{
	EXTENDED_KEY_USAGE *u = EXTENDED_KEY_USAGE_new();
	ASN1_OBJECT *o = OBJ_nid2obj(NID_server_auth);
	bool is_good = u != NULL && sk_ASN1_OBJECT_push(u, o) > 0 && put_extension(x, NID_ext_key_usage, false, u);

	sk_ASN1_OBJECT_pop_free(u, ASN1_OBJECT_free);
	return is_good;
}

static bool
key_id_of(EVP_PKEY *key, uint8_t ret[SIGN_KEY_ID_BYTES])
{
	unsigned char *point = NULL;
	size_t n = EVP_PKEY_get1_encoded_public_key(key, &point);
	bool is_good = n > 0 && EVP_Digest(point, n, ret, NULL, EVP_sha1(), NULL) == 1; /* RFC 5280 4.2.1.2 */

	OPENSSL_free(point);
	return is_good;
}

static bool
put_key_ids(X509 *x, EVP_PKEY *own, EVP_PKEY *issuer)
{
	uint8_t id[SIGN_KEY_ID_BYTES];
	ASN1_OCTET_STRING *text = ASN1_OCTET_STRING_new();
	AUTHORITY_KEYID *authority = AUTHORITY_KEYID_new();
	bool is_good = text != NULL && authority != NULL;

	if (is_good && own != NULL)
		is_good = key_id_of(own, id) && ASN1_OCTET_STRING_set(text, id, sizeof id) == 1 &&
			  put_extension(x, NID_subject_key_identifier, false, text);
	if (is_good && key_id_of(issuer, id) && ASN1_OCTET_STRING_set(text, id, sizeof id) == 1) {
		authority->keyid = text;
		text = NULL;
		is_good = put_extension(x, NID_authority_key_identifier, false, authority);
	}
	ASN1_OCTET_STRING_free(text);
	AUTHORITY_KEYID_free(authority);
	return is_good;
}

static bool
put_name(GENERAL_NAMES *names, struct str text)
{
	GENERAL_NAME *g = GENERAL_NAME_new();
	ASN1_STRING *s = NULL;
	uint8_t ip[16];
	char host[LIMIT_NAME_BYTES + 1];
	bool is_good = g != NULL && text.n < sizeof host;

	if (is_good) {
		memcpy(host, text.p, text.n);
		host[text.n] = '\0';
		int n = inet_pton(AF_INET, host, ip) == 1 ? 4 : inet_pton(AF_INET6, host, ip) == 1 ? 16 : 0;

		s = n > 0 ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
		is_good = s != NULL && ASN1_STRING_set(s, n > 0 ? (const void *)ip : text.p, n > 0 ? n : (int)text.n) == 1;
		if (is_good)
			GENERAL_NAME_set0_value(g, n > 0 ? GEN_IPADD : GEN_DNS, s);
		else
			ASN1_STRING_free(s);
	}
	if (is_good && sk_GENERAL_NAME_push(names, g) > 0)
		return true;
	GENERAL_NAME_free(g);
	return false;
}

static bool
put_names(X509 *x, const struct str *names, size_t n, bool has_subject)
{
	GENERAL_NAMES *list = sk_GENERAL_NAME_new_null();
	bool is_good = list != NULL;

	for (size_t i = 0; is_good && i < n; i++)
		is_good = put_name(list, names[i]);
	is_good = is_good && put_extension(x, NID_subject_alt_name, !has_subject, list);
	GENERAL_NAMES_free(list);
	return is_good;
}

/* A certificate with everything but extensions; from and to are dates of any year. */
static X509 *
begin(EVP_PKEY *key, struct str common_name, const X509_NAME *issuer, const uint8_t serial[SIGN_SERIAL_BYTES], struct when from,
    struct when to)
{
	X509 *x = X509_new();
	BIGNUM *bn = BN_bin2bn(serial, SIGN_SERIAL_BYTES, NULL);
	X509_NAME *subject = X509_NAME_new();
	bool is_good = x != NULL && bn != NULL && subject != NULL;

	if (is_good && common_name.n > 0)
		is_good = X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, (const unsigned char *)common_name.p,
			      (int)common_name.n, -1, 0) == 1;
	is_good = is_good && X509_set_version(x, X509_VERSION_3) == 1 && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)) != NULL &&
		  X509_set_subject_name(x, subject) == 1 && X509_set_issuer_name(x, issuer != NULL ? issuer : subject) == 1 &&
		  ASN1_TIME_set(X509_getm_notBefore(x), from.s) != NULL && ASN1_TIME_set(X509_getm_notAfter(x), to.s) != NULL &&
		  X509_set_pubkey(x, key) == 1;
	BN_free(bn);
	X509_NAME_free(subject);
	if (is_good)
		return x;
	X509_free(x);
	return NULL;
}

/* --- the CA's own --- */

static X509 *
make_ca(struct sign *s, EVP_PKEY *key, struct str name, EVP_PKEY *issuer_key, const X509 *issuer)
{
	uint8_t serial[SIGN_SERIAL_BYTES];
	struct when now = clock_now(s->clock);

	s->clock->random(s->clock->ctx, serial, sizeof serial);
	serial[0] = (uint8_t)((serial[0] & 0x7f) | 1);
	X509 *x = begin(key, name, issuer != NULL ? X509_get_subject_name(issuer) : NULL, serial, when_minus(now, BACK),
	    when_plus(now, CA_LIFE));
	if (x != NULL && put_constraints(x, true) && put_key_usage(x, 0x86) && put_key_ids(x, key, issuer_key) &&
	    X509_sign(x, issuer_key, EVP_sha256()) > 0)
		return x;
	X509_free(x);
	return NULL;
}

static bool
put_pem(struct buf *to, X509 *x)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	bool is_good = x != NULL && bio != NULL && PEM_write_bio_X509(bio, x) == 1;
	long n = is_good ? BIO_get_mem_data(bio, &p) : 0;

	buf_put(to, p, n > 0 ? (size_t)n : 0);
	BIO_free(bio);
	return is_good && to->err == ERR_OK;
}

static bool
make_authorities(struct sign *s)
{
	X509 *a = make_ca(s, s->keys[KEY_ROOT_A], STR("koshin fake root A"), s->keys[KEY_ROOT_A], NULL);
	X509 *b = make_ca(s, s->keys[KEY_ROOT_B], STR("koshin fake root B"), s->keys[KEY_ROOT_B], NULL);
	X509 *tls = make_ca(s, s->keys[KEY_TLS_ROOT], STR("koshin fake CA, HTTPS root"), s->keys[KEY_TLS_ROOT], NULL);
	X509 *by_b = NULL;
	bool is_good = a != NULL && b != NULL && tls != NULL;

	if (is_good) {
		s->intermediate = make_ca(s, s->keys[KEY_INTERMEDIATE], STR("koshin fake intermediate"), s->keys[KEY_ROOT_A], a);
		by_b = make_ca(s, s->keys[KEY_INTERMEDIATE], STR("koshin fake intermediate"), s->keys[KEY_ROOT_B], b);
		is_good = put_pem(&s->roots, a) && put_pem(&s->roots, b) && put_pem(&s->tls_root, tls) &&
			  put_pem(&s->chains[0], s->intermediate) && put_pem(&s->chains[1], by_b) &&
			  key_id_of(s->keys[KEY_INTERMEDIATE], s->key_id);
	}
	X509_free(a);
	X509_free(b);
	X509_free(tls);
	X509_free(by_b);
	return is_good;
}

static bool
make_tls(struct sign *s, const struct str *hosts, size_t hosts_n)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	uint8_t serial[SIGN_SERIAL_BYTES];
	struct when now = clock_now(s->clock);
	X509_NAME *issuer = X509_NAME_new();
	X509 *x = NULL;
	bool is_good = key != NULL && issuer != NULL &&
		       X509_NAME_add_entry_by_NID(issuer, NID_commonName, MBSTRING_UTF8,
			   (const unsigned char *)"koshin fake CA, HTTPS root", -1, -1, 0) == 1;

	s->clock->random(s->clock->ctx, serial, sizeof serial);
	serial[0] = (uint8_t)((serial[0] & 0x7f) | 1);
	if (is_good)
		x = begin(key, STR_NONE, issuer, serial, when_minus(now, BACK), when_plus(now, CA_LIFE));
	is_good = x != NULL && put_constraints(x, false) && put_key_usage(x, 0x80) && put_server_auth(x) &&
		  put_names(x, hosts, hosts_n, false) && put_key_ids(x, key, s->keys[KEY_TLS_ROOT]) &&
		  X509_sign(x, s->keys[KEY_TLS_ROOT], EVP_sha256()) > 0;
	s->tls = is_good ? SSL_CTX_new(TLS_server_method()) : NULL;
	is_good = s->tls != NULL && SSL_CTX_use_certificate(s->tls, x) == 1 && SSL_CTX_use_PrivateKey(s->tls, key) == 1 &&
		  SSL_CTX_set_min_proto_version(s->tls, TLS1_2_VERSION) == 1;
	if (is_good)
		(void)SSL_CTX_set_mode(s->tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
						   SSL_MODE_RELEASE_BUFFERS);
	X509_free(x);
	X509_NAME_free(issuer);
	EVP_PKEY_free(key);
	return is_good;
}

/* --- the folder --- */

static bool
load_keys(struct sign *s, const char *path)
{
	FILE *f = fopen(path, "re");
	size_t n = 0;

	if (f == NULL)
		return false;
	while (n < KEYS_KEPT && (s->keys[n] = PEM_read_PrivateKey(f, NULL, NULL, NULL)) != NULL)
		n++;
	(void)fclose(f); /* it was only read */
	return n == KEYS_KEPT;
}

static enum err
save_keys(const struct sign *s, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool is_good = f != NULL;

	for (size_t i = 0; is_good && i < KEYS_KEPT; i++) {
		PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(s->keys[i]);

		is_good = info != NULL && PEM_write_PKCS8_PRIV_KEY_INFO(f, info) == 1;
		PKCS8_PRIV_KEY_INFO_free(info);
	}
	if (f != NULL)
		is_good = fclose(f) == 0 && is_good;
	return is_good ? ERR_OK : ERR_UNWRITABLE;
}

static enum err
save_text(const char *folder, const char *name, struct str text)
{
	char path[4096];
	FILE *f;

	if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
		return ERR_TOO_LONG;
	f = fopen(path, "we");
	if (f == NULL)
		return err_of_errno(errno);
	bool is_good = fwrite(text.p, 1, text.n, f) == text.n;
	is_good = fclose(f) == 0 && is_good;
	return is_good ? ERR_OK : ERR_UNWRITABLE;
}

static enum err
keys_and_folder(struct sign *s, const char *folder, struct why *why)
{
	char path[4096];
	bool has_keys = false;

	if (folder != NULL) {
		if (mkdir(folder, 0755) != 0 && errno != EEXIST) {
			why_set(why, "%s: %s", folder, strerror(errno));
			return err_of_errno(errno);
		}
		if (snprintf(path, sizeof path, "%s/keys.pem", folder) >= (int)sizeof path)
			return ERR_TOO_LONG;
		has_keys = load_keys(s, path);
	}
	for (size_t i = 0; !has_keys && i < KEYS_KEPT; i++) {
		EVP_PKEY_free(s->keys[i]);
		s->keys[i] = EVP_EC_gen("P-256");
		if (s->keys[i] == NULL)
			return ERR_CRYPTO;
	}
	if (folder == NULL || has_keys)
		return ERR_OK;
	enum err err = save_keys(s, path);
	if (err != ERR_OK)
		why_set(why, "%s: cannot be written", path);
	return err;
}

enum err
sign_new(const char *folder, const struct str *hosts, size_t hosts_n, struct clock *clock, struct why *why, struct sign **ret)
{
	struct sign *s = calloc(1, sizeof *s);
	enum err err;

	if (s == NULL)
		return ERR_MEMORY;
	s->clock = clock;
	buf_init(&s->tls_root, PEM_BYTES_MAX);
	buf_init(&s->roots, PEM_BYTES_MAX);
	for (size_t i = 0; i < SIGN_CHAINS; i++)
		buf_init(&s->chains[i], PEM_BYTES_MAX);
	err = keys_and_folder(s, folder, why);
	if (err == ERR_OK) {
		s->stranger = EVP_EC_gen("P-256");
		err = s->stranger != NULL && make_authorities(s) && make_tls(s, hosts, hosts_n) ? ERR_OK : ERR_CRYPTO;
	}
	if (err == ERR_OK && folder != NULL)
		err = save_text(folder, "tls-root.pem", buf_str(&s->tls_root));
	if (err == ERR_OK && folder != NULL)
		err = save_text(folder, "roots.pem", buf_str(&s->roots));
	if (err != ERR_OK) {
		if (why->text[0] == '\0')
			why_set(why, "making the CA's keys and certificates: %s", err_words(err));
		sign_free(&s);
		return err;
	}
	*ret = s;
	return ERR_OK;
}

void
sign_free(struct sign **sp)
{
	struct sign *s = *sp;

	if (s == NULL)
		return;
	for (size_t i = 0; i < KEYS_KEPT; i++)
		EVP_PKEY_free(s->keys[i]);
	EVP_PKEY_free(s->stranger);
	X509_free(s->intermediate);
	SSL_CTX_free(s->tls);
	buf_fini(&s->tls_root);
	buf_fini(&s->roots);
	for (size_t i = 0; i < SIGN_CHAINS; i++)
		buf_fini(&s->chains[i]);
	free(s);
	*sp = NULL;
}

SSL_CTX *
sign_tls(struct sign *s)
{
	return s->tls;
}

struct str
sign_tls_root(const struct sign *s)
{
	return buf_str(&s->tls_root);
}

struct str
sign_roots(const struct sign *s)
{
	return buf_str(&s->roots);
}

struct str
sign_chain(const struct sign *s, size_t which)
{
	return buf_str(&s->chains[which < SIGN_CHAINS ? which : 0]);
}

const uint8_t *
sign_key_id(const struct sign *s)
{
	return s->key_id;
}

/* --- leaves --- */

static bool
put_list(X509 *x, struct str url)
{
	X509V3_CTX ctx;
	char *value = NULL;

	if (url.n == 0)
		return true;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, NULL, x, NULL, NULL, 0);
	if (asprintf(&value, "URI:%.*s", STR_ARG(url)) < 0)
		return false;
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, NID_crl_distribution_points, value);
	bool is_good = e != NULL && X509_add_ext(x, e, -1) == 1;

	X509_EXTENSION_free(e);
	free(value);
	return is_good;
}

enum err
sign_leaf(struct sign *s, const struct sign_leaf *leaf, struct arena *a, struct str *ret_pem, struct str *ret_der)
{
	EVP_PKEY *issuer = leaf->has_wrong_issuer ? s->stranger : s->keys[KEY_INTERMEDIATE];
	/* A common name is at most 64 characters long (RFC 5280, ub-common-name). */
	struct str common = leaf->has_common_name && leaf->names_n > 0 && leaf->names[0].n <= 64 ? leaf->names[0] : STR_NONE;
	X509 *x = begin(leaf->key, common, X509_get_subject_name(s->intermediate), leaf->serial, leaf->from, leaf->to);
	AUTO_BUF pem = { .p = NULL };
	unsigned char *der = NULL;
	int n = -1;

	buf_init(&pem, PEM_BYTES_MAX);
	if (x != NULL && put_constraints(x, false) && put_key_usage(x, 0x80) && put_server_auth(x) &&
	    put_names(x, leaf->names, leaf->names_n, common.n > 0) && put_key_ids(x, NULL, s->keys[KEY_INTERMEDIATE]) &&
	    put_list(x, leaf->list_url) && X509_sign(x, issuer, EVP_sha256()) > 0 && put_pem(&pem, x))
		n = i2d_X509(x, &der);
	X509_free(x);
	if (n <= 0)
		return ERR_CRYPTO;
	*ret_pem = arena_str(a, buf_str(&pem));
	*ret_der = arena_str(a, (struct str){ (const char *)der, (size_t)n });
	OPENSSL_free(der);
	return arena_failed(a) ? ERR_MEMORY : ERR_OK;
}
