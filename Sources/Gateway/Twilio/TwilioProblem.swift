import HTTPTypes
import Hummingbird

/// A refusal in Twilio's shape, which its libraries turn into their own exceptions.
struct TwilioProblem: Error {
    var status: Int
    /// Of Twilio's list of errors.
    var code: Int
    var message: String

    init(_ status: Int, code: Int, _ message: String) {
        self.status = status
        self.code = code
        self.message = message
    }

    static let notFound = TwilioProblem(404, code: 20404, "There is no such call of this account.")
    static let notInProgress = TwilioProblem(400, code: 21220, "The call is not in progress.")

    var response: Response {
        let body: JSONValue = [
            "code": JSONValue(code), "message": .string(message), "more_info": .string("https://www.twilio.com/docs/errors/\(code)"),
            "status": JSONValue(status),
        ]
        let headers: HTTPFields = status == 401 ? [.wwwAuthenticate: "Basic realm=\"tandem\""] : [:]
        return APIResponse.json(body, status: HTTPResponse.Status(code: status), headers: headers)
    }
}
