// libopus: the ctl functions are variadic, which Swift does not import.
#pragma once
#include <opus.h>
#include <opus_multistream.h>

static inline int tandem_opus_encoder_set(OpusEncoder *encoder, int request, opus_int32 value) {
    return opus_encoder_ctl(encoder, request, value);
}
static inline int tandem_opus_encoder_get(OpusEncoder *encoder, int request, opus_int32 *value) {
    return opus_encoder_ctl(encoder, request, value);
}
static inline int tandem_opus_encoder_reset(OpusEncoder *encoder) {
    return opus_encoder_ctl(encoder, OPUS_RESET_STATE);
}
static inline int tandem_opus_decoder_reset(OpusDecoder *decoder) {
    return opus_decoder_ctl(decoder, OPUS_RESET_STATE);
}
static inline int tandem_opus_multistream_encoder_set(OpusMSEncoder *encoder, int request, opus_int32 value) {
    return opus_multistream_encoder_ctl(encoder, request, value);
}
static inline int tandem_opus_multistream_encoder_get(OpusMSEncoder *encoder, int request, opus_int32 *value) {
    return opus_multistream_encoder_ctl(encoder, request, value);
}
