// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The daemon's own reading of bytes that are signed: by khien-refresh (source.h), which reads without fetching, so that the loop never waits for it. What
 * was read is kept by what it was read of, the SHA-256 of the bytes with their name: the trial run, the question and the act are of one reading.
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "daemon/source.h"
#include "daemon/trust.h"

#define READINGS_MAX (2 * KH_PROTO_MAX_FILES) /* of two pushes at a time */
#define KEEP_SECONDS 600 /* a person looks at a plan for so long; later it is read anew */

struct reading {
	uint8_t of[32]; /* hash of bytes, name and language */
	struct kh_fetching work;
	int64_t used;
	bool failed;
	struct kh_error error; /* why */
};

struct kh_readings {
	struct reading list[READINGS_MAX];
	size_t count;
};

static void drop(struct kh_readings *readings, size_t i)
{
	kh_fetching_end(&readings->list[i].work);
	readings->list[i] = readings->list[--readings->count];
}

static void hash_of(const char *name, const void *data, size_t length, uint8_t ret_hash[static 32])
{
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const unsigned char *)kh_lang_get(), strlen(kh_lang_get()) + 1);
	crypto_hash_sha256_update(&state, (const unsigned char *)name, strlen(name) + 1);
	crypto_hash_sha256_update(&state, data, length);
	crypto_hash_sha256_final(&state, ret_hash);
}

static struct reading *find(struct kh_readings *readings, const uint8_t of[static 32])
{
	for (size_t i = 0; i < readings->count; i++)
		if (!memcmp(readings->list[i].of, of, sizeof(readings->list[i].of)))
			return &readings->list[i];
	return NULL;
}

/* One at a time: they use a processor each. The one unused longest makes room. */
static int start(struct kh_core *core, const uint8_t of[static 32], const char *name, const void *data, size_t length,
		 struct kh_error *error)
{
	struct kh_readings *readings = core->readings;
	struct reading *reading;
	size_t oldest = 0;
	int code;

	for (size_t i = 0; i < readings->count; i++) {
		if (readings->list[i].work.runs)
			return 0;
		if (readings->list[i].used < readings->list[oldest].used)
			oldest = i;
	}
	if (readings->count == READINGS_MAX)
		drop(readings, oldest);
	reading = &readings->list[readings->count];
	*reading = (struct reading){ .used = kh_now() };
	memcpy(reading->of, of, sizeof(reading->of));
	code = kh_fetching_read(core, &reading->work, name, data, length, error);
	readings->count += code >= 0;
	return code;
}

int kh_reading_of(struct kh_core *core, const char *name, const void *data, size_t length, int *ret_content,
		  int *ret_documents, struct kh_error *error)
{
	struct reading *reading;
	uint8_t of[32];

	if (!core->readings && !(core->readings = calloc(1, sizeof(*core->readings))))
		return kh_fail(error, -ENOMEM, _("out of memory"));
	hash_of(name, data, length, of);
	reading = find(core->readings, of);
	if (!reading)
		return start(core, of, name, data, length, error);
	reading->used = kh_now();
	if (reading->work.runs)
		return 0;
	if (reading->failed) {
		*error = reading->error;
		drop(core->readings, (size_t)(reading - core->readings->list)); /* who tries again has it read again */
		return -EINVAL;
	}
	*ret_content = reading->work.content;
	*ret_documents = reading->work.documents;
	return 1;
}

static void end(struct reading *reading)
{
	struct kh_fetch_answer answer KH_CLEANUP(kh_fetch_answer_clear) = {};

	if (!kh_fetching_poll(&reading->work, &answer) || answer.result == KH_FETCH_NEW)
		return;
	reading->failed = true;
	kh_fail(&reading->error, -EINVAL, "%s", answer.text ? answer.text : "");
	if (answer.hint)
		kh_hint(&reading->error, "%s", answer.hint);
}

void kh_readings_tick(struct kh_core *core)
{
	struct kh_readings *readings = core->readings;
	int64_t now = kh_now();

	for (size_t i = readings ? readings->count : 0; i-- > 0;) {
		struct reading *reading = &readings->list[i];

		if (reading->work.runs)
			end(reading);
		else if (now - reading->used > KEEP_SECONDS || now < reading->used)
			drop(readings, i);
	}
}

void kh_readings_close(struct kh_core *core)
{
	while (core->readings && core->readings->count)
		drop(core->readings, core->readings->count - 1);
	free(KH_TAKE(core->readings));
}
