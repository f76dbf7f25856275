import Testing

import RTCStack

@Suite struct PacketKindTests {
    @Test(arguments: [
        ([0, 1], PacketKind.stun), ([3, 0], .stun), ([20, 0], .dtls), ([63, 0], .dtls), ([128, 111], .media), ([191, 191], .media),
        ([128, 192], .control), ([128, 200], .control), ([160, 223], .control), ([128, 224], .media), ([64, 0], .unknown),
        ([4, 0], .unknown), ([192, 0], .unknown), ([128], .unknown), ([], .unknown),
    ] as [([UInt8], PacketKind)])
    func byFirstBytes(_ bytes: [UInt8], _ kind: PacketKind) {
        #expect(bytes.withUnsafeBytes { PacketKind($0) } == kind)
    }
}
