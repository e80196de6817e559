/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: accepts clients, bounds what they send, hands whole requests to a callback and sends the replies.
 * Knows the frame format of khien/proto.h and nothing of what the requests mean.
 */
#ifndef KHIEN_DAEMON_CONTROL_H
#define KHIEN_DAEMON_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "common/error.h"
#include "daemon/peer.h"

/* Answers one request. fds are the callee's to read and are closed after it returns. Returns a new reply object, never NULL; or json_null(): there is
 * none yet. Then the request is handed over again, with its files, at each kh_control_again(), until there is one or the client has left. */
typedef json_t *(*kh_control_handler)(void *context, const struct kh_peer *peer, json_t *request, const int *fds,
				      size_t fds_count);

struct kh_control_server;

/* Listens on `path` (mode 0660, of the group KH_GROUP_LOOK where there is one; the folder is made, 0755). A stale socket is replaced; a live one is -EADDRINUSE with error. */
int kh_control_open(sd_event *event, const char *path, kh_control_handler handler, void *context,
		    struct kh_control_server **ret_server, struct kh_error *error);
void kh_control_close(struct kh_control_server *server); /* takes NULL; removes the socket */

/* Something has happened that a request may wait for. */
void kh_control_again(struct kh_control_server *server);

/* From now on `answered` is called, with the handler's context, whenever an answer is out to its last byte, or its reader gone. */
void kh_control_on_answered(struct kh_control_server *server, void (*answered)(void *context));
/* Is an answer on its way that its reader has not taken to the end? */
bool kh_control_is_answering(const struct kh_control_server *server);

/* How long a client may take over one request or stand still in a reply, instead of KH_PROTO_IDLE_SECONDS; for clients to come. */
void kh_control_set_idle(struct kh_control_server *server, uint64_t usec);

#endif
