#ifndef KOSHIN_CMD_USER_H
#define KOSHIN_CMD_USER_H
/* What the commands about one person have in common: the person is the first argument. */
#include "cmd/client.h"

/* One request below the person (rest: "/tokens"; NULL: about all), and what is said when it went well. The exit status. */
int user_ask(struct cmd *c, const char *method, const char *rest, const json_t *body,
    void (*say)(struct cmd *c, struct client *cl, const json_t *answer));
#endif
