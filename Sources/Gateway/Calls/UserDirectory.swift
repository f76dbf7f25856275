/// Who is signed in, and where.
struct UserDirectory {
    private var sockets: [UserSocket.ID: UserSocket] = [:]
    private var ids: [String: [UserSocket.ID]] = [:]

    /// Sockets at which somebody is signed in.
    var count: Int { sockets.count }

    subscript(_ id: UserSocket.ID) -> UserSocket? { sockets[id] }

    mutating func add(_ socket: UserSocket) {
        remove(socket.id)
        sockets[socket.id] = socket
        ids[socket.user, default: []].append(socket.id)
    }

    mutating func remove(_ id: UserSocket.ID) {
        guard let socket = sockets.removeValue(forKey: id) else { return }
        ids[socket.user]?.removeAll { $0 == id }
        if ids[socket.user]?.isEmpty == true { ids[socket.user] = nil }
    }

    /// In the order they signed in.
    func sockets(of user: String) -> [UserSocket] { (ids[user] ?? []).compactMap { sockets[$0] } }
}
