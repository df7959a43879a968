/* What the installer writes, tests and reloads; and the gates that every value of a request passes. */
#include "test/unit/installer_paper.h"

static void
test_one_test_one_reload(void **state)
{
	struct config_target c = config_of(TARGET_NGINX);
	struct target t;

	(void)state;
	open_target(&t, &c, files_real());
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < SITES; i++)
			(void)prepare(i, 0);
		apply_all(&t, 0, SITES);
		for (int i = 0; i < SITES; i++)
			wanted(__LINE__, i, ERR_OK, CAUSE_NONE, NULL);
		forget(0, SITES);
		/* The second time everything is there: nothing is written, tested or reloaded. */
		assert_int_equal(lines("tests"), 1);
		assert_int_equal(lines("reloads"), 1);
		assert_false(journal_exists(&t.journal));
	}
	/* It is read again, once for all, where that is what is asked for. */
	for (int i = 0; i < SITES; i++) {
		(void)prepare(i, 0);
		sites[i].job.is_again = i % 2 == 0;
	}
	apply_all(&t, 0, SITES);
	forget(0, SITES);
	assert_int_equal(lines("tests"), 2);
	assert_int_equal(lines("reloads"), 2);
	assert_true(file_has("loaded", "key of site 11, 0"));
	assert_true(
	    file_has("conf/koshin-4-site3.jp.conf", "server_name site3.jp www.site3.jp;"));
	target_fini(&t);
}

static void
test_culprit_alone_is_refused(void **state)
{
	struct config_target c = config_of(TARGET_NGINX);
	struct target t;

	(void)state;
	open_target(&t, &c, files_real());
	for (int i = 0; i < SITES; i++)
		(void)prepare(i, 0);
	sites[5].job.root = STR("/srv/bad");
	apply_all(&t, 0, SITES);
	for (int i = 0; i < SITES; i++)
		wanted(__LINE__, i, i == 5 ? ERR_COMMAND : ERR_OK,
		    i == 5 ? CAUSE_OWN_UNCLASSIFIED : CAUSE_NONE, i == 5 ? "a bad site" : NULL);
	forget(0, SITES);
	assert_int_equal(lines("reloads"), 1);
	assert_true(lines("tests") <= 10);
	assert_true(file_has("loaded", "key of site 11, 0"));
	assert_false(file_has("loaded", "site5.jp"));
	assert_false(file_has("conf/koshin-6-site5.jp.conf", "server"));
	target_fini(&t);
}

static void
test_broken_by_somebody_else(void **state)
{
	struct config_target c = config_of(TARGET_NGINX);
	char broken[PATH_MAX];
	struct target t;

	(void)state;
	at_home(broken, "broken");
	open_target(&t, &c, files_real());
	(void)prepare(0, 0);
	apply_all(&t, 0, 1);
	forget(0, 1);
	write_text(broken, "");
	(void)prepare(0, 1);
	(void)prepare(1, 0);
	apply_all(&t, 0, 2);
	wanted(__LINE__, 0, ERR_COMMAND, CAUSE_OWN_DEPLOY_CONFIG_BROKEN,
	    "unexpected end in other.conf");
	wanted(__LINE__, 1, ERR_COMMAND, CAUSE_OWN_DEPLOY_CONFIG_BROKEN,
	    "unexpected end in other.conf");
	forget(0, 2);
	assert_int_equal(lines("reloads"), 1);
	assert_true(file_has("live/live/site0.jp/privkey.pem", "key of site 0, 0"));
	assert_false(file_has("conf/koshin-2-site1.jp.conf", "server"));
	assert_int_equal(unlink(broken), 0);
	(void)prepare(0, 1);
	(void)prepare(1, 0);
	apply_all(&t, 0, 2);
	wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
	wanted(__LINE__, 1, ERR_OK, CAUSE_NONE, NULL);
	forget(0, 2);
	assert_true(file_has("loaded", "key of site 0, 1"));
	target_fini(&t);
}

