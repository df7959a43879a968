#ifndef KOSHIN_PORTS_PROCESS_PROCESS_H
#define KOSHIN_PORTS_PROCESS_PROCESS_H
/* What a process of ours gives up before it listens to anybody. */
#include <sys/types.h>
#include "base/str.h"

/* Becomes the user with all of its groups, for good: that root cannot be had back is tried. Nothing is done for an
 * empty name or without being root, except that another user than the named one is told (CONFIG). */
MUST_USE enum err process_become(const char *user, struct why *why);
/* The kernel kills this process when its parent dies. CLOSED if the parent, whose id it was, is dead already. After
 * process_become: a change of user forgets it. */
MUST_USE enum err process_die_with(pid_t parent);
/* No privileges through programs that are started, ever. */
MUST_USE enum err process_keep_low(void);
/* No core file, and no debugger of the same user: what is in memory here is secret. */
MUST_USE enum err process_keep_secret(void);
/* Who this process is, for others on this machine and elsewhere: the machine's boot, its name space of processes, its id. Cut where there is no
 * room; never empty. */
void process_identity(char *ret, size_t n);
/* A process of this machine, since its last boot and in this name space, that has ended. False also where that cannot be known. */
bool process_is_gone(struct str identity);
#endif
