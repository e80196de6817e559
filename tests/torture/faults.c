// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loaded before libc (LD_PRELOAD): makes the N-th call of a kind fail. KHIEN_FAULTS names a file of at least one page, mapped by whoever decides (faults.py)
 * and by the program; without it nothing ever fails.
 *
 *   memory   malloc, calloc, realloc and their like, and with them all of libc and of the libraries that allocate: ENOMEM
 *   kernel   bpf(2) by any command, mmap of a descriptor, pthread_create: the error asked for
 *   disk     pread, pwrite, write to a regular file, fsync, fdatasync, ftruncate, rename, and opening to write: the error asked for
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum kind { NONE, MEMORY, KERNEL, DISK };

/* faults.py has the same. */
struct control {
	uint32_t kind; /* written last */
	int32_t error;
	int64_t countdown; /* fails when it comes to 0 */
	uint64_t failed;
	uint32_t more; /* so many after it fail too */
};

static struct control none, *control = &none;

__attribute__((constructor)) static void map_control(void)
{
	const char *path = getenv("KHIEN_FAULTS");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *page = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	if (page != MAP_FAILED)
		control = page;
}

static int fails(enum kind kind)
{
	int64_t left;

	if (__atomic_load_n(&control->kind, __ATOMIC_ACQUIRE) != kind)
		return 0;
	left = __atomic_sub_fetch(&control->countdown, 1, __ATOMIC_SEQ_CST);
	if (left > 0 || left < -(int64_t)control->more)
		return 0;
	__atomic_add_fetch(&control->failed, 1, __ATOMIC_SEQ_CST);
	errno = kind == MEMORY ? ENOMEM : control->error;
	return 1;
}

/* ---- Memory: glibc gives its own under these names ---------------------------------------------------- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
	return fails(MEMORY) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails(MEMORY) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return fails(MEMORY) ? NULL : __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size)
{
	return fails(MEMORY) ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **ret_memory, size_t alignment, size_t size)
{
	void *memory = memalign(alignment, size);

	if (!memory)
		return ENOMEM;
	*ret_memory = memory;
	return 0;
}

/* ---- The others ---------------------------------------------------------------------------------------- */

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

long syscall(long number, ...)
{
	long a[6];
	va_list arguments;

	va_start(arguments, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(arguments, long);
	va_end(arguments);
	if (number == SYS_bpf && fails(KERNEL))
		return -1;
	return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void *map(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	if (fd >= 0 && fails(KERNEL))
		return MAP_FAILED;
	return (void *)REAL(syscall)(SYS_mmap, at, length, protection, flags, fd, offset);
}

void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	return map(at, length, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	return map(at, length, protection, flags, fd, offset);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
	if (fails(KERNEL))
		return errno;
	return REAL(pthread_create)(thread, attributes, start, argument);
}

static int is_regular(int fd)
{
	struct stat status;

	return !fstat(fd, &status) && S_ISREG(status.st_mode);
}

ssize_t pread64(int fd, void *data, size_t size, off_t offset)
{
	return fails(DISK) ? -1 : REAL(pread64)(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset)
{
	return fails(DISK) ? -1 : REAL(pwrite64)(fd, data, size, offset);
}

ssize_t pread(int fd, void *data, size_t size, off_t offset)
{
	return pread64(fd, data, size, offset);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	return pwrite64(fd, data, size, offset);
}

ssize_t write(int fd, const void *data, size_t size)
{
	return is_regular(fd) && fails(DISK) ? -1 : REAL(write)(fd, data, size);
}

int fsync(int fd)
{
	return fails(DISK) ? -1 : REAL(fsync)(fd);
}

int fdatasync(int fd)
{
	return fails(DISK) ? -1 : REAL(fdatasync)(fd);
}

int ftruncate64(int fd, off_t length)
{
	return fails(DISK) ? -1 : REAL(ftruncate64)(fd, length);
}

int ftruncate(int fd, off_t length)
{
	return ftruncate64(fd, length);
}

int rename(const char *from, const char *to)
{
	return fails(DISK) ? -1 : REAL(rename)(from, to);
}

int open64(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = va_arg(arguments, mode_t);
	va_end(arguments);
	if ((flags & O_ACCMODE) != O_RDONLY && fails(DISK))
		return -1;
	return REAL(open64)(path, flags, mode);
}
