#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cmd/own_redirect.h"
#include "cmd/show.h"
#include "cmd/terminal.h"
#include "cmd/wait.h"

/* koshin site add, list, show, history, set, remove. */

/* Words of one option that is on or off. False after the mistake was said. */
static bool
read_switch(const struct cmd *c, const char *option, json_t *body, int *status)
{
	const char *value = cmd_value(c, option);

	if (value == NULL)
		return true;
	if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0) {
		*status = cmd_misused(c, "usage.on-off", value);
		return false;
	}
	return json_object_set_new(body, option, json_boolean(strcmp(value, "on") == 0)) == 0;
}

static void
put_text(const struct cmd *c, const char *option, const char *field, json_t *body)
{
	const char *value = cmd_value(c, option);

	if (value != NULL)
		(void)json_object_set_new(body, field, json_string(value));
}

/* "example.jp,shop.example.jp". What stands between two commas is a name, also if it is nothing: the API says why not. */
static json_t *
names_of(const char *list)
{
	json_t *names = json_array();
	struct str rest = str_of(list);

	for (bool is_last = false; !is_last;) {
		is_last = str_find(rest, STR(",")) == SIZE_MAX;
		struct str name = str_trim(str_cut(&rest, ','));

		(void)json_array_append_new(names, json_stringn(name.p, name.n));
	}
	return names;
}

static int
added(struct cmd *c, struct client *cl, const json_t *site)
{
	const char *name = show_text(site, "name"), *source = cmd_value(c, "source");
	bool is_without = source != NULL && strcmp(source, "none") == 0; /* there is no certificate to wait for */

	if (cmd_has(c, "wait") && !is_without)
		return wait_for(c, cl, name, WAIT_ISSUED);
	if (c->is_json) {
		client_print_json(site);
		return CMD_DONE;
	}
	CMD_SAY(c, stdout, "cli.added", str_of(name));
	if (!is_without)
		CMD_SAY(c, stdout, "cli.added-next", str_of(name));
	return CMD_DONE;
}

int
cmd_site_add(struct cmd *c)
{
	json_t *body = json_object(), *site = NULL;
	int status;

	if (!cmd_has(c, "owner")) {
		json_decref(body);
		return cmd_misused(c, "usage.needs-owner", c->args[0]);
	}
	struct client *cl = client_open(c, &status);
	if (cl != NULL) {
		(void)json_object_set_new(body, "names", names_of(c->args[0]));
		put_text(c, "owner", "owner", body);
		put_text(c, "owner-lang", "owner_lang", body);
		put_text(c, "coverage", "coverage", body);
		put_text(c, "root", "root", body);
		put_text(c, "proxy", "proxy", body);
		put_text(c, "key-type", "key_type", body);
		put_text(c, "profile", "profile", body);
		put_text(c, "source", "source", body);
		if (cmd_has(c, "redirect"))
			(void)json_object_set_new(body, "redirect", json_true());
		status = client_ask(cl, "POST", STR("/sites"), body, &site);
		if (status == CMD_DONE)
			status = added(c, cl, site);
	}
	json_decref(site);
	json_decref(body);
	client_close(&cl);
	return status;
}

static void
list_table(const struct show *s, const json_t *sites)
{
	AUTO_TABLE t = { 0 };
	size_t i;
	json_t *site;

	table_init(&t, 5);
	const struct str head[] = { show_ui(s, "cli.head.name", &t.arena),
		show_ui(s, "cli.head.state", &t.arena), show_ui(s, "cli.head.until", &t.arena),
		show_ui(s, "cli.head.next", &t.arena), show_ui(s, "cli.head.cause", &t.arena) };
	table_put(&t, head);
	json_array_foreach(sites, i, site)
	{
		AUTO_BUF until = { .max = 4096 }, next = { .max = 4096 };

		if (when_is_known(show_when(site, "until")))
			show_date(s, site, "until", false, &until);
		else
			buf_putc(&until, '-');
		show_date(s, site, "next_look", false, &next);
		const struct str cells[] = { str_of(show_text(site, "name")),
			str_of(show_spoken(s, site, "pill")), buf_str(&until), buf_str(&next),
			str_of(show_text(site, "cause")) };
		table_put(&t, cells);
	}
	table_print(&t);
}

