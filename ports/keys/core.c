#include "ports/keys/core.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "ports/keys/code.h"
#include "ports/keys/jose.h"
#include "ports/keys/pair.h"
#include "ports/keys/question.h"
#include "ports/keys/seal.h"
#include "ports/keys/set.h"
#include "ports/keys/x509.h"

/*
 * Account keys that were used last, ready to sign: opening and parsing one costs several signatures. A CA has one
 * account, so a handful of places serves every installation. They are found by the hash of the sealed form.
 */
enum { CACHE_N = 16, HASH_BYTES = 32, NONCE_BYTES_MAX = 1024 };
struct cached {
	uint8_t hash[HASH_BYTES];
	uint64_t used; /* number of its last use; 0: the place is free */
	struct jose_key key;
};

struct keys_core {
	struct secret master, transport;
	struct cached cache[CACHE_N];
	uint64_t uses;
};

enum err
keys_core_new(const uint8_t *master_key, const uint8_t *transport_key, struct keys_core **ret)
{
	struct keys_core *c = sodium_init() < 0 ? NULL : calloc(1, sizeof *c);

	if (c == NULL)
		return ERR_MEMORY;
	enum err e = secret_init(SECRET_KEY_BYTES, &c->master);
	if (e == ERR_OK && transport_key != NULL)
		e = secret_init(SECRET_KEY_BYTES, &c->transport);
	if (e != ERR_OK) {
		keys_core_free(&c);
		return e;
	}
	memcpy(c->master.p, master_key, SECRET_KEY_BYTES);
	if (transport_key != NULL)
		memcpy(c->transport.p, transport_key, SECRET_KEY_BYTES);
	*ret = c;
	return ERR_OK;
}

void
keys_core_free(struct keys_core **cp)
{
	struct keys_core *c = *cp;

	if (c == NULL)
		return;
	for (size_t i = 0; i < CACHE_N; i++)
		jose_key_fini(&c->cache[i].key);
	secret_fini(&c->master);
	secret_fini(&c->transport);
	free(c);
	*cp = NULL;
}

/* ret_der: the same in its stored form. */
static enum err
open_pair(const struct keys_core *c, enum purpose purpose, struct str sealed,
    struct secret *ret_der, EVP_PKEY **ret)
{
	enum err e = unseal(c->master.p, purpose, sealed, ret_der);

	return e != ERR_OK ? e : pair_of_der(ret_der, ret);
}

static enum err
seal_pair(const struct keys_core *c, enum purpose purpose, const EVP_PKEY *pair, struct buf *to)
{
	AUTO_SECRET der = { 0 };
	enum err e = pair_to_der(pair, &der);

	return e != ERR_OK
		   ? e
		   : seal(c->master.p, purpose, (struct str){ (const char *)der.p, der.n }, to);
}

static struct cached *
oldest(struct keys_core *c)
{
	struct cached *found = &c->cache[0];

	for (size_t i = 1; i < CACHE_N; i++)
		if (c->cache[i].used < found->used)
			found = &c->cache[i];
	return found;
}

/* The account key of this sealed form, from the cache or into it. Borrowed until the next call. */
static enum err
find_account(struct keys_core *c, struct str sealed, struct jose_key **ret)
{
	uint8_t hash[HASH_BYTES];
	AUTO_PKEY *pair = NULL;
	AUTO_SECRET der = { 0 };
	struct jose_key key;

	if (sealed.n > LIMIT_SEALED_BYTES)
		return ERR_CORRUPT;
	(void)crypto_generichash(
	    hash, sizeof hash, (const uint8_t *)sealed.p, sealed.n, NULL, 0);
	for (size_t i = 0; i < CACHE_N; i++) {
		struct cached *at = &c->cache[i];

		if (at->used != 0 && memcmp(at->hash, hash, sizeof hash) == 0) {
			at->used = ++c->uses;
			*ret = &at->key;
			return ERR_OK;
		}
	}
	enum err e = open_pair(c, PURPOSE_ACCOUNT, sealed, &der, &pair);
	if (e == ERR_OK)
		e = jose_key_init(pair, &key);
	if (e != ERR_OK)
		return e;
	struct cached *at = oldest(c);
	jose_key_fini(&at->key);
	*at = (struct cached){ .used = ++c->uses, .key = key };
	memcpy(at->hash, hash, sizeof hash);
	*ret = &at->key;
	return ERR_OK;
}

