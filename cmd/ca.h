#ifndef KOSHIN_CMD_CA_H
#define KOSHIN_CMD_CA_H
#include <jansson.h>
#include "ports/config/config.h"

/* The CA's ACME directory, or NULL with what is wrong in why. It reads directory and bundle of ca. */
json_t *ca_read_directory(const struct config_ca *ca, struct why *why);
#endif
