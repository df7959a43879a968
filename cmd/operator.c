#include <string.h>
#include "cmd/client.h"
#include "cmd/show.h"
#include "cmd/terminal.h"

/* koshin overview, alarms, letters, status: what the operator's first page and the status page say. */

typedef void on_terminal(const struct cmd *c, const struct show *s, const json_t *document);

/* One question to the API, and its answer as a person reads it. is_bad (may be NULL): the answer makes the command fail. */
static int
ask(struct cmd *c, const char *path, on_terminal *say, bool (*is_bad)(const json_t *document))
{
	json_t *document = NULL;
	int status;
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return status;
	status = client_ask(cl, "GET", str_of(path), NULL, &document);
	if (status == CMD_DONE) {
		struct show s = show_init(c, client_config(cl));

		if (c->is_json)
			client_print_json(document);
		else
			say(c, &s, document);
		if (is_bad != NULL && is_bad(document))
			status = CMD_FAILED;
	}
	json_decref(document);
	client_close(&cl);
	return status;
}

static struct str
number(const json_t *o, const char *key, struct arena *a)
{
	return arena_strf(a, "%lld", (long long)json_integer_value(json_object_get(o, key)));
}

static struct str
date(const struct show *s, const json_t *o, const char *key, struct arena *a)
{
	AUTO_BUF text = { .max = 256 };

	show_date(s, o, key, true, &text);
	return arena_str(a, buf_str(&text));
}

static void
put_head(struct table *t, const struct show *s, const char *const *keys, size_t n)
{
	struct str head[TABLE_COLUMNS_MAX];

	for (size_t i = 0; i < n; i++)
		head[i] = show_ui(s, keys[i], &t->arena);
	table_put(t, head);
}

/* --- overview --- */

static void
put_counts(const struct show *s, const json_t *o)
{
	static const struct {
		const char *key, *of, *member;
	} rows[] = {
		{ "cli.count.sites", "sites", "all" },
		{ "cli.count.owner", "sites", "owner" },
		{ "cli.count.progress", "sites", "progress" },
		{ "cli.count.fine", "sites", "fine" },
		{ "cli.count.ended", NULL, "ended" },
		{ "cli.count.orders", NULL, "orders_open" },
		{ "cli.count.due", "forecast", "due" },
		{ "cli.count.questions", NULL, "questions_open" },
		{ "cli.count.letters-waiting", NULL, "letters_waiting" },
		{ "cli.count.letters-given-up", NULL, "letters_given_up" },
		{ "cli.count.letters-bounced", NULL, "letters_bounced" },
	};
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 4096);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		show_row(s, rows[i].key, number(rows[i].of == NULL ? o : json_object_get(o, rows[i].of), rows[i].member, &a));
}

static void
put_causes(const struct show *s, const json_t *causes)
{
	static const char *const head[] = { "cli.head.names", "cli.head.id", "cli.head.since", "cli.head.title" };
	const json_t *one;
	AUTO_TABLE t = { 0 };
	size_t i;

	if (json_array_size(causes) == 0)
		return;
	table_init(&t, 4);
	put_head(&t, s, head, 4);
	json_array_foreach(causes, i, one)
	{
		const struct str cells[] = { number(one, "n", &t.arena), str_of(show_text(one, "cause")), date(s, one, "since", &t.arena),
			str_of(show_spoken(s, one, "title")) };
		table_put(&t, cells);
	}
	(void)putchar('\n');
	table_print(&t);
}

/* Days with none are left out. */
static void
put_days(const struct show *s, const char *const head[2], const json_t *days)
{
	const json_t *one;
	AUTO_TABLE t = { 0 };
	size_t i;

	table_init(&t, 2);
	put_head(&t, s, head, 2);
	json_array_foreach(days, i, one)
	{
		const struct str cells[] = { str_of(show_text(one, "day")), number(one, "n", &t.arena) };

		if (json_integer_value(json_object_get(one, "n")) > 0)
			table_put(&t, cells);
	}
	if (t.rows_n < 2)
		return;
	(void)putchar('\n');
	table_print(&t);
}

/* What the CAs in use allow a day, where that is known. */
static void
put_limits(const struct show *s, const json_t *limits)
{
	const json_t *one;
	AUTO_ARENA a = { .max = 4096 };
	size_t i;

	json_array_foreach(limits, i, one)
		if (json_is_integer(json_object_get(one, "new_orders")))
			show_row(s, "cli.count.new-orders", arena_strf(&a, "%s %lld", show_text(one, "ca"),
				(long long)json_integer_value(json_object_get(one, "new_orders"))));
}

