/* Questions to vantage points and their answers: what is read, what is refused and by which name, who is let in, and how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/limits.h"
#include "ports/keys/jose.h"
#include "ports/keys/question.h"
#include "ports/probe/net.h"
#include "ports/vantage/answer.h"
#include "ports/vantage/ask.h"
#include "ports/vantage/question.h"
#include "vantage/door.h"

#define NOW 1800000000
#define NONCE "AAECAwQFBgcICQoLDA0ODw"
#define PRINT "9jg46WB3rR-AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
#define PAYLOAD "{\"aud\":\"tokyo\",\"iat\":1800000000,\"jti\":\"" NONCE "\",\"names\":[\"www.example.jp\"],\"thumbprint\":\"" PRINT "\",\"wait_ms\":9000}"

static const uint8_t master[SECRET_KEY_BYTES] = { 1, 2, 3 }, other_master[SECRET_KEY_BYTES] = { 9 };
static struct question_key *our_key, *their_key;

static int
make_keys(void **state)
{
	(void)state;
	assert_int_equal(question_key_new(master, &our_key), ERR_OK);
	assert_int_equal(question_key_new(other_master, &their_key), ERR_OK);
	return 0;
}

static int
drop_keys(void **state)
{
	(void)state;
	question_key_free(&our_key);
	question_key_free(&their_key);
	return 0;
}

/* --- the form --- */

static struct str
base64url(struct arena *a, struct str s)
{
	AUTO_BUF b = { .max = 1 << 20 };

	jose_put_base64url(&b, s);
	return arena_str(a, buf_str(&b));
}

#define HEADER "{\"alg\":\"EdDSA\",\"kid\":\"" PRINT "\",\"typ\":\"koshin-question+json\"}"

