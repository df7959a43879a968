/* Mails that come in: what people write, what servers report, and what nobody can have meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ports/mail/intake.h"

static struct arena arena;

static int
set_up(void **unused)
{
	(void)unused;
	arena_init(&arena, 16 << 20);
	return 0;
}

static int
tear_down(void **unused)
{
	(void)unused;
	arena_fini(&arena);
	return 0;
}

static struct intake
read_mail(const char *mail)
{
	struct intake in;
	struct why why = { .text = "" };

	if (intake_read(str_of(mail), &arena, &in, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return in;
}

static void
is(struct str s, const char *wanted)
{
	if (!str_eq(s, str_of(wanted)))
		fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(s), wanted);
}

static void
an_answer_in_iso_2022_jp_is_read(void **unused)
{
	(void)unused;
	struct intake in = read_mail("From: =?ISO-2022-JP?B?GyRCMlYbKEI=?= <Hana@example.jp>\r\n"
				     "To: support@host.example\r\n"
				     "Subject: =?ISO-2022-JP?B?UmU6IBskQkBaQjMbKEI=?=\r\n"
				     "Message-ID: <m1@phone.example>\r\n"
				     "In-Reply-To: <7.act.1795496400@host.example>\r\n"
				     "References: <1.act.1@host.example>\r\n <7.act.1795496400@host.example>\r\n"
				     "Content-Type: text/plain; charset=iso-2022-jp\r\n"
				     "\r\n"
				     "\x1b$B2?$r$9$l$P$$$$$G$9$+\x1b(B?\r\n\r\n\r\n\r\n> earlier  \r\n");

	assert_int_equal(in.kind, INTAKE_ANSWER);
	is(in.from, "Hana@example.jp");
	is(in.subject, "Re: 切続");
	is(in.message_id, "m1@phone.example");
	assert_int_equal(in.references_n, 2);
	is(in.references[0], "7.act.1795496400@host.example");
	is(in.references[1], "1.act.1@host.example");
	is(in.text, "何をすればいいですか?\n\n> earlier");
	assert_false(in.is_cut);
}

static void
of_two_forms_the_plain_one_is_read(void **unused)
{
	(void)unused;
	struct intake in = read_mail("From: a@b.jp\nMIME-Version: 1.0\nMessage-ID: <x@y>\n"
				     "Content-Type: multipart/alternative; boundary=q\n\n"
				     "--q\nContent-Type: text/html; charset=utf-8\n\n<p>no</p>\n"
				     "--q\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
				     "caf=C3=A9 =E9\n--q--\n");

	assert_int_equal(in.kind, INTAKE_ANSWER);
	is(in.text, "café"); /* what is no UTF-8 is left out */
}

static void
a_page_alone_is_read_as_text(void **unused)
{
	(void)unused;
	struct intake in = read_mail("From: a@b.jp\nMIME-Version: 1.0\nContent-Type: text/html; charset=shift_jis\n\n"
				     "<html><head><title>t</title><style>p{}</style></head><body>"
				     "<div>\x82\xcd\x82\xa2<br>&lt;b&gt;</div><script>alert(1)</script><p>end</p>"
				     "<img src=\"http://spy.example/x\"></body></html>");

	is(in.text, "はい\n<b>\nend");
}

static void
attachments_are_no_text(void **unused)
{
	(void)unused;
	struct intake in = read_mail("From: a@b.jp\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=q\n\n"
				     "--q\nContent-Type: text/plain\nContent-Disposition: attachment; filename=x\n\nsecret\n--q--\n");

	assert_int_equal(in.kind, INTAKE_ANSWER);
	is(in.text, "");
}

static const char report[] =
    "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example (Mail Delivery System)\r\nSubject: Undelivered\r\n"
    "Message-ID: <dsn@mx.example>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n"
    "--b\r\nContent-Type: text/plain\r\n\r\nI'm sorry.\r\n"
    "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
    "Reporting-MTA: dns; mx.example\r\n\r\n"
    "Final-Recipient: rfc822; hana@example.jp\r\nOriginal-Recipient: rfc822;hana@example.jp\r\n"
    "Action: %s\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1\r\n    User unknown\r\n\r\n"
    "--b\r\nContent-Type: %s\r\n\r\n"
    "From: koshin@host.example\r\nMessage-ID: <3.act.9@host.example>\r\nSubject: x\r\n\r\n%s--b--\r\n";

