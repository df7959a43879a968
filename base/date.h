#ifndef KOSHIN_BASE_DATE_H
#define KOSHIN_BASE_DATE_H
/* Dates as programs write them to each other: RFC 3339 5.6, "2026-11-26T12:00:00.5+09:00". Parts of a second are dropped. */
#include "base/arena.h"
#include "base/str.h"
#include "base/when.h"

/* Registries are found that leave the zone out; what they write is UTC. */
enum date_zone { DATE_ZONE_NEEDED, DATE_ZONE_OR_UTC };

/* WHEN_UNKNOWN for what is no date. A space may stand for the T, and a leap second is the one before it. */
struct when date_read(struct str s, enum date_zone zone);
/* "2026-11-26T12:00:00Z" and a NUL. */
enum { DATE_TEXT_BYTES = 32 };
void date_put(struct when w, char ret[DATE_TEXT_BYTES]);
/* The same in an arena; empty for WHEN_UNKNOWN. */
struct str date_text(struct when w, struct arena *a);
/* The day alone, in UTC: "2026-11-26". Empty for WHEN_UNKNOWN. */
struct str date_day_text(struct when w, struct arena *a);
void date_put_day(struct when w, char ret[DATE_TEXT_BYTES]);
#endif