static void
a_form_that_is_not_known_is_refused_by_name(void **state)
{
	static const struct {
		int line;
		const char *header, *payload, *wanted;
	} rows[] = {
		{ __LINE__, HEADER, PAYLOAD, "" },
		{ __LINE__, HEADER, "{\"aud\":\"t\",\"iat\":1,\"jti\":\"" NONCE "\",\"names\":[],\"thumbprint\":\"\",\"wait_ms\":1}", "" },
		{ __LINE__, "{\"alg\":\"none\",\"kid\":\"" PRINT "\",\"typ\":\"koshin-question+json\"}", PAYLOAD, "unsigned" },
		{ __LINE__, "{\"alg\":\"HS256\",\"kid\":\"" PRINT "\",\"typ\":\"koshin-question+json\"}", PAYLOAD, "malformed" },
		{ __LINE__, "{\"alg\":\"EdDSA\",\"kid\":\"short\",\"typ\":\"koshin-question+json\"}", PAYLOAD, "malformed" },
		{ __LINE__, "{\"alg\":\"EdDSA\",\"kid\":\"" PRINT "\",\"typ\":\"JWT\"}", PAYLOAD, "malformed" },
		{ __LINE__, "{\"alg\":\"EdDSA\",\"kid\":\"" PRINT "\",\"typ\":\"koshin-question+json\",\"crit\":[\"exp\"]}", PAYLOAD, "malformed" },
		{ __LINE__, "{\"alg\":\"EdDSA\",\"alg\":\"EdDSA\",\"kid\":\"" PRINT "\",\"typ\":\"koshin-question+json\"}", PAYLOAD, "malformed" },
		{ __LINE__, "[]", PAYLOAD, "malformed" },
		{ __LINE__, HEADER, "", "malformed" },
		{ __LINE__, HEADER, "null", "malformed" },
		{ __LINE__, HEADER, "{\"aud\":\"\",\"iat\":1,\"jti\":\"" NONCE "\",\"names\":[],\"thumbprint\":\"\",\"wait_ms\":1}", "malformed" },
		{ __LINE__, HEADER, "{\"aud\":\"t\",\"iat\":\"1\",\"jti\":\"" NONCE "\",\"names\":[],\"thumbprint\":\"\",\"wait_ms\":1}", "malformed" },
		{ __LINE__, HEADER, "{\"aud\":\"t\",\"iat\":9223372036854775807,\"jti\":\"" NONCE "\",\"names\":[],\"thumbprint\":\"\",\"wait_ms\":1}", "malformed" },
		{ __LINE__, HEADER, "{\"aud\":\"t\",\"iat\":1,\"jti\":\"x\",\"names\":[],\"thumbprint\":\"\",\"wait_ms\":1}", "malformed" },
		{ __LINE__, HEADER, "{\"aud\":\"t\",\"iat\":1,\"jti\":\"" NONCE "\",\"names\":\"a.jp\",\"thumbprint\":\"\",\"wait_ms\":1}", "malformed" },
		{ __LINE__, HEADER, "{\"aud\":\"t\",\"iat\":1,\"jti\":\"" NONCE "\",\"names\":[\"A.jp\"],\"thumbprint\":\"\",\"wait_ms\":1}", "malformed" },
		{ __LINE__, HEADER, "{\"aud\":\"t\",\"iat\":1,\"jti\":\"" NONCE "\",\"names\":[\"127.0.0.1\"],\"thumbprint\":\"\",\"wait_ms\":1}", "malformed" },
		{ __LINE__, HEADER, "{\"aud\":\"t\",\"iat\":1,\"jti\":\"" NONCE "\",\"names\":[\"localhost\"],\"thumbprint\":\"\",\"wait_ms\":1}", "malformed" },
		{ __LINE__, HEADER, "{\"aud\":\"t\",\"iat\":1,\"jti\":\"" NONCE "\",\"names\":[\"*.a.jp\"],\"thumbprint\":\"\",\"wait_ms\":1}", "malformed" },
		{ __LINE__, HEADER, "{\"aud\":\"t\",\"iat\":1,\"jti\":\"" NONCE "\",\"names\":[1],\"thumbprint\":\"\",\"wait_ms\":1}", "malformed" },
		{ __LINE__, HEADER, "{\"aud\":\"t\",\"iat\":1,\"jti\":\"" NONCE "\",\"names\":[],\"thumbprint\":\"a/b\",\"wait_ms\":1}", "malformed" },
		{ __LINE__, HEADER, "{\"aud\":\"t\",\"iat\":1,\"jti\":\"" NONCE "\",\"names\":[],\"thumbprint\":\"\",\"wait_ms\":0}", "malformed" },
		{ __LINE__, HEADER, "{\"aud\":\"t\",\"iat\":1,\"jti\":\"" NONCE "\",\"names\":[],\"thumbprint\":\"\",\"wait_ms\":60001}", "malformed" },
		{ __LINE__, HEADER, "{\"aud\":\"t\",\"iat\":1,\"jti\":\"" NONCE "\",\"names\":[],\"thumbprint\":\"\",\"wait_ms\":1,\"more\":1}", "malformed" },
	};
	char signature[JOSE_ED25519_BYTES] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_ARENA a = { .max = 1 << 20 };
		struct question_message m = { 0 };
		struct str body = arena_strf(&a, "{\"protected\":\"%.*s\",\"payload\":\"%.*s\",\"signature\":\"%.*s\"}", STR_ARG(base64url(&a, str_of(rows[i].header))),
		    STR_ARG(base64url(&a, str_of(rows[i].payload))), STR_ARG(base64url(&a, (struct str){ signature, sizeof signature })));
		enum refusal r = question_read(body, &a, &m);
		const char *got = r == REFUSAL_NONE ? "" : refusal_row(r)->name;

		if (strcmp(got, rows[i].wanted) != 0)
			fail_msg("%s:%d: got \"%s\"", __FILE__, rows[i].line, got);
		if (r != REFUSAL_NONE)
			assert_int_equal(m.key.n, 0);
	}
}

static void
what_is_no_signed_document_is_refused_by_name(void **state)
{
	static const struct {
		int line;
		const char *body, *wanted;
	} rows[] = {
		{ __LINE__, "", "malformed" },
		{ __LINE__, "hello", "malformed" },
		{ __LINE__, "[]", "malformed" },
		{ __LINE__, "{}", "unsigned" },
		{ __LINE__, PAYLOAD, "unsigned" },
		{ __LINE__, "{\"protected\":\"e30\",\"payload\":\"e30\"}", "unsigned" },
		{ __LINE__, "{\"protected\":\"e30\",\"payload\":\"e30\",\"signature\":\"\"}", "unsigned" },
		{ __LINE__, "{\"protected\":\"e30\",\"payload\":\"e30\",\"signature\":\"AA\"}", "malformed" },
		{ __LINE__, "{\"protected\":\"e30\",\"payload\":\"e30\",\"signature\":\"AA\",\"header\":{}}", "malformed" },
		{ __LINE__, "{\"protected\":1,\"payload\":2,\"signature\":3}", "unsigned" },
	};
	static char long_one[LIMIT_QUESTION_BYTES + 1];
	AUTO_ARENA a = { .max = 1 << 20 };
	struct question_message m;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum refusal r = question_read(str_of(rows[i].body), &a, &m);

		if (r == REFUSAL_NONE || strcmp(refusal_row(r)->name, rows[i].wanted) != 0)
			fail_msg("%s:%d: got \"%s\"", __FILE__, rows[i].line, r == REFUSAL_NONE ? "" : refusal_row(r)->name);
	}
	memset(long_one, ' ', sizeof long_one);
	assert_int_equal(question_read((struct str){ long_one, sizeof long_one }, &a, &m), REFUSAL_TOO_LONG);
}

