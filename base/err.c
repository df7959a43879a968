#include "base/err.h"
#include <errno.h>

static const struct {
	const char *name, *words;
	enum err_class class;
} rows[] = {
#define ERR(code, class, words) { #code, words, ERR_CLASS_##class },
#include "base/err.tbl"
#undef ERR
};

const char *
err_words(enum err e)
{
	return e < ERR_COUNT ? rows[e].words : "an unknown error";
}

const char *
err_name(enum err e)
{
	return e < ERR_COUNT ? rows[e].name : "UNKNOWN";
}

enum err_class
err_class_of(enum err e)
{
	return e < ERR_COUNT ? rows[e].class : ERR_CLASS_BUG;
}

enum err
err_of_errno(int errno_value)
{
	switch (errno_value) {
	case 0:
		return ERR_OK;
	case ENOSPC:
	case EDQUOT:
		return ERR_DISK_FULL;
	case EROFS:
	case EACCES:
	case EPERM:
		return ERR_UNWRITABLE;
	case ENOENT:
		return ERR_NOT_FOUND;
	case EEXIST:
		return ERR_EXISTS;
	case ENOMEM:
		return ERR_MEMORY;
	case ETIMEDOUT:
		return ERR_TIMEOUT;
	case ECONNREFUSED:
	case EHOSTUNREACH:
	case ENETUNREACH:
		return ERR_CONNECT;
	case ECONNRESET:
	case EPIPE:
		return ERR_CLOSED;
	case EAGAIN:
	case EBUSY:
		return ERR_BUSY;
	default:
		return ERR_IO;
	}
}
