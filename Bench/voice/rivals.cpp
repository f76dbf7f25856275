// The voice activity detectors of Debian's libraries, for comparison with ours: one byte, 0 or 1, for every 10 ms of the raw
// 16-bit samples on standard input.
//   rivals webrtc-low|webrtc-moderate|webrtc-high|speex RATE
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <speex/speex_preprocess.h>
#include <webrtc/modules/audio_processing/include/audio_processing.h>
#include <webrtc/modules/interface/module_common_types.h>

static bool read_step(std::vector<int16_t> &step) { return fread(step.data(), 2, step.size(), stdin) == step.size(); }

static void webrtc_voice(int rate, webrtc::VoiceDetection::Likelihood likelihood) {
    std::unique_ptr<webrtc::AudioProcessing> processing(webrtc::AudioProcessing::Create());
    processing->high_pass_filter()->Enable(true);
    processing->voice_detection()->set_likelihood(likelihood);
    processing->voice_detection()->set_frame_size_ms(10);
    processing->voice_detection()->Enable(true);
    std::vector<int16_t> step(rate / 100);
    webrtc::AudioFrame frame;
    while (read_step(step)) {
        frame.UpdateFrame(0, 0, step.data(), step.size(), rate, webrtc::AudioFrame::kNormalSpeech, webrtc::AudioFrame::kVadUnknown, 1);
        if (processing->ProcessStream(&frame) != 0) exit(1);
        putchar(processing->voice_detection()->stream_has_voice());
    }
}

static void speex_voice(int rate) {
    SpeexPreprocessState *state = speex_preprocess_state_init(rate / 100, rate);
    int on = 1, off = 0;
    speex_preprocess_ctl(state, SPEEX_PREPROCESS_SET_DENOISE, &off);
    speex_preprocess_ctl(state, SPEEX_PREPROCESS_SET_VAD, &on);
    std::vector<int16_t> step(rate / 100);
    while (read_step(step)) putchar(speex_preprocess_run(state, step.data()) != 0);
    speex_preprocess_state_destroy(state);
}

int main(int count, char **arguments) {
    if (count != 3) return 64;
    const std::string name = arguments[1];
    const int rate = atoi(arguments[2]);
    if (name == "webrtc-low") webrtc_voice(rate, webrtc::VoiceDetection::kLowLikelihood);
    else if (name == "webrtc-moderate") webrtc_voice(rate, webrtc::VoiceDetection::kModerateLikelihood);
    else if (name == "webrtc-high") webrtc_voice(rate, webrtc::VoiceDetection::kHighLikelihood);
    else if (name == "speex") speex_voice(rate);
    else return 64;
    return 0;
}
