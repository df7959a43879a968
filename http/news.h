#ifndef KOSHIN_HTTP_NEWS_H
#define KOSHIN_HTTP_NEWS_H
/* What has happened since somebody last looked: the history of a site, or of all, as events; and the site as it is now. */
#include "http/api.h"

/* Where somebody is. */
struct news_place {
	int64_t site_id; /* 0: all sites */
	int64_t last;	 /* number of the last line of the history that was told */
	char mark[96];	 /* of the site as it was told; empty: it was not */
};
/*
 * Gives each line since then, oldest first, as event "history" with its number; then, of one site and if it is not as it was,
 * event "site". data: JSON in one line. After a failure the place is behind the last line that was given.
 */
MUST_USE enum err news_read(struct api *api, struct news_place *place, struct arena *a,
    void (*give)(void *arg, struct str id, struct str name, struct str data), void *arg);
#endif
