/* Which place an issuer's certificate is asked for at, how what is got there is read, and what it then does for a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/limits.h"
#include "ports/keys/issuer.h"
#include "ports/keys/own.h"

static const struct when now = { 1767225600 };

static void
places(void **state)
{
	static const struct {
		int line;
		const char *url;
		bool is_good;
	} rows[] = {
		{ __LINE__, "http://ca.example/one.cer", true },
		{ __LINE__, "HTTP://ca.example", true },
		{ __LINE__, "http://ca.example:8080/a?b=c@d#e", true },
		{ __LINE__, "http://192.0.2.1/a@b", true },
		{ __LINE__, "http://[2001:db8::1]/a", true },
		{ __LINE__, "https://ca.example/one.cer", false },
		{ __LINE__, "ldap://ca.example/cn=one", false },
		{ __LINE__, "file:///etc/passwd", false },
		{ __LINE__, "http://", false },
		{ __LINE__, "http:///one.cer", false },
		{ __LINE__, "http://:80/one.cer", false },
		{ __LINE__, "http://?a", false },
		{ __LINE__, "http://who@ca.example/", false },
		{ __LINE__, "http://who:what@ca.example", false },
		{ __LINE__, "http://ca.example/a b", false },
		{ __LINE__, "http://ca.example/\r\nHost: x", false },
		{ __LINE__, "http://ca.example/\xc3\xa9", false },
		{ __LINE__, "http://ca.example/\x7f", false },
		{ __LINE__, "one.cer", false },
		{ __LINE__, "", false },
	};
	char *longest = malloc(LIMIT_URL_BYTES + 1);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (own_issuer_url_is_good(str_of(rows[i].url)) != rows[i].is_good)
			fail_msg("%s:%d: %s", __FILE__, rows[i].line, rows[i].url);
	assert_false(own_issuer_url_is_good((struct str){ "http://a\0.b", 11 }));
	assert_non_null(longest);
	memset(longest, 'a', LIMIT_URL_BYTES + 1);
	memcpy(longest, "http://", 7);
	assert_true(own_issuer_url_is_good((struct str){ longest, LIMIT_URL_BYTES }));
	assert_false(own_issuer_url_is_good((struct str){ longest, LIMIT_URL_BYTES + 1 }));
	free(longest);
}

static void
which_is_next(void **state)
{
	static const struct {
		int line;
		bool is_read, is_complete;
		const char *named, *asked; /* each character is a place */
		const char *next;
	} rows[] = {
		{ __LINE__, true, false, "ab", "", "a" },
		{ __LINE__, true, false, "ab", "a", "b" },
		{ __LINE__, true, false, "ab", "ba", "" },
		{ __LINE__, true, false, "ab", "cd", "a" },
		{ __LINE__, true, false, "abcd", "abc", "" }, /* three at most */
		{ __LINE__, true, false, "d", "abc", "" },
		{ __LINE__, true, false, "", "", "" },
		{ __LINE__, true, true, "ab", "", "" },
		{ __LINE__, false, false, "ab", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct own_certificate c = { .is_read = rows[i].is_read, .is_complete = rows[i].is_complete };
		struct str asked[OWN_ISSUER_ASKED_MAX];
		size_t asked_n = strlen(rows[i].asked);

		c.issuer_urls_n = strlen(rows[i].named);
		for (size_t k = 0; k < c.issuer_urls_n; k++)
			c.issuer_urls[k] = (struct str){ rows[i].named + k, 1 };
		for (size_t k = 0; k < asked_n; k++)
			asked[k] = (struct str){ rows[i].asked + k, 1 };
		if (!str_eq(own_issuer_next(&c, asked, asked_n), str_of(rows[i].next)))
			fail_msg("%s:%d", __FILE__, rows[i].line);
	}
	struct own_certificate c = { .is_read = true, .is_complete = true };
	assert_true(own_issuer_is_found(&c));
	c.untrusted = STR("browsers do not know its issuer");
	assert_false(own_issuer_is_found(&c));
	assert_false(own_issuer_is_found(&(struct own_certificate){ .is_read = true }));
	assert_false(own_issuer_is_found(&(struct own_certificate){ .is_complete = true }));
}

/* --- with certificates --- */

struct pair {
	EVP_PKEY *key;
	X509 *x;
};

static void
extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(e);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

static struct pair
make(const char *name, const struct pair *issuer, const char *places, bool is_ca)
{
	struct pair p = { EVP_EC_gen("P-256"), X509_new() };
	static long serial;

	assert_int_equal(X509_set_version(p.x, 2), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(p.x), ++serial), 1);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(p.x), (time_t)now.s - 86400));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(p.x), (time_t)now.s + 90 * 86400));
	assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(p.x), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0), 1);
	assert_int_equal(X509_set_issuer_name(p.x, X509_get_subject_name(issuer == NULL ? p.x : issuer->x)), 1);
	assert_int_equal(X509_set_pubkey(p.x, p.key), 1);
	extend(p.x, NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (!is_ca)
		extend(p.x, NID_subject_alt_name, "DNS:example.jp");
	if (places != NULL)
		extend(p.x, NID_info_access, places);
	assert_true(X509_sign(p.x, issuer == NULL ? p.key : issuer->key, EVP_sha256()) > 0);
	return p;
}

