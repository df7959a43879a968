#ifndef KOSHIN_HTTP_OWN_REDIRECT_H
#define KOSHIN_HTTP_OWN_REDIRECT_H
/* What is said of the site's own redirect to HTTPS (core/own_redirect) to whoever wants to give SSL up. */
#include "http/inside.h"

/* `key`: what becomes of visitors, in words/ui.txt, with the name, the certificate's end and where they are sent; what to change first comes after it. null
 * where no such redirect is known; NULL without memory. */
json_t *own_redirect_json(struct api_call *c, const struct site *s, const char *key);
#endif
