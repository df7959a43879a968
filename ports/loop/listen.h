#ifndef KOSHIN_PORTS_LOOP_LISTEN_H
#define KOSHIN_PORTS_LOOP_LISTEN_H
/* Sockets to listen on: non-blocking, close-on-exec. */
#include "base/str.h"

/* "127.0.0.1:8402", "[::1]:8402". */
MUST_USE enum err listen_tcp(const char *where, struct why *why, int *ret_fd);
/* A Unix socket that its owner alone can connect to (mode 0600). A socket that a dead predecessor left is replaced; a
 * file of another kind is not. */
MUST_USE enum err listen_unix(const char *path, struct why *why, int *ret_fd);
#endif
