#ifndef KOSHIN_PORTS_ACME_MANY_H
#define KOSHIN_PORTS_ACME_MANY_H
/*
 * Several CAs behind one ACME port: each has a port of its own (connections, trust anchors, nonces, account), made when its
 * account is first opened and kept from then on. A request goes to the CA that it names (ca_id, the account's id).
 */
#include "ports/acme/http.h"

struct acme_many;
/* The options are those of each CA, but for the bundle, which comes with its account. */
MUST_USE enum err acme_many_new(struct loop *l, const struct clock *c, struct keys *k, const struct acme_http_options *o,
    struct acme_many **ret);
void acme_many_free(struct acme_many **m);
struct acme acme_many_port(struct acme_many *m);
#endif
