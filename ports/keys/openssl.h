#ifndef KOSHIN_PORTS_KEYS_OPENSSL_H
#define KOSHIN_PORTS_KEYS_OPENSSL_H
/* OpenSSL's objects with an owner: each is freed where its variable ends. For ports/keys/ alone. */
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define KEYS_AUTO(type, name, give_up)                                                                                 \
	static inline void name(type **p)                                                                              \
	{                                                                                                              \
		give_up(*p);                                                                                           \
	}
KEYS_AUTO(EVP_PKEY, auto_pkey, EVP_PKEY_free)
KEYS_AUTO(EVP_PKEY_CTX, auto_pkey_ctx, EVP_PKEY_CTX_free)
KEYS_AUTO(X509, auto_x509, X509_free)
KEYS_AUTO(X509_REQ, auto_req, X509_REQ_free)
KEYS_AUTO(BIO, auto_bio, BIO_free_all)
KEYS_AUTO(GENERAL_NAMES, auto_general_names, GENERAL_NAMES_free)
#define AUTO_PKEY __attribute__((cleanup(auto_pkey))) EVP_PKEY
#define AUTO_PKEY_CTX __attribute__((cleanup(auto_pkey_ctx))) EVP_PKEY_CTX
#define AUTO_X509 __attribute__((cleanup(auto_x509))) X509
#define AUTO_REQ __attribute__((cleanup(auto_req))) X509_REQ
#define AUTO_BIO __attribute__((cleanup(auto_bio))) BIO
#define AUTO_GENERAL_NAMES __attribute__((cleanup(auto_general_names))) GENERAL_NAMES
#endif