/* A web server that is not running: told, and the reload is made up for later, by another process too. */
static void
test_reload_fails(void **state)
{
	struct config_target c = config_of(TARGET_NGINX);
	char stopped[PATH_MAX];
	struct target t;

	(void)state;
	at_home(stopped, "stopped");
	write_text(stopped, "");
	open_target(&t, &c, files_real());
	for (int round = 0; round < 2; round++) {
		(void)prepare(0, 0);
		apply_all(&t, 0, 1);
		wanted(__LINE__, 0, ERR_COMMAND, CAUSE_OWN_DEPLOY_NOT_SERVED, "no master");
		forget(0, 1);
		target_fini(&t);
		open_target(&t, &c, files_real());
	}
	assert_int_equal(unlink(stopped), 0);
	(void)prepare(0, 0);
	apply_all(&t, 0, 1);
	wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
	forget(0, 1);
	assert_true(file_has("loaded", "key of site 0, 0"));
	assert_int_equal(lines("reloads"), 1);
	target_fini(&t);
}

static void
test_leaves_and_changes_its_name(void **state)
{
	struct config_target c = config_of(TARGET_NGINX);
	struct target t;

	(void)state;
	open_target(&t, &c, files_real());
	(void)prepare(0, 0);
	(void)prepare(1, 0);
	apply_all(&t, 0, 2);
	forget(0, 2);
	/* The second name comes first now, and the certificate goes. */
	(void)prepare(0, 0);
	sites[0].names[0] = str_of(sites[0].www);
	sites[0].job.names_n = 1;
	sites[0].job.set = STR_NONE;
	sites[0].work.bytes = NULL;
	apply_all(&t, 0, 1);
	wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
	forget(0, 1);
	assert_false(file_has("conf/koshin-1-site0.jp.conf", "server"));
	assert_true(file_has("conf/koshin-1-www.site0.jp.conf", "server_name www.site0.jp;"));
	assert_false(file_has("conf/koshin-1-www.site0.jp.conf", "ssl"));
	assert_false(file_has("live/live/site0.jp/privkey.pem", ""));
	(void)prepare(1, 0);
	sites[1].job = (struct deploy_job){ .verb = DEPLOY_REMOVE, .site_id = 2 };
	sites[1].work.bytes = NULL;
	apply_all(&t, 1, 1);
	wanted(__LINE__, 1, ERR_OK, CAUSE_NONE, NULL);
	forget(1, 1);
	assert_false(file_has("loaded", "site1.jp"));
	char path[PATH_MAX];
	at_home(path, "live/sets/2");
	assert_int_not_equal(access(path, F_OK), 0);
	target_fini(&t);
}

static void
test_variable_needs_no_reload(void **state)
{
	struct config_target c = config_of(TARGET_NGINX_VARIABLE);
	struct target t;

	(void)state;
	open_target(&t, &c, files_real());
	for (int generation = 0; generation < 2; generation++) {
		(void)prepare(0, generation);
		sites[0].job.redirect = generation == 0 ? 307 : 308;
		sites[0].job.hsts_age_s = 90000;
		apply_all(&t, 0, 1);
		wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
		forget(0, 1);
		/* The first time the challenge answer is new: that is the one reload. */
		assert_int_equal(lines("reloads"), 1);
	}
	assert_true(file_has("live/live/www.site0.jp/privkey.pem", "key of site 0, 1"));
	assert_true(file_has("live/redirect/308/site0.jp", ""));
	assert_false(file_has("live/redirect/307/site0.jp", ""));
	assert_true(file_has("live/hsts/86400/site0.jp", ""));
	assert_false(file_has("live/hsts/300/site0.jp", ""));
	/* A wildcard is known to a map, which nginx has to read. */
	(void)prepare(0, 1);
	sites[0].names[1] = STR("*.site0.jp");
	apply_all(&t, 0, 1);
	wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
	forget(0, 1);
	assert_int_equal(lines("reloads"), 2);
	assert_true(file_has("live/maps/names/1.conf", "*.site0.jp _.site0.jp;"));
	assert_true(file_has("live/live/_.site0.jp/privkey.pem", "key of site 0, 1"));
	assert_false(file_has("live/redirect/308/www.site0.jp", ""));
	target_fini(&t);
}

