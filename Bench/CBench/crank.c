// A crank of its own thread, for comparison with one that an event loop turns: a timerfd in the same epoll set as the sockets.
#define _GNU_SOURCE
#include "load.h"
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static int64_t nanoseconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t bench_thread_nanoseconds(void) { return nanoseconds(CLOCK_THREAD_CPUTIME_ID); }

int bench_crank_open(void) {
    uint16_t port;
    int socket = bench_socket_open(&port), queue = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    return socket < 0 || queue < 0 || epoll_ctl(queue, EPOLL_CTL_ADD, socket, &event) ? -1 : queue;
}

int bench_crank_poll(int queue) {
    struct epoll_event events[64];
    return epoll_wait(queue, events, 64, 0);
}

int bench_crank_turn(int queue, int turns, int64_t *late) {
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    int64_t next = nanoseconds(CLOCK_MONOTONIC) + 1000000;
    struct itimerspec when = {.it_interval = {0, 1000000}, .it_value = {next / 1000000000, next % 1000000000}};
    struct epoll_event event = {.events = EPOLLIN}, events[64];
    if (timer < 0 || epoll_ctl(queue, EPOLL_CTL_ADD, timer, &event) || timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL)) return -1;
    for (int turn = 0; turn < turns; turn++) {
        uint64_t expired = 0;
        if (epoll_wait(queue, events, 64, -1) < 0 || read(timer, &expired, sizeof expired) < 0) return -1;
        // Turns that were missed are not made up for.
        next += (int64_t)(expired - 1) * 1000000;
        late[turn] = nanoseconds(CLOCK_MONOTONIC) - next;
        next += 1000000;
    }
    return close(timer);
}
