/* A certificate that its owner gives up for good: redirect first, then nothing is held and no key is left, then the files; whatever was under way. */
#include "test/unit/site_world.h"
#include "core/revocation.h"

static const struct site_effects *
revoke(struct fixture *f)
{
	struct finding unused;

	f->site.setting.source = SOURCE_NONE;
	f->site.setting.redirect = f->site.setting.hsts = false;
	return step(f, event_of(f, SITE_REVOKED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
}

static const struct site_effects *
deployed(struct fixture *f, bool is_fine)
{
	struct finding f1;
	struct site_event ev = event_of(f, SITE_DEPLOYED, SIGHT_FINE, CAUSE_OWN_DEPLOY_CONFIG_BROKEN, &f1);

	ev.failures_n = is_fine ? 0 : 1;
	ev.applied = (struct applied){ plan_digest(&f->site, now), site_redirect(&f->site, now), site_hsts(&f->site, now) };
	return step(f, ev);
}

static const struct site_effect *
find(const struct site_effects *out, enum site_effect_kind kind)
{
	for (size_t i = 0; i < out->n; i++)
		if (out->at[i].kind == kind)
			return &out->at[i];
	return NULL;
}

static void
must_be_gone(const struct fixture *f, const struct site_effects *out, int64_t held_id)
{
	const struct site_effect *fx = find(out, FX_DESTROY);

	assert_true(fx != NULL && fx->certificate_id == held_id);
	assert_int_equal(count(out, FX_DESTROY), 1);
	assert_int_equal(count(out, FX_DEPLOY), 1);
	assert_true(f->site.held.id == 0 && !f->site.is_revoking && !f->site.held.is_live);
	assert_false(f->site.names[0].is_held || f->site.names[1].is_held);
	assert_int_equal(f->site.findings.n, 0);
	assert_string_equal(site_state_name(view_of(&f->site, now).state), f->site.setting.source == SOURCE_NONE ? "off" : "issuing");
	assert_string_equal(visitors_name(view_visitors(&f->site, &f->site.names[0], now)), "plain");
}

/* Whatever is under way, at each age; a deploy alone is waited for, because its files would come behind those that are taken off. */
static void
test_whatever_is_under_way(void **state)
{
	(void)state;
	for (enum doing doing = 0; doing < DOING_COUNT; doing++)
		for (enum age age = AGE_NONE; age < AGE_COUNT; age++) {
			AUTO_FIXTURE f = { 0 };

			fixture_init(&f, age);
			f.site.applied.redirect = 0;
			fixture_do(&f, doing);
			int64_t held = f.site.held.id;
			const struct site_effects *out = revoke(&f);
			if (held == 0) {
				/* There is nothing to be destroyed. */
				assert_int_equal(count(out, FX_DESTROY), 0);
				assert_false(f.site.is_revoking);
				continue;
			}
			assert_int_equal(count(out, FX_ABANDON), doing == DOING_ORDER);
			if (doing == DOING_DEPLOY) {
				assert_int_equal(count(out, FX_DESTROY), 0);
				assert_true(f.site.is_revoking);
				out = deployed(&f, true);
			}
			must_be_gone(&f, out, held);
			out = deployed(&f, true);
			assert_int_equal(out->n, 0);
			assert_int_equal(f.site.doing, DOING_NOTHING);
			/* Nothing is ever begun again. */
			assert_true(f.site.wake.s == WHEN_NEVER.s);
		}
}

/* Our redirect is on: it is taken off by a deploy of its own, and nothing is destroyed before that went well. */
static void
test_redirect_first(void **state)
{
	AUTO_FIXTURE f = { 0 };
	struct finding unused;

	(void)state;
	fixture_init(&f, AGE_YOUNG);
	f.site.applied.redirect = 307;
	f.site.applied.digest ^= 1;
	const struct site_effects *out = revoke(&f);
	const struct site_effect *fx = find(out, FX_DEPLOY);
	assert_true(fx != NULL && fx->applied.redirect == 0 && !fx->is_removal);
	assert_true(f.site.held.id == 3 && f.site.is_revoking);
	/* The web server's configuration is broken: it is tried again at a date, and nothing else is begun. */
	out = deployed(&f, false);
	assert_int_equal(count(out, FX_DESTROY), 0);
	assert_true(f.site.held.id == 3 && f.site.is_revoking && f.site.wake.s == f.site.deploy_at.s);
	f.site.doing = DOING_NOTHING;
	f.site.deploy_at = now;
	out = step(&f, event_of(&f, SITE_WAKE, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
	assert_int_equal(count(out, FX_DEPLOY), 1);
	out = deployed(&f, true);
	must_be_gone(&f, out, 3);
	/* And its files leave even where that takes several tries. */
	out = deployed(&f, false);
	assert_true(f.site.held.id == 0 && f.site.wake.s == f.site.deploy_at.s);
}

/* Pressed twice; and taken back before our redirect has let go: it is destroyed all the same, and a new one is on its way afterwards. */
static void
test_twice_and_taken_back(void **state)
{
	AUTO_FIXTURE f = { 0 };

	(void)state;
	fixture_init(&f, AGE_YOUNG);
	f.site.applied.redirect = 307;
	f.site.applied.digest ^= 1;
	(void)revoke(&f);
	const struct site_effects *out = revoke(&f);
	assert_int_equal(count(out, FX_DEPLOY) + count(out, FX_DESTROY), 0);
	f.site.setting.source = SOURCE_FREE;
	f.site.setting.redirect = true;
	out = deployed(&f, true);
	must_be_gone(&f, out, 3);
	assert_true(f.site.wake.s != WHEN_NEVER.s);
}

static const struct {
	int line;
	enum err err;
	const char *type;
	enum revoke_reason reason;
	unsigned tries;
	int64_t retry_s; /* 0: none */
	enum revoke_next next;
	int64_t least_s, most_s;
} answers[] = {
	{ __LINE__, ERR_OK, "", REVOKE_CESSATION, 0, 0, REVOKE_IS_DONE, 0, 0 },
	{ __LINE__, ERR_CONNECT, "", REVOKE_CESSATION, 0, 0, REVOKE_AGAIN, 60, 76 },
	{ __LINE__, ERR_CONNECT, "", REVOKE_CESSATION, 3, 0, REVOKE_AGAIN, 480, 601 },
	{ __LINE__, ERR_CONNECT, "", REVOKE_CESSATION, 1000, 0, REVOKE_AGAIN, 21600, 27001 },
	{ __LINE__, ERR_LIMITED, "rateLimited", REVOKE_CESSATION, 0, 90000, REVOKE_AGAIN, 90000, 90000 },
	{ __LINE__, ERR_SERVER, "serverInternal", REVOKE_CESSATION, 0, 0, REVOKE_AGAIN, 60, 76 },
	{ __LINE__, ERR_REFUSED, "badRevocationReason", REVOKE_KEY_COMPROMISE, 0, 0, REVOKE_AGAIN_PLAINLY, 0, 0 },
	{ __LINE__, ERR_REFUSED, "badRevocationReason", REVOKE_UNSPECIFIED, 0, 0, REVOKE_GIVEN_UP, 0, 0 },
	{ __LINE__, ERR_REFUSED, "unauthorized", REVOKE_CESSATION, 0, 0, REVOKE_GIVEN_UP, 0, 0 },
	{ __LINE__, ERR_REFUSED, "malformed", REVOKE_CESSATION, 0, 0, REVOKE_GIVEN_UP, 0, 0 },
	{ __LINE__, ERR_REFUSED, "accountDoesNotExist", REVOKE_CESSATION, 0, 0, REVOKE_AGAIN, 60, 76 },
};

static void
test_answers(void **state)
{
	const struct turn turn = { now, 12345678 };

	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		const struct revoke r = { .reason = answers[i].reason };
		const struct acme_answer an = { .err = answers[i].err,
			.problem = { .type = str_of(answers[i].type) },
			.retry_after = answers[i].retry_s != 0 ? when_plus(now, SPAN_S(answers[i].retry_s)) : WHEN_UNKNOWN };
		struct when at;
		enum revoke_next next = revocation_next(&r, &an, answers[i].tries, &turn, &at);
		int64_t wait = at.s - now.s;
		bool is_dated = next == REVOKE_AGAIN || next == REVOKE_AGAIN_PLAINLY;

		if (next != answers[i].next || (is_dated && (wait < answers[i].least_s || wait > answers[i].most_s)))
			fail_msg("%s:%d: got %d in %lld s", __FILE__, answers[i].line, next, (long long)wait);
	}
}

static void
test_words(void **state)
{
	static const int codes[] = { 0, 1, 5 };
	enum revoke_reason got;

	(void)state;
	for (enum revoke_reason r = 0; r < REVOKE_REASON_COUNT; r++) {
		assert_true(revoke_reason_of_name(str_of(revoke_reason_name(r)), &got) && got == r);
		assert_int_equal(revoke_reason_code(r), codes[r]);
	}
	assert_false(revoke_reason_of_name(STR("superseded"), &got));
	const struct revoke asked = { .destroyed_at = WHEN_UNKNOWN };
	assert_string_equal(revoke_state_name(revocation_state(&asked, now)), "asked");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whatever_is_under_way),
		cmocka_unit_test(test_redirect_first),
		cmocka_unit_test(test_twice_and_taken_back),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
