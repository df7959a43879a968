/*
 * What a certificate costs whoever asks a CA, looks before and proves after, besides its signatures (bench/floor.c), if nothing else is done:
 * least ROUNDS REQUESTS CA-URL CA-ROOTS ADDRESS DNS-PORT HTTP-PORT HTTPS-PORT ROOTS NAME prints the CPU time of each part for one
 * certificate. So many requests to the CA over one kept connection; for NAME and www.NAME the questions for A, AAAA and CAA, a page over
 * a connection of its own, and a TLS handshake whose chain is judged. By curl, ldns and OpenSSL, one after the other, waiting in the kernel.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/str.h"
#include "ports/dns/exchange.h"

enum { NAMES = 2, NAME_BYTES = 256, URL_BYTES = 512, ANSWER_BYTES = 4096 };

struct least {
	int64_t requests;
	const char *ca_url, *address;
	uint16_t dns_port, http_port, https_port;
	char names[NAMES][NAME_BYTES];
	CURL *ca, *web;
	SSL_CTX *tls;
};

static double
cpu_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* cannot fail for this clock */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
connected(const struct least *l, int kind, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, kind | SOCK_CLOEXEC, 0);

	if (fd >= 0 && inet_pton(AF_INET, l->address, &to.sin_addr) == 1 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

/* ---- the parts; each false if something was not as it has to be ---- */

static bool
ask_ca(const struct least *l)
{
	for (int64_t i = 0; i < l->requests; i++)
		if (curl_easy_perform(l->ca) != CURLE_OK)
			return false;
	return true;
}

static bool
ask_dns_for(const struct least *l, const char *name, ldns_rr_type type)
{
	ldns_pkt *question = NULL, *answer = NULL;
	uint8_t *wire = NULL, got[ANSWER_BYTES];
	size_t n = 0;
	int fd = connected(l, SOCK_DGRAM, l->dns_port);
	ssize_t got_n = -1;

	if (fd >= 0 && ldns_pkt_query_new_frm_str(&question, name, type, LDNS_RR_CLASS_IN, LDNS_RD) == LDNS_STATUS_OK &&
	    ldns_pkt2wire(&wire, question, &n) == LDNS_STATUS_OK && send(fd, wire, n, 0) == (ssize_t)n)
		got_n = recv(fd, got, sizeof got, 0);
	bool is_good = got_n > 0 && ldns_wire2pkt(&answer, got, (size_t)got_n) == LDNS_STATUS_OK && ldns_pkt_get_rcode(answer) == LDNS_RCODE_NOERROR;
	ldns_pkt_free(question);
	ldns_pkt_free(answer);
	LDNS_FREE(wire);
	if (fd >= 0)
		(void)close(fd);
	return is_good;
}

static bool
ask_dns(const struct least *l)
{
	static const ldns_rr_type types[] = { LDNS_RR_TYPE_A, LDNS_RR_TYPE_AAAA, LDNS_RR_TYPE_CAA };

	for (size_t i = 0; i < NAMES; i++)
		for (size_t k = 0; k < sizeof types / sizeof *types; k++)
			if (!ask_dns_for(l, l->names[i], types[k]))
				return false;
	return true;
}

static bool
get_pages(const struct least *l)
{
	for (size_t i = 0; i < NAMES; i++) {
		char url[URL_BYTES], host[NAME_BYTES + sizeof "Host: "];

		(void)snprintf(url, sizeof url, "http://%s:%u/.well-known/acme-challenge/least", l->address, l->http_port);
		(void)snprintf(host, sizeof host, "Host: %s", l->names[i]);
		struct curl_slist *headers = curl_slist_append(NULL, host);
		bool is_good = headers != NULL && curl_easy_setopt(l->web, CURLOPT_URL, url) == CURLE_OK &&
			       curl_easy_setopt(l->web, CURLOPT_HTTPHEADER, headers) == CURLE_OK && curl_easy_perform(l->web) == CURLE_OK;
		(void)curl_easy_setopt(l->web, CURLOPT_HTTPHEADER, NULL);
		curl_slist_free_all(headers);
		if (!is_good)
			return false;
	}
	return true;
}

static bool
shake(const struct least *l)
{
	for (size_t i = 0; i < NAMES; i++) {
		char name[NAME_BYTES];
		int fd = connected(l, SOCK_STREAM, l->https_port);
		SSL *ssl = SSL_new(l->tls);

		(void)snprintf(name, sizeof name, "%s", l->names[i]); /* OpenSSL's macro wants it writable */
		bool is_good = fd >= 0 && ssl != NULL && SSL_set_fd(ssl, fd) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1 &&
			       SSL_set1_host(ssl, name) == 1 && SSL_connect(ssl) == 1;
		SSL_free(ssl);
		if (fd >= 0)
			(void)close(fd);
		if (!is_good)
			return false;
	}
	return true;
}

/* ---- */

static size_t
drop(char *bytes, size_t size, size_t n, void *arg)
{
	(void)bytes;
	(void)arg;
	return size * n;
}

static bool
begin(struct least *l, const char *ca_roots, const char *roots)
{
	l->ca = curl_easy_init();
	l->web = curl_easy_init();
	l->tls = SSL_CTX_new(TLS_client_method());
	if (l->ca == NULL || l->web == NULL || l->tls == NULL)
		return false;
	SSL_CTX_set_verify(l->tls, SSL_VERIFY_PEER, NULL);
	return SSL_CTX_load_verify_file(l->tls, roots) == 1 && curl_easy_setopt(l->ca, CURLOPT_URL, l->ca_url) == CURLE_OK &&
	       curl_easy_setopt(l->ca, CURLOPT_CAINFO, ca_roots) == CURLE_OK && curl_easy_setopt(l->ca, CURLOPT_FAILONERROR, 1L) == CURLE_OK &&
	       curl_easy_setopt(l->ca, CURLOPT_WRITEFUNCTION, drop) == CURLE_OK && curl_easy_setopt(l->web, CURLOPT_WRITEFUNCTION, drop) == CURLE_OK &&
	       curl_easy_setopt(l->web, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK;
}

static bool
measure(const struct least *l, int64_t rounds)
{
	static const struct {
		const char *name;
		bool (*do_it)(const struct least *l);
	} parts[] = { { "ca_us", ask_ca }, { "dns_us", ask_dns }, { "pages_us", get_pages }, { "handshakes_us", shake } };

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (!parts[i].do_it(l)) { /* the first is not counted: it connects, and finds what it needs */
			fprintf(stderr, "least: %s cannot be measured\n", parts[i].name);
			return false;
		}
		double begun = cpu_s();
		for (int64_t k = 0; k < rounds; k++)
			if (!parts[i].do_it(l))
				return false;
		printf("%s %.3f\n", parts[i].name, (cpu_s() - begun) * 1e6 / (double)rounds);
	}
	return true;
}

static bool
read_port(const char *text, uint16_t *ret)
{
	int64_t n;

	if (!str_to_int(str_of(text), &n) || n < 1 || n > UINT16_MAX)
		return false;
	*ret = (uint16_t)n;
	return true;
}

int
main(int argc, char **argv)
{
	struct least l = { 0 };
	int64_t rounds = 0;

	if (argc != 11 || !str_to_int(str_of(argv[1]), &rounds) || rounds < 1 || !str_to_int(str_of(argv[2]), &l.requests) ||
	    !read_port(argv[6], &l.dns_port) || !read_port(argv[7], &l.http_port) || !read_port(argv[8], &l.https_port)) {
		fprintf(stderr, "usage: least ROUNDS REQUESTS CA-URL CA-ROOTS ADDRESS DNS-PORT HTTP-PORT HTTPS-PORT ROOTS NAME\n");
		return 2;
	}
	l.ca_url = argv[3];
	l.address = argv[5];
	(void)snprintf(l.names[0], NAME_BYTES, "%s", argv[10]);
	(void)snprintf(l.names[1], NAME_BYTES, "www.%s", argv[10]);
	bool is_good = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK && begin(&l, argv[4], argv[9]) && measure(&l, rounds);
	curl_easy_cleanup(l.ca);
	curl_easy_cleanup(l.web);
	SSL_CTX_free(l.tls);
	curl_global_cleanup();
	return is_good ? 0 : 1;
}
