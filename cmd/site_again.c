#include "cmd/own_redirect.h"

/* koshin site suspend, resume, start-over: free SSL is given up, taken back, or begun anew; without an interruption for visitors. */

static int
ask_by(struct client *cl, struct cmd *c, const char *method, const char *rest, const json_t *body, const char *words)
{
	json_t *site = NULL;
	int status = client_ask(cl, method, client_site_path(cl, c->args[0], rest), body, &site);

	if (status == CMD_DONE && c->is_json)
		client_print_json(site);
	else if (status == CMD_DONE)
		CMD_SAY(c, stdout, words, str_of(c->args[0]));
	json_decref(site);
	return status;
}

static int
ask(struct cmd *c, const char *method, const char *rest, const json_t *body, const char *words)
{
	int status;
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return status;
	status = ask_by(cl, c, method, rest, body, words);
	client_close(&cl);
	return status;
}

int
cmd_site_suspend(struct cmd *c)
{
	bool is_stop = cmd_has(c, "renewals-only");
	int status;
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return status;
	status = ask_by(cl, c, "POST", is_stop ? "/removal?form=stop" : "/removal", NULL, is_stop ? "cli.stopped" : "cli.suspended");
	if (status == CMD_DONE)
		status = own_redirect_say(c, cl, "/removal");
	client_close(&cl);
	return status;
}

int
cmd_site_resume(struct cmd *c)
{
	return ask(c, "DELETE", "/removal", NULL, "cli.resumed");
}

int
cmd_site_start_over(struct cmd *c)
{
	json_t *body = json_pack("{s:b}", "new_certificate", cmd_has(c, "new-certificate"));
	int status = ask(c, "POST", "/start-over", body, "cli.started-over");

	json_decref(body);
	return status;
}
