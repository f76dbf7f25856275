import SDP
import Transcode

extension OpusEncoder.Settings {
    /// Within what the peer asks of us (RFC 7587 section 6.1). `stereo` allows what we do not do anyway: we send one channel.
    func fitted(to audio: NegotiatedAudio) -> OpusEncoder.Settings {
        var settings = self
        settings.frameMilliseconds = audio.packetTime
        if let most = audio.opus.maxAverageBitrate { settings.bitrate = min(settings.bitrate, most) }
        settings.playbackRate = audio.opus.maxPlaybackRate
        settings.isConstantBitrate = audio.opus.cbr
        settings.usesDTX = audio.opus.useDTX
        if !audio.opus.useInbandFEC { settings.expectedLoss = 0 }
        return settings
    }
}
