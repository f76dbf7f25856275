#include "shims_net.h"
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <time.h>

_Static_assert(sizeof(tandem_mmsghdr) == sizeof(struct mmsghdr), "mmsghdr layout");

int tandem_recvmmsg(int fd, tandem_mmsghdr *messages, unsigned int count) {
    int result = recvmmsg(fd, (struct mmsghdr *)messages, count, MSG_DONTWAIT, 0);
    return result < 0 ? -errno : result;
}

int tandem_sendmmsg(int fd, tandem_mmsghdr *messages, unsigned int count) {
    int result = sendmmsg(fd, (struct mmsghdr *)messages, count, MSG_DONTWAIT);
    return result < 0 ? -errno : result;
}

long long tandem_thread_cpu_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (long long)now.tv_sec * 1000000000LL + now.tv_nsec;
}

void tandem_sleep_exactly(void) {
    prctl(PR_SET_TIMERSLACK, 1UL);
}

void tandem_await_input(int fd, long long nanoseconds) {
    struct pollfd set = {.fd = fd, .events = POLLIN};
    struct timespec limit = {.tv_sec = nanoseconds / 1000000000LL, .tv_nsec = nanoseconds % 1000000000LL};
    ppoll(&set, 1, &limit, NULL);
}

static void (*media_path_entered)(void);
static void (*media_path_left)(void);

__attribute__((constructor)) static void find_media_path_hooks(void) {
    media_path_entered = (void (*)(void))dlsym(RTLD_DEFAULT, "tandem_hook_media_path_entered");
    media_path_left = (void (*)(void))dlsym(RTLD_DEFAULT, "tandem_hook_media_path_left");
}

void tandem_media_path_enter(void) {
    if (media_path_entered) media_path_entered();
}

void tandem_media_path_leave(void) {
    if (media_path_left) media_path_left();
}
