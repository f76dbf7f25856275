/// Carries out the functions that a webhook offers to the model.
protocol AgentFunctionCaller: AnyObject {
    /// - Parameters:
    ///   - callID: the model's name for this one use of the function
    ///   - arguments: as the model wrote them
    ///   - done: called once, on the media loop, perhaps before the call returns; with the result as JSON
    func call(
        _ name: String, callID: String, arguments: String, done: @escaping (Result<String, WebRequest.Failure>) -> Void)
}
