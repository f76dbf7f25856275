#include "shims_net.h"
#include <errno.h>
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
