/* What koshin mends by itself: put on the server once more, at once and then ever more rarely, and what the finding says of it. */
#include "test/unit/site_world.h"

enum fault { FAULT_NONE, FAULT_MAIL_OF_BEFORE, FAULT_NO_CHALLENGE, FAULT_HALF_A_CHALLENGE, FAULT_NO_CHAIN, FAULT_DISPLACED, FAULT_COUNT };
static const enum cause causes[FAULT_COUNT] = { CAUSE_NONE, CAUSE_OWN_DEPLOY_PARTLY_SERVED, CAUSE_OWN_CHALLENGE_NOT_SERVED,
	CAUSE_OWN_CHALLENGE_PARTLY_SERVED, CAUSE_SERVED_CHAIN_INCOMPLETE, CAUSE_OWN_DEPLOY_NOT_SERVED };

static int stranger_age_s; /* by which a certificate that is not ours is older */

static void
put_fault(struct fixture *f, struct address_evidence *a, enum fault fault)
{
	switch (fault) {
	case FAULT_MAIL_OF_BEFORE:
		a->services = arena_get(&f->arena, sizeof *a->services);
		a->services_n = 1;
		a->services[0] = (struct service_evidence){ .port = 993, .tls = a->tls };
		a->services[0].tls.leaf.fingerprint[0] ^= 1;
		a->services[0].tls.leaf.not_before.s -= DAY;
		return;
	case FAULT_NO_CHALLENGE:
		a->http = (struct http_evidence){ .result = HTTP_ANSWERED, .status = 404, .tries = 5 };
		return;
	case FAULT_HALF_A_CHALLENGE:
		a->http = (struct http_evidence){ .result = HTTP_ANSWERED, .status = 404, .tries = 5, .ours_n = 2 };
		return;
	case FAULT_NO_CHAIN:
		a->tls.chain_ok = false;
		a->tls.chain_is_incomplete = true;
		return;
	case FAULT_DISPLACED:
		a->tls.leaf.fingerprint[0] ^= 1;
		a->tls.leaf.not_before.s -= stranger_age_s;
		return;
	case FAULT_NONE:
	case FAULT_COUNT:
		break;
	}
}

/* One look, as late as this; with what it begins, the installer's answer and the handshake after it, which shows our certificate. Tells
 * whether the server was told again. */
static bool
look(struct fixture *f, int after_s, enum fault fault)
{
	struct site_effects *out = arena_get(&f->arena, sizeof *out);
	const struct turn t = { when_plus(now, SPAN_S(after_s)), 12345 };
	struct evidence *e = evidence_of(f, SIGHT_FINE, false);
	struct site *s = &f->site;

	e->at = t.now;
	put_fault(f, e->names[0].addresses, fault);
	fixture_do(f, DOING_CHECK);
	site_step(s, &(struct site_event){ .kind = SITE_CHECKED, .job = s->job, .evidence = e, .retry_after = WHEN_UNKNOWN }, &t, &f->policy,
	    &f->arena, out);
	const struct site_effect *deploy = first(out, FX_DEPLOY);
	if (deploy == NULL)
		return false;
	assert_true(deploy->is_again);
	const struct applied applied = deploy->applied;
	*out = (struct site_effects){ 0 };
	site_step(s, &(struct site_event){ .kind = SITE_DEPLOYED, .job = s->job, .applied = applied, .retry_after = WHEN_UNKNOWN }, &t, &f->policy,
	    &f->arena, out);
	assert_int_equal(count(out, FX_VERIFY), 1);
	e = evidence_of(f, SIGHT_FINE, true);
	e->at = t.now;
	if (fault == FAULT_NO_CHAIN)
		put_fault(f, e->names[0].addresses, fault);
	*out = (struct site_effects){ 0 };
	site_step(s, &(struct site_event){ .kind = SITE_CHECKED, .job = s->job, .evidence = e, .retry_after = WHEN_UNKNOWN }, &t, &f->policy,
	    &f->arena, out);
	assert_int_equal(s->doing, DOING_NOTHING);
	/* What a handshake does not show is looked at soon, by the pace of a fault that stands; ours is seen to be back at once. */
	assert_true(fault == FAULT_DISPLACED ? s->findings.n == 0 : when_between(t.now, s->look_at).s <= f->policy.poll_max.s);
	return true;
}