/* --- who is let in --- */

struct asked {
	const char *place;
	int64_t at;
	const char *nonce;
	const struct question_key *key;
};

static struct str
sign(struct arena *a, const struct asked *q)
{
	static const struct str names[] = { { "www.example.jp", 14 }, { "xn--wgv71a119e.jp", 17 } };
	const struct question question = { .place = str_of(q->place), .at = { q->at }, .nonce = str_of(q->nonce), .names = names, .names_n = 2,
		.thumbprint = STR(PRINT), .wait_ms = 9000 };
	AUTO_BUF payload = { .max = 1 << 16 }, json = { .max = 1 << 16 };

	assert_int_equal(question_write(&question, &payload), ERR_OK);
	assert_int_equal(question_sign(q->key, buf_str(&payload), &json), ERR_OK);
	return arena_str(a, buf_str(&json));
}

static struct door *
open_door(unsigned questions_a_minute)
{
	static char line[128];
	static const char *const askers[] = { "other AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", line };
	const struct door_options o = { .place = STR("tokyo"), .askers = askers, .askers_n = 2, .questions_a_minute = questions_a_minute, .started = { NOW - 50 } };
	struct door *d = NULL;

	(void)snprintf(line, sizeof line, "main  %s", question_key_text(our_key));
	assert_int_equal(door_new(&o, &d), ERR_OK);
	return d;
}

static enum refusal
judge(struct door *d, struct str body, int64_t now, struct str *ret_asker)
{
	AUTO_ARENA a = { .max = 1 << 20 };
	struct question_message m;
	enum refusal r = question_read(body, &a, &m);

	return r != REFUSAL_NONE ? r : door_judge(d, &m, (struct when){ now }, ret_asker);
}

static void
a_question_comes_back_as_it_was_asked(void **state)
{
	AUTO_ARENA a = { .max = 1 << 20 };
	struct question_message m;
	struct str body = sign(&a, &(struct asked){ "tokyo", NOW, NONCE, our_key });

	(void)state;
	assert_int_equal(question_read(body, &a, &m), REFUSAL_NONE);
	assert_true(str_eq(m.q.place, STR("tokyo")) && m.q.at.s == NOW && str_eq(m.q.nonce, STR(NONCE)) && m.q.names_n == 2);
	assert_true(str_eq(m.q.names[1], STR("xn--wgv71a119e.jp")) && str_eq(m.q.thumbprint, STR(PRINT)) && m.q.wait_ms == 9000);
	assert_true(str_eq(m.key, str_of(question_key_text(our_key))));
	assert_int_equal(question_verify(m.key, m.input, m.signature), ERR_OK);
	assert_int_equal(question_verify(str_of(question_key_text(their_key)), m.input, m.signature), ERR_MISMATCH);
	assert_int_equal(question_verify(STR("no key"), m.input, m.signature), ERR_INVALID);
}

