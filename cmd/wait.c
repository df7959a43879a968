#include "cmd/wait.h"
#include <stdio.h>
#include <string.h>
#include "cmd/show.h"
#include "cmd/terminal.h"
#include "ports/clock/clock.h"

enum {
	LONGEST_S = 900,
	OURS_S =
	    60, /* a fault of ours gets this long to be mended: a reload takes a moment, a CA is busy for one */
	STEP_TEXT_MAX = 4096
};

struct waiting {
	struct cmd *cmd;
	struct client *client;
	struct show show;
	const char *name;
	enum wait_for what;
	char before[2 * FINGERPRINT_BYTES +
		    1];		 /* the certificate that was there when the waiting began; THIS: that is waited for */
	char checked_before[32]; /* and its last check: an older cause stops nobody */
	const char *step;	 /* key of the step that is shown */
	struct mono began, step_began;
	struct mono ours_since; /* 0: no cause of ours stands */
	struct clock clock;
	bool is_terminal;
};

static const char *
step_of(const json_t *site)
{
	const char *doing = show_text(site, "doing"),
		   *phase = show_text(json_object_get(site, "order"), "phase");

	if (strcmp(doing, "check") == 0)
		return "cli.step.check";
	if (strcmp(doing, "order") == 0)
		return strcmp(phase, "placed") == 0	 ? "cli.step.validate"
		       : strcmp(phase, "finalized") == 0 ? "cli.step.receive"
							 : "cli.step.order";
	if (strcmp(doing, "deploy") == 0)
		return "cli.step.deploy";
	return strcmp(doing, "verify") == 0 ? "cli.step.verify" : NULL;
}

/* The running step with its seconds, on a terminal; drawn anew each second. */
static void
draw(void *arg)
{
	struct waiting *w = arg;
	AUTO_BUF text = { .max = STEP_TEXT_MAX };

	if (!w->is_terminal || w->step == NULL)
		return;
	words_ui(w->step, w->cmd->lang, NULL, 0, &text);
	(void)printf("\r\033[K         %.*s ... %lld s", STR_ARG(buf_str(&text)),
	    (long long)(clock_mono(&w->clock).ms - w->step_began.ms) / 1000);
	(void)fflush(stdout);
}

/* The line of a step that is over: when it ended, what it was, how long it took. */
static void
end_step(struct waiting *w)
{
	AUTO_BUF text = { .max = STEP_TEXT_MAX };
	struct mono now = clock_mono(&w->clock);

	if (w->step == NULL)
		return;
	words_ui(w->step, w->cmd->lang, NULL, 0, &text);
	(void)printf("%s%6.1f s  %.*s (%.1f s)\n", w->is_terminal ? "\r\033[K" : "",
	    (double)(now.ms - w->began.ms) / 1000, STR_ARG(buf_str(&text)),
	    (double)(now.ms - w->step_began.ms) / 1000);
	(void)fflush(stdout);
	w->step = NULL;
}

static void
show_step(struct waiting *w, const char *key)
{
	if (w->cmd->is_json || key == w->step ||
	    (key != NULL && w->step != NULL && strcmp(w->step, key) == 0))
		return;
	end_step(w);
	w->step = key;
	w->step_began = clock_mono(&w->clock);
	draw(w);
}

static bool
is_there(const struct waiting *w, const json_t *site)
{
	const json_t *certificate = json_object_get(site, "certificate");
	const char *fingerprint = show_text(certificate, "fingerprint");

	return json_is_true(json_object_get(certificate, "live")) &&
	       strcmp(show_text(site, "doing"), "nothing") == 0 &&
	       (w->what == WAIT_ISSUED || (strcmp(fingerprint, w->before) == 0) == (w->what == WAIT_THIS));
}

/* Nothing is under way and a cause stands in the way. One that the owner has to mend stops the wait at once; one of ours
 * is tried again by itself, so it gets a while. */
