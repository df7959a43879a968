#include "installer/nginx.h"
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include "base/limits.h"
#include "base/must.h"

static bool
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

bool
nginx_root_is_safe(struct str root)
{
	if (root.n < 2 || root.n >= PATH_MAX || root.p[0] != '/' || !str_is_line(root) ||
	    !str_is_utf8(root))
		return false;
	for (size_t i = 0; i < root.n; i++)
		if (memchr("\"'`$\\;{}#", root.p[i], 9) != NULL)
			return false;
	for (struct str rest = root; rest.p != NULL;)
		if (str_eq(str_cut(&rest, '/'), STR("..")))
			return false;
	return true;
}

/* The bytes of an address in brackets. */
static bool
is_ipv6(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(is_word(s.p[i]) || s.p[i] == ':' || s.p[i] == '.') || s.p[i] == '_')
			return false;
	return s.n >= 2;
}

static bool
is_port(struct str s)
{
	int64_t port;

	return s.n <= 5 && str_to_int(s, &port) && port > 0 && port < 65536;
}

/* host, host:port or [v6]:port. */
static bool
is_host_port(struct str s)
{
	if (s.n > 0 && s.p[0] == '[') {
		struct str rest = { s.p + 1, s.n - 1 };
		struct str inner = str_cut(&rest, ']');

		if (rest.p == NULL || !is_ipv6(inner))
			return false;
		return rest.n == 0 ||
		       (rest.p[0] == ':' && is_port((struct str){ rest.p + 1, rest.n - 1 }));
	}
	struct str rest = s, host = str_cut(&rest, ':');
	return host.p != NULL && host.p[0] != '*' && liveset_name_is_safe(host) &&
	       (rest.p == NULL || is_port(rest));
}

bool
nginx_proxy_is_safe(struct str proxy)
{
	struct str rest = proxy;

	if (str_starts(rest, STR("http://")))
		rest = (struct str){ rest.p + 7, rest.n - 7 };
	else if (str_starts(rest, STR("https://")))
		rest = (struct str){ rest.p + 8, rest.n - 8 };
	else
		return false;
	return is_host_port(rest);
}

bool
nginx_listen_is_safe(struct str listen)
{
	for (size_t i = 0; i < listen.n; i++)
		if (!(is_word(listen.p[i]) || memchr(":.[]*=/ ", listen.p[i], 8) != NULL))
			return false;
	return listen.n > 0 && listen.n <= 200;
}

bool
nginx_thumbprint_is_safe(struct str t)
{
	for (size_t i = 0; i < t.n; i++)
		if (!is_word(t.p[i]))
			return false;
	return t.n > 0 && t.n <= 128;
}

/* HOST:PORT of addresses alone: digits, letters of IPv6, colons, dots, brackets. */
static bool
is_endpoint(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (memchr("0123456789abcdefABCDEF:.[]", s.p[i], 26) == NULL)
			return false;
	return s.n > 0 && s.n <= 64;
}

enum err
nginx_check_job(const struct deploy_job *job, struct why *why)
{
	const char *bad = NULL;

	if (job->thumbprint.n > 0 && !nginx_thumbprint_is_safe(job->thumbprint))
		bad = "the account's thumbprint";
	if (job->answer_at.n > 0 && !is_endpoint(job->answer_at))
		bad = "the address that answers challenges";
	if (job->root.n > 0 && !nginx_root_is_safe(job->root))
		bad = "the document root";
	if (job->proxy.n > 0 && !nginx_proxy_is_safe(job->proxy))
		bad = "the address to forward to";
	if (job->root.n > 0 && job->proxy.n > 0)
		bad = "a document root beside an address to forward to";
	if (job->redirect != 0 && job->redirect != 307 && job->redirect != 308)
		bad = "the redirect's status";
	if (job->names_n > LIMIT_SITE_NAMES)
		bad = "the number of names";
	for (size_t i = 0; i < job->names_n; i++)
		if (!liveset_name_is_safe(job->names[i]))
			bad = "a name";
	if (bad == NULL)
		return ERR_OK;
	why_set(why, "%s is not valid, or cannot be written into a configuration file", bad);
	return ERR_INVALID;
}

static void
put_answer(struct buf *b, const char *indent, struct str thumbprint)
{
	buf_putf(b,
	    "%sdefault_type text/plain;\n"
	    "%sadd_header Cache-Control no-store;\n"
	    "%sreturn 200 \"${koshin_token}.%.*s\";\n"
	    "%.*s}\n",
	    indent, indent, indent, STR_ARG(thumbprint), (int)strlen(indent) - 1, indent);
}

/*
 * The token is what the CA asked for; the answer needs nothing else than the account's thumbprint. `return` runs
 * before any access rule, login or file of the owner. Only the characters of a token are repeated (RFC 8555 8.3).
 */
enum err
nginx_render_challenge(struct str thumbprint, struct str answer_at, struct buf *ret)
{
	if ((thumbprint.n > 0 && !nginx_thumbprint_is_safe(thumbprint)) ||
	    (answer_at.n > 0 && !is_endpoint(answer_at)))
		return ERR_INVALID;
	buf_put_str(ret, STR("# Written by koshin. Changes made here are lost.\n"
			     "location ^~ /.well-known/acme-challenge/ {\n"));
	if (thumbprint.n > 0)
		buf_put_str(ret,
		    STR("\tlocation ~ "
			"\"^/\\.well-known/acme-challenge/(?<koshin_token>[A-Za-z0-9_-]{1,128})$\" {\n"));
	/* Which account a token belongs to is known to koshin's web process; without it most are still answered rightly. */
	if (thumbprint.n > 0 && answer_at.n > 0)
		buf_putf(ret,
		    "\t\tproxy_connect_timeout 2s;\n"
		    "\t\tproxy_read_timeout 5s;\n"
		    "\t\terror_page 502 503 504 = @koshin_challenge;\n"
		    "\t\tproxy_intercept_errors on;\n"
		    "\t\tproxy_pass http://%.*s;\n"
		    "\t}\n",
		    STR_ARG(answer_at));
	if (thumbprint.n > 0 && answer_at.n == 0)
		put_answer(ret, "\t\t", thumbprint);
	buf_put_str(ret, STR("\treturn 404;\n}\n"));
	if (thumbprint.n > 0 && answer_at.n > 0) {
		buf_put_str(ret, STR("location @koshin_challenge {\n"));
		put_answer(ret, "\t", thumbprint);
	}
	return ret->err;
}

