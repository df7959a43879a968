#ifndef KOSHIN_CMD_CERT_H
#define KOSHIN_CMD_CERT_H
/* What the commands about certificates share. */
#include "cmd/cmd.h"

/* A file for its owner alone, made anew: a key is never written into a file that others may have open. NULL: standard output. */
int cert_write_out(struct cmd *c, const char *path, struct str text);
#endif
