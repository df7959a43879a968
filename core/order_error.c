#include "core/order_error.h"

bool
order_error_is_transient(const struct acme_answer *an)
{
	enum err_class class = err_class_of(an->err);

	/* A chain that cannot be read may have been cut on its way: the certificate is there to be had again. */
	return class == ERR_CLASS_TRANSIENT || class == ERR_CLASS_LOCAL ||
	       an->err == ERR_FULL ||
	       (an->verb == ACME_CERTIFICATE && an->err == ERR_INVALID) ||
	       (an->err != ERR_OK && str_eq(an->problem.type, STR("badNonce")));
}

bool
order_error_may_be_replaces(const struct acme_answer *an)
{
	static const char *const others[] = { "rateLimited", "unsupportedIdentifier",
		"rejectedIdentifier", "caa", "dns", "accountDoesNotExist",
		"userActionRequired", "externalAccountRequired", "badNonce", "badPublicKey",
		"badSignatureAlgorithm", "invalidProfile" };

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (str_eq(an->problem.type, str_of(others[i])))
			return false;
	return an->err != ERR_LIMITED;
}
