// The bare loops that Bench holds Tandem against: the same work with the C libraries and nothing else. No header of a
// library appears here, so that Swift sees each library by one module only.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "load.h"

/// Whether this was compiled with optimisation: without it no ratio means anything.
int bench_is_optimised(void);
/// The versions of libopus and libsrtp2, as one line.
const char *bench_versions(void);

/// Packets side by side, `stride` bytes apart.
typedef struct {
    uint8_t *bytes;
    int32_t *lengths;
    int32_t stride;
    int32_t count;
} bench_packets;

enum { BENCH_CODEC_NONE = 0, BENCH_CODEC_MU = 1, BENCH_CODEC_OPUS = 2 };
enum { BENCH_SRTP_NONE = 0, BENCH_SRTP_GCM = 1, BENCH_SRTP_CM = 2 };

/// What one direction of one leg is made of.
typedef struct {
    int codec;
    int sample_rate;
    int bitrate;
    int complexity;
    int srtp;
    int is_sending;
    uint8_t key[30];
    uint32_t ssrc;
    uint16_t sequence;
    uint32_t timestamp;
    uint32_t timestamp_step;
    uint8_t payload_type;
} bench_leg_settings;

typedef struct bench_leg bench_leg;

/// NULL when a library refuses. The first call initialises libsrtp2: one thread at a time.
bench_leg *bench_leg_new(const bench_leg_settings *settings);
void bench_leg_free(bench_leg *leg);

// Each of these works through all packets and returns how many it did; fewer than `count` means that one failed.

/// Unprotect (where there is SRTP), parse RTP, decode into `samples`, `frame_samples` apart.
int bench_receive(bench_leg *leg, bench_packets *packets, int16_t *samples, int frame_samples);
/// Encode from `samples`, write RTP, protect (where there is SRTP).
int bench_send(bench_leg *leg, const int16_t *samples, int frame_samples, bench_packets *packets);
int bench_protect(bench_leg *leg, bench_packets *packets);
int bench_unprotect(bench_leg *leg, bench_packets *packets);
/// The codec alone: payloads without RTP headers.
int bench_encode(bench_leg *leg, const int16_t *samples, int frame_samples, bench_packets *payloads);
int bench_decode(bench_leg *leg, const bench_packets *payloads, int16_t *samples, int frame_samples);

/// speexdsp's resampler. The samples written in all; negative on failure.
typedef struct bench_resampler bench_resampler;
bench_resampler *bench_resampler_new(int input_rate, int output_rate, int quality);
void bench_resampler_free(bench_resampler *resampler);
long bench_resample(
    bench_resampler *resampler, const int16_t *input, int input_frame, int frames, int16_t *output, int output_frame);

/* The energy of frames of samples, one after the other: the least that anything does which listens to them. */
double bench_squares(const int16_t *samples, int frame_samples, int frames);

/// speexdsp's echo canceller over 48 ms, always at work. NULL on failure.
typedef struct bench_canceller bench_canceller;
bench_canceller *bench_canceller_new(int rate);
void bench_canceller_free(bench_canceller *canceller);
void bench_cancel(bench_canceller *canceller, const int16_t *played, const int16_t *heard, int16_t *left, long samples);

/// libosip2: parses each INVITE and its SDP and writes both again. Messages and how many bytes were written.
int bench_osip_invites(const bench_packets *messages, long *written);
/// libosip2: parses one description and writes it again, `count` times.
int bench_osip_descriptions(const char *text, int count, long *written);

/// The bare search: the first of `count` patterns ('X' is a digit), `stride` bytes apart, that `number` matches. -1 for none.
int bench_match(const char *patterns, int stride, int count, const char *number);
