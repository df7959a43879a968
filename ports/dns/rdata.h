#ifndef KOSHIN_PORTS_DNS_RDATA_H
#define KOSHIN_PORTS_DNS_RDATA_H
/* Reads the data of one record, in wire form (RFC 1035 3.3), as a resolver gives it: no name in it is compressed. */
#include "base/arena.h"
#include "core/evidence.h"

/* A domain name as text, in small letters, without the final dot; empty for the root, and if it has bytes that no host name has. */
struct str rdata_name(struct str rdata, struct arena *a);
/* RFC 8659 4.1: flags, length of the tag, tag, value; false for rubbish. Strings in a. */
bool rdata_caa(struct str rdata, struct arena *a, struct caa_record *ret);
/* Of TXT: the value of a dns-01 challenge (RFC 8555 8.4), a digest of 32 bytes as base64url, which nothing else in DNS looks like. */
bool rdata_is_proof(struct str rdata);
#endif
