#ifndef KOSHIN_CMD_SHOW_H
#define KOSHIN_CMD_SHOW_H
/* What a person reads on the terminal: sites, findings, tables whose columns fit wide characters. */
#include <jansson.h>
#include "cmd/cmd.h"
#include "ports/config/config.h"

struct show {
	const struct cmd *cmd;
	struct words_context ctx; /* language, now, zone */
};
struct show show_init(const struct cmd *c, const struct config *config);
/* Text of a member, "" without it; of {"ja", "en"} the one in the command's language. */
const char *show_text(const json_t *o, const char *key);
const char *show_spoken(const struct show *s, const json_t *o, const char *key);
/* "2026-12-01T00:00:00Z" as people write it; the text of cli.unknown for null. In buf. */
void show_date(const struct show *s, const json_t *o, const char *key, bool with_distance, struct buf *to);
struct when show_when(const json_t *o, const char *key);
/* "label    value", the label from words_ui (NULL: none); a value of several lines is indented. */
void show_row(const struct show *s, const char *key, struct str value);
/* The three lines of a document with names and a cause, then the cause, then what was also noticed. */
void show_lines(const struct show *s, const json_t *document);
/* The whole document of a site, as `site show` prints it. */
void show_site(const struct show *s, const json_t *site);
/* One finding: cause, action with its value, who, next look; with -v also the evidence. */
void show_finding(const struct show *s, const json_t *finding);
/* The text of a key of words/ui.txt with one name in it, into a cell that lives as long as the table. */
struct str show_ui(const struct show *s, const char *key, struct arena *a);
#endif
