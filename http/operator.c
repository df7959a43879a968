/* The operator's first page: the fleet at a glance, alarms, and letters that did not arrive. Only reads. */
#include <stdlib.h>
#include "http/inside.h"
#include "http/json_site.h"
#include "http/operator.h"
#include "ports/alarms/alarms.h"
#include "ports/names/names.h"
#include "ports/store/operator.h"
#include "words/alarm.h"

enum { DAYS_SHOWN = 120, TITLE_BYTES = 4096 };

/* Takes both; false without memory. */
static bool
append(json_t *list, json_t *one)
{
	return json_array_append_new(list, one) == 0;
}

/* --- the overview --- */

/* By days from today on, as the provider's clock has them: the past is in the first, the far future in the last. */
static json_t *
endings_of(const struct ending_row *rows, size_t n, struct when now, struct span zone)
{
	int64_t today = forecast_day(now, zone), counts[DAYS_SHOWN + 1] = { 0 };
	json_t *list = json_array();
	bool ok = list != NULL;

	for (size_t i = 0; i < n; i++) {
		int64_t days = forecast_day(rows[i].hour, zone) - today;

		counts[days < 0 ? 0 : days > DAYS_SHOWN ? DAYS_SHOWN : days] += rows[i].n;
	}
	for (int64_t i = 0; ok && i <= DAYS_SHOWN; i++)
		if (counts[i] != 0)
			ok = operator_put_day(list, today, i, counts[i]);
	if (ok)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *
title_of(const struct cluster_row *r, const struct words_context *context)
{
	const struct finding f = { .cause = r->cause, .subject = r->name, .acts = cause_row(r->cause)->acts };
	json_t *o = json_object();

	for (enum lang l = 0; l < LANG_COUNT; l++) {
		struct words_context c = *context;
		AUTO_BUF text = { .max = TITLE_BYTES };

		c.lang = l;
		words_cause_title(&f, &c, &text);
		if (!json_put(o, lang_name(l), json_text(buf_str(&text)))) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

static json_t *
cluster_of(struct api_call *c, const struct cluster_row *r)
{
	const struct words_context context = { .now = c->turn.now,
		.zone = config_zone(c->api->config),
		.site_name = r->site,
		.for_people = names_for_people };
	const struct cause_row *row = cause_row(r->cause);
	json_t *o = json_object();

	if (json_put(o, "cause", json_string(row->id)) && json_put(o, "title", title_of(r, &context)) &&
	    json_put(o, "acts", json_string(actor_name(row->acts))) &&
	    json_put(o, "severity", json_string(severity_name(row->severity))) && json_put(o, "n", json_integer(r->n)) &&
	    json_put(o, "since", json_date(r->since)) && json_put(o, "name", json_text(names_for_people(r->name, c->a))) &&
	    json_put(o, "site", r->site.n == 0 ? json_null() : json_text(r->site)))
		return o;
	json_decref(o);
	return NULL;
}

static json_t *
clusters_of(struct api_call *c, const struct cluster_row *rows, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		if (!append(list, cluster_of(c, &rows[i]))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *
heartbeats_of(const struct heartbeat_row *rows, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *o = json_object();
		bool ok = json_put(o, "process", json_text(rows[i].process));

		ok = json_put(o, "at", json_date(rows[i].at)) && ok;
		if (!ok) {
			json_decref(o);
			o = NULL;
		}
		if (!append(list, o)) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *
standing_of(const struct store_overview *v)
{
	json_t *o = json_object();
	int64_t all = 0;
	bool ok = true;

	for (enum site_standing s = 0; s < SITE_STANDING_COUNT; s++) {
		all += v->standing[s];
		ok = json_put(o, site_standing_name(s), json_integer(v->standing[s])) && ok;
	}
	if (json_put(o, "all", json_integer(all)) && ok)
		return o;
	json_decref(o);
	return NULL;
}

/* No file, or one that cannot be read: the watchdog has not looked, and the page says so. */
static enum err
read_watch(struct api_call *c, struct watch *ret)
{
	struct str path = arena_strf(c->a, "%s/%s", c->api->config->state_folder, ALARMS_FILE);
	enum err err = path.p == NULL ? ERR_MEMORY : alarms_read(path.p, ret);

	return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? ERR_OK : err;
}

static enum err
read_forecast(struct api_call *c, struct forecast *ret)
{
	struct watch *w = malloc(sizeof *w);
	enum err err = w == NULL ? ERR_MEMORY : read_watch(c, w);

	if (err == ERR_OK)
		*ret = w->forecast;
	free(w);
	return err;
}

enum err
overview_show(struct api_call *c)
{
	struct store *s = c->api->store;
	struct store_overview v;
	struct ending_row *endings;
	struct cluster_row *clusters;
	struct heartbeat_row *beats;
	size_t endings_n, clusters_n, beats_n;
	struct forecast forecast;
	json_t *planned = NULL;
	enum err err = store_overview(s, c->turn.now, &v);

	if (err == ERR_OK)
		err = store_endings(s, c->a, &endings, &endings_n);
	if (err == ERR_OK)
		err = store_clusters(s, c->a, &clusters, &clusters_n);
	if (err == ERR_OK)
		err = store_heartbeats(s, c->a, &beats, &beats_n);
	if (err == ERR_OK)
		err = read_forecast(c, &forecast);
	if (err == ERR_OK)
		err = operator_forecast(c, &forecast, &planned);
	if (err != ERR_OK)
		return err;
	json_t *o = json_object();
	if (json_put(o, "forecast", planned) && json_put(o, "at", json_date(c->turn.now)) && json_put(o, "sites", standing_of(&v)) &&
	    json_put(o, "ended", json_integer(v.ended)) &&
	    json_put(o, "endings", endings_of(endings, endings_n, c->turn.now, config_zone(c->api->config))) &&
	    json_put(o, "causes", clusters_of(c, clusters, clusters_n)) &&
	    json_put(o, "letters_waiting", json_integer(v.letters_waiting)) &&
	    json_put(o, "letters_given_up", json_integer(v.letters_given_up)) &&
	    json_put(o, "letters_bounced", json_integer(v.letters_bounced)) &&
	    json_put(o, "questions_open", json_integer(v.questions_open)) &&
	    json_put(o, "orders_open", json_integer(v.orders_open)) &&
	    json_put(o, "processes", heartbeats_of(beats, beats_n))) {
		api_give(c, 200, o);
		return ERR_OK;
	}
	json_decref(o);
	return ERR_MEMORY;
}

/* --- alarms --- */

static json_t *
alarm_text(unsigned alarm, void (*put)(unsigned alarm, enum lang l, struct buf *out))
{
	json_t *o = json_object();

	for (enum lang l = 0; l < LANG_COUNT; l++) {
		AUTO_BUF text = { .max = TITLE_BYTES };

		put(alarm, l, &text);
		if (!json_put(o, lang_name(l), json_text(buf_str(&text)))) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

static json_t *
alarm_of(const struct alarm_past *p)
{
	json_t *o = json_object();

	if (json_put(o, "alarm", json_string(alarm_name(p->alarm))) &&
	    json_put(o, "title", alarm_text(p->alarm, words_alarm_title)) &&
	    json_put(o, "todo", alarm_text(p->alarm, words_alarm_todo)) && json_put(o, "since", json_date(p->since)) &&
	    json_put(o, "ended", json_date(p->ended)) && json_put(o, "sites", json_integer(p->sites)) &&
	    json_put(o, "seen", json_text(str_of(p->words))))
		return o;
	json_decref(o);
	return NULL;
}

/* One of severity "alarm": the others have no words of an alarm. */
static bool
has_words(unsigned alarm)
{
	return alarm < WATCH_FAULT_COUNT ||
	       (alarm != WATCH_FAULT_COUNT + CAUSE_NONE && cause_row(alarm_cause(alarm))->severity == SEVERITY_ALARM);
}

static bool
put_open(json_t *list, const struct watch *w)
{
	for (unsigned i = 0; i < ALARM_COUNT; i++) {
		const struct alarm *a = &w->alarms[i];
		struct alarm_past p = { .since = a->since, .ended = WHEN_UNKNOWN, .sites = a->sites, .alarm = i };

		if (!a->is_open || !has_words(i))
			continue;
		(void)snprintf(p.words, sizeof p.words, "%s", a->words);
		if (!append(list, alarm_of(&p)))
			return false;
	}
	return true;
}

static bool
put_past(json_t *list, const struct watch *w)
{
	for (size_t i = 0; i < w->past_n; i++)
		if (has_words(w->past[i].alarm) && !append(list, alarm_of(&w->past[i])))
			return false;
	return true;
}

enum err
alarms_list(struct api_call *c)
{
	struct watch *w = malloc(sizeof *w);
	enum err err = w == NULL ? ERR_MEMORY : read_watch(c, w);

	if (err != ERR_OK) {
		free(w);
		return err;
	}
	json_t *open = json_array(), *past = json_array(), *o = json_object();
	bool ok = put_open(open, w) && put_past(past, w);
	ok = json_put(o, "looked_at", json_date(w->at)) && ok;
	ok = json_put(o, "open", open) && ok;
	ok = json_put(o, "past", past) && ok;
	free(w);
	if (ok) {
		api_give(c, 200, o);
		return ERR_OK;
	}
	json_decref(o);
	return ERR_MEMORY;
}

/* --- letters --- */

static enum err
letter_of(struct api_call *c, const struct letter_row *l, json_t **ret)
{
	bool is_back = when_is_known(l->bounced_at);
	const char *state = is_back ? "bounced" : l->next_try.s == WHEN_NEVER.s ? "given-up" : "waiting";
	struct str site = STR_NONE;
	enum err err = l->site_id == 0 ? ERR_OK : store_listed_name(c->api->store, l->site_id, c->a, &site);
	json_t *o = json_object();

	if (err == ERR_OK && json_put(o, "id", json_integer(l->id)) &&
	    json_put(o, "site", site.n == 0 ? json_null() : json_text(names_for_people(site, c->a))) &&
	    json_put(o, "kind", json_string(letter_name(l->kind))) && json_put(o, "state", json_string(state)) &&
	    json_put(o, "to", json_text(l->to)) && json_put(o, "subject", json_text(l->subject)) &&
	    json_put(o, "created", json_date(l->created)) && json_put(o, "next_try", json_date(is_back ? WHEN_UNKNOWN : l->next_try)) &&
	    json_put(o, "tries", json_integer((json_int_t)l->tries)) &&
	    json_put(o, "said", json_text(is_back ? l->bounce : l->error))) {
		*ret = o;
		return ERR_OK;
	}
	json_decref(o);
	return err != ERR_OK ? err : ERR_MEMORY;
}

enum err
letters_trouble(struct api_call *c)
{
	struct letter_row *rows;
	size_t n, max = api_limit(c);
	enum err err = store_letters_trouble(c->api->store, api_whole(c, "before"), max, c->a, &rows, &n);

	if (err != ERR_OK)
		return err;
	json_t *list = json_array(), *o = json_object();
	for (size_t i = 0; err == ERR_OK && i < n; i++) {
		json_t *one = NULL;

		err = letter_of(c, &rows[i], &one);
		if (err == ERR_OK && !append(list, one))
			err = ERR_MEMORY;
	}
	bool ok = json_put(o, "letters", list);
	ok = json_put(o, "before", n == max ? json_integer(rows[n - 1].id) : json_null()) && ok;
	if (err == ERR_OK && ok) {
		api_give(c, 200, o);
		return ERR_OK;
	}
	json_decref(o);
	return err != ERR_OK ? err : ERR_MEMORY;
}
