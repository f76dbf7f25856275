/// Held for as long as the event loop itself has to read or write a connection to an agent: while it is dialled, and from then on
/// with TLS or after its first Close frame. Meanwhile the media loop returns to its event loop after every turn.
///
/// Confined to the loop.
final class ChannelPresence {
    private let set: any StreamSet

    init(in set: any StreamSet) {
        self.set = set
        set.channels += 1
    }

    deinit { set.channels -= 1 }
}
