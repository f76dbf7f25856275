// The bare gateway for calls with an agent: what gateway.c does, with a WebSocket per call at the other side. A message holds a
// mu-law packet in base64, and the echo is played at once: no queue, no grid, no JSON.
#define _GNU_SOURCE
#include "bare.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/// Bytes of a client's frame before its payload of 126 bytes and more, and of a server's, which has no mask (RFC 6455 5.2).
enum { CLIENT_HEADER = 8, SERVER_HEADER = 4, PACKET = 172, PAYLOAD = 232, ECHO = SERVER_HEADER + PAYLOAD, STREAM = 1 << 14 };

typedef struct {
    uint16_t caller;
    int socket, agent;
    bench_leg *from_caller, *to_agent, *from_agent, *to_caller;
    uint8_t bytes[STREAM];
    size_t length;
} call;

static call *calls;
static int count, is_browser, browser_socket;
static int call_of[65536];
static batch in;

static void to_agent(call *c, uint8_t *packet, int length) {
    uint8_t moved[ROOM], message[CLIENT_HEADER + ROOM];
    if (move(c->from_caller, c->to_agent, packet, length, moved) != PACKET) return;
    // A mask of zero: the frame is what masking makes of it, and its cost is left out.
    memcpy(message, (uint8_t[]){0x81, 0x80 | 126, PAYLOAD >> 8, PAYLOAD & 0xFF, 0, 0, 0, 0}, CLIENT_HEADER);
    EVP_EncodeBlock(message + CLIENT_HEADER, moved, PACKET);
    send(c->agent, message, CLIENT_HEADER + PAYLOAD, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void to_caller(call *c, const uint8_t *payload) {
    uint8_t packet[ROOM], moved[ROOM];
    if (EVP_DecodeBlock(packet, payload, PAYLOAD) < PACKET) return;
    int length = move(c->from_agent, c->to_caller, packet, PACKET, moved);
    struct sockaddr_in to = loopback(c->caller);
    if (length) sendto(is_browser ? browser_socket : c->socket, moved, (size_t)length, 0, (struct sockaddr *)&to, sizeof to);
}

static void from_agent(call *c) {
    ssize_t n = recv(c->agent, c->bytes + c->length, STREAM - c->length, MSG_DONTWAIT);
    if (n <= 0) return;
    c->length += (size_t)n;
    size_t used = 0;
    for (; c->length - used >= ECHO; used += ECHO) to_caller(c, c->bytes + used + SERVER_HEADER);
    memmove(c->bytes, c->bytes + used, c->length -= used);
}

static void from_callers(int fd, call *known) {
    int n;
    do {
        n = recvmmsg(fd, in.headers, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++) {
            int index = known ? 0 : call_of[ntohs(in.peers[i].sin_port)];
            if (index >= 0) to_agent(known ? known : &calls[index], in.bytes[i], (int)in.headers[i].msg_len);
        }
    } while (n == BATCH);
}

/// A WebSocket to the agent.
static int connect_agent(uint16_t port) {
    static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    char answer[512] = "";
    int fd = bench_stream_open(port);
    size_t length = 0;
    if (fd < 0 || send(fd, request, sizeof request - 1, 0) < 0) return -1;
    while (!strstr(answer, "\r\n\r\n")) {
        ssize_t n = recv(fd, answer + length, sizeof answer - 1 - length, 0);
        if (n <= 0) return -1;
        length += (size_t)n;
        answer[length] = 0;
    }
    return fd;
}

static int watch(int queue, int fd, uint32_t what) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = what};
    return fd < 0 ? -1 : epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event);
}

static int set_up(int queue, uint16_t agent, const uint16_t *callers, const uint8_t *key, int complexity) {
    for (int i = 0; i < 65536; i++) call_of[i] = -1;
    int codec = is_browser ? BENCH_CODEC_OPUS : BENCH_CODEC_MU;
    for (int i = 0; i < count; i++) {
        uint32_t index = (uint32_t)i, ssrc = is_browser ? BENCH_BROWSER_SSRC : BENCH_PHONE_SSRC;
        call *c = &calls[i];
        c->caller = callers[i];
        call_of[c->caller] = i;
        c->socket = is_browser ? browser_socket : open_socket(1 << 18);
        c->agent = connect_agent(agent);
        c->from_caller = make_leg(codec, 0, ssrc + index, key, complexity);
        c->to_agent = make_leg(BENCH_CODEC_MU, 1, 0x50000000 + index, key, complexity);
        c->from_agent = make_leg(BENCH_CODEC_MU, 0, 0x50000000 + index, key, complexity);
        c->to_caller = make_leg(codec, 1, 0x30000000 + index, key, complexity);
        if (!c->from_caller || !c->to_agent || !c->from_agent || !c->to_caller || watch(queue, c->agent, index * 2 + 1)
            || (!is_browser && watch(queue, c->socket, index * 2))) return -1;
    }
    return 0;
}

int bench_agent_gateway_run(int browsers, int wanted, uint16_t agent, const uint16_t *callers, const uint8_t *key, int complexity) {
    struct epoll_event events[BATCH];
    count = wanted;
    is_browser = browsers;
    calls = calloc((size_t)count, sizeof *calls);
    browser_socket = open_socket(4 << 20);
    int queue = epoll_create1(0);
    if (!calls || browser_socket < 0 || queue < 0 || set_up(queue, agent, callers, key, complexity)) return -1;
    prepare(&in);
    printf("ready");
    for (int i = 0; i < count; i++) printf(" %d", port_of(calls[i].socket));
    printf("\n");
    fflush(stdout);
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (;;) {
        if (is_browser) from_callers(browser_socket, NULL);
        int found;
        do {
            found = epoll_wait(queue, events, BATCH, 0);
            for (int e = 0; e < found; e++) {
                call *c = &calls[events[e].data.u32 / 2];
                if (events[e].data.u32 % 2) from_agent(c);
                else from_callers(c->socket, c);
            }
        } while (found == BATCH);
        next_turn(&next);
    }
}
