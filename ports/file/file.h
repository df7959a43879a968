#ifndef KOSHIN_PORTS_FILE_FILE_H
#define KOSHIN_PORTS_FILE_FILE_H
/* Small files that the configuration names: a certificate, a bundle of roots, a password, a list. */
#include "base/str.h"

/*
 * The whole of it, put behind what `to` holds; more than its max is ERR_TOO_LONG. is_secret: of its owner alone, else ERR_DENIED with
 * words; what was read is in `to` and nowhere else. `why` says which file and what is the matter with it; it may be NULL.
 */
MUST_USE enum err file_read(const char *path, bool is_secret, struct buf *to, struct why *why);
#endif
