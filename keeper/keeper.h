#ifndef KOSHIN_KEEPER_KEEPER_H
#define KOSHIN_KEEPER_KEEPER_H
/*
 * The process that alone holds private keys in clear. It answers the verbs of ports/keys/keys.h over two links: the
 * engine may ask for what orders and deploys need, the web process for what people ask (keeper.c: may_ask). No network, no files, no store: the
 * master key is read before root is given up, then a list of a few system calls is all that the kernel allows, and
 * any other ends the process. It keeps no state, so it may die at any point.
 */
#include <stdint.h>
#include <sys/types.h>
#include "ports/config/config.h"

struct keeper_options {
	const struct config *config;
	const uint8_t *transport_key; /* SECRET_KEY_BYTES: seals sets for the installer */
	int fd_engine, fd_web;	      /* servers' ends of two link_pairs */
	int fd_ready;		      /* one byte is written before the first question is read; -1: none */
	pid_t parent;		      /* dies with this process; 0: with none */
};
/* Serves until a QUIT message or SIGTERM. The exit status. Its system calls stay limited: nothing but _exit should
 * follow. */
int keeper_run(const struct keeper_options *o);
/* Where the master key is kept, in `to`: STATE/master.key. */
MUST_USE enum err keeper_master_key_path(const struct config *config, struct buf *to);
#endif
