#include <stdlib.h>
#include <string.h>
#include "cmd/show.h"
#include "cmd/terminal.h"
#include "cmd/user.h"

/* koshin user token: API tokens of a person: listed, made, revoked. */

enum { PATH_BYTES = 64 };

static void
put_scopes(const json_t *token, struct buf *out)
{
	const json_t *scope;
	size_t i;

	json_array_foreach(json_object_get(token, "scopes"), i, scope)
	{
		buf_put_str(out, i > 0 ? STR(" ") : STR(""));
		buf_put_str(out, str_of(json_string_value(scope)));
	}
}

static void
put_row(struct show *s, struct table *t, const json_t *token)
{
	AUTO_BUF scopes = { .max = 4096 }, used = { .max = 256 }, ends = { .max = 256 };

	put_scopes(token, &scopes);
	show_date(s, token, "used_at", false, &used);
	show_date(s, token, "ends_at", false, &ends);
	const struct str cells[] = { arena_strf(&t->arena, "%lld", (long long)json_integer_value(json_object_get(token, "id"))),
		str_of(show_text(token, "name")), buf_str(&scopes), buf_str(&used), buf_str(&ends) };
	table_put(t, cells);
}

static void
say_tokens(struct cmd *c, struct client *cl, const json_t *answer)
{
	struct show s = show_init(c, client_config(cl));
	const json_t *rows = json_object_get(answer, "tokens"), *token;
	AUTO_TABLE t = { 0 };
	size_t i;

	if (json_array_size(rows) == 0) {
		CMD_SAY(c, stdout, "cli.tokens-none", str_of(c->args[0]));
		return;
	}
	table_init(&t, 5);
	const struct str head[] = { show_ui(&s, "cli.head.number", &t.arena), show_ui(&s, "cli.head.token", &t.arena),
		show_ui(&s, "cli.head.scopes", &t.arena), show_ui(&s, "cli.head.used", &t.arena), show_ui(&s, "cli.head.until", &t.arena) };
	table_put(&t, head);
	json_array_foreach(rows, i, token)
	{
		put_row(&s, &t, token);
	}
	table_print(&t);
}

static void
say_made(struct cmd *c, struct client *cl, const json_t *answer)
{
	struct show s = show_init(c, client_config(cl));
	AUTO_BUF until = { .max = 256 };

	show_date(&s, answer, "ends_at", true, &until);
	CMD_SAY(c, stdout, "cli.token-made", str_of(show_text(answer, "name")), buf_str(&until));
	terminal_put(stdout, str_of(show_text(answer, "token")));
	(void)putchar('\n');
}

static int
add(struct cmd *c)
{
	struct str scopes = str_of(cmd_value(c, "scopes"));
	int64_t days = 0;
	json_t *list = json_array(), *body;
	bool ok = true;

	if (scopes.n == 0 || (cmd_has(c, "days") && (!str_to_int(str_of(cmd_value(c, "days")), &days) || days <= 0))) {
		json_decref(list);
		return cmd_misused(c, "usage.user-token", c->args[0]);
	}
	while (scopes.n > 0) {
		struct str scope = str_cut(&scopes, ',');

		ok = ok && json_array_append_new(list, json_stringn(scope.p, scope.n)) == 0;
	}
	body = json_pack("{s:s, s:o}", "name", cmd_value(c, "add"), "scopes", list);
	if (days > 0)
		ok = ok && json_object_set_new(body, "days", json_integer(days)) == 0;
	if (!ok || body == NULL) {
		json_decref(body);
		(void)fprintf(stderr, "koshin: %s\n", err_words(ERR_MEMORY));
		return CMD_FAILED;
	}
	int status = user_ask(c, "POST", "/tokens", body, say_made);
	json_decref(body);
	return status;
}

static void
say_revoked(struct cmd *c, struct client *cl, const json_t *answer)
{
	(void)cl;
	(void)answer;
	CMD_SAY(c, stdout, "cli.token-revoked", str_of(cmd_value(c, "revoke")));
}

int
cmd_user_token(struct cmd *c)
{
	char path[PATH_BYTES];
	int64_t id;

	if (cmd_has(c, "add") && !cmd_has(c, "revoke"))
		return add(c);
	if (cmd_has(c, "add") || cmd_has(c, "scopes") || cmd_has(c, "days"))
		return cmd_misused(c, "usage.user-token", c->args[0]);
	if (!cmd_has(c, "revoke"))
		return user_ask(c, "GET", "/tokens", NULL, say_tokens);
	if (!str_to_int(str_of(cmd_value(c, "revoke")), &id) || id <= 0)
		return cmd_misused(c, "usage.user-token", c->args[0]);
	(void)snprintf(path, sizeof path, "/tokens/%lld", (long long)id);
	return user_ask(c, "DELETE", path, NULL, say_revoked);
}