/* What a builder wrote, in the arena. */
static enum err
keep(struct arena *a, const struct buf *b, struct str *ret)
{
	if (b->err != ERR_OK)
		return b->err;
	struct str s = arena_str(a, buf_str(b));
	if (arena_failed(a))
		return ERR_MEMORY;
	*ret = s;
	return ERR_OK;
}

static enum err
do_account_new(struct keys_core *c, struct arena *a, struct keys_answer *answer)
{
	AUTO_PKEY *pair = NULL;
	AUTO_BUF sealed = { .max = 0 };
	struct jose_key *key;

	buf_init(&sealed, LIMIT_SEALED_BYTES);
	enum err e = pair_make(KEY_P256, &pair);
	if (e == ERR_OK)
		e = seal_pair(c, PURPOSE_ACCOUNT, pair, &sealed);
	if (e == ERR_OK)
		e = find_account(c, buf_str(&sealed), &key);
	if (e != ERR_OK)
		return e;
	answer->thumbprint = arena_str(a, str_of(key->thumbprint));
	return keep(a, &sealed, &answer->sealed);
}

static enum err
do_site_new(const struct keys_core *c, const struct keys_job *job, struct arena *a,
    struct keys_answer *answer)
{
	AUTO_PKEY *pair = NULL;
	AUTO_BUF sealed = { .max = 0 }, csr = { .max = 0 };

	buf_init(&sealed, LIMIT_SEALED_BYTES);
	buf_init(&csr, LIMIT_CSR_BYTES);
	enum err e = pair_make(job->key_type, &pair);
	if (e == ERR_OK)
		e = job->verb == KEYS_CSR ? pair_make_own_csr(pair, &job->subject, job->names, job->names_n, &csr)
					  : pair_make_csr(pair, job->names, job->names_n, &csr);
	if (e == ERR_OK)
		e = seal_pair(c, PURPOSE_SITE, pair, &sealed);
	if (e == ERR_OK)
		e = keep(a, &csr, &answer->csr_der);
	return e == ERR_OK ? keep(a, &sealed, &answer->sealed) : e;
}

static enum err
do_jws(struct keys_core *c, const struct keys_job *job, struct arena *a,
    struct keys_answer *answer)
{
	struct jose_header header = { job->url, job->nonce, job->kid };
	struct jose_key *key;
	AUTO_BUF json = { .max = 0 };

	buf_init(&json, LIMIT_MESSAGE_BYTES);
	enum err e = find_account(c, job->sealed, &key);
	if (e == ERR_OK)
		e = jose_sign(key, &header, job->payload, &json);
	return e == ERR_OK ? keep(a, &json, &answer->json) : e;
}

static enum err
do_eab(struct keys_core *c, const struct keys_job *job, struct arena *a,
    struct keys_answer *answer)
{
	struct jose_header header = { .url = job->url, .kid = job->kid };
	AUTO_SECRET hmac = { 0 };
	struct jose_key *key;
	AUTO_BUF json = { .max = 0 };

	buf_init(&json, LIMIT_MESSAGE_BYTES);
	enum err e = unseal(c->master.p, PURPOSE_SECRET, job->sealed_hmac, &hmac);
	if (e == ERR_OK)
		e = find_account(c, job->sealed, &key);
	if (e == ERR_OK)
		e = jose_bind(
		    key, &header, (struct str){ (const char *)hmac.p, hmac.n }, &json);
	return e == ERR_OK ? keep(a, &json, &answer->json) : e;
}

/* What the CA wants the new key to sign: which account it shall be of, and the old key, so that nobody can move an account to a
 * key whose owner does not want it (RFC 8555 7.3.5). The caller lets the old key sign the whole as a request. */
static enum err
do_key_change(struct keys_core *c, const struct keys_job *job, struct arena *a,
    struct keys_answer *answer)
{
	struct jose_header header = { .url = job->url };
	struct jose_key *key;
	AUTO_BUF statement = { .max = 0 }, json = { .max = 0 };

