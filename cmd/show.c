#include "cmd/show.h"
#include <stdlib.h>
#include <string.h>
#include "base/date.h"
#include "cmd/terminal.h"
#include "ports/clock/clock.h"

enum { LABEL_COLUMNS = 24, TEXT_MAX = 64 * 1024 };

struct show
show_init(const struct cmd *c, const struct config *config)
{
	struct clock clock = clock_real(config != NULL ? config->clock_offset : SPAN_S(0));

	return (struct show){
		.cmd = c,
		.ctx = {
			.lang = c->lang,
			.now = clock_now(&clock),
			.zone = config != NULL ? config_zone(config) : SPAN_H(9),
		},
	};
}

const char *
show_text(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text != NULL ? text : "";
}

const char *
show_spoken(const struct show *s, const json_t *o, const char *key)
{
	return show_text(json_object_get(o, key), lang_name(s->cmd->lang));
}

struct when
show_when(const json_t *o, const char *key)
{
	return date_read(str_of(show_text(o, key)), DATE_ZONE_NEEDED);
}

void
show_date(
    const struct show *s, const json_t *o, const char *key, bool with_distance, struct buf *to)
{
	struct when w = show_when(o, key);

	if (!when_is_known(w)) {
		words_ui("cli.unknown", s->cmd->lang, NULL, 0, to);
		return;
	}
	words_date(w, &s->ctx, to);
	if (!with_distance)
		return;
	if (s->ctx.lang == LANG_EN)
		buf_putc(to, ' ');
	words_distance(w, &s->ctx, to);
}

struct str
show_ui(const struct show *s, const char *key, struct arena *a)
{
	AUTO_BUF text = { .max = TEXT_MAX };

	words_ui(key, s->cmd->lang, NULL, 0, &text);
	return arena_str(a, buf_str(&text));
}

void
show_row(const struct show *s, const char *key, struct str value)
{
	AUTO_BUF label = { .max = TEXT_MAX };
	bool is_first = true;

	if (key != NULL)
		words_ui(key, s->cmd->lang, NULL, 0, &label);
	do {
		struct str head = is_first ? buf_str(&label) : STR_NONE;
		size_t width = terminal_width(head);

		terminal_put(stdout, head);
		terminal_pad(width < LABEL_COLUMNS ? LABEL_COLUMNS - width : 1);
		terminal_put(stdout, str_cut(&value, '\n'));
		(void)putchar('\n');
		is_first = false;
	} while (value.n > 0);
}

static void
show_date_row(const struct show *s, const char *label, const json_t *o, const char *key)
{
	AUTO_BUF text = { .max = TEXT_MAX };

	show_date(s, o, key, true, &text);
	show_row(s, label, buf_str(&text));
}

void
show_finding(const struct show *s, const json_t *f)
{
	const char *copy = show_text(json_object_get(f, "action"), "copy");
	AUTO_BUF who = { .max = TEXT_MAX };
	char key[64];
	size_t i;
	json_t *line;

	show_row(s, "cli.label.cause", str_of(show_spoken(s, f, "explanation")));
	(void)snprintf(key, sizeof key, "actor.%s", show_text(f, "who"));
	words_ui(key, s->cmd->lang, NULL, 0, &who);
	show_row(s, "cli.label.who", buf_str(&who));
	show_row(s, "cli.label.action", str_of(show_spoken(s, f, "action")));
	if (copy[0] != '\0')
		show_row(s, "cli.label.value", str_of(copy));
	show_row(s, "cli.label.next-look", str_of(show_spoken(s, f, "next")));
	if (!s->cmd->is_verbose)
		return;
	show_row(s, "cli.head.id", str_of(show_text(f, "cause")));
	json_array_foreach(json_object_get(f, "evidence"), i, line)
	    show_row(s, i == 0 ? "cli.label.evidence" : NULL, str_of(json_string_value(line)));
}

