#ifndef KOSHIN_PORTS_ALARMS_ALARMS_H
#define KOSHIN_PORTS_ALARMS_ALARMS_H
/*
 * What the watchdog knows, in one small file beside the store: it must be there when the store is not. The watchdog
 * alone writes it (whole, by one rename); doctor and /metrics read it. Lines of text, so that a person can too.
 */
#include "base/str.h"
#include "core/watch.h"

#define ALARMS_FILE "watch.state"
/* NOT_FOUND; CORRUPT for a file that is damaged or of another version. *ret is a fresh watch then. */
MUST_USE enum err alarms_read(const char *file, struct watch *ret);
/* DISK_FULL, UNWRITABLE …: the old file is still there. Beside it, FILE.new is used. */
MUST_USE enum err alarms_write(const char *file, const struct watch *w);
/* The text form and back, for tests. */
void alarms_put(const struct watch *w, struct buf *out);
MUST_USE enum err alarms_parse(struct str text, struct watch *ret);
#endif