	buf_init(&statement, LIMIT_MESSAGE_BYTES);
	buf_init(&json, LIMIT_MESSAGE_BYTES);
	enum err e = find_account(c, job->sealed_old, &key);
	if (e == ERR_OK)
		e = jose_put_key_change(key, job->kid, &statement);
	if (e == ERR_OK)
		e = find_account(c, job->sealed, &key);
	if (e == ERR_OK)
		e = jose_sign(key, &header, buf_str(&statement), &json);
	return e == ERR_OK ? keep(a, &json, &answer->json) : e;
}

static enum err
do_seal(const struct keys_core *c, const struct keys_job *job, struct arena *a,
    struct keys_answer *answer)
{
	AUTO_BUF sealed = { .max = 0 };

	buf_init(&sealed, LIMIT_SEALED_BYTES);
	enum err e = seal(c->master.p, PURPOSE_SECRET, job->secret, &sealed);
	return e == ERR_OK ? keep(a, &sealed, &answer->sealed) : e;
}

static enum err
do_thumbprint(struct keys_core *c, const struct keys_job *job, struct arena *a,
    struct keys_answer *answer)
{
	struct jose_key *key;
	enum err e = find_account(c, job->sealed, &key);

	if (e != ERR_OK)
		return e;
	answer->thumbprint = arena_str(a, str_of(key->thumbprint));
	return ERR_OK;
}

/* OK if the first certificate of the chain is for this pair. */
static enum err
check_leaf(struct str chain_pem, EVP_PKEY *pair)
{
	AUTO_BIO *bio = BIO_new_mem_buf(chain_pem.p, (int)chain_pem.n);
	AUTO_X509 *leaf = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);

	if (bio == NULL)
		return ERR_MEMORY;
	if (leaf == NULL)
		return ERR_INVALID;
	return X509_check_private_key(leaf, pair) == 1 ? ERR_OK : ERR_MISMATCH;
}

/* The same for a pair in its stored form. */
static enum err
check_leaf_of_der(struct str chain_pem, const struct secret *der, struct arena *a)
{
	AUTO_PKEY *pair = NULL;
	struct str spki;
	enum err e = x509_leaf_key(chain_pem, a, &spki);

	if (e == ERR_MEMORY || (e == ERR_OK && pair_der_has_public(der, spki)))
		return e;
	e = pair_of_der(der, &pair);
	return e == ERR_OK ? check_leaf(chain_pem, pair) : e;
}

static enum err
do_set(const struct keys_core *c, const struct keys_job *job, struct arena *a,
    struct keys_answer *answer)
{
	AUTO_SECRET der = { 0 }, pem = { 0 };
	AUTO_BUF set = { .max = 0 };

	buf_init(&set, LIMIT_MESSAGE_BYTES);
	if (c->transport.p == NULL)
		return ERR_DENIED;
	if (job->chain_pem.n == 0)
		return ERR_INVALID;
	enum err e = unseal(c->master.p, PURPOSE_SITE, job->sealed, &der);
	if (e == ERR_OK)
		e = check_leaf_of_der(job->chain_pem, &der, a);
	if (e == ERR_OK)
		e = pair_der_to_pem(&der, &pem);
	if (e == ERR_OK)
		e = keys_set_seal(c->transport.p, job->chain_pem,
		    (struct str){ (const char *)pem.p, pem.n }, &set);
	return e == ERR_OK ? keep(a, &set, &answer->set) : e;
}

/* A key that somebody else has made: it is one, and it goes with the chain. */
static enum err
do_own(const struct keys_core *c, const struct keys_job *job, struct arena *a, struct keys_answer *answer)
{
	AUTO_PKEY *pair = NULL;
	AUTO_SECRET der = { 0 };
	AUTO_BUF sealed = { .max = 0 };

	buf_init(&sealed, LIMIT_SEALED_BYTES);
	if (job->chain_pem.n == 0 || job->secret.n == 0)
		return ERR_INVALID;
	enum err e = secret_init(job->secret.n, &der);
	if (e != ERR_OK)
		return e;
	memcpy(der.p, job->secret.p, job->secret.n);
	e = pair_of_der(&der, &pair);
	if (e == ERR_OK)
		e = check_leaf(job->chain_pem, pair);
	if (e == ERR_OK)
		e = seal_pair(c, PURPOSE_SITE, pair, &sealed);
	return e == ERR_OK ? keep(a, &sealed, &answer->sealed) : e;
}

