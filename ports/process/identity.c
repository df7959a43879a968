#include "ports/process/process.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PLACE_BYTES = 128, BOOT_BYTES = 36 };

/* Everything but the id: two processes of one place can ask the kernel about each other. */
static void
put_place(char ret[PLACE_BYTES])
{
	char boot[BOOT_BYTES + 1] = "?", space[48] = "?";
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (read(fd, boot, BOOT_BYTES) != BOOT_BYTES)
			memcpy(boot, "?", 2);
		(void)close(fd); /* it was read */
	}
	ssize_t n = readlink("/proc/self/ns/pid", space, sizeof space - 1);
	if (n > 0)
		space[n] = '\0';
	(void)snprintf(ret, PLACE_BYTES, "%s/%s/", boot, space);
}

void
process_identity(char *ret, size_t n)
{
	char place[PLACE_BYTES];

	put_place(place);
	(void)snprintf(ret, n, "%s%ld", place, (long)getpid());
}

bool
process_is_gone(struct str identity)
{
	char place[PLACE_BYTES];
	int64_t pid;

	put_place(place);
	struct str here = str_of(place);
	/* What cannot be told apart from another place is not judged. */
	if (strchr(place, '?') != NULL || identity.n <= here.n || memcmp(identity.p, here.p, here.n) != 0)
		return false;
	if (!str_to_int((struct str){ identity.p + here.n, identity.n - here.n }, &pid) || pid <= 0 || pid > INT_MAX)
		return false;
	return kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}
