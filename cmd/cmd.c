#include "cmd/cmd.h"
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"

/* Options of every command. */
static const struct cmd_option everywhere[] = {
	{ "config", "FILE" },
	{ "json", NULL },
	{ "lang", "ja|en" },
	{ "verbose", NULL },
	{ "help", NULL },
};
enum everywhere {
	EVERYWHERE_CONFIG,
	EVERYWHERE_JSON,
	EVERYWHERE_LANG,
	EVERYWHERE_VERBOSE,
	EVERYWHERE_HELP
};
enum { EVERYWHERE_N = sizeof everywhere / sizeof *everywhere };

void
cmd_say(const struct cmd *c, FILE *to, const char *key, const struct str *args, size_t args_n)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, 64 * 1024);
	words_ui(key, c->lang, args, args_n, &text);
	(void)fprintf(to, "%.*s\n", STR_ARG(buf_str(&text)));
}

static void
say(const struct cmd *c, FILE *to, const char *key)
{
	cmd_say(c, to, key, NULL, 0);
}

int
cmd_misused(const struct cmd *c, const char *key, const char *arg)
{
	CMD_SAY(c, stderr, key, str_of(arg));
	if (c->command != NULL)
		CMD_SAY(c, stderr, "usage.see-command", str_of(c->command->name));
	else
		say(c, stderr, "usage.see");
	return CMD_MISUSED;
}

const char *
cmd_value(const struct cmd *c, const char *option)
{
	for (size_t i = 0; i < CMD_OPTIONS_MAX && c->command->options[i].name != NULL; i++)
		if (strcmp(c->command->options[i].name, option) == 0)
			return c->values[i];
	must_fail(__FILE__, __LINE__, "an option that the command has");
}

bool
cmd_has(const struct cmd *c, const char *option)
{
	return cmd_value(c, option) != NULL;
}

struct config *
cmd_config(const struct cmd *c)
{
	struct config *config = cmd_config_any(c);

	if (config == NULL || config->cas_n > 0)
		return config;
	(void)fprintf(stderr, "koshin: %s: cas: missing; this is the configuration of a vantage point, and of nothing else\n", config->file);
	config_free(&config);
	return NULL;
}

struct config *
cmd_config_any(const struct cmd *c)
{
	struct why why = { "" };
	struct config *config = NULL;
	enum err err = config_read(c->config_file, &why, &config);

	if (err == ERR_OK)
		return config;
	(void)fprintf(stderr, "koshin: %s\n", why.text[0] != '\0' ? why.text : err_words(err));
	return NULL;
}

/* Key of the words of a command or option: "site add" -> "command.site-add". */
static void
say_words_of(const struct cmd *c, const char *prefix, const char *name)
{
	char key[64];
	AUTO_BUF text = { 0 };

	must(snprintf(key, sizeof key, "%s%s", prefix, name) < (int)sizeof key);
	for (char *p = key; *p != '\0'; p++)
		if (*p == ' ')
			*p = '-';
	buf_init(&text, 4096);
	words_ui(key, c->lang, NULL, 0, &text);
	(void)printf("%.*s\n", STR_ARG(buf_str(&text)));
}

static void
help_option(const struct cmd *c, const struct cmd_option *o)
{
	char head[64];

	(void)snprintf(head, sizeof head, "--%s%s%s", o->name, o->argument == NULL ? "" : " ",
	    o->argument == NULL ? "" : o->argument);
	(void)printf("  %-28s ", head);
	say_words_of(c, "option.", o->name);
}

static int
help_command(const struct cmd *c)
{
	const struct command *m = c->command;

	(void)printf(
	    "koshin %s%s%s", m->name, m->arguments[0] == '\0' ? "" : " ", m->arguments);
	for (size_t i = 0; i < CMD_OPTIONS_MAX && m->options[i].name != NULL; i++)
		(void)printf(" [--%s%s%s]", m->options[i].name,
		    m->options[i].argument == NULL ? "" : " ",
		    m->options[i].argument == NULL ? "" : m->options[i].argument);
	(void)printf("\n\n");
	say_words_of(c, "command.", m->name);
	(void)printf("\n");
	for (size_t i = 0; i < CMD_OPTIONS_MAX && m->options[i].name != NULL; i++)
		help_option(c, &m->options[i]);
	for (size_t i = 0; i < EVERYWHERE_N; i++)
		help_option(c, &everywhere[i]);
	(void)printf("\n");
	say(c, stdout, "usage.example");
	(void)printf("%s", m->example);
	return CMD_DONE;
}