/* The options have the names of the API's parameters. */
static struct str
list_path(const struct cmd *c, struct client *cl, struct arena *a)
{
	static const char *const options[] = { "show", "cause", "owner", "limit", "after" };
	struct str path = arena_strf(
	    a, "/sites?search=%.*s", STR_ARG(client_escape(cl, c->args_n > 0 ? c->args[0] : "")));

	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		const char *value = cmd_value(c, options[i]);

		if (value != NULL)
			path = arena_strf(a, "%.*s&%s=%.*s", STR_ARG(path), options[i],
			    STR_ARG(client_escape(cl, value)));
	}
	return path;
}

int
cmd_site_list(struct cmd *c)
{
	json_t *document = NULL;
	int status;
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return status;
	struct arena a;
	arena_init(&a, 65536);
	status = client_ask(cl, "GET", list_path(c, cl, &a), NULL, &document);
	if (status == CMD_DONE && c->is_json) {
		client_print_json(document);
	} else if (status == CMD_DONE) {
		struct show s = show_init(c, client_config(cl));
		const json_t *sites = json_object_get(document, "sites");

		if (json_array_size(sites) == 0)
			cmd_say(c, stdout, "cli.no-sites", NULL, 0);
		else
			list_table(&s, sites);
		if (json_is_string(json_object_get(document, "after")))
			CMD_SAY(c, stdout, "cli.more-there-are",
			    str_of(show_text(document, "after")));
	}
	json_decref(document);
	arena_fini(&a);
	client_close(&cl);
	return status;
}

int
cmd_site_show(struct cmd *c)
{
	json_t *site = NULL;
	int status;
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return status;
	status = client_ask(cl, "GET", client_site_path(cl, c->args[0], ""), NULL, &site);
	if (status == CMD_DONE && c->is_json) {
		client_print_json(site);
	} else if (status == CMD_DONE) {
		struct show s = show_init(c, client_config(cl));

		show_site(&s, site);
	}
	json_decref(site);
	client_close(&cl);
	return status;
}

static void
history_table(const struct show *s, const json_t *rows)
{
	AUTO_TABLE t = { 0 };

	table_init(&t, 3);
	const struct str head[] = { show_ui(s, "cli.head.when", &t.arena),
		show_ui(s, "cli.head.what", &t.arena),
		show_ui(s, "cli.head.subject", &t.arena) };
	table_put(&t, head);
	/* The newest stands last, where the eye is after a long list. */
	for (size_t i = json_array_size(rows); i-- > 0;) {
		const json_t *row = json_array_get(rows, i);
		const char *subject = show_text(row, "subject"),
			   *detail = show_text(row, "detail");
		AUTO_BUF at = { .max = 4096 };
		struct str kind = STR_NONE;

		if (strcmp(show_text(row, "kind"), history_name(HISTORY_LETTER)) == 0) {
			kind = arena_strf(&t.arena, "letter-kind.%s", subject);
			kind = show_ui(s, kind.p != NULL ? kind.p : "cli.unknown", &t.arena);
			subject = kind.p != NULL ? kind.p : subject;
		}
		show_date(s, row, "at", false, &at);
		const struct str cells[] = { buf_str(&at), str_of(show_spoken(s, row, "words")),
			arena_strf(&t.arena, "%s%s%s", subject,
			    *subject != '\0' && *detail != '\0' ? ": " : "", detail) };
		table_put(&t, cells);
	}
	table_print(&t);
}

static void
letters_table(const struct show *s, const json_t *rows)
{
	AUTO_TABLE t = { 0 };
	size_t i;
	json_t *row;

	if (json_array_size(rows) == 0) {
		cmd_say(s->cmd, stdout, "cli.none", NULL, 0);
		return;
	}
	table_init(&t, 4);
	json_array_foreach(rows, i, row)
	{
		AUTO_BUF at = { .max = 4096 };

		show_date(s, row, "created", false, &at);
		const struct str cells[] = { buf_str(&at), str_of(show_text(row, "state")),
			str_of(show_text(row, "to")), str_of(show_text(row, "subject")) };
		table_put(&t, cells);
	}
	table_print(&t);
	json_array_foreach(s->cmd->is_verbose ? rows : NULL, i, row)
	{
		struct str body = str_of(show_text(row, "body"));

		(void)putchar('\n');
		while (body.n > 0) {
			terminal_put(stdout, str_cut(&body, '\n'));
			(void)putchar('\n');
		}
	}
}

