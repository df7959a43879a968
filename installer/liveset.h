#ifndef KOSHIN_INSTALLER_LIVESET_H
#define KOSHIN_INSTALLER_LIVESET_H
/*
 * The sets of certificate files of one target's folder:
 *
 *   FOLDER/sets/SITE/FINGERPRINT[.N]/{fullchain,privkey,chain,cert}.pem
 *   FOLDER/sets/SITE/current     -> FINGERPRINT[.N]      what the web server reads; changed by one rename
 *   FOLDER/sets/SITE/previous    -> the one before, kept
 *   FOLDER/sets/SITE/names       the site's names, a line each, as they were applied last
 *   FOLDER/live/NAME             -> ../sets/SITE/current  "_.example.jp" stands for "*.example.jp"
 *
 * Invariants: 1. what `current` points to is never written to, only replaced; 2. a folder that is called by its
 * fingerprint is whole: it was filled under another name; and it is synced before `current` points to it; 3. a write that fails or is ended leaves at most
 * files that nobody reads, which the next run removes; 4. nothing outside FOLDER is touched: a component of a path
 * that comes from a message is a number, hexadecimal digits or a host name.
 */
#include "installer/change.h"

enum { LIVESET_NAME_BYTES = 80 }; /* a SHA-256 in hexadecimal, a dot, a number, a NUL */
struct liveset {
	const struct files *files;
	const char *folder;
	gid_t group; /* that may read the private keys; FILES_NO_GROUP: root alone */
};
struct liveset_bytes {
	struct str fingerprint; /* hexadecimal */
	struct str fullchain_pem, key_pem;
};

/* The folder and its two parts. */
MUST_USE enum err liveset_make(const struct liveset *l, struct why *why);
/* The folder of one site. INVALID for an id that is not positive. */
MUST_USE enum err liveset_make_site(const struct liveset *l, int64_t site_id, struct why *why);
/* Has the site a folder? */
bool liveset_has_site(const struct liveset *l, int64_t site_id);
/*
 * Writes a set beside the live one and gives its name; nothing is written when a whole set with these very files is
 * there. The live one is compared too: files that somebody changed in place are not taken for the set.
 */
MUST_USE enum err liveset_write(const struct liveset *l, int64_t site_id,
    const struct liveset_bytes *bytes, struct why *why, char ret_name[LIVESET_NAME_BYTES]);
/* Makes the set of this name current, and the current one previous; an empty name: none is. */
MUST_USE enum err liveset_plan_current(const struct liveset *l, int64_t site_id,
    const char *name, struct change *c, struct why *why);
/* The links in live/, and the record of names. Links of names that the site no longer has go, unless another site
 * has taken them meanwhile. No names: the site leaves. */
MUST_USE enum err liveset_plan_names(const struct liveset *l, int64_t site_id,
    const struct str *names, size_t names_n, struct change *c, struct why *why);
/* The record of names: views into b. At most LIMIT_SITE_NAMES; none without a record. */
MUST_USE enum err liveset_read_names(const struct liveset *l, int64_t site_id, struct buf *b,
    struct str *ret_names, size_t *ret_n, struct why *why);
/* Is the name's link this site's, or nobody's? */
bool liveset_owns(const struct liveset *l, int64_t site_id, struct str name);
/* Removes everything that is neither current nor previous; and the site's folder when there is neither. Failures
 * are left to the next time. */
void liveset_tidy(const struct liveset *l, int64_t site_id);

/* A host name in lower case, perhaps with "*." in front: safe as a file name and in a configuration file. */
bool liveset_name_is_safe(struct str name);
/* How a name is called as a file: the same, or "_.example.jp" for "*.example.jp". */
void liveset_name_file(struct str name, char ret[256]);
#endif
