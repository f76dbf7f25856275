import Testing

@testable import RTP

@Suite struct RTPPacketViewTests {
    private func view<Result>(_ bytes: [UInt8], _ body: (RTPPacketView?) -> Result) -> Result {
        bytes.withUnsafeBytes { body(RTPPacketView($0)) }
    }

    @Test func readsTheFixedHeader() {
        let packet = RTPPacket(
            payloadType: 111, sequence: 0xFEDC, timestamp: 0x89AB_CDEF, ssrc: 0x0123_4567, marker: true,
            payload: [9, 8, 7])
        view(packet.bytes) { view in
            #expect(view?.payloadType == 111)
            #expect(view?.marker == true)
            #expect(view?.sequenceNumber == 0xFEDC)
            #expect(view?.timestamp == 0x89AB_CDEF)
            #expect(view?.ssrc == 0x0123_4567)
            #expect(view.map { Array($0.payload) } == [9, 8, 7])
            #expect(view?.extensionProfile == nil)
        }
    }

    @Test func skipsContributorsExtensionAndPadding() {
        var bytes = RTPPacket(sequence: 1, timestamp: 2, payload: []).bytes
        bytes[0] = 0x80 | 0x20 | 0x10 | 2
        bytes += [0, 0, 0, 1, 0, 0, 0, 2]
        bytes += [0xBE, 0xDE, 0, 1, 0x10, 0xFF, 0, 0]
        bytes += [1, 2, 3, 0, 0, 3]
        view(bytes) { view in
            #expect(view?.extensionProfile == 0xBEDE)
            #expect(view.map { Array($0.extensionData) } == [0x10, 0xFF, 0, 0])
            #expect(view.map { Array($0.payload) } == [1, 2, 3])
        }
    }

    @Test func paddingMayBeAllThereIs() {
        var bytes = RTPPacket(sequence: 1, timestamp: 2, payload: [0, 0, 0, 4]).bytes
        bytes[0] |= 0x20
        view(bytes) { #expect($0?.payload.isEmpty == true) }
    }

    @Test(arguments: [
        ("too short", [UInt8](repeating: 0x80, count: 11)),
        ("wrong version", [0x40, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]),
        ("contributors beyond the end", [0x8F, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]),
        ("extension beyond the end", [0x90, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xBE, 0xDE, 0, 1]),
        ("half an extension header", [0x90, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xBE, 0xDE]),
        ("padding longer than the packet", [0xA0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 2]),
        ("padding of none", [0xA0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0]),
        ("padding without a byte for it", [0xA0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]),
    ])
    func refuses(_ name: String, _ bytes: [UInt8]) {
        view(bytes) { #expect($0 == nil, "\(name)") }
    }

    @Test func tellsControlApart() {
        for type in UInt8.min ... .max {
            let isControl = [0x80, type].withUnsafeBytes { RTPPacketView.isControl($0) }
            #expect(isControl == (192...223).contains(type))
        }
    }
}
