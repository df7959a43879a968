#include "test/fuzz/targets.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/date.h"
#include "base/limits.h"
#include "base/must.h"
#include "base/wire.h"
#include "core/classify.h"
#include "core/mixed.h"
#include "ports/acme/parse.h"
#include "ports/config/config.h"
#include "ports/dns/packet.h"
#include "ports/dns/rdata.h"
#include "ports/dns/reply.h"
#include "ports/keys/issuer.h"
#include "ports/keys/jose.h"
#include "ports/keys/own.h"
#include "ports/keys/question.h"
#include "ports/keys/x509.h"
#include "ports/link/message.h"
#include "ports/mail/intake.h"
#include "ports/names/names.h"
#include "ports/passkeys/passkeys.h"
#include "ports/rdap/parse.h"
#include "ports/vantage/answer.h"
#include "ports/vantage/question.h"
#include "words/words.h"

enum { ARENA_BYTES = 16 << 20, FINDINGS = 64 };
static const struct when now = { 1800000000 };

static void
acme_directory(struct str bytes)
{
	AUTO_ARENA a = { .max = ARENA_BYTES };
	struct parse_directory d;
	struct why why;

	if (parse_directory(bytes, &a, &why, &d) == ERR_OK)
		(void)parse_url_is_good(d.new_order, true);
}

/* The first byte is the verb. */
static void
acme_answer(struct str bytes)
{
	struct acme_answer *an = acme_answer_new();
	struct why why;

	must(an != NULL);
	if (bytes.n > 0) {
		an->verb = (enum acme_verb)((unsigned char)bytes.p[0] % ACME_CERTIFICATE);
		(void)!parse_answer((struct str){ bytes.p + 1, bytes.n - 1 }, &why, an);
	}
	acme_answer_free(&an);
}

static void
acme_renewal(struct str bytes)
{
	AUTO_ARENA a = { .max = ARENA_BYTES };
	struct renewal_told told;
	struct why why;

	(void)!parse_renewal(bytes, &a, &why, &told);
}

/* As far as the sentence that a person reads. */
static void
acme_problem(struct str bytes)
{
	AUTO_ARENA a = { .max = ARENA_BYTES };
	struct acme_answer an = { .verb = ACME_NEW_ORDER, .err = ERR_REFUSED, .retry_after = WHEN_UNKNOWN };
	struct finding found[FINDINGS];
	struct finding_list l = { .at = found, .cap = FINDINGS };
	const struct policy p = { .poll_min = SPAN_S(30), .poll_max = SPAN_MIN(15), .ca_not_before = WHEN_UNKNOWN };

	if (!parse_problem(bytes, &a, &an.problem))
		return;
	classify_problem(&an, STR("a.example"), &p, now, &a, &l);
	must(l.n > 0);
	for (size_t i = 0; i < l.n; i++)
		for (enum cause_text t = 0; t < CAUSE_TEXT_COUNT; t++) {
			const struct words_context c = { .lang = LANG_JA, .now = now, .site_name = STR("a.example") };
			AUTO_BUF text = { .max = 1 << 20 };

			words_cause(&l.at[i], t, &c, &text);
			must(str_is_utf8(buf_str(&text)));
		}
}

static void
acme_headers(struct str bytes)
{
	struct when at = parse_retry_after(bytes, STR("Fri, 27 Nov 2026 12:00:00 GMT"), now);
	must(!when_is_known(at) || !when_before(when_plus(now, SPAN_D(366)), at));
	at = parse_retry_after(STR("Fri, 27 Nov 2026 12:00:00 GMT"), bytes, now);
	must(!when_is_known(at) || !when_before(when_plus(now, SPAN_D(366)), at));
	(void)date_read(bytes, DATE_ZONE_OR_UTC);
	(void)parse_link(bytes, STR("alternate"));
	(void)parse_url_is_good(bytes, false);
}

static void
rdap_domain(struct str bytes)
{
	AUTO_ARENA a = { .max = ARENA_BYTES };
	struct registration r;

	(void)!rdap_parse_domain(bytes, STR("example.jp"), &a, &r);
}

static void
rdap_bootstrap(struct str bytes)
{
	struct rdap_bootstrap *b = NULL;

	if (rdap_bootstrap_read(bytes, &b) == ERR_OK)
		(void)rdap_bootstrap_url(b, STR("www.example.co.jp"));
	rdap_bootstrap_free(&b);
}

static void
certificate_pem(struct str bytes)
{
	AUTO_ARENA a = { .max = ARENA_BYTES };
	struct certificate_info info;
	struct str issuer;
	struct why why;

	(void)!x509_read_leaf(bytes, &a, &why, &info);
	(void)!x509_top_issuer(bytes, &a, &issuer);
}