static void
the_door_names_what_it_refuses(void **state)
{
	static const struct {
		int line;
		const char *place;
		int64_t at;
		bool is_ours;
		enum refusal wanted;
	} rows[] = {
		{ __LINE__, "tokyo", NOW, true, REFUSAL_NONE },
		{ __LINE__, "tokyo", NOW + 60, true, REFUSAL_NONE },
		{ __LINE__, "tokyo", NOW + 61, true, REFUSAL_EARLY },
		{ __LINE__, "tokyo", NOW - 50, true, REFUSAL_NONE },
		{ __LINE__, "tokyo", NOW - 51, true, REFUSAL_EXPIRED }, /* of before its start */
		{ __LINE__, "tokyo", NOW - 61, true, REFUSAL_EXPIRED },
		{ __LINE__, "oregon", NOW, true, REFUSAL_OTHER_PLACE },
		{ __LINE__, "tokyo", NOW, false, REFUSAL_UNKNOWN_KEY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_ARENA a = { .max = 1 << 20 };
		struct door *d = open_door(60);
		struct str asker;
		enum refusal r = judge(d, sign(&a, &(struct asked){ rows[i].place, rows[i].at, NONCE, rows[i].is_ours ? our_key : their_key }), NOW, &asker);

		if (r != rows[i].wanted)
			fail_msg("%s:%d: got %d", __FILE__, rows[i].line, (int)r);
		assert_true(str_eq(asker, rows[i].is_ours ? STR("main") : STR_NONE));
		door_free(&d);
	}
}

/* Each byte of what was signed counts, and each byte of the signature. */
static void
a_change_on_the_way_is_noticed(void **state)
{
	AUTO_ARENA a = { .max = 1 << 20 };
	struct str body = sign(&a, &(struct asked){ "tokyo", NOW, NONCE, our_key }), asker;
	char *copy = arena_get(&a, body.n);
	struct door *d = open_door(600);

	(void)state;
	assert_non_null(copy);
	for (size_t i = 0; i < body.n; i++) {
		memcpy(copy, body.p, body.n);
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		assert_int_not_equal(judge(d, (struct str){ copy, body.n }, NOW, &asker), REFUSAL_NONE);
	}
	assert_int_equal(judge(d, body, NOW, &asker), REFUSAL_NONE);
	door_free(&d);
}

static void
a_question_is_answered_once(void **state)
{
	AUTO_ARENA a = { .max = 1 << 20 };
	struct str body = sign(&a, &(struct asked){ "tokyo", NOW + 60, NONCE, our_key }), asker;
	struct door *d = open_door(60);

	(void)state;
	assert_int_equal(judge(d, body, NOW, &asker), REFUSAL_NONE);
	assert_true(str_eq(asker, STR("main")));
	for (int64_t s = 0; s <= 120; s += 10)
		assert_int_equal(judge(d, body, NOW + s, &asker), REFUSAL_REPLAYED);
	/* Forgotten no sooner than it is too old. */
	assert_int_equal(judge(d, body, NOW + 121, &asker), REFUSAL_EXPIRED);
	door_free(&d);
}

/* At this date, so many questions with numbers of their own; how many are let in? */
static unsigned
ask_many(struct door *d, unsigned first, unsigned n, int64_t at)
{
	unsigned passed = 0;
	struct str asker;

	for (unsigned i = first; i < first + n; i++) {
		AUTO_ARENA a = { .max = 1 << 20 };
		char nonce[] = NONCE;

		nonce[0] = (char)('A' + i % 26);
		nonce[1] = (char)('A' + i / 26);
		enum refusal r = judge(d, sign(&a, &(struct asked){ "tokyo", at, nonce, our_key }), at, &asker);
		assert_true(r == REFUSAL_NONE || r == REFUSAL_TOO_MANY);
		passed += r == REFUSAL_NONE;
	}
	return passed;
}

static void
no_more_are_answered_than_the_limit(void **state)
{
	struct door *d = open_door(10);

	(void)state;
	assert_int_equal(ask_many(d, 0, 50, NOW), 10);
	assert_int_equal(ask_many(d, 50, 50, NOW + 30), 5);
	assert_int_equal(ask_many(d, 100, 50, NOW + 300), 10);
	/* A clock that was put back shuts nobody out for longer than it was wrong, and lets no more in. */
	assert_true(ask_many(d, 150, 50, NOW + 200) <= 10);
	door_free(&d);
}

/* --- answers --- */

struct seen {
	struct evidence e;
	struct name_evidence name;
	struct address_evidence addresses[LIMIT_ADDRESSES];
	struct caa_record caa[2];
};

static void
make_seen(struct seen *s)
{
	*s = (struct seen){ .e = { .resolver_works = true, .names = &s->name, .names_n = 1 },
		.name = { .name = STR("www.example.jp"), .a_status = DNS_OK, .aaaa_status = DNS_TIMEOUT, .caa_status = DNS_OK, .caa_at = STR("example.jp"),
		    .cname_target = STR("a.example.com"), .caa = s->caa, .caa_n = 1, .addresses = s->addresses, .addresses_n = 2 } };
	s->caa[0] = (struct caa_record){ 128, STR("issue"), STR("ca.example") };
	assert_int_equal(address_read(STR("2001:db8::1"), &s->addresses[0].ip), ERR_OK);
	s->addresses[0].http = (struct http_evidence){ .result = HTTP_ANSWERED, .status = 403, .hops = 1, .location = STR("http://b.example/"),
		.server = STR("nginx\x01"), .is_mitigated = true, .body = STR("\xff<html>"), .detail = STR("d"), .ms = 12 };
	assert_int_equal(address_read(STR("192.0.2.1"), &s->addresses[1].ip), ERR_OK);
	s->addresses[1].http = (struct http_evidence){ .result = HTTP_ANSWERED, .status = 200, .is_ours = true, .body = STR("token.print") };
}

static struct str
text_of(struct arena *a, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);
	struct str s = arena_str(a, str_of(text));

	assert_non_null(text);
	free(text);
	json_decref(o);
	return s;
}