static void
test_folder_and_command(void **state)
{
	struct config_target c = config_of(TARGET_FOLDER);
	static char text[2 * PATH_MAX];
	struct target t;

	(void)state;
	(void)snprintf(text, sizeof text,
	    "cd %s\nenv | grep KOSHIN_ | sort > env\necho r >> reloads\n[ -e stopped ] && { "
	    "echo 'postfix: no'; exit 3; }\nexit 0\n",
	    home);
	write_text(reload_script, text);
	c.test_n = 0;
	open_target(&t, &c, files_real());
	/* Before there is a certificate there is nothing that the program could take. */
	(void)prepare(0, 0);
	sites[0].work.bytes = NULL;
	apply_all(&t, 0, 1);
	wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
	forget(0, 1);
	assert_int_equal(lines("reloads"), 0);
	assert_false(liveset_has_site(&t.live, sites[0].job.site_id));
	for (int round = 0; round < 2; round++) {
		(void)prepare(0, 0);
		apply_all(&t, 0, 1);
		wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
		forget(0, 1);
		assert_int_equal(lines("reloads"), 1);
	}
	(void)prepare(0, 0);
	sites[0].job.is_again = true;
	apply_all(&t, 0, 1);
	wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
	forget(0, 1);
	assert_int_equal(lines("reloads"), 2);
	assert_true(file_has("env", "KOSHIN_FINGERPRINT=0000000000\n"));
	assert_true(file_has("env", "KOSHIN_NAME=site0.jp\n"));
	assert_true(file_has("env", "/live/live/site0.jp\n"));
	/* A command that fails: the link goes back. */
	char stopped[PATH_MAX];
	at_home(stopped, "stopped");
	write_text(stopped, "");
	(void)prepare(0, 1);
	apply_all(&t, 0, 1);
	wanted(__LINE__, 0, ERR_COMMAND, CAUSE_OWN_DEPLOY_NOT_SERVED, "postfix: no");
	forget(0, 1);
	assert_true(file_has("live/live/site0.jp/privkey.pem", "key of site 0, 0"));
	assert_int_equal(unlink(stopped), 0);
	(void)prepare(0, 1);
	apply_all(&t, 0, 1);
	wanted(__LINE__, 0, ERR_OK, CAUSE_NONE, NULL);
	forget(0, 1);
	assert_true(file_has("live/live/site0.jp/privkey.pem", "key of site 0, 1"));
	target_fini(&t);
}

