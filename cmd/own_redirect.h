#ifndef KOSHIN_CMD_OWN_REDIRECT_H
#define KOSHIN_CMD_OWN_REDIRECT_H
#include "cmd/client.h"

/* `document`: of GET removal or GET revocation. Says on stderr what becomes of visitors whom the site itself sends to https, if it does. */
void own_redirect_print(const struct cmd *c, const json_t *document);
/* The same of c's site, asked for now; rest: "/removal" or "/revocation". Nothing where that is not known, or with --json. */
int own_redirect_say(struct cmd *c, struct client *cl, const char *rest);
#endif
