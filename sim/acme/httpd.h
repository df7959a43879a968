#ifndef KOSHIN_SIM_ACME_HTTPD_H
#define KOSHIN_SIM_ACME_HTTPD_H
/*
 * HTTP/1.1 over TLS on the process's loop, small and able to misbehave on demand: answers that are late, slow, cut in half,
 * never sent, or replaced by a reset of the connection. Connections are kept; one request at a time on each. Knows nothing
 * of ACME.
 */
#include <openssl/ssl.h>
#include "base/str.h"
#include "ports/loop/loop.h"

enum { HTTPD_LISTENERS_MAX = 8, HTTPD_CONNECTIONS_MAX = 2000, HTTPD_HEAD_BYTES = 16 * 1024 };

/* Borrowed for the call of the handler. */
struct httpd_request {
	struct str method, path; /* the path as it came, with its query */
	struct str host, type;	 /* Host, Content-Type */
	struct str accept_language;
	struct str peer;	 /* address of the client, without its port */
	struct str body;
};
enum httpd_manner {
	HTTPD_WHOLE,
	HTTPD_HALF,   /* announces the whole body, sends half of it and closes */
	HTTPD_SLOW,   /* sends `bytes_per_s` */
	HTTPD_SILENT, /* sends nothing and keeps the connection */
	HTTPD_RESET,  /* resets the connection */
};
struct httpd_reply {
	int status;
	const char *type;   /* Content-Type; NULL: no body */
	struct buf headers; /* whole lines, each with CR LF */
	struct buf body;
	enum httpd_manner manner;
	unsigned bytes_per_s;
	int64_t after_ms; /* is sent so much later */
};
/* Fills the reply; its buffers come empty and belong to the server. */
typedef void httpd_handler(void *arg, const struct httpd_request *r, struct httpd_reply *ret);

struct httpd;
/* tls NULL: plain HTTP. */
MUST_USE enum err httpd_new(struct loop *l, SSL_CTX *tls, httpd_handler *handler, void *arg, struct httpd **ret);
void httpd_free(struct httpd **h);
/* Begins to listen on "127.0.0.1:14000"; port 0 takes a free one. ret_port: the one that was taken. */
MUST_USE enum err httpd_listen(struct httpd *h, const char *where, struct why *why, uint16_t *ret_port);
/* Closes listeners and connections at once, as a machine does that is switched off; httpd_start listens again. */
void httpd_stop(struct httpd *h);
MUST_USE enum err httpd_start(struct httpd *h, struct why *why);
#endif
