#ifndef KOSHIN_INSTALLER_NGINX_H
#define KOSHIN_INSTALLER_NGINX_H
/*
 * What nginx reads of us. Everything that a person or another process gave passes a gate here before it stands in
 * a configuration file: a value with a character that means something to nginx is refused, never escaped.
 *
 * TARGET_NGINX: config_folder/koshin-SITE-NAME.conf, one or two server blocks for each site; and
 * FOLDER/challenge.conf, included by each of them.
 * TARGET_NGINX_VARIABLE (etc/nginx/koshin-variable.conf): no file for a site but flags that nginx looks up by name:
 * root/NAME (a link to the document root), redirect/307/NAME, redirect/308/NAME, hsts/SECONDS/NAME; and
 * maps/names/SITE.conf, maps/proxy/SITE.conf for wildcards and proxies, which alone need a reload.
 */
#include "installer/liveset.h"
#include "ports/config/config.h"
#include "ports/deploy/deploy.h"

/* INVALID with words for a value that must not be written into a configuration file. */
MUST_USE enum err nginx_check_job(const struct deploy_job *job, struct why *why);
/* An absolute path without "..", quotes, $ \ ; { } or control characters; spaces are allowed. */
bool nginx_root_is_safe(struct str root);
/* http://host:port or https://host:port, nothing after it. */
bool nginx_proxy_is_safe(struct str proxy);
bool nginx_listen_is_safe(struct str listen);
bool nginx_thumbprint_is_safe(struct str thumbprint);

/* The location that answers every challenge (RFC 8555 8.3) for this account; without a thumbprint it answers 404. With
 * answer_at ("127.0.0.1:8402") it asks the web process there, and answers itself only while that does not. */
MUST_USE enum err nginx_render_challenge(struct str thumbprint, struct str answer_at, struct buf *ret);
/* The server blocks of one site. With has_set: port 443 with its current set. */
MUST_USE enum err nginx_render_site(
    const struct config_target *t, const struct deploy_job *job, bool has_set, struct buf *ret);

/* The folders that are there before any site. */
MUST_USE enum err nginx_make_folders(
    const struct liveset *l, const struct config_target *t, struct why *why);
MUST_USE enum err nginx_plan_challenge(
    const struct liveset *l, const struct deploy_job *job, struct change *c, struct why *why);
/* TARGET_NGINX: the site's file; an old one under another name goes. Before the names are planned. */
MUST_USE enum err nginx_plan_site(const struct liveset *l, const struct config_target *t,
    const struct deploy_job *job, struct change *c, struct why *why);
/* TARGET_NGINX_VARIABLE. *ret_reload: a map changes, so nginx has to read it again. Before the names are planned. */
MUST_USE enum err nginx_plan_flags(const struct liveset *l, const struct deploy_job *job,
    struct change *c, bool *ret_reload, struct why *why);
#endif