static void
certificate_der(struct str bytes)
{
	AUTO_ARENA a = { .max = ARENA_BYTES };
	struct certificate_info info;
	struct why why;

	(void)!x509_read_der(bytes, &a, &why, &info);
}

static void
own_file(struct str bytes)
{
	AUTO_ARENA a = { .max = ARENA_BYTES };
	AUTO_BUF chain = { .max = 1 << 20 };
	struct own_certificate c;

	/* The system's roots would be read anew each time. */
	struct own_input in = { .files = { bytes },
		.password = "password",
		.roots = "test/fuzz/corpus/certificate_pem/self-signed.pem",
		.now = { 1767225600 } };
	AUTO_SECRET key = { 0 };

	if (own_read(&in, &a, &c, &chain, &key) != ERR_OK)
		return;
	must((c.key == OWN_KEY_HERE) == (key.n > 0));
	must(c.is_read == (chain.n > 0) && c.is_read == (c.why.n == 0));
	must(str_is_utf8(c.why) && str_is_utf8(c.missing) && str_is_utf8(c.leaf.issuer));
	for (size_t i = 0; i < c.issuer_urls_n; i++)
		must(own_issuer_url_is_good(c.issuer_urls[i]) && str_is_line(c.issuer_urls[i]));
}

/* What was got where a certificate said that its issuer's is, as it then stands beside a file. */
static void
issuer_file(struct str bytes)
{
	AUTO_ARENA a = { .max = ARENA_BYTES };
	AUTO_BUF found = { .max = 1 << 20 }, chain = { .max = 1 << 20 };
	struct own_certificate c;

	if (issuer_read(bytes, &found) != ERR_OK) {
		must(found.n == 0);
		return;
	}
	must(str_starts(buf_str(&found), STR("-----BEGIN CERTIFICATE-----\n")));
	struct own_input in = { .files = { buf_str(&found) },
		.known = buf_str(&found),
		.password = "",
		.roots = "test/fuzz/corpus/certificate_pem/self-signed.pem",
		.now = { 1767225600 } };
	if (own_read(&in, &a, &c, &chain, NULL) == ERR_OK)
		must(!own_issuer_is_found(&c) || own_issuer_next(&c, NULL, 0).n == 0);
}

/* Between our own processes: the less trusted one sends. */
static void
message(struct str bytes)
{
	AUTO_ARENA a = { .max = ARENA_BYTES };
	struct message m;
	struct wire_reader r;
	const struct str *list;

	(void)!message_read(bytes, &m);
	if (wire_open(&r, bytes) == 0)
		return;
	(void)wire_get_u32(&r);
	(void)wire_get_list(&r, 100, &a, &list);
	(void)wire_get_bytes(&r, 4096);
	(void)wire_get_i64(&r);
	(void)!wire_close(&r);
}

static void
mail(struct str bytes)
{
	AUTO_ARENA a = { .max = ARENA_BYTES };
	struct intake in;
	struct why why;

	if (intake_read(bytes, &a, &in, &why) == ERR_OK)
		must(str_is_utf8(in.text) && str_is_line(in.subject) && str_is_line(in.from) && str_is_line(in.words));
}

static void
name(struct str bytes)
{
	AUTO_ARENA a = { .max = ARENA_BYTES };
	struct str read;
	struct why why;

	if (names_read(bytes, true, &a, &why, &read) == ERR_OK)
		(void)names_for_people(read, &a);
	(void)!names_read_mail(bytes, &a, &why, &read);
}

static void
config(struct str bytes)
{
	int fd = memfd_create("koshin.yaml", 0);
	struct config *c = NULL;
	struct why why;
	char file[64];

	must(fd >= 0 && write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n);
	(void)snprintf(file, sizeof file, "/proc/self/fd/%d", fd);
	(void)!config_read(file, &why, &c);
	config_free(&c);
	(void)close(fd);
}

static void
home_page(struct str bytes)
{
	struct mixed m = mixed_of(bytes);

	must(m.first.n <= MIXED_SHOWN_BYTES_MAX && str_is_line(m.first) && str_is_utf8(m.first));
	must((m.n > 0) == (m.first.n > 0));
}

/* ---- passkeys: what a browser sends ---- */

static const struct passkey_site panel = { { "panel.example", 13 }, { "https://panel.example", 21 } };
#define CHALLENGE "dGhlIGNoYWxsZW5nZQ"
#define CLIENT_DATA(type) STR("{\"type\": \"" type "\", \"challenge\": \"" CHALLENGE "\", \"origin\": \"https://panel.example\"}")