static void
test_again_and_ever_more_rarely(void **state)
{
	/* Seconds after the first look; the last wait is a day at most. */
	static const struct {
		int at;
		bool is_told;
	} looks[] = { { 0, true }, { 30, false }, { 899, false }, { 900, true }, { 1000, false }, { 2699, false }, { 2700, true }, { 6299, false },
		{ 6300, true }, { 20 * DAY, true }, { 20 * DAY + 3600, false }, { 21 * DAY, true }, { 22 * DAY, true }, { 22 * DAY + 60, false } };

	(void)state;
	for (enum fault fault = FAULT_NONE + 1; fault < FAULT_DISPLACED; fault++) {
		AUTO_FIXTURE f = { 0 };
		unsigned told = 0;

		fixture_init(&f, AGE_YOUNG);
		for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
			if (look(&f, looks[i].at, fault) != looks[i].is_told)
				fail_msg("%s: at %d s it was %stold", cause_row(causes[fault])->id, looks[i].at, looks[i].is_told ? "not " : "");
			told += looks[i].is_told;
			const struct finding *found = findings_find(&f.site.findings, causes[fault], f.names[0].name);
			if (found == NULL)
				fail_msg("%s is not found", cause_row(causes[fault])->id);
			else if (found->mends != told || (looks[i].is_told && found->mended_at.s != now.s + looks[i].at))
				fail_msg("%s: at %d s it says %u times", cause_row(causes[fault])->id, looks[i].at, found->mends);
		}
		/* Gone, and back later: that is another one, and mended at once. */
		assert_false(look(&f, 22 * DAY + 120, FAULT_NONE));
		assert_null(findings_find(&f.site.findings, causes[fault], f.names[0].name));
		assert_true(look(&f, 22 * DAY + 180, fault));
	}
}

/* Another program that puts its own certificate in the place of ours every hour, however often we look, and whose certificate is newer
 * or older than ours: ours goes back at once, then ever more rarely, although each time it was seen in place. When it was left alone for
 * two days, the next one is another story. */
static void
test_a_stranger_that_does_not_stop(void **state)
{
	static const struct {
		enum cause cause;
		int age_s; /* of its certificate, compared with ours */
	} rows[] = { { CAUSE_OWN_DEPLOY_NOT_SERVED, 3600 }, { CAUSE_OWN_ORDER_COMPETING, -3600 } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_FIXTURE f = { 0 };
		unsigned told = 0;
		int last = 0, longest = 0, at = 0;

		fixture_init(&f, AGE_YOUNG);
		stranger_age_s = rows[i].age_s;
		for (; at < 8 * DAY; at += 900) {
			const bool is_displaced = at % 3600 == 0 || findings_has(&f.site, rows[i].cause);

			if (!look(&f, at, is_displaced ? FAULT_DISPLACED : FAULT_NONE)) {
				assert_true(!is_displaced || findings_has(&f.site, rows[i].cause));
				continue;
			}
			assert_true(at - last <= DAY + 3600);
			longest = at - last > longest ? at - last : longest;
			last = at;
			told++;
			assert_int_equal(f.site.put_backs, told);
		}
		/* 0, 1, 2, 3, 5, 9, 17 h, 33 h, and from then on once a day. */
		assert_int_equal(told, 14);
		assert_true(longest >= DAY);
		assert_false(look(&f, last + 2 * DAY, FAULT_NONE));
		assert_int_equal(f.site.put_backs, 0);
		assert_true(look(&f, last + 2 * DAY + 60, FAULT_DISPLACED));
		assert_int_equal(f.site.put_backs, 1);
	}
}