static void
an_answer_comes_back_as_it_was_seen(void **state)
{
	AUTO_ARENA a = { .max = 1 << 20 };
	struct seen s;
	struct view_evidence v = { .place = STR("tokyo") };
	const struct answer_slot slot = { STR("www.example.jp"), &v };

	(void)state;
	make_seen(&s);
	struct str json = text_of(&a, answer_json(STR("tokyo"), STR(NONCE), &s.e));
	assert_int_equal(answer_read(json, STR(NONCE), &slot, 1, &a), ERR_OK);
	assert_true(v.result == VIEW_SEEN && str_eq(v.place, STR("tokyo")) && v.a_status == DNS_OK && v.aaaa_status == DNS_TIMEOUT);
	assert_true(v.caa_n == 1 && v.caa[0].flags == 128 && str_eq(v.caa[0].value, STR("ca.example")) && str_eq(v.caa_at, STR("example.jp")));
	assert_true(v.addresses_n == 2 && v.addresses[0].ip.family == 6 && v.addresses[0].http.status == 403 && v.addresses[0].http.is_mitigated);
	assert_true(str_eq(v.addresses[0].http.server, STR("nginx?")) && str_eq(v.addresses[0].http.body, STR("?<html>")) && v.addresses[0].http.hops == 1);
	/* What only this installation answers is not told again. */
	assert_true(v.addresses[1].http.is_ours && v.addresses[1].http.body.n == 0);
	/* A place that cannot look says so. */
	s.e.resolver_works = false;
	json = text_of(&a, answer_json(STR("tokyo"), STR(NONCE), &s.e));
	assert_int_equal(answer_read(json, STR(NONCE), &slot, 1, &a), ERR_OK);
	assert_true(v.result == VIEW_BLIND && v.detail.n > 0);
}

/* Each outcome has a word of its own. */
static void
every_outcome_survives(void **state)
{
	(void)state;
	for (enum http_result r = HTTP_NOT_TRIED; r <= HTTP_FORBIDDEN_ADDRESS; r++)
		for (enum dns_status d = DNS_NOT_ASKED; d <= DNS_LOCAL; d++) {
			AUTO_ARENA a = { .max = 1 << 20 };
			struct seen s;
			struct view_evidence v = { .place = STR("tokyo") };
			const struct answer_slot slot = { STR("www.example.jp"), &v };

			make_seen(&s);
			s.name.a_status = s.name.caa_status = d;
			s.addresses[0].http.result = r;
			struct str json = text_of(&a, answer_json(STR("tokyo"), STR(NONCE), &s.e));
			assert_int_equal(answer_read(json, STR(NONCE), &slot, 1, &a), ERR_OK);
			assert_true(v.a_status == d && v.caa_status == d && v.addresses[0].http.result == r);
		}
}

