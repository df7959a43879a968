/*
 * The configuration: the minimal file works and has the defaults of the header; of the example file, with every key
 * put in, each key misspelt, given twice, of another kind and with a bad value is refused with file, line and
 * what was expected.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ports/config/config.h"
#include "ports/config/schema.h"

enum { TEXT_MAX = 32768, LINES_MAX = 400 };

/* A file that exists, for the keys that name one. */
static char existing[] = "/tmp/koshin-config-XXXXXX";

static const char minimal[] =
    "server:\n  addresses: [203.0.113.10]\ncas:\n  - directory: https://ca.example/dir\n";

static bool
is_key_line(const char *line)
{
	line += strspn(line, " ");
	if (strncmp(line, "- ", 2) == 0)
		line += 2;
	size_t n = strspn(line, "abcdefghijklmnopqrstuvwxyz_");
	return n > 0 && line[n] == ':';
}

/* The example with every "#key:" put in, paths of files that must exist replaced. */
static void
read_example(char ret[TEXT_MAX])
{
	FILE *f = fopen("etc/koshin.yaml", "r");
	char line[512];

	ret[0] = '\0';
	if (f == NULL)
		fail_msg("etc/koshin.yaml cannot be opened: run this in the root of the tree");
	while (fgets(line, sizeof line, f) != NULL) {
		size_t n = strspn(line, " ");
		char *value;

		if (line[n] == '#') {
			if (line[n + 1] == ' ' || !is_key_line(line + n + 1))
				continue;
			memmove(line + n, line + n + 1, strlen(line + n));
		}
		value = strstr(line, ": /etc/koshin/");
		if (value != NULL)
			(void)snprintf(
			    value, sizeof line - (size_t)(value - line), ": %s\n", existing);
		if (strstr(line, "  tls:") != NULL)
			(void)snprintf(line, sizeof line, "  tls: true\n");
		assert_true(strlen(ret) + strlen(line) < TEXT_MAX);
		(void)strncat(ret, line, TEXT_MAX - strlen(ret) - 1);
	}
	(void)fclose(f);
}

static size_t
split(char *text, char *lines[LINES_MAX])
{
	size_t n = 0;

	for (char *line = strtok_r(text, "\n", &text); line != NULL;
	     line = strtok_r(NULL, "\n", &text)) {
		assert_true(n < LINES_MAX);
		lines[n++] = line;
	}
	return n;
}

/* Parses the lines with line `at` replaced by `instead`; must be refused in that line, or the next where more than the
 * line itself was taken away. */
static void
want_refused(const char *what, char *lines[], size_t n, size_t at, const char *instead)
{
	static char text[TEXT_MAX];
	struct why why = { "" };
	struct config *c = NULL;
	char place[64];
	size_t used = 0;
	enum err err;

	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(
		    text + used, sizeof text - used, "%s\n", i == at ? instead : lines[i]);
	err = config_parse(str_of(text), "x.yaml", &why, &c);
	if (err != ERR_CONFIG)
		fail_msg("%s: line %zu \"%s\": not refused (%s)", what, at + 1, instead,
		    err_name(err));
	(void)snprintf(place, sizeof place, "x.yaml:%zu: ", at + 1);
	if (strncmp(why.text, place, strlen(place)) != 0)
		fail_msg(
		    "%s: line %zu \"%s\": wrong place: %s", what, at + 1, instead, why.text);
	if (strstr(why.text, "expected") == NULL && strstr(why.text, "did you mean") == NULL)
		fail_msg("%s: line %zu \"%s\": does not say what was expected: %s", what,
		    at + 1, instead, why.text);
}