/* What has ended is put in nobody's place. */
static void
test_ended(void **state)
{
	AUTO_FIXTURE f = { 0 };

	(void)state;
	fixture_init(&f, AGE_YOUNG);
	assert_false(look(&f, (int)when_between(now, f.site.held.life.to).s + 1, FAULT_DISPLACED));
	assert_true(findings_has(&f.site, CAUSE_OWN_DEPLOY_NOT_SERVED));
}

/* Free SSL was given up: the certificate is served until its end, and the server is not told of it any more, but the site can still be
 * taken off it. */
static void
test_given_up(void **state)
{
	AUTO_FIXTURE f = { 0 };
	const struct turn t = { now, 12345 };

	(void)state;
	fixture_init(&f, AGE_YOUNG);
	f.site.setting.source = SOURCE_NONE;
	f.site.applied.digest = plan_digest(&f.site, now);
	assert_true(look(&f, 0, FAULT_MAIL_OF_BEFORE));
	struct site_effects *out = arena_get(&f.arena, sizeof *out);
	site_step(&f.site, &(struct site_event){ .kind = SITE_REMOVED, .retry_after = WHEN_UNKNOWN }, &t, &f.policy, &f.arena, out);
	const struct site_effect *deploy = first(out, FX_DEPLOY);
	assert_true(deploy != NULL && deploy->is_removal);
}

/* --- an address that is missing in DNS --- */

static bool blind; /* our own resolver does not answer */

static struct site_effects *
look_at_names(struct fixture *f, int after_s, enum sight sight)
{
	struct site_effects *out = arena_get(&f->arena, sizeof *out);
	const struct turn t = { when_plus(now, SPAN_S(after_s)), 12345 };
	struct evidence *e = evidence_of(f, sight, false);

	e->at = t.now;
	for (size_t i = 0; blind && i < e->names_n; i++) {
		e->names[i].a_status = e->names[i].aaaa_status = e->names[i].caa_status = DNS_LOCAL;
		e->names[i].addresses_n = 0;
	}
	fixture_do(f, DOING_CHECK);
	site_step(&f->site, &(struct site_event){ .kind = SITE_CHECKED, .job = f->site.job, .evidence = e, .retry_after = WHEN_UNKNOWN }, &t,
	    &f->policy, &f->arena, out);
	return out;
}

/* Only in a zone of ours, only for a name without any address, only while free SSL is wanted; at once, and then ever more rarely. */
static void
test_a_record_in_a_zone_of_ours(void **state)
{
	static const struct {
		const char *zone;
		enum sight sight;
		bool is_given_up, is_added;
	} rows[] = {
		{ "example.jp", SIGHT_WWW_GONE, false, true },
		{ "www.example.jp", SIGHT_WWW_GONE, false, true },
		{ "jp", SIGHT_WWW_GONE, false, true },
		{ "ample.jp", SIGHT_WWW_GONE, false, false },
		{ "w.example.jp", SIGHT_WWW_GONE, false, false },
		{ "example.jp", SIGHT_WWW_GONE, true, false },
		{ "example.jp", SIGHT_FINE, false, false },
		{ "example.jp", SIGHT_ALL_ELSEWHERE, false, false },
	};
	static const struct {
		int at;
		bool is_added;
	} looks[] = { { 0, true }, { 30, false }, { 899, false }, { 900, true }, { 2699, false }, { 2700, true } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_FIXTURE f = { 0 };
		const struct str zone = str_of(rows[i].zone);

		fixture_init(&f, AGE_YOUNG);
		f.policy.zones = &zone;
		f.policy.zones_n = 1;
		if (rows[i].is_given_up)
			f.site.setting.source = SOURCE_NONE;
		for (size_t k = 0; k < sizeof looks / sizeof *looks; k++) {
			struct site_effects *out = look_at_names(&f, looks[k].at, rows[i].sight);
			const struct site_effect *fx = first(out, FX_RECORD);
			const struct finding *found = findings_find(&f.site.findings, CAUSE_DNS_ADDRESS_PARTLY_MISSING, f.names[1].name);

			if (count(out, FX_RECORD) != (rows[i].is_added && looks[k].is_added))
				fail_msg("row %zu at %d s: %zu additions", i, looks[k].at, count(out, FX_RECORD));
			assert_true(fx == NULL || (fx->names_n == 1 && str_eq(fx->names[0], f.names[1].name)));
			/* Whoever runs the zone has it to mend, not the owner. */
			if (rows[i].sight == SIGHT_WWW_GONE)
				assert_true(found != NULL && actor_is_owner(found->acts) == (i == 3 || i == 4));
		}
	}
}

