// What the bare gateways share: sockets, batches, and one packet through a pair of legs.
#pragma once
#include "CBench.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 64, ROOM = 512, FRAME = 160 };

typedef struct {
    struct mmsghdr headers[BATCH];
    struct iovec parts[BATCH];
    struct sockaddr_in peers[BATCH];
    uint8_t bytes[BATCH][ROOM];
} batch;

static inline struct sockaddr_in loopback(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static inline int open_socket(int room) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = loopback(0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address)) return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    return fd;
}

static inline int port_of(int fd) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    return getsockname(fd, (struct sockaddr *)&address, &size) ? 0 : ntohs(address.sin_port);
}

static inline void prepare(batch *batch) {
    for (int i = 0; i < BATCH; i++) {
        batch->parts[i] = (struct iovec){batch->bytes[i], ROOM};
        batch->headers[i].msg_hdr = (struct msghdr){&batch->peers[i], sizeof batch->peers[i], &batch->parts[i], 1, NULL, 0, 0};
    }
}

/// One packet through a pair of legs; the length of what goes out, 0 for a packet that does not continue its stream.
static inline int move(bench_leg *from, bench_leg *to, uint8_t *packet, int length, uint8_t *result) {
    int16_t samples[FRAME];
    int32_t received = length, sent = 0;
    bench_packets source = {packet, &received, ROOM, 1}, target = {result, &sent, ROOM, 1};
    if (bench_receive(from, &source, samples, FRAME) != 1 || bench_send(to, samples, FRAME, &target) != 1) return 0;
    return sent;
}

static inline bench_leg *make_leg(int codec, int is_sending, uint32_t ssrc, const uint8_t *key, int complexity) {
    bench_leg_settings settings = {
        .codec = codec, .sample_rate = 8000, .bitrate = 24000, .complexity = complexity, .is_sending = is_sending,
        .srtp = codec == BENCH_CODEC_OPUS ? BENCH_SRTP_GCM : BENCH_SRTP_NONE, .ssrc = ssrc,
        .timestamp_step = codec == BENCH_CODEC_OPUS ? 960 : 160, .payload_type = codec == BENCH_CODEC_OPUS ? 111 : 0,
    };
    for (int i = 0; i < 28; i++) settings.key[i] = key[i];
    return bench_leg_new(&settings);
}

/// Sleeps until a millisecond after the last time.
static inline void next_turn(struct timespec *next) {
    next->tv_nsec += 1000000;
    if (next->tv_nsec >= 1000000000) {
        next->tv_nsec -= 1000000000;
        next->tv_sec++;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL);
}
