#include "sim/acme/map.h"
#include <stdlib.h>
#include <string.h>

void
map_fini(struct map *m)
{
	for (size_t i = 0; i < m->cap; i++)
		free(m->entries[i].key);
	free(m->entries);
	*m = (struct map){ .n = 0 };
}

/* FNV-1a: keys are the test's own. */
static uint64_t
hash_of(struct str key)
{
	uint64_t h = 1469598103934665603U;

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ (uint8_t)key.p[i]) * 1099511628211U;
	return h;
}

static struct map_entry *
place_of(const struct map *m, struct str key)
{
	size_t i = hash_of(key) & (m->cap - 1);

	while (m->entries[i].key != NULL && !str_eq(str_of(m->entries[i].key), key))
		i = (i + 1) & (m->cap - 1);
	return &m->entries[i];
}

static enum err
grow(struct map *m)
{
	struct map bigger = { .n = m->n, .cap = m->cap == 0 ? 64 : 2 * m->cap };

	bigger.entries = calloc(bigger.cap, sizeof *bigger.entries);
	if (bigger.entries == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < m->cap; i++)
		if (m->entries[i].key != NULL)
			*place_of(&bigger, str_of(m->entries[i].key)) = m->entries[i];
	free(m->entries);
	*m = bigger;
	return ERR_OK;
}

enum err
map_put(struct map *m, struct str key, uint64_t value)
{
	if (2 * (m->n + 1) > m->cap) {
		enum err err = grow(m);

		if (err != ERR_OK)
			return err;
	}
	struct map_entry *e = place_of(m, key);
	if (e->key == NULL) {
		e->key = strndup(key.p, key.n);
		if (e->key == NULL)
			return ERR_MEMORY;
		m->n++;
	}
	e->value = value;
	e->is_gone = false;
	return ERR_OK;
}

void
map_remove(struct map *m, struct str key)
{
	if (m->cap == 0)
		return;
	struct map_entry *e = place_of(m, key);
	if (e->key != NULL)
		e->is_gone = true;
}

bool
map_get(const struct map *m, struct str key, uint64_t *ret)
{
	if (m->cap == 0)
		return false;
	const struct map_entry *e = place_of(m, key);
	if (e->key == NULL || e->is_gone)
		return false;
	*ret = e->value;
	return true;
}
