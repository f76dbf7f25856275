// One direction of one leg, as short as the libraries allow: no statistics, no reordering, no concealment decisions.
#include "CBench.h"
#include <opus.h>
#include <spandsp.h>
#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

struct bench_leg {
    bench_leg_settings settings;
    srtp_t srtp;
    OpusEncoder *encoder;
    OpusDecoder *decoder;
    plc_state_t concealment;
    int16_t to_linear[256];
    uint8_t to_mu[65536];
    uint16_t sequence;
    uint32_t timestamp;
    uint16_t last_sequence;
    uint32_t last_timestamp;
    uint32_t remote_ssrc;
};

static int make_srtp(bench_leg *leg) {
    srtp_policy_t policy;
    memset(&policy, 0, sizeof policy);
    if (leg->settings.srtp == BENCH_SRTP_GCM) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    } else {
        srtp_crypto_policy_set_rtp_default(&policy.rtp);
        srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
    }
    policy.ssrc.type = leg->settings.is_sending ? ssrc_any_outbound : ssrc_any_inbound;
    policy.window_size = 1024;
    policy.key = leg->settings.key;
    return srtp_create(&leg->srtp, &policy) == srtp_err_status_ok;
}

static int bandwidth(int rate) {
    return rate == 8000 ? OPUS_BANDWIDTH_NARROWBAND : rate == 16000 ? OPUS_BANDWIDTH_WIDEBAND
        : rate == 24000 ? OPUS_BANDWIDTH_SUPERWIDEBAND : OPUS_BANDWIDTH_FULLBAND;
}

/// The settings of Tandem's OpusEncoder: the rows compare bytes.
static int make_opus(bench_leg *leg) {
    int error = OPUS_OK;
    if (!leg->settings.is_sending) {
        leg->decoder = opus_decoder_create(leg->settings.sample_rate, 1, &error);
        return leg->decoder && error == OPUS_OK;
    }
    OpusEncoder *encoder = leg->encoder = opus_encoder_create(leg->settings.sample_rate, 1, OPUS_APPLICATION_AUDIO, &error);
    return encoder && error == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE)) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_SET_DTX(0)) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_SET_MAX_BANDWIDTH(bandwidth(leg->settings.sample_rate))) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(leg->settings.complexity)) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_SET_BITRATE(leg->settings.bitrate)) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(0)) == OPUS_OK;
}

static void make_mu(bench_leg *leg) {
    for (int code = 0; code < 256; code++) leg->to_linear[code] = ulaw_to_linear((uint8_t)code);
    for (int sample = -32768; sample < 32768; sample++) leg->to_mu[(uint16_t)sample] = linear_to_ulaw(sample);
    plc_init(&leg->concealment);
}

bench_leg *bench_leg_new(const bench_leg_settings *settings) {
    static int is_ready;
    if (!is_ready && srtp_init() != srtp_err_status_ok) return NULL;
    is_ready = 1;
    bench_leg *leg = calloc(1, sizeof *leg);
    if (!leg) return NULL;
    leg->settings = *settings;
    leg->sequence = settings->sequence;
    leg->timestamp = settings->timestamp;
    if (settings->codec == BENCH_CODEC_MU) make_mu(leg);
    if ((settings->codec == BENCH_CODEC_OPUS && !make_opus(leg)) || (settings->srtp != BENCH_SRTP_NONE && !make_srtp(leg))) {
        bench_leg_free(leg);
        return NULL;
    }
    return leg;
}

void bench_leg_free(bench_leg *leg) {
    if (!leg) return;
    if (leg->srtp) srtp_dealloc(leg->srtp);
    if (leg->encoder) opus_encoder_destroy(leg->encoder);
    if (leg->decoder) opus_decoder_destroy(leg->decoder);
    free(leg);
}

static int decode(bench_leg *leg, const uint8_t *payload, int length, int16_t *samples, int room) {
    if (leg->settings.codec == BENCH_CODEC_OPUS) return opus_decode(leg->decoder, payload, length, samples, room, 0);
    if (length > room) return -1;
    for (int i = 0; i < length; i++) samples[i] = leg->to_linear[payload[i]];
    plc_rx(&leg->concealment, samples, length);
    return length;
}

static int encode(bench_leg *leg, const int16_t *samples, int count, uint8_t *payload, int room) {
    if (leg->settings.codec == BENCH_CODEC_OPUS) return opus_encode(leg->encoder, samples, count, payload, room);
    if (count > room) return -1;
    for (int i = 0; i < count; i++) payload[i] = leg->to_mu[(uint16_t)samples[i]];
    return count;
}