static void
drop(struct pair *p)
{
	EVP_PKEY_free(p->key);
	X509_free(p->x);
}

static void
put_pem(const struct pair *p, struct buf *to)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;

	assert_int_equal(PEM_write_bio_X509(bio, p->x), 1);
	long n = BIO_get_mem_data(bio, &text);
	buf_put(to, text, (size_t)n);
	BIO_free(bio);
}

static struct buf
der_of(const struct pair *p)
{
	struct buf ret;
	unsigned char *der = NULL;
	int n = i2d_X509(p->x, &der);

	buf_init(&ret, 65536);
	assert_true(n > 0);
	buf_put(&ret, (const char *)der, (size_t)n);
	OPENSSL_free(der);
	return ret;
}

static struct buf
p7_of(const struct pair *const *all, size_t n)
{
	PKCS7 *p7 = PKCS7_new();
	struct buf ret;
	unsigned char *der = NULL;

	buf_init(&ret, 65536);
	assert_int_equal(PKCS7_set_type(p7, NID_pkcs7_signed), 1);
	assert_int_equal(PKCS7_content_new(p7, NID_pkcs7_data), 1);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(PKCS7_add_certificate(p7, all[i]->x), 1);
	int len = i2d_PKCS7(p7, &der);
	assert_true(len > 0);
	buf_put(&ret, (const char *)der, (size_t)len);
	OPENSSL_free(der);
	PKCS7_free(p7);
	return ret;
}

static size_t
certificates_in(struct str pem)
{
	size_t n = 0, at;

	while ((at = str_find(pem, STR("-----BEGIN CERTIFICATE-----"))) != SIZE_MAX) {
		n++;
		pem = (struct str){ pem.p + at + 1, pem.n - at - 1 };
	}
	return n;
}

static void
what_was_got(void **state)
{
	struct pair root = make("root", NULL, NULL, true), middle = make("middle", &root, NULL, true);
	const struct pair *const two[] = { &root, &middle };
	const struct pair *many[ISSUER_CERTIFICATES_MAX + 1];
	AUTO_BUF pem = { .max = 65536 };

	(void)state;
	for (size_t i = 0; i <= ISSUER_CERTIFICATES_MAX; i++)
		many[i] = &middle;
	AUTO_BUF der = der_of(&middle), p7 = p7_of(two, 2), none = p7_of(NULL, 0), full = p7_of(many, ISSUER_CERTIFICATES_MAX),
		 over = p7_of(many, ISSUER_CERTIFICATES_MAX + 1);
	assert_int_equal(issuer_read(buf_str(&der), &pem), ERR_OK);
	assert_int_equal(certificates_in(buf_str(&pem)), 1);
	/* Appended, not in place of it. */
	assert_int_equal(issuer_read(buf_str(&p7), &pem), ERR_OK);
	assert_int_equal(certificates_in(buf_str(&pem)), 3);
	buf_clear(&pem);
	assert_int_equal(issuer_read(buf_str(&full), &pem), ERR_OK);
	assert_int_equal(certificates_in(buf_str(&pem)), ISSUER_CERTIFICATES_MAX);
	/* As text: what was made of a full PKCS#7 just now. */
	AUTO_BUF text = { .max = 65536 }, again = { .max = 65536 };
	buf_put_str(&text, buf_str(&pem));
	assert_int_equal(issuer_read(buf_str(&text), &again), ERR_OK);
	assert_true(str_eq(buf_str(&again), buf_str(&text)));
	buf_put_str(&text, buf_str(&pem)); /* twice as many */
	AUTO_BUF key = { .max = 65536 }, cut = { .max = 65536 };
	buf_put_str(&key, buf_str(&pem));
	buf_put_str(&key, STR("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
	buf_put_str(&cut, (struct str){ pem.p, pem.n - 30 });
	buf_clear(&pem);
	const struct str bad[] = { buf_str(&text), buf_str(&key), buf_str(&cut), buf_str(&none), buf_str(&over), STR_NONE, STR("<html>404</html>"), { der.p, der.n - 1 }, { p7.p, p7.n - 1 },
		{ der.p + 1, der.n - 1 } };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (issuer_read(bad[i], &pem) != ERR_INVALID || pem.n != 0)
			fail_msg("%zu", i);
	drop(&root);
	drop(&middle);
}

/* The file of roots that browsers know. */
static void
write_roots(const struct pair *root, char *path)
{
	AUTO_BUF pem = { .max = 65536 };
	int fd = mkstemp(path);

	put_pem(root, &pem);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, pem.p, pem.n), (ssize_t)pem.n);
	assert_int_equal(close(fd), 0);
}