/* What the zone's server has said is in the history; what is there now is looked at soon. */
static void
test_what_the_zone_has_said(void **state)
{
	static const struct {
		enum err err;
		const char *history; /* NULL: none */
		bool is_looked_at;
	} rows[] = { { ERR_OK, "record-added", true }, { ERR_CONFLICT, NULL, true }, { ERR_REFUSED, "record-refused", false },
		{ ERR_TIMEOUT, "record-refused", false } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_FIXTURE f = { 0 };
		const struct str zone = STR("example.jp");
		const struct turn t = { now, 12345 };

		fixture_init(&f, AGE_YOUNG);
		f.policy.zones = &zone;
		f.policy.zones_n = 1;
		(void)look_at_names(&f, 0, SIGHT_WWW_GONE);
		f.site.look_at = when_plus(now, SPAN_D(1));
		struct site_effects *out = arena_get(&f.arena, sizeof *out);
		site_step(&f.site,
		    &(struct site_event){ .kind = SITE_RECORD_TOLD, .name = f.names[1].name, .words = STR("NOTAUTH BADKEY"), .err = rows[i].err,
			.retry_after = WHEN_UNKNOWN },
		    &t, &f.policy, &f.arena, out);
		const struct site_effect *line = first(out, FX_HISTORY);
		if ((line != NULL) != (rows[i].history != NULL))
			fail_msg("%s: %s line", err_name(rows[i].err), line == NULL ? "no" : "a");
		else if (line != NULL && !str_eq(str_of(history_name(line->history)), str_of(rows[i].history)))
			fail_msg("%s: %s", err_name(rows[i].err), history_name(line->history));
		else if (line != NULL)
			assert_true(str_eq(line->detail, rows[i].err == ERR_OK ? f.names[1].name : STR("NOTAUTH BADKEY")));
		assert_int_equal(when_between(now, f.site.look_at).s, rows[i].is_looked_at ? f.policy.poll_min.s : DAY);
	}
}

static void
tell(struct fixture *f, int after_s, enum err err, const char *words)
{
	struct site_effects *out = arena_get(&f->arena, sizeof *out);
	const struct turn t = { when_plus(now, SPAN_S(after_s)), 12345 };

	site_step(&f->site,
	    &(struct site_event){ .kind = SITE_RECORD_TOLD, .name = f->names[1].name, .words = str_of(words), .err = err, .retry_after = WHEN_UNKNOWN },
	    &t, &f->policy, &f->arena, out);
}

/* What the zone's server refuses is an alarm for the operator and no matter of the owner's: from the answer until the address is there, or
 * is no longer ours to add. A check does not end it, nor a resolver that is silent, nor a handshake. */
