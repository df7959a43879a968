/* One-time codes: RFC 4226 and 6238 by their own examples, the verbs of the keeper, what the store keeps, and the QR code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/access.h"
#include "http/qr.h"
#include "ports/keys/code.h"
#include "ports/keys/core.h"
#include "ports/keys/seal.h"
#include "ports/store/codes.h"

static const uint8_t master[SECRET_KEY_BYTES] = { 9, 8, 7 };
static const struct when now = { 1800000000 };

/* RFC 4226 appendix D; the first two are RFC 6238's codes of 1970 too, as far as six digits go. */
static const char *const examples[] = { "755224", "287082", "359152", "969429", "338314",
	"254676", "287922", "162583", "399871", "520489" };
enum { EXAMPLES_N = sizeof examples / sizeof *examples };

static void
test_examples(void **state)
{
	AUTO_BUF sealed = { .max = 0 };
	uint64_t step;

	(void)state;
	buf_init(&sealed, 1000);
	assert_int_equal(
	    seal(master, PURPOSE_CODE, STR("12345678901234567890"), &sealed), ERR_OK);
	for (uint64_t first = 0; first < EXAMPLES_N; first++)
		for (uint64_t i = 0; i < EXAMPLES_N; i++) {
			bool is_near = i >= first && i < first + CODE_STEPS;
			enum err err = code_find(
			    master, buf_str(&sealed), str_of(examples[i]), first, &step);

			assert_int_equal(err, is_near ? ERR_OK : ERR_MISMATCH);
			assert_true(!is_near || step == i);
		}
	static const char *const wrong[] = { "", "75522", "7552240", "000000", "755 224" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(
		    code_find(master, buf_str(&sealed), str_of(wrong[i]), 0, &step),
		    ERR_MISMATCH);
	assert_int_equal(code_find(master, buf_str(&sealed), STR("755224"), UINT64_MAX, &step),
	    ERR_MISMATCH);
}

static void
test_keeper(void **state)
{
	struct keys_core *core;
	struct keys_answer one, two, answer;
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_int_equal(keys_core_new(master, NULL, &core), ERR_OK);
	keys_do(core, &(struct keys_job){ .verb = KEYS_CODE_NEW }, &a, &one);
	keys_do(core, &(struct keys_job){ .verb = KEYS_CODE_NEW }, &a, &two);
	assert_int_equal(one.err, ERR_OK);
	assert_int_equal(one.secret.n, 32); /* 160 bits in base32 */
	assert_false(str_eq(one.secret, two.secret) || str_eq(one.sealed, two.sealed));
	/* Nothing but a verb for codes takes it, and this verb takes nothing else. */
	keys_do(
	    core, &(struct keys_job){ .verb = KEYS_EXPORT, .sealed = one.sealed }, &a, &answer);
	assert_int_equal(answer.err, ERR_DENIED);
	keys_do(core,
	    &(struct keys_job){ .verb = KEYS_SEAL, .secret = STR("12345678901234567890") }, &a,
	    &answer);
	keys_do(core,
	    &(struct keys_job){
		.verb = KEYS_CODE, .sealed = answer.sealed, .code = STR("755224") },
	    &a, &answer);
	assert_int_equal(answer.err, ERR_DENIED);
	keys_do(core,
	    &(struct keys_job){ .verb = KEYS_CODE, .sealed = one.sealed, .code = STR("short") },
	    &a, &answer);
	assert_int_equal(answer.err, ERR_MISMATCH);
	keys_core_free(&core);
	arena_fini(&a);
}

static void
test_store(void **state)
{
	const struct store_options o = { .file = ":memory:", .may_create = true };
	const struct person_row p = { .mail = STR("un@host.example"),
		.lang = STR("ja"),
		.role = ROLE_OPERATOR,
		.created = now };
	const struct digest digests[] = { { { 1 } }, { { 2 } } };
	struct code_row row;
	struct person_row read;
	struct why why;
	struct store *s;
	struct arena a;
	int64_t id;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_int_equal(store_open(&o, &why, &s), ERR_OK);
	assert_int_equal(store_person_put(s, &p, &id), ERR_OK);
	assert_int_equal(store_code_load(s, id, &a, &row), ERR_NOT_FOUND);
	/* Until a code has come, it is begun again as often as one likes, and the person needs none. */
	assert_int_equal(store_code_put(s, id, STR("first"), now), ERR_OK);
	assert_int_equal(store_code_put(s, id, STR("second"), now), ERR_OK);
	assert_int_equal(store_code_load(s, id, &a, &row), ERR_OK);
	assert_true(str_eq(row.sealed, STR("second")) && !when_is_known(row.confirmed) &&
		    row.step == 0);
	assert_int_equal(store_person_load(s, id, &a, &read), ERR_OK);
	assert_false(read.has_codes);
	/* Each step is taken once, and none before one that was taken. */
	assert_int_equal(store_code_take(s, id, 100, now), ERR_OK);
	assert_int_equal(store_code_take(s, id, 100, now), ERR_NOT_FOUND);
	assert_int_equal(store_code_take(s, id, 99, now), ERR_NOT_FOUND);
	assert_int_equal(store_code_take(s, id, 101, when_plus(now, SPAN_D(1))), ERR_OK);
	assert_int_equal(store_code_put(s, id, STR("third"), now), ERR_EXISTS);
	assert_int_equal(store_recovery_put(s, id, digests, 2), ERR_OK);
	assert_int_equal(store_recovery_take(s, id, &digests[0]), ERR_OK);
	assert_int_equal(store_recovery_take(s, id, &digests[0]), ERR_NOT_FOUND);
	assert_int_equal(store_code_load(s, id, &a, &row), ERR_OK);
	assert_true(row.confirmed.s == now.s && row.step == 101 && row.recovery_left == 1 &&
		    str_eq(row.sealed, STR("second")));
	assert_int_equal(store_person_load(s, id, &a, &read), ERR_OK);
	assert_true(read.has_codes);
	assert_int_equal(store_code_drop(s, id), ERR_OK);
	assert_int_equal(store_recovery_take(s, id, &digests[1]), ERR_NOT_FOUND);
	assert_int_equal(store_code_load(s, id, &a, &row), ERR_NOT_FOUND);
	store_close(&s);
	arena_fini(&a);
}

static void
test_qr(void **state)
{
	static char long_text[4000];
	AUTO_BUF svg = { .max = 0 };

	(void)state;
	buf_init(&svg, 1 << 20);
	assert_int_equal(qr_put_svg(STR("otpauth://totp/a:b?secret=c"), &svg), ERR_OK);
	assert_true(str_starts(buf_str(&svg),
	    STR("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 37 37\"")));
	/* The finder in the corner: seven dark in the first row, one light after them. */
	assert_true(
	    str_find(buf_str(&svg), STR("M4 4h1v1h-1zM5 4h1v1h-1zM6 4h1v1h-1zM7 4h1v1h-1zM8 "
					"4h1v1h-1zM9 4h1v1h-1zM10 4h1v1h-1z")) != SIZE_MAX);
	assert_true(str_find(buf_str(&svg), STR("M11 4h")) == SIZE_MAX);
	memset(long_text, 'a', sizeof long_text);
	assert_int_equal(
	    qr_put_svg((struct str){ long_text, sizeof long_text }, &svg), ERR_TOO_LONG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_keeper),
		cmocka_unit_test(test_store),
		cmocka_unit_test(test_qr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
