#ifndef KOSHIN_CMD_PLACES_H
#define KOSHIN_CMD_PLACES_H
/* Vantage points, asked by a command: the key for it is made of the master key, which is not kept. */
#include "ports/clock/clock.h"
#include "ports/config/config.h"
#include "ports/keys/question.h"
#include "core/evidence.h"

/* The installation's key for questions. NOT_FOUND, DENIED …: the master key cannot be read by this user. */
MUST_USE enum err places_own_key(const struct config *config, struct why *why, struct question_key **ret);
/* NULL in *ret with OK: the configuration names no place. Errors as before. */
MUST_USE enum err places_key(const struct config *config, struct why *why, struct question_key **ret);
/* Asks each place whether it is there; `told` is called once for each. */
MUST_USE enum err places_ask(const struct config *config, const struct clock *clock, const struct question_key *key,
    void (*told)(void *arg, const struct view_evidence *v), void *arg);
#endif
