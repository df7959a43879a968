#include "ports/link/message.h"
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include "base/must.h"
#include "base/wire.h"
#include "ports/link/link.h"

void
message_put_head(char *at, enum message_kind kind, uint64_t id)
{
	at[0] = WIRE_VERSION;
	at[1] = (char)kind;
	for (int i = 0; i < 8; i++)
		at[2 + i] = (char)(id >> (56 - 8 * i) & 0xff);
}

enum err
message_read(struct str bytes, struct message *ret)
{
	struct wire_reader r;
	uint8_t kind = wire_open(&r, bytes);
	uint64_t id = wire_get_u64(&r);
	struct str body = wire_get_rest(&r);

	if (wire_close(&r) != ERR_OK || kind < MESSAGE_HELLO || kind > MESSAGE_QUIT)
		return ERR_PROTOCOL;
	if ((kind == MESSAGE_HELLO || kind == MESSAGE_QUIT) && body.n > 0)
		return ERR_PROTOCOL;
	*ret = (struct message){ (enum message_kind)kind, id, body };
	return ERR_OK;
}

enum err
message_receive(int fd, char *to, size_t size, struct str *ret)
{
	ssize_t n;

	/* MSG_TRUNC makes the call return the true length of the datagram. */
	do
		n = recv(fd, to, size, MSG_DONTWAIT | MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? ERR_BUSY : ERR_CLOSED;
	if (n ==
	    0) { /* the end of the file, or an empty datagram, which must not pass for it */
		struct pollfd hung_up = { .fd = fd, .events = POLLRDHUP };

		return poll(&hung_up, 1, 0) > 0 &&
			       (hung_up.revents & (POLLHUP | POLLRDHUP)) != 0
			   ? ERR_CLOSED
			   : ERR_PROTOCOL;
	}
	if ((size_t)n > size)
		return ERR_PROTOCOL;
	*ret = (struct str){ to, (size_t)n };
	return ERR_OK;
}
