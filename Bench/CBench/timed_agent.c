// The agent of the delay rows (Twilio messages). To most calls it is the echoing one; where a call's parameter `probe` has a number,
// it notes when the caller's marker comes, answers it at once by a burst of tone, and clears the burst while it plays.
#define _GNU_SOURCE
#include "CBench.h"
#include "websocket_server.h"
#include <openssl/evp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS = 1 << 14, BURST_BYTES = 4000, MESSAGES_UNTIL_CLEAR = 8, QUIET_MESSAGES = 15, LOUD = 3000 };

static struct {
    pthread_mutex_t lock;
    bench_agent_event events[EVENTS];
    int count;
    uint16_t port;
    sem_t is_bound;
    char burst[BURST_BYTES * 4 / 3 + 8];
} agent = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void note(int probe, int kind, int64_t time) {
    pthread_mutex_lock(&agent.lock);
    if (agent.count < EVENTS) agent.events[agent.count++] = (bench_agent_event){.probe = probe, .kind = kind, .time = time};
    pthread_mutex_unlock(&agent.lock);
}

int bench_timed_agent_events(bench_agent_event *events, int room) {
    pthread_mutex_lock(&agent.lock);
    int count = agent.count < room ? agent.count : room;
    memcpy(events, agent.events, (size_t)count * sizeof *events);
    agent.count = 0;
    pthread_mutex_unlock(&agent.lock);
    return count;
}

static int expand(uint8_t code) {
    code = (uint8_t)~code;
    int value = (((code & 15) << 3) + 132) << (code >> 4 & 7);
    return value - 132;
}

/// The first loud sample of a message's sound; -1 for none, or no sound.
static int first_loud(const char *text) {
    const char *payload = strstr(text, "\"payload\":\"");
    if (!payload) return -1;
    payload += strlen("\"payload\":\"");
    size_t length = strcspn(payload, "\"");
    uint8_t sound[WEBSOCKET_ROOM];
    int count = EVP_DecodeBlock(sound, (const uint8_t *)payload, (int)length);
    for (size_t i = length; i > 0 && payload[i - 1] == '='; i--) count--;
    for (int i = 0; i < count; i++)
        if (expand(sound[i]) > LOUD) return i;
    return -1;
}

static int say(websocket *c, const char *message) {
    char text[BURST_BYTES * 2];
    int length = snprintf(text, sizeof text, message, c->call.stream, agent.burst);
    return websocket_send_text(c, text, (size_t)length);
}

static void begin(websocket *c, const char *text) {
    const char *probe = strstr(text, "\"probe\":\""), *stream = strstr(text, "\"streamSid\":\"");
    if (!probe || !stream) return;
    c->call.is_probe = 1;
    c->call.probe = atoi(probe + strlen("\"probe\":\""));
    stream += strlen("\"streamSid\":\"");
    snprintf(c->call.stream, sizeof c->call.stream, "%.*s", (int)strcspn(stream, "\""), stream);
}

static int probe(websocket *c, const char *text) {
    int64_t now = bench_wall_nanoseconds();
    if (!strstr(text, "\"event\":\"media\"")) return 0;
    int loud = first_loud(text), was_quiet = c->call.quiet;
    c->call.quiet = loud < 0 ? was_quiet + 1 : 0;
    if (loud >= 0 && was_quiet > QUIET_MESSAGES) {
        note(c->call.probe, BENCH_AGENT_HEARD, now + loud * 125000);
        c->call.until_clear = MESSAGES_UNTIL_CLEAR;
        note(c->call.probe, BENCH_AGENT_SPOKE, bench_wall_nanoseconds());
        return say(c, "{\"event\":\"media\",\"streamSid\":\"%s\",\"media\":{\"payload\":\"%s\"}}");
    }
    if (c->call.until_clear > 0 && --c->call.until_clear == 0) {
        note(c->call.probe, BENCH_AGENT_CLEARED, bench_wall_nanoseconds());
        return say(c, "{\"event\":\"clear\",\"streamSid\":\"%s\"}");
    }
    return 0;
}

static int handle(websocket *c, uint8_t *frame, size_t header, size_t length) {
    char text[WEBSOCKET_ROOM + 1];
    memcpy(text, frame + header, length);
    text[length] = 0;
    if (strstr(text, "\"event\":\"start\"")) begin(c, text);
    return c->call.is_probe ? probe(c, text) : websocket_send(c, frame, header + length);
}

static void tell(uint16_t port) {
    agent.port = port;
    sem_post(&agent.is_bound);
}

static void *serve(void *nothing) {
    (void)nothing;
    websocket_serve(handle, tell);
    sem_post(&agent.is_bound);
    return NULL;
}

/// A tone of 1 kHz in mu-law: eight samples, again and again.
static void make_burst(void) {
    static const uint8_t period[8] = {0xFF, 0x8C, 0x85, 0x8C, 0x7F, 0x0C, 0x05, 0x0C};
    uint8_t sound[BURST_BYTES];
    for (int i = 0; i < BURST_BYTES; i++) sound[i] = period[i % 8];
    EVP_EncodeBlock((uint8_t *)agent.burst, sound, BURST_BYTES);
}

int bench_timed_agent_start(void) {
    pthread_t thread;
    make_burst();
    sem_init(&agent.is_bound, 0, 0);
    if (pthread_create(&thread, NULL, serve, NULL)) return -1;
    pthread_detach(thread);
    sem_wait(&agent.is_bound);
    return agent.port ? agent.port : -1;
}
