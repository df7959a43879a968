#ifndef KOSHIN_PORTS_LINK_MESSAGE_H
#define KOSHIN_PORTS_LINK_MESSAGE_H
/* One message of a link, as both sides see it: version, kind, id, then the body up to the end of the datagram. */
#include "base/str.h"

enum message_kind {
	MESSAGE_HELLO = 1, /* server to client: I am new; no body */
	MESSAGE_REQUEST,
	MESSAGE_ANSWER,
	MESSAGE_QUIT, /* supervisor to server: end; no body */
};
struct message {
	enum message_kind kind;
	uint64_t id;
	struct str body;
};
/* Writes LINK_HEAD_BYTES bytes. */
void message_put_head(char *at, enum message_kind kind, uint64_t id);
MUST_USE enum err message_read(struct str bytes, struct message *ret);
/* One datagram. BUSY: none is there. CLOSED: the other end is gone. PROTOCOL: it was empty or too long, and is dropped. */
MUST_USE enum err message_receive(int fd, char *to, size_t size, struct str *ret);
#endif