static void
an_answer_to_something_else_is_not_taken(void **state)
{
	AUTO_ARENA a = { .max = 1 << 20 };
	struct seen s;
	struct view_evidence v = { .place = STR("tokyo") };
	const struct answer_slot slot = { STR("www.example.jp"), &v }, other = { STR("other.example.jp"), &v };
	static const char *const from[] = { "\"result\":\"answered\"", "\"status\":403", "192.0.2.1", "\"ours\":true", "\"a\":\"ok\"", "\"status\":200", "\"www.example.jp\"" };
	static const char *const to[] = { "\"result\":\"whatever\"", "\"status\":-1", "192.0.2.x", "\"ours\":1", "\"a\":\"?\"", "\"status\":404", "\"www.example.com\"" };

	(void)state;
	make_seen(&s);
	struct str json = text_of(&a, answer_json(STR("tokyo"), STR(NONCE), &s.e));
	assert_int_equal(answer_read(json, STR("BBECAwQFBgcICQoLDA0ODw"), &slot, 1, &a), ERR_PEER);
	assert_int_equal(answer_read(json, STR(NONCE), &other, 1, &a), ERR_PEER);
	assert_int_equal(answer_read(STR("{}"), STR(NONCE), &slot, 1, &a), ERR_PEER);
	assert_int_equal(answer_read(STR("<html>"), STR(NONCE), &slot, 1, &a), ERR_PEER);
	for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
		size_t at = str_find(json, str_of(from[i])), n = strlen(from[i]);

		assert_int_not_equal(at, SIZE_MAX);
		struct str changed = arena_strf(&a, "%.*s%s%.*s", (int)at, json.p, to[i], (int)(json.n - at - n), json.p + at + n);
		if (answer_read(changed, STR(NONCE), &slot, 1, &a) != ERR_PEER)
			fail_msg("taken: %s", to[i]);
	}
	for (size_t n = 0; n < json.n; n++)
		assert_int_equal(answer_read((struct str){ json.p, n }, STR(NONCE), &slot, 1, &a), ERR_PEER);
	assert_true(v.result == VIEW_NOT_ASKED && v.addresses_n == 0);
	assert_int_equal(answer_read(json, STR(NONCE), &slot, 1, &a), ERR_OK);
	/* Many addresses are cut where they are told, and refused where they are read. */
	s.name.addresses_n = LIMIT_ADDRESSES;
	for (size_t i = 0; i < LIMIT_ADDRESSES; i++)
		s.addresses[i].ip.family = 4;
	assert_int_equal(answer_read(text_of(&a, answer_json(STR("tokyo"), STR(NONCE), &s.e)), STR(NONCE), &slot, 1, &a), ERR_OK);
	assert_int_equal(v.addresses_n, LIMIT_VIEW_ADDRESSES);
}

static void
a_refusal_is_read_for_the_operator(void **state)
{
	AUTO_ARENA a = { .max = 1 << 16 };

	(void)state;
	assert_true(str_eq(answer_refusal(STR("{\"type\":\"urn:koshin:vantage:replayed\",\"title\":\"again\",\"status\":409}"), &a), STR("replayed: again")));
	assert_int_equal(answer_refusal(STR("{\"type\":\"urn:else\",\"title\":\"again\"}"), &a).n, 0);
	assert_int_equal(answer_refusal(STR("{\"type\":\"urn:koshin:vantage:x\",\"title\":\"a\\nb\"}"), &a).n, 0);
	assert_int_equal(answer_refusal(STR("<html>"), &a).n, 0);
	for (enum refusal r = REFUSAL_NONE + 1; r < REFUSAL_COUNT; r++)
		assert_true(refusal_row(r)->status >= 400 && refusal_row(r)->name[0] != '\0' && refusal_row(r)->words[0] != '\0');
}

/* --- asking --- */

/* A place where nobody listens: every question that is sent is one that was not answered. */
struct asking {
	struct loop *loop;
	struct clock clock;
	struct arena a;
	struct config_vantage place;
	struct config config;
	struct vantages *v;
	struct name_evidence names[50];
	struct name_evidence *list[50];
	char texts[50][24];
	unsigned told;
	bool is_done;
};

static void
asking_new(struct asking *k)
{
	static char name[] = "nowhere", url[] = "https://127.0.0.1:1";

	*k = (struct asking){ .clock = clock_real(SPAN_S(0)), .place = { .name = name, .url = url, .timeout_ms = 5000 } };
	k->config = (struct config){ .vantages = &k->place, .vantages_n = 1 };
	arena_init(&k->a, 1 << 20);
	assert_int_equal(loop_new(&k->clock, &k->loop), ERR_OK);
	assert_int_equal(vantages_new(k->loop, &k->clock, &(struct vantages_options){ .config = &k->config, .key = our_key }, &k->v), ERR_OK);
	for (size_t i = 0; i < 50; i++) {
		(void)snprintf(k->texts[i], sizeof k->texts[i], i == 7 ? "*.w%zu.jp" : "w%zu.jp", i);
		k->names[i] = (struct name_evidence){ .name = str_of(k->texts[i]) };
		k->list[i] = &k->names[i];
	}
}

