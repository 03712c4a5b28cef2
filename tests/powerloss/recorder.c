/* Writes down what processes do to the files below a folder, in order, with the data.
 *
 * Loaded by LD_PRELOAD before a program, and inherited by those that it starts. $POWERLOSS_ROOT is
 * the folder, $POWERLOSS_LOG the record: for each operation that succeeded its letter, an offset or
 * size, the lengths of two paths and of the data, and these. A lock is held from before an operation
 * until it is in the record, so that the record has the order in which things were done.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))real(#name))

static pthread_mutex_t threads = PTHREAD_MUTEX_INITIALIZER;
static int record = -1;
static pid_t owner;
static const char *root;

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

static void again(void) { pthread_mutex_init(&threads, NULL); }

__attribute__((constructor)) static void begin(void) {
    root = getenv("POWERLOSS_ROOT");
    pthread_atfork(NULL, NULL, again);
}

static void lock(void) {
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    pthread_mutex_lock(&threads);
    if (owner != getpid() && root) {
        int opened = REAL(open)(getenv("POWERLOSS_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        record = fcntl(opened, F_DUPFD_CLOEXEC, 900);
        REAL(close)(opened);
        owner = getpid();
    }
    if (root) fcntl(record, F_SETLKW, &all);
}

static void unlock(void) {
    struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    int kept = errno;
    if (root) fcntl(record, F_SETLK, &all);
    pthread_mutex_unlock(&threads);
    errno = kept;
}

static int below(const char *path) {
    size_t n = root ? strlen(root) : 0;
    return n && !strncmp(path, root, n) && (path[n] == '/' || !path[n]);
}

/* The path that a call names, whole. */
static void whole(int folder, const char *path, char *into) {
    char here[PATH_MAX] = "", link[64];
    if (path[0] == '/') {
        snprintf(into, PATH_MAX, "%s", path);
        return;
    }
    if (folder == AT_FDCWD) {
        if (!getcwd(here, sizeof here)) here[0] = 0;
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t n = readlink(link, here, sizeof here - 1);
        here[n < 0 ? 0 : n] = 0;
    }
    if (snprintf(into, PATH_MAX, "%s/%s", here, path) >= PATH_MAX) into[0] = 0;
}

/* The path of an open file now; false if it is not ours, or has no name any more. */
static int named(int file, char *into) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t n = readlink(link, into, PATH_MAX - 1);
    into[n < 0 ? 0 : n] = 0;
    return below(into) && (n < 10 || strcmp(into + n - 10, " (deleted)"));
}

static void put(char what, int64_t at, const char *one, const char *two, const void *data, size_t n) {
    struct { int64_t what, at, one, two, n; } head = {what, at, strlen(one), strlen(two), n};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)one, head.one}, {(void *)two, head.two}, {(void *)data, n}};
    if (!below(one) && !below(two)) return;
    if (REAL(writev)(record, parts, 4) < 0) abort();
}

static int opened(int folder, const char *path, int flags, mode_t mode) {
    char one[PATH_MAX];
    if (!(flags & (O_CREAT | O_TRUNC)) || (flags & O_TMPFILE) == O_TMPFILE)
        return REAL(openat)(folder, path, flags, mode);
    lock();
    int file = REAL(openat)(folder, path, flags, mode);
    if (file >= 0) {
        whole(folder, path, one);
        put('o', flags & O_TRUNC ? 1 : 0, one, "", "", 0);
    }
    unlock();
    return file;
}

#define MODE mode_t mode = 0; va_list more; va_start(more, flags); \
    if (flags & (O_CREAT | O_TMPFILE)) mode = va_arg(more, mode_t); va_end(more)
