/*
 * The least that a certificate costs whoever asks for it: floor SIGNATURES ROUNDS prints the CPU time of one new P-256 key,
 * the CSR's signature and so many signatures of requests, made by OpenSSL in this process and nothing else.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/str.h"

static double
cpu_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* cannot fail for this clock */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool
sign(EVP_PKEY *key)
{
	static const unsigned char text[600]; /* as long as a request is */
	unsigned char signature[256];
	size_t n = sizeof signature;
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool is_good = c != NULL && EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, key) == 1 &&
		       EVP_DigestSign(c, signature, &n, text, sizeof text) == 1;

	EVP_MD_CTX_free(c);
	return is_good;
}

int
main(int argc, char **argv)
{
	int64_t signatures, rounds;
	EVP_PKEY *account = EVP_EC_gen("P-256");

	if (argc != 3 || !str_to_int(str_of(argv[1]), &signatures) ||
	    !str_to_int(str_of(argv[2]), &rounds) || rounds < 1) {
		fprintf(stderr, "usage: floor SIGNATURES ROUNDS\n");
		EVP_PKEY_free(account);
		return 2;
	}
	bool is_good = account != NULL;
	double begun = cpu_s();
	for (int64_t i = 0; is_good && i < rounds; i++) {
		EVP_PKEY *key = EVP_EC_gen("P-256");

		is_good = key != NULL && sign(key);
		for (int64_t k = 0; is_good && k < signatures; k++)
			is_good = sign(account);
		EVP_PKEY_free(key);
	}
	printf("floor_us %.3f\n", (cpu_s() - begun) * 1e6 / (double)rounds);
	EVP_PKEY_free(account);
	return is_good ? 0 : 1;
}