/* Authenticator data begin with the digest of the site's name: no change of bytes would ever find it, and nothing behind it is read without it. */
static struct str
authenticator_data(struct str rest, struct arena *a)
{
	static const unsigned char site[] = { 0x3d, 0x1d, 0xd1, 0xe4, 0x74, 0xeb, 0xdb, 0x37, 0x4b, 0x6e, 0x50, 0x55, 0xb5, 0xc6, 0x5d,
		0xe6, 0xdb, 0x5c, 0x50, 0xb3, 0x62, 0xb3, 0x1c, 0x54, 0x90, 0x49, 0x3d, 0xb1, 0x6d, 0xcf, 0x77, 0x1f };
	char *to = arena_get(a, sizeof site + rest.n);

	must(to != NULL);
	memcpy(to, site, sizeof site);
	if (rest.n > 0)
		memcpy(to + sizeof site, rest.p, rest.n);
	return (struct str){ to, sizeof site + rest.n };
}

/* A new passkey, in CBOR, as far as its key can be used. */
static void
passkey_made(struct str bytes)
{
	AUTO_ARENA a = { .max = ARENA_BYTES };
	struct passkey_made made;
	struct passkey_use use = { .challenge = STR(CHALLENGE), .client_data = CLIENT_DATA("webauthn.get"), .signature = STR("signature") };
	uint32_t count;

	if (passkey_read(&panel, use.challenge, CLIENT_DATA("webauthn.create"), authenticator_data(bytes, &a), &a, &made) != ERR_OK)
		return;
	must(made.id.n > 0 && made.id.n <= PASSKEY_ID_BYTES_MAX && made.key.n > 0);
	must(made.algorithm == -7 || made.algorithm == -8 || made.algorithm == -257);
	use.authenticator_data = authenticator_data(STR("\005\0\0\0\1"), &a);
	must(passkey_verify(&panel, made.algorithm, made.key, &use, &a, &count) != ERR_OK);
}

/* The first byte is the algorithm, the second and third how long the key is, the fourth how long the authenticator data are; then key, data
 * and signature. */
static void
passkey_use(struct str bytes)
{
	static const int algorithms[] = { -7, -8, -257, 0 };
	AUTO_ARENA a = { .max = ARENA_BYTES };
	struct passkey_use use = { .challenge = STR(CHALLENGE), .client_data = CLIENT_DATA("webauthn.get") };
	const unsigned char *head = (const unsigned char *)bytes.p;
	uint32_t count;

	if (bytes.n < 4)
		return;
	size_t key_n = (size_t)head[1] << 8 | head[2], data_n = head[3];
	struct str rest = { bytes.p + 4, bytes.n - 4 };
	if (key_n > rest.n || data_n > rest.n - key_n)
		return;
	struct str key = { rest.p, key_n };
	use.authenticator_data = authenticator_data((struct str){ rest.p + key_n, data_n }, &a);
	use.signature = (struct str){ rest.p + key_n + data_n, rest.n - key_n - data_n };
	use.needs_user = (head[0] & 4) != 0;
	(void)!passkey_verify(&panel, algorithms[head[0] & 3], key, &use, &a, &count);
}

/* Client data are JSON; and all that a browser sends comes as base64url. */
static void
passkey_client(struct str bytes)
{
	AUTO_ARENA a = { .max = ARENA_BYTES };
	struct passkey_made made;
	struct str got;

	if (passkey_decode(bytes, PASSKEY_ID_BYTES_MAX, &a, &got) == ERR_OK)
		must(got.n > 0 && got.n <= PASSKEY_ID_BYTES_MAX);
	if (passkey_challenge(bytes, &a, &got) == ERR_OK)
		must(str_is_utf8(got));
	must(passkey_read(&panel, STR(CHALLENGE), bytes, authenticator_data(STR("\105\0\0\0\1"), &a), &a, &made) != ERR_OK);
}

/* ---- vantage points: what somebody asks one, and what one answers ---- */

static void
vantage_question(struct str bytes)
{
	AUTO_ARENA a = { .max = ARENA_BYTES };
	struct question_message m;
	enum refusal r = question_read(bytes, &a, &m);

	must(r != REFUSAL_NONE || (m.q.names_n <= LIMIT_QUESTION_NAMES && str_is_line(m.q.place) && m.q.nonce.n == QUESTION_NONCE_LETTERS));
	for (size_t i = 0; r == REFUSAL_NONE && i < m.q.names_n; i++)
		must(m.q.names[i].n > 0 && m.q.names[i].n <= LIMIT_NAME_BYTES && str_is_line(m.q.names[i]));
	if (r == REFUSAL_NONE)
		(void)!question_verify(m.key, m.input, m.signature);
}