static void
a_report_names_letter_and_reason(void **unused)
{
	(void)unused;
	static const struct {
		const char *action, *type, *body;
		enum intake_kind kind;
	} rows[] = {
		{ "failed", "message/rfc822", "body\r\n", INTAKE_BOUNCE },
		{ "failed", "text/rfc822-headers", "", INTAKE_BOUNCE },
		{ "FAILED", "message/rfc822", "", INTAKE_BOUNCE },
		{ "delayed", "message/rfc822", "", INTAKE_DELAYED },
		{ "delivered", "message/rfc822", "", INTAKE_AUTOMATIC },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *mail = arena_strf(&arena, report, rows[i].action, rows[i].type, rows[i].body).p;
		struct intake in = read_mail(mail);

		assert_int_equal(in.kind, rows[i].kind);
		is(in.recipient, "hana@example.jp");
		is(in.status, "5.1.1");
		is(in.words, "550 5.1.1    User unknown");
		assert_int_equal(in.references_n, 1);
		is(in.references[0], "3.act.9@host.example");
	}
}

static void
nobody_wrote_an_automatic_answer(void **unused)
{
	(void)unused;
	static const char *const heads[] = { "Auto-Submitted: auto-replied", "Precedence: bulk", "X-Autoreply: yes",
		"Return-Path: <>", "List-Id: <l.example>", "auto-submitted: Auto-Generated" };

	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		assert_int_equal(
		    read_mail(arena_strf(&arena, "From: a@b.jp\n%s\n\nI am away.\n", heads[i]).p).kind, INTAKE_AUTOMATIC);
	assert_int_equal(read_mail("From: a@b.jp\nAuto-Submitted: no\n\nHello\n").kind, INTAKE_ANSWER);
}

static void
nothing_harmful_comes_out(void **unused)
{
	(void)unused;
	struct intake in = read_mail("From: a@b.jp\nSubject: =?utf-8?Q?a=0D=0ABcc:_x=00=1Bz?=\nMessage-ID: <x@y>\n\none\x1b[31m\x07two\n");

	for (size_t i = 0; i < in.subject.n; i++)
		assert_true((unsigned char)in.subject.p[i] >= 0x20);
	is(in.text, "one[31mtwo");
	char *many = malloc(100000);
	assert_non_null(many);
	(void)strcpy(many, "From: a@b.jp\nContent-Type: text/plain; charset=utf-8\n\n");
	size_t n = strlen(many);
	for (; n + 3 < 99999; n += 3)
		memcpy(many + n, "鍵", 3);
	many[n] = '\0';
	in = read_mail(many);
	free(many);
	assert_true(in.is_cut && in.text.n <= INTAKE_TEXT_MAX && in.text.n > INTAKE_TEXT_MAX - 4 && str_is_utf8(in.text));
}

static void
what_is_no_mail_is_refused(void **unused)
{
	(void)unused;
	AUTO_BUF deep = { .max = 4 << 20 };
	struct intake in;
	struct why why = { .text = "" };

	assert_int_equal(intake_read(STR(""), &arena, &in, &why), ERR_INVALID);
	assert_int_equal(intake_read(STR("\0\xff\r\n:::\n\n"), &arena, &in, &why), ERR_INVALID);
	assert_int_equal(intake_read(STR("hello\n"), &arena, &in, &why), ERR_INVALID);
	buf_put_str(&deep, STR("From: a@b.jp\n"));
	for (int i = 0; i < 5000; i++)
		buf_put_str(&deep, STR("Content-Type: multipart/mixed; boundary=q\n\n--q\n"));
	assert_int_equal(intake_read(buf_str(&deep), &arena, &in, &why), ERR_INVALID);
	assert_non_null(strstr(why.text, "parts"));
	while (deep.n <= INTAKE_BYTES_MAX)
		buf_put_str(&deep, STR("0123456789"));
	assert_int_equal(intake_read(buf_str(&deep), &arena, &in, &why), ERR_TOO_LONG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_answer_in_iso_2022_jp_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_two_forms_the_plain_one_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_page_alone_is_read_as_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(attachments_are_no_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_report_names_letter_and_reason, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_wrote_an_automatic_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_harmful_comes_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_mail_is_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
