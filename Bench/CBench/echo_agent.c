// The agent of the call rows: sends every message back as it came.
#include "CBench.h"
#include "websocket_server.h"
#include <stdio.h>

static int echo(websocket *connection, uint8_t *frame, size_t header, size_t length) {
    return websocket_send(connection, frame, header + length);
}

static void tell(uint16_t port) {
    printf("ready %d\n", port);
    fflush(stdout);
}

int bench_echo_agent_run(void) { return websocket_serve(echo, tell); }
