#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "sim/acme/inside.h"

/* The fake CA's own parsers: its words, base64url, signatures that are not as they should be. */

static const struct {
	int line;
	const char *words, *wrong; /* NULL: taken */
} lines[] = {
	{ __LINE__, "", NULL },
	{ __LINE__, "# a comment\n\n  life 10m # and another\n", NULL },
	{ __LINE__, "profile tiny life 90s reuse 1s names 5 common-name off", NULL },
	{ __LINE__, "fault busy at new-order 50% 3x 4s\nfault half\nclear half", NULL },
	{ __LINE__, "retry-after order \"soon, or later\"", NULL },
	{ __LINE__, "limit new-orders 300 per 3h\nlimits off\nlimits letsencrypt", NULL },
	{ __LINE__, "validate at [::1]:80", NULL },
	{ __LINE__, "incident on\nwindow 2107\noverride on\nreuse orders off\nunpause\nseed 9\ngrace 1s", NULL },
	{ __LINE__, "lief 90d", "line 1: \"lief\" is no word" },
	{ __LINE__, "\nlife", "line 2: expected: life 90d" },
	{ __LINE__, "life 90", "line 1: expected: life" },
	{ __LINE__, "life -3d", "line 1: expected: life" },
	{ __LINE__, "life 99999999999999d", "line 1: expected: life" },
	{ __LINE__, "life 1d 2d", "line 1: expected: life" },
	{ __LINE__, "fault busy 101%", "line 1: expected: fault" },
	{ __LINE__, "fault busy at nowhere", "line 1: expected: fault" },
	{ __LINE__, "fault boredom", "line 1: expected: fault" },
	{ __LINE__, "retry-after order \"soon", "line 1: expected at most 16 words" },
	{ __LINE__, "retry-after order \"a\tb\"", "line 1: expected: retry-after" },
	{ __LINE__, "limit speed 1 per 1s", "line 1: expected: limit" },
	{ __LINE__, "limit domain 5 in 1s", "line 1: expected: limit" },
	{ __LINE__, "validate at nothing", "line 1: expected: validate" },
	{ __LINE__, "validate port 70000", "line 1: expected: validate" },
	{ __LINE__, "window open", "line 1: expected: window" },
	{ __LINE__, "incident maybe", "line 1: expected: incident" },
	{ __LINE__, "profile gold life", "line 1: expected: profile" },
	{ __LINE__, "stop", "line 1: \"stop\" is said while it runs" },
	{ __LINE__, "a b c d e f g h i j k l m n o p q r s t", "line 1: expected at most 16 words" },
};

static void
test_words(void **state)
{
	struct clock clock = clock_real(SPAN_S(0));

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct fake *f = calloc(1, sizeof *f);
		struct why why = { "" };

		assert_non_null(f);
		f->clock = &clock;
		settings_init(&f->set);
		enum err err = fake_say(f, str_of(lines[i].words), &why);
		if ((err == ERR_OK) != (lines[i].wrong == NULL) ||
		    (lines[i].wrong != NULL && strncmp(why.text, lines[i].wrong, strlen(lines[i].wrong)) != 0))
			fail_msg("%s:%d: got %s: %s", __FILE__, lines[i].line, err_name(err), why.text);
		map_fini(&f->paused);
		free(f);
	}
}

static void
test_what_words_do(void **state)
{
	struct fake *f = calloc(1, sizeof *f);
	struct clock clock = clock_real(SPAN_S(0));
	struct why why = { "" };

	(void)state;
	assert_non_null(f);
	f->clock = &clock;
	f->dice = 1;
	settings_init(&f->set);
	assert_int_equal(fake_say(f, STR("life 10m\nprofile tiny names 5\nfault limited at new-order 2x 7s\nfault slow"), &why), ERR_OK);
	assert_int_equal(f->set.profiles[0].life.s, 600);
	assert_int_equal(f->set.profiles[3].life.s, 600); /* a new one begins as the default is */
	assert_int_equal(f->set.profiles[3].names_max, 5);
	for (int i = 0; i < 3; i++) {
		const struct fault *t = fault_take(f, FAULT_CHECKED, AT_NEW_ORDER);

		assert_int_equal(t != NULL, i < 2); /* twice in all */
		if (t != NULL)
			assert_int_equal(t->seconds, 7);
		assert_null(fault_take(f, FAULT_CHECKED, AT_ORDER));
		assert_non_null(fault_take(f, FAULT_AFTER, AT_ORDER));
	}
	/* Half of them, more or less. */
	assert_int_equal(fake_say(f, STR("clear\nfault reset 50%"), &why), ERR_OK);
	int taken = 0;
	for (int i = 0; i < 10000; i++)
		taken += fault_take(f, FAULT_BEFORE, AT_ORDER) != NULL;
	assert_in_range(taken, 4700, 5300);
	free(f);
}

