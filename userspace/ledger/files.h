/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of an SQLite database as files: NAME, NAME-wal, NAME-shm, NAME-journal. Knows nothing of what is in them.
 */
#ifndef KHIEN_LEDGER_FILES_H
#define KHIEN_LEDGER_FILES_H

#include <stdbool.h>
#include <stddef.h>

/* Is there a log with content beside `path`? */
bool kh_files_stray(const char *path);
/* Removes a half-made database. */
void kh_files_remove(const char *path);
/* Makes `fresh` durable and gives it the name `path`, which must be free. 0 or -errno. */
int kh_files_publish(const char *fresh, const char *path);
/* Renames all files of the database to PATH.damaged-YYYYMMDDTHHMMSS (UTC; -2, -3 ... when taken). 0, -ENOENT or -errno. */
int kh_files_set_aside(const char *path, char *ret_name, size_t size);

#endif
