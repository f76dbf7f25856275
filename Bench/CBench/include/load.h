// What the call rows need of the system and C has in fewer lines: sockets whose datagrams carry the kernel's time of arrival,
// processes that cannot outlive the bench, and the bare gateway. All on 127.0.0.1.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// A non-blocking UDP socket on a free port of 127.0.0.1, which is put into `port`. Negative: -errno.
int bench_socket_open(uint16_t *port);
void bench_socket_close(int socket);
/// One datagram without waiting: its length, the sender's port, and when the kernel got it (nanoseconds of the wall clock).
/// Negative where there is none.
long bench_socket_receive(int socket, uint8_t *bytes, size_t room, uint16_t *port, int64_t *arrived);
/// Whether the kernel took it.
int bench_socket_send(int socket, const uint8_t *bytes, size_t length, uint16_t port);
/// A TCP connection to a port of 127.0.0.1; negative: -errno.
int bench_stream_open(uint16_t port);
/// Wall clock, the one of the arrival times, in nanoseconds.
int64_t bench_wall_nanoseconds(void);
/// Waits, but not past this time of CLOCK_MONOTONIC.
void bench_sleep_until(int64_t monotonic_nanoseconds);

/// Runs a program (`arguments` end with NULL) with its output in a file. It is killed when this process ends, however that
/// happens. Its process id; negative: -errno.
int bench_process_start(const char *program, const char *const *arguments, const char *log);
/// User and system time of all its threads so far; negative when it is gone.
int64_t bench_process_cpu_nanoseconds(int process);
/// Asks it to end, and ends it after two seconds.
void bench_process_stop(int process);

/// The bare gateway between `calls` browsers (SRTP AEAD_AES_128_GCM under one key, no ICE and no DTLS) and as many phones
/// (PCMU), known by their ports. Prints `ready` and its ports: the one for all browsers, then one for each phone. Then it
/// moves sound until it is killed. Returns only when it cannot begin.
int bench_gateway_run(int calls, const uint16_t *browsers, const uint16_t *phones, const uint8_t *key, int complexity);
/// The same for calls with an agent: `callers` are browsers, or phones; each call has a WebSocket to `agent`, a port of 127.0.0.1,
/// which sends back what it gets. Prints `ready` and a port for each caller.
int bench_agent_gateway_run(int browsers, int calls, uint16_t agent, const uint16_t *callers, const uint8_t *key, int complexity);
/// An agent that sends back what it gets, for any number of calls. Prints `ready` and its port. Returns only when it cannot begin.
int bench_echo_agent_run(void);

enum { BENCH_AGENT_HEARD = 1, BENCH_AGENT_SPOKE = 2, BENCH_AGENT_CLEARED = 3 };

/// What the agent of the delay rows saw or did, by the wall clock: the caller's marker began, it sent its tone, it cleared it.
typedef struct {
    int32_t probe;
    int32_t kind;
    int64_t time;
} bench_agent_event;

/// Starts the agent of the delay rows on a thread of this process, once: its port; negative when it cannot begin.
int bench_timed_agent_start(void);
/// What happened since the last time, in order.
int bench_timed_agent_events(bench_agent_event *events, int room);

/// CPU time of the calling thread.
int64_t bench_thread_nanoseconds(void);
/// An epoll set with a socket to which nobody sends; negative: it cannot be made.
int bench_crank_open(void);
/// Asks it without waiting, as a turn of a media loop does that an event loop calls.
int bench_crank_poll(int queue);
/// Waits in it for a timer, once a millisecond, and puts into `late` how many nanoseconds after its time each turn came.
int bench_crank_turn(int queue, int turns, int64_t *late);
enum { BENCH_BROWSER_SSRC = 0x20000000, BENCH_PHONE_SSRC = 0x10000000 };
