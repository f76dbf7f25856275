#include "CBench.h"
#include <speex/speex_echo.h>
#include <stdlib.h>

struct bench_canceller {
    SpeexEchoState *state;
    int block;
};

bench_canceller *bench_canceller_new(int rate) {
    bench_canceller *canceller = calloc(1, sizeof *canceller);
    if (!canceller) return NULL;
    canceller->block = rate / 100;
    canceller->state = speex_echo_state_init(canceller->block, rate / 1000 * 48);
    if (!canceller->state) {
        free(canceller);
        return NULL;
    }
    speex_echo_ctl(canceller->state, SPEEX_ECHO_SET_SAMPLING_RATE, &rate);
    return canceller;
}

void bench_canceller_free(bench_canceller *canceller) {
    if (!canceller) return;
    speex_echo_state_destroy(canceller->state);
    free(canceller);
}

void bench_cancel(bench_canceller *canceller, const int16_t *played, const int16_t *heard, int16_t *left, long samples) {
    for (long start = 0; start + canceller->block <= samples; start += canceller->block)
        speex_echo_cancellation(canceller->state, heard + start, played + start, left + start);
}