static void
test_gates(void **state)
{
	static const struct {
		int line;
		bool (*gate)(struct str);
		const char *value;
		bool is_safe;
	} rows[] = {
		{ __LINE__, nginx_root_is_safe, "/srv/www/example.jp", true },
		{ __LINE__, nginx_root_is_safe, "/srv/my site", true },
		{ __LINE__, nginx_root_is_safe, "/srv/\xe6\x97\xa5", true },
		{ __LINE__, nginx_root_is_safe, "", false },
		{ __LINE__, nginx_root_is_safe, "/", false },
		{ __LINE__, nginx_root_is_safe, "srv", false },
		{ __LINE__, nginx_root_is_safe, "/srv/../etc", false },
		{ __LINE__, nginx_root_is_safe, "/srv/..", false },
		{ __LINE__, nginx_root_is_safe, "/srv/..a", true },
		{ __LINE__, nginx_root_is_safe, "/srv/a;b", false },
		{ __LINE__, nginx_root_is_safe, "/srv/a\"b", false },
		{ __LINE__, nginx_root_is_safe, "/srv/a'b", false },
		{ __LINE__, nginx_root_is_safe, "/srv/$host", false },
		{ __LINE__, nginx_root_is_safe, "/srv/a\\b", false },
		{ __LINE__, nginx_root_is_safe, "/srv/{a}", false },
		{ __LINE__, nginx_root_is_safe, "/srv/a\nb", false },
		{ __LINE__, nginx_root_is_safe, "/srv/a\rb", false },
		{ __LINE__, nginx_root_is_safe, "/srv/\xff", false },
		{ __LINE__, nginx_proxy_is_safe, "http://127.0.0.1:8080", true },
		{ __LINE__, nginx_proxy_is_safe, "https://app.example.jp", true },
		{ __LINE__, nginx_proxy_is_safe, "http://[::1]:3000", true },
		{ __LINE__, nginx_proxy_is_safe, "http://[fe80::1]", true },
		{ __LINE__, nginx_proxy_is_safe, "http://", false },
		{ __LINE__, nginx_proxy_is_safe, "ftp://a.jp", false },
		{ __LINE__, nginx_proxy_is_safe, "http://a.jp/", false },
		{ __LINE__, nginx_proxy_is_safe, "http://a.jp:0", false },
		{ __LINE__, nginx_proxy_is_safe, "http://a.jp:99999", false },
		{ __LINE__, nginx_proxy_is_safe, "http://a.jp:80;", false },
		{ __LINE__, nginx_proxy_is_safe, "http://$host", false },
		{ __LINE__, nginx_proxy_is_safe, "http://u@a.jp", false },
		{ __LINE__, nginx_proxy_is_safe, "http://unix:/run/x", false },
		{ __LINE__, nginx_proxy_is_safe, "http://[::1", false },
		{ __LINE__, nginx_proxy_is_safe, "http://[::1]x", false },
		{ __LINE__, nginx_listen_is_safe, "80", true },
		{ __LINE__, nginx_listen_is_safe, "[::]:443 ipv6only=on", true },
		{ __LINE__, nginx_listen_is_safe, "80; x", false },
		{ __LINE__, nginx_listen_is_safe, "80\n", false },
		{ __LINE__, nginx_listen_is_safe, "", false },
		{ __LINE__, nginx_thumbprint_is_safe,
		    "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI", true },
		{ __LINE__, nginx_thumbprint_is_safe, "a\"b", false },
		{ __LINE__, nginx_thumbprint_is_safe, "$a", false },
		{ __LINE__, nginx_thumbprint_is_safe, "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].gate(str_of(rows[i].value)) != rows[i].is_safe)
			fail_msg("%s:%d: \"%s\"", __FILE__, rows[i].line, rows[i].value);
	assert_false(nginx_root_is_safe((struct str){ "/srv\0x", 6 }));
}

static void
test_server_blocks(void **state)
{
	static const struct {
		int line;
		const char *root, *proxy;
		uint16_t redirect;
		uint32_t hsts;
		bool has_set;
		const char *has, *has_not;
	} rows[] = {
		{ __LINE__, "/srv/a", "", 0, 0, false, "root \"/srv/a\";", "443" },
		{ __LINE__, "/srv/a", "", 307, 0, false, "root \"/srv/a\";", "return 307" },
		{ __LINE__, "/srv/a", "", 307, 0, true, "return 307 https://$host$request_uri;",
		    "Strict" },
		{ __LINE__, "/srv/a", "", 308, 300, true,
		    "return 308 https://$host$request_uri;", "return 307" },
		{ __LINE__, "/srv/a", "", 0, 300, true, "\"max-age=300\" always;",
		    "return 30" },
		{ __LINE__, "", "http://127.0.0.1:81", 0, 0, true,
		    "proxy_pass http://127.0.0.1:81;", "root" },
		{ __LINE__, "", "", 0, 0, true, "/current/fullchain.pem\";", "root" },
		{ __LINE__, "/srv/a", "", 0, 0, true, "listen 443 ssl http2;", "proxy_pass" },
	};
	struct config_target c = config_of(TARGET_NGINX);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_BUF b = { .max = 0 };

		buf_init(&b, 100000);
		(void)prepare(0, 0);
		sites[0].job.root = str_of(rows[i].root);
		sites[0].job.proxy = str_of(rows[i].proxy);
		sites[0].job.redirect = rows[i].redirect;
		sites[0].job.hsts_age_s = rows[i].hsts;
		assert_int_equal(
		    nginx_render_site(&c, &sites[0].job, rows[i].has_set, &b), ERR_OK);
		if (str_find(buf_str(&b), str_of(rows[i].has)) == SIZE_MAX ||
		    str_find(buf_str(&b), str_of(rows[i].has_not)) != SIZE_MAX ||
		    str_find(buf_str(&b), STR("challenge.conf")) == SIZE_MAX)
			fail_msg("%s:%d:\n%.*s", __FILE__, rows[i].line, STR_ARG(buf_str(&b)));
		forget(0, 1);
	}
}

static void
test_command(void **state)
{
	static const struct {
		int line;
		const char *script;
		enum err err;
		const char *words;
		int64_t timeout_ms;
	} rows[] = {
		{ __LINE__, "exit 0", ERR_OK, "", 20000 },
		{ __LINE__, "echo no >&2; exit 1", ERR_COMMAND, "no\n", 20000 },
		{ __LINE__, "exit 7", ERR_COMMAND, "status 7", 20000 },
		{ __LINE__, "kill -9 $$", ERR_COMMAND, "signal 9", 20000 },
		{ __LINE__, "sleep 60", ERR_TIMEOUT, "did not end", 50 },
		{ __LINE__, "sleep 60 & echo started", ERR_OK, "started", 20000 },
		{ __LINE__, "test -z \"$HOME\" && test \"$X\" = y", ERR_OK, "", 20000 },
		{ __LINE__,
		    "i=0; while [ $i -lt 3000 ]; do echo 0123456789; i=$((i+1)); done; exit 1",
		    ERR_COMMAND, "012", 20000 },
	};
	static const char *const env[] = { "X=y" };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *argv[] = { unconst("/bin/sh"), unconst("-c"), unconst(rows[i].script) };
		struct command c = { argv, 3, env, 1, rows[i].timeout_ms, &the_clock };
		AUTO_BUF b = { .max = 0 };

		buf_init(&b, LIMIT_COMMAND_OUTPUT_BYTES + 100);
		enum err e = command_run(&c, &b);
		if (e != rows[i].err || b.err != ERR_OK ||
		    str_find(buf_str(&b), str_of(rows[i].words)) == SIZE_MAX ||
		    b.n > LIMIT_COMMAND_OUTPUT_BYTES)
			fail_msg("%s:%d: %s, \"%.*s\"", __FILE__, rows[i].line, err_name(e),
			    STR_ARG(buf_str(&b)));
	}
	char *nowhere[] = { unconst("/nonexistent/nginx") };
	struct command c = { nowhere, 1, NULL, 0, 1000, &the_clock };
	AUTO_BUF b = { .max = 0 };
	buf_init(&b, LIMIT_COMMAND_OUTPUT_BYTES);
	assert_int_equal(command_run(&c, &b), ERR_COMMAND);
	assert_true(str_find(buf_str(&b), STR("cannot start /nonexistent/nginx")) != SIZE_MAX);
}

