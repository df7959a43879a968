#ifndef KOSHIN_HTTP_ROUTE_H
#define KOSHIN_HTTP_ROUTE_H
/*
 * The routes of the API. The table is made from doc/openapi.yaml by the build (http/openapi); http/check.c refuses what it does
 * not allow, so a handler sees only known fields of the type and size that the description promises.
 */
#include "http/inside.h"

enum api_field_kind {
	API_FIELD_TEXT,	 /* min, max: characters */
	API_FIELD_WHOLE, /* min, max: the value */
	API_FIELD_BOOL,
	API_FIELD_TEXTS,  /* a list; min, max: how many */
	API_FIELD_OBJECT, /* what is in it the handler checks */
};
struct api_field {
	const char *name;
	enum api_field_kind kind;
	int64_t min, max;
	const char *const *words; /* TEXT: those that are allowed, then NULL; NULL: any */
	bool is_required;
};
struct api_fields {
	const struct api_field *at;
	size_t n;
};
struct api_route {
	const char *id, *method;
	const char
	    *parts[API_PATH_PARTS + 1]; /* after /api/v1, then NULL; "*" is a parameter */
	enum err (*answer)(struct api_call *c);
	unsigned who;	   /* ACCESS_… */
	const char *scope; /* that a token must have; NULL: no token may call it */
	bool has_body;
	bool takes_key;	 /* Idempotency-Key (http/once.h) */
	bool has_secret; /* its answer is kept nowhere */
	struct api_fields path, query, body;
};
extern const struct api_route api_routes[];
extern const size_t api_routes_n;

/* Reads the body into c->body and judges everything that came in; INVALID with what, where, and what was expected. */
MUST_USE enum err check_request(struct api_call *c, const struct api_route *r);
#endif
