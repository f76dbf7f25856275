// What a gateway cannot do without, and nothing else: batches from the sockets, SRTP, codecs, batches to the sockets. No
// timers, no jitter, no RTCP, no signalling. It wakes once a millisecond, as Tandem does.
#define _GNU_SOURCE
#include "CBench.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, ROOM = 512, FRAME = 160 };

typedef struct {
    uint16_t browser, phone;
    int socket;
    bench_leg *from_browser, *to_phone, *from_phone, *to_browser;
} call;

typedef struct {
    struct mmsghdr headers[BATCH];
    struct iovec parts[BATCH];
    struct sockaddr_in peers[BATCH];
    uint8_t bytes[BATCH][ROOM];
} batch;

static call *calls;
static int count, browser_socket;
/// The call of a browser, by its port.
static int call_of[65536];
static batch in, out;

static struct sockaddr_in loopback(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int open_socket(int room) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = loopback(0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address)) return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    return fd;
}

static int port_of(int fd) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    return getsockname(fd, (struct sockaddr *)&address, &size) ? 0 : ntohs(address.sin_port);
}

static void prepare(batch *batch) {
    for (int i = 0; i < BATCH; i++) {
        batch->parts[i] = (struct iovec){batch->bytes[i], ROOM};
        batch->headers[i].msg_hdr = (struct msghdr){&batch->peers[i], sizeof batch->peers[i], &batch->parts[i], 1, NULL, 0, 0};
    }
}

/// One packet through a pair of legs; the length of what goes out, 0 for a packet that does not continue its stream.
static int move(bench_leg *from, bench_leg *to, uint8_t *packet, int length, uint8_t *result) {
    int16_t samples[FRAME];
    int32_t received = length, sent = 0;
    bench_packets source = {packet, &received, ROOM, 1}, target = {result, &sent, ROOM, 1};
    if (bench_receive(from, &source, samples, FRAME) != 1 || bench_send(to, samples, FRAME, &target) != 1) return 0;
    return sent;
}

static void from_browsers(void) {
    int n;
    do {
        n = recvmmsg(browser_socket, in.headers, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++) {
            int index = call_of[ntohs(in.peers[i].sin_port)];
            if (index < 0) continue;
            call *c = &calls[index];
            int length = move(c->from_browser, c->to_phone, in.bytes[i], (int)in.headers[i].msg_len, out.bytes[0]);
            struct sockaddr_in to = loopback(c->phone);
            if (length) sendto(c->socket, out.bytes[0], (size_t)length, 0, (struct sockaddr *)&to, sizeof to);
        }
    } while (n == BATCH);
}

static void flush(int ready) {
    for (int sent = 0; sent < ready;) {
        int n = sendmmsg(browser_socket, out.headers + sent, (unsigned)(ready - sent), 0);
        if (n <= 0) return;
        sent += n;
    }
}

static void from_phones(int queue) {
    struct epoll_event events[BATCH];
    int found = epoll_wait(queue, events, BATCH, 0), ready = 0;
    for (int e = 0; e < found; e++) {
        call *c = &calls[events[e].data.u32];
        int n = recvmmsg(c->socket, in.headers, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++) {
            int length = move(c->from_phone, c->to_browser, in.bytes[i], (int)in.headers[i].msg_len, out.bytes[ready]);
            if (!length) continue;
            out.peers[ready] = loopback(c->browser);
            out.parts[ready].iov_len = (size_t)length;
            if (++ready == BATCH) {
                flush(ready);
                ready = 0;
            }
        }
    }
    flush(ready);
}

static bench_leg *make_leg(int codec, int is_sending, uint32_t ssrc, const uint8_t *key, int complexity) {
    bench_leg_settings settings = {
        .codec = codec, .sample_rate = 8000, .bitrate = 24000, .complexity = complexity, .is_sending = is_sending,
        .srtp = codec == BENCH_CODEC_OPUS ? BENCH_SRTP_GCM : BENCH_SRTP_NONE, .ssrc = ssrc,
        .timestamp_step = codec == BENCH_CODEC_OPUS ? 960 : 160, .payload_type = codec == BENCH_CODEC_OPUS ? 111 : 0,
    };
    for (int i = 0; i < 28; i++) settings.key[i] = key[i];
    return bench_leg_new(&settings);
}

static int set_up(int queue, const uint16_t *browsers, const uint16_t *phones, const uint8_t *key, int complexity) {
    for (int i = 0; i < 65536; i++) call_of[i] = -1;
    for (int i = 0; i < count; i++) {
        uint32_t index = (uint32_t)i;
        call *c = &calls[i];
        c->browser = browsers[i];
        c->phone = phones[i];
        call_of[c->browser] = i;
        c->socket = open_socket(1 << 18);
        c->from_browser = make_leg(BENCH_CODEC_OPUS, 0, BENCH_BROWSER_SSRC + index, key, complexity);
        c->to_browser = make_leg(BENCH_CODEC_OPUS, 1, 0x30000000 + index, key, complexity);
        c->from_phone = make_leg(BENCH_CODEC_MU, 0, BENCH_PHONE_SSRC + index, key, complexity);
        c->to_phone = make_leg(BENCH_CODEC_MU, 1, 0x40000000 + index, key, complexity);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
        if (c->socket < 0 || !c->from_browser || !c->to_browser || !c->from_phone || !c->to_phone
            || epoll_ctl(queue, EPOLL_CTL_ADD, c->socket, &event)) return -1;
    }
    return 0;
}

int bench_gateway_run(int wanted, const uint16_t *browsers, const uint16_t *phones, const uint8_t *key, int complexity) {
    count = wanted;
    calls = calloc((size_t)count, sizeof *calls);
    browser_socket = open_socket(4 << 20);
    int queue = epoll_create1(0);
    if (!calls || browser_socket < 0 || queue < 0 || set_up(queue, browsers, phones, key, complexity)) return -1;
    prepare(&in);
    prepare(&out);
    printf("ready %d", port_of(browser_socket));
    for (int i = 0; i < count; i++) printf(" %d", port_of(calls[i].socket));
    printf("\n");
    fflush(stdout);
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (;;) {
        from_browsers();
        from_phones(queue);
        next.tv_nsec += 1000000;
        if (next.tv_nsec >= 1000000000) {
            next.tv_nsec -= 1000000000;
            next.tv_sec++;
        }
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
}
