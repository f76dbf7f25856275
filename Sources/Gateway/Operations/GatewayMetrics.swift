import NIOCore
import SIPStack

/// Gathers what every part counts for `/metrics`.
struct GatewayMetrics: Sendable {
    let switchboard: Switchboard
    let loops: [MediaLoopDriver]
    let sip: SIPDriver
    let ports: PortPool
    let records: RecordStore
    let recorder: Recorder
    let agentHealth: AgentHealth

    func text() async -> String {
        let figures = await switchboard.figures()
        var media: [MediaLoopSnapshot] = []
        for loop in loops {
            if let snapshot = try? await loop.snapshot().get() { media.append(snapshot) }
        }
        var metrics = MetricsText()
        addCalls(figures, &metrics)
        addFarEnds(figures, &metrics)
        addMedia(media, &metrics)
        addTurns(media, &metrics)
        addSIP(sip.counters, &metrics)
        addRecords(records.counters, &metrics)
        addRecordings(recorder.counters, &metrics)
        return metrics.text
    }

    private func addCalls(_ figures: SwitchboardFigures, _ metrics: inout MetricsText) {
        metrics.add("tandem_calls", .gauge, "Calls that are up or being set up or let go.", figures.calls)
        metrics.add("tandem_calls_total", .counter, "Calls since the start.", figures.callsTotal)
        metrics.add(
            "tandem_calls_ended_total", .counter, "Calls that ended, by cause.",
            EndReason.allCases.map { ("cause=\"\($0.rawValue)\"", Double(figures.ended[$0] ?? 0)) })
        metrics.add(
            "tandem_calls_out_total", .counter, "Calls out by each trunk, and what came of them.",
            figures.callsOut.map { ("trunk=\"\(MetricsText.escaped($0.key.trunk))\",result=\"\($0.key.result)\"", Double($0.value)) }
                .sorted { $0.0 < $1.0 })
        metrics.add("tandem_users_signed_in", .gauge, "Browsers at which users are signed in.", figures.usersSignedIn)
        metrics.add(
            "tandem_user_calls_total", .counter, "Calls to signed-in users, and what came of them.",
            figures.userCalls.map { ("result=\"\($0.key)\"", Double($0.value)) }.sorted { $0.0 < $1.0 })
        metrics.add(
            "tandem_refused_total", .counter, "Calls refused or ended by a limit, of money or of time.",
            CallLimits.Limit.allCases.map { ("limit=\"\($0.rawValue)\"", Double(figures.refused[$0] ?? 0)) })
        metrics.add(
            "tandem_line_tones_total", .counter, "Fax and call-progress tones heard on phones' lines, once a leg each.",
            LineTone.allCases.map { ("tone=\"\($0.rawValue)\"", Double(figures.lineTones[$0] ?? 0)) })
        metrics.add("tandem_draining", .gauge, "1 while no new calls are taken.", figures.isDraining ? 1 : 0)
        metrics.add("tandem_rtp_ports", .gauge, "RTP ports in use.", ports.count)
    }

    private func addFarEnds(_ figures: SwitchboardFigures, _ metrics: inout MetricsText) {
        func label(_ kind: String, _ name: String) -> String { "\(kind)=\"\(MetricsText.escaped(name))\"" }
        metrics.add("tandem_trunk_calls", .gauge, "Calls on each trunk, in and out.", figures.trunks.map { (label("trunk", $0.name), Double($0.calls)) })
        metrics.add("tandem_agent_calls", .gauge, "Calls that talk to each agent.", figures.agents.map { (label("agent", $0.name), Double($0.calls)) })
        let reports = figures.agents.map { agent in (label: label("agent", agent.name), health: agentHealth.summary(of: agent.urls, now: .now())) }
        metrics.add(
            "tandem_agent_dials_total", .counter, "Agents' addresses dialled, and what came of it.",
            reports.flatMap {
                [("\($0.label),result=\"answered\"", Double($0.health.answered)), ("\($0.label),result=\"failed\"", Double($0.health.failed))]
            })
        metrics.add(
            "tandem_agent_sessions", .gauge, "Sockets that are open to each of the agents' addresses.",
            figures.agents.flatMap { agent in
                // Several may differ in what is not shown.
                Dictionary(grouping: Set(agent.urls), by: DirectoryController.shown).sorted { $0.key < $1.key }.map { shown, urls in
                    let sessions = urls.reduce(0) { $0 + agentHealth.report(of: $1).sessions }
                    return ("\(label("agent", agent.name)),\(label("url", shown))", Double(sessions))
                }
            })
        metrics.add(
            "tandem_agent_addresses_resting", .gauge, "Addresses left out for a while because they failed again and again.",
            reports.map { ($0.label, Double($0.health.resting)) })
    }

