#ifndef KOSHIN_HTTP_INSIDE_H
#define KOSHIN_HTTP_INSIDE_H
/* What the files of the API share; nobody else includes it. */
#include <jansson.h>
#include "http/api.h"

enum { API_PATH_PARTS = 4 };
/* One request on its way. */
struct api_call {
	struct api *api;
	const struct api_request *q;
	struct arena *a;
	struct api_reply *reply;
	struct turn turn;
	struct str name; /* NAME of the path, as typed */
	struct why why;	 /* detail of an error */
	struct str other; /* EXISTS: the site that has the name, for people */
};

/* Takes the document; 500 for NULL (no memory). */
void api_give(struct api_call *c, int status, json_t *document);
/* "?limit=": 1 to LIMIT_PAGE_ROWS; otherwise 100. INVALID with words. */
MUST_USE enum err api_limit(struct api_call *c, size_t *ret);
MUST_USE enum err api_whole_number(
    struct api_call *c, const char *key, int64_t *ret); /* 0 without the key */
/* The site that has the name of the path; NOT_FOUND with words. */
MUST_USE enum err api_find(struct api_call *c, int64_t *ret_id);
MUST_USE enum err api_load(struct api_call *c, struct site *ret);
/* The whole document of one site. */
MUST_USE enum err api_site_document(struct api_call *c, const struct site *s, json_t **ret);
void api_wake(struct api_call *c);
/* The detail of an error: a text of words/ui.txt about one name (ASCII form). */
void api_say(struct api_call *c, const char *key, struct str name);

/* http/sites.c */
enum err sites_list(struct api_call *c);
enum err sites_add(struct api_call *c);
enum err site_show(struct api_call *c);
enum err site_change(struct api_call *c);
enum err site_remove(struct api_call *c);
enum err site_renew(struct api_call *c);
enum err site_check_again(struct api_call *c);
enum err site_resume(struct api_call *c);
enum err site_key(struct api_call *c);
enum err draft_put(struct api_call *c);
enum err draft_discard(struct api_call *c);
enum err draft_apply(struct api_call *c);
/* http/records.c */
enum err site_history_list(struct api_call *c);
enum err site_letters_list(struct api_call *c);
enum err site_certificate(struct api_call *c);
enum err site_events(struct api_call *c);
enum err unclassified_list(struct api_call *c);
enum err doctor_report(struct api_call *c);
/* http/limits.c */
enum err limits_list(struct api_call *c);
/* http/cas.c */
enum err cas_list(struct api_call *c);
enum err ca_add(struct api_call *c);
enum err ca_rollover(struct api_call *c);
#endif
