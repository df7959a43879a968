#ifndef KOSHIN_CORE_OWN_REDIRECT_H
#define KOSHIN_CORE_OWN_REDIRECT_H
/*
 * The site's own redirect to HTTPS: its program (the address that is set in WordPress, a plugin) or its .htaccess sends everybody there who opens it
 * over HTTP, whatever koshin does. Without a certificate these visitors see nothing but a warning; so it is looked for, kept with what is known of the name (core/memory), and said
 * to whoever wants to give SSL up. Behind koshin's redirect nothing is seen of it: then it is not known, and nothing is said.
 */
#include "core/site_findings.h"

/* Where n leads who opens it over HTTP, if that is HTTPS at a name of the site: text of strangers, printable. Empty: nowhere else, or not seen. */
struct str own_redirect_of(const struct evidence *e, const struct name_evidence *n, struct arena *a);
/* After a check of everything, where a memory is kept (site.memory). What was not answered changes nothing. */
void own_redirect_note(const struct step *st);
/* What is known now, of the first name that has one ("https://example.jp/"); empty: nothing. */
struct str own_redirect_known(const struct site *s);
#endif
