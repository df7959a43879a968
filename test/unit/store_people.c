/* What the store keeps of people beside their sessions: invitations and letters with a link, passkeys and challenges, requests that are carried out once. */
#include "ports/store/invitations.h"
#include "ports/store/passkeys.h"
#include "ports/store/requests.h"
#include "test/unit/store_try.h"

static const struct digest one = { { 1 } }, two = { { 2 } }, three = { { 3 } };

static int64_t
new_person(struct store *s, int64_t owner_id, struct str mail)
{
	int64_t id = 0;

	OK(s, store_person_put(s, &(struct person_row){ .owner_id = owner_id, .mail = mail, .name = STR("A"), .lang = STR("ja"), .role = ROLE_OWNER, .created = now }, &id));
	return id;
}

static struct invitation_row
invitation(int64_t owner_id, struct str mail, int days)
{
	return (struct invitation_row){ .owner_id = owner_id,
		.role = owner_id != 0 ? ROLE_OWNER : ROLE_SUPPORT,
		.mail = mail,
		.name = STR("佐藤"),
		.lang = STR("ja"),
		.by = STR("hana@a.example"),
		.created = now,
		.ends_at = when_plus(now, SPAN_D(days)) };
}

static void
invitations(void **state)
{
	(void)state;
	struct store *s = new_store();
	int64_t owner = new_owner(s), first = 0, again = 0, staff = 0;
	struct invitation_row r = invitation(owner, STR("sato@a.example"), 7), got, *list;
	size_t n = 0;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 1 << 20);
	OK(s, store_invitation_put(s, &r, &first));
	FAILS(store_invitation_find(s, &one, &a, &got), ERR_NOT_FOUND);
	OK(s, store_invitation_set_link(s, first, &one));
	OK(s, store_invitation_find(s, &one, &a, &got));
	SAME(got.id, first);
	SAME(got.owner_id, owner);
	SAME(got.role, ROLE_OWNER);
	SAME_STR(got.mail, r.mail);
	SAME_STR(got.name, r.name);
	SAME_STR(got.lang, r.lang);
	SAME_STR(got.by, r.by);
	SAME(got.ends_at.s, r.ends_at.s);
	/* Another link: the one of before is worth nothing. */
	OK(s, store_invitation_set_link(s, first, &two));
	FAILS(store_invitation_find(s, &one, &a, &got), ERR_NOT_FOUND);
	OK(s, store_invitation_find(s, &two, &a, &got));
	/* The same address for the same sites: in its place, and its link is worth nothing from then on. */
	r.ends_at = when_plus(now, SPAN_D(9));
	OK(s, store_invitation_put(s, &r, &again));
	SAME(again, first);
	FAILS(store_invitation_find(s, &two, &a, &got), ERR_NOT_FOUND);
	OK(s, store_invitation_load(s, first, &a, &got));
	SAME(got.ends_at.s, r.ends_at.s);
	/* The same address for other sites is another invitation. */
	r = invitation(0, STR("sato@a.example"), 7);
	OK(s, store_invitation_put(s, &r, &staff));
	assert_true(staff != first);
	OK(s, store_invitations(s, 0, now, &a, &list, &n));
	SAME(n, 2);
	OK(s, store_invitations(s, owner, now, &a, &list, &n));
	SAME(n, 1);
	SAME(list[0].id, first);
	OK(s, store_invitations(s, owner, when_plus(now, SPAN_D(9)), &a, &list, &n));
	SAME(n, 0);
	/* Those that have ended go with the next one. */
	r = invitation(owner, STR("late@a.example"), 30);
	r.created = when_plus(now, SPAN_D(8));
	OK(s, store_invitation_put(s, &r, &again));
	FAILS(store_invitation_load(s, staff, &a, &got), ERR_NOT_FOUND);
	OK(s, store_invitation_load(s, first, &a, &got));
	OK(s, store_invitation_remove(s, first));
	FAILS(store_invitation_load(s, first, &a, &got), ERR_NOT_FOUND);
	FAILS(store_invitation_set_link(s, first, &one), ERR_NOT_FOUND);
	assert_sound(s);
	store_close(&s);
}

