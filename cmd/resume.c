#include <stdio.h>
#include "cmd/client.h"

/* koshin ca resume NAME…: the CA takes paused names again. */
int
cmd_ca_resume(struct cmd *c)
{
	int status;
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return status;
	status = CMD_DONE;
	for (size_t i = 0; i < c->args_n; i++) {
		json_t *site = NULL;
		int one = client_ask(cl, "POST", client_site_path(cl, c->args[i], "/resume"), NULL, &site);

		if (one == CMD_DONE && c->is_json && site != NULL)
			client_print_json(site);
		else if (one == CMD_DONE)
			CMD_SAY(c, stdout, "cli.resume-asked", str_of(c->args[i]));
		status = one != CMD_DONE ? one : status;
		json_decref(site);
	}
	client_close(&cl);
	return status;
}

/* koshin ca unblock NAME: the CA has lifted its block of the account. */
int
cmd_ca_unblock(struct cmd *c)
{
	json_t *ca = NULL;
	AUTO_BUF path = { .max = 8192 };
	int status;
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return status;
	buf_putf(&path, "/cas/%.*s/unblock", STR_ARG(client_escape(cl, c->args[0])));
	status = client_ask(cl, "POST", buf_str(&path), NULL, &ca);
	if (status == CMD_DONE && c->is_json && ca != NULL)
		client_print_json(ca);
	else if (status == CMD_DONE)
		CMD_SAY(c, stdout, "cli.unblock-asked", str_of(c->args[0]));
	json_decref(ca);
	client_close(&cl);
	return status;
}
