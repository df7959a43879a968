#ifndef KOSHIN_PORTS_KEYS_P12_H
#define KOSHIN_PORTS_KEYS_P12_H
/*
 * A certificate, its chain and its key as one PKCS#12 file (RFC 7292), for servers that want it so (IIS, Java, load
 * balancers). AES-256 with PBKDF2, and a MAC of SHA-256: what OpenSSL 3, Java 8u301 and Windows Server 2019 read.
 */
#include "base/str.h"

enum { P12_PASSWORD_BYTES_MAX = 1024 };
/* name: how the entry is called in the file. MISMATCH if the key is not that of the first certificate; INVALID for texts that
 * are no PEM, and for a password that is empty, too long or not UTF-8 (RFC 7292 B.1 wants one that has a UTF-16 form). */
MUST_USE enum err p12_make(struct str chain_pem, struct str key_pem, struct str password, struct str name, struct buf *to);
#endif
