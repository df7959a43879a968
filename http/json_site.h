#ifndef KOSHIN_HTTP_JSON_SITE_H
#define KOSHIN_HTTP_JSON_SITE_H
/*
 * What is said about a site, as JSON. Pure: made from the facts and core/view alone. Dates are ISO 8601 in UTC, unknown
 * ones null; texts for people come in Japanese and English together. Each function gives NULL without memory.
 */
#include <jansson.h>
#include "core/order.h"
#include "ports/store/store.h"
#include "words/words.h"

struct json_site_facts {
	struct owner_row owner;
	enum order_phase order_phase; /* of the open order; ORDER_PHASE_COUNT without one */
	const struct ca_row *ca; /* that it is with; NULL: not asked for, and nothing is said of it */
	struct when now;
	struct span zone;
	struct str panel_url;
};
/* view_of, with what its CA's row has to say; NULL: nothing. */
struct view json_site_view(const struct site *s, const struct ca_row *ca, struct when now);
json_t *json_site(const struct site *s, const struct json_site_facts *f, struct arena *a);
/* One line of a list. */
json_t *json_site_row(const struct site *s, const struct json_site_facts *f, struct arena *a);
/* site_name: ASCII form; view: of its site, zeroed without one. */
json_t *json_finding(const struct finding *f, struct str site_name, const struct view *view,
    const struct json_site_facts *facts, struct arena *a);
json_t *json_date(struct when w);
/* Bytes that are not UTF-8 (words of a server) are shown as "?". */
json_t *json_text(struct str s);
json_t *json_names(const struct str *names, size_t n, struct arena *a); /* as people read them; NULL without memory */
json_t *json_fingerprint(const uint8_t fingerprint[FINGERPRINT_BYTES]); /* null for zeros */
json_t *json_setting(const struct setting *s);
/* Puts a value that was just made into an object; takes it, and reports a lack of memory. */
bool json_put(json_t *object, const char *key, json_t *value);
#endif
