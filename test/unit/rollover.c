/* An account's new key: what both keys sign (RFC 8555 7.3.5), what web servers answer meanwhile, and a death at every step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "installer/nginx.h"
#include "ports/acme/payload.h"
#include "ports/keys/core.h"
#include "ports/keys/secret.h"
#include "sim/scenario.h"
#include "test/unit/like.h"

static size_t
decode(const char *text, uint8_t *ret, size_t cap)
{
	size_t n = 0;

	assert_int_equal(sodium_base642bin(ret, cap, text, strlen(text), NULL, &n, NULL,
			     sodium_base64_VARIANT_URLSAFE_NO_PADDING),
	    0);
	return n;
}

static json_t *
decode_json(const json_t *o, const char *key)
{
	uint8_t bytes[2048];
	size_t n = decode(json_string_value(json_object_get(o, key)), bytes, sizeof bytes);
	json_t *j = json_loadb((const char *)bytes, n, 0, NULL);

	assert_non_null(j);
	return j;
}

/* The public key of a jwk, by OpenSSL's own parameters. */
static EVP_PKEY *
key_of(const json_t *jwk)
{
	uint8_t point[65] = { 4 };
	EVP_PKEY *key = NULL;
	OSSL_PARAM params[] = { OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char[]){ "P-256" }, 0),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point), OSSL_PARAM_END };
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);

	assert_int_equal(decode(json_string_value(json_object_get(jwk, "x")), point + 1, 32), 32);
	assert_int_equal(decode(json_string_value(json_object_get(jwk, "y")), point + 33, 32), 32);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static bool
is_signed(const json_t *jws, EVP_PKEY *key)
{
	char input[8192];
	uint8_t raw[64];
	unsigned char *der = NULL;
	ECDSA_SIG *sig = ECDSA_SIG_new();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int n = snprintf(input, sizeof input, "%s.%s", json_string_value(json_object_get(jws, "protected")),
	    json_string_value(json_object_get(jws, "payload")));

	assert_int_equal(decode(json_string_value(json_object_get(jws, "signature")), raw, sizeof raw), 64);
	ECDSA_SIG_set0(sig, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32, NULL));
	int der_n = i2d_ECDSA_SIG(sig, &der);
	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	bool is_good = EVP_DigestVerify(ctx, der, (size_t)der_n, (const unsigned char *)input, (size_t)n) == 1;
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
	return is_good;
}

static void
the_new_key_signs_for_the_old_account(void **state)
{
	(void)state;
	static const uint8_t master[SECRET_KEY_BYTES] = { 1 };
	struct keys_core *core = NULL;
	struct keys_answer old, new, change, wrong;
	AUTO_ARENA a = { .max = 1 << 20 };

	assert_int_equal(keys_core_new(master, NULL, &core), ERR_OK);
	keys_do(core, &(struct keys_job){ .verb = KEYS_ACCOUNT_NEW }, &a, &old);
	keys_do(core, &(struct keys_job){ .verb = KEYS_ACCOUNT_NEW }, &a, &new);
	struct keys_job job = { .verb = KEYS_KEY_CHANGE, .sealed = new.sealed, .sealed_old = old.sealed,
		.kid = STR("https://ca.example/acct/1"), .url = STR("https://ca.example/key-change") };
	keys_do(core, &job, &a, &change);
	assert_int_equal(change.err, ERR_OK);
	json_t *jws = json_loadb(change.json.p, change.json.n, 0, NULL);
	json_t *head = decode_json(jws, "protected"), *body = decode_json(jws, "payload");
	/* 7.3.5: "jwk" of the new key, the same "url" as the outer, no nonce; the account and the old key inside. */
	assert_int_equal(json_object_size(head), 3);
	assert_string_equal(json_string_value(json_object_get(head, "url")), "https://ca.example/key-change");
	assert_int_equal(json_object_size(body), 2);
	assert_string_equal(json_string_value(json_object_get(body, "account")), "https://ca.example/acct/1");
	assert_false(json_equal(json_object_get(head, "jwk"), json_object_get(body, "oldKey")));
	EVP_PKEY *new_key = key_of(json_object_get(head, "jwk")), *old_key = key_of(json_object_get(body, "oldKey"));
	assert_true(is_signed(jws, new_key));
	assert_false(is_signed(jws, old_key));
	EVP_PKEY_free(new_key);
	EVP_PKEY_free(old_key);
	json_decref(head);
	json_decref(body);
	json_decref(jws);
	/* A key that is not an account's is refused. */
	job.sealed_old = STR("rubbish");
	keys_do(core, &job, &a, &wrong);
	assert_int_equal(wrong.err, ERR_CORRUPT);
	keys_core_free(&core);
}

static void
payloads(void **state)
{
	(void)state;
	AUTO_BUF b = { .max = 4096 };

	assert_int_equal(payload_put(&b, &(struct acme_request){ .verb = ACME_KEY_CHANGE, .inner = STR("{\"protected\":\"x\"}") }), ERR_OK);
	assert_string_equal(b.p, "{\"protected\":\"x\"}");
	assert_int_equal(payload_put(&b, &(struct acme_request){ .verb = ACME_KEY_CHANGE }), ERR_INVALID);
	buf_clear(&b);
	payload_put_existing(&b);
	assert_string_equal(b.p, "{\"onlyReturnExisting\":true}");
}

static bool
has(const struct buf *b, const char *part)
{
	return str_find(buf_str(b), str_of(part)) != SIZE_MAX;
}

