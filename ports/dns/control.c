/*
 * Tells "this domain does not answer" from "we cannot ask anybody". A forwarder is asked directly over UDP for the
 * root's name servers: a server that serves a few zones only refuses that, which is an answer too, while libunbound
 * would report a failure.
 */
#include "ports/dns/control.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FORWARDERS_ASKED_MAX = 8, HEADER_BYTES = 12, RCODE_SERVFAIL = 2 };

struct dns_control {
	struct loop *loop;
	struct resolver *resolver;
	dns_control_fn *fn;
	void *arg;
	struct loop_timer *timer;
	struct dns_ask *ask;
	int fds[FORWARDERS_ASKED_MAX];
	size_t fds_n;
	uint8_t id[2];
};

void
resolver_control_drop(struct dns_control **controlp)
{
	struct dns_control *c = *controlp;

	if (c == NULL)
		return;
	*controlp = NULL;
	loop_cancel(c->loop, &c->timer);
	resolver_drop(&c->ask);
	for (size_t i = 0; i < c->fds_n; i++) {
		loop_unwatch(c->loop, c->fds[i]);
		close(c->fds[i]);
	}
	free(c);
}

static void
end(struct dns_control *c, bool works)
{
	dns_control_fn *fn = c->fn;
	void *arg = c->arg;

	resolver_control_drop(&c);
	fn(arg, works);
}

static void
on_timer(void *arg)
{
	struct dns_control *c = arg;

	c->timer = NULL;
	end(c, false);
}

static void
on_root(void *arg, const struct dns_answer *answer)
{
	struct dns_control *c = arg;

	c->ask = NULL;
	end(c, answer->status == DNS_OK);
}

static void
on_datagram(void *arg, int fd, int events)
{
	struct dns_control *c = arg;
	uint8_t p[512];

	(void)events;
	ssize_t n = recv(fd, p, sizeof p, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <
	    0) { /* nobody there: the other forwarders may answer yet, the timer ends it otherwise */
		loop_unwatch(c->loop, fd);
		return;
	}
	bool is_ours = n >= HEADER_BYTES && memcmp(p, c->id, 2) == 0 && (p[2] & 0x80) != 0;
	if (is_ours && (p[3] & 0x0f) != RCODE_SERVFAIL)
		end(c, true);
}

/* "192.0.2.1@53", "2001:db8::1@5353", "192.0.2.1" */
bool
dns_endpoint_read(const char *text, struct sockaddr_storage *ret, socklen_t *ret_n)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	struct str port_text = str_of(text), host = str_cut(&port_text, '@');
	char host_text[64];
	int64_t port = 53;

	if (host.n >= sizeof host_text || (port_text.n > 0 && !str_to_int(port_text, &port)) ||
	    port < 1 || port > 65535)
		return false;
	memcpy(host_text, host.p, host.n);
	host_text[host.n] = '\0';
	*ret = (struct sockaddr_storage){ 0 };
	if (inet_pton(AF_INET, host_text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		*ret_n = sizeof *v4;
		return true;
	}
	if (inet_pton(AF_INET6, host_text, &v6->sin6_addr) != 1)
		return false;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	*ret_n = sizeof *v6;
	return true;
}

/* A datagram socket that is connected sends nothing, and yet the kernel has to know the way. */
bool
dns_has_route(const char *endpoint)
{
	struct sockaddr_storage to;
	socklen_t to_n;

	if (!dns_endpoint_read(endpoint, &to, &to_n))
		return false;
	int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	bool is_known = connect(fd, (const struct sockaddr *)&to, to_n) == 0;
	(void)close(fd);
	return is_known;
}

static void
ask_forwarder(struct dns_control *c, const char *forwarder)
{
	/* ". NS IN", recursion desired */
	uint8_t question[] = { 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, DNS_NS, 0, 1 };
	struct sockaddr_storage to;
	socklen_t to_n;

	if (!dns_endpoint_read(forwarder, &to, &to_n))
		return;
	int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	memcpy(question, c->id, 2);
	if (connect(fd, (const struct sockaddr *)&to, to_n) != 0 ||
	    send(fd, question, sizeof question, MSG_NOSIGNAL) != (ssize_t)sizeof question ||
	    loop_watch(c->loop, fd, LOOP_READ, on_datagram, c) != ERR_OK) {
		close(fd);
		return;
	}
	c->fds[c->fds_n++] = fd;
}

enum err
control_new(
    const struct control_setup *s, dns_control_fn *fn, void *arg, struct dns_control **ret)
{
	struct dns_control *c = calloc(1, sizeof *c);
	uint32_t roll = clock_roll(s->clock);

	if (c == NULL)
		return ERR_MEMORY;
	c->loop = s->loop;
	c->resolver = s->resolver;
	c->fn = fn;
	c->arg = arg;
	memcpy(c->id, &roll, 2);
	c->timer = loop_after(s->loop, s->timeout_ms, on_timer, c);
	if (c->timer == NULL) {
		free(c);
		return ERR_MEMORY;
	}
	for (size_t i = 0; i < s->forwarders_n && c->fds_n < FORWARDERS_ASKED_MAX; i++)
		ask_forwarder(c, s->forwarders[i]);
	if (s->forwarders_n == 0) {
		enum err e = resolver_ask(s->resolver, STR("."), DNS_NS, on_root, c, &c->ask);
		if (e != ERR_OK) {
			resolver_control_drop(&c);
			return e;
		}
	}
	*ret = c;
	return ERR_OK;
}
