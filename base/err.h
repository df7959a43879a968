#ifndef KOSHIN_BASE_ERR_H
#define KOSHIN_BASE_ERR_H
/*
 * Errors of koshin's own functions. 0 is success. The class says what to do about it:
 * callers switch on the class, never on the code.
 */
enum err_class {
	ERR_CLASS_NONE,
	ERR_CLASS_TRANSIENT, /* try again with back-off */
	ERR_CLASS_LIMIT,     /* try again, not before a date */
	ERR_CLASS_INPUT,     /* the person who gave the input must act */
	ERR_CLASS_DENIED,    /* not allowed; a person must act */
	ERR_CLASS_LOCAL,     /* our disk, store or configuration: the operator must act */
	ERR_CLASS_BUG,       /* ours: the operator is told */
};

enum err {
#define ERR(code, class, words) ERR_##code,
#include "base/err.tbl"
#undef ERR
	ERR_COUNT
};

#define MUST_USE __attribute__((warn_unused_result))

/* English words for logs; never NULL. */
const char *err_words(enum err e);
/* Upper-case name of the code ("TIMEOUT"), for logs and JSON. */
const char *err_name(enum err e);
enum err_class err_class_of(enum err e);
/* The error that an errno value means to us (ENOSPC and EDQUOT: DISK_FULL, EROFS/EACCES/EPERM: UNWRITABLE …). */
enum err err_of_errno(int errno_value);
#endif
