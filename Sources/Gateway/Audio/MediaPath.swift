import CShims

/// Marks the time in which this thread is on the media path, for the allocation counter of the tests: a library preloaded there
/// replaces the two functions; without it they do nothing.
enum MediaPath {
    static func enter() { tandem_media_path_enter() }
    static func leave() { tandem_media_path_leave() }
}
