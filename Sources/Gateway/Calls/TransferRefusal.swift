/// Why a transfer is not even tried.
struct TransferRefusal: Error, Sendable, Equatable {
    /// 404 for an unknown call or destination, 409 while the call cannot be transferred.
    var httpStatus: Int
    /// For people.
    var detail: String
}
