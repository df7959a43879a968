#include "ports/keys/protocol.h"
#include "base/limits.h"
#include "base/wire.h"

enum { KIND_JOB = 1, KIND_ANSWER = 2 };

void
keys_job_put(struct buf *to, const struct keys_job *job)
{
	wire_begin(to, KIND_JOB);
	wire_put_u8(to, (uint8_t)job->verb);
	wire_put_u8(to, (uint8_t)job->key_type);
	wire_put_bytes(to, job->sealed);
	wire_put_bytes(to, job->sealed_hmac);
	wire_put_bytes(to, job->sealed_old);
	wire_put_bytes(to, job->url);
	wire_put_bytes(to, job->nonce);
	wire_put_bytes(to, job->kid);
	wire_put_bytes(to, job->payload);
	wire_put_bytes(to, job->secret);
	wire_put_bytes(to, job->chain_pem);
	wire_put_list(to, job->names, job->names_n);
	wire_put_bytes(to, job->code);
	wire_put_u64(to, job->first_step);
	wire_put_bytes(to, job->subject.organization);
	wire_put_bytes(to, job->subject.locality);
	wire_put_bytes(to, job->subject.state);
	wire_put_bytes(to, job->subject.country);
}

enum err
keys_job_get(struct str message, struct arena *a, struct keys_job *ret)
{
	struct wire_reader r;
	uint8_t kind = wire_open(&r, message), verb = wire_get_u8(&r),
		key_type = wire_get_u8(&r);
	struct keys_job job = { 0 };

	job.sealed = wire_get_bytes(&r, LIMIT_SEALED_BYTES);
	job.sealed_hmac = wire_get_bytes(&r, LIMIT_SEALED_BYTES);
	job.sealed_old = wire_get_bytes(&r, LIMIT_SEALED_BYTES);
	job.url = wire_get_bytes(&r, LIMIT_URL_BYTES);
	job.nonce = wire_get_bytes(&r, LIMIT_URL_BYTES);
	job.kid = wire_get_bytes(&r, LIMIT_URL_BYTES);
	job.payload = wire_get_bytes(&r, LIMIT_MESSAGE_BYTES);
	job.secret = wire_get_bytes(&r, LIMIT_SEALED_BYTES);
	job.chain_pem = wire_get_bytes(&r, LIMIT_CHAIN_BYTES);
	job.names_n = wire_get_list(&r, LIMIT_SITE_NAMES, a, &job.names);
	job.code = wire_get_bytes(&r, CODE_DIGITS);
	job.first_step = wire_get_u64(&r);
	job.subject.organization = wire_get_bytes(&r, CSR_FIELD_BYTES);
	job.subject.locality = wire_get_bytes(&r, CSR_FIELD_BYTES);
	job.subject.state = wire_get_bytes(&r, CSR_FIELD_BYTES);
	job.subject.country = wire_get_bytes(&r, CSR_FIELD_BYTES);
	enum err e = wire_close(&r);
	if (e != ERR_OK)
		return e;
	if (kind != KIND_JOB || verb >= KEYS_VERB_COUNT || key_type > KEY_RSA4096)
		return ERR_PROTOCOL;
	job.verb = (enum keys_verb)verb;
	job.key_type = (enum key_type)key_type;
	*ret = job;
	return ERR_OK;
}

void
keys_answer_put(struct buf *to, const struct keys_answer *answer)
{
	wire_begin(to, KIND_ANSWER);
	wire_put_u32(to, (uint32_t)answer->err);
	wire_put_bytes(to, answer->sealed);
	wire_put_bytes(to, answer->thumbprint);
	wire_put_bytes(to, answer->csr_der);
	wire_put_bytes(to, answer->json);
	wire_put_bytes(to, answer->set);
	wire_put_bytes(to, answer->key_pem);
	wire_put_bytes(to, answer->secret);
	wire_put_u64(to, answer->step);
}

enum err
keys_answer_get(struct str message, struct keys_answer *ret)
{
	struct wire_reader r;
	struct keys_answer answer = { 0 };
	uint8_t kind = wire_open(&r, message);
	uint32_t err = wire_get_u32(&r);

	answer.sealed = wire_get_bytes(&r, LIMIT_SEALED_BYTES);
	answer.thumbprint = wire_get_bytes(&r, LIMIT_SEALED_BYTES);
	answer.csr_der = wire_get_bytes(&r, LIMIT_CSR_BYTES);
	answer.json = wire_get_bytes(&r, LIMIT_MESSAGE_BYTES);
	answer.set = wire_get_bytes(&r, LIMIT_MESSAGE_BYTES);
	answer.key_pem = wire_get_bytes(&r, LIMIT_SEALED_BYTES);
	answer.secret = wire_get_bytes(&r, LIMIT_SEALED_BYTES);
	answer.step = wire_get_u64(&r);
	enum err e = wire_close(&r);
	if (e != ERR_OK)
		return e;
	if (kind != KIND_ANSWER || err >= ERR_COUNT)
		return ERR_PROTOCOL;
	answer.err = (enum err)err;
	*ret = answer;
	return ERR_OK;
}
