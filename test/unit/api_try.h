#ifndef KOSHIN_TEST_UNIT_API_TRY_H
#define KOSHIN_TEST_UNIT_API_TRY_H
/* What the tests of the API share: the API on a store in memory, and ways to ask it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include "http/api.h"
#include "http/read.h"

static const char config_text[] = "server: {addresses: [203.0.113.10]}\n"
				  "cas: [{name: ca, directory: \"https://ca.example/dir\"}]\n"
				  "state_folder: /nonexistent\n";

struct fixture {
	struct config *config;
	struct api api;
	struct arena arena;
	unsigned wakes;
	struct when now;
	const char *args[8]; /* key, value, key, value … NULL */
	const char *if_match;
	bool is_last;
	int64_t owner_id; /* who asks; 0: the operator */
	char etag[64];
	int status;
	char type[64];
	enum api_kind kind;
	struct api_look look; /* in the arena, until the next one */
	int64_t site_id;
	char text[256 * 1024];
};

static inline struct when
fixture_now(void *ctx)
{
	const struct fixture *f = ctx;

	return f->now;
}

static inline struct mono
fixture_mono(void *ctx)
{
	(void)ctx;
	return (struct mono){ 0 };
}

static inline void
fixture_random(void *ctx, void *ret, size_t n)
{
	(void)ctx;
	memset(ret, 7, n);
}

static inline void
count_wake(void *arg)
{
	unsigned *n = arg;

	(*n)++;
}

static inline const char *
fixture_arg(void *ctx, const char *key)
{
	const struct fixture *f = ctx;

	for (size_t i = 0; f->args[i] != NULL; i += 2)
		if (strcmp(f->args[i], key) == 0)
			return f->args[i + 1];
	return NULL;
}

static inline const char *
fixture_header(void *ctx, const char *name)
{
	const struct fixture *f = ctx;

	return strcmp(name, "If-Match") == 0 ? f->if_match : NULL;
}

static inline void
fixture_each_arg(void *ctx, void (*show)(void *shown, const char *key, const char *value), void *shown)
{
	const struct fixture *f = ctx;

	for (size_t i = 0; f->args[i] != NULL; i += 2)
		show(shown, f->args[i], f->args[i + 1]);
}

