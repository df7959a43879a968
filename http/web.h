#ifndef KOSHIN_HTTP_WEB_H
#define KOSHIN_HTTP_WEB_H
/*
 * The web process. Over TCP (config web.listen): challenge answers, /healthz and /metrics, nothing else. On the Unix
 * socket (config web.socket, mode 0600): the API of the operator's command, trusted by the file's permissions.
 * Over TCP (config panel.listen): the panel's files and the API, for browsers; the web server in front has the certificate.
 * It opens the store itself, holds no key and speaks to no CA. Outside it asks only for what a person's look at a name needs (http/looks.h), and for
 * the intermediate certificates that a bought one lacks (ports/probe/issuers.h), by the same rules as every probe.
 */
#include "ports/config/config.h"

struct web_options {
	const struct config *config;
	int fd_keeper; /* end of a link_pair to the keeper, for KEYS_EXPORT */
	int fd_wake; /* one byte wakes the engine; non-blocking, a full pipe is as good as a byte */
	int fd_news; /* a byte comes when the engine has done something; non-blocking. -1: whoever waits learns it at the deadline */
	int fd_ready; /* one byte is written when requests are answered; -1: nobody waits for that */
};
/* Runs until SIGTERM or SIGINT; returns the exit status of the process. Privileges were dropped before. */
int web_run(const struct web_options *o);
#endif
