#include "sim/fleet/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cyaml/cyaml.h>

/*
 * The file is loaded by libcyaml, whose backtrace has the line of what does not fit the schema; what fits the schema and makes no
 * sense is said with the line on which its key stands.
 */

struct file_life {
	uint32_t *from_day, *hours;
};
struct file_outage {
	uint32_t *from_day, *hours;
	enum fleet_outage_kind kind;
};
struct fleet_file {
	uint32_t *sites, *days, *seed, *fill_days, *replace_day, *servers, *dns_companies, *orders_open;
	uint32_t *pair_percent, *many_percent, *redirect_percent;
	uint32_t *quick_percent, *late_percent, *www_missing_percent, *faults, *wishes, *drafts;
	uint32_t *orders, *window_hours, *answer_ms, *validation_ms;
	bool chance;
	struct file_life *lives;
	struct file_outage *outages;
	unsigned lives_count, outages_count;
};

#define NUMBER(key, type, member) CYAML_FIELD_UINT_PTR(key, CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, type, member)
#define GROUP(name, list) \
	{ .key = name, .value = { .type = CYAML_MAPPING, .flags = CYAML_FLAG_OPTIONAL, .data_size = sizeof(struct fleet_file), \
	    .mapping = { .fields = list } }, .data_offset = 0 }

static const cyaml_strval_t kinds[] = { { "down", OUTAGE_DOWN }, { "patience", OUTAGE_PATIENCE }, { "silent", OUTAGE_SILENT },
	{ "rubbish", OUTAGE_RUBBISH }, { "internal", OUTAGE_INTERNAL }, { "limit", OUTAGE_LIMIT }, { "refuse", OUTAGE_REFUSE } };
static const cyaml_schema_field_t life_fields[] = {
	NUMBER("from_day", struct file_life, from_day),
	NUMBER("hours", struct file_life, hours),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t life = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_life, life_fields) };
static const cyaml_schema_field_t outage_fields[] = {
	NUMBER("from_day", struct file_outage, from_day),
	NUMBER("hours", struct file_outage, hours),
	CYAML_FIELD_ENUM("kind", CYAML_FLAG_STRICT, struct file_outage, kind, kinds, sizeof kinds / sizeof *kinds),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t outage = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_outage, outage_fields) };