static inline int
setup(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;
	struct why why = { "" };
	const struct store_options options = { .file = ":memory:", .may_create = true };

	memset(f, 0, sizeof *f);
	f->now = (struct when){ 1800000000 };
	if (config_parse(str_of(config_text), "t.yaml", &why, &f->config) != ERR_OK ||
	    store_open(&options, &why, &f->api.store) != ERR_OK) {
		(void)fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	f->api.config = f->config;
	f->api.clock = (struct clock){ f, fixture_now, fixture_mono, fixture_random };
	f->api.wake = count_wake;
	f->api.wake_arg = &f->wakes;
	*state = f;
	return 0;
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;

	arena_fini(&f->arena);
	store_close(&f->api.store);
	config_free(&f->config);
	return 0;
}

/* Asks, keeps the answer in the fixture, and gives it parsed (NULL if it is no JSON). */
static inline json_t *
ask(struct fixture *f, const char *method, const char *path, const char *body)
{
	const struct api_request q = {
		.method = str_of(method),
		.path = str_of(path),
		.body = str_of(body),
		.lang = LANG_EN,
		.asker = { .is_known = true, .role = f->owner_id != 0 ? ROLE_OWNER : ROLE_OPERATOR, .owner_id = f->owner_id },
		.arg = fixture_arg,
		.each_arg = fixture_each_arg,
		.header = fixture_header,
		.arg_ctx = f,
		.is_last = f->is_last,
	};
	struct api_reply r;

	arena_fini(&f->arena);
	arena_init(&f->arena, 64 * 1024 * 1024);
	api_answer(&f->api, &q, &f->arena, &r);
	f->status = r.status;
	f->kind = r.kind;
	f->look = r.look;
	f->site_id = r.site_id;
	f->etag[0] = '\0';
	for (size_t i = 0; i < r.headers_n; i++)
		if (strcmp(r.headers[i].name, "ETag") == 0)
			(void)snprintf(f->etag, sizeof f->etag, "%.*s", STR_ARG(r.headers[i].value));
	(void)snprintf(f->type, sizeof f->type, "%s", r.type);
	(void)snprintf(f->text, sizeof f->text, "%.*s", STR_ARG(buf_str(&r.body)));
	buf_fini(&r.body);
	return json_loads(f->text, 0, NULL);
}

static inline void
want(struct fixture *f, int line, int status)
{
	if (f->status != status)
		fail_msg("%s:%d: status %d, wanted %d: %s", __FILE__, line, f->status, status,
		    f->text);
}

static inline void
put_ok(struct fixture *f, int line, const char *method, const char *path, const char *body,
    int status)
{
	json_decref(ask(f, method, path, body));
	want(f, line, status);
}

static inline const char *
text_at(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s == NULL ? "(none)" : s;
}

static inline void
add(struct fixture *f, const char *names, const char *more)
{
	char body[1024];

	(void)snprintf(body, sizeof body,
	    "{\"names\": [%s], \"owner\": \"hanako@example.jp\", \"root\": \"/srv/a\"%s}",
	    names, more);
	put_ok(f, __LINE__, "POST", "/api/v1/sites", body, 201);
}

/* A site that holds a certificate and has a finding, as the engine leaves it. */
static inline int64_t
put_held(struct fixture *f)
{
	static struct finding finding;
	struct site s;
	int64_t id, certificate;
	struct str name = STR("example.jp");
	struct certificate_row row = {
		.info = {
			.not_before = f->now,
			.not_after = when_plus(f->now, SPAN_D(90)),
			.serial = STR("0a"),
			.issuer = STR("Test CA"),
			.names = &name,
			.names_n = 1,
		},
		.chain_pem = STR("-----BEGIN CERTIFICATE-----\n"),
		.sealed_key = STR("sealed"),
		.created = f->now,
	};

	add(f, "\"example.jp\"", "");
	assert_int_equal(store_site_find(f->api.store, STR("example.jp"), &id), ERR_OK);
	row.site_id = id;
	memset(row.info.fingerprint, 0xab, sizeof row.info.fingerprint);
	assert_int_equal(store_begin(f->api.store), ERR_OK);
	assert_int_equal(store_certificate_put(f->api.store, &row, &certificate), ERR_OK);
	assert_int_equal(store_site_load(f->api.store, id, &f->arena, &s), ERR_OK);
	s.held = (struct held){ .id = certificate,
		.life = { row.info.not_before, row.info.not_after },
		.is_live = true };
	memcpy(s.held.fingerprint, row.info.fingerprint, sizeof s.held.fingerprint);
	s.names[0].is_held = true;
	s.names[0].served = (struct served){
		.at = f->now, .is_ok = true, .is_held = true, .not_after = row.info.not_after
	};
	memcpy(s.names[0].served.fingerprint, row.info.fingerprint, sizeof s.held.fingerprint);
	finding = (struct finding){
		.cause = CAUSE_DNS_A_ELSEWHERE,
		.subject = STR("example.jp"),
		.seen = STR("198.51.100.5"),
		.wanted = STR("203.0.113.10"),
		.copy = STR("example.jp. A 203.0.113.10"),
		.evidence = STR("line one\nline \xff two"),
		.acts = ACTOR_DOMAIN_COMPANY,
		.first_seen = f->now,
		.last_seen = f->now,
		.next_look = when_plus(f->now, SPAN_MIN(5)),
		.told_at = WHEN_UNKNOWN,
		.times_seen = 2,
	};
	s.findings = (struct finding_list){ .at = &finding, .n = 1, .cap = 1 };
	s.wake = when_plus(f->now, SPAN_MIN(5));
	assert_int_equal(store_site_save(f->api.store, &s, f->now), ERR_OK);
	assert_int_equal(store_commit(f->api.store), ERR_OK);
	return id;
}
#endif
