#include "engine/engine.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/limits.h"
#include "base/must.h"
#include "ports/acme/many.h"
#include "ports/deploy/remote.h"
#include "ports/dnsapi/update.h"
#include "ports/keys/remote.h"
#include "ports/loop/ending.h"
#include "ports/mail/smtp.h"
#include "ports/outside/outside.h"
#include "ports/process/process.h"
#include "ports/probe/net.h"
#include "ports/vantage/ask.h"

/* The engine process: real ports around the engine, and rounds of the loop until SIGTERM. */

/*
 * A turn ends with a commit that reaches the disk, whether it holds one answer or fifty. So answers are gathered for a
 * while before the next turn: for as long as there is work under way that could bring more of them, and not noticeably.
 */
enum { GATHER_MS_MOST = 20, GATHER_WORK_A_MS = 4 };

struct run {
	const struct engine_options *options;
	const struct config *config;
	struct clock clock;
	struct loop *loop;
	struct store *store;
	struct keys_remote *keys;
	struct keys keys_port; /* what the ACME port keeps a pointer to */
	struct acme_many *acme;
	struct vantages *vantages;
	struct probe_net *probe;
	struct deploy_remote *deploy;
	struct smtp *smtp;
	struct outside *outside;
	struct updates *updates;
	struct engine *engine;
	char holder[160];
	char *eab_hmacs[LIMIT_CAS], *password;
	struct str eab_texts[LIMIT_CAS];
	struct ending ending;
	bool is_woken;
};

static void
print_log(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "koshin-engine: %s\n", line);
}