static const cyaml_schema_field_t names_fields[] = {
	NUMBER("pair_percent", struct fleet_file, pair_percent),
	NUMBER("many_percent", struct fleet_file, many_percent),
	NUMBER("redirect_percent", struct fleet_file, redirect_percent),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t owners_fields[] = {
	NUMBER("quick_percent", struct fleet_file, quick_percent),
	NUMBER("late_percent", struct fleet_file, late_percent),
	NUMBER("www_missing_percent", struct fleet_file, www_missing_percent),
	NUMBER("faults", struct fleet_file, faults),
	NUMBER("wishes", struct fleet_file, wishes),
	NUMBER("drafts", struct fleet_file, drafts),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t ca_fields[] = {
	NUMBER("orders", struct fleet_file, orders),
	NUMBER("window_hours", struct fleet_file, window_hours),
	NUMBER("answer_ms", struct fleet_file, answer_ms),
	NUMBER("validation_ms", struct fleet_file, validation_ms),
	CYAML_FIELD_SEQUENCE("lives", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, struct fleet_file, lives, &life, 1, FLEET_CALENDAR_MAX),
	CYAML_FIELD_SEQUENCE("outages", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, struct fleet_file, outages, &outage, 1, FLEET_OUTAGES_MAX),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t top_fields[] = {
	NUMBER("sites", struct fleet_file, sites),
	NUMBER("days", struct fleet_file, days),
	NUMBER("seed", struct fleet_file, seed),
	NUMBER("fill_days", struct fleet_file, fill_days),
	NUMBER("replace_day", struct fleet_file, replace_day),
	NUMBER("servers", struct fleet_file, servers),
	NUMBER("dns_companies", struct fleet_file, dns_companies),
	NUMBER("orders_open", struct fleet_file, orders_open),
	CYAML_FIELD_BOOL("chance", CYAML_FLAG_OPTIONAL, struct fleet_file, chance),
	GROUP("names", names_fields),
	GROUP("owners", owners_fields),
	GROUP("ca", ca_fields),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t top = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct fleet_file, top_fields) };

/* --- mistakes --- */

struct log {
	char first[200]; /* what was wrong */
	char where[200]; /* the innermost line of the backtrace */
};

__attribute__((format(printf, 3, 0))) static void
keep_log(cyaml_log_t level, void *arg, const char *fmt, va_list args)
{
	struct log *l = arg;
	char line[200];

	if (level < CYAML_LOG_ERROR)
		return;
	(void)vsnprintf(line, sizeof line, fmt, args);
	line[strcspn(line, "\n")] = '\0';
	if (l->first[0] == '\0')
		(void)snprintf(l->first, sizeof l->first, "%s", line);
	else if (l->where[0] == '\0' && strstr(line, "line:") != NULL)
		(void)snprintf(l->where, sizeof l->where, "%s", line);
}

static unsigned
line_in(const char *text)
{
	const char *at = strstr(text, "line: ");

	return at != NULL ? (unsigned)strtoul(at + strlen("line: "), NULL, 10) : 0;
}

static const char *
words_of(const char *log)
{
	const char *at = strstr(log, ": ");

	return at != NULL ? at + 2 : log;
}

struct reader {
	struct str yaml;
	const char *file;
	struct why *why;
	enum err err;
};

/* The line on which a key stands; the first one, if it stands more than once. */
static unsigned
line_of(struct str yaml, const char *key)
{
	unsigned line = 0;

	while (yaml.n > 0) {
		struct str one = str_cut(&yaml, '\n');

		line++;
		while (one.n > 0 && (*one.p == ' ' || *one.p == '-' || *one.p == '{'))
			one = (struct str){ one.p + 1, one.n - 1 };
		if (str_starts(one, str_of(key)) && one.n > strlen(key) && one.p[strlen(key)] == ':')
			return line;
		if (str_find(one, str_of(key)) != SIZE_MAX && str_find(one, STR("{")) != SIZE_MAX)
			return line;
	}
	return 0;
}

/* What would have been right in place of what libcyaml met. */
static const char *
expected_for(const struct log *l, struct str yaml, unsigned *ret_line)
{
	const char *key = strstr(l->first, "Unexpected key: ");

	*ret_line = line_in(l->where);
	if (key != NULL) {
		*ret_line = line_of(yaml, key + strlen("Unexpected key: "));
		return "one of the keys that etc/fleet.yaml explains";
	}
	if (strstr(l->first, "ENUM") != NULL)
		return "down, patience, silent, rubbish, internal, limit or refuse";
	if (strstr(l->first, "int") != NULL)
		return "a whole number";
	return "what etc/fleet.yaml explains";
}

static uint32_t
number(struct reader *r, const char *key, const uint32_t *given, uint32_t otherwise, uint32_t least, uint32_t most)
{
	if (given == NULL)
		return otherwise;
	if (*given >= least && *given <= most)
		return *given;
	if (r->err == ERR_OK)
		why_set(r->why, "%s:%u: %s: %u; expected a number from %u to %u", r->file, line_of(r->yaml, key), key, *given, least, most);
	r->err = ERR_CONFIG;
	return otherwise;
}

static void
take_ca(struct reader *r, const struct fleet_file *f, struct fleet_plan *p)
{
	uint32_t days = (uint32_t)(p->span.s / 86400), last = 0;

	p->ca.orders_capacity = number(r, "orders", f->orders, p->ca.orders_capacity, 1, 100000000);
	p->ca.orders_window = SPAN_H(number(r, "window_hours", f->window_hours, 3, 1, 8760));
	p->ca.answer_ms = (int32_t)number(r, "answer_ms", f->answer_ms, 50, 1, 60000);
	p->ca.validation_ms = (int32_t)number(r, "validation_ms", f->validation_ms, 1500, 1, 600000);
	for (unsigned i = 0; i < f->lives_count; i++) {
		uint32_t from = number(r, "from_day", f->lives[i].from_day, 0, i == 0 ? 0 : last + 1, days);

		p->ca.calendar[i] = (struct fleet_life){ when_plus(p->start, SPAN_D(from)),
			SPAN_H(number(r, "hours", f->lives[i].hours, 90 * 24, 1, 24 * 398)) };
		last = from;
		p->ca.calendar_n = i + 1;
	}
	for (unsigned i = 0; i < f->outages_count; i++) {
		p->ca.outages[i] = (struct fleet_outage){
			when_plus(p->start, SPAN_D(number(r, "from_day", f->outages[i].from_day, 0, 0, days))),
			SPAN_H(number(r, "hours", f->outages[i].hours, 1, 1, 24 * 3650)), f->outages[i].kind };
		p->ca.outages_n = i + 1;
	}
}

static void
take(struct reader *r, const struct fleet_file *f, struct fleet_plan *p)
{
	if (f->chance)
		fleet_plan_faults(p);
	p->lives_by_seed = false;
	p->sites = number(r, "sites", f->sites, 1000, 1, FLEET_SITES_MAX);
	p->span = SPAN_D(number(r, "days", f->days, 365, 1, 365000));
	p->calm = span_min(p->calm, span_part(p->span, 1, 4));
	p->seed = number(r, "seed", f->seed, 1, 0, UINT32_MAX);
	p->fill = SPAN_D(number(r, "fill_days", f->fill_days, 0, 0, (uint32_t)(p->span.s / 86400)));
	if (f->replace_day != NULL)
		p->replace_at = when_plus(p->start, SPAN_D(number(r, "replace_day", f->replace_day, 0, 0, (uint32_t)(p->span.s / 86400))));
	p->servers = (uint16_t)number(r, "servers", f->servers, p->servers, 1, 1000);
	p->companies = (uint16_t)number(r, "dns_companies", f->dns_companies, p->companies, 1, 64);
	p->orders_open_max = number(r, "orders_open", f->orders_open, p->orders_open_max, 1, LIMIT_ORDERS_OPEN);
	p->pair_percent = (uint8_t)number(r, "pair_percent", f->pair_percent, p->pair_percent, 0, 100);
	p->many_percent = (uint8_t)number(r, "many_percent", f->many_percent, p->many_percent, 0, 100U - p->pair_percent);
	p->redirect_percent = (uint8_t)number(r, "redirect_percent", f->redirect_percent, p->redirect_percent, 0, 100);
	p->quick_percent = (uint8_t)number(r, "quick_percent", f->quick_percent, p->quick_percent, 0, 100);
	p->late_percent = (uint8_t)number(r, "late_percent", f->late_percent, p->late_percent, 0, 100U - p->quick_percent);
	p->www_missing_percent = (uint8_t)number(r, "www_missing_percent", f->www_missing_percent, p->www_missing_percent, 0, 100);
	p->owner_faults = number(r, "faults", f->faults, p->owner_faults, 0, 1000000);
	p->wishes = number(r, "wishes", f->wishes, p->wishes, 0, 1000000);
	p->drafts = number(r, "drafts", f->drafts, p->drafts, 0, 1000000);
	take_ca(r, f, p);
}

enum err
fleet_file_read(struct str yaml, const char *file, struct fleet_plan *ret, struct why *why)
{
	struct log log = { "", "" };
	const cyaml_config_t config = { .log_fn = keep_log, .log_ctx = &log, .log_level = CYAML_LOG_ERROR, .mem_fn = cyaml_mem,
		.flags = CYAML_CFG_NO_ALIAS };
	struct reader r = { yaml, file, why, ERR_OK };
	struct fleet_file *f = NULL;
	struct fleet_plan p;

	fleet_plan_init(&p);
	if (str_trim(yaml).n == 0) {
		why_set(why, "%s:1: the file is empty; expected the keys that etc/fleet.yaml explains", file);
		return ERR_CONFIG;
	}
	cyaml_err_t err = cyaml_load_data((const uint8_t *)yaml.p, yaml.n, &config, &top, (cyaml_data_t **)&f, NULL);
	if (err != CYAML_OK || f == NULL) {
		unsigned line;
		const char *expected = expected_for(&log, yaml, &line);

		why_set(why, "%s:%u: %s; expected %s", file, line,
		    log.first[0] != '\0' ? words_of(log.first) : cyaml_strerror(err), expected);
		return ERR_CONFIG;
	}
	take(&r, f, &p);
	(void)cyaml_free(&config, &top, f, 0);
	if (r.err == ERR_OK)
		*ret = p;
	return r.err;
}
