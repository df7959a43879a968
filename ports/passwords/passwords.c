#include "ports/passwords/passwords.h"
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct job {
	struct job *next;
	passwords_fn *fn;
	void *arg;
	char *password, *stored;
	size_t password_n;
	enum err err;
	bool is_right;
	char made[crypto_pwhash_STRBYTES];
};
struct line {
	struct job *first, **end;
};
struct passwords {
	struct loop *loop;
	int fd; /* counts what is done */
	pthread_t thread;
	bool is_started;
	/* Under the lock: */
	pthread_mutex_t lock;
	pthread_cond_t has_work;
	struct line waiting, done;
	size_t waiting_n;
	bool is_ending;
};

static void
line_put(struct line *l, struct job *j)
{
	j->next = NULL;
	*l->end = j;
	l->end = &j->next;
}

static struct job *
line_take(struct line *l)
{
	struct job *j = l->first;

	if (j == NULL)
		return NULL;
	l->first = j->next;
	if (l->first == NULL)
		l->end = &l->first;
	return j;
}

static void
job_free(struct job *j)
{
	if (j == NULL)
		return;
	if (j->password != NULL)
		explicit_bzero(j->password, j->password_n);
	free(j->password);
	free(j->stored);
	free(j);
}

static void
work(struct job *j)
{
	if (j->stored[0] != '\0')
		j->is_right =
		    crypto_pwhash_str_verify(j->stored, j->password, j->password_n) == 0;
	else if (crypto_pwhash_str(j->made, j->password, j->password_n,
		     crypto_pwhash_OPSLIMIT_INTERACTIVE,
		     crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
		j->err = ERR_MEMORY;
}

/* The shape is pthread's. A lock of ours that fails would be a bug of the C library's: there is nobody to tell. */
static void *
run(void *arg)
{
	struct passwords *p = arg;
	const uint64_t one = 1;

	(void)pthread_mutex_lock(&p->lock);
	while (!p->is_ending) {
		struct job *j = line_take(&p->waiting);

		if (j == NULL) {
			(void)pthread_cond_wait(&p->has_work, &p->lock);
			continue;
		}
		p->waiting_n--;
		(void)pthread_mutex_unlock(&p->lock);
		work(j);
		(void)pthread_mutex_lock(&p->lock);
		line_put(&p->done, j);
		if (write(p->fd, &one, sizeof one) < 0)
			continue; /* its counter is full: the loop is awake already */
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void
on_done(void *arg, int fd, int events)
{
	struct passwords *p = arg;
	uint64_t n;
	struct job *j;

	(void)events;
	if (read(fd, &n, sizeof n) < 0)
		return;
	for (;;) {
		(void)pthread_mutex_lock(&p->lock);
		j = line_take(&p->done);
		(void)pthread_mutex_unlock(&p->lock);
		if (j == NULL)
			return;
		const struct passwords_answer answer = {
			.err = j->err, .is_right = j->is_right, .made = str_of(j->made)
		};
		j->fn(j->arg, &answer);
		job_free(j);
	}
}

enum err
passwords_new(struct loop *l, struct passwords **ret)
{
	struct passwords *p = calloc(1, sizeof *p);

	if (p == NULL)
		return ERR_MEMORY;
	p->loop = l;
	p->waiting.end = &p->waiting.first;
	p->done.end = &p->done.first;
	(void)pthread_mutex_init(
	    &p->lock, NULL); /* cannot fail with these attributes on Linux */
	(void)pthread_cond_init(&p->has_work, NULL);
	p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	enum err err = p->fd < 0 || sodium_init() < 0
			   ? ERR_IO
			   : loop_watch(l, p->fd, LOOP_READ, on_done, p);
	if (err != ERR_OK) {
		passwords_free(&p);
		return err;
	}
	*ret = p;
	return ERR_OK;
}

void
passwords_free(struct passwords **p)
{
	struct passwords *old = *p;
	struct job *j;

	*p = NULL;
	if (old == NULL)
		return;
	(void)pthread_mutex_lock(&old->lock);
	old->is_ending = true;
	(void)pthread_cond_signal(&old->has_work);
	(void)pthread_mutex_unlock(&old->lock);
	if (old->is_started)
		(void)pthread_join(old->thread, NULL);
	while ((j = line_take(&old->waiting)) != NULL || (j = line_take(&old->done)) != NULL)
		job_free(j);
	if (old->fd >= 0) {
		loop_unwatch(old->loop, old->fd);
		(void)close(old->fd);
	}
	(void)pthread_cond_destroy(&old->has_work);
	(void)pthread_mutex_destroy(&old->lock);
	free(old);
}

/* At the first password: most processes never see one. Signals are the loop's. */
static enum err
start(struct passwords *p)
{
	sigset_t all, before;

	if (p->is_started)
		return ERR_OK;
	(void)sigfillset(&all);
	int failed = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (failed == 0) {
		failed = pthread_create(&p->thread, NULL, run, p);
		(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	p->is_started = failed == 0;
	return p->is_started ? ERR_OK : ERR_MEMORY;
}

enum err
passwords_submit(
    struct passwords *p, struct str password, struct str stored, passwords_fn *fn, void *arg)
{
	struct job *j = calloc(1, sizeof *j);
	enum err err = ERR_MEMORY;

	if (j != NULL) {
		j->fn = fn;
		j->arg = arg;
		j->password = strndup(password.n == 0 ? "" : password.p, password.n);
		j->password_n = password.n;
		j->stored = strndup(stored.n == 0 ? "" : stored.p, stored.n);
	}
	if (j != NULL && j->password != NULL && j->stored != NULL)
		err = start(p);
	if (err == ERR_OK) {
		(void)pthread_mutex_lock(&p->lock);
		if (p->waiting_n == PASSWORDS_WAITING_MAX) {
			err = ERR_FULL;
		} else {
			line_put(&p->waiting, j);
			p->waiting_n++;
			(void)pthread_cond_signal(&p->has_work);
		}
		(void)pthread_mutex_unlock(&p->lock);
	}
	if (err != ERR_OK)
		job_free(j);
	return err;
}
