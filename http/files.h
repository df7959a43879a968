#ifndef KOSHIN_HTTP_FILES_H
#define KOSHIN_HTTP_FILES_H
/*
 * The files of the panel, read once into memory when the process starts: a request can only name what is there, so no path
 * of a request ever reaches the file system. What lies in assets/ has the hash of its content in its name and may be kept by a
 * browser for ever. X.br and X.gz are the same as X, compressed beforehand. Every path that is no file is a page of the
 * panel and gets index.html, which asks the API for what it shows.
 */
#include "http/api.h"

enum { FILES_BYTES_MAX = 32 * 1024 * 1024, FILES_MAX = 512 };
struct files;
/* The folder and its assets/; hidden files and links are left out. NOT_FOUND: it has no index.html. */
MUST_USE enum err files_open(const char *folder, struct why *why, struct files **ret);
void files_free(struct files **f);
/* GET or HEAD of a path that begins with "/"; accepts: Accept-Encoding, may be empty. What it gives lives as long as f. */
void files_answer(const struct files *f, struct str method, struct str path, struct str accepts,
    struct api_reply *ret);
#endif
