// The server side of WebSockets, as far as the agents of the bench need it.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { WEBSOCKET_ROOM = 1 << 16 };

typedef struct {
    int fd, is_up;
    /// The agent's own: zero at first.
    struct {
        int is_probe, probe, quiet, until_clear;
        char stream[64];
    } call;
    size_t length;
    uint8_t bytes[WEBSOCKET_ROOM + 1];
} websocket;

/// Gets each message of text or bytes as a frame without its mask: `header` bytes, then `length` of payload. Not 0 ends the connection.
typedef int (*websocket_handler)(websocket *connection, uint8_t *frame, size_t header, size_t length);

/// Serves until the process ends; -1 when it cannot begin.
int websocket_serve(websocket_handler handle, void (*is_bound)(uint16_t port));
/// A whole frame; -1 when the connection does not take it.
int websocket_send(websocket *connection, const uint8_t *frame, size_t length);
int websocket_send_text(websocket *connection, const char *text, size_t length);