static void
show_visitors(const struct show *s, const json_t *site)
{
	AUTO_BUF text = { .max = TEXT_MAX };
	size_t i;
	json_t *n;

	json_array_foreach(json_object_get(site, "names"), i, n)
	{
		char key[64];
		struct str name = str_of(show_text(n, "name"));

		if (!json_is_true(json_object_get(n, "wanted")))
			continue;
		if (text.n > 0)
			buf_putc(&text, '\n');
		(void)snprintf(key, sizeof key, "names.%s", show_text(n, "visitors"));
		words_ui(key, s->cmd->lang, &name, 1, &text);
	}
	show_row(s, "cli.label.now", buf_str(&text));
}

/* The same thing may be open for several names; what the site's cause said is not said twice. */
static void
show_also(const struct show *s, const json_t *site)
{
	const json_t *cause = json_object_get(site, "cause");
	bool is_first = true;
	size_t i, k;
	json_t *n, *f;

	json_array_foreach(json_object_get(site, "names"), i, n)
	    json_array_foreach(json_object_get(n, "findings"), k, f)
	{
		if (json_equal(f, cause))
			continue;
		if (is_first) {
			(void)printf("\n");
			cmd_say(s->cmd, stdout, "cli.label.also", NULL, 0);
		}
		is_first = false;
		(void)printf("  ");
		terminal_put(stdout, str_of(show_text(f, "subject")));
		(void)printf(": ");
		terminal_put(stdout, str_of(show_spoken(s, f, "explanation")));
		(void)putchar('\n');
	}
}

/* One of the words that settings are made of, as people say it. */
static void
put_word(const struct show *s, const char *prefix, const char *word, struct buf *to)
{
	char key[64];

	(void)snprintf(key, sizeof key, "%s.%s", prefix, word);
	words_ui(key, s->cmd->lang, NULL, 0, to);
}

static void
show_word_row(const struct show *s, const char *label, const char *prefix, const char *word)
{
	AUTO_BUF text = { .max = TEXT_MAX };

	put_word(s, prefix, word, &text);
	show_row(s, label, buf_str(&text));
}

/* What a setting would become: "Coverage: the domain and www -> the domain alone". */
static void
put_change(const struct show *s, const char *field, const json_t *from, const json_t *to,
    struct buf *out)
{
	static const struct {
		const char *field, *label, *prefix;
	} fields[] = { { "source", "cli.label.source", "source" },
		{ "coverage", "cli.label.coverage", "coverage" },
		{ "key_type", "cli.label.key-type", "key-type" },
		{ "redirect", "cli.label.redirect", "cli" },
		{ "hsts", "cli.label.hsts", "cli" } };

	buf_putc(out, '\n');
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (strcmp(fields[i].field, field) != 0)
			continue;
		words_ui(fields[i].label, s->cmd->lang, NULL, 0, out);
		buf_put_str(out, STR(": "));
		put_word(s, fields[i].prefix,
		    json_is_boolean(from) ? (json_is_true(from) ? "on" : "off")
					  : json_string_value(from),
		    out);
		buf_put_str(out, STR(" → "));
		put_word(s, fields[i].prefix,
		    json_is_boolean(to) ? (json_is_true(to) ? "on" : "off")
					: json_string_value(to),
		    out);
		return;
	}
	/* A folder or an address speaks for itself. */
	buf_putf(out, "%s: %s → %s", field, json_string_value(from), json_string_value(to));
}

/* When and by whom it was begun, and what would be different with it. */
static void
show_draft(const struct show *s, const json_t *site, const json_t *draft)
{
	AUTO_BUF text = { .max = TEXT_MAX };
	const char *by = show_text(draft, "begun_by");
	const json_t *setting = json_object_get(site, "setting");
	json_t *wanted = json_object_get(draft, "setting"), *to;
	const char *field;

	show_date(s, draft, "begun_at", true, &text);
	if (by[0] != '\0')
		buf_putf(&text, " %s", by);
	json_object_foreach(wanted, field, to)
	{
		const json_t *from = json_object_get(setting, field);

		if (!json_equal(from, to) && (json_is_boolean(to) || json_is_string(to)))
			put_change(s, field, from, to, &text);
	}
	show_row(s, "cli.label.draft", buf_str(&text));
}

