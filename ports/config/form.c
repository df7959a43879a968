#include "ports/config/form.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "base/limits.h"
#include "ports/config/schema.h"

enum { PORT_MAX = 65535 };

static bool
is_line(struct str s, const struct form *f)
{
	(void)f;
	return s.n > 0 && str_is_line(s);
}

static bool
is_word(struct str s, const struct form *f)
{
	(void)f;
	for (size_t i = 0; i < s.n; i++)
		if (memchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.",
			s.p[i], 65) == NULL)
			return false;
	return s.n > 0 && s.n <= 64 && s.p[0] != '-' && s.p[0] != '.';
}

static bool
is_path(struct str s, const struct form *f)
{
	(void)f;
	return s.n > 0 && s.p[0] == '/' && str_is_line(s);
}

/* A file that exists. One that may not be looked at by this user passes: the daemon will read it as root. */
static bool
is_file(struct str s, const struct form *f)
{
	char name[4097];

	if (!is_path(s, f) || s.n >= sizeof name)
		return false;
	memcpy(name, s.p, s.n);
	name[s.n] = '\0';
	return access(name, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

static bool
copy_out(struct str s, char ret[64])
{
	if (s.n == 0 || s.n >= 64 || memchr(s.p, '\0', s.n) != NULL)
		return false;
	memcpy(ret, s.p, s.n);
	ret[s.n] = '\0';
	return true;
}

static int
address_bits(struct str s)
{
	char text[64];
	uint8_t bytes[16];

	if (!copy_out(s, text))
		return 0;
	if (inet_pton(AF_INET, text, bytes) == 1)
		return 32;
	return inet_pton(AF_INET6, text, bytes) == 1 ? 128 : 0;
}

static bool
is_address(struct str s, const struct form *f)
{
	(void)f;
	return address_bits(s) > 0;
}

static bool
is_range(struct str s, const struct form *f)
{
	struct str base = str_cut(&s, '/');
	int64_t bits;

	(void)f;
	return s.n <= 3 && str_to_int(s, &bits) && bits >= 0 && address_bits(base) > 0 &&
	       bits <= address_bits(base);
}

static bool
is_front(struct str s, const struct form *f)
{
	struct str range = str_cut(&s, ' ');

	s = str_trim(s);
	return is_range(range, f) && s.n > 0 && s.n < 64 && str_is_line(s) && str_is_utf8(s);
}

static bool
is_port(struct str s)
{
	int64_t port;

	return s.n <= 5 && str_to_int(s, &port) && port >= 1 && port <= PORT_MAX;
}

static bool
is_service(struct str s, const struct form *f)
{
	static const char *const words[] = { "", "smtp", "imap", "pop3", "ftp" };
	struct str port = str_cut(&s, ' ');
	bool is_known = false;

	(void)f;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		is_known = is_known || str_eq(str_trim(s), str_of(words[i]));
	return is_port(port) && is_known;
}

static bool
is_forwarder(struct str s, const struct form *f)
{
	struct str address = str_cut(&s, '@');
	bool has_port =
	    address.n > 0 && address.p[address.n] == '@' && s.p > address.p + address.n;

	(void)f;
	return address_bits(address) > 0 && (s.n == 0 ? !has_port : is_port(s));
}

/* "127.0.0.1:8402", "[::1]:8402". */
static bool
is_listen(struct str s, const struct form *f)
{
	size_t colon = s.n;
	struct str host, port;

	(void)f;
	while (colon > 0 && s.p[colon - 1] != ':')
		colon--;
	if (colon < 2)
		return false;
	host = (struct str){ s.p, colon - 1 };
	port = (struct str){ s.p + colon, s.n - colon };
	if (host.p[0] == '[') {
		if (host.n < 3 || host.p[host.n - 1] != ']')
			return false;
		return address_bits((struct str){ host.p + 1, host.n - 2 }) == 128 &&
		       is_port(port);
	}
	return address_bits(host) == 32 && is_port(port);
}

/* The value of nginx's "listen": goes into its configuration, so nothing that could end the directive. */
static bool
is_nginx_listen(struct str s, const struct form *f)
{
	return is_port(s) || is_listen(s, f) ||
	       (str_starts(s, STR("[::]:")) && is_port((struct str){ s.p + 5, s.n - 5 }));
}

static bool
has_host(struct str s, size_t scheme_n)
{
	return s.n > scheme_n && s.p[scheme_n] != '/' && s.p[scheme_n] != ':' &&
	       str_is_line(s) && memchr(s.p, ' ', s.n) == NULL && s.n <= LIMIT_URL_BYTES;
}

static bool
is_https(struct str s, const struct form *f)
{
	(void)f;
	return str_starts(s, STR("https://")) && has_host(s, 8);
}

static bool
is_web_url(struct str s, const struct form *f)
{
	return is_https(s, f) || (str_starts(s, STR("http://")) && has_host(s, 7));
}

static bool
is_rdap(struct str s, const struct form *f)
{
	return str_eq(s, STR("off")) || is_web_url(s, f) || is_file(s, f);
}

static bool
is_smtp(struct str s, const struct form *f)
{
	(void)f;
	return (str_starts(s, STR("smtp://")) && has_host(s, 7)) ||
	       (str_starts(s, STR("smtps://")) && has_host(s, 8));
}

static bool
is_mail(struct str s, const struct form *f)
{
	struct str rest = s, local = str_cut(&rest, '@');

	(void)f;
	return local.n > 0 && rest.n > 0 && memchr(rest.p, '@', rest.n) == NULL &&
	       str_is_line(s) && memchr(s.p, ' ', s.n) == NULL &&
	       memchr(s.p, '<', s.n) == NULL && memchr(s.p, '>', s.n) == NULL;
}

/* Two labels and more of lower-case letters, digits and hyphens. */
static bool
is_host(struct str s, const struct form *f)
{
	struct str rest = s;
	size_t labels = 0;

	(void)f;
	while (rest.n > 0) {
		struct str label = str_cut(&rest, '.');

		if (label.n == 0 || label.n > LIMIT_LABEL_BYTES || label.p[0] == '-' || label.p[label.n - 1] == '-')
			return false;
		for (size_t i = 0; i < label.n; i++)
			if (memchr("abcdefghijklmnopqrstuvwxyz0123456789-", label.p[i], 37) == NULL)
				return false;
		labels++;
	}
	return labels >= 2 && s.n <= LIMIT_NAME_BYTES && s.p[s.n - 1] != '.';
}

static bool
is_number(struct str s, const struct form *f)
{
	int64_t n;

	return s.n <= 18 && (s.n < 2 || s.p[0] != '0') && str_to_int(s, &n) && n >= f->min &&
	       n <= f->max;
}

static bool
is_span(struct str s, const struct form *f)
{
	char copy[64];
	int64_t ms;

	return copy_out(s, copy) && config_read_span(copy, &ms) && ms >= f->min && ms <= f->max;
}

/* The same in whole seconds: dates have no finer ones. */
static bool
is_span_of_seconds(struct str s, const struct form *f)
{
	char copy[64];
	int64_t ms;

	return copy_out(s, copy) && config_read_span(copy, &ms) && ms % 1000 == 0 &&
	       is_span(s, f);
}

static bool
is_language(struct str s, const struct form *f)
{
	(void)f;
	return str_eq(s, STR("ja")) || str_eq(s, STR("en"));
}

/* "+09:00"; civil zones lie between -12:00 and +14:00. */
static bool
is_zone(struct str s, const struct form *f)
{
	int64_t h, m;

	(void)f;
	if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':' || s.p[1] == '-' ||
	    s.p[4] == '-' || !str_to_int((struct str){ s.p + 1, 2 }, &h) ||
	    !str_to_int((struct str){ s.p + 4, 2 }, &m))
		return false;
	return m < 60 && h * 60 + m <= (s.p[0] == '+' ? 14 : 12) * 60;
}

static bool
is_level(struct str s, const struct form *f)
{
	(void)f;
	return str_eq(s, STR("error")) || str_eq(s, STR("warn")) || str_eq(s, STR("info")) ||
	       str_eq(s, STR("debug"));
}

static bool
is_limits(struct str s, const struct form *f)
{
	(void)f;
	return budget_profile_of_name(s) != NULL;
}

static bool
is_raised(struct str s, const struct form *f)
{
	struct budget_override o;

	(void)f;
	return budget_read_override(s, &o);
}

/* "tokyo-host 43 letters of base64url". */
static bool
is_asker(struct str s, const struct form *f)
{
	struct str name = str_cut(&s, ' ');

	s = str_trim(s);
	if (!is_word(name, f) || s.n != 43)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", s.p[i], 64) == NULL)
			return false;
	return true;
}

#define DAY (86400 * (int64_t)1000)
static const struct form forms[] = {
	{ "server.addresses[]", is_address, 0, 0,
	    "an IPv4 or IPv6 address, as 203.0.113.10 or 2001:db8::5" },
	{ "cas[].name", is_word, 0, 0,
	    "a short word of letters, digits, \"-\", \"_\" and \".\"" },
	{ "cas[].directory", is_https, 0, 0, "an https:// URL" },
	{ "cas[].profile", is_word, 0, 0,
	    "a profile that the CA offers: letters, digits, - _ ." },
	{ "cas[].limits", is_limits, 0, 0, "letsencrypt, letsencrypt-staging or none" },
	{ "cas[].raised[]", is_raised, 0, 0,
	    "LIMIT COUNT/TIME [DOMAIN], as new-orders 100000/3h or certificates-per-domain 25000/7d host.jp" },
	{ "cas[].contact", is_mail, 0, 0, "a mail address" },
	{ "cas[].bundle", is_file, 0, 0, "the absolute path of a PEM file that exists" },
	{ "cas[].eab_hmac_file", is_file, 0, 0, "the absolute path of a file that exists" },
	{ "targets[].name", is_word, 0, 0,
	    "a short word of letters, digits, \"-\", \"_\" and \".\"" },
	{ "targets[].folder", is_path, 0, 0, "an absolute path" },
	{ "targets[].config_folder", is_path, 0, 0, "an absolute path" },
	{ "targets[].listen_http[]", is_nginx_listen, 0, 0,
	    "a port or address:port, as 80, [::]:80 or 127.0.0.1:8080" },
	{ "targets[].listen_https[]", is_nginx_listen, 0, 0,
	    "a port or address:port, as 443, [::]:443 or 127.0.0.1:8443" },
	{ "targets[].group", is_word, 0, 0, "the name of a group" },
	{ "state_folder", is_path, 0, 0, "an absolute path" },
	{ "run_folder", is_path, 0, 0, "an absolute path" },
	{ "user", is_word, 0, 0, "the name of a user" },
	{ "dns.forwarders[]", is_forwarder, 0, 0,
	    "an address, or address@port, as 127.0.0.1@5300" },
	{ "dns.public_resolvers[]", is_forwarder, 0, 0, "an address, or address@port, as 9.9.9.9" },
	{ "dns.updates[].zone", is_host, 0, 0, "the name of a zone in ASCII form, as host.example.jp" },
	{ "dns.updates[].server", is_forwarder, 0, 0, "an address, or address@port, as 192.0.2.1@53" },
	{ "dns.updates[].key", is_word, 0, 0, "the name of a TSIG key: letters, digits, - _ ." },
	{ "dns.updates[].secret_file", is_file, 0, 0, "the absolute path of a file that exists" },
	{ "dns.updates[].ttl", is_number, 1, 604800, "a number of seconds, 1 to 604800" },
	{ "dns.trust_anchor_file", is_file, 0, 0, "the absolute path of a file that exists" },
	{ "dns.port", is_number, 1, PORT_MAX, "a port, 1 to 65535" },
	{ "check.http_port", is_number, 1, PORT_MAX, "a port, 1 to 65535" },
	{ "check.https_port", is_number, 1, PORT_MAX, "a port, 1 to 65535" },
	{ "check.allow[]", is_range, 0, 0, "a range of addresses, as 10.0.0.0/8 or fd00::/8" },
	{ "check.fronts[]", is_front, 0, 0,
	    "a range of addresses and a name, as 203.0.113.0/24 Example CDN" },
	{ "check.services[]", is_service, 0, 0,
	    "a port, and where TLS begins later its protocol (smtp, imap, pop3 or ftp), as 993 or 587 smtp" },
	{ "check.from[]", is_address, 0, 0, "an address of this machine, as 203.0.113.10 or 2001:db8::5" },
	{ "vantages[].name", is_word, 0, 0, "a short word of letters, digits, \"-\", \"_\" and \".\"" },
	{ "vantages[].url", is_https, 0, 0, "an https:// URL" },
	{ "vantages[].bundle", is_file, 0, 0, "the absolute path of a PEM file that exists" },
	{ "vantages[].timeout", is_span, 100, 60 * 1000, "a length of time from 100 ms to 60 s" },
	{ "vantage.name", is_word, 0, 0, "a short word of letters, digits, \"-\", \"_\" and \".\"" },
	{ "vantage.listen[]", is_listen, 0, 0, "address:port, as 0.0.0.0:8443 or [::]:8443" },
	{ "vantage.certificate", is_file, 0, 0, "the absolute path of a PEM file that exists" },
	{ "vantage.key", is_file, 0, 0, "the absolute path of a PEM file that exists" },
	{ "vantage.askers[]", is_asker, 0, 0, "a name and a key, as `koshin vantage key` prints them there" },
	{ "vantage.questions_a_minute", is_number, 1, 600, "a number, 1 to 600" },
	{ "check.roots", is_file, 0, 0, "the absolute path of a PEM file that exists" },
	{ "check.rdap", is_rdap, 0, 0,
	    "a URL, the absolute path of a file that exists, or off" },
	{ "check.timeout", is_span, 100, 120 * 1000, "a length of time from 100 ms to 120 s" },
	{ "check.deadline", is_span, 1000, 150 * 1000, "a length of time from 1 s to 150 s" },
	{ "check.look_every", is_span_of_seconds, 10 * 1000, DAY,
	    "a length of time from 10 s to 1 d, in whole seconds" },
	{ "check.poll_min", is_span_of_seconds, 1000, DAY,
	    "a length of time from 1 s to 1 d, in whole seconds" },
	{ "check.poll_max", is_span_of_seconds, 1000, DAY,
	    "a length of time from 1 s to 1 d, in whole seconds" },
	{ "web.listen[]", is_listen, 0, 0, "address:port, as 127.0.0.1:8402 or [::1]:8402" },
	{ "web.socket", is_path, 0, 0, "an absolute path" },
	{ "panel.listen[]", is_listen, 0, 0, "address:port, as 127.0.0.1:8403 or [::1]:8403" },
	{ "panel.folder", is_path, 0, 0, "an absolute path" },
	{ "mail.server", is_smtp, 0, 0, "smtp://HOST:PORT or smtps://HOST:PORT" },
	{ "mail.password_file", is_file, 0, 0, "the absolute path of a file that exists" },
	{ "mail.from", is_mail, 0, 0, "a mail address" },
	{ "mail.reply_to", is_mail, 0, 0, "a mail address" },
	{ "mail.bundle", is_file, 0, 0, "the absolute path of a PEM file that exists" },
	{ "language", is_language, 0, 0, "ja or en" },
	{ "timezone", is_zone, 0, 0, "a distance from UTC, as +09:00 (in quotes)" },
	{ "panel_url", is_web_url, 0, 0, "an http:// or https:// URL" },
	{ "draft.tell_after", is_span_of_seconds, 1000, 365 * DAY,
	    "a length of time from 1 s to 365 d, in whole seconds" },
	{ "draft.discard_after", is_span_of_seconds, 1000, 365 * DAY,
	    "a length of time from 1 s to 365 d, in whole seconds" },
	{ "acme.timeout", is_span, 1000, 600 * 1000, "a length of time from 1 s to 10 min" },
	{ "acme.processing_max", is_span_of_seconds, 1000, 3600 * 1000,
	    "a length of time from 1 s to 1 h, in whole seconds" },
	{ "acme.connections_max", is_number, 1, 100, "a number, 1 to 100" },
	{ "acme.orders_open_max", is_number, 1, LIMIT_ORDERS_OPEN, "a number, 1 to 2000" },
	{ "acme.reserve_after", is_span_of_seconds, 1000, 30 * DAY,
	    "a length of time from 1 s to 30 d, in whole seconds" },
	{ "acme.canary", is_host, 0, 0, "a host name in ASCII form, as canary.example.jp" },
	{ "acme.canary_every", is_span_of_seconds, 10 * 1000, 365 * DAY,
	    "a length of time from 10 s to 365 d, in whole seconds" },
	{ "watch.operator", is_mail, 0, 0, "a mail address" },
	{ "watch.server", is_smtp, 0, 0, "smtp://HOST:PORT or smtps://HOST:PORT" },
	{ "watch.every", is_span_of_seconds, 1000, 3600 * 1000,
	    "a length of time from 1 s to 1 h, in whole seconds" },
	{ "watch.dead_after", is_span_of_seconds, 3000, DAY,
	    "a length of time from 3 s to 1 d, in whole seconds" },
	{ "watch.late_after", is_span_of_seconds, 3000, DAY,
	    "a length of time from 3 s to 1 d, in whole seconds" },
	{ "watch.blind_after", is_span_of_seconds, 3000, 30 * DAY,
	    "a length of time from 3 s to 30 d, in whole seconds" },
	{ "watch.outside[]", is_forwarder, 0, 0,
	    "an address, or address@port, as 198.41.0.4@53" },
	{ "lease", is_span_of_seconds, 3000, 3600 * 1000,
	    "a length of time from 3 s to 1 h, in whole seconds" },
	{ "clock_offset", is_span_of_seconds, -3650 * DAY, 3650 * DAY,
	    "a length of time of at most 3650 d either way, in whole seconds" },
	{ "log_level", is_level, 0, 0, "error, warn, info or debug" },
};
static const struct form any_line = { "", is_line, 0, 0, "one line of text" };

bool
config_read_span(const char *s, int64_t *ret_ms)
{
	static const struct {
		const char *word;
		const int64_t *unit;
		int64_t times;
	} units[] = {
		{ "ms", &form_second, 0 },
		{ "s", &form_second, 1 },
		{ "min", &form_minute, 1 },
		{ "h", &form_minute, 60 },
		{ "d", &form_day, 1 },
	};
	struct str rest = str_trim(str_of(s)), digits = rest;
	size_t n = rest.n > 0 && (rest.p[0] == '-' || rest.p[0] == '+') ? 1 : 0;
	int64_t number, product;

	while (n < rest.n && rest.p[n] >= '0' && rest.p[n] <= '9')
		n++;
	if (n > 0 && rest.p[0] == '+')
		digits = (struct str){ rest.p + 1, n - 1 };
	else
		digits.n = n;
	rest = str_trim((struct str){ rest.p + n, rest.n - n });
	if (!str_to_int(digits, &number))
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		int64_t unit = units[i].times == 0 ? 1 : *units[i].unit * units[i].times;

		if (!str_eq(rest, str_of(units[i].word)))
			continue;
		if (__builtin_mul_overflow(number, unit, &product))
			return false;
		*ret_ms = product;
		return true;
	}
	return false;
}

const struct form *
form_of(const char *path)
{
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (strcmp(forms[i].path, path) == 0)
			return &forms[i];
	return &any_line;
}

bool
form_is_path(struct str s)
{
	return is_path(s, NULL);
}
