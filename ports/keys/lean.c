#include "ports/keys/lean.h"
#include <openssl/core_dispatch.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <stdbool.h>
#include <string.h>
#include "base/must.h"

/*
 * A provider that hands out the algorithms of the default one, which is loaded in a library context of its own. This is how
 * OpenSSL's own tests make a provider that has less (its test/filterprovider.c).
 */
enum { DECODERS_MAX = 32, ENCODERS_MAX = 32, CIPHERS_MAX = 64 };
static struct {
	OSSL_PROVIDER *self; /* stays to the end of the process */
	OSSL_LIB_CTX *libctx;
	OSSL_PROVIDER *whole;
	/* Each ends with one without names. */
	OSSL_ALGORITHM decoders[DECODERS_MAX + 1], encoders[ENCODERS_MAX + 1], ciphers[CIPHERS_MAX + 1];
} lean;

/* names: "EC:id-ecPublicKey:1.2.840.10045.2.1" */
static bool
is_key(const char *names)
{
	static const char *const keys[] = { "RSA", "RSA-PSS", "EC", "ED25519", "ED448" };
	size_t n = strcspn(names, ":");

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strlen(keys[i]) == n && memcmp(keys[i], names, n) == 0)
			return true;
	return false;
}

/* form: "provider=default,fips=yes,output=der,structure=PrivateKeyInfo" */
static bool
is_key_in_der(const OSSL_ALGORITHM *a, const char *direction)
{
	const char *form = a->property_definition;

	return form != NULL && is_key(a->algorithm_names) && strstr(form, direction) != NULL &&
	       (strstr(form, "structure=SubjectPublicKeyInfo") != NULL || strstr(form, "structure=PrivateKeyInfo") != NULL);
}

static bool
is_decoder_wanted(const OSSL_ALGORITHM *a)
{
	return is_key_in_der(a, "input=der");
}

static bool
is_encoder_wanted(const OSSL_ALGORITHM *a)
{
	return is_key_in_der(a, "output=der");
}

/* names: "AES-256-GCM:id-aes256-GCM:2.16.840.1.101.3.4.1.46" */
static bool
is_cipher_wanted(const OSSL_ALGORITHM *a)
{
	static const char *const modes[] = { "-CBC", "-GCM", "-CCM", "ChaCha20-Poly1305" };
	const char *name = a->algorithm_names;
	size_t n = strcspn(name, ":");

	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		if (memmem(name, n, modes[i], strlen(modes[i])) != NULL)
			return memmem(name, n, "-CTS", 4) == NULL;
	return false;
}

/* False if nothing is left, or more than there is room for: then OpenSSL stays as it is. */
static bool
choose(int operation, bool (*is_wanted)(const OSSL_ALGORITHM *), OSSL_ALGORITHM *ret, size_t max)
{
	int is_volatile = 0;
	size_t n = 0;

	for (const OSSL_ALGORITHM *a =
		 OSSL_PROVIDER_query_operation(lean.whole, operation, &is_volatile);
	     a != NULL && a->algorithm_names != NULL; a++) {
		if (!is_wanted(a))
			continue;
		if (n == max)
			return false;
		ret[n++] = *a;
	}
	return n > 0;
}

static const OSSL_ALGORITHM *
query(void *ctx, int operation, int *is_volatile)
{
	(void)ctx;
	*is_volatile = 0;
	if (operation == OSSL_OP_DECODER)
		return lean.decoders;
	if (operation == OSSL_OP_ENCODER)
		return lean.encoders;
	if (operation == OSSL_OP_CIPHER)
		return lean.ciphers;
	return OSSL_PROVIDER_query_operation(lean.whole, operation, is_volatile);
}

static int
get_capabilities(void *ctx, const char *capability, OSSL_CALLBACK *cb, void *arg)
{
	(void)ctx;
	return OSSL_PROVIDER_get_capabilities(lean.whole, capability, cb, arg);
}

static void
teardown(void *ctx)
{
	(void)ctx;
	(void)OSSL_PROVIDER_unload(lean.whole); /* nobody uses OpenSSL any more */
	OSSL_LIB_CTX_free(lean.libctx);
	lean.whole = NULL;
	lean.libctx = NULL;
}

static int
start(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
    void **ctx)
{
	static const OSSL_DISPATCH functions[] = {
		{ OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query },
		{ OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))get_capabilities },
		{ OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))teardown },
		{ 0, NULL },
	};

	(void)handle;
	(void)in;
	must(lean.libctx == NULL);
	lean.libctx = OSSL_LIB_CTX_new();
	lean.whole = lean.libctx == NULL ? NULL : OSSL_PROVIDER_load(lean.libctx, "default");
	if (lean.whole == NULL ||
	    !choose(OSSL_OP_DECODER, is_decoder_wanted, lean.decoders, DECODERS_MAX) ||
	    !choose(OSSL_OP_ENCODER, is_encoder_wanted, lean.encoders, ENCODERS_MAX) ||
	    !choose(OSSL_OP_CIPHER, is_cipher_wanted, lean.ciphers, CIPHERS_MAX)) {
		teardown(NULL);
		return 0;
	}
	*ctx = OSSL_PROVIDER_get0_provider_ctx(lean.whole);
	*out = functions;
	return 1;
}

enum err
lean_begin(void)
{
	static const char name[] = "koshin-lean";

	/* Loading any provider keeps OpenSSL from loading the default one by itself. */
	if (OSSL_PROVIDER_add_builtin(NULL, name, start) == 1)
		lean.self = OSSL_PROVIDER_load(NULL, name);
	ERR_clear_error();
	return lean.self != NULL ? ERR_OK : ERR_CRYPTO;
}
