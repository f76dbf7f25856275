/* Preloaded into the gateway: counts the allocations made on its media path, by the stack that made them.
 *
 * The gateway calls the two hooks below around each turn of a media loop (CShims/net.c finds them). The counts lie in the file
 * that ALLOCATIONS names, mapped, so that the test reads them while calls are up and nothing is written on the path. */
#define _GNU_SOURCE
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STACKS 32768
#define FRAMES 16
/* The counter's own frames at the top of a stack: note() and the function replaced. */
#define OWN 2

struct stack {
    _Atomic uint64_t key; /* 0 while unused */
    _Atomic uint64_t count;
    uint64_t frames[FRAMES]; /* return addresses, the allocating function's caller first; 0 behind the last */
};

static struct report {
    _Atomic uint64_t entered;  /* times a thread went onto the path */
    _Atomic uint64_t overflow; /* allocations for whose stack there was no room */
    struct stack stacks[STACKS];
} * report;

/* Without a call of the dynamic linker, which would allocate. */
#define OF_THREAD static __thread __attribute__((tls_model("initial-exec")))
OF_THREAD int depth;
OF_THREAD int counting;

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

__attribute__((constructor)) static void map_report(void) {
    const char *path = getenv("ALLOCATIONS");
    if (!path) return;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, sizeof(struct report)) != 0) return;
    void *memory = mmap(NULL, sizeof(struct report), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    /* The first backtrace loads libgcc_s. */
    void *frames[4];
    backtrace(frames, 4);
    if (memory != MAP_FAILED) report = memory;
}

void tandem_hook_media_path_entered(void) {
    if (++depth == 1 && report) atomic_fetch_add_explicit(&report->entered, 1, memory_order_relaxed);
}

void tandem_hook_media_path_left(void) { depth--; }

__attribute__((noinline)) static void note(void) {
    if (depth <= 0 || counting || !report) return;
    counting = 1;
    void *frames[FRAMES + OWN];
    int count = backtrace(frames, FRAMES + OWN);
    uint64_t key = 1469598103934665603u;
    for (int i = OWN; i < count; i++) key = (key ^ (uint64_t)frames[i]) * 1099511628211u;
    key |= 1;
    for (unsigned tried = 0; tried < STACKS; tried++) {
        struct stack *stack = &report->stacks[(key + tried) % STACKS];
        uint64_t found = 0;
        if (atomic_compare_exchange_strong(&stack->key, &found, key)) {
            for (int i = OWN; i < count; i++) stack->frames[i - OWN] = (uint64_t)frames[i];
            found = key;
        }
        if (found == key) {
            atomic_fetch_add_explicit(&stack->count, 1, memory_order_relaxed);
            counting = 0;
            return;
        }
    }
    atomic_fetch_add_explicit(&report->overflow, 1, memory_order_relaxed);
    counting = 0;
}

void *malloc(size_t size) {
    note();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    note();
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    note();
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    note();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    note();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    note();
    if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) return EINVAL;
    void *memory = __libc_memalign(alignment, size);
    if (!memory) return ENOMEM;
    *result = memory;
    return 0;
}
