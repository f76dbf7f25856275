import NIOCore

/// RTCP (RFC 3550, 6; RFC 3611, 4.4 and 4.5).
extension RTPSession {
    /// Bytes that any packet written here fits into.
    public static let controlPacketCapacity = 512

    /// Takes one decrypted RTCP compound packet.
    public mutating func receiveControl(
        _ packet: UnsafeRawBufferPointer, now: NIODeadline, into events: inout [RTPEvent]
    ) {
        guard RTCPReader.isValid(packet) else {
            control.malformed += 1
            return
        }
        control.received += 1
        var reader = RTCPReader(packet)
        while let part = reader.next() {
            switch part.type {
            case RTCPType.senderReport:
                let timestamp = NTPTimestamp(seconds: part.body.word(at: 4), fraction: part.body.word(at: 8))
                reception.receiveSenderReport(ssrc: part.body.word(at: 0), timestamp: timestamp, now: now)
                receiveBlocks(part, from: 24, now: now)
            case RTCPType.receiverReport:
                receiveBlocks(part, from: 4, now: now)
            case RTCPType.goodbye:
                for index in 0..<part.count {
                    reception.goodbye(part.body.word(at: index * 4), into: &events)
                }
            case RTCPType.extendedReport:
                receiveExtended(part.body, now: now)
            case RTCPType.transportFeedback:
                receiveFeedback(part, now: now, into: &events)
            default:
                // SDES says nothing we use; others are skipped (6.1).
                break
            }
        }
        reception.requests.roundTrip = control.roundTrip.milliseconds
    }

    /// The peer's last report on what we send; `nil` until one came.
    public var peerReport: PeerReport? { control.peerReport }

    /// When the next report is due.
    public var reportDeadline: NIODeadline { control.schedule.next }

    /// Writes the report that is due: sender or receiver report, and our canonical name.
    /// - Parameters:
    ///   - wallClock: the time of day at `now`
    ///   - buffer: `controlPacketCapacity` bytes
    /// - Returns: the packet's length; `nil` when none is due.
    public mutating func writeControl(
        now: NIODeadline, wallClock: NTPTimestamp, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        guard now >= control.schedule.next else { return nil }
        var writer = PacketWriter(buffer)
        writeReports(to: &writer, now: now, wallClock: wallClock)
        control.reportSent(packets: sender.packets, now: now)
        return writer.overflowed ? nil : writer.count
    }

    /// Writes a last report with BYE, due or not: our source falls silent for good.
    /// - Parameter buffer: `controlPacketCapacity` bytes
    /// - Returns: the packet's length; `nil` when the buffer is too small.
    public mutating func writeGoodbye(
        now: NIODeadline, wallClock: NTPTimestamp, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        var writer = PacketWriter(buffer)
        writeReports(to: &writer, now: now, wallClock: wallClock)
        writer.writeHeader(type: RTCPType.goodbye, count: 1, words: 1)
        writer.write(localSSRC)
        control.reportSent(packets: sender.packets, now: now)
        return writer.overflowed ? nil : writer.count
    }

    private mutating func receiveBlocks(_ part: RTCPPacketView, from start: Int, now: NIODeadline) {
        for index in 0..<part.count {
            let block = ReportBlock(part.body, at: start + index * ReportBlock.length)
            if block.ssrc == localSSRC { control.receiveReport(block, now: now) }
        }
    }

    /// Block type 5 (DLRR) answers our receiver reference time.
    private mutating func receiveExtended(_ body: UnsafeRawBufferPointer, now: NIODeadline) {
        var offset = 4
        while offset + 4 <= body.count {
            let type = body[offset]
            let end = offset + 4 + Int(body.word(at: offset) & 0xFFFF) * 4
            guard end <= body.count else { return }
            if type == ExtendedReport.delaySinceReference {
                var block = offset + 4
                while block + 12 <= end {
                    if body.word(at: block) == localSSRC {
                        control.roundTrip.receive(
                            middle: body.word(at: block + 4), delay: body.word(at: block + 8), now: now)
                    }
                    block += 12
                }
            }
            offset = end
        }
    }

    private mutating func writeReports(to writer: inout PacketWriter, now: NIODeadline, wallClock: NTPTimestamp) {
        let block = reception.makeReport(now: now)
        let blockWords = block == nil ? 0 : ReportBlock.length / 4
        if control.isSender(packets: sender.packets),
            let timestamp = sender.timestampOnWire(now: now, clockRate: soundClock)
        {
            writer.writeHeader(type: RTCPType.senderReport, count: block == nil ? 0 : 1, words: 6 + blockWords)
            writer.write(localSSRC)
            writer.write(wallClock.seconds)
            writer.write(wallClock.fraction)
            writer.write(timestamp)
            writer.write(UInt32(truncatingIfNeeded: sender.packets))
            writer.write(UInt32(truncatingIfNeeded: sender.octets))
            block?.write(to: &writer)
            control.roundTrip.sent(middle: wallClock.middle, now: now)
        } else {
            writer.writeHeader(type: RTCPType.receiverReport, count: block == nil ? 0 : 1, words: 1 + blockWords)
            writer.write(localSSRC)
            block?.write(to: &writer)
            if control.asksForRoundTrip { writeReferenceTime(to: &writer, now: now, wallClock: wallClock) }
        }
        writeDescription(to: &writer)
    }

    /// What a compound packet begins with that is no report of its own: one without blocks, so that no interval is cut short.
    func writeShortReport(to writer: inout PacketWriter) {
        writer.writeHeader(type: RTCPType.receiverReport, count: 0, words: 1)
        writer.write(localSSRC)
        writeDescription(to: &writer)
    }

    private mutating func writeReferenceTime(
        to writer: inout PacketWriter, now: NIODeadline, wallClock: NTPTimestamp
    ) {
        writer.writeHeader(type: RTCPType.extendedReport, count: 0, words: 4)
        writer.write(localSSRC)
        writer.write(UInt32(ExtendedReport.referenceTime) << 24 | 2)
        writer.write(wallClock.seconds)
        writer.write(wallClock.fraction)
        control.roundTrip.sent(middle: wallClock.middle, now: now)
    }

    private func writeDescription(to writer: inout PacketWriter) {
        let start = writer.count
        writer.writeHeader(type: RTCPType.sourceDescription, count: 1, words: 0)
        writer.write(localSSRC)
        // CNAME is item 1; a zero byte ends the list, and the chunk is filled to whole words.
        writer.write(UInt8(1))
        writer.write(UInt8(control.cname.count))
        control.cname.withUnsafeBytes { writer.write($0) }
        repeat {
            writer.write(UInt8(0))
        } while !(writer.count - start).isMultiple(of: 4) && !writer.overflowed
        writer.patch(UInt16((writer.count - start) / 4 - 1), at: start + 2)
    }
}

/// Block types within extended reports (RFC 3611).
enum ExtendedReport {
    static let referenceTime: UInt8 = 4
    static let delaySinceReference: UInt8 = 5
}

extension PacketWriter {
    /// - Parameter words: the packet's length without the header's own word
    mutating func writeHeader(type: UInt8, count: UInt8, words: Int) {
        write(0x80 | count)
        write(type)
        write(UInt16(words))
    }
}
