/*
 * Holds the text of a configuration file against the schema and the forms of its values, by the marks that libyaml
 * leaves on every node, so that each complaint has a line, names the key in full and says what was expected. Also the
 * promises between keys (a password needs an encrypted way, poll_min is not above poll_max).
 */
#include "ports/config/schema.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>
#include "base/limits.h"

enum { FILE_BYTES_MAX = 1024 * 1024, PATH_TEXT_MAX = 128, PORT_MAX = 65535 };

struct form {
	const char *path; /* "check.allow[]" */
	bool (*is_good)(struct str s, const struct form *f);
	int64_t min, max; /* of a number, or of a length of time in milliseconds */
	const char *expected;
};

struct walk {
	yaml_document_t document;
	const char *file;
	struct why *why;
};

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

static const int64_t second = 1000, minute = 60 * 1000, day = 86400 * 1000;
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
	{ "dns.trust_anchor_file", is_file, 0, 0, "the absolute path of a file that exists" },
	{ "dns.port", is_number, 1, PORT_MAX, "a port, 1 to 65535" },
	{ "check.http_port", is_number, 1, PORT_MAX, "a port, 1 to 65535" },
	{ "check.https_port", is_number, 1, PORT_MAX, "a port, 1 to 65535" },
	{ "check.allow[]", is_range, 0, 0, "a range of addresses, as 10.0.0.0/8 or fd00::/8" },
	{ "check.fronts[]", is_front, 0, 0,
	    "a range of addresses and a name, as 203.0.113.0/24 Example CDN" },
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
		{ "ms", &second, 0 },
		{ "s", &second, 1 },
		{ "min", &minute, 1 },
		{ "h", &minute, 60 },
		{ "d", &day, 1 },
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

static const struct form *
form_of(const char *path)
{
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (strcmp(forms[i].path, path) == 0)
			return &forms[i];
	return &any_line;
}

static size_t
line_of(const yaml_node_t *node)
{
	return node->start_mark.line + 1;
}

static struct str
text_of(const yaml_node_t *node)
{
	return (struct str){ (const char *)node->data.scalar.value, node->data.scalar.length };
}

