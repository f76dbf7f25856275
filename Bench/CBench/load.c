#define _GNU_SOURCE
#include "load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in loopback(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int64_t nanoseconds(clockid_t clock) {
    struct timespec time;
    if (clock_gettime(clock, &time)) return -1;
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t bench_wall_nanoseconds(void) { return nanoseconds(CLOCK_REALTIME); }

void bench_sleep_until(int64_t until) {
    struct timespec time = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

int bench_socket_open(uint16_t *port) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int on = 1, room = 1 << 20;
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || getsockname(fd, (struct sockaddr *)&address, &size)
        || setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on)) {
        int error = errno;
        close(fd);
        return -error;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    *port = ntohs(address.sin_port);
    return fd;
}

void bench_socket_close(int fd) { close(fd); }

long bench_socket_receive(int fd, uint8_t *bytes, size_t room, uint16_t *port, int64_t *arrived) {
    struct sockaddr_in from;
    char control[128];
    struct iovec part = {bytes, room};
    struct msghdr message = {&from, sizeof from, &part, 1, control, sizeof control, 0};
    long length = recvmsg(fd, &message, MSG_DONTWAIT);
    if (length < 0) return -1;
    *port = ntohs(from.sin_port);
    *arrived = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_TIMESTAMPNS) continue;
        struct timespec time;
        memcpy(&time, CMSG_DATA(c), sizeof time);
        *arrived = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
    }
    if (!*arrived) *arrived = bench_wall_nanoseconds();
    return length;
}

int bench_socket_send(int fd, const uint8_t *bytes, size_t length, uint16_t port) {
    struct sockaddr_in to = loopback(port);
    return sendto(fd, bytes, length, 0, (struct sockaddr *)&to, sizeof to) == (ssize_t)length;
}

int bench_stream_open(uint16_t port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0) return -errno;
    struct sockaddr_in to = loopback(port);
    if (connect(fd, (struct sockaddr *)&to, sizeof to)) {
        int error = errno;
        close(fd);
        return -error;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

int bench_process_start(const char *program, const char *const *arguments, const char *log) {
    pid_t parent = getpid(), child = fork();
    if (child) return child < 0 ? -errno : child;
    // In the child nothing but system calls until exec.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    int output = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600), input = open("/dev/null", O_RDONLY);
    if (output < 0 || input < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) _exit(127);
    execv(program, (char *const *)arguments);
    _exit(127);
}

int64_t bench_process_cpu_nanoseconds(int process) {
    clockid_t clock;
    return clock_getcpuclockid(process, &clock) ? -1 : nanoseconds(clock);
}

void bench_process_stop(int process) {
    kill(process, SIGTERM);
    for (int tenths = 0; tenths < 20; tenths++) {
        if (waitpid(process, NULL, WNOHANG)) return;
        usleep(100000);
    }
    kill(process, SIGKILL);
    waitpid(process, NULL, 0);
}
