#ifndef KOSHIN_SIM_ACME_MAP_H
#define KOSHIN_SIM_ACME_MAP_H
/* Text to number, in memory that only grows: the indexes of the fake CA. */
#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

struct map_entry {
	char *key;
	uint64_t value;
	bool is_gone; /* removed; the key keeps its place for those behind it */
};
struct map {
	struct map_entry *entries; /* open addressing, cap is a power of two */
	size_t n, cap;
};
void map_fini(struct map *m); /* safe on a zeroed struct */
/* Puts or changes. */
MUST_USE enum err map_put(struct map *m, struct str key, uint64_t value);
void map_remove(struct map *m, struct str key);
bool map_get(const struct map *m, struct str key, uint64_t *ret);
#endif
