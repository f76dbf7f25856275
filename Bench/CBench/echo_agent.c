// The agent of the bench: a WebSocket server (RFC 6455) that sends every message back as it came.
#define _GNU_SOURCE
#include "CBench.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STREAM = 1 << 16 };

typedef struct {
    int fd, is_up;
    size_t length;
    uint8_t bytes[STREAM + 1];
} connection;

static void close_connection(connection *c) {
    close(c->fd);
    free(c);
}

/// Answers the upgrade request once it is whole; 0 while it is not, -1 when it is none.
static int upgrade(connection *c) {
    c->bytes[c->length] = 0;
    char *text = (char *)c->bytes, *end = strstr(text, "\r\n\r\n"), *key = strcasestr(text, "sec-websocket-key:");
    if (!end) return 0;
    if (!key) return -1;
    key += strlen("sec-websocket-key:");
    key += strspn(key, " ");
    char joined[128], accept[64], answer[256];
    uint8_t digest[SHA_DIGEST_LENGTH];
    snprintf(joined, sizeof joined, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", (int)strcspn(key, " \r"), key);
    SHA1((const uint8_t *)joined, strlen(joined), digest);
    EVP_EncodeBlock((uint8_t *)accept, digest, sizeof digest);
    int length = snprintf(
        answer, sizeof answer,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept);
    if (send(c->fd, answer, (size_t)length, MSG_NOSIGNAL) != length) return -1;
    c->is_up = 1;
    c->length = 0;
    return 1;
}

/// One frame from `bytes`, sent back without its mask; its length, 0 while it is not whole, -1 at the end.
static ssize_t echo(connection *c, uint8_t *bytes, size_t length) {
    if (length < 6) return 0;
    size_t header = 2, payload = bytes[1] & 127;
    if (payload == 126) {
        header = 4;
        payload = (size_t)bytes[2] << 8 | bytes[3];
    } else if (payload == 127) {
        return -1;
    }
    if (length < header + 4 + payload) return 0;
    uint8_t *mask = bytes + header, *text = mask + 4;
    for (size_t i = 0; i < payload; i++) text[i] ^= mask[i & 3];
    // The header moves up to the payload: the mask is gone.
    uint8_t *start = text - header;
    memmove(start, bytes, header);
    start[1] &= 127;
    if ((start[0] & 15) == 9) start[0] = 0x8A;
    if (send(c->fd, start, header + payload, MSG_NOSIGNAL) < 0) return -1;
    return (start[0] & 15) == 8 ? -1 : (ssize_t)(header + 4 + payload);
}

static void serve(connection *c) {
    ssize_t n = recv(c->fd, c->bytes + c->length, STREAM - c->length, 0);
    if (n <= 0) return close_connection(c);
    c->length += (size_t)n;
    if (!c->is_up) {
        if (upgrade(c) < 0) close_connection(c);
        return;
    }
    size_t used = 0;
    for (;;) {
        ssize_t length = echo(c, c->bytes + used, c->length - used);
        if (length < 0) return close_connection(c);
        if (!length) break;
        used += (size_t)length;
    }
    memmove(c->bytes, c->bytes + used, c->length -= used);
}

int bench_echo_agent_run(void) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), queue = epoll_create1(0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct epoll_event event = {.events = EPOLLIN}, events[64];
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 512)
        || getsockname(listener, (struct sockaddr *)&address, &size) || epoll_ctl(queue, EPOLL_CTL_ADD, listener, &event)) return -1;
    printf("ready %d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int found = epoll_wait(queue, events, 64, -1);
        for (int e = 0; e < found; e++) {
            if (events[e].data.ptr) {
                serve(events[e].data.ptr);
                continue;
            }
            connection *c = calloc(1, sizeof *c);
            if (!c || (c->fd = accept(listener, NULL, NULL)) < 0) return -1;
            setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            event.data.ptr = c;
            epoll_ctl(queue, EPOLL_CTL_ADD, c->fd, &event);
        }
    }
}