static void
test_what_the_zone_refuses(void **state)
{
	enum after { LOOK_MISSING, LOOK_FINE, LOOK_BLIND, LOOK_ELSEWHERE, TOLD_ADDED, TOLD_THERE, ZONE_LEFT };
	static const struct {
		const char *words;
		enum after after;
		bool stands;
	} rows[] = { { "REFUSED", LOOK_MISSING, true }, { "", LOOK_MISSING, true }, { "REFUSED", LOOK_BLIND, true }, { "REFUSED", LOOK_FINE, false },
		{ "REFUSED", LOOK_ELSEWHERE, false }, { "REFUSED", TOLD_ADDED, false }, { "REFUSED", TOLD_THERE, false }, { "REFUSED", ZONE_LEFT, false } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_FIXTURE f = { 0 };
		const struct str zone = STR("example.jp");

		fixture_init(&f, AGE_YOUNG);
		f.policy.zones = &zone;
		f.policy.zones_n = 1;
		/* Nobody misses it: what a server says late is of no matter. */
		tell(&f, 0, ERR_REFUSED, "REFUSED");
		assert_int_equal(f.site.findings.n, 0);
		(void)look_at_names(&f, 1, SIGHT_WWW_GONE);
		tell(&f, 2, ERR_REFUSED, rows[i].words);
		const struct finding *found = &f.site.findings.at[0];
		assert_string_equal(cause_row(found->cause)->id, "own.zone.unwritable");
		assert_true(found->acts == ACTOR_HOST && !finding_blocks(found) && str_eq(found->subject, f.names[1].name));
		assert_true(str_eq(found->seen, *rows[i].words != '\0' ? STR("REFUSED") : str_of(err_words(ERR_REFUSED))));
		assert_int_equal(when_between(now, found->next_look).s, 2 + f.policy.poll_max.s);
		switch (rows[i].after) {
		case LOOK_MISSING:
			(void)look_at_names(&f, 60, SIGHT_WWW_GONE);
			break;
		case LOOK_FINE:
			(void)look_at_names(&f, 60, SIGHT_FINE);
			break;
		case LOOK_BLIND:
			blind = true;
			(void)look_at_names(&f, 60, SIGHT_WWW_GONE);
			blind = false;
			break;
		case LOOK_ELSEWHERE:
			(void)look_at_names(&f, 60, SIGHT_ALL_ELSEWHERE);
			break;
		case TOLD_ADDED:
		case TOLD_THERE:
			tell(&f, 60, rows[i].after == TOLD_ADDED ? ERR_OK : ERR_CONFLICT, "");
			break;
		case ZONE_LEFT:
			f.policy.zones_n = 0;
			(void)look_at_names(&f, 60, SIGHT_WWW_GONE);
			break;
		}
		if (findings_has(&f.site, CAUSE_OWN_ZONE_UNWRITABLE) != rows[i].stands)
			fail_msg("row %zu: it %s", i, rows[i].stands ? "is gone" : "stands");
	}
}

/* Refused again at each try, it stays one finding, told once, whose next try is ever later. */
static void
test_refused_again(void **state)
{
	static const int looks[] = { 0, 900, 2700 };
	AUTO_FIXTURE f = { 0 };
	const struct str zone = STR("example.jp");

	(void)state;
	fixture_init(&f, AGE_YOUNG);
	f.policy.zones = &zone;
	f.policy.zones_n = 1;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(count(look_at_names(&f, looks[i], SIGHT_WWW_GONE), FX_RECORD), 1);
		tell(&f, looks[i], ERR_TIMEOUT, "no answer in time");
		const struct finding *found = findings_find(&f.site.findings, CAUSE_OWN_ZONE_UNWRITABLE, f.names[1].name);
		assert_non_null(found);
		assert_int_equal(found->times_seen, i + 1);
		assert_int_equal(when_between(found->first_seen, now).s, 0);
		assert_int_equal(when_between(now, found->next_look).s, looks[i] + f.policy.poll_max.s * (1 << i));
	}
}

