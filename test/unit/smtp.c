/* What leaves for the mail server, and what its answers mean. */
#include "ports/mail/smtp.c"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

static void
test_addresses(void **state)
{
	static const struct {
		int line;
		const char *address;
		bool is_safe;
	} rows[] = {
		{ __LINE__, "a@example.jp", true },
		{ __LINE__, "a.b+c_d-e=f@sub.example.jp", true },
		{ __LINE__, "o'neil@example.jp", true },
		{ __LINE__, "\xe5\xb1\xb1@example.jp", true },
		{ __LINE__, "", false },
		{ __LINE__, "a", false },
		{ __LINE__, "@b", false },
		{ __LINE__, "a@", false },
		{ __LINE__, "a@b@c", false },
		{ __LINE__, "a b@c", false },
		{ __LINE__, "<a@b>", false },
		{ __LINE__, "a@b>", false },
		{ __LINE__, "a@b\r\nRCPT TO:<c@d>", false },
		{ __LINE__, "a@b\n", false },
		{ __LINE__, "a\t@b", false },
		{ __LINE__, "\"a\"@b", false },
		{ __LINE__, "a\\@b", false },
		{ __LINE__, "a@[192.0.2.1]", false },
		{ __LINE__, "a,b@c", false },
		{ __LINE__, "a@b\x7f", false },
		{ __LINE__, "a@\xff", false },
	};
	char longest[400] = "";

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (address_is_safe(str_of(rows[i].address)) != rows[i].is_safe)
			fail_msg("%s:%d: %s", __FILE__, rows[i].line, rows[i].address);
	assert_false(address_is_safe((struct str){ "a@b\0c", 5 }));
	memset(longest, 'a', 255);
	longest[1] = '@';
	assert_false(address_is_safe((struct str){ longest, 255 }));
	assert_true(address_is_safe((struct str){ longest, 254 }));
}