static void
test_base64url(void **state)
{
	static const struct {
		const char *text, *bytes; /* NULL: refused */
	} rows[] = {
		{ "", "" }, { "Zg", "f" }, { "Zm8", "fo" }, { "Zm9v", "foo" }, { "Zm9vYg", "foob" }, { "-_-_", "\xfb\xff\xbf" },
		{ "Zg==", NULL }, { "Z", NULL }, { "Zh", NULL }, { "Zm9", NULL }, { "Z+==", NULL }, { "Zm 8", NULL }, { "Zm8\n", NULL },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_ARENA a = { .head = NULL };
		struct str got = STR_NONE;

		arena_init(&a, 4096);
		bool is_good = jws_decode(str_of(rows[i].text), &a, &got);
		assert_int_equal(is_good, rows[i].bytes != NULL);
		if (!is_good)
			continue;
		assert_true(str_eq(got, str_of(rows[i].bytes)) || got.n == 0);
		jws_encode((const uint8_t *)got.p, got.n, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void
test_jws_that_are_none(void **state)
{
	static const char *const rows[] = {
		"", "{", "[]", "\"text\"", "{}", "{\"protected\":\"e30\",\"payload\":\"\",\"signature\":\"\"}",
		"{\"protected\":\"e30\",\"payload\":\"\",\"signature\":\"AA\"}", /* no alg */
		"{\"protected\":\"W10\",\"payload\":\"\",\"signature\":\"AA\"}", /* [] */
		"{\"protected\":\"e30\",\"payload\":\"\",\"signature\":\"AA\",\"header\":{}}",
		"{\"protected\":\"e30\",\"payload\":\"\",\"signature\":\"AA\",\"signatures\":[]}",
		"{\"protected\":\"e30\",\"payload\":1,\"signature\":\"AA\"}",
		"{\"protected\":\"e30=\",\"payload\":\"\",\"signature\":\"AA\"}",
		"{\"protected\":\"e30\",\"protected\":\"e30\",\"payload\":\"\",\"signature\":\"AA\"}",
		/* {"alg":"ES256","crit":["x"],"kid":"k"} */
		"{\"protected\":\"eyJhbGciOiJFUzI1NiIsImNyaXQiOlsieCJdLCJraWQiOiJrIn0\",\"payload\":\"\",\"signature\":\"AA\"}",
		/* {"alg":"ES256","kid":"k","jwk":{}} */
		"{\"protected\":\"eyJhbGciOiJFUzI1NiIsImtpZCI6ImsiLCJqd2siOnt9fQ\",\"payload\":\"\",\"signature\":\"AA\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_ARENA a = { .head = NULL };
		struct jws j = { .header = NULL };
		struct jws_refusal r = { .type = NULL };

		arena_init(&a, 65536);
		if (jws_read(str_of(rows[i]), &a, &j, &r))
			fail_msg("row %zu was taken: %s", i, rows[i]);
		assert_non_null(r.type);
		assert_true(r.why.text[0] != '\0');
		jws_fini(&j);
	}
}

static void
test_keys_that_are_none(void **state)
{
	static const char *const rows[] = {
		"{}", "{\"kty\":\"oct\",\"k\":\"AA\"}", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}",
		/* a point that is on no curve */
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\",\"y\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\"}",
		"{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AA\",\"y\":\"AA\"}", "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_t *jwk = json_loads(rows[i], 0, NULL);
		char thumbprint[JWS_THUMBPRINT_BYTES + 1];
		struct jws_refusal r = { .type = NULL };

		assert_null(jws_key(jwk, thumbprint, &r));
		assert_string_equal(r.type, "badPublicKey");
		json_decref(jwk);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_what_words_do),
		cmocka_unit_test(test_base64url),
		cmocka_unit_test(test_jws_that_are_none),
		cmocka_unit_test(test_keys_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
