#ifndef KOSHIN_INSTALLER_INSTALLER_H
#define KOSHIN_INSTALLER_INSTALLER_H
/*
 * The process that puts certificates to work; the only one with root. It knows three verbs of ports/deploy/deploy.h
 * (apply, remove, challenge), for its configured targets only. It keeps no state of its own: requests carry the
 * whole wanted state of a site, and what is on the disk is compared with it. Requests that wait are taken together:
 * everything is written, one configuration test, one reload, then all are answered.
 *
 * Invariants:
 * 1. A web server is never told to reload a configuration that did not pass its own test.
 * 2. When the test fails, what this batch changed is put back before anything else happens. A request that breaks
 *    the configuration alone is found and refused alone; if the configuration is broken without us, all are told so.
 * 3. Ended at any point, the next start finds the journal of what was being changed: it goes on if the test passes,
 *    puts back what stands in the journal if not.
 * 4. The same state applied twice writes nothing and reloads nothing.
 */
#include <signal.h>
#include <stdint.h>
#include "ports/clock/clock.h"
#include "ports/config/config.h"

struct files;
struct installer_options {
	int fd;			 /* one end of a link_pair (ports/link/link.h); the peer is the engine */
	const struct config_target *targets;
	size_t targets_n;
	const uint8_t *transport_key; /* opens sealed sets (ports/keys/set.h) */
	const struct clock *clock;
	const struct files *files; /* NULL: the real ones */
	int64_t gather_ms;	 /* how long a batch waits for one more request; 0: default 50 */
	int64_t command_ms;	 /* longest run of a test, reload or command; 0: default 60 s */
	const volatile sig_atomic_t *quit; /* set by a handler of a signal that the caller has blocked; or NULL */
	const sigset_t *unblocked;	   /* the mask to wait with; NULL: the present one */
};
/* Runs until a QUIT message or *quit (OK), or until the other end is gone for good (CLOSED). Sets umask, dumpable and no-new-privileges of the process. */
MUST_USE enum err installer_run(const struct installer_options *o, struct why *why);
#endif