static bool
is_stopped(struct waiting *w, const json_t *site)
{
	const json_t *cause = json_object_get(site, "cause");
	const char *checked = show_text(site, "checked_at"), *who = show_text(cause, "who");
	int64_t now = clock_mono(&w->clock).ms;

	if (!json_is_object(cause))
		w->ours_since.ms = 0;
	if (strcmp(show_text(site, "doing"), "nothing") != 0 || !json_is_object(cause) ||
	    strcmp(checked, w->checked_before) == 0)
		return false;
	if (strcmp(who, actor_name(ACTOR_HOST)) != 0 &&
	    strcmp(who, actor_name(ACTOR_NOBODY)) != 0)
		return true;
	if (w->ours_since.ms == 0)
		w->ours_since.ms = now;
	return now - w->ours_since.ms >= OURS_S * 1000;
}

static int
done(struct waiting *w, const json_t *site)
{
	bool is_all = strcmp(show_text(site, "state"), "ok") == 0;

	end_step(w);
	if (w->cmd->is_json)
		client_print_json(site);
	else
		cmd_say(w->cmd, stdout, is_all ? "cli.step.done" : "cli.step.partly", NULL, 0);
	if (!is_all && !w->cmd->is_json)
		show_site(&w->show, site);
	return CMD_DONE;
}

static int
stopped(struct waiting *w, const json_t *site)
{
	const json_t *cause = json_object_get(site, "cause");

	end_step(w);
	if (w->cmd->is_json)
		client_print_json(site);
	else
		show_finding(&w->show, cause);
	CMD_SAY(
	    w->cmd, stderr, "cli.step.stopped", str_of(show_spoken(&w->show, cause, "title")));
	return CMD_FAILED;
}

static int
follow(struct waiting *w, struct arena *a)
{
	char mark[256] = "";
	json_int_t since = 0;

	while (clock_mono(&w->clock).ms - w->began.ms < LONGEST_S * 1000) {
		json_t *news = NULL;
		struct str rest = arena_strf(a, "/events?since=%lld&mark=%.*s",
		    (long long)since, STR_ARG(client_escape(w->client, mark)));
		int status = client_ask(w->client, "GET",
		    client_site_path(w->client, w->name, rest.p != NULL ? rest.p : "/events"),
		    NULL, &news);

		if (status != CMD_DONE)
			return status;
		const json_t *site = json_object_get(news, "site");
		since = json_integer_value(json_object_get(news, "last"));
		(void)snprintf(mark, sizeof mark, "%s", show_text(news, "mark"));
		show_step(w, step_of(site));
		bool is_over = is_there(w, site);
		if (is_over || is_stopped(w, site)) {
			status = is_over ? done(w, site) : stopped(w, site);
			json_decref(news);
			return status;
		}
		json_decref(news);
		arena_clear(a);
	}
	end_step(w);
	CMD_SAY(w->cmd, stderr, "cli.step.timeout", str_of(w->name));
	return CMD_FAILED;
}

static int
wait_until(struct cmd *c, struct client *cl, const char *name, enum wait_for what, const char *fingerprint)
{
	AUTO_ARENA a = { .max = 1024 * 1024 };
	struct waiting w = {
		.cmd = c,
		.client = cl,
		.show = show_init(c, client_config(cl)),
		.name = name,
		.what = what,
		.clock = clock_real(client_config(cl)->clock_offset),
		.is_terminal = terminal_is_one(),
	};
	json_t *site = NULL;

	w.began = clock_mono(&w.clock);
	int status = client_ask(cl, "GET", client_site_path(cl, name, ""), NULL, &site);
	if (status != CMD_DONE)
		return status;
	(void)snprintf(w.before, sizeof w.before, "%s",
	    what == WAIT_THIS ? fingerprint : show_text(json_object_get(site, "certificate"), "fingerprint"));
	if (what != WAIT_ISSUED)
		(void)snprintf(w.checked_before, sizeof w.checked_before, "%s",
		    show_text(site, "checked_at"));
	json_decref(site);
	if (!c->is_json)
		cmd_say(c, stdout, "cli.waiting", NULL, 0);
	w.step_began = w.began;
	client_set_tick(cl, draw, &w);
	status = follow(&w, &a);
	client_set_tick(cl, NULL, NULL);
	return status;
}

int
wait_for(struct cmd *c, struct client *cl, const char *name, enum wait_for what)
{
	return wait_until(c, cl, name, what, "");
}

int
wait_for_this(struct cmd *c, struct client *cl, const char *name, const char *fingerprint)
{
	return wait_until(c, cl, name, WAIT_THIS, fingerprint);
}
