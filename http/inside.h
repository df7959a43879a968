#ifndef KOSHIN_HTTP_INSIDE_H
#define KOSHIN_HTTP_INSIDE_H
/* What the files of the API share; nobody else includes it. */
#include <jansson.h>
#include "http/api.h"
#include "http/read.h"
#include "api_table.h"
#include "ports/store/people.h"

enum { API_PATH_PARTS = 4 };
/* One request on its way. */
struct api_call {
	struct api *api;
	const struct api_request *q;
	struct arena *a;
	struct api_reply *reply;
	struct turn turn;
	struct str name; /* of the path: NAME as typed, or another parameter: the last one */
	struct str parent; /* the one before it, where the path has two */
	json_t *body;	 /* an object, judged by the table; NULL: the operation has none */
	struct why why;	 /* detail of an error */
	struct asker asker;
	struct str by;	      /* who asks, for the history of a site */
	struct person_row person; /* who asks; id 0: the command, or nobody */
	struct session_row session; /* id 0: none */
	struct str csrf;	    /* that this session's changes have to bring */
	struct audit_row audit;	    /* what is written of a change */
	struct str other; /* EXISTS: the site that has the name, for people */
};

/* Takes the document; 500 for NULL (no memory). */
void api_give(struct api_call *c, int status, json_t *document);
/* Of the query, which the table has judged: a text (STR_NONE without the key), a whole number (0 without it). */
struct str api_text(const struct api_call *c, const char *key);
int64_t api_whole(const struct api_call *c, const char *key);
size_t api_limit(const struct api_call *c); /* "?limit=", otherwise 100 */
/* The site that has the name of the path; NOT_FOUND with words, also where it is another owner's. */
MUST_USE enum err api_find(struct api_call *c, int64_t *ret_id);
MUST_USE enum err api_load(struct api_call *c, struct site *ret);
/* The answer that is a site, with its version. */
MUST_USE enum err api_give_site(struct api_call *c, int status, int64_t id);
/* A line of the site's history, by who asks. */
MUST_USE enum err api_put_history(struct api_call *c, int64_t site_id, enum history_kind kind, struct str subject);
/* Ends the transaction: all of it, or, after an error or where the commit fails, nothing. */
MUST_USE enum err api_commit(struct api_call *c, enum err err);
/* Ends the transaction: all of it, and the engine is woken; or nothing. */
MUST_USE enum err api_end(struct api_call *c, enum err err);
/* Stores a new live setting, the names that follow from it (typed: others than before; n 0: those of before), and the wish; inside a
 * transaction. */
MUST_USE enum err api_put_live(struct api_call *c, const struct site *s, const struct setting *setting, struct read_texts typed);
/* The CA that a site without a certificate is with; NULL: it has one, or there is no CA. */
MUST_USE enum err api_ca_of(struct api_call *c, const struct site *s, const struct ca_row **ret);
/* The whole document of one site. */
MUST_USE enum err api_site_document(struct api_call *c, const struct site *s, json_t **ret);
/* One line of the history; NULL without memory. */
json_t *api_history_line(const struct history_row *h);
/* Another text as soon as something can be seen of a site that is not in its history: what is being done, and the last look. */
struct str api_site_mark(const struct site *s, const json_t *document, struct arena *a);
/* The version of what people can change of a site: its setting, its draft and the names that are wanted. */
struct str api_version(const struct site *s, struct arena *a); /* "…" with its quotes; empty without memory */
void api_put_version(struct api_call *c, const struct site *s);
/* STALE: the caller expected another version (If-Match, RFC 9110 13.1.1). To be asked within the transaction of the change. */
MUST_USE enum err api_expects(const struct api_call *c, const struct site *s);
void api_wake(struct api_call *c);
/* The detail of an error: a text of words/ui.txt about one name (ASCII form). */
void api_say(struct api_call *c, const char *key, struct str name);
#endif
