#include "ports/config/schema.h"
#include "base/limits.h"

/*
 * Mappings inside the file are not structs of their own in memory: each one's base is the whole struct config_raw (or
 * one CA, one target), so that a key may go wherever it is wanted.
 */
#define GROUP(name, base, list) \
	{ \
		.key = name, .data_offset = 0, .value = { \
			.type = CYAML_MAPPING, \
			.flags = CYAML_FLAG_OPTIONAL, \
			.data_size = sizeof(base), \
			.mapping = { .fields = list }, \
		} \
	}
enum {
	TEXT_BYTES_MAX = 4096,
	LIST_MAX = 64
}; /* a path; more than any installation lists by hand */
#define TEXT(name, base, member) \
	CYAML_FIELD_STRING_PTR(name, CYAML_FLAG_OPTIONAL, base, member, 1, TEXT_BYTES_MAX)
#define TEXTS(name, base, member, count) \
	CYAML_FIELD_SEQUENCE_COUNT(name, CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, base, \
	    member, count, &text, 1, LIST_MAX)
#define NUMBER(name, base, member) CYAML_FIELD_UINT(name, CYAML_FLAG_OPTIONAL, base, member)
#define CHOICE(name, base, member, list) \
	CYAML_FIELD_ENUM(name, CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, base, member, list, \
	    sizeof(list) / sizeof *(list))

static const cyaml_schema_value_t text = { CYAML_VALUE_STRING(
    CYAML_FLAG_POINTER, char *, 1, TEXT_BYTES_MAX) };
static const cyaml_strval_t yes_no[] = { { "true", 1 }, { "false", 0 } };
static const cyaml_strval_t target_kinds[] = {
	{ "nginx", TARGET_NGINX },
	{ "nginx-variable", TARGET_NGINX_VARIABLE },
	{ "folder", TARGET_FOLDER },
};

