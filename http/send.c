#include "http/send.h"
#include <string.h>

/* What every answer says, unless it says something else itself. The panel loads nothing from elsewhere, is in no frame, and
 * runs no script that is not a file of its own. */
static const struct fixed_header {
	const char *name, *value;
	bool is_panel;
} fixed_headers[] = {
	{ "Cache-Control", "no-store", false },
	{ "X-Content-Type-Options", "nosniff", false },
	{ "Content-Security-Policy",
	    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
	    "font-src 'self'; connect-src 'self'; "
	    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	    true },
	{ "Referrer-Policy", "same-origin", true },
	{ "Cross-Origin-Opener-Policy", "same-origin", true },
	{ "Cross-Origin-Resource-Policy", "same-origin", true },
	{ "Permissions-Policy", "camera=(), geolocation=(), microphone=()", true },
};

static bool
says(const struct api_reply *r, const char *name)
{
	for (size_t i = 0; i < r->headers_n; i++)
		if (strcmp(r->headers[i].name, name) == 0)
			return true;
	return false;
}

enum MHD_Result
send_headers(
    struct MHD_Response *response, const struct api_reply *r, bool is_panel, struct arena *a)
{
	enum MHD_Result put = MHD_add_response_header(response, "Content-Type", r->type);

	for (size_t i = 0; put == MHD_YES && i < sizeof fixed_headers / sizeof *fixed_headers;
	     i++)
		if ((!fixed_headers[i].is_panel || is_panel) && !says(r, fixed_headers[i].name))
			put = MHD_add_response_header(
			    response, fixed_headers[i].name, fixed_headers[i].value);
	for (size_t i = 0; put == MHD_YES && i < r->headers_n; i++) {
		struct str value = arena_str(a, r->headers[i].value);

		put = value.p == NULL
			  ? MHD_NO
			  : MHD_add_response_header(response, r->headers[i].name, value.p);
	}
	return put;
}

enum MHD_Result
send_reply(struct MHD_Connection *connection, const struct api_reply *r, bool is_panel,
    struct arena *a)
{
	static char nothing[1];
	struct MHD_Response *response;
	enum MHD_Result sent;

	/* Copied, if it does not last: the response lives as long as the connection sends. */
	if (r->lasting != NULL)
		response = MHD_create_response_from_buffer(
		    r->lasting_n, r->lasting, MHD_RESPMEM_PERSISTENT);
	else
		response = MHD_create_response_from_buffer(
		    r->body.n, r->body.p == NULL ? nothing : r->body.p, MHD_RESPMEM_MUST_COPY);
	if (response == NULL)
		return MHD_NO;
	sent = send_headers(response, r, is_panel, a);
	if (sent == MHD_YES)
		sent = MHD_queue_response(connection, (unsigned)r->status, response);
	MHD_destroy_response(response);
	return sent;
}