static int
help_all(const struct cmd *c, const struct command *commands)
{
	say(c, stdout, "usage.head");
	(void)printf("\n");
	for (const struct command *m = commands; m->name != NULL; m++) {
		(void)printf("  %-16s ", m->name);
		say_words_of(c, "command.", m->name);
	}
	(void)printf("\n");
	for (size_t i = 0; i < EVERYWHERE_N; i++)
		help_option(c, &everywhere[i]);
	(void)printf("\n");
	say(c, stdout, "usage.exit");
	return CMD_DONE;
}

/* The longest name of words that begins the arguments. */
static const struct command *
find_command(const struct command *commands, struct cmd *c)
{
	for (const struct command *m = commands; m->name != NULL; m++) {
		const char *second = strchr(m->name, ' ');
		size_t n = second == NULL ? strlen(m->name) : (size_t)(second - m->name);
		size_t words = second == NULL ? 1 : 2;

		if (c->args_n < words || strlen(c->args[0]) != n ||
		    strncmp(c->args[0], m->name, n) != 0)
			continue;
		if (second != NULL && strcmp(c->args[1], second + 1) != 0)
			continue;
		c->args_n -= words;
		memmove(c->args, c->args + words, c->args_n * sizeof *c->args);
		return m;
	}
	return NULL;
}

/* The options of all commands, as given. */
struct given {
	const char *at[EVERYWHERE_N];
};

static const char *
name_of_option(const char *word)
{
	static const struct {
		const char *word, *name;
	} shorts[] = { { "-c", "config" }, { "-v", "verbose" }, { "-h", "help" } };

	for (size_t i = 0; i < sizeof shorts / sizeof *shorts; i++)
		if (strcmp(shorts[i].word, word) == 0)
			return shorts[i].name;
	return strncmp(word, "--", 2) == 0 ? word + 2 : NULL;
}

/* Where an option goes: the command's own, else one of all commands; tells if it takes a value. */
static const char **
place_of(struct cmd *c, struct given *g, struct str name, bool *ret_argument)
{
	const struct command *m = c->command;

	for (size_t i = 0; m != NULL && i < CMD_OPTIONS_MAX && m->options[i].name != NULL; i++)
		if (str_eq(name, str_of(m->options[i].name))) {
			*ret_argument = m->options[i].argument != NULL;
			return &c->values[i];
		}
	for (size_t i = 0; i < EVERYWHERE_N; i++)
		if (str_eq(name, str_of(everywhere[i].name))) {
			*ret_argument = everywhere[i].argument != NULL;
			return &g->at[i];
		}
	return NULL;
}

/* Takes argv[*i], an option, and the word after it where that is its value. */
static int
take_option(struct cmd *c, struct given *g, char **argv, int *i)
{
	const char *word = argv[*i], *name = name_of_option(word);
	const char *equal = name == NULL ? NULL : strchr(name, '=');
	struct str plain = str_of(name);
	bool has_argument = false;
	const char **place;

	if (equal != NULL)
		plain.n = (size_t)(equal - name);
	place = name == NULL ? NULL : place_of(c, g, plain, &has_argument);
	if (place == NULL || (equal != NULL && !has_argument))
		return cmd_misused(c, "usage.unknown-option", word);
	if (!has_argument)
		*place = "";
	else if (equal != NULL)
		*place = equal + 1;
	else if (argv[*i + 1] != NULL)
		*place = argv[++*i];
	else
		return cmd_misused(c, "usage.option-needs-value", word);
	return CMD_DONE;
}

static bool
is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