/* Payloads, without the base64 around them, which no change of bytes would get through. */
static void
vantage_payload(struct str bytes)
{
	static const char header[] = "{\"alg\":\"EdDSA\",\"kid\":\"9jg46WB3rR-AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI\",\"typ\":\"koshin-question+json\"}";
	static const char nothing[JOSE_ED25519_BYTES];
	AUTO_BUF body = { .max = LIMIT_QUESTION_BYTES };

	buf_put_str(&body, STR("{\"protected\":\""));
	jose_put_base64url(&body, str_of(header));
	buf_put_str(&body, STR("\",\"payload\":\""));
	jose_put_base64url(&body, bytes);
	buf_put_str(&body, STR("\",\"signature\":\""));
	jose_put_base64url(&body, (struct str){ nothing, sizeof nothing });
	buf_put_str(&body, STR("\"}"));
	if (body.err == ERR_OK)
		vantage_question(buf_str(&body));
}

static void
vantage_answer(struct str bytes)
{
	AUTO_ARENA a = { .max = ARENA_BYTES };
	struct view_evidence v = { .place = STR("tokyo") };
	const struct answer_slot slot = { STR("www.example.jp"), &v };

	if (answer_read(bytes, STR("AAECAwQFBgcICQoLDA0ODw"), &slot, 1, &a) == ERR_OK)
		must(v.addresses_n <= LIMIT_VIEW_ADDRESSES && str_is_line(v.cname_target) && (v.result == VIEW_SEEN || v.result == VIEW_BLIND));
	must(str_is_line(answer_refusal(bytes, &a)));
}

/* What a name server sends, and what is taken from it. */
static void
dns_packet(struct str bytes)
{
	AUTO_ARENA a = { .max = ARENA_BYTES };
	struct nameserver_evidence e = { .status = DNS_OK };
	ldns_pkt *p = NULL;

	if (!packet_read((const uint8_t *)bytes.p, bytes.n, &p))
		return;
	const ldns_rr_list *const sections[] = { ldns_pkt_answer(p), ldns_pkt_authority(p), ldns_pkt_additional(p) };
	for (size_t s = 0; s < sizeof sections / sizeof *sections; s++)
		for (size_t i = 0; i < ldns_rr_list_rr_count(sections[s]); i++) {
			const ldns_rr *rr = ldns_rr_list_rr(sections[s], i);
			struct address ip = { 0 };
			struct str owner = packet_name(ldns_rr_owner(rr), &a);

			must(owner.n <= LIMIT_NAME_BYTES && str_is_line(owner));
			must(!packet_address(rr, &ip) || ip.family == 4 || ip.family == 6);
		}
	packet_addresses(p, &a, &e);
	must(e.addresses_n <= 32 && str_is_line(e.cname));
	ldns_pkt_free(p);
}

/* The message that the resolver puts together of what strangers' servers have said. */
static void
dns_reply(struct str bytes)
{
	static const int types[] = { DNS_A, DNS_AAAA, DNS_CNAME, DNS_CAA, DNS_NS };

	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		AUTO_ARENA a = { .max = ARENA_BYTES };
		struct dns_answer answer = { .status = DNS_NOT_ASKED };

		reply_read(bytes, types[i], &a, &answer);
		must(answer.status != DNS_NOT_ASKED && str_is_line(answer.canonical) && answer.canonical.n <= LIMIT_NAME_BYTES);
		must(answer.data_n == 0 || answer.status == DNS_OK);
	}
}

/* One record's data, as a resolver gives it. */
static void
dns_rdata(struct str bytes)
{
	AUTO_ARENA a = { .max = ARENA_BYTES };
	struct caa_record caa;
	struct str name = rdata_name(bytes, &a);

	must(name.n <= LIMIT_NAME_BYTES && str_is_line(name));
	if (rdata_caa(bytes, &a, &caa))
		must(caa.tag.n > 0 && caa.tag.n + caa.value.n + 2 == bytes.n);
	must(!rdata_is_proof(bytes) || bytes.n == 44);
}

#define TARGET(function) { #function, function }
const struct fuzz_target fuzz_targets[] = { TARGET(acme_directory), TARGET(acme_answer), TARGET(acme_renewal), TARGET(acme_problem),
	TARGET(acme_headers), TARGET(rdap_domain), TARGET(rdap_bootstrap), TARGET(certificate_pem), TARGET(certificate_der), TARGET(own_file),
	TARGET(issuer_file), TARGET(message), TARGET(mail), TARGET(name), TARGET(dns_packet), TARGET(dns_rdata), TARGET(dns_reply), TARGET(config), TARGET(home_page),
	TARGET(passkey_made), TARGET(passkey_use), TARGET(passkey_client),
	TARGET(vantage_question), TARGET(vantage_payload), TARGET(vantage_answer) };
const size_t fuzz_targets_n = sizeof fuzz_targets / sizeof *fuzz_targets;

const struct fuzz_target *
fuzz_target_of(const char *wanted)
{
	for (size_t i = 0; i < fuzz_targets_n; i++)
		if (strcmp(fuzz_targets[i].name, wanted) == 0)
			return &fuzz_targets[i];
	return NULL;
}