/* It has ended, and what it wrote last is still in the pipe: in whatever order that is seen, it ended well. */
static void
test_command_that_ends_with_words(void **state)
{
	char *argv[] = { unconst("/bin/sh"), unconst("-c"), unconst("echo one; echo two") };
	const struct command c = { argv, 3, NULL, 0, 20000, &the_clock };
	int ends[2], status = -1;
	AUTO_BUF b = { .max = LIMIT_COMMAND_OUTPUT_BYTES };
	siginfo_t ended;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(spawn(&c, ends[1], &pid), 0);
	close(ends[1]);
	assert_int_equal(waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT), 0);
	assert_int_equal(await(&c, pid, ends[0], &b, &status), ERR_OK);
	assert_int_equal(status, 0);
	assert_string_equal(b.p, "one\ntwo\n");
	close(ends[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM(test_gates),
		ROOM(test_server_blocks),
		ROOM(test_command),
		ROOM(test_command_that_ends_with_words),
		ROOM(test_one_test_one_reload),
		ROOM(test_culprit_alone_is_refused),
		ROOM(test_broken_by_somebody_else),
		ROOM(test_reload_fails),
		ROOM(test_leaves_and_changes_its_name),
		ROOM(test_variable_needs_no_reload),
		ROOM(test_folder_and_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
