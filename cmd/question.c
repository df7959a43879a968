#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/limits.h"
#include "cmd/client.h"
#include "cmd/show.h"
#include "cmd/terminal.h"

/* koshin question list, show, answer, close: what owners ask, and what they are told. */

static struct str
path_of(struct arena *a, const char *number, const char *rest)
{
	return arena_strf(a, "/questions/%s%s", number, rest);
}

static bool
is_number(const char *s)
{
	int64_t n;

	return str_to_int(str_of(s), &n) && n > 0;
}

static void
list_on_terminal(struct cmd *c, struct client *cl, const json_t *document)
{
	struct show s = show_init(c, client_config(cl));
	const json_t *rows = json_object_get(document, "questions"), *q;
	AUTO_TABLE t = { 0 };
	size_t i;

	if (json_array_size(rows) == 0) {
		cmd_say(c, stdout, "cli.questions-none", NULL, 0);
		return;
	}
	table_init(&t, 6);
	const struct str head[] = { show_ui(&s, "cli.head.number", &t.arena), show_ui(&s, "cli.head.since", &t.arena),
		show_ui(&s, "cli.head.name", &t.arena), show_ui(&s, "cli.head.writer", &t.arena), show_ui(&s, "cli.head.cause", &t.arena),
		show_ui(&s, "cli.head.subject", &t.arena) };
	table_put(&t, head);
	json_array_foreach(rows, i, q)
	{
		AUTO_BUF since = { .max = 256 };

		show_date(&s, q, "open_since", true, &since);
		const struct str cells[] = { arena_strf(&t.arena, "%lld", (long long)json_integer_value(json_object_get(q, "id"))),
			arena_str(&t.arena, buf_str(&since)), str_of(show_text(q, "site")), str_of(show_text(q, "writer")),
			str_of(show_text(q, "cause")), str_of(show_text(q, "subject")) };
		table_put(&t, cells);
	}
	table_print(&t);
}

int
cmd_question_list(struct cmd *c)
{
	json_t *document = NULL;
	int status;
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return status;
	status = client_ask(cl, "GET", cmd_has(c, "all") ? STR("/questions?state=all") : STR("/questions"), NULL, &document);
	if (status == CMD_DONE && c->is_json)
		client_print_json(document);
	else if (status == CMD_DONE)
		list_on_terminal(c, cl, document);
	json_decref(document);
	client_close(&cl);
	return status;
}

static void
put_lines(const char *text)
{
	struct str rest = str_of(text);

	while (rest.n > 0) {
		(void)fputs("  ", stdout);
		terminal_put(stdout, str_cut(&rest, '\n'));
		(void)putchar('\n');
	}
}

static void
show_on_terminal(struct cmd *c, struct client *cl, const json_t *q)
{
	struct show s = show_init(c, client_config(cl));
	const json_t *m;
	size_t i;

	if (show_text(q, "site")[0] != '\0')
		CMD_SAY(c, stdout, "cli.question-of", str_of(show_text(q, "site")), str_of(show_text(q, "writer")));
	else
		CMD_SAY(c, stdout, "cli.question-of-nobody", str_of(show_text(q, "writer")));
	terminal_put(stdout, str_of(show_text(q, "subject")));
	(void)putchar('\n');
	json_array_foreach(json_object_get(q, "messages"), i, m)
	{
		AUTO_BUF at = { .max = 256 };

		show_date(&s, m, "at", true, &at);
		(void)putchar('\n');
		terminal_put(stdout, str_of(show_text(m, "by")));
		(void)fputs(", ", stdout);
		terminal_put(stdout, buf_str(&at));
		(void)putchar('\n');
		put_lines(show_text(m, "text"));
	}
	if (strcmp(show_text(q, "state"), "open") == 0 && show_text(q, "drafted")[0] != '\0') {
		(void)putchar('\n');
		cmd_say(c, stdout, "cli.question-drafted", NULL, 0);
		put_lines(show_text(q, "drafted"));
	}
}

int
cmd_question_show(struct cmd *c)
{
	AUTO_ARENA a = { .max = 0 };
	json_t *q = NULL;
	int status;

	if (!is_number(c->args[0]))
		return cmd_misused(c, "usage.question-number", c->args[0]);
	struct client *cl = client_open(c, &status);
	if (cl == NULL)
		return status;
	arena_init(&a, 4096);
	status = client_ask(cl, "GET", path_of(&a, c->args[0], ""), NULL, &q);
	if (status == CMD_DONE && c->is_json)
		client_print_json(q);
	else if (status == CMD_DONE)
		show_on_terminal(c, cl, q);
	json_decref(q);
	client_close(&cl);
	return status;
}

static json_t *
read_answer(const struct cmd *c)
{
	AUTO_BUF text = { .max = LIMIT_LETTER_BYTES };
	char part[4096];
	ssize_t n;

	while ((n = read(STDIN_FILENO, part, sizeof part)) > 0 && text.err == ERR_OK)
		buf_put(&text, part, (size_t)n);
	if (n < 0 || text.err != ERR_OK || !str_is_utf8(buf_str(&text)) || str_trim(buf_str(&text)).n == 0)
		return NULL;
	json_t *body = json_pack("{s:s%}", "text", text.p, text.n);
	if (body != NULL && cmd_has(c, "by") && json_object_set_new(body, "by", json_string(cmd_value(c, "by"))) != 0) {
		json_decref(body);
		return NULL;
	}
	return body;
}

static int
change(struct cmd *c, const char *verb, const json_t *body, const char *said)
{
	AUTO_ARENA a = { .max = 0 };
	json_t *q = NULL;
	int status;
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return status;
	arena_init(&a, 4096);
	status = client_ask(cl, "POST", path_of(&a, c->args[0], verb), body, &q);
	if (status == CMD_DONE && c->is_json)
		client_print_json(q);
	else if (status == CMD_DONE)
		CMD_SAY(c, stdout, said, str_of(c->args[0]), str_of(show_text(q, "writer")));
	json_decref(q);
	client_close(&cl);
	return status;
}

int
cmd_question_answer(struct cmd *c)
{
	if (!is_number(c->args[0]))
		return cmd_misused(c, "usage.question-number", c->args[0]);
	json_t *body = read_answer(c);
	if (body == NULL)
		return cmd_misused(c, "usage.question-text", c->args[0]);
	int status = change(c, "/answer", body, "cli.question-answered");
	json_decref(body);
	return status;
}

int
cmd_question_close(struct cmd *c)
{
	if (!is_number(c->args[0]))
		return cmd_misused(c, "usage.question-number", c->args[0]);
	return change(c, "/close", NULL, "cli.question-closed");
}
