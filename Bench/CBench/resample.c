#include "CBench.h"
#include <speex/speex_resampler.h>
#include <stdlib.h>

struct bench_resampler {
    SpeexResamplerState *state;
};

bench_resampler *bench_resampler_new(int input_rate, int output_rate, int quality) {
    bench_resampler *resampler = calloc(1, sizeof *resampler);
    int error = 0;
    if (!resampler) return NULL;
    resampler->state = speex_resampler_init(1, (spx_uint32_t)input_rate, (spx_uint32_t)output_rate, quality, &error);
    if (!resampler->state || error != RESAMPLER_ERR_SUCCESS) {
        bench_resampler_free(resampler);
        return NULL;
    }
    return resampler;
}

void bench_resampler_free(bench_resampler *resampler) {
    if (!resampler) return;
    if (resampler->state) speex_resampler_destroy(resampler->state);
    free(resampler);
}

long bench_resample(
    bench_resampler *resampler, const int16_t *input, int input_frame, int frames, int16_t *output, int output_frame) {
    long written = 0;
    for (int i = 0; i < frames; i++) {
        spx_uint32_t read = (spx_uint32_t)input_frame, room = (spx_uint32_t)output_frame;
        int error = speex_resampler_process_int(
            resampler->state, 0, input + (size_t)i * input_frame, &read, output + (size_t)i * output_frame, &room);
        if (error != RESAMPLER_ERR_SUCCESS || read != (spx_uint32_t)input_frame) return -1;
        written += room;
    }
    return written;
}
