/* Whose public key it is, by what is written beside a private one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "ports/keys/pair.h"

/* What stands beside a key tells whose it is, for the curves; of everything else, of damaged bytes too, it does not say yes. */
static void
public_half_is_told_without_the_key(void **state)
{
	static const enum key_type types[] = { KEY_P256, KEY_P384, KEY_RSA2048 };
	EVP_PKEY *pair[3] = { NULL };
	struct secret der[3] = { { NULL, 0 } };
	unsigned char *spki[3] = { NULL };
	int n[3];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(pair_make(types[i], &pair[i]), ERR_OK);
		assert_int_equal(pair_to_der(pair[i], &der[i]), ERR_OK);
		n[i] = i2d_PUBKEY(pair[i], &spki[i]);
		assert_true(n[i] > 0);
	}
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < 3; k++)
			assert_int_equal(pair_der_has_public(&der[i], (struct str){ (const char *)spki[k], (size_t)n[k] }), i == k && i < 2);
	for (int at = 0; at < n[0]; at++) {
		assert_false(pair_der_has_public(&der[0], (struct str){ (const char *)spki[0], (size_t)at }));
		spki[0][at] ^= 1;
		assert_false(pair_der_has_public(&der[0], (struct str){ (const char *)spki[0], (size_t)n[0] }));
		spki[0][at] ^= 1;
	}
	for (size_t cut = 0; cut < der[0].n; cut++)
		assert_false(pair_der_has_public(&(struct secret){ der[0].p, cut }, (struct str){ (const char *)spki[0], (size_t)n[0] }));
	for (size_t i = 0; i < 3; i++) {
		OPENSSL_free(spki[i]);
		secret_fini(&der[i]);
		EVP_PKEY_free(pair[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(public_half_is_told_without_the_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
