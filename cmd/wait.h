#ifndef KOSHIN_CMD_WAIT_H
#define KOSHIN_CMD_WAIT_H
/* --wait: the steps of one site as they happen, until a new certificate is proven, or something stands in its way. */
#include "cmd/client.h"

enum wait_for {
	WAIT_ISSUED, /* a first certificate: any that is proven will do */
	WAIT_RENEWED, /* one that is not the present one */
	WAIT_THIS,    /* see wait_for_this */
};
/* For the certificate of this fingerprint. */
int wait_for_this(struct cmd *c, struct client *cl, const char *name, const char *fingerprint);
/* CMD_DONE: visitors receive it. CMD_FAILED: it stopped, and the words were said. Leaving changes nothing. */
int wait_for(struct cmd *c, struct client *cl, const char *name, enum wait_for what);
#endif
