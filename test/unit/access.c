/* core/access: every role, operation and object; tries over time; ends of sessions; passwords. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/access.h"

static const struct when now = { 1800000000 };

static void
test_roles(void **state)
{
	enum role r;

	(void)state;
	for (enum role i = 0; i < ROLE_COUNT; i++) {
		assert_true(role_of_name(str_of(role_name(i)), &r));
		assert_int_equal(r, i);
	}
	assert_false(role_of_name(STR("root"), &r));
	assert_false(role_of_name(STR_NONE, &r));
}

/* All sets of who may, with and without a scope, for everybody who can ask. */
static void
test_operations(void **state)
{
	static const unsigned bits[] = { ACCESS_OWNER, ACCESS_SUPPORT, ACCESS_OPERATOR };
	static const char *const scopes[] = { NULL, "sites.read", "sites" };

	(void)state;
	for (unsigned who = 0; who < 16; who++)
		for (size_t s = 0; s < sizeof scopes / sizeof *scopes; s++) {
			const struct asker nobody = { .is_known = false, .role = ROLE_OPERATOR };
			bool is_open = (who & ACCESS_EVERYBODY) != 0;

			assert_int_equal(access_to_operation(&nobody, who, scopes[s]), is_open ? ACCESS_GIVEN : ACCESS_SIGNED_OUT);
			for (enum role r = 0; r < ROLE_COUNT; r++) {
				struct asker a = { .is_known = true, .role = r, .person_id = 1, .owner_id = r == ROLE_OWNER ? 7 : 0 };
				bool may = is_open || (who & bits[r]) != 0;

				assert_int_equal(access_to_operation(&a, who, scopes[s]), may ? ACCESS_GIVEN : ACCESS_REFUSED);
				/* A token never opens more than its person, and only what it names. */
				a.has_token = true;
				a.scopes = STR("questions.read sites.read");
				bool is_named = s == 1;
				assert_int_equal(access_to_operation(&a, who, scopes[s]), is_open || (may && is_named) ? ACCESS_GIVEN : ACCESS_REFUSED);
				a.scopes = STR_NONE;
				assert_int_equal(access_to_operation(&a, who, scopes[s]), is_open ? ACCESS_GIVEN : ACCESS_REFUSED);
			}
		}
}

static void
test_objects(void **state)
{
	(void)state;
	for (int64_t object = 0; object < 4; object++) {
		const struct asker nobody = { .is_known = false, .owner_id = object };

		assert_int_equal(access_to_object(&nobody, object), ACCESS_HIDDEN);
		for (int64_t own = 0; own < 4; own++)
			for (enum role r = 0; r < ROLE_COUNT; r++) {
				const struct asker a = { .is_known = true, .role = r, .owner_id = own };
				bool may = r != ROLE_OWNER || (own != 0 && own == object);

				assert_int_equal(access_to_object(&a, object), may ? ACCESS_GIVEN : ACCESS_HIDDEN);
			}
	}
}

static int64_t
wait_after(enum attempt_place place, unsigned counted, int64_t ago_s)
{
	const struct attempts a = { counted, when_minus(now, SPAN_S(ago_s)) };
	struct when at = access_try_at(place, &a, now);

	return when_before(now, at) ? when_between(now, at).s : 0;
}

