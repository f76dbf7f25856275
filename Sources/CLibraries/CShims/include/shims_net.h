// Batched datagram I/O: struct mmsghdr is invisible without _GNU_SOURCE.
#pragma once
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <netinet/in.h>
#include <sys/epoll.h>

typedef struct {
    struct msghdr header;
    unsigned int length;
} tandem_mmsghdr;

/// recvmmsg without waiting. Returns the number of datagrams, or -errno.
int tandem_recvmmsg(int fd, tandem_mmsghdr *messages, unsigned int count);
/// sendmmsg without waiting. Returns the number of datagrams taken, or -errno.
int tandem_sendmmsg(int fd, tandem_mmsghdr *messages, unsigned int count);
/// CPU time of the calling thread in nanoseconds.
long long tandem_thread_cpu_nanoseconds(void);
/// Has sleeps of the calling thread end when they should, and not up to 50 microseconds later so that wake-ups may be put together.
void tandem_sleep_exactly(void);
/// Sleeps until a descriptor can be read, at most for so long: to the nanosecond, which ppoll takes only with _GNU_SOURCE.
void tandem_await_input(int fd, long long nanoseconds);

/// The calling thread enters or leaves the media path. They do nothing unless a preloaded library (the tests'
/// allocation counter) defines tandem_hook_media_path_entered and tandem_hook_media_path_left.
void tandem_media_path_enter(void);
void tandem_media_path_leave(void);
