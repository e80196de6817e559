// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Full-speed UDP with every packet accounted for: `stream serve PORT` echoes; `stream run SECONDS PORT LISTED UNLISTED [PACE]` keeps a window of
 * numbered requests under way to the unlisted address, and interleaves requests to the listed one, as fast as the answers come.
 * Closed loop, so that no queue overflows: an unlisted request that is never answered was lost by the filter, an
 * answer from the listed address was passed by it. Ends after SECONDS or at SIGINT. Prints "sent N answered N lost N listed-sent N listed-answered N".
 * With PACE it rests so many milliseconds after each round: traffic that never ends, and leaves the machine to others.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WINDOW 64
#define PATIENCE_MS 1000

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 4 << 20;

	if (fd < 0) {
		perror("socket");
		exit(1);
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	return fd;
}

/* Answers come from the address that was asked: one socket a listed or unlisted address. */
static int serve(const char *port, int count, char **addresses)
{
	struct pollfd sockets[8];

	for (int i = 0; i < count && i < 8; i++) {
		struct sockaddr_in local = { .sin_family = AF_INET,
					     .sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };

		sockets[i] = (struct pollfd){ .fd = open_socket(), .events = POLLIN };
		if (inet_pton(AF_INET, addresses[i], &local.sin_addr) != 1 ||
		    bind(sockets[i].fd, (struct sockaddr *)&local, sizeof(local)) < 0) {
			perror(addresses[i]);
			return 1;
		}
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		if (poll(sockets, (nfds_t)count, -1) < 0)
			return 1;
		for (int i = 0; i < count; i++) {
			struct sockaddr_in peer;
			socklen_t length = sizeof(peer);
			char packet[64];
			ssize_t got;

			while ((got = recvfrom(sockets[i].fd, packet, sizeof(packet), MSG_DONTWAIT,
					       (struct sockaddr *)&peer, &length)) > 0)
				sendto(sockets[i].fd, packet, (size_t)got, 0, (struct sockaddr *)&peer, length);
		}
	}
}

struct run {
	int fd;
	struct sockaddr_in listed, unlisted;
	uint64_t sent, answered, listed_sent, listed_answered;
};

static void receive(struct run *run, int wait_ms)
{
	struct pollfd ready = { .fd = run->fd, .events = POLLIN };
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	uint64_t number;

	if (poll(&ready, 1, wait_ms) <= 0)
		return;
	while (recvfrom(run->fd, &number, sizeof(number), MSG_DONTWAIT, (struct sockaddr *)&from, &length) ==
	       sizeof(number)) {
		if (from.sin_addr.s_addr == run->listed.sin_addr.s_addr)
			run->listed_answered++;
		else
			run->answered++;
	}
}

static void send_number(struct run *run, const struct sockaddr_in *to, uint64_t number)
{
	while (sendto(run->fd, &number, sizeof(number), 0, (const struct sockaddr *)to, sizeof(*to)) < 0)
		if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR) {
			perror("sendto");
			exit(1);
		}
}

static int stream(double duration, int pace_ms, struct run *run)
{
	double end = seconds() + duration;
	uint64_t lost = 0;

	while (!stopped && seconds() < end) {
		while (run->sent - run->answered - lost < WINDOW) {
			send_number(run, &run->unlisted, run->sent++);
			send_number(run, &run->listed, run->listed_sent++);
		}
		uint64_t before = run->answered;

		receive(run, PATIENCE_MS);
		if (run->answered == before) /* a whole window without one answer: lost for good */
			lost = run->sent - run->answered;
		if (pace_ms)
			poll(NULL, 0, pace_ms);
	}
	for (double patience = seconds() + 1; run->answered < run->sent && seconds() < patience;)
		receive(run, 100);
	printf("sent %llu answered %llu lost %llu listed-sent %llu listed-answered %llu\n",
	       (unsigned long long)run->sent, (unsigned long long)run->answered,
	       (unsigned long long)(run->sent - run->answered), (unsigned long long)run->listed_sent,
	       (unsigned long long)run->listed_answered);
	return run->sent != run->answered || run->listed_answered;
}

int main(int argc, char **argv)
{
	struct run run = {};

	if (argc >= 4 && !strcmp(argv[1], "serve"))
		return serve(argv[2], argc - 3, argv + 3);
	if (argc < 6 || argc > 7 || strcmp(argv[1], "run")) {
		fprintf(stderr,
			"usage: stream serve PORT ADDRESS... | stream run SECONDS PORT LISTED UNLISTED [PACE]\n");
		return 2;
	}
	sigaction(SIGINT, &(struct sigaction){ .sa_handler = on_signal }, NULL);
	run.fd = open_socket();
	run.listed.sin_family = run.unlisted.sin_family = AF_INET;
	run.listed.sin_port = run.unlisted.sin_port = htons((uint16_t)strtoul(argv[3], NULL, 10));
	if (inet_pton(AF_INET, argv[4], &run.listed.sin_addr) != 1 ||
	    inet_pton(AF_INET, argv[5], &run.unlisted.sin_addr) != 1)
		return 2;
	return stream(strtod(argv[2], NULL), argc > 6 ? atoi(argv[6]) : 0, &run);
}
