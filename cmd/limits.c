#include <stdio.h>
#include "base/limits.h"
#include "cmd/client.h"
#include "cmd/show.h"
#include "cmd/terminal.h"

/* koshin ca limits: what the CAs' limits leave. */

static struct str
number(const json_t *o, const char *key, struct arena *a)
{
	const json_t *v = json_object_get(o, key);

	return json_is_integer(v) ? arena_strf(a, "%lld", (long long)json_integer_value(v)) : STR("-");
}

int
cmd_ca_limits(struct cmd *c)
{
	json_t *document = NULL, *one;
	size_t i;
	int status;
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return status;
	status = client_ask(cl, "GET", STR("/limits"), NULL, &document);
	if (status == CMD_DONE && c->is_json) {
		client_print_json(document);
	} else if (status == CMD_DONE) {
		struct show s = show_init(c, client_config(cl));
		AUTO_TABLE t = { 0 };

		table_init(&t, 6);
		const struct str head[] = { show_ui(&s, "cli.head.ca", &t.arena), show_ui(&s, "cli.head.limit", &t.arena),
			show_ui(&s, "cli.head.of", &t.arena), show_ui(&s, "cli.head.left", &t.arena),
			show_ui(&s, "cli.head.allowed", &t.arena), show_ui(&s, "cli.head.passes", &t.arena) };
		table_put(&t, head);
		json_array_foreach(json_object_get(document, "limits"), i, one)
		{
			AUTO_BUF next = { .max = 256 };

			show_date(&s, one, "next", true, &next);
			const struct str cells[] = { str_of(show_text(one, "ca")), str_of(show_text(one, "limit")),
				str_of(show_text(one, "subject")), number(one, "left", &t.arena), number(one, "allowed", &t.arena),
				arena_str(&t.arena, buf_str(&next)) };
			table_put(&t, cells);
		}
		table_print(&t);
	}
	json_decref(document);
	client_close(&cl);
	return status;
}
