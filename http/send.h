#ifndef KOSHIN_HTTP_SEND_H
#define KOSHIN_HTTP_SEND_H
/* A reply of the API, or a file, as HTTP: with the headers that every answer has, those of the panel if it goes to a browser. */
#include <microhttpd.h>
#include "http/api.h"

/* The headers alone. */
enum MHD_Result send_headers(
    struct MHD_Response *response, const struct api_reply *r, bool is_panel, struct arena *a);
/* MHD_NO: the connection is to be closed. The arena is used until it returns. */
enum MHD_Result send_reply(struct MHD_Connection *connection, const struct api_reply *r,
    bool is_panel, struct arena *a);
#endif
