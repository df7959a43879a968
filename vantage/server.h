#ifndef KOSHIN_VANTAGE_SERVER_H
#define KOSHIN_VANTAGE_SERVER_H
/*
 * koshin vantage: a process on a machine in another network that looks at names for installations that it knows, and tells them
 * what it saw. HTTPS, one kind of question (ports/vantage/question.h). It has no store and no key but that of its own TLS; what it
 * looks with is the probe that installations look with, with the same rules about addresses.
 *
 * Whoever knocks costs little: a connection has ten seconds for its question, however slowly it comes; a question has a size; an
 * address of the outside has a few connections; all together have a number.
 */
#include "ports/config/config.h"

struct vantage_options {
	const struct config *config; /* with config.vantage */
	int fd_ready;		     /* one byte is written when it listens; -1: none */
};
/* Until SIGTERM. The exit status. */
int vantage_run(const struct vantage_options *o);
#endif
