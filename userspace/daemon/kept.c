// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The copy in force of a collection or feed, as a file in the state folder: what khien-fetch needs so as to ask for what is new only. It is a
 * help and nothing more: it is handed out only while its digest is that of the copy in force, and without it all is fetched. Bytes of strangers:
 * nothing here looks into them.
 */
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/lang.h"
#include "common/util.h"
#include "daemon/log.h"
#include "daemon/source.h"
#include "reader/reader.h"

#define FOLDER "sources"

static void path_of(const struct kh_core *core, const char *name, char ret_path[static PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%s/" FOLDER "/%s", core->state, name);
}

void kh_kept_write(const struct kh_core *core, const struct kh_source *source, int content)
{
	char path[PATH_MAX], *data KH_CLEANUP(kh_freep) = NULL;
	struct kh_error error = {};
	size_t length;
	int code;

	if (source->kind == KH_FETCH_FILE)
		return;
	snprintf(path, sizeof(path), "%s/" FOLDER, core->state);
	code = kh_make_folders(path, 0700);
	path_of(core, source->name, path);
	if (!code)
		code = kh_file_read_fd(content, KH_READER_MAX_BYTES, &data, &length);
	if (!code)
		code = kh_file_write(path, data, length, 0600);
	if (code < 0) {
		kh_fail(&error, code, "%s: %s", path, strerror(-code));
		kh_log_error(LOG_WARNING, "source-not-kept", &error); /* the next time all of it is fetched */
	}
}

int kh_kept_append(const struct kh_core *core, const struct kh_source *source, int request)
{
	char path[PATH_MAX], *data KH_CLEANUP(kh_freep) = NULL, digest[KH_SOURCE_DIGEST_BYTES];
	uint8_t sha256[crypto_hash_sha256_BYTES];
	size_t length;

	if (source->kind == KH_FETCH_FILE || !source->digest[0])
		return 0;
	path_of(core, source->name, path);
	if (kh_file_read(path, KH_READER_MAX_BYTES, &data, &length) < 0)
		return 0;
	crypto_hash_sha256(sha256, (const unsigned char *)data, length);
	sodium_bin2hex(digest, sizeof(digest), sha256, sizeof(sha256));
	return strcmp(digest, source->digest) != 0 ? 0 : kh_file_write_fd(request, data, length);
}

void kh_kept_remove(const struct kh_core *core, const char *name)
{
	char path[PATH_MAX];

	path_of(core, name, path);
	unlink(path);
}
