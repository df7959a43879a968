#include <stdio.h>
#include "cmd/client.h"
#include "cmd/places.h"
#include "http/doctor.h"
#include "ports/clock/clock.h"
#include "ports/keys/core.h"
#include "ports/keys/master.h"
#include "ports/process/process.h"

/* koshin doctor: the promises, checked on the store itself; needs no daemon. koshin config check. */

struct keyring {
	struct keys_core *core;
	struct arena arena;
};

/* A set is only made of a key and a chain that fit; this one goes nowhere. */
static enum err
key_fits(void *arg, struct str sealed_key, struct str chain_pem)
{
	struct keyring *k = arg;
	const struct keys_job job = {
		.verb = KEYS_SET, .sealed = sealed_key, .chain_pem = chain_pem
	};
	struct keys_answer answer = { .err = ERR_BUG };

	keys_do(k->core, &job, &k->arena, &answer);
	arena_clear(&k->arena);
	return answer.err;
}

static void
say_lines(const struct cmd *c, FILE *to, struct str lines)
{
	static const char alarm[] = "alarm: ";

	while (lines.n > 0) {
		struct str line = str_cut(&lines, '\n');

		if (str_starts(line, str_of(alarm)))
			CMD_SAY(c, to, "cli.doctor.alarm",
			    (struct str){ line.p + sizeof alarm - 1, line.n - (sizeof alarm - 1) });
		else
			CMD_SAY(c, to, "cli.doctor.broken", line);
	}
}

static int
report(struct cmd *c, struct str lines, size_t sites)
{
	char count[24];
	bool is_fine = lines.n == 0;

	if (c->is_json) {
		json_t *document = doctor_document(lines, sites);

		client_print_json(document);
		json_decref(document);
		return is_fine ? CMD_DONE : CMD_FAILED;
	}
	say_lines(c, stdout, lines);
	(void)snprintf(count, sizeof count, "%zu", sites);
	if (is_fine)
		CMD_SAY(c, stdout, "cli.doctor.ok", str_of(count));
	return is_fine ? CMD_DONE : CMD_FAILED;
}

static void
put_place(void *arg, const struct view_evidence *v)
{
	struct buf *lines = arg;

	if (v->result != VIEW_SEEN)
		buf_putf(lines, "vantage: %.*s does not answer: %.*s\n", STR_ARG(v->place), STR_ARG(v->detail));
}

/* Without the master key nothing can be asked of them in our name. */
static enum err
put_silent_places(const struct config *config, const struct clock *clock, const uint8_t *master, struct buf *lines)
{
	struct question_key *key = NULL;

	if (config->vantages_n == 0 || master == NULL)
		return ERR_OK;
	enum err err = question_key_new(master, &key);
	if (err == ERR_OK)
		err = places_ask(config, clock, key, put_place, lines);
	question_key_free(&key);
	return err;
}

static int
examine(struct cmd *c, const struct config *config)
{
	AUTO_ARENA a = { .max = 256 * 1024 * 1024 };
	AUTO_BUF lines = { .max = 16 * 1024 * 1024 };
	AUTO_SECRET master = { 0 };
	struct keyring keyring = { NULL, { .max = 1024 * 1024 } };
	struct clock clock = clock_real(config->clock_offset);
	const struct store_options options = { .file = doctor_store_file(config, &a).p,
		.is_readonly = true,
		.busy_timeout_ms = 10000 };
	struct doctor_subject subject = { .config = config, .now = clock_now(&clock) };
	struct why why = { "" };
	size_t sites = 0;
	static const uint8_t transport[SECRET_KEY_BYTES];

	enum err err = store_open(&options, &why, &subject.store);
	/* Without the master key (another user runs this) the keys are not looked at; everything else is. */
	if (err == ERR_OK &&
	    master_key_read(doctor_master_key_file(config, &a).p, NULL, &master) == ERR_OK &&
	    keys_core_new(master.p, transport, &keyring.core) == ERR_OK) {
		subject.key_fits = key_fits;
		subject.arg = &keyring;
	}
	if (err == ERR_OK)
		err = doctor_examine(&subject, &a, &lines, &sites);
	if (err == ERR_OK)
		err = put_silent_places(config, &clock, master.p, &lines);
	keys_core_free(&keyring.core);
	arena_fini(&keyring.arena);
	store_close(&subject.store);
	if (err == ERR_OK)
		return report(c, buf_str(&lines), sites);
	CMD_SAY(
	    c, stderr, "cli.error", str_of(why.text[0] != '\0' ? why.text : err_words(err)));
	/* Without the store there are still the watchdog's alarms. */
	buf_clear(&lines);
	doctor_alarms(config, subject.now, false, &lines);
	say_lines(c, stderr, buf_str(&lines));
	return CMD_FAILED;
}

int
cmd_doctor(struct cmd *c)
{
	struct config *config = cmd_config(c);
	int status = config != NULL && process_keep_secret() == ERR_OK ? examine(c, config) : CMD_FAILED;

	config_free(&config);
	return status;
}

int
cmd_config_check(struct cmd *c)
{
	struct config *config = cmd_config_any(c);

	if (config == NULL)
		return CMD_FAILED;
	if (c->is_json)
		(void)printf("{\"ok\": true}\n");
	else
		CMD_SAY(c, stdout, "cli.config-ok", str_of(config->file));
	config_free(&config);
	return CMD_DONE;
}
