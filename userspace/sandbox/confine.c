// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The walls, and the new process putting them up around itself.
 */
#include "sandbox/private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/util.h"

#define NOBODY 65534
#define DESCRIPTORS_MAX 32
#define READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE)

/* ---- Before ----------------------------------------------------------------------------------------- */

static int allow_path(int rules, const char *path)
{
	int fd KH_CLEANUP(kh_closep) = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr beneath = { .parent_fd = fd };
	bool folder = false;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (faccessat(fd, ".", F_OK, 0) == 0)
		folder = true;
	beneath.allowed_access = READS | (folder ? LANDLOCK_ACCESS_FS_READ_DIR : 0);
	return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0 ? -errno : 0;
}

/* What a program and its libraries are read from, and what they read: fonts, encodings, languages. */
static int build_landlock(const struct kh_sandbox *sandbox, int *ret_rules)
{
	static const char *const installed[] = { "/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/fonts" };
	static const unsigned int rights[] = { 0, 13, 14, 15, 15, 16 }; /* by version: how many the kernel knows */
	int rules KH_CLEANUP(kh_closep) = -1, code;
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr attributes = {};

	*ret_rules = -1;
	if (version < 1)
		return 0;
	version = version < (long)KH_ARRAY_SIZE(rights) ? version : (long)KH_ARRAY_SIZE(rights) - 1;
	attributes.handled_access_fs = (UINT64_C(1) << rights[version]) - 1;
	rules = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	if (rules < 0)
		return -errno;
	code = allow_path(rules, sandbox->program);
	for (size_t i = 0; i < KH_ARRAY_SIZE(installed) && !code; i++)
		code = allow_path(rules, installed[i]);
	for (const char *const *path = sandbox->readable; path && *path && !code; path++)
		code = allow_path(rules, *path);
	if (!code)
		*ret_rules = KH_TAKE_FD(rules);
	return code;
}

int kh_walls_build(const struct kh_sandbox *sandbox, struct kh_walls *ret_walls)
{
	int code = build_landlock(sandbox, &ret_walls->landlock);

	return code < 0 ? code : kh_filter_build(sandbox->network, &ret_walls->filter);
}

void kh_walls_clear(struct kh_walls *walls)
{
	kh_closep(&walls->landlock);
	free(walls->filter.filter);
}

/* ---- In the new process: system calls alone, in the memory of the other, which waits --------------------- */

/* All but `keep`. */
static int close_others(unsigned int keep)
{
	if (keep > 3 && syscall(SYS_close_range, 3U, keep - 1, 0U) < 0)
		return -errno;
	return syscall(SYS_close_range, keep + 1, ~0U, 0U) < 0 ? -errno : 0;
}

static int limit(__rlimit_resource_t what, rlim_t most)
{
	struct rlimit limit = { most, most };

	return setrlimit(what, &limit) < 0 ? -errno : 0;
}

static int set_limits(const struct kh_sandbox *sandbox)
{
	const struct rlimit processor = { sandbox->seconds_max, sandbox->seconds_max + 1 };
	int code = setrlimit(RLIMIT_CPU, &processor) < 0 ? -errno : limit(RLIMIT_AS, sandbox->memory_max);

	if (!code)
		code = limit(RLIMIT_FSIZE, 0);
	if (!code)
		code = limit(RLIMIT_CORE, 0);
	return code ? code : limit(RLIMIT_NOFILE, DESCRIPTORS_MAX);
}

/* Where it may not become nobody (no CAP_SETUID), it stays who it is, without a capability. Not by the C library, which would change the
 * threads of the process whose memory this one still shares. */
static int drop_privileges(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = {};

	if (!geteuid() && !syscall(SYS_setgroups, 0, NULL) &&
	    (syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) < 0 || syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY) < 0))
		return -errno;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

int kh_sandbox_lower(pid_t parent)
{
	int code = drop_privileges();

	if (code)
		return code;
	/* after the change of user, which would clear the first */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return getppid() == parent ? 0 : -ESRCH;
}

static int put_up(const struct kh_sandbox *sandbox, const struct kh_walls *walls, pid_t parent)
{
	int code = set_limits(sandbox);

	if (!code)
		code = kh_sandbox_lower(parent);
	if (code == -ESRCH)
		_exit(1); /* it died before */
	if (code)
		return code;
	if (walls->landlock >= 0 && syscall(SYS_landlock_restrict_self, walls->landlock, 0) < 0)
		return -errno;
	return 0;
}

/* None of the other's handlers may run here. */
static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int kh_confined_exec(void *context)
{
	const struct kh_confined *confined = context;
	char *const environment[] = { (char[]){ "LC_ALL=C.UTF-8" }, (char[]){ "OMP_THREAD_LIMIT=1" }, NULL };
	int code = put_up(confined->sandbox, confined->walls, confined->parent);
	ssize_t ignored KH_UNUSED;

	for (int i = 0; i < 3 && !code; i++)
		code = dup2(confined->descriptors[i], i) < 0 ? -errno : 0;
	if (!code)
		code = close_others((unsigned int)confined->report);
	reset_signals();
	if (!code && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &confined->walls->filter) < 0)
		code = -errno;
	if (!code) {
		execve(confined->sandbox->program, (char *const *)confined->sandbox->arguments, environment);
		code = -errno;
	}
	ignored = write(confined->report, &code, sizeof(code));
	_exit(127);
}
