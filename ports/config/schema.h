#ifndef KOSHIN_PORTS_CONFIG_SCHEMA_H
#define KOSHIN_PORTS_CONFIG_SCHEMA_H
/*
 * What the configuration file may hold: the libcyaml schema (names, types, where a value goes) and, beside it, the form
 * of each value (range of a number, an address, a URL …) with the words for what was expected. libcyaml alone lets
 * "maybe" pass as a boolean and a second document pass unseen, and names no line for what it does not know; so the
 * text is first held against both tables by its marks (config_check_text), and then loaded.
 */
#include <cyaml/cyaml.h>
#include "ports/config/config.h"

/* The file as libcyaml loads it: lengths of time are still text. */
struct config_raw {
	struct config c;
	struct {
		char *timeout, *deadline, *look_every, *poll_min, *poll_max;
		char *tell_after, *discard_after, *clock_offset, *lease, *acme_timeout, *acme_processing_max, *reserve_after, *canary_every;
		char *watch_every, *dead_after, *late_after, *blind_after;
	} span;
};
extern const cyaml_schema_value_t config_schema;

/* CONFIG, with "FILE:LINE: KEY: what was wrong; expected …" in why. */
MUST_USE enum err config_check_text(struct str yaml, const char *file, struct why *why);
/* "30 s", "250 ms", "-2 d". False for anything else. */
bool config_read_span(const char *s, int64_t *ret_ms);
#endif