    private func addRecords(_ records: RecordStore.Counters, _ metrics: inout MetricsText) {
        metrics.add("tandem_records_stored_total", .counter, "Call records written to the database.", records.stored)
        metrics.add("tandem_records_dropped_total", .counter, "Call records given up.", records.dropped)
        metrics.add("tandem_records_failures_total", .counter, "Attempts to write call records that failed.", records.failures)
        metrics.add("tandem_records_waiting", .gauge, "Call records that wait to be written.", records.waiting)
    }

    private func addRecordings(_ recordings: Recorder.Counters, _ metrics: inout MetricsText) {
        metrics.add("tandem_recordings", .gauge, "Recordings of calls being written.", recordings.active)
        metrics.add("tandem_recordings_finished_total", .counter, "Recordings completed.", recordings.finished)
        metrics.add("tandem_recordings_failed_total", .counter, "Recordings the disk refused.", recordings.failed)
        metrics.add(
            "tandem_recordings_dropped_milliseconds_total", .counter, "Sound left out of recordings because the disk was slow.",
            recordings.droppedMilliseconds)
    }

    private func addMedia(_ loops: [MediaLoopSnapshot], _ metrics: inout MetricsText) {
        func add(_ name: String, _ kind: MetricsText.Kind, _ help: String, _ value: (MediaLoopSnapshot) -> Int) {
            metrics.add(name, kind, help, loops.enumerated().map { ("loop=\"\($0.offset)\"", Double(value($0.element))) })
        }
        add("tandem_media_calls", .gauge, "Calls on each media loop.") { $0.calls }
        add("tandem_playout_queue_milliseconds", .gauge, "Agent speech waiting to be played.") { $0.playoutQueueMilliseconds }
        add("tandem_playout_gaps_total", .counter, "Breaks inside agents' utterances.") { $0.playoutGaps }
        add("tandem_late_ticks_total", .counter, "Slots of the 20 ms grid played more than 5 ms late.") { $0.counters.lateTicks }
        add("tandem_skipped_ticks_total", .counter, "Slots never played because the loop stalled.") { $0.counters.skippedSlots }
        add("tandem_media_busy_percent", .gauge, "Share of a core that each media loop used in the last half second.") { $0.busyPercent }
        add("tandem_media_overloaded", .gauge, "1 while a media loop is full: it gets no new calls.") { $0.isOverloaded ? 1 : 0 }
        add("tandem_backlog_dropped_total", .counter, "RTP packets dropped unheard because they waited while the loop stalled.") {
            $0.counters.backlogDropped
        }
        add("tandem_rtp_packets_received_total", .counter, "RTP packets received.") { $0.legs.rtp.packetsReceived }
        add("tandem_rtp_packets_sent_total", .counter, "RTP packets sent.") { $0.legs.rtp.packetsSent }
        add("tandem_rtp_lost_total", .counter, "RTP packets that never came.") { $0.legs.rtp.lost }
        add("tandem_rtp_late_total", .counter, "RTP packets that came after they were given up.") { $0.legs.rtp.late }
        add("tandem_rtp_duplicates_total", .counter, "RTP packets that came twice.") { $0.legs.rtp.duplicates }
        add("tandem_rtp_reordered_total", .counter, "RTP packets that came out of order and in time.") { $0.legs.rtp.reordered }
        add("tandem_recovered_frames_total", .counter, "Lost frames restored by in-band error correction.") { $0.legs.inbound.recovered }
        add("tandem_restored_frames_total", .counter, "Lost frames of which a later packet brought a copy (RED).") { $0.legs.inbound.restored }
        add("tandem_retransmitted_frames_total", .counter, "Lost packets that were asked for again and came in time (NACK).") { $0.legs.rtp.retransmitted }
        add("tandem_resent_packets_total", .counter, "Packets sent again because a browser asked for them (NACK).") { $0.legs.rtp.resent }
        add("tandem_transport_reports_total", .counter, "Reports made of browsers' transport-wide feedback (transport-cc).") { $0.legs.rtp.transportReports }
        add("tandem_transport_reports_sent_total", .counter, "Transport-wide feedback sent to browsers on their packets (transport-cc).") {
            $0.legs.rtp.transportReportsSent
        }
        add("tandem_concealed_milliseconds_total", .counter, "Sound concealed by decoders.") { $0.legs.inbound.concealedMilliseconds }
        add("tandem_filled_milliseconds_total", .counter, "Silence and comfort noise put in.") { $0.legs.inbound.filledMilliseconds }
        add("tandem_echo_legs", .gauge, "Phone legs with a line echo that is taken out.") { $0.echoLegs }
        add("tandem_agc_legs", .gauge, "Legs whose speech is brought to a common level.") { $0.gainLegs }
        add("tandem_opus_reduced_legs", .gauge, "Legs whose Opus is below its usual bitrate for congestion.") { $0.opusReduced }
        add("tandem_opus_protected_legs", .gauge, "Legs whose Opus carries error correction for loss.") { $0.opusProtected }
        add("tandem_opus_redundant_legs", .gauge, "Legs whose Opus is sent twice for loss (RED).") { $0.opusRedundant }
        add("tandem_srtp_failures_total", .counter, "Packets whose SRTP protection was wrong.") { $0.legs.forged }
        add("tandem_malformed_packets_total", .counter, "Datagrams on a leg that were no packet of it.") {
            $0.legs.malformed + $0.legs.rtp.malformed
        }
        add("tandem_stray_datagrams_total", .counter, "Datagrams that belonged to no leg.") { $0.strays }
        add("tandem_datagrams_received_total", .counter, "Datagrams read.") { $0.io.received }
        add("tandem_datagrams_sent_total", .counter, "Datagrams sent.") { $0.io.sent }
        add("tandem_send_failures_total", .counter, "Datagrams the system did not take.") { $0.io.sendFailures }
    }