static void
test_minimal(void **state)
{
	struct config *c = NULL;
	struct why why = { "" };

	(void)state;
	if (config_parse(str_of(minimal), "m.yaml", &why, &c) != ERR_OK)
		fail_msg("%s", why.text);
	assert_string_equal(c->file, "m.yaml");
	assert_string_equal(c->state_folder, "/var/lib/koshin");
	assert_string_equal(c->run_folder, "/var/lib/koshin/run");
	assert_string_equal(c->web.socket, "/var/lib/koshin/run/api.sock");
	assert_string_equal(c->user, "");
	assert_int_equal(c->server.addresses_n, 1);
	assert_string_equal(c->server.addresses[0], "203.0.113.10");
	assert_int_equal(c->cas_n, 1);
	assert_string_equal(c->cas[0].name, "ca.example");
	assert_null(c->cas[0].bundle);
	assert_int_equal(c->targets_n, 1);
	assert_int_equal(c->targets[0].kind, TARGET_NGINX);
	assert_string_equal(c->targets[0].name, "nginx");
	assert_string_equal(c->targets[0].folder, "/var/lib/koshin/live/nginx");
	assert_int_equal(c->targets[0].test_n, 3);
	assert_string_equal(c->targets[0].listen_https[1], "[::]:443");
	assert_int_equal(c->check.http_port, 80);
	assert_int_equal(c->check.https_port, 443);
	assert_int_equal(c->check.timeout_ms, 10000);
	assert_int_equal(c->check.deadline_ms, 60000);
	assert_int_equal(c->check.look_every.s, 86400);
	assert_int_equal(c->check.poll_min.s, 30);
	assert_int_equal(c->check.poll_max.s, 900);
	assert_string_equal(c->web.listen[0], "127.0.0.1:8402");
	assert_string_equal(c->mail.server, "smtp://127.0.0.1:25");
	assert_false(c->mail.tls);
	assert_string_equal(c->language, "ja");
	assert_string_equal(c->timezone, "+09:00");
	assert_int_equal(c->draft.tell_after.s, 7 * 86400);
	assert_int_equal(c->draft.discard_after.s, 30 * 86400);
	assert_int_equal(c->clock_offset.s, 0);
	assert_string_equal(c->log_level, "info");
	config_free(&c);
	assert_null(c);
	config_free(&c);
}

static void
test_empty(void **state)
{
	static const char *const empty[] = { "", " ", "\n\n" };

	(void)state;
	for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
		struct config *c = NULL;
		struct why why = { "" };

		assert_int_equal(config_parse(str_of(empty[i]), "x.yaml", &why, &c), ERR_CONFIG);
		assert_non_null(strstr(why.text, "x.yaml:1: the file is empty"));
	}
	assert_int_equal(config_parse(STR_NONE, "x.yaml", &(struct why){ "" }, &(struct config *){ NULL }), ERR_CONFIG);
}

static void
test_example(void **state)
{
	struct config *c = NULL;
	struct why why = { "" };
	char text[TEXT_MAX];

	(void)state;
	if (config_read("etc/koshin.yaml", &why, &c) != ERR_OK)
		fail_msg("as shipped: %s", why.text);
	config_free(&c);
	read_example(text);
	if (config_parse(str_of(text), "x.yaml", &why, &c) != ERR_OK)
		fail_msg("with every key: %s\n%s", why.text, text);
	assert_int_equal(c->server.addresses_n, 2);
	assert_string_equal(c->cas[0].name, "letsencrypt");
	assert_string_equal(c->targets[0].group, "www-data");
	assert_int_equal(c->check.allow_n, 2);
	assert_true(c->mail.tls);
	assert_int_equal(c->acme.orders_open_max, 200);
	config_free(&c);
}

/* Every key of the schema occurs in the example: a new key cannot be forgotten there. */
static void
want_in_example(const char *text, const cyaml_schema_field_t *fields)
{
	for (const cyaml_schema_field_t *f = fields; f->key != NULL; f++) {
		char key[64];

		(void)snprintf(key, sizeof key, "%s:", f->key);
		if (strstr(text, key) == NULL)
			fail_msg("the key %s does not occur in etc/koshin.yaml", f->key);
		if (f->value.type == CYAML_MAPPING)
			want_in_example(text, f->value.mapping.fields);
		if (f->value.type == CYAML_SEQUENCE &&
		    f->value.sequence.entry->type == CYAML_MAPPING)
			want_in_example(text, f->value.sequence.entry->mapping.fields);
	}
}

