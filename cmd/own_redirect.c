#include "cmd/own_redirect.h"
#include "cmd/show.h"
#include "cmd/terminal.h"

void
own_redirect_print(const struct cmd *c, const json_t *document)
{
	struct str words = str_of(show_text(json_object_get(json_object_get(document, "own_redirect"), "words"), lang_name(c->lang)));

	while (words.n > 0) {
		terminal_put(stderr, str_cut(&words, '\n'));
		(void)fputc('\n', stderr);
	}
}

int
own_redirect_say(struct cmd *c, struct client *cl, const char *rest)
{
	json_t *document = NULL;

	if (c->is_json)
		return CMD_DONE;
	int status = client_ask(cl, "GET", client_site_path(cl, c->args[0], rest), NULL, &document);
	if (status == CMD_DONE)
		own_redirect_print(c, document);
	json_decref(document);
	return status;
}
