/// The items of a realtime conversation whose sound was queued, and where on the playout each stands.
struct SpokenItems {
    struct Item: Equatable {
        var id: String
        var contentIndex: Int
        var start: Int64
        var samples: Int64
    }

    /// What an item is to be cut to.
    struct Truncation: Equatable {
        var id: String
        var contentIndex: Int
        /// What of it was heard.
        var milliseconds: Int64
    }

    private var items: [Item] = []
    /// Items that were cut, whose late sound is dropped. The last ones only, for late is soon.
    private var cut: [String] = []
    private static let cutsKept = 64

    func isCut(_ id: String) -> Bool { cut.contains(id) }

    /// Sound of an item was queued.
    mutating func queued(_ id: String, contentIndex: Int, samples: Int, at position: Int64, heard: Int64) {
        if let last = items.indices.last, items[last].id == id, items[last].contentIndex == contentIndex {
            items[last].samples += Int64(samples)
            return
        }
        items.removeAll { $0.start + $0.samples <= heard }
        items.append(Item(id: id, contentIndex: contentIndex, start: position, samples: Int64(samples)))
    }

    /// The playout was cut at `heard`.
    /// - Returns: the items that were not heard to their end, in order; one of which nothing was heard is cut to 0
    mutating func cut(at heard: Int64, rate: Int) -> [Truncation] {
        let unheard = items.filter { $0.start + $0.samples > heard }
        // More may come yet of the last one that was heard (`cutLate`).
        items = items.filter { $0.start + $0.samples <= heard }.suffix(1)
        cut = (cut + unheard.map(\.id)).suffix(Self.cutsKept)
        return unheard.map { item in
            Truncation(id: item.id, contentIndex: item.contentIndex, milliseconds: max(0, heard - item.start) * 1000 / Int64(rate))
        }
    }

    /// More sound came of an item after its response was cut; what came before it was heard.
    /// - Returns: what the item is to be cut to; nil when it is already
    mutating func cutLate(_ id: String, contentIndex: Int, rate: Int) -> Truncation? {
        guard !isCut(id) else { return nil }
        cut = (cut + [id]).suffix(Self.cutsKept)
        let samples = items.last { $0.id == id && $0.contentIndex == contentIndex }?.samples ?? 0
        return Truncation(id: id, contentIndex: contentIndex, milliseconds: samples * 1000 / Int64(rate))
    }
}
