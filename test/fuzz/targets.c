#include "test/fuzz/targets.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/date.h"
#include "base/must.h"
#include "base/wire.h"
#include "core/classify.h"
#include "ports/acme/parse.h"
#include "ports/config/config.h"
#include "ports/keys/own.h"
#include "ports/keys/x509.h"
#include "ports/link/message.h"
#include "ports/mail/intake.h"
#include "ports/names/names.h"
#include "ports/rdap/parse.h"
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
	(void)parse_retry_after(bytes, now);
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

	struct own_input in = { .files = { bytes }, .password = "password", .now = { 1767225600 } };
	AUTO_SECRET key = { 0 };

	if (own_read(&in, &a, &c, &chain, &key) != ERR_OK)
		return;
	must((c.key == OWN_KEY_HERE) == (key.n > 0));
	must(c.is_read == (chain.n > 0) && c.is_read == (c.why.n == 0));
	must(str_is_utf8(c.why) && str_is_utf8(c.missing) && str_is_utf8(c.leaf.issuer));
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

#define TARGET(function) { #function, function }
const struct fuzz_target fuzz_targets[] = { TARGET(acme_directory), TARGET(acme_answer), TARGET(acme_renewal), TARGET(acme_problem),
	TARGET(acme_headers), TARGET(rdap_domain), TARGET(rdap_bootstrap), TARGET(certificate_pem), TARGET(certificate_der), TARGET(own_file),
	TARGET(message), TARGET(mail), TARGET(name), TARGET(config) };
const size_t fuzz_targets_n = sizeof fuzz_targets / sizeof *fuzz_targets;

const struct fuzz_target *
fuzz_target_of(const char *wanted)
{
	for (size_t i = 0; i < fuzz_targets_n; i++)
		if (strcmp(fuzz_targets[i].name, wanted) == 0)
			return &fuzz_targets[i];
	return NULL;
}
