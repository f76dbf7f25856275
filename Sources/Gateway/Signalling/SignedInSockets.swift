/// Which sockets users are signed in at, by the numbers the switchboard knows them by.
struct SignedInSockets {
    private struct Entry {
        var connection: SignalConnection
        var user: String
    }

    private var entries: [UserSocket.ID: Entry] = [:]
    private var numbers: [ObjectIdentifier: UserSocket.ID] = [:]

    mutating func add(_ connection: SignalConnection, _ number: UserSocket.ID, _ user: String) {
        entries[number] = Entry(connection: connection, user: user)
        numbers[ObjectIdentifier(connection)] = number
    }

    /// - Returns: the number it was known by; nil if nobody was signed in there.
    mutating func remove(_ connection: SignalConnection) -> UserSocket.ID? {
        guard let number = numbers.removeValue(forKey: ObjectIdentifier(connection)) else { return nil }
        entries[number] = nil
        return number
    }

    func socket(of connection: SignalConnection) -> UserSocket.ID? { numbers[ObjectIdentifier(connection)] }

    func connection(of number: UserSocket.ID) -> SignalConnection? { entries[number]?.connection }

    /// At how many other sockets a user is signed in.
    func count(of user: String, besides connection: SignalConnection) -> Int {
        entries.values.count { $0.user == user && $0.connection !== connection }
    }
}