static void
letters_with_a_link(void **state)
{
	(void)state;
	struct store *s = new_store();
	int64_t owner = new_owner(s), person = new_person(s, owner, STR("sato@a.example")), id = 0;
	const struct invitation_row r = invitation(owner, STR("new@a.example"), 7);
	struct letter_access got;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 1 << 20);
	OK(s, store_invitation_put(s, &r, &id));
	const struct letter_access letters[] = { { STR("ja"), person, 0 }, { STR("en"), 0, id }, { STR("ja"), 0, 0 } };
	static const char *const keys[] = { "reset/1", "invitation/1", "account/1" };
	for (size_t i = 0; i < 3; i++) {
		OK(s, store_letter_put(s,
			  &(struct letter_row){ .owner_id = owner, .kind = LETTER_RESET, .key = str_of(keys[i]), .message_id = str_of(keys[i]), .to = STR("sato@a.example"),
			      .subject = STR("s"), .body = STR("b"), .message = STR_NONE, .created = now, .next_try = now, .sent_at = WHEN_UNKNOWN }));
		OK(s, store_letter_access_put(s, str_of(keys[i]), &letters[i]));
		OK(s, store_letter_access_load(s, str_of(keys[i]), &a, &got));
		SAME(got.person_id, letters[i].person_id);
		SAME(got.invitation_id, letters[i].invitation_id);
		SAME_STR(got.lang, letters[i].lang);
	}
	FAILS(store_letter_access_load(s, STR("another"), &a, &got), ERR_NOT_FOUND);
	/* Whom it was for is gone: nobody is signed in by it. */
	OK(s, store_person_remove(s, person));
	FAILS(store_letter_access_load(s, str_of(keys[0]), &a, &got), ERR_NOT_FOUND);
	OK(s, store_invitation_remove(s, id));
	FAILS(store_letter_access_load(s, str_of(keys[1]), &a, &got), ERR_NOT_FOUND);
	OK(s, store_letter_access_load(s, str_of(keys[2]), &a, &got));
	assert_sound(s);
	store_close(&s);
}

static void
passkeys(void **state)
{
	(void)state;
	struct store *s = new_store();
	int64_t owner = new_owner(s), sato = new_person(s, owner, STR("sato@a.example")), suzuki = new_person(s, owner, STR("suzuki@a.example")), ids[2], id;
	struct passkey_row r = { .person_id = sato,
		.credential = STR("\0cred"),
		.key = STR("k\0y"),
		.name = STR("青い鍵"),
		.algorithm = -7,
		.count = UINT32_MAX,
		.created = now,
		.used = WHEN_UNKNOWN },
			   got, *list;
	size_t n = 0;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 1 << 20);
	FAILS(store_passkey_find(s, r.credential, &a, &got), ERR_NOT_FOUND);
	OK(s, store_passkey_put(s, &r, &ids[0]));
	OK(s, store_passkey_find(s, r.credential, &a, &got));
	SAME(got.id, ids[0]);
	SAME(got.person_id, sato);
	SAME_STR(got.credential, r.credential);
	SAME_STR(got.key, r.key);
	SAME_STR(got.name, r.name);
	SAME(got.algorithm, -7);
	SAME(got.count, UINT32_MAX);
	SAME(got.created.s, now.s);
	assert_false(when_is_known(got.used));
	/* One credential is of one person. */
	r.person_id = suzuki;
	FAILS(store_passkey_put(s, &r, &id), ERR_EXISTS);
	r.credential = STR("\0cre");
	OK(s, store_passkey_put(s, &r, &ids[1]));
	OK(s, store_passkeys_of(s, sato, &a, &list, &n));
	SAME(n, 1);
	SAME(list[0].id, ids[0]);
	OK(s, store_passkey_used(s, ids[0], 7, when_plus(now, SPAN_S(9))));
	OK(s, store_passkey_find(s, STR("\0cred"), &a, &got));
	SAME(got.count, 7);
	SAME(got.used.s, now.s + 9);
	/* Nobody takes away what is another's. */
	FAILS(store_passkey_remove(s, ids[0], suzuki), ERR_NOT_FOUND);
	OK(s, store_passkey_remove(s, ids[0], sato));
	FAILS(store_passkey_find(s, STR("\0cred"), &a, &got), ERR_NOT_FOUND);
	FAILS(store_passkey_remove(s, ids[0], sato), ERR_NOT_FOUND);
	/* They go with their person. */
	OK(s, store_person_remove(s, suzuki));
	FAILS(store_passkey_find(s, STR("\0cre"), &a, &got), ERR_NOT_FOUND);
	assert_sound(s);
	store_close(&s);
}