static void
test_tries(void **state)
{
	static const struct {
		enum attempt_place place;
		unsigned free;
		int64_t longest;
	} rows[] = { { ATTEMPT_AT_DEVICE, 10, 900 }, { ATTEMPT_AT_ADDRESS, 20, 900 }, { ATTEMPT_AT_PERSON, 10, 30 }, { ATTEMPT_AT_CODE, 5, 900 },
		{ ATTEMPT_AT_LETTER, 3, 14400 }, { ATTEMPT_AT_CHECKED_SITE, 5, 60 }, { ATTEMPT_AT_CHECKING_OWNER, 60, 10 } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t before = 0;

		for (unsigned n = 0; n < 3000; n++) {
			int64_t wait = wait_after(rows[i].place, n, 0);

			assert_true((wait == 0) == (n < rows[i].free));
			assert_in_range(wait, before, rows[i].longest);
			before = wait;
		}
		assert_int_equal(before, rows[i].longest);
		assert_int_equal(wait_after(rows[i].place, UINT32_MAX, 0), rows[i].longest);
		/* It passes, and is forgotten. */
		assert_int_equal(wait_after(rows[i].place, 3000, rows[i].longest), 0);
		assert_int_equal(wait_after(rows[i].place, 3000, 2 * 86400), 0);
		/* A clock that was put back by a day locks nobody out. */
		assert_int_equal(wait_after(rows[i].place, 3000, -86400), rows[i].longest);
	}
	const struct attempts none = { 0, WHEN_UNKNOWN };
	assert_false(when_is_known(access_try_at(ATTEMPT_AT_PERSON, &none, now)));
}

/* The code of now, of the step before and of the next one; each once, and none after a later one. */
static void
test_codes(void **state)
{
	(void)state;
	assert_int_equal(access_code_first_step((struct when){ 0 }), 0);
	assert_int_equal(access_code_first_step((struct when){ 29 }), 0);
	assert_int_equal(access_code_first_step((struct when){ 59 }), 0);
	assert_int_equal(access_code_first_step((struct when){ 60 }), 1);
	assert_int_equal(access_code_first_step(now), 1800000000 / 30 - 1);
	for (uint64_t used = 0; used < 5; used++)
		for (uint64_t step = 0; step < 5; step++)
			assert_int_equal(access_code_is_new(step, used), step > used);
}

static void
test_ends(void **state)
{
	(void)state;
	assert_int_equal(access_session_ends(ROLE_OWNER, now, now).s, now.s + 14 * 86400);
	assert_int_equal(access_session_ends(ROLE_OWNER, when_minus(now, SPAN_D(85)), now).s, now.s + 5 * 86400);
	for (enum role r = ROLE_SUPPORT; r < ROLE_COUNT; r++) {
		assert_int_equal(access_session_ends(r, now, now).s, now.s + 12 * 3600);
		assert_int_equal(access_session_ends(r, when_minus(now, SPAN_D(7)), now).s, now.s);
	}
	assert_int_equal(access_link_ends(now).s, now.s + 3600);
	assert_int_equal(access_challenge_ends(now).s, now.s + 600);
	assert_int_equal(access_invitation_ends(now).s, now.s + 7 * 86400);
	assert_int_equal(access_link_is_fresh_until(now).s, now.s + 3600);
}

static void
test_passwords(void **state)
{
	static char long_one[1025];
	static const struct {
		const char *password;
		enum password_fault fault;
	} rows[] = {
		{ "", PASSWORD_SHORT },
		{ "123456789", PASSWORD_SHORT },
		{ "1234567890", PASSWORD_GOOD },
		{ "さくらさく春のこえ", PASSWORD_SHORT },
		{ "さくらさく春のこえが", PASSWORD_GOOD },
		{ "aaaaaaaaaaaa", PASSWORD_MONOTONE },
		{ "ああああああああああああ", PASSWORD_MONOTONE },
		{ "ああああああああああああい", PASSWORD_GOOD },
		{ "SATO@example.jp", PASSWORD_IS_MAIL },
		{ "sato@example.jp!", PASSWORD_GOOD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (access_password_fault(str_of(rows[i].password), STR("sato@example.jp")) != rows[i].fault)
			fail_msg("\"%s\"", rows[i].password);
	for (size_t i = 0; i < sizeof long_one; i++)
		long_one[i] = (char)('a' + i % 26);
	assert_int_equal(access_password_fault((struct str){ long_one, 1025 }, STR("a@b.jp")), PASSWORD_LONG);
	assert_int_equal(access_password_fault((struct str){ long_one, 1024 }, STR("a@b.jp")), PASSWORD_GOOD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_operations),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_tries),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_passwords),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
