#ifndef KOSHIN_CMD_CLIENT_H
#define KOSHIN_CMD_CLIENT_H
/*
 * The command's side of the API: one request over the Unix socket of the daemon. What goes wrong is said on
 * stderr here, so that a sub-command only passes the status on.
 */
#include <jansson.h>
#include "cmd/cmd.h"

struct client;
/* NULL after the reason was said; *ret_status is then the exit status. */
struct client *client_open(struct cmd *c, int *ret_status);
void client_close(struct client **cl);
/* Called about once a second while an answer is awaited; NULL: not any more. */
void client_set_tick(struct client *cl, void (*tick)(void *arg), void *arg);
const struct config *client_config(const struct client *cl);

/* body may be NULL (it stays the caller's). CMD_DONE, and the answer in ret (may be NULL); or another status, said. */
int client_ask(struct client *cl, const char *method, struct str path, const json_t *body, json_t **ret);
/* "/sites/" NAME rest, with NAME escaped; in the client's arena. rest is plain. */
struct str client_site_path(struct client *cl, const char *name, const char *rest);
/* value as it may stand in a query. */
struct str client_escape(struct client *cl, const char *value);
/* Prints a document as --json wants it. */
void client_print_json(const json_t *document);
#endif
