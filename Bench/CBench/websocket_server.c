// A WebSocket server (RFC 6455) on a free port of 127.0.0.1, for the agents of the bench: one thread, messages of up to 64 KiB.
#define _GNU_SOURCE
#include "websocket_server.h"
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

static void close_connection(websocket *c) {
    close(c->fd);
    free(c);
}

/// Answers the upgrade request once it is whole; 0 while it is not, -1 when it is none.
static int upgrade(websocket *c) {
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

int websocket_send(websocket *c, const uint8_t *frame, size_t length) {
    return send(c->fd, frame, length, MSG_NOSIGNAL) == (ssize_t)length ? 0 : -1;
}

int websocket_send_text(websocket *c, const char *text, size_t length) {
    uint8_t frame[WEBSOCKET_ROOM];
    if (length > sizeof frame - 4) return -1;
    size_t header = length < 126 ? 2 : 4;
    frame[0] = 0x81;
    if (header == 2) {
        frame[1] = (uint8_t)length;
    } else {
        frame[1] = 126;
        frame[2] = (uint8_t)(length >> 8);
        frame[3] = (uint8_t)length;
    }
    memcpy(frame + header, text, length);
    return websocket_send(c, frame, header + length);
}

/// One frame from `bytes`, handed on without its mask; its length, 0 while it is not whole, -1 at the end.
static ssize_t take(websocket *c, uint8_t *bytes, size_t length, websocket_handler handle) {
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
    int kind = start[0] & 15;
    if (kind == 9) start[0] = 0x8A;
    int failed = kind == 8 || kind == 9 ? websocket_send(c, start, header + payload) : handle(c, start, header, payload);
    return failed || kind == 8 ? -1 : (ssize_t)(header + 4 + payload);
}

static void serve(websocket *c, websocket_handler handle) {
    ssize_t n = recv(c->fd, c->bytes + c->length, WEBSOCKET_ROOM - c->length, 0);
    if (n <= 0) return close_connection(c);
    c->length += (size_t)n;
    if (!c->is_up) {
        if (upgrade(c) < 0) close_connection(c);
        return;
    }
    size_t used = 0;
    for (;;) {
        ssize_t length = take(c, c->bytes + used, c->length - used, handle);
        if (length < 0) return close_connection(c);
        if (!length) break;
        used += (size_t)length;
    }
    memmove(c->bytes, c->bytes + used, c->length -= used);
}

int websocket_serve(websocket_handler handle, void (*is_bound)(uint16_t port)) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), queue = epoll_create1(0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct epoll_event event = {.events = EPOLLIN}, events[64];
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 512)
        || getsockname(listener, (struct sockaddr *)&address, &size) || epoll_ctl(queue, EPOLL_CTL_ADD, listener, &event)) return -1;
    is_bound(ntohs(address.sin_port));
    for (;;) {
        int found = epoll_wait(queue, events, 64, -1);
        for (int e = 0; e < found; e++) {
            if (events[e].data.ptr) {
                serve(events[e].data.ptr, handle);
                continue;
            }
            websocket *c = calloc(1, sizeof *c);
            if (!c || (c->fd = accept(listener, NULL, NULL)) < 0) return -1;
            setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            event.data.ptr = c;
            epoll_ctl(queue, EPOLL_CTL_ADD, c->fd, &event);
        }
    }
}