static void
say_overview(const struct cmd *c, const struct show *s, const json_t *o)
{
	static const char *const ends[] = { "cli.head.ends", "cli.head.certificates" };
	static const char *const due[] = { "cli.head.due-on", "cli.head.sites-due" };
	const json_t *forecast = json_object_get(o, "forecast");

	(void)c;
	put_counts(s, o);
	put_limits(s, json_object_get(forecast, "limits"));
	put_days(s, ends, json_object_get(o, "endings"));
	put_days(s, due, json_object_get(forecast, "days"));
	put_causes(s, json_object_get(o, "causes"));
}

int
cmd_overview(struct cmd *c)
{
	return ask(c, "/overview", say_overview, NULL);
}

/* --- alarms --- */

static void
put_alarm(const struct show *s, const json_t *one)
{
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 4096);
	terminal_put(stdout, str_of(show_spoken(s, one, "title")));
	(void)putchar('\n');
	show_row(s, "cli.label.since", date(s, one, "since", &a));
	if (json_integer_value(json_object_get(one, "sites")) > 0)
		show_row(s, "cli.count.sites", number(one, "sites", &a));
	show_row(s, "cli.label.seen", str_of(show_text(one, "seen")));
	show_row(s, "cli.label.action", str_of(show_spoken(s, one, "todo")));
	(void)putchar('\n');
}

static void
say_alarms(const struct cmd *c, const struct show *s, const json_t *o)
{
	const json_t *open = json_object_get(o, "open"), *one;
	size_t i;
	AUTO_BUF at = { .max = 256 };

	json_array_foreach(open, i, one)
		put_alarm(s, one);
	show_date(s, o, "looked_at", true, &at);
	if (json_array_size(open) == 0)
		CMD_SAY(c, stdout, "cli.alarms-none", buf_str(&at));
}

static bool
has_open(const json_t *o)
{
	return json_array_size(json_object_get(o, "open")) > 0;
}

int
cmd_alarms(struct cmd *c)
{
	return ask(c, "/alarms", say_alarms, has_open);
}

/* --- letters --- */

static void
say_letters(const struct cmd *c, const struct show *s, const json_t *o)
{
	static const char *const head[] = { "cli.head.since", "cli.head.name", "cli.head.to", "cli.head.state", "cli.head.said", "cli.head.letter" };
	const json_t *rows = json_object_get(o, "letters"), *one;
	AUTO_TABLE t = { 0 };
	size_t i;

	if (json_array_size(rows) == 0) {
		cmd_say(c, stdout, "cli.letters-none", NULL, 0);
		return;
	}
	table_init(&t, 6);
	put_head(&t, s, head, 6);
	json_array_foreach(rows, i, one)
	{
		char state[64];

		(void)snprintf(state, sizeof state, "cli.letter.%s", show_text(one, "state"));
		const struct str cells[] = { date(s, one, "created", &t.arena), str_of(show_text(one, "site")), str_of(show_text(one, "to")),
			show_ui(s, state, &t.arena), str_of(show_text(one, "said")), str_of(show_text(one, "subject")) };
		table_put(&t, cells);
	}
	table_print(&t);
	if (json_is_integer(json_object_get(o, "before")))
		CMD_SAY(c, stdout, "cli.letters-more", number(o, "before", &t.arena));
}

/* The options have the names of the API's parameters. */
int
cmd_letters(struct cmd *c)
{
	static const char *const options[] = { "limit", "before" };
	char path[128] = "/letters";

	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		const char *value = cmd_value(c, options[i]);
		int64_t n;
		size_t used = strlen(path);

		if (value == NULL)
			continue;
		if (!str_to_int(str_of(value), &n) || n < 1)
			return cmd_misused(c, "usage.bad-number", value);
		(void)snprintf(path + used, sizeof path - used, "%s%s=%lld", i == 0 || cmd_value(c, "limit") == NULL ? "?" : "&", options[i], (long long)n);
	}
	return ask(c, path, say_letters, NULL);
}

/* --- status --- */

static void
say_status(const struct cmd *c, const struct show *s, const json_t *o)
{
	const json_t *one;
	size_t i;

	if (strcmp(show_text(o, "state"), "well") == 0)
		cmd_say(c, stdout, "cli.status-well", NULL, 0);
	json_array_foreach(json_object_get(o, "incidents"), i, one)
	{
		AUTO_ARENA a = { .max = 0 };

		arena_init(&a, 4096);
		(void)putchar('\n');
		terminal_put(stdout, str_of(show_spoken(s, one, "title")));
		(void)putchar('\n');
		show_row(s, "cli.label.since", date(s, one, "began", &a));
		if (json_is_string(json_object_get(one, "ended")))
			show_row(s, "cli.label.until", date(s, one, "ended", &a));
		show_row(s, NULL, str_of(show_spoken(s, one, "text")));
	}
}

int
cmd_status(struct cmd *c)
{
	return ask(c, "/status", say_status, NULL);
}
