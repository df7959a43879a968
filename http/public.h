#ifndef KOSHIN_HTTP_PUBLIC_H
#define KOSHIN_HTTP_PUBLIC_H
/* What the web process answers to everybody: challenges (RFC 8555 8.3), health, metrics. Nothing else is there. */
#include "http/api.h"

struct public_pages {
	struct store *store;
	const struct config *config;
	char thumbprint
	    [64]; /* of the first CA's account key: 43 characters; empty before an account exists */
};
/* A whole answer in *ret, which is zeroed. store_is_writable: as the process has last seen it. */
void public_answer(struct public_pages *p, struct str method, struct str path, struct when now,
    bool store_is_writable, struct arena *a, struct api_reply *ret);
#endif