static void
challenges(void **state)
{
	(void)state;
	struct store *s = new_store();
	int64_t person = new_person(s, new_owner(s), STR("sato@a.example")), session = 0;
	const struct when end = when_plus(now, SPAN_MIN(5));

	OK(s, store_session_put(s, &(struct session_row){ .person_id = person, .begun = now, .used = now, .address = STR("192.0.2.1"), .agent = STR("x") }, &three, &session));
	OK(s, store_challenge_put(s, &one, 0, now, end));
	OK(s, store_challenge_put(s, &two, session, now, end));
	/* Only by the session that it was given to, once, and in time. */
	FAILS(store_challenge_take(s, &one, session, now), ERR_NOT_FOUND);
	FAILS(store_challenge_take(s, &two, 0, now), ERR_NOT_FOUND);
	OK(s, store_challenge_take(s, &one, 0, when_minus(end, SPAN_S(1))));
	FAILS(store_challenge_take(s, &one, 0, now), ERR_NOT_FOUND);
	FAILS(store_challenge_take(s, &two, session, end), ERR_NOT_FOUND);
	OK(s, store_challenge_take(s, &two, session, now));
	/* Those that have ended go with the next one. */
	OK(s, store_challenge_put(s, &one, 0, now, end));
	OK(s, store_challenge_put(s, &two, 0, end, when_plus(end, SPAN_MIN(5))));
	FAILS(store_challenge_take(s, &one, 0, now), ERR_NOT_FOUND);
	assert_sound(s);
	store_close(&s);
}

static void
requests(void **state)
{
	(void)state;
	struct store *s = new_store();
	int64_t person = new_person(s, new_owner(s), STR("sato@a.example"));
	struct request_row r = { .person_id = person, .key = STR("k-1"), .digest = one, .created = now }, got;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 1 << 20);
	FAILS(store_request_load(s, person, r.key, now, &a, &got), ERR_NOT_FOUND);
	OK(s, store_request_put(s, &r));
	FAILS(store_request_put(s, &r), ERR_EXISTS);
	OK(s, store_request_load(s, person, r.key, now, &a, &got));
	SAME(got.status, 0);
	assert_memory_equal(got.digest.bytes, one.bytes, sizeof one.bytes);
	r.status = 201;
	r.answer = STR("{\"id\":1}");
	OK(s, store_request_answer(s, &r));
	OK(s, store_request_load(s, person, r.key, now, &a, &got));
	SAME(got.status, 201);
	SAME_STR(got.answer, r.answer);
	/* The same key of somebody else is another request: that of the command, too. */
	FAILS(store_request_load(s, 0, r.key, now, &a, &got), ERR_NOT_FOUND);
	r.person_id = 0;
	OK(s, store_request_put(s, &r));
	/* A day later it is forgotten, and goes with the next one. */
	FAILS(store_request_load(s, person, r.key, when_plus(now, SPAN_S(86401)), &a, &got), ERR_NOT_FOUND);
	r = (struct request_row){ .person_id = person, .key = STR("k-2"), .digest = two, .created = when_plus(now, SPAN_D(2)) };
	OK(s, store_request_put(s, &r));
	FAILS(store_request_load(s, person, STR("k-1"), now, &a, &got), ERR_NOT_FOUND);
	assert_sound(s);
	store_close(&s);
}

/* The deed and its key are stored together; whoever was quicker with the key keeps the deed from being done twice. */
static void
a_deed_and_its_key(void **state)
{
	(void)state;
	struct store *s = new_store();
	int64_t site = new_site(s, two_names, 2);
	const struct request_row r = { .key = STR("k"), .digest = one, .created = now };
	struct request_row got;
	struct wish wishes[4];
	size_t n = 0;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 1 << 20);
	/* Nothing is changed: it is not written, and is given back. */
	(void)store_request_set(s, &r);
	OK(s, store_begin(s));
	OK(s, store_commit(s));
	assert_ptr_equal(store_request_set(s, NULL), &r);
	(void)store_request_set(s, &r);
	OK(s, store_begin(s));
	OK(s, store_wish_put(s, site, SITE_ASKED_CHECK, now));
	OK(s, store_commit(s));
	assert_null(store_request_set(s, NULL));
	OK(s, store_request_load(s, 0, r.key, now, &a, &got));
	(void)store_request_set(s, &r);
	OK(s, store_begin(s));
	OK(s, store_wish_put(s, site, SITE_ASKED_RENEW, now));
	FAILS(store_commit(s), ERR_EXISTS);
	store_abandon(s);
	(void)store_request_set(s, NULL);
	OK(s, store_wishes(s, wishes, 4, &n));
	SAME(n, 1);
	SAME(wishes[0].kind, SITE_ASKED_CHECK);
	assert_sound(s);
	store_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(invitations),
		cmocka_unit_test(letters_with_a_link),
		cmocka_unit_test(passkeys),
		cmocka_unit_test(challenges),
		cmocka_unit_test(requests),
		cmocka_unit_test(a_deed_and_its_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
