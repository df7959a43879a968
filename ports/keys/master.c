#include "ports/keys/master.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHECK_BYTES = 16, KEY_TEXT = 43, CHECK_TEXT = 22 };
#define VERSION "koshin-master-key-1"
enum { LINE_BYTES = sizeof VERSION - 1 + 1 + KEY_TEXT + 1 + CHECK_TEXT + 1 };

static void
put_base64(char *to, size_t size, const uint8_t *p, size_t n)
{
	sodium_bin2base64(to, size, p, n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/* The text of CHECK, for the text of KEY. */
static void
check_of(const char *key_text, char *ret)
{
	static const uint8_t domain[crypto_generichash_KEYBYTES] = VERSION " check";
	uint8_t check[CHECK_BYTES];

	(void)crypto_generichash(
	    check, sizeof check, (const uint8_t *)key_text, KEY_TEXT, domain, sizeof domain);
	put_base64(ret, CHECK_TEXT + 1, check, sizeof check);
}

static enum err
write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t put = write(fd, p, n);

		if (put < 0 && errno != EINTR)
			return err_of_errno(errno);
		if (put > 0) {
			p += put;
			n -= (size_t)put;
		}
	}
	return fsync(fd) == 0 ? ERR_OK : err_of_errno(errno);
}

static enum err
sync_folder_of(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);

	if (n >= sizeof folder)
		return ERR_TOO_LONG;
	memcpy(folder, slash == NULL ? "." : path, slash == NULL ? 1 : n);
	folder[slash == NULL ? 1 : n] = '\0';
	int fd =
	    open(n == 0 && slash != NULL ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_of_errno(errno);
	enum err e = fsync(fd) == 0 ? ERR_OK : err_of_errno(errno);
	close(fd);
	return e;
}

/* Writes the line beside the path and links it there, so that a crash never leaves half a key at the path. */
static enum err
place(const char *path, const char *line)
{
	char beside[PATH_MAX];
	int n = snprintf(beside, sizeof beside, "%s.new", path);

	if (n < 0 || (size_t)n >= sizeof beside)
		return ERR_TOO_LONG;
	(void)unlink(beside); /* of a start that was killed; nothing was ever sealed with it */
	int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_of_errno(errno);
	enum err e = write_all(fd, line, LINE_BYTES);
	if (close(fd) != 0 && e == ERR_OK)
		e = err_of_errno(errno);
	if (e == ERR_OK && link(beside, path) != 0)
		e = errno == EEXIST ? ERR_EXISTS : err_of_errno(errno);
	(void)unlink(
	    beside); /* if it stays, the next start removes it; it is as secret as the file itself */
	return e == ERR_OK ? sync_folder_of(path) : e;
}

enum err
master_key_make(const char *path, struct why *why)
{
	uint8_t key[SECRET_KEY_BYTES];
	char text[KEY_TEXT + 1], check[CHECK_TEXT + 1], line[LINE_BYTES + 1];

	if (access(path, F_OK) == 0)
		return ERR_EXISTS;
	randombytes_buf(key, sizeof key);
	put_base64(text, sizeof text, key, sizeof key);
	check_of(text, check);
	(void)snprintf(line, sizeof line, VERSION " %s %s\n", text, check);
	enum err e = place(path, line);
	if (e != ERR_OK)
		why_set(why, "%s: the master key cannot be made: %s", path, err_words(e));
	sodium_memzero(key, sizeof key);
	sodium_memzero(text, sizeof text);
	sodium_memzero(line, sizeof line);
	return e;
}

static enum err
parse(struct str line, const char *path, struct why *why, struct secret *ret)
{
	struct str left = line, version = str_cut(&left, ' '), key = str_cut(&left, ' '),
		   check = left;
	char wanted[CHECK_TEXT + 1];
	struct secret s = { 0 };
	size_t n = 0;

	if (!str_eq(version, STR(VERSION))) {
		why_set(why,
		    "%s: this is not a master key that this version of koshin knows: it begins "
		    "otherwise than " VERSION,
		    path);
		return ERR_CORRUPT;
	}
	if (key.n != KEY_TEXT || check.n != CHECK_TEXT) {
		why_set(why,
		    "%s: the master key is cut short or has bytes too many; restore the file "
		    "from the backup",
		    path);
		return ERR_CORRUPT;
	}
	check_of(key.p, wanted);
	if (sodium_memcmp(wanted, check.p, CHECK_TEXT) != 0) {
		why_set(why,
		    "%s: the master key is damaged: its check does not fit; restore the file "
		    "from the backup",
		    path);
		return ERR_CORRUPT;
	}
	enum err e = secret_init(SECRET_KEY_BYTES, &s);
	if (e != ERR_OK)
		return e;
	if (sodium_base642bin(s.p, s.n, key.p, key.n, NULL, &n, NULL,
		sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
	    n != SECRET_KEY_BYTES) {
		secret_fini(&s);
		why_set(why, "%s: the master key is damaged; restore the file from the backup",
		    path);
		return ERR_CORRUPT;
	}
	*ret = s;
	return ERR_OK;
}

enum err
master_key_read(const char *path, struct why *why, struct secret *ret)
{
	char line[LINE_BYTES + 2];
	struct stat st;
	size_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		enum err e = errno == ENOENT ? ERR_NOT_FOUND : err_of_errno(errno);

		if (e == ERR_NOT_FOUND)
			why_set(why, "%s: there is no master key; `koshin serve` makes one when it starts for the first time", path);
		else
			why_set(why, "%s: the master key cannot be read: %s", path, err_words(e));
		return e;
	}
	enum err e = fstat(fd, &st) == 0 ? ERR_OK : err_of_errno(errno);
	if (e == ERR_OK && (st.st_mode & 077) != 0) {
		why_set(why, "%s: others than its owner may read the master key: chmod 600 it",
		    path);
		e = ERR_DENIED;
	}
	while (e == ERR_OK && n < sizeof line) {
		ssize_t got = read(fd, line + n, sizeof line - n);

		if (got == 0)
			break;
		if (got < 0 && errno != EINTR)
			e = err_of_errno(errno);
		n += got > 0 ? (size_t)got : 0;
	}
	close(fd);
	if (e == ERR_OK)
		e = parse(str_trim((struct str){ line, n }), path, why, ret);
	sodium_memzero(line, sizeof line);
	return e;
}
