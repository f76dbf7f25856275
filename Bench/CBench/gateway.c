// What a gateway cannot do without, and nothing else: batches from the sockets, SRTP, codecs, batches to the sockets. No
// timers, no jitter, no RTCP, no signalling. It wakes once a millisecond, as Tandem does.
#define _GNU_SOURCE
#include "bare.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

typedef struct {
    uint16_t browser, phone;
    int socket;
    bench_leg *from_browser, *to_phone, *from_phone, *to_browser;
} call;

static call *calls;
static int count, browser_socket;
/// The call of a browser, by its port.
static int call_of[65536];
static batch in, out;

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
        next_turn(&next);
    }
}
