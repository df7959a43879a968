#ifndef KOSHIN_PORTS_KEYS_MASTER_H
#define KOSHIN_PORTS_KEYS_MASTER_H
/*
 * The file of the master key: one line, `koshin-master-key-1 KEY CHECK`. KEY is base64url; CHECK tells a damaged file
 * from a whole one, because a key with one wrong letter would make every sealed key look damaged instead.
 * Without this file nothing sealed can ever be opened again: it belongs into the backup, and nowhere else.
 */
#include "ports/keys/secret.h"

/* Makes a new key: complete at the path and on the disk, or not there at all. EXISTS if there is one. */
MUST_USE enum err master_key_make(const char *path, struct why *why);
/* NOT_FOUND; CORRUPT with what is wrong; DENIED if others than its owner may read it. */
MUST_USE enum err master_key_read(const char *path, struct why *why, struct secret *ret);
#endif
