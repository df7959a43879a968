#ifndef KOSHIN_INSTALLER_CHANGE_H
#define KOSHIN_INSTALLER_CHANGE_H
/*
 * A change of files and links that can be taken back. First it is planned: each step compares what is wanted with
 * what is there, drops out when they are the same, and otherwise keeps what was there. Then it is written down in a
 * journal, synced, and done step by step. change_undo puts back what was there, in reverse.
 *
 * The journal makes this survive the process: journal_read gives everything that was going to be changed since it was
 * begun, oldest first, as a change that can be undone. Steps that were never done are undone too, which does
 * nothing. The end of a journal may be torn by a power failure: what is torn had not been done.
 */
#include "installer/files.h"

enum change_kind { CHANGE_NOTHING, CHANGE_FILE, CHANGE_LINK };
struct change_state {
	enum change_kind kind;
	char *bytes; /* of the file, or the link's target; owned */
	size_t n;
};
struct change_step {
	char *path; /* absolute; owned */
	struct change_state before, after;
};
struct change {
	struct change_step *steps;
	size_t n, cap, done; /* done: how many were carried out */
};
void change_init(struct change *c);
void change_fini(struct change *c); /* safe on a zeroed struct */
MUST_USE enum err change_plan_file(
    struct change *c, const char *path, struct str bytes, struct why *why);
MUST_USE enum err change_plan_link(
    struct change *c, const char *path, const char *target, struct why *why);
MUST_USE enum err change_plan_removal(struct change *c, const char *path, struct why *why);

struct journal {
	const struct files *files;
	char path[PATH_MAX];
	int fd; /* -1: not open */
	enum err
	    failed; /* a step could not be written down: nothing more is done until the journal is begun anew */
};
enum {
	CHANGE_FILE_BYTES_MAX = 256 * 1024
}; /* of a file that we write: a server block of 100 names fits many times */

/* The first half, and the second. With files->later the caller syncs what was noted after each. journal may be NULL. */
MUST_USE enum err change_prepare(
    struct change *c, const struct files *f, struct journal *j, struct why *why);
/* Does all steps, or none: what was done is undone when a step fails. */
MUST_USE enum err change_do(struct change *c, const struct files *f, struct why *why);
/* What was prepared is not wanted any more: the files beside their places go. */
void change_drop(const struct change *c, const struct files *f);
/* Goes on after a step that cannot be undone; the first error is returned. */
MUST_USE enum err change_undo(struct change *c, const struct files *f, struct why *why);

MUST_USE enum err journal_open(
    struct journal *j, const struct files *f, const char *folder, struct why *why);
bool journal_exists(const struct journal *j);
/* NOT_FOUND without one. What stands in it is marked as done. */
MUST_USE enum err journal_read(const struct journal *j, struct change *ret, struct why *why);
/* The changes are accepted and cannot be undone any more; that something was changed stays known. */
MUST_USE enum err journal_accept(struct journal *j, struct why *why);
MUST_USE enum err journal_remove(struct journal *j, struct why *why);
void journal_close(struct journal *j); /* keeps the file */
#endif