static void
asking_free(struct asking *k)
{
	vantages_free(&k->v);
	loop_free(&k->loop);
	arena_fini(&k->a);
}

static void
on_told(void *arg, struct name_evidence *n, const struct view_evidence *v)
{
	struct asking *k = arg;

	assert_true(str_eq(v->place, STR("nowhere")) && (n == NULL || n->views == v));
	k->told++;
}

static void
on_done(void *arg)
{
	struct asking *k = arg;

	assert_false(k->is_done);
	k->is_done = true;
}

static struct vantage_ask *
begin(struct asking *k, size_t names_n)
{
	struct vantage_ask *ask = NULL;
	const struct vantage_target t = { .names = k->list, .names_n = names_n, .thumbprint = STR(PRINT), .arena = &k->a, .within_ms = 5000, .told = on_told,
		.done = on_done, .arg = k };

	k->is_done = false;
	assert_int_equal(vantages_ask(k->v, &t, &ask), ERR_OK);
	assert_false(k->is_done);
	return ask;
}

static void
finish(struct asking *k, const struct vantage_ask *ask)
{
	while (ask != NULL && !k->is_done)
		assert_int_equal(loop_round(k->loop, -1), ERR_OK);
}

static void
many_names_are_several_questions(void **state)
{
	static struct asking k;

	(void)state;
	asking_new(&k);
	finish(&k, begin(&k, 50));
	/* Each but the wildcard, which no validator looks for over HTTP. */
	assert_int_equal(k.told, 49);
	for (size_t i = 0; i < 50; i++) {
		assert_int_equal(k.names[i].views_n, i == 7 ? 0 : 1);
		assert_true(i == 7 || (k.names[i].views[0].result == VIEW_SILENT && k.names[i].views[0].detail.n > 0));
	}
	/* Are you there? */
	finish(&k, begin(&k, 0));
	assert_int_equal(k.told, 50);
	/* Only a wildcard: nothing is asked. */
	k.list[0] = &k.names[7];
	assert_null(begin(&k, 1));
	asking_free(&k);
}

static void
an_asker_has_a_limit_of_its_own(void **state)
{
	static struct asking k;
	unsigned sent = 0, kept = 0;

	(void)state;
	asking_new(&k);
	for (unsigned i = 0; i < 80; i++) {
		finish(&k, begin(&k, 1));
		sent += k.names[0].views[0].result == VIEW_SILENT;
		kept += k.names[0].views[0].result == VIEW_NOT_ASKED;
	}
	/* Sixty a minute, and those whose time comes while this runs. */
	assert_true(sent >= 60 && sent < 80 && sent + kept == 80);
	asking_free(&k);
}

static void
what_is_stopped_was_silent(void **state)
{
	static struct asking k;

	(void)state;
	asking_new(&k);
	struct vantage_ask *ask = begin(&k, 3);
	vantages_stop(&ask);
	assert_true(ask == NULL && k.told == 0 && k.names[2].views[0].result == VIEW_SILENT);
	vantages_stop(&ask);
	/* Another goes on beside what nobody waits for any more; and what is under way at the end is forgotten. */
	finish(&k, begin(&k, 3));
	assert_int_equal(k.told, 3);
	assert_non_null(begin(&k, 3));
	assert_int_equal(loop_round(k.loop, 0), ERR_OK);
	asking_free(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_form_that_is_not_known_is_refused_by_name),
		cmocka_unit_test(what_is_no_signed_document_is_refused_by_name),
		cmocka_unit_test(a_question_comes_back_as_it_was_asked),
		cmocka_unit_test(the_door_names_what_it_refuses),
		cmocka_unit_test(a_change_on_the_way_is_noticed),
		cmocka_unit_test(a_question_is_answered_once),
		cmocka_unit_test(no_more_are_answered_than_the_limit),
		cmocka_unit_test(an_answer_comes_back_as_it_was_seen),
		cmocka_unit_test(every_outcome_survives),
		cmocka_unit_test(an_answer_to_something_else_is_not_taken),
		cmocka_unit_test(a_refusal_is_read_for_the_operator),
		cmocka_unit_test(many_names_are_several_questions),
		cmocka_unit_test(an_asker_has_a_limit_of_its_own),
		cmocka_unit_test(what_is_stopped_was_silent),
	};
	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