static const cyaml_schema_field_t target_fields[] = {
	TEXT("name", struct config_target, name),
	CHOICE("kind", struct config_target, kind, target_kinds),
	TEXT("folder", struct config_target, folder),
	TEXT("config_folder", struct config_target, config_folder),
	TEXTS("test", struct config_target, test, test_n),
	TEXTS("reload", struct config_target, reload, reload_n),
	TEXTS("listen_http", struct config_target, listen_http, listen_http_n),
	TEXTS("listen_https", struct config_target, listen_https, listen_https_n),
	TEXT("group", struct config_target, group),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t target = { CYAML_VALUE_MAPPING(
    CYAML_FLAG_DEFAULT, struct config_target, target_fields) };

static const cyaml_schema_field_t ca_fields[] = {
	TEXT("name", struct config_ca, name),
	TEXT("directory", struct config_ca, directory),
	TEXT("contact", struct config_ca, contact),
	TEXT("bundle", struct config_ca, bundle),
	TEXT("preferred_issuer", struct config_ca, preferred_issuer),
	TEXT("profile", struct config_ca, profile),
	TEXT("limits", struct config_ca, limits),
	TEXTS("raised", struct config_ca, raised, raised_n),
	TEXT("eab_kid", struct config_ca, eab_kid),
	TEXT("eab_hmac_file", struct config_ca, eab_hmac_file),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t ca = { CYAML_VALUE_MAPPING(
    CYAML_FLAG_DEFAULT, struct config_ca, ca_fields) };

static const cyaml_schema_field_t server_fields[] = {
	TEXTS("addresses", struct config_raw, c.server.addresses, c.server.addresses_n),
	CYAML_FIELD_END,
};
static const cyaml_strval_t algorithms[] = { { "hmac-sha256", TSIG_SHA256 }, { "hmac-sha512", TSIG_SHA512 } };
static const cyaml_schema_field_t update_fields[] = {
	TEXT("zone", struct config_update, zone),
	TEXT("server", struct config_update, server),
	TEXT("key", struct config_update, key),
	CHOICE("algorithm", struct config_update, algorithm, algorithms),
	TEXT("secret_file", struct config_update, secret_file),
	NUMBER("ttl", struct config_update, ttl),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t update = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_update, update_fields) };
static const cyaml_schema_field_t dns_fields[] = {
	TEXTS("forwarders", struct config_raw, c.dns.forwarders, c.dns.forwarders_n),
	CYAML_FIELD_SEQUENCE_COUNT("public_resolvers", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, struct config_raw, c.dns.public_resolvers,
	    c.dns.public_resolvers_n, &text, 1, 4),
	CYAML_FIELD_SEQUENCE_COUNT("updates", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, struct config_raw, c.dns.updates, c.dns.updates_n, &update, 1,
	    LIMIT_UPDATE_ZONES),
	TEXT("trust_anchor_file", struct config_raw, c.dns.trust_anchor_file),
	NUMBER("port", struct config_raw, c.dns.port),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t check_fields[] = {
	NUMBER("http_port", struct config_raw, c.check.http_port),
	NUMBER("https_port", struct config_raw, c.check.https_port),
	TEXTS("allow", struct config_raw, c.check.allow, c.check.allow_n),
	TEXTS("fronts", struct config_raw, c.check.fronts, c.check.fronts_n),
	CYAML_FIELD_SEQUENCE_COUNT("services", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, struct config_raw, c.check.services, c.check.services_n,
	    &text, 1, LIMIT_SERVICES),
	CYAML_FIELD_SEQUENCE_COUNT("from", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, struct config_raw, c.check.from, c.check.from_n, &text, 1, 2),
	TEXT("roots", struct config_raw, c.check.roots),
	TEXT("rdap", struct config_raw, c.check.rdap),
	TEXT("timeout", struct config_raw, span.timeout),
	TEXT("deadline", struct config_raw, span.deadline),
	TEXT("look_every", struct config_raw, span.look_every),
	TEXT("poll_min", struct config_raw, span.poll_min),
	TEXT("poll_max", struct config_raw, span.poll_max),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t web_fields[] = {
	TEXTS("listen", struct config_raw, c.web.listen, c.web.listen_n),
	TEXT("socket", struct config_raw, c.web.socket),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t panel_fields[] = {
	TEXTS("listen", struct config_raw, c.panel.listen, c.panel.listen_n),
	TEXT("folder", struct config_raw, c.panel.folder),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t mail_fields[] = {
	TEXT("server", struct config_raw, c.mail.server),
	TEXT("user", struct config_raw, c.mail.user),
	TEXT("password_file", struct config_raw, c.mail.password_file),
	TEXT("from", struct config_raw, c.mail.from),
	TEXT("reply_to", struct config_raw, c.mail.reply_to),
	CHOICE("tls", struct config_raw, c.mail.tls, yes_no),
	TEXT("bundle", struct config_raw, c.mail.bundle),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t draft_fields[] = {
	TEXT("tell_after", struct config_raw, span.tell_after),
	TEXT("discard_after", struct config_raw, span.discard_after),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t acme_fields[] = {
	TEXT("timeout", struct config_raw, span.acme_timeout),
	TEXT("processing_max", struct config_raw, span.acme_processing_max),
	NUMBER("connections_max", struct config_raw, c.acme.connections_max),
	NUMBER("orders_open_max", struct config_raw, c.acme.orders_open_max),
	TEXT("reserve_after", struct config_raw, span.reserve_after),
	TEXT("canary", struct config_raw, c.acme.canary),
	TEXT("canary_every", struct config_raw, span.canary_every),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t watch_fields[] = {
	TEXT("operator", struct config_raw, c.watch.operator_mail),
	TEXT("server", struct config_raw, c.watch.server),
	TEXT("every", struct config_raw, span.watch_every),
	TEXT("dead_after", struct config_raw, span.dead_after),
	TEXT("late_after", struct config_raw, span.late_after),
	TEXT("blind_after", struct config_raw, span.blind_after),
	TEXTS("outside", struct config_raw, c.watch.outside, c.watch.outside_n),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t place_fields[] = {
	TEXT("name", struct config_vantage, name),
	TEXT("url", struct config_vantage, url),
	TEXT("bundle", struct config_vantage, bundle),
	TEXT("timeout", struct config_vantage, timeout),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t place = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_vantage, place_fields) };
static const cyaml_schema_field_t vantage_fields[] = {
	TEXT("name", struct config_raw, c.vantage.name),
	TEXTS("listen", struct config_raw, c.vantage.listen, c.vantage.listen_n),
	TEXT("certificate", struct config_raw, c.vantage.certificate),
	TEXT("key", struct config_raw, c.vantage.key),
	CYAML_FIELD_SEQUENCE_COUNT("askers", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, struct config_raw, c.vantage.askers, c.vantage.askers_n, &text, 1,
	    LIMIT_VANTAGE_ASKERS),
	NUMBER("questions_a_minute", struct config_raw, c.vantage.questions_a_minute),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t file_fields[] = {
	GROUP("server", struct config_raw, server_fields),
	CYAML_FIELD_SEQUENCE_COUNT("cas", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER,
	    struct config_raw, c.cas, c.cas_n, &ca, 1, LIMIT_CAS),
	CYAML_FIELD_SEQUENCE_COUNT("targets", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER,
	    struct config_raw, c.targets, c.targets_n, &target, 1, LIST_MAX),
	TEXT("state_folder", struct config_raw, c.state_folder),
	TEXT("run_folder", struct config_raw, c.run_folder),
	TEXT("user", struct config_raw, c.user),
	GROUP("dns", struct config_raw, dns_fields),
	GROUP("check", struct config_raw, check_fields),
	GROUP("web", struct config_raw, web_fields),
	GROUP("panel", struct config_raw, panel_fields),
	GROUP("mail", struct config_raw, mail_fields),
	TEXT("language", struct config_raw, c.language),
	TEXT("timezone", struct config_raw, c.timezone),
	TEXT("panel_url", struct config_raw, c.panel_url),
	GROUP("draft", struct config_raw, draft_fields),
	GROUP("acme", struct config_raw, acme_fields),
	GROUP("watch", struct config_raw, watch_fields),
	CYAML_FIELD_SEQUENCE_COUNT("vantages", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, struct config_raw, c.vantages, c.vantages_n, &place, 1,
	    LIMIT_VANTAGES),
	GROUP("vantage", struct config_raw, vantage_fields),
	TEXT("clock_offset", struct config_raw, span.clock_offset),
	TEXT("lease", struct config_raw, span.lease),
	TEXT("log_level", struct config_raw, c.log_level),
	CYAML_FIELD_END,
};
const cyaml_schema_value_t config_schema = { CYAML_VALUE_MAPPING(
    CYAML_FLAG_POINTER, struct config_raw, file_fields) };