/* A person's wish goes before the date of the next addition, once, and the pace goes on from there; so does the rest of what was seen. */
static void
test_asked_again(void **state)
{
	static const struct {
		int at;
		enum site_event_kind wish; /* SITE_WAKE: none */
		bool is_added;
	} looks[] = { { 0, SITE_WAKE, true }, { 60, SITE_WAKE, false }, { 120, SITE_ASKED_CHECK, true }, { 150, SITE_WAKE, false },
		{ 200, SITE_ASKED_RENEW, true }, { 240, SITE_WAKE, false }, { 300, SITE_CHANGED, true }, { 300 + 3 * 900, SITE_WAKE, false },
		{ 300 + 8 * 900, SITE_WAKE, true } };
	AUTO_FIXTURE f = { 0 };
	const struct str zone = STR("example.jp");

	(void)state;
	fixture_init(&f, AGE_YOUNG);
	f.policy.zones = &zone;
	f.policy.zones_n = 1;
	for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
		const struct turn t = { when_plus(now, SPAN_S(looks[i].at)), 12345 };

		if (looks[i].wish != SITE_WAKE) {
			fixture_do(&f, DOING_NOTHING);
			site_step(&f.site, &(struct site_event){ .kind = looks[i].wish, .retry_after = WHEN_UNKNOWN }, &t, &f.policy, &f.arena,
			    arena_get(&f.arena, sizeof(struct site_effects)));
			assert_int_equal(f.site.doing, DOING_CHECK);
		}
		size_t added = count(look_at_names(&f, looks[i].at, SIGHT_WWW_GONE), FX_RECORD);
		if (added != looks[i].is_added)
			fail_msg("at %d s: %zu additions", looks[i].at, added);
		tell(&f, looks[i].at, ERR_REFUSED, "REFUSED");
	}
	const struct finding *found = findings_find(&f.site.findings, CAUSE_OWN_ZONE_UNWRITABLE, f.names[1].name);
	assert_non_null(found);
	assert_int_equal(when_between(now, found->first_seen).s, 0);
}

/* --- a key that does not fit --- */

/* The installer has met it, or has not; what the step begins. */
static struct site_effects *
deployed(struct fixture *f, int64_t after_s, enum cause cause)
{
	struct finding failure;
	struct site_effects *out = arena_get(&f->arena, sizeof *out);
	const struct turn t = { when_plus(now, SPAN_S(after_s)), 12345 };

	fixture_do(f, DOING_DEPLOY);
	struct site_event ev = event_of(f, SITE_DEPLOYED, SIGHT_FINE, cause, &failure);
	f->site.checked_at = t.now;
	f->names[0].passed_at = f->names[1].passed_at = t.now;
	site_step(&f->site, &ev, &t, &f->policy, &f->arena, out);
	return out;
}

/* The CA has given another one, of this number, for the site's names. */
static void
followed(struct fixture *f, int64_t after_s, uint8_t number)
{
	struct finding unused;
	const struct turn t = { when_plus(now, SPAN_S(after_s)), 12345 };

	fixture_do(f, DOING_ORDER);
	struct site_event ev = event_of(f, SITE_ISSUED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused);
	ev.failures_n = 0;
	ev.issued.id = number;
	ev.issued.life = (struct life){ t.now, when_plus(t.now, SPAN_D(90)) };
	memset(ev.issued.fingerprint, number, FINGERPRINT_BYTES);
	site_step(&f->site, &ev, &t, &f->policy, &f->arena, arena_get(&f->arena, sizeof(struct site_effects)));
	assert_int_equal(f->site.doing, DOING_DEPLOY);
}

/* Another is ordered at once; where that does not fit either, after 1 day, 2, 4, 7, 7 …; the date of a CA goes before ours; and it is
 * over with the first that fits, with a count that begins anew. */