static enum err
do_export(const struct keys_core *c, const struct keys_job *job, struct arena *a,
    struct keys_answer *answer)
{
	AUTO_PKEY *pair = NULL;
	AUTO_SECRET der = { 0 }, pem = { 0 };
	enum err e = open_pair(c, PURPOSE_SITE, job->sealed, &der, &pair);

	if (e == ERR_OK)
		e = pair_der_to_pem(&der, &pem);
	if (e == ERR_OK)
		answer->key_pem = arena_str(a, (struct str){ (const char *)pem.p, pem.n });
	return e;
}

static enum err
do_code_new(const struct keys_core *c, struct arena *a, struct keys_answer *answer)
{
	AUTO_BUF sealed = { .max = 0 }, secret = { .max = 0 };

	buf_init(&sealed, LIMIT_SEALED_BYTES);
	buf_init(&secret, 64);
	enum err e = code_new(c->master.p, &sealed, &secret);
	if (e == ERR_OK)
		e = keep(a, &secret, &answer->secret);
	secret_wipe(buf_str(&secret));
	return e == ERR_OK ? keep(a, &sealed, &answer->sealed) : e;
}

static enum err
do_question(const struct keys_core *c, const struct keys_job *job, struct arena *a, struct keys_answer *answer)
{
	struct question_key *key = NULL;
	AUTO_BUF json = { .max = 0 };

	buf_init(&json, LIMIT_MESSAGE_BYTES);
	enum err e = question_key_new(c->master.p, &key);
	if (e == ERR_OK)
		e = question_sign(key, job->payload, &json);
	if (e == ERR_OK)
		answer->thumbprint = arena_str(a, str_of(question_key_text(key)));
	question_key_free(&key);
	return e == ERR_OK ? keep(a, &json, &answer->json) : e;
}

static enum err
check_limits(const struct keys_job *job)
{
	if (job->url.n > LIMIT_URL_BYTES || job->kid.n > LIMIT_URL_BYTES ||
	    job->nonce.n > NONCE_BYTES_MAX || job->payload.n > LIMIT_MESSAGE_BYTES / 2 ||
	    job->chain_pem.n > LIMIT_CHAIN_BYTES)
		return ERR_TOO_LONG;
	return ERR_OK;
}

static enum err
do_verb(struct keys_core *c, const struct keys_job *job, struct arena *a,
    struct keys_answer *answer)
{
	enum err e = check_limits(job);

	if (e != ERR_OK)
		return e;
	switch (job->verb) {
	case KEYS_ACCOUNT_NEW:
		return do_account_new(c, a, answer);
	case KEYS_SITE_NEW:
	case KEYS_CSR:
		return do_site_new(c, job, a, answer);
	case KEYS_JWS:
		return do_jws(c, job, a, answer);
	case KEYS_EAB:
		return do_eab(c, job, a, answer);
	case KEYS_SEAL:
		return do_seal(c, job, a, answer);
	case KEYS_KEY_CHANGE:
		return do_key_change(c, job, a, answer);
	case KEYS_THUMBPRINT:
		return do_thumbprint(c, job, a, answer);
	case KEYS_SET:
		return do_set(c, job, a, answer);
	case KEYS_CODE_NEW:
		return do_code_new(c, a, answer);
	case KEYS_CODE:
		return code_find(c->master.p, job->sealed, job->code, job->first_step, &answer->step);
	case KEYS_OWN:
		return do_own(c, job, a, answer);
	case KEYS_EXPORT:
		return do_export(c, job, a, answer);
	case KEYS_QUESTION:
		return do_question(c, job, a, answer);
	case KEYS_VERB_COUNT:
		break;
	}
	return ERR_PROTOCOL;
}

void
keys_do(
    struct keys_core *c, const struct keys_job *job, struct arena *a, struct keys_answer *ret)
{
	struct keys_answer answer = { 0 };

	ERR_clear_error();
	enum err e = do_verb(c, job, a, &answer);
	ERR_clear_error(); /* OpenSSL's queue says nothing that our code does not */
	if (e == ERR_OK && arena_failed(a))
		e = ERR_MEMORY;
	if (e != ERR_OK) {
		secret_wipe(answer.key_pem);
		secret_wipe(answer.secret);
		answer = (struct keys_answer){ .err = e };
	}
	*ret = answer;
}