static void
test_meaning_of_answers(void **state)
{
	static const struct {
		int line;
		CURLcode code;
		int64_t answer;
		enum err err;
		enum err_class class;
	} rows[] = {
		{ __LINE__, CURLE_OK, 250, ERR_OK, ERR_CLASS_NONE },
		{ __LINE__, CURLE_SEND_ERROR, 450, ERR_BUSY, ERR_CLASS_TRANSIENT },
		{ __LINE__, CURLE_SEND_ERROR, 550, ERR_REFUSED, ERR_CLASS_DENIED },
		{ __LINE__, CURLE_WEIRD_SERVER_REPLY, 554, ERR_REFUSED, ERR_CLASS_DENIED },
		{ __LINE__, CURLE_SEND_ERROR, 250, ERR_CLOSED, ERR_CLASS_TRANSIENT },
		{ __LINE__, CURLE_RECV_ERROR, 354, ERR_CLOSED, ERR_CLASS_TRANSIENT },
		{ __LINE__, CURLE_GOT_NOTHING, 0, ERR_CLOSED, ERR_CLASS_TRANSIENT },
		{ __LINE__, CURLE_WEIRD_SERVER_REPLY, 0, ERR_PEER, ERR_CLASS_TRANSIENT },
		{ __LINE__, CURLE_COULDNT_CONNECT, 0, ERR_CONNECT, ERR_CLASS_TRANSIENT },
		{ __LINE__, CURLE_COULDNT_RESOLVE_HOST, 0, ERR_RESOLVE, ERR_CLASS_TRANSIENT },
		{ __LINE__, CURLE_OPERATION_TIMEDOUT, 0, ERR_TIMEOUT, ERR_CLASS_TRANSIENT },
		/* The letter is not to blame for our certificates, logins and settings. */
		{ __LINE__, CURLE_USE_SSL_FAILED, 250, ERR_TLS, ERR_CLASS_TRANSIENT },
		{ __LINE__, CURLE_USE_SSL_FAILED, 502, ERR_TLS, ERR_CLASS_TRANSIENT },
		{ __LINE__, CURLE_PEER_FAILED_VERIFICATION, 220, ERR_TLS, ERR_CLASS_TRANSIENT },
		{ __LINE__, CURLE_LOGIN_DENIED, 535, ERR_CONFIG, ERR_CLASS_LOCAL },
		{ __LINE__, CURLE_LOGIN_DENIED, 454, ERR_BUSY, ERR_CLASS_TRANSIENT },
		{ __LINE__, CURLE_SEND_ERROR, 530, ERR_CONFIG, ERR_CLASS_LOCAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum err e = err_of_curl(rows[i].code, rows[i].answer);

		if (e != rows[i].err || err_class_of(e) != rows[i].class)
			fail_msg("%s:%d: %s", __FILE__, rows[i].line, err_name(e));
	}
}

static void
test_words_of_answers(void **state)
{
	static const struct {
		int line;
		const char *lines[5];
		const char *words;
		int64_t code;
	} rows[] = {
		{ __LINE__, { "220 ready\r\n", "250 ok\r\n" }, "250 ok", 250 },
		{ __LINE__, { "250-a\r\n", "250-b\r\n", "250 c\r\n" }, "250-a\n250-b\n250 c",
		    250 },
		{ __LINE__,
		    { "250-a\r\n", "250 b\r\n", "550-c\r\n", "550 d\r\n", "221 bye\r\n" },
		    "550-c\n550 d", 550 },
		{ __LINE__, { "rubbish\r\n" }, "rubbish", 0 },
		{ __LINE__, { "\r\n" }, "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct smtp s = { 0 };

		buf_init(&s.said, WORDS_BYTES + 64);
		for (size_t k = 0; k < 5 && rows[i].lines[k] != NULL; k++) {
			char line[64];

			(void)snprintf(line, sizeof line, "%s", rows[i].lines[k]);
			assert_int_equal(on_line(line, 1, strlen(line), &s), strlen(line));
		}
		if (!str_eq(buf_str(&s.said), str_of(rows[i].words)) ||
		    answer_code(&s) != rows[i].code)
			fail_msg(
			    "%s:%d: %.*s", __FILE__, rows[i].line, STR_ARG(buf_str(&s.said)));
		buf_fini(&s.said);
	}
	/* A server that never stops talking. */
	struct smtp s = { 0 };
	char line[] = "250-and another thing\r\n";
	buf_init(&s.said, WORDS_BYTES + 64);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(on_line(line, 1, sizeof line - 1, &s), sizeof line - 1);
	assert_int_equal(s.said.err, ERR_OK);
	assert_true(s.said.n <= WORDS_BYTES);
	buf_fini(&s.said);
}

static void
test_options(void **state)
{
	static const struct {
		int line;
		const char *server, *user;
		bool tls;
		enum err err;
	} rows[] = {
		{ __LINE__, "smtp://mail.example.jp:25", NULL, false, ERR_OK },
		{ __LINE__, "smtp://mail.example.jp", "", false, ERR_OK },
		{ __LINE__, "smtp://[2001:db8::1]:25", NULL, true, ERR_OK },
		{ __LINE__, "smtps://mail.example.jp", "u", false, ERR_OK },
		{ __LINE__, "smtp://mail.example.jp:587", "u", true, ERR_OK },
		{ __LINE__, "smtp://mail.example.jp:587", "u", false, ERR_CONFIG },
		{ __LINE__, "smtp://127.0.0.1:25", "u", false, ERR_OK },
		{ __LINE__, "smtp://127.9.8.7", "u", false, ERR_OK },
		{ __LINE__, "smtp://localhost:25", "u", false, ERR_OK },
		{ __LINE__, "smtp://[::1]:25", "u", false, ERR_OK },
		{ __LINE__, "smtp://[::1].example.jp", "u", false, ERR_CONFIG },
		{ __LINE__, "smtp://127.0.0.1.example.jp", "u", false, ERR_CONFIG },
		{ __LINE__, "smtp://localhost.example.jp", "u", false, ERR_CONFIG },
		{ __LINE__, "mail.example.jp", NULL, false, ERR_CONFIG },
		{ __LINE__, "file:///etc/passwd", NULL, false, ERR_CONFIG },
		{ __LINE__, "smtp://", NULL, false, ERR_CONFIG },
		{ __LINE__, "smtp://a@b", NULL, false, ERR_CONFIG },
		{ __LINE__, "smtp://a/b", NULL, false, ERR_CONFIG },
		{ __LINE__, "smtp://a?b", NULL, false, ERR_CONFIG },
		{ __LINE__, "smtp://a b", NULL, false, ERR_CONFIG },
		{ __LINE__, "smtp://a\r\nb", NULL, false, ERR_CONFIG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct smtp_options o = {
			.server = rows[i].server, .user = rows[i].user, .tls = rows[i].tls
		};
		struct why why = { "" };
		enum err e = check_options(&o, &why);

		if (e != rows[i].err || (e != ERR_OK) != (why.text[0] != '\0'))
			fail_msg("%s:%d: %s: %s \"%s\"", __FILE__, rows[i].line, rows[i].server,
			    err_name(e), why.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_meaning_of_answers),
		cmocka_unit_test(test_words_of_answers),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