int open(const char *path, int flags, ...) { MODE; return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE; return opened(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int f, const char *path, int flags, ...) { MODE; return f == AT_FDCWD || path[0] != 0 ? opened(f, path, flags, mode) : -1; }
int openat64(int f, const char *path, int flags, ...) { MODE; return opened(f, path, flags | O_LARGEFILE, mode); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

ssize_t write(int file, const void *data, size_t n) {
    char one[PATH_MAX];
    if (!named(file, one)) return REAL(write)(file, data, n);
    lock();
    ssize_t done = REAL(write)(file, data, n);
    if (done > 0) put('w', lseek(file, 0, SEEK_CUR) - done, one, "", data, done);
    unlock();
    return done;
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    char one[PATH_MAX];
    if (named(file, one)) { /* a part at a time, as may be done */
        for (int i = 0; i < count; i++)
            if (parts[i].iov_len) return write(file, parts[i].iov_base, parts[i].iov_len);
        return 0;
    }
    return REAL(writev)(file, parts, count);
}

ssize_t pwrite64(int file, const void *data, size_t n, off64_t at) {
    char one[PATH_MAX];
    lock();
    ssize_t done = REAL(pwrite64)(file, data, n, at);
    if (done > 0 && named(file, one)) put('w', at, one, "", data, done);
    unlock();
    return done;
}
ssize_t pwrite(int file, const void *data, size_t n, off_t at) { return pwrite64(file, data, n, at); }

/* Python copies with these; where they cannot, it reads and writes. */
ssize_t sendfile64(int to, int from, off64_t *at, size_t n) { (void)to, (void)from, (void)at, (void)n; errno = ENOTSOCK; return -1; }
ssize_t sendfile(int to, int from, off_t *at, size_t n) { (void)to, (void)from, (void)at, (void)n; errno = ENOTSOCK; return -1; }
ssize_t copy_file_range(int from, off64_t *a, int to, off64_t *b, size_t n, unsigned flags) { (void)from, (void)a, (void)to, (void)b, (void)n, (void)flags; errno = EXDEV; return -1; }

#define ON_FILE(letter, at, call) char one[PATH_MAX]; lock(); int done = call; \
    if (!done && named(file, one)) put(letter, at, one, "", "", 0); unlock(); return done
int ftruncate64(int file, off64_t size) { ON_FILE('t', size, REAL(ftruncate64)(file, size)); }
int ftruncate(int file, off_t size) { return ftruncate64(file, size); }
int fsync(int file) { ON_FILE('s', 0, REAL(fsync)(file)); }
int fdatasync(int file) { ON_FILE('s', 0, REAL(fdatasync)(file)); }

#define ON_PATH(letter, a, path, b, other, call) char one[PATH_MAX], two[PATH_MAX] = ""; lock(); \
    int done = call; if (!done) { whole(a, path, one); if (other) whole(b, other, two); \
    put(letter, 0, one, two, "", 0); } unlock(); return done
#define HERE AT_FDCWD
#define NONE ((const char *)0)
int rename(const char *from, const char *to) { ON_PATH('r', HERE, from, HERE, to, REAL(rename)(from, to)); }
int renameat(int a, const char *from, int b, const char *to) { ON_PATH('r', a, from, b, to, REAL(renameat)(a, from, b, to)); }
int link(const char *from, const char *to) { ON_PATH('l', HERE, from, HERE, to, REAL(link)(from, to)); }
int linkat(int a, const char *from, int b, const char *to, int f) { ON_PATH('l', a, from, b, to, REAL(linkat)(a, from, b, to, f)); }
int mkdir(const char *path, mode_t mode) { ON_PATH('d', HERE, path, HERE, NONE, REAL(mkdir)(path, mode)); }
int mkdirat(int a, const char *path, mode_t mode) { ON_PATH('d', a, path, HERE, NONE, REAL(mkdirat)(a, path, mode)); }
int unlink(const char *path) { ON_PATH('u', HERE, path, HERE, NONE, REAL(unlink)(path)); }
int unlinkat(int a, const char *path, int f) { ON_PATH('u', a, path, HERE, NONE, REAL(unlinkat)(a, path, f)); }
int rmdir(const char *path) { ON_PATH('u', HERE, path, HERE, NONE, REAL(rmdir)(path)); }

/* What a symbolic link says is kept as its data. */
int symlink(const char *said, const char *path) {
    char one[PATH_MAX];
    lock();
    int done = REAL(symlink)(said, path);
    whole(AT_FDCWD, path, one);
    if (!done) put('y', 0, one, "", said, strlen(said));
    unlock();
    return done;
}