    private func addTurns(_ loops: [MediaLoopSnapshot], _ metrics: inout MetricsText) {
        var turns = TurnMeter.Figures()
        for loop in loops { turns.add(loop.turns) }
        metrics.add(
            "tandem_agent_answer_seconds", "From the caller's end of speech to the agent's first sound on the wire.",
            buckets: zip(TurnMeter.bounds, turns.histogram).map { (Double($0) / 1000, $1) }, count: turns.turns,
            sum: Double(turns.agentMilliseconds + turns.downMilliseconds) / 1000)
        metrics.add(
            "tandem_agent_answer_parts_seconds_total", .counter, "The sum of all answers' times, by where they passed.",
            [("part=\"agent\"", Double(turns.agentMilliseconds) / 1000), ("part=\"gateway\"", Double(turns.downMilliseconds) / 1000)])
        metrics.add("tandem_agent_interruptions_total", .counter, "Times agents' speech was cut off.", turns.interruptions)
        metrics.add("tandem_agent_dropped_milliseconds_total", .counter, "Agents' speech that was cut off unheard.", turns.droppedMilliseconds)
    }

    private func addSIP(_ sip: SIPCounters, _ metrics: inout MetricsText) {
        metrics.add("tandem_sip_dialogs", .gauge, "SIP dialogs alive.", sip.dialogsAlive)
        metrics.add(
            "tandem_sip_transactions", .gauge, "SIP transactions alive.",
            [("side=\"server\"", Double(sip.serverTransactionsAlive)), ("side=\"client\"", Double(sip.clientTransactionsAlive))])
        metrics.add("tandem_sip_timers", .gauge, "SIP timers running.", sip.timersAlive)
        metrics.add("tandem_sip_messages_received_total", .counter, "SIP messages received.", sip.messagesReceived)
        metrics.add("tandem_sip_messages_sent_total", .counter, "SIP messages sent.", sip.messagesSent)
        metrics.add(
            "tandem_sip_datagrams_dropped_total", .counter, "SIP messages over UDP that the socket did not take.", sip.datagramsDropped)
        metrics.add("tandem_sip_unreadable_total", .counter, "SIP input that was no message.", sip.unreadable)
        metrics.add("tandem_sip_malformed_total", .counter, "SIP messages refused as malformed.", sip.malformed)
        metrics.add("tandem_sip_refused_sources_total", .counter, "SIP requests from sources that are no trunk.", sip.refusedSources)
        metrics.add(
            "tandem_sip_retransmissions_total", .counter, "SIP messages repeated.",
            [("direction=\"received\"", Double(sip.retransmissionsReceived)), ("direction=\"sent\"", Double(sip.retransmissionsSent))])
    }
}
