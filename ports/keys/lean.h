#ifndef KOSHIN_PORTS_KEYS_LEAN_H
#define KOSHIN_PORTS_KEYS_LEAN_H
/*
 * OpenSSL with few decoders, encoders and ciphers. Its default provider offers seventy decoders, for every kind of key in every form and
 * armour, and OpenSSL 3.0 goes through all of them, several times, for each key that it meets in a certificate; twice as many encoders,
 * for each key that it writes; and each time it goes through everything that was ever fetched, which is, from the first handshake on,
 * every cipher in every mode. Together that is most of what a certificate costs to read and a key to write. A process that does so
 * all day needs ten of each, from and to the DER of PKCS#8 and SubjectPublicKeyInfo, and of the ciphers those modes that TLS and
 * PKCS#12 know: CBC, GCM, CCM and ChaCha20-Poly1305. So a private key is written in PEM by way of PKCS8_PRIV_KEY_INFO.
 *
 * For the whole process, and before it has used OpenSSL: what keys a certificate may have is then RSA, RSA-PSS, EC, ED25519 and ED448
 * (RFC 8446 4.2.3); one with any other key is read like before, but for its key. Everything else is the default provider's.
 */
#include "base/err.h"

/* CRYPTO: OpenSSL does not take it; everything is as it was. */
MUST_USE enum err lean_begin(void);
#endif