static void
on_wake(void *arg, int fd, int events)
{
	struct run *r = arg;
	char bytes[64];

	/* Only that somebody left a wish matters; the wish itself is in the store. */
	(void)events;
	r->is_woken = true;
	while (read(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes)
		continue;
}

static enum err
open_mail(struct run *r, struct why *why)
{
	const struct config *c = r->config;

	if (c->mail.server == NULL)
		return ERR_OK;
	if (c->mail.password_file != NULL) {
		enum err err = smtp_read_password(c->mail.password_file, why, &r->password);

		if (err != ERR_OK)
			return err;
	}
	const struct smtp_options o = {
		.server = c->mail.server,
		.user = c->mail.user,
		.password = r->password,
		.tls = c->mail.tls,
		.bundle = c->mail.bundle,
		.timeout_ms = 60000,
	};
	return smtp_new(r->loop, &o, why, &r->smtp);
}

static enum err
open_ports(struct run *r, struct why *why)
{
	const struct config *c = r->config;
	AUTO_BUF path = { .max = 4096 };
	const struct acme_http_options acme = {
		.user_agent = "koshin",
		.timeout_ms = c->acme.timeout_ms,
		.connections_max = c->acme.connections_max,
		.rates = budget_profile(str_of(c->cas[0].limits), str_of(c->cas[0].directory))->endpoints,
	};
	enum err err = loop_new(&r->clock, &r->loop);

	if (err == ERR_OK)
		err = ending_init(&r->ending, r->loop);
	buf_putf(&path, "%s/koshin.db", c->state_folder);
	if (err == ERR_OK)
		err = path.err;
	const struct store_options store = { .file = path.p, .may_create = true, .busy_timeout_ms = 10000 };
	if (err == ERR_OK)
		err = store_open(&store, why, &r->store);
	if (err == ERR_OK)
		err = keys_remote_new(r->loop, &r->clock, r->options->fd_keeper, &r->keys);
	if (err != ERR_OK)
		return err;
	r->keys_port = keys_remote_port(r->keys);
	err = acme_many_new(r->loop, &r->clock, &r->keys_port, &acme, &r->acme);
	if (err == ERR_OK)
		err = deploy_remote_new(r->loop, &r->clock, r->options->fd_installer, &r->deploy);
	if (err == ERR_OK)
		err = vantages_new(r->loop, &r->clock, &(struct vantages_options){ .config = c, .keys = &r->keys_port }, &r->vantages);
	if (err == ERR_OK)
		err = probe_net_configured(r->loop, &r->clock, c, r->vantages, why, &r->probe);
	if (err == ERR_OK)
		err = open_mail(r, why);
	if (err == ERR_OK)
		err = outside_new(r->loop, c, &r->outside);
	if (err == ERR_OK)
		err = updates_new(r->loop, &r->clock, c, why, &r->updates);
	for (size_t i = 0; err == ERR_OK && i < c->cas_n && i < LIMIT_CAS; i++) {
		if (c->cas[i].eab_hmac_file == NULL)
			continue;
		err = smtp_read_password(c->cas[i].eab_hmac_file, why, &r->eab_hmacs[i]);
		r->eab_texts[i] = str_of(r->eab_hmacs[i]);
	}
	return err != ERR_OK ? err : loop_watch(r->loop, r->options->fd_wake, LOOP_FIRST | LOOP_READ, on_wake, r);
}

/* Without a mail server letters stay in the outbox: nothing is lost, doctor says so. */
static enum err
refuse_mail(void *ctx, const struct mail_job *job, mail_done *done, void *arg)
{
	(void)ctx;
	(void)job;
	(void)done;
	(void)arg;
	return ERR_CONFIG;
}

static enum err
open_engine(struct run *r)
{
	process_identity(r->holder, sizeof r->holder);
	const struct engine_setup setup = {
		.config = r->config,
		.eab_hmacs = r->eab_texts,
		.ports = {
			.clock = r->clock,
			.store = r->store,
			.acme = acme_many_port(r->acme),
			.keys = keys_remote_port(r->keys),
			.probe = probe_net_port(r->probe),
			.deploy = deploy_remote_port(r->deploy),
			.mail = r->smtp != NULL ? smtp_port(r->smtp) : (struct mail){ NULL, refuse_mail },
			.witness = outside_witness(r->outside),
			.dnsapi = updates_port(r->updates),
		},
		.pid = getpid(),
		/* Three signs of life in the time after which the watchdog takes it for dead. */
		.heartbeat_every = span_min(SPAN_MIN(1), span_part(r->config->watch.dead_after, 1, 3)),
		.lease = r->config->lease,
		.holder = str_of(r->holder),
		.is_gone = process_is_gone,
		.log = print_log,
	};

	return engine_new(&setup, &r->engine);
}

static int64_t
gather_ms(const struct engine *e)
{
	struct engine_counts n = engine_count(e);
	size_t ms = (n.checks + n.orders + n.deploys) / GATHER_WORK_A_MS;

	return ms < GATHER_MS_MOST ? (int64_t)ms : GATHER_MS_MOST;
}

/* Rounds of the loop until the next turn is due: something has come in, or next_ms are over. */
static enum err
between_turns(struct run *r, int64_t next_ms)
{
	int64_t begun = clock_mono(&r->clock).ms, least = gather_ms(r->engine);
	/* An engine that has left answers lying does not want them yet. */
	bool is_held = next_ms > 0 && engine_has_news(r->engine);

	for (int64_t wait = next_ms > 0 ? next_ms : least;;) {
		enum err err = loop_round(r->loop, wait);
		int64_t passed = clock_mono(&r->clock).ms - begun;
		bool has_come = r->is_woken || engine_has_news(r->engine);
		bool is_due = (has_come && !is_held) || passed >= next_ms;

		if (err != ERR_OK || r->ending.is_wanted || (is_due && passed >= least))
			return err;
		wait = (is_due ? least : next_ms) - passed;
	}
}

static enum err
rounds(struct run *r, struct why *why)
{
	bool is_ready = false;

	while (!r->ending.is_wanted) {
		int64_t next_ms = 0;

		r->is_woken = false;
		enum err err = engine_turn(r->engine, why, &next_ms);

		if (err != ERR_OK)
			return err;
		if (!is_ready && r->options->fd_ready >= 0 && write(r->options->fd_ready, "e", 1) != 1)
			return err_of_errno(errno);
		is_ready = true;
		/* A full pipe has told it already; nobody who reads is the supervisor's to see. */
		if (r->options->fd_news >= 0 && write(r->options->fd_news, "n", 1) < 0 && errno == EBADF)
			return ERR_BUG;
		err = between_turns(r, next_ms);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

static void
close_all(struct run *r)
{
	engine_free(&r->engine);
	updates_free(&r->updates);
	outside_free(&r->outside);
	smtp_free(&r->smtp);
	deploy_remote_free(&r->deploy);
	probe_net_free(&r->probe);
	vantages_free(&r->vantages);
	acme_many_free(&r->acme);
	keys_remote_free(&r->keys);
	store_close(&r->store);
	ending_fini(&r->ending, r->loop);
	loop_free(&r->loop);
	for (size_t i = 0; i < LIMIT_CAS; i++)
		free(r->eab_hmacs[i]);
	free(r->password);
}

int
engine_run(const struct engine_options *o)
{
	struct run r = { .options = o, .config = o->config, .ending = ENDING_NONE };
	struct why why = { "" };

	r.clock = clock_real(o->config->clock_offset);
	enum err err = open_ports(&r, &why);
	if (err == ERR_OK)
		err = open_engine(&r);
	if (err == ERR_OK)
		err = rounds(&r, &why);
	if (err != ERR_OK)
		fprintf(stderr, "koshin-engine: stops: %s: %s\n", err_words(err), why.text);
	/* Where this does not come about, others wait for the end of the lease. */
	if (err == ERR_OK && engine_leave(r.engine) != ERR_OK)
		fprintf(stderr, "koshin-engine: the lease ends by itself\n");
	close_all(&r);
	return err == ERR_OK ? 0 : 1;
}
