#include "cmd/client.h"
#include "cmd/own_redirect.h"
#include "cmd/show.h"

/* koshin cert revoke: says what it will do and, with --yes, has the key destroyed and the certificate revoked. */

/* What stands before it is done: nothing is done by reading it. */
static int
say_what(struct cmd *c, struct client *cl)
{
	json_t *o = NULL;
	int status = client_ask(cl, "GET", client_site_path(cl, c->args[0], "/revocation"), NULL, &o);

	if (status == CMD_DONE && c->is_json) {
		client_print_json(o);
	} else if (status == CMD_DONE) {
		printf("%s\n\n", show_text(json_object_get(o, "after"), lang_name(c->lang)));
		own_redirect_print(c, o);
		CMD_SAY(c, stdout, "cli.revoke-how", str_of(c->args[0]));
	}
	json_decref(o);
	return status;
}

static int
revoke(struct cmd *c, struct client *cl)
{
	const char *reason = cmd_value(c, "reason");
	json_t *site = NULL, *body = json_pack("{s:s,s:b}", "reason", reason != NULL ? reason : "cessation", "understood", 1);
	int status = client_ask(cl, "POST", client_site_path(cl, c->args[0], "/revocation"), body, &site);

	if (status == CMD_DONE && c->is_json)
		client_print_json(site);
	else if (status == CMD_DONE)
		CMD_SAY(c, stdout, "cli.revoked", str_of(c->args[0]));
	json_decref(site);
	json_decref(body);
	return status;
}

int
cmd_cert_revoke(struct cmd *c)
{
	int status;
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return status;
	status = cmd_has(c, "yes") ? revoke(c, cl) : say_what(c, cl);
	client_close(&cl);
	return status;
}