/* Edit distance, for "did you mean"; keys are short. */
static size_t
distance(struct str a, const char *b)
{
	size_t row[32], n = strlen(b);

	if (a.n > 30 || n > 30)
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t before = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = before + (a.p[i - 1] == b[j - 1] ? 0 : 1);

			before = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

static enum err
refuse_key(struct walk *w, const yaml_node_t *key, const char *path,
    const cyaml_schema_field_t *fields)
{
	struct str name = text_of(key);
	const char *closest = NULL;
	size_t best = 3; /* farther words are no misspelling */
	AUTO_BUF known = { 0 };

	buf_init(&known, 400);
	for (const cyaml_schema_field_t *f = fields; f->key != NULL; f++) {
		size_t d = distance(name, f->key);

		if (d < best) {
			best = d;
			closest = f->key;
		}
		buf_putf(&known, "%s%s", f == fields ? "" : ", ", f->key);
	}
	if (closest != NULL)
		why_set(w->why, "%s:%zu: %s%s%.*s: there is no such key; did you mean %s?",
		    w->file, line_of(key), path, *path == '\0' ? "" : ".", STR_ARG(name),
		    closest);
	else
		why_set(w->why, "%s:%zu: %s%s%.*s: there is no such key; expected one of %s",
		    w->file, line_of(key), path, *path == '\0' ? "" : ".", STR_ARG(name),
		    known.p == NULL ? "" : known.p);
	return ERR_CONFIG;
}

static enum err check_value(struct walk *w, const yaml_node_t *node, const char *path,
    const cyaml_schema_value_t *value);

static enum err
refuse_kind(struct walk *w, const yaml_node_t *node, const char *path, const char *expected)
{
	static const char *const kinds[] = { "nothing", "a single value", "a list",
		"a group of keys" };
	bool is_empty = node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0;

	why_set(w->why, "%s:%zu: %s: here is %s; expected %s", w->file, line_of(node),
	    *path == '\0' ? "file" : path, kinds[is_empty ? YAML_NO_NODE : node->type],
	    expected);
	return ERR_CONFIG;
}

static enum err
check_mapping(struct walk *w, const yaml_node_t *node, const char *path,
    const cyaml_schema_field_t *fields)
{
	if (node->type != YAML_MAPPING_NODE)
		return refuse_kind(w, node, path, "a group of keys, each on a line of its own");
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start;
	     p < node->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = yaml_document_get_node(&w->document, p->key);
		const yaml_node_t *value = yaml_document_get_node(&w->document, p->value);
		const cyaml_schema_field_t *field = fields;
		char deeper[PATH_TEXT_MAX];
		enum err err;

		if (key->type != YAML_SCALAR_NODE)
			return refuse_kind(w, key, path, "the name of a key");
		while (field->key != NULL && !str_eq(text_of(key), str_of(field->key)))
			field++;
		if (field->key == NULL)
			return refuse_key(w, key, path, fields);
		for (yaml_node_pair_t *q = node->data.mapping.pairs.start; q < p; q++) {
			const yaml_node_t *earlier =
			    yaml_document_get_node(&w->document, q->key);

			if (str_eq(text_of(earlier), text_of(key))) {
				why_set(w->why,
				    "%s:%zu: %s%s%s: this key was given in line %zu already; "
				    "expected it once",
				    w->file, line_of(key), path, *path == '\0' ? "" : ".",
				    field->key, line_of(earlier));
				return ERR_CONFIG;
			}
		}
		/* Paths are made of our own keys only; the longest is far below the buffer. */
		(void)snprintf(deeper, sizeof deeper, "%s%s%s", path, *path == '\0' ? "" : ".",
		    field->key);
		err = check_value(w, value, deeper, &field->value);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

static enum err
check_sequence(struct walk *w, const yaml_node_t *node, const char *path,
    const cyaml_schema_value_t *value)
{
	size_t n = 0;
	char deeper[PATH_TEXT_MAX];

	if (node->type != YAML_SEQUENCE_NODE)
		return refuse_kind(
		    w, node, path, "a list, as \"[a, b]\" or lines that begin with \"- \"");
	(void)snprintf(deeper, sizeof deeper, "%s[]", path);
	for (yaml_node_item_t *i = node->data.sequence.items.start;
	     i < node->data.sequence.items.top; i++, n++) {
		enum err err = check_value(
		    w, yaml_document_get_node(&w->document, *i), deeper, value->sequence.entry);

		if (err != ERR_OK)
			return err;
	}
	if (n < value->sequence.min || n > value->sequence.max) {
		why_set(w->why, "%s:%zu: %s: the list has %zu entries; expected %u to %u",
		    w->file, line_of(node), path, n, (unsigned)value->sequence.min,
		    (unsigned)value->sequence.max);
		return ERR_CONFIG;
	}
	return ERR_OK;
}

static enum err
check_choice(struct walk *w, const yaml_node_t *node, const char *path,
    const cyaml_schema_value_t *value)
{
	AUTO_BUF list = { 0 };

	buf_init(&list, 200);
	for (uint32_t i = 0; i < value->enumeration.count; i++) {
		if (str_eq(text_of(node), str_of(value->enumeration.strings[i].str)))
			return ERR_OK;
		buf_putf(
		    &list, "%s%s", i == 0 ? "" : " or ", value->enumeration.strings[i].str);
	}
	why_set(w->why, "%s:%zu: %s: \"%.*s\" is not known; expected %s", w->file,
	    line_of(node), path, STR_ARG(text_of(node)), list.p == NULL ? "" : list.p);
	return ERR_CONFIG;
}

/* A path where somebody may have put the secret itself: the value is not repeated. */
static bool
is_of_secret(const char *path)
{
	return strcmp(path, "mail.password_file") == 0 ||
	       strcmp(path, "cas[].eab_hmac_file") == 0;
}

static enum err
check_value(struct walk *w, const yaml_node_t *node, const char *path,
    const cyaml_schema_value_t *value)
{
	const struct form *form;

	if (value->type == CYAML_MAPPING)
		return check_mapping(w, node, path, value->mapping.fields);
	if (value->type == CYAML_SEQUENCE)
		return check_sequence(w, node, path, value);
	form = form_of(path);
	if (node->type != YAML_SCALAR_NODE || node->data.scalar.length == 0)
		return refuse_kind(
		    w, node, path, value->type == CYAML_ENUM ? "one word" : form->expected);
	if (value->type == CYAML_ENUM)
		return check_choice(w, node, path, value);
	if (!form->is_good(text_of(node), form) ||
	    (value->type == CYAML_STRING && node->data.scalar.length > value->string.max)) {
		if (is_of_secret(path)) {
			why_set(w->why,
			    "%s:%zu: %s: what stands here cannot be used; expected %s", w->file,
			    line_of(node), path, form->expected);
			return ERR_CONFIG;
		}
		why_set(w->why, "%s:%zu: %s: \"%.*s\" cannot be used; expected %s", w->file,
		    line_of(node), path,
		    (int)(node->data.scalar.length > 120 ? 120 : node->data.scalar.length),
		    text_of(node).p, form->expected);
		return ERR_CONFIG;
	}
	return ERR_OK;
}

/* The value under a key of a group, NULL without one. */
static const yaml_node_t *
find(struct walk *w, const yaml_node_t *group, const char *key)
{
	if (group == NULL || group->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *p = group->data.mapping.pairs.start;
	     p < group->data.mapping.pairs.top; p++)
		if (str_eq(text_of(yaml_document_get_node(&w->document, p->key)), str_of(key)))
			return yaml_document_get_node(&w->document, p->value);
	return NULL;
}

static enum err
refuse(struct walk *w, const yaml_node_t *node, const char *words)
{
	why_set(w->why, "%s:%zu: %s", w->file, node == NULL ? 1 : line_of(node), words);
	return ERR_CONFIG;
}

static enum err
check_cas(struct walk *w, const yaml_node_t *cas)
{
	for (yaml_node_item_t *i = cas->data.sequence.items.start;
	     i < cas->data.sequence.items.top; i++) {
		const yaml_node_t *one = yaml_document_get_node(&w->document, *i);

		if (find(w, one, "directory") == NULL)
			return refuse(w, one,
			    "cas[].directory: missing; expected the https:// URL of the CA's "
			    "directory");
		if ((find(w, one, "eab_kid") == NULL) !=
		    (find(w, one, "eab_hmac_file") == NULL))
			return refuse(w, one,
			    "cas[].eab_kid: expected together with eab_hmac_file, or neither");
	}
	return ERR_OK;
}

static enum err
check_targets(struct walk *w, const yaml_node_t *targets)
{
	if (targets == NULL)
		return ERR_OK;
	for (yaml_node_item_t *i = targets->data.sequence.items.start;
	     i < targets->data.sequence.items.top; i++) {
		const yaml_node_t *one = yaml_document_get_node(&w->document, *i);
		static const char *const commands[] = { "test", "reload" };

		for (size_t k = 0; k < 2; k++) {
			const yaml_node_t *argv = find(w, one, commands[k]);
			const yaml_node_t *first = argv == NULL
						       ? NULL
						       : yaml_document_get_node(&w->document,
							     *argv->data.sequence.items.start);

			if (first != NULL && !is_path(text_of(first), NULL)) {
				why_set(w->why,
				    "%s:%zu: targets[].%s: \"%.*s\" cannot be run; expected "
				    "the program's absolute "
				    "path first, then its arguments",
				    w->file, line_of(first), commands[k],
				    STR_ARG(text_of(first)));
				return ERR_CONFIG;
			}
		}
	}
	return ERR_OK;
}

static int64_t
span_or(struct walk *w, const yaml_node_t *group, const char *key, int64_t otherwise_ms)
{
	const yaml_node_t *node = find(w, group, key);
	int64_t ms = otherwise_ms;

	if (node != NULL)
		(void)config_read_span(text_of(node).p, &ms); /* its form was checked */
	return ms;
}

/* A login goes over TLS, or stays on this machine. */
static enum err
check_login(struct walk *w, const yaml_node_t *mail)
{
	const yaml_node_t *server = find(w, mail, "server"), *tls = find(w, mail, "tls");
	struct str url = server == NULL ? STR("smtp://127.0.0.1:25") : text_of(server);

	if ((find(w, mail, "user") == NULL) != (find(w, mail, "password_file") == NULL))
		return refuse(
		    w, mail, "mail.user: expected together with password_file, or neither");
	if (find(w, mail, "user") == NULL || str_starts(url, STR("smtps://")) ||
	    (tls != NULL && str_eq(text_of(tls), STR("true"))) ||
	    str_starts(url, STR("smtp://127.0.0.1")) || str_starts(url, STR("smtp://[::1]")) ||
	    str_starts(url, STR("smtp://localhost")))
		return ERR_OK;
	return refuse(w, mail,
	    "mail.tls: the password would travel in clear; expected tls: true, or a "
	    "server that begins with smtps://");
}

static enum err
check_together(struct walk *w, const yaml_node_t *root)
{
	const yaml_node_t *server = find(w, root, "server"), *cas = find(w, root, "cas");
	const yaml_node_t *check = find(w, root, "check"), *mail = find(w, root, "mail");
	const yaml_node_t *draft = find(w, root, "draft");
	enum err err;

	if (find(w, server, "addresses") == NULL)
		return refuse(w, server == NULL ? root : server,
		    "server.addresses: missing; expected the list of the public addresses of "
		    "this server");
	if (cas == NULL)
		return refuse(w, root,
		    "cas: missing; expected a list with at least one CA (its directory)");
	err = check_cas(w, cas);
	if (err == ERR_OK)
		err = check_targets(w, find(w, root, "targets"));
	if (err != ERR_OK)
		return err;
	if (span_or(w, check, "poll_min", 30 * second) >
	    span_or(w, check, "poll_max", 15 * minute))
		return refuse(w, check,
		    "check.poll_min: above poll_max; expected the smaller of the two");
	if (span_or(w, check, "timeout", 10 * second) >
	    span_or(w, check, "deadline", 60 * second))
		return refuse(w, check,
		    "check.timeout: above deadline; expected at most the deadline of the whole "
		    "check");
	if (span_or(w, draft, "tell_after", 7 * day) >
	    span_or(w, draft, "discard_after", 30 * day))
		return refuse(w, draft,
		    "draft.tell_after: above discard_after; expected the letter before the "
		    "end");
	return check_login(w, mail);
}

static enum err
check_documents(yaml_parser_t *parser, struct walk *w)
{
	yaml_document_t more;
	yaml_node_t *root;
	enum err err;

	if (yaml_parser_load(parser, &w->document) == 0) {
		why_set(w->why, "%s:%zu: this is not YAML: %s", w->file,
		    parser->problem_mark.line + 1,
		    parser->problem == NULL ? "it cannot be read" : parser->problem);
		return ERR_CONFIG;
	}
	root = yaml_document_get_root_node(&w->document);
	if (root == NULL) {
		why_set(w->why,
		    "%s:1: the file is empty; expected at least server.addresses and cas",
		    w->file);
		err = ERR_CONFIG;
	} else {
		err = check_value(w, root, "", &config_schema);
		if (err == ERR_OK)
			err = check_together(w, root);
	}
	if (err == ERR_OK) {
		bool is_read = yaml_parser_load(parser, &more) != 0;
		const yaml_node_t *second_root =
		    is_read ? yaml_document_get_root_node(&more) : NULL;

		if (!is_read || second_root != NULL) {
			why_set(w->why,
			    "%s:%zu: here begins something else; expected the end of the file "
			    "after one document",
			    w->file,
			    is_read ? line_of(second_root) : parser->problem_mark.line + 1);
			err = ERR_CONFIG;
		}
		if (is_read)
			yaml_document_delete(&more);
	}
	yaml_document_delete(&w->document);
	return err;
}

enum err
config_check_text(struct str yaml, const char *file, struct why *why)
{
	struct walk w = { .file = file, .why = why };
	yaml_parser_t parser;
	enum err err;

	if (yaml.n > FILE_BYTES_MAX) {
		why_set(why, "%s:1: the file has %zu bytes; expected at most %d", file, yaml.n,
		    FILE_BYTES_MAX);
		return ERR_CONFIG;
	}
	if (yaml_parser_initialize(&parser) == 0)
		return ERR_MEMORY;
	yaml_parser_set_input_string(&parser, (const unsigned char *)yaml.p, yaml.n);
	err = check_documents(&parser, &w);
	yaml_parser_delete(&parser);
	return err;
}