static void
test_example_has_every_key(void **state)
{
	char text[TEXT_MAX];

	(void)state;
	read_example(text);
	want_in_example(text, config_schema.mapping.fields);
}

static void
test_every_key_is_guarded(void **state)
{
	char text[TEXT_MAX], *lines[LINES_MAX];
	size_t n, tried = 0;

	(void)state;
	read_example(text);
	n = split(text, lines);
	for (size_t i = 0; i < n; i++) {
		char bad[600];
		char *colon = strchr(lines[i], ':');
		const char *key = lines[i] + strspn(lines[i], " -");
		int head;

		if (!is_key_line(lines[i]))
			continue;
		tried++;
		head = (int)(colon - lines[i]);
		(void)snprintf(bad, sizeof bad, "%.*sq%s", head, lines[i], colon);
		want_refused("misspelt", lines, n, i, bad);
		if (colon[1] == '\0')
			continue; /* a group: its keys follow */
		(void)snprintf(bad, sizeof bad, "%.*s: {a: b}", head, lines[i]);
		want_refused("of another kind", lines, n, i, bad);
		(void)snprintf(bad, sizeof bad, "%.*s:", head, lines[i]);
		want_refused("empty", lines, n, i, bad);
		(void)snprintf(bad, sizeof bad, "%.*s: \"a\\tb\"", head, lines[i]);
		want_refused("with a control byte", lines, n, i, bad);
		(void)key;
	}
	assert_true(tried > 50);
}

static void
test_twice(void **state)
{
	static const char text[] =
	    "server:\n  addresses: [203.0.113.10]\nlanguage: ja\nlanguage: en\n"
	    "cas:\n  - directory: https://ca.example/dir\n";
	struct why why = { "" };
	struct config *c = NULL;

	(void)state;
	assert_int_equal(config_parse(str_of(text), "x.yaml", &why, &c), ERR_CONFIG);
	assert_string_equal(why.text,
	    "x.yaml:4: language: this key was given in line 3 already; expected it once");
}