/* Options of all commands may stand before the command; after its words, options and arguments come in any order. */
static int
parse(struct cmd *c, struct given *g, const struct command *commands, char **argv)
{
	int i = 1, status = CMD_DONE;
	bool only_args = false;

	for (; argv[i] != NULL && is_option(argv[i]) && status == CMD_DONE; i++)
		status = take_option(c, g, argv, &i);
	if (status != CMD_DONE)
		return status;
	for (int k = i; k < i + 2 && argv[k] != NULL && !is_option(argv[k]); k++)
		c->args[c->args_n++] = argv[k];
	c->command = find_command(commands, c);
	if (c->command == NULL) {
		if (c->args_n > 0)
			return cmd_misused(c, "usage.unknown-command", c->args[0]);
		for (; argv[i] != NULL && status == CMD_DONE; i++)
			status = take_option(c, g, argv, &i);
		return status;
	}
	i += strchr(c->command->name, ' ') == NULL ? 1 : 2;
	c->args_n = 0;
	for (; argv[i] != NULL && status == CMD_DONE; i++) {
		if (!only_args && strcmp(argv[i], "--") == 0)
			only_args = true;
		else if (!only_args && is_option(argv[i]))
			status = take_option(c, g, argv, &i);
		else if (c->args_n < CMD_ARGS_MAX)
			c->args[c->args_n++] = argv[i];
		else
			status = cmd_misused(c, "usage.too-many", argv[i]);
	}
	return status;
}

static enum lang
lang_of_environment(void)
{
	static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *value = getenv(names[i]);

		if (value != NULL && *value != '\0')
			return lang_of(str_of(value));
	}
	return LANG_EN;
}

static int
use_given(struct cmd *c, const struct given *g)
{
	const char *lang = g->at[EVERYWHERE_LANG], *file = getenv("KOSHIN_CONFIG");

	if (lang != NULL && strcmp(lang, "ja") != 0 && strcmp(lang, "en") != 0)
		return cmd_misused(c, "usage.bad-lang", lang);
	if (lang != NULL)
		c->lang = lang_of(str_of(lang));
	if (g->at[EVERYWHERE_CONFIG] != NULL)
		file = g->at[EVERYWHERE_CONFIG];
	c->config_file = file != NULL && *file != '\0' ? file : "/etc/koshin/koshin.yaml";
	c->is_json = g->at[EVERYWHERE_JSON] != NULL;
	c->is_verbose = g->at[EVERYWHERE_VERBOSE] != NULL;
	return CMD_DONE;
}

/* The API speaks JSON, which has no other bytes: a word that cannot be said there is refused here. NULL: there is none. */
static const char *
not_utf8(const struct cmd *c)
{
	for (size_t i = 0; i < c->args_n; i++)
		if (!str_is_utf8(str_of(c->args[i])))
			return c->args[i];
	for (size_t i = 0; i < CMD_OPTIONS_MAX; i++)
		if (c->values[i] != NULL && !str_is_utf8(str_of(c->values[i])))
			return c->values[i];
	return NULL;
}

int
cmd_main(const struct command *commands, int argc, char **argv)
{
	static struct cmd c; /* too large for a stack; a process runs one command */
	struct given given = { { NULL } };
	int status;

	if (argc < 1)
		return CMD_MISUSED;
	(void)setlocale(
	    LC_CTYPE, "C.UTF-8"); /* widths of characters; everything else speaks by words/ */
	c = (struct cmd){ .lang = lang_of_environment() };
	status = parse(&c, &given, commands, argv);
	if (status == CMD_DONE)
		status = use_given(&c, &given);
	if (status != CMD_DONE)
		return status;
	if (given.at[EVERYWHERE_HELP] != NULL)
		return c.command == NULL ? help_all(&c, commands) : help_command(&c);
	if (c.command == NULL) {
		(void)help_all(&c, commands);
		return CMD_MISUSED;
	}
	if (c.args_n < c.command->args_min)
		return cmd_misused(&c, "usage.too-few", c.command->arguments);
	if (c.args_n > c.command->args_max)
		return cmd_misused(&c, "usage.too-many", c.args[c.command->args_max]);
	if (not_utf8(&c) != NULL)
		return cmd_misused(&c, "usage.not-utf8", not_utf8(&c));
	status = c.command->run(&c);
	/* A reader that went away, or a full disk, must not pass for success. */
	if (fflush(stdout) != 0 && status == CMD_DONE)
		return CMD_FAILED;
	return status;
}