static void
what_nginx_answers(void **state)
{
	(void)state;
	static const struct {
		int line;
		const char *thumbprint, *answer_at;
		enum err err;
	} bad[] = {
		{ __LINE__, "t;", "", ERR_INVALID },
		{ __LINE__, "t", "127.0.0.1:80;", ERR_INVALID },
		{ __LINE__, "t", "host.example:80", ERR_INVALID },
		{ __LINE__, "t", "127.0.0.1:80 #", ERR_INVALID },
	};
	AUTO_BUF alone = { .max = 4096 }, table = { .max = 4096 }, none = { .max = 4096 };

	assert_int_equal(nginx_render_challenge(STR("thumb"), STR_NONE, &alone), ERR_OK);
	assert_true(has(&alone, "return 200 \"${koshin_token}.thumb\"") && !has(&alone, "proxy_pass"));
	/* With several accounts the web process answers, and nginx by itself only while that does not. */
	assert_int_equal(nginx_render_challenge(STR("thumb"), STR("[::1]:8402"), &table), ERR_OK);
	assert_true(has(&table, "proxy_pass http://[::1]:8402;") && has(&table, "error_page 502 503 504 = @koshin_challenge;"));
	assert_true(has(&table, "location @koshin_challenge {\n\tdefault_type text/plain;"));
	assert_int_equal(nginx_render_challenge(STR_NONE, STR("127.0.0.1:8402"), &none), ERR_OK);
	assert_true(has(&none, "return 404;") && !has(&none, "proxy_pass"));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		AUTO_BUF b = { .max = 4096 };

		if (nginx_render_challenge(str_of(bad[i].thumbprint), str_of(bad[i].answer_at), &b) != bad[i].err)
			fail_msg("%s:%d: was written", __FILE__, bad[i].line);
	}
}

/* --- a death at every step; the scenario's own end asserts that no challenge was answered for another account --- */

static const char story[] = "clock 2026-12-01T00:00Z seed 5\n"
			    "web 192.0.2.10\n"
			    "dns { a.jp A 192.0.2.10 ; b.jp A 192.0.2.10 }\n"
			    "ca a2 { life 90d }\n"
			    "site h1 { names a.jp }\n"
			    "pass 1h\n"
			    "%s"
			    "ask ca a1 rollover\n"
			    "%s"
			    "pass 2h\n"
			    "ca a1 { fine }\n"
			    "pass 2h\n"
			    "expect ca a1 rollover == none\n"
			    "expect ca a1 rolled == 1\n"
			    "expect ca a1 key == known\n"
			    "expect ca a2 key == known\n"
			    "site h2 { names b.jp }\n"
			    "pass 1h\n"
			    "expect served b.jp == ok\n"
			    "expect letters h1 issued == 1\n"
			    "expect letters h2 issued == 1\n"
			    "expect orders <= 4\n";

static void
play(const char *fault, const char *end, const struct scenario_hooks *hooks, const char *what)
{
	AUTO_BUF text = { .max = 8192 }, words = { .max = 1024 };
	struct why why = { "" };

	buf_init(&text, 8192);
	char filled[4096];
	(void)snprintf(filled, sizeof filled, story, fault, end);
	buf_put_str(&text, str_of(filled));
	if (scenario_play_with(buf_str(&text), "rollover", hooks, &why, &words) != ERR_OK)
		fail_msg("%s: %s", what, why.text);
}

/* ./check takes each step of the sweeps; the quick run one in four. */
static int
stride(void)
{
	return getenv("KOSHIN_SWEEP") != NULL ? 1 : 4;
}

static void
killed_at_every_second(void **state)
{
	(void)state;
	const struct scenario_hooks hooks = { .like = like };
	static const char *const faults[] = { "", "ca a1 { mute for 20s }\n", "ca a1 { down for 40s }\n", "ca a1 { silent for 50s }\n" };

	for (size_t f = 0; f < sizeof faults / sizeof *faults; f++)
		for (int second = 0; second <= 45; second += stride() * (f == 0 ? 1 : 3)) {
			char end[64], what[64];

			(void)snprintf(end, sizeof end, "pass %ds\ncrash\n", second);
			(void)snprintf(what, sizeof what, "fault %zu, killed after %d s", f, second);
			play(faults[f], end, &hooks, what);
		}
}

struct sweep {
	struct sim *sim;
	size_t left;
	bool has_come;
};

static enum err
fault(void *arg, const char *verb)
{
	struct sweep *w = arg;

	(void)verb;
	if (!w->sim->is_in_turn || w->left == 0 || --w->left > 0)
		return ERR_OK;
	w->has_come = true;
	return ERR_DISK_FULL;
}

static void
before(struct sim *s, void *arg)
{
	struct sweep *w = arg;

	w->sim = s;
	store_set_fault(s->store, fault, w);
}

static void
after(struct sim *s, void *arg)
{
	(void)arg;
	store_set_fault(s->store, NULL, NULL);
}

static void
each_statement_fails_once(void **state)
{
	(void)state;
	size_t n = 1;
	bool has_come = true;

	for (; has_come; n += (size_t)stride()) {
		struct sweep w = { .left = n };
		const struct scenario_hooks hooks = { before, after, &w, like };
		char what[64];

		(void)snprintf(what, sizeof what, "statement %zu", n);
		play("", "", &hooks, what);
		has_come = w.has_come;
	}
	assert_true(n > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_new_key_signs_for_the_old_account),
		cmocka_unit_test(payloads),
		cmocka_unit_test(what_nginx_answers),
		cmocka_unit_test(killed_at_every_second),
		cmocka_unit_test(each_statement_fails_once),
	};

	return cmocka_run_group_tests(tests, like_open, like_close);
}
