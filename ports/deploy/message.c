#include "ports/deploy/message.h"
#include "base/limits.h"
#include "base/wire.h"

enum { KIND_JOB = 'D', KIND_ANSWER = 'd' };
enum {
	SET_BYTES = LIMIT_CHAIN_BYTES + LIMIT_SEALED_BYTES + 256,
	PATH_BYTES = 4096,
	WORDS_BYTES = LIMIT_COMMAND_OUTPUT_BYTES + 1024,
};

void
deploy_job_put(struct buf *b, const struct deploy_job *job)
{
	wire_begin(b, KIND_JOB);
	wire_put_u8(b, (uint8_t)job->verb);
	wire_put_i64(b, job->site_id);
	wire_put_list(b, job->names, job->names_n);
	wire_put_bytes(b, job->set);
	wire_put_bytes(b, job->fingerprint);
	wire_put_bytes(b, job->root);
	wire_put_bytes(b, job->proxy);
	wire_put_u32(b, job->redirect);
	wire_put_u32(b, job->hsts_age_s);
	wire_put_bytes(b, job->thumbprint);
	wire_put_bytes(b, job->answer_at);
	wire_put_u8(b, job->is_again);
}

enum err
deploy_job_get(struct str body, struct arena *a, struct deploy_job *ret)
{
	struct deploy_job job = { .verb = DEPLOY_APPLY };
	struct wire_reader r;

	if (wire_open(&r, body) != KIND_JOB)
		return ERR_PROTOCOL;
	unsigned verb = wire_get_u8(&r);
	job.site_id = wire_get_i64(&r);
	job.names_n = wire_get_list(&r, LIMIT_SITE_NAMES, a, &job.names);
	job.set = wire_get_bytes(&r, SET_BYTES);
	job.fingerprint = wire_get_bytes(&r, 64);
	job.root = wire_get_bytes(&r, PATH_BYTES);
	job.proxy = wire_get_bytes(&r, LIMIT_URL_BYTES);
	uint32_t redirect = wire_get_u32(&r);
	job.hsts_age_s = wire_get_u32(&r);
	job.thumbprint = wire_get_bytes(&r, 128);
	job.answer_at = wire_get_bytes(&r, 256);
	job.is_again = wire_get_u8(&r) != 0;
	if (wire_close(&r) != ERR_OK || verb >= DEPLOY_VERB_COUNT || redirect > UINT16_MAX)
		return ERR_PROTOCOL;
	job.verb = (enum deploy_verb)verb;
	job.redirect = (uint16_t)redirect;
	*ret = job;
	return ERR_OK;
}

/* Names travel, not numbers: the two processes may be of different versions for the length of an upgrade. */
void
deploy_answer_put(struct buf *b, const struct deploy_answer *answer)
{
	wire_begin(b, KIND_ANSWER);
	wire_put_bytes(b, str_of(err_name(answer->err)));
	wire_put_bytes(
	    b, answer->cause == CAUSE_NONE ? STR_NONE : str_of(cause_row(answer->cause)->id));
	wire_put_bytes(b, answer->words);
	wire_put_bytes(b, answer->target);
	wire_put_u8(b, answer->is_reloading);
}

enum err
deploy_answer_get(struct str body, struct deploy_answer *ret)
{
	struct deploy_answer answer = { .err = ERR_COUNT };
	struct wire_reader r;

	if (wire_open(&r, body) != KIND_ANSWER)
		return ERR_PROTOCOL;
	struct str name = wire_get_bytes(&r, 64), cause = wire_get_bytes(&r, 128);
	answer.words = wire_get_bytes(&r, WORDS_BYTES);
	answer.target = wire_get_bytes(&r, 256);
	answer.is_reloading = wire_get_u8(&r) != 0;
	if (wire_close(&r) != ERR_OK)
		return ERR_PROTOCOL;
	for (int e = ERR_OK; e < ERR_COUNT; e++)
		if (str_eq(name, str_of(err_name((enum err)e))))
			answer.err = (enum err)e;
	answer.cause = cause_of_id(cause);
	if (answer.err == ERR_COUNT || (cause.n > 0 && answer.cause == CAUSE_NONE))
		return ERR_PROTOCOL;
	*ret = answer;
	return ERR_OK;
}
