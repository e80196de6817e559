// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The system calls of a program that reads and computes, and of one that calls out. All others fail with EPERM, so that a library that only tries something
 * goes on without it.
 */
#include "sandbox/private.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/util.h"

static const int allowed[] = {
	/* what is open */
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(pread64),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(lseek),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(fcntl),
	SCMP_SYS(dup),
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	/* what is installed: Landlock says which files */
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(statx),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(getdents64),
	SCMP_SYS(getcwd),
	SCMP_SYS(execve),
	/* memory */
	SCMP_SYS(brk),
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(mprotect),
	SCMP_SYS(madvise),
	/* itself */
	SCMP_SYS(arch_prctl),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(futex),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getppid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getrlimit),
	SCMP_SYS(getrusage),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_yield),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	/* the machine */
	SCMP_SYS(uname),
	SCMP_SYS(sysinfo),
	SCMP_SYS(getrandom),
	SCMP_SYS(time),
	SCMP_SYS(times),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
};

/* Calling out: no bind to a port of choice would be heard, for there is no listen and no accept. */
static const int calling[] = {
	SCMP_SYS(connect),     SCMP_SYS(bind), /* resolvers bind to port 0, netlink to itself */
	SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
	SCMP_SYS(socketpair),  SCMP_SYS(sendto),      SCMP_SYS(sendmsg),    SCMP_SYS(sendmmsg),
	SCMP_SYS(recvfrom),    SCMP_SYS(recvmsg),     SCMP_SYS(recvmmsg),   SCMP_SYS(shutdown),
	SCMP_SYS(select),      SCMP_SYS(pselect6),    SCMP_SYS(pipe2),	    SCMP_SYS(eventfd2),
};
/* Not AF_UNIX: behind such a socket the daemon itself would listen. */
static const unsigned int families[] = { AF_INET, AF_INET6, AF_NETLINK };

#define OPENS_FOR_WRITING (O_ACCMODE | O_CREAT | O_TRUNC)

static int add_rules(scmp_filter_ctx context)
{
	int code = 0;

	for (size_t i = 0; i < KH_ARRAY_SIZE(allowed) && !code; i++)
		code = seccomp_rule_add(context, SCMP_ACT_ALLOW, allowed[i], 0);
	if (!code)
		code = seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
					SCMP_A1(SCMP_CMP_MASKED_EQ, OPENS_FOR_WRITING, O_RDONLY));
	if (!code)
		code = seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
					SCMP_A2(SCMP_CMP_MASKED_EQ, OPENS_FOR_WRITING, O_RDONLY));
	if (!code) /* to ask for a limit, not to set one */
		code = seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_A2(SCMP_CMP_EQ, 0, 0));
	return code;
}

/* Threads yes, processes no. What clone3 is asked for lies in memory, where a filter does not look: the C library then takes clone. */
static int add_calling(scmp_filter_ctx context)
{
	int code = 0;

	for (size_t i = 0; i < KH_ARRAY_SIZE(calling) && !code; i++)
		code = seccomp_rule_add(context, SCMP_ACT_ALLOW, calling[i], 0);
	for (size_t i = 0; i < KH_ARRAY_SIZE(families) && !code; i++)
		code = seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
					SCMP_A0(SCMP_CMP_EQ, families[i], 0));
	if (!code)
		code = seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
					SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	if (!code)
		code = seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (!code) /* how much waits to be read, and whether to wait for it */
		code = seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, FIONREAD, 0));
	return code ? code
		    : seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, FIONBIO, 0));
}

/* libseccomp writes a filter to a file only. */
static int export(scmp_filter_ctx context, struct sock_fprog *ret_filter)
{
	int fd KH_CLEANUP(kh_closep) = memfd_create("khien-filter", MFD_CLOEXEC);
	char *data = NULL;
	size_t length = 0;
	int code = fd < 0 ? -errno : seccomp_export_bpf(context, fd);

	if (!code)
		code = kh_file_read_fd(fd, 1 << 20, &data, &length);
	if (code < 0)
		return code;
	ret_filter->filter = (struct sock_filter *)(void *)data;
	ret_filter->len = (unsigned short)(length / sizeof(*ret_filter->filter));
	return 0;
}

int kh_filter_build(bool network, struct sock_fprog *ret_filter)
{
	scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int code = context ? add_rules(context) : -ENOMEM;

	if (!code && network)
		code = add_calling(context);
	if (!code)
		code = export(context, ret_filter);
	seccomp_release(context);
	return code;
}
