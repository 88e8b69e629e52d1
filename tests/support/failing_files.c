// A file system that is slow and fails on demand: loaded into every rank before the C library (LD_PRELOAD).
//
//   HYBRID_TEST_FAIL=CALL:END:ERRNO   the calls of CALL (write, pwrite64, fdatasync, rename, unlink) on files whose names end in
//                                END fail with the number ERRNO once there is a journal; with 0 the process is killed
//   HYBRID_TEST_SLOW_WRITES=MS   each write to the picture but the first two takes so many milliseconds
//   HYBRID_TEST_NO_LOCKS=ERRNO   locks fail with the number ERRNO, as on a file system that has none
//
// The second write to the picture always takes longer than the time between two entries in the journal, so that there is one
// however fast the machine.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char PICTURE[] = "/julia.png.part";
static const char JOURNAL[] = "julia.png.journal";
static const unsigned JOURNAL_PAUSE_US = 1100 * 1000;

static int ends_in(const char *name, const char *end) {
    size_t length = strlen(name), end_length = strlen(end);
    return length >= end_length && strcmp(name + length - end_length, end) == 0;
}

static void name_of(int fd, char *name, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, name, size - 1);
    name[length < 0 ? 0 : length] = '\0';
}

// Whether this call is to fail; errno is set then.
static int fails(const char *call, const char *name) {
    const char *wish = getenv("HYBRID_TEST_FAIL");
    char wished_call[32], end[128];
    int number;
    if (!wish || sscanf(wish, "%31[^:]:%127[^:]:%d", wished_call, end, &number) != 3) return 0;
    if (strcmp(call, wished_call) != 0 || !ends_in(name, end) || access(JOURNAL, F_OK) != 0) return 0;
    if (number == 0) raise(SIGKILL);
    errno = number;
    return 1;
}

static int fails_on(const char *call, int fd) {
    char name[4096];
    name_of(fd, name, sizeof name);
    return fails(call, name);
}

#define REAL(result, name, ...) ((result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t count) {
    return fails_on("write", fd) ? -1 : REAL(ssize_t, write, int, const void *, size_t)(fd, bytes, count);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    static int writes;
    const char *slow = getenv("HYBRID_TEST_SLOW_WRITES");
    char name[4096];
    name_of(fd, name, sizeof name);
    if (ends_in(name, PICTURE)) {
        if (++writes == 2)
            usleep(JOURNAL_PAUSE_US);
        else if (writes > 2 && slow)
            usleep(1000 * (useconds_t)atoi(slow));
    }
    if (fails("pwrite64", name)) return -1;
    return REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)(fd, bytes, count, offset);
}

int fdatasync(int fd) { return fails_on("fdatasync", fd) ? -1 : REAL(int, fdatasync, int)(fd); }

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    if (fails("rename", from)) return -1;
    return REAL(int, renameat, int, const char *, int, const char *)(from_folder, from, to_folder, to);
}

int unlinkat(int folder, const char *name, int flags) {
    return fails("unlink", name) ? -1 : REAL(int, unlinkat, int, const char *, int)(folder, name, flags);
}

int flock(int fd, int operation) {
    const char *number = getenv("HYBRID_TEST_NO_LOCKS");
    if (!number) return REAL(int, flock, int, int)(fd, operation);
    errno = atoi(number);
    return -1;
}
