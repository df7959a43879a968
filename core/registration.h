#ifndef KOSHIN_CORE_REGISTRATION_H
#define KOSHIN_CORE_REGISTRATION_H
/*
 * What the registry says of a registered domain (RDAP, RFC 9083; states by RFC 8056): plain facts. Only asked where a
 * registry has RDAP at all; silence proves nothing.
 */
#include "base/str.h"
#include "base/when.h"

enum registration_status {
	REGISTRATION_NOT_ASKED,
	REGISTRATION_UNKNOWN, /* no RDAP server for this suffix, or no answer */
	REGISTRATION_FOUND,
	REGISTRATION_NONE, /* nobody has registered it */
};
struct registration {
	enum registration_status status;
	bool is_on_hold; /* client or server hold: the registry leaves the domain out of DNS */
	bool
	    is_redeemable; /* redemption period, pending restore: ended, the registrar can still bring it back */
	bool is_being_deleted; /* pending delete: ended for good */
	struct when expires;   /* WHEN_UNKNOWN if the registry does not say */
	struct str registrar;  /* as people know it ("Example Registrar, Inc."); may be empty */
	struct str
	    words; /* the states as the registry spelt them, comma between; for the evidence */
};
#endif
