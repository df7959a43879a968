#include <stdio.h>
#include "cmd/client.h"
#include "cmd/show.h"
#include "cmd/wait.h"

/* koshin renew NAME…, koshin renew --due. */

static int
renew_one(struct cmd *c, struct client *cl, const char *name)
{
	json_t *site = NULL;
	int status = client_ask(cl, "POST", client_site_path(cl, name, "/renew"), NULL, &site);

	if (status == CMD_DONE && cmd_has(c, "wait"))
		status = wait_for(c, cl, name, WAIT_RENEWED);
	else if (status == CMD_DONE && c->is_json && site != NULL)
		client_print_json(site);
	else if (status == CMD_DONE)
		CMD_SAY(c, stdout, "cli.renew-asked", str_of(name));
	json_decref(site);
	return status;
}

/* Every site whose own date for the renewal has come: they are renewed by themselves too, at their own pace. */
static int
renew_due(struct cmd *c, struct client *cl)
{
	struct show show = show_init(c, client_config(cl));
	AUTO_ARENA a = { .max = 1024 * 1024 };
	struct str after = STR_NONE;
	size_t asked = 0, i;
	int status;

	do {
		json_t *document = NULL, *site;

		status = client_ask(cl, "GET",
		    arena_strf(&a, "/sites?limit=500&after=%.*s", STR_ARG(after)), NULL,
		    &document);
		json_array_foreach(json_object_get(document, "sites"), i, site)
		{
			struct when due = show_when(site, "next_renewal");

			if (!when_is_known(due) || when_before(show.ctx.now, due))
				continue;
			asked++;
			if (renew_one(c, cl, show_text(site, "ascii")) != CMD_DONE)
				status = CMD_FAILED;
		}
		after = client_escape(cl, show_text(document, "after"));
		json_decref(document);
	} while (status == CMD_DONE && after.n > 0);
	if (asked == 0 && status == CMD_DONE && !c->is_json)
		cmd_say(c, stdout, "cli.nothing-due", NULL, 0);
	return status;
}

int
cmd_renew(struct cmd *c)
{
	int status;

	if ((c->args_n == 0) == !cmd_has(c, "due"))
		return cmd_misused(c, "usage.renew-what", "renew");
	struct client *cl = client_open(c, &status);
	if (cl == NULL)
		return status;
	status = cmd_has(c, "due") ? renew_due(c, cl) : CMD_DONE;
	for (size_t i = 0; i < c->args_n; i++) {
		int one = renew_one(c, cl, c->args[i]);

		status = one != CMD_DONE ? one : status;
	}
	client_close(&cl);
	return status;
}
