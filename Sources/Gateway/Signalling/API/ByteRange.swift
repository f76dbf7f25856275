/// What a `Range` field asks of so many bytes (RFC 9110 section 14.1.2).
enum ByteRange: Equatable {
    case part(ClosedRange<Int>)
    /// Behind the end.
    case unsatisfiable

    /// Nil where the field is to be ignored: another unit, several ranges, or nonsense.
    init?(_ field: String, of size: Int) {
        guard field.hasPrefix("bytes=") else { return nil }
        let ends = field.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, ends.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }) else { return nil }
        guard let first = Int(ends[0]) else {
            guard ends[0].isEmpty, let last = Int(ends[1]) else { return nil }
            self = last > 0 && size > 0 ? .part(max(0, size - last)...size - 1) : .unsatisfiable
            return
        }
        guard let last = ends[1].isEmpty ? Int.max : Int(ends[1]), last >= first else { return nil }
        self = first < size ? .part(first...min(last, size - 1)) : .unsatisfiable
    }
}
