/// Something for each of some file descriptors. These are small numbers, so it is found without a hash, which would be asked of every
/// packet.
struct DescriptorTable<Value> {
    private var values: [Value?] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    subscript(descriptor: Int32) -> Value? {
        get {
            let index = Int(descriptor)
            return values.indices.contains(index) ? values[index] : nil
        }
        set {
            let index = Int(descriptor)
            guard index >= 0 else { return }
            if index >= values.count {
                guard newValue != nil else { return }
                values.append(contentsOf: repeatElement(nil, count: index + 1 - values.count))
            }
            count += (newValue == nil ? 0 : 1) - (values[index] == nil ? 0 : 1)
            values[index] = newValue
        }
    }

    func contains(_ descriptor: Int32) -> Bool {
        let index = Int(descriptor)
        return values.indices.contains(index) && values[index] != nil
    }

    /// - Returns: what was there.
    mutating func remove(_ descriptor: Int32) -> Value? {
        defer { self[descriptor] = nil }
        return self[descriptor]
    }
}