/* The leaf's file with what was got. */
static struct own_certificate
read_with(const struct pair *leaf, const char *roots, struct str known, struct arena *a, struct buf *chain)
{
	AUTO_BUF file = { .max = 65536 };
	struct own_certificate c;

	buf_clear(chain);
	put_pem(leaf, &file);
	const struct own_input in = { .files = { buf_str(&file) }, .known = known, .password = "", .roots = roots, .now = now };
	assert_int_equal(own_read(&in, a, &c, chain, NULL), ERR_OK);
	assert_true(c.is_read);
	return c;
}

static void
what_it_does_for_a_file(void **state)
{
	char roots[] = "/tmp/koshin-roots-XXXXXX";
	struct pair root = make("root", NULL, NULL, true), middle = make("middle", &root, "caIssuers;URI:http://ca.example/root.cer", true);
	struct pair lower = make("lower", &middle, "caIssuers;URI:http://ca.example/middle.cer", true);
	struct pair leaf = make("leaf", &lower,
	    "OCSP;URI:http://ocsp.example/,caIssuers;URI:ldap://ca.example/cn=lower,caIssuers;URI:https://ca.example/lower.cer,"
	    "caIssuers;URI:http://ca.example/lower.cer,caIssuers;DNS:ca.example,caIssuers;URI:http://two.example/lower.cer",
	    false);
	struct pair namesake = make("lower", &middle, NULL, true);
	const struct pair *const all[] = { &root, &lower, &middle };
	AUTO_BUF p7 = p7_of(all, 3), known = { .max = 65536 }, chain = { .max = 65536 };
	AUTO_ARENA a = { .max = 1 << 20 };

	(void)state;
	write_roots(&root, roots);
	/* The places over plain HTTP, in their order. */
	struct own_certificate c = read_with(&leaf, roots, STR_NONE, &a, &chain);
	assert_false(c.is_complete);
	assert_int_equal(c.issuer_urls_n, 2);
	assert_true(str_eq(c.issuer_urls[0], STR("http://ca.example/lower.cer")) && str_eq(c.issuer_urls[1], STR("http://two.example/lower.cer")));
	/* The name without the signature is nothing. */
	put_pem(&namesake, &known);
	c = read_with(&leaf, roots, buf_str(&known), &a, &chain);
	assert_true(!c.is_complete && c.issuer_urls_n == 2 && certificates_in(buf_str(&chain)) == 1);
	/* One step: now the place that the intermediate names. */
	put_pem(&lower, &known);
	c = read_with(&leaf, roots, buf_str(&known), &a, &chain);
	assert_true(!c.is_complete && !own_issuer_is_found(&c) && c.issuer_urls_n == 1);
	assert_true(str_eq(c.issuer_urls[0], STR("http://ca.example/middle.cer")));
	/* All of it, in any order; the root is not sent along. */
	buf_clear(&known);
	assert_int_equal(issuer_read(buf_str(&p7), &known), ERR_OK);
	c = read_with(&leaf, roots, buf_str(&known), &a, &chain);
	assert_true(c.is_complete && c.is_ordered && own_issuer_is_found(&c));
	assert_int_equal(certificates_in(buf_str(&chain)), 3);
	assert_int_equal(unlink(roots), 0);
	drop(&root);
	drop(&middle);
	drop(&lower);
	drop(&leaf);
	drop(&namesake);
}

/* A and B have issued each other: the way from the leaf has each of them once, and no end. */
static void
who_name_each_other(void **state)
{
	char roots[] = "/tmp/koshin-roots-XXXXXX";
	struct pair root = make("root", NULL, NULL, true), one = make("one", &root, NULL, true);
	struct pair two = make("two", &one, "caIssuers;URI:http://ca.example/one.cer", true);
	struct pair leaf = make("leaf", &one, "caIssuers;URI:http://ca.example/one.cer", false);
	AUTO_BUF known = { .max = 65536 }, chain = { .max = 65536 };
	AUTO_ARENA a = { .max = 1 << 20 };

	(void)state;
	write_roots(&root, roots);
	/* The same name and key, issued by the other. */
	assert_int_equal(X509_set_issuer_name(one.x, X509_get_subject_name(two.x)), 1);
	assert_true(X509_sign(one.x, two.key, EVP_sha256()) > 0);
	for (int i = 0; i < 3; i++) {
		put_pem(&one, &known);
		put_pem(&two, &known);
	}
	struct own_certificate c = read_with(&leaf, roots, buf_str(&known), &a, &chain);
	assert_false(c.is_complete);
	assert_int_equal(certificates_in(buf_str(&chain)), 3);
	assert_int_equal(own_issuer_next(&c, c.issuer_urls, c.issuer_urls_n).n, 0);
	assert_int_equal(unlink(roots), 0);
	drop(&root);
	drop(&one);
	drop(&two);
	drop(&leaf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(which_is_next),
		cmocka_unit_test(what_was_got),
		cmocka_unit_test(what_it_does_for_a_file),
		cmocka_unit_test(who_name_each_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
