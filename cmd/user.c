#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "base/limits.h"
#include "cmd/client.h"
#include "cmd/show.h"
#include "cmd/terminal.h"
#include "cmd/user.h"

/* koshin user add, set, invite, list, password, login-link, reset-codes, remove: who can sign in to the panel. */

enum { PASSWORD_LINE_MAX = 2048 };

int
user_ask(struct cmd *c, const char *method, const char *rest, const json_t *body,
    void (*say)(struct cmd *c, struct client *cl, const json_t *answer))
{
	json_t *answer = NULL;
	AUTO_ARENA a = { .max = 0 };
	int status;
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return status;
	arena_init(&a, 8192);
	struct str path = c->args_n == 0 || rest == NULL
			      ? STR("/people")
			      : arena_strf(&a, "/people/%.*s%s",
				    STR_ARG(client_escape(cl, c->args[0])), rest);
	status = client_ask(cl, method, path, body, &answer);
	if (status == CMD_DONE && c->is_json)
		client_print_json(answer);
	else if (status == CMD_DONE)
		say(c, cl, answer);
	json_decref(answer);
	client_close(&cl);
	return status;
}

static bool
put_option(const struct cmd *c, json_t *body, const char *option, const char *field)
{
	return !cmd_has(c, option) ||
	       json_object_set_new(body, field, json_string(cmd_value(c, option))) == 0;
}

static json_t *
body_of(const struct cmd *c, json_t *body)
{
	static const struct {
		const char *option, *field;
	} fields[] = { { "role", "role" }, { "owner", "owner" }, { "name", "name" }, { "user-lang", "lang" } };

	for (size_t i = 0; body != NULL && i < sizeof fields / sizeof *fields; i++)
		if (!put_option(c, body, fields[i].option, fields[i].field)) {
			json_decref(body);
			body = NULL;
		}
	if (body == NULL)
		(void)fprintf(stderr, "koshin: %s\n", err_words(ERR_MEMORY));
	return body;
}

static void
say_added(struct cmd *c, struct client *cl, const json_t *answer)
{
	(void)cl;
	CMD_SAY(c, stdout, "cli.user-added", str_of(show_text(answer, "mail")));
}

int
cmd_user_add(struct cmd *c)
{
	if (!cmd_has(c, "role"))
		return cmd_misused(c, "usage.user-role", c->args[0]);
	json_t *body = body_of(c, json_pack("{s:s}", "mail", c->args[0]));
	if (body == NULL)
		return CMD_FAILED;
	int status = user_ask(c, "POST", NULL, body, say_added);
	json_decref(body);
	return status;
}

static void
say_changed(struct cmd *c, struct client *cl, const json_t *answer)
{
	(void)cl;
	CMD_SAY(c, stdout, "cli.user-changed", str_of(show_text(answer, "mail")));
}

int
cmd_user_set(struct cmd *c)
{
	json_t *body = body_of(c, json_object());

	if (body == NULL || !put_option(c, body, "mail", "mail")) {
		json_decref(body);
		return CMD_FAILED;
	}
	int status = json_object_size(body) == 0 ? cmd_misused(c, "usage.user-set", c->args[0])
						 : user_ask(c, "PATCH", "", body, say_changed);
	json_decref(body);
	return status;
}

static void
say_invited(struct cmd *c, struct client *cl, const json_t *answer)
{
	struct show s = show_init(c, client_config(cl));
	AUTO_BUF until = { .max = 256 };

	show_date(&s, answer, "ends_at", true, &until);
	CMD_SAY(c, stdout, "cli.user-invited", str_of(show_text(answer, "mail")), buf_str(&until));
}

int
cmd_user_invite(struct cmd *c)
{
	json_t *answer = NULL, *body;
	int status;

	if (!cmd_has(c, "role"))
		return cmd_misused(c, "usage.user-role", c->args[0]);
	body = body_of(c, json_pack("{s:s}", "mail", c->args[0]));
	if (body == NULL)
		return CMD_FAILED;
	struct client *cl = client_open(c, &status);
	if (cl != NULL) {
		status = client_ask(cl, "POST", STR("/invitations"), body, &answer);
		if (status == CMD_DONE && c->is_json)
			client_print_json(answer);
		else if (status == CMD_DONE)
			say_invited(c, cl, answer);
		client_close(&cl);
	}
	json_decref(answer);
	json_decref(body);
	return status;
}

