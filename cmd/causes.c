#include <stdio.h>
#include <string.h>
#include "cmd/client.h"
#include "cmd/show.h"
#include "cmd/terminal.h"

/* koshin causes [ID]: the table of causes with its texts; needs neither daemon nor configuration. */

static json_t *
texts(enum cause c, enum lang l)
{
	static const char *const names[] = { "visitors", "cause", "action", "next" };
	json_t *o = json_object();

	(void)json_object_set_new(o, "title", json_string(words_cause_title_raw(c, l)));
	for (enum cause_text t = 0; t < CAUSE_TEXT_COUNT; t++)
		(void)json_object_set_new(o, names[t], json_string(words_cause_raw(c, t, l)));
	return o;
}

static json_t *
row_of(enum cause c)
{
	const struct cause_row *r = cause_row(c);
	const char *action = words_cause_raw(c, CAUSE_ACTION, LANG_EN);
	/* What is to be entered is in the finding; the row says which of its values that is. */
	const char *copy = strstr(action, "{copy}") != NULL	? "{copy}"
			   : strstr(action, "{wanted}") != NULL ? "{wanted}"
								: NULL;

	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:{s:o, s:o}, s:s?}", "id", r->id,
	    "layer", layer_name(r->layer), "severity", severity_name(r->severity), "scope",
	    scope_name(r->scope), "blocks", r->blocks, "acts", actor_name(r->acts), "heals",
	    heals_name(r->heals), "mends", mends_name(r->mends), "texts", "ja", texts(c, LANG_JA), "en", texts(c, LANG_EN),
	    "copy", copy);
}

static void
show_one(const struct cmd *c, enum cause cause)
{
	struct show s = show_init(c, NULL);
	const struct cause_row *r = cause_row(cause);
	AUTO_BUF who = { .max = 4096 };
	char key[64];

	(void)snprintf(key, sizeof key, "actor.%s", actor_name(r->acts));
	words_ui(key, c->lang, NULL, 0, &who);
	(void)printf("%s\n\n", words_cause_title_raw(cause, c->lang));
	show_row(&s, "cli.head.id", str_of(r->id));
	show_row(&s, "cli.head.severity", str_of(severity_name(r->severity)));
	show_row(&s, "cli.label.now", str_of(words_cause_raw(cause, CAUSE_VISITORS, c->lang)));
	show_row(&s, "cli.label.cause", str_of(words_cause_raw(cause, CAUSE_CAUSE, c->lang)));
	show_row(&s, "cli.label.who", buf_str(&who));
	show_row(&s, "cli.label.action", str_of(words_cause_raw(cause, CAUSE_ACTION, c->lang)));
	show_row(
	    &s, "cli.label.next-look", str_of(words_cause_raw(cause, CAUSE_NEXT, c->lang)));
}

static void
table_of_causes(const struct cmd *c)
{
	struct show s = show_init(c, NULL);
	AUTO_TABLE t = { 0 };

	table_init(&t, 4);
	const struct str head[] = { show_ui(&s, "cli.head.id", &t.arena),
		show_ui(&s, "cli.head.severity", &t.arena),
		show_ui(&s, "cli.head.who", &t.arena),
		show_ui(&s, "cli.head.cause", &t.arena) };
	table_put(&t, head);
	for (enum cause i = CAUSE_NONE + 1; i < CAUSE_COUNT; i++) {
		const struct cause_row *r = cause_row(i);
		const struct str cells[] = { str_of(r->id), str_of(severity_name(r->severity)),
			str_of(actor_name(r->acts)),
			str_of(words_cause_title_raw(i, c->lang)) };

		table_put(&t, cells);
	}
	table_print(&t);
}

/* What CAs said that no row explains: the operator's work, for a rule or a report. */
static int
list_unknown(struct cmd *c)
{
	json_t *document = NULL, *text;
	size_t i;
	int status;
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return status;
	status = client_ask(cl, "GET", STR("/unclassified?limit=500"), NULL, &document);
	json_t *texts_of_cas = json_object_get(document, "texts");
	if (status == CMD_DONE && c->is_json) {
		client_print_json(document);
	} else if (status == CMD_DONE && json_array_size(texts_of_cas) == 0) {
		CMD_SAY(c, stdout, "cli.no-unknown", STR_NONE);
	} else if (status == CMD_DONE) {
		struct show s = show_init(c, client_config(cl));
		AUTO_TABLE t = { 0 };

		table_init(&t, 4);
		const struct str head[] = { show_ui(&s, "cli.head.times", &t.arena),
			show_ui(&s, "cli.head.last-seen", &t.arena),
			show_ui(&s, "cli.head.id", &t.arena),
			show_ui(&s, "cli.head.text", &t.arena) };
		table_put(&t, head);
		json_array_foreach(texts_of_cas, i, text)
		{
			AUTO_BUF last = { .max = 256 };

			show_date(&s, text, "last_seen", false, &last);
			const struct str cells[] = { arena_strf(&t.arena, "%lld",
							 (long long)json_integer_value(
							     json_object_get(text, "times"))),
				buf_str(&last), str_of(show_text(text, "class")),
				str_of(show_text(text, "text")) };

			table_put(&t, cells);
		}
		table_print(&t);
	}
	json_decref(document);
	client_close(&cl);
	return status;
}

int
cmd_causes(struct cmd *c)
{
	if (cmd_has(c, "unknown"))
		return list_unknown(c);
	enum cause one = c->args_n > 0 ? cause_of_id(str_of(c->args[0])) : CAUSE_NONE;

	if (c->args_n > 0 && one == CAUSE_NONE) {
		CMD_SAY(c, stderr, "cli.error.cause", str_of(c->args[0]));
		return CMD_FAILED;
	}
	if (one != CAUSE_NONE && !c->is_json) {
		show_one(c, one);
		return CMD_DONE;
	}
	if (!c->is_json) {
		table_of_causes(c);
		return CMD_DONE;
	}
	json_t *all = json_array();
	for (enum cause i = CAUSE_NONE + 1; i < CAUSE_COUNT; i++)
		if (one == CAUSE_NONE || i == one)
			(void)json_array_append_new(all, row_of(i));
	client_print_json(one != CAUSE_NONE ? json_array_get(all, 0) : all);
	json_decref(all);
	return CMD_DONE;
}
