#include <stdio.h>
#include <stdlib.h>
#include "cmd/client.h"
#include "ports/clock/clock.h"
#include "watch/watchdog.h"
#include "words/alarm.h"

/* koshin watch: the watchdog alone, for a unit of its own; and one look by hand. */

static bool
put(json_t *object, const char *key, json_t *value)
{
	return value != NULL && json_object_set_new(object, key, value) == 0;
}

static json_t *
alarms_of(const struct watch *w)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < ALARM_COUNT; i++) {
		const struct alarm *a = &w->alarms[i];
		json_t *row;

		if (!a->is_open)
			continue;
		row = json_object();
		if (!put(row, "alarm", json_string(alarm_name(i))) ||
		    !put(row, "cause", json_string(cause_row(alarm_cause(i))->id)) ||
		    !put(row, "seen", json_string(a->words)) ||
		    !put(row, "sites", json_integer(a->sites)) || json_array_append_new(list, row) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *
days_of(const struct watch *w)
{
	json_t *list = json_array();

	for (size_t i = 0; i < WATCH_DAYS; i++) {
		json_t *row = json_object();
		json_t *below = i < WATCH_DAYS - 1 ? json_integer(watch_days[i]) : json_null();

		if (!put(row, "days_below", below) || !put(row, "sites", json_integer(w->days_left[i])) ||
		    json_array_append_new(list, row) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static int
print_json(const struct watch *w)
{
	json_t *document = json_object();
	bool is_good = put(document, "ok", json_boolean(watch_open(w) == 0)) &&
		       put(document, "alarms", alarms_of(w)) && put(document, "sites", json_integer(w->sites)) &&
		       put(document, "days_left", days_of(w)) &&
		       put(document, "samples", json_integer(w->samples)) &&
		       put(document, "differing", json_integer(w->differing));

	if (is_good)
		client_print_json(document);
	json_decref(document);
	return is_good && watch_open(w) == 0 ? CMD_DONE : CMD_FAILED;
}

static int
print_words(const struct cmd *c, const struct watch *w)
{
	char sites[24], samples[24];

	for (unsigned i = 0; i < ALARM_COUNT; i++) {
		AUTO_BUF title = { .max = 1024 };

		if (!w->alarms[i].is_open)
			continue;
		words_alarm_title(i, c->lang, &title);
		CMD_SAY(c, stdout, "cli.watch.alarm", str_of(alarm_name(i)), buf_str(&title), str_of(w->alarms[i].words));
	}
	(void)snprintf(sites, sizeof sites, "%lld", (long long)w->sites);
	(void)snprintf(samples, sizeof samples, "%lld", (long long)w->samples);
	if (watch_open(w) == 0)
		CMD_SAY(c, stdout, "cli.watch.ok", str_of(sites), str_of(samples));
	return watch_open(w) == 0 ? CMD_DONE : CMD_FAILED;
}

static int
look_once(struct cmd *c, const struct config *config)
{
	struct watch *w = malloc(sizeof *w);
	struct why why = { "" };
	enum err e = w == NULL ? ERR_MEMORY : watchdog_once(config, &why, w);
	int status = CMD_FAILED;

	if (e == ERR_OK)
		status = c->is_json ? print_json(w) : print_words(c, w);
	else
		CMD_SAY(c, stderr, "cli.error", str_of(why.text[0] != '\0' ? why.text : err_words(e)));
	free(w);
	return status;
}

int
cmd_watch(struct cmd *c)
{
	struct config *config = cmd_config(c);
	int status = CMD_FAILED;

	if (config == NULL)
		return CMD_FAILED;
	const struct watchdog_options o = { .config = config, .fd_ready = -1 };
	if (cmd_has(c, "once"))
		status = look_once(c, config);
	else
		status = watchdog_run(&o) == 0 ? CMD_DONE : CMD_FAILED;
	config_free(&config);
	return status;
}
