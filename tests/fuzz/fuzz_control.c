// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: what a client sends to the control socket. The bytes go over a real connection to the daemon's own server, in pieces, with files or without,
 * and what comes back is read to the end: whole frames, each an answer of the protocol. A request that gets through is asked for what the operations
 * ask of it.
 *
 * The first byte: how long the pieces are, and whether the client waits for an answer before it ends; the second: which pieces carry a file (a regular one, or none).
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/util.h"
#include "daemon/control.h"
#include "daemon/client.h"
#include "daemon/frame.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/kh-fuzz-control-XXXXXX";
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static sd_event *event;
static struct kh_control_server *server;
static int regular, pipe_ends[2];
static unsigned int again; /* answers that are not ready at once */

/* What comes out of a request cannot be other than what JSON gives; the reply quotes it. */
static json_t *handle(void *context, const struct kh_peer *peer, json_t *request, const int *fds, size_t fds_count)
{
	json_t *reply;

	(void)context;
	assert(json_is_object(request) && peer->uid == getuid() && fds_count <= KH_PROTO_MAX_FDS);
	for (size_t i = 0; i < fds_count; i++) {
		struct stat status;

		assert(!fstat(fds[i], &status) && S_ISREG(status.st_mode));
	}
	if (json_is_true(json_object_get(request, "wait")) && again++ % 2 == 0)
		return json_null();
	reply = json_object();
	assert(reply);
	json_object_set_new(reply, "exit", json_integer(KH_EXIT_DONE));
	json_object_set(reply, "request", request);
	return reply;
}

static void remove_all(void)
{
	kh_control_close(server);
	sd_event_unref(event);
	rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct kh_error error = {};

	(void)argc;
	(void)argv;
	assert(mkdtemp(folder));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/control.sock", folder);
	assert(sd_event_new(&event) >= 0);
	assert(kh_control_open(event, address.sun_path, handle, NULL, &server, &error) == 0);
	regular = memfd_create("fuzz", MFD_CLOEXEC);
	assert(regular >= 0 && !pipe2(pipe_ends, O_CLOEXEC));
	atexit(remove_all);
	return 0;
}

static void settle(void)
{
	while (sd_event_run(event, 0) > 0)
		;
}

static void give(int fd, const uint8_t *data, size_t size, int file, size_t files)
{
	union {
		char bytes[CMSG_SPACE(200 * sizeof(int))];
		struct cmsghdr align;
	} control = {};
	struct iovec vector = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };

	if (files) {
		struct cmsghdr *c;

		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(files * sizeof(int));
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(files * sizeof(int));
		for (size_t i = 0; i < files; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &file, sizeof(file));
	}
	if (sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		assert(errno == EPIPE || errno == ECONNRESET || errno == EAGAIN);
}

/* Everything that has come back: whole answers. */
static void take(int fd, struct kh_bytes *bytes)
{
	uint8_t part[4096];
	ssize_t got;

	while ((got = recv(fd, part, sizeof(part), MSG_DONTWAIT)) > 0) {
		assert(kh_bytes_add(bytes, part, (size_t)got) == 0);
		settle();
	}
}

static void check_answers(const struct kh_bytes *bytes)
{
	size_t at = 0;

	while (at < bytes->length) {
		json_t *answer, *error;
		uint32_t length;

		assert(bytes->length - at >= sizeof(length));
		memcpy(&length, bytes->data + at, sizeof(length));
		at += sizeof(length);
		assert(length <= bytes->length - at);
		answer = json_loadb((const char *)bytes->data + at, length, 0, NULL);
		assert(json_is_object(answer) && json_is_integer(json_object_get(answer, "exit")));
		error = json_object_get(answer, "error");
		assert(json_object_get(answer, "request") || json_string_length(json_object_get(error, "text")));
		json_decref(answer);
		at += length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kh_bytes answers KH_CLEANUP(kh_bytes_clear) = {};
	size_t piece, number = 0;
	int fd;

	if (size < 2)
		return 0;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert(fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof(address)));
	piece = data[0] & 0x7f ? data[0] & 0x7f : size;
	for (size_t at = 2; at < size; at += piece, number++) {
		bool with_files = data[1] >> number % 4 & 1;

		give(fd, data + at, size - at < piece ? size - at : piece, data[1] & 0x80 ? pipe_ends[0] : regular,
		     with_files ? (data[1] & 0x40 ? 100 : 2) : 0);
		settle();
		kh_control_again(server);
		settle();
	}
	if (data[0] & 0x80) { /* leaves without its answer */
		close(fd);
		settle();
		assert(server->clients_count == 0 && !kh_control_is_answering(server));
		return 0;
	}
	take(fd, &answers);
	check_answers(&answers);
	close(fd);
	settle();
	assert(server->clients_count == 0);
	return 0;
}