static void
test_bad_values(void **state)
{
	/* One line that is appended to the minimal file (its lines are four): wanted is what why must hold. */
	static const struct {
		int line;
		const char *text;
		int at;
		const char *wanted;
	} rows[] = {
		{ __LINE__, "check: {http_port: 0}", 5, "check.http_port" },
		{ __LINE__, "check: {http_port: 65536}", 5, "1 to 65535" },
		{ __LINE__, "check: {http_port: 0x50}", 5, "1 to 65535" },
		{ __LINE__, "check: {http_port: 080}", 5, "1 to 65535" },
		{ __LINE__, "check: {http_port: http}", 5, "1 to 65535" },
		{ __LINE__, "check: {services: [\"993\", \"587 smtp\", http]}", 5, "993 or 587 smtp" },
		{ __LINE__, "check: {services: [\"587 lmtp\"]}", 5, "smtp, imap, pop3 or ftp" },
		{ __LINE__, "check: {services: [\"0 smtp\"]}", 5, "check.services" },
		{ __LINE__, "check: {services: [\"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", \"9\"]}", 5, "check.services" },
		{ __LINE__, "check: {timeout: 5}", 5, "a length of time" },
		{ __LINE__, "check: {timeout: 5 weeks}", 5, "a length of time" },
		{ __LINE__, "check: {timeout: 50 ms}", 5, "100 ms to 120 s" },
		{ __LINE__, "check: {poll_min: 1500 ms}", 5, "whole seconds" },
		{ __LINE__, "check: {poll_min: 20 min}", 5, "above poll_max" },
		{ __LINE__, "check: {timeout: 100 s}", 5, "above deadline" },
		{ __LINE__, "check: {look_every: 2 d}", 5, "10 s to 1 d" },
		{ __LINE__, "check: {look_every: 99999999999999999999 d}", 5, "10 s to 1 d" },
		{ __LINE__, "check: {look_every: 999999999999999 d}", 5, "10 s to 1 d" },
		{ __LINE__, "check: {allow: [10.0.0.0]}", 5, "a range" },
		{ __LINE__, "check: {allow: [10.0.0.0/33]}", 5, "a range" },
		{ __LINE__, "check: {allow: [\"fd00::/129\"]}", 5, "a range" },
		{ __LINE__, "check: {allow: []}", 5, "1 to 64" },
		{ __LINE__, "check: {roots: roots.pem}", 5, "absolute path" },
		{ __LINE__, "check: {roots: /nonexistent/roots.pem}", 5, "exists" },
		{ __LINE__, "web: {listen: [8402]}", 5, "address:port" },
		{ __LINE__, "web: {listen: [\"::1:8402\"]}", 5, "address:port" },
		{ __LINE__, "web: {listen: [\"127.0.0.1:99999\"]}", 5, "address:port" },
		{ __LINE__, "web: {socket: api.sock}", 5, "absolute path" },
		{ __LINE__, "panel: {listen: [localhost]}", 5, "address:port" },
		{ __LINE__, "panel: {folder: panel}", 5, "absolute path" },
		{ __LINE__, "dns: {forwarders: [dns.example]}", 5, "address@port" },
		{ __LINE__, "dns: {forwarders: [127.0.0.1@]}", 5, "address@port" },
		{ __LINE__, "dns: {public_resolvers: [dns.example]}", 5, "an address" },
		{ __LINE__, "dns: {public_resolvers: [9.9.9.9, 1.1.1.1, 8.8.8.8, 8.8.4.4, 1.0.0.1]}", 5, "1 to 4" },
		{ __LINE__, "dns: {updates: []}", 5, "1 to 64" },
		{ __LINE__, "dns: {updates: [{zone: host.jp, server: 192.0.2.1, key: k}]}", 5, "dns.updates[].secret_file: missing" },
		{ __LINE__, "dns: {updates: [{zone: host.jp, key: k, secret_file: /dev/null}]}", 5, "dns.updates[].server: missing" },
		{ __LINE__, "dns: {updates: [{zone: \"host jp\"}]}", 5, "the name of a zone" },
		{ __LINE__, "dns: {updates: [{server: ns.host.jp}]}", 5, "address@port" },
		{ __LINE__, "dns: {updates: [{algorithm: hmac-md5}]}", 5, "hmac-sha256 or hmac-sha512" },
		{ __LINE__, "dns: {updates: [{ttl: 0}]}", 5, "1 to 604800" },
		{ __LINE__, "dns: {updates: [{secret_file: c2VjcmV0}]}", 5, "what stands here cannot be used" },
		{ __LINE__, "dns: {updates: [{secret: c2VjcmV0}]}", 5, "there is no such key" },
		{ __LINE__, "mail: {tls: maybe}", 5, "true or false" },
		{ __LINE__, "mail: {server: mail.example}", 5, "smtp://" },
		{ __LINE__, "mail: {from: somebody}", 5, "a mail address" },
		{ __LINE__, "mail: {from: \"a@b@c\"}", 5, "a mail address" },
		{ __LINE__, "mail: {user: me}", 5, "password_file" },
		{ __LINE__,
		    "mail: {user: me, server: \"smtp://mx.example:25\", password_file: "
		    "/dev/null}",
		    5, "in clear" },
		{ __LINE__, "check: {from: [10.0.0.1, 10.0.0.2, 10.0.0.3]}", 5, "1 to 2" },
		{ __LINE__, "vantages: [{name: tokyo}]", 5, "vantages[].url: missing" },
		{ __LINE__, "vantages: [{url: \"https://t.example\"}]", 5, "vantages[].name: missing" },
		{ __LINE__, "vantages: [{name: t, url: \"http://t.example\"}]", 5, "an https:// URL" },
		{ __LINE__, "vantages: [{name: t, url: \"https://t.example\", timeout: 61 s}]", 5, "100 ms to 60 s" },
		{ __LINE__, "vantage: {name: tokyo, listen: [\"0.0.0.0:8443\"]}", 5, "vantage.certificate: missing" },
		{ __LINE__, "vantage: {askers: [main]}", 5, "koshin vantage key" },
		{ __LINE__, "vantage: {questions_a_minute: 601}", 5, "1 to 600" },
		{ __LINE__, "language: fr", 5, "ja or en" },
		{ __LINE__, "timezone: JST", 5, "+09:00" },
		{ __LINE__, "timezone: \"+15:00\"", 5, "+09:00" },
		{ __LINE__, "timezone: \"+09:60\"", 5, "+09:00" },
		{ __LINE__, "panel_url: panel.example", 5, "https://" },
		{ __LINE__, "draft: {tell_after: 40 d}", 5, "above discard_after" },
		{ __LINE__, "acme: {orders_open_max: 2001}", 5, "1 to 2000" },
		{ __LINE__, "acme: {connections_max: -1}", 5, "1 to 100" },
		{ __LINE__, "acme: {processing_max: 2 h}", 5, "from 1 s to 1 h" },
		{ __LINE__, "clock_offset: 1.5 d", 5, "a length of time" },
		{ __LINE__, "log_level: loud", 5, "warn" },
		{ __LINE__, "state_folder: var/lib", 5, "absolute path" },
		{ __LINE__, "user: \"-x\"", 5, "a user" },
		{ __LINE__, "targets: [{kind: iis}]", 5, "nginx or nginx-variable or folder" },
		{ __LINE__, "targets: [{test: [nginx, -t]}]", 5, "absolute path first" },
		{ __LINE__, "targets: [{listen_http: [\"80; evil\"]}]", 5, "a port" },
		{ __LINE__, "targets: [{name: a}, {name: a}]", 0, "occurs twice" },
		{ __LINE__, "targets: {}", 5, "a list" },
		{ __LINE__, "check:", 5, "a group of keys" },
		{ __LINE__, "languag: ja", 5, "did you mean language?" },
		{ __LINE__, "frobnicate: 1", 5, "expected one of server, cas" },
		{ __LINE__, "- a", 5, "" },
		{ __LINE__, "language: [ja", 6, "not YAML" },
		{ __LINE__, "language: ja\n---\nlanguage: en", 7, "one document" },
		{ __LINE__, "language: &x ja\nuser: *x", 0, "lias" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[1024], place[64] = "";
		struct why why = { "" };
		struct config *c = NULL;
		enum err err;

		(void)snprintf(text, sizeof text, "%s%s\n", minimal, rows[i].text);
		if (rows[i].at > 0)
			(void)snprintf(place, sizeof place, "x.yaml:%d: ", rows[i].at);
		err = config_parse(str_of(text), "x.yaml", &why, &c);
		if (err != ERR_CONFIG || strstr(why.text, rows[i].wanted) == NULL ||
		    strncmp(why.text, place, strlen(place)) != 0)
			fail_msg("%s:%d: %s: got %s: %s", __FILE__, rows[i].line, rows[i].text,
			    err_name(err), why.text);
		assert_null(c);
	}
}

static void
test_missing(void **state)
{
	static const struct {
		int line;
		const char *text, *wanted;
	} rows[] = {
		{ __LINE__, "", "x.yaml:1: the file is empty" },
		{ __LINE__, "# only words\n", "x.yaml:1: the file is empty" },
		{ __LINE__, "cas:\n  - directory: https://ca.example/d\n",
		    "x.yaml:1: server.addresses: missing" },
		{ __LINE__, "server: {addresses: [203.0.113.1]}\n", "x.yaml:1: cas: missing" },
		{ __LINE__, "server: {addresses: [203.0.113.1]}\ncas:\n  - name: a\n",
		    "x.yaml:3: cas[].directory: missing" },
		{ __LINE__, "server: {addresses: [203.0.113.1]}\ncas: []\n",
		    "x.yaml:2: cas: the list has 0" },
		{ __LINE__,
		    "server: {addresses: [203.0.113.1]}\ncas:\n- {directory: \"https://a/d\", "
		    "eab_kid: k}\n",
		    "x.yaml:3: cas[].eab_kid" },
		{ __LINE__,
		    "server: {addresses: [203.0.113.1]}\ncas:\n- {directory: \"https://a/d\", "
		    "limits: lets-encrypt}\n",
		    "x.yaml:3: cas[].limits: \"lets-encrypt\" cannot be used; expected letsencrypt, " },
		{ __LINE__,
		    "server: {addresses: [203.0.113.1]}\ncas:\n- directory: https://a/d\n  raised:\n"
		    "  - new-orders 1000/3h\n  - new-orders 1000\n",
		    "x.yaml:6: cas[].raised[]: \"new-orders 1000\" cannot be used; expected LIMIT COUNT/TIME" },
		{ __LINE__,
		    "server: {addresses: [203.0.113.1]}\ncas:\n- {directory: \"http://a/d\"}\n",
		    "x.yaml:3: cas[].directory: \"http://a/d\" cannot be used; expected an "
		    "https:// URL" },
		{ __LINE__,
		    "server: {addresses: [web.example]}\ncas:\n- {directory: "
		    "\"https://a/d\"}\n",
		    "x.yaml:1: server.addresses[]: \"web.example\" cannot be used; expected an "
		    "IPv4" },
		{ __LINE__, "hello\n", "x.yaml:1: file: here is a single value" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct why why = { "" };
		struct config *c = NULL;
		enum err err = config_parse(str_of(rows[i].text), "x.yaml", &why, &c);

		if (err != ERR_CONFIG ||
		    strncmp(why.text, rows[i].wanted, strlen(rows[i].wanted)) != 0)
			fail_msg("%s:%d: got %s: %s", __FILE__, rows[i].line, err_name(err),
			    why.text);
	}
}

static void
test_span(void **state)
{
	static const struct {
		int line;
		const char *text;
		bool good;
		int64_t ms;
	} rows[] = {
		{ __LINE__, "30 s", true, 30000 },
		{ __LINE__, "15min", true, 900000 },
		{ __LINE__, "250 ms", true, 250 },
		{ __LINE__, "1 d", true, 86400000 },
		{ __LINE__, "2 h", true, 7200000 },
		{ __LINE__, "-3 d", true, -259200000 },
		{ __LINE__, "+3 s", true, 3000 },
		{ __LINE__, " 3 s ", true, 3000 },
		{ __LINE__, "3", false, 0 },
		{ __LINE__, "", false, 0 },
		{ __LINE__, "s", false, 0 },
		{ __LINE__, "3 S", false, 0 },
		{ __LINE__, "3 s s", false, 0 },
		{ __LINE__, "1.5 s", false, 0 },
		{ __LINE__, "9223372036854775807 d", false, 0 },
		{ __LINE__, "99999999999999999999 s", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t ms = 0;

		if (config_read_span(rows[i].text, &ms) != rows[i].good || ms != rows[i].ms)
			fail_msg("%s:%d: \"%s\": got %lld ms", __FILE__, rows[i].line,
			    rows[i].text, (long long)ms);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_minimal),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_example_has_every_key),
		cmocka_unit_test(test_every_key_is_guarded),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_span),
	};
	int fd = mkstemp(existing), failed;

	if (fd < 0)
		return 1;
	(void)close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(existing);
	return failed;
}