int
cmd_site_history(struct cmd *c)
{
	json_t *document = NULL;
	const char *limit = cmd_value(c, "limit");
	bool is_letters = cmd_has(c, "letters");
	int status;
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return status;
	struct arena a;
	arena_init(&a, 65536);
	struct str rest = is_letters
			      ? STR("/letters")
			      : arena_strf(&a, "/history?limit=%.*s",
				    STR_ARG(client_escape(cl, limit != NULL ? limit : "100")));
	status = client_ask(cl, "GET",
	    client_site_path(cl, c->args[0], rest.p != NULL ? rest.p : ""), NULL, &document);
	if (status == CMD_DONE && c->is_json) {
		client_print_json(document);
	} else if (status == CMD_DONE) {
		struct show s = show_init(c, client_config(cl));

		if (is_letters)
			letters_table(&s, json_object_get(document, "letters"));
		else
			history_table(&s, json_object_get(document, "history"));
	}
	json_decref(document);
	arena_fini(&a);
	client_close(&cl);
	return status;
}

/* What `site set` was asked for: the request, and the words that answer it. */
struct wanted {
	const char *method, *rest, *words;
	bool has_body;
};

static struct wanted
wanted_of(const struct cmd *c)
{
	if (cmd_has(c, "apply-draft"))
		return (struct wanted){ "POST", "/draft/apply", "cli.changed", false };
	if (cmd_has(c, "discard-draft"))
		return (struct wanted){ "DELETE", "/draft", "cli.draft-discarded", false };
	if (cmd_has(c, "draft"))
		return (struct wanted){ "PUT", "/draft", "cli.draft-kept", true };
	return (struct wanted){ "PATCH", "", "cli.changed", true };
}

int
cmd_site_set(struct cmd *c)
{
	struct wanted w = wanted_of(c);
	json_t *body = json_object(), *site = NULL;
	int status = CMD_DONE;

	put_text(c, "coverage", "coverage", body);
	put_text(c, "key-type", "key_type", body);
	put_text(c, "root", "root", body);
	put_text(c, "proxy", "proxy", body);
	put_text(c, "source", "source", body);
	put_text(c, "profile", "profile", body);
	if (cmd_has(c, "names"))
		(void)json_object_set_new(body, "names", names_of(cmd_value(c, "names")));
	if (!read_switch(c, "redirect", body, &status) ||
	    !read_switch(c, "hsts", body, &status) ||
	    (cmd_has(c, "takeover") && !read_switch(c, "takeover", body, &status))) {
		json_decref(body);
		return status;
	}
	if (w.has_body == (json_object_size(body) == 0)) {
		json_decref(body);
		return cmd_misused(c, "usage.nothing-to-set", c->args[0]);
	}
	struct client *cl = client_open(c, &status);
	if (cl != NULL)
		status = client_ask(cl, w.method, client_site_path(cl, c->args[0], w.rest),
		    w.has_body ? body : NULL, &site);
	if (cl != NULL && status == CMD_DONE) {
		if (c->is_json && site != NULL)
			client_print_json(site);
		else
			CMD_SAY(c, stdout, w.words, str_of(c->args[0]));
		const char *source = w.has_body ? cmd_value(c, "source") : NULL;
		if (source != NULL && str_eq(str_of(source), STR("none")))
			status = own_redirect_say(c, cl, "/removal");
	}
	json_decref(site);
	json_decref(body);
	client_close(&cl);
	return status;
}

int
cmd_site_remove(struct cmd *c)
{
	json_t *site = NULL;
	int status;

	if (!cmd_has(c, "yes"))
		return cmd_misused(c, "usage.remove-yes", c->args[0]);
	struct client *cl = client_open(c, &status);
	if (cl == NULL)
		return status;
	/* What is not known now cannot be asked afterwards. */
	status = own_redirect_say(c, cl, "/revocation");
	if (status == CMD_DONE)
		status = client_ask(cl, "DELETE", client_site_path(cl, c->args[0], ""), NULL, &site);
	if (status == CMD_DONE && c->is_json && site != NULL)
		client_print_json(site);
	else if (status == CMD_DONE)
		CMD_SAY(c, stdout, "cli.removed", str_of(c->args[0]));
	json_decref(site);
	client_close(&cl);
	return status;
}