static uint32_t read32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/// The payload's place; 0 for no packet that continues the stream.
static int parse(bench_leg *leg, const uint8_t *packet, int *length) {
    if (*length < 12 || packet[0] >> 6 != 2) return 0;
    int start = 12 + 4 * (packet[0] & 15);
    if (packet[0] & 0x10) {
        if (*length < start + 4) return 0;
        start += 4 + 4 * (packet[start + 2] << 8 | packet[start + 3]);
    }
    if (packet[0] & 0x20) *length -= packet[*length - 1];
    if (start > *length || (packet[1] & 0x7F) != leg->settings.payload_type) return 0;
    leg->last_sequence = (uint16_t)(packet[2] << 8 | packet[3]);
    int follows = leg->last_sequence == leg->sequence;
    leg->sequence = (uint16_t)(leg->last_sequence + 1);
    leg->last_timestamp = read32(packet + 4);
    leg->remote_ssrc = read32(packet + 8);
    return follows && leg->remote_ssrc == leg->settings.ssrc ? start : 0;
}

static void write_header(bench_leg *leg, uint8_t *packet, int marker) {
    uint32_t ssrc = leg->settings.ssrc;
    packet[0] = 0x80;
    packet[1] = (uint8_t)(leg->settings.payload_type | (marker ? 0x80 : 0));
    packet[2] = (uint8_t)(leg->sequence >> 8), packet[3] = (uint8_t)leg->sequence;
    for (int i = 0; i < 4; i++) {
        packet[4 + i] = (uint8_t)(leg->timestamp >> (24 - 8 * i));
        packet[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
    }
    leg->sequence++;
    leg->timestamp += leg->settings.timestamp_step;
}

int bench_receive(bench_leg *leg, bench_packets *packets, int16_t *samples, int frame_samples) {
    for (int i = 0; i < packets->count; i++) {
        uint8_t *packet = packets->bytes + (size_t)i * packets->stride;
        int length = packets->lengths[i];
        if (leg->srtp && srtp_unprotect(leg->srtp, packet, &length) != srtp_err_status_ok) return i;
        int start = parse(leg, packet, &length);
        if (!start) return i;
        if (decode(leg, packet + start, length - start, samples + (size_t)i * frame_samples, frame_samples) != frame_samples) return i;
    }
    return packets->count;
}

int bench_send(bench_leg *leg, const int16_t *samples, int frame_samples, bench_packets *packets) {
    for (int i = 0; i < packets->count; i++) {
        uint8_t *packet = packets->bytes + (size_t)i * packets->stride;
        int length = encode(leg, samples + (size_t)i * frame_samples, frame_samples, packet + 12, packets->stride - 12 - 16);
        if (length <= 0) return i;
        write_header(leg, packet, i == 0);
        length += 12;
        if (leg->srtp && srtp_protect(leg->srtp, packet, &length) != srtp_err_status_ok) return i;
        packets->lengths[i] = length;
    }
    return packets->count;
}

int bench_protect(bench_leg *leg, bench_packets *packets) {
    for (int i = 0; i < packets->count; i++)
        if (srtp_protect(leg->srtp, packets->bytes + (size_t)i * packets->stride, &packets->lengths[i]) != srtp_err_status_ok) return i;
    return packets->count;
}

int bench_unprotect(bench_leg *leg, bench_packets *packets) {
    for (int i = 0; i < packets->count; i++)
        if (srtp_unprotect(leg->srtp, packets->bytes + (size_t)i * packets->stride, &packets->lengths[i]) != srtp_err_status_ok) return i;
    return packets->count;
}

int bench_encode(bench_leg *leg, const int16_t *samples, int frame_samples, bench_packets *payloads) {
    for (int i = 0; i < payloads->count; i++) {
        int length = encode(
            leg, samples + (size_t)i * frame_samples, frame_samples, payloads->bytes + (size_t)i * payloads->stride, payloads->stride);
        if (length <= 0) return i;
        payloads->lengths[i] = length;
    }
    return payloads->count;
}

int bench_decode(bench_leg *leg, const bench_packets *payloads, int16_t *samples, int frame_samples) {
    for (int i = 0; i < payloads->count; i++) {
        const uint8_t *payload = payloads->bytes + (size_t)i * payloads->stride;
        if (decode(leg, payload, payloads->lengths[i], samples + (size_t)i * frame_samples, frame_samples) != frame_samples) return i;
    }
    return payloads->count;
}