static void
put_server(
    struct buf *b, char **listen, size_t n, const char *options, const struct deploy_job *job)
{
	buf_put_str(b, STR("server {\n"));
	for (size_t i = 0; i < n; i++)
		buf_putf(b, "\tlisten %s%s;\n", listen[i], options);
	buf_put_str(b, STR("\tserver_name"));
	for (size_t i = 0; i < job->names_n; i++)
		buf_putf(b, " %.*s", STR_ARG(job->names[i]));
	buf_put_str(b, STR(";\n"));
}

/* What visitors get: the site's files, another server's answer, or nothing yet. */
static void
put_content(struct buf *b, const struct deploy_job *job)
{
	if (job->proxy.n > 0)
		buf_putf(b,
		    "\tlocation / {\n"
		    "\t\tproxy_pass %.*s;\n"
		    "\t\tproxy_http_version 1.1;\n"
		    "\t\tproxy_set_header Host $host;\n"
		    "\t\tproxy_set_header X-Real-IP $remote_addr;\n"
		    "\t\tproxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n"
		    "\t\tproxy_set_header X-Forwarded-Proto $scheme;\n"
		    "\t}\n",
		    STR_ARG(job->proxy));
	else if (job->root.n > 0)
		buf_putf(b,
		    "\troot \"%.*s\";\n"
		    "\tindex index.html index.htm;\n"
		    "\tlocation / {\n"
		    "\t\ttry_files $uri $uri/ =404;\n"
		    "\t}\n",
		    STR_ARG(job->root));
	else
		buf_put_str(b, STR("\tlocation / {\n\t\treturn 404;\n\t}\n"));
}

/* The port of a listen value, for the redirect; 443 where none is said. */
static struct str
listen_port(const char *listen)
{
	struct str rest = str_of(listen), address = str_cut(&rest, ' ');
	size_t at = address.n;

	while (at > 0 && address.p[at - 1] >= '0' && address.p[at - 1] <= '9')
		at--;
	struct str port = { address.p + at, address.n - at };
	bool is_port_alone = at == 0, is_after_colon = at > 0 && address.p[at - 1] == ':';
	return port.n > 0 && (is_port_alone || is_after_colon) ? port : STR("443");
}

static bool
has_option(const char *listen, struct str option)
{
	for (struct str rest = str_of(listen); rest.p != NULL;)
		if (str_eq(str_cut(&rest, ' '), option))
			return true;
	return false;
}

static void
put_https(struct buf *b, const struct config_target *t, const struct deploy_job *job)
{
	bool says_ssl = t->listen_https_n > 0 && has_option(t->listen_https[0], STR("ssl"));

	put_server(b, t->listen_https, t->listen_https_n, says_ssl ? "" : " ssl http2", job);
	buf_putf(b,
	    "\tssl_certificate \"%s/sets/%" PRId64 "/current/fullchain.pem\";\n"
	    "\tssl_certificate_key \"%s/sets/%" PRId64 "/current/privkey.pem\";\n"
	    "\tssl_protocols TLSv1.2 TLSv1.3;\n"
	    "\tinclude \"%s/challenge.conf\";\n",
	    t->folder, job->site_id, t->folder, job->site_id, t->folder);
	if (job->hsts_age_s > 0)
		buf_putf(b,
		    "\tadd_header Strict-Transport-Security \"max-age=%" PRIu32 "\" always;\n",
		    job->hsts_age_s);
	put_content(b, job);
	buf_put_str(b, STR("}\n"));
}

enum err
nginx_render_site(
    const struct config_target *t, const struct deploy_job *job, bool has_set, struct buf *ret)
{
	if (nginx_check_job(job, NULL) != ERR_OK || job->names_n == 0 ||
	    !nginx_root_is_safe(str_of(t->folder)))
		return ERR_INVALID;
	for (size_t i = 0; i < t->listen_http_n + t->listen_https_n; i++)
		if (!nginx_listen_is_safe(
			str_of(i < t->listen_http_n ? t->listen_http[i]
						    : t->listen_https[i - t->listen_http_n])))
			return ERR_CONFIG;
	bool has_https = has_set && t->listen_https_n > 0;
	buf_put_str(ret, STR("# Written by koshin. Changes made here are lost.\n"));
	if (t->listen_http_n > 0) {
		put_server(ret, t->listen_http, t->listen_http_n, "", job);
		buf_putf(ret, "\tinclude \"%s/challenge.conf\";\n", t->folder);
		if (has_https && job->redirect != 0) {
			struct str port = listen_port(t->listen_https[0]);
			bool is_usual = str_eq(port, STR("443"));

			buf_putf(ret,
			    "\tlocation / {\n\t\treturn %u "
			    "https://$host%s%.*s$request_uri;\n\t}\n",
			    job->redirect, is_usual ? "" : ":", is_usual ? 0 : (int)port.n,
			    port.p);
		} else {
			put_content(ret, job);
		}
		buf_put_str(ret, STR("}\n"));
	}
	if (has_https)
		put_https(ret, t, job);
	return ret->err;
}
