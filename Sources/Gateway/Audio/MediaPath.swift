import CShims

/// Marks the time in which this thread is on the media path, for the allocation counter of the tests: a library preloaded there
/// provides the two functions; without it they do nothing.
///
/// The two may be nested in each other either way: the thread is on the path while more was entered than left.
enum MediaPath {
    static func enter() { tandem_media_path_enter() }
    static func leave() { tandem_media_path_leave() }
}
