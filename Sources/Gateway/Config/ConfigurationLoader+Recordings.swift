import Dialplan

extension ConfigurationLoader {
    func readRecordings(_ node: YAMLNode?) -> Configuration.Recordings {
        let reader = MappingReader(node, "recordings", problems)
        var recordings = Configuration.Recordings()
        recordings.folder = ConfigurationFile.resolve(reader.text("folder") ?? recordings.folder, besides: file)
        recordings.format = reader.word("format", Configuration.Recordings.Format.self) ?? recordings.format
        recordings.retentionDays = reader.integer("retention_days", in: 0...36_500) ?? recordings.retentionDays
        recordings.tone = reader.flag("tone") ?? recordings.tone
        recordings.announcement = reader.take("announcement").flatMap { readAnnouncement($0, reader) }
        recordings.keepsDigits = reader.flag("keep_digits") ?? recordings.keepsDigits
        reader.finish()
        return recordings
    }

    /// A WAV file that is there and that can be played: without it nobody would be told.
    private func readAnnouncement(_ node: YAMLNode, _ reader: MappingReader) -> String? {
        guard let name = reader.text(of: node, "announcement") else { return nil }
        let path = ConfigurationFile.resolve(name, besides: file)
        do {
            let head = try ConfigurationFile.head(path, limit: PlanFiles.headLimit)
            _ = try WAVHeader(head.bytes, size: head.size)
            return path
        } catch let error as ConfigurationFile.Unreadable {
            problems.error("the file \(node.quoted) cannot be read: \(error.reason)", at: node)
        } catch let error as WAVHeader.Unplayable {
            problems.error("the file \(node.quoted) cannot be played: \(error.reason)", at: node)
        } catch {
            problems.error("the file \(node.quoted) cannot be read", at: node)
        }
        return nil
    }
}
