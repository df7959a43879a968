#include <stdio.h>
#include <string.h>
#include "cmd/client.h"
#include "cmd/show.h"

/* koshin ca list, koshin ca test. CAs stand in the configuration; what is known of them is the daemon's. */

int
cmd_ca_list(struct cmd *c)
{
	json_t *document = NULL, *ca;
	size_t i;
	int status;
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return status;
	status = client_ask(cl, "GET", STR("/cas"), NULL, &document);
	if (status == CMD_DONE && c->is_json)
		client_print_json(document);
	else if (status == CMD_DONE)
		json_array_foreach(json_object_get(document, "cas"), i, ca)
		{
			AUTO_BUF ready = { .max = 256 };

			words_ui(json_is_true(json_object_get(ca, "ready")) ? "cli.yes" : "cli.no", c->lang, NULL, 0, &ready);
			show_cell(str_of(show_text(ca, "name")), 16);
			show_cell(buf_str(&ready), 8);
			(void)printf("%s\n", show_text(ca, "directory"));
		}
	json_decref(document);
	client_close(&cl);
	return status;
}

int
cmd_ca_test(struct cmd *c)
{
	json_t *document = NULL, *ca;
	bool is_found = false;
	size_t i;
	int status;
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return status;
	status = client_ask(cl, "GET", STR("/cas"), NULL, &document);
	if (status == CMD_DONE && c->is_json)
		client_print_json(document);
	json_array_foreach(json_object_get(document, "cas"), i, ca)
	{
		bool is_ready = json_is_true(json_object_get(ca, "ready"));

		if (c->args_n > 0 && strcmp(show_text(ca, "name"), c->args[0]) != 0)
			continue;
		is_found = true;
		if (!is_ready)
			status = CMD_FAILED;
		if (!c->is_json)
			CMD_SAY(c, stdout, is_ready ? "cli.ca-ok" : "cli.ca-failed", str_of(show_text(ca, "name")),
			    str_of(show_text(ca, is_ready ? "terms" : "directory")));
	}
	if (status == CMD_DONE && !is_found) {
		CMD_SAY(c, stderr, "cli.no-ca", str_of(c->args_n > 0 ? c->args[0] : "-"));
		status = CMD_FAILED;
	}
	json_decref(document);
	client_close(&cl);
	return status;
}