static void
test_key_of_another(void **state)
{
	static const int days[] = { 0, 1, 2, 4, 7, 7 };
	AUTO_FIXTURE f = { 0 };
	int64_t at = 0;

	(void)state;
	fixture_init(&f, AGE_YOUNG);
	for (uint8_t i = 0; i < sizeof days / sizeof *days; i++) {
		struct site_effects *out = deployed(&f, at, CAUSE_OWN_CERTIFICATE_KEY_MISMATCH);

		assert_true(findings_has(&f.site, CAUSE_OWN_CERTIFICATE_KEY_MISMATCH));
		assert_int_equal(when_between(now, site_renew_at(&f.site)).s, at + (int64_t)days[i] * DAY);
		assert_int_equal(count(out, FX_ORDER), i == 0);
		at += (int64_t)days[i] * DAY;
		if (i > 0) {
			assert_int_equal(count(deployed(&f, at - 1, CAUSE_OWN_CERTIFICATE_KEY_MISMATCH), FX_ORDER), 0);
			f.policy.ca_not_before = when_plus(now, SPAN_S(at + 60));
			assert_int_equal(count(deployed(&f, at, CAUSE_OWN_CERTIFICATE_KEY_MISMATCH), FX_ORDER), 0);
			f.policy.ca_not_before = WHEN_UNKNOWN;
			assert_int_equal(count(deployed(&f, at, CAUSE_OWN_CERTIFICATE_KEY_MISMATCH), FX_ORDER), 1);
		}
		followed(&f, at, (uint8_t)(20 + i));
		/* Whether the new one fits is not known yet: nothing more is ordered. */
		assert_true(when_before(when_plus(now, SPAN_S(at + 30 * DAY)), site_renew_at(&f.site)));
	}
	(void)deployed(&f, at, CAUSE_CA_SERVICE_DOWN);
	assert_false(findings_has(&f.site, CAUSE_OWN_CERTIFICATE_KEY_MISMATCH));
	assert_int_equal(count(deployed(&f, at + DAY, CAUSE_OWN_CERTIFICATE_KEY_MISMATCH), FX_ORDER), 1);
}

/* Its owner's: nothing is ordered, its owner is asked for the key, and the next file, or free SSL, ends it. */
static void
test_key_of_an_own_certificate(void **state)
{
	static const struct {
		bool takeover;
	} rows[] = { { false }, { true } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_FIXTURE f = { 0 };

		fixture_init(&f, AGE_YOUNG);
		f.site.setting.source = SOURCE_OWN;
		f.site.setting.takeover = rows[i].takeover;
		f.site.held.is_own = true;
		struct site_effects *out = deployed(&f, 0, CAUSE_OWN_CERTIFICATE_KEY_MISMATCH);
		const struct finding *found = findings_find(&f.site.findings, CAUSE_OWN_CERTIFICATE_KEY_MISSING, f.names[0].name);
		assert_false(findings_has(&f.site, CAUSE_OWN_CERTIFICATE_KEY_MISMATCH));
		assert_int_equal(count(out, FX_TAKE_OVER), rows[i].takeover);
		assert_int_equal(count(out, FX_ORDER), rows[i].takeover);
		assert_int_equal(found != NULL, !rows[i].takeover);
		if (found == NULL)
			continue;
		assert_true(found->acts == ACTOR_OWNER && str_starts(found->seen, STR("the key in the file is of another")));
		/* A look of everything sees nothing of it, and does not end it. */
		(void)look_at_names(&f, 60, SIGHT_FINE);
		assert_true(findings_has(&f.site, CAUSE_OWN_CERTIFICATE_KEY_MISSING));
		(void)deployed(&f, 120, CAUSE_CA_SERVICE_DOWN);
		assert_int_equal(f.site.findings.n, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_again_and_ever_more_rarely),
		cmocka_unit_test(test_a_stranger_that_does_not_stop), cmocka_unit_test(test_ended), cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_a_record_in_a_zone_of_ours), cmocka_unit_test(test_what_the_zone_has_said), cmocka_unit_test(test_what_the_zone_refuses),
		cmocka_unit_test(test_refused_again), cmocka_unit_test(test_asked_again), cmocka_unit_test(test_key_of_another), cmocka_unit_test(test_key_of_an_own_certificate) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
