#ifndef KOSHIN_INSTALLER_UNSYNCED_H
#define KOSHIN_INSTALLER_UNSYNCED_H
/*
 * What was written and need not be on the disk yet. Many sites that are written together are brought there together: one syncfs
 * for each file system costs what a few fsyncs cost, and each file by itself would be one. A few paths are synced one by one,
 * since syncfs also waits for what everybody else has written.
 *
 * The rule that this has to keep: nothing is renamed to where others read it, and no link is set to it, before unsynced_sync
 * has said OK for what it holds.
 */
#include "base/str.h"

enum { UNSYNCED_FEW = 12 }; /* what one site has */

struct files;
struct unsynced {
	char **paths; /* owned; of files and folders */
	size_t n, cap;
};
void unsynced_fini(struct unsynced *u); /* safe on a zeroed struct */
/* MEMORY: it was not noted. */
MUST_USE enum err unsynced_put(struct unsynced *u, const char *path);
/* A folder that was written under one name got another: what is in it is found there. */
MUST_USE enum err unsynced_move(struct unsynced *u, const char *from, const char *to);
/* Empty afterwards, also when it fails. */
MUST_USE enum err unsynced_sync(struct unsynced *u, const struct files *f, struct why *why);
/* This path, now. One that is not there any more need not be. */
MUST_USE enum err unsynced_sync_one(const struct files *f, const char *path, struct why *why);
void unsynced_forget(struct unsynced *u); /* nothing of it will be read */
#endif