/* The date and why it is this one; behind it the CA's own page about it, if it has any. */
static void
show_renewal(const struct show *s, const json_t *site)
{
	const json_t *renewal = json_object_get(site, "renewal");
	AUTO_BUF text = { .max = TEXT_MAX };
	const char *page = show_text(renewal, "explanation");

	show_date(s, site, "next_renewal", true, &text);
	buf_putf(&text, "\n%s", show_spoken(s, renewal, "because"));
	if (page[0] != '\0')
		buf_putf(&text, "\n%s", page);
	show_row(s, "cli.label.next-renewal", buf_str(&text));
}

static void
show_settings(const struct show *s, const json_t *site)
{
	const json_t *setting = json_object_get(site, "setting"),
		     *certificate = json_object_get(site, "certificate");
	AUTO_BUF text = { .max = TEXT_MAX };
	json_int_t redirect = json_integer_value(json_object_get(site, "redirect"));

	(void)printf("\n");
	show_row(s, "cli.label.owner", str_of(show_text(site, "owner")));
	show_word_row(s, "cli.label.source", "source", show_text(setting, "source"));
	show_word_row(s, "cli.label.coverage", "coverage", show_text(setting, "coverage"));
	if (redirect != 0) {
		words_ui("cli.on", s->cmd->lang, NULL, 0, &text);
		buf_putf(&text, " (%d)", (int)redirect);
	} else {
		words_ui(json_is_true(json_object_get(setting, "redirect")) ? "cli.off-for-now"
									    : "cli.off",
		    s->cmd->lang, NULL, 0, &text);
	}
	show_row(s, "cli.label.redirect", buf_str(&text));
	if (show_text(setting, "profile")[0] != '\0')
		show_row(s, "cli.label.profile", str_of(show_text(setting, "profile")));
	if (json_is_object(certificate)) {
		show_row(
		    s, "cli.label.fingerprint", str_of(show_text(certificate, "fingerprint")));
		show_renewal(s, site);
	}
	if (json_is_object(json_object_get(site, "draft")))
		show_draft(s, site, json_object_get(site, "draft"));
}

/* Beside a cause: what differs from the last good check of the name that it is about. */
static void
show_changes(const struct show *s, const json_t *document, const json_t *cause)
{
	size_t i, k, shown = 0;
	json_t *name, *change;

	json_array_foreach(json_object_get(document, "names"), i, name)
	{
		if (strcmp(show_text(name, "ascii"), show_text(cause, "subject")) != 0)
			continue;
		json_array_foreach(json_object_get(name, "changed"), k, change)
		    show_row(s, shown++ == 0 ? "cli.label.changed" : NULL, str_of(show_spoken(s, change, "text")));
	}
}

void
show_lines(const struct show *s, const json_t *document)
{
	const json_t *cause = json_object_get(document, "cause");

	/* Three lines first: what visitors see, until when, what to do. */
	show_visitors(s, document);
	if (when_is_known(show_when(document, "since")))
		show_date_row(s, "cli.label.since", document, "since");
	else if (when_is_known(show_when(document, "until")))
		show_date_row(s, "cli.label.until", document, "until");
	if (json_is_object(cause)) {
		show_finding(s, cause);
		show_changes(s, document, cause);
	} else {
		AUTO_BUF nothing = { .max = TEXT_MAX };

		words_ui("cli.no-action", s->cmd->lang, NULL, 0, &nothing);
		show_row(s, "cli.label.action", buf_str(&nothing));
		if (when_is_known(show_when(document, "next_look")))
			show_date_row(s, "cli.label.next-look", document, "next_look");
	}
	show_also(s, document);
}

void
show_site(const struct show *s, const json_t *site)
{
	(void)printf(
	    "%s\n%s\n\n", show_spoken(s, site, "pill"), show_spoken(s, site, "headline"));
	show_lines(s, site);
	show_settings(s, site);
}