static void
list_on_terminal(struct cmd *c, struct client *cl, const json_t *document)
{
	struct show s = show_init(c, client_config(cl));
	const json_t *rows = json_object_get(document, "people"), *p;
	AUTO_TABLE t = { 0 };
	size_t i;

	if (json_array_size(rows) == 0) {
		cmd_say(c, stdout, "cli.users-none", NULL, 0);
		return;
	}
	table_init(&t, 4);
	const struct str head[] = { show_ui(&s, "cli.head.mail", &t.arena),
		show_ui(&s, "cli.head.role", &t.arena), show_ui(&s, "cli.head.owner", &t.arena),
		show_ui(&s, "cli.head.person", &t.arena) };
	table_put(&t, head);
	json_array_foreach(rows, i, p)
	{
		const struct str cells[] = { str_of(show_text(p, "mail")),
			str_of(show_text(p, "role")), str_of(show_text(p, "owner")),
			str_of(show_text(p, "name")) };
		table_put(&t, cells);
	}
	table_print(&t);
}

/* All pages as one: nobody looks for a colleague by cursor. */
int
cmd_user_list(struct cmd *c)
{
	json_t *all = json_object(), *rows = json_array();
	AUTO_ARENA a = { .max = 0 };
	int status;
	struct client *cl = client_open(c, &status);
	struct str after = STR_NONE;

	arena_init(&a, 1024 * 1024);
	if (cl != NULL)
		status = json_object_set_new(all, "people", rows) == 0 ? CMD_DONE : CMD_FAILED;
	while (cl != NULL && status == CMD_DONE) {
		json_t *page = NULL;

		status = client_ask(cl, "GET",
		    arena_strf(&a, "/people?limit=500%s%.*s", after.n > 0 ? "&after=" : "",
			STR_ARG(after)),
		    NULL, &page);
		if (status == CMD_DONE &&
		    json_array_extend(rows, json_object_get(page, "people")) != 0)
			status = CMD_FAILED;
		after = arena_str(&a, str_of(show_text(page, "after")));
		json_decref(page);
		if (after.n == 0)
			break;
	}
	if (cl != NULL && status == CMD_DONE && c->is_json)
		client_print_json(all);
	else if (cl != NULL && status == CMD_DONE)
		list_on_terminal(c, cl, all);
	json_decref(all);
	if (cl != NULL)
		client_close(&cl);
	return status;
}

/* The first line of the standard input; what is typed on a terminal is not shown. */
static bool
read_password(char line[PASSWORD_LINE_MAX])
{
	struct termios before, quiet;
	bool is_terminal = tcgetattr(STDIN_FILENO, &before) == 0;

	if (is_terminal) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		is_terminal = tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
	}
	bool ok = fgets(line, PASSWORD_LINE_MAX, stdin) != NULL;
	if (is_terminal) {
		(void)tcsetattr(
		    STDIN_FILENO, TCSAFLUSH, &before); /* what it was a moment ago */
		(void)fputc('\n', stderr);
	}
	line[ok ? strcspn(line, "\r\n") : 0] = '\0';
	return ok && line[0] != '\0' && str_is_utf8(str_of(line));
}

static void
say_password(struct cmd *c, struct client *cl, const json_t *answer)
{
	(void)cl;
	CMD_SAY(c, stdout, "cli.user-password", str_of(show_text(answer, "mail")));
}

int
cmd_user_password(struct cmd *c)
{
	char line[PASSWORD_LINE_MAX] = "";

	if (!read_password(line))
		return cmd_misused(c, "usage.user-password", c->args[0]);
	json_t *body = json_pack("{s:s}", "password", line);
	explicit_bzero(line, sizeof line);
	int status = user_ask(c, "PUT", "/password", body, say_password);
	json_decref(body);
	return status;
}

static void
say_link(struct cmd *c, struct client *cl, const json_t *answer)
{
	struct show s = show_init(c, client_config(cl));
	AUTO_BUF until = { .max = 256 };

	show_date(&s, answer, "ends_at", true, &until);
	CMD_SAY(c, stdout, "cli.user-link", str_of(show_text(answer, "mail")), buf_str(&until));
	const char *url = show_text(answer, "url");
	terminal_put(stdout, str_of(url[0] != '\0' ? url : show_text(answer, "link")));
	(void)putchar('\n');
}

int
cmd_user_link(struct cmd *c)
{
	return user_ask(c, "POST", "/login-link", NULL, say_link);
}

static void
say_codes(struct cmd *c, struct client *cl, const json_t *answer)
{
	(void)cl;
	CMD_SAY(c, stdout, "cli.user-codes", str_of(show_text(answer, "mail")));
}

int
cmd_user_reset_codes(struct cmd *c)
{
	return user_ask(c, "DELETE", "/codes", NULL, say_codes);
}

static void
say_removed(struct cmd *c, struct client *cl, const json_t *answer)
{
	(void)cl;
	CMD_SAY(c, stdout, "cli.user-removed", str_of(show_text(answer, "mail")));
}

int
cmd_user_remove(struct cmd *c)
{
	return user_ask(c, "DELETE", "", NULL, say_removed);
}
