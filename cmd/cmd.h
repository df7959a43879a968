#ifndef KOSHIN_CMD_CMD_H
#define KOSHIN_CMD_CMD_H
/*
 * The command `koshin`: one table of sub-commands (cmd/main.c), one file for each group of them. A row names its
 * options, so that parsing, --help and the completion cannot disagree. All words come from words/ui.txt.
 */
#include <stdio.h>
#include "ports/config/config.h"
#include "words/words.h"

/* Exit status; the same for every sub-command. */
enum cmd_exit {
	CMD_DONE = 0,
	CMD_FAILED = 1,	     /* it failed and said why; check: there are findings */
	CMD_MISUSED = 2,     /* wrong use */
	CMD_UNREACHABLE = 3, /* the daemon cannot be reached */
};
enum { CMD_OPTIONS_MAX = 16, CMD_ARGS_MAX = 1024 };

struct cmd_option {
	const char *name;     /* "owner" for --owner */
	const char *argument; /* "MAIL"; NULL: a switch */
};
struct cmd {
	const char *config_file;
	bool is_json, is_verbose;
	enum lang lang;
	const struct command *command;
	const char *args[CMD_ARGS_MAX]; /* what is neither option nor value */
	size_t args_n;
	const char *values[CMD_OPTIONS_MAX]; /* of the command's options, in their order; "" for a switch; NULL: not given */
};
struct command {
	const char *name; /* "site add" */
	int (*run)(struct cmd *c);
	const char *arguments; /* "NAME[,NAME...]", for the synopsis */
	size_t args_min, args_max;
	const char *example; /* whole lines */
	struct cmd_option options[CMD_OPTIONS_MAX];
};

/* Runs the command line; `commands` ends with a row without a name. */
int cmd_main(const struct command *commands, int argc, char **argv);

/* The value of an option of this command, NULL if it was not given. Another name is a bug. */
const char *cmd_value(const struct cmd *c, const char *option);
bool cmd_has(const struct cmd *c, const char *option);
/* Says one text of words/ui.txt, with a line end. */
void cmd_say(const struct cmd *c, FILE *to, const char *key, const struct str *args, size_t args_n);
#define CMD_SAY(c, to, key, ...)                                                                     \
	cmd_say(c, to, key, (const struct str[]){ __VA_ARGS__ },                                     \
	    sizeof((const struct str[]){ __VA_ARGS__ }) / sizeof(struct str))
/* Says the text and the line about --help, on stderr; gives CMD_MISUSED. */
int cmd_misused(const struct cmd *c, const char *key, const char *arg);
/* The configuration; NULL after its mistake was said on stderr. */
struct config *cmd_config(const struct cmd *c);
/* The same where it may be that of a machine which is a vantage point and nothing else: it has neither servers nor a CA. */
struct config *cmd_config_any(const struct cmd *c);

/* Sub-commands; `koshin COMMAND --help` says what each is for. */
int cmd_serve(struct cmd *c);
int cmd_watch(struct cmd *c);
int cmd_vantage(struct cmd *c);
int cmd_vantage_key(struct cmd *c);
int cmd_vantage_test(struct cmd *c);
int cmd_site_add(struct cmd *c);
int cmd_site_list(struct cmd *c);
int cmd_site_show(struct cmd *c);
int cmd_site_history(struct cmd *c);
int cmd_site_set(struct cmd *c);
int cmd_site_remove(struct cmd *c);
int cmd_site_suspend(struct cmd *c);
int cmd_site_resume(struct cmd *c);
int cmd_site_start_over(struct cmd *c);
int cmd_renew(struct cmd *c);
int cmd_check(struct cmd *c);
int cmd_cert_show(struct cmd *c);
int cmd_cert_check(struct cmd *c);
int cmd_cert_export(struct cmd *c);
int cmd_cert_revoke(struct cmd *c);
int cmd_cert_revoke(struct cmd *c);
int cmd_cert_request(struct cmd *c);
int cmd_cert_import(struct cmd *c);
int cmd_ca_list(struct cmd *c);
int cmd_ca_add(struct cmd *c);
int cmd_ca_rollover(struct cmd *c);
int cmd_ca_unblock(struct cmd *c);
int cmd_ca_limits(struct cmd *c);
int cmd_ca_resume(struct cmd *c);
int cmd_ca_test(struct cmd *c);
int cmd_mail_receive(struct cmd *c);
int cmd_user_add(struct cmd *c);
int cmd_user_set(struct cmd *c);
int cmd_user_invite(struct cmd *c);
int cmd_user_token(struct cmd *c);
int cmd_user_list(struct cmd *c);
int cmd_user_password(struct cmd *c);
int cmd_user_link(struct cmd *c);
int cmd_user_reset_codes(struct cmd *c);
int cmd_user_remove(struct cmd *c);
int cmd_question_list(struct cmd *c);
int cmd_question_show(struct cmd *c);
int cmd_question_answer(struct cmd *c);
int cmd_question_close(struct cmd *c);
int cmd_overview(struct cmd *c);
int cmd_alarms(struct cmd *c);
int cmd_letters(struct cmd *c);
int cmd_status(struct cmd *c);
int cmd_causes(struct cmd *c);
int cmd_doctor(struct cmd *c);
int cmd_config_check(struct cmd *c);
int cmd_simulate(struct cmd *c);
#endif
