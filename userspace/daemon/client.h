/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One connection of the control socket: frames in, descriptors in, frames out, deadlines. Private to control.c and client.c;
 * the server owns its clients, and a client takes itself off the server's list when it is freed.
 */
#ifndef KHIEN_DAEMON_CLIENT_H
#define KHIEN_DAEMON_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "daemon/control.h"
#include "khien/proto.h"

struct kh_client;

TAILQ_HEAD(kh_client_list, kh_client); /* an answered one goes to the end */

struct kh_control_server {
	sd_event *event; /* a reference */
	sd_event_source *accept_source;
	sd_event_source *retry_source; /* armed while accepting is paused */
	int fd;
	char *path;
	dev_t device; /* of the socket we made: only that one is removed */
	ino_t inode;
	kh_control_handler handler;
	void *context;
	void (*answered)(void *context); /* may be NULL */
	uint64_t idle_usec;
	uint64_t cut_off_logged_usec;
	unsigned int cut_off; /* for want of a place, and not in the log yet */
	struct kh_client_list clients;
	unsigned int clients_count;
	unsigned int answering; /* of them: with a reply that is not out yet */
};

/* Takes the descriptor over, also when it fails. 0 or -errno. */
int kh_client_new_take(struct kh_control_server *server, int fd);
void kh_client_free(struct kh_client *client); /* takes NULL */
/* Asks the handler again when it had no reply yet. The client may be gone after it. */
void kh_client_again(struct kh_client *client);
/* Who comes after it on the server's list, NULL: nobody. */
struct kh_client *kh_client_next(struct kh_client *client);

struct kh_client_standing {
	uint64_t since_usec; /* monotonic: connected, answered, began its request, or last took of an answer */
	uid_t uid;
	bool owes; /* nothing can be done for it until it does something: sends, or takes */
	bool overdue; /* and has not for KH_PROTO_GRACE_SECONDS; or has waited for an answer, that there is not yet, for the idle time */
};
void kh_client_stand(const struct kh_client *client, struct kh_client_standing *ret_standing);

/* control.c: a place has become free. */
void kh_control_resume(struct kh_control_server *server);

#endif
