#include "ports/process/process.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum err
process_become(const char *user, struct why *why)
{
	uid_t real, effective, saved;

	if (user == NULL || user[0] == '\0')
		return ERR_OK;
	errno = 0;
	const struct passwd *p = getpwnam(user);
	if (p == NULL) {
		why_set(why, "user %s: there is no such user on this machine", user);
		return ERR_CONFIG;
	}
	if (geteuid() != 0) {
		if (geteuid() == p->pw_uid)
			return ERR_OK;
		why_set(why,
		    "user %s: only root can become another user; start as root or as this user",
		    user);
		return ERR_CONFIG;
	}
	if (p->pw_uid == 0)
		return ERR_OK;
	if (initgroups(user, p->pw_gid) != 0 ||
	    setresgid(p->pw_gid, p->pw_gid, p->pw_gid) != 0 ||
	    setresuid(p->pw_uid, p->pw_uid, p->pw_uid) != 0) {
		why_set(why, "user %s: cannot become this user", user);
		return err_of_errno(errno);
	}
	if (getresuid(&real, &effective, &saved) != 0 || real != p->pw_uid ||
	    effective != p->pw_uid || saved != p->pw_uid || getegid() != p->pw_gid ||
	    setuid(0) == 0 || setgid(0) == 0) {
		why_set(why, "user %s: root was not given up", user);
		return ERR_DENIED;
	}
	return ERR_OK;
}

enum err
process_die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return err_of_errno(errno);
	return getppid() == parent ? ERR_OK : ERR_CLOSED; /* it may have died before the call */
}

enum err
process_keep_low(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? ERR_OK : err_of_errno(errno);
}

enum err
process_keep_secret(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return err_of_errno(errno);
	return ERR_OK;
}
